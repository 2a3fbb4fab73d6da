"""When a request was made: never later than any clock allows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notion_pg_sync.notion.clock import asked_at, read_date

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
times = st.datetimes(datetime(1901, 1, 1), datetime(9998, 1, 1)).map(lambda time: time.replace(tzinfo=UTC))
durations = st.timedeltas(timedelta(0), timedelta(days=1))


@given(st.none() | times, times, durations)
def test_it_is_never_later_than_either_clock_had_it(
    notion: datetime | None, here: datetime, elapsed: timedelta
) -> None:
    began = asked_at(notion, here, elapsed)
    assert began <= here - elapsed
    assert notion is None or began <= notion - elapsed
    assert began in (here - elapsed, (notion or here) - elapsed)


@given(times)
def test_a_date_is_read_as_it_is_written(time: datetime) -> None:
    time = time.replace(microsecond=0)
    assert read_date(format_datetime(time, usegmt=True)) == time


@given(st.text())
def test_whatever_a_header_says_is_a_time_or_none(header: str) -> None:
    read = read_date(header)
    assert read is None or read.tzinfo is UTC


@pytest.mark.parametrize(
    "header", [None, "", "yesterday", "Sat, 31 Feb 2026 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 -1200"]
)
def test_what_is_no_time_is_none(header: str | None) -> None:
    assert read_date(header) is None
