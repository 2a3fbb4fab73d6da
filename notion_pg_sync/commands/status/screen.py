"""The status for a person: what is wrong first, then every database, then the latest runs; for any width."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from rich.console import Console
from rich.text import Text

from notion_pg_sync.commands.output.terminal import text_of
from notion_pg_sync.commands.status.databases import STYLES, show_databases
from notion_pg_sync.commands.status.facts import Facts
from notion_pg_sync.commands.status.findings import how_long, judged_alike
from notion_pg_sync.commands.status.history import show_runs, show_syncs
from notion_pg_sync.commands.status.judgement import DatabaseHealth, Judgement, headline
from notion_pg_sync.commands.status.layout import print_indented
from notion_pg_sync.commands.status.words import ago
from notion_pg_sync.core.health import Condition
from notion_pg_sync.core.wording import plural

# With more healthy databases than these a line says all there is to say of them.
MOST_HEALTHY = 50
# Of those that share one reason, so many are named; the table names all.
_MOST_NAMED = 10


def show_status(console: Console, facts: Facts, judgement: Judgement, *, runs: int, about_some: bool) -> None:
    """Shows it all; `about_some`: it is about some databases that were asked for, so none is left out."""
    style = "bold red" if judgement.exit_code else "bold green"
    print_indented(console, text_of(headline(judgement, facts.now), style), 0)
    for together in judged_alike(judgement.not_fresh):
        _show_finding(console, together, facts.now)
    shown, healthy = _shown(judgement.databases, everything=about_some)
    if shown:
        console.print()
        show_databases(console, shown, facts.now)
    if healthy:
        print_indented(console, text_of(_of_the_healthy(healthy, facts.now), "green"), 0)
    if about_some:
        show_syncs(console, facts, judgement, runs)
    else:
        show_runs(console, facts, runs)


def _show_finding(console: Console, together: Sequence[DatabaseHealth], now: datetime) -> None:
    first = together[0]
    names = [one.title for one in together]
    who = ", ".join(names[:_MOST_NAMED]) + (
        f" and {len(names) - _MOST_NAMED:,} more" if len(names) > _MOST_NAMED else ""
    )
    mark = first.condition.words.upper() if first.counts else first.condition.words
    said = Text.assemble(
        (mark, STYLES.get(first.condition, "dim")), "  ", text_of(who, "bold"), how_long(together, now)
    )
    print_indented(console, said, 0)
    print_indented(console, text_of(first.told), 4)


def _shown(
    databases: Sequence[DatabaseHealth], *, everything: bool
) -> tuple[list[DatabaseHealth], list[DatabaseHealth]]:
    """The databases of the table, and those that a line sums up: the healthy ones where they are many."""
    healthy = [one for one in databases if one.condition is Condition.FRESH and one.running is None]
    if everything or len(healthy) <= MOST_HEALTHY:
        return _worst_user_first(databases), []
    return _worst_user_first(one for one in databases if one.condition is not Condition.FRESH or one.running), healthy


def _worst_user_first(databases: Iterable[DatabaseHealth]) -> list[DatabaseHealth]:
    """In the order given, the worst first, but what is of one user together."""
    by_user: dict[str | None, list[DatabaseHealth]] = {}
    for one in databases:
        by_user.setdefault(one.user_id, []).append(one)
    return [one for together in by_user.values() for one in together]


def _of_the_healthy(healthy: Sequence[DatabaseHealth], now: datetime) -> str:
    aged = [(one.database.fresh_as_of, one.title) for one in healthy if one.database and one.database.fresh_as_of]
    oldest, title = min(aged)
    users = len({one.user_id for one in healthy})
    return (
        f"{plural(len(healthy), 'database')} of {plural(users, 'user')} are fresh: the oldest, {title}, as of "
        f"{ago(oldest, now)}. --user and --database show each."
    )
