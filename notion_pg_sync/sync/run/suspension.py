"""Pure: when a token or a database that cannot be read is tried less often, and when its failure is told.

One revoked token must not mail operators for ever; nor may it look well that Notion, or a key of ours, fails everybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256

from msgspec import Struct

from notion_pg_sync.core.errors import ErrorCode
from notion_pg_sync.core.health import (
    SUSPENDED_AFTER_FAILURES,
    SUSPENDED_TRIED_FIRST_EVERY_HOURS,
    SUSPENDED_TRIED_HOURLY_FOR_DAYS,
    SUSPENDED_TRIED_LATER_EVERY_DAYS,
    TOKENS_REFUSED_AT_LEAST,
)

_LACK_OF_ACCESS_TO_DATABASE = frozenset(
    {
        ErrorCode.OBJECT_NOT_FOUND,
        ErrorCode.RESTRICTED_RESOURCE,
        ErrorCode.IN_TRASH,
        ErrorCode.NO_DATA_SOURCE,
    }
)
_HOURLY = timedelta(hours=SUSPENDED_TRIED_FIRST_EVERY_HOURS)
_DAILY = timedelta(days=SUSPENDED_TRIED_LATER_EVERY_DAYS)
_HOURLY_FOR = timedelta(days=SUSPENDED_TRIED_HOURLY_FOR_DAYS)


class Suspension(Struct, frozen=True):
    """A token or a database is tried only now and then `since`, and not before `next_try_at`."""

    since: datetime
    next_try_at: datetime


def after_failures(
    codes: Sequence[str | None], since: datetime | None, now: datetime, *, has_witness: bool
) -> Suspension | None:
    """What follows from the latest results of a database.

    `codes` are their error codes, the latest first, None for a success; `since` is when it was suspended, None where
    it is not; `has_witness`: another database was read since its try before. The same lack of access three times in a
    row suspends where there is a witness: tried hourly for a day, then daily. Whatever else happens lifts it.
    """
    if not codes or codes[0] not in _LACK_OF_ACCESS_TO_DATABASE:
        return None
    latest = codes[:SUSPENDED_AFTER_FAILURES]
    is_lasting = len(latest) == SUSPENDED_AFTER_FAILURES and len(set(latest)) == 1
    return _suspended(since, now) if has_witness and (since or is_lasting) else None


def after_refusals(refusals: int, since: datetime | None, now: datetime, *, has_witness: bool) -> Suspension | None:
    """The same of a token that Notion has refused so many times in a row.

    `has_witness`: another token was accepted since the refusal before.
    """
    is_lasting = refusals >= SUSPENDED_AFTER_FAILURES
    return _suspended(since, now) if has_witness and (since or is_lasting) else None


def is_everybody_refused(refused: int, *, is_any_accepted: bool) -> bool:
    """Whether it was Notion, or a key of ours: by what came of all tokens that were asked in an interval."""
    return refused >= TOKENS_REFUSED_AT_LEAST and not is_any_accepted


def is_told(told_at: datetime | None, since: datetime, now: datetime) -> bool:
    """Whether a failure that lasts `since` is told now, having been told before: when it begins, hourly, then daily."""
    return told_at is None or not since <= told_at <= now or now - told_at >= _pause(since, now)


def is_lack_of_access(code: str | None) -> bool:
    """Whether an error code means that Notion does not let the token read."""
    return code == ErrorCode.UNAUTHORIZED or code in _LACK_OF_ACCESS_TO_DATABASE


def fingerprint(token: str) -> str:
    """What tells one token from another without telling the token."""
    return sha256(token.encode()).hexdigest()


def _suspended(since: datetime | None, now: datetime) -> Suspension:
    since = since or now
    return Suspension(since, now + _pause(since, now))


def _pause(since: datetime, now: datetime) -> timedelta:
    return _HOURLY if now - since < _HOURLY_FOR else _DAILY
