"""What became of the runs, and of each database in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from psycopg import sql
from psycopg.rows import class_row

from notion_pg_sync.mirror.connection import Connection
from notion_pg_sync.mirror.diagnosis.statements import typed
from notion_pg_sync.mirror.runs import SYNC_ALL


@dataclass(frozen=True)
class RunRecord:
    """A run. Ages are by PostgreSQL's clock; `message` is its record's."""

    runid: int
    status: str
    message: str | None
    age: timedelta


@dataclass(frozen=True)
class OpenRun:
    """A run whose record is not closed; `silent_for` since its process last gave a sign of life."""

    runid: int
    host: str
    machine: str
    pid: int
    process_started_at: float
    age: timedelta
    silent_for: timedelta


@dataclass(frozen=True)
class ExpiredLease:
    """A lease of a run that did not give it back, and that no run has taken over."""

    user_id: str
    runid: int
    expired_for: timedelta


@dataclass(frozen=True)
class DatabaseState:
    """How a database of a user stands by its latest syncs; ages None where there was no such thing.

    `next_try_in` is negative once its time has come.
    """

    user_id: str
    database_id: str
    name: str
    status: str | None
    message: str | None
    succeeded: timedelta | None
    failing_for: timedelta | None
    failures_in_a_row: int
    suspended_for: timedelta | None
    next_try_in: timedelta | None


async def latest_run(connection: Connection) -> RunRecord | None:
    """The latest run of `sync-all`, None where there was none."""
    async with connection.cursor(row_factory=class_row(RunRecord)) as cursor:
        await cursor.execute(
            """
            SELECT runid, status, return_message AS message, clock_timestamp() - start_time AS age
            FROM notion_sync.job_run_details JOIN notion_sync.job USING (jobid)
            WHERE jobname = %s ORDER BY runid DESC LIMIT 1
            """,
            (SYNC_ALL.name,),
        )
        return await cursor.fetchone()


async def ended_runs(connection: Connection, age: timedelta) -> list[RunRecord]:
    """The runs of whatever command that ended within `age`, the latest first."""
    async with connection.cursor(row_factory=class_row(RunRecord)) as cursor:
        await cursor.execute(
            """
            SELECT runid, status, return_message AS message, clock_timestamp() - start_time AS age
            FROM notion_sync.job_run_details
            WHERE end_time > clock_timestamp() - %s::interval ORDER BY runid DESC
            """,
            (age,),
        )
        return await cursor.fetchall()


async def open_runs(connection: Connection) -> list[OpenRun]:
    """The runs whose record is not closed, the oldest first."""
    async with connection.cursor(row_factory=class_row(OpenRun)) as cursor:
        await cursor.execute(
            """
            SELECT runid, host, machine, pid, process_started_at, clock_timestamp() - start_time AS age,
                   clock_timestamp() - heartbeat_at AS silent_for
            FROM notion_sync.run_processes JOIN notion_sync.job_run_details USING (runid)
            WHERE end_time IS NULL ORDER BY runid
            """
        )
        return await cursor.fetchall()


def closing(runid: int) -> str:
    """SQL that closes the record of a run and of what it left open; its leases run out by themselves."""
    number = sql.Literal(runid)
    return typed(
        sql.SQL(
            "UPDATE notion_sync.database_runs SET status = 'failed', error_code = 'interrupted', end_time = now()"
            " WHERE runid = {} AND status = 'running'"
        ).format(number),
        sql.SQL(
            "UPDATE notion_sync.job_run_details SET status = 'failed', return_message = 'the run never ended',"
            " end_time = now() WHERE runid = {} AND end_time IS NULL"
        ).format(number),
    )


def failures_listed() -> str:
    """SQL that shows the latest failures of runs."""
    return typed(
        sql.SQL(
            "SELECT start_time, command, return_message FROM notion_sync.job_run_details WHERE status = 'failed'"
            " ORDER BY runid DESC LIMIT 20"
        )
    )


async def expired_leases(connection: Connection) -> list[ExpiredLease]:
    """The leases whose time is over, by user."""
    async with connection.cursor(row_factory=class_row(ExpiredLease)) as cursor:
        await cursor.execute(
            """
            SELECT user_id, lease_runid AS runid, clock_timestamp() - lease_expires_at AS expired_for
            FROM notion_sync.accounts WHERE lease_expires_at < clock_timestamp() ORDER BY user_id
            """
        )
        return await cursor.fetchall()


async def database_states(connection: Connection, user_ids: Sequence[str]) -> list[DatabaseState]:
    """How the databases of these users stand, by user and name."""
    async with connection.cursor(row_factory=class_row(DatabaseState)) as cursor:
        await cursor.execute(
            """
            SELECT user_id, database_id, name, last_status AS status, last_message AS message,
                   clock_timestamp() - last_succeeded_at AS succeeded, clock_timestamp() - failing_since AS failing_for,
                   failures_in_a_row, clock_timestamp() - suspended_since AS suspended_for,
                   next_try_at - clock_timestamp() AS next_try_in
            FROM notion_sync.databases WHERE user_id = ANY (%s) ORDER BY user_id, name, database_id
            """,
            (list(user_ids),),
        )
        return await cursor.fetchall()
