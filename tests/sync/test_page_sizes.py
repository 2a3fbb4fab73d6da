"""Pages of fewer rows, where Notion does not answer larger ones; what was learned stays for the rest of a listing."""

from __future__ import annotations

from notion_workspace import SmallWorkspace

from tests.installation import Installation


async def test_what_was_too_much_is_not_asked_for_again(installation: Installation, small: SmallWorkspace) -> None:
    workspace = installation.workspace
    many = workspace.add_generated_database("Many", rows=300)
    workspace.share("anna", many.id)
    await installation.connect("anna", small.tokens["anna"], {"Many": many.id})
    workspace.requests.clear()
    workspace.faults.add("502", times=3, path=f"{many.data_source_id}/query$")
    outcome = await installation.sync_all(concurrency=1)
    assert outcome.failures == []
    sizes = [request.body["page_size"] for request in workspace.requests.all() if request.path.endswith("/query")]
    assert sizes[:4] == [100, 100, 50, 25]
    assert set(sizes[4:]) == {25}
    assert await installation.differences("anna", "anna", {"Many": many.id}) == []
