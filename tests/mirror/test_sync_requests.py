"""The functions by which an application asks for syncs: for whom they let ask, what they take, what bounds them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from uuid import uuid4

import psycopg
import pytest

from notion_pg_sync.mirror.connection import open_pool
from notion_pg_sync.mirror.initialise import carry_out, plan_init
from tests.security.conftest import statements_shown
from tests.waiting import wait_until

WORLDS = "0a1b2c3d-0000-4000-8000-00000000000a"
SOURCE = "0a1b2c3d-0000-4000-8000-00000000000b"
ARRAKIS = "0a1b2c3d-0000-4000-8000-00000000000c"

# Asks for as many databases as one likes.
MANY = "SELECT notion_sync.sync_notion_database(%s, gen_random_uuid()::text) FROM generate_series(1, %s)"

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
        await opened.execute(
            "INSERT INTO notion_sync.data_sources (user_id, data_source_id, database_id, database_name, view_name,"
            " name, sync_table, schema, schema_fingerprint) VALUES ('anna', %s, %s, 'Worlds', '', '', '', '{}', '')",
            (SOURCE, WORLDS),
        )
        await opened.execute(
            "INSERT INTO notion_sync.pages (user_id, page_id, data_source_id, source_hash) VALUES ('anna', %s, %s, '')",
            (ARRAKIS, SOURCE),
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


async def as_owner(tenant: Connection, statement: str) -> None:
    cursor = await tenant.execute("SELECT current_user")
    ((role,),) = await cursor.fetchall()
    await tenant.execute("RESET ROLE")
    await tenant.execute(statement.format(role=role).encode())
    await tenant.execute(f"SET ROLE {role}".encode())


async def ask(connection: Connection, user_id: str | None, database_id: str | None, name: str | None = None) -> object:
    cursor = await connection.execute(
        "SELECT notion_sync.sync_notion_database(%s, %s, %s)", (user_id, database_id, name)
    )
    row = await cursor.fetchone()
    assert row is not None
    return row[0]


async def page(connection: Connection, user_id: str | None, page_id: str | None) -> object:
    cursor = await connection.execute("SELECT notion_sync.sync_notion_page(%s, %s)", (user_id, page_id))
    row = await cursor.fetchone()
    assert row is not None
    return row[0]


async def everything(connection: Connection, user_id: str | None) -> list[tuple[object, ...]]:
    cursor = await connection.execute("SELECT * FROM notion_sync.sync_all_notion_databases(%s)", (user_id,))
    return await cursor.fetchall()


async def named(connection: Connection) -> list[tuple[object, ...]]:
    cursor = await connection.execute(
        "SELECT user_id, database_id, database_name FROM notion_sync.sync_requests ORDER BY request_id"
    )
    return await cursor.fetchall()


def waits_for_a_lock(database_url: str, pid: int) -> bool:
    with psycopg.connect(database_url) as looking:
        return looking.execute("SELECT cardinality(pg_blocking_pids(%s)) > 0", (pid,)).fetchone() == (True,)


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


async def test_a_name_that_no_run_has_seen_is_queued_as_it_is(connection: Connection) -> None:
    first = await ask(connection, "new", None, "Characters")
    assert await ask(connection, "new", "", "Characters") == first
    assert await ask(connection, "new", None, "Places") != first
    assert await named(connection) == [("new", None, "Characters"), ("new", None, "Places")]


@pytest.mark.parametrize(
    ("database_id", "name", "says"),
    [
        ("not an id", "Worlds", "not the id of a Notion database: not an id; give the id or the link"),
        ("f" * 33, None, "not the id of a Notion database"),
        (None, None, "no database is given: give its Notion id, its link"),
        (" ", " ", "no database is given"),
        (None, "W" * 2001, "longer than 2,000 bytes: give the id"),
    ],
)
async def test_what_can_never_be_a_database_is_refused_in_a_sentence(
    connection: Connection, database_id: str | None, name: str | None, says: str
) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match=says):
        await ask(connection, "anna", database_id, name)


@pytest.mark.parametrize("nobody", [None, ""])
async def test_somebody_has_to_be_named(connection: Connection, nobody: str | None) -> None:
    with pytest.raises(psycopg.errors.NullValueNotAllowed, match="no user is given"):
        await ask(connection, nobody, WORLDS)
    with pytest.raises(psycopg.errors.NullValueNotAllowed, match="no user is given"):
        await connection.execute("SELECT notion_sync.sync_notion_page(%s, %s)", (nobody, ARRAKIS))


async def test_who_asks_twice_has_one_request(connection: Connection) -> None:
    assert await ask(connection, "anna", WORLDS) == await ask(connection, "anna", None, "Worlds")
    for _ in range(2):
        await connection.execute("SELECT notion_sync.sync_all_notion_databases('anna')")
    assert await asked(connection) == [("anna", WORLDS), ("anna", None)]


async def test_a_user_of_whom_nothing_is_known_yet_may_ask_for_everything(connection: Connection) -> None:
    ((request_id, *others),) = await everything(connection, "new")
    assert request_id is not None
    assert others == [None, None, None]


async def test_one_user_who_cannot_ask_is_a_row_and_the_others_ask(connection: Connection) -> None:
    await connection.execute("CREATE TEMP TABLE those (place integer, user_id text)")
    await connection.execute("INSERT INTO those VALUES (1, 'anna'), (2, NULL), (3, 'full'), (4, 'bela')")
    await connection.execute(MANY, ("full", 1000))
    cursor = await connection.execute(
        "SELECT user_id, request_id IS NULL, database_name, problem FROM those,"
        " notion_sync.sync_all_notion_databases(user_id) ORDER BY place"
    )
    assert await cursor.fetchall() == [
        ("anna", False, "Worlds", None),
        (None, True, None, "no user is given: name the one whose databases are to be synced"),
        ("full", True, None, "user full has 1,000 requests waiting: let a sync-all serve them first"),
        ("bela", False, None, None),
    ]


async def test_what_the_role_may_not_do_is_an_error_also_where_a_row_could_say_it(tenant: Connection) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        await tenant.execute("SELECT notion_sync.sync_all_notion_databases(u) FROM unnest('{anna,bela}'::text[]) AS u")


async def test_a_thousand_requests_of_one_user_may_wait(connection: Connection) -> None:
    await connection.execute(MANY, ("anna", 1000))
    with pytest.raises(psycopg.errors.ProgramLimitExceeded, match="1,000 requests waiting: let a sync-all"):
        await connection.execute(MANY, ("anna", 1))
    await ask(connection, "bela", WORLDS)


async def test_a_thousand_pages_that_wait_keep_nobody_from_asking_for_a_database(connection: Connection) -> None:
    pages = (
        "INSERT INTO notion_sync.sync_requests (user_id, database_id, page_id)"
        " SELECT 'anna', %s, gen_random_uuid() FROM generate_series(1, %s)"
    )
    await connection.execute(pages, (WORLDS, 1000))
    with pytest.raises(psycopg.errors.ProgramLimitExceeded, match="1,000 requests waiting for pages"):
        await connection.execute(pages, (WORLDS, 1))
    await ask(connection, "anna", WORLDS)
    await connection.execute(MANY, ("anna", 999))


async def test_who_asks_again_at_the_limit_is_given_the_number_that_waits(connection: Connection) -> None:
    number = await ask(connection, "anna", WORLDS)
    await connection.execute(MANY, ("anna", 999))
    assert await ask(connection, "anna", WORLDS) == number


async def test_a_request_that_a_run_takes_up_meanwhile_is_made_anew(connection: Connection, database_url: str) -> None:
    """Whoever asks while another's request is not committed waits for it, and finds it taken up."""
    number = await ask(connection, "anna", WORLDS)
    async with await psycopg.AsyncConnection.connect(database_url) as run:
        await run.execute("UPDATE notion_sync.sync_requests SET status = 'running' WHERE request_id = %s", (number,))
        asking = asyncio.create_task(ask(connection, "anna", WORLDS))
        pid = connection.info.backend_pid
        await asyncio.to_thread(wait_until, lambda: waits_for_a_lock(database_url, pid))
        await run.commit()
    again = await asking
    assert again not in (None, number)
    assert await asked(connection) == [("anna", WORLDS)] * 2


async def test_a_request_that_is_taken_up_before_its_number_is_found_is_made_anew(
    connection: Connection, database_url: str
) -> None:
    """Whoever asks meets the one that waits; a run takes it up; then its number is looked for, which waits here."""
    number = await ask(connection, "anna", WORLDS)
    await connection.execute("CREATE SCHEMA ours; ALTER FUNCTION notion_sync.waiting_request SET SCHEMA ours")
    await connection.execute(
        """
        CREATE FUNCTION notion_sync.waiting_request(text, uuid, text, uuid) RETURNS bigint LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM pg_advisory_xact_lock(1);
            RETURN ours.waiting_request($1, $2, $3, $4);
        END $$
        """
    )
    async with await psycopg.AsyncConnection.connect(database_url) as run:
        await run.execute("SELECT pg_advisory_xact_lock(1)")
        asking = asyncio.create_task(ask(connection, "anna", WORLDS))
        pid = connection.info.backend_pid
        await asyncio.to_thread(wait_until, lambda: waits_for_a_lock(database_url, pid))
        await run.execute("UPDATE notion_sync.sync_requests SET status = 'running'")
        await run.commit()
    assert await asking not in (None, number)


@pytest.mark.parametrize(
    "written",
    [
        ARRAKIS,
        ARRAKIS.upper(),
        ARRAKIS.replace("-", ""),
        f"https://www.notion.so/team/Arrakis-{ARRAKIS.replace('-', '')}?pvs=4#{'e' * 32}",
        f"https://www.notion.so/team/{WORLDS.replace('-', '')}?v={'f' * 32}&p={ARRAKIS.replace('-', '')}&pm=s",
    ],
)
async def test_a_page_is_asked_for_by_its_id_in_every_form(connection: Connection, written: str) -> None:
    numbers = {await page(connection, "anna", written) for _ in range(2)}
    assert len(numbers) == 1
    cursor = await connection.execute(
        "SELECT user_id, database_id, database_name, page_id FROM notion_sync.sync_requests"
    )
    assert await cursor.fetchall() == [("anna", WORLDS, None, ARRAKIS)]


async def test_a_page_and_its_database_are_two_requests(connection: Connection) -> None:
    assert await page(connection, "anna", ARRAKIS) != await ask(connection, "anna", WORLDS)


@pytest.mark.parametrize(
    ("user_id", "page_id", "says"),
    [
        ("anna", SOURCE, f"the copy of user anna has no page {SOURCE}: ask for its database instead"),
        ("bela", ARRAKIS, f"the copy of user bela has no page {ARRAKIS}"),
        ("anna", "Arrakis", "not the id of a Notion page: Arrakis; give the id or the link"),
        ("anna", None, "not the id of a Notion page"),
    ],
)
async def test_a_page_that_the_copy_does_not_hold_is_refused_in_a_sentence(
    connection: Connection, user_id: str, page_id: str | None, says: str
) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match=says):
        await page(connection, user_id, page_id)


async def test_a_tenant_asks_for_themselves_alone(tenant: Connection) -> None:
    await ask(tenant, "anna", None, "Worlds")
    await ask(tenant, "anna", None, "Characters")
    await page(tenant, "anna", ARRAKIS)
    await everything(tenant, "anna")
    for statement in (
        "SELECT notion_sync.sync_all_notion_databases('bela')",
        f"SELECT notion_sync.sync_notion_database('bela', '{WORLDS}')",
        "SELECT notion_sync.sync_notion_database('bela', NULL, 'Worlds')",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await tenant.execute(statement.encode())
    await tenant.execute("SET app.user_id = 'bela'")
    assert await asked(tenant) == []
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="has no page"):
        await page(tenant, "anna", ARRAKIS)


async def test_a_tenant_can_neither_change_a_request_nor_say_that_it_was_served(tenant: Connection) -> None:
    await ask(tenant, "anna", WORLDS)
    for statement in (
        "UPDATE notion_sync.sync_requests SET status = 'succeeded'",
        "DELETE FROM notion_sync.sync_requests",
        "INSERT INTO notion_sync.sync_requests (user_id, status) VALUES ('anna', 'running')",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await tenant.execute(statement.encode())


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("status", "'running'"),
        ("runid", "1"),
        ("started_at", "now()"),
        ("message", "'12 rows'"),
        ("health", "'ok'"),
        ("page_id", f"'{ARRAKIS}'"),
    ],
)
async def test_a_policy_keeps_a_tenant_who_may_insert_every_column_from_saying_what_runs_say(
    tenant: Connection, column: str, value: str
) -> None:
    """The last: a page without its database."""
    await as_owner(tenant, "GRANT INSERT ON notion_sync.sync_requests TO {role}")
    insert = f"INSERT INTO notion_sync.sync_requests (user_id, {column}) VALUES ('anna', {value})"
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
        await tenant.execute(insert.encode())


async def test_a_tenant_with_the_rights_of_an_earlier_version_asks_for_databases_still(tenant: Connection) -> None:
    await as_owner(tenant, "REVOKE INSERT (page_id) ON notion_sync.sync_requests FROM {role}")
    await ask(tenant, "anna", WORLDS)
    await everything(tenant, "anna")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        await page(tenant, "anna", ARRAKIS)
