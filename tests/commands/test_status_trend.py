"""status: a row of numbers as bars."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from notion_pg_sync.commands.status.trend import FEWEST, sparkline

numbers = st.lists(st.floats(0, 1e12), min_size=FEWEST, max_size=40)


@given(numbers)
def test_a_bar_for_each_number_and_the_greatest_has_the_longest(values: list[float]) -> None:
    bars = sparkline(values)
    assert len(bars) == len(values)
    assert bars[values.index(max(values))] == max(bars)
    assert [bar for _, bar in sorted(zip(values, bars, strict=True))] == sorted(bars)


def test_twice_as_much_is_seen() -> None:
    assert sparkline([0, 7, 14]) == "▁▅█"
    assert sparkline([0, 0, 0]) == "▁▁▁"


def test_two_numbers_are_no_trend() -> None:
    assert sparkline([1, 2]) == ""
