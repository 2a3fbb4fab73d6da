"""The status in full: every cause with its reason, every database, and the latest runs or syncs."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console

from notion_pg_sync.commands.output.layout import ConsoleSheet
from notion_pg_sync.commands.status.databases import show_databases
from notion_pg_sync.commands.status.facts import Facts
from notion_pg_sync.commands.status.findings import of_one_cause
from notion_pg_sync.commands.status.history import show_runs, show_syncs
from notion_pg_sync.commands.status.judgement import DatabaseHealth, Judgement
from notion_pg_sync.commands.status.screen import finding_lines, show_files, show_headline, show_retyped

# Of those with one cause.
_MOST_NAMED = 10


def show_everything(console: Console, facts: Facts, judgement: Judgement, *, runs: int, about_some: bool) -> None:
    """Shows every database and the `runs` latest runs; `about_some`: it is about some databases that were asked for."""
    sheet = ConsoleSheet(console)
    show_headline(sheet, facts, judgement)
    for group in of_one_cause(judgement.not_fresh):
        who, why = finding_lines(sheet, group, facts.now, _MOST_NAMED)
        sheet.print(who + why)
    show_retyped(sheet, facts, len(facts.retyped))
    show_files(sheet, facts)
    if judgement.databases:
        console.print()
        show_databases(console, _worst_user_first(judgement.databases), facts.now)
    if about_some:
        show_syncs(console, facts, judgement, runs)
    else:
        show_runs(console, facts, runs)


def _worst_user_first(databases: Iterable[DatabaseHealth]) -> list[DatabaseHealth]:
    """In the order given, the worst first, but what is of one user together."""
    by_user: dict[str | None, list[DatabaseHealth]] = {}
    for one in databases:
        by_user.setdefault(one.user_id, []).append(one)
    return [one for together in by_user.values() for one in together]
