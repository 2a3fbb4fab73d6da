"""One token's budget of requests: spent in a burst where it can be, waited for where it must be."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from notion_pg_sync.notion.pace import LOWEST_LIMIT, MINUTE, Pace, Request


class Pacer:
    """Lets requests begin as `Pace` says, in the order in which they ask for it.

    `requests_per_minute`, `lowest_limit`, `minute`: see `Pace`.
    """

    def __init__(
        self,
        requests_per_minute: int,
        clock: Callable[[], float] = time.monotonic,
        *,
        lowest_limit: int = LOWEST_LIMIT,
        minute: float = MINUTE,
    ) -> None:
        self._clock = clock
        self._pace = Pace(requests_per_minute, lowest_limit=lowest_limit, minute=minute)
        self._turns = asyncio.Lock()
        self._answered = asyncio.Event()
        self.is_waiting = False

    def delay(self) -> float:
        """Seconds until the next request may begin, 0 when it may begin now; less where an answer comes before."""
        return self._pace.wait(self._clock())

    def refuse(self, request: Request, seconds: float, *, ends_minute: bool) -> None:
        """Holds every request of this token back for `seconds`, as Notion's answer to `request` asks.

        `ends_minute`: whether the minute is over then in which Notion counts.
        """
        self._pace.refuse(request, self._clock(), seconds, ends_minute=ends_minute)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Request]:
        """The block is a request: it begins when it may, and has its answer at the end."""
        request = await self._begun()
        try:
            yield request
        finally:
            self._pace.end(request, self._clock())
            self._answered.set()

    async def _begun(self) -> Request:
        async with self._turns:
            while (seconds := self._pace.wait(now := self._clock())) > 0:
                self.is_waiting = True
                self._answered.clear()
                with suppress(TimeoutError):
                    # Not `wait_for`: before Python 3.12 it loses a cancellation that comes with an answer.
                    async with asyncio.timeout(seconds):
                        await self._answered.wait()
            self.is_waiting = False
            return self._pace.begin(now)
