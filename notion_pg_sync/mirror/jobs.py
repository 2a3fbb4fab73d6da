"""The jobs that runs are of, as `notion_sync.job` has them, in pg_cron's form."""

from __future__ import annotations

from typing import cast

from msgspec import Struct
from psycopg import sql

from notion_pg_sync.core.schedules import NOT_KNOWN_YET, ON_DEMAND, ON_REQUEST
from notion_pg_sync.mirror.connection import Connection, fetch_value


class Job(Struct, frozen=True):
    """What a row of `notion_sync.job` says: a name, when it is started, and the command."""

    name: str
    schedule: str
    command: str

    @property
    def typed(self) -> str:
        """The command without the tool's name."""
        return self.command.removeprefix("notion-pg-sync ")

    @property
    def activation(self) -> str:
        """The statement that ends a pause (`active = false`)."""
        return sql.SQL("UPDATE notion_sync.job SET active = true WHERE jobname = {};").format(self.name).as_string(None)

    @property
    def pause(self) -> str:
        """That it is paused, and how it goes on, in a sentence."""
        why = f"{self.typed} is paused (notion_sync.job.active is false), so nothing was done."
        return f"{why} To go on: {self.activation}"


# When it is started, its runs show.
SYNC_ALL = Job("sync-notion-databases", NOT_KNOWN_YET, "notion-pg-sync sync-all")
SYNC_ONE = Job("sync-notion-database", ON_DEMAND, "notion-pg-sync sync")
# A job of its own: that requests are served says nothing of whether sync-all is on time. A look that finds nothing
# leaves no run, so its runs do not show when it is started; notion_sync.last_looks does.
REQUESTED = Job("sync-notion-requests", ON_REQUEST, "notion-pg-sync sync-all --requested")
# A job of its own: how syncs go is never told by a run that writes nothing.
DRY_RUN = Job("notion-dry-run", ON_DEMAND, "notion-pg-sync sync-all --dry-run")


async def register_job(connection: Connection, job: Job, schedule: str | None = None) -> int:
    """Records a job, and when it is started where that is known; returns its `jobid`.

    Its row is locked until the transaction ends, so that of two that begin a run of it one comes after the other.
    """
    jobid = await fetch_value(
        connection,
        """
        INSERT INTO notion_sync.job AS known (jobname, schedule, command) VALUES (%s, %s, %s)
        ON CONFLICT (jobname) DO UPDATE SET schedule = excluded.schedule
        RETURNING jobid
        """,
        job.name,
        schedule or job.schedule,
        job.command,
    )
    return cast(int, jobid)


async def paused_jobs(connection: Connection) -> frozenset[str]:
    """The names of the jobs that somebody has paused."""
    found = await connection.execute("SELECT jobname FROM notion_sync.job WHERE NOT active")
    return frozenset([name async for (name,) in found])
