"""`page_id` is the id of each row's page, whoever writes the row, and in rows that were there before the column."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from uuid import UUID

import psycopg
import pytest
from notion_workspace import SampleWorkspace

from notion_pg_sync.mirror import page_uuids
from notion_pg_sync.mirror.connection import Connection, open_pool
from notion_pg_sync.mirror.initialise import InitPlan, carry_out, plan_init
from notion_pg_sync.mirror.printed_plan import statements_of
from notion_pg_sync.settings import Settings
from tests.installation import Installation
from tests.sync.test_page_ids import SPELLINGS

pytestmark = pytest.mark.slow

TABLE = "notion_characters_sync"
PAGE = "abcdef00-0000-4000-8000-00000000000a"
INSERT = f"INSERT INTO {TABLE} (user_id, notion_page_id, notion_database_id) VALUES ('u', %s, 'd')"


@pytest.fixture
async def application(database_url: str, app_schema: str) -> Installation:
    """An application's tables, with no rows of characters, before `init`."""
    with psycopg.connect(database_url) as connection:
        connection.execute(app_schema.encode())
        connection.execute(f"DELETE FROM {TABLE}".encode())
    return Installation(Settings(database_url=database_url), SampleWorkspace())


@pytest.fixture
async def connection(application: Installation) -> AsyncIterator[Connection]:
    async with open_pool(application.settings.database_url or "") as pool, pool.connection() as opened:
        yield opened


async def page_ids(installation: Installation) -> list[object]:
    rows = await installation.execute(f"SELECT page_id FROM {TABLE} ORDER BY created_at, notion_page_id")
    return [row["page_id"] for row in rows]


async def wrong(installation: Installation) -> int:
    (row,) = await installation.execute(
        f"SELECT count(*) FROM {TABLE} WHERE page_id IS DISTINCT FROM notion_sync.as_notion_id(notion_page_id)"
    )
    return int(row["count"])


async def many(installation: Installation, count: int) -> None:
    """Rows as they were before there was the column, in many blocks."""
    await installation.execute(
        f"INSERT INTO {TABLE} (user_id, notion_page_id, notion_database_id, description)"
        " SELECT 'u', gen_random_uuid()::text, 'd', repeat('x', 1000) FROM generate_series(1, %s)",
        count,
    )


async def planned(connection: Connection) -> InitPlan:
    return await plan_init(connection)


# Whoever writes -----------------------------------------------------------------------------------------------------


async def test_it_follows_whatever_an_application_writes(application: Installation) -> None:
    await application.init()
    for spell in SPELLINGS.values():
        await application.execute(INSERT, spell(PAGE))
        assert await page_ids(application) == [PAGE]
        await application.execute(f"UPDATE {TABLE} SET notion_page_id = %s", "draft-1")
        assert await page_ids(application) == [None]
        await application.execute(f"UPDATE {TABLE} SET notion_page_id = %s", spell(PAGE))
        assert await page_ids(application) == [PAGE]
        await application.execute(f"UPDATE {TABLE} SET notion_page_id = NULL")
        assert await page_ids(application) == [None]
        await application.execute(f"DELETE FROM {TABLE}")


async def test_nobody_can_give_a_row_another(application: Installation) -> None:
    await application.init()
    await application.execute(INSERT, PAGE)
    await application.execute(f"UPDATE {TABLE} SET page_id = %s", str(UUID(int=5)))
    assert await page_ids(application) == [PAGE]
    await application.execute(f"UPDATE {TABLE} SET page_id = NULL, name = 'x'")
    assert await page_ids(application) == [PAGE]


async def test_its_trigger_is_none_of_the_application_and_is_made_again(
    application: Installation, connection: Connection
) -> None:
    await application.init()
    for lost in (f"DROP TRIGGER notion_sync_page_uuid ON {TABLE}", f"ALTER TABLE {TABLE} DISABLE TRIGGER ALL"):
        await application.execute(lost)
        await application.execute(INSERT, str(UUID(int=len(lost), version=4)))
        assert await wrong(application) > 0
        plan = await planned(connection)
        (characters,) = [one for one in plan.relations if one.relation == f"public.{TABLE}"]
        assert any("keeps page_id" in change.says for change in characters.every)
        await carry_out(connection, plan)
        await application.execute(f"ALTER TABLE {TABLE} ENABLE TRIGGER ALL")
        assert await wrong(application) == 0
        assert (await planned(connection)).is_empty


# Rows that are there already ----------------------------------------------------------------------------------------


async def test_rows_are_filled_a_batch_at_a_time_while_others_read(
    application: Installation, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_uuids, "_BATCH_BLOCKS", 10)
    await many(application, 2000)
    await application.init()
    assert await wrong(application) == 0
    await application.execute(f"ALTER TABLE {TABLE} DISABLE TRIGGER notion_sync_page_uuid")
    await application.execute(f"UPDATE {TABLE} SET page_id = NULL")
    (transactions,) = await application.execute(f"SELECT count(DISTINCT xmin::text) FROM {TABLE}")
    assert transactions["count"] == 1
    async with await psycopg.AsyncConnection.connect(application.settings.database_url or "") as reader:
        # It holds the lock that a reader has, to the end.
        await reader.execute(f"SELECT count(*) FROM {TABLE}".encode())
        await page_uuids.fill(connection, psycopg.sql.Identifier("public", TABLE), None)
    assert await wrong(application) == 0
    (transactions,) = await application.execute(f"SELECT count(DISTINCT xmin::text) FROM {TABLE}")
    assert transactions["count"] > 10


async def test_what_was_filled_stays_where_it_is_cut_off_and_the_rest_follows(
    application: Installation, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_uuids, "_BATCH_BLOCKS", 10)
    await many(application, 1000)
    await application.execute(
        f"INSERT INTO {TABLE} (notion_page_id, user_id, notion_database_id) VALUES (%s, 'u', 'd')", PAGE
    )
    await application.execute(
        f"""
        CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'stopped'; END $$;
        CREATE TRIGGER stop BEFORE UPDATE ON {TABLE} FOR EACH ROW
        WHEN (NEW.notion_page_id = '{PAGE}') EXECUTE FUNCTION stop()
        """
    )
    plan = await planned(connection)
    with pytest.raises(psycopg.errors.RaiseException, match="stopped"):
        await carry_out(connection, plan)
    left = await wrong(application)
    assert 0 < left < 500
    await application.execute(f"DROP TRIGGER stop ON {TABLE}")
    again = await planned(connection)
    assert any(f"fill page_id in {left} rows" in change.says for one in again.relations for change in one.every)
    await carry_out(connection, again)
    assert await wrong(application) == 0
    assert (await planned(connection)).is_empty


async def test_an_owner_fills_them_by_what_is_printed(application: Installation, connection: Connection) -> None:
    await many(application, 1000)
    printed = statements_of(await planned(connection), connection)
    async with await psycopg.AsyncConnection.connect(application.settings.database_url or "", autocommit=True) as owner:
        # As psql does, not all at once.
        for part in re.split("^(?=-- )", printed, flags=re.MULTILINE):
            await owner.execute(part.encode())
    assert await wrong(application) == 0
    assert (await planned(connection)).is_empty


async def test_partitions_are_filled_too(application: Installation, connection: Connection) -> None:
    await application.init()
    await application.execute(
        f"""
        ALTER TABLE {TABLE} RENAME TO plain;
        CREATE TABLE {TABLE} (LIKE plain) PARTITION BY HASH (user_id);
        DROP TABLE plain;
        CREATE TABLE part_1 PARTITION OF {TABLE} FOR VALUES WITH (MODULUS 2, REMAINDER 0);
        CREATE TABLE part_2 PARTITION OF {TABLE} FOR VALUES WITH (MODULUS 2, REMAINDER 1);
        INSERT INTO {TABLE} (id, user_id, notion_page_id, notion_database_id)
        SELECT gen_random_uuid(), n::text, gen_random_uuid()::text, 'd' FROM generate_series(1, 500) AS n
        """
    )
    await page_uuids.fill(connection, psycopg.sql.Identifier("public", TABLE), None)
    assert await wrong(application) == 0


# A column of the application's own ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("page_id integer", "4711", "page_id is of type integer"),
        ("page_id uuid", f"'{UUID(int=5)}'", "page_id holds other ids than those of the rows' pages"),
        ("notion_icon bytea", "'x'", "notion_icon is of type bytea"),
    ],
)
async def test_one_of_the_same_name_is_told_and_kept_as_it_is(
    application: Installation, connection: Connection, column: str, value: str, said: str
) -> None:
    name = column.split(maxsplit=1)[0]
    await application.execute(INSERT, PAGE)
    await application.execute(f"ALTER TABLE {TABLE} ADD {column} DEFAULT {value}, ADD own_{name} text")
    before = await application.execute(f"SELECT {name} AS value FROM {TABLE}")
    (problem,) = (await planned(connection)).problems
    assert said in problem
    await application.execute(re.findall(r"run (ALTER TABLE .*?;)", problem)[0])
    await carry_out(connection, await planned(connection))
    assert await application.execute(f"SELECT own_{name}2 AS value FROM {TABLE}") == before
    assert await page_ids(application) == [PAGE]
    assert (await planned(connection)).is_empty
