"""Dates in all three forms become days and instants; what is no date is kept as it was written."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notion_pg_sync.notion.dates import DateParts, date_parts, instant, is_day, is_instant
from tests.notion.arbitrary_json import json_values, wild_text


@pytest.mark.parametrize(
    ("date", "parts", "text"),
    [
        ({"start": "2026-06-27", "end": None, "time_zone": None}, ("2026-06-27", None, None, None), "2026-06-27"),
        (
            {"start": "2026-06-27T23:30:00.000-05:00", "end": None, "time_zone": None},
            ("2026-06-27", "2026-06-27T23:30:00-05:00", None, None),
            "2026-06-27T23:30:00-05:00",
        ),
        (
            {"start": "2026-06-27T18:01:00.000Z", "end": None},
            ("2026-06-27", "2026-06-27T18:01:00+00:00", None, None),
            "2026-06-27T18:01:00+00:00",
        ),
        # Naive, with a zone: the offset is the zone's on that day.
        (
            {"start": "2026-01-27T10:00:00", "end": "2026-07-27T10:00", "time_zone": "Europe/London"},
            ("2026-01-27", "2026-01-27T10:00:00+00:00", "2026-07-27", "2026-07-27T10:00:00+01:00"),
            "2026-01-27T10:00:00+00:00/2026-07-27T10:00:00+01:00",
        ),
        # An offset wins over a zone.
        (
            {"start": "2026-01-27T10:00:00+02:00", "end": None, "time_zone": "Europe/London"},
            ("2026-01-27", "2026-01-27T10:00:00+02:00", None, None),
            "2026-01-27T10:00:00+02:00",
        ),
        # Before there were zones, offsets had seconds; written in UTC.
        (
            {"start": "1840-01-01T10:00:00", "end": None, "time_zone": "Europe/London"},
            ("1840-01-01", "1840-01-01T10:01:15+00:00", None, None),
            "1840-01-01T10:01:15+00:00",
        ),
        # A time whose instant is unknown: the day is known, the time stays as it was written.
        (
            {"start": "2026-01-27T10:00:00", "end": None, "time_zone": None},
            ("2026-01-27", "2026-01-27T10:00:00", None, None),
            "2026-01-27T10:00:00",
        ),
        (
            {"start": "2026-01-27T10:00:00", "end": None, "time_zone": "Mars/Olympus"},
            ("2026-01-27", "2026-01-27T10:00:00", None, None),
            "2026-01-27T10:00:00",
        ),
        # A range, one day and one time; and an end alone.
        (
            {"start": "2026-06-27", "end": "2026-06-28T09:00:00+09:00", "time_zone": None},
            ("2026-06-27", None, "2026-06-28", "2026-06-28T09:00:00+09:00"),
            "2026-06-27/2026-06-28T09:00:00+09:00",
        ),
        ({"start": None, "end": "2026-06-28"}, (None, None, "2026-06-28", None), "/2026-06-28"),
        # What is no date of PostgreSQL's and Python's.
        ({"start": "12026-01-01", "end": None}, ("12026-01-01", None, None, None), "12026-01-01"),
        ({"start": "12026-01-01T00:00:00Z", "end": None}, ("12026-01-01T00:00:00Z", None, None, None), None),
        ({"start": "Thursday", "end": None}, ("Thursday", None, None, None), "Thursday"),
        ({"start": "2026-06-27Tea", "end": None}, ("2026-06-27", "2026-06-27Tea", None, None), "2026-06-27Tea"),
        ({"start": 20260627}, (None, None, None, None), None),
        ({}, (None, None, None, None), None),
        (None, (None, None, None, None), None),
        ("2026-06-27", (None, None, None, None), None),
    ],
)
def test_the_parts_of_a_date(date: object, parts: tuple[str | None, ...], text: str | None) -> None:
    found = date_parts(date)
    assert found == DateParts(*parts)
    assert found.text == (text or parts[0])


@pytest.mark.parametrize(
    "zone", ["", "America", "/etc/passwd", "../x", "zone.tab", "a\x00b", "\ud800", "x" * 300, 5, []]
)
def test_a_zone_that_is_none_costs_the_instant_only(zone: object) -> None:
    parts = date_parts({"start": "2026-01-27T10:00:00", "end": None, "time_zone": zone})
    assert parts == DateParts("2026-01-27", "2026-01-27T10:00:00", None, None)
    assert not is_instant(str(parts.at))


@pytest.mark.parametrize("text", ["2026-06-27", "0001-01-01", "9999-12-31", "2024-02-29"])
def test_days(text: str) -> None:
    assert is_day(text)


@pytest.mark.parametrize(
    "text", ["2026-02-29", "0000-01-01", "-0044-03-15", "12026-01-01", "20260627", "2026-W01-1", "٢٠٢٦-01-01", "", " "]
)
def test_no_days(text: str) -> None:
    assert not is_day(text)


@pytest.mark.parametrize(
    "text", ["2026-06-27T10:00:00+01:00", "2026-06-27T10:00:00.123456-11:30", "9999-12-31T23:59:59+00:00"]
)
def test_instants(text: str) -> None:
    assert is_instant(text)
    assert instant(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "2026-06-27T10:00:00",
        "2026-02-30T10:00:00+00:00",
        "2026-06-27T24:00:00+00:00",
        "2026-06-27T10:00:60+00:00",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "2026-06-27T10:00:00+16:00",
        "2026-06-27",
    ],
)
def test_no_instants(text: str) -> None:
    assert not is_instant(text)


@settings(deadline=None)
@given(st.datetimes(timezones=st.timezones()))
def test_every_time_with_an_offset_keeps_its_instant_and_its_day(time: object) -> None:
    written = str(time).replace(" ", "T")
    parts = date_parts({"start": written, "end": None, "time_zone": None})
    assert parts.day == written[:10]
    assert parts.at is not None
    assert is_day(written[:10])
    assert is_instant(parts.at) or written[:4] in ("0001", "9999")


@settings(deadline=None)
@given(json_values, wild_text)
def test_no_json_makes_dates_fail(value: object, text: str) -> None:
    date_parts(value)
    date_parts({"start": text, "end": f"2026-06-27T{text}", "time_zone": text})
    is_day(text)
    is_instant(text)
