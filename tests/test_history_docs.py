"""The questions that docs/history.md shows have the answers that it promises."""

from __future__ import annotations

from notion_workspace import SmallWorkspace
from notion_workspace.literals import number, status, title

from tests.fences import ROOT, blocks
from tests.installation import Installation

PAGE = ROOT / "docs" / "history.md"


async def test_what_is_asked_of_the_past_is_answered(installation: Installation, small: SmallWorkspace) -> None:
    workspace = installation.workspace
    tasks = workspace.add_database(
        "Tasks of mine",
        {"Name": title(), "Status": status(Open=["To do"], Closed=["Done"])},
        [{"Name": f"Task {index}", "Status": "To do"} for index in range(3)],
    )
    products = workspace.add_database(
        "Products", {"Name": title(), "Price": number()}, [{"Name": "Chair", "Price": 20}]
    )
    for handle in (tasks, products):
        workspace.share("anna", handle.id)
    await installation.connect("me", small.tokens["anna"], {"Tasks": tasks.id, "Products": products.id})
    assert (await installation.sync_all()).failures == []
    workspace.clock.advance(3600)
    workspace.edit_page(workspace.page_ids("Tasks of mine")[1], {"Status": "Done"})
    workspace.edit_page(workspace.page_ids("Products")[0], {"Price": 25})
    workspace.clock.advance(600)
    assert (await installation.sync_all()).failures == []
    await installation.execute(
        "UPDATE notion_sync.data_sources SET history_since = date_trunc('month', now()) - interval '1 day'"
    )
    moved, price, stays, changes, *settings = [
        await installation.execute(statement)
        for block in blocks(PAGE, "sql")
        for statement in block.split(";\n")
        if statement.strip()
    ]
    (as_of,) = [await installation.execute(statement) for statement in blocks(PAGE, "sql history")]
    assert [(one["page_title"], one["old"]) for one in moved] == [("Task 1", "To do")]
    assert [(one["old"], one["new"]) for one in price] == [(20, 25)]
    assert [(one["page_title"], one["status"]) for one in stays] == [("Task 1", "Done")]
    assert {one["kind"] for one in changes} == {"updated"}
    assert len(changes) == 2
    assert [(one["title"], one["status"]) for one in as_of] == [(f"Task {index}", "To do") for index in range(3)]
    assert len(settings) == 3
