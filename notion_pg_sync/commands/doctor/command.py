"""`doctor`: every link between cron and the rows, a line each, and how to fix what does not hold."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace

from rich.console import Console
from rich.text import Text

from notion_pg_sync.commands.doctor.checks.check import Check, Examination, Verdict
from notion_pg_sync.commands.doctor.checks.examine import Examined, examine
from notion_pg_sync.commands.output.terminal import Screen, text_of
from notion_pg_sync.core.printable import printable
from notion_pg_sync.core.wording import plural
from notion_pg_sync.embedded.fallback import NoPostgresError, chosen_postgres
from notion_pg_sync.embedded.server import EmbeddedPostgresError, default_folder
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


async def run_doctor(
    settings: Settings,
    environment: Mapping[str, str],
    checks: Iterable[Check],
    *,
    user_id: str | None,
    as_json: bool,
    on_terminal: bool,
) -> int:
    """Tries `checks` and shows what they find as they find it; returns 1 when a link is broken, else 0."""
    console = Screen(soft_wrap=True)
    examined: list[Examined] = []
    async with AsyncExitStack() as resources:
        examination = _prepared(settings, environment, resources, user_id=user_id, on_terminal=on_terminal)
        async for one in examine(examination, checks):
            if not as_json:
                _show(console, one, begins_section=not examined or examined[-1].check.section != one.check.section)
            examined.append(one)
    if as_json:
        print(json.dumps(doctor_as_json(examined), indent=2))
    else:
        console.print()
        for line in _wrapped(console, verdict_sentence(examined)):
            console.print(line, style="bold")
    return 1 if _count(examined, Verdict.BROKEN) else 0


def doctor_as_json(examined: Iterable[Examined]) -> dict[str, object]:
    """Every finding, for programs."""
    findings = [
        {
            "section": one.check.section,
            "check": one.check.name,
            "verdict": finding.verdict.value,
            "message": finding.message,
            "fix": finding.fix or None,
        }
        for one in examined
        for finding in one.findings
    ]
    return {"ok": all(finding["verdict"] != Verdict.BROKEN for finding in findings), "findings": findings}


def verdict_sentence(examined: Iterable[Examined]) -> str:
    """What it all comes to."""
    lines = list(examined)
    broken, warnings = _count(lines, Verdict.BROKEN), _count(lines, Verdict.WARNING)
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
        url, says = resources.enter_context(chosen_postgres(settings, dict(environment), on_terminal=on_terminal))
        if says:
            examination.embedded_in = settings.data_folder or default_folder(environment)
        examination.settings = replace(settings, database_url=url)
    except (NoPostgresError, EmbeddedPostgresError) as error:
        examination.no_postgres = str(error)
    return examination


def _show(console: Console, examined: Examined, *, begins_section: bool) -> None:
    if begins_section:
        console.print(examined.check.section, style="bold underline")
    for finding in examined.findings:
        mark, style = _MARKS[finding.verdict]
        name = "" if finding.verdict is Verdict.OK else f"{examined.check.name}: "
        first, *others = _wrapped(console, f"{name}{finding.message}", len(_INDENT))
        console.print(Text.assemble("  ", (f"{mark:<{_MARK_WIDTH}}", style), text_of(first)))
        for line in others:
            console.print(f"{_INDENT}{line}")
        for line in finding.fix.split("\n") if finding.fix else ():
            for part in _wrapped_sql(console, line):
                console.print(f"{_INDENT}{part}", style="cyan")


def _wrapped(console: Console, sentence: str, indent: int = 0) -> list[str]:
    """The sentence in lines that fit a terminal; whole where there is none."""
    width = max(console.width - indent, 20)
    return textwrap.wrap(printable(sentence), width) or [""] if console.is_terminal else [sentence]


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


def _count(examined: Iterable[Examined], verdict: Verdict) -> int:
    return sum(finding.verdict is verdict for one in examined for finding in one.findings)
