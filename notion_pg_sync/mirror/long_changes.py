"""What takes long where a table has many rows, done while an application reads and writes it.

No step needs a lock that stops others for long, and each is done or not, wherever it is cut off: the next `init` finds
out what is left. An index that was left unfinished is dropped and built again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import TypeVar

from psycopg import errors, sql

from notion_pg_sync.mirror.adoption import Change, Changes, Index, RowChanges
from notion_pg_sync.mirror.connection import Connection, fetch_value, open_session
from notion_pg_sync.mirror.locks import LOCKED, in_attempts, limit_lock_waits
from notion_pg_sync.mirror.migrations import take_turns
from notion_pg_sync.mirror.page_uuids import fill

# Of a building that holds up nobody, for whoever has a transaction open.
_PATIENCE = "20s"
_LOCK_ATTEMPTS = 10
# What another session causes that is at work on the same; the last is "tuple concurrently updated", of the catalog.
_PASSING = (*LOCKED, errors.InternalError_)
# How often rows of an application come in between before that is an error.
_ATTEMPTS = 5

# PostgreSQL changes no table while a constraint trigger of an application still has to look at rows that were changed.
AT_ONCE = "SET CONSTRAINTS ALL IMMEDIATE"

Result = TypeVar("Result")


async def in_turn(connection: Connection, work: Callable[[Connection], Awaitable[Result]]) -> Result:
    """Does `work` in one transaction, in which no other `init` is at work; once more where a lock cannot be had."""

    async def take_turn() -> Result:
        await take_turns(connection)
        await limit_lock_waits(connection)
        return await work(connection)

    return await in_attempts(connection, take_turn, attempts=_LOCK_ATTEMPTS, passing=_PASSING)


async def make(connection: Connection, changes: list[Change]) -> None:
    """Makes short changes to a table of an application, in the transaction under way."""
    with connection.as_application():
        await connection.execute(AT_ONCE)
        for change in changes:
            await connection.execute(change.statement)


async def finish(connection: Connection, relation: Changes) -> None:
    """Does what `relation` says beside its `changes`, which are made. Raises what psycopg raises."""
    rows = relation.in_rows
    if relation.key:
        await _build(connection, relation.key, rows)
    elif rows and rows.duplicates:
        await in_turn(connection, partial(make, changes=removal(rows)))
    if relation.narrow_keys:
        await in_turn(connection, partial(make, changes=relation.narrow_keys))
    if rows and rows.to_fill:
        await _fill(connection, rows)
    for index in relation.indexes:
        await _build(connection, index)


def removal(rows: RowChanges) -> list[Change]:
    """What leaves one row of each page, and lets nobody write another before the transaction ends."""
    lock = sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(rows.table.identifier)
    return [Change("let those who write wait", lock), rows.removes]


async def _fill(connection: Connection, rows: RowChanges) -> None:
    """Fills and spells the rows. A page that an application wrote meanwhile, spelled, may have two of them."""
    for _ in range(_ATTEMPTS - 1):
        with suppress(errors.UniqueViolation):
            return await fill(connection, rows.table.identifier, rows.spells)
        await in_turn(connection, partial(make, changes=removal(rows)))
    return await fill(connection, rows.table.identifier, rows.spells)


async def _build(connection: Connection, index: Index, rows: RowChanges | None = None) -> None:
    """Builds an index while others write, or, where that cannot be, while they wait.

    So it is where a page has several of the `rows`, behind a pooler, and for as long as somebody's transaction lasts.
    """
    has_duplicates = rows is not None and rows.duplicates > 0
    if await in_turn(connection, partial(_is_whole, index=index)):
        return
    if not has_duplicates and not index.on_partitions:
        await _build_beside(connection, index)
        if await in_turn(connection, partial(_is_whole, index=index)):
            return
    before = removal(rows) if rows else []
    await in_turn(connection, partial(make, changes=[*before, index.building(concurrently=False)]))


async def _is_whole(connection: Connection, index: Index) -> bool:
    """Whether the index is there. One that was left unfinished is dropped, once nobody is building it any more."""
    lock = sql.SQL("LOCK TABLE {} IN SHARE UPDATE EXCLUSIVE MODE")
    await connection.execute(lock.format(index.table.identifier))
    is_valid = await fetch_value(
        connection,
        "SELECT indisvalid FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid"
        " WHERE relnamespace = to_regnamespace(quote_ident(%s)) AND relname = %s",
        index.table.schema,
        index.name,
    )
    if is_valid is False:
        await make(connection, [index.dropping(concurrently=False)])
    return is_valid is True


async def _build_beside(connection: Connection, index: Index) -> None:
    """Builds an index while others write, as far as it comes."""
    async with open_session(connection, {"lock_timeout": _PATIENCE, "statement_timeout": "0"}) as session:
        with suppress(*_PASSING, errors.UniqueViolation):
            if session:
                await session.execute(index.building(concurrently=True).statement)
