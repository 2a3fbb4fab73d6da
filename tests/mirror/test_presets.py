"""Tables of a preset: made when they are needed, as `init` makes them, by whoever may, once."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from notion_pg_sync.mirror.connection import open_pool
from notion_pg_sync.mirror.initialise import InitPlan, carry_out, plan_init
from notion_pg_sync.mirror.preset_tables import make_where_allowed
from notion_pg_sync.mirror.presets import PRESETS
from notion_pg_sync.mirror.tables import SyncTable, general_table, known_tables, preset_table_for
from tests.conftest import DatabaseMaker
from tests.pgbouncer import PgBouncer

pytestmark = pytest.mark.slow

# What a table is made of, whatever its number and its owner's.
MADE_OF = """
    SELECT attname AS part, format_type(atttypid, atttypmod) AS is, attnotnull::text AS how,
           pg_get_expr(adbin, adrelid) AS beside
    FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE attrelid = %(table)s::text::regclass AND attnum > 0
    UNION ALL SELECT conname, pg_get_constraintdef(oid), contype::text, '' FROM pg_constraint
    WHERE conrelid = %(table)s::text::regclass
    UNION ALL SELECT '', indexdef, '', '' FROM pg_indexes WHERE schemaname || '.' || tablename = %(table)s
    UNION ALL SELECT tgname, pg_get_triggerdef(oid), tgenabled::text, '' FROM pg_trigger
    WHERE tgrelid = %(table)s::text::regclass
    UNION ALL SELECT policyname, cmd || roles::text, qual, with_check FROM pg_policies
    WHERE schemaname || '.' || tablename = %(table)s
    UNION ALL SELECT relname, relrowsecurity::text, relacl::text, relowner::regrole::text FROM pg_class
    WHERE oid = %(table)s::text::regclass
    ORDER BY 1, 2, 3, 4
"""
OPEN_TO_ALL = "ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC"


def table_of(slug: str) -> SyncTable:
    table = preset_table_for("public", slug)
    assert table is not None
    return table


CHATS, WORLDS = table_of("chat_sessions"), table_of("worlds")


async def init(url: str, *presets: str) -> InitPlan:
    async with open_pool(url) as pool, pool.connection() as connection:
        plan = await plan_init(connection, presets=presets)
        await carry_out(connection, plan)
        return plan


async def made(url: str, table: SyncTable) -> str | None:
    """Why it could not be made."""
    async with open_pool(url) as pool, pool.connection() as connection:
        return await make_where_allowed(connection, table)


def asked(url: str, query: str, **parameters: object) -> Sequence[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(query.encode(), parameters or None)
        return cursor.fetchall() if cursor.description else []


def sync_tables(url: str) -> set[object]:
    found = asked(url, r"SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE 'notion\_%\_sync'")
    return {name for (name,) in found}


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("Characters", "notion_characters_sync"),
        ("CHAT -- sessions!", "notion_chat_sessions_sync"),
        ("Character", None),
        ("pages", None),
        ("", None),
    ],
)
def test_a_database_has_the_table_of_its_names_slug(name: str, table: str | None) -> None:
    found = preset_table_for("public", name)
    assert (found and found.name) == table


def test_each_table_belongs_to_one_preset_and_the_general_one_to_none() -> None:
    tables = known_tables("public")
    assert len({table.name for table in tables}) == len(tables) == 5
    assert {table.preset for table in tables} == {*PRESETS, ""}
    assert general_table("public") in tables


async def test_init_makes_those_of_a_preset_only_where_it_is_named(database_url: str) -> None:
    await init(database_url)
    assert sync_tables(database_url) == {"notion_pages_sync"}
    assert (await init(database_url)).is_empty
    await init(database_url, "story-app")
    assert sync_tables(database_url) == {table.name for table in known_tables("public")}
    assert (await init(database_url, "story-app")).is_empty


async def test_those_that_are_there_are_seen_to_and_the_others_are_not_made(database_url: str, app_schema: str) -> None:
    asked(database_url, app_schema)
    asked(database_url, "DROP TABLE notion_stories_sync")
    plan = await init(database_url)
    assert {relation.relation for relation in plan.relations if relation.adopts and relation.changes} == {
        "public.notion_characters_sync",
        "public.notion_worlds_sync",
        "public.notion_chat_sessions_sync",
        "public.notion_pages_sync",
    }
    assert "notion_stories_sync" not in sync_tables(database_url)


@pytest.mark.parametrize("table", [CHATS, WORLDS], ids=lambda table: table.name)
async def test_one_that_is_made_later_is_as_init_makes_it(
    database_url: str, database_maker: DatabaseMaker, table: SyncTable
) -> None:
    with database_maker.empty() as other:
        for url in (database_url, other):
            asked(url, OPEN_TO_ALL)
        await init(other, "story-app")
        await init(database_url)
        assert await made(database_url, table) is None
        as_made, as_by_init = (asked(url, MADE_OF, table=table.qualified_name) for url in (database_url, other))
        assert as_made == as_by_init
        rights = asked(database_url, "SELECT relacl::text FROM pg_class WHERE relname = %(name)s", name=table.name)
        # Neither TRUNCATE (D) nor TRIGGER (t), which the platform's defaults give to all.
        assert re.search(r"[{,]=arwdxm?/", str(rights[0][0]))
        assert (await init(database_url)).is_empty


async def test_it_is_made_once_by_many_at_once(database_url: str) -> None:
    await init(database_url)
    assert await asyncio.gather(*(made(database_url, WORLDS) for _ in range(4)), init(database_url, "story-app"))
    assert (await init(database_url, "story-app")).is_empty


async def test_it_is_made_through_a_pooler(database_url: str) -> None:
    with PgBouncer(database_url) as pgbouncer:
        await init(pgbouncer.url)
        assert await asyncio.gather(*(made(pgbouncer.url, WORLDS) for _ in range(4))) == [None] * 4
    asked(database_url, "SELECT FROM notion_worlds_sync")
    assert (await init(database_url)).is_empty


async def test_an_index_that_has_the_name_of_one_of_its_own_is_no_obstacle(database_url: str) -> None:
    await init(database_url)
    asked(database_url, "CREATE INDEX notion_worlds_sync_by_data_source ON notion_pages_sync (title)")
    assert await made(database_url, WORLDS) is None
    assert sync_tables(database_url) == {"notion_pages_sync", "notion_worlds_sync"}
    assert (await init(database_url)).is_empty


async def test_a_type_that_has_its_name_leaves_nothing_half_made(database_url: str) -> None:
    await init(database_url)
    asked(database_url, "CREATE DOMAIN notion_worlds_sync AS text")
    reason = await made(database_url, WORLDS)
    assert reason is not None
    assert "public.notion_worlds_sync could not be created (type" in reason
    assert sync_tables(database_url) == {"notion_pages_sync"}


async def test_who_may_not_create_makes_none(database_url: str, login: str) -> None:
    await init(database_url)
    asked(database_url, f"ALTER SCHEMA notion_sync OWNER TO {login}")
    asked(database_url, f"GRANT SELECT ON notion_sync.trusted_owners TO {login}")
    assert await made(make_conninfo(database_url, user=login), WORLDS) == (
        "this role may not create the table public.notion_worlds_sync"
    )
    assert sync_tables(database_url) == {"notion_pages_sync"}
    asked(database_url, "ALTER SCHEMA notion_sync OWNER TO CURRENT_USER")


@pytest.mark.parametrize("is_trusted", [True, False])
async def test_who_may_create_makes_one_only_where_it_counts_for_every_role(
    database_url: str, login: str, is_trusted: bool
) -> None:
    await init(database_url)
    role = sql.Identifier(login)
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(sql.SQL("GRANT CREATE ON SCHEMA public TO {}").format(role))
        connection.execute(sql.SQL("GRANT USAGE ON SCHEMA notion_sync TO {}").format(role))
        connection.execute(sql.SQL("GRANT SELECT ON notion_sync.trusted_owners TO {}").format(role))
        connection.execute(sql.SQL("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA notion_sync TO {}").format(role))
        connection.execute(
            sql.SQL("CREATE POLICY all_rows ON notion_sync.trusted_owners TO {} USING (true)").format(role)
        )
        if is_trusted:
            connection.execute("INSERT INTO notion_sync.trusted_owners VALUES (%s)", (login,))
    reason = await made(make_conninfo(database_url, user=login), WORLDS)
    assert (reason is None) is is_trusted
    assert ("notion_worlds_sync" in sync_tables(database_url)) is is_trusted


async def test_what_has_its_name_is_left_alone_and_none_of_it_runs(database_url: str, login: str) -> None:
    await init(database_url)
    asked(
        database_url,
        f"""
        CREATE TABLE seized (role text); GRANT ALL ON seized TO PUBLIC; GRANT CREATE ON SCHEMA public TO {login};
        SET ROLE {login};
        CREATE FUNCTION seize() RETURNS text LANGUAGE sql AS 'INSERT INTO seized VALUES (current_user) RETURNING role';
        CREATE VIEW notion_worlds_sync AS SELECT seize() AS user_id, seize() AS notion_page_id;
        GRANT SELECT ON notion_worlds_sync TO PUBLIC
        """,
    )
    assert await made(database_url, WORLDS) is None
    assert asked(database_url, "SELECT relkind::text FROM pg_class WHERE relname = 'notion_worlds_sync'") == [("v",)]
    assert (await init(database_url)).is_empty
    assert asked(database_url, "SELECT * FROM seized") == []
