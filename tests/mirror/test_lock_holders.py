"""What waits for a lock in vain says who holds it, and the statement that it says ends that."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from psycopg_pool import PoolTimeout

from notion_pg_sync.mirror.connection import WAITED_IN_VAIN, Pool, open_pool, transaction
from notion_pg_sync.mirror.lock_holders import HeldLockError, LockHolder, said_of
from notion_pg_sync.sync.run.failures import failure_of
from tests.pgbouncer import PgBouncer

pytestmark = pytest.mark.slow

Begin = Callable[..., psycopg.Connection]
TABLE = "CREATE TABLE public.things (id integer PRIMARY KEY); INSERT INTO public.things VALUES (1), (2)"
UPDATE = "UPDATE public.things SET id = id WHERE id = 1"


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(TABLE)
    async with open_pool(database_url, lock_seconds=1) as opened:
        yield opened


@pytest.fixture
def begin(database_url: str) -> Iterator[Begin]:
    """Begins a transaction of somebody's with a statement, and leaves it open."""
    with ExitStack() as stack:

        def begun(statement: str, application: str = "psql", **options: str) -> psycopg.Connection:
            url = make_conninfo(database_url, application_name=application, **options)
            connection = psycopg.connect(url)
            stack.callback(connection.close)
            connection.execute(statement.encode())
            return connection

        yield begun


async def held_up(pool: Pool, statement: str = UPDATE) -> HeldLockError:
    """Who a statement waits for in vain."""
    with pytest.raises(WAITED_IN_VAIN) as raised:
        async with transaction(pool) as connection:
            await connection.execute(statement.encode())
    assert isinstance(raised.value.__cause__, HeldLockError)
    assert failure_of(raised.value).sentence == str(raised.value.__cause__)
    return raised.value.__cause__


@pytest.mark.parametrize(
    "statement",
    [
        "LOCK TABLE public.things",
        "SELECT 1 FROM public.things FOR UPDATE",
        "SELECT 1 FROM public.things WHERE id = 1 FOR SHARE",
        "UPDATE public.things SET id = 3 WHERE id = 1",
        "DELETE FROM public.things",
    ],
)
async def test_a_forgotten_commit_is_named_and_ended_as_is_said(pool: Pool, begin: Begin, statement: str) -> None:
    somebody = begin(statement)
    held = await held_up(pool)
    pid = somebody.info.backend_pid
    assert re.fullmatch(
        rf"session {pid} \(role \w+, application_name psql, in a transaction since \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d\) "
        rf"holds a lock that this waits for: commit there, or type SELECT pg_terminate_backend\({pid}\);",
        str(held),
    )
    async with transaction(pool) as connection:
        await connection.execute(held.fix.encode())
    async with transaction(pool) as connection:
        await connection.execute(UPDATE.encode())


async def test_who_waits_in_the_queue_is_not_blamed(pool: Pool, begin: Begin, database_url: str) -> None:
    """A reader that forgot to commit, and behind it somebody who wants the table for itself."""
    reader = begin("SELECT 1 FROM public.things", "reader")
    async with await psycopg.AsyncConnection.connect(database_url) as second:
        waiting = asyncio.create_task(second.execute("LOCK TABLE public.things"))
        held = await held_up(pool)
        assert [holder.pid for holder in held.holders] == [reader.info.backend_pid]
        reader.rollback()
        await waiting


async def test_all_who_share_a_row_are_named(pool: Pool, begin: Begin) -> None:
    sharing = {begin("SELECT 1 FROM public.things FOR SHARE").info.backend_pid for _ in range(2)}
    # They are waited for one after the other.
    named = {holder.pid for holder in (await held_up(pool)).holders}
    assert named <= sharing
    assert named


async def test_a_prepared_transaction_is_named_and_rolled_back_as_is_said(
    pool: Pool, begin: Begin, database_url: str
) -> None:
    begin(UPDATE).execute("PREPARE TRANSACTION 'it''s forgotten'")
    held = await held_up(pool)
    assert "the prepared transaction it's forgotten (role " in str(held)
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(held.fix.encode())
    async with transaction(pool) as connection:
        await connection.execute(UPDATE.encode())


async def test_a_role_that_may_not_see_others_still_names_them(
    begin: Begin, pool: Pool, database_url: str, login: str
) -> None:
    async with transaction(pool) as connection:
        await connection.execute(f'GRANT ALL ON public.things TO "{login}"'.encode())
    somebody = begin("LOCK TABLE public.things")
    async with open_pool(make_conninfo(database_url, user=login), lock_seconds=1) as limited:
        held = await held_up(limited)
    assert [(holder.pid, holder.since) for holder in held.holders] == [(somebody.info.backend_pid, None)]
    assert f"or a superuser SELECT pg_terminate_backend({somebody.info.backend_pid});" in str(held)


async def test_where_every_connection_waits_it_is_said_to_whoever_finds_none(begin: Begin, database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(TABLE)
    somebody = begin("LOCK TABLE public.things")
    async with open_pool(database_url, most_connections=1, lock_seconds=0.5) as pool:
        await held_up(pool)
        async with transaction(pool):
            with pytest.raises(PoolTimeout) as raised:
                await _begin_at_once(pool)
    assert f"session {somebody.info.backend_pid} " in failure_of(raised.value).sentence


async def _begin_at_once(pool: Pool) -> None:
    pool.connections.timeout = 0.1
    async with transaction(pool):
        pass


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can start PgBouncer as another user")
async def test_behind_a_pooler_too(begin: Begin, pool: Pool, database_url: str) -> None:
    somebody = begin("LOCK TABLE public.things")
    with PgBouncer(database_url) as pooler:
        async with open_pool(pooler.url, lock_seconds=1) as pooled:
            held = await held_up(pooled)
    assert [holder.pid for holder in held.holders] == [somebody.info.backend_pid]


async def test_a_transaction_that_only_takes_long_blames_nobody(begin: Begin, pool: Pool, database_url: str) -> None:
    begin("LOCK TABLE public.things")
    async with open_pool(database_url, statement_seconds=1, lock_seconds=0.5) as impatient:
        with pytest.raises(WAITED_IN_VAIN) as raised:
            async with transaction(impatient) as connection:
                await connection.execute("SELECT pg_sleep(5)")
    assert raised.value.__cause__ is None


def test_names_of_roles_and_transactions_steer_no_terminal() -> None:
    holder = LockHolder(None, "a'\x1b[2J", "somebody", "", None, is_own_role=False)
    assert holder.fix == "ROLLBACK PREPARED E'a''\\x1b[2J';"
    assert said_of([holder]).count("ROLLBACK PREPARED") == 1
