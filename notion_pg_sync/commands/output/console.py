"""Shows a run to whoever started it: a person at a terminal, cron, or a program."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine

from notion_pg_sync.commands.output.progress import ProgressDisplay
from notion_pg_sync.commands.output.streams import complain
from notion_pg_sync.commands.output.summary import as_json as outcome_as_json
from notion_pg_sync.commands.output.summary import failure_lines, summary_table
from notion_pg_sync.commands.output.terminal import Screen
from notion_pg_sync.commands.output.verification import verification_lines
from notion_pg_sync.core.errors import ExitCode
from notion_pg_sync.core.health import Health
from notion_pg_sync.sync.run.listener import Listener, SilentListener
from notion_pg_sync.sync.run.run import RunOutcome
from notion_pg_sync.sync.run.signals import run_until_done

_STYLES = {Health.OK: "green", Health.DEGRADED: "yellow", Health.FAILING: "red"}


def show_run(
    start: Callable[[Listener], Coroutine[None, None, RunOutcome]], *, as_json: bool, report: list[str]
) -> int:
    """Runs what `start` gives and shows it; returns the exit code, 0 or 1.

    On a terminal: progress, then a table. Without one: nothing on success, on stderr the failures that are news. With
    `as_json`: the outcome alone on stdout. In any case `report` is told the run's message and all that went wrong.
    """
    out = Screen()
    if out.is_terminal and not as_json:
        with ProgressDisplay(out) as display:
            outcome = run_until_done(start(display))
        out.print(summary_table(outcome))
        out.print(outcome.message(), style=_STYLES[outcome.health])
    else:
        outcome = run_until_done(start(SilentListener()))
        if as_json:
            print(json.dumps(outcome_as_json(outcome), indent=2))
        for line in failure_lines(outcome.told):
            complain(line)
    report += [outcome.message(), *failure_lines(outcome.failures)]
    verified = outcome.verified
    if verified and not as_json and (out.is_terminal or not all(one.is_exact for _, _, one in verified)):
        for line in verification_lines(verified):
            out.print(line)
    return ExitCode.FAILED if outcome.health is Health.FAILING else ExitCode.OK
