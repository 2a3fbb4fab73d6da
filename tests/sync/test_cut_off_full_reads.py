"""A full read that was cut off: carried on while it is young, with what was edited since; begun anew in any other case.

Processes that are really killed, at random: tests/reliability/test_killed_full_reads.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from notion_workspace import SampleWorkspace, SmallWorkspace
from notion_workspace.literals import checkbox, number, relation, rollup, title

from notion_pg_sync.mirror.runs import DatabaseRun
from notion_pg_sync.notion.cleaning import CONVERSION_VERSION
from tests.installation import Installation, Row

pytestmark = pytest.mark.slow

ROWS = 240
HOUR = 3600


@dataclass
class CutOff:
    """A database of anna's whose full read was given up between its first answers and its last, by nobody's will."""

    installation: Installation
    databases: dict[str, str]
    source: str
    pages: list[str]
    # What every seventh of the pages is related to.
    related: str
    # Changes since then that no edit time tells.
    silent: set[str] = field(default_factory=set)

    @property
    def workspace(self) -> SampleWorkspace:
        return self.installation.workspace

    async def cut_off(self, queries: int = 13) -> None:
        """A full read that comes to a halt after so many queries."""
        self.silent.clear()
        self.workspace.faults.add("403_html", path=f"{self.source}/query$", every=queries + 1)
        outcome = await self.installation.sync_all(page_size=10, concurrency=1, full=True)
        self.workspace.faults.clear()
        assert outcome.failures != []
        assert (await self.state())["full_read_started_at"] is not None

    async def pass_time(self, hours: float) -> None:
        """Lets the clocks of Notion and PostgreSQL go on."""
        self.workspace.clock.advance(hours * HOUR)
        times = ("full_as_of", "fresh_as_of", "full_read_began_at", "full_read_progress_at")
        moved = ", ".join(f"{name} = {name} - make_interval(secs => {hours * HOUR})" for name in times)
        await self.installation.execute(f"UPDATE notion_sync.data_sources SET {moved}")

    def change(self) -> None:
        """Somebody edits, deletes and adds, and values change whose rows are not edited, at both ends of the list."""
        workspace = self.workspace
        workspace.clock.advance(60)
        for page in [*self.pages[:5], *self.pages[-5:]]:
            workspace.edit_page(page, {"Count": 4711})
        for page in [*self.pages[5:10], *self.pages[-10:-5]]:
            workspace.trash_page(page)
            self.silent.add(page)
        for page in [*self.pages[10:15], *self.pages[-15:-10]]:
            workspace.set_quietly(page, {"Done": True})
            self.silent.add(page)
        workspace.edit_page(self.related, {"Name": "renamed"})
        self.silent.update(self.pages[::7])
        workspace.add_page("Many", {"Name": "new"})
        workspace.clock.advance(10 * 60)

    async def sync(self, **settings: Any) -> DatabaseRun:
        outcome = await self.installation.sync_all(**settings)
        assert outcome.failures == []
        return outcome.accounts[0].databases["Many"]

    async def state(self) -> Row:
        (row,) = await self.installation.execute(
            "SELECT * FROM notion_sync.data_sources WHERE data_source_id = %s", self.source
        )
        return row

    async def wrong(self) -> list[str]:
        return await self.installation.differences("anna", "anna", self.databases)

    async def queries(self, **settings: Any) -> int:
        """How many queries of the rows a sync takes."""
        self.workspace.requests.clear()
        await self.sync(page_size=10, **settings)
        return sum(self.source in one.path for one in self.workspace.requests.all() if one.kind == "query")


@pytest.fixture
async def read(installation: Installation, small: SmallWorkspace) -> CutOff:
    workspace = installation.workspace
    lists = workspace.add_database("Lists", {"Name": title()}, [{"Name": "one"}, {"Name": "two"}])
    (one, two) = workspace.page_ids("Lists")
    properties = {
        "Name": title(),
        "Count": number(),
        "Done": checkbox(),
        "List": relation("Lists"),
        "Names": rollup("List", "Name", "show_original"),
    }
    rows = [{"Name": f"row {row}", "Count": row, "List": [one] if row % 7 == 0 else [two]} for row in range(ROWS)]
    many = workspace.add_database("Many", properties, rows, pace=90.0)
    databases = {"Many": many.id, "Lists": lists.id}
    for name in databases:
        workspace.share("anna", name)
    await installation.connect("anna", small.tokens["anna"], databases)
    assert (await installation.sync_all()).failures == []
    workspace.clock.advance(2 * HOUR)
    by_creation = sorted(workspace.truth("Many").values(), key=lambda row: row["created_time"])
    found = CutOff(installation, databases, many.data_source_id, [row["id"] for row in by_creation], one)
    await found.cut_off()
    return found


@pytest.mark.parametrize("hours", [0.0, 6.0])
async def test_a_full_read_that_is_asked_for_is_exact_whatever_was_cut_off(read: CutOff, hours: float) -> None:
    await read.pass_time(hours)
    read.change()
    await read.sync(full=True)
    assert await read.wrong() == []


async def test_an_ordinary_sync_begins_it_anew_after_an_hour(read: CutOff) -> None:
    await read.pass_time(1.0)
    read.change()
    run = await read.sync()
    assert run.mode == "full"
    assert await read.wrong() == []


async def test_within_an_hour_it_is_carried_on_and_brings_what_was_edited_since_it_began(read: CutOff) -> None:
    began = (await read.state())["full_read_began_at"]
    await read.pass_time(0.9)
    began -= timedelta(hours=0.9)
    read.change()
    queries = await read.queries()
    # 11 of 24 answers were missing; some more for edges, and for what was edited in one minute.
    assert queries < ROWS / 10
    wrong = await read.wrong()
    assert [line for line in wrong if not any(page in line for page in read.silent)] == []
    state = await read.state()
    assert state["full_as_of"] == began
    assert state["fresh_as_of"] > began + timedelta(minutes=50)
    # What no edit tells comes with the next full read, which is due a day after this one began.
    await read.pass_time(23.1)
    run = await read.sync()
    assert run.mode == "full"
    assert await read.wrong() == []


async def test_progress_of_each_part_keeps_it_going(read: CutOff) -> None:
    """A read that takes more than one run, and more than an hour in all."""
    for _ in range(3):
        await read.pass_time(0.75)
        read.workspace.faults.add("403_html", path=f"{read.source}/query$", every=3)
        await read.installation.sync_all(page_size=10, concurrency=1)
        read.workspace.faults.clear()
    await read.pass_time(0.75)
    assert await read.queries() < 12
    assert await read.wrong() == []


async def test_asking_again_begins_it_anew(read: CutOff) -> None:
    assert await read.queries(full=True) >= ROWS / 10
    assert await read.wrong() == []


async def test_another_token_begins_it_anew(read: CutOff) -> None:
    """It may see other pages than the one before."""
    token = read.workspace.add_token("anna again")
    for name in read.databases:
        read.workspace.share("anna again", name)
    await read.installation.execute("UPDATE user_settings SET notion_token = %s", token.secret)
    assert await read.queries() >= ROWS / 10


@pytest.mark.parametrize(
    ("version", "anew"), [(CONVERSION_VERSION - 1, True), (CONVERSION_VERSION, False), (CONVERSION_VERSION + 1, False)]
)
async def test_an_older_version_s_part_is_not_carried_on(read: CutOff, version: int, *, anew: bool) -> None:
    await read.installation.execute("UPDATE notion_sync.data_sources SET full_read_version = %s", version)
    assert (await read.queries() >= ROWS / 10) is anew


async def test_a_changed_schema_begins_it_anew(read: CutOff) -> None:
    read.workspace.add_property("Many", "Height", number())
    read.change()
    await read.sync()
    assert await read.wrong() == []


async def test_a_part_that_a_version_without_progress_left_is_not_carried_on(read: CutOff) -> None:
    await read.installation.execute("UPDATE notion_sync.data_sources SET full_read_progress_at = NULL")
    assert await read.queries() >= ROWS / 10


async def test_what_was_seen_may_be_lost_and_nothing_is_removed_for_that(read: CutOff) -> None:
    lost = "SELECT ctid FROM notion_sync.seen_pages WHERE page_ids <> '{}' LIMIT 5"
    await read.installation.execute(f"DELETE FROM notion_sync.seen_pages WHERE ctid IN ({lost})")
    run = await read.sync()
    assert run.removed == 0
    assert await read.wrong() == []


async def test_a_dry_run_beside_it_rehearses_the_whole_and_leaves_it_alone(read: CutOff) -> None:
    before = await read.state()
    read.change()
    run = await read.sync(dry_run=True)
    assert (run.rows_read, run.removed) == (ROWS - 10 + 1, 10)
    await read.sync(dry_run=True, full=True)
    assert await read.state() == before
    assert await read.queries() < ROWS / 10


async def test_rows_that_are_held_back_hold_no_edit_back(read: CutOff) -> None:
    """More than half of the rows leave; the part that is carried on fails for it, and yet brings all edits."""
    await read.installation.sync_all(full=True)
    for page in read.pages[: ROWS * 2 // 3]:
        read.workspace.delete_page(page)
    await read.cut_off(queries=4)
    read.workspace.clock.advance(60)
    edited = read.pages[-ROWS // 3 :][:5]
    for page in edited:
        read.workspace.edit_page(page, {"Count": 4711})
    outcome = await read.installation.sync_all()
    assert f"{ROWS * 2 // 3} rows were not found in Notion" in outcome.failures[0]
    rows = await read.installation.mirrored("anna", read.source)
    assert [rows[page]["fields"]["count"] for page in edited] == [4711] * 5
    # What the failure says to type.
    allowed = await read.installation.sync_one("anna", "Many", allow_removal=True)
    assert allowed.failures == []
    assert allowed.totals.removed == ROWS * 2 // 3
    assert await read.wrong() == []


async def test_a_second_listing_that_is_cut_off_removes_nothing_too_much(read: CutOff) -> None:
    """More rows leave than are asked for one by one, so all is listed twice."""
    workspace = read.workspace
    for number_ in range(300):
        workspace.add_page("Many", {"Name": f"more {number_}"})
    await read.sync(full=True)
    left = [page for page in workspace.page_ids("Many") if page not in read.pages][:220]
    for page in left:
        workspace.trash_page(page)
    queries = len(workspace.page_ids("Many")) // 10
    workspace.faults.add("403_html", path=f"{read.source}/query$", every=queries + 10)
    outcome = await read.installation.sync_all(page_size=10, concurrency=1, full=True)
    assert outcome.failures != []
    workspace.faults.clear()
    covered = await read.installation.execute(
        "SELECT 1 FROM notion_sync.data_sources WHERE full_read_covered = '{(,)}' AND full_read_started_at IS NOT NULL"
    )
    assert len(covered) == 1, "the first listing was complete"
    run = await read.sync(page_size=10)
    assert run.removed == len(left)
    assert await read.wrong() == []


async def test_a_second_listing_is_carried_on_however_often_it_is_cut_off(read: CutOff) -> None:
    """It takes more than a run may: each goes on where the one before it came to."""
    workspace = read.workspace
    for number_ in range(300):
        workspace.add_page("Many", {"Name": f"more {number_}"})
        workspace.clock.advance(60)
    await read.sync(full=True)
    left = [page for page in workspace.page_ids("Many") if page not in read.pages][:220]
    for page in left:
        workspace.trash_page(page)
    for _ in range(60):
        workspace.faults.add("403_html", path=f"{read.source}/query$", every=5)
        outcome = await read.installation.sync_all(page_size=10, concurrency=1, full_every=timedelta())
        workspace.faults.clear()
        if not outcome.failures:
            break
    else:
        pytest.fail("it did not come to its end")
    assert outcome.totals.removed == len(left)
    assert (await read.state())["full_read_started_at"] is None
    assert await read.wrong() == []
