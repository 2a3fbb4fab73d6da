"""An incremental read that takes longer than a run may: each run keeps something, and in the end the copy is exact."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from notion_workspace import Request, SampleWorkspace, SmallWorkspace
from notion_workspace.literals import number, title

from tests.installation import Installation, Row

pytestmark = pytest.mark.slow

ROWS = 300
PAGE = 10
HOUR = 3600
# An answer of each query, and one more for the way to it.
MOST_RUNS = 200


@dataclass
class Edited:
    """A database of anna's that was read whole an hour ago, and in which many rows are edited since."""

    installation: Installation
    databases: dict[str, str]
    source: str

    @property
    def workspace(self) -> SampleWorkspace:
        return self.installation.workspace

    def edit(self, rows: int, *, seconds_apart: float) -> None:
        for page in self.workspace.page_ids("Many")[:rows]:
            self.workspace.edit_page(page, {"Count": 4711})
            self.workspace.clock.advance(seconds_apart)

    async def state(self) -> Row:
        (row,) = await self.installation.execute(
            "SELECT * FROM notion_sync.data_sources WHERE data_source_id = %s", self.source
        )
        return row

    async def progress(self) -> tuple[datetime, datetime | None, object]:
        """What a run that is cut off leaves to the next."""
        state = await self.state()
        return state["watermark"], state["full_read_started_at"], state["full_read_covered"]

    async def run_cut_off_after(self, answers: int) -> list[str]:
        """A run whose connection to Notion fails after so many answers with rows."""
        self.workspace.clock.advance(15 * 60)
        self.workspace.faults.add("403_html", path=f"{self.source}/query$", every=answers + 1)
        outcome = await self.installation.sync_all(page_size=PAGE, concurrency=1)
        self.workspace.faults.clear()
        return outcome.failures

    async def runs_until_well(self, answers: list[int]) -> int:
        """How many runs it takes, each of which has to leave something to the next."""
        for run in range(MOST_RUNS):
            before = await self.progress()
            failures = await self.run_cut_off_after(answers[run % len(answers)])
            if not failures:
                return run + 1
            assert await self.progress() != before, f"run {run} kept nothing: {failures}"
        pytest.fail(f"it did not end within {MOST_RUNS} runs")

    async def wrong(self) -> list[str]:
        return await self.installation.differences("anna", "anna", self.databases)


@pytest.fixture
async def edited(installation: Installation, small: SmallWorkspace) -> Edited:
    workspace = installation.workspace
    rows = [{"Name": f"row {row}", "Count": row} for row in range(ROWS)]
    many = workspace.add_database("Many", {"Name": title(), "Count": number()}, rows, pace=90.0)
    workspace.share("anna", "Many")
    await installation.connect("anna", small.tokens["anna"], {"Many": many.id})
    assert (await installation.sync_all()).failures == []
    workspace.clock.advance(HOUR)
    return Edited(installation, {"Many": many.id}, many.data_source_id)


@pytest.mark.parametrize("answers", [[1], [2], [3, 1], [7]], ids=str)
@pytest.mark.parametrize(
    ("rows", "seconds_apart", "minutes_ago"),
    [(120, 20.0, 60), (120, 3.0, 60), (ROWS, 0.0, 60), (120, 20.0, 0), (ROWS, 0.0, 0)],
    ids=["spread", "dense", "one minute", "spread until now", "one minute just now"],
)
async def test_however_often_it_is_cut_off_it_comes_to_its_end(
    edited: Edited, rows: int, seconds_apart: float, minutes_ago: int, answers: list[int]
) -> None:
    edited.edit(rows, seconds_apart=seconds_apart)
    edited.workspace.clock.advance(minutes_ago * 60)
    await edited.runs_until_well(answers)
    assert await edited.wrong() == []


@pytest.mark.parametrize("seed", range(4))
async def test_also_while_people_go_on_editing(edited: Edited, seed: int) -> None:
    chance = random.Random(seed)
    pages = edited.workspace.page_ids("Many")
    edited.edit(200, seconds_apart=chance.choice([0.0, 1.0, 30.0]))
    edits = iter(range(60))

    def edit_one(request: Request) -> None:
        if request.path.endswith("/query") and next(edits, None) is not None:
            edited.workspace.clock.advance(chance.randrange(40))
            edited.workspace.edit_page(chance.choice(pages), {"Count": chance.randrange(10_000)})

    edited.workspace.on_request(edit_one)
    for _ in range(MOST_RUNS):
        if not await edited.run_cut_off_after(chance.randrange(1, 6)) and next(edits, None) is None:
            break
    else:
        pytest.fail("it did not come to its end")
    # What was edited during the last run is promised by the next.
    edited.workspace.clock.advance(15 * 60)
    assert (await edited.installation.sync_all()).failures == []
    assert await edited.wrong() == []


async def test_a_run_that_is_stopped_says_that_the_next_carries_on_and_it_does(edited: Edited) -> None:
    edited.edit(120, seconds_apart=20.0)
    edited.workspace.clock.advance(HOUR)
    stalled: list[str] = []

    def stall_at_the_fourth(request: Request) -> None:
        if request.path.endswith("/query"):
            stalled.append(request.path)
            if len(stalled) == 4:
                edited.workspace.faults.add("stall", path=f"{edited.source}/query$")

    edited.workspace.on_request(stall_at_the_fourth)
    before = (await edited.state())["watermark"]
    outcome = await edited.installation.sync_all(page_size=PAGE, timeout=timedelta(seconds=3))
    edited.workspace.faults.clear()
    run = outcome.accounts[0].databases["Many"]
    assert run.message is not None
    assert run.message.endswith("what was read is kept, and the next run carries on from there.")
    assert run.updated > 20
    assert before < (await edited.state())["watermark"]
    edited.workspace.requests.clear()
    assert (await edited.installation.sync_all(page_size=PAGE)).failures == []
    queries = [one for one in edited.workspace.requests.all() if one.kind == "query"]
    assert len(queries) < 15
    assert await edited.wrong() == []


async def test_edits_of_a_minute_that_was_read_leave_no_full_read_behind(edited: Edited) -> None:
    edited.edit(40, seconds_apart=0.0)
    edited.workspace.clock.advance(HOUR)
    assert (await edited.installation.sync_all(page_size=PAGE)).failures == []
    state = await edited.state()
    assert (state["full_read_started_at"], state["full_read_progress_at"]) == (None, None)
    modes = await edited.installation.execute("SELECT mode FROM notion_sync.database_runs ORDER BY runid")
    assert [row["mode"] for row in modes] == ["full", "incremental"]
    assert await edited.wrong() == []
