"""What somebody dropped of the schema `notion_sync`: `init` brings it back, and the next sync finds every row."""

from __future__ import annotations

import re
from collections.abc import Iterator

import psycopg
import pytest
from notion_workspace import SmallWorkspace, WorkspaceServer

from docs.made.bookkeeping import LISTED, listed
from notion_pg_sync.mirror.bookkeeping import PARTS, Part, find_lack, known_parts, lack_of
from notion_pg_sync.mirror.connection import PostgresError, open_pool
from notion_pg_sync.mirror.initialise import InitPlan, carry_out, plan_init
from notion_pg_sync.mirror.migrations import migrations
from notion_pg_sync.mirror.migrations import statements_of as statements_of_step
from notion_pg_sync.mirror.printed_plan import statements_of
from notion_pg_sync.settings import Settings
from tests.conftest import DatabaseMaker
from tests.installation import Installation
from tests.mirror.test_upgrade import catalog_of, execute
from tests.sync import tampering
from tests.sync.tampering import differing, run, stored

pytestmark = pytest.mark.slow

NEWEST = migrations()[-1].version


@pytest.fixture
def small() -> SmallWorkspace:
    return tampering.workspace()


@pytest.fixture
def installation(database_maker: DatabaseMaker, small: SmallWorkspace) -> Iterator[Installation]:
    """A copy of two users' databases, with views and some bodies."""
    with database_maker.filled(tampering.fill) as url, WorkspaceServer(small.workspace) as server:
        yield Installation(Settings(database_url=url, notion_base_url=server.url), small.workspace)


async def plan(database_url: str) -> InitPlan:
    async with open_pool(database_url) as pool, pool.connection() as connection:
        return await plan_init(connection)


async def init(database_url: str, *, row_security: bool = False) -> InitPlan:
    async with open_pool(database_url) as pool, pool.connection() as connection:
        planned = await plan_init(connection, row_security=row_security)
        await carry_out(connection, planned)
        return planned


def catalog(database_url: str) -> dict[str, list[str]]:
    """All that makes up a schema, whatever the order of columns, and whether foreign keys were tried on old rows."""
    found = catalog_of(database_url)
    found["columns"] = sorted(
        re.sub(r"^\(('\w+', '\w+'), \d+,", r"(\1,", line) for line in found["columns"] if "pg.dropped" not in line
    )
    constraints = (line.replace(" NOT VALID", "") for line in found["constraints"])
    found["constraints"] = sorted(line for line in constraints if ", 'NOT NULL " not in line)
    del found["types"]
    return found


def test_the_parts_are_listed_as_the_migrations_make_them(database_url: str) -> None:
    assert LISTED.read_text(encoding="utf-8") == listed(database_url), "run: python -m docs.made.bookkeeping"


def test_the_parts_alone_make_what_the_migrations_make(database_maker: DatabaseMaker) -> None:
    with database_maker.empty() as by_parts, database_maker.empty() as by_migrations:
        lack = lack_of(["schema notion"], [])
        with psycopg.connect(by_parts) as connection:
            connection.execute("CREATE SCHEMA notion")
            connection.execute(lack.remedy())
        with psycopg.connect(by_migrations) as connection:
            connection.execute("SET search_path = pg_catalog")
            for step in migrations():
                connection.execute(statements_of_step(step))
        execute(by_parts, "DO $$ DECLARE t regclass; BEGIN FOR t IN SELECT oid FROM pg_class WHERE relkind = 'r' AND"
                " relnamespace = 'notion_sync'::regnamespace LOOP EXECUTE 'ALTER TABLE ' || t || ' ENABLE ROW LEVEL"
                " SECURITY'; END LOOP; END $$")  # fmt: skip
        assert catalog(by_parts) == catalog(by_migrations)


def dropping(part: Part) -> str:
    """The statement by which somebody drops it."""
    kind, _, name = part.name.rpartition(" ")
    table, _, column = name.partition(".")
    match kind.split()[0]:
        case "default":
            return f"ALTER TABLE notion_sync.{table} ALTER COLUMN {column} DROP DEFAULT"
        case "NOT":
            return f"ALTER TABLE notion_sync.{table} ALTER COLUMN {column} DROP NOT NULL"
        case "column":
            return f"ALTER TABLE notion_sync.{table} DROP COLUMN {column} CASCADE"
        case "constraint":
            return f"ALTER TABLE notion_sync.{table} DROP CONSTRAINT {part.name.split()[1]} CASCADE"
        case "owner":
            return f"ALTER SEQUENCE notion_sync.{table} OWNED BY NONE"
        case "schema":
            return f"DROP SCHEMA {table} CASCADE"
        case _:
            return f"DROP {kind} notion_sync.{name} CASCADE"


async def test_each_part_that_is_dropped_comes_back(initialised_url: str) -> None:
    """Each within a transaction of its own, in tables without rows."""
    newest = [part for part in known_parts() if part.until is None]
    assert len(newest) > 350
    async with open_pool(initialised_url) as pool, pool.connection() as connection:
        before = {row async for row in await connection.execute(PARTS)}
        keys = re.findall(
            r"ALTER TABLE (\S+) ADD CONSTRAINT \S+ PRIMARY KEY \((.*)\)", "\n".join(one.statement for one in newest)
        )
        of_keys = {
            f"NOT NULL of {table.split('.')[1]}.{name}"
            for table, names in keys
            for name in names.replace('"', "").split(", ")
        }
        for part in newest:
            if part.name in of_keys:
                continue
            async with connection.transaction(force_rollback=True):
                await connection.execute(dropping(part).encode())
                lack = await find_lack(connection)
                assert part.name in [one.name for one in lack.parts], part.name
                assert lack.version == NEWEST, part.name
                await connection.execute(lack.remedy())
                assert (await find_lack(connection)).is_empty, part.name
                after = {row async for row in await connection.execute(PARTS)}
                assert {row[:2] for row in before} == {row[:2] for row in after}, part.name


DAMAGE = {
    "the schema": "DROP SCHEMA notion_sync CASCADE",
    "the schema of views too": "DROP SCHEMA notion_sync CASCADE; DROP SCHEMA notion CASCADE",
    "everything in it": "DROP SCHEMA notion_sync CASCADE; CREATE SCHEMA notion_sync",
    "notes": "DROP TABLE notion_sync.pages",
    "data sources": "DROP TABLE notion_sync.data_sources CASCADE",
    "databases": "DROP TABLE notion_sync.databases CASCADE",
    "accounts": "DROP TABLE notion_sync.accounts CASCADE",
    "who wants views": "ALTER TABLE notion_sync.accounts DROP COLUMN views CASCADE",
    "runs": "DROP TABLE notion_sync.job_run_details CASCADE",
    "numbers of runs": "DROP SEQUENCE notion_sync.runid_seq CASCADE",
    "search": "DROP TABLE notion_sync.search_documents CASCADE",
    "the language of search": "DROP TABLE notion_sync.search_settings CASCADE",
    "the row of the language of search": "DELETE FROM notion_sync.search_settings",
    "whom to trust": "DROP TABLE notion_sync.trusted_owners CASCADE",
    "whose rows views show": "DROP TABLE notion_sync.view_sources CASCADE",
    "what is known of views": "DROP TABLE notion_sync.views CASCADE",
    "migrations": "DROP TABLE notion_sync.migrations",
    "the last record": f"DELETE FROM notion_sync.migrations WHERE version = {NEWEST}",
    "a record": "DELETE FROM notion_sync.migrations WHERE version = 7",
    "all records": "TRUNCATE notion_sync.migrations",
    "the version": "ALTER TABLE notion_sync.migrations DROP COLUMN version CASCADE",
    "a count": "ALTER TABLE notion_sync.data_sources DROP COLUMN row_count",
    "a schema": "ALTER TABLE notion_sync.data_sources DROP COLUMN schema CASCADE",
    "a search vector": "ALTER TABLE notion_sync.search_documents DROP COLUMN tsv",
    "a key": "ALTER TABLE notion_sync.pages DROP CONSTRAINT pages_pkey",
    "an index": "DROP INDEX notion_sync.search_documents_by_word",
    "a default": "ALTER TABLE notion_sync.accounts ALTER COLUMN views DROP DEFAULT",
    "a type": "DROP TYPE notion_sync.found_page CASCADE",
    "row level security": "ALTER TABLE notion_sync.data_sources DISABLE ROW LEVEL SECURITY",
}
# After these a person has to set again, as init says, whose bodies are read, and more.
LOSES_SETTINGS = {"the schema", "the schema of views too", "everything in it", "data sources"}


@pytest.mark.parametrize("name", list(DAMAGE))
async def test_after_init_the_next_sync_has_every_row_under_its_id(installation: Installation, name: str) -> None:
    before = await stored(installation)
    url = installation.settings.database_url or ""
    healthy = catalog(url)
    await run(installation, DAMAGE[name])
    assert not (await plan(url)).is_empty
    warnings = (await init(url)).upgrade.warnings
    assert (await plan(url)).is_empty
    outcome = await installation.sync_all(full=True)
    assert outcome.failures == []
    assert (outcome.totals.inserted, outcome.totals.removed) == (0, 0)
    if name in LOSES_SETTINGS:
        # Where nothing at all is left, it looks like a database that init has not seen before.
        assert "whose bodies are read" in "".join(warnings) or name == "the schema of views too"
        await set_again(installation)
    assert (await installation.sync_all(full=True)).failures == []
    assert differing(before, await stored(installation)) == []
    assert catalog(url) == healthy


async def set_again(installation: Installation) -> None:
    await init(installation.settings.database_url or "", row_security=True)
    await installation.execute("UPDATE notion_sync.accounts SET views = true")
    await installation.execute(
        "UPDATE notion_sync.data_sources SET bodies = true WHERE user_id = 'anna' AND database_name = ANY (%s)",
        list(tampering.WITH_BODIES),
    )


@pytest.mark.parametrize("state", [17, 12, 5])
async def test_tables_of_an_earlier_version_are_whole_before_they_are_upgraded(
    database_maker: DatabaseMaker, database_url: str, state: int
) -> None:
    """Where what is missing is what a later migration changes, and its record is lost too."""
    with psycopg.connect(database_url) as connection:
        connection.execute("SET search_path = pg_catalog")
        for step in migrations()[:state]:
            connection.execute(statements_of_step(step))
        connection.execute("DROP TABLE notion_sync.removed_pages; DROP TABLE notion_sync.seen_pages")
        connection.execute("ALTER TABLE notion_sync.data_sources DROP COLUMN database_id CASCADE")
        connection.execute("DELETE FROM notion_sync.migrations WHERE version > 3")
    async with open_pool(database_url) as pool, pool.connection() as connection:
        lack = await find_lack(connection)
    assert lack.version == state
    assert {step.version for step in lack.unrecorded} == set(range(4, state + 1))
    await init(database_url)
    with database_maker.empty() as new:
        await init(new)
        assert catalog(database_url) == catalog(new)


async def test_rows_that_mean_nothing_any_more_are_named_with_what_to_type(installation: Installation) -> None:
    before, url = await stored(installation), installation.settings.database_url or ""
    await run(installation, "ALTER TABLE notion_sync.pages DROP COLUMN page_id CASCADE")
    with pytest.raises(
        PostgresError, match=r'"pages" has rows that do not fit .* run .notion-pg-sync init. again'
    ) as told:
        await init(url)
    await run(installation, told.value.fix)
    await init(url)
    assert (await installation.sync_all(full=True)).failures == []
    assert differing(before, await stored(installation)) == []


async def test_numbers_of_runs_that_rows_have_are_not_given_again(installation: Installation) -> None:
    (latest,) = await installation.execute("SELECT max(runid) AS runid FROM notion_sync.database_runs")
    await run(installation, "DROP TABLE notion_sync.job_run_details CASCADE")
    await init(installation.settings.database_url or "")
    assert (await installation.sync_all()).failures == []
    (now,) = await installation.execute("SELECT max(runid) AS runid FROM notion_sync.job_run_details")
    assert now["runid"] > latest["runid"]


async def test_what_somebody_added_is_theirs(initialised_url: str) -> None:
    execute(
        initialised_url,
        "ALTER TABLE notion_sync.databases ADD COLUMN remark text",
        "CREATE INDEX of_mine ON notion_sync.databases (remark)",
        "CREATE TABLE notion_sync.mine (a integer)",
    )
    await init(initialised_url)
    assert (await plan(initialised_url)).is_empty


async def test_a_role_that_does_not_own_the_schema_is_told_who_does(database_url: str, login: str) -> None:
    await init(database_url)
    execute(
        database_url,
        "DROP TABLE notion_sync.pages",
        f"GRANT USAGE ON SCHEMA notion_sync TO {login}",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA notion_sync, public TO {login}",
    )
    planned = await plan(psycopg.conninfo.make_conninfo(database_url, user=login))
    assert [one for one in planned.problems if "table pages; run 'notion-pg-sync init' as" in one]


async def test_the_printed_sql_brings_it_back_too(initialised_url: str) -> None:
    before = catalog(initialised_url)
    execute(initialised_url, "DROP TABLE notion_sync.pages", "DELETE FROM notion_sync.migrations WHERE version > 11")
    async with open_pool(initialised_url) as pool, pool.connection() as connection:
        printed = statements_of(await plan_init(connection), connection)
    execute(initialised_url, printed)
    assert (await plan(initialised_url)).is_empty
    assert catalog(initialised_url) == before


@pytest.mark.parametrize("schema", ["notion", "notion_sync"])
async def test_a_schema_that_was_made_before_is_no_obstacle(
    database_maker: DatabaseMaker, initialised_url: str, schema: str
) -> None:
    with database_maker.empty() as url:
        execute(url, f"CREATE SCHEMA {schema}")
        await init(url)
        assert (await plan(url)).is_empty
