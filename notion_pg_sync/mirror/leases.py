"""Leases on accounts: which run may read and write for which user, by PostgreSQL's clock.

Not advisory locks, since those do not survive a transaction pooler: a lease is a row, visible to everybody, and every
transaction that writes for an account first renews it (`renew`), which fails once another run has taken it over.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import cast

from msgspec import Struct
from msgspec.structs import replace
from psycopg import sql
from psycopg.rows import class_row

from notion_pg_sync.core.errors import ErrorCode, ToolError
from notion_pg_sync.core.health import CLOCKS_DIFFER_MINUTES, LEASE_ENDS_WITHIN_DAYS
from notion_pg_sync.mirror.connection import Connection, fetch_value
from notion_pg_sync.mirror.sync_requests import IS_DUE


class LeaseLostError(ToolError):
    """Another run has taken this account over; nothing may be written for it any more."""

    code = ErrorCode.LEASE_LOST


class Holder(Struct, frozen=True):
    """The run that holds an account's lease, and when it began. Within one `machine` pids are comparable."""

    runid: int
    host: str
    machine: str
    pid: int
    began_at: datetime


class Errand(Struct, frozen=True):
    """What a run is to do for accounts.

    `user_ids`: for whom, those `on_request` only as far as requests ask for it. `brings`: what for the others, in words
    of `notion_sync.accounts.last_sync_brings`. A sync since `since` that brought that has done it.
    """

    user_ids: Sequence[str]
    on_request: Sequence[str]
    brings: Sequence[str]
    since: datetime

    def only(self, user_ids: Sequence[str]) -> Errand:
        """The same for some of the users."""
        return replace(self, user_ids=user_ids, on_request=[one for one in self.on_request if one in user_ids])


class OpenAccount(Struct, frozen=True):
    """An account for which an errand is still to be done, as it is now.

    `holder`: who has its lease, until `lease_expires_at` unless renewed. Where that run syncs all of the account, it
    began at `sync_began_at` and `brings` the same as an errand may. `is_requested`: a request of an application waits.
    """

    user_id: str
    is_requested: bool
    holder: Holder | None
    lease_expires_at: datetime | None
    sync_began_at: datetime | None
    brings: Sequence[str]


# A lease of the far future is one that a wrong clock left, and is none; so is a sync of the future. A sync that did not
# end, though nobody has the lease, was given up.
IS_FREE = sql.SQL(
    "(lease_runid IS NULL OR lease_expires_at NOT BETWEEN clock_timestamp()"
    " AND clock_timestamp() + make_interval(days => {}))"
).format(LEASE_ENDS_WITHIN_DAYS)
_IS_REQUESTED = sql.SQL(
    "EXISTS (SELECT FROM notion_sync.sync_requests AS request WHERE request.user_id = account.user_id AND {})"
).format(IS_DUE)
_IS_OPEN = sql.SQL(
    """
    account.user_id = ANY (%(user_ids)s) AND (
        {is_requested}
        OR NOT account.user_id = ANY (%(on_request)s) AND (
            last_sync_started_at IS NULL
            OR last_sync_started_at NOT BETWEEN %(since)s AND clock_timestamp() + make_interval(mins => {clocks_differ})
            OR NOT last_sync_brings @> %(brings)s::text[]
            OR last_sync_ended_at IS NULL OR last_sync_ended_at < last_sync_started_at))
    """
).format(is_requested=_IS_REQUESTED, clocks_differ=CLOCKS_DIFFER_MINUTES)
_NEXT_FREE = sql.SQL(
    """
    SELECT user_id FROM notion_sync.accounts AS account
    WHERE {is_free} AND {is_open}
    ORDER BY (
        SELECT min(request_id) FROM notion_sync.sync_requests AS request
        WHERE request.user_id = account.user_id AND status = 'waiting'
    ) NULLS LAST, last_sync_started_at NULLS FIRST, user_id
    LIMIT %(most)s
    """
).format(is_free=IS_FREE, is_open=_IS_OPEN)
# What is synced as far as requests ask for it has not been synced as such: who asks often would come last for ever.
_CLAIM_NEXT = sql.SQL(
    """
    WITH next AS (
        {next_free}
        FOR UPDATE SKIP LOCKED
    )
    UPDATE notion_sync.accounts AS account
    SET lease_runid = %(runid)s, lease_expires_at = clock_timestamp() + make_interval(secs => %(seconds)s),
        last_sync_started_at = CASE WHEN is_whole THEN clock_timestamp() ELSE last_sync_started_at END,
        last_sync_runid = CASE WHEN is_whole THEN %(runid)s ELSE last_sync_runid END,
        last_sync_brings = CASE WHEN is_whole THEN %(brings)s::text[] ELSE last_sync_brings END
    FROM next CROSS JOIN LATERAL (SELECT NOT next.user_id = ANY (%(on_request)s) AS is_whole) AS errand
    WHERE account.user_id = next.user_id
    RETURNING account.user_id
    """
).format(next_free=_NEXT_FREE)
_OPEN_ACCOUNTS = sql.SQL(
    """
    SELECT account.user_id, {is_requested},
           process.runid, process.host, process.machine, process.pid, run.start_time,
           lease_expires_at, last_sync_started_at,
           CASE WHEN last_sync_runid = lease_runid THEN last_sync_brings ELSE '{{}}' END
    FROM notion_sync.accounts AS account
    LEFT JOIN notion_sync.run_processes AS process ON process.runid = lease_runid AND NOT {is_free}
    LEFT JOIN notion_sync.job_run_details AS run ON run.runid = process.runid
    WHERE {is_open}
    ORDER BY account.user_id
    """
).format(is_free=IS_FREE, is_open=_IS_OPEN, is_requested=_IS_REQUESTED)


async def claim_next(connection: Connection, runid: int, errand: Errand, seconds: float) -> str | None:
    """Claims for run `runid` an account that no run holds and for which `errand` is still to be done.

    First come those for whom an application asks, then the stalest; None where there is none. `seconds`: how long the
    lease lasts unless renewed.
    """
    parameters = {**_parameters(errand), "most": 1, "runid": runid, "seconds": seconds}
    return cast(str | None, await fetch_value(connection, _CLAIM_NEXT, **parameters))


async def next_free(connection: Connection, errand: Errand, most: int) -> list[str]:
    """The accounts that would be claimed next, at most so many, in this order; others may be quicker."""
    found = await connection.execute(_NEXT_FREE, {**_parameters(errand), "most": most})
    return [user_id async for (user_id,) in found]


async def open_accounts(connection: Connection, errand: Errand) -> list[OpenAccount]:
    """The accounts for which `errand` is still to be done, held or not."""
    found = await connection.execute(_OPEN_ACCOUNTS, _parameters(errand))
    return [
        OpenAccount(user_id, requested, None if row[0] is None else Holder(*row), expires_at, began_at, brings)
        async for user_id, requested, *row, expires_at, began_at, brings in found
    ]


async def lock_rows(connection: Connection, user_ids: Collection[str]) -> None:
    """Has the rows of accounts to itself until the transaction ends; waits for whoever has locked them."""
    await connection.execute(
        "SELECT FROM notion_sync.accounts WHERE user_id = ANY (%s) ORDER BY user_id FOR UPDATE", (list(user_ids),)
    )


def _parameters(errand: Errand) -> dict[str, object]:
    return {
        "user_ids": list(errand.user_ids),
        "on_request": list(errand.on_request),
        "brings": list(errand.brings),
        "since": errand.since,
    }


async def claim(connection: Connection, runid: int, user_id: str, seconds: float) -> bool:
    """Claims one account, whenever it was synced last; False while another run holds it."""
    claimed = await fetch_value(
        connection,
        sql.SQL(
            """
            UPDATE notion_sync.accounts
            SET lease_runid = %(runid)s, lease_expires_at = clock_timestamp() + make_interval(secs => %(seconds)s)
            WHERE user_id = %(user_id)s AND {}
            RETURNING user_id
            """
        ).format(IS_FREE),
        runid=runid,
        user_id=user_id,
        seconds=seconds,
    )
    return claimed is not None


async def renew(connection: Connection, runid: int, user_id: str, seconds: float) -> None:
    """Renews a lease, and locks it until the transaction ends. Raises `LeaseLostError`."""
    renewed = await fetch_value(
        connection,
        """
        UPDATE notion_sync.accounts SET lease_expires_at = clock_timestamp() + make_interval(secs => %s)
        WHERE user_id = %s AND lease_runid = %s
        RETURNING user_id
        """,
        seconds,
        user_id,
        runid,
    )
    if renewed is None:
        raise LeaseLostError(f"another run has taken over user {user_id}; this one stopped writing for them.")


async def is_held(connection: Connection, runid: int, user_id: str) -> bool:
    """Whether the run still has a lease, which is then locked until the transaction ends."""
    held = await fetch_value(
        connection,
        "SELECT true FROM notion_sync.accounts WHERE user_id = %s AND lease_runid = %s FOR UPDATE",
        user_id,
        runid,
    )
    return held is not None


async def holds_and_is_asked(connection: Connection, runid: int, user_id: str) -> tuple[bool, bool]:
    """Whether the run still has a lease (see `is_held`), and whether requests wait for the user that are due."""
    found = await connection.execute(
        sql.SQL(
            "SELECT {} FROM notion_sync.accounts AS account WHERE user_id = %s AND lease_runid = %s FOR UPDATE"
        ).format(_IS_REQUESTED),
        (user_id, runid),
    )
    row = await found.fetchone()
    return row is not None, bool(row and row[0])


async def note_rate_limit(connection: Connection, user_id: str, seconds: float | None) -> None:
    """Records for how long Notion's rate limit holds a user's requests back; None: it does not."""
    await connection.execute(
        "UPDATE notion_sync.accounts SET rate_limited_until = clock_timestamp() + make_interval(secs => %s)"
        " WHERE user_id = %s AND (rate_limited_until IS NOT NULL OR %s::float8 IS NOT NULL)",
        (seconds, user_id, seconds),
    )


async def release(connection: Connection, runid: int, user_id: str, *, unless_asked: bool = False) -> bool:
    """Gives a lease back; without effect where another run has it by now.

    `unless_asked`: it is kept where requests wait for the user that are due. Returns whether it is given back.
    """
    released = await connection.execute(
        sql.SQL(
            """
            UPDATE notion_sync.accounts AS account
            SET lease_runid = NULL, lease_expires_at = NULL, rate_limited_until = NULL,
                last_sync_ended_at = CASE WHEN last_sync_runid = lease_runid THEN clock_timestamp()
                                          ELSE last_sync_ended_at END
            WHERE user_id = %(user)s AND lease_runid = %(runid)s AND NOT (%(unless_asked)s AND {})
            """
        ).format(_IS_REQUESTED),
        {"user": user_id, "runid": runid, "unless_asked": unless_asked},
    )
    return released.rowcount > 0


async def holder(connection: Connection, user_id: str) -> Holder | None:
    """Who holds an account now."""
    async with connection.cursor(row_factory=class_row(Holder)) as cursor:
        await cursor.execute(
            """
            SELECT runid, host, machine, pid, start_time AS began_at
            FROM notion_sync.accounts
            JOIN notion_sync.run_processes ON runid = lease_runid JOIN notion_sync.job_run_details USING (runid)
            WHERE user_id = %s AND lease_expires_at >= clock_timestamp()
            """,
            (user_id,),
        )
        return await cursor.fetchone()
