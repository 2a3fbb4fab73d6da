"""Typed views among what other people do to them: options, owners, triggers, comments, views of their own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import psycopg
import pytest
from notion_workspace import SmallWorkspace
from notion_workspace.literals import number

from notion_pg_sync.mirror.connection import open_pool
from notion_pg_sync.mirror.views import refresh_views
from tests.installation import Installation

pytestmark = pytest.mark.slow


@pytest.fixture
async def anna(installation: Installation, small: SmallWorkspace) -> Installation:
    """A user who wants views, with Characters in the copy."""
    await installation.connect("anna", small.tokens["anna"], {"Characters": small.databases["Characters"]})
    await installation.execute("INSERT INTO notion_sync.accounts (user_id, views) VALUES ('anna', true)")
    assert (await installation.sync_all()).failures == []
    return installation


@pytest.fixture
async def role(anna: Installation) -> AsyncIterator[str]:
    """A role that may do nothing yet."""
    name = f"Reader {uuid4().hex[:8]}"
    await anna.execute(f'CREATE ROLE "{name}" LOGIN')
    yield name
    await anna.execute(f'REASSIGN OWNED BY "{name}" TO CURRENT_USER')
    await anna.execute(f'DROP OWNED BY "{name}"')
    await anna.execute(f'DROP ROLE "{name}"')


async def refresh(installation: Installation) -> list[str]:
    async with open_pool(installation.settings.database_url or "", 1) as pool, pool.connection() as connection:
        return await refresh_views(connection, ["Characters"])


async def retype(installation: Installation, column: str = "age", type_: str = "text") -> None:
    """Makes the next refresh drop the view and make it again."""
    await installation.execute("UPDATE notion_sync.columns SET type = %s WHERE name = %s", type_, column)


async def type_of(installation: Installation, column: str = "age") -> str | None:
    found = await installation.execute(
        "SELECT format_type(atttypid, atttypmod) AS type FROM pg_attribute"
        " WHERE attrelid = 'notion.characters'::regclass AND attname = %s",
        column,
    )
    return found[0]["type"] if found else None


@pytest.mark.parametrize("change", ["RESET (security_invoker)", "SET (security_invoker = false)"])
async def test_a_view_that_shows_everybodys_rows_is_mended(anna: Installation, change: str) -> None:
    await anna.execute(f"ALTER VIEW notion.characters {change}")
    await refresh(anna)
    (found,) = await anna.execute("SELECT reloptions FROM pg_class WHERE oid = 'notion.characters'::regclass")
    assert found["reloptions"] == ["security_invoker=true"]


async def test_a_table_without_a_column_that_views_read_is_told_and_stops_no_other_view(anna: Installation) -> None:
    await anna.execute("ALTER TABLE notion_characters_sync RENAME COLUMN notion_icon TO of_mine")
    await retype(anna)
    told = await refresh(anna)
    assert "The view notion.characters could not be made: column page.notion_icon does not exist." in told
    assert len(await anna.execute("SELECT name FROM notion.characters")) == 40


async def test_a_view_that_was_dropped_comes_back(anna: Installation) -> None:
    await anna.execute("DROP VIEW notion.characters")
    await refresh(anna)
    assert len(await anna.execute("SELECT name FROM notion.characters")) == 40


async def test_a_view_that_somebody_made_in_its_place_is_left_alone(anna: Installation) -> None:
    await anna.execute("DROP VIEW notion.characters")
    await anna.execute("CREATE VIEW notion.characters AS SELECT 'mine' AS whose")
    await retype(anna)
    assert "not a view of notion-pg-sync" in " ".join(await refresh(anna))
    assert await anna.execute("SELECT whose FROM notion.characters") == [{"whose": "mine"}]


async def test_a_view_is_made_anew_once_nothing_depends_on_it_any_more(anna: Installation) -> None:
    await anna.execute("CREATE VIEW adults AS SELECT name, age FROM notion.characters WHERE age >= 18")
    await retype(anna)
    assert "adults" in " ".join(await refresh(anna))
    assert await type_of(anna) == "numeric"
    assert "adults" in " ".join(await refresh(anna))
    await anna.execute("DROP VIEW adults")
    assert await refresh(anna) == []
    assert await type_of(anna) == "text"


async def test_a_column_that_is_gone_is_empty_while_something_depends_on_the_view(anna: Installation) -> None:
    await anna.execute("CREATE VIEW ages AS SELECT name, age FROM notion.characters")
    await anna.execute("DELETE FROM notion_sync.columns WHERE name = 'age'")
    assert "ages" in " ".join(await refresh(anna))
    assert await anna.execute("SELECT DISTINCT age FROM ages") == [{"age": None}]


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("CREATE MATERIALIZED VIEW kept AS SELECT age FROM notion.characters", "kept"),
        (
            "CREATE FUNCTION oldest() RETURNS numeric BEGIN ATOMIC SELECT max(age) FROM notion.characters; END",
            "oldest",
        ),
        ("CREATE TABLE likeness (who notion.characters)", "likeness"),
        ("CREATE FUNCTION first_of(notion.characters) RETURNS text LANGUAGE sql AS 'SELECT 1::text'", "first_of"),
        ("ALTER VIEW notion.characters ALTER COLUMN age SET DEFAULT 3", "default value"),
        ("CREATE RULE quiet AS ON DELETE TO notion.characters DO INSTEAD NOTHING", "quiet"),
    ],
)
async def test_whatever_depends_on_a_view_is_named_and_kept(anna: Installation, statement: str, name: str) -> None:
    await anna.execute(statement)
    before = await anna.execute("SELECT 'notion.characters'::regclass::oid AS oid")
    await retype(anna)
    assert name in " ".join(await refresh(anna))
    assert await anna.execute("SELECT 'notion.characters'::regclass::oid AS oid") == before


async def test_a_trigger_on_a_view_is_kept(anna: Installation) -> None:
    await anna.execute("CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'")
    await anna.execute(
        "CREATE TRIGGER no_writes INSTEAD OF DELETE ON notion.characters FOR EACH ROW EXECUTE FUNCTION refuse()"
    )
    await retype(anna)
    assert "no_writes" in " ".join(await refresh(anna))
    assert await anna.execute("SELECT tgname FROM pg_trigger WHERE tgrelid = 'notion.characters'::regclass") == [
        {"tgname": "no_writes"}
    ]


@pytest.mark.parametrize("how", ["replaced", "made anew"])
async def test_what_a_person_says_of_a_view_and_its_columns_stays(anna: Installation, how: str) -> None:
    await anna.execute("COMMENT ON VIEW notion.characters IS 'about the view'")
    await anna.execute("COMMENT ON COLUMN notion.characters.world IS 'about a column'")
    if how == "made anew":
        await retype(anna)
    anna.workspace.add_property("Characters", "Height", number())
    anna.workspace.clock.advance(3600)
    assert (await anna.sync_all()).failures == []
    comments = await anna.execute(
        "SELECT objsubid > 0 AS of_column, description FROM pg_description"
        " WHERE objoid = 'notion.characters'::regclass AND description LIKE 'about%%' ORDER BY 1"
    )
    assert [row["description"] for row in comments] == ["about the view", "about a column"]


@pytest.mark.parametrize("how", ["replaced", "made anew"])
async def test_options_that_a_person_set_on_a_view_stay(anna: Installation, how: str) -> None:
    await anna.execute("ALTER VIEW notion.characters SET (security_barrier)")
    if how == "made anew":
        await retype(anna)
    anna.workspace.add_property("Characters", "Height", number())
    anna.workspace.clock.advance(3600)
    assert (await anna.sync_all()).failures == []
    (view,) = await anna.execute("SELECT reloptions FROM pg_class WHERE oid = 'notion.characters'::regclass")
    assert sorted(view["reloptions"]) == ["security_barrier=true", "security_invoker=true"]


async def test_a_grant_on_a_column_that_goes_is_no_obstacle(anna: Installation, role: str) -> None:
    await anna.execute(f'GRANT SELECT (age, name) ON notion.characters TO "{role}"')
    await anna.execute("DELETE FROM notion_sync.columns WHERE name = 'age'")
    await refresh(anna)
    assert await type_of(anna) is None
    (may,) = await anna.execute("SELECT has_column_privilege(%s, 'notion.characters', 'name', 'SELECT') AS read", role)
    assert may == {"read": True}


async def test_an_owner_is_kept(anna: Installation, role: str) -> None:
    await anna.execute(f'GRANT USAGE, CREATE ON SCHEMA notion TO "{role}"')
    await anna.execute(f'ALTER VIEW notion.characters OWNER TO "{role}"')
    await retype(anna)
    await refresh(anna)
    assert await type_of(anna) == "text"
    (found,) = await anna.execute(
        "SELECT pg_get_userbyid(relowner)::text AS owner FROM pg_class WHERE oid = 'notion.characters'::regclass"
    )
    assert found["owner"] == role


async def test_default_privileges_do_not_open_what_was_closed(anna: Installation, role: str) -> None:
    await anna.execute(f'ALTER DEFAULT PRIVILEGES IN SCHEMA notion GRANT SELECT ON TABLES TO "{role}"')
    await retype(anna)
    await refresh(anna)
    (may,) = await anna.execute("SELECT has_table_privilege(%s, 'notion.characters', 'SELECT') AS read", role)
    assert may == {"read": False}


async def test_a_reader_needs_nothing_of_the_bookkeeping(anna: Installation, role: str) -> None:
    await anna.execute(f'GRANT USAGE ON SCHEMA notion TO "{role}"')
    await anna.execute(f'GRANT SELECT ON notion.characters, notion_characters_sync TO "{role}"')
    url = psycopg.conninfo.make_conninfo(anna.settings.database_url or "", user=role)
    with psycopg.connect(url, autocommit=True) as reader:
        reader.execute("SET app.user_id = 'anna'")
        assert len(reader.execute("SELECT * FROM notion.characters").fetchall()) == 40
        reader.execute("SET app.user_id = 'nobody'")
        assert reader.execute("SELECT * FROM notion.characters").fetchall() == []


async def test_rows_of_users_who_want_no_views_are_not_shown(anna: Installation, small: SmallWorkspace) -> None:
    await anna.connect("ben", small.tokens["ben"], {"Worlds": small.databases["Worlds"]})
    await anna.execute("UPDATE user_settings SET notion_databases = %s", f'{{"Worlds": "{small.databases["Worlds"]}"}}')
    assert (await anna.sync_all()).failures == []
    assert await anna.execute("SELECT DISTINCT user_id FROM notion.worlds") == [{"user_id": "anna"}]


async def test_of_two_that_refresh_at_once_the_newest_columns_count(anna: Installation) -> None:
    url = anna.settings.database_url or ""
    async with await psycopg.AsyncConnection.connect(url) as holding:
        # Both have looked at the columns before the first is let in, unless they look after their turn has come.
        await holding.execute("SELECT pg_advisory_xact_lock(7263548191)")
        await retype(anna, "alive")
        waiting = asyncio.create_task(refresh(anna))
        await asyncio.sleep(1)
        await retype(anna, "age")
        await holding.commit()
        await waiting
    assert await type_of(anna, "age") == "text"


async def test_many_refreshes_at_once(anna: Installation) -> None:
    await retype(anna)
    assert await asyncio.gather(*(refresh(anna) for _ in range(6))) == [[]] * 6
    assert await type_of(anna) == "text"


async def test_names_with_nothing_to_make_a_name_of_do_not_meet(
    installation: Installation, small: SmallWorkspace
) -> None:
    names = {"🗺️": small.databases["Characters"], "!!!": small.databases["Stories"]}
    await installation.connect("anna", small.tokens["anna"], names)
    await installation.execute("INSERT INTO notion_sync.accounts (user_id, views) VALUES ('anna', true)")
    assert (await installation.sync_all()).failures == []
    views = await installation.execute("SELECT viewname FROM pg_views WHERE schemaname = 'notion'")
    assert len([view for view in views if "__" not in view["viewname"]]) == 2


@pytest.mark.parametrize("why", ["the user wants none", "the database has another name", "the user is forgotten"])
async def test_a_view_that_nobody_is_behind_goes(anna: Installation, small: SmallWorkspace, why: str) -> None:
    match why:
        case "the user wants none":
            await anna.execute("UPDATE notion_sync.accounts SET views = false")
        case "the database has another name":
            await anna.execute(
                "UPDATE user_settings SET notion_databases = %s", f'{{"People": "{small.databases["Characters"]}"}}'
            )
        case _:
            await anna.execute("DELETE FROM notion_sync.accounts")
            await anna.execute("DELETE FROM user_settings")
    await anna.connect("ben", small.tokens["ben"], {"Worlds": small.databases["Worlds"]})
    await anna.execute("INSERT INTO notion_sync.accounts (user_id, views) VALUES ('ben', true)")
    assert (await anna.sync_all()).failures == []
    assert await anna.execute("SELECT 1 FROM pg_views WHERE schemaname = 'notion' AND viewname = 'characters'") == []


async def test_a_view_over_two_tables_knows_each_rows_database(anna: Installation, small: SmallWorkspace) -> None:
    await anna.connect("ben", small.tokens["ben"], {"Charäcters": small.databases["Worlds"]})
    await anna.execute("INSERT INTO notion_sync.accounts (user_id, views) VALUES ('ben', true)")
    assert (await anna.sync_all()).failures == []
    found = await anna.execute(
        "SELECT user_id, database_name, count(*), count(age) > 0 AS aged FROM notion.characters"
        " GROUP BY 1, 2 ORDER BY 1"
    )
    assert found == [
        {"user_id": "anna", "database_name": "Characters", "count": 40, "aged": True},
        {"user_id": "ben", "database_name": "Charäcters", "count": 12, "aged": False},
    ]


async def test_an_adopted_tables_narrower_text_columns_are_no_obstacle(anna: Installation) -> None:
    await anna.execute("DROP VIEW notion.characters")
    await anna.execute("DROP POLICY IF EXISTS tenant ON notion_characters_sync")
    await anna.execute("ALTER TABLE notion_characters_sync ALTER COLUMN url TYPE varchar(2000)")
    await refresh(anna)
    before = await anna.execute("SELECT 'notion.characters'::regclass::oid AS oid")
    anna.workspace.add_property("Characters", "Height", number())
    anna.workspace.clock.advance(3600)
    assert (await anna.sync_all()).failures == []
    assert await type_of(anna, "height") == "numeric"
    assert await anna.execute("SELECT 'notion.characters'::regclass::oid AS oid") == before


async def test_a_view_with_a_thousand_columns_can_be_read(anna: Installation) -> None:
    await anna.execute(
        "INSERT INTO notion_sync.columns SELECT user_id, data_source_id, 'p' || n, 'value', 'P' || n, 'number',"
        " 'z' || n, 'numeric' FROM notion_sync.data_sources, generate_series(1, 1200) AS n"
    )
    assert "no room for" in " ".join(await refresh(anna))
    (row, *others) = await anna.execute("SELECT * FROM notion.characters")
    assert (len(row), len(others)) == (1000, 39)
    assert await refresh(anna) == []


async def test_a_view_in_use_is_waited_for_briefly_and_then_said_to_be(
    anna: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("notion_pg_sync.mirror.locks.LOCK_TIMEOUT", "50ms")
    await retype(anna)
    async with await psycopg.AsyncConnection.connect(anna.settings.database_url or "") as reading:
        await reading.execute("SELECT count(*) FROM notion.characters")
        (said,) = await refresh(anna)
    assert said.startswith("The view notion.characters is in use")
    assert await refresh(anna) == []
    assert await type_of(anna) == "text"


async def test_a_view_that_the_role_may_not_change_is_said_to_be(anna: Installation, role: str) -> None:
    await anna.execute(f'GRANT USAGE ON SCHEMA notion, notion_sync TO "{role}"')
    await anna.execute(f'GRANT ALL ON ALL TABLES IN SCHEMA notion_sync TO "{role}"')
    for table in ("accounts", "data_sources", "columns", "views"):
        await anna.execute(f'CREATE POLICY all_of_it ON notion_sync.{table} TO "{role}" USING (true)')
    await retype(anna)
    url = psycopg.conninfo.make_conninfo(anna.settings.database_url or "", user=role)
    async with open_pool(url, 1) as pool, pool.connection() as connection:
        (said,) = await refresh_views(connection)
    assert "could not be made: must be owner of view characters" in said
    assert await type_of(anna) == "numeric"


async def test_views_are_known_by_what_they_say_of_themselves_where_the_record_of_them_is_lost(
    anna: Installation,
) -> None:
    await anna.execute("TRUNCATE notion_sync.views")
    await retype(anna)
    assert await refresh(anna) == []
    assert await type_of(anna) == "text"


async def test_a_view_that_something_depends_on_stays_when_nobody_is_behind_it(anna: Installation) -> None:
    await anna.execute("CREATE VIEW adults AS SELECT name, age FROM notion.characters WHERE age >= 18")
    await anna.execute("UPDATE notion_sync.accounts SET views = false")
    assert "adults" in " ".join(await refresh(anna))
    assert await refresh(anna) == []
    await anna.execute("DROP VIEW adults")
    assert await refresh(anna) == []
    assert await anna.execute("SELECT 1 FROM pg_views WHERE schemaname = 'notion'") == []
