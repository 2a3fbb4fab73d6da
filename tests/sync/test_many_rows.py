"""More rows than a query gives, most of them made in one minute, and relations longer than an answer holds.

`pytest tests/sync/test_many_rows.py --rows 25000` is the long form, with Notion's own cap of 10,000; without the option
everything is a tenth as large.
"""

from __future__ import annotations

import pytest
from notion_workspace import SmallWorkspace
from notion_workspace.literals import relation, rich_text, rollup, title

from tests.installation import Installation

pytestmark = pytest.mark.slow


async def test_past_the_cap_in_one_minute_with_long_relations(
    installation: Installation, small: SmallWorkspace, rows: int
) -> None:
    workspace = installation.workspace
    workspace.configure(query_cap=rows * 2 // 5)
    in_one_minute = rows * 12 // 25
    many = workspace.add_generated_database("Many", rows, history="one_minute", block=(rows // 4, in_one_minute))
    properties = {
        "Name": title(),
        "Remark": rich_text(),
        "Rows": relation("Many"),
        "Names": rollup("Rows", "Name", "show_original"),
        "How many": rollup("Rows", "Name", "count"),
    }
    related = workspace.page_ids("Many")[:1000]
    holders = workspace.add_database(
        "Holders", properties, [{"Name": f"Holder {index}", "Rows": related} for index in range(3)]
    )
    databases = {"Many": many.id, "Holders": holders.id}
    for name in databases:
        workspace.share("anna", name)
    await installation.connect("anna", small.tokens["anna"], databases)
    outcome = await installation.sync_all(requests_per_minute=100_000)
    assert outcome.failures == []
    assert outcome.totals.inserted == rows + 3
    assert await installation.differences("anna", "anna", databases) == []
    held = await installation.execute(
        "SELECT jsonb_array_length(fields -> 'rows') AS n FROM notion_pages_sync WHERE database_name = 'Holders'"
    )
    assert [row["n"] for row in held] == [1000] * 3


async def test_a_minute_that_nothing_splits_fails_and_says_so_and_keeps_what_came(
    installation: Installation, small: SmallWorkspace
) -> None:
    workspace = installation.workspace
    workspace.configure(query_cap=100)
    handle = workspace.add_database("Same", {"Name": title()}, [{"Name": "same"}] * 150)
    workspace.share("anna", handle.id)
    await installation.connect("anna", small.tokens["anna"], {"Same": handle.id})
    outcome = await installation.sync_all()
    assert "More rows were created in the minute" in outcome.failures[0]
    assert "unique_id" in outcome.failures[0]
    rows = await installation.execute("SELECT count(*) AS n FROM notion_pages_sync")
    assert rows[0]["n"] > 0
    state = await installation.execute("SELECT full_read_at FROM notion_sync.data_sources")
    assert state == [{"full_read_at": None}]


async def test_an_edit_beyond_the_25th_entry_of_a_relation_arrives_from_either_side(
    installation: Installation, small: SmallWorkspace
) -> None:
    workspace = installation.workspace
    names = [{"Name": f"Star {index}"} for index in range(40)]
    stars = workspace.add_database("Stars", {"Name": title()}, names)
    properties = {"Name": title(), "Stars": relation("Stars", dual="Sky")}
    skies = workspace.add_database("Skies", properties, [{"Name": "Night", "Stars": workspace.page_ids("Stars")}])
    databases = {"Stars": stars.id, "Skies": skies.id}
    for name in databases:
        workspace.share("anna", name)
    await installation.connect("anna", small.tokens["anna"], databases)
    await installation.sync_all()
    ids = workspace.page_ids("Stars")
    workspace.clock.advance(3600)
    workspace.edit_page(workspace.page_ids("Skies")[0], {"Stars": [*ids[:29], *ids[30:]]})
    assert (await installation.sync_all()).failures == []
    assert await installation.differences("anna", "anna", databases) == []
    workspace.clock.advance(3600)
    workspace.edit_page(ids[29], {"Sky": workspace.page_ids("Skies")})
    assert (await installation.sync_all()).failures == []
    assert await installation.differences("anna", "anna", databases) == []


async def test_a_row_whose_completion_fails_is_not_recorded_as_done(
    installation: Installation, small: SmallWorkspace
) -> None:
    await installation.connect("anna", small.tokens["anna"], {"Stories": small.databases["Stories"]})
    installation.workspace.faults.add("403_html", path="/properties/")
    outcome = await installation.sync_all()
    assert outcome.failures != []
    assert await installation.execute("SELECT 1 FROM notion_stories_sync") == []
    installation.workspace.faults.clear()
    assert (await installation.sync_all()).failures == []
    assert len(await installation.execute("SELECT 1 FROM notion_stories_sync")) == 30
