"""A wiki: its pages lie in one another, and databases lie between them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from notion_workspace import SmallWorkspace
from notion_workspace.literals import number, title, verification

from tests.installation import Installation

ROWS = "SELECT title FROM notion_pages_sync WHERE database_name = 'Handbook' ORDER BY 1"
REMOVED = "SELECT page_id::text, reason FROM notion_sync.removed_pages"


@pytest.fixture
async def anna(installation: Installation, small: SmallWorkspace) -> Installation:
    """Anna's Handbook is a wiki of three pages, of which `inner` lies in `middle`, and that in `outer`."""
    workspace = installation.workspace
    properties = {"Name": title(), "Verification": verification(), "Size": number()}
    pages = [{"Name": name} for name in ("inner", "middle", "outer")]
    wiki = workspace.add_database("Handbook", properties, pages)
    workspace.share("anna", wiki.id)
    workspace.nest_page(page_of(installation, "inner"), page_of(installation, "middle"))
    workspace.nest_page(page_of(installation, "middle"), page_of(installation, "outer"))
    await installation.connect("anna", small.tokens["anna"], {"Handbook": wiki.id})
    outcome = await installation.sync_all(verify=True)
    assert outcome.failures == []
    return installation


def page_of(installation: Installation, name: str) -> str:
    truth = installation.workspace.truth("Handbook")
    return next(row["id"] for row in truth.values() if row["properties"]["Name"] == name)


def without(*page_ids: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """A listing that does not show these pages."""
    return lambda body: {**body, "results": [one for one in body["results"] if one["id"] not in page_ids]}


async def titles(anna: Installation) -> list[str]:
    return [row["title"] for row in await anna.execute(ROWS)]


@pytest.mark.parametrize("unseen", [["inner"], ["middle"], ["inner", "middle", "outer"]])
async def test_a_page_that_lies_in_a_page_has_not_moved(anna: Installation, unseen: list[str]) -> None:
    missing = without(*(page_of(anna, name) for name in unseen))
    anna.workspace.faults.add("rewrite", path="/query$", rewrite=missing)
    anna.workspace.clock.advance(3600)
    assert (await anna.sync_all()).failures == []
    assert await titles(anna) == ["inner", "middle", "outer"]
    assert await anna.execute(REMOVED) == []


async def test_it_is_a_wiki_also_where_what_tells_it_is_excluded(anna: Installation) -> None:
    await anna.execute(
        "UPDATE user_settings SET notion_databases = jsonb_build_object('Handbook', jsonb_build_object("
        " 'id', notion_databases -> 'Handbook', 'exclude', jsonb_build_array('Verification')))"
    )
    missing = without(page_of(anna, "inner"))
    anna.workspace.faults.add("rewrite", path="/query$", rewrite=missing)
    anna.workspace.clock.advance(3600)
    outcome = await anna.sync_all(full=True)
    assert outcome.failures == []
    assert "Verification is excluded now" in (outcome.accounts[0].databases["Handbook"].message or "")
    assert await titles(anna) == ["inner", "middle", "outer"]


async def test_an_edit_of_a_page_that_lies_in_a_page_comes(anna: Installation) -> None:
    anna.workspace.clock.advance(3600)
    anna.workspace.edit_page(page_of(anna, "inner"), {"Size": 7})
    outcome = await anna.sync_all(verify=True)
    assert (outcome.failures, outcome.totals.updated) == ([], 1)


async def test_what_leaves_the_wiki_with_the_page_that_holds_it_has_moved(
    anna: Installation, small: SmallWorkspace
) -> None:
    outer, middle, inner = (page_of(anna, name) for name in ("outer", "middle", "inner"))
    anna.workspace.move_page(outer, "Three")
    anna.workspace.faults.add("rewrite", path="/query$", rewrite=without(middle, inner))
    anna.workspace.clock.advance(3600)
    assert (await anna.sync_all()).failures == []
    found = {row["page_id"]: row["reason"] for row in await anna.execute(REMOVED)}
    assert found == dict.fromkeys((outer, middle, inner), "moved")


async def test_of_what_lies_in_a_page_that_is_not_shared_nobody_says_that_it_moved(anna: Installation) -> None:
    inner, middle = page_of(anna, "inner"), page_of(anna, "middle")
    anna.workspace.faults.add("rewrite", path="/query$", rewrite=without(inner))
    anna.workspace.delete_page(middle)
    anna.workspace.clock.advance(3600)
    assert (await anna.sync_all()).failures == []
    found = {row["page_id"]: row["reason"] for row in await anna.execute(REMOVED)}
    assert found == {inner: "not_found", middle: "not_found"}


async def test_databases_within_it_are_named(anna: Installation) -> None:
    inside = anna.workspace.add_database("Holidays", wiki="Handbook")
    anna.workspace.share("anna", inside.id)
    anna.workspace.clock.advance(3600)
    outcome = await anna.sync_all()
    message = outcome.accounts[0].databases["Handbook"].message
    assert message is not None
    assert "this wiki holds other databases, each mirrored only as one of its own: Holidays." in message
    assert await titles(anna) == ["inner", "middle", "outer"]
