"""The way to PostgreSQL: connections that work behind a transaction pooler too.

No session state, no start-up options, no prepared statements: a pooler hands the next transaction to another server
connection, which knows nothing of them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from typing import Any, LiteralString, cast

from psycopg import AsyncConnection, OperationalError, pq, sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from notion_pg_sync.mirror.names import NamingCursor
from notion_pg_sync.mirror.unreachable import URL_FORM, Target, Trouble, why_unreachable, why_unreadable

Connection = AsyncConnection[TupleRow]

CONNECT_TIMEOUT_SECONDS = 15
STATEMENT_TIMEOUT_SECONDS = 300
OLDEST_POSTGRESQL = 150000


class Pool(AsyncConnectionPool[Connection]):
    """Connections, and how long a statement may take (seconds) in a transaction of them."""

    statement_seconds: float = STATEMENT_TIMEOUT_SECONDS


class PostgresError(Exception):
    """PostgreSQL cannot be used; the message says why and what to do, without any password.

    `mend` is what to type to mend it, or to find out more; empty where the message says it all.
    """

    def __init__(self, sentence: str, mend: str = "") -> None:
        super().__init__(sentence)
        self.mend = mend


@asynccontextmanager
async def open_pool(
    database_url: str, most_connections: int = 8, statement_seconds: float = STATEMENT_TIMEOUT_SECONDS
) -> AsyncIterator[Pool]:
    """Connections to `database_url` (libpq's form; empty: libpq's own `PG*` variables).

    Raises `PostgresError` when PostgreSQL cannot be reached, is too old, or cannot hold every text.
    """
    await _check(database_url)
    pool = Pool(
        database_url,
        min_size=0,
        max_size=most_connections,
        open=False,
        timeout=CONNECT_TIMEOUT_SECONDS * 2,
        kwargs=_options(database_url),
    )
    pool.statement_seconds = statement_seconds
    await pool.open()
    try:
        yield pool
    finally:
        await pool.close()


@asynccontextmanager
async def transaction(pool: Pool) -> AsyncIterator[Connection]:
    """One transaction, committed at the end of the block, in which no statement waits for ever.

    Nor does anybody wait for ever for a process that is paused in the midst of it. A connection that broke while it
    rested in the pool is left for another.
    """
    async with AsyncExitStack() as stack:
        yield await _begin(pool, stack)


async def _begin(pool: Pool, stack: AsyncExitStack) -> Connection:
    for _ in range(pool.max_size):
        connection = await stack.enter_async_context(pool.connection())
        try:
            await stack.enter_async_context(bounded_transaction(connection, pool.statement_seconds))
        except OperationalError:
            if not connection.broken:
                raise
            await stack.pop_all().aclose()
        else:
            return connection
    raise OperationalError("PostgreSQL breaks every connection as soon as it is used")


@asynccontextmanager
async def bounded_transaction(
    connection: Connection, seconds: float = STATEMENT_TIMEOUT_SECONDS
) -> AsyncIterator[None]:
    """The same on a connection that is at hand; `seconds` is how long a statement, or a pause, may be."""
    async with connection.transaction():
        # Not by set_config(): a query would keep the block from choosing its isolation level.
        await connection.execute(
            sql.SQL(
                "SET LOCAL statement_timeout = {limit}; SET LOCAL idle_in_transaction_session_timeout = {limit}"
            ).format(limit=sql.Literal(f"{round(seconds * 1000)}ms"))
        )
        yield


async def current_time(connection: Connection) -> datetime:
    """PostgreSQL's time now."""
    return cast(datetime, await fetch_value(connection, "SELECT clock_timestamp()"))


async def fetch_value(connection: Connection, query: LiteralString | sql.Composed, *parameters: object) -> object:
    """The first column of the first row of the answer, None where there is no row."""
    row = await (await connection.execute(query, parameters)).fetchone()
    return row[0] if row else None


def _options(database_url: str) -> dict[str, Any]:
    timeout = conninfo_to_dict(database_url).get("connect_timeout") or CONNECT_TIMEOUT_SECONDS
    return {
        "autocommit": True,
        "prepare_threshold": None,
        "connect_timeout": timeout,
        "cursor_factory": NamingCursor,
    }


async def _check(database_url: str) -> None:
    try:
        connection = await AsyncConnection.connect(database_url, **_options(database_url))
    except OperationalError as error:
        trouble = _why_unreachable(database_url, error)
        raise PostgresError(trouble.sentence, trouble.mend) from error
    except Exception as error:
        if type(error).__module__.startswith("psycopg"):
            trouble = why_unreadable(database_url)
            raise PostgresError(trouble.sentence, trouble.mend) from error
        raise
    async with connection:
        if connection.info.server_version < OLDEST_POSTGRESQL:
            raise PostgresError(
                f"PostgreSQL {connection.info.server_version // 10000} is too old: use PostgreSQL 15 or newer.",
                f"export DATABASE_URL={URL_FORM}",
            )
        if (encoding := connection.info.parameter_status("server_encoding")) != "UTF8":
            raise PostgresError(
                f"the database is encoded in {encoding}, which cannot hold every text of Notion: make one in UTF8, and "
                "name it in DATABASE_URL.",
                "CREATE DATABASE notion TEMPLATE template0 ENCODING 'UTF8';",
            )


def _why_unreachable(database_url: str, error: OperationalError) -> Trouble:
    options = error.pgconn.info if error.pgconn else pq.Conninfo.get_defaults()
    parameters: dict[str, object] = {option.keyword.decode(): (option.val or b"").decode() for option in options}
    if not error.pgconn:
        parameters |= conninfo_to_dict(database_url)
    return why_unreachable(Target.of(parameters), str(error), (str(parameters.get("password") or ""),))
