"""The way to PostgreSQL: connections that work behind a transaction pooler too.

No session state, no start-up options, no prepared statements: a pooler hands the next transaction to another server
connection, which knows nothing of them. So each transaction sets for itself what it relies on (reliance.py), its
`search_path` above all.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from datetime import datetime
from functools import wraps
from random import uniform
from typing import TYPE_CHECKING, Any, LiteralString, ParamSpec, Self, TypeVar, cast

from msgspec.structs import replace
from psycopg import (
    AsyncConnection,
    AsyncCopy,
    AsyncCursor,
    OperationalError,
    errors,
    pq,
    sql,
)
from psycopg import Error as PsycopgError
from psycopg.abc import Params
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import TupleRow
from psycopg.types.string import TextLoader

from notion_pg_sync.core.errors import ErrorCode, ToolError
from notion_pg_sync.mirror.lock_holders import HeldLockError, LockHolder, LockWatch, lock_holders
from notion_pg_sync.mirror.qualified_sql import with_names_kept
from notion_pg_sync.mirror.read_only import ReadOnly, why_read_only
from notion_pg_sync.mirror.reliance import Names, Reliance

if TYPE_CHECKING:
    from psycopg_pool import AsyncConnectionPool

    from notion_pg_sync.mirror.unreachable import Explanation, Target

CONNECT_TIMEOUT_SECONDS = 15
STATEMENT_TIMEOUT_SECONDS = 300
LOCK_TIMEOUT_SECONDS = 60
# Thousands of users may wait for the lock that one has waited for in vain.
_IMPATIENT_SECONDS = 1.0
OLDEST_POSTGRESQL = 150000
_PROBE_SECONDS = 2

# What other sessions caused, and a transaction that is tried again may escape.
_CONFLICTS = (errors.SerializationFailure, errors.DeadlockDetected)
# What a wait for a lock ends in that somebody else does not let go.
WAITED_IN_VAIN = (errors.LockNotAvailable, errors.QueryCanceled)
_MOST_ATTEMPTS = 10
_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS = 0.1, 5

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
Transaction = Coroutine[Any, Any, Result]


def retried(transact: Callable[Arguments, Transaction[Result]]) -> Callable[Arguments, Transaction[Result]]:
    """Does all of `transact` once more, a little later, where it meets a deadlock or what PostgreSQL cannot serialize.

    For what consists of one whole transaction and changes nothing else, in memory least of all: `transact` is called
    again with the same arguments, so none may be an iterator. All that writes where others may write is `retried`; what
    takes locks for long (`initialise`, `views`) tries again in its own way, with a limit on how long it waits.
    """

    @wraps(transact)
    async def patiently(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        for earlier in range(_MOST_ATTEMPTS - 1):
            try:
                return await transact(*args, **kwargs)
            except _CONFLICTS:
                await asyncio.sleep(uniform(0, min(_FIRST_WAIT_SECONDS * 2**earlier, _LONGEST_WAIT_SECONDS)))
        return await transact(*args, **kwargs)

    return patiently


class PostgresError(ToolError):
    """PostgreSQL cannot be used; the message says why and what to do, without any password."""

    code = ErrorCode.POSTGRESQL


class NotSetUpError(PostgresError):
    """Nothing that the tool needs was ever made in this PostgreSQL."""


class Connection(AsyncConnection[TupleRow]):
    """A connection whose transactions set what they rely on before their first statement.

    Names are PostgreSQL's own, and in `as_application()` those of the application's `search_path`.
    """

    reliance: Reliance
    database_url: str
    _names = Names.OURS
    _in_force = Names.OURS
    _met_application = False

    @asynccontextmanager
    async def transaction(
        self, savepoint_name: str | None = None, force_rollback: bool = False, *, first: Names = Names.OURS
    ) -> AsyncIterator[Any]:
        """A transaction, or a savepoint in the one under way; what the block is given is of no use.

        `first`: by which names the first statement of a transaction goes; in `as_application()` the application's.
        Raises `PostgresError` where PostgreSQL lets it only read. An error for a lock that somebody else holds is
        raised from `HeldLockError`, which names them.
        """
        if not self.in_transaction:
            async with (
                self._watched(),
                self._outermost(force_rollback, first if self._names is Names.OURS else self._names),
            ):
                yield None
            return
        before = self._in_force
        try:
            async with super().transaction(savepoint_name, force_rollback) as block:
                yield block
        except BaseException:
            self._in_force = before
            raise
        if force_rollback:
            self._in_force = before

    @asynccontextmanager
    async def _outermost(self, force_rollback: bool, names: Names) -> AsyncIterator[None]:
        """The transaction itself; it begins together with its settings, or a timeout of the role could end it between.

        What is wrong with the rollback is not told: the error that led to it is.
        """
        self._in_force, self._met_application = names, names is Names.APPLICATION
        try:
            await AsyncCursor(self).execute(self.reliance.begin(names))
            yield
            is_whole = self.info.transaction_status == pq.TransactionStatus.INTRANS
            if self._met_application and self._in_force is Names.OURS and is_whole:
                # Constraint triggers that the application deferred run now.
                await self._set(Names.APPLICATION)
            if not force_rollback:
                await self.commit()
        finally:
            if self.in_transaction and not self.closed:
                await self.rollback()

    @asynccontextmanager
    async def _watched(self) -> AsyncIterator[None]:
        """Looks who holds up the block, and says why it may only read."""
        watch = LockWatch(self.lock_holders, self.reliance.lock_seconds)
        try:
            yield
        except errors.ReadOnlySqlTransaction as error:
            if why := await self._why_read_only():
                raise PostgresError(why.sentence, why.fix) from error
            raise
        except WAITED_IN_VAIN as error:
            if watch.holders:
                raise error from HeldLockError(watch.holders)
            raise
        finally:
            await watch.end()

    @contextmanager
    def as_application(self) -> Iterator[None]:
        """Statements of the block touch tables of the application, whose triggers and policies find what they name.

        Every name in them has to be qualified (`names.qualified`).
        """
        before, self._names = self._names, Names.APPLICATION
        try:
            yield
        finally:
            self._names = before

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is under way."""
        return self.info.transaction_status != pq.TransactionStatus.IDLE

    @property
    def is_settled(self) -> bool:
        """Whether the settings are those that the next statement relies on."""
        return self._in_force is self._names and self.in_transaction

    async def settle(self) -> None:
        """Makes the settings those that the next statement relies on."""
        await self._set(self._names)

    async def _set(self, names: Names) -> None:
        if self._in_force is names:
            return
        await AsyncCursor(self).execute(self.reliance.change(names))
        self._in_force = names
        self._met_application = self._met_application or names is Names.APPLICATION

    async def lock_holders(self) -> list[LockHolder]:
        """Who holds up the transaction under way, as another session sees it."""
        other = await Connection.connect(self.database_url, **_options(self.database_url))
        async with other:
            await _configure(other, self.database_url, self.reliance)
            async with other.transaction(), other.cursor() as cursor:
                return await lock_holders(cursor, self.info.backend_pid)

    async def _why_read_only(self) -> ReadOnly | None:
        async with self.transaction(), self.cursor() as cursor:
            return await why_read_only(cursor)


class Cursor(AsyncCursor[TupleRow]):
    """A cursor whose statements run in a transaction, with the settings that they rely on.

    It reads names and literals as they are, in statements with parameters too.
    """

    async def execute(self, query: Any, params: Params | None = None, **options: Any) -> Self:
        """See `psycopg.AsyncCursor.execute`."""
        query = query if params is None else with_names_kept(query)
        if cast(Connection, self.connection).is_settled:
            return await super().execute(query, params, **options)
        async with self._settled():
            return await super().execute(query, params, **options)

    async def executemany(self, query: Any, params_seq: Iterable[Params], **options: Any) -> None:
        """See `psycopg.AsyncCursor.executemany`."""
        async with self._settled():
            await super().executemany(with_names_kept(query), params_seq, **options)

    @asynccontextmanager
    async def copy(self, statement: Any, params: Params | None = None, **options: Any) -> AsyncIterator[AsyncCopy]:
        """See `psycopg.AsyncCursor.copy`."""
        async with self._settled(), super().copy(statement, params, **options) as copy:
            yield copy

    @asynccontextmanager
    async def _settled(self) -> AsyncIterator[None]:
        connection = cast(Connection, self.connection)
        if connection.in_transaction:
            await connection.settle()
            yield
        else:
            async with connection.transaction():
                await connection.settle()
                yield


class Pool:
    """Connections that rely on the same. `held_up_by`: who held the last lock that one of them waited for in vain."""

    def __init__(self, connections: AsyncConnectionPool[Connection], reliance: Reliance) -> None:
        self.connections = connections
        self.reliance = reliance
        self.held_up_by: HeldLockError | None = None

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """One of them, for the block; waits until one is free. Raises `PoolTimeout`.

        Before Python 3.12 a cancellation that comes together with the connection is lost on the way (python/cpython
        #86296); then it is raised here, or what was given up would go on, and whoever waits for its end for ever.
        """
        task = asyncio.current_task()
        before = task.cancelling() if task else 0
        async with self.connections.connection() as connection:
            if task and task.cancelling() > before:
                raise asyncio.CancelledError
            yield connection

    def note_lock(self, held: HeldLockError) -> None:
        """Takes down who does not let go of a lock: whoever meets it from now on waits a moment only."""
        self.held_up_by = held
        self.reliance = replace(self.reliance, lock_seconds=min(self.reliance.lock_seconds, _IMPATIENT_SECONDS))


@asynccontextmanager
async def open_pool(
    database_url: str,
    most_connections: int = 8,
    statement_seconds: float = STATEMENT_TIMEOUT_SECONDS,
    lock_seconds: float = LOCK_TIMEOUT_SECONDS,
) -> AsyncIterator[Pool]:
    """Connections to `database_url` (libpq's form; empty: libpq's own `PG*` variables).

    `statement_seconds`: how long a statement may take, 0 for as long as it takes; `lock_seconds`: how long of that it
    may wait for a lock. Raises `PostgresError` when PostgreSQL cannot be reached, is too old, or cannot hold every
    text.
    """
    from psycopg_pool import AsyncConnectionPool  # noqa: PLC0415 - `status` has one connection alone

    async with open_connection(database_url, statement_seconds, lock_seconds) as first:
        reliance = first.reliance

    async def configure(connection: Connection) -> None:
        await _configure(connection, database_url, reliance)

    connections = AsyncConnectionPool(
        database_url,
        connection_class=Connection,
        configure=configure,
        min_size=0,
        max_size=most_connections,
        open=False,
        # Where all of them wait for one lock, it shows first whose that is.
        timeout=CONNECT_TIMEOUT_SECONDS * 2 + lock_seconds,
        kwargs=_options(database_url),
    )
    async with connections:
        yield Pool(connections, reliance)


@asynccontextmanager
async def open_connection(
    database_url: str,
    statement_seconds: float = STATEMENT_TIMEOUT_SECONDS,
    lock_seconds: float = LOCK_TIMEOUT_SECONDS,
) -> AsyncIterator[Connection]:
    """One connection, for what asks one thing after the other. Parameters and errors are those of `open_pool`."""
    async with await _connect(database_url) as connection:
        if connection.info.server_version < OLDEST_POSTGRESQL:
            raise PostgresError(
                f"PostgreSQL {connection.info.server_version // 10000} is too old: use PostgreSQL 15 or newer."
            )
        if (encoding := connection.info.parameter_status("server_encoding")) != "UTF8":
            raise PostgresError(
                f"the database is encoded in {encoding}, which cannot hold every text of Notion: make one in UTF8 "
                "(CREATE DATABASE notion TEMPLATE template0 ENCODING 'UTF8'), and name it in DATABASE_URL.",
            )
        reliance = Reliance("", statement_seconds, lock_seconds, connection.info.server_version)
        await _configure(connection, database_url, reliance)
        await _configure(connection, database_url, await _with_own_settings(connection, reliance))
        yield connection


@asynccontextmanager
async def transaction(pool: Pool, first: Names = Names.OURS) -> AsyncIterator[Connection]:
    """One transaction, committed at the end of the block, in which no statement waits for ever.

    Nor does anybody wait for ever for a process that is paused in the midst of it. A connection that broke while it
    rested in the pool is left for another. `first`: by which names its first statement goes, which then need not be
    changed for it.
    """
    from psycopg_pool import PoolTimeout  # noqa: PLC0415 - there is a pool, so this is there

    try:
        async with AsyncExitStack() as stack:
            yield await _begin(pool, stack, first)
    except WAITED_IN_VAIN as error:
        if isinstance(error.__cause__, HeldLockError):
            pool.note_lock(error.__cause__)
        raise
    except PoolTimeout as error:
        raise error from pool.held_up_by


async def _begin(pool: Pool, stack: AsyncExitStack, first: Names) -> Connection:
    # All may have broken while they rested; the one after them is new.
    for _ in range(pool.connections.max_size + 1):
        connection = await stack.enter_async_context(pool.connection())
        connection.reliance = pool.reliance
        try:
            await stack.enter_async_context(connection.transaction(first=first))
        except PsycopgError:
            if not connection.broken:
                raise
            await stack.pop_all().aclose()
        else:
            return connection
    raise OperationalError("PostgreSQL breaks every connection as soon as it is used")


@asynccontextmanager
async def open_session(connection: Connection, settings: dict[str, str]) -> AsyncIterator[AsyncConnection | None]:
    """A session of its own beside `connection`, with these settings from its start, for what is in no transaction.

    None where it cannot be had, as behind a transaction pooler, which hands none out.
    """
    given = [f"-c {name}={value}" for name, value in settings.items()]
    parameters = {
        **_options(connection.database_url),
        "cursor_factory": AsyncCursor,
        "options": " ".join([connection.pgconn.options.decode(), *given]),
    }
    try:
        session = await AsyncConnection.connect(connection.database_url, **parameters)
    except OperationalError:
        yield None
        return
    async with session:
        asked = sql.SQL("SELECT {}").format(
            sql.SQL(", ").join(sql.SQL("current_setting({})").format(name) for name in settings)
        )
        in_force = await (await session.execute(asked)).fetchone()
        yield session if in_force == tuple(settings.values()) else None


async def current_time(connection: Connection) -> datetime:
    """PostgreSQL's time now."""
    return cast(datetime, await fetch_value(connection, "SELECT clock_timestamp()"))


async def fetch_value(
    connection: Connection, query: LiteralString | sql.SQL | sql.Composed, *parameters: object, **named: object
) -> object:
    """The first column of the first row of the answer, None where there is no row.

    The parameters of the query come by place or by name.
    """
    row = await (await connection.execute(query, named or parameters)).fetchone()
    return row[0] if row else None


def _options(database_url: str) -> dict[str, Any]:
    timeout = conninfo_to_dict(database_url).get("connect_timeout") or CONNECT_TIMEOUT_SECONDS
    return {
        "autocommit": True,
        "prepare_threshold": None,
        "connect_timeout": timeout,
        "cursor_factory": Cursor,
    }


async def _configure(connection: Connection, database_url: str, reliance: Reliance) -> None:
    connection.database_url = database_url
    connection.reliance = reliance
    # Ids are texts to the rest of the tool, with dashes, as Notion writes them.
    connection.adapters.register_loader("uuid", TextLoader)
    if reliance.ends_idle_sessions:
        # The one setting that no transaction can set aside for itself. Nothing relies on it, and where a pooler hands
        # the session to somebody else, it is the pooler's to end.
        await AsyncCursor(connection).execute("SET idle_session_timeout = 0")


async def _connect(database_url: str) -> Connection:
    try:
        return await Connection.connect(database_url, **_options(database_url))
    except OperationalError as error:
        raise _unreachable(await _why_unreachable(database_url, error)) from error
    except Exception as error:
        if type(error).__module__.startswith("psycopg"):
            from notion_pg_sync.mirror.unreachable import why_unreadable  # noqa: PLC0415 - only where needed

            raise _unreachable(why_unreadable(database_url)) from error
        raise


async def _with_own_settings(connection: Connection, reliance: Reliance) -> Reliance:
    """What transactions rely on, with what the role and the database are set to."""
    # Not the present values: another client of a pooler may have left those behind.
    found = await connection.execute(
        """
        SELECT name, reset_val, source = 'default' AND 'lz4' = ANY (enumvals) FROM pg_settings
        WHERE name IN ('search_path', 'idle_session_timeout', 'default_toast_compression')
        """
    )
    own = {name: (value, has_lz4) async for name, value, has_lz4 in found}
    return replace(
        reliance,
        application_path=own["search_path"][0],
        ends_idle_sessions=own["idle_session_timeout"][0] != "0",
        has_lz4=own["default_toast_compression"][1],
    )


def _unreachable(why: Explanation) -> PostgresError:
    return PostgresError(why.sentence, why.fix, needs="" if why.fix else why.advice, look=why.look)


async def _why_unreachable(database_url: str, error: OperationalError) -> Explanation:
    from notion_pg_sync.mirror.unreachable import ACCEPTED, Target, why_unreachable  # noqa: PLC0415 - only where needed

    options = error.pgconn.info if error.pgconn else pq.Conninfo.get_defaults()
    parameters: dict[str, object] = {option.keyword.decode(): (option.val or b"").decode() for option in options}
    if not error.pgconn:
        parameters |= conninfo_to_dict(database_url)
    target, said = Target.of(parameters), str(error)
    if isinstance(error, errors.ConnectionTimeout) and target.is_readable and await _takes_connections(target):
        said = f"{said}: {ACCEPTED}"
    return why_unreachable(target, said, (str(parameters.get("password") or ""),))


async def _takes_connections(target: Target) -> bool:
    """Whether somebody takes a connection there, soon; on a socket, libpq has got that far."""
    if target.is_socket or not target.port.isdigit():
        return target.is_socket
    try:
        async with asyncio.timeout(_PROBE_SECONDS):
            _, writer = await asyncio.open_connection(target.host, int(target.port))
    except OSError:
        return False
    writer.close()
    return True
