"""`init --role`: a role of the application's tenants reads what is theirs and asks for it, and no more."""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from notion_pg_sync.mirror.tenant_roles import ASKED_COLUMNS, TENANTS_TABLES
from tests.cli.conftest import Command
from tests.cli.test_init_sql import IN_PLACE, execute, run_by_psql
from tests.fences import ROOT
from tests.security.conftest import statements_shown

PAGE = ROOT / "docs" / "row-level-security.md"
CHARACTERS = "11111111111111111111111111111111"


@pytest.fixture
def role(database_url: str) -> Iterator[str]:
    """A role of an application, whose name has to be quoted."""
    yield from made(database_url, "Tenant's role")


def made(database_url: str, name: str, attributes: str = "") -> Iterator[str]:
    role = f"{name} {uuid4().hex[:12]}"
    quoted = sql.Identifier(role).as_string()
    execute(database_url, f"CREATE ROLE {quoted} {attributes}")
    yield role
    execute(database_url, f"DROP OWNED BY {quoted}", f"DROP ROLE {quoted}")


@pytest.fixture
def application_url(database_url: str, app_schema: str) -> str:
    """An application's tables: row level security is on for characters and worlds, and off for the others."""
    execute(
        database_url,
        app_schema,
        "INSERT INTO notion_characters_sync (notion_page_id, notion_database_id, user_id, name)"
        f" VALUES (gen_random_uuid()::text, '{CHARACTERS}', 'somebody else', 'not theirs')",
    )
    return database_url


def as_tenant(database_url: str, role: str, user_id: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(database_url) as connection:
        connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(role)))
        connection.execute("SELECT set_config('app.user_id', %s, true)", (user_id,))
        return connection.execute(statement.encode()).fetchall()


def rights_of(database_url: str, role: str) -> set[tuple[object, ...]]:
    """What is granted to the role, of tables, columns, functions and schemas, now and later."""
    return set(
        execute(
            database_url,
            f"""
            WITH granted AS (
                SELECT relname::text AS name, relacl AS acl FROM pg_class
                UNION ALL SELECT relname || '.' || attname, attacl
                FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
                UNION ALL SELECT proname, proacl FROM pg_proc
                UNION ALL SELECT nspname, nspacl FROM pg_namespace
                UNION ALL SELECT 'later in ' || defaclnamespace::regnamespace, defaclacl FROM pg_default_acl
            )
            SELECT name, privilege_type FROM granted CROSS JOIN aclexplode(acl)
            JOIN pg_roles ON pg_roles.oid = grantee WHERE rolname = {sql.Literal(role).as_string()}
            """,
        )
    )


def test_the_tenants_tables_are_those_with_the_tenants_policy(initialised_url: str) -> None:
    found = execute(
        initialised_url,
        "SELECT relname::text FROM pg_policy JOIN pg_class ON pg_class.oid = polrelid"
        " WHERE relnamespace = 'notion_sync'::regnamespace AND polname = 'tenant'",
    )
    assert {*TENANTS_TABLES} == {name for (name,) in found}


def test_it_has_what_the_pages_grant_by_hand(database_url: str, role: str) -> None:
    command = Command({"DATABASE_URL": database_url})
    assert command("init", "--preset", "story-app").code == 0
    (by_hand,) = _granted_by_hand(database_url)
    (shown,) = re.findall("^notion-pg-sync (init --role .*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    words = [word.replace("authenticated", role) for word in shown.split()]
    assert command(*words, "--yes").code == 0
    # By hand it is every table; those of operators are empty to tenants.
    tables = execute(
        database_url, "SELECT relname::text FROM pg_class WHERE relnamespace = 'notion_sync'::regnamespace"
    )
    others = {(name, "SELECT") for (name,) in tables if name not in TENANTS_TABLES}
    assert by_hand - rights_of(database_url, role) <= others
    asked = {(f"sync_requests.{column}", "INSERT") for column in ASKED_COLUMNS}
    assert rights_of(database_url, role) - by_hand <= asked


def _granted_by_hand(database_url: str) -> Iterator[set[tuple[object, ...]]]:
    for name in made(database_url, "by hand"):
        for page, kind in (("row-level-security.md", "tenant"), ("asking-from-sql.md", "role")):
            for block in statements_shown(page, kind):
                execute(database_url, block.replace("authenticated", sql.Identifier(name).as_string()))
        yield rights_of(database_url, name)


def test_it_sees_its_users_rows_of_an_adopted_table_by_a_policy_of_its_own(application_url: str, role: str) -> None:
    command = Command({"DATABASE_URL": application_url})
    told = command("init", "--yes", "--role", role)
    assert told.code == 0
    query = "SELECT name FROM notion_characters_sync WHERE notion_page_id IS NOT NULL"
    assert as_tenant(application_url, role, "user-oauth", query) == [("Aragorn",)]
    assert as_tenant(application_url, role, "", query) == []
    assert command("init", "--role", role).out.endswith(IN_PLACE)


def test_where_row_level_security_is_off_it_may_not_read_and_is_told_so(application_url: str, role: str) -> None:
    command = Command({"DATABASE_URL": application_url})
    told = command("init", "--yes", "--role", role)
    assert f"! {role} is not given the right to read public.notion_stories_sync, where row level" in told.out
    query = "SELECT title FROM notion_stories_sync"
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_tenant(application_url, role, "user-oauth", query)
    assert command("init", "--yes", "--row-security", "--role", role).code == 0
    assert as_tenant(application_url, role, "user-oauth", query) == [("The Ring",)]
    assert as_tenant(application_url, role, "somebody else", query) == []


def test_it_reads_its_users_history(application_url: str, role: str) -> None:
    assert Command({"DATABASE_URL": application_url})("init", "--yes", "--role", role).code == 0
    execute(
        application_url,
        "INSERT INTO notion_sync.page_changes (user_id, page_id, data_source_id, database_id, database_name, kind, new)"
        " SELECT who, gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'Worlds', 'inserted',"
        " jsonb_build_object('name', 'New')"
        " FROM unnest(ARRAY['user-oauth', 'another']) AS who",
    )
    for relation in ("page_changes", "field_changes", "changes_since()"):
        query = f"SELECT user_id, kind FROM notion_sync.{relation}"
        assert as_tenant(application_url, role, "user-oauth", query) == [("user-oauth", "inserted")]


def test_its_policy_is_there_before_row_level_security_is_switched_on(application_url: str, role: str) -> None:
    """So the application that reads a table now is not shut out of it then."""
    quoted = sql.Identifier(role).as_string()
    execute(application_url, f"GRANT SELECT ON notion_stories_sync TO {quoted}")
    assert Command({"DATABASE_URL": application_url})("init", "--yes", "--role", role).code == 0
    execute(application_url, "ALTER TABLE notion_stories_sync ENABLE ROW LEVEL SECURITY")
    query = "SELECT title FROM notion_stories_sync"
    assert as_tenant(application_url, role, "user-oauth", query) == [("The Ring",)]


def test_it_asks_for_its_users_databases_and_no_others(application_url: str, role: str) -> None:
    assert Command({"DATABASE_URL": application_url})("init", "--yes", "--role", role).code == 0
    ask = f"SELECT notion_sync.sync_notion_database('user-oauth', '{CHARACTERS}')"
    ((number,),) = as_tenant(application_url, role, "user-oauth", ask)
    assert isinstance(number, int)
    with pytest.raises(psycopg.Error):
        as_tenant(application_url, role, "somebody else", ask)


def test_it_reads_views_that_are_made_later(application_url: str, role: str) -> None:
    assert Command({"DATABASE_URL": application_url})("init", "--yes", "--role", role).code == 0
    execute(application_url, "CREATE VIEW notion.later WITH (security_invoker = true) AS SELECT 1 AS one")
    assert as_tenant(application_url, role, "user-oauth", "SELECT one FROM notion.later") == [(1,)]


def test_the_printed_sql_gives_the_same_rights_to_several_roles(application_url: str, role: str) -> None:
    command = Command({"DATABASE_URL": application_url})
    for other in made(application_url, "other"):
        roles = ("--role", role, "--role", other)
        run_by_psql(application_url, command("init", "--sql", *roles).out)
        assert command("init", *roles).out.endswith(IN_PLACE)
        rights = rights_of(application_url, role)
        assert rights == rights_of(application_url, other)
        assert ("notion_characters_sync", "SELECT") in rights


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ("SUPERUSER", "is a superuser, whom no policy keeps to one user's rows"),
        ("BYPASSRLS", "has BYPASSRLS, so it needs no policy"),
    ],
)
def test_a_role_above_row_level_security_is_refused(application_url: str, attributes: str, said: str) -> None:
    for above in made(application_url, "above", attributes):
        refused(application_url, above, f"{above} {said}")
        assert rights_of(application_url, above) == set()


@pytest.mark.parametrize("attributes", ["SUPERUSER", "BYPASSRLS"])
def test_a_role_that_may_work_as_one_above_row_level_security_is_refused(application_url: str, attributes: str) -> None:
    """So is the role as which PostgREST logs in, a member of `service_role`."""
    for above in made(application_url, "above", attributes):
        for member in made(application_url, "member", f"NOINHERIT IN ROLE {sql.Identifier(above).as_string()}"):
            refused(application_url, member, f"{member} may work as {above}, whom no policy keeps to one user's rows")
            assert rights_of(application_url, member) == set()


@pytest.mark.parametrize("name", ["PUBLIC", "nobody of this name"])
def test_what_is_no_role_is_refused(application_url: str, name: str) -> None:
    said = "PUBLIC is every role" if name == "PUBLIC" else "there is no role nobody of this name: check the spelling."
    refused(application_url, name, said)


def test_an_owner_and_whoever_may_work_as_one_are_refused(application_url: str, role: str) -> None:
    execute(application_url, f"ALTER TABLE notion_worlds_sync OWNER TO {sql.Identifier(role).as_string()}")
    refused(application_url, role, f"{role} owns public.notion_worlds_sync, or may work as its owner", "--trust", role)
    for member in made(application_url, "member", f"IN ROLE {sql.Identifier(role).as_string()}"):
        refused(application_url, member, f"{member} owns public.notion_worlds_sync, or may work", "--trust", role)


def refused(database_url: str, role: str, said: str, *options: str) -> None:
    command = Command({"DATABASE_URL": database_url})
    for form in (("--yes",), ("--sql",)):
        ended = command("init", *form, "--role", role, *options)
        assert ended.code == 1
        assert f"✗ {said}" in ended.out + ended.err
    assert execute(database_url, "SELECT to_regnamespace('notion_sync')") == [(None,)]
