"""Shows a run to whoever started it: a person at a terminal, cron, or a program."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine

from rich.console import Console

from notion_pg_sync.report.progress import ProgressDisplay
from notion_pg_sync.report.summary import as_json as outcome_as_json
from notion_pg_sync.report.summary import failure_lines, summary_table
from notion_pg_sync.report.verification import verification_lines
from notion_pg_sync.sync.everything import RunOutcome
from notion_pg_sync.sync.listener import Listener, Nobody
from notion_pg_sync.sync.running import run_until_done


def show_run(
    start: Callable[[Listener], Coroutine[None, None, RunOutcome]], *, as_json: bool, report: list[str]
) -> int:
    """Runs what `start` gives and shows it; returns the exit code, 0 or 1.

    On a terminal: progress, then a table. Without one: nothing on success, the failures on stderr. With `as_json`:
    the outcome alone on stdout. In any case `report` is told the run's message and what went wrong.
    """
    out, err = Console(), Console(stderr=True, soft_wrap=True)
    if out.is_terminal and not as_json:
        with ProgressDisplay(out) as display:
            outcome = run_until_done(start(display))
        out.print(summary_table(outcome))
        out.print(outcome.message(), style="red" if outcome.failures else "green", markup=False, highlight=False)
    else:
        outcome = run_until_done(start(Nobody()))
        if as_json:
            out.print(json.dumps(outcome_as_json(outcome), indent=2), soft_wrap=True, markup=False, highlight=False)
        for line in failure_lines(outcome):
            err.print(f"notion-pg-sync: {line}", markup=False, highlight=False)
    report += [outcome.message(), *failure_lines(outcome)]
    if outcome.verification and not as_json and (out.is_terminal or not outcome.verification.is_exact):
        for line in verification_lines(outcome.verification):
            out.print(line, markup=False, highlight=False)
    return 1 if outcome.failures else 0
