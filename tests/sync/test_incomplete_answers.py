"""Notion says on any one of a list's answers that it does not give all of it: that never passes for the whole."""

from __future__ import annotations

from typing import Any

import pytest
from notion_workspace import DatabaseHandle, SmallWorkspace
from notion_workspace.literals import relation, title

from notion_pg_sync.sync.run.discovery import INCOMPLETE_SEARCH
from tests.installation import Installation

pytestmark = pytest.mark.slow

CAP = 100
INCOMPLETE = {"type": "incomplete", "incomplete_reason": "query_result_limit_reached"}
Answer = dict[str, Any]

marks = pytest.mark.parametrize("mark", ["first", "last", "every"])


@pytest.fixture
async def many(installation: Installation, small: SmallWorkspace) -> DatabaseHandle:
    """A database of anna's with three times as many rows as a query gives, seven seconds apart."""
    workspace = installation.workspace
    workspace.configure(query_cap=CAP)
    rows = [{"Name": f"row {index}"} for index in range(CAP * 3)]
    handle = workspace.add_database("Many", {"Name": title()}, rows, pace=7.0)
    workspace.share("anna", handle.id)
    await installation.connect("anna", small.tokens["anna"], {"Many": handle.id})
    return handle


def cut_short(body: Answer) -> Answer:
    """A list that ends before its end, and says so."""
    return {
        **body,
        "results": body["results"][:1],
        "has_more": False,
        "next_cursor": None,
        "request_status": INCOMPLETE,
    }


@marks
@pytest.mark.parametrize("concurrency", [1, 4])
async def test_a_full_read_gets_every_row(
    installation: Installation, many: DatabaseHandle, mark: str, concurrency: int
) -> None:
    installation.workspace.configure(incomplete_mark=mark)
    outcome = await installation.sync_all(page_size=10, concurrency=concurrency)
    assert outcome.failures == []
    assert outcome.totals.inserted == CAP * 3
    assert await installation.differences("anna", "anna", {"Many": many.id}) == []


@marks
async def test_an_incremental_read_gets_every_edit(installation: Installation, many: DatabaseHandle, mark: str) -> None:
    workspace = installation.workspace
    workspace.configure(incomplete_mark=mark)
    await installation.sync_all(page_size=10)
    workspace.clock.advance(3600)
    for number, page in enumerate(workspace.page_ids("Many")[: CAP * 2]):
        workspace.clock.advance(7)
        workspace.edit_page(page, {"Name": f"edited {number}"})
    workspace.clock.advance(600)
    outcome = await installation.sync_all(page_size=10)
    assert outcome.failures == []
    assert outcome.accounts[0].databases["Many"].mode == "incremental"
    assert await installation.differences("anna", "anna", {"Many": many.id}) == []


@marks
async def test_verify_compares_every_row(installation: Installation, many: DatabaseHandle, mark: str) -> None:
    installation.workspace.configure(incomplete_mark=mark)
    outcome = await installation.sync_one("anna", "Many", page_size=10, full=True, verify=True)
    assert outcome.failures == []
    assert [verification.rows for _, _, verification in outcome.verified] == [CAP * 3]


async def test_verify_goes_on_where_a_whole_answer_is_of_one_minute(
    installation: Installation, small: SmallWorkspace
) -> None:
    """The query is not at its end where its first answer bears the mark."""
    workspace = installation.workspace
    workspace.configure(query_cap=20, incomplete_mark="first")
    handle = workspace.add_database("Pairs", {"Name": title()}, [{"Name": f"row {index}"} for index in range(15)])
    workspace.clock.advance(600)
    for index in range(15):
        workspace.add_page(handle.data_source_id, {"Name": f"later {index}"})
    workspace.share("anna", handle.id)
    await installation.connect("anna", small.tokens["anna"], {"Pairs": handle.id})
    outcome = await installation.sync_one("anna", "Pairs", page_size=10, full=True, verify=True)
    assert outcome.failures == []
    assert [verification.rows for _, _, verification in outcome.verified] == [30]


async def test_a_query_that_is_incomplete_for_an_unknown_reason_fails_and_removes_nothing(
    installation: Installation, many: DatabaseHandle
) -> None:
    await installation.sync_all()
    unknown = {"type": "incomplete", "incomplete_reason": "shard_unavailable"}
    installation.workspace.faults.add(
        "rewrite", path="/query$", rewrite=lambda body: {**cut_short(body), "request_status": unknown}
    )
    outcome = await installation.sync_all(full=True)
    assert "is incomplete (shard_unavailable)" in outcome.failures[0]
    rows = await installation.execute("SELECT count(*) AS n FROM notion_pages_sync")
    assert rows == [{"n": CAP * 3}]


async def test_a_value_that_is_given_in_part_is_not_taken_for_the_whole(
    installation: Installation, small: SmallWorkspace
) -> None:
    workspace = installation.workspace
    stars = workspace.add_database("Stars", {"Name": title()}, [{"Name": f"Star {index}"} for index in range(40)])
    ids = workspace.page_ids("Stars")
    skies = workspace.add_database(
        "Skies", {"Name": title(), "Stars": relation("Stars")}, [{"Name": "Night", "Stars": ids}]
    )
    for name in ("Stars", "Skies"):
        workspace.share("anna", name)
    await installation.connect("anna", small.tokens["anna"], {"Skies": skies.id, "Stars": stars.id})
    workspace.faults.add("rewrite", path="/properties/", rewrite=cut_short)
    outcome = await installation.sync_all()
    message = outcome.accounts[0].databases["Skies"].message or ""
    assert "Stars of 1 page could not be read whole (Notion says that its answer for a property of page" in message
    assert len(await installation.execute("SELECT 1 FROM notion_sync.left_out WHERE reason = 'incomplete'")) == 1
    workspace.faults.clear()
    assert (await installation.sync_all()).failures == []
    assert await installation.execute("SELECT 1 FROM notion_sync.left_out") == []
    assert await installation.differences("anna", "anna", {"Skies": skies.id, "Stars": stars.id}) == []


async def test_a_search_that_gives_a_part_is_told_and_the_part_is_synced(
    installation: Installation, small: SmallWorkspace
) -> None:
    await installation.connect("cora", small.tokens["cora"], {"*": "*"})
    installation.workspace.faults.add("rewrite", path="/search$", rewrite=cut_short)
    outcome = await installation.sync_all()
    assert outcome.failures == [f"cora: search for databases: {INCOMPLETE_SEARCH}"]
    assert len(outcome.accounts[0].databases) == 1


async def test_a_body_whose_blocks_are_given_in_part_says_what_is_missing(
    installation: Installation, small: SmallWorkspace
) -> None:
    workspace = installation.workspace
    workspace.configure(markdown_endpoint=False)
    handle = workspace.add_database("Pages", rows=[{"Name": "Page"}])
    workspace.share("anna", "Pages")
    workspace.set_body(workspace.page_ids("Pages")[0], ["first", "second"])
    await installation.connect("anna", small.tokens["anna"], {"Pages": handle.id})
    workspace.faults.add("rewrite", path="/children$", rewrite=cut_short)
    assert (await installation.sync_all(bodies=True)).failures == []
    kept = await installation.execute("SELECT markdown, missing, is_complete FROM notion_sync.page_bodies")
    assert kept == [{"markdown": "first", "missing": ["more blocks"], "is_complete": False}]


async def test_edits_that_come_out_of_order_are_followed_by_a_full_read(
    installation: Installation, small: SmallWorkspace
) -> None:
    workspace = installation.workspace
    many = workspace.add_generated_database("Many", rows=150)
    workspace.share("anna", many.id)
    await installation.connect("anna", small.tokens["anna"], {"Many": many.id})
    await installation.sync_all()
    pages = workspace.page_ids("Many")
    for page in pages[:2]:
        workspace.clock.advance(3600)
        workspace.edit_page(page, {"Name": "edited"})
    workspace.faults.add(
        "rewrite",
        times=1,
        path=f"{many.data_source_id}/query$",
        rewrite=lambda body: {**body, "results": body["results"][::-1]},
    )
    outcome = await installation.sync_all()
    assert outcome.failures == []
    assert outcome.totals.updated == 2
    assert await installation.differences("anna", "anna", {"Many": many.id}) == []
