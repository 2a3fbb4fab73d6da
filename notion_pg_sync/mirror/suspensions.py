"""Tokens and databases that are tried only now and then, since Notion does not let them be read."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import cast

from msgspec import Struct
from psycopg.rows import class_row

from notion_pg_sync.core.health import SUSPENDED_TRIED_WITHIN_DAYS
from notion_pg_sync.mirror.connection import Connection, fetch_value
from notion_pg_sync.mirror.leases import lock_rows


class TokenRecord(Struct, frozen=True):
    """What is known of an account's token at PostgreSQL's time `now`.

    `problem`: why it could not be used the last time, None where it could; `refusals`: how often in a row Notion has
    refused it, the last time when it was asked at `refused_at`. `is_resting`: it is suspended, and its next try has not
    come. `is_refused_in_run`: the run has met it at another account already.
    """

    now: datetime
    problem: str | None
    refusals: int
    refused_at: datetime | None
    suspended_since: datetime | None
    is_resting: bool
    is_refused_in_run: bool


class LatestResults(Struct, frozen=True):
    """How a database's latest syncs ended (error codes, the latest first), and PostgreSQL's time now.

    `has_witness`: another database was read after the sync before the latest began, and before the latest did.
    """

    codes: list[str | None]
    suspended_since: datetime | None
    now: datetime
    has_witness: bool


class Telling(Struct, frozen=True):
    """A failure that only its user can fix: of an account, or (`database_id`) of a database; when it was told last."""

    user_id: str
    database_id: str | None
    told_at: datetime | None
    since: datetime
    now: datetime


async def note_token(connection: Connection, user_id: str, fingerprint: str) -> None:
    """Remembers which token a user has.

    Where it is another than before, nothing of theirs stays suspended, and no full read that is under way is carried
    on: the new token may see other pages. What is known of the token from others who have it holds for them too.
    """
    changed = await fetch_value(
        connection,
        """
        UPDATE notion_sync.accounts SET token_fingerprint = %(fingerprint)s
        WHERE user_id = %(user)s AND token_fingerprint IS DISTINCT FROM %(fingerprint)s
        RETURNING user_id
        """,
        user=user_id,
        fingerprint=fingerprint,
    )
    if changed is not None:
        await _hold_token(connection, user_id)
        await connection.execute(
            """
            WITH nothing AS (SELECT), known AS (
                SELECT token_problem, token_problem_since, token_refusals, token_refused_at, suspended_since,
                       next_try_at
                FROM notion_sync.accounts WHERE token_fingerprint = %(fingerprint)s AND user_id <> %(user)s LIMIT 1
            )
            UPDATE notion_sync.accounts AS account
            SET token_problem = known.token_problem, token_problem_since = known.token_problem_since,
                token_refusals = coalesce(known.token_refusals, 0), token_refused_at = known.token_refused_at,
                suspended_since = known.suspended_since, next_try_at = known.next_try_at
            FROM nothing LEFT JOIN known ON true
            WHERE user_id = %(user)s
            """,
            {"user": user_id, "fingerprint": fingerprint},
        )
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


async def token_record(connection: Connection, runid: int, user_id: str) -> TokenRecord:
    """What is known of the token of a user whom run `runid` syncs.

    A next try that lies further off than any is a wrong clock's.
    """
    async with connection.cursor(row_factory=class_row(TokenRecord)) as cursor:
        await cursor.execute(
            """
            SELECT clock_timestamp() AS now, token_problem AS problem, coalesce(token_refusals, 0) AS refusals,
                   token_refused_at AS refused_at, suspended_since,
                   coalesce(next_try_at BETWEEN clock_timestamp() AND clock_timestamp() + make_interval(days => %s),
                            false) AS is_resting,
                   coalesce(token_refused_at >= run.start_time, false) AS is_refused_in_run
            FROM notion_sync.job_run_details AS run
            LEFT JOIN notion_sync.accounts ON user_id = %s
            WHERE runid = %s
            """,
            (SUSPENDED_TRIED_WITHIN_DAYS, user_id, runid),
        )
        (found,) = await cursor.fetchall()
    return found


async def lock_token(connection: Connection, user_id: str) -> None:
    """Has what is known of a user's token to itself until the transaction ends, with all users who have the same.

    They are locked in one order, as `leases.lock_rows` does: what writes of a token calls this first, or two of its
    users would wait for each other.
    """
    await _hold_token(connection, user_id)
    await connection.execute(
        """
        SELECT FROM notion_sync.accounts AS account
        WHERE user_id = %(user)s OR token_fingerprint = (
            SELECT token_fingerprint FROM notion_sync.accounts WHERE user_id = %(user)s
        )
        ORDER BY user_id FOR UPDATE
        """,
        {"user": user_id},
    )


async def _hold_token(connection: Connection, user_id: str) -> None:
    """Waits for whoever else has a user's token to themselves, until the transaction ends.

    Also for users who have it since a moment ago, whom nobody else sees yet: what is told of the token meanwhile would
    pass them by.
    """
    await connection.execute(
        """
        SELECT pg_advisory_xact_lock(hashtextextended(token_fingerprint, 0)) FROM notion_sync.accounts
        WHERE user_id = %s AND token_fingerprint IS NOT NULL
        """,
        (user_id,),
    )


async def refuse_token(connection: Connection, user_id: str, asked_at: datetime, problem: str) -> None:
    """Records that Notion, asked at `asked_at`, has refused a user's token, for all users who have the same."""
    await connection.execute(
        """
        UPDATE notion_sync.accounts AS account
        SET token_problem = %(problem)s,
            token_problem_since = CASE WHEN account.token_refusals > 0 THEN account.token_problem_since
                                       ELSE %(asked_at)s END,
            token_refusals = account.token_refusals + 1, token_refused_at = %(asked_at)s
        FROM notion_sync.accounts AS own
        WHERE own.user_id = %(user)s
          AND (account.user_id = own.user_id OR account.token_fingerprint = own.token_fingerprint)
        """,
        {"user": user_id, "problem": problem, "asked_at": asked_at},
    )


async def accept_token(connection: Connection, user_id: str) -> None:
    """Records that a user's token can be used, which lifts every suspension of it."""
    await connection.execute(
        """
        UPDATE notion_sync.accounts AS account
        SET token_problem = NULL, token_problem_since = NULL, token_refusals = 0, suspended_since = NULL,
            next_try_at = NULL
        FROM notion_sync.accounts AS own
        WHERE own.user_id = %s AND account.token_problem IS NOT NULL
          AND (account.user_id = own.user_id OR account.token_fingerprint = own.token_fingerprint)
        """,
        (user_id,),
    )


async def note_unusable_token(connection: Connection, user_id: str, problem: str) -> None:
    """Records why a user's token cannot even be asked with."""
    await connection.execute(
        """
        INSERT INTO notion_sync.accounts AS account (user_id, token_problem, token_problem_since)
        VALUES (%s, %s, clock_timestamp())
        ON CONFLICT (user_id) DO UPDATE
        SET token_problem = EXCLUDED.token_problem, token_refusals = 0, suspended_since = NULL, next_try_at = NULL,
            token_problem_since = CASE WHEN account.token_problem = EXCLUDED.token_problem
                                       THEN account.token_problem_since ELSE EXCLUDED.token_problem_since END
        """,
        (user_id, problem),
    )


async def suspend_token(
    connection: Connection, user_id: str, since: datetime | None, next_try_at: datetime | None
) -> None:
    """Suspends a user's token, for all users who have the same; with None, lifts the suspension."""
    await connection.execute(
        """
        UPDATE notion_sync.accounts AS account SET suspended_since = %(since)s, next_try_at = %(next)s
        FROM notion_sync.accounts AS own
        WHERE own.user_id = %(user)s
          AND (account.user_id = own.user_id OR account.token_fingerprint = own.token_fingerprint)
        """,
        {"since": since, "next": next_try_at, "user": user_id},
    )


async def is_another_token_accepted(
    connection: Connection, user_id: str, after: datetime | None, before: datetime
) -> bool:
    """Whether, between two moments, a database was read with another token than a user's; by anybody's run."""
    found = await fetch_value(
        connection,
        """
        SELECT EXISTS (
            SELECT FROM notion_sync.database_runs AS run JOIN notion_sync.accounts AS another USING (user_id)
            WHERE status = 'succeeded' AND end_time > %s AND end_time <= %s
              AND another.token_fingerprint IS DISTINCT FROM own.token_fingerprint)
        FROM notion_sync.accounts AS own WHERE user_id = %s
        """,
        after,
        before,
        user_id,
    )
    return bool(found)


async def tokens_asked_since(connection: Connection, since: datetime) -> tuple[int, bool]:
    """How many tokens were refused since then, and whether any was accepted; by anybody's runs."""
    found = await connection.execute(
        """
        SELECT count(DISTINCT token_fingerprint),
               EXISTS (SELECT FROM notion_sync.database_runs WHERE status = 'succeeded' AND end_time >= %(since)s)
        FROM notion_sync.accounts WHERE token_refusals > 0 AND token_refused_at >= %(since)s
        """,
        {"since": since},
    )
    (told,) = await found.fetchall()
    return cast(tuple[int, bool], told)


async def lift_all_of_tokens(connection: Connection) -> None:
    """Ends the suspension of every token."""
    await connection.execute(
        """
        WITH suspended AS (
            SELECT user_id FROM notion_sync.accounts WHERE suspended_since IS NOT NULL ORDER BY user_id FOR UPDATE
        )
        UPDATE notion_sync.accounts AS account SET suspended_since = NULL, next_try_at = NULL
        FROM suspended WHERE account.user_id = suspended.user_id
        """
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
            SELECT latest.codes, suspended_since, clock_timestamp() AS now,
                   EXISTS (
                       SELECT FROM notion_sync.database_runs AS run
                       WHERE status = 'succeeded' AND mode IS DISTINCT FROM 'pages'
                         AND end_time > latest.starts[2] AND end_time <= latest.starts[1]
                         AND (run.user_id, run.database_id) <> (database.user_id, database.database_id)
                   ) AS has_witness
            FROM notion_sync.databases AS database
            CROSS JOIN LATERAL (
                SELECT coalesce(array_agg(error_code ORDER BY runid DESC), '{}') AS codes,
                       array_agg(start_time ORDER BY runid DESC) AS starts
                FROM (
                    SELECT runid, error_code, start_time FROM notion_sync.database_runs AS run
                    WHERE run.user_id = database.user_id AND run.database_id = database.database_id
                      AND mode IS DISTINCT FROM 'pages'
                    ORDER BY runid DESC LIMIT %s
                ) AS run
            ) AS latest
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


async def last_told(
    connection: Connection, user_ids: Collection[str], databases: Collection[tuple[str, str]]
) -> list[Telling]:
    """When the failures of these accounts and databases (user and database id) were told last."""
    async with connection.cursor(row_factory=class_row(Telling)) as cursor:
        await cursor.execute(
            """
            SELECT user_id, NULL::uuid AS database_id, told_at,
                   coalesce(token_problem_since, (
                       SELECT min(failing_since) FROM notion_sync.databases WHERE databases.user_id = account.user_id
                   ), clock_timestamp()) AS since, clock_timestamp() AS now
            FROM notion_sync.accounts AS account WHERE user_id = ANY (%(accounts)s)
            UNION ALL
            SELECT user_id, database_id, told_at, coalesce(failing_since, clock_timestamp()), clock_timestamp()
            FROM notion_sync.databases
            JOIN unnest(%(users)s::text[], %(databases)s::uuid[]) AS failed (user_id, database_id)
                USING (user_id, database_id)
            """,
            {"accounts": list(user_ids), **_parted(databases)},
        )
        return await cursor.fetchall()


async def note_told(connection: Connection, user_ids: Collection[str], databases: Collection[tuple[str, str]]) -> None:
    """Records that the failures of these accounts and databases are told now."""
    await lock_rows(connection, user_ids)
    await connection.execute(
        "UPDATE notion_sync.accounts SET told_at = clock_timestamp() WHERE user_id = ANY (%s)", (list(user_ids),)
    )
    await connection.execute(
        """
        UPDATE notion_sync.databases AS database SET told_at = clock_timestamp()
        FROM unnest(%(users)s::text[], %(databases)s::uuid[]) AS told (user_id, database_id)
        WHERE (database.user_id, database.database_id) = (told.user_id, told.database_id)
        """,
        _parted(databases),
    )


def _parted(databases: Collection[tuple[str, str]]) -> dict[str, list[str]]:
    return {"users": [user_id for user_id, _ in databases], "databases": [one for _, one in databases]}
