"""The status for a person, on one screen: what is wrong first, by cause; in full where that is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from rich.console import Console
from rich.text import Text

from notion_pg_sync.commands.output.terminal import text_of
from notion_pg_sync.commands.status.databases import STYLES, show_databases
from notion_pg_sync.commands.status.facts import Facts
from notion_pg_sync.commands.status.findings import how_long, of_one_cause
from notion_pg_sync.commands.status.history import show_runs, show_syncs, show_the_last_run
from notion_pg_sync.commands.status.judgement import DatabaseHealth, Judgement, ages, headline
from notion_pg_sync.commands.status.layout import lines_of, print_lines
from notion_pg_sync.commands.status.retyped import shown_as_text
from notion_pg_sync.core.health import Health
from notion_pg_sync.core.wording import plural

# What a terminal shows at once, without its prompt.
MOST_LINES = 22
# Of those with one cause, so many are named on one screen, and so many where everything is shown.
_MOST_NAMED, _MOST_NAMED_IN_FULL = 3, 10
# Properties are seldom given another type.
_MOST_RETYPED = 1
# Names and reasons may be as long as Notion likes.
_MOST_LINES_OF_NAMES, _MOST_LINES_OF_REASON = 4, 6

_STYLES = {Health.OK: "bold green", Health.DEGRADED: "bold yellow", Health.FAILING: "bold red"}


def show_status(console: Console, facts: Facts, judgement: Judgement) -> None:
    """Shows what it comes to on one screen, however many databases there are."""
    shown = _headline(console, facts, judgement)
    last = 0 if facts.last_run is None else 1
    groups = of_one_cause(_worth_telling(judgement))
    for number, group in enumerate(groups):
        lines = _shortened(*_finding(console, group, facts.now, _MOST_NAMED))
        is_last = number == len(groups) - 1
        if shown + len(lines) + last + (not is_last) > MOST_LINES and number:
            print_lines(console, [_the_rest(groups[number:])])
            break
        print_lines(console, lines)
        shown += len(lines)
    _show_retyped(console, facts, _MOST_RETYPED)
    show_the_last_run(console, facts)


def show_everything(console: Console, facts: Facts, judgement: Judgement, *, runs: int, about_some: bool) -> None:
    """Shows every database and the `runs` latest runs; `about_some`: it is about some databases that were asked for."""
    _headline(console, facts, judgement)
    for group in of_one_cause(judgement.not_fresh):
        who, why = _finding(console, group, facts.now, _MOST_NAMED_IN_FULL)
        print_lines(console, [*who, *why])
    _show_retyped(console, facts, len(facts.retyped))
    if judgement.databases:
        console.print()
        show_databases(console, _worst_user_first(judgement.databases), facts.now)
    if about_some:
        show_syncs(console, facts, judgement, runs)
    else:
        show_runs(console, facts, runs)


def _headline(console: Console, facts: Facts, judgement: Judgement) -> int:
    """Shows what it all comes to, and how old the copies are; returns how many lines that took."""
    said = headline(judgement, facts.now)
    lines = lines_of(console, text_of(said, _STYLES[_shown_health(judgement)]), 0)
    if judgement.health is not Health.OK and (aged := ages(judgement, facts.now)):
        lines += lines_of(console, text_of(f"What is fresh: {aged}.", "green"), 0)
    print_lines(console, lines)
    return len(lines)


def _show_retyped(console: Console, facts: Facts, most: int) -> None:
    """Shows what typed views show as text; it makes no copy less fresh."""
    for column in facts.retyped[:most]:
        said = text_of(f"{shown_as_text(column)}. To give the column the new type: {column.fix}", "yellow")
        print_lines(console, lines_of(console, said, 0))
    if (more := len(facts.retyped) - most) > 0:
        print_lines(console, [text_of(f"and {plural(more, 'more column')} like this: -v shows each.", "yellow")])


def _shown_health(judgement: Judgement) -> Health:
    return Health.FAILING if judgement.exit_code else judgement.health


def _worth_telling(judgement: Judgement) -> list[DatabaseHealth]:
    """What is not as it should be; of what is not to be synced, the headline has the number."""
    return [one for one in judgement.not_fresh if one.counts or one.condition.health is not Health.OK]


def _finding(
    console: Console, group: Sequence[DatabaseHealth], now: datetime, most_named: int
) -> tuple[list[Text], list[Text]]:
    """Who is how, and why."""
    first = group[0]
    mark = first.condition.words.upper() if first.counts else first.condition.words
    said = Text.assemble(
        (mark, STYLES.get(first.condition, "dim")), "  ", text_of(_who(group, most_named), "bold"), how_long(group, now)
    )
    return lines_of(console, said, 0), lines_of(console, text_of(first.told), 4)


def _shortened(who: list[Text], why: list[Text]) -> list[Text]:
    cut = [Text("    (-v shows all of it)", "dim")]
    who = who if len(who) <= _MOST_LINES_OF_NAMES else who[: _MOST_LINES_OF_NAMES - 1] + cut
    why = why if len(why) <= _MOST_LINES_OF_REASON else why[: _MOST_LINES_OF_REASON - 1] + cut
    return who + why


def _who(group: Sequence[DatabaseHealth], most_named: int) -> str:
    if len(group) == 1:
        return group[0].title
    databases, users = sum(one.is_database for one in group), len({one.user_id for one in group})
    names = [one.title for one in group[:most_named]]
    more = f" and {len(group) - most_named:,} more" if len(group) > most_named else ""
    count = f"{plural(databases, 'database')} of {plural(users, 'user')}" if databases else plural(users, "user")
    return f"{count}: {', '.join(names)}{more}"


def _the_rest(groups: Sequence[Sequence[DatabaseHealth]]) -> Text:
    count = sum(len(group) for group in groups)
    causes = plural(len(groups), "more cause")
    return text_of(f"and {causes} for {plural(count, 'database')}: 'notion-pg-sync status -v' shows each.", "bold")


def _worst_user_first(databases: Iterable[DatabaseHealth]) -> list[DatabaseHealth]:
    """In the order given, the worst first, but what is of one user together."""
    by_user: dict[str | None, list[DatabaseHealth]] = {}
    for one in databases:
        by_user.setdefault(one.user_id, []).append(one)
    return [one for together in by_user.values() for one in together]
