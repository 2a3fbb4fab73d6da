"""What answers stand for in which nothing changed is recorded with what comes next; nothing is lost by that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import pytest
from notion_workspace import DatabaseHandle, SmallWorkspace
from notion_workspace.literals import number, title

from tests.installation import Installation, Row

# One answer, and five of a smaller page.
FEW, MANY = 20, 120
IN_PARTS: dict[str, Any] = {"page_size": 25, "concurrency": 1, "first_back_off": 0.001}


async def synced(installation: Installation, small: SmallWorkspace, rows: int) -> DatabaseHandle:
    handle = installation.workspace.add_database(
        "Notes", {"Name": title(), "Size": number()}, [{"Name": f"Note {row}", "Size": row} for row in range(rows)]
    )
    installation.workspace.share("anna", handle.id)
    await installation.connect("anna", small.tokens["anna"], {"Notes": handle.id})
    installation.workspace.clock.advance(3600)
    assert (await installation.sync_all()).failures == []
    installation.workspace.clock.advance(3600)
    return handle


async def last_run(installation: Installation) -> Row:
    (found,) = await installation.execute("SELECT * FROM notion_sync.database_runs ORDER BY runid DESC LIMIT 1")
    return found


async def rows(installation: Installation) -> int:
    (found,) = await installation.execute("SELECT count(*) AS rows FROM notion_pages_sync")
    return int(found["rows"])


@pytest.mark.parametrize("count", [FEW, MANY])
async def test_a_full_read_of_what_is_as_it_was_is_recorded_as_any_other(
    installation: Installation, small: SmallWorkspace, count: int
) -> None:
    handle = await synced(installation, small, count)
    outcome = await installation.sync_all(full=True, **IN_PARTS)
    assert outcome.failures == []
    run = await last_run(installation)
    assert (run["mode"], run["rows_read"], run["unchanged"], run["removed"]) == ("full", count, count, 0)
    (source,) = await installation.execute(
        "SELECT row_count, full_read_at, full_read_started_at, (SELECT count(*) FROM notion_sync.seen_pages) AS seen"
        " FROM notion_sync.data_sources"
    )
    assert (source["row_count"], source["full_read_started_at"], source["seen"]) == (count, None, 0)
    assert await installation.differences("anna", "anna", {"Notes": handle.id}) == []


@pytest.mark.parametrize("queries", [1, 2, 3])
async def test_a_full_read_that_breaks_off_after_such_answers_goes_on_exactly(
    installation: Installation, small: SmallWorkspace, queries: int
) -> None:
    handle = await synced(installation, small, MANY)
    installation.workspace.faults.add("403_html", path=f"{handle.data_source_id}/query$", every=queries + 1)
    assert (await installation.sync_all(full=True, **IN_PARTS)).failures != []
    installation.workspace.faults.clear()
    run = await last_run(installation)
    assert (run["rows_read"], run["unchanged"]) == (25 * queries, 25 * queries)
    # Pages leave that were seen, and some that were not.
    gone = sorted(installation.workspace.truth(handle.data_source_id, "anna"))[::20]
    for page_id in gone:
        installation.workspace.trash_page(page_id)
    assert (await installation.sync_all(**IN_PARTS)).failures == []
    assert (await last_run(installation))["mode"] == "full"
    assert (await installation.sync_all(full=True, **IN_PARTS)).failures == []
    assert await rows(installation) == MANY - len(gone)
    assert await installation.differences("anna", "anna", {"Notes": handle.id}) == []


async def add_row(installation: Installation, page_id: str, database_id: str) -> None:
    await installation.execute(
        "INSERT INTO notion_pages_sync (user_id, notion_page_id, notion_database_id, database_name, title)"
        " VALUES (%s, %s, %s, 'Notes', 'old')",
        "anna",
        page_id,
        database_id,
    )


@pytest.mark.parametrize("count", [FEW, MANY])
async def test_a_row_that_an_application_adds_meanwhile_is_taken_over_and_leaves_with_its_page(
    installation: Installation, small: SmallWorkspace, count: int
) -> None:
    handle = await synced(installation, small, count)
    assert (await installation.sync_all()).failures == []
    await add_row(installation, str(uuid4()), handle.id)
    removed: Sequence[int] = [(await installation.sync_all()).totals.removed for _ in range(2)]
    # A long one is found out by its count of rows, in the next run.
    assert removed == ([1, 0] if count == FEW else [0, 1])
    assert await rows(installation) == count
