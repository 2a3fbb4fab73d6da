"""Leases on accounts: which run may read and write for which user, by PostgreSQL's clock.

Not advisory locks, since those do not survive a transaction pooler: a lease is a row, visible to everybody, and every
transaction that writes for an account first renews it (`renew`), which fails once another run has taken it over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from notion_pg_sync.core.errors import ErrorCode, ToolError
from notion_pg_sync.mirror.connection import Connection, fetch_value


class LeaseLostError(ToolError):
    """Another run has taken this account over; nothing may be written for it any more."""

    code = ErrorCode.LEASE_LOST


@dataclass(frozen=True)
class Holder:
    """Who holds an account's lease."""

    runid: int
    host: str
    pid: int


async def claim_next(
    connection: Connection, runid: int, user_ids: Sequence[str], since: datetime, seconds: float
) -> str | None:
    """Claims for run `runid` one of `user_ids` that no run holds and that none has synced since `since`.

    What another run began before this one, and gave up, counts as not synced; so does a sync of the future, as a wrong
    clock of PostgreSQL's leaves it, and a lease of the far future counts as none. First come those for whom an
    application asks, then the stalest; None where nothing is left. `seconds`: how long the lease lasts unless renewed.
    """
    claimed = await fetch_value(
        connection,
        """
        WITH next AS (
            SELECT user_id FROM notion_sync.accounts
            WHERE user_id = ANY (%s)
              AND (lease_runid IS NULL
                   OR lease_expires_at NOT BETWEEN clock_timestamp() AND clock_timestamp() + interval '1 day')
              AND (last_sync_started_at IS NULL
                   OR last_sync_started_at NOT BETWEEN %s AND clock_timestamp() + interval '5 minutes'
                   OR (last_sync_ended_at IS NULL OR last_sync_ended_at < last_sync_started_at)
                      AND last_sync_started_at < (
                          SELECT start_time FROM notion_sync.job_run_details WHERE runid = %s))
            ORDER BY (
                SELECT min(request_id) FROM notion_sync.sync_requests AS request
                WHERE request.user_id = accounts.user_id AND status = 'waiting'
            ) NULLS LAST, last_sync_started_at NULLS FIRST, user_id
            LIMIT 1
            FOR UPDATE SKIP LOCKED
        )
        UPDATE notion_sync.accounts AS account
        SET lease_runid = %s, lease_expires_at = clock_timestamp() + make_interval(secs => %s),
            last_sync_started_at = clock_timestamp()
        FROM next WHERE account.user_id = next.user_id
        RETURNING account.user_id
        """,
        list(user_ids),
        since,
        runid,
        runid,
        seconds,
    )
    return None if claimed is None else str(claimed)


async def claim(connection: Connection, runid: int, user_id: str, seconds: float) -> bool:
    """Claims one account, whenever it was synced last; False while another run holds it."""
    claimed = await fetch_value(
        connection,
        """
        UPDATE notion_sync.accounts
        SET lease_runid = %s, lease_expires_at = clock_timestamp() + make_interval(secs => %s)
        WHERE user_id = %s
          AND (lease_runid IS NULL
               OR lease_expires_at NOT BETWEEN clock_timestamp() AND clock_timestamp() + interval '1 day')
        RETURNING user_id
        """,
        runid,
        seconds,
        user_id,
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


async def note_rate_limit(connection: Connection, user_id: str, seconds: float | None) -> None:
    """Records for how long Notion's rate limit holds a user's requests back; None: it does not."""
    await connection.execute(
        "UPDATE notion_sync.accounts SET rate_limited_until = clock_timestamp() + make_interval(secs => %s)"
        " WHERE user_id = %s AND (rate_limited_until IS NOT NULL OR %s::float8 IS NOT NULL)",
        (seconds, user_id, seconds),
    )


async def release(connection: Connection, runid: int, user_id: str) -> None:
    """Gives a lease back; without effect where another run has it by now."""
    await connection.execute(
        """
        UPDATE notion_sync.accounts
        SET lease_runid = NULL, lease_expires_at = NULL, rate_limited_until = NULL,
            last_sync_ended_at = clock_timestamp()
        WHERE user_id = %s AND lease_runid = %s
        """,
        (user_id, runid),
    )


async def holder(connection: Connection, user_id: str) -> Holder | None:
    """Who holds an account now."""
    async with connection.cursor(row_factory=class_row(Holder)) as cursor:
        await cursor.execute(
            """
            SELECT runid, host, pid
            FROM notion_sync.accounts JOIN notion_sync.run_processes ON runid = lease_runid
            WHERE user_id = %s AND lease_expires_at >= clock_timestamp()
            """,
            (user_id,),
        )
        return await cursor.fetchone()
