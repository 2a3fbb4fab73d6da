"""Shows a run to whoever started it: a person at a terminal, cron, or a program.

What draws on a terminal is imported where there is one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING

from notion_pg_sync.commands.output.streams import complain, may_be_terminal, say
from notion_pg_sync.commands.output.summary import as_json as outcome_as_json
from notion_pg_sync.commands.output.summary import dry_run_lines, failure_lines
from notion_pg_sync.core.errors import ExitCode
from notion_pg_sync.core.health import Health
from notion_pg_sync.core.printable import printable
from notion_pg_sync.sync.run.listener import Listener, SilentListener
from notion_pg_sync.sync.run.run import RunOutcome
from notion_pg_sync.sync.run.signals import run_until_done

if TYPE_CHECKING:
    from notion_pg_sync.commands.output.terminal import Screen

Start = Callable[[Listener], Coroutine[None, None, RunOutcome]]

_STYLES = {Health.OK: "green", Health.DEGRADED: "yellow", Health.FAILING: "red"}


def show_run(start: Start, *, as_json: bool, report: list[str], is_dry: bool = False) -> int:
    """Runs what `start` gives and shows it; returns the exit code, 0 or 1.

    On a terminal: progress, then a table. Without one: nothing on success, on stderr the failures that are news; but
    what a run that `is_dry` would do, and what comparing came to, since that was asked for. With `as_json`: the outcome
    alone on stdout. In any case `report` is told the run's message and all that went wrong.
    """
    terminal = None if as_json else _terminal()
    if terminal:
        if is_dry:
            terminal.print("Dry run: it shows what would be written, and writes nothing.", style="bold", soft_wrap=True)
        outcome = _shown_on(terminal, start)
    else:
        outcome = run_until_done(start(SilentListener()))
        if as_json:
            say(json.dumps(outcome_as_json(outcome), indent=2))
        for line in failure_lines(outcome.told):
            complain(line)
        if is_dry and not as_json:
            for line in dry_run_lines(outcome):
                say(printable(line))
    report += [outcome.message(), *failure_lines(outcome.causes)]
    if outcome.verified and not as_json:
        _show_verification(outcome)
    return ExitCode.FAILED if outcome.health is Health.FAILING else ExitCode.OK


def _terminal() -> Screen | None:
    """The terminal that stdout is, None where it is none."""
    if not may_be_terminal():
        return None
    from notion_pg_sync.commands.output.terminal import Screen  # noqa: PLC0415

    screen = Screen()
    return screen if screen.is_terminal else None


def _shown_on(terminal: Screen, start: Start) -> RunOutcome:
    from notion_pg_sync.commands.output.progress import ProgressDisplay  # noqa: PLC0415
    from notion_pg_sync.commands.output.summary_table import show_summary  # noqa: PLC0415

    with ProgressDisplay(terminal) as display:
        outcome = run_until_done(start(display))
    show_summary(terminal, outcome)
    terminal.print(outcome.message(), style=_STYLES[outcome.health])
    return outcome


def _show_verification(outcome: RunOutcome) -> None:
    from notion_pg_sync.commands.output.layout import print_message  # noqa: PLC0415
    from notion_pg_sync.commands.output.terminal import Screen  # noqa: PLC0415
    from notion_pg_sync.commands.output.verification import verification_lines  # noqa: PLC0415

    screen = Screen()
    for line in verification_lines(outcome.verified):
        print_message(screen, line)
