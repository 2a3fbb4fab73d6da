"""Pure: whether a data source is read whole or only where it was edited, and why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from notion_pg_sync.core.wording import some
from notion_pg_sync.notion.edit_listing import LONGEST_LAG

# An answer to one query holds as many; reading such a data source whole costs no more than asking what changed.
SINGLE_QUERY_ROWS = 100

# How far before the watermark an incremental read begins: what was edited then may not have appeared in queries.
OVERLAP = LONGEST_LAG

# How far in the future a stored time may lie, since clocks differ; an incremental read reaches back as far.
TOLERANCE = OVERLAP

# A full read that has come to a halt is carried on for so long; what it read is older after that than is worth having.
CARRIED_ON_FOR = timedelta(hours=1)

# For so long it is believed which data sources a database has: an hour, less what runs of an hourly schedule differ by.
LISTING_BELIEVED_FOR = timedelta(minutes=55)


class PreviousRead(Struct, frozen=True):
    """What planning takes from earlier runs. Times are UTC; None where there is no such time.

    By Notion's clock: `watermark` and when the full read that is under way began (`full_read_started_at`). By
    PostgreSQL's: when the last complete one began (`full_as_of`), and when the one that is under way last recorded
    progress; `full_read_version` is the conversion's that this one began with. `row_count`: how many rows there should
    be. `table_shape`: columns and triggers of the sync table when the notes on its rows were begun, None where that is
    not known.
    """

    schema_fingerprint: str
    sync_table: str
    row_count: int | None
    held_back: int
    watermark: datetime | None
    full_as_of: datetime | None
    full_read_started_at: datetime | None
    full_read_progress_at: datetime | None
    full_read_version: int | None
    table_shape: str | None


class Schema(Struct, frozen=True):
    """The schema as it is now: its fingerprint, and the properties of which options were renamed or removed since."""

    fingerprint: str
    changed_options: Sequence[str] = ()


class Target(Struct, frozen=True):
    """Where rows go: the sync table by its name, its columns and triggers as they are now, and how many rows it has."""

    sync_table: str
    shape: str
    rows: int


class FullRead(Struct, frozen=True):
    """Read everything.

    `edits_since`: read what is left of the full read that is under way, and then what was edited at that time or later,
    since what was read before may be old; None: read everything again. `note`: what a person should know, a sentence.
    """

    reason: str
    edits_since: datetime | None = None
    note: str = ""


class IncrementalRead(Struct, frozen=True):
    """Read what was edited at `since` or later."""

    since: datetime


Plan = FullRead | IncrementalRead


class ReadOptions(Struct, frozen=True):
    """What the run is to do: read everything where that is older than `full_every`, or in any case (`full`).

    `removal_allowed`: rows that were held back may be removed, which takes a full read. `version` is the conversion's.
    """

    full_every: timedelta
    full: bool
    removal_allowed: bool
    version: int


def plan_read(known: PreviousRead | None, schema: Schema, target: Target, now: datetime, options: ReadOptions) -> Plan:
    """Decides how to read a data source with this `schema`, whose rows go to `target`; `now` is PostgreSQL's."""
    if known is None:
        return FullRead("it was never fully read")
    if reason := _differs(known, schema, target):
        return FullRead(reason)
    if known.full_read_started_at is not None:
        if not options.full and _may_be_carried_on(known, target, now, options.version):
            return FullRead("a full read is under way", edits_since=known.full_read_started_at - OVERLAP)
        return FullRead("a full read was left unfinished")
    if known.full_as_of is None or known.watermark is None or known.row_count is None:
        return FullRead("it was never fully read")
    if _is_to_come(known.watermark, now) or _is_to_come(known.full_as_of, now):
        return FullRead(
            "its stored times are in the future",
            note="a wrong clock had put the times of its last sync into the future, so everything was read again.",
        )
    if known.row_count != target.rows:
        return FullRead(f"its table has {target.rows} rows and should have {known.row_count}")
    if options.full:
        return FullRead("it was asked for")
    if known.held_back and options.removal_allowed:
        return FullRead("rows that were held back may be removed")
    if _is_small(known, target):
        return FullRead("it is small")
    if now - known.full_as_of >= options.full_every:
        return FullRead("the last full read is too long ago")
    return IncrementalRead(known.watermark - OVERLAP)


def is_believed(age: timedelta | None) -> bool:
    """Whether it is believed which data sources a database has, named so long ago; None: never, or not for sure."""
    return age is not None and timedelta() <= age < LISTING_BELIEVED_FOR


def watermark_after(until: datetime, began_at: datetime) -> datetime:
    """The watermark of an incremental read that began at `began_at`, once every edit before `until` has arrived."""
    return min(until + OVERLAP, began_at)


def _may_be_carried_on(known: PreviousRead, target: Target, now: datetime, version: int) -> bool:
    """Whether what the full read under way has read so far is young enough, and of a version that is not older.

    A small data source is read anew: that costs no more, and brings what no edit time tells.
    """
    started_at, progress_at = known.full_read_started_at, known.full_read_progress_at
    if started_at is None or progress_at is None or known.full_read_version is None or _is_small(known, target):
        return False
    if _is_to_come(started_at, now) or _is_to_come(progress_at, now):
        return False
    return now - progress_at < CARRIED_ON_FOR and known.full_read_version >= version


def _is_small(known: PreviousRead, target: Target) -> bool:
    """Whether one query reads it whole, as far as is known: a full read under way may have found more rows."""
    return known.row_count is not None and max(known.row_count, target.rows) <= SINGLE_QUERY_ROWS


def _is_to_come(time: datetime, now: datetime) -> bool:
    """Whether a time that was stored cannot be, since it has not come yet."""
    return time > now + TOLERANCE


def _differs(known: PreviousRead, schema: Schema, target: Target) -> str:
    """Why what was read before counts no longer, empty where it does."""
    if known.schema_fingerprint != schema.fingerprint:
        return "its schema changed"
    if schema.changed_options:
        return f"options of {some(schema.changed_options)} were renamed or removed"
    if known.sync_table != target.sync_table:
        return "its rows go to another table"
    return "" if known.table_shape in (None, target.shape) else "its table was altered"
