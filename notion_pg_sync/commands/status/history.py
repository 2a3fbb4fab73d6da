"""The latest runs, as `cron.job_run_details` shows them, or the latest syncs of some databases; with their trend."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from rich.console import Console
from rich.text import Text

from notion_pg_sync.commands.output.layout import (
    NOTHING,
    Column,
    headings_of,
    print_indented,
    print_table,
    room_beside,
    widths_of,
)
from notion_pg_sync.commands.output.terminal import text_of
from notion_pg_sync.commands.status.facts import Facts, status_of
from notion_pg_sync.commands.status.judgement import DatabaseHealth, Judgement
from notion_pg_sync.commands.status.trend import sparkline
from notion_pg_sync.commands.status.words import ago, lasting, local
from notion_pg_sync.core.wording import plural
from notion_pg_sync.mirror.jobs import SYNC_ALL
from notion_pg_sync.mirror.overview import PastSync

_STYLES = {"succeeded": "green", "failed": "red", "went away": "bold red", "running": "cyan", "starting": "cyan"}
_DURATION = Column("duration", is_number=True)
# In less room than this a message is hard to read.
_LEAST_ROOM = 40


class _Line(Struct, frozen=True):
    runid: int
    what: str
    status: str
    started_at: datetime
    seconds: float | None
    message: str | None


def show_runs(console: Console, facts: Facts, most: int) -> None:
    """Shows the `most` latest runs; 0: nothing."""
    if not most:
        return
    _heading(console, "Latest runs")
    if not facts.runs:
        console.print("  none yet: 'notion-pg-sync sync-all' makes the first.")
        return
    _show_trend(console, "sync-all", [run.seconds for run in facts.runs if run.job == SYNC_ALL.name], None)
    lines = [
        _Line(
            run.runid,
            run.job or "",
            status_of(run.runid, run.status, facts),
            run.started_at,
            run.seconds,
            run.message or f"pid {run.pid} on {run.host}",
        )
        for run in facts.runs[:most]
    ]
    _show(console, Column("job", most=24), lines, facts.now)


def show_syncs(console: Console, facts: Facts, judgement: Judgement, most: int) -> None:
    """Shows the `most` latest syncs of the databases judged; 0: nothing."""
    past = [sync for one in judgement.databases for sync in _syncs_of(one, facts)]
    if not most or not past:
        return
    _heading(console, "Latest syncs")
    for one in judgement.databases:
        own = _syncs_of(one, facts)
        _show_trend(console, one.title, [sync.seconds for sync in own], [sync.rows_read for sync in own])
    past.sort(key=lambda sync: sync.runid, reverse=True)
    lines = [
        _Line(
            sync.runid,
            f"{sync.user_id} / {sync.database_name}",
            status_of(sync.runid, sync.status, facts),
            sync.started_at,
            sync.seconds,
            sync.message,
        )
        for sync in past[:most]
    ]
    _show(console, Column("database", most=36), lines, facts.now)


def _syncs_of(one: DatabaseHealth, facts: Facts) -> list[PastSync]:
    return [sync for sync in facts.past_syncs if (sync.user_id, sync.database_id) == (one.user_id, one.database_id)]


def _heading(console: Console, heading: str) -> None:
    console.print()
    console.print(Text(heading, "bold underline"))


def _show_trend(
    console: Console, title: str, latest_seconds: Sequence[float | None], latest_rows: Sequence[int] | None
) -> None:
    """Shows the latest numbers, given the latest first, from the oldest to the latest; nothing where they are few."""
    seconds = [one for one in reversed(latest_seconds) if one is not None]
    if not (bars := sparkline(seconds)):
        return
    said = f"{title} took {bars} up to {lasting(max(seconds))}"
    if latest_rows:
        said += f", and read {sparkline(latest_rows[::-1])} up to {plural(max(latest_rows), 'row')}"
    print_indented(console, text_of(said, "dim"), 2)


def _show(console: Console, what: Column, lines: Sequence[_Line], now: datetime) -> None:
    columns = (Column("runid", is_number=True), what, Column("status"), Column("start", most=19), _DURATION)
    rows = [
        [
            Text(str(line.runid)),
            text_of(line.what),
            _coloured(line.status),
            Text(local(line.started_at)),
            NOTHING if line.seconds is None else Text(lasting(line.seconds)),
            text_of(line.message),
        ]
        for line in lines
    ]
    widths = widths_of(console, columns, rows)
    if room_beside(console, widths) >= _LEAST_ROOM:
        print_table(console, columns, widths, [headings_of(columns, "return_message"), *rows])
        return
    for line in lines:
        took = "" if line.seconds is None else f", took {lasting(line.seconds)}"
        when = f"{local(line.started_at)} ({ago(line.started_at, now)}{took})"
        print_indented(console, Text.assemble(f"{line.runid}  ", _coloured(line.status), f"  {when}"), 2)
        print_indented(console, Text.assemble(text_of(line.what, "dim"), "  ", text_of(line.message)), 6)


def _coloured(status: str) -> Text:
    return Text(status, _STYLES.get(status, ""))
