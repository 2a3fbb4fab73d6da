"""The table of databases: wide, a line each with its user; narrow, a line for a user and one for each database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from notion_pg_sync.commands.output.layout import (
    NOTHING,
    Column,
    headings_of,
    print_indented,
    print_table,
    room_beside,
    table_of,
    widths_of,
)
from notion_pg_sync.commands.output.terminal import text_of
from notion_pg_sync.commands.status.judgement import DatabaseHealth
from notion_pg_sync.commands.status.screen import STYLES
from notion_pg_sync.commands.status.words import ago, lasting, until
from notion_pg_sync.core.health import Condition
from notion_pg_sync.core.wording import plural, some, times
from notion_pg_sync.mirror.overview import Database

_LAST = "last result"
_ROWS, _FRESH = Column("rows", is_number=True), Column("edits as of")
_WIDE = (
    Column("user", most=36),
    Column("database", most=36),
    _ROWS,
    _FRESH,
    Column("deletions as of"),
    Column("mode"),
    Column("duration", is_number=True),
    Column("requests", is_number=True),
)
_NARROW = (Column("database", most=26), _ROWS, _FRESH)
# In less room than this a result is hard to read.
_LEAST_ROOM = 24


def show_databases(console: Console, shown: Sequence[DatabaseHealth], now: datetime) -> None:
    """Shows them in the order given, in which those of one user stand together."""
    rows = [_wide_row(one, now) for one in shown]
    widths = widths_of(console, _WIDE, rows)
    if room_beside(console, widths) >= _LEAST_ROOM:
        print_table(console, _WIDE, widths, [headings_of(_WIDE, _LAST), *rows])
        return
    rows = [_narrow_row(one, now) for one in shown]
    widths = widths_of(console, _NARROW, rows)
    widths[0] = max(widths[0] - max(_LEAST_ROOM + 2 - room_beside(console, widths), 0), len(_NARROW[0].heading))
    indent = (0, 0, 0, 2)
    console.print(Padding(table_of(_NARROW, widths, [headings_of(_NARROW, _LAST)]), indent))
    for user_id, pairs in groupby(zip(shown, rows, strict=True), key=lambda pair: pair[0].user_id):
        print_indented(console, text_of(user_id, "bold"), 0)
        console.print(Padding(table_of(_NARROW, widths, [row for _, row in pairs]), indent))


def _wide_row(one: DatabaseHealth, now: datetime) -> list[Text]:
    database = one.database
    return [
        text_of(one.user_id),
        text_of(one.name),
        *_rows_and_age(one, now),
        Text(ago(database.full_as_of, now)) if database and database.full_as_of else NOTHING,
        text_of(database.last_mode) if database and database.last_mode else NOTHING,
        Text(lasting(database.last_seconds)) if database and database.last_seconds is not None else NOTHING,
        Text(f"{database.last_requests:,}") if database and database.last_requests is not None else NOTHING,
        _result(one, now),
    ]


def _narrow_row(one: DatabaseHealth, now: datetime) -> list[Text]:
    result = Text(", ").join([_result(one, now), *_took_in_words(one, now)])
    return [text_of(one.name), *_rows_and_age(one, now), result]


def _rows_and_age(one: DatabaseHealth, now: datetime) -> tuple[Text, Text]:
    if one.database is None:
        return NOTHING, Text("never")
    rows = NOTHING if one.database.rows is None else Text(f"{one.database.rows:,}")
    fresh = Text("never" if one.database.fresh_as_of is None else ago(one.database.fresh_as_of, now))
    if one.condition in (Condition.STALE, Condition.NEVER_SYNCED):
        fresh.stylize("red")
    return rows, fresh


def _result(one: DatabaseHealth, now: datetime) -> Text:
    style = STYLES.get(one.condition, "dim")
    database = one.database
    if one.running and database and database.last_started_at:
        lasts = lasting((now - database.last_started_at).total_seconds())
        said = f"running for {lasts} (pid {one.running.pid} on {one.running.host})"
        if database.rate_limited_until and database.rate_limited_until > now:
            said += f", waiting for Notion's rate limit, {until(database.rate_limited_until, now)} more"
        if database.failures_in_a_row:
            said += f", failed {times(database.failures_in_a_row)} before"
        return text_of(said, "cyan")
    if one.condition is Condition.FAILING and one.failures:
        said = f"failed {times(one.failures)}"
    elif one.condition is Condition.SUSPENDED and one.next_try_at:
        said = f"suspended, next try in {until(one.next_try_at, now)}"
    elif one.condition in (Condition.FRESH, Condition.STALE):
        said = "ok"
        style = "green"
    else:
        said = one.condition.words
    if database and database.title and database.title != one.name:
        said += f", {database.title!r} in Notion"
    if database and database.held_back:
        said += f", {plural(database.held_back, 'row')} held back"
    if database and database.excluded:
        said += f", without {some(database.excluded)}"
    return text_of(said, style)


def _took_in_words(one: DatabaseHealth, now: datetime) -> list[Text]:
    database = one.database
    if database is None:
        return []
    parts = [_mode(database, now)]
    parts += [lasting(database.last_seconds)] if database.last_seconds is not None else []
    parts += [plural(database.last_requests, "request")] if database.last_requests is not None else []
    return [text_of(part, "dim") for part in parts if part]


def _mode(database: Database, now: datetime) -> str:
    if database.last_mode == "incremental" and database.full_as_of:
        return f"incremental (deletions as of {ago(database.full_as_of, now)})"
    return database.last_mode or ""
