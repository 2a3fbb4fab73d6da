"""Pure: whether a data source is read whole or only where it was edited, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

# An answer to one query holds as many; reading such a data source whole costs no more than asking what changed.
SMALL = 100

# How far before the watermark an incremental read begins. Times are rounded to minutes, and how long an edit takes to
# appear in queries is not documented (notion-api.md, section 3, "Time").
OVERLAP = timedelta(minutes=5)


@dataclass(frozen=True)
class Known:
    """What planning takes from earlier runs. Times are UTC; None where there is no such time."""

    schema_fingerprint: str
    sync_table: str
    row_count: int | None
    watermark: datetime | None
    full_read_at: datetime | None
    full_read_started_at: datetime | None


@dataclass(frozen=True)
class FullRead:
    """Read everything; `carries_on`: what is left of a full read that is under way."""

    reason: str
    carries_on: bool = False


@dataclass(frozen=True)
class IncrementalRead:
    """Read what was edited at `since` or later."""

    since: datetime


Plan = FullRead | IncrementalRead


def plan_read(
    known: Known | None,
    schema_fingerprint: str,
    sync_table: str,
    now: datetime,
    *,
    full_every: timedelta,
    full_asked: bool,
) -> Plan:
    """Decides how to read a data source whose schema now has `schema_fingerprint` and whose rows go to `sync_table`."""
    if known is None:
        return FullRead("it was never read whole")
    if known.schema_fingerprint != schema_fingerprint:
        return FullRead("its schema changed")
    if known.sync_table != sync_table:
        return FullRead("its rows go to another table")
    if known.full_read_started_at is not None:
        return FullRead("a full read is under way", carries_on=True)
    if known.full_read_at is None or known.watermark is None or known.row_count is None:
        return FullRead("it was never read whole")
    if full_asked:
        return FullRead("it was asked for")
    if known.row_count <= SMALL:
        return FullRead("it is small")
    if now - known.full_read_at >= full_every:
        return FullRead("the last full read is too long ago")
    return IncrementalRead(known.watermark - OVERLAP)
