"""What `doctor` alone asks of the runs: how the recent ones ended, and SQL that shows them."""

from __future__ import annotations

from psycopg import sql
from psycopg.rows import class_row

from notion_pg_sync.core.health import RECENT_FAILURES_DAYS
from notion_pg_sync.mirror.connection import Connection
from notion_pg_sync.mirror.overview import RUNS, Run
from notion_pg_sync.mirror.typed_sql import typed


async def recent_runs(connection: Connection) -> list[Run]:
    """The recently ended runs of any command, the latest first."""
    async with connection.cursor(row_factory=class_row(Run)) as cursor:
        await cursor.execute(
            RUNS + "AND end_time > clock_timestamp() - make_interval(days => %(days)s) ORDER BY runid DESC",
            {"days": RECENT_FAILURES_DAYS},
        )
        return await cursor.fetchall()


def failures_listed() -> str:
    """SQL that shows the latest failures of runs."""
    return typed(
        sql.SQL(
            "SELECT start_time, command, return_message FROM notion_sync.job_run_details WHERE status = 'failed'"
            " ORDER BY runid DESC LIMIT 20"
        )
    )
