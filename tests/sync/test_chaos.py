"""People work in Notion while syncs run: nothing is lost, whatever kind of cursor Notion has.

`pytest tests/sync/test_chaos.py --rounds 200` is the long form (some minutes); without the option it is a short one.
"""

from __future__ import annotations

import random

import pytest
from notion_workspace import SampleWorkspace, SmallWorkspace
from notion_workspace.literals import checkbox, number, relation, rich_text, title

from tests.installation import Installation

pytestmark = pytest.mark.slow

ROWS = 130
MINUTE = 60


class Busy:
    """Somebody who edits a database between any two of the tool's requests."""

    def __init__(self, workspace: SampleWorkspace, data_source: str, seed: int) -> None:
        self._workspace = workspace
        self._source = data_source
        self._random = random.Random(seed)
        self._trashed: list[str] = []
        self._added = 0
        self.is_at_work = False

    def works(self) -> None:
        """Does something or nothing; an edit now and then falls into the same minute as the last."""
        if not self.is_at_work or self._random.random() < 0.4:
            return
        self._workspace.clock.advance(self._random.choice((0, 5, 20, MINUTE)))
        live = self._workspace.page_ids(self._source)
        live = [page for page in live if page not in self._trashed]
        match self._random.randrange(6):
            case 0 | 1 | 2:
                values = {"Count": self._random.randrange(1000), "Note": f"note {self._random.randrange(1000)}"}
                self._workspace.edit_page(self._random.choice(live), values)
            case 3:
                self._added += 1
                self._workspace.add_page(self._source, {"Name": f"new {self._added}", "Done": True})
            case 4 if len(live) > ROWS - 20:
                self._trashed.append(self._random.choice(live))
                self._workspace.trash_page(self._trashed[-1])
            case 5 if self._trashed:
                self._workspace.restore_page(self._trashed.pop(0))


@pytest.mark.parametrize("precision", ["exact", "minute"])
@pytest.mark.parametrize("cursors", ["key", "offset", "anchor"])
async def test_nothing_is_lost_while_people_work(
    installation: Installation, small: SmallWorkspace, cursors: str, precision: str, rounds: int
) -> None:
    workspace = installation.workspace
    workspace.configure(cursor_kind=cursors, filter_precision=precision)
    properties = {"Name": title(), "Count": number(), "Note": rich_text(), "Done": checkbox(), "Next": relation("self")}
    rows = [{"Name": f"row {index}", "Count": index} for index in range(ROWS)]
    handle = workspace.add_database("Busy", properties, rows, pace=7.0)
    workspace.share("anna", handle.id)
    await installation.connect("anna", small.tokens["anna"], {"Busy": handle.id})
    busy = Busy(workspace, handle.data_source_id, seed=1)
    workspace.on_request(lambda _: busy.works())
    for number_ in range(rounds):
        busy.is_at_work = True
        workspace.clock.advance(random.Random(number_).choice((30, 10 * MINUTE, 60 * MINUTE)))
        outcome = await installation.sync_all(page_size=10, full=number_ % 5 == 4)
        assert [failure for failure in outcome.failures if "in the order" not in failure] == []
        busy.is_at_work = False
        if number_ % 3 == 2:
            await assert_no_edit_is_missing(installation, handle.data_source_id)
    workspace.clock.advance(10 * MINUTE)
    outcome = await installation.sync_all(page_size=10, full=True)
    assert outcome.failures == []
    assert await installation.differences("anna", "anna", {"Busy": handle.id}) == []


async def assert_no_edit_is_missing(installation: Installation, data_source_id: str) -> None:
    """After one more incremental sync every row that was edited is as Notion has it; restored rows are not promised."""
    workspace = installation.workspace
    workspace.clock.advance(10 * MINUTE)
    outcome = await installation.sync_all(page_size=10)
    assert outcome.failures == []
    rows = await installation.mirrored("anna", data_source_id)
    truth = workspace.truth(data_source_id, "anna")
    for page_id, row in rows.items():
        if page_id in truth:
            assert row["properties"] == workspace.complete_page(page_id, "anna")["properties"]
