"""Views of relations: made, replaced and dropped with the typed view of their database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from notion_workspace import SmallWorkspace
from notion_workspace.literals import relation

from notion_pg_sync.mirror.connection import open_pool
from notion_pg_sync.mirror.side_views import side_view_name
from notion_pg_sync.mirror.views import refresh_views
from notion_pg_sync.notion.column_names import column_name, view_name
from tests.installation import Installation
from tests.mirror.test_views import resync

pytestmark = pytest.mark.slow

ROWS = 20_000


@pytest.fixture
async def anna(installation: Installation, small: SmallWorkspace) -> Installation:
    """A user who wants views, with Characters and Worlds in the copy."""
    databases = {name: small.databases[name] for name in ("Characters", "Worlds")}
    await installation.connect("anna", small.tokens["anna"], databases)
    await installation.execute("INSERT INTO notion_sync.accounts (user_id, views) VALUES ('anna', true)")
    assert (await installation.sync_all()).failures == []
    installation.workspace.clock.advance(3600)
    return installation


async def refresh(installation: Installation) -> list[str]:
    async with open_pool(installation.settings.database_url or "", 1) as pool, pool.connection() as connection:
        return await refresh_views(connection)


async def views(installation: Installation) -> list[str]:
    found = await installation.execute("SELECT viewname FROM pg_views WHERE schemaname = 'notion' ORDER BY 1")
    return [row["viewname"] for row in found]


async def test_a_relation_has_a_row_for_each_related_page_in_notions_order(
    anna: Installation, small: SmallWorkspace
) -> None:
    found = await anna.execute("SELECT * FROM notion.characters__world ORDER BY page_id, position")
    truth = anna.workspace.truth(small.data_sources["Characters"], "anna")
    expected = [
        {"user_id": "anna", "page_id": page_id, "related_page_id": related, "position": position}
        for page_id, page in sorted(truth.items())
        for position, related in enumerate(page["properties"]["World"], 1)
    ]
    assert [
        {**row, "page_id": str(row["page_id"]), "related_page_id": str(row["related_page_id"])} for row in found
    ] == (expected)
    assert len(expected) > 20


async def test_a_join_of_two_databases_is_one_line(anna: Installation, small: SmallWorkspace) -> None:
    found = await anna.execute(
        "SELECT characters.name, worlds.name AS world FROM notion.characters"
        " JOIN notion.characters__world USING (user_id, page_id)"
        " JOIN notion.worlds ON (worlds.user_id, worlds.page_id) = (characters__world.user_id, related_page_id)"
    )
    worlds = anna.workspace.truth(small.data_sources["Worlds"], "anna")
    characters = anna.workspace.truth(small.data_sources["Characters"], "anna").values()
    assert sorted((row["name"], row["world"]) for row in found) == sorted(
        (page["properties"]["Name"], worlds[world]["properties"]["Name"])
        for page in characters
        for world in page["properties"]["World"]
    )


async def test_a_relation_that_comes_has_a_view_and_one_that_goes_keeps_it_without_rows(anna: Installation) -> None:
    anna.workspace.add_property("Characters", "Rivals", relation("Characters"))
    await resync(anna)
    assert await anna.execute("SELECT * FROM notion.characters__rivals") == []
    anna.workspace.remove_property("Characters", "World")
    await resync(anna)
    assert await anna.execute("SELECT * FROM notion.characters__world") == []


async def test_nothing_is_done_where_nothing_changed(anna: Installation) -> None:
    query = "SELECT relname, oid, xmin::text FROM pg_class WHERE relnamespace = 'notion'::regnamespace ORDER BY 1"
    before = await anna.execute(query)
    await resync(anna)
    assert await anna.execute(query) == before


async def test_a_renamed_relation_keeps_the_name_of_its_view(anna: Installation) -> None:
    before = await views(anna)
    anna.workspace.rename_property("Characters", "World", "Home")
    await resync(anna)
    assert await views(anna) == before


async def test_the_views_go_when_no_user_wants_them(anna: Installation) -> None:
    assert "characters__world" in await views(anna)
    await anna.execute("UPDATE notion_sync.accounts SET views = false")
    await resync(anna)
    assert await views(anna) == []
    assert await anna.execute("SELECT * FROM notion_sync.views") == []


async def test_they_go_with_a_user_who_is_forgotten(anna: Installation) -> None:
    await anna.execute("UPDATE user_settings SET notion_token = NULL, notion_databases = '{}'")
    forgotten = await anna.execute("SELECT relation, row_count FROM notion_sync.forget('anna')")
    assert {"relation": "notion_sync.search_documents", "row_count": 52} in forgotten
    assert await views(anna) == []
    assert await anna.execute("SELECT * FROM notion_sync.views") == []


async def test_the_view_of_a_relation_alone_goes_when_no_data_source_has_it(anna: Installation) -> None:
    await anna.execute("DELETE FROM notion_sync.columns WHERE name = 'world'")
    await refresh(anna)
    assert "characters__world" not in await views(anna)
    assert "characters" in await views(anna)


async def test_what_depends_on_a_view_that_is_nobodys_keeps_it_and_is_named_once(anna: Installation) -> None:
    await anna.execute("CREATE VIEW homes AS SELECT related_page_id FROM notion.characters__world")
    await anna.execute("UPDATE notion_sync.accounts SET views = false")
    assert "homes depends on the view notion.characters__world" in " ".join(await refresh(anna))
    assert await views(anna) == ["characters__world"]
    assert await refresh(anna) == []
    await anna.execute("UPDATE notion_sync.accounts SET views = true")
    assert await refresh(anna) == []
    assert len(await anna.execute("SELECT * FROM homes")) > 20
    await anna.execute("DROP VIEW homes")
    await anna.execute("UPDATE notion_sync.accounts SET views = false")
    await refresh(anna)
    assert await views(anna) == []


async def test_a_view_that_somebody_made_in_its_place_is_left_alone(anna: Installation) -> None:
    await anna.execute("DROP VIEW notion.characters__world")
    await anna.execute("CREATE VIEW notion.characters__world AS SELECT 'mine' AS whose")
    assert "not a view of notion-pg-sync" in " ".join(await refresh(anna))
    assert await anna.execute("SELECT whose FROM notion.characters__world") == [{"whose": "mine"}]


@pytest.mark.parametrize("change", ["RESET (security_invoker)", "SET (security_invoker = false)"])
async def test_a_view_that_shows_everybodys_rows_is_mended(anna: Installation, change: str) -> None:
    await anna.execute(f"ALTER VIEW notion.characters__world {change}")
    await refresh(anna)
    (found,) = await anna.execute("SELECT reloptions FROM pg_class WHERE oid = 'notion.characters__world'::regclass")
    assert found["reloptions"] == ["security_invoker=true"]


async def test_only_the_data_sources_that_have_the_relation_are_in_its_view(anna: Installation) -> None:
    """Another's database of the same name may have people under the name of the relation, which are ids too."""
    await anna.execute(
        """
        UPDATE notion_sync.columns SET property_type = 'people' WHERE name = 'world';
        INSERT INTO notion_sync.accounts (user_id, views) VALUES ('cleo', true);
        INSERT INTO notion_sync.databases (user_id, database_id, name)
        SELECT 'cleo', database_id, name FROM notion_sync.databases WHERE name = 'Characters';
        INSERT INTO notion_sync.data_sources
            (user_id, data_source_id, database_id, database_name, view_name, name, sync_table, schema,
             schema_fingerprint)
        SELECT 'cleo', data_source_id, database_id, database_name, view_name, name, sync_table, schema,
               schema_fingerprint
        FROM notion_sync.data_sources WHERE database_name = 'Characters';
        INSERT INTO notion_sync.columns
        SELECT 'cleo', data_source_id, property_id, part, property_name, 'relation', name, type
        FROM notion_sync.columns WHERE name = 'world';
        INSERT INTO notion_characters_sync
            (user_id, notion_page_id, notion_database_id, notion_data_source_id, fields)
        SELECT 'cleo', notion_page_id, notion_database_id, notion_data_source_id, fields FROM notion_characters_sync
        """
    )
    await refresh(anna)
    found = await anna.execute("SELECT DISTINCT user_id FROM notion.characters__world")
    assert found == [{"user_id": "cleo"}]


@pytest.mark.parametrize("held", [None, 7, "x", {}, ["x"], [None], [["x"]]])
async def test_no_stored_value_makes_it_fail(anna: Installation, held: object) -> None:
    await anna.execute("UPDATE notion_characters_sync SET fields = %s", json.dumps({"world": held}))
    assert await anna.execute("SELECT * FROM notion.characters__world") == []


@pytest.mark.slow
async def test_a_join_over_many_rows_reads_each_table_once_or_by_its_index(anna: Installation) -> None:
    await anna.execute(
        """
        INSERT INTO notion_worlds_sync
            (user_id, notion_page_id, notion_database_id, notion_data_source_id, name, fields)
        SELECT user_id, md5(number::text)::uuid::text, notion_database_id, notion_data_source_id, name, fields
        FROM (SELECT * FROM notion_worlds_sync LIMIT 1) AS one, generate_series(1, %(rows)s) AS number;
        INSERT INTO notion_characters_sync
            (user_id, notion_page_id, notion_database_id, notion_data_source_id, name, fields)
        SELECT user_id, md5('c' || number)::uuid::text, notion_database_id, notion_data_source_id, name,
               jsonb_build_object('name', name, 'world', jsonb_build_array(md5(number::text)::uuid))
        FROM (SELECT * FROM notion_characters_sync LIMIT 1) AS one, generate_series(1, %(rows)s) AS number;
        """.replace("%(rows)s", str(ROWS))
    )
    await anna.execute("ANALYZE")
    query = (
        "SELECT count(*) FROM notion.characters JOIN notion.characters__world USING (user_id, page_id)"
        " JOIN notion.worlds ON (worlds.user_id, worlds.page_id) = (characters__world.user_id, related_page_id)"
    )
    (counted,) = await anna.execute(query)
    assert counted["count"] > ROWS
    (answer,) = await anna.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {query}")
    (explained,) = answer["QUERY PLAN"]
    scans = [
        node for node in nodes_of(explained["Plan"]) if node.get("Relation Name", "view_sources") != "view_sources"
    ]
    assert sorted(scan["Relation Name"] for scan in scans) == [
        "notion_characters_sync",
        "notion_characters_sync",
        "notion_worlds_sync",
    ]
    # Parallel workers make a scan count more than once, a nested loop makes it thousands.
    often = [scan for scan in scans if scan["Actual Loops"] >= 10]
    assert {scan.get("Index Name") for scan in often} <= {
        "notion_characters_sync_by_page",
        "notion_worlds_sync_by_page",
    }


def nodes_of(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A node of a plan, and those below it."""
    yield plan
    for inner in plan.get("Plans", []):
        yield from nodes_of(inner)


async def test_a_tenant_sees_their_own_related_pages(anna: Installation) -> None:
    await anna.execute("DROP ROLE IF EXISTS relation_reader")
    await anna.execute("CREATE ROLE relation_reader LOGIN")
    try:
        await anna.execute("GRANT USAGE ON SCHEMA notion TO relation_reader")
        await anna.execute("GRANT SELECT ON notion.characters__world, notion_characters_sync TO relation_reader")
        url = psycopg.conninfo.make_conninfo(anna.settings.database_url or "", user="relation_reader")
        with psycopg.connect(url, autocommit=True) as reader:
            count = "SELECT count(*) > 20 FROM notion.characters__world"
            reader.execute("SET app.user_id = 'ben'")
            assert reader.execute(count).fetchone() == (False,)
            reader.execute("SET app.user_id = 'anna'")
            assert reader.execute(count).fetchone() == (True,)
    finally:
        await anna.execute("DROP OWNED BY relation_reader")
        await anna.execute("DROP ROLE relation_reader")


names = st.text(min_size=1, max_size=60) | st.sampled_from(["all", "1", "order", "all 1", "1 all", "a" * 70, "世" * 40])


@given(names, names, names, names)
def test_names_fit_are_kept_and_tell_relations_and_typed_views_apart(
    database: str, property_: str, other_database: str, other_property: str
) -> None:
    one = (view_name(database, "22222222"), column_name(property_))
    other = (view_name(other_database, "22222222"), column_name(other_property))
    name = side_view_name(*one)
    assert len(name.encode()) <= 63
    assert (name == side_view_name(*other)) == (one == other)
    assert "__" in name
    assert "__" not in one[0]
