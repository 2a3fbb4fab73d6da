"""The status for a person: what is wrong first, then every database, then the latest runs; for any width."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from notion_pg_sync.mirror.overview import Database
from notion_pg_sync.report.status.facts import Facts
from notion_pg_sync.report.status.history import show_runs, show_syncs
from notion_pg_sync.report.status.judgement import Condition, Judged, Judgement, headline
from notion_pg_sync.report.status.layout import NOTHING, WIDE, print_indented, table_of, text_of
from notion_pg_sync.report.status.words import ago, counted, lasting, since, times, until

# With more healthy databases than these a line says all there is to say of them.
MOST_HEALTHY = 50
# Of those that share one reason, so many are named; the table names all.
_MOST_NAMED = 10

_STYLES = {
    Condition.WENT_AWAY: "bold red",
    Condition.FAILING: "bold red",
    Condition.NEVER_SYNCED: "red",
    Condition.STALE: "red",
    Condition.SUSPENDED: "yellow",
    Condition.FRESH: "green",
}


def show_status(console: Console, facts: Facts, judgement: Judgement, *, runs: int, about_some: bool) -> None:
    """Shows it all; `about_some`: it is about some databases that were asked for, so none is left out."""
    style = "bold red" if judgement.exit_code else "bold green"
    print_indented(console, text_of(headline(judgement, facts.now), style), 0)
    for together in _by_reason(judgement.not_fresh):
        _show_finding(console, together, facts.now)
    shown, healthy = _shown(judgement.databases, everything=about_some)
    if shown:
        console.print()
        _show_databases(console, shown, facts.now)
    if healthy:
        print_indented(console, text_of(_of_the_healthy(healthy, facts.now), "green"), 0)
    if about_some:
        show_syncs(console, facts, judgement, runs)
    else:
        show_runs(console, facts, runs)


def _show_finding(console: Console, together: Sequence[Judged], now: datetime) -> None:
    first = together[0]
    names = [one.title for one in together]
    who = ", ".join(names[:_MOST_NAMED]) + (
        f" and {len(names) - _MOST_NAMED:,} more" if len(names) > _MOST_NAMED else ""
    )
    mark = first.condition.words.upper() if first.counts else first.condition.words
    said = Text.assemble(
        (mark, _STYLES.get(first.condition, "dim")), "  ", text_of(who, "bold"), _how_long(together, now)
    )
    print_indented(console, said, 0)
    print_indented(console, text_of(first.reason), 4)


def _how_long(together: Sequence[Judged], now: datetime) -> str:
    earliest = min((one.since for one in together if one.since), default=None)
    if earliest is None:
        return ""
    if together[0].condition is Condition.STALE:
        return f", {'the oldest ' if len(together) > 1 else ''}as of {ago(earliest, now)}"
    often = max(one.database.failures_in_a_row if one.database else 0 for one in together)
    return f", for {since(earliest, now)}" + (f", {times(often)}" if often > 1 else "")


def _by_reason(findings: Iterable[Judged]) -> list[list[Judged]]:
    """Findings of one condition and reason together, in their order."""
    together: dict[tuple[Condition, str], list[Judged]] = {}
    for one in findings:
        together.setdefault((one.condition, one.reason), []).append(one)
    return list(together.values())


def _shown(databases: Sequence[Judged], *, everything: bool) -> tuple[list[Judged], list[Judged]]:
    """The databases of the table, and those that a line sums up: the healthy ones where they are many."""
    healthy = [one for one in databases if one.condition is Condition.FRESH and one.running is None]
    if everything or len(healthy) <= MOST_HEALTHY:
        return _worst_user_first(databases), []
    return _worst_user_first(one for one in databases if one.condition is not Condition.FRESH or one.running), healthy


def _worst_user_first(databases: Iterable[Judged]) -> list[Judged]:
    """In the order given, the worst first, but what is of one user together."""
    by_user: dict[str | None, list[Judged]] = {}
    for one in databases:
        by_user.setdefault(one.user_id, []).append(one)
    return [one for together in by_user.values() for one in together]


def _of_the_healthy(healthy: Sequence[Judged], now: datetime) -> str:
    aged = [(one.database.fresh_as_of, one.title) for one in healthy if one.database and one.database.fresh_as_of]
    oldest, title = min(aged)
    users = len({one.user_id for one in healthy})
    return (
        f"{counted(len(healthy), 'database')} of {counted(users, 'user')} are fresh: the oldest, {title}, as of "
        f"{ago(oldest, now)}. --user and --database show each."
    )


def _show_databases(console: Console, shown: Sequence[Judged], now: datetime) -> None:
    if console.width >= WIDE:
        table = table_of("user", "database", "rows>", "fresh as of", "last result", "duration>", "requests>", "mode")
        # An id of 36 characters stays in one piece.
        table.columns[0].min_width = min(max(cell_len(one.user_id or "") for one in shown), 36)
        for one in shown:
            table.add_row(
                text_of(one.user_id), text_of(one.name), *_rows_and_age(one, now), _result(one, now), *_took(one, now)
            )
        console.print(table)
        return
    _show_by_user(console, shown, now)


def _show_by_user(console: Console, shown: Sequence[Judged], now: datetime) -> None:
    """A table that fits 80 columns: a line for the user, then a line for each database."""
    cells = [
        (
            text_of(f"  {one.name}"),
            *_rows_and_age(one, now),
            Text(", ").join([_result(one, now), *_took_in_words(one, now)]),
        )
        for one in shown
    ]
    headings = ("  database", "rows", "fresh as of", "last result")
    widths = [
        min(max(len(heading), *(row[number].cell_len for row in cells)), 26 if number == 0 else 16)
        for number, heading in enumerate(headings[:3])
    ]

    def table(*rows: Sequence[Text]) -> Table:
        grid = Table.grid(padding=(0, 2, 0, 0))
        for number, width in enumerate(widths):
            grid.add_column(width=width, justify="right" if number == 1 else "left", overflow="fold")
        grid.add_column(overflow="fold")
        for row in rows:
            grid.add_row(*row)
        return grid

    console.print(table([Text(heading, "bold") for heading in headings]))
    for user_id, rows in groupby(zip(shown, cells, strict=True), key=lambda pair: pair[0].user_id):
        print_indented(console, text_of(user_id, "bold"), 0)
        console.print(table(*(row for _, row in rows)))


def _rows_and_age(one: Judged, now: datetime) -> tuple[Text, Text]:
    if one.database is None:
        return NOTHING, Text("never")
    rows = NOTHING if one.database.rows is None else Text(f"{one.database.rows:,}")
    fresh = Text("never" if one.database.fresh_as_of is None else ago(one.database.fresh_as_of, now))
    if one.condition in (Condition.STALE, Condition.NEVER_SYNCED):
        fresh.stylize("red")
    return rows, fresh


def _result(one: Judged, now: datetime) -> Text:
    style = _STYLES.get(one.condition, "dim")
    database = one.database
    if one.running and database and database.last_started_at:
        lasts = lasting((now - database.last_started_at).total_seconds())
        said = f"running for {lasts} (pid {one.running.pid} on {one.running.host})"
        if database.rate_limited_until and database.rate_limited_until > now:
            said += f", waiting for Notion's rate limit, {until(database.rate_limited_until, now)} more"
        if database.failures_in_a_row:
            said += f", failed {times(database.failures_in_a_row)} before"
        return text_of(said, "cyan")
    if one.condition is Condition.FAILING and database:
        said = f"failed {times(database.failures_in_a_row)}"
    elif one.condition is Condition.SUSPENDED and database and database.next_try_at:
        said = f"suspended, next try in {until(database.next_try_at, now)}"
    elif one.condition in (Condition.FRESH, Condition.STALE):
        said = "ok"
        style = "green"
    else:
        said = one.condition.words
    if database and database.held_back:
        said += f", {counted(database.held_back, 'row')} held back"
    return text_of(said, style)


def _took(one: Judged, now: datetime) -> tuple[Text, Text, Text]:
    database = one.database
    seconds = database.last_seconds if database else None
    requests = database.last_requests if database else None
    return (
        NOTHING if seconds is None else Text(lasting(seconds)),
        NOTHING if requests is None else Text(f"{requests:,}"),
        text_of(_mode(database, now)) if database and database.last_mode else NOTHING,
    )


def _took_in_words(one: Judged, now: datetime) -> list[Text]:
    database = one.database
    if database is None:
        return []
    parts = [_mode(database, now)]
    parts += [lasting(database.last_seconds)] if database.last_seconds is not None else []
    parts += [counted(database.last_requests, "request")] if database.last_requests is not None else []
    return [text_of(part, "dim") for part in parts if part]


def _mode(database: Database, now: datetime) -> str:
    if database.last_mode == "incremental" and database.full_as_of:
        return f"incremental (full {ago(database.full_as_of, now)})"
    return database.last_mode or ""
