"""Pure: when a database that cannot be read is tried less often: one revoked token must not mail operators for ever."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from notion_pg_sync.core.errors import ErrorCode
from notion_pg_sync.core.health import (
    SUSPENDED_AFTER_FAILURES,
    SUSPENDED_TRIED_FIRST_EVERY_HOURS,
    SUSPENDED_TRIED_HOURLY_FOR_DAYS,
    SUSPENDED_TRIED_LATER_EVERY_DAYS,
)

_LACK_OF_ACCESS = frozenset({ErrorCode.UNAUTHORIZED, ErrorCode.OBJECT_NOT_FOUND})
_HOURLY = timedelta(hours=SUSPENDED_TRIED_FIRST_EVERY_HOURS)
_DAILY = timedelta(days=SUSPENDED_TRIED_LATER_EVERY_DAYS)
_HOURLY_FOR = timedelta(days=SUSPENDED_TRIED_HOURLY_FOR_DAYS)


@dataclass(frozen=True)
class Suspension:
    """A database is tried only now and then `since`, and not before `next_try_at`."""

    since: datetime
    next_try_at: datetime


def after_failures(codes: Sequence[str | None], since: datetime | None, now: datetime) -> Suspension | None:
    """What follows from a database's latest results.

    `codes` are their error codes, the latest first, None for a success; `since` is when it was suspended, None where
    it is not. The same lack of access three times in a row suspends: tried hourly for a day, then daily. Whatever
    else happens lifts it.
    """
    if not codes or codes[0] not in _LACK_OF_ACCESS:
        return None
    latest = codes[:SUSPENDED_AFTER_FAILURES]
    if since is None and (len(latest) < SUSPENDED_AFTER_FAILURES or len(set(latest)) > 1):
        return None
    since = since or now
    return Suspension(since, now + (_HOURLY if now - since < _HOURLY_FOR else _DAILY))


def is_lack_of_access(code: str | None) -> bool:
    """Whether an error code means that Notion does not let the token read."""
    return code in _LACK_OF_ACCESS


def fingerprint(token: str) -> str:
    """What tells one token from another without telling the token."""
    return sha256(token.encode()).hexdigest()
