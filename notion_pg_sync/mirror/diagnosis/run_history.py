"""What `doctor` alone asks of the runs: how the recent ones ended and were started, and SQL that shows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from psycopg import sql
from psycopg.rows import class_row

from notion_pg_sync.core.health import RECENT_FAILURES_DAYS
from notion_pg_sync.mirror.connection import Connection
from notion_pg_sync.mirror.overview import RUNS, Run
from notion_pg_sync.mirror.runs import SYNC_ALL
from notion_pg_sync.mirror.typed_sql import typed


async def recent_runs(connection: Connection) -> list[Run]:
    """The recently ended runs of any command, the latest first."""
    async with connection.cursor(row_factory=class_row(Run)) as cursor:
        await cursor.execute(
            RUNS + "AND end_time > clock_timestamp() - make_interval(days => %(days)s) ORDER BY runid DESC",
            {"days": RECENT_FAILURES_DAYS},
        )
        return await cursor.fetchall()


@dataclass(frozen=True)
class ScheduledRun:
    """A run of `sync-all` that nobody started by hand: where, by what, and with which surroundings (None: unknown)."""

    runid: int
    started_at: datetime
    host: str | None
    started_by: str | None
    os_user: str | None
    executable: str | None
    variables: list[str] | None

    def reached(self, host: str, since: datetime | None) -> bool:
        """Whether cron or systemd started it on this host, after `since`, so that they know how to."""
        is_evidence = self.started_by in ("cron", "systemd") and self.host == host
        return is_evidence and (since is None or self.started_at > since)


async def last_scheduled_run(connection: Connection) -> ScheduledRun | None:
    """The latest of them that was not a dry run."""
    async with connection.cursor(row_factory=class_row(ScheduledRun)) as cursor:
        await cursor.execute(
            """
            SELECT runid, start_time AS started_at, host, started_by, os_user, executable, variables
            FROM notion_sync.job_run_details AS run JOIN notion_sync.job USING (jobid)
            LEFT JOIN notion_sync.run_processes USING (runid)
            WHERE jobname = %s AND started_by IS DISTINCT FROM 'terminal' AND run.command !~ '--dry-run'
            ORDER BY runid DESC LIMIT 1
            """,
            (SYNC_ALL.name,),
        )
        return await cursor.fetchone()


def failures_listed() -> str:
    """SQL that shows the latest failures of runs."""
    return typed(
        sql.SQL(
            "SELECT start_time, command, return_message FROM notion_sync.job_run_details WHERE status = 'failed'"
            " ORDER BY runid DESC LIMIT 20"
        )
    )
