"""A page has one row however an application writes its id, and the application finds its rows by what it wrote."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from notion_workspace import SampleWorkspace, SmallWorkspace, WorkspaceServer
from psycopg.errors import UniqueViolation

from notion_pg_sync.mirror.connection import Pool, open_pool, transaction
from notion_pg_sync.mirror.initialise import carry_out, plan_init
from notion_pg_sync.mirror.rows import claim_rows, write_rows
from notion_pg_sync.mirror.sent_rows import Row, RowOwner
from notion_pg_sync.mirror.tables import find_tables
from notion_pg_sync.settings import Settings
from tests.installation import Installation, register
from tests.sync.test_verify import verified

pytestmark = pytest.mark.slow

# Ways to write an id: those that a table may have, and two more in which somebody may write one.
SPELLINGS: dict[str, Callable[[str], str]] = {
    "dashed": lambda one: one,
    "plain": lambda one: one.replace("-", ""),
    "upper-dashed": str.upper,
    "upper-plain": lambda one: one.replace("-", "").upper(),
    "mixed": lambda one: one[:14].upper() + one[14:],
    "half-dashed": lambda one: one[:13] + one[13:].replace("-", ""),
}
OF_TABLES = tuple(SPELLINGS)[:4]
TABLE = "notion_characters_sync"

UPSERT = f"""
    INSERT INTO {TABLE} (user_id, notion_page_id, notion_database_id, name) VALUES (%s, %s, %s, %s)
    ON CONFLICT (user_id, notion_page_id) DO UPDATE
    SET name = EXCLUDED.name, notion_database_id = EXCLUDED.notion_database_id, updated_at = now()
"""


class Application:
    """An application that wrote the copy by itself before, and goes on to: ids in a way of its own."""

    def __init__(self, installation: Installation, database_id: str, pages: list[str], way: str) -> None:
        self.installation = installation
        self.database_id = SPELLINGS[way](database_id)
        self.spell = SPELLINGS[way]
        self.pages = pages

    async def write(self, page: str, name: str, way: str | None = None) -> None:
        spell = SPELLINGS[way] if way else self.spell
        await self.installation.execute(UPSERT, "anna", spell(page), self.database_id, name)

    async def read(self) -> dict[str, str]:
        """The names that it finds by its own spelling of the database's id, by page id as they stand there."""
        rows = await self.installation.execute(
            f"SELECT notion_page_id, name FROM {TABLE} WHERE notion_database_id = %s AND user_id = 'anna'",
            self.database_id,
        )
        found = {row["notion_page_id"]: row["name"] for row in rows}
        assert len(found) == len(rows)
        return found

    async def assert_one_row_a_page(self) -> None:
        """Every page of Notion's has a row, one, and it is found by the application's own spellings."""
        rows = await self.installation.execute(f"SELECT notion_page_id FROM {TABLE} WHERE user_id = 'anna'")
        assert sorted(row["notion_page_id"] for row in rows) == sorted(map(self.spell, self.pages))
        assert (await self.read()).keys() == set(map(self.spell, self.pages))


EVERY_TABLE = pytest.mark.parametrize("application", OF_TABLES, indirect=True)


@pytest.fixture
async def application(
    request: pytest.FixtureRequest, database_url: str, app_schema: str, small: SmallWorkspace
) -> AsyncIterator[Application]:
    """The application with rows of three pages, after `init` and before the first sync; without dashes if not said."""
    with psycopg.connect(database_url) as connection:
        connection.execute(app_schema.encode())
        connection.execute(f"DELETE FROM {TABLE}".encode())
    small.workspace.clock.advance(3600)
    with WorkspaceServer(small.workspace) as server:
        installed = Installation(Settings(database_url=database_url, notion_base_url=server.url), small.workspace)
        pages = small.workspace.page_ids("Characters")
        made = Application(installed, small.databases["Characters"], pages, getattr(request, "param", "plain"))
        for page in pages[:3]:
            await installed.execute(
                f"INSERT INTO {TABLE} (user_id, notion_page_id, notion_database_id, name)"
                " VALUES ('anna', %s, %s, 'as the application had it')",
                made.spell(page),
                made.database_id,
            )
        await installed.init()
        await installed.connect("anna", small.tokens["anna"], {"Characters": made.database_id})
        yield made


async def synced(application: Application, **settings: object) -> None:
    assert (await application.installation.sync_one("anna", "Characters", **settings)).failures == []


@EVERY_TABLE
async def test_its_rows_are_adopted_and_found_as_before(application: Application, small: SmallWorkspace) -> None:
    before = await application.installation.execute(f"SELECT id, notion_page_id FROM {TABLE} WHERE user_id = 'anna'")
    await synced(application)
    await application.assert_one_row_a_page()
    kept = await application.installation.execute(f"SELECT id, notion_page_id FROM {TABLE} WHERE user_id = 'anna'")
    assert [row for row in before if row not in kept] == []
    assert (await verified(application.installation, small, "Characters")).is_exact
    assert (await application.installation.sync_one("anna", "Characters", full=True)).totals.updated == 0


@EVERY_TABLE
async def test_its_past_is_told_in_whatever_way_it_writes_ids(application: Application, small: SmallWorkspace) -> None:
    await synced(application)
    page, other = application.pages[:2]
    name = str((await application.read())[application.spell(page)])
    (then,) = await application.installation.execute("SELECT clock_timestamp() AS now")
    small.workspace.edit_page(page, {"Name": "Renamed"})
    small.workspace.trash_page(other)
    await application.installation.let_an_hour_go_by()
    await synced(application, full=True)
    changes = await application.installation.execute("SELECT page_id, kind FROM notion_sync.page_changes")
    assert sorted((one["page_id"], one["kind"]) for one in changes) == sorted([(page, "updated"), (other, "removed")])
    past = "SELECT page_id, title FROM notion_sync.rows_as_of('anna', 'Characters', %s)"
    before = {one["page_id"]: one["title"] for one in await application.installation.execute(past, then["now"])}
    assert sorted(before) == sorted(application.pages)
    assert before[page] == name
    (now,) = await application.installation.execute("SELECT clock_timestamp() AS now")
    after = {one["page_id"]: one["title"] for one in await application.installation.execute(past, now["now"])}
    assert sorted(after) == sorted({*application.pages} - {other})
    assert after[page] == "Renamed"


@EVERY_TABLE
async def test_its_upserts_hit_the_row_in_whatever_way_they_write_the_id(application: Application) -> None:
    known, new = application.pages[0], application.pages[5]
    for name, way in enumerate(SPELLINGS):
        await application.write(new, f"before the sync, {name}", way)
    await synced(application)
    for name, way in enumerate(SPELLINGS):
        for page in (known, new):
            await application.write(page, f"after it, {name}", way)
            await application.assert_one_row_a_page()
            assert (await application.read())[application.spell(page)] == f"after it, {name}"
    await synced(application, full=True)
    await application.assert_one_row_a_page()


@EVERY_TABLE
async def test_a_draft_that_gets_its_id_later_has_it_as_the_others(application: Application) -> None:
    installation = application.installation
    page = application.pages[4]
    for way, spell in SPELLINGS.items():
        await installation.execute(
            f"INSERT INTO {TABLE} (user_id, notion_database_id, name) VALUES ('anna', %s, %s)", "x", way
        )
        await installation.execute(f"UPDATE {TABLE} SET notion_page_id = %s WHERE name = %s", spell(page), way)
        rows = await installation.execute(f"DELETE FROM {TABLE} WHERE name = %s RETURNING notion_page_id", way)
        assert rows == [{"notion_page_id": application.spell(page)}]


async def test_what_is_no_id_of_notion_is_the_applications_own_affair(
    application: Application, small: SmallWorkspace
) -> None:
    insert = f"INSERT INTO {TABLE} (user_id, notion_page_id, notion_database_id, name) VALUES ('anna', %s, %s, 'mine')"
    # Notion calls the first of them malformed, though it looks well.
    malformed = application.spell("12345678-1234-1234-1234-123456789abc")
    strange = [malformed, "draft-1", "", "22222222", application.pages[0] + "x", "Ünïcode", application.pages[0] + "\n"]
    for written in strange:
        await application.installation.execute(insert, written, application.database_id)
    for _ in range(2):
        await synced(application, full=True)
        rows = await application.installation.execute(
            f"SELECT notion_page_id, notion_data_source_id FROM {TABLE} WHERE name = 'mine'"
        )
        assert sorted(row["notion_page_id"] for row in rows) == sorted(strange)
        taken_over = [row["notion_page_id"] for row in rows if row["notion_data_source_id"] is not None]
        assert taken_over == [malformed]
    (told,) = (await verified(application.installation, small, "Characters")).differences
    assert (told.kind, told.in_notion) == ("extra_row", "no such page, or no longer shared")


@pytest.mark.parametrize("application", ["dashed", "plain", "upper-dashed"], indirect=True)
async def test_the_rest_of_the_tool_finds_the_rows(application: Application, small: SmallWorkspace) -> None:
    """Search and look-ups, bodies, removal, a page that comes back, views, forget."""
    installation, page = application.installation, application.pages[2]
    await installation.execute("INSERT INTO notion_sync.accounts (user_id, views) VALUES ('anna', true)")
    installation.workspace.set_body(page, [])
    installation.workspace.clock.advance(3600)
    await synced(application, bodies=True, requests_per_minute=100_000)
    (row,) = await installation.execute(f"SELECT * FROM {TABLE} WHERE notion_page_id = %s", application.spell(page))
    look_up = "SELECT page_id FROM notion_sync.get_notion_page('anna', 'characters', %s)"
    assert await installation.execute(look_up, row["name"]) == [{"page_id": page}]
    view = "SELECT page_id, database_id FROM notion.characters WHERE page_id = %s"
    database_id = small.databases["Characters"]
    assert await installation.execute(view, page) == [{"page_id": page, "database_id": database_id}]
    bodies = await installation.execute("SELECT page_id FROM notion_sync.page_bodies")
    assert sorted(body["page_id"] for body in bodies) == sorted(application.pages)
    documents = await installation.execute("SELECT page_id FROM notion_sync.search_documents")
    assert sorted(document["page_id"] for document in documents) == sorted(application.pages)

    installation.workspace.clock.advance(3600)
    requests = installation.workspace.requests
    requests.clear()
    await synced(application, bodies=True)
    assert requests.counts().get("markdown", 0) == 0

    installation.workspace.trash_page(page)
    await synced(application, full=True)
    (removed,) = await installation.execute("SELECT page_id, row, reason FROM notion_sync.removed_pages")
    assert (removed["page_id"], removed["reason"]) == (page, "trashed")
    assert removed["row"]["notion_page_id"] == application.spell(page)
    assert await installation.execute(look_up, row["name"]) == []
    for table in ("page_bodies WHERE page_id", "search_documents WHERE page_id"):
        assert await installation.execute(f"SELECT 1 FROM notion_sync.{table} = %s", page) == []
    installation.workspace.restore_page(page)
    await synced(application)
    (back,) = await installation.execute(f"SELECT id FROM {TABLE} WHERE notion_page_id = %s", application.spell(page))
    assert back["id"] == row["id"]

    await installation.execute("UPDATE user_settings SET notion_databases = '{}'")
    await installation.execute("SELECT * FROM notion_sync.forget('anna', %s)", application.database_id)
    for table in (TABLE, "notion_sync.search_documents", "notion_sync.page_bodies"):
        assert await installation.execute(f"SELECT 1 FROM {table} WHERE user_id = 'anna'") == []


async def test_rows_that_move_to_another_table_are_spelled_as_it_does(application: Application) -> None:
    installation = application.installation
    await synced(application)
    await installation.execute(
        "UPDATE user_settings SET notion_databases = jsonb_build_object('People', %s::text) WHERE user_id = 'anna'",
        application.database_id,
    )
    assert (await installation.sync_one("anna", "People")).failures == []
    rows = await installation.execute("SELECT notion_page_id, notion_database_id FROM notion_pages_sync")
    assert sorted(row["notion_page_id"] for row in rows) == sorted(application.pages)
    assert {row["notion_database_id"] for row in rows} == {application.database_id}
    assert await installation.execute(f"SELECT 1 FROM {TABLE} WHERE user_id = 'anna'") == []


async def configure(application: Application, written: str) -> None:
    await application.installation.execute(
        "UPDATE user_settings SET notion_databases = jsonb_build_object('Characters', %s::text) WHERE user_id = 'anna'",
        written,
    )


async def test_rows_follow_another_spelling_in_the_configuration_and_not_to_and_fro(application: Application) -> None:
    """Those in a third one have it from the application, and keep it."""
    installation = application.installation
    await synced(application)
    third = SPELLINGS["mixed"](str(UUID(application.database_id)))
    await installation.execute(
        f"UPDATE {TABLE} SET notion_database_id = %s WHERE notion_page_id = %s",
        third,
        application.spell(application.pages[0]),
    )
    for way in ("half-dashed", "plain", "dashed"):
        application.database_id = SPELLINGS[way](str(UUID(application.database_id)))
        await configure(application, application.database_id)
        await synced(application)
        assert len(await application.read()) == len(application.pages) - 1
        written = await installation.execute(f"SELECT xmin::text FROM {TABLE} WHERE user_id = 'anna' ORDER BY id")
        await synced(application)
        again = await installation.execute(f"SELECT xmin::text FROM {TABLE} WHERE user_id = 'anna' ORDER BY id")
        assert written == again
    (kept,) = await installation.execute(
        f"SELECT notion_database_id FROM {TABLE} WHERE notion_page_id = %s", application.spell(application.pages[0])
    )
    assert kept["notion_database_id"] == third


async def test_a_link_in_the_configuration_gives_new_rows_the_id_as_notion_writes_it(
    application: Application, small: SmallWorkspace
) -> None:
    link = f"https://www.notion.so/Characters-{small.databases['Characters'].replace('-', '')}?v=1"
    await configure(application, link)
    await synced(application)
    rows = await application.installation.execute(f"SELECT * FROM {TABLE} WHERE user_id = 'anna'")
    databases = {row["notion_page_id"]: row["notion_database_id"] for row in rows}
    adopted = set(map(application.spell, application.pages[:3]))
    assert {databases[page] for page in adopted} == {application.database_id}
    assert {database for page, database in databases.items() if page not in adopted} == {small.databases["Characters"]}


@pytest.mark.parametrize("lost", ["DISABLE TRIGGER notion_sync_page_id", "DROP TRIGGER notion_sync_page_id ON"])
async def test_without_the_trigger_no_page_is_doubled_by_a_sync_and_what_was_is_told(
    application: Application, small: SmallWorkspace, lost: str
) -> None:
    """`init` makes it again, and of two rows leaves the newer one."""
    installation, page = application.installation, application.pages[0]
    await synced(application)
    await installation.execute(f"{lost} {TABLE}" if lost.startswith("DROP") else f"ALTER TABLE {TABLE} {lost}")
    await synced(application, full=True)
    await application.assert_one_row_a_page()
    await application.write(page, "once more", "mixed")
    await synced(application, full=True)
    told = (await verified(installation, small, "Characters")).differences
    assert [(one.kind, one.page_id) for one in told] == [("extra_row", page)]
    await installation.execute(
        f"UPDATE {TABLE} SET notion_data_source_id = %s WHERE name = 'once more'", small.data_sources["Characters"]
    )
    told = (await verified(installation, small, "Characters")).differences
    assert ("extra_row", page, "2 rows of it") in [(one.kind, one.page_id, one.in_postgresql) for one in told]
    await installation.init()
    await application.assert_one_row_a_page()
    assert (await application.read())[application.spell(page)] == "once more"
    await application.write(page, "and again", "half-dashed")
    await application.assert_one_row_a_page()


# Any order of things, and at once -----------------------------------------------------------------------------------

DATABASE_ID, SOURCE_ID = "aaaaaaaa-1111-4111-8111-aaaaaaaaaaaa", "bbbbbbbb-2222-4222-8222-bbbbbbbbbbbb"
PAGES = [f"{number}bcdef{number}a-0{number}0f-4abc-8def-abcdef00000{number}" for number in range(3)]
NOW = datetime(2026, 6, 1, tzinfo=UTC)

pages = st.sampled_from(PAGES)
ways = st.sampled_from(sorted(SPELLINGS))
steps = st.one_of(
    st.tuples(st.sampled_from(["upsert", "draft"]), pages, ways),
    st.tuples(st.just("sync"), pages, st.just("dashed")),
)


@pytest.fixture
def application_url(database_url: str, app_schema: str) -> str:
    with psycopg.connect(database_url) as connection:
        connection.execute(app_schema.encode())
    return database_url


async def tool_writes(pool: Pool, page_ids: list[str], database_id: str) -> None:
    """What a sync does: it takes over the application's rows, and writes pages whose content is new."""
    owner = RowOwner("anna", DATABASE_ID, "Characters", SOURCE_ID, database_id)
    title = uuid4().hex
    rows = [Row(page, title, None, {}, "{}", "{}", frozenset(), None, NOW, NOW, title) for page in page_ids]
    async with transaction(pool) as connection:
        table = (await find_tables(connection, "public"))[TABLE]
        await register(connection, owner)
        await claim_rows(connection, table, owner)
    async with transaction(pool) as connection:
        await write_rows(connection, table, owner, rows)


Session = psycopg.AsyncConnection[tuple[str]]


async def init(pool: Pool) -> None:
    async with pool.connection() as connection:
        await carry_out(connection, await plan_init(connection))


async def take(pool: Pool, session: Session, step: tuple[str, str, str], database_id: str) -> None:
    """One step: of the tool, or of the application in its `session`."""
    kind, page, way = step
    match kind:
        case "upsert":
            await session.execute(UPSERT.encode(), ("anna", SPELLINGS[way](page), database_id, "x"))
        case "draft":
            await session.execute(
                f"INSERT INTO {TABLE} (user_id, notion_database_id, name) VALUES ('anna', 'd', 'draft')".encode()
            )
            with contextlib.suppress(UniqueViolation):
                await session.execute(
                    f"UPDATE {TABLE} SET notion_page_id = %s, notion_database_id = %s, name = 'x'"
                    " WHERE name = 'draft'".encode(),
                    (SPELLINGS[way](page), database_id),
                )
            await session.execute(f"DELETE FROM {TABLE} WHERE name = 'draft'".encode())
        case _:
            await tool_writes(pool, [page], database_id)


async def begin(session: Session, before: list[tuple[str, str]], database_id: str) -> None:
    """The application's table as before `init`, with rows of these pages, written so."""
    await session.execute(f"DROP TRIGGER IF EXISTS notion_sync_page_id ON {TABLE}".encode())
    await session.execute(f"ALTER TABLE {TABLE} DROP CONSTRAINT IF EXISTS {TABLE}_page_key".encode())
    await session.execute(f"TRUNCATE {TABLE}".encode())
    for page, written in before:
        await session.execute(
            f"INSERT INTO {TABLE} (user_id, notion_page_id, notion_database_id) VALUES ('anna', %s, %s)".encode(),
            (SPELLINGS[written](page), database_id),
        )


@examples(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=st.lists(st.tuples(pages, ways), max_size=6, unique=True), way=ways, played=st.lists(steps, max_size=8))
async def test_in_any_order_of_upserts_and_syncs_a_page_has_one_row(
    application_url: str, before: list[tuple[str, str]], way: str, played: list[tuple[str, str, str]]
) -> None:
    database_id = SPELLINGS[way](DATABASE_ID)
    query = f"SELECT notion_page_id FROM {TABLE} WHERE notion_database_id = %s".encode()
    touched = {page for page, _ in before}
    async with (
        open_pool(application_url) as pool,
        await psycopg.AsyncConnection.connect(application_url, autocommit=True) as session,
    ):
        await begin(session, before, database_id)
        await init(pool)
        for step in played:
            await take(pool, session, step, database_id)
            touched |= {step[1]}
            found = [page for (page,) in await (await session.execute(query, (database_id,))).fetchall()]
            assert sorted(str(UUID(page)) for page in found) == sorted(touched)
            assert any(all(SPELLINGS[spelling](str(UUID(one))) == one for one in found) for spelling in OF_TABLES)


@pytest.mark.parametrize("way", OF_TABLES)
async def test_upserts_in_two_spellings_at_once_are_one_row_and_no_error(application_url: str, way: str) -> None:
    """The application and the tool, each in its own spelling, on pages that neither has written yet."""
    installation = Installation(Settings(database_url=application_url), SampleWorkspace())
    await installation.execute(f"TRUNCATE {TABLE}")
    await installation.execute(
        f"INSERT INTO {TABLE} (user_id, notion_page_id, notion_database_id) VALUES ('u', %s, 'd')",
        SPELLINGS[way](str(uuid4())),
    )
    await installation.init()
    fresh = sorted(str(uuid4()) for _ in range(60))
    database_id = SPELLINGS["plain"](DATABASE_ID)

    async def application_writes(spelling: str) -> None:
        async with await psycopg.AsyncConnection.connect(application_url, autocommit=True) as connection:
            for page in fresh:
                await connection.execute(UPSERT.encode(), ("anna", SPELLINGS[spelling](page), database_id, "x"))

    async def sync_writes() -> None:
        async with open_pool(application_url) as pool:
            for start in range(0, len(fresh), 10):
                await tool_writes(pool, fresh[start : start + 10], database_id)

    await asyncio.gather(*map(application_writes, SPELLINGS), sync_writes())
    rows = await installation.execute(f"SELECT notion_page_id FROM {TABLE} WHERE user_id = 'anna'")
    assert sorted(row["notion_page_id"] for row in rows) == sorted(map(SPELLINGS[way], fresh))


async def test_an_application_needs_no_right_in_the_tools_schema(application_url: str) -> None:
    installation = Installation(Settings(database_url=application_url), SampleWorkspace())
    await installation.init()
    role = f"application_{uuid4().hex[:8]}"
    async with await psycopg.AsyncConnection.connect(application_url) as connection:
        await connection.execute(f"CREATE ROLE {role}".encode())
        await connection.execute(f"GRANT INSERT, SELECT, UPDATE ON notion_pages_sync TO {role}".encode())
        await connection.execute(f"SET LOCAL ROLE {role}".encode())
        allowed = await connection.execute("SELECT has_schema_privilege('notion_sync', 'USAGE')")
        assert await allowed.fetchone() == (False,)
        for spell in SPELLINGS.values():
            await connection.execute(
                "INSERT INTO notion_pages_sync (user_id, notion_page_id, notion_database_id, database_name)"
                " VALUES ('u', %s, 'd', 'n') ON CONFLICT (user_id, notion_page_id) DO UPDATE SET title = 'again'",
                (spell(PAGES[0]),),
            )
        found = await connection.execute("SELECT notion_page_id, title FROM notion_pages_sync")
        assert await found.fetchall() == [(PAGES[0], "again")]
        await connection.rollback()
