"""What `doctor` alone asks of the runs: how the recent ones ended, and SQL that shows or corrects their records."""

from __future__ import annotations

from psycopg import sql
from psycopg.rows import class_row

from notion_pg_sync.core.health import RECENT_FAILURES_DAYS
from notion_pg_sync.mirror.connection import Connection
from notion_pg_sync.mirror.diagnosis.statements import typed
from notion_pg_sync.mirror.overview import RUNS, Run

_CLOSED_BY_HAND = sql.Literal("the run never ended.")


async def recent_runs(connection: Connection) -> list[Run]:
    """The recently ended runs of any command, the latest first."""
    async with connection.cursor(row_factory=class_row(Run)) as cursor:
        await cursor.execute(
            RUNS + "AND end_time > clock_timestamp() - make_interval(days => %(days)s) ORDER BY runid DESC",
            {"days": RECENT_FAILURES_DAYS},
        )
        return await cursor.fetchall()


def closing(runid: int) -> str:
    """SQL that closes the record of a run and of what it left open; its leases run out by themselves."""
    values = {"runid": sql.Literal(runid), "message": _CLOSED_BY_HAND}
    return typed(
        sql.SQL(
            "UPDATE notion_sync.databases SET last_status = 'failed', last_error_code = 'interrupted',"
            " last_message = {message}, last_ended_at = now(), failures_in_a_row = failures_in_a_row + 1,"
            " failing_since = coalesce(failing_since, last_started_at)"
            " WHERE last_runid = {runid} AND last_status = 'running'"
        ).format(**values),
        sql.SQL(
            "UPDATE notion_sync.database_runs SET status = 'failed', error_code = 'interrupted', message = {message},"
            " end_time = now() WHERE runid = {runid} AND status = 'running'"
        ).format(**values),
        sql.SQL(
            "UPDATE notion_sync.job_run_details SET status = 'failed', return_message = {message}, end_time = now()"
            " WHERE runid = {runid} AND end_time IS NULL"
        ).format(**values),
    )


def failures_listed() -> str:
    """SQL that shows the latest failures of runs."""
    return typed(
        sql.SQL(
            "SELECT start_time, command, return_message FROM notion_sync.job_run_details WHERE status = 'failed'"
            " ORDER BY runid DESC LIMIT 20"
        )
    )
