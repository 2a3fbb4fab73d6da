"""Looks for requests that wait: whether there is anything to do, and when somebody last looked."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct
from psycopg import sql
from psycopg.rows import class_row

from notion_pg_sync.mirror.connection import Connection, retried
from notion_pg_sync.mirror.jobs import REQUESTED, register_job
from notion_pg_sync.mirror.leases import IS_FREE
from notion_pg_sync.mirror.sync_requests import IS_DUE

# A look that finds nothing writes so seldom: every minute would be as many dead rows, for nobody.
NOTED_AFTER_MINUTES = 5

NOTHING_IS_ASKED = "nothing is asked for, so nothing was done."


class Look(Struct, frozen=True):
    """What a look finds.

    `is_paused`: somebody has paused the job. `is_due`: the time of the last look is old enough to be written anew.
    `can_begin`: a request waits that a run can take up now. `is_open`: one waits for another run, or is served; that
    run may have died.
    """

    is_paused: bool
    is_due: bool
    can_begin: bool
    is_open: bool


class Demand(Struct, frozen=True):
    """What is asked for from SQL, and who looks for it, at one moment.

    `last_look`: when `sync-all --requested` last looked, to five minutes; None: never. `waiting`: how many requests
    wait, since `waiting_since`. `last_event`: when a webhook last told anything.
    """

    last_look: datetime | None = None
    waiting: int = 0
    waiting_since: datetime | None = None
    last_event: datetime | None = None


NO_DEMAND = Demand()

_LOOK = sql.SQL(
    """
    SELECT coalesce(NOT active, false) AS is_paused,
           coalesce(looked_at NOT BETWEEN clock_timestamp() - make_interval(mins => {noted_after})
                                      AND clock_timestamp() + make_interval(mins => {noted_after}), true) AS is_due,
           asked.can_begin, asked.is_open
    FROM (
        SELECT coalesce(bool_or(
                   (account.user_id IS NULL OR {is_free}) AND {is_due}), false) AS can_begin,
               count(*) > 0 AS is_open
        FROM notion_sync.sync_requests AS request
        LEFT JOIN notion_sync.accounts AS account ON account.user_id = request.user_id
        WHERE (request.status = 'waiting' OR request.status = 'running')
          AND (%(user)s::text IS NULL OR request.user_id = %(user)s)
    ) AS asked
    LEFT JOIN notion_sync.job ON jobname = %(job)s
    LEFT JOIN notion_sync.last_looks AS look ON look.jobid = job.jobid
    """
).format(noted_after=NOTED_AFTER_MINUTES, is_free=IS_FREE, is_due=IS_DUE)


async def look_for_requests(connection: Connection, user_id: str | None) -> Look:
    """Looks, in one statement, for requests of everybody or of one user."""
    async with connection.cursor(row_factory=class_row(Look)) as cursor:
        await cursor.execute(_LOOK, {"user": user_id, "job": REQUESTED.name})
        found = await cursor.fetchone()
    if found is None:
        raise RuntimeError("a look has one row")
    return found


@retried
async def note_look(connection: Connection) -> None:
    """Records that somebody looked just now; of several who do so at once, one."""
    async with connection.transaction():
        jobid = await register_job(connection, REQUESTED)
        await connection.execute(
            """
            INSERT INTO notion_sync.last_looks AS last (jobid, looked_at) VALUES (%s, clock_timestamp())
            ON CONFLICT (jobid) DO UPDATE SET looked_at = excluded.looked_at
            """,
            (jobid,),
        )


async def read_demand(connection: Connection) -> Demand:
    """What is asked for, and who looks for it."""
    async with connection.cursor(row_factory=class_row(Demand)) as cursor:
        await cursor.execute(
            """
            SELECT (SELECT looked_at FROM notion_sync.last_looks JOIN notion_sync.job USING (jobid)
                    WHERE jobname = %s) AS last_look,
                   count(*) AS waiting, min(requested_at) AS waiting_since,
                   (SELECT max(last_event_at) FROM notion_sync.webhook_days) AS last_event
            FROM notion_sync.sync_requests WHERE status = 'waiting'
            """,
            (REQUESTED.name,),
        )
        found = await cursor.fetchone()
    return found or NO_DEMAND
