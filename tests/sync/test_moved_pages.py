"""What is kept of a page, its body above all, follows it to another database and goes when it leaves."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from notion_workspace import SmallWorkspace

from notion_pg_sync.mirror.connection import open_pool
from notion_pg_sync.mirror.forgetting import forget
from notion_pg_sync.mirror.initialise import carry_out, plan_init
from tests.conftest import DatabaseMaker
from tests.installation import TABLES, Installation

pytestmark = pytest.mark.slow

# Two of one sync table, and two that have their own.
NAMES = ("Characters", "Empty", "Three", "Worlds")
FULL: dict[str, Any] = {"full": True, "requests_per_minute": 100_000}


@pytest.fixture
async def anna(installation: Installation, small: SmallWorkspace) -> Installation:
    """A user with some pages with bodies in each of four databases, an hour ago, all in the copy."""
    workspace = installation.workspace
    for name in (*NAMES, "Tasks"):
        workspace.share("anna", name)
        for page in sorted(workspace.page_ids(name))[:3]:
            workspace.set_body(page, [f"The body of {page}."])
    workspace.clock.advance(3600)
    await installation.connect("anna", small.tokens["anna"], {name: small.databases[name] for name in NAMES})
    await sync(installation, bodies=True)
    return installation


async def sync(installation: Installation, *, bodies: bool = False) -> None:
    outcome = await installation.sync_all(**FULL, bodies=bodies)
    assert outcome.failures == []
    installation.workspace.clock.advance(3600)


async def disconnect(installation: Installation, *names: str) -> None:
    await installation.execute("UPDATE user_settings SET notion_databases = notion_databases - %s::text[]", [*names])


async def orphans(installation: Installation) -> list[str]:
    """What is kept by page, of pages that are in no sync table: by the catalog, so also of tables that come later."""
    columns = await installation.execute(
        "SELECT table_name, column_name, data_type FROM information_schema.columns JOIN information_schema.tables"
        " USING (table_schema, table_name) WHERE table_schema = 'notion_sync' AND table_type = 'BASE TABLE'"
        " AND column_name IN ('page_id', 'page_ids') AND table_name NOT IN ('removed_pages', 'page_changes')"
    )
    assert len(columns) >= 3
    live = " UNION ALL ".join(f"SELECT user_id, notion_page_id::text FROM {table}" for table in TABLES)
    found = []
    for column in columns:
        name = column["column_name"]
        pages = f"unnest({name})::text" if column["data_type"] == "ARRAY" else f"{name}::text"
        rows = await installation.execute(
            f"SELECT user_id, {pages} AS page FROM notion_sync.{column['table_name']} EXCEPT ({live})"
        )
        found += [f"{column['table_name']}: {row['page']}" for row in rows]
    return found


async def kept(installation: Installation, page: str) -> dict[str, str]:
    """In which data source a page's row, document and body are."""
    queries = {
        "row": " UNION ALL ".join(f"SELECT notion_page_id AS page, notion_data_source_id FROM {one}" for one in TABLES),
        "document": "SELECT page_id AS page, data_source_id FROM notion_sync.search_documents",
        "body": "SELECT page_id AS page, data_source_id FROM notion_sync.page_bodies",
    }
    found = {}
    for what, query in queries.items():
        for row in await installation.execute(f"SELECT * FROM ({query}) AS kept (page, source) WHERE page = %s", page):
            assert what not in found
            found[what] = row["source"]
    return found


def everything_in(source: str) -> dict[str, str]:
    return dict.fromkeys(("row", "document", "body"), source)


async def run_of(installation: Installation, database: str, *, bodies: bool = False) -> None:
    """Syncs one database, whole."""
    outcome = await installation.sync_one("anna", database, **FULL, bodies=bodies)
    assert outcome.failures == []


@pytest.mark.parametrize(("origin", "target"), [("Three", "Empty"), ("Worlds", "Three"), ("Worlds", "Characters")])
@pytest.mark.parametrize("first", ["origin", "target", "together"])
async def test_a_body_follows_its_page_and_leaves_with_it(
    anna: Installation, small: SmallWorkspace, origin: str, target: str, first: str
) -> None:
    page = sorted(anna.workspace.page_ids(origin))[0]
    assert await kept(anna, page) == everything_in(small.data_sources[origin])
    anna.workspace.move_page(page, target)
    if first == "together":
        await sync(anna)
    else:
        for name in (origin, target) if first == "origin" else (target, origin):
            await run_of(anna, name)
    where = await kept(anna, page)
    # Where it left the copy before it came back, so did its body, which the next run that reads bodies brings.
    assert where.pop("body", None) == small.data_sources[target] or first != "target"
    assert where == dict.fromkeys(("row", "document"), small.data_sources[target])
    assert await orphans(anna) == []
    anna.workspace.trash_page(page)
    await sync(anna)
    assert await kept(anna, page) == {}
    assert await orphans(anna) == []


async def test_a_body_that_followed_is_not_read_again(anna: Installation, small: SmallWorkspace) -> None:
    page = sorted(anna.workspace.page_ids("Three"))[0]
    anna.workspace.move_page(page, "Empty")
    anna.workspace.requests.clear()
    await run_of(anna, "Empty", bodies=True)
    assert anna.workspace.requests.counts("anna").get("markdown") is None
    assert await kept(anna, page) == everything_in(small.data_sources["Empty"])


async def test_the_row_that_a_page_left_behind_does_not_take_the_body_back(
    anna: Installation, small: SmallWorkspace
) -> None:
    """In another sync table it stays until its data source is read whole; bodies are read in between."""
    # Too many rows to be read whole each time.
    anna.workspace.share("anna", "Notes")
    await anna.execute("CREATE TABLE notion_notes_sync (LIKE notion_pages_sync INCLUDING ALL)")
    added = json.dumps({"Notes": small.databases["Notes"]})
    await anna.execute("UPDATE user_settings SET notion_databases = notion_databases || %s::jsonb", added)
    await sync(anna, bodies=True)
    page = sorted(anna.workspace.page_ids("Notes"))[0]
    anna.workspace.move_page(page, "Worlds")
    anna.workspace.edit_page(page)
    anna.workspace.clock.advance(3600)
    await run_of(anna, "Worlds", bodies=True)
    source = small.data_sources["Worlds"]
    for _ in range(2):
        outcome = await anna.sync_one("anna", "Notes", bodies=True)
        assert outcome.failures == []
        for what in ("page_bodies", "search_documents"):
            query = f"SELECT data_source_id FROM notion_sync.{what} WHERE page_id = %s"
            assert await anna.execute(query, page) == [{"data_source_id": source}]
    assert await anna.execute("SELECT 1 FROM notion_notes_sync WHERE notion_page_id = %s", page) != []


async def test_a_page_that_moved_out_of_the_copy_leaves_nothing(anna: Installation) -> None:
    page = sorted(anna.workspace.page_ids("Three"))[0]
    anna.workspace.move_page(page, "Tasks")
    await sync(anna)
    assert await kept(anna, page) == {}
    assert await orphans(anna) == []


@pytest.mark.parametrize("synced", ["nothing", "target", "both"])
@pytest.mark.parametrize("forgotten", ["Worlds", "Three"])
async def test_forgetting_a_database_after_a_page_moved(
    anna: Installation, small: SmallWorkspace, forgotten: str, synced: str
) -> None:
    """What belongs to the other database stays, whole; of this one nothing does."""
    page = sorted(anna.workspace.page_ids("Worlds"))[0]
    anna.workspace.move_page(page, "Three")
    for name in {"nothing": (), "target": ("Three",), "both": ("Three", "Worlds")}[synced]:
        await run_of(anna, name)
    await disconnect(anna, forgotten)
    await forget_database(anna, small.databases[forgotten])
    home = "Worlds" if synced == "nothing" else "Three"
    if forgotten != home:
        assert await kept(anna, page) == everything_in(small.data_sources[home])
    assert await orphans(anna) == []
    sources = (small.data_sources[forgotten], small.databases[forgotten])
    for table in ("page_bodies", "search_documents", "data_sources", "columns", "seen_pages"):
        query = f"SELECT 1 FROM notion_sync.{table} WHERE data_source_id = ANY (%s)"
        assert await anna.execute(query, [*sources]) == []


async def forget_database(installation: Installation, database_id: str | None) -> None:
    async with (
        open_pool(installation.settings.database_url or "") as pool,
        pool.connection() as connection,
        connection.transaction(),
    ):
        await forget(connection, "anna", database_id)


async def test_forgetting_a_user_leaves_nothing_of_pages_that_moved_and_left(anna: Installation) -> None:
    first, second, third = sorted(anna.workspace.page_ids("Three"))
    for page in (first, second, third):
        anna.workspace.move_page(page, "Empty")
    await run_of(anna, "Empty")
    anna.workspace.trash_page(first)
    await sync(anna)
    await anna.execute("UPDATE user_settings SET notion_databases = '{}', notion_token = NULL")
    await forget_database(anna, None)
    for page in (first, second, third):
        assert await kept(anna, page) == {}
    assert await orphans(anna) == []


async def test_what_a_deleted_row_left_behind_goes_with_its_page(anna: Installation) -> None:
    """Somebody deletes the row by SQL, and somebody the page in Notion, so that no sync brings it back."""
    page = sorted(anna.workspace.page_ids("Three"))[0]
    await anna.execute("DELETE FROM notion_pages_sync WHERE notion_page_id = %s", page)
    anna.workspace.trash_page(page)
    await sync(anna)
    assert await kept(anna, page) == {}
    assert await orphans(anna) == []


async def test_whatever_happens_to_pages_nothing_of_them_is_orphaned(
    anna: Installation, small: SmallWorkspace, rounds: int, request: pytest.FixtureRequest
) -> None:
    seed = request.config.getoption("--seed") or random.SystemRandom().randrange(1_000_000)
    print(f"chance: --seed {seed}")
    chance = random.Random(int(seed))
    workspace = anna.workspace
    pages = [page for name in NAMES for page in sorted(workspace.page_ids(name))[:2]]
    databases = {name: small.databases[name] for name in NAMES}
    for _ in range(rounds):
        deleted: set[str] = set()
        for page in chance.sample(pages, 4):
            what = chance.choice(["move", "move", "move", "trash", "trash", "restore", "edit", "delete"])
            if what == "move":
                workspace.move_page(page, chance.choice([*NAMES, "Tasks"]), bump=chance.random() < 0.5)
            elif what == "trash":
                workspace.trash_page(page)
            elif what == "restore":
                workspace.restore_page(page)
            elif what == "delete":
                deleted.add(page)
                for table in TABLES:
                    await anna.execute(f"DELETE FROM {table} WHERE notion_page_id = %s", page)
            else:
                workspace.set_body(page, [f"Another body of {page}: {chance.random()}."])
        workspace.clock.advance(600)
        if chance.random() < 0.3:
            forgotten = chance.choice(NAMES)
            await disconnect(anna, forgotten)
            await forget_database(anna, databases[forgotten])
            assert await anna.mirrored("anna", small.data_sources[forgotten]) == {}
            query = (
                "UPDATE user_settings SET notion_databases = notion_databases || jsonb_build_object(%s::text, %s::text)"
            )
            await anna.execute(query, forgotten, databases[forgotten])
        for name in chance.sample(NAMES, 2):
            await anna.sync_one("anna", name, bodies=chance.random() < 0.2)
        found = await orphans(anna)
        assert [one for one in found if one.rpartition(" ")[2] not in deleted] == []
        await sync(anna, bodies=chance.random() < 0.2)
        assert await orphans(anna) == []
        assert await anna.differences("anna", "anna", databases) == []
    await sync(anna, bodies=True)
    bodies = await anna.execute("SELECT page_id, markdown FROM notion_sync.page_bodies")
    assert {row["page_id"]: row["markdown"] for row in bodies} == {
        page: workspace.complete_body(page) for name in NAMES for page in workspace.page_ids(name)
    }


async def test_orphans_of_earlier_versions_go_with_init(database_maker: DatabaseMaker) -> None:
    """And bodies of pages that moved and are there belong to where they are, also where there was no search yet."""
    sql = (Path(__file__).parents[1] / "mirror" / "upgrades" / "0008.sql").read_text(encoding="utf-8")
    names = ("D", "old", "new", "unsearched", "moved", "left", "nowhere", "gone")
    ids = {name: str(UUID(int=number)) for number, name in enumerate(names)}
    with database_maker.empty() as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(sql.encode())
            connection.execute("INSERT INTO notion_sync.accounts (user_id) VALUES ('anna')")
            connection.execute(
                "INSERT INTO notion_sync.databases (user_id, database_id, name) VALUES ('anna', %s, 'D')", (ids["D"],)
            )
            for source, searchable in (("old", True), ("new", True), ("unsearched", False)):
                connection.execute(
                    "INSERT INTO notion_sync.data_sources (user_id, data_source_id, database_id, database_name,"
                    " view_name, name, sync_table, schema, schema_fingerprint, is_searchable)"
                    " VALUES ('anna', %s, %s, 'D', 'd', 'D', 'public.notion_pages_sync', '{}', '', %s)",
                    (ids[source], ids["D"], searchable),
                )
            for page, source in (("moved", "old"), ("left", "old"), ("unsearched", "unsearched")):
                connection.execute(
                    "INSERT INTO notion_sync.page_bodies (user_id, notion_page_id, data_source_id, markdown,"
                    " plain_text, content_hash, last_edited_time, is_settled, fetched_at)"
                    " VALUES ('anna', %s, %s, '', '', '', now(), true, now())",
                    (ids[page], ids[source]),
                )
            connection.execute(
                "INSERT INTO notion_sync.search_documents (user_id, page_id, data_source_id, title, text, tsv, is_cut)"
                " VALUES ('anna', %s, %s, '', '', '', false), ('anna', %s, %s, '', '', '', false)",
                [ids[name] for name in ("moved", "new", "nowhere", "gone")],
            )
        async with open_pool(url) as pool, pool.connection() as opened:
            await carry_out(opened, await plan_init(opened))
        with psycopg.connect(url) as connection:
            bodies = connection.execute("SELECT page_id, data_source_id FROM notion_sync.page_bodies ORDER BY 1")
            assert bodies.fetchall() == [
                (ids["unsearched"], ids["unsearched"]),
                (ids["moved"], ids["new"]),
            ]
            documents = connection.execute("SELECT page_id FROM notion_sync.search_documents ORDER BY 1")
            assert documents.fetchall() == [(ids["unsearched"],), (ids["moved"],)]
