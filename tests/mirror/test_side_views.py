"""The views beside a typed view, and the columns beside its columns: names, titles, groups, options, files, bodies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from notion_workspace import SmallWorkspace
from notion_workspace.literals import files, multi_select, people, relation, rich_text, status, title
from notion_workspace.model import File

from notion_pg_sync.mirror.connection import open_pool
from notion_pg_sync.mirror.views import refresh_views
from tests.installation import Installation

pytestmark = pytest.mark.slow

GROUPS = {"To-do": ["Open"], "In progress": ["Doing"], "Complete": ["Done", "Dropped"]}
ADDRESS = "https://example.com/a.png"


@pytest.fixture
async def anna(installation: Installation, small: SmallWorkspace) -> Installation:
    """A user who wants views, with Projects and Jobs in the copy, of whose projects one is not shared."""
    workspace = installation.workspace
    workspace.add_user("Ada")
    workspace.add_user("Bo")
    projects = workspace.add_database("Projects", {"Name": title()}, [{"Name": "Boat"}, {"Name": "Attic"}])
    tasks = workspace.add_database(
        "Jobs",
        {
            "Task": title(),
            "Status": status(**GROUPS),
            "Project": relation("Projects"),
            "Tags": multi_select(),
            "Who": people(),
            "Files": files(),
        },
        [
            {
                "Task": "Paint",
                "Status": "Doing",
                "Project": ["Boat", "Attic"],
                "Tags": ["home", "fun"],
                "Who": ["Bo", "Ada"],
                "Files": [File("a.png", ADDRESS, external=True)],
            },
            {"Task": "Sweep", "Status": "Dropped", "Tags": ["home"]},
        ],
    )
    for name in ("Projects", "Jobs"):
        workspace.share("anna", name)
    await installation.connect("anna", small.tokens["anna"], {"Projects": projects.id, "Jobs": tasks.id})
    await installation.execute("INSERT INTO notion_sync.accounts (user_id, views) VALUES ('anna', true)")
    workspace.clock.advance(3600)
    assert (await installation.sync_all()).failures == []
    workspace.clock.advance(3600)
    return installation


@pytest.fixture
async def role(anna: Installation) -> str:
    """A role with the rights on one view and its sync table alone, as a reader of an earlier version has them."""
    name = f"reader_{uuid4().hex[:12]}"
    await anna.execute(
        f"CREATE ROLE {name}; GRANT USAGE ON SCHEMA notion TO {name};"
        f"GRANT SELECT ON ALL TABLES IN SCHEMA notion TO {name}; GRANT SELECT ON notion_pages_sync TO {name}"
    )
    return name


@pytest.fixture
def reader(anna: Installation, role: str) -> Iterator[psycopg.Connection[Any]]:
    """A session of that role, for anna."""
    with psycopg.connect(anna.settings.database_url or "", autocommit=True) as connection:
        connection.execute(f"SET ROLE {role}; SET app.user_id = 'anna'".encode())
        yield connection
        connection.execute(f"RESET ROLE; DROP OWNED BY {role}; DROP ROLE {role}".encode())


async def refresh(installation: Installation) -> list[str]:
    async with open_pool(installation.settings.database_url or "", 1) as pool, pool.connection() as connection:
        return await refresh_views(connection)


async def resync(installation: Installation) -> None:
    assert (await installation.sync_all()).failures == []
    installation.workspace.clock.advance(3600)


async def views(installation: Installation) -> set[str]:
    return {row["viewname"] for row in await installation.execute("SELECT * FROM pg_views WHERE schemaname = 'notion'")}


async def rows_of(installation: Installation, view: str) -> list[dict[str, Any]]:
    """What a view beside the tasks shows, without whose it is, by the task's title."""
    found = await installation.execute(
        f"SELECT shown.*, task FROM notion.{view} AS shown JOIN notion.jobs USING (user_id, page_id)"
        " ORDER BY task, shown.position"
    )
    return [{name: value for name, value in row.items() if name not in ("user_id", "page_id")} for row in found]


async def test_each_value_has_a_row(anna: Installation) -> None:
    assert await rows_of(anna, "jobs__tags") == [
        {"value": "home", "position": 1, "task": "Paint"},
        {"value": "fun", "position": 2, "task": "Paint"},
        {"value": "home", "position": 1, "task": "Sweep"},
    ]
    assert [(row["name"], row["position"]) for row in await rows_of(anna, "jobs__who")] == [("Bo", 1), ("Ada", 2)]
    assert await rows_of(anna, "jobs__files") == [{"url": ADDRESS, "kept": None, "position": 1, "task": "Paint"}]
    people_of = "SELECT array_agg(person_id ORDER BY position) = who AS same FROM notion.jobs JOIN notion.jobs__who"
    assert await anna.execute(f"{people_of} USING (page_id) GROUP BY who") == [{"same": True}]


@pytest.mark.parametrize("held", [None, 7, "x", {}, [None], [["x"]], [{"a": 1}]])
async def test_no_stored_value_makes_them_fail(anna: Installation, held: object) -> None:
    names = ("tags", "who", "files", "project", "status")
    await anna.execute("UPDATE notion_pages_sync SET fields = %s", json.dumps(dict.fromkeys(names, held)))
    for view in await views(anna):
        await anna.execute(f"SELECT * FROM notion.{view}")
    assert await anna.execute("SELECT * FROM notion.jobs__who") == []


async def test_titles_stand_beside_related_pages_in_their_order_as_far_as_these_are_in_the_copy(
    anna: Installation,
) -> None:
    query = "SELECT project_titles FROM notion.jobs ORDER BY task"
    assert await anna.execute(query) == [{"project_titles": ["Boat", "Attic"]}, {"project_titles": []}]
    anna.workspace.trash_page(anna.workspace.page_ids("Projects")[0])
    await anna.execute("DELETE FROM notion_sync.search_documents WHERE title = 'Boat'")
    assert await anna.execute(query) == [{"project_titles": [None, "Attic"]}, {"project_titles": []}]


async def test_the_group_of_a_status_stands_beside_it_and_follows_the_schema(anna: Installation) -> None:
    query = "SELECT status, status_group FROM notion.jobs ORDER BY task"
    assert await anna.execute(query) == [
        {"status": "Doing", "status_group": "In progress"},
        {"status": "Dropped", "status_group": "Complete"},
    ]
    await anna.execute(
        "UPDATE notion_sync.data_sources SET schema = replace(schema::text, 'Complete', 'Over')::jsonb"
        " WHERE view_name = 'jobs'"
    )
    assert [row["status_group"] for row in await anna.execute(query)] == ["In progress", "Over"]


async def test_a_property_whose_type_changes_has_the_view_of_its_new_type(anna: Installation) -> None:
    anna.workspace.retype_property("Jobs", "Tags", rich_text())
    await resync(anna)
    assert "jobs__tags" not in await views(anna)
    anna.workspace.retype_property("Jobs", "Tags", multi_select("late"))
    anna.workspace.edit_page(anna.workspace.page_ids("Jobs")[1], {"Tags": ["late"]})
    await resync(anna)
    assert await rows_of(anna, "jobs__tags") == [{"value": "late", "position": 1, "task": "Sweep"}]


async def test_a_column_that_is_shown_as_text_has_a_row_for_each_value_all_the_same(anna: Installation) -> None:
    anna.workspace.add_property("Jobs", "Notes", rich_text())
    await resync(anna)
    anna.workspace.retype_property("Jobs", "Notes", multi_select("long"))
    anna.workspace.edit_page(anna.workspace.page_ids("Jobs")[0], {"Notes": ["long", "late"]})
    await resync(anna)
    shown = await anna.execute("SELECT notes FROM notion.jobs WHERE task = 'Paint'")
    assert shown == [{"notes": '["long", "late"]'}]
    assert [row["value"] for row in await rows_of(anna, "jobs__notes")] == ["long", "late"]


async def test_of_two_types_under_one_name_relations_count_first(anna: Installation) -> None:
    await anna.execute("CREATE VIEW built_on AS SELECT value FROM notion.jobs__tags")
    await anna.execute("UPDATE notion_sync.columns SET property_type = 'relation' WHERE name = 'tags'")
    assert "built_on depends on the view notion.jobs__tags" in " ".join(await refresh(anna))
    assert await anna.execute("SELECT * FROM built_on") == []
    await anna.execute("DROP VIEW built_on")
    await refresh(anna)
    columns = await anna.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'notion.jobs__tags'::regclass AND attnum > 0"
    )
    assert {"attname": "related_page_id"} in columns
    assert {"attname": "value"} not in columns


async def test_bodies_have_a_view_where_some_are_kept(anna: Installation) -> None:
    assert "jobs__body" not in await views(anna)
    anna.workspace.set_body(anna.workspace.page_ids("Jobs")[0], ["First the hull."])
    await anna.execute("UPDATE notion_sync.data_sources SET bodies = true WHERE view_name = 'jobs'")
    await resync(anna)
    (row, _) = await anna.execute(
        "SELECT task, body.* FROM notion.jobs JOIN notion.jobs__body AS body USING (user_id, page_id) ORDER BY task"
    )
    assert (row["task"], row["plain_text"], row["is_complete"], row["missing"]) == (
        "Paint",
        "First the hull.",
        True,
        [],
    )
    assert row["notion_edited_at"] <= row["read_at"]
    assert "projects__body" not in await views(anna)
    await anna.execute("UPDATE notion_sync.data_sources SET bodies = false")
    await resync(anna)
    assert "jobs__body" in await views(anna)
    await anna.execute("DELETE FROM notion_sync.page_bodies")
    await resync(anna)
    assert "jobs__body" not in await views(anna)


async def test_the_view_of_bodies_gives_way_to_that_of_a_property_of_the_name(anna: Installation) -> None:
    anna.workspace.add_property("Jobs", "Body", multi_select("head"))
    await anna.execute("UPDATE notion_sync.data_sources SET bodies = true WHERE view_name = 'jobs'")
    await resync(anna)
    assert await anna.execute("SELECT value FROM notion.jobs__body") == []
    assert len(await anna.execute("SELECT markdown FROM notion.jobs__body_")) == 2


async def test_they_are_renamed_with_their_view_and_go_with_it(anna: Installation) -> None:
    beside = {"jobs__tags", "jobs__who", "jobs__files", "jobs__project", "jobs__body"}
    await anna.execute("UPDATE notion_sync.data_sources SET bodies = true WHERE view_name = 'jobs'")
    await resync(anna)
    assert beside < await views(anna)
    await anna.execute("UPDATE notion_sync.data_sources SET view_name = 'chores' WHERE view_name = 'jobs'")
    await anna.execute("UPDATE notion_sync.views SET renamed_to = 'chores' WHERE view_name = 'jobs'")
    oid = "SELECT to_regclass('notion.{}__tags')::oid AS oid"
    before = await anna.execute(oid.format("jobs"))
    assert await refresh(anna) == []
    assert await anna.execute(oid.format("chores")) == before
    assert {name.replace("jobs", "chores") for name in beside} < await views(anna)
    assert not any(name.startswith("jobs") for name in await views(anna))
    await anna.execute("UPDATE user_settings SET notion_token = NULL, notion_databases = '{}'")
    await anna.execute("SELECT * FROM notion_sync.forget('anna')")
    assert await views(anna) == set()


async def test_a_reader_without_rights_on_names_and_titles_sees_nulls_in_their_places(
    anna: Installation, role: str, reader: psycopg.Connection[Any]
) -> None:
    query = "SELECT who_names, project_titles, cardinality(who) FROM notion.jobs ORDER BY task"
    unknown = [([None, None], [None, None], 2), ([], [], 0)]
    assert len(reader.execute("SELECT * FROM notion.jobs").fetchall()) == 2
    assert reader.execute(query.encode()).fetchall() == unknown
    assert reader.execute("SELECT name FROM notion.jobs__who").fetchall() == [(None,), (None,)]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        reader.execute("SELECT title FROM notion_sync.search_documents")
    await anna.execute(f"GRANT SELECT (user_id, id, name) ON notion_sync.users TO {role}")
    await anna.execute(f"GRANT SELECT ON notion_sync.search_documents TO {role}")
    assert reader.execute(query.encode()).fetchall() == [(["Bo", "Ada"], ["Boat", "Attic"], 2), ([], [], 0)]
    reader.execute("SET app.user_id = 'ben'")
    assert reader.execute("SELECT * FROM notion.jobs").fetchall() == []
    await anna.execute(f"GRANT USAGE ON SCHEMA notion_sync TO {role}")
    (page,) = await anna.execute("SELECT page_id FROM notion_sync.search_documents WHERE title = 'Boat'")
    titles = "SELECT notion_sync.titles_of('anna', ARRAY[%s::uuid])"
    assert reader.execute(titles, (page["page_id"],)).fetchall() == [([None],)]
    reader.execute("SET app.user_id = 'anna'")
    assert reader.execute(titles, (page["page_id"],)).fetchall() == [(["Boat"],)]


async def test_every_column_and_view_has_a_comment(anna: Installation) -> None:
    await anna.execute("UPDATE notion_sync.data_sources SET bodies = true WHERE view_name = 'jobs'")
    await resync(anna)
    assert (
        await anna.execute(
            """
        SELECT relname, attname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0
        WHERE relnamespace = 'notion'::regnamespace AND relkind = 'v'
          AND (col_description(attrelid, attnum) IS NULL OR obj_description(attrelid, 'pg_class') IS NULL)
        """
        )
        == []
    )


async def test_the_name_of_a_data_source_is_shown_and_follows(anna: Installation) -> None:
    query = "SELECT DISTINCT data_source_name, database_name FROM notion.jobs"
    assert await anna.execute(query) == [{"data_source_name": "Jobs", "database_name": "Jobs"}]
    await anna.execute("UPDATE notion_sync.data_sources SET name = 'Deeds' WHERE view_name = 'jobs'")
    assert await anna.execute(query) == [{"data_source_name": "Deeds", "database_name": "Jobs"}]
