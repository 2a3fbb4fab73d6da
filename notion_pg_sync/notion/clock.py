"""Pure: when a request was made, as far as the clocks can be believed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime


def read_date(header: str | None) -> datetime | None:
    """The time that an HTTP date says, in UTC; None where there is none, or nothing that is a time."""
    if header is None:
        return None
    try:
        return parsedate_to_datetime(header).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def asked_at(answered_at: datetime | None, now: datetime, elapsed: timedelta) -> datetime:
    """When a request began that was answered just now, and took `elapsed`.

    `answered_at` is Notion's clock (the header `Date`, None where it told no time), `now` this machine's. The earlier
    one counts: a header may be wrong, or a proxy's. A time that is too early makes a later read begin earlier than it
    need; one that is too late would leave edits out.
    """
    return min(answered_at or now, now) - elapsed
