"""A page that Notion does not list, or not whole, stops nothing else: it is gone round, told, and tried again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from notion_workspace import DatabaseHandle, SmallWorkspace
from notion_workspace.literals import number, title

from tests.installation import Installation

pytestmark = pytest.mark.slow

ROWS = 121
QUICK: dict[str, Any] = {"first_back_off": 0.001, "requests_per_minute": 100_000}


class Notes:
    """A database of 121 rows."""

    def __init__(self, installation: Installation, handle: DatabaseHandle) -> None:
        self.installation = installation
        self.workspace = installation.workspace
        self.handle = handle
        self.pages = list(self.workspace.truth("Odd"))

    async def sync(self, **settings: Any) -> tuple[str, str]:
        """Syncs; returns how it was read and the message."""
        outcome = await self.installation.sync_all(**QUICK, **settings)
        assert outcome.failures == []
        run = outcome.accounts[0].databases["Odd"]
        return run.mode or "", run.message or ""

    async def rows(self) -> dict[str, dict[str, Any]]:
        return await self.installation.mirrored("anna", self.handle.data_source_id)

    async def left_out(self) -> list[tuple[str | None, datetime | None, str]]:
        found = await self.installation.execute(
            "SELECT page_id::text, created_at, reason FROM notion_sync.left_out"
            " UNION ALL SELECT NULL, created_at, reason FROM notion_sync.unread_minutes ORDER BY created_at, page_id"
        )
        return [(row["page_id"], row["created_at"], row["reason"]) for row in found]

    async def differences(self) -> list[str]:
        return await self.installation.differences("anna", "anna", {"Odd": self.handle.id})

    async def created_at(self, page: str) -> datetime:
        time = (await self.rows())[page]["notion_created_at"]
        assert isinstance(time, datetime)
        return time


async def made(installation: Installation, small: SmallWorkspace, pace: float) -> Notes:
    workspace = installation.workspace
    rows = [{"Name": f"Row {row}", "Count": row} for row in range(ROWS)]
    handle = workspace.add_database("Odd", {"Name": title(), "Count": number()}, rows, pace=pace)
    workspace.share("anna", handle.id)
    await installation.connect("anna", small.tokens["anna"], {"Odd": handle.id})
    workspace.clock.advance(3600)
    return Notes(installation, handle)


@pytest.fixture
async def notes(installation: Installation, small: SmallWorkspace) -> Notes:
    return await made(installation, small, 47.0)


@pytest.mark.parametrize("place", [0, 60, 120])
@pytest.mark.parametrize("pace", [47.0, 0.0], ids=["over hours", "in one minute"])
async def test_a_page_for_which_every_answer_fails_is_gone_round(
    installation: Installation, small: SmallWorkspace, pace: float, place: int
) -> None:
    notes = await made(installation, small, pace)
    page = notes.pages[place]
    notes.workspace.spoil_page(page, "fails", alone=True)
    _, message = await notes.sync()
    rows = await notes.rows()
    assert rows.keys() == set(notes.pages) - {page}
    ((page_id, created_at, reason),) = await notes.left_out()
    assert (page_id, reason) == (None, "internal_server_error")
    assert created_at is not None
    assert f"Notion fails for pages created at {created_at:%Y-%m-%d %H:%M} UTC" in message
    notes.workspace.heal_page(page)
    mode, message = await notes.sync()
    assert (mode, "1 inserted." in message) == ("incremental", True)
    assert await notes.left_out() == []
    assert await notes.differences() == []


async def test_the_known_row_of_such_a_page_stays_and_the_page_is_named(notes: Notes) -> None:
    await notes.sync()
    page = notes.pages[77]
    created_at = await notes.created_at(page)
    notes.workspace.spoil_page(page, "fails", alone=True)
    notes.workspace.edit_page(page, {"Count": -1})
    notes.workspace.edit_page(notes.pages[78], {"Count": -2})
    notes.workspace.trash_page(notes.pages[79])
    _, message = await notes.sync(full=True)
    rows = await notes.rows()
    assert rows.keys() == set(notes.pages) - {notes.pages[79]}
    assert (rows[page]["fields"]["count"], rows[notes.pages[78]]["fields"]["count"]) == (77, -2)
    assert await notes.left_out() == [(page, created_at, "internal_server_error")]
    assert f"1 page could not be read, such as {page}" in message


async def test_such_a_page_is_all_that_is_left_out_after_an_incremental_read_too(notes: Notes) -> None:
    await notes.sync()
    page = notes.pages[77]
    notes.workspace.spoil_page(page, "fails", alone=True)
    await notes.sync(full=True)
    left_out = await notes.left_out()
    for _ in range(2):
        notes.workspace.clock.advance(3600)
        mode, message = await notes.sync()
        assert (mode, await notes.left_out()) == ("incremental", left_out)
        assert "Which pages these are is not known" not in message


async def test_what_is_known_to_fail_costs_little_in_the_next_full_read(notes: Notes) -> None:
    await notes.sync()
    notes.workspace.spoil_page(notes.pages[77], "fails", alone=True)
    await notes.sync(full=True)
    notes.workspace.requests.clear()
    await notes.sync(full=True)
    queries = [one for one in notes.workspace.requests.all() if one.path.endswith("/query")]
    assert len(queries) < 60


async def test_a_page_that_fails_only_in_listings_is_read_alone(notes: Notes) -> None:
    await notes.sync()
    page = notes.pages[77]
    notes.workspace.spoil_page(page, "fails")
    notes.workspace.edit_page(page, {"Count": -1})
    await notes.sync(full=True)
    assert (await notes.rows())[page]["fields"]["count"] == -1
    assert await notes.differences() == []


async def test_an_edit_of_such_a_page_keeps_no_other_edit_out(notes: Notes) -> None:
    await notes.sync()
    notes.workspace.clock.advance(3600)
    page = notes.pages[77]
    notes.workspace.spoil_page(page, "fails", alone=True)
    notes.workspace.edit_page(page, {"Count": -1})
    notes.workspace.edit_page(notes.pages[78], {"Count": -2})
    mode, _ = await notes.sync()
    assert mode == "full"
    assert (await notes.rows())[notes.pages[78]]["fields"]["count"] == -2
    notes.workspace.heal_page(page)
    for _ in range(2):
        notes.workspace.clock.advance(3600)
        mode, _ = await notes.sync()
    assert (mode, await notes.left_out(), await notes.differences()) == ("incremental", [], [])


async def test_two_such_pages_far_apart_leave_all_others(installation: Installation, small: SmallWorkspace) -> None:
    notes = await made(installation, small, 3600.0)
    bad = [notes.pages[20], notes.pages[100]]
    for page in bad:
        notes.workspace.spoil_page(page, "fails", alone=True)
    await notes.sync()
    assert (await notes.rows()).keys() == set(notes.pages) - set(bad)
    assert len(await notes.left_out()) == 2


async def test_of_what_two_such_pages_enclose_in_a_minute_the_known_rows_are_read_alone(
    installation: Installation, small: SmallWorkspace
) -> None:
    notes = await made(installation, small, 0.0)
    await notes.sync()
    bad = [notes.pages[20], notes.pages[100]]
    for page in bad:
        notes.workspace.spoil_page(page, "fails", alone=True)
    for page in notes.pages[50:80]:
        notes.workspace.edit_page(page, {"Count": -1})
    gone = notes.pages[90]
    notes.workspace.trash_page(gone)
    await notes.sync(full=True)
    rows = await notes.rows()
    assert rows.keys() == set(notes.pages) - {gone}
    assert {rows[page]["fields"]["count"] for page in notes.pages[50:80]} == {-1}
    assert {page for page, _, _ in await notes.left_out()} == set(bad)


async def test_where_notion_fails_for_everything_it_is_no_odd_page(notes: Notes) -> None:
    await notes.sync()
    notes.workspace.faults.add("500", path="/query$")
    for full in (False, True):
        notes.workspace.clock.advance(3600)
        notes.workspace.requests.clear()
        outcome = await notes.installation.sync_all(**QUICK, full=full)
        (said,) = outcome.failures
        assert "Notion answered 500 (internal_server_error)" in said
        assert len(notes.workspace.requests.all()) < 100
    assert await notes.left_out() == []
    assert len(await notes.rows()) == ROWS


async def test_a_run_that_notion_failed_wholly_is_followed_by_an_incremental_one(notes: Notes) -> None:
    await notes.sync()
    notes.workspace.faults.add("500", path="/query$")
    notes.workspace.clock.advance(3600)
    assert (await notes.installation.sync_all(**QUICK)).failures != []
    notes.workspace.faults.clear()
    assert (await notes.sync())[0] == "incremental"


@pytest.mark.parametrize("oddity", ["without_properties", "id_only"])
@pytest.mark.parametrize("alone", [False, True])
async def test_a_page_that_comes_in_part_stops_nothing_else(notes: Notes, oddity: str, *, alone: bool) -> None:
    page = notes.pages[110]
    notes.workspace.spoil_page(page, oddity, alone=alone)
    await notes.sync()
    missing = {page} if alone else set()
    assert (await notes.rows()).keys() == set(notes.pages) - missing
    assert [left for left, _, _ in await notes.left_out()] == [page] * alone
    notes.workspace.heal_page(page)
    notes.workspace.clock.advance(3600)
    await notes.sync()
    assert (await notes.left_out(), await notes.differences()) == ([], [])


@pytest.mark.parametrize("oddity", ["without_properties", "id_only"])
@pytest.mark.parametrize("full", [False, True])
async def test_the_known_row_of_a_page_that_comes_in_part_stays(notes: Notes, oddity: str, *, full: bool) -> None:
    await notes.sync()
    page = notes.pages[110]
    notes.workspace.clock.advance(3600)
    notes.workspace.spoil_page(page, oddity, alone=True)
    notes.workspace.edit_page(page, {"Count": -1})
    notes.workspace.edit_page(notes.pages[111], {"Count": -2})
    await notes.sync(full=full)
    rows = await notes.rows()
    assert (rows[page]["fields"]["count"], rows[notes.pages[111]]["fields"]["count"]) == (110, -2)
    assert [left for left, _, _ in await notes.left_out()] == [page]


@pytest.mark.parametrize("path", ["/query$", "/query$|/pages/"])
async def test_where_notion_gives_every_page_in_part_only_it_is_no_odd_page(notes: Notes, path: str) -> None:
    for more in range(100):
        notes.workspace.add_page("Odd", {"Name": f"More {more}"})
    notes.workspace.faults.add("without_properties", path=path)
    outcome = await notes.installation.sync_all(**QUICK)
    (said,) = outcome.failures
    assert "in part only" in said or "without properties" in said
    assert await notes.left_out() == []


@pytest.mark.parametrize("full", [False, True])
async def test_a_page_that_a_listing_flags_as_trash_is_not_written_and_goes_by_the_rules_of_removal(
    notes: Notes, *, full: bool
) -> None:
    await notes.sync()
    notes.workspace.clock.advance(3600)
    trashed, alive = notes.pages[110], notes.pages[111]
    new = notes.workspace.add_page("Odd", {"Name": "New"})
    for page in (trashed, alive, new):
        notes.workspace.spoil_page(page, "in_trash", alone=page != alive)
        notes.workspace.edit_page(page, {"Count": -1})
    await notes.sync(full=full)
    rows = await notes.rows()
    assert new not in rows
    # A listing is no proof: Notion is asked for the page itself.
    assert (trashed in rows, rows[alive]["fields"]["count"]) == ((False, -1) if full else (True, 111))
    removed = await notes.installation.execute("SELECT page_id::text, reason FROM notion_sync.removed_pages")
    assert removed == ([{"page_id": trashed, "reason": "trashed"}] if full else [])


async def test_a_page_of_which_notion_says_nothing_is_kept_and_others_are_removed(notes: Notes) -> None:
    await notes.sync()
    silent, trashed = notes.pages[110], notes.pages[111]
    for page in (silent, trashed):
        notes.workspace.trash_page(page)
    notes.workspace.faults.add("500", path=f"/pages/{silent}$")
    await notes.sync(full=True)
    assert (await notes.rows()).keys() == set(notes.pages) - {trashed}
    assert [left for left, _, _ in await notes.left_out()] == [silent]
    notes.workspace.faults.clear()
    notes.workspace.clock.advance(timedelta(days=2).total_seconds())
    await notes.sync(full=True)
    assert (await notes.left_out(), await notes.differences()) == ([], [])


def behind(notes: Notes, page: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """What answers hold of a page from now on, whatever happens to it: how it is now."""
    then = notes.workspace.complete_page(page, "anna")

    def rewritten(body: dict[str, Any]) -> dict[str, Any]:
        return {**body, "results": [then if one["id"] == page else one for one in body["results"]]}

    return rewritten


@pytest.mark.parametrize("full", [False, True])
async def test_an_answer_that_is_behind_replaces_no_row_of_a_later_edit(notes: Notes, *, full: bool) -> None:
    page = notes.pages[110]
    older = behind(notes, page)
    notes.workspace.edit_page(page, {"Count": -1})
    notes.workspace.clock.advance(60)
    await notes.sync()
    notes.workspace.faults.add("rewrite", path="/query$", rewrite=older)
    notes.workspace.clock.advance(120)
    notes.workspace.edit_page(page, {"Count": -2})
    await notes.sync(full=full)
    assert (await notes.rows())[page]["fields"]["count"] == -2
    notes.workspace.faults.clear()
    await notes.sync()
    assert await notes.differences() == []


async def test_a_row_whose_edit_time_somebody_put_into_the_future_is_mended(notes: Notes) -> None:
    await notes.sync()
    page = notes.pages[110]
    await notes.installation.execute(
        "UPDATE notion_pages_sync SET notion_edited_at = now() + interval '9 years' WHERE notion_page_id = %s", page
    )
    notes.workspace.edit_page(page, {"Count": -1})
    await notes.sync()
    assert await notes.differences() == []


async def test_where_too_many_rows_are_of_a_later_edit_the_listing_is_believed(notes: Notes) -> None:
    await notes.sync()
    await notes.installation.execute("UPDATE notion_pages_sync SET notion_edited_at = now() + interval '9 years'")
    for page in notes.pages:
        notes.workspace.edit_page(page, {"Count": -1})
    notes.workspace.requests.clear()
    await notes.sync(full=True)
    assert await notes.differences() == []


async def verified(notes: Notes) -> tuple[bool, list[str]]:
    outcome = await notes.installation.sync_one("anna", "Odd", verify=True, **QUICK)
    ((_, _, verification),) = outcome.verified
    return verification.is_exact, list(verification.remarks)


async def test_verify_says_that_nothing_can_be_said_of_what_notion_does_not_list(notes: Notes) -> None:
    await notes.sync()
    page = notes.pages[60]
    notes.workspace.spoil_page(page, "fails", alone=True)
    is_exact, remarks = await verified(notes)
    assert is_exact
    assert remarks[0] == "Notion does not give 1 page; nothing was compared there."
    assert "Notion fails for pages created between" in remarks[1]
    await notes.installation.execute("DELETE FROM notion_pages_sync WHERE notion_page_id = %s", notes.pages[61])
    await notes.installation.execute("UPDATE notion_sync.data_sources SET row_count = row_count - 1")
    outcome = await notes.installation.sync_one("anna", "Odd", verify=True, dry_run=True, **QUICK)
    assert [len(one.differences) for _, _, one in outcome.verified] == [1]


@pytest.mark.parametrize("oddity", ["without_properties", "id_only", "in_trash"])
async def test_verify_asks_for_pages_alone_that_are_listed_oddly(notes: Notes, oddity: str) -> None:
    await notes.sync()
    notes.workspace.spoil_page(notes.pages[60], oddity)
    assert await verified(notes) == (True, [])
    notes.workspace.spoil_page(notes.pages[60], oddity, alone=True)
    not_given = (True, ["Notion does not give 1 page; nothing was compared there."])
    assert await verified(notes) == ((False, []) if oddity == "in_trash" else not_given)
