"""Run records: what happened when, in pg_cron's form, and one row for each database of a run."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal, LiteralString, cast

from msgspec import Struct
from msgspec.structs import asdict, replace
from psycopg.rows import class_row

from notion_pg_sync.core.errors import ErrorCode
from notion_pg_sync.core.printable import to_storable
from notion_pg_sync.core.schedules import schedule_of
from notion_pg_sync.mirror.connection import Connection, fetch_value
from notion_pg_sync.mirror.jobs import SYNC_ALL, Job, register_job

# `pages`: some pages were read by their ids, which is no sync of their database.
Mode = Literal["full", "incremental", "pages"]
Ending = Literal["succeeded", "failed"]

# The channel on which runs tell what they have done: their number, no more, since every role may listen.
ANNOUNCED = "notion_sync"

# Several times what a schedule is read from: some are started by hand, and hosts may share one.
_RUNS_LOOKED_AT = 60

_CARRIED_ON = "its run ended before it was done: what was read is kept, and the next run carries on from there."
_READ_AGAIN = "its run ended before it was done: the next run reads it again."


class Process(Struct, frozen=True):
    """A process as others can recognise it.

    Within one `machine`, pids are comparable; `started_at` (seconds since 1970) tells it from a later process of the
    same pid.
    """

    host: str
    machine: str
    pid: int
    started_at: float


StartedBy = Literal["cron", "systemd", "terminal", "other"]


class Origin(Struct, frozen=True):
    """How a run was started: by what, as which user of the operating system, and with which surroundings.

    `variables` are names of environment variables, without their values.
    """

    started_by: StartedBy
    os_user: str
    executable: str
    folder: str
    path: str
    variables: tuple[str, ...]


class Counts(Struct, frozen=True):
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


class DatabaseRun(Counts, frozen=True):
    """What syncing one database came to.

    `is_incomplete`: values that Notion does not give are missing in its rows. `is_whole`: all of its rows were read, in
    every data source. `is_listed`: Notion named its data
    sources, which are those that are recorded by now; None: it was not asked for them.
    """

    mode: Mode | None = None
    error_code: str | None = None
    message: str | None = None
    is_incomplete: bool = False
    is_whole: bool = False
    is_listed: bool | None = None

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
        schedule = await _evident_schedule(connection, job, origin) if job is SYNC_ALL else None
        jobid = await register_job(connection, job, schedule)
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
            {"runid": runid, **asdict(process), **asdict(origin), "variables": list(origin.variables)},
        )
    return cast(int, runid)


async def _evident_schedule(connection: Connection, job: Job, origin: Origin) -> str:
    """When something starts a job, as its latest runs show and one that starts just now; by the clock of this host."""
    found = await connection.execute(
        """
        SELECT start_time FROM (
            SELECT runid, start_time, run.command FROM notion_sync.job_run_details AS run
            WHERE jobid = (SELECT jobid FROM notion_sync.job WHERE jobname = %s)
            ORDER BY jobid DESC, runid DESC LIMIT %s
        ) AS latest JOIN notion_sync.run_processes USING (runid)
        WHERE started_by <> 'terminal' AND command !~ '--user'
        UNION ALL SELECT clock_timestamp() WHERE %s <> 'terminal'
        """,
        (job.name, _RUNS_LOOKED_AT, origin.started_by),
    )
    return schedule_of([start.astimezone() async for (start,) in found])


async def is_under_way(connection: Connection, job: Job) -> bool:
    """Whether the record of a run of this job is open."""
    found = await fetch_value(
        connection,
        """
        SELECT true FROM notion_sync.job_run_details JOIN notion_sync.job USING (jobid)
        WHERE jobname = %s AND end_time IS NULL LIMIT 1
        """,
        job.name,
    )
    return found is not None


class ScheduledRun(Struct, frozen=True):
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
        FROM notion_sync.database_runs WHERE runid = %s AND mode IS DISTINCT FROM 'pages'
        ORDER BY user_id, database_name, database_id
        """,
        (ErrorCode.INTERRUPTED, runid),
    )
    return [(user_id, DatabaseRun(*columns)) async for user_id, *columns in found]


class FailedDatabase(Struct, frozen=True):
    """A database that run `runid` failed at."""

    user_id: str
    name: str
    runid: int
    error_code: str | None
    message: str

    @property
    def sentence(self) -> str:
        """The same for people."""
        return f"{self.user_id}/{self.name}: {self.why}"

    @property
    def why(self) -> str:
        """The same without whose database it is."""
        return f"run {self.runid} failed: {self.message}"


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
            SELECT pg_catalog.pg_notify(%s, %s::text) WHERE EXISTS (
                SELECT FROM notion_sync.database_runs
                WHERE runid = %s AND status = 'running' AND (inserted > 0 OR updated > 0 OR removed > 0))
            """,
            (ANNOUNCED, runid, runid),
        )
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
                failures_in_a_row = failures_in_a_row + 1, failing_since = coalesce(failing_since, last_started_at),
                listed_at = NULL
            FROM cut_off
            WHERE database.user_id = cut_off.user_id AND database.database_id = cut_off.database_id
              AND database.last_runid = %(runid)s
            """,
            {"runid": runid, "code": ErrorCode.INTERRUPTED, "carried_on": _CARRIED_ON, "read_again": _READ_AGAIN},
        )
        # What it was asked for and did not come to waits for the next run. That it was taken up once, by a run that its
        # number tells, lets it wait beside a request for the same that was made since.
        await connection.execute(
            """
            UPDATE notion_sync.sync_requests SET status = 'waiting', started_at = NULL
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


async def start_database(connection: Connection, runid: int, user_id: str, database_id: str, *, name: str) -> bool:
    """Records that a run has begun with a database, and takes up the requests that wait for it and for its pages;
    returns whether there are any for all of it.

    Where the run has been through with it before, it begins anew. Who asks from now on gets another number: what is
    read from now on may be older than what they ask for.
    """
    is_asked_for = await fetch_value(
        connection,
        """
        WITH moment AS MATERIALIZED (SELECT clock_timestamp() AS now), begun AS (
            INSERT INTO notion_sync.database_runs (runid, user_id, database_id, database_name, status, start_time)
            SELECT %(runid)s, %(user_id)s, %(database_id)s, %(name)s, 'running', now FROM moment
            ON CONFLICT (runid, user_id, database_id) DO UPDATE
            SET database_name = EXCLUDED.database_name, mode = NULL, status = EXCLUDED.status, rows_read = 0,
                inserted = 0, updated = 0, unchanged = 0, removed = 0, requests = 0, retries = 0, bodies_read = 0,
                bodies_failed = 0, seconds = NULL, error_code = NULL, message = NULL,
                start_time = EXCLUDED.start_time, end_time = NULL
        ), taken AS (
            UPDATE notion_sync.sync_requests
            SET status = 'running', runid = %(runid)s, started_at = now, database_id = %(database_id)s
            FROM moment
            WHERE user_id = %(user_id)s AND status = 'waiting'
              AND (database_id = %(database_id)s OR (database_id IS NULL AND database_name = %(name)s))
            RETURNING page_id
        )
        UPDATE notion_sync.databases
        SET last_runid = %(runid)s, last_status = 'running', last_mode = NULL, last_error_code = NULL,
            last_message = NULL, last_rows_read = NULL, last_requests = NULL, last_seconds = NULL,
            last_started_at = clock_timestamp(), last_ended_at = NULL
        WHERE user_id = %(user_id)s AND database_id = %(database_id)s
        RETURNING EXISTS (SELECT FROM taken WHERE page_id IS NULL)
        """,
        runid=runid,
        user_id=user_id,
        database_id=database_id,
        name=name,
    )
    return bool(is_asked_for)


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
        {**asdict(counts), "mode": mode, "runid": runid, "user_id": user_id, "database_id": database_id},
    )


_END: LiteralString = """
    UPDATE notion_sync.database_runs
    SET mode = %(mode)s, status = %(status)s, rows_read = %(rows_read)s, inserted = %(inserted)s,
        updated = %(updated)s, unchanged = %(unchanged)s, removed = %(removed)s, requests = %(requests)s,
        retries = %(retries)s, error_code = %(error_code)s, message = %(message)s,
        end_time = clock_timestamp(), seconds = extract(epoch FROM clock_timestamp() - start_time)
    WHERE runid = %(runid)s AND user_id = %(user_id)s AND database_id = %(database_id)s
"""
_END_LATEST: LiteralString = """
    UPDATE notion_sync.databases
    SET last_mode = %(mode)s, last_status = %(status)s, last_error_code = %(error_code)s,
        last_message = %(message)s, last_ended_at = clock_timestamp(),
        last_rows_read = %(rows_read)s, last_requests = %(requests)s,
        last_seconds = extract(epoch FROM clock_timestamp() - last_started_at),
        last_succeeded_at = CASE %(status)s WHEN 'succeeded' THEN clock_timestamp() ELSE last_succeeded_at END,
        failing_since = CASE %(status)s WHEN 'failed' THEN coalesce(failing_since, last_started_at) END,
        failures_in_a_row = CASE %(status)s WHEN 'failed' THEN failures_in_a_row + 1 ELSE 0 END,
        listed_at = CASE WHEN %(status)s = 'failed' THEN NULL
                         WHEN %(is_listed)s::boolean IS NULL THEN listed_at
                         WHEN %(is_listed)s THEN last_started_at END,
        suspended_since = CASE WHEN NOT %(lifts_suspension)s THEN suspended_since END,
        next_try_at = CASE WHEN NOT %(lifts_suspension)s THEN next_try_at END
    WHERE user_id = %(user_id)s AND database_id = %(database_id)s
"""
_END_AS_LATEST: LiteralString = "WITH ended AS (" + _END + ")" + _END_LATEST


async def end_database(
    connection: Connection,
    runid: int,
    user_id: str,
    database_id: str,
    *,
    run: DatabaseRun,
    counts: bool,
    lifts_suspension: bool = False,
) -> None:
    """Records what syncing a database came to; `counts`: as the database's latest sync.

    `lifts_suspension`: where it counts, the database is not suspended any more.
    """
    values = {
        **_recorded(run),
        "runid": runid,
        "user_id": user_id,
        "database_id": database_id,
        "lifts_suspension": lifts_suspension,
    }
    await connection.execute(_END_AS_LATEST if counts else _END, values)
    if run.inserted or run.updated or run.removed:
        await _announce(connection, runid)


async def _announce(connection: Connection, runid: int) -> None:
    """Tells whoever listens, once the transaction is committed, that run `runid` has changed rows."""
    await connection.execute("SELECT pg_catalog.pg_notify(%s, %s)", (ANNOUNCED, str(runid)))


async def record_pages(
    connection: Connection, runid: int, user_id: str, database_id: str, *, name: str, run: DatabaseRun, seconds: float
) -> None:
    """Records what reading pages of a database by their ids came to, within so many seconds.

    Nothing of it counts as a sync of the database. Where the run has a record of the database already, the rows that
    were written are in it (`count_rows`): a sync stays what it was.
    """
    await connection.execute(
        """
        INSERT INTO notion_sync.database_runs AS known
            (runid, user_id, database_id, database_name, mode, status, rows_read, inserted, updated, unchanged, removed,
             requests, retries, bodies_read, error_code, message, start_time, end_time, seconds)
        VALUES (%(runid)s, %(user_id)s, %(database_id)s, %(name)s, 'pages', %(status)s, %(rows_read)s, %(inserted)s,
                %(updated)s, %(unchanged)s, %(removed)s, %(requests)s, %(retries)s, %(bodies_read)s, %(error_code)s,
                %(message)s, clock_timestamp() - make_interval(secs => %(seconds)s), clock_timestamp(), %(seconds)s)
        ON CONFLICT (runid, user_id, database_id) DO UPDATE
        SET requests = known.requests + EXCLUDED.requests, retries = known.retries + EXCLUDED.retries,
            bodies_read = known.bodies_read + EXCLUDED.bodies_read,
            status = CASE WHEN known.mode = 'pages' AND EXCLUDED.status = 'failed' THEN 'failed' ELSE known.status END,
            error_code = CASE WHEN known.mode = 'pages' THEN coalesce(EXCLUDED.error_code, known.error_code)
                              ELSE known.error_code END,
            message = CASE WHEN known.mode = 'pages' THEN EXCLUDED.message ELSE known.message END,
            end_time = CASE WHEN known.mode = 'pages' THEN EXCLUDED.end_time ELSE known.end_time END,
            seconds = CASE WHEN known.mode = 'pages' THEN known.seconds + EXCLUDED.seconds ELSE known.seconds END
        """,
        {
            **_recorded(run),
            "runid": runid,
            "user_id": user_id,
            "database_id": database_id,
            "name": name,
            "seconds": seconds,
        },
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
        "is_listed": run.is_listed,
        "error_code": run.error_code and to_storable(run.error_code),
        "message": run.message and to_storable(run.message),
    }
