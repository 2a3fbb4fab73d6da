"""The minute's budget is spent in a burst, and never exceeded in any 60 seconds."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notion_pg_sync.notion.pacer import Pacer


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def take_turn(pacer: Pacer, clock: Clock) -> float:
    """Lets a request begin as soon as it may, and says when that was."""
    clock.now += pacer.delay()
    asyncio.run(request(pacer))
    return clock.now


async def request(pacer: Pacer) -> None:
    """A request that is answered at once."""
    async with pacer.turn():
        pass


@given(st.integers(1, 20), st.lists(st.floats(0, 30), max_size=60))
def test_no_sixty_seconds_see_more_requests_than_allowed(limit: int, gaps: list[float]) -> None:
    clock = Clock()
    pacer = Pacer(limit, clock)
    begun = []
    for gap in gaps:
        clock.now += gap
        begun.append(take_turn(pacer, clock))
    for first, later in zip(begun, begun[limit:], strict=False):
        assert later - first >= 60 - 1e-6


def test_the_budget_is_spent_in_a_burst() -> None:
    clock = Clock()
    pacer = Pacer(180, clock)
    assert [take_turn(pacer, clock) for _ in range(179)] == [1000.0] * 179

    async def last() -> float:
        async with pacer.turn():
            return pacer.delay()

    assert asyncio.run(last()) == 60


def test_a_pause_holds_everything_back_and_a_shorter_one_does_not_shorten_it() -> None:
    clock = Clock()
    pacer = Pacer(180, clock)

    async def both() -> None:
        async with pacer.turn() as one, pacer.turn() as other:
            pacer.refuse(one, 90, ends_minute=False)
            pacer.refuse(other, 10, ends_minute=False)

    asyncio.run(both())
    assert pacer.delay() == 90


async def test_waiters_begin_in_the_order_in_which_they_came() -> None:
    pacer = Pacer(1, minute=0.01)
    begun = []

    async def wait(number: int) -> None:
        async with pacer.turn():
            begun.append(number)

    await asyncio.gather(*(wait(number) for number in range(6)))
    assert begun == list(range(6))


async def test_what_is_tried_past_the_limit_begins_as_soon_as_nothing_is_under_way() -> None:
    pacer = Pacer(1, lowest_limit=1)
    async with pacer.turn():
        tried = asyncio.create_task(request(pacer))
        await asyncio.sleep(0)
        assert pacer.is_waiting
    await asyncio.wait_for(tried, 30)


async def test_a_request_that_is_cancelled_is_no_longer_under_way() -> None:
    pacer = Pacer(1, lowest_limit=1)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0), pacer.turn():
            await asyncio.sleep(60)
    assert pacer.delay() == 0


@pytest.mark.parametrize("turns", range(6))
async def test_a_request_that_is_given_up_as_its_turn_comes_is_given_up(turns: int) -> None:
    """However many turns of the event loop lie between the two."""
    pacer = Pacer(1, lowest_limit=1)
    never = asyncio.Event()

    async def asks() -> None:
        async with pacer.turn():
            await never.wait()

    async with pacer.turn():
        waiting = asyncio.create_task(asks())
        await asyncio.sleep(0)
        assert pacer.is_waiting
    for _ in range(turns):
        await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting], timeout=5)
    assert waiting.cancelled()
