"""Rights that a platform grants on every new table do not make anybody the owner of the tool's tables."""

from __future__ import annotations

import asyncio

import psycopg
from psycopg import sql

from notion_pg_sync.mirror.connection import open_pool
from notion_pg_sync.mirror.initialise import carry_out, plan_init
from notion_pg_sync.mirror.printed_plan import statements_of

HELD = """
    SELECT nspname || '.' || relname, privilege_type
    FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace CROSS JOIN aclexplode(relacl)
    WHERE nspname IN ('public', 'notion_sync') AND relkind = 'r' AND grantee <> relowner ORDER BY 1, 2
"""


def as_a_platform_does(database_url: str, role: str) -> psycopg.Connection:
    """Everything that is made is open to the role, and to everybody."""
    connection = psycopg.connect(database_url, autocommit=True)
    for grantee in (sql.Identifier(role), sql.SQL("PUBLIC")):
        connection.execute(sql.SQL("ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO {}").format(grantee))
    return connection


def assert_nobody_owns_the_rest(connection: psycopg.Connection) -> None:
    held = connection.execute(HELD).fetchall()
    assert {privilege for _, privilege in held} >= {"SELECT", "INSERT", "REFERENCES"}
    assert [one for one in held if one[1] in ("TRIGGER", "TRUNCATE")] == []
    assert {"public.user_settings", "public.notion_worlds_sync", "notion_sync.accounts"} <= {table for table, _ in held}


async def init(database_url: str) -> None:
    async with open_pool(database_url) as pool, pool.connection() as connection:
        await carry_out(connection, await plan_init(connection, presets=["story-app"]))


def test_init_takes_trigger_and_truncate_on_what_it_makes(database_url: str, login: str) -> None:
    with as_a_platform_does(database_url, login) as connection:
        asyncio.run(init(database_url))
        assert_nobody_owns_the_rest(connection)

        async def again() -> bool:
            async with open_pool(database_url) as pool, pool.connection() as opened:
                return (await plan_init(opened)).is_empty

        assert asyncio.run(again())


def test_so_does_the_printed_sql(database_url: str, login: str) -> None:
    async def printed() -> str:
        async with open_pool(database_url) as pool, pool.connection() as opened:
            return statements_of(await plan_init(opened, presets=["story-app"]), opened)

    with as_a_platform_does(database_url, login) as connection:
        connection.execute(asyncio.run(printed()).encode())
        # Of the tables of notion_sync nothing is known before they are made.
        connection.execute(asyncio.run(printed()).encode())
        assert_nobody_owns_the_rest(connection)


def test_what_later_versions_add_to_the_bookkeeping_is_seen_to(database_url: str, login: str) -> None:
    asyncio.run(init(database_url))
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(sql.SQL("GRANT ALL ON notion_sync.accounts TO {}").format(sql.Identifier(login)))
        asyncio.run(init(database_url))
        assert connection.execute(
            "SELECT has_table_privilege(%s, 'notion_sync.accounts', 'TRIGGER')", (login,)
        ).fetchone() == (False,)
