"""`history` as a person meets it: what people changed in a database, on one screen or as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import NamedTuple

from msgspec.structs import asdict
from rich.console import Console
from rich.text import Text

from notion_pg_sync.commands.output.layout import (
    NOTHING,
    Column,
    headings_of,
    print_indented,
    print_message,
    print_table,
    room_beside,
    widths_of,
)
from notion_pg_sync.commands.output.streams import say
from notion_pg_sync.commands.output.terminal import Screen, text_of
from notion_pg_sync.commands.status.words import local, since
from notion_pg_sync.core.databases import ConfiguredDatabase, resolve_database
from notion_pg_sync.core.ids import looks_like_id, parse_id
from notion_pg_sync.core.wording import plural
from notion_pg_sync.mirror import accounts, migrations
from notion_pg_sync.mirror.connection import open_pool, transaction
from notion_pg_sync.mirror.history import Beginning, ChangedIn, FieldChange, beginning_of, field_changes
from notion_pg_sync.mirror.tables import settings_schema
from notion_pg_sync.settings import Settings

# What fits on a screen with its heading.
MOST_LINES = 40
# So much of a value; all of it is in the JSON.
MOST_CHARACTERS = 60

_COLUMNS = tuple(Column(heading, most=MOST_CHARACTERS) for heading in ("seen", "page", "column", "was", "is"))
_LAST_HEADING = "last edited by"


class Line(NamedTuple):
    """A value that a change brought, or a page that came or went: `column` then says how; `who` edited it last."""

    change_id: int
    seen: str
    page: str
    column: str
    was: str
    now: str
    who: str


async def run_history(
    settings: Settings, user_id: str, database: str, *, page: str | None, within: timedelta, as_json: bool
) -> int:
    """Prints what changed in a user's database `within` the last time; returns the exit code.

    `page`: only of this one, by title, id or link. Raises `UsageError` where there is no such user or database.
    """
    page_id = parse_id(page) if page is not None and looks_like_id(page) else None
    title = page if page_id is None else None
    async with open_pool(settings.database_url or "") as pool, transaction(pool) as connection:
        await migrations.check_version(connection)
        await accounts.check_that_user_is_known(connection, await settings_schema(connection), user_id)
        known = [one.as_found for one in await accounts.known_databases(connection, user_id)]
        found = resolve_database(database, known, whose=f"user {user_id!r} has")
        begins = await beginning_of(connection, user_id, found.database_id)
        place = ChangedIn(user_id, found.database_id, page_id, title)
        changes = await field_changes(connection, place, within)
    if as_json:
        say(json.dumps(_as_json(user_id, found, begins, changes), indent=2, ensure_ascii=False))
        return 0
    out = Screen()
    lines = lines_of(changes)
    if lines:
        show_lines(out, lines[:MOST_LINES])
    for sentence in told_beside(len(lines), begins, within):
        print_message(out, sentence)
    return 0


def show_lines(console: Console, lines: Sequence[Line]) -> None:
    """Shows a table where it fits; else of each change when, which page and who in one line, and beneath what."""
    rows = [[text_of(cell) for cell in (one.seen, one.page, one.column, one.was, one.now, one.who)] for one in lines]
    widths = widths_of(console, _COLUMNS, rows)
    if room_beside(console, widths) >= max(len(_LAST_HEADING), *(row[-1].cell_len for row in rows)):
        print_table(console, _COLUMNS, widths, [headings_of(_COLUMNS, _LAST_HEADING), *rows])
        return
    for _, of_change in groupby(lines, key=lambda line: line.change_id):
        values = list(of_change)
        first = values[0]
        by = f", last edited by {first.who}" if first.who else ""
        print_indented(console, Text.assemble(text_of(first.page, "bold"), text_of(f"  {first.seen}{by}", "dim")), 0)
        for one in values:
            change = f": {one.was or NOTHING.plain} → {one.now or NOTHING.plain}" if one.was or one.now else ""
            print_indented(console, Text.assemble(text_of(one.column, "cyan"), text_of(change)), 2)


def lines_of(changes: Sequence[FieldChange]) -> list[Line]:
    """Pure: a line for each value that was changed, and one for each page that came or went."""
    lines: list[Line] = []
    for _, of_change in groupby(changes, lambda change: change.change_id):
        values = list(of_change)
        first = values[0]
        seen, who = local(first.seen_at), first.edited_by_name or first.edited_by or ""
        page = _cut(first.page_title or first.page_id)
        if first.kind == "updated":
            lines += [
                Line(one.change_id, seen, page, one.column_name, _cut(one.old), _cut(one.new), who) for one in values
            ]
        else:
            lines.append(Line(first.change_id, seen, page, f"({first.reason or 'new'})", "", "", who))
    return lines


def told_beside(lines: int, begins: Beginning, within: timedelta) -> Iterable[str]:
    """Pure: what a person should know of the lines, a sentence each."""
    if begins.since is None:
        yield "Nothing is recorded: the history begins with the first complete full read, where it is not switched off."
    elif lines == 0:
        yield f"Nothing changed within {since(begins.now - within, begins.now)}."
    if lines > MOST_LINES:
        yield f"{plural(lines - MOST_LINES, 'older change is', 'older changes are')} not shown: --json prints all."
    if begins.since is not None and begins.since > begins.now - within:
        yield f"The history of this database begins at {local(begins.since)}."


def _as_json(
    user_id: str, database: ConfiguredDatabase, begins: Beginning, changes: Sequence[FieldChange]
) -> dict[str, object]:
    return {
        "user_id": user_id,
        "database": database.name,
        "database_id": database.database_id,
        "history_since": _written(begins.since),
        "changes": [
            {**asdict(one), "seen_at": _written(one.seen_at), "edited_at": _written(one.edited_at)} for one in changes
        ],
    }


def _written(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _cut(value: str | None) -> str:
    text = value or ""
    return text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 1] + "…"
