"""The end of a run: a table for a terminal, lines for a mail from cron, JSON for programs."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from notion_pg_sync.commands.output.terminal import text_of
from notion_pg_sync.commands.output.verification import verification_as_json
from notion_pg_sync.core.wording import plural
from notion_pg_sync.mirror.runs import DatabaseRun
from notion_pg_sync.sync.run.run import RunOutcome
from notion_pg_sync.sync.verify.verification import Verification

# Enough to see what is wrong, and little enough for a mail.
_MOST_LINES = 20


def summary_table(outcome: RunOutcome) -> Table:
    """One line a database: what was read and written, or why not."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("user", "database", "mode"):
        table.add_column(heading)
    totals = outcome.totals
    with_bodies = bool(totals.bodies_read or totals.bodies_failed)
    headings = ["rows", "inserted", "updated", "removed", "unchanged", "requests", *(["bodies"] if with_bodies else [])]
    for heading in headings:
        table.add_column(heading, justify="right")
    table.add_column("result", overflow="fold")
    for account in sorted(outcome.accounts, key=lambda account: account.user_id):
        for name, run in sorted(account.databases.items()):
            counts = [run.rows_read, run.inserted, run.updated, run.removed, run.unchanged, run.requests]
            counts += [run.bodies_read] if with_bodies else []
            names = text_of(account.user_id), text_of(name)
            table.add_row(*names, run.mode or "", *(f"{n:,}" for n in counts), _result(run))
    return table


def _result(run: DatabaseRun) -> Text:
    if run.error_code:
        return text_of(run.message, "red")
    return text_of(run.message, "yellow") if run.bodies_failed else Text("ok", "green")


def failure_lines(failures: Sequence[str]) -> list[str]:
    """What went wrong, a line each, the worst first; none when all is well."""
    first, more = failures[:_MOST_LINES], failures[_MOST_LINES:]
    rest = [f"and {plural(len(more), 'more failure')}: see the table notion_sync.database_runs."]
    return [*first, *rest] if more else [*first]


def as_json(outcome: RunOutcome) -> dict[str, object]:
    """Everything that the table shows, for programs."""
    return {
        "status": outcome.status,
        "health": outcome.health.word,
        "message": outcome.message(),
        "problems": outcome.problems,
        "elsewhere": [
            {"user_id": user_id, "runid": holder.runid, "host": holder.host, "pid": holder.pid}
            for user_id, holder in sorted(outcome.elsewhere.items())
        ],
        **({"verification": verification_as_json(outcome.verified)} if outcome.verified else {}),
        "accounts": [
            {
                "user_id": account.user_id,
                "problems": [*account.problems, *([account.token_problem] if account.token_problem else [])],
                "suspended": account.suspended,
                "databases": [
                    _run_as_json(name, run, account.verified.get(name))
                    for name, run in sorted(account.databases.items())
                ],
            }
            for account in sorted(outcome.accounts, key=lambda account: account.user_id)
        ],
    }


def _run_as_json(name: str, run: DatabaseRun, verification: Verification | None) -> dict[str, object]:
    return {
        "name": name,
        "status": run.status,
        "mode": run.mode,
        "rows_read": run.rows_read,
        "inserted": run.inserted,
        "updated": run.updated,
        "unchanged": run.unchanged,
        "removed": run.removed,
        "requests": run.requests,
        "retries": run.retries,
        "bodies_read": run.bodies_read,
        "bodies_failed": run.bodies_failed,
        "error_code": run.error_code,
        "message": run.message,
        "exact": None if verification is None else verification.is_exact,
    }
