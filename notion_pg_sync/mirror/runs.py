"""Run records: what happened when, in pg_cron's form, and one row for each database of a run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, cast

from psycopg.rows import class_row

from notion_pg_sync.core.errors import ErrorCode
from notion_pg_sync.core.printable import to_storable
from notion_pg_sync.mirror.connection import Connection, fetch_value

Mode = Literal["full", "incremental"]
Ending = Literal["succeeded", "failed"]


@dataclass(frozen=True)
class Job:
    """What a row of `notion_sync.job` says: a name, when cron starts it, and the command."""

    name: str
    schedule: str
    command: str


SYNC_ALL = Job("sync-notion-databases", "*/15 * * * *", "notion-pg-sync sync-all")
SYNC_ONE = Job("sync-notion-database", "on demand", "notion-pg-sync sync")
# A job of its own: how syncs go is never told by a run that writes nothing.
DRY_RUN = Job("notion-dry-run", "on demand", "notion-pg-sync sync-all --dry-run")

_CARRIED_ON = "its run ended before it was done: what was read is kept, and the next run carries on from there."
_READ_AGAIN = "its run ended before it was done: the next run reads it again."


@dataclass(frozen=True)
class Process:
    """A process as others can recognise it.

    Within one `machine`, pids are comparable; `started_at` (seconds since 1970) tells it from a later process of the
    same pid.
    """

    host: str
    machine: str
    pid: int
    started_at: float


StartedBy = Literal["cron", "systemd", "terminal", "other"]


@dataclass(frozen=True)
class Origin:
    """How a run was started: by what, as which user of the operating system, and with which surroundings.

    `variables` are names of environment variables, without their values.
    """

    started_by: StartedBy
    os_user: str
    executable: str
    folder: str
    path: str
    variables: tuple[str, ...]


@dataclass(frozen=True)
class Counts:
    """How much a sync, or a part of one, read and wrote. Parts add up."""

    rows_read: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    requests: int = 0
    retries: int = 0
    bodies_read: int = 0
    bodies_failed: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            rows_read=self.rows_read + other.rows_read,
            inserted=self.inserted + other.inserted,
            updated=self.updated + other.updated,
            unchanged=self.unchanged + other.unchanged,
            removed=self.removed + other.removed,
            requests=self.requests + other.requests,
            retries=self.retries + other.retries,
            bodies_read=self.bodies_read + other.bodies_read,
            bodies_failed=self.bodies_failed + other.bodies_failed,
        )


@dataclass(frozen=True)
class DatabaseRun(Counts):
    """What syncing one database came to. `is_incomplete`: values that Notion does not give are missing in its rows."""

    mode: Mode | None = None
    error_code: str | None = None
    message: str | None = None
    is_incomplete: bool = False

    @classmethod
    def of_rows(cls, counts: Counts, mode: Mode | None, error_code: str | None, message: str) -> DatabaseRun:
        """What became of the rows, before any body is read."""
        return cls(
            rows_read=counts.rows_read,
            inserted=counts.inserted,
            updated=counts.updated,
            unchanged=counts.unchanged,
            removed=counts.removed,
            requests=counts.requests,
            retries=counts.retries,
            mode=mode,
            error_code=error_code,
            message=message,
        )

    @classmethod
    def cut_off(cls, counts: Counts, mode: Mode | None, *, carries_on: bool) -> DatabaseRun:
        """What became of the rows of a sync that did not come to its end."""
        return cls.of_rows(counts, mode, ErrorCode.INTERRUPTED, _CARRIED_ON if carries_on else _READ_AGAIN)

    @property
    def status(self) -> Ending:
        """`failed` when there is an error code."""
        return "failed" if self.error_code else "succeeded"

    def with_sentences(self, *sentences: str) -> DatabaseRun:
        """The same, with more to its message."""
        return replace(self, message=" ".join(filter(None, (self.message, *sentences))))


async def start_run(connection: Connection, job: Job, command: str, process: Process, origin: Origin) -> int:
    """Records that a run works, and how it was started; returns its `runid`. `command` has no secrets."""
    async with connection.transaction():
        jobid = await fetch_value(
            connection,
            """
            INSERT INTO notion_sync.job AS known (jobname, schedule, command) VALUES (%s, %s, %s)
            ON CONFLICT (jobname) DO UPDATE SET active = known.active
            RETURNING jobid
            """,
            job.name,
            job.schedule,
            job.command,
        )
        runid = await fetch_value(
            connection,
            """
            INSERT INTO notion_sync.job_run_details (jobid, job_pid, database, username, command, status, start_time)
            VALUES (%s, %s, current_database(), current_user, %s, 'running', clock_timestamp())
            RETURNING runid
            """,
            jobid,
            process.pid,
            to_storable(command),
        )
        await connection.execute(
            """
            INSERT INTO notion_sync.run_processes (runid, host, machine, pid, process_started_at, started_by, os_user,
                                                   executable, folder, path, variables)
            VALUES (%(runid)s, %(host)s, %(machine)s, %(pid)s, %(started_at)s, %(started_by)s, %(os_user)s,
                    %(executable)s, %(folder)s, %(path)s, %(variables)s)
            """,
            {"runid": runid, **vars(process), **vars(origin), "variables": list(origin.variables)},
        )
    return cast(int, runid)


@dataclass(frozen=True)
class ScheduledRun:
    """A run of `sync-all` that nobody started at a terminal: where, by what and as whom (None: unknown).

    It was at work until `seen_until`, as far as it is known.
    """

    runid: int
    started_at: datetime
    seen_until: datetime
    is_here: bool
    host: str | None
    started_by: str | None
    os_user: str | None


async def scheduled_runs(connection: Connection, host: str) -> list[ScheduledRun]:
    """The latest of each starter and user, here on `host` and elsewhere, the newest first; no dry runs."""
    async with connection.cursor(row_factory=class_row(ScheduledRun)) as cursor:
        await cursor.execute(
            """
            SELECT runid, started_at, seen_until, is_here, host, started_by, os_user
            FROM (
                SELECT DISTINCT ON (host IS NOT DISTINCT FROM %(host)s, started_by, os_user)
                       runid, start_time AS started_at, host, started_by, os_user,
                       coalesce(end_time, heartbeat_at, start_time) AS seen_until,
                       host IS NOT DISTINCT FROM %(host)s AS is_here
                FROM notion_sync.job_run_details AS run JOIN notion_sync.job USING (jobid)
                LEFT JOIN notion_sync.run_processes USING (runid)
                WHERE jobname = %(job)s AND started_by IS DISTINCT FROM 'terminal' AND run.command !~ '--dry-run'
                ORDER BY host IS NOT DISTINCT FROM %(host)s, started_by, os_user, runid DESC
            ) AS latest
            ORDER BY runid DESC
            """,
            {"host": host, "job": SYNC_ALL.name},
        )
        return await cursor.fetchall()


async def started_at(connection: Connection, runid: int) -> datetime:
    """When run `runid` began."""
    began = await fetch_value(connection, "SELECT start_time FROM notion_sync.job_run_details WHERE runid = %s", runid)
    return cast(datetime, began)


async def shared_since(connection: Connection, runid: int) -> datetime:
    """When the work that run `runid` has a share in began: with it, or with a run of its job just before it.

    Hosts whose crons start at the same moment are some seconds apart; what one of them has begun by then is not to be
    done again by the next.
    """
    since = await fetch_value(
        connection,
        """
        SELECT least(own.start_time, (
            SELECT min(start_time) FROM notion_sync.job_run_details
            WHERE end_time IS NULL AND jobid = own.jobid AND start_time > own.start_time - interval '10 seconds'))
        FROM notion_sync.job_run_details AS own WHERE runid = %s
        """,
        runid,
    )
    return cast(datetime, since)


async def databases_of(connection: Connection, runid: int) -> list[tuple[str, DatabaseRun]]:
    """What is recorded of the databases of a run: user ids, each with what syncing a database came to so far."""
    found = await connection.execute(
        """
        SELECT user_id, rows_read, inserted, updated, unchanged, removed, requests, retries, bodies_read, bodies_failed,
               mode, CASE status WHEN 'succeeded' THEN NULL ELSE coalesce(error_code, %s) END, message
        FROM notion_sync.database_runs WHERE runid = %s ORDER BY user_id, database_name, database_id
        """,
        (ErrorCode.INTERRUPTED, runid),
    )
    return [(user_id, DatabaseRun(*columns)) async for user_id, *columns in found]


@dataclass(frozen=True)
class FailedDatabase:
    """A database that run `runid` failed at."""

    user_id: str
    name: str
    runid: int
    error_code: str | None
    message: str

    @property
    def sentence(self) -> str:
        """The same for people."""
        return f"{self.user_id}/{self.name}: run {self.runid} failed: {self.message}"


async def failed_databases(connection: Connection, user_ids: Iterable[str]) -> list[FailedDatabase]:
    """The databases of users that the latest sync of all of the user's failed at, and that are not suspended for it."""
    async with connection.cursor(row_factory=class_row(FailedDatabase)) as cursor:
        await cursor.execute(
            """
            SELECT user_id, name, last_runid AS runid, last_error_code AS error_code,
                   coalesce(last_message, '') AS message
            FROM notion_sync.databases JOIN notion_sync.accounts USING (user_id)
            WHERE user_id = ANY (%s) AND last_runid = last_sync_runid AND last_status = 'failed'
              AND databases.suspended_since IS NULL AND accounts.suspended_since IS NULL
            ORDER BY user_id, name
            """,
            (list(user_ids),),
        )
        return await cursor.fetchall()


async def beat(connection: Connection, runid: int) -> bool:
    """Records that the run's process is alive; False where its record was closed all the same."""
    beaten = await fetch_value(
        connection,
        """
        UPDATE notion_sync.run_processes AS process SET heartbeat_at = clock_timestamp()
        FROM notion_sync.job_run_details AS run
        WHERE process.runid = %s AND run.runid = process.runid AND end_time IS NULL
        RETURNING process.runid
        """,
        runid,
    )
    return beaten is not None


async def end_run(connection: Connection, runid: int, status: Ending, message: str) -> None:
    """Closes a run's record; a closed one stays as it is. What the run left open is for `clear_up`.

    `message` is for operators: it may tell of other users.
    """
    await connection.execute(
        """
        UPDATE notion_sync.job_run_details
        SET status = %s, return_message = %s, end_time = clock_timestamp()
        WHERE runid = %s AND end_time IS NULL
        """,
        (status, to_storable(message), runid),
    )


async def left_open(connection: Connection) -> list[int]:
    """The runs that ended, and left something open: they could not clear up, or went on after they were closed."""
    found = await connection.execute(
        """
        SELECT runid FROM notion_sync.job_run_details
        WHERE end_time IS NOT NULL AND runid IN (
            SELECT runid FROM notion_sync.sync_requests WHERE status = 'running'
            UNION ALL SELECT lease_runid FROM notion_sync.accounts WHERE lease_runid IS NOT NULL
            UNION ALL SELECT last_runid FROM notion_sync.databases WHERE last_status = 'running')
        ORDER BY runid
        """
    )
    return [runid async for (runid,) in found]


async def clear_up(connection: Connection, runid: int) -> None:
    """Ends what an ended run left open: its databases, the requests that it took, its leases.

    The databases, which tenants see, get a message of their own.
    """
    async with connection.transaction():
        await connection.execute(
            """
            WITH cut_off AS (
                UPDATE notion_sync.database_runs AS run
                SET status = 'failed', end_time = clock_timestamp(), error_code = %(code)s,
                    seconds = extract(epoch FROM clock_timestamp() - start_time),
                    message = CASE WHEN EXISTS (
                        SELECT FROM notion_sync.data_sources AS source
                        WHERE source.user_id = run.user_id AND source.database_id = run.database_id
                          AND (synced_at >= run.start_time
                               OR (full_read_progress_at >= run.start_time AND full_read_covered <> '{}'))
                    ) THEN %(carried_on)s ELSE %(read_again)s END
                WHERE runid = %(runid)s AND status = 'running'
                RETURNING user_id, database_id, mode, rows_read, requests, message
            )
            UPDATE notion_sync.databases AS database
            SET last_status = 'failed', last_error_code = %(code)s, last_message = cut_off.message,
                last_mode = cut_off.mode, last_rows_read = cut_off.rows_read, last_requests = cut_off.requests,
                last_ended_at = clock_timestamp(),
                last_seconds = extract(epoch FROM clock_timestamp() - last_started_at),
                failures_in_a_row = failures_in_a_row + 1, failing_since = coalesce(failing_since, last_started_at)
            FROM cut_off
            WHERE database.user_id = cut_off.user_id AND database.database_id = cut_off.database_id
              AND database.last_runid = %(runid)s
            """,
            {"runid": runid, "code": ErrorCode.INTERRUPTED, "carried_on": _CARRIED_ON, "read_again": _READ_AGAIN},
        )
        # What it was asked for and did not come to waits for the next run, unless the same was asked for once more.
        await connection.execute(
            """
            DELETE FROM notion_sync.sync_requests AS request
            WHERE runid = %(runid)s AND status = 'running' AND EXISTS (
                SELECT FROM notion_sync.sync_requests AS waiting
                WHERE waiting.user_id = request.user_id AND waiting.status = 'waiting'
                  AND waiting.database_id IS NOT DISTINCT FROM request.database_id)
            """,
            {"runid": runid},
        )
        await connection.execute(
            """
            UPDATE notion_sync.sync_requests SET status = 'waiting', runid = NULL
            WHERE runid = %s AND status = 'running'
            """,
            (runid,),
        )
        # A lease whose row somebody else has locked expires by itself.
        await connection.execute(
            """
            UPDATE notion_sync.accounts SET lease_runid = NULL, lease_expires_at = NULL
            WHERE user_id IN (
                SELECT user_id FROM notion_sync.accounts WHERE lease_runid = %s FOR UPDATE SKIP LOCKED)
            """,
            (runid,),
        )


async def start_database(connection: Connection, runid: int, user_id: str, database_id: str, *, name: str) -> None:
    """Records that a run has begun with a database."""
    async with connection.transaction():
        await connection.execute(
            """
            INSERT INTO notion_sync.database_runs (runid, user_id, database_id, database_name, status)
            VALUES (%s, %s, %s, %s, 'running')
            """,
            (runid, user_id, database_id, name),
        )
        await connection.execute(
            """
            UPDATE notion_sync.databases
            SET last_runid = %s, last_status = 'running', last_mode = NULL, last_error_code = NULL, last_message = NULL,
                last_rows_read = NULL, last_requests = NULL, last_seconds = NULL,
                last_started_at = clock_timestamp(), last_ended_at = NULL
            WHERE user_id = %s AND database_id = %s
            """,
            (runid, user_id, database_id),
        )


async def count_rows(
    connection: Connection, runid: int, user_id: str, database_id: str, *, mode: Mode | None, counts: Counts
) -> None:
    """Adds a batch to what is recorded of a database, in the transaction that writes it: true wherever a run ends.

    `mode` is how the batch was read, None where it is of no listing.
    """
    await connection.execute(
        """
        UPDATE notion_sync.database_runs
        SET mode = CASE WHEN mode = 'full' THEN mode ELSE coalesce(%(mode)s, mode) END,
            rows_read = rows_read + %(rows_read)s, inserted = inserted + %(inserted)s, updated = updated + %(updated)s,
            unchanged = unchanged + %(unchanged)s, removed = removed + %(removed)s
        WHERE runid = %(runid)s AND user_id = %(user_id)s AND database_id = %(database_id)s
        """,
        {**vars(counts), "mode": mode, "runid": runid, "user_id": user_id, "database_id": database_id},
    )


async def end_database(
    connection: Connection, runid: int, user_id: str, database_id: str, *, run: DatabaseRun, counts: bool
) -> None:
    """Records what syncing a database came to; `counts`: as the database's latest sync."""
    values = {**_recorded(run), "runid": runid, "user_id": user_id, "database_id": database_id}
    async with connection.transaction():
        await connection.execute(
            """
            UPDATE notion_sync.database_runs
            SET mode = %(mode)s, status = %(status)s, rows_read = %(rows_read)s, inserted = %(inserted)s,
                updated = %(updated)s, unchanged = %(unchanged)s, removed = %(removed)s, requests = %(requests)s,
                retries = %(retries)s, error_code = %(error_code)s, message = %(message)s,
                end_time = clock_timestamp(), seconds = extract(epoch FROM clock_timestamp() - start_time)
            WHERE runid = %(runid)s AND user_id = %(user_id)s AND database_id = %(database_id)s
            """,
            values,
        )
        if not counts:
            return
        await connection.execute(
            """
            UPDATE notion_sync.databases
            SET last_mode = %(mode)s, last_status = %(status)s, last_error_code = %(error_code)s,
                last_message = %(message)s, last_ended_at = clock_timestamp(),
                last_rows_read = %(rows_read)s, last_requests = %(requests)s,
                last_seconds = extract(epoch FROM clock_timestamp() - last_started_at),
                last_succeeded_at = CASE %(status)s WHEN 'succeeded' THEN clock_timestamp() ELSE last_succeeded_at END,
                failing_since = CASE %(status)s WHEN 'failed' THEN coalesce(failing_since, last_started_at) END,
                failures_in_a_row = CASE %(status)s WHEN 'failed' THEN failures_in_a_row + 1 ELSE 0 END
            WHERE user_id = %(user_id)s AND database_id = %(database_id)s
            """,
            values,
        )


async def count_bodies(connection: Connection, runid: int, user_id: str, database_id: str, *, run: DatabaseRun) -> None:
    """Adds to what is recorded of a database's rows what became of its bodies, which are read after them."""
    values = {**_recorded(run), "runid": runid, "user_id": user_id, "database_id": database_id}
    await connection.execute(
        """
        UPDATE notion_sync.database_runs
        SET bodies_read = %(bodies_read)s, bodies_failed = %(bodies_failed)s, requests = %(requests)s,
            retries = %(retries)s, message = %(message)s,
            end_time = clock_timestamp(), seconds = extract(epoch FROM clock_timestamp() - start_time)
        WHERE runid = %(runid)s AND user_id = %(user_id)s AND database_id = %(database_id)s
        """,
        values,
    )
    await connection.execute(
        """
        UPDATE notion_sync.databases
        SET last_requests = %(requests)s, last_message = %(message)s, last_ended_at = clock_timestamp(),
            last_seconds = extract(epoch FROM clock_timestamp() - last_started_at)
        WHERE user_id = %(user_id)s AND database_id = %(database_id)s AND last_runid = %(runid)s
        """,
        values,
    )


def _recorded(run: DatabaseRun) -> dict[str, object]:
    """What is recorded of a database's run; its words are as far as PostgreSQL can hold them."""
    return {
        "mode": run.mode,
        "status": run.status,
        "rows_read": run.rows_read,
        "inserted": run.inserted,
        "updated": run.updated,
        "unchanged": run.unchanged,
        "removed": run.removed,
        "requests": run.requests,
        "retries": run.retries,
        "bodies_read": run.bodies_read,
        "bodies_failed": run.bodies_failed,
        "error_code": run.error_code and to_storable(run.error_code),
        "message": run.message and to_storable(run.message),
    }
