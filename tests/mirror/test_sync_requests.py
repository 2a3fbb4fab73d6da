"""The functions by which an application asks for syncs: for whom they let ask, what they take, what bounds them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from uuid import uuid4

import psycopg
import pytest

from notion_pg_sync.mirror.connection import open_pool
from notion_pg_sync.mirror.initialise import carry_out, plan_init
from tests.security.conftest import statements_shown

WORLDS = "0a1b2c3d-0000-4000-8000-00000000000a"

Connection = psycopg.AsyncConnection[tuple[object, ...]]


async def init(database_url: str) -> None:
    async with open_pool(database_url) as pool, pool.connection() as connection:
        await carry_out(connection, await plan_init(connection))


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[Connection]:
    await init(database_url)
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as opened:
        await opened.execute("INSERT INTO notion_sync.accounts (user_id) VALUES ('anna'), ('bela')")
        await opened.execute(
            "INSERT INTO notion_sync.databases (user_id, database_id, name) VALUES ('anna', %s, 'Worlds')", (WORLDS,)
        )
        yield opened


@pytest.fixture
async def tenant(connection: Connection) -> AsyncIterator[Connection]:
    """The same session as a role of an application's tenants, with the rights that docs/asking-from-sql.md gives."""
    role = f"tenant_{uuid4().hex}"
    await connection.execute(f"CREATE ROLE {role}".encode())
    for block in statements_shown("asking-from-sql.md", "role"):
        await connection.execute(block.replace("authenticated", role).encode())
    await connection.execute(f"SET ROLE {role}".encode())
    await connection.execute("SET app.user_id = 'anna'")
    yield connection
    await connection.execute("RESET ROLE")
    await connection.execute(f"DROP OWNED BY {role}".encode())
    await connection.execute(f"DROP ROLE {role}".encode())


async def ask(connection: Connection, user_id: str | None, database_id: str | None, name: str | None = None) -> object:
    cursor = await connection.execute(
        "SELECT notion_sync.sync_notion_database(%s, %s, %s)", (user_id, database_id, name)
    )
    row = await cursor.fetchone()
    assert row is not None
    return row[0]


async def asked(connection: Connection) -> list[tuple[object, ...]]:
    cursor = await connection.execute("SELECT user_id, database_id FROM notion_sync.sync_requests ORDER BY request_id")
    return await cursor.fetchall()


@pytest.mark.parametrize(
    "written",
    [
        WORLDS,
        WORLDS.upper(),
        WORLDS.replace("-", ""),
        f"https://www.notion.so/team/Worlds-{WORLDS.replace('-', '')}?v={'f' * 32}",
        f"  https://app.notion.com/p/{WORLDS.replace('-', '')}#{'e' * 32} ",
        f"https://www.notion.so/team/Caf-deadbeef-{WORLDS.replace('-', '')}",
        f"https://www.notion.so/team/Caf-{WORLDS}/",
        json.dumps({"id": WORLDS, "exclude": ["Age", '"id": "x"']}),
        json.dumps({"exclude": ["id"], "id": f"https://www.notion.so/W-{WORLDS.replace('-', '')}?v={'f' * 32}"}),
    ],
)
async def test_a_database_is_asked_for_by_its_id_in_every_form(connection: Connection, written: str) -> None:
    await ask(connection, "anna", written)
    assert await asked(connection) == [("anna", WORLDS)]


@pytest.mark.parametrize("no_id", [None, ""])
async def test_without_an_id_its_name_tells_it(connection: Connection, no_id: str | None) -> None:
    await ask(connection, "anna", no_id, "Worlds")
    assert await asked(connection) == [("anna", WORLDS)]


@pytest.mark.parametrize(
    ("database_id", "name"), [(None, "Wrlds"), ("not an id", "Worlds"), (None, None), ("f" * 33, None)]
)
async def test_what_names_no_database_is_refused_in_a_sentence(
    connection: Connection, database_id: str | None, name: str | None
) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="no such database"):
        await ask(connection, "anna", database_id, name)


@pytest.mark.parametrize("nobody", [None, ""])
async def test_somebody_has_to_be_named(connection: Connection, nobody: str | None) -> None:
    with pytest.raises(psycopg.errors.NullValueNotAllowed, match="no user is given"):
        await ask(connection, nobody, WORLDS)
    with pytest.raises(psycopg.errors.NullValueNotAllowed, match="no user is given"):
        await connection.execute("SELECT notion_sync.sync_all_notion_databases(%s)", (nobody,))


async def test_who_asks_twice_has_one_request(connection: Connection) -> None:
    assert await ask(connection, "anna", WORLDS) == await ask(connection, "anna", None, "Worlds")
    for _ in range(2):
        await connection.execute("SELECT notion_sync.sync_all_notion_databases('anna')")
    assert await asked(connection) == [("anna", WORLDS), ("anna", None)]


async def test_a_user_of_whom_nothing_is_known_yet_may_ask_for_everything(connection: Connection) -> None:
    cursor = await connection.execute("SELECT * FROM notion_sync.sync_all_notion_databases('new')")
    ((request_id, database_id, name),) = await cursor.fetchall()
    assert request_id is not None
    assert (database_id, name) == (None, None)


async def test_a_thousand_requests_of_one_user_may_wait(connection: Connection) -> None:
    ids = "SELECT notion_sync.sync_notion_database('anna', gen_random_uuid()::text) FROM generate_series(1, %s)"
    await connection.execute(ids, (1000,))
    with pytest.raises(psycopg.errors.ProgramLimitExceeded, match="1,000 requests waiting"):
        await connection.execute(ids, (1,))
    await ask(connection, "bela", WORLDS)


async def test_a_tenant_asks_for_themselves_alone(tenant: Connection) -> None:
    await ask(tenant, "anna", None, "Worlds")
    await tenant.execute("SELECT notion_sync.sync_all_notion_databases('anna')")
    for statement in (
        "SELECT notion_sync.sync_all_notion_databases('bela')",
        f"SELECT notion_sync.sync_notion_database('bela', '{WORLDS}')",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await tenant.execute(statement.encode())
    await tenant.execute("SET app.user_id = 'bela'")
    assert await asked(tenant) == []
    with pytest.raises(psycopg.errors.InvalidParameterValue):
        await ask(tenant, "bela", None, "Worlds")


async def test_a_tenant_can_neither_change_a_request_nor_say_that_it_was_served(tenant: Connection) -> None:
    await ask(tenant, "anna", WORLDS)
    for statement in (
        "UPDATE notion_sync.sync_requests SET status = 'succeeded'",
        "DELETE FROM notion_sync.sync_requests",
        "INSERT INTO notion_sync.sync_requests (user_id, status) VALUES ('anna', 'running')",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await tenant.execute(statement.encode())


async def test_public_gets_the_names_that_applications_call(connection: Connection) -> None:
    await connection.execute("SELECT sync_notion_database('anna', %s)", (WORLDS,))
    await connection.execute("SELECT * FROM sync_all_notion_databases('anna')")
    assert await asked(connection) == [("anna", WORLDS), ("anna", None)]


async def test_a_function_of_somebody_elses_in_public_stays(database_url: str) -> None:
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        await connection.execute(
            "CREATE FUNCTION sync_notion_database(text, text, text) RETURNS text LANGUAGE sql AS $$ SELECT 'old' $$"
        )
        await init(database_url)
        cursor = await connection.execute("SELECT public.sync_notion_database('a', 'b', 'c')")
        assert await cursor.fetchall() == [("old",)]
