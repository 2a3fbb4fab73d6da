"""Several things at once: requests side by side, and work that lets others have their turn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

# So many things are made before others have their turn: it takes about as long as they can wait, a millisecond.
_AT_ONCE = 5


async def gather_or_cancel(coroutines: Iterable[Coroutine[None, None, Result]]) -> list[Result]:
    """The results in order. Where one raises, the others are given up, and its error is raised as it is.

    An `asyncio.TaskGroup` would wrap it in a group, and hide what it is from those who have to tell it.
    """
    tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def by_turns(items: Sequence[Item], make: Callable[[Sequence[Item]], Result]) -> list[Result]:
    """What `make` makes of `items`, of a few at a time; in between, whatever else waits for the event loop goes on.

    A statement of some MB is sent in pieces, each of which waits for that.
    """
    made = []
    for place in range(0, len(items), _AT_ONCE):
        made.append(make(items[place : place + _AT_ONCE]))
        await asyncio.sleep(0)
    return made


class Behind:
    """What is done while the next is made ready; one thing at a time, in the order in which they are begun."""

    def __init__(self) -> None:
        self._under_way: asyncio.Task[None] | None = None

    async def begin(self, work: Callable[[], Coroutine[None, None, None]]) -> None:
        """Begins `work` once what was begun before is done. Raises what that raised."""
        await self.done()
        self._under_way = asyncio.create_task(work())

    async def done(self) -> None:
        """Returns once all that was begun is done. Raises what it raised."""
        if self._under_way:
            await self._under_way
        self._under_way = None

    async def give_up(self) -> None:
        """Stops what is under way, whatever it raises."""
        if self._under_way:
            self._under_way.cancel()
            await asyncio.gather(self._under_way, return_exceptions=True)


@asynccontextmanager
async def behind() -> AsyncIterator[Behind]:
    """What is begun within the block is done at its end, also where that is an error; given up where it is cancelled.

    Of two errors, that of what was begun is raised: it came first.
    """
    writing = Behind()
    try:
        yield writing
        await writing.done()
    except Exception:
        await writing.done()
        raise
    finally:
        await writing.give_up()
