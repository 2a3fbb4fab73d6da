"""A tenant sees what is theirs and nothing else, in every table and view, however they are named."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from tests.installation import TABLES
from tests.security.conftest import statements_shown

Connection = psycopg.AsyncConnection[tuple[object, ...]]

OPERATORS = {
    "discarded_files",
    "file_places",
    "history_generations",
    "job",
    "job_run_details",
    "run_processes",
    "seen_pages",
    "migrations",
    "repeatable",
    "views",
    "search_settings",
    "trusted_owners",
    "readers",
    "last_looks",
    "webhook_days",
}
# A relation to a page that is in the trash.
WITHOUT_ROWS = {"everything__worlds", "view_sources"}
# The second: a view that nobody can write to.
REFUSALS = (psycopg.errors.InsufficientPrivilege, psycopg.errors.ObjectNotInPrerequisiteState)


@pytest.fixture
async def owner(mirrored_url: str) -> AsyncIterator[Connection]:
    """The owner's connection."""
    async with await psycopg.AsyncConnection.connect(mirrored_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
async def tenant(owner: Connection, mirrored_url: str) -> AsyncIterator[Connection]:
    """A session of the role that an application uses for all its tenants."""
    role = f"tenant_{uuid4().hex}"
    await owner.execute(f"CREATE ROLE {role}".encode())
    for block in statements_shown("row-level-security.md", "tenant"):
        await owner.execute(block.replace("authenticated", role).encode())
    async with await psycopg.AsyncConnection.connect(mirrored_url, autocommit=True) as connection:
        await connection.execute(f"SET ROLE {role}".encode())
        yield connection
    await owner.execute(f"DROP OWNED BY {role}".encode())
    await owner.execute(f"DROP ROLE {role}".encode())


async def relations(owner: Connection) -> list[tuple[str, str]]:
    """Every table and view of ours."""
    found = await owner.execute(
        """
        SELECT nspname, relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
        WHERE relkind IN ('r', 'p', 'v', 'm') AND (nspname IN ('notion', 'notion_sync') OR relname = ANY (%s))
        ORDER BY 1, 2
        """,
        (list(TABLES),),
    )
    return [(str(schema), str(name)) for schema, name in await found.fetchall()]


async def users_in(connection: Connection, schema: str, name: str) -> list[object]:
    """Whose rows the session sees in a relation, one entry a row."""
    users = sql.SQL("SELECT user_id FROM {} ORDER BY 1").format(sql.Identifier(schema, name))
    return [user for (user,) in await (await connection.execute(users)).fetchall()]


def by_setting(user_id: str) -> tuple[str, str]:
    return "app.user_id", user_id


def by_claim(user_id: str) -> tuple[str, str]:
    return "request.jwt.claims", json.dumps({"sub": user_id, "role": "authenticated"})


async def test_a_tenant_sees_all_that_is_theirs_and_nothing_else_one_after_the_other_in_one_session(
    owner: Connection, tenant: Connection
) -> None:
    shared = [one for one in await relations(owner) if one[1] not in OPERATORS]
    assert len(shared) > 15
    for user_id in ("anna", "ben", "anna"):
        for claim in (by_setting, by_claim):
            await tenant.execute("SELECT set_config(%s, %s, false)", claim(user_id))
            for relation in shared:
                theirs = [user for user in await users_in(owner, *relation) if user == user_id]
                assert (relation, await users_in(tenant, *relation)) == (relation, theirs)
            await tenant.execute("RESET app.user_id")
            await tenant.execute("RESET request.jwt.claims")


async def test_there_is_something_to_see_in_every_relation(owner: Connection) -> None:
    """Else the other tests of this file would hold nothing."""
    empty = [one for one in await relations(owner) if one[1] not in OPERATORS and not await users_in(owner, *one)]
    assert {name for _, name in empty} <= WITHOUT_ROWS


async def test_without_a_claim_there_are_no_rows_and_no_error(owner: Connection, tenant: Connection) -> None:
    for relation in await relations(owner):
        if relation[1] not in OPERATORS:
            assert await users_in(tenant, *relation) == []


async def test_an_empty_claim_which_a_pool_leaves_behind_is_none(owner: Connection, tenant: Connection) -> None:
    async with tenant.transaction():
        await tenant.execute(
            "SELECT set_config('app.user_id', 'anna', true), set_config('request.jwt.claims', '', true)"
        )
        assert set(await users_in(tenant, "notion_sync", "databases")) == {"anna"}
    assert await users_in(tenant, "notion_sync", "databases") == []


async def test_the_records_of_operators_are_empty_to_a_tenant(owner: Connection, tenant: Connection) -> None:
    await tenant.execute("SET app.user_id = 'anna'")
    seen = {}
    for schema, name in await relations(owner):
        if name in OPERATORS:
            count = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, name))
            seen[name] = (await (await tenant.execute(count)).fetchall())[0][0]
    assert seen == dict.fromkeys(OPERATORS, 0)


async def test_a_tenant_changes_nothing(owner: Connection, tenant: Connection) -> None:
    await tenant.execute("SET app.user_id = 'anna'")
    for schema, name in await relations(owner):
        for text in ("DELETE FROM {}", "UPDATE {} SET user_id = 'anna'"):
            if name not in OPERATORS:
                with pytest.raises(REFUSALS):
                    await tenant.execute(sql.SQL(text).format(sql.Identifier(schema, name)))


async def test_a_tenant_runs_no_statement_through_a_function_of_ours(owner: Connection, tenant: Connection) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        await tenant.execute("SELECT notion_sync.write_settings('SELECT 1', NULL)")


async def test_every_table_of_ours_has_row_security(owner: Connection) -> None:
    found = await owner.execute(
        """
        SELECT relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
        WHERE nspname = 'notion_sync' AND relkind IN ('r', 'p') AND NOT relrowsecurity
        """
    )
    assert await found.fetchall() == []


async def test_every_typed_view_reads_with_the_rights_of_its_reader(owner: Connection) -> None:
    found = await owner.execute(
        """
        SELECT count(*), count(*) FILTER (WHERE 'security_invoker=true' = ANY (reloptions))
        FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE nspname = 'notion' AND relkind = 'v'
        """
    )
    ((views, invoking),) = await found.fetchall()
    assert views == invoking
    assert int(str(views)) == 15


async def test_a_tenant_reads_their_own_history_alone_whoevers_they_ask_for(
    owner: Connection, tenant: Connection
) -> None:
    known = "SELECT change_id FROM notion_sync.page_changes WHERE user_id = 'anna' ORDER BY change_id"
    hers = await (await owner.execute(known)).fetchall()
    databases = await (
        await owner.execute("SELECT DISTINCT database_id::text FROM notion_sync.data_sources WHERE user_id = 'anna'")
    ).fetchall()
    past = "SELECT page_id FROM notion_sync.rows_as_of('anna', %s, clock_timestamp())"
    assert hers and databases
    await tenant.execute("SET app.user_id = 'anna'")
    followed = "SELECT change_id FROM notion_sync.changes_since(NULL, 100000)"
    assert await (await tenant.execute(followed)).fetchall() == hers
    for database in databases:
        assert await (await tenant.execute(past, database)).fetchall()
    await tenant.execute("SET app.user_id = 'ben'")
    assert not {*await (await tenant.execute(followed)).fetchall()} & {*hers}
    for database in databases:
        with pytest.raises(psycopg.errors.InvalidParameterValue, match="has no database"):
            await tenant.execute(past, database)
