"""Columns whose values are of several types, or of another type than before: typed views show all of them."""

from __future__ import annotations

from typing import Any

import pytest
from notion_workspace import SmallWorkspace
from notion_workspace.literals import checkbox, date, formula, number, rich_text, title
from notion_workspace.model import DateValue

from notion_pg_sync.mirror.connection import open_pool, transaction
from notion_pg_sync.mirror.retyped_columns import RetypedColumn, retyped_columns
from tests.installation import Installation

pytestmark = pytest.mark.slow

ROWS = 150


@pytest.fixture
async def anna(installation: Installation, small: SmallWorkspace) -> Installation:
    """A user who wants views, with a database that is too large to be read whole at every run."""
    properties = {"Name": title(), "Worth": formula("1", "number"), "Size": number(), "Note": rich_text()}
    rows = [{"Name": f"Thing {index}", "Worth": index, "Size": index, "Note": str(index)} for index in range(ROWS)]
    things = installation.workspace.add_database("Things", properties, rows)
    installation.workspace.share("anna", things.id)
    await installation.connect("anna", small.tokens["anna"], {"Things": things.id})
    await installation.execute("INSERT INTO notion_sync.accounts (user_id, views) VALUES ('anna', true)")
    await sync(installation)
    return installation


async def sync(anna: Installation, **settings: Any) -> str:
    """Syncs, compares the copy with Notion, and returns what the run said."""
    anna.workspace.clock.advance(3600)
    outcome = await anna.sync_all(verify=True, **settings)
    assert outcome.failures == [], outcome.accounts[0].verified["Things"].differences[:3]
    assert outcome.accounts[0].verified["Things"].differences == ()
    return outcome.accounts[0].databases["Things"].message or ""


async def shown(anna: Installation, column: str) -> tuple[str, list[Any]]:
    """The type of a column of the typed view, and what it shows, in the order of the pages."""
    rows = await anna.execute(
        f"SELECT pg_typeof({column})::text AS type, {column} AS value FROM notion.things"
        " ORDER BY substr(name, 7)::integer"
    )
    return rows[0]["type"], [row["value"] for row in rows]


async def retyped(anna: Installation) -> list[RetypedColumn]:
    async with open_pool(anna.settings.database_url or "", 1) as pool, transaction(pool) as connection:
        return await retyped_columns(connection)


@pytest.mark.parametrize("is_whole", [True, False])
async def test_a_formula_of_two_types_is_text(anna: Installation, *, is_whole: bool) -> None:
    assert await shown(anna, "worth") == ("numeric", list(range(ROWS)))
    page = anna.workspace.page_ids("Things")[7]
    change = anna.workspace.set_quietly if is_whole else anna.workspace.edit_page
    change(page, {"Worth": "priceless"})
    await sync(anna, full=is_whole)
    type_, values = await shown(anna, "worth")
    assert (type_, values[6:9]) == ("text", ["6", "priceless", "8"])
    change(page, {"Worth": 7})
    await sync(anna, full=is_whole)
    assert await shown(anna, "worth") == ("text", [str(index) for index in range(ROWS)])


async def test_a_formula_of_dates_and_texts_shows_both_and_keeps_the_dates_columns(anna: Installation) -> None:
    pages = anna.workspace.page_ids("Things")
    moment = {"start": "2026-03-01T10:30:00.000+01:00", "end": None, "time_zone": None}
    for index, page in enumerate(pages):
        anna.workspace.set_quietly(page, {"Worth": moment if index % 2 else None})
    await anna.execute("SELECT notion_sync.retype_column('anna', %s, 'worth', 'date')", await source(anna))
    await sync(anna)
    assert (await shown(anna, "worth"))[0] == "date"
    assert {str(at) for at in (await shown(anna, "worth_at"))[1]} == {"None", "2026-03-01 09:30:00+00:00"}
    anna.workspace.edit_page(pages[4], {"Worth": "soon"})
    await sync(anna)
    type_, values = await shown(anna, "worth")
    assert (type_, values[3:6]) == ("text", ["2026-03-01", "soon", "2026-03-01"])
    assert [str(at) for at in (await shown(anna, "worth_at"))[1][3:6]] == [
        "2026-03-01 09:30:00+00:00",
        "None",
        "2026-03-01 09:30:00+00:00",
    ]


async def test_a_property_of_another_type_is_text_until_its_column_is_given_that_type(anna: Installation) -> None:
    workspace = anna.workspace
    workspace.retype_property("Things", "Size", checkbox())
    said = await sync(anna)
    assert (
        "Size is of type checkbox in Notion now: typed views show its column size, which was numeric, as text" in said
    )
    assert await shown(anna, "size") == ("text", ["false"] * ROWS)
    (found,) = await retyped(anna)
    assert (found.name, found.type, found.property_name, found.property_type, found.new_type) == (
        *("size", "numeric", "Size", "checkbox", "boolean"),
    )
    assert found.is_shown_as_text
    await anna.execute(found.fix)
    assert "Size" not in await sync(anna)
    assert await shown(anna, "size") == ("boolean", [False] * ROWS)
    assert await retyped(anna) == []


async def test_a_property_that_gets_its_type_back_has_its_column_as_it_was(anna: Installation) -> None:
    anna.workspace.retype_property("Things", "Size", rich_text())
    await sync(anna)
    assert (await shown(anna, "size"))[0] == "text"
    anna.workspace.retype_property("Things", "Size", number())
    anna.workspace.set_quietly(anna.workspace.page_ids("Things")[3], {"Size": 3})
    await sync(anna)
    assert (await shown(anna, "size"))[0] == "numeric"
    assert (await shown(anna, "size"))[1][2:5] == [None, 3, None]
    assert await retyped(anna) == []


async def test_text_that_became_numbers_is_told_and_stays_text_which_loses_nothing(anna: Installation) -> None:
    anna.workspace.retype_property("Things", "Note", number())
    anna.workspace.set_quietly(anna.workspace.page_ids("Things")[3], {"Note": 2.5})
    assert "Note" not in await sync(anna)
    assert (await shown(anna, "note"))[1][3] == "2.5"
    (found,) = await retyped(anna)
    assert (found.new_type, found.is_shown_as_text) == ("numeric", False)
    await anna.execute(found.fix)
    await sync(anna)
    type_, values = await shown(anna, "note")
    assert (type_, values[3]) == ("numeric", 2.5)


async def test_text_that_became_dates_has_all_of_them_once_its_column_is_a_date(anna: Installation) -> None:
    anna.workspace.retype_property("Things", "Note", date())
    for page in anna.workspace.page_ids("Things"):
        anna.workspace.set_quietly(page, {"Note": DateValue("2026-03-01T10:30:00.000+01:00")})
    await sync(anna)
    assert await shown(anna, "note") == ("text", ["2026-03-01"] * ROWS)
    (found,) = await retyped(anna)
    await anna.execute(found.fix)
    await sync(anna)
    type_, values = await shown(anna, "note")
    assert (type_, {str(day) for day in values}) == ("date", {"2026-03-01"})
    assert {str(at) for at in (await shown(anna, "note_at"))[1]} == {"2026-03-01 09:30:00+00:00"}


async def test_one_date_that_no_column_can_hold_changes_no_type(anna: Installation) -> None:
    anna.workspace.add_property("Things", "Due", date())
    anna.workspace.set_quietly(anna.workspace.page_ids("Things")[3], {"Due": DateValue("12026-03-01")})
    said = await sync(anna)
    assert "1 value does not fit the type of column due: null in typed views, and kept in fields." in said
    assert (await shown(anna, "due"))[0] == "date"


async def source(anna: Installation) -> str:
    (found,) = await anna.execute("SELECT data_source_id::text AS id FROM notion_sync.data_sources")
    return str(found["id"])
