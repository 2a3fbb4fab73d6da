"""A database of an earlier version ends as a new one does; what was dropped or changed of ours comes back by `init`."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

import psycopg
import pytest

from notion_pg_sync import __version__
from notion_pg_sync.mirror import repeatable
from notion_pg_sync.mirror.connection import PostgresError, open_pool
from notion_pg_sync.mirror.initialise import InitPlan, carry_out, plan_init
from notion_pg_sync.mirror.migrations import migrations
from notion_pg_sync.mirror.printed_plan import statements_of
from tests.cli.test_init_sql import run_by_psql
from tests.conftest import DatabaseMaker
from tests.mirror.freezing import UPGRADES, checksums, released

pytestmark = pytest.mark.slow

# Databases of earlier versions, of a release or at a migration: what `init --sql` printed for an empty one (0008), or a
# dump of one with rows (freezing.py).
STATES = sorted(path.stem for path in UPGRADES.glob("*.sql"))
SCHEMAS = "('notion_sync', 'notion', 'public')"

# All that makes up a schema, one line each, save who applied what and when.
CATALOG = {
    "functions": f"""
        SELECT pg_get_functiondef(pg_proc.oid), proacl::text, obj_description(pg_proc.oid, 'pg_proc')
        FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace
        WHERE nspname IN {SCHEMAS} AND prokind = 'f'
    """,
    "policies": f"SELECT * FROM pg_policies WHERE schemaname IN {SCHEMAS}",
    "relations": f"""
        SELECT nspname, relname, relkind, relacl::text, relrowsecurity, relforcerowsecurity, reloptions,
               obj_description(pg_class.oid, 'pg_class')
        FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE nspname IN {SCHEMAS}
    """,
    "columns": f"""
        SELECT nspname, relname, attnum, attname, format_type(atttypid, atttypmod), attnotnull, attidentity,
               attgenerated, attacl::text, pg_get_expr(adbin, adrelid), col_description(attrelid, attnum)
        FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
        JOIN pg_namespace ON pg_namespace.oid = relnamespace
        LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        WHERE nspname IN {SCHEMAS} AND attnum > 0 AND relkind <> 'i'
    """,
    "indexes": f"SELECT schemaname, indexdef FROM pg_indexes WHERE schemaname IN {SCHEMAS}",
    "constraints": f"""
        SELECT nspname, conrelid::regclass::text, conname, pg_get_constraintdef(pg_constraint.oid)
        FROM pg_constraint JOIN pg_namespace ON pg_namespace.oid = connamespace WHERE nspname IN {SCHEMAS}
    """,
    "triggers": """
        SELECT pg_get_triggerdef(oid), tgenabled, obj_description(oid, 'pg_trigger') FROM pg_trigger
        WHERE NOT tgisinternal
    """,
    "types": f"""
        SELECT nspname, typname, typtype, typacl::text
        FROM pg_type JOIN pg_namespace ON pg_namespace.oid = typnamespace WHERE nspname IN {SCHEMAS}
    """,
    "schemas": f"""
        SELECT nspname, nspacl::text, obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname IN {SCHEMAS}
    """,
    "migrations": "SELECT version, name FROM notion_sync.migrations",
}


def catalog_of(database_url: str) -> dict[str, list[str]]:
    with psycopg.connect(database_url) as connection:
        connection.execute("SET search_path = pg_catalog")
        return {
            part: sorted(repr(row) for row in connection.execute(query.encode()).fetchall())
            for part, query in CATALOG.items()
        }


async def plan(database_url: str) -> InitPlan:
    async with open_pool(database_url) as pool, pool.connection() as connection:
        return await plan_init(connection, presets=["story-app"])


async def init(database_url: str) -> None:
    async with open_pool(database_url) as pool, pool.connection() as connection:
        await carry_out(connection, await plan_init(connection, presets=["story-app"]))


def execute(database_url: str, *statements: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def load(database_url: str, state: str) -> None:
    execute(database_url, (UPGRADES / f"{state}.sql").read_text(encoding="utf-8"))


# What says which version it is, and how views are made.
ABOUT_THE_TOOL = {"notion_sync.migrations", "notion_sync.repeatable", "notion_sync.views"}

# Columns that earlier versions called otherwise.
RENAMED = {
    "notion_sync.page_bodies": {"notion_page_id": "page_id"},
    "notion_sync.removed_pages": {
        "notion_page_id": "page_id",
        "notion_database_id": "database_id",
        "notion_data_source_id": "data_source_id",
    },
}

# Numbers of transactions, which mean nothing after a dump was restored.
TRANSACTIONS = {"written_in"}
# What init sets for the next sync, which makes the documents of search anew.
SET_FOR_THE_NEXT_SYNC = {"is_searchable"}


def rows_of(database_url: str) -> dict[str, list[dict[str, Any]]]:
    """The rows of every table and typed view."""
    with psycopg.connect(database_url) as connection:
        relations = connection.execute(
            f"""
            SELECT format('%I.%I', nspname, relname) FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
            WHERE nspname IN {SCHEMAS} AND relkind IN ('r', 'v')
            """.encode()
        ).fetchall()
        return {
            relation: [
                row for (row,) in connection.execute(f"SELECT to_jsonb(stored) FROM {relation} AS stored".encode())
            ]
            for (relation,) in relations
            if relation not in ABOUT_THE_TOOL
        }


def in_order(rows: list[dict[str, Any]], columns: Collection[str]) -> list[str]:
    """`rows` as texts, with no other columns than these."""
    return sorted(
        json.dumps({name: value for name, value in row.items() if name in columns}, sort_keys=True) for row in rows
    )


def query(database_url: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(database_url) as connection:
        return connection.execute(statement.encode()).fetchall()


@pytest.mark.parametrize("state", STATES)
async def test_a_database_of_an_earlier_version_ends_as_a_new_one(
    database_maker: DatabaseMaker, initialised_url: str, state: str
) -> None:
    with database_maker.empty() as upgraded:
        load(upgraded, state)
        before = rows_of(upgraded)
        await init(upgraded)
        assert (await plan(upgraded)).is_empty
        after = rows_of(upgraded)
        for relation, rows in before.items():
            names = RENAMED.get(relation, {})
            renamed = [{names.get(name, name): value for name, value in row.items()} for row in rows]
            columns = (renamed[0] if renamed else {}).keys() - TRANSACTIONS - SET_FOR_THE_NEXT_SYNC
            assert in_order(after[relation], columns) == in_order(renamed, columns), relation
        for view in [relation for relation in before if relation.startswith("notion.")]:
            execute(upgraded, f"DROP VIEW {view}")
        assert catalog_of(upgraded) == catalog_of(initialised_url)


async def test_what_the_tool_wrote_is_known_to_be_its_own_after_ids_became_uuid(database_maker: DatabaseMaker) -> None:
    """Another type means that each row is written once more; the next sync need not do so again."""
    tables = ("notion_sync.search_documents", "notion_sync.page_bodies")
    with database_maker.empty() as upgraded:
        load(upgraded, "0015")
        for table in tables:
            execute(upgraded, f"UPDATE {table} SET written_in = pg_current_xact_id()::xid")
            execute(upgraded, f"UPDATE {table} SET data_source_id = data_source_id WHERE user_id = 'ben'")
        await init(upgraded)
        for table in tables:
            found = query(upgraded, f"SELECT DISTINCT user_id, written_in = xmin FROM {table} ORDER BY 1")
            assert found == [("anna", True), ("ben", None)]


async def test_a_view_of_somebodys_own_that_is_in_the_way_is_named(database_maker: DatabaseMaker) -> None:
    with database_maker.empty() as upgraded:
        load(upgraded, "0015")
        execute(upgraded, "CREATE VIEW public.mine AS SELECT database_id FROM notion_sync.databases")
        with pytest.raises(PostgresError, match=r"view .*mine .* drop the view, run 'notion-pg-sync init'"):
            await init(upgraded)
        execute(upgraded, "DROP VIEW public.mine")
        await init(upgraded)


async def test_ids_of_removed_rows_are_kept_in_whatever_way_they_were_written(database_maker: DatabaseMaker) -> None:
    page = "12345678-90ab-4cde-8f01-234567890abc"
    written = [(page, page), (page.upper(), page.replace("-", "")), ("no id", f"https://notion.so/{page}")]
    with database_maker.empty() as upgraded:
        load(upgraded, "0015")
        execute(upgraded, "DELETE FROM notion_sync.removed_pages")
        for page_id, database_id in written:
            execute(
                upgraded,
                "INSERT INTO notion_sync.removed_pages"
                " (user_id, notion_page_id, notion_database_id, sync_table, reason, row)"
                f" VALUES ('anna', '{page_id}', '{database_id}', '', 'duplicate', '{{}}')",
            )
        await init(upgraded)
        found = query(
            upgraded,
            "SELECT page_id::text, database_id::text FROM notion_sync.removed_pages ORDER BY removal_id",
        )
        assert found == [(page, page), (page, page), (None, None)]


def test_the_kept_states_have_rows_in_every_table() -> None:
    """Else an upgrade of that table would be tried on nothing."""
    kept = [(UPGRADES / f"{state}.sql").read_text(encoding="utf-8") for state in STATES]
    newest = max(kept, key=lambda dump: dump.count("INSERT INTO notion_sync.migrations "))
    tables = set(re.findall(r"^CREATE TABLE (notion_sync\.\w+)", newest, re.MULTILINE))
    filled = set(re.findall(r"^INSERT INTO (notion_sync\.\w+)", newest, re.MULTILINE))
    assert tables - filled == {"notion_sync.trusted_owners"}


def test_migrations_of_a_release_are_never_changed() -> None:
    now = checksums()
    changed = [name for name, checksum in released().items() if now.get(name) != checksum]
    assert changed == [], (
        "these migrations belong to a release, so databases have them as they were: put them back (git checkout), and "
        "say what has to change in a new one, NNNN_what_it_does.sql"
    )


async def test_the_printed_upgrade_does_the_same(database_maker: DatabaseMaker, initialised_url: str) -> None:
    with database_maker.empty() as upgraded:
        load(upgraded, "0008")
        async with open_pool(upgraded) as pool, pool.connection() as connection:
            printed = statements_of(await plan_init(connection, presets=["story-app"]), connection)
        run_by_psql(upgraded, printed)
        assert (await plan(upgraded)).is_empty
        assert catalog_of(upgraded) == catalog_of(initialised_url)


@pytest.mark.parametrize(
    "damage",
    [
        "DROP FUNCTION notion_sync.search(text, text, text[], integer)",
        "DROP FUNCTION notion_sync.repeatable_state()",
        "CREATE OR REPLACE FUNCTION notion_sync.id_in(written text) RETURNS text LANGUAGE sql AS 'SELECT written'",
        "ALTER FUNCTION notion_sync.search_language() RESET ALL",
        "GRANT EXECUTE ON FUNCTION notion_sync.write_settings(text, text) TO PUBLIC",
        "DROP TRIGGER bound_requests ON notion_sync.sync_requests",
        "ALTER TABLE notion_sync.sync_requests DISABLE TRIGGER bound_requests",
        "DROP POLICY tenant ON notion_sync.databases",
        "ALTER POLICY tenant ON notion_sync.users USING (true)",
        "ALTER POLICY tenant_asks ON notion_sync.sync_requests WITH CHECK (true)",
        "ALTER TABLE notion_sync.page_bodies DISABLE ROW LEVEL SECURITY",
        "DELETE FROM notion_sync.repeatable",
    ],
)
async def test_what_was_dropped_or_changed_of_ours_comes_back(initialised_url: str, damage: str) -> None:
    before = catalog_of(initialised_url)
    execute(initialised_url, damage)
    assert (await plan(initialised_url)).upgrade.repeatable
    await init(initialised_url)
    assert (await plan(initialised_url)).is_empty
    assert catalog_of(initialised_url) == before


@pytest.mark.parametrize(
    ("tool_version", "is_due"),
    [("0.0.9", True), (__version__, True), ("0.2.1", False), ("0.10.0", False), ("1.0.0", False)],
)
async def test_functions_of_a_newer_version_stay(initialised_url: str, tool_version: str, is_due: bool) -> None:
    execute(
        initialised_url,
        f"UPDATE notion_sync.repeatable SET checksum = 'of another version', tool_version = '{tool_version}'",
    )
    assert (await plan(initialised_url)).is_empty == (not is_due)


async def test_what_an_operator_made_beside_ours_stays(initialised_url: str) -> None:
    execute(
        initialised_url,
        "CREATE POLICY everything ON notion_sync.databases FOR SELECT TO CURRENT_USER USING (true)",
        "CREATE FUNCTION notion_sync.of_the_operator() RETURNS integer LANGUAGE sql RETURN 1",
    )
    with_theirs = catalog_of(initialised_url)
    await init(initialised_url)
    assert (await plan(initialised_url)).is_empty
    assert catalog_of(initialised_url) == with_theirs


async def test_functions_of_an_application_in_public_are_left(database_url: str) -> None:
    execute(
        database_url,
        "CREATE FUNCTION public.get_notion_page(a integer) RETURNS integer LANGUAGE sql AS 'SELECT a'",
    )
    await init(database_url)
    functions = [line for line in catalog_of(database_url)["functions"] if "public.get_notion_page" in line]
    assert len(functions) == 1
    assert "search_path" not in functions[0]


async def test_what_is_made_means_postgresqls_own_functions_whatever_the_session_finds(
    database_maker: DatabaseMaker,
) -> None:
    """Where anybody may create in `public`, a default of a table would be bound to a function of theirs."""
    with database_maker.empty() as captured, database_maker.empty() as plain:
        execute(
            captured,
            "CREATE FUNCTION public.nextval(text) RETURNS bigint LANGUAGE sql AS 'SELECT 1'",
            "CREATE FUNCTION public.array_to_string(text[], text) RETURNS text IMMUTABLE RETURN 'captured'",
        )
        await init(captured)
        await init(plain)
        made = {
            part: [line for line in lines if "'captured'" not in line and "SELECT 1$" not in line]
            for part, lines in catalog_of(captured).items()
        }
        assert {part: lines for part, lines in made.items() if part != "functions"} == {
            part: lines for part, lines in catalog_of(plain).items() if part != "functions"
        }
        (text_in,) = (line for line in made["functions"] if "notion_sync.text_in" in line)
        assert "public." not in text_in


def test_every_migration_says_whether_it_is_additive() -> None:
    """From the one on that notes it. What an additive one must not do to those who do not know it, it does not."""
    # A check that goes takes nothing from those who keep to it, nor does one that lets more through than before, nor an
    # index that only functions of the repeatable files name, which come with it.
    takes_away = re.compile(
        r"\b(DROP(?! CONSTRAINT \w+_check\b| INDEX notion_sync\.sync_requests_waiting\b)|RENAME|ALTER COLUMN"
        r"|SET NOT NULL|DELETE|TRUNCATE|ADD CONSTRAINT(?! database_runs_mode_check\b)"
        r"|UNIQUE(?! INDEX sync_requests_waiting\b))\b"
    )
    for step in migrations()[16:]:
        assert re.findall(r"^-- (?:not )?additive$", step.statements, re.MULTILINE), step.name
        if step.is_additive:
            made_here = re.compile(r"^CREATE TABLE .*?^\);", re.MULTILINE | re.DOTALL)
            assert takes_away.findall(made_here.sub("", step.statements)) == [], step.name
            assert not re.search(r"ADD COLUMN \w+ +\S+ +NOT NULL(?! DEFAULT)", step.statements), step.name


def test_no_migration_makes_what_the_repeatable_files_make() -> None:
    for migration in (Path(repeatable.__file__).parent / "migrations").glob("*.sql"):
        made = re.findall(
            r"^\s*(CREATE (?:OR REPLACE )?(?:FUNCTION|POLICY|TRIGGER)|GRANT|REVOKE|COMMENT)\b",
            migration.read_text(encoding="utf-8"),
            re.MULTILINE,
        )
        assert (migration.name, made) == (migration.name, [])
