"""How things are, as `status` and `doctor` judge it: of each database its latest result, which is kept beside it, and
of runs only the latest.

No statement reads the whole history, which may be long: `database_runs` and `job_run_details` are read by index.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString

from msgspec import Struct, field
from psycopg import sql
from psycopg.rows import class_row

from notion_pg_sync.mirror.accounts import TOKEN_COLUMNS, auto_sync_in, databases_in, present_columns
from notion_pg_sync.mirror.connection import Connection
from notion_pg_sync.mirror.jobs import SYNC_ALL
from notion_pg_sync.mirror.qualified_sql import qualified
from notion_pg_sync.mirror.tables import SETTINGS_TABLE


class User(Struct, frozen=True):
    """A row of `user_settings` that has to do with Notion.

    `databases` is `notion_databases` as it is. `auto_sync` is None where the application has no such column.
    `last_sync_ended_at` is None before the user's first sync. `token_problem`: why the token could not be used the last
    time, and since when; None where it could. Notion has refused it `token_refusals` times in a row.
    """

    user_id: str
    has_token: bool
    databases: object
    auto_sync: bool | None
    last_sync_ended_at: datetime | None
    token_problem: str | None = None
    token_problem_since: datetime | None = None
    token_refusals: int = 0


class Database(Struct, frozen=True):
    """A row of `notion_sync.databases`, with what its data sources come to.

    `rows` is None until every data source was read whole once; so is `fresh_as_of`, before which every edit is in the
    copy, and `full_as_of`, when the latest full read began. `held_back`: rows that Notion has no longer and that wait
    for somebody's word. `rows_gone`: rows that were written and are not there any more. `left_out`: values that
    Notion does not give; `left_out_reason` is of the one that is missing longest. `lease_runid` is the run that
    has the user's lease. Where the user's token is suspended, `suspended_since` and `next_try_at` are those of the
    token. All times are by PostgreSQL's clock. `title` is what Notion calls the database, None where that is not known.
    `excluded`: the names of what is not copied.
    """

    user_id: str
    database_id: str
    name: str
    found_by_search: bool
    last_runid: int | None
    last_mode: str | None
    last_status: str | None
    last_rows_read: int | None
    last_requests: int | None
    last_seconds: float | None
    last_error_code: str | None
    last_message: str | None
    last_started_at: datetime | None
    last_ended_at: datetime | None
    last_succeeded_at: datetime | None
    failing_since: datetime | None
    failures_in_a_row: int
    suspended_since: datetime | None
    next_try_at: datetime | None
    lease_runid: int | None
    rate_limited_until: datetime | None
    rows: int | None
    fresh_as_of: datetime | None
    full_as_of: datetime | None
    held_back: int
    rows_gone: int = 0
    left_out: int = 0
    left_out_since: datetime | None = None
    left_out_reason: str | None = None
    title: str | None = None
    excluded: list[str] = field(default_factory=list)


class Run(Struct, frozen=True):
    """A row of `notion_sync.job_run_details`, and the process it is of; None where that is not known."""

    runid: int
    job: str | None
    status: str
    message: str | None
    started_at: datetime
    ended_at: datetime | None
    host: str | None
    machine: str | None
    pid: int | None
    process_started_at: float | None
    heartbeat_at: datetime | None

    @property
    def seconds(self) -> float | None:
        """How long it took, None while it runs."""
        return (self.ended_at - self.started_at).total_seconds() if self.ended_at else None


class PastSync(Struct, frozen=True):
    """A row of `notion_sync.database_runs`: one database in one run."""

    runid: int
    user_id: str
    database_id: str
    database_name: str
    mode: str | None
    status: str
    rows_read: int
    requests: int
    seconds: float | None
    message: str | None
    started_at: datetime
    ended_at: datetime | None


_DATABASES = """
    SELECT database.user_id, database.database_id, database.name, found_by_search, last_runid, last_mode, last_status,
           last_rows_read, last_requests, last_seconds, last_error_code, last_message, last_started_at, last_ended_at,
           last_succeeded_at, failing_since, failures_in_a_row,
           coalesce(account.suspended_since, database.suspended_since) AS suspended_since,
           CASE WHEN account.suspended_since IS NULL THEN database.next_try_at
                ELSE account.next_try_at END AS next_try_at, lease_runid,
           rate_limited_until, source.rows, source.fresh_as_of, source.full_as_of,
           coalesce(source.held_back, 0) AS held_back, coalesce(gap.left_out, 0) AS left_out, gap.left_out_since,
           gap.left_out_reason, title,
           ARRAY(SELECT DISTINCT coalesce(met.name, entry)
                 FROM notion_sync.exclusions AS excluded
                 LEFT JOIN LATERAL jsonb_each_text(properties) AS met (property_id, name) ON true
                 WHERE excluded.user_id = database.user_id AND excluded.database_id = database.database_id
                 ORDER BY 1) AS excluded
    FROM notion_sync.databases AS database
    JOIN notion_sync.accounts AS account ON account.user_id = database.user_id
    LEFT JOIN (
        SELECT source.user_id, source.database_id,
               CASE WHEN bool_and(row_count IS NOT NULL) THEN sum(row_count)::bigint END AS rows,
               CASE WHEN bool_and(fresh_as_of IS NOT NULL) FILTER (WHERE is_listed)
                    THEN min(fresh_as_of) FILTER (WHERE is_listed) END AS fresh_as_of,
               CASE WHEN bool_and(full_as_of IS NOT NULL) FILTER (WHERE is_listed)
                    THEN min(full_as_of) FILTER (WHERE is_listed) END AS full_as_of,
               sum(held_back)::bigint AS held_back
        FROM notion_sync.data_sources AS source
        JOIN notion_sync.databases AS database
          ON database.user_id = source.user_id AND database.database_id = source.database_id
        -- One that a successful sync left out is no longer of the database, and waits for its last rows to go.
        CROSS JOIN LATERAL (SELECT last_status <> 'succeeded' OR synced_at >= last_started_at AS is_listed) AS listing
        WHERE %(user)s::text IS NULL OR source.user_id = %(user)s
        GROUP BY source.user_id, source.database_id
    ) AS source ON source.user_id = database.user_id AND source.database_id = database.database_id
    LEFT JOIN (
        SELECT source.user_id, source.database_id, count(*) AS left_out, min(since) AS left_out_since,
               (array_agg(concat(nullif(property, '') || ': ', message) ORDER BY since, property, page_id))[1]
                   AS left_out_reason
        FROM (
            SELECT user_id, data_source_id, page_id, property, message, since FROM notion_sync.left_out
            UNION ALL
            SELECT user_id, data_source_id, NULL, '', message, since FROM notion_sync.unread_minutes
        ) AS gap JOIN notion_sync.data_sources AS source USING (user_id, data_source_id)
        GROUP BY source.user_id, source.database_id
    ) AS gap ON gap.user_id = database.user_id AND gap.database_id = database.database_id
    WHERE %(user)s::text IS NULL OR database.user_id = %(user)s
    ORDER BY database.user_id, database.name, database.database_id
"""

RUNS: LiteralString = """
    SELECT runid, jobname AS job, coalesce(status, 'starting') AS status, return_message AS message,
           start_time AS started_at, end_time AS ended_at, host, machine, pid, process_started_at, heartbeat_at
    FROM notion_sync.job_run_details AS run
    LEFT JOIN notion_sync.job USING (jobid)
    LEFT JOIN notion_sync.run_processes USING (runid)
    WHERE start_time IS NOT NULL
"""
_LATEST_RUNS = RUNS + "ORDER BY runid DESC LIMIT %(most)s"
# By the index on (jobid, runid).
_OF_JOB: LiteralString = "run.jobid = (SELECT jobid FROM notion_sync.job WHERE jobname = %(job)s)"
_LAST_RUN = RUNS + "AND " + _OF_JOB + " ORDER BY run.jobid, runid DESC LIMIT 1"
_OPEN_RUNS = RUNS + "AND end_time IS NULL ORDER BY runid DESC LIMIT %(most)s"

# That no database tells of: each database keeps its own failure.
_OWN_FAILURE = """
    SELECT return_message, end_time
    FROM (
        SELECT runid, status, return_message, end_time FROM notion_sync.job_run_details
        WHERE jobid = (SELECT jobid FROM notion_sync.job WHERE jobname = %(job)s) AND end_time IS NOT NULL
        ORDER BY jobid, runid DESC LIMIT 1
    ) AS latest
    WHERE status = 'failed'
      AND NOT EXISTS (
            SELECT FROM notion_sync.database_runs
            WHERE database_runs.runid = latest.runid AND status = 'failed' AND mode IS DISTINCT FROM 'pages')
"""

_PAST_SYNCS = """
    SELECT past.*
    FROM unnest(%(users)s::text[], %(databases)s::uuid[]) AS wanted (user_id, database_id)
    CROSS JOIN LATERAL (
        SELECT runid, user_id, database_id, database_name, mode, status, rows_read, requests, seconds, message,
               start_time AS started_at, end_time AS ended_at
        FROM notion_sync.database_runs AS run
        WHERE run.user_id = wanted.user_id AND run.database_id = wanted.database_id
          AND mode IS DISTINCT FROM 'pages' AND (NOT %(only_failed)s OR run.status = 'failed')
        ORDER BY run.user_id, run.database_id, runid DESC LIMIT %(most)s
    ) AS past
    ORDER BY runid DESC, user_id, database_name, database_id
"""

# Who looks how things are is told that somebody holds a lock, and does not wait until they let it go.
LOCKS_AWAITED_SECONDS = 1

# More than a person reads, and few enough to be quick whatever there is.
_MOST_OPEN_RUNS = 1000


async def begin_snapshot(connection: Connection) -> None:
    """Makes a transaction, in which nothing was asked yet, read one moment alone, write nothing, and hardly wait."""
    await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
    await connection.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(f"{LOCKS_AWAITED_SECONDS}s"))


async def read_users(connection: Connection, schema: str, user_id: str | None = None) -> list[User]:
    """The users in `user_settings` who have a Notion token or name databases, by user; or `user_id`, who may have none.

    No token leaves PostgreSQL.
    """
    columns = await present_columns(connection, schema)
    tokens = [
        qualified("coalesce({name}::pg_catalog.text, '') {<>} ''", name=sql.Identifier(name))
        for name in TOKEN_COLUMNS
        if name in columns
    ]
    query = qualified(
        """
        SELECT settings.*, last_sync_ended_at, token_problem, token_problem_since,
               coalesce(token_refusals, 0) AS token_refusals
        FROM (
            SELECT user_id::pg_catalog.text, {has_token} AS has_token, {databases} AS databases,
                   {auto_sync} AS auto_sync
            FROM {table} WHERE user_id IS NOT NULL
        ) AS settings
        LEFT JOIN notion_sync.accounts ON accounts.user_id {=} settings.user_id
        WHERE CASE WHEN %(user)s::pg_catalog.text IS NULL THEN has_token OR databases {<>} '{{}}'
                   ELSE settings.user_id {=} %(user)s END
        ORDER BY settings.user_id
        """,
        has_token=sql.SQL(" OR ").join(tokens) if tokens else sql.SQL("false"),
        databases=databases_in(columns),
        auto_sync=auto_sync_in(columns),
        table=sql.Identifier(schema, SETTINGS_TABLE),
    )
    with connection.as_application():
        async with connection.cursor(row_factory=class_row(User)) as cursor:
            await cursor.execute(query, {"user": user_id})
            return await cursor.fetchall()


async def read_databases(connection: Connection, user_id: str | None = None) -> list[Database]:
    """The databases that are known, of all users or of `user_id`, by user and name."""
    async with connection.cursor(row_factory=class_row(Database)) as cursor:
        await cursor.execute(_DATABASES, {"user": user_id})
        return await cursor.fetchall()


async def last_run(connection: Connection) -> Run | None:
    """The latest run of `sync-all`, on whatever host; None where there was none."""
    async with connection.cursor(row_factory=class_row(Run)) as cursor:
        await cursor.execute(_LAST_RUN, {"job": SYNC_ALL.name})
        return await cursor.fetchone()


async def latest_runs(connection: Connection, most: int) -> list[Run]:
    """The `most` latest runs, the latest first."""
    async with connection.cursor(row_factory=class_row(Run)) as cursor:
        await cursor.execute(_LATEST_RUNS, {"most": most})
        return await cursor.fetchall()


async def open_runs(connection: Connection) -> list[Run]:
    """The runs whose records are not closed, the latest first."""
    async with connection.cursor(row_factory=class_row(Run)) as cursor:
        await cursor.execute(_OPEN_RUNS, {"most": _MOST_OPEN_RUNS})
        return await cursor.fetchall()


async def own_failure(connection: Connection) -> tuple[str, datetime] | None:
    """What the latest run of `sync-all` failed of, and when, where no database of it says so itself."""
    found = await (await connection.execute(_OWN_FAILURE, {"job": SYNC_ALL.name})).fetchone()
    return (str(found[0]), found[1]) if found else None


async def past_syncs(
    connection: Connection, databases: Sequence[tuple[str, str]], most: int, *, only_failed: bool = False
) -> list[PastSync]:
    """The `most` latest syncs of each of `databases` (user and database id), the latest first."""
    parameters = {
        "users": [user_id for user_id, _ in databases],
        "databases": [database_id for _, database_id in databases],
        "most": most,
        "only_failed": only_failed,
    }
    async with connection.cursor(row_factory=class_row(PastSync)) as cursor:
        await cursor.execute(_PAST_SYNCS, parameters)
        return await cursor.fetchall()
