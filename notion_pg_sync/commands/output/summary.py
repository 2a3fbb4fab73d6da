"""The end of a run: lines for a mail from cron, JSON for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from notion_pg_sync.core.wording import plural
from notion_pg_sync.mirror.runs import DatabaseRun
from notion_pg_sync.sync.files.outcome import FileCounts
from notion_pg_sync.sync.run.run import RunOutcome

if TYPE_CHECKING:
    from notion_pg_sync.sync.verify.verification import Verification

# Enough to see what is wrong, and little enough for a mail.
_MOST_LINES = 20


def failure_lines(failures: Sequence[str]) -> list[str]:
    """What went wrong, a line for each cause, the worst first; none when all is well."""
    first, more = failures[:_MOST_LINES], failures[_MOST_LINES:]
    rest = [f"and {plural(len(more), 'more failure')}: see the table notion_sync.database_runs."]
    return [*first, *rest] if more else [*first]


def dry_run_lines(outcome: RunOutcome) -> list[str]:
    """What a dry run would have done, a line each database that did not fail, and one for all."""
    each = [
        f"{account.user_id}/{name}: {run.message}"
        for account in sorted(outcome.accounts, key=lambda account: account.user_id)
        for name, run in sorted(account.databases.items())
        if not run.error_code
    ]
    return [*each, outcome.message()]


def as_json(outcome: RunOutcome) -> dict[str, object]:
    """Everything, for programs."""
    return {
        "status": outcome.status,
        "health": outcome.health.word,
        "message": outcome.message(),
        "problems": [*outcome.problems, *(one.sentence for one in outcome.failed_elsewhere)],
        "elsewhere": [
            {"user_id": user_id, "runid": holder.runid, "host": holder.host, "pid": holder.pid}
            for user_id, holder in sorted(outcome.elsewhere.items())
        ],
        **(_verification(outcome) if outcome.verified else {}),
        "accounts": [
            {
                "user_id": account.user_id,
                "problems": [*account.problems, *([account.token_problem] if account.token_problem else [])],
                "suspended": account.suspended,
                "files": _files_as_json(account.files),
                "databases": [
                    _run_as_json(name, run, account.verified.get(name))
                    for name, run in sorted(account.databases.items())
                ],
            }
            for account in sorted(outcome.accounts, key=lambda account: account.user_id)
        ],
    }


def _verification(outcome: RunOutcome) -> dict[str, object]:
    from notion_pg_sync.commands.output.verification import verification_as_json  # noqa: PLC0415 - only where needed

    return {"verification": verification_as_json(outcome.verified)}


def _files_as_json(files: FileCounts | None) -> dict[str, int] | None:
    if files is None:
        return None
    return {"kept": files.kept, "failed": files.failed, "left": files.left, "bytes": files.bytes}


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
