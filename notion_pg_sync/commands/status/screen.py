"""The status for a person, on one screen: what is wrong first, by cause. Without a terminal it needs no library."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from notion_pg_sync.commands.output.sheet import Line, Sheet
from notion_pg_sync.commands.status.facts import Facts, status_of
from notion_pg_sync.commands.status.files import files_told
from notion_pg_sync.commands.status.findings import how_long, of_one_cause
from notion_pg_sync.commands.status.judgement import DatabaseHealth, Judgement, ages, headline
from notion_pg_sync.commands.status.retyped import shown_as_text
from notion_pg_sync.commands.status.words import ago, lasting
from notion_pg_sync.core.health import Condition, Health
from notion_pg_sync.core.wording import plural

# What a terminal shows at once, without its prompt.
MOST_LINES = 22
# Of those with one cause, so many are named on one screen.
_MOST_NAMED = 3
# Properties are seldom given another type.
_MOST_RETYPED = 1
# Names and reasons may be as long as Notion likes.
_MOST_LINES_OF_NAMES, _MOST_LINES_OF_REASON = 4, 6

STYLES = {
    Condition.WENT_AWAY: "bold red",
    Condition.FAILING: "bold red",
    Condition.NEVER_SYNCED: "red",
    Condition.STALE: "red",
    Condition.LATE: "yellow",
    Condition.PAUSED: "yellow",
    Condition.SUSPENDED: "yellow",
    Condition.INCOMPLETE: "yellow",
    Condition.NOT_CONNECTED: "yellow",
    Condition.FRESH: "green",
}
_STYLES_OF_HEALTH = {Health.OK: "bold green", Health.DEGRADED: "bold yellow", Health.FAILING: "bold red"}


def show_status(sheet: Sheet[Line], facts: Facts, judgement: Judgement) -> None:
    """Shows what it comes to on one screen, however many databases there are."""
    shown = show_headline(sheet, facts, judgement)
    last = (facts.last_run is not None) + bool(files_told(facts.files))
    groups = of_one_cause(_worth_telling(judgement))
    for number, group in enumerate(groups):
        lines = _shortened(sheet, *finding_lines(sheet, group, facts.now, _MOST_NAMED))
        is_last = number == len(groups) - 1
        if shown + len(lines) + last + (not is_last) > MOST_LINES and number:
            sheet.print(sheet.lines((_the_rest(groups[number:]), "bold")))
            break
        sheet.print(lines)
        shown += len(lines)
    show_retyped(sheet, facts, _MOST_RETYPED)
    show_files(sheet, facts)
    _show_the_last_run(sheet, facts)


def show_headline(sheet: Sheet[Line], facts: Facts, judgement: Judgement) -> int:
    """Shows what it all comes to, and how old the copies are; returns how many lines that took."""
    style = _STYLES_OF_HEALTH[Health.FAILING if judgement.exit_code else judgement.health]
    lines = sheet.lines((headline(judgement, facts.now), style))
    if judgement.health is not Health.OK and (aged := ages(judgement, facts.now)):
        lines += sheet.lines((f"What is fresh: {aged}.", "green"))
    sheet.print(lines)
    return len(lines)


def finding_lines(
    sheet: Sheet[Line], group: Sequence[DatabaseHealth], now: datetime, most_named: int
) -> tuple[list[Line], list[Line]]:
    """Who is how, and why; of those of one cause, `most_named` are named."""
    first = group[0]
    mark = first.condition.words.upper() if first.counts else first.condition.words
    who = ((mark, STYLES.get(first.condition, "dim")), ("  ", ""), (_who(group, most_named), "bold"))
    return sheet.lines(*who, (how_long(group, now), "")), sheet.lines((first.told, ""), indent=4)


def show_retyped(sheet: Sheet[Line], facts: Facts, most: int) -> None:
    """Shows what typed views show as text; it makes no copy less fresh."""
    said = [f"{shown_as_text(one)}. To give the column the new type: {one.fix}" for one in facts.retyped[:most]]
    if (more := len(facts.retyped) - most) > 0:
        said.append(f"and {plural(more, 'more column')} like this: -v shows each.")
    for sentence in said:
        sheet.print(sheet.lines((sentence, "yellow")))


def show_files(sheet: Sheet[Line], facts: Facts) -> None:
    """Shows how many files are kept, in a line, where pages name any."""
    if said := files_told(facts.files):
        sheet.print(sheet.lines((said, "yellow" if facts.files and facts.files.failed else "dim")))


def _show_the_last_run(sheet: Sheet[Line], facts: Facts) -> None:
    """Shows the latest run of `sync-all` in a line."""
    if (run := facts.last_run) is None:
        return
    status = status_of(run.runid, run.status, facts)
    took = "" if run.seconds is None else f", took {lasting(run.seconds)}"
    said = f"Last run: {run.runid}, began {ago(run.started_at, facts.now)}{took}, {status}."
    sheet.print(sheet.lines((said, "dim")))


def _worth_telling(judgement: Judgement) -> list[DatabaseHealth]:
    """What is not as it should be; of what is not to be synced, the headline has the number."""
    return [one for one in judgement.not_fresh if one.counts or one.condition.health is not Health.OK]


def _shortened(sheet: Sheet[Line], who: list[Line], why: list[Line]) -> list[Line]:
    cut = sheet.lines(("(-v shows all of it)", "dim"), indent=4)
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


def _the_rest(groups: Sequence[Sequence[DatabaseHealth]]) -> str:
    count = sum(len(group) for group in groups)
    causes = plural(len(groups), "more cause")
    return f"and {causes} for {plural(count, 'database')}: 'notion-pg-sync status -v' shows each."
