"""Rollups over more than 25 related pages whose values come in several parts: no element is a guess."""

from __future__ import annotations

from typing import Any

import pytest
from notion_workspace import SmallWorkspace
from notion_workspace.literals import people, relation, rich_text, rollup, title
from psycopg.types.json import Jsonb

from tests.installation import Installation
from tests.sync.test_verify import verified

SAID = "Notion does not tell which parts of titles belong to which related page in 1 row; what was known of it is kept."
REMARK = "'Titles' is not told whole in 1 row, which the copy says too, so nothing was compared there."


def drafts(count: int) -> list[dict[str, Any]]:
    """Rows beside one of two parts, which are as many as pages where another has none."""
    rows: list[dict[str, Any]] = [
        {"Name": f"Draft {row}", "Text": f"Text {row}", "By": ["Person 00"]} for row in range(count)
    ]
    for place in (3, 30, 50):
        rows[place] = {"Name": ["jigsa", "w draft"], "Text": ["a", " b ", "c"], "By": ["Person 00", "Person 01"]}
    for place in (5, 33, 34, 51):
        rows[place] = {}
    return rows


async def connected(installation: Installation, small: SmallWorkspace, count: int = 60) -> dict[str, str]:
    workspace = installation.workspace
    properties = {
        "Name": title(),
        "Text": rich_text(),
        "By": people(),
        "Next": relation("self"),
    }
    workspace.add_database("Drafts", properties, drafts(count))
    pages = workspace.page_ids("Drafts")
    for place, page in enumerate(pages[:-2]):
        if place % 7:
            workspace.edit_page(page, {"Next": pages[place + 1 : place + 1 + place % 3]})
    over = {
        "Name": title(),
        "Drafts": relation("Drafts"),
        "Titles": rollup("Drafts", "Name", "show_original"),
        "Texts": rollup("Drafts", "Text", "show_original"),
        "People": rollup("Drafts", "By", "show_original"),
        "Nexts": rollup("Drafts", "Next", "show_original"),
    }
    shelf = workspace.add_database("Shelf", over, [{"Name": "all", "Drafts": pages}])
    workspace.share("anna", "Drafts")
    workspace.share("anna", "Shelf")
    databases = {"Shelf": shelf.id}
    await installation.connect("anna", small.tokens["anna"], databases)
    workspace.clock.advance(3600)
    return databases


def archive_two(installation: Installation) -> None:
    """An archived page is in no query; two of them side by side leave open which has what."""
    for page in installation.workspace.page_ids("Drafts")[40:42]:
        installation.workspace.archive_page(page)


async def shelf(installation: Installation) -> dict[str, Any]:
    (row,) = await installation.execute("SELECT properties, fields FROM notion_pages_sync WHERE title = 'all'")
    return row


async def synced(installation: Installation, **settings: Any) -> str:
    outcome = await installation.sync_all(**settings)
    assert outcome.failures == []
    return outcome.accounts[0].databases["Shelf"].message or ""


@pytest.mark.parametrize("empty_items", [False, True])
async def test_titles_texts_people_and_relations_are_one_element_a_page(
    installation: Installation, small: SmallWorkspace, *, empty_items: bool
) -> None:
    installation.workspace.configure(empty_items=empty_items)
    databases = await connected(installation, small)
    said = await synced(installation)
    titles = (await shelf(installation))["fields"]["titles"]
    assert [titles[place] for place in (3, 5, 29, 30, 31, 33, 34, 50, 51, 59)] == [
        *("jigsaw draft", "", "Draft 29", "jigsaw draft", "Draft 31", "", "", "jigsaw draft", "", "Draft 59"),
    ]
    assert await installation.differences("anna", "anna", databases) == [], said


async def test_what_cannot_be_told_apart_is_incomplete_and_keeps_what_was_known(
    installation: Installation, small: SmallWorkspace
) -> None:
    databases = await connected(installation, small)
    await synced(installation)
    before = (await shelf(installation))["fields"]
    archive_two(installation)
    assert SAID in await synced(installation, full=True, dry_run=True)
    assert (await shelf(installation))["fields"] == before
    said = await synced(installation, full=True)
    assert said.count(SAID) == 1
    assert "Notion did not compute" not in said
    after = await shelf(installation)
    assert after["properties"]["Titles"]["rollup"] == {
        "type": "incomplete",
        "incomplete": {},
        "function": "show_original",
    }
    assert after["fields"]["titles"] == before["titles"]
    verification = await verified(installation, small, "Shelf", database_id=databases["Shelf"])
    assert verification.differences == ()
    assert REMARK in verification.remarks


async def test_what_was_never_known_is_null(installation: Installation, small: SmallWorkspace) -> None:
    await connected(installation, small)
    archive_two(installation)
    assert SAID in await synced(installation)
    assert "titles" not in (await shelf(installation))["fields"]


async def test_verifying_finds_parts_that_are_elsewhere(installation: Installation, small: SmallWorkspace) -> None:
    databases = await connected(installation, small)
    await synced(installation)
    assert (await verified(installation, small, "Shelf", database_id=databases["Shelf"])).is_exact
    array = (await shelf(installation))["properties"]["Titles"]["rollup"]["array"]
    apart = [{**array[30], "title": array[30]["title"][:1]}, {**array[30], "title": array[30]["title"][1:]}]
    for wrong in ([*array[:30], *apart, *array[31:]], [*array[:3], *apart, *array[4:5], *array[6:]], array[:-1]):
        await installation.execute(
            "UPDATE notion_pages_sync SET properties = jsonb_set(properties, '{Titles,rollup,array}', %s) WHERE"
            " title = 'all'",
            Jsonb(wrong),
        )
        found = (await verified(installation, small, "Shelf", database_id=databases["Shelf"])).differences
        assert ("value_differs", "Titles") in [(one.kind, one.name) for one in found]


async def test_it_costs_a_request_for_a_hundred_parts(installation: Installation, small: SmallWorkspace) -> None:
    await connected(installation, small)
    installation.workspace.requests.clear()
    await synced(installation)
    queries = [one for one in installation.workspace.requests.all() if one.kind == "query"]
    # The rows; titles, texts, people and relations; of titles and texts the beginnings too.
    assert len(queries) == 1 + 4 + 2


async def test_numbered_titles_are_found_among_many_that_begin_alike(
    installation: Installation, small: SmallWorkspace
) -> None:
    workspace = installation.workspace
    workspace.add_database("Tasks many", {"Name": title()}, [{"Name": f"Task {row}"} for row in range(1500)])
    pages = workspace.page_ids("Tasks many")
    over = {"Name": title(), "Tasks": relation("Tasks many"), "Titles": rollup("Tasks", "Name", "show_original")}
    holder = workspace.add_database("Shelf", over, [{"Name": "all", "Tasks": [*pages[:20], *pages[-20:]]}])
    workspace.share("anna", "Tasks many")
    workspace.share("anna", "Shelf")
    await installation.connect("anna", small.tokens["anna"], {"Shelf": holder.id})
    await synced(installation)
    assert await installation.differences("anna", "anna", {"Shelf": holder.id}) == []
