"""A table that an application reads and writes is adopted meanwhile: nobody waits for what takes long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import psycopg
import pytest
from psycopg import sql

from notion_pg_sync.mirror import long_changes, page_uuids
from notion_pg_sync.mirror.adoption import Changes
from notion_pg_sync.mirror.connection import Connection, open_pool
from notion_pg_sync.mirror.initialise import carry_out, plan_init
from notion_pg_sync.mirror.page_ids import IdSpelling
from tests.pgbouncer import PgBouncer

pytestmark = pytest.mark.slow

TABLE = "notion_pages_sync"
KEY = f"{TABLE}_page_key"
INSERT = (
    f"INSERT INTO {TABLE} (notion_page_id, notion_database_id, database_name, user_id, title)"
    " VALUES (%s, 'd', 'n', 'u', 'written meanwhile')"
)
PAGE = "abcdef00-0000-4000-8000-00000000000"
VALID = f"SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('{KEY}')"

Session = psycopg.AsyncConnection[tuple[object, ...]]


@pytest.fixture
async def session(database_url: str, app_schema: str) -> AsyncIterator[Session]:
    """A session of the application, which has pages."""
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as opened:
        await opened.execute(app_schema.encode())
        await opened.execute(
            f"INSERT INTO {TABLE} (notion_page_id, notion_database_id, database_name, user_id)"
            " SELECT gen_random_uuid()::text, 'd', 'n', 'u' FROM generate_series(1, 3000)".encode()
        )
        yield opened


async def one(session: Session, query: str) -> object:
    row = await (await session.execute(query.encode())).fetchone()
    return row[0] if row else None


async def until(holds: Callable[[], Awaitable[object]], at_work: asyncio.Task[None]) -> None:
    while not await holds():
        assert not at_work.done(), at_work
        await asyncio.sleep(0.02)


async def init(database_url: str) -> None:
    async with open_pool(database_url) as pool, pool.connection() as connection:
        await carry_out(connection, await plan_init(connection))


async def is_in_place(database_url: str) -> bool:
    async with open_pool(database_url) as pool, pool.connection() as connection:
        return (await plan_init(connection)).is_empty


@asynccontextmanager
async def open_transaction(database_url: str, statement: str, *parameters: str) -> AsyncIterator[Session]:
    async with await psycopg.AsyncConnection.connect(database_url) as opened:
        await opened.execute(statement.encode(), parameters)
        yield opened


@pytest.fixture
def at_rows(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """What lets `init` go on after its short changes to the table, to those that take long; it waits there once."""
    gate = asyncio.Event()
    finish = long_changes.finish

    async def finish_then(connection: Connection, relation: Changes) -> None:
        if relation.relation == f"public.{TABLE}":
            await gate.wait()
        await finish(connection, relation)

    monkeypatch.setattr("notion_pg_sync.mirror.initialise.finish", finish_then)
    return gate


async def has_columns(session: Session) -> bool:
    query = f"SELECT 1 FROM pg_attribute WHERE attrelid = '{TABLE}'::regclass AND attname = 'page_id'"
    return await one(session, query) is not None


async def test_somebody_who_reads_all_the_time_stops_none_of_what_takes_long(
    database_url: str, session: Session, at_rows: asyncio.Event
) -> None:
    """A transaction that has read the table holds its lock to the end; an exclusive lock would wait for it."""
    at_work = asyncio.create_task(init(database_url))
    await until(lambda: has_columns(session), at_work)
    async with open_transaction(database_url, f"SELECT count(*) FROM {TABLE}"):
        at_rows.set()
        await at_work
    assert await is_in_place(database_url)


async def test_others_write_while_the_key_is_built(database_url: str, session: Session, at_rows: asyncio.Event) -> None:
    """The building waits for a transaction that writes, and nobody waits for the building."""
    at_work = asyncio.create_task(init(database_url))
    await until(lambda: has_columns(session), at_work)
    async with open_transaction(database_url, INSERT, f"{PAGE}1") as writer:
        at_rows.set()
        await until(lambda: one(session, f"SELECT NOT ({VALID})"), at_work)
        await session.execute("SET lock_timeout = '1s'")
        for number in range(2, 6):
            await session.execute(INSERT.encode(), (f"{PAGE}{number}",))
        assert await one(session, VALID) is False
        await writer.commit()
    await at_work
    assert await one(session, VALID) is True
    assert await one(session, f"SELECT count(*) FROM {TABLE} WHERE page_id::text LIKE '{PAGE}%'") == 5
    assert await is_in_place(database_url)


async def test_where_somebodys_transaction_lasts_the_key_is_built_while_writers_wait(
    database_url: str, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transaction that only reads, with a snapshot of its own, as pg_dump has one."""
    monkeypatch.setattr(long_changes, "_PATIENCE", "100ms")
    async with await psycopg.AsyncConnection.connect(database_url) as dump:
        await dump.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        await dump.execute("SELECT count(*) FROM user_settings")
        await init(database_url)
        assert await one(session, VALID) is True
    assert await is_in_place(database_url)


async def test_a_page_that_is_written_twice_meanwhile_has_one_row_in_the_end(
    database_url: str, session: Session, at_rows: asyncio.Event
) -> None:
    """There is no key yet that would refuse it."""
    at_work = asyncio.create_task(init(database_url))
    await until(lambda: has_columns(session), at_work)
    async with open_transaction(database_url, INSERT, f"{PAGE}1") as writer:
        at_rows.set()
        await until(lambda: one(session, f"SELECT NOT ({VALID})"), at_work)
        await writer.execute(INSERT.encode(), (f"{PAGE}1".upper(),))
        await writer.commit()
    await at_work
    assert await one(session, f"SELECT count(*) FROM {TABLE} WHERE notion_page_id = '{PAGE}1'") == 1
    assert await one(session, "SELECT count(*) FROM notion_sync.removed_pages") == 1
    assert await is_in_place(database_url)


async def test_what_was_written_otherwise_is_spelled_though_the_page_was_written_again(
    database_url: str, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By an upsert in the table's own spelling, between the key and the spelling of the old row."""
    await session.execute(INSERT.encode(), (f"{PAGE}1".upper(),))
    written: list[object] = []

    async def fill_later(connection: Connection, table: sql.Identifier, spelling: IdSpelling | None) -> None:
        if not written:
            written.append(await session.execute(INSERT.encode(), (f"{PAGE}1",)))
        await page_uuids.fill(connection, table, spelling)

    monkeypatch.setattr(long_changes, "fill", fill_later)
    await init(database_url)
    assert written
    assert await one(session, f"SELECT count(*) FROM {TABLE} WHERE page_id = '{PAGE}1'") == 1
    assert await is_in_place(database_url)


@pytest.mark.parametrize("name", [KEY, f"{TABLE}_by_edit"])
async def test_an_index_that_was_left_unfinished_is_built_again(database_url: str, session: Session, name: str) -> None:
    await init(database_url)
    await session.execute(f"UPDATE pg_index SET indisvalid = false WHERE indexrelid = '{name}'::regclass".encode())
    assert not await is_in_place(database_url)
    await init(database_url)
    assert await is_in_place(database_url)
    query = f"SELECT count(*) FROM pg_index WHERE indrelid = '{TABLE}'::regclass AND NOT indisvalid"
    assert await one(session, query) == 0


async def test_behind_a_pooler_it_comes_to_the_same(database_url: str, session: Session) -> None:
    with PgBouncer(database_url) as pooler:
        await init(pooler.url)
    assert await is_in_place(database_url)
    assert await one(session, VALID) is True


async def test_two_at_once_adopt_it_once(database_url: str, session: Session) -> None:
    await asyncio.gather(init(database_url), init(database_url))
    assert await is_in_place(database_url)
    assert await one(session, VALID) is True
