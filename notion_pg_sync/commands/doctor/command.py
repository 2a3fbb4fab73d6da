"""`doctor`: every link between cron and the rows; what is broken, by its causes, and how to fix each."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace

from rich.console import Console
from rich.text import Text

from notion_pg_sync.commands.doctor.checks.check import Check, Examination, Finding, Verdict
from notion_pg_sync.commands.doctor.checks.examine import Told, examine, with_causes
from notion_pg_sync.commands.output.layout import lines_of
from notion_pg_sync.commands.output.streams import say
from notion_pg_sync.commands.output.terminal import Screen, text_of
from notion_pg_sync.core.wording import plural, some
from notion_pg_sync.embedded.fallback import NoPostgresError, chosen_postgres
from notion_pg_sync.embedded.server import EmbeddedPostgresError
from notion_pg_sync.settings import Settings

_MARKS = {
    Verdict.OK: ("ok", "green"),
    Verdict.SKIPPED: ("skipped", "dim"),
    Verdict.WARNING: ("warning", "yellow"),
    Verdict.BROKEN: ("BROKEN", "bold red"),
}
_MARK_WIDTH = max(len(mark) for mark, _ in _MARKS.values()) + 2
_INDENT = " " * (2 + _MARK_WIDTH)
_WORDS_OF_SQL = re.compile(r"""(?:'[^']*'|"[^"]*"|[^\s'"])+""")
# A cause is to fit on a small screen: of more findings of one check the others are counted, and of a longer fix
# it is said where it stands.
_MOST_OF_A_CHECK = 2
_LONGEST_FIX_CHARACTERS = 700


async def run_doctor(
    settings: Settings,
    environment: Mapping[str, str],
    checks: Iterable[Check],
    *,
    user_id: str | None,
    as_json: bool,
    show_all: bool,
    on_terminal: bool,
) -> int:
    """Tries `checks` and shows what they find, `show_all` of it; returns 1 when a link is broken, else 0."""
    async with AsyncExitStack() as resources:
        examination = _prepared(settings, environment, resources, user_id=user_id, on_terminal=on_terminal)
        told = with_causes([one async for one in examine(examination, checks)])
    if as_json:
        say(json.dumps(doctor_as_json(told), indent=2))
    else:
        _show(Screen(soft_wrap=True), told, show_all=show_all)
    return 1 if any(one.finding.verdict is Verdict.BROKEN for one in told) else 0


def doctor_as_json(told: Sequence[Told]) -> dict[str, object]:
    """Every finding, for programs."""
    places = {id(one.finding): place for place, one in enumerate(told)}
    findings = [
        {
            "section": one.check.section,
            "check": one.check.name,
            "verdict": one.finding.verdict.value,
            "message": one.finding.message,
            "fix": one.finding.fix or None,
            "fix_language": language(one.finding.fix),
            "needs": one.finding.needs or None,
            "look": one.finding.look or None,
            "follows_from": None if one.cause is one.finding else places[id(one.cause)],
        }
        for one in told
    ]
    return {"ok": all(one.finding.verdict != Verdict.BROKEN for one in told), "findings": findings}


def language(fix: str) -> str | None:
    """In what a fix is to be typed: statements of SQL end with a semicolon."""
    return ("sql" if fix.endswith(";") else "shell") if fix else None


def verdict_sentence(told: Iterable[Told]) -> str:
    """What it all comes to."""
    count = Counter(one.verdict for one in told if one.cause is one.finding)
    broken, warnings = count[Verdict.BROKEN], count[Verdict.WARNING]
    if not broken and not warnings:
        return "All is well."
    parts = [plural(broken, "broken link", "broken links")] if broken else []
    parts += [plural(warnings, "warning", "warnings")] if warnings else []
    first = "fix it" if broken + warnings == 1 else "fix the first one first"
    return f"{' and '.join(parts)}: {first}, then run doctor again."


def _prepared(
    settings: Settings,
    environment: Mapping[str, str],
    resources: AsyncExitStack,
    *,
    user_id: str | None,
    on_terminal: bool,
) -> Examination:
    examination = Examination(settings, environment, resources, user_id=user_id)
    try:
        url, _ = resources.enter_context(chosen_postgres(settings, dict(environment), on_terminal=on_terminal))
        examination.settings = replace(settings, database_url=url)
    except (NoPostgresError, EmbeddedPostgresError) as error:
        examination.no_postgres = str(error)
    return examination


def _show(console: Console, told: Sequence[Told], *, show_all: bool) -> None:
    """The verdict; what is broken, then what is warned of, cause by cause; what is well in a line, or `show_all`."""
    for line in _wrapped(console, verdict_sentence(told)):
        console.print(line, style="bold")
    causes = [one for one in told if one.cause is one.finding and one.finding.is_trouble]
    for verdict in (Verdict.BROKEN, Verdict.WARNING):
        groups: dict[str, list[Told]] = {}
        for one in causes:
            if one.verdict is verdict:
                groups.setdefault(one.check.name, []).append(one)
        for group in groups.values():
            _show_group(console, group, told)
    if show_all:
        _show_all(console, told)
    else:
        console.print(_rest(told), style="dim")


def _show_group(console: Console, group: Sequence[Told], told: Sequence[Told]) -> None:
    for one in group[:_MOST_OF_A_CHECK]:
        _show_finding(console, one)
        followers = [other for other in told if other.cause is one.finding and other is not one]
        if names := list(dict.fromkeys(other.check.name for other in followers if other.finding.is_trouble)):
            _say(console, f"{plural(len(names), 'check')} more for this reason: {some(names)}", style="dim")
    if others := len(group[_MOST_OF_A_CHECK:]):
        _say(console, f"{others:,} more of {group[0].check.name}: -v shows them", style="dim")


def _show_all(console: Console, told: Sequence[Told]) -> None:
    section = ""
    for one in told:
        if one.check.section != section:
            section = one.check.section
            console.print(section, style="bold underline")
        _show_finding(console, one, in_full=True)


def _show_finding(console: Console, told: Told, *, in_full: bool = False) -> None:
    finding = told.finding
    mark, style = _MARKS[finding.verdict if in_full else told.verdict]
    name = "" if finding.verdict is Verdict.OK else f"{told.check.name}: "
    first, *others = _wrapped(console, f"{name}{finding.message}", len(_INDENT))
    console.print(Text.assemble("  ", (f"{mark:<{_MARK_WIDTH}}", style), text_of(first)))
    for line in others:
        console.print(f"{_INDENT}{line}")
    for line, in_colour in _advice(finding, in_full=in_full):
        for part in _wrapped_sql(console, line) if in_colour else _wrapped(console, line, len(_INDENT)):
            console.print(f"{_INDENT}{part}", style="cyan" if in_colour else "")


def _advice(finding: Finding, *, in_full: bool) -> Iterator[tuple[str, bool]]:
    """The lines of what to do, each with whether it is to be typed."""
    if finding.needs:
        yield f"To do: {finding.needs}{'' if finding.needs.endswith((';', '.')) else '.'}", False
    typed = finding.fix or finding.look
    if not finding.fix and finding.look:
        yield "To find out more:", False
    if len(typed) > _LONGEST_FIX_CHARACTERS and not in_full:
        yield f"Type the {plural(typed.count(chr(10)) + 1, 'line')} that 'notion-pg-sync doctor -v' shows.", False
    else:
        yield from ((line, True) for line in typed.splitlines())


def _rest(told: Sequence[Told]) -> str:
    """What is well and what was skipped, in a line."""
    checks = {one.check.name: [other.finding for other in told if other.check is one.check] for one in told}
    well = sum(all(finding.verdict is Verdict.OK for finding in findings) for findings in checks.values())
    skipped = sum(any(finding.verdict is Verdict.SKIPPED for finding in findings) for findings in checks.values())
    return f"{plural(well, 'check is', 'checks are')} well, {skipped:,} skipped; -v shows every check."


def _say(console: Console, sentence: str, style: str) -> None:
    for line in _wrapped(console, sentence, len(_INDENT)):
        console.print(f"{_INDENT}{line}", style=style)


def _wrapped(console: Console, sentence: str, indent: int = 0) -> list[str]:
    """The sentence in lines that fit a terminal, after so many blanks; whole where there is none."""
    return [line.plain[indent:] for line in lines_of(console, text_of(sentence), indent)]


def _wrapped_sql(console: Console, line: str) -> list[str]:
    """SQL in lines that fit a terminal; whole where there is none. A shell's command is never cut."""
    if not console.is_terminal or not line.endswith(";"):
        return [line]
    return wrapped_statement(line, console.width - len(_INDENT))


def wrapped_statement(statement: str, width: int) -> list[str]:
    """A statement of SQL in lines of at most `width`, where it has a blank outside of quotes to cut at."""
    lines: list[str] = []
    for word in _WORDS_OF_SQL.findall(statement):
        if lines and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(f"  {word}" if lines else word)
    return lines
