"""The minute's budget is spent in a burst, and never exceeded in any 60 seconds."""

from __future__ import annotations

import asyncio

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
    asyncio.run(pacer.turn())
    return clock.now


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
    assert [take_turn(pacer, clock) for _ in range(180)] == [1000.0] * 180
    assert pacer.delay() == 60


def test_a_pause_holds_everything_back_and_a_shorter_one_does_not_shorten_it() -> None:
    clock = Clock()
    pacer = Pacer(180, clock)
    pacer.pause(90)
    pacer.pause(10)
    assert pacer.delay() == 90
