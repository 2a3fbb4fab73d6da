"""`notion_sync.options` lists what the schemas say, and is written only where they say something else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from notion_workspace import SmallWorkspace
from notion_workspace.literals import multi_select, select, status, title

from tests.installation import Installation, Row

pytestmark = pytest.mark.slow

LISTED = """
    SELECT database_name, property, column_name, name, color, "position", status_group, is_done
    FROM notion_sync.options WHERE user_id = 'anna' ORDER BY property, "position"
"""
WRITES = "SELECT xmin::text, option_id FROM notion_sync.options ORDER BY 2"
SCHEMA = "UPDATE notion_sync.data_sources SET schema = %s::jsonb WHERE user_id = 'anna'"


@pytest.fixture
async def anna(installation: Installation, small: SmallWorkspace) -> Installation:
    """A user with one database of chores."""
    properties = {
        "Name": title(),
        "State": status(Open=["To do", "Doing"], Closed=["Done"]),
        "Order": select("First", "Last"),
        "Tags": multi_select("home"),
    }
    handle = installation.workspace.add_database("Chores", properties, [{"Name": "Dishes", "State": "Done"}])
    installation.workspace.share("anna", handle.id)
    await installation.connect("anna", small.tokens["anna"], {"Chores": handle.id})
    assert (await installation.sync_all()).failures == []
    return installation


async def options(installation: Installation, property_: str) -> list[Row]:
    return [row for row in await installation.execute(LISTED) if row["property"] == property_]


async def names(installation: Installation, property_: str) -> list[str]:
    return [row["name"] for row in await options(installation, property_)]


async def test_each_option_is_listed_with_its_column_its_place_and_its_group(anna: Installation) -> None:
    found = await options(anna, "State")
    assert [(row["name"], row["position"], row["status_group"], row["is_done"]) for row in found] == [
        ("To do", 1, "Open", False),
        ("Doing", 2, "Open", False),
        ("Done", 3, "Closed", True),
    ]
    assert {(row["database_name"], row["column_name"]) for row in found} == {("Chores", "state")}
    (first, _) = await options(anna, "Order")
    assert (first["name"], first["column_name"]) == ("First", "order_")
    assert (first["status_group"], first["is_done"]) == (None, None)
    assert await names(anna, "Tags") == ["home"]


async def test_what_changes_in_notion_follows_with_the_next_sync(anna: Installation) -> None:
    workspace = anna.workspace
    workspace.rename_option("Chores", "State", "Doing", "At it")
    workspace.recolor_option("Chores", "State", "Done", "brown")
    workspace.remove_option("Chores", "Order", "Last")
    workspace.edit_page(workspace.page_ids("Chores")[0], {"Tags": ["home", "garden"]})
    workspace.clock.advance(3600)
    assert (await anna.sync_all()).failures == []
    assert await names(anna, "State") == ["To do", "At it", "Done"]
    assert (await options(anna, "State"))[2]["color"] == "brown"
    assert await names(anna, "Order") == ["First"]
    assert await names(anna, "Tags") == ["home", "garden"]


async def test_a_sync_that_finds_the_same_schema_writes_nothing(anna: Installation) -> None:
    before = await anna.execute(WRITES)
    anna.workspace.clock.advance(3600)
    await anna.sync_all(full=True)
    await anna.execute("UPDATE notion_sync.data_sources SET schema = schema, database_name = database_name")
    await anna.execute("SELECT notion_sync.list_options('anna', NULL)")
    assert len(before) == 6
    assert await anna.execute(WRITES) == before


async def test_one_changed_option_writes_one_row(anna: Installation) -> None:
    before = await anna.execute(WRITES)
    await anna.execute(
        "UPDATE notion_sync.data_sources SET schema = replace(schema::text, '\"First\"', '\"1st\"')::jsonb"
    )
    after = await anna.execute(WRITES)
    assert sum(one != other for one, other in zip(before, after, strict=True)) == 1
    assert await names(anna, "Order") == ["1st", "Last"]


async def test_init_lists_what_was_there_before_the_list(anna: Installation) -> None:
    before = await anna.execute(LISTED)
    await anna.execute("TRUNCATE notion_sync.options")
    await anna.execute("DROP TRIGGER follow_options_on ON notion_sync.data_sources")
    await anna.init()
    assert await anna.execute(LISTED) == before


async def test_the_name_of_a_column_is_followed(anna: Installation) -> None:
    await anna.execute("UPDATE notion_sync.columns SET name = 'rank' WHERE name = 'order_'")
    assert {row["column_name"] for row in await options(anna, "Order")} == {"rank"}
    await anna.execute("DELETE FROM notion_sync.columns WHERE name = 'rank'")
    assert {row["column_name"] for row in await options(anna, "Order")} == {None}


async def test_what_is_forgotten_leaves_no_option(anna: Installation) -> None:
    await anna.execute("UPDATE user_settings SET notion_token = NULL, notion_databases = NULL")
    forgotten = await anna.execute("SELECT relation, row_count FROM notion_sync.forget('anna')")
    assert {"relation": "notion_sync.options", "row_count": 6} in forgotten
    assert await anna.execute(LISTED) == []


OPTION = {"id": "a", "name": "A", "color": "red"}
GROUP = {"name": "x", "option_ids": ["a"]}


def of(type_: str, **definition: object) -> dict[str, object]:
    """A schema with one property."""
    return {"P": {"id": "p", "type": type_, type_: definition}}


ODD: dict[str, tuple[Any, list[str]]] = {
    "no schema": ([], []),
    "a property that is no object": ({"P": "select"}, []),
    "a property without id": ({"P": {"type": "select", "select": {"options": [OPTION]}}}, []),
    "options that are no list": (of("select", options=OPTION), []),
    "groups that are no list": (of("status", options=[OPTION], groups=GROUP), ["A"]),
    "groups that are no groups": (of("status", options=[OPTION], groups=["x", None]), ["A"]),
    "an option twice": (of("select", options=[OPTION, OPTION]), ["A"]),
    "options without id or name": (of("select", options=[{"name": "B"}, {"id": "b"}, "c", None, OPTION]), ["A"]),
}


@pytest.mark.parametrize(("schema", "listed"), ODD.values(), ids=list(ODD))
async def test_an_odd_schema_fails_nothing(anna: Installation, schema: object, listed: list[str]) -> None:
    await anna.execute(SCHEMA, json.dumps(schema))
    assert await names(anna, "P") == listed


async def test_ten_thousand_options_are_listed_and_written_once(anna: Installation) -> None:
    await anna.execute(SCHEMA, json.dumps(large()))
    assert await anna.execute("SELECT count(*) FROM notion_sync.options") == [{"count": 10_000}]
    before = await anna.execute(WRITES)
    await anna.execute("SELECT notion_sync.list_options('anna', NULL)")
    assert await anna.execute(WRITES) == before


def large() -> dict[str, object]:
    """The schema of a hundred selects with a hundred options each."""
    return {
        f"Select {number}": {
            "id": f"p{number}",
            "name": f"Select {number}",
            "type": "select",
            "select": {"options": [{"id": f"o{option}", "name": f"Option {option}"} for option in range(100)]},
        }
        for number in range(100)
    }
