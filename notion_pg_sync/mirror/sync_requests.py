"""Requests from SQL: which databases an application asks to have synced, and what came of that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from notion_pg_sync.core.health import Health
from notion_pg_sync.core.printable import to_storable
from notion_pg_sync.mirror.connection import Connection
from notion_pg_sync.mirror.runs import DatabaseRun


@dataclass(frozen=True)
class PendingRequests:
    """What is asked for a user: single databases by id, or `everything`."""

    database_ids: frozenset[str] = frozenset()
    everything: bool = False

    @property
    def is_any(self) -> bool:
        """Whether anything is asked."""
        return self.everything or bool(self.database_ids)

    def includes(self, database_id: str) -> bool:
        """Whether the database is asked for by itself or with all others."""
        return self.everything or database_id in self.database_ids


async def asking_users(connection: Connection) -> set[str]:
    """The users for whom a request waits."""
    found = await connection.execute("SELECT DISTINCT user_id FROM notion_sync.sync_requests WHERE status = 'waiting'")
    return {user_id async for (user_id,) in found}


async def begin_requests(connection: Connection, runid: int, user_id: str) -> PendingRequests:
    """Takes a user's waiting requests up for run `runid`."""
    taken = await connection.execute(
        """
        UPDATE notion_sync.sync_requests SET status = 'running', runid = %s
        WHERE user_id = %s AND status = 'waiting'
        RETURNING database_id
        """,
        (runid, user_id),
    )
    ids = [database_id async for (database_id,) in taken]
    return PendingRequests(frozenset(one for one in ids if one is not None), None in ids)


async def end_request(connection: Connection, runid: int, user_id: str, database_id: str, *, run: DatabaseRun) -> None:
    """Records what came of a request for one database, where run `runid` serves one."""
    await connection.execute(
        """
        UPDATE notion_sync.sync_requests
        SET status = %s, health = %s, message = %s, ended_at = clock_timestamp()
        WHERE runid = %s AND user_id = %s AND database_id = %s AND status = 'running'
        """,
        (
            run.status,
            (Health.FAILING if run.error_code else Health.OK).word,
            to_storable(run.message or ""),
            runid,
            user_id,
            database_id,
        ),
    )


async def end_other_requests(
    connection: Connection, runid: int, user_id: str, health: Health, message: str, *, refusal: str | None
) -> None:
    """Records what came of the request for everything, and why nothing came of what is still open.

    That is `refusal`, Notion's of the user's token, or that it was for no database of the user.
    """
    await connection.execute(
        """
        UPDATE notion_sync.sync_requests
        SET status = CASE WHEN database_id IS NULL AND %(refusal)s::text IS NULL THEN %(status)s ELSE 'failed' END,
            health = CASE WHEN database_id IS NULL AND %(refusal)s::text IS NULL THEN %(health)s ELSE %(failing)s END,
            message = CASE WHEN %(refusal)s::text IS NOT NULL THEN %(refusal)s
                           WHEN database_id IS NULL THEN %(message)s
                           ELSE 'the user has no such database in notion_databases, or what stands there cannot '
                                'be used: add it, or see doctor.' END,
            ended_at = clock_timestamp()
        WHERE runid = %(runid)s AND user_id = %(user)s AND status = 'running'
        """,
        {
            "refusal": refusal and to_storable(refusal),
            "status": "failed" if health is Health.FAILING else "succeeded",
            "health": health.word,
            "failing": Health.FAILING.word,
            "message": to_storable(message),
            "runid": runid,
            "user": user_id,
        },
    )


async def refuse_requests(connection: Connection, runid: int, connected: Sequence[str]) -> None:
    """Ends the requests, made before run `runid` began, for users that are not `connected` by a usable token."""
    await connection.execute(
        """
        UPDATE notion_sync.sync_requests
        SET status = 'failed', health = %(failing)s, runid = %(runid)s, ended_at = clock_timestamp(),
            message = 'the user has no Notion token in user_settings that can be used: let them connect Notion.'
        WHERE status = 'waiting' AND NOT user_id = ANY (%(connected)s)
          AND requested_at < (SELECT start_time FROM notion_sync.job_run_details WHERE runid = %(runid)s)
        """,
        {"runid": runid, "connected": list(connected), "failing": Health.FAILING.word},
    )
