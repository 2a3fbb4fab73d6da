"""Requests from SQL: what an application asks to have synced, and what came of that."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import LiteralString

from msgspec import Struct, field
from psycopg import sql

from notion_pg_sync.core.health import Health
from notion_pg_sync.core.printable import to_storable
from notion_pg_sync.mirror.connection import Connection
from notion_pg_sync.mirror.runs import ANNOUNCED, DatabaseRun

# However often a page is edited, and asked for, it is read by itself at most once within this time.
SECONDS_BETWEEN_READS = 50

# Of a `request`: whether a run may take it up now.
IS_DUE = sql.SQL(
    """
    request.status = 'waiting' AND NOT EXISTS (
        SELECT FROM notion_sync.sync_requests AS earlier
        WHERE earlier.user_id = request.user_id AND earlier.page_id = request.page_id
          AND earlier.started_at BETWEEN clock_timestamp() - make_interval(secs => {}) AND clock_timestamp())
    """
).format(SECONDS_BETWEEN_READS)


class PendingRequests(Struct, frozen=True):
    """What is asked for a user: single databases by id, `names` by the request's number, pages by the database that is
    said to hold them, or `everything`.
    """

    database_ids: frozenset[str] = frozenset()
    everything: bool = False
    names: Mapping[int, str] = field(default_factory=dict)
    pages: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many different things are asked for."""
        return self.everything + len(self.database_ids) + len(self.names) + sum(map(len, self.pages.values()))

    @property
    def is_any(self) -> bool:
        """Whether anything is asked."""
        return self.count > 0

    def includes(self, database_id: str) -> bool:
        """Whether the database is asked for by itself or with all others."""
        return self.everything or database_id in self.database_ids


class PageAnswer(Struct, frozen=True):
    """What came of the request for a page, in a sentence."""

    message: str
    health: Health = Health.OK


async def asking_users(connection: Connection) -> set[str]:
    """The users for whom a request waits that can be taken up."""
    query = sql.SQL("SELECT DISTINCT user_id FROM notion_sync.sync_requests AS request WHERE {}").format(IS_DUE)
    found = await connection.execute(query)
    return {user_id async for (user_id,) in found}


async def begin_requests(
    connection: Connection,
    runid: int,
    user_id: str,
    *,
    only: Collection[str] | None = None,
    only_pages: bool = False,
) -> PendingRequests:
    """Takes a user's waiting requests up for run `runid`; `only`: those for these databases, and for pages of them."""
    taken = await connection.execute(
        sql.SQL(
            """
            UPDATE notion_sync.sync_requests AS request
            SET status = 'running', runid = %(runid)s, started_at = clock_timestamp()
            WHERE user_id = %(user)s AND {}
              AND (%(only)s::uuid[] IS NULL OR database_id = ANY (%(only)s::uuid[]))
              AND (page_id IS NOT NULL OR NOT %(only_pages)s)
            RETURNING request_id, database_id, database_name, page_id
            """
        ).format(IS_DUE),
        {"runid": runid, "user": user_id, "only": None if only is None else list(only), "only_pages": only_pages},
    )
    return _pending(await taken.fetchall())


def _pending(taken: Sequence[tuple[int, str | None, str | None, str | None]]) -> PendingRequests:
    """What these requests ask for, each given by its number, its database's id and name, and its page's id; pure."""
    pages: dict[str, dict[str, None]] = {}
    for _, database_id, _, page_id in taken:
        if database_id is not None and page_id is not None:
            pages.setdefault(database_id, {})[page_id] = None
    return PendingRequests(
        frozenset(database_id for _, database_id, _, page_id in taken if database_id is not None and page_id is None),
        any(database_id is None and name is None for _, database_id, name, _ in taken),
        {number: name for number, database_id, name, _ in taken if database_id is None and name is not None},
        {database_id: list(page_ids) for database_id, page_ids in pages.items()},
    )


async def note_databases(connection: Connection, database_ids: Mapping[int, str]) -> None:
    """Records which databases requests mean (by their numbers) that gave a name."""
    await connection.execute(
        """
        UPDATE notion_sync.sync_requests AS request SET database_id = meant.database_id
        FROM unnest(%s::bigint[], %s::uuid[]) AS meant (request_id, database_id)
        WHERE request.request_id = meant.request_id AND request.status = 'running'
        """,
        (list(database_ids), list(database_ids.values())),
    )


# In the transaction that ends them, so that who is told of it finds it so.
_ENDING: LiteralString = """
    WITH ended AS (
        UPDATE notion_sync.sync_requests AS request
        SET {changes}, ended_at = clock_timestamp()
        {which}
        RETURNING request.request_id
    )
    SELECT pg_catalog.pg_notify({channel}, %(runid)s::text) FROM ended LIMIT 1
"""


async def _end(
    connection: Connection, changes: LiteralString, which: LiteralString, parameters: Mapping[str, object]
) -> None:
    """Ends requests of run `runid`, and tells whoever listens."""
    statement = sql.SQL(_ENDING).format(changes=sql.SQL(changes), which=sql.SQL(which), channel=sql.Literal(ANNOUNCED))
    await connection.execute(statement, parameters)


# In one statement, since most databases have none.
_END_DATABASE = sql.SQL(
    """
    WITH taken AS (
        SELECT request_id, request.started_at <= known.start_time AND (
            page_id IS NULL OR %(is_whole)s OR %(has_failed)s AND request.started_at < known.start_time) AS is_answered
        FROM notion_sync.sync_requests AS request
        JOIN notion_sync.database_runs AS known USING (runid, user_id, database_id)
        WHERE runid = %(runid)s AND user_id = %(user)s AND database_id = %(database)s AND request.status = 'running'
    ), changed AS (
        UPDATE notion_sync.sync_requests AS request
        SET status = CASE WHEN is_answered THEN %(status)s ELSE 'waiting' END,
            health = CASE WHEN is_answered THEN %(health)s END,
            message = CASE WHEN is_answered THEN %(message)s END,
            started_at = CASE WHEN is_answered THEN started_at END,
            ended_at = CASE WHEN is_answered THEN clock_timestamp() END
        FROM taken WHERE request.request_id = taken.request_id AND request.status = 'running'
        RETURNING is_answered
    )
    SELECT pg_catalog.pg_notify({channel}, %(runid)s::text) FROM changed WHERE is_answered LIMIT 1
    """
).format(channel=sql.Literal(ANNOUNCED))


async def end_request(connection: Connection, runid: int, user_id: str, database_id: str, *, run: DatabaseRun) -> None:
    """Records what came of requests for one database that run `runid` had taken up when it began.

    Where all of the database was read, requests for its pages are answered too; those that were taken up before since
    nobody could answer them otherwise fail with the database. One for a page that left Notion is not where only edits
    were read: all others wait again.
    """
    await connection.execute(
        _END_DATABASE,
        {
            "status": run.status,
            "health": (Health.FAILING if run.error_code else Health.OK).word,
            "message": to_storable(run.message or ""),
            "runid": runid,
            "user": user_id,
            "database": database_id,
            "is_whole": run.is_whole and not run.error_code,
            "has_failed": run.error_code is not None,
        },
    )


async def end_pages(connection: Connection, runid: int, user_id: str, answers: Mapping[str, PageAnswer]) -> None:
    """Records what came of requests for pages (by their ids) that run `runid` serves."""
    await _end(
        connection,
        "status = answer.status, health = answer.health, message = answer.message",
        "FROM unnest(%(pages)s::uuid[], %(statuses)s::text[], %(healths)s::text[], %(messages)s::text[])"
        " AS answer (page_id, status, health, message)"
        " WHERE runid = %(runid)s AND user_id = %(user)s AND request.page_id = answer.page_id"
        " AND request.status = 'running'",
        {
            "pages": list(answers),
            "statuses": [_status(one.health) for one in answers.values()],
            "healths": [one.health.word for one in answers.values()],
            "messages": [to_storable(one.message) for one in answers.values()],
            "runid": runid,
            "user": user_id,
        },
    )


async def refuse_names(connection: Connection, runid: int, reasons: Mapping[int, str]) -> None:
    """Records why requests (by their numbers) that gave a name mean no database."""
    await _end(
        connection,
        "status = 'failed', health = %(failing)s, message = refused.message",
        "FROM unnest(%(numbers)s::bigint[], %(messages)s::text[]) AS refused (request_id, message)"
        " WHERE runid = %(runid)s AND request.request_id = refused.request_id AND request.status = 'running'",
        {
            "failing": Health.FAILING.word,
            "numbers": list(reasons),
            "messages": [to_storable(one) for one in reasons.values()],
            "runid": runid,
        },
    )


async def hand_back(connection: Connection, runid: int, user_id: str, database_ids: Collection[str]) -> None:
    """Lets requests for these databases wait again that run `runid` took up and did not come to.

    So it is where a session was lost, and where a page lies in another database that had to be synced first.
    """
    await connection.execute(
        """
        UPDATE notion_sync.sync_requests SET status = 'waiting', started_at = NULL
        WHERE runid = %s AND user_id = %s AND database_id = ANY (%s::uuid[]) AND status = 'running'
        """,
        (runid, user_id, list(database_ids)),
    )


async def end_other_requests(
    connection: Connection, runid: int, user_id: str, health: Health, message: str, *, refusal: str | None
) -> None:
    """Records what came of the request for everything, and why nothing came of what is still open.

    That is `refusal`, Notion's of the user's token, or that it was for no database of the user.
    """
    await _end(
        connection,
        """
        status = CASE WHEN database_id IS NULL AND %(refusal)s::text IS NULL THEN %(status)s ELSE 'failed' END,
        health = CASE WHEN database_id IS NULL AND %(refusal)s::text IS NULL THEN %(health)s ELSE %(failing)s END,
        message = CASE WHEN %(refusal)s::text IS NOT NULL THEN %(refusal)s
                       WHEN database_id IS NULL THEN %(message)s
                       ELSE 'the user has no such database in notion_databases, or what stands there cannot '
                            'be used: add it, or see doctor.' END
        """,
        "WHERE runid = %(runid)s AND user_id = %(user)s AND status = 'running'",
        {
            "refusal": refusal and to_storable(refusal),
            "status": _status(health),
            "health": health.word,
            "failing": Health.FAILING.word,
            "message": to_storable(message),
            "runid": runid,
            "user": user_id,
        },
    )


async def refuse_requests(connection: Connection, runid: int, connected: Sequence[str]) -> None:
    """Ends the requests, made before run `runid` began, for users that are not `connected` by a usable token."""
    await _end(
        connection,
        """
        status = 'failed', health = %(failing)s, runid = %(runid)s,
        message = 'user_settings has no such user, or no Notion token of theirs that can be used: check the id of the '
                  'user, and let them connect Notion.'
        """,
        "WHERE status = 'waiting' AND NOT user_id = ANY (%(connected)s)"
        " AND requested_at < (SELECT start_time FROM notion_sync.job_run_details WHERE runid = %(runid)s)",
        {"runid": runid, "connected": list(connected), "failing": Health.FAILING.word},
    )


def _status(health: Health) -> str:
    return "failed" if health is Health.FAILING else "succeeded"
