"""Stretches of time add up, and what they leave out is exactly the rest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from notion_pg_sync.core.intervals import EVERYTHING, Interval, gaps, minute_of, union

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
times = st.integers(0, 50).map(lambda minutes: BEGINNING + timedelta(minutes=minutes))
intervals = st.lists(st.tuples(times, times).map(lambda pair: Interval(*pair)), max_size=8)


@given(intervals, times)
def test_every_time_is_either_covered_or_in_a_gap(covered: list[Interval], time: datetime) -> None:
    is_covered = any(interval.start <= time < interval.end for interval in covered)
    in_gap = any(gap.start <= time < gap.end for gap in gaps(covered))
    assert is_covered != in_gap


@given(intervals)
def test_what_is_covered_and_the_gaps_are_everything(covered: list[Interval]) -> None:
    assert union([*covered, *gaps(covered)]) == (EVERYTHING,)


def test_a_time_is_rounded_down_to_its_minute_in_utc() -> None:
    assert minute_of(datetime.fromisoformat("2026-06-27T19:01:59.999+02:00")) == datetime(
        2026, 6, 27, 17, 1, tzinfo=UTC
    )
