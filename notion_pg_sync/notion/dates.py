"""Pure: a Notion date as calendar days and instants (docs/notion-api.md#dates)."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from msgspec import Struct

from notion_pg_sync.notion.json_access import get_path

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DAY_AND_TIME = re.compile(r"(\d{4}-\d{2}-\d{2})T.+", re.ASCII | re.DOTALL)
# Narrower than what datetime.fromisoformat reads: the forms that PostgreSQL and its jsonpath read as well.
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?[+-]\d{2}:\d{2}", re.ASCII)
# PostgreSQL refuses offsets of 16 hours and more.
_LARGEST_OFFSET = timedelta(hours=16)
_MINUTE = timedelta(minutes=1)

# Notion rounds times to the minute, so that many pages share them.
_TIMES_KEPT = 1024


class DateParts(Struct, frozen=True):
    """A date, or a range of dates. Text that is no date stands, as written, where it would stand if it were one.

    `day`: the calendar day as written, `at`: the instant, None where the date has no time; the same for the end.
    """

    day: str | None
    at: str | None
    end_day: str | None
    end_at: str | None

    @property
    def text(self) -> str | None:
        """The date as one text, a range as `start/end`, as ISO 8601 writes it."""
        start, end = self.at or self.day, self.end_at or self.end_day
        return f"{start or ''}/{end}" if end else start


def date_parts(value: object) -> DateParts:
    """The parts of `{start, end, time_zone}`; nothing of what has another shape."""
    written = get_path(value, "time_zone")
    zone = written if isinstance(written, str) else None
    return DateParts(*_point(get_path(value, "start"), zone), *_point(get_path(value, "end"), zone))


@lru_cache(_TIMES_KEPT)
def instant(written: str, zone: str | None = None) -> str:
    """A date-time in the one form that `is_instant` knows, with its own offset; unreadable text stays as it is.

    A time without offset is a local one in the IANA zone `zone`.
    """
    try:
        time = datetime.fromisoformat(written)
        if time.tzinfo is None and zone is not None:
            time = time.replace(tzinfo=ZoneInfo(zone))
        offset = time.utcoffset()
        if offset is None:
            return written
        if offset % _MINUTE:
            # Local mean time, from before there were zones: PostgreSQL's jsonpath knows no seconds in an offset.
            time = time.astimezone(UTC)
    except (ValueError, KeyError, OSError, OverflowError):
        # No date-time, no such zone (zoneinfo raises each of KeyError, ValueError, OSError), or a year beyond 9999.
        return written
    return time.isoformat()


def is_day(text: str) -> bool:
    """Whether `text` is a calendar day, in the years 1 to 9999."""
    if not _DAY.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


@lru_cache(_TIMES_KEPT)
def is_instant(text: str) -> bool:
    """Whether `text` is a date-time with offset that is in the years 1 to 9999 in UTC too."""
    if not _INSTANT.fullmatch(text):
        return False
    try:
        time = datetime.fromisoformat(text)
        time.astimezone(UTC)
    except (ValueError, OverflowError):
        return False
    return abs(time.utcoffset() or timedelta()) < _LARGEST_OFFSET


def _point(written: object, zone: str | None) -> tuple[str | None, str | None]:
    if not isinstance(written, str):
        return None, None
    with_time = _DAY_AND_TIME.fullmatch(written)
    return (with_time[1], instant(written, zone)) if with_time else (written, None)
