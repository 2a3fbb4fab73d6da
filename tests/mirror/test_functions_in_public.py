"""The functions in `public`: for applications that call those of an older set-up, and never in the way of others."""

from __future__ import annotations

import asyncio

import psycopg
import pytest

from notion_pg_sync.mirror.connection import PostgresError, open_pool
from notion_pg_sync.mirror.initialise import plan_init
from tests.mirror.test_sync_requests import init

ANNA = "0a1b2c3d-0000-4000-8000-000000000001"
NAMES = ["get_notion_page", "sync_all_notion_databases", "sync_notion_database"]
THEIRS = "CREATE FUNCTION public.{}(user_id text) RETURNS text LANGUAGE sql AS $$ SELECT 'old' $$"
# As version 0.1.0 made it.
FORMER = """
    CREATE FUNCTION {schema}.sync_all_notion_databases(user_id text)
        RETURNS TABLE (request_id bigint, database_id text, database_name text)
        LANGUAGE {language}
        SET search_path = pg_catalog, pg_temp
    AS {body}
"""
FORMER_OURS = FORMER.format(
    schema="notion_sync", language="plpgsql", body="'BEGIN RETURN QUERY SELECT 1::bigint, ''x'', ''y''; END'"
)
FORMER_IN_PUBLIC = FORMER.format(
    schema="public", language="sql", body="'SELECT * FROM notion_sync.sync_all_notion_databases(user_id)'"
)


def execute(database_url: str, *statements: str) -> list[tuple[object, ...]]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        for statement in statements:
            cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def signatures(database_url: str) -> list[object]:
    found = execute(
        database_url,
        "SELECT proname || '(' || pg_get_function_identity_arguments(oid) || ')' FROM pg_proc"
        " WHERE pronamespace = 'public'::regnamespace ORDER BY 1",
    )
    return [signature for (signature,) in found]


def is_due(database_url: str) -> bool:
    async def plan() -> bool:
        async with open_pool(database_url) as pool, pool.connection() as connection:
            return not (await plan_init(connection)).is_empty

    return asyncio.run(plan())


def initialise(database_url: str) -> None:
    asyncio.run(init(database_url))


def test_there_is_one_of_each_name_which_takes_texts(database_url: str) -> None:
    initialise(database_url)
    assert signatures(database_url) == [
        "get_notion_page(user_id text, database_name text, title text)",
        "sync_all_notion_databases(user_id text)",
        "sync_notion_database(user_id text, database_id text, database_name text)",
    ]
    for call in (
        "sync_all_notion_databases(user_id => 'anna')",
        "sync_notion_database(user_id => 'anna', database_id => NULL, database_name => 'Worlds')",
        "sync_notion_database('anna', NULL, 'Worlds')",
        "get_notion_page(user_id => 'anna', database_name => NULL, title => 'Arrakis')",
    ):
        execute(database_url, f"SELECT * FROM {call}")


@pytest.mark.parametrize("type_of_id", ["uuid", "user_key"])
def test_where_the_ids_of_users_are_uuid_they_take_uuid(database_url: str, type_of_id: str) -> None:
    execute(
        database_url,
        "CREATE DOMAIN user_key AS uuid",
        f"CREATE TABLE user_settings (user_id {type_of_id} PRIMARY KEY, notion_token text, notion_databases jsonb)",
        f"INSERT INTO user_settings VALUES ('{ANNA}')",
    )
    initialise(database_url)
    assert signatures(database_url) == [
        "get_notion_page(user_id uuid, database_name text, title text)",
        "sync_all_notion_databases(user_id uuid)",
        "sync_notion_database(user_id uuid, database_id text, database_name text)",
    ]
    execute(
        database_url,
        "SELECT sync_all_notion_databases(user_id) FROM user_settings",
        "SELECT sync_notion_database(user_id, NULL, 'Worlds') FROM user_settings",
        f"SELECT sync_notion_database(user_id => '{ANNA}', database_id => '', database_name => 'Worlds')",
        "SELECT get_notion_page(user_id, NULL, 'Arrakis') FROM user_settings",
    )
    assert execute(database_url, "SELECT user_id, database_name FROM notion_sync.sync_requests ORDER BY 1, 2") == [
        (ANNA, "Worlds"),
        (ANNA, None),
    ]


@pytest.mark.parametrize("elsewhere", ["uuid", "text"])
def test_user_settings_in_another_schema_say_it_where_public_has_none(database_url: str, elsewhere: str) -> None:
    execute(
        database_url,
        "CREATE SCHEMA app",
        f"CREATE TABLE app.user_settings (user_id {elsewhere} PRIMARY KEY, notion_token text, notion_databases jsonb)",
        f"INSERT INTO app.user_settings VALUES ('{ANNA}')",
        f"ALTER DATABASE {psycopg.conninfo.conninfo_to_dict(database_url)['dbname']} SET search_path = app, public",
    )
    initialise(database_url)
    execute(database_url, "SELECT sync_all_notion_databases(user_id) FROM user_settings")
    assert execute(database_url, "SELECT user_id FROM notion_sync.sync_requests") == [(ANNA,)]
    assert f"sync_all_notion_databases(user_id {elsewhere})" in signatures(database_url)


def test_they_come_once_an_application_has_dropped_its_own(database_url: str) -> None:
    execute(database_url, *(THEIRS.format(name) for name in NAMES))
    initialise(database_url)
    assert not is_due(database_url)
    assert signatures(database_url) == [f"{name}(user_id text)" for name in NAMES]
    execute(database_url, "DROP FUNCTION public.sync_all_notion_databases(text)")
    assert is_due(database_url)
    initialise(database_url)
    assert not is_due(database_url)
    assert execute(database_url, "SELECT database_id, problem FROM sync_all_notion_databases('anna')") == [(None, None)]
    assert execute(database_url, "SELECT public.sync_notion_database('anna')") == [("old",)]


def test_a_role_that_may_not_create_in_public_is_not_told_to(database_url: str, login: str) -> None:
    execute(
        database_url,
        f"GRANT CREATE ON DATABASE {psycopg.conninfo.conninfo_to_dict(database_url)['dbname']} TO {login}",
        "CREATE TABLE user_settings (user_id text PRIMARY KEY, notion_token text, notion_databases jsonb)",
        f"GRANT CREATE ON SCHEMA public TO {login}",
    )
    limited = psycopg.conninfo.make_conninfo(database_url, user=login)
    initialise(limited)
    execute(database_url, f"REVOKE CREATE ON SCHEMA public FROM {login}")
    execute(limited, "DROP FUNCTION public.sync_notion_database(text, text, text)")
    assert not is_due(limited)
    execute(database_url, f"GRANT CREATE ON SCHEMA public TO {login}")
    assert is_due(limited)


def test_without_a_schema_public_there_are_none(database_url: str) -> None:
    execute(
        database_url,
        "DROP SCHEMA public",
        "CREATE SCHEMA app",
        "CREATE TABLE app.user_settings (user_id text PRIMARY KEY, notion_token text, notion_databases jsonb)",
        f"ALTER DATABASE {psycopg.conninfo.conninfo_to_dict(database_url)['dbname']} SET search_path = app",
    )
    initialise(database_url)
    assert not is_due(database_url)


def rights(database_url: str) -> list[tuple[object, ...]]:
    return execute(
        database_url,
        "SELECT pronamespace::regnamespace::text, proowner::regrole::text, grantee::regrole::text, is_grantable"
        " FROM pg_proc, aclexplode(proacl) WHERE proname = 'sync_all_notion_databases'"
        " AND proargtypes[0] = 'text'::regtype AND grantee <> proowner ORDER BY 1, 3",
    )


def test_an_upgrade_that_adds_a_column_to_their_rows_keeps_the_rights_on_them(database_url: str, login: str) -> None:
    initialise(database_url)
    execute(
        database_url,
        "DROP FUNCTION public.sync_all_notion_databases(text), notion_sync.sync_all_notion_databases(text)",
        FORMER_OURS,
        FORMER_IN_PUBLIC,
        f"ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO {login}",
        "REVOKE EXECUTE ON FUNCTION public.sync_all_notion_databases(text) FROM PUBLIC",
        f"GRANT EXECUTE ON FUNCTION notion_sync.sync_all_notion_databases(text) TO {login} WITH GRANT OPTION",
        f"REVOKE EXECUTE ON FUNCTION public.sync_all_notion_databases(text) FROM {login}",
    )
    before = rights(database_url)
    assert (f"{login}", True) in [(grantee, passed_on) for _, _, grantee, passed_on in before]
    initialise(database_url)
    assert rights(database_url) == before
    for schema in ("public", "notion_sync"):
        found = execute(database_url, f"SELECT database_id, problem FROM {schema}.sync_all_notion_databases('anna')")
        assert found == [(None, None)]


def test_what_depends_on_the_rows_of_an_earlier_version_stops_the_upgrade_with_a_sentence(database_url: str) -> None:
    initialise(database_url)
    execute(
        database_url,
        "DROP FUNCTION public.sync_all_notion_databases(text), notion_sync.sync_all_notion_databases(text)",
        FORMER_OURS,
        "CREATE VIEW asking AS SELECT * FROM notion_sync.sync_all_notion_databases('anna')",
    )
    with pytest.raises(
        PostgresError, match=r"get one more column \(view public.asking depends on .*: drop the view, run"
    ):
        initialise(database_url)
    execute(database_url, "DROP VIEW asking")
    initialise(database_url)
