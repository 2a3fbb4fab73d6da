"""Databases that are tried only now and then, since Notion does not let their token read them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from notion_pg_sync.core.health import SUSPENDED_TRIED_WITHIN_DAYS
from notion_pg_sync.mirror.connection import Connection, fetch_value


@dataclass(frozen=True)
class LatestResults:
    """How a database's latest syncs ended (error codes, the latest first), and PostgreSQL's time now."""

    codes: list[str | None]
    suspended_since: datetime | None
    now: datetime


async def note_token(connection: Connection, user_id: str, fingerprint: str) -> None:
    """Remembers which token a user has.

    Where it is another than before, no database of theirs stays suspended, and no full read that is under way is
    carried on: the new token may see other pages.
    """
    changed = await fetch_value(
        connection,
        """
        UPDATE notion_sync.accounts SET token_fingerprint = %s
        WHERE user_id = %s AND token_fingerprint IS DISTINCT FROM %s
        RETURNING user_id
        """,
        fingerprint,
        user_id,
        fingerprint,
    )
    if changed is not None:
        await connection.execute(
            """
            UPDATE notion_sync.databases SET suspended_since = NULL, next_try_at = NULL
            WHERE user_id = %s AND suspended_since IS NOT NULL
            """,
            (user_id,),
        )
        await connection.execute(
            """
            UPDATE notion_sync.data_sources SET full_read_progress_at = NULL
            WHERE user_id = %s AND full_read_progress_at IS NOT NULL
            """,
            (user_id,),
        )


async def resting(connection: Connection, user_id: str) -> dict[str, str]:
    """The suspended databases of a user whose next try has not come: ids, with the reason.

    A next try that lies further off than any is a wrong clock's.
    """
    found = await connection.execute(
        """
        SELECT database_id, coalesce(last_message, 'it cannot be read.') FROM notion_sync.databases
        WHERE user_id = %s
          AND next_try_at BETWEEN clock_timestamp() AND clock_timestamp() + make_interval(days => %s)
        """,
        (user_id, SUSPENDED_TRIED_WITHIN_DAYS),
    )
    return {database_id: reason async for database_id, reason in found}


async def latest_results(connection: Connection, user_id: str, database_id: str, count: int) -> LatestResults:
    """The `count` latest results of a database, the present run's included."""
    async with connection.cursor(row_factory=class_row(LatestResults)) as cursor:
        await cursor.execute(
            """
            SELECT ARRAY(
                       SELECT error_code FROM notion_sync.database_runs AS run
                       WHERE run.user_id = database.user_id AND run.database_id = database.database_id
                       ORDER BY runid DESC LIMIT %s
                   ) AS codes,
                   suspended_since, clock_timestamp() AS now
            FROM notion_sync.databases AS database
            WHERE user_id = %s AND database_id = %s
            """,
            (count, user_id, database_id),
        )
        found = await cursor.fetchone()
    if found is None:
        raise LookupError("the database was forgotten while it was synced")
    return found


async def suspend(
    connection: Connection, user_id: str, database_id: str, since: datetime | None, next_try_at: datetime | None
) -> None:
    """Suspends a database; with None, lifts the suspension."""
    await connection.execute(
        """
        UPDATE notion_sync.databases SET suspended_since = %(since)s, next_try_at = %(next)s
        WHERE user_id = %(user)s AND database_id = %(database)s
          AND (suspended_since, next_try_at) IS DISTINCT FROM (%(since)s::timestamptz, %(next)s::timestamptz)
        """,
        {"since": since, "next": next_try_at, "user": user_id, "database": database_id},
    )
