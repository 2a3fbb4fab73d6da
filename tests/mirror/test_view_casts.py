"""The casts of typed views agree with what the conversion calls fitting, and with Python's calendar."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from notion_pg_sync.notion.schema import fits
from tests.installation import Installation

pytestmark = pytest.mark.slow

# Leap years, none, of each kind; the first years and the last.
YEARS = [
    *range(6),
    99,
    100,
    101,
    399,
    400,
    401,
    *range(1896, 1906),
    *range(1996, 2029),
    2099,
    2100,
    9995,
    *range(9996, 10000),
]
CASTS = {
    "numeric": "notion_sync.as_numeric(value)",
    "boolean": "notion_sync.as_boolean(value)",
    "date": "notion_sync.as_date(value #>> '{}')",
    "timestamptz": "notion_sync.as_timestamptz(value #>> '{}')",
    "uuid": "notion_sync.as_uuid(value #>> '{}')",
    "text[]": "notion_sync.as_text_array(value)",
    "uuid[]": "notion_sync.as_uuid_array(value)",
}
UUID = "38c9ce7b-60a4-817b-84ae-e63702a6c78e"

Connection = psycopg.Connection[tuple[object, ...]]


@pytest.fixture
def connection(installation: Installation) -> Iterator[Connection]:
    with psycopg.connect(installation.settings.database_url or "", autocommit=True) as opened:
        yield opened


def is_a_day(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def test_every_day_there_is_and_no_other_is_a_date(connection: Connection) -> None:
    days = [(year, month, day) for year in YEARS for month in range(14) for day in range(33)]
    written = [f"{year:04}-{month:02}-{day:02}" for year, month, day in days]
    found = connection.execute(
        "SELECT value, notion_sync.as_date(value)::text FROM unnest(%s::text[]) AS value", (written,)
    ).fetchall()
    expected = [text if is_a_day(*day) else None for text, day in zip(written, days, strict=True)]
    assert [read for _, read in found] == expected


instants = st.builds(
    lambda time, micro, minutes: (time.replace(microsecond=micro), minutes),
    st.datetimes(),
    st.sampled_from([0, 1, 123000, 999999]),
    st.integers(-959, 959),
)
parts = st.sampled_from(
    [
        *"0123456789",
        "-",
        "-",
        ":",
        "T",
        "+",
        "Z",
        " ",
        ".",
        "00",
        "2026",
        "-02-",
        "T10:00:00",
        "+00:00",
        "+16:00",
        UUID[:8],
    ]
)
stored = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.lists(parts, max_size=8).map("".join)
    | st.sampled_from(
        ["2026-00-10", "2026-02-28T10:00:00", "2026-02-28T10:00:00Z", "2026-02-28T10:00:00+00:00", "infinity"]
    )
    | st.sampled_from([UUID, UUID.upper(), "{" + UUID + "}", UUID.replace("-", ""), f'["{UUID}"]', UUID + "\n"])
    | st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=5,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(stored, min_size=40, max_size=40))
def test_what_does_not_fit_a_type_is_null_and_the_rest_is_not(connection: Connection, values: list[object]) -> None:
    for type_, cast in CASTS.items():
        found = connection.execute(
            f"SELECT {cast} IS NOT NULL FROM unnest(%s::jsonb[]) AS value".encode(),
            ([Jsonb(value) for value in values],),
        ).fetchall()
        expected = [value is not None and fits(value, type_) for value in values]
        assert [is_there for (is_there,) in found] == expected, type_


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(instants, min_size=40, max_size=40), st.sampled_from(["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
)
def test_an_instant_is_read_as_it_was_written_wherever_the_reader_is(
    connection: Connection, given_instants: list[tuple[datetime, int]], zone: str
) -> None:
    connection.execute("SELECT set_config('TimeZone', %s, false)", (zone,))
    written = [
        f"{time.isoformat()}{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
        for time, minutes in given_instants
    ]
    found = connection.execute("SELECT notion_sync.as_timestamptz(value) FROM unnest(%s::text[]) AS value", (written,))
    for (read,), (time, minutes) in zip(found.fetchall(), given_instants, strict=True):
        if date(2, 1, 1) <= time.date() <= date(9999, 12, 29):
            assert isinstance(read, datetime)
            assert read == (time - timedelta(minutes=minutes)).replace(tzinfo=UTC)
        elif read is not None:
            assert read == time.replace(tzinfo=UTC) - timedelta(minutes=minutes)
