"""The way to PostgreSQL: connections that work behind a transaction pooler too.

No session state, no start-up options, no prepared statements: a pooler hands the next transaction to another server
connection, which knows nothing of them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import LiteralString

from psycopg import AsyncConnection, OperationalError, sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

Connection = AsyncConnection[TupleRow]
Pool = AsyncConnectionPool[Connection]

CONNECT_TIMEOUT_SECONDS = 15
STATEMENT_TIMEOUT_SECONDS = 300
OLDEST_POSTGRESQL = 150000


class PostgresError(Exception):
    """PostgreSQL cannot be used; the message says why and what to do, without any password."""


@asynccontextmanager
async def open_pool(database_url: str, most_connections: int = 8) -> AsyncIterator[Pool]:
    """Connections to `database_url` (libpq's form; empty: libpq's own `PG*` variables).

    Raises `PostgresError` when PostgreSQL cannot be reached or is too old.
    """
    await _check(database_url)
    pool: Pool = AsyncConnectionPool(
        database_url,
        min_size=0,
        max_size=most_connections,
        open=False,
        timeout=CONNECT_TIMEOUT_SECONDS * 2,
        kwargs={"autocommit": True, "prepare_threshold": None, "connect_timeout": CONNECT_TIMEOUT_SECONDS},
    )
    await pool.open()
    try:
        yield pool
    finally:
        await pool.close()


@asynccontextmanager
async def transaction(pool: Pool) -> AsyncIterator[Connection]:
    """One transaction, committed at the end of the block, in which no statement waits for ever."""
    async with pool.connection() as connection, connection.transaction():
        await connection.execute(
            sql.SQL("SET LOCAL statement_timeout = {}").format(sql.Literal(f"{STATEMENT_TIMEOUT_SECONDS}s"))
        )
        yield connection


async def fetch_value(connection: Connection, query: LiteralString | sql.Composed, *parameters: object) -> object:
    """The first column of the first row of the answer, None where there is no row."""
    row = await (await connection.execute(query, parameters)).fetchone()
    return row[0] if row else None


async def _check(database_url: str) -> None:
    try:
        connection = await AsyncConnection.connect(
            database_url, autocommit=True, prepare_threshold=None, connect_timeout=CONNECT_TIMEOUT_SECONDS
        )
    except OperationalError as error:
        raise PostgresError(_unreachable(database_url, error)) from error
    except Exception as error:
        if type(error).__module__.startswith("psycopg"):
            raise PostgresError("DATABASE_URL cannot be read: write it as postgresql://user@host:5432/name.") from error
        raise
    async with connection:
        if connection.info.server_version < OLDEST_POSTGRESQL:
            raise PostgresError(
                f"PostgreSQL {connection.info.server_version // 10000} is too old: use PostgreSQL 15 or newer."
            )


def _unreachable(database_url: str, error: OperationalError) -> str:
    parameters = conninfo_to_dict(database_url)
    password = parameters.get("password")
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    cause = lines[0] if lines else type(error).__name__
    if password:
        cause = cause.replace(str(password), "***")
    return (
        f"PostgreSQL cannot be reached: {cause.rstrip('.')}. "
        "Check host, port, user and password in DATABASE_URL, and that PostgreSQL is running and lets this host in."
    )
