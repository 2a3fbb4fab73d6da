"""An option of a select, multi-select or status that changes in Notion, without an edit of the pages that have it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from notion_workspace import SampleWorkspace, SmallWorkspace
from notion_workspace.literals import multi_select, select, status, title
from notion_workspace.model import Definition

from notion_pg_sync.mirror.runs import DatabaseRun
from tests.installation import Installation

pytestmark = pytest.mark.slow

ROWS = 150
KINDS = {
    "select": (select("To do", "Done"), "Done"),
    "multi_select": (multi_select("To do", "Done"), ["To do", "Done"]),
    "status": (status(Open=["To do"], Closed=["Done"]), "Done"),
}


class Chores:
    """A database of anna's that is too large to be read whole at every run; every other row has the option Done."""

    def __init__(self, installation: Installation, small: SmallWorkspace, kind: tuple[Definition, Any]) -> None:
        self.installation, self.workspace, self._token = installation, installation.workspace, small.tokens["anna"]
        definition, value = kind
        rows = [{"Name": f"Task {index}", "State": value if index % 2 else None} for index in range(ROWS)]
        self._id = self.workspace.add_database("Chores", {"Name": title(), "State": definition}, rows).id
        self.workspace.share("anna", self._id)

    async def connect(self) -> None:
        await self.installation.connect("anna", self._token, {"Chores": self._id})
        await self.sync()
        assert (await self.sync()).mode == "incremental"

    async def sync(self, **settings: Any) -> DatabaseRun:
        self.workspace.clock.advance(3600)
        outcome = await self.installation.sync_all(**settings)
        assert outcome.failures == []
        return outcome.accounts[0].databases["Chores"]

    async def is_exact(self) -> bool:
        return await self.installation.differences("anna", "anna", {"Chores": self._id}) == []


@pytest.fixture(params=KINDS)
async def chores(installation: Installation, small: SmallWorkspace, request: pytest.FixtureRequest) -> Chores:
    made = Chores(installation, small, KINDS[request.param])
    await made.connect()
    return made


def rename(workspace: SampleWorkspace) -> None:
    workspace.rename_option("Chores", "State", "Done", "Finished")


def remove(workspace: SampleWorkspace) -> None:
    workspace.remove_option("Chores", "State", "Done")


@pytest.mark.parametrize("change", [rename, remove])
async def test_every_row_is_brought_up_to_date_in_the_next_run(
    chores: Chores, change: Callable[[SampleWorkspace], None]
) -> None:
    change(chores.workspace)
    assert (await chores.sync()).updated == ROWS // 2
    assert await chores.is_exact()
    run = await chores.sync()
    assert (run.mode, run.updated) == ("incremental", 0)


async def test_a_colour_and_a_new_option_cost_no_full_read(chores: Chores) -> None:
    chores.workspace.recolor_option("Chores", "State", "Done", "brown")
    chores.workspace.add_page("Chores", {"Name": "Another", "State": "To do"})
    run = await chores.sync()
    assert (run.mode, run.updated, run.inserted) == ("incremental", 0, 1)
    await chores.sync(full=True)
    assert await chores.is_exact()


async def test_a_full_read_under_way_begins_anew_where_an_option_was_renamed(chores: Chores) -> None:
    workspace, installation = chores.workspace, chores.installation
    workspace.clock.advance(3600)
    workspace.faults.add("403_html", path="/query$", every=2)
    assert (await installation.sync_all(concurrency=1, full=True)).failures != []
    workspace.faults.clear()
    rename(workspace)
    outcome = await installation.sync_all()
    assert (outcome.failures, outcome.totals.updated) == ([], ROWS // 2)
    assert await chores.is_exact()


async def test_an_option_that_is_renamed_while_rows_are_read_is_in_all_rows_after_the_next_run(chores: Chores) -> None:
    workspace = chores.workspace
    is_renamed = False

    def rename_once(request: Any) -> None:
        nonlocal is_renamed
        if "query" in request.path and not is_renamed:
            is_renamed = True
            rename(workspace)

    workspace.on_request(rename_once)
    await chores.sync(full=True, concurrency=1)
    await chores.sync()
    assert is_renamed
    assert await chores.is_exact()


async def test_a_rename_that_was_cut_off_is_carried_on(chores: Chores) -> None:
    workspace, installation = chores.workspace, chores.installation
    rename(workspace)
    workspace.clock.advance(3600)
    workspace.faults.add("403_html", path="/query$", every=2)
    assert (await installation.sync_all(concurrency=1)).failures != []
    workspace.faults.clear()
    assert (await installation.sync_all()).failures == []
    assert await chores.is_exact()
