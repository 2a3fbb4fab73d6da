"""Whose rows a shared view shows is told to those who see the rows, and to nobody else; the catalog names no user."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from notion_pg_sync.mirror.connection import open_pool
from notion_pg_sync.mirror.initialise import carry_out, plan_init
from notion_pg_sync.mirror.views import refresh_views
from tests.security.conftest import statements_shown

Connection = psycopg.Connection[tuple[object, ...]]

# Everything that a role without any right reads of what others made.
CATALOG = """
    SELECT 'view ' || viewname, definition FROM pg_views WHERE schemaname NOT LIKE 'pg\\_%%'
    UNION ALL SELECT 'materialized view ' || matviewname, definition FROM pg_matviews
    UNION ALL SELECT 'rule ' || rulename, definition FROM pg_rules
    UNION ALL SELECT 'comment on ' || objoid, description FROM pg_description WHERE objoid >= 16384
    UNION ALL SELECT 'comment on ' || objoid, description FROM pg_shdescription WHERE objoid >= 16384
    UNION ALL SELECT 'function ' || proname, pg_get_functiondef(oid) FROM pg_proc WHERE oid >= 16384 AND prokind <> 'a'
    UNION ALL SELECT 'policy ' || policyname, concat_ws(' ', qual, with_check) FROM pg_policies
    UNION ALL SELECT 'index ' || indexname, indexdef FROM pg_indexes WHERE schemaname NOT LIKE 'pg\\_%%'
    UNION ALL SELECT 'constraint ' || conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE oid >= 16384
    UNION ALL SELECT 'trigger ' || tgname, pg_get_triggerdef(oid) FROM pg_trigger
    UNION ALL SELECT 'default', pg_get_expr(adbin, adrelid) FROM pg_attrdef
    UNION ALL SELECT 'relation', relname FROM pg_class WHERE oid >= 16384
    UNION ALL SELECT 'column', attname FROM pg_attribute WHERE attrelid >= 16384
    UNION ALL SELECT 'type', typname FROM pg_type WHERE oid >= 16384
    UNION ALL SELECT 'statistics of ' || attname, most_common_vals::text || histogram_bounds::text FROM pg_stats
              WHERE schemaname NOT IN ('pg_catalog', 'information_schema')
    UNION ALL SELECT 'setting ' || name, setting FROM pg_settings
    UNION ALL SELECT 'session', query FROM pg_stat_activity
"""


@pytest.fixture
def owner(mirrored_url: str) -> Iterator[Connection]:
    with psycopg.connect(mirrored_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def role(owner: Connection) -> Iterator[str]:
    """A role without any right."""
    name = f"reader_{uuid4().hex[:12]}"
    owner.execute(f"CREATE ROLE {name}".encode())
    yield name
    owner.execute(f"DROP OWNED BY {name}".encode())
    owner.execute(f"DROP ROLE {name}".encode())


@pytest.fixture
def reader(owner: Connection, role: str, mirrored_url: str) -> Iterator[Connection]:
    """A session of a role that may read the view of both users' worlds, and has no right on our bookkeeping."""
    owner.execute(f"GRANT USAGE ON SCHEMA notion TO {role}; GRANT SELECT ON notion.worlds TO {role}".encode())
    owner.execute(f"GRANT SELECT ON notion_worlds_sync TO {role}".encode())
    with psycopg.connect(mirrored_url, autocommit=True) as connection:
        connection.execute(f"SET ROLE {role}".encode())
        yield connection


def users_in(connection: Connection, relation: str) -> dict[object, int]:
    """How many rows of which users a session sees."""
    found = connection.execute(f"SELECT user_id, count(*) FROM {relation} GROUP BY 1".encode())
    return {user: int(str(count)) for user, count in found.fetchall()}


def init(url: str) -> list[str]:
    async def upgrade() -> list[str]:
        async with open_pool(url) as pool, pool.connection() as connection:
            return await carry_out(connection, await plan_init(connection))

    return asyncio.run(upgrade())


def refresh(url: str) -> list[str]:
    async def made() -> list[str]:
        async with open_pool(url) as pool, pool.connection() as connection:
            return await refresh_views(connection)

    return asyncio.run(made())


def test_the_catalog_names_no_user_and_nothing_of_theirs_but_what_views_are_named(owner: Connection, role: str) -> None:
    secrets = {
        str(secret)
        for (secret,) in owner.execute(
            """
            SELECT user_id FROM notion_sync.accounts UNION SELECT notion_token FROM user_settings
            UNION SELECT database_id::text FROM notion_sync.databases
            UNION SELECT data_source_id::text FROM notion_sync.data_sources
            UNION SELECT notion_page_id FROM notion_worlds_sync UNION SELECT id::text FROM notion_sync.users
            """
        )
    }
    assert {"anna", "ben"} < secrets
    owner.execute("ANALYZE")
    owner.execute(f"SET ROLE {role}".encode())
    told = owner.execute(CATALOG.replace("%%", "%").encode()).fetchall()
    owner.execute("RESET ROLE")
    assert len(told) > 500
    named = {
        (where, word)
        for where, text in told
        for word in re.findall(r"[\w-]+", str(text))
        if word in secrets or word.replace("-", "") in secrets
    }
    assert named == set()


def test_views_of_an_earlier_version_lose_the_names_of_users_and_keep_what_is_built_on_them(
    owner: Connection, role: str, mirrored_url: str
) -> None:
    make_as_before(owner, "worlds")
    owner.execute(f"GRANT SELECT (page_id) ON notion.worlds TO {role}".encode())
    owner.execute("CREATE VIEW of_the_application AS SELECT page_id FROM notion.worlds")
    owner.execute("DELETE FROM notion_sync.repeatable")
    assert "'anna'" in definition_of(owner, "worlds")
    assert init(mirrored_url) == []
    assert "'anna'" not in definition_of(owner, "worlds")
    assert users_in(owner, "notion.worlds").keys() == {"anna", "ben"}
    assert owner.execute("SELECT count(*) > 1 FROM of_the_application").fetchall() == [(True,)]
    granted = owner.execute("SELECT has_column_privilege(%s, 'notion.worlds', 'page_id', 'SELECT')", (role,))
    assert granted.fetchall() == [(True,)]


def test_a_view_that_is_nobodys_and_has_to_stay_names_nobody_either(owner: Connection, mirrored_url: str) -> None:
    make_as_before(owner, "tasks")
    owner.execute("CREATE VIEW of_the_application AS SELECT * FROM notion.tasks")
    owner.execute("UPDATE user_settings SET notion_token = NULL WHERE user_id = 'ben'")
    owner.execute("SELECT * FROM notion_sync.forget('ben')")
    (said,) = (sentence for sentence in refresh(mirrored_url) if "notion.tasks" in sentence)
    assert "so it stays" in said
    assert "'anna'" not in definition_of(owner, "tasks")
    assert "Tasks" not in str(owner.execute("SELECT obj_description('notion.tasks'::regclass, 'pg_class')").fetchall())
    assert owner.execute("SELECT * FROM of_the_application").fetchall() == []
    assert refresh(mirrored_url) == []


def definition_of(owner: Connection, view: str) -> str:
    return str(owner.execute("SELECT pg_get_viewdef(%s::regclass)", (f"notion.{view}",)).fetchall()[0][0])


def make_as_before(owner: Connection, view: str) -> None:
    """Makes a view as versions before the list of sources did, whose definitions named users."""
    definition = definition_of(owner, view).rstrip(";")
    owner.execute(
        f"CREATE OR REPLACE VIEW notion.{view} WITH (security_invoker = true) AS"
        f" SELECT * FROM ({definition}) AS shown WHERE user_id IN ('anna', 'ben')".encode()
    )
    owner.execute("UPDATE notion_sync.views SET fingerprint = 'as before' WHERE view_name = %s", (view,))


def test_a_tenant_is_told_of_their_own_sources_alone(owner: Connection, role: str, mirrored_url: str) -> None:
    for block in statements_shown("row-level-security.md", "tenant"):
        owner.execute(block.replace("authenticated", role).encode())
    with psycopg.connect(mirrored_url, autocommit=True) as tenant:
        tenant.execute(f"SET ROLE {role}; SET app.user_id = 'anna'".encode())
        assert users_in(tenant, "notion_sync.view_sources").keys() == {"anna"}
        assert users_in(tenant, "notion.worlds").keys() == {"anna"}


def test_a_tenant_needs_no_right_beside_those_on_the_view_and_the_table(reader: Connection) -> None:
    assert users_in(reader, "notion.worlds") == {}
    reader.execute("SET app.user_id = 'ben'")
    assert users_in(reader, "notion.worlds").keys() == {"ben"}


def test_where_row_level_security_is_off_a_reader_sees_every_row(owner: Connection, reader: Connection) -> None:
    owner.execute("ALTER TABLE notion_worlds_sync DISABLE ROW LEVEL SECURITY")
    assert users_in(reader, "notion.worlds") == users_in(owner, "notion.worlds")
    reader.execute("SET app.user_id = 'ben'")
    assert users_in(reader, "notion.worlds") == users_in(owner, "notion.worlds")


def test_a_reader_with_a_policy_for_every_row_sees_every_row(owner: Connection, reader: Connection, role: str) -> None:
    owner.execute(f"CREATE POLICY bi ON notion_worlds_sync FOR SELECT TO {role} USING (true)".encode())
    assert users_in(reader, "notion.worlds") == users_in(owner, "notion.worlds")


def test_policies_of_an_application_count_with_the_path_of_its_session(
    owner: Connection, reader: Connection, role: str
) -> None:
    owner.execute(
        f"""
        CREATE SCHEMA app;
        CREATE TABLE app.members (member text);
        INSERT INTO app.members VALUES ('ben');
        CREATE FUNCTION app.is_member(whose text) RETURNS boolean LANGUAGE plpgsql STABLE
        AS $$ BEGIN RETURN whose IN (SELECT member FROM members); END $$;
        CREATE POLICY app ON notion_worlds_sync FOR SELECT USING (app.is_member(user_id));
        GRANT USAGE ON SCHEMA app TO {role};
        GRANT SELECT ON app.members TO {role}
        """.encode()
    )
    reader.execute("SET search_path = app, public")
    assert users_in(reader, "notion.worlds").keys() == {"ben"}


@pytest.mark.parametrize("granted", ["", "SELECT (name)"])
def test_who_may_not_read_the_table_is_told_of_no_source(
    owner: Connection, role: str, mirrored_url: str, granted: str
) -> None:
    owner.execute("ALTER TABLE notion_worlds_sync DISABLE ROW LEVEL SECURITY")
    owner.execute(f"GRANT USAGE ON SCHEMA notion_sync TO {role}".encode())
    if granted:
        owner.execute(f"GRANT {granted} ON notion_worlds_sync TO {role}".encode())
    with psycopg.connect(mirrored_url, autocommit=True) as stranger:
        stranger.execute(f"SET ROLE {role}".encode())
        assert users_in(stranger, "notion_sync.view_sources") == {}


def test_the_list_follows_what_is_recorded_at_once(owner: Connection) -> None:
    owner.execute("SET quote_all_identifiers = on")
    for statement in (
        "UPDATE notion_sync.accounts SET views = false WHERE user_id = 'ben'",
        "UPDATE notion_sync.accounts SET views = true",
        "UPDATE notion_sync.data_sources SET view_name = 'planets' WHERE view_name = 'worlds'",
        "UPDATE notion_sync.data_sources SET database_name = 'Planets' WHERE view_name = 'planets'",
        "UPDATE notion_sync.data_sources SET sync_table = 'public.notion_pages_sync' WHERE user_id = 'anna'",
        "UPDATE notion_sync.columns SET name = 'home' WHERE name = 'world'",
        "UPDATE notion_sync.columns SET property_type = 'rich_text' WHERE name = 'home'",
        "UPDATE notion_sync.columns SET property_type = 'relation' WHERE name = 'home'",
        "DELETE FROM notion_sync.columns WHERE name = 'home'",
        "INSERT INTO notion_sync.accounts (user_id, views) VALUES ('cleo', true)",
        f"INSERT INTO notion_sync.databases (user_id, database_id, name) VALUES ('cleo', '{ID}', 'D')",
        f"""
        INSERT INTO notion_sync.data_sources
            (user_id, data_source_id, database_id, database_name, view_name, name, sync_table, schema,
             schema_fingerprint)
        VALUES ('cleo', '{ID}', '{ID}', 'D', 'd', 'S', 'public.notion_pages_sync', '{{}}', '')
        """,
        f"INSERT INTO notion_sync.columns VALUES ('cleo', '{ID}', 'p', 'value', 'P', 'relation', 'p', 'uuid[]')",
        "DELETE FROM notion_sync.databases WHERE user_id = 'cleo'",
        "DELETE FROM notion_sync.accounts WHERE user_id = 'ben'",
    ):
        before = sources_of(owner, LISTED)
        owner.execute(statement.encode())
        assert (statement, sources_of(owner, LISTED)) == (statement, sources_of(owner, WANTED))
        assert sources_of(owner, LISTED) != before or "cleo" in statement
    assert sources_of(owner, LISTED)


ID = "99999999-9999-4999-8999-999999999999"
LISTED = """
    SELECT user_id, data_source_id, view_name, sync_table, database_name, relations FROM notion_sync.view_sources
"""
WANTED = """
    SELECT user_id, data_source_id, view_name, sync_table, database_name,
           ARRAY(SELECT columns.name FROM notion_sync.columns JOIN notion_sync.data_sources AS of_them
                 USING (user_id, data_source_id)
                 WHERE user_id = known.user_id AND data_source_id = known.data_source_id AND property_type = 'relation'
                 ORDER BY 1)
    FROM notion_sync.data_sources AS known JOIN notion_sync.accounts USING (user_id) WHERE views
"""


def sources_of(owner: Connection, query: str) -> list[str]:
    return sorted(map(repr, owner.execute(query.encode()).fetchall()))


@pytest.mark.parametrize("as_tenant", [False, True])
def test_a_view_reads_by_the_index_and_only_the_rows_that_it_shows(
    owner: Connection, role: str, as_tenant: bool
) -> None:
    owner.execute(
        """
        INSERT INTO notion_worlds_sync (user_id, notion_page_id, notion_database_id, notion_data_source_id, fields)
        SELECT 'aaron-' || number % 500, number, 'd', 's', '{}' FROM generate_series(1, 20000) AS number;
        ANALYZE
        """
    )
    if as_tenant:
        for block in statements_shown("row-level-security.md", "tenant"):
            owner.execute(block.replace("authenticated", role).encode())
        owner.execute(f"SET ROLE {role}; SET app.user_id = 'anna'".encode())
    explained = owner.execute("EXPLAIN (ANALYZE, FORMAT JSON) SELECT * FROM notion.worlds").fetchall()
    shown = sum(users_in(owner, "notion.worlds").values())
    owner.execute("RESET ROLE")
    (scan,) = (node for node in nodes_of(explained[0][0]) if node.get("Relation Name") == "notion_worlds_sync")
    assert scan["Node Type"] != "Seq Scan"
    assert float(str(scan["Actual Rows"])) * float(str(scan["Actual Loops"])) <= shown + 1


@pytest.mark.parametrize("as_tenant", [False, True])
@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("SELECT * FROM notion.worlds WHERE page_id = md5('7')::uuid", "by_page"),
        ("SELECT * FROM notion.worlds ORDER BY notion_edited_at DESC LIMIT 10", "by_edit"),
        (
            "SELECT world.name FROM notion.characters__world AS held JOIN notion.worlds AS world"
            " ON world.page_id = held.related_page_id WHERE held.page_id IN (SELECT page_id FROM notion.characters)",
            "by_page",
        ),
    ],
)
def test_a_page_the_latest_edits_and_related_pages_are_found_by_an_index(
    owner: Connection, role: str, query: str, index: str, *, as_tenant: bool
) -> None:
    owner.execute(
        """
        INSERT INTO notion_worlds_sync
            (user_id, notion_page_id, notion_database_id, notion_data_source_id, fields, notion_edited_at)
        SELECT 'anna', md5(number::text)::uuid, 'd', data_source_id, '{}', now() - number * interval '1 minute'
        FROM notion_sync.data_sources, generate_series(1, 20000) AS number
        WHERE user_id = 'anna' AND view_name = 'worlds';
        ANALYZE
        """
    )
    if as_tenant:
        for block in statements_shown("row-level-security.md", "tenant"):
            owner.execute(block.replace("authenticated", role).encode())
        owner.execute(f"SET ROLE {role}; SET app.user_id = 'anna'".encode())
    explained = owner.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {query}".encode()).fetchall()
    owner.execute("RESET ROLE")
    scans = [node for node in nodes_of(explained[0][0]) if node.get("Relation Name") == "notion_worlds_sync"]
    assert [scan.get("Index Name") for scan in scans] == [f"notion_worlds_sync_{index}"]


def nodes_of(plan: Any) -> Iterator[dict[str, object]]:
    """Every node of a plan."""
    for node in plan if isinstance(plan, list) else [plan]:
        yield from nodes_of(node["Plan"]) if "Plan" in node else [node]
        yield from nodes_of(node.get("Plans", []))
