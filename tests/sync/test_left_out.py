"""One value that Notion does not give stops nothing else: it is left out, told, and tried again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from notion_workspace import DatabaseHandle, SmallWorkspace
from notion_workspace.literals import relation, title

from tests.installation import Installation

pytestmark = pytest.mark.slow

FRIENDS = 30
ROWS = 251


class Long:
    """A database of 251 rows, of which one has a relation of 30."""

    def __init__(self, installation: Installation, handle: DatabaseHandle) -> None:
        self.installation = installation
        self.workspace = installation.workspace
        self.handle = handle
        self.pages = self.workspace.page_ids("Long")
        self.page = self.pages[200]

    async def sync(self, **settings: Any) -> tuple[str, str]:
        """Syncs; returns how it was read and the message."""
        outcome = await self.installation.sync_all(first_back_off=0.001, **settings)
        assert outcome.failures == []
        run = outcome.accounts[0].databases["Long"]
        return run.mode or "", run.message or ""

    async def row(self) -> dict[str, Any]:
        return (await self.installation.mirrored("anna", self.handle.data_source_id))[self.page]

    async def left_out(self) -> list[tuple[str, str, str]]:
        found = await self.installation.execute("SELECT page_id::text, property, reason FROM notion_sync.left_out")
        return [(row["page_id"], row["property"], row["reason"]) for row in found]

    async def since(self) -> datetime:
        (found,) = await self.installation.execute("SELECT since FROM notion_sync.left_out")
        since = found["since"]
        assert isinstance(since, datetime)
        return since

    async def differences(self) -> list[str]:
        return await self.installation.differences("anna", "anna", {"Long": self.handle.id})


@pytest.fixture
async def long(installation: Installation, small: SmallWorkspace) -> Long:
    workspace = installation.workspace
    rows = [{"Name": f"Row {number}"} for number in range(ROWS)]
    handle = workspace.add_database("Long", {"Name": title(), "Friends": relation("self")}, rows)
    pages = workspace.page_ids("Long")
    workspace.edit_page(pages[200], {"Friends": pages[:FRIENDS]})
    workspace.share("anna", handle.id)
    await installation.connect("anna", small.tokens["anna"], {"Long": handle.id})
    workspace.clock.advance(3600)
    return Long(installation, handle)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("500", "internal_server_error"), ("not_json", "not_json"), ("wrong_types", "malformed")],
)
async def test_a_value_that_notion_does_not_give_stops_nothing_else(long: Long, kind: str, reason: str) -> None:
    long.workspace.faults.add(kind, path="/properties/")
    _, message = await long.sync()
    assert "Friends of 1 page could not be read whole" in message
    rows = await long.installation.mirrored("anna", long.handle.data_source_id)
    assert len(rows) == ROWS
    row = rows[long.page]
    assert row["fields"]["friends"] == long.pages[:25]
    assert row["properties"]["Friends"]["has_more"] is True
    assert await long.left_out() == [(long.page, "Friends", reason)]
    # Incomplete is never called complete.
    about = await long.installation.execute("SELECT page_id::text FROM notion_sync.pages WHERE incomplete <> '{}'")
    assert about == [{"page_id": long.page}]


async def test_verify_says_since_when_a_value_is_known_to_be_missing(long: Long) -> None:
    long.workspace.faults.add("500", path="/properties/")
    outcome = await long.installation.sync_one("anna", "Long", verify=True, first_back_off=0.001)
    ((_, _, verification),) = outcome.verified
    assert verification.is_exact
    since = f"{(await long.since()).astimezone():%Y-%m-%d %H:%M:%S}"
    assert verification.remarks == (
        f"'Friends' is known to be missing in 1 row, since {since}: notion_sync.left_out says why, and each run tries "
        "again.",
    )


async def test_what_was_left_out_is_tried_again_at_each_run_and_comes_once_it_is_given(long: Long) -> None:
    long.workspace.faults.add("500", path="/properties/")
    await long.sync()
    since = await long.since()
    long.workspace.clock.advance(3600)
    mode, message = await long.sync()
    assert (mode, "Friends of 1 page" in message) == ("incremental", True)
    assert await long.since() == since
    long.workspace.faults.clear()
    long.workspace.clock.advance(3600)
    assert (await long.sync())[0] == "incremental"
    assert await long.left_out() == []
    assert await long.differences() == []


async def test_what_was_known_of_a_value_is_kept(long: Long) -> None:
    await long.sync()
    assert (await long.row())["fields"]["friends"] == long.pages[:FRIENDS]
    long.workspace.faults.add("500", path="/properties/")
    long.workspace.edit_page(long.page, {"Name": "Edited"})
    await long.sync()
    row = await long.row()
    assert (row["title"], row["fields"]["friends"]) == ("Edited", long.pages[:FRIENDS])
    assert await long.left_out() == [(long.page, "Friends", "internal_server_error")]


async def test_a_page_that_left_is_no_longer_left_out(long: Long) -> None:
    long.workspace.faults.add("500", path="/properties/")
    await long.sync()
    long.workspace.trash_page(long.page)
    await long.sync(full=True)
    assert await long.left_out() == []
    assert await long.differences() == []


async def test_after_ten_failures_the_values_of_a_property_are_not_asked_for(long: Long) -> None:
    for page in long.pages[100:140]:
        long.workspace.edit_page(page, {"Friends": long.pages[:FRIENDS]})
    long.workspace.faults.add("500", path="/properties/")
    long.workspace.requests.clear()
    _, message = await long.sync(page_size=10, concurrency=1)
    assert "Friends of 41 pages could not be read whole" in message
    asked = {one.path for one in long.workspace.requests.all() if "/properties/" in one.path}
    assert len(asked) < 25
    assert len(await long.left_out()) == 41
    long.workspace.faults.clear()
    await long.sync(full=True)
    assert (await long.left_out(), await long.differences()) == ([], [])


async def test_a_network_that_refuses_is_no_odd_value(long: Long) -> None:
    long.workspace.faults.add("403_html", path="/properties/")
    outcome = await long.installation.sync_all()
    assert outcome.failures != []
    assert await long.left_out() == []
