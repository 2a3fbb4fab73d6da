"""When `sync-all` ran last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from notion_pg_sync.mirror.connection import Connection
from notion_pg_sync.mirror.runs import SYNC_ALL


@dataclass(frozen=True)
class LastRun:
    """The latest run of `sync-all`, `started_at` None where there was none; `now` is PostgreSQL's clock."""

    now: datetime
    started_at: datetime | None
    host: str | None


async def last_run(connection: Connection) -> LastRun:
    """The latest run of the job `sync-notion-databases`, on whatever host."""
    async with connection.cursor(row_factory=class_row(LastRun)) as cursor:
        await cursor.execute(
            """
            SELECT clock_timestamp() AS now, start_time AS started_at, host
            FROM (VALUES (1)) AS always
            LEFT JOIN (
                SELECT start_time, host
                FROM notion_sync.job_run_details
                JOIN notion_sync.job USING (jobid)
                LEFT JOIN notion_sync.run_processes USING (runid)
                WHERE jobname = %s
                ORDER BY runid DESC LIMIT 1
            ) AS latest ON true
            """,
            (SYNC_ALL.name,),
        )
        (latest,) = await cursor.fetchall()
        return latest
