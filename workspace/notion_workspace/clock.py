"""The workspace's clock, and how Notion writes times.

Inside the workspace a time is a whole number of milliseconds since 1970, in UTC.
"""

import time
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache

from notion_workspace.steering import steering

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
START = "2026-11-02T09:30:27Z"


def milliseconds(moment: str | datetime) -> int:
    """Reads an ISO date-time (no offset means UTC) or a datetime as milliseconds since 1970."""
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)


def to_datetime(moment: int) -> datetime:
    """The same moment as an aware datetime."""
    return datetime.fromtimestamp(moment / 1000, UTC)


@lru_cache(maxsize=4096)
def _minute_text(minute: int) -> str:
    return to_datetime(minute * MINUTE).isoformat()[:16] + ":00.000Z"


def minute_text(moment: int) -> str:
    """Times of pages, data sources and blocks: rounded down to the minute (docs/notion-api.md#time)."""
    return _minute_text(moment // MINUTE)


def database_text(moment: int) -> str:
    """Times of databases: exact, with another suffix (docs/notion-api.md#time)."""
    return to_datetime(moment).isoformat(timespec="milliseconds")


def expiry_text(moment: int) -> str:
    """Expiry of a signed URL: exact, with `Z`, as recorded in payload 40."""
    return to_datetime(moment).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment % 1000:03d}Z"


class Clock:
    """Frozen until told to run; every time in the workspace derives from it."""

    def __init__(self, start: str | datetime = START) -> None:
        self._offset = milliseconds(start)
        self._running_since: float | None = None

    @property
    def now(self) -> int:
        """The present, in milliseconds since 1970."""
        if self._running_since is None:
            return self._offset
        return self._offset + int((time.monotonic() - self._running_since) * 1000)

    @property
    def http_date(self) -> str:
        """The present as the header `Date` writes it."""
        return format_datetime(to_datetime(self.now).replace(microsecond=0), usegmt=True)

    @steering
    def set(self, moment: str | datetime) -> None:
        """Moves the clock to a moment; it stays frozen or running as it was."""
        self._offset = milliseconds(moment)
        if self._running_since is not None:
            self._running_since = time.monotonic()

    @steering
    def advance(self, seconds: float) -> None:
        """Moves the clock forward."""
        self._offset += round(seconds * 1000)

    @steering
    def run(self) -> None:
        """Lets the clock run from where it stands, at the pace of real time."""
        self._offset, self._running_since = self.now, time.monotonic()

    @steering
    def freeze(self) -> None:
        """Stops the clock where it stands."""
        self._offset, self._running_since = self.now, None
