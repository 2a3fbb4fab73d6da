"""Pages of fewer rows, where Notion does not answer larger ones, which stays so, or where the rows are large."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from notion_workspace import SampleWorkspace, SmallWorkspace

from tests.installation import Installation


def sizes_asked(workspace: SampleWorkspace) -> list[int]:
    """How many rows each query asked for."""
    return [request.body["page_size"] for request in workspace.requests.all() if request.path.endswith("/query")]


async def test_what_was_too_much_is_not_asked_for_again(installation: Installation, small: SmallWorkspace) -> None:
    workspace = installation.workspace
    many = workspace.add_generated_database("Many", rows=300)
    workspace.share("anna", many.id)
    await installation.connect("anna", small.tokens["anna"], {"Many": many.id})
    workspace.requests.clear()
    workspace.faults.add("502", times=3, path=f"{many.data_source_id}/query$")
    outcome = await installation.sync_all(concurrency=1)
    assert outcome.failures == []
    sizes = sizes_asked(workspace)
    assert sizes[:4] == [100, 100, 50, 25]
    assert set(sizes[4:]) == {25}
    assert await installation.differences("anna", "anna", {"Many": many.id}) == []


def padded(size: int, page_ids: Collection[object]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Makes these pages larger by so many bytes, wherever they are answered."""

    def pad(body: dict[str, Any]) -> dict[str, Any]:
        padding = "x" * size
        results = [{**page, "padding": padding} if page["id"] in page_ids else page for page in body["results"]]
        return {**body, "results": results}

    return pad


async def test_large_pages_are_asked_for_a_few_at_a_time_and_small_ones_as_before(
    installation: Installation, small: SmallWorkspace
) -> None:
    workspace = installation.workspace
    many = workspace.add_generated_database("Many", rows=600)
    workspace.share("anna", many.id)
    await installation.connect("anna", small.tokens["anna"], {"Many": many.id})
    large = set(workspace.page_ids("Many")[:100])
    workspace.requests.clear()
    workspace.faults.add("rewrite", path=f"{many.data_source_id}/query$", rewrite=padded(200_000, large))
    outcome = await installation.sync_all(concurrency=1)
    assert outcome.failures == []
    # 100 of them are given up at 16 MB, and 50 have 10: more than is wanted.
    assert sizes_asked(workspace) == [100, 50, 41, 41, 82, 100, 100, 100, 100]
    assert await installation.differences("anna", "anna", {"Many": many.id}) == []


async def test_an_answer_that_was_written_in_part_only_is_read_again(
    installation: Installation, small: SmallWorkspace
) -> None:
    workspace = installation.workspace
    many = workspace.add_generated_database("Many", rows=300)
    workspace.share("anna", many.id)
    await installation.connect("anna", small.tokens["anna"], {"Many": many.id})
    pages = workspace.page_ids("Many")
    pad = padded(50_000, set(pages))

    def spoil(body: dict[str, Any]) -> dict[str, Any]:
        results = [{**page, "properties": None} if page["id"] == pages[199] else page for page in body["results"]]
        return pad({**body, "results": results})

    # The last page of the second answer comes in part only, and the run ends where it is asked for alone.
    workspace.faults.add("rewrite", path=f"{many.data_source_id}/query$", rewrite=spoil)
    workspace.faults.add("403_html", path=f"/pages/{pages[199]}$")
    assert (await installation.sync_all(concurrency=1)).failures != []
    workspace.faults.clear()
    rows = await installation.execute("SELECT count(*) AS count FROM notion_pages_sync")
    assert 100 < rows[0]["count"] < 200
    # What was written of the second answer counts as seen, and no time of creation in it as read.
    workspace.set_quietly(pages[150], {"Amount": 4711})
    workspace.trash_page(pages[151])
    workspace.requests.clear()
    outcome = await installation.sync_all(concurrency=1)
    assert outcome.failures == []
    assert sizes_asked(workspace)[:2] == [100, 100]
    assert (await installation.sync_all(concurrency=1, full=True)).failures == []
    assert await installation.differences("anna", "anna", {"Many": many.id}) == []
