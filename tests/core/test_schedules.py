"""The schedule that starts of runs show: what cron makes of an expression leads back to it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from cronsim import CronSim
from hypothesis import given
from hypothesis import strategies as st

from notion_pg_sync.core.schedules import IRREGULAR, NOT_KNOWN_YET, ON_DEMAND, schedule_of

EXPRESSIONS = [
    "* * * * *",
    "*/2 * * * *",
    "*/5 * * * *",
    "*/15 * * * *",
    "*/30 * * * *",
    "7 * * * *",
    "0 * * * *",
    "7-59/15 * * * *",
    "1-59/20 * * * *",
    "30 */2 * * *",
    "15 4-23/8 * * *",
    "30 3 * * *",
    "0 0 * * *",
    "5 2 * * 1",
    "59 23 * * 0",
]
BEGIN = datetime(2026, 11, 25, 16, 3)


def due(expression: str, count: int, since: datetime = BEGIN) -> list[datetime]:
    times = CronSim(expression, since)
    return [next(times) for _ in range(count)]


@st.composite
def starts(draw: st.DrawFn) -> tuple[str, list[datetime]]:
    """An expression, and when runs began by it: each somewhat late, one missed, from two hosts, in any order."""
    expression = draw(st.sampled_from(EXPRESSIONS))
    times = due(
        expression, draw(st.integers(min_value=6, max_value=30)), BEGIN + timedelta(minutes=draw(st.integers(0, 9999)))
    )
    if draw(st.booleans()):
        # Of the latest, which alone count, and not at an end.
        del times[-draw(st.integers(min_value=2, max_value=5))]
    late = draw(st.lists(st.integers(min_value=0, max_value=45), min_size=len(times), max_size=len(times)))
    begun = [time + timedelta(seconds=seconds) for time, seconds in zip(times, late, strict=True)]
    begun += [time + timedelta(seconds=3) for time in begun if draw(st.booleans())]
    return expression, draw(st.permutations(begun))


@given(starts())
def test_starts_lead_back_to_their_schedule(known: tuple[str, list[datetime]]) -> None:
    expression, begun = known
    assert schedule_of(begun) == expression


@given(st.lists(st.integers(min_value=1, max_value=40_000), min_size=5, max_size=20))
def test_what_is_told_is_when_runs_begin(gaps: Sequence[int]) -> None:
    """Four fifths of the latest starts are when it is due, and four fifths of when it is due are starts."""
    begun = [BEGIN + timedelta(minutes=sum(gaps[: number + 1]), seconds=2) for number in range(len(gaps))]
    found = schedule_of(begun)
    if found == IRREGULAR:
        return
    explained = []
    for latest in (begun[-12:], begun[-6:], begun[-4:]):
        times = set(due(found, len(begun) * 2, latest[0] - timedelta(minutes=3)))
        met = {time for time in times if any(timedelta() <= start - time < timedelta(minutes=2) for start in latest)}
        spanned = [time for time in times if met and min(met) <= time <= max(met)]
        explained.append(len(met) >= 4 and len(met) >= 0.8 * len(latest) and len(met) >= 0.8 * len(spanned))
    assert any(explained)


def test_a_line_of_every_night_beside_it_does_not_hide_the_usual_one() -> None:
    usual = due("*/15 * * * *", 40, datetime(2026, 11, 25, 0, 0))
    nightly = [datetime(2026, 11, 25, 3, 37), datetime(2026, 11, 25, 9, 50)]
    assert schedule_of([*usual, *nightly]) == "*/15 * * * *"


def test_a_timer_that_is_late_by_chance_is_still_one() -> None:
    late = [0, 85, 31, 62, 7, 89, 50, 44]
    times = due("*/15 * * * *", len(late))
    assert schedule_of(time + timedelta(seconds=one) for time, one in zip(times, late, strict=True)) == "*/15 * * * *"


def test_a_clock_that_is_behind_a_little_makes_no_other_schedule() -> None:
    assert schedule_of(time - timedelta(seconds=4) for time in due("0 * * * *", 8)) == "0 * * * *"


def test_a_new_schedule_is_seen_once_four_starts_show_it() -> None:
    before = due("*/15 * * * *", 20)
    after = due("7 * * * *", 4, before[-1])
    assert schedule_of([*before, *after[:2]]) == "*/15 * * * *"
    assert schedule_of([*before, *after]) == "7 * * * *"


def test_between_two_schedules_it_is_neither() -> None:
    before, after = due("*/15 * * * *", 6), due("11 5 * * *", 3, BEGIN + timedelta(days=1))
    assert schedule_of([*before, *after]) == IRREGULAR


@pytest.mark.parametrize(("count", "word"), [(0, ON_DEMAND), (1, NOT_KNOWN_YET), (3, NOT_KNOWN_YET)])
def test_too_little_is_no_evidence(count: int, word: str) -> None:
    assert schedule_of(due("*/15 * * * *", count)) == word
