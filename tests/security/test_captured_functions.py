"""No function of ours runs what a session put into `pg_temp` under the name of a type or a relation that it names.

With `search_path = pg_catalog` alone, `pg_temp` comes first: a domain `pg_temp.regconfig` ran its CHECK with the rights
of the function's owner.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from tests.conftest import DatabaseMaker
from tests.security.capture import PLAUSIBLE, Attacker, Captured, Connection, Target, put_in_public, targets
from tests.security.conftest import statements_shown

BEFORE = Path(__file__).parents[1] / "mirror" / "upgrades" / "0008.sql"

# It runs a statement on a table of the application, whose triggers need the session's path; it names nothing itself.
WITH_THE_SESSIONS_PATH = {"write_settings"}


_HOLDER = """
    WITH account AS (INSERT INTO notion_sync.accounts (user_id) VALUES (%(user)s) ON CONFLICT DO NOTHING),
    held AS (
        INSERT INTO notion_sync.databases (user_id, database_id, name) VALUES (%(user)s, %(id)s, 'Asked for')
    ), source AS (
        INSERT INTO notion_sync.data_sources (user_id, data_source_id, database_id, database_name, view_name, name,
                                              sync_table, schema, schema_fingerprint)
        VALUES (%(user)s, %(id)s, %(id)s, 'Asked for', '', '', '', '{}', '')
    )
    INSERT INTO notion_sync.pages (user_id, page_id, data_source_id, source_hash) VALUES (%(user)s, %(id)s, %(id)s, '')
"""


@pytest.fixture
def owner(mirrored_url: str) -> Iterator[Connection]:
    with psycopg.connect(mirrored_url, autocommit=True) as connection:
        connection.execute("UPDATE user_settings SET notion_token = NULL WHERE user_id = 'anna'")
        # The page that is asked for, in the copies of both users who are asked for it.
        for user in ("anna", PLAUSIBLE["uuid"]):
            connection.execute(_HOLDER, {"user": user, "id": PLAUSIBLE["uuid"]})
        yield connection


def role_of(owner: Connection, *statements: str) -> str:
    role = f"attacker_{uuid4().hex}"
    owner.execute(f"CREATE ROLE {role}".encode())
    for statement in statements:
        owner.execute(statement.replace("authenticated", role).encode())
    return role


def drop(owner: Connection, role: str) -> None:
    owner.execute(f"DROP OWNED BY {role}".encode())
    owner.execute(f"DROP ROLE {role}".encode())


@pytest.fixture
def tenant(owner: Connection, mirrored_url: str) -> Iterator[Attacker]:
    """A tenant, as docs/row-level-security.md makes one."""
    role = role_of(owner, *statements_shown("row-level-security.md", "tenant"))
    yield Attacker(mirrored_url, role)
    drop(owner, role)


@pytest.fixture
def insider(owner: Connection, mirrored_url: str) -> Iterator[Attacker]:
    """Somebody whom nothing keeps from running every function to its end."""
    role = role_of(owner, f'GRANT "{owner.info.user}" TO authenticated')
    yield Attacker(mirrored_url, role)
    drop(owner, role)


def attack(attacker: Attacker, attacked: list[Target]) -> set[Captured]:
    return {captured for target in attacked for name in target.names for captured in attacker.tries(target, name)[0]}


def test_every_function_is_bound_when_it_is_made_or_puts_pg_temp_last(owner: Connection) -> None:
    found = owner.execute(
        """
        SELECT proname FROM pg_proc
        WHERE oid >= 16384 AND prosqlbody IS NULL AND prokind <> 'a'
          AND NOT coalesce('search_path=pg_catalog, pg_temp' = ANY (proconfig), false)
        """
    )
    assert {name for (name,) in found} == WITH_THE_SESSIONS_PATH


def test_every_aggregate_is_made_of_functions_of_postgresql(owner: Connection) -> None:
    """It has no search_path; what it calls is bound when it is made."""
    found = owner.execute(
        """
        SELECT aggfnoid::regproc::text, array_agg(DISTINCT pronamespace::regnamespace::text)
        FROM pg_aggregate JOIN pg_proc
            ON pg_proc.oid IN (aggtransfn, aggfinalfn, aggcombinefn, aggserialfn, aggdeserialfn)
        WHERE aggfnoid >= 16384 GROUP BY 1
        """
    )
    assert found.fetchall() == [("notion_sync.merged", ["pg_catalog"])]


def test_no_function_takes_values_of_any_type(owner: Connection) -> None:
    """Such a function would look for operators of a type that may be its caller's own."""
    found = owner.execute(
        """
        SELECT proname FROM pg_proc
        WHERE oid >= 16384 AND EXISTS (SELECT FROM unnest(proargtypes) AS type
                                       WHERE type IN (SELECT oid FROM pg_type WHERE typtype = 'p'))
        """
    )
    assert found.fetchall() == []


def test_every_function_and_view_is_attacked_and_runs(owner: Connection, insider: Attacker) -> None:
    """Else the other tests of this file would hold nothing."""
    attacked = targets(owner)
    assert len(attacked) > 35
    assert all(target.names for target in attacked)
    assert {target.name for target in attacked if not insider.tries(target, None)[1]} == set()


def test_a_tenants_code_runs_in_no_function_of_ours(owner: Connection, tenant: Attacker) -> None:
    assert attack(tenant, targets(owner)) == set()


@pytest.mark.timeout(600)
def test_nobodys_code_runs_in_any_function_of_ours(owner: Connection, insider: Attacker) -> None:
    assert attack(insider, targets(owner)) == set()


def test_no_function_of_ours_runs_a_better_match_in_public(owner: Connection, insider: Attacker) -> None:
    attacked = targets(owner)
    assert put_in_public(owner, {word for target in attacked for word in target.words}) > 100
    ran = [insider.tries(target, None) for target in attacked]
    assert {captured for one, _ in ran for captured in one} == set()
    assert [target.name for target, (_, succeeded) in zip(attacked, ran, strict=True) if not succeeded] == []
    statement = sql.Composed([sql.SQL("SELECT array_agg(x) FROM unnest('{a}'::text[]) AS x")])
    unguarded = Target("a statement", frozenset(), (), (statement,))
    assert {captured.name for captured in insider.tries(unguarded, None)[0]} == {"unnest"}


def test_the_attack_succeeds_where_pg_temp_comes_first(database_maker: DatabaseMaker) -> None:
    with database_maker.empty() as url, psycopg.connect(url, autocommit=True) as owner:
        owner.execute(BEFORE.read_text(encoding="utf-8").encode())
        owner.execute("CREATE TABLE user_settings (user_id text)")
        role = role_of(
            owner,
            "GRANT USAGE ON SCHEMA notion_sync TO authenticated",
            "GRANT EXECUTE ON FUNCTION notion_sync.own_search_matches TO authenticated",
        )
        named = [one for one in targets(owner) if one.name.endswith((".search_language", ".own_search_matches"))]
        ran = attack(Attacker(url, role), named)
        me = owner.info.user
        drop(owner, role)
    assert Captured("notion_sync.search_language", "regconfig", me) in ran
