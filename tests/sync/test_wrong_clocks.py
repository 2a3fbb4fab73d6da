"""A wrong clock, be it in one answer of Notion's, on the host or PostgreSQL's own, leaves no edit out."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Self

import pytest
from notion_workspace import DatabaseHandle, SmallWorkspace
from notion_workspace.literals import number, title

from notion_pg_sync.sync.rows.removing import ALWAYS_REMOVABLE_ROWS
from tests.installation import Installation, Row

pytestmark = pytest.mark.slow

ROWS = 150
FUTURE = "Thu, 31 Dec 2099 23:59:59 GMT"
# The request by which a sync learns what time it is.
SCHEMA = r"/data_sources/[^/]+$"


@pytest.fixture
async def many(installation: Installation, small: SmallWorkspace) -> DatabaseHandle:
    """A database of anna's that is too large to be read whole every time; Notion's clock is the host's, and runs."""
    workspace = installation.workspace
    workspace.clock.set(datetime.now(UTC) - timedelta(hours=2))
    rows = [{"Name": f"row {index}", "Count": index} for index in range(ROWS)]
    handle = workspace.add_database("Many", {"Name": title(), "Count": number()}, rows)
    workspace.clock.set(datetime.now(UTC))
    workspace.clock.run()
    workspace.share("anna", handle.id)
    await installation.connect("anna", small.tokens["anna"], {"Many": handle.id})
    return handle


async def state(installation: Installation) -> Row:
    (row,) = await installation.execute("SELECT * FROM notion_sync.data_sources")
    return row


def edit(installation: Installation, count: int = 100) -> None:
    workspace = installation.workspace
    for page in workspace.page_ids("Many")[:count]:
        workspace.edit_page(page, {"Count": 4711})


async def synced(installation: Installation, many: DatabaseHandle, mode: str, **settings: Any) -> str:
    """Syncs, in `mode`, to an exact copy; returns what the run said of the database."""
    outcome = await installation.sync_all(**settings)
    assert outcome.failures == []
    run = outcome.accounts[0].databases["Many"]
    assert run.mode == mode
    assert await installation.differences("anna", "anna", {"Many": many.id}) == []
    return run.message or ""


@pytest.mark.parametrize("date", [FUTURE, "Fri, 31 Dec 9999 23:59:59 -1200", "soon", ""])
@pytest.mark.parametrize("when", ["first", "later"])
async def test_one_wrong_date_of_notions_leaves_no_edit_out(
    installation: Installation, many: DatabaseHandle, date: str, when: str
) -> None:
    if when == "later":
        await synced(installation, many, "full")
    installation.workspace.faults.add("date", date=date, times=1, path=SCHEMA)
    await synced(installation, many, "full" if when == "first" else "incremental")
    assert (await state(installation))["watermark"] <= datetime.now(UTC)
    edit(installation)
    await synced(installation, many, "incremental")


async def test_a_host_whose_clock_is_ahead_while_notion_tells_no_time_goes_by_postgresqls(
    installation: Installation, many: DatabaseHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Ahead(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return cls.fromtimestamp(time.time() + 3 * 86400, tz)

    installation.workspace.faults.add("date", date="")
    monkeypatch.setattr("notion_pg_sync.notion.client.datetime", Ahead)
    await synced(installation, many, "full")
    found = await state(installation)
    assert max(found["watermark"], found["full_read_at"]) <= datetime.now(UTC)
    edit(installation)
    await synced(installation, many, "incremental")


async def test_a_date_of_the_past_reads_more_and_nothing_less(installation: Installation, many: DatabaseHandle) -> None:
    """As a proxy's that tells when it took the answer."""
    installation.workspace.faults.add("date", date="Wed, 01 Jan 2020 00:00:00 GMT", times=3, path=SCHEMA)
    for mode in ("full", "incremental", "incremental", "incremental"):
        edit(installation)
        await synced(installation, many, mode)
    assert datetime.now(UTC) - (await state(installation))["watermark"] < timedelta(minutes=5)


@pytest.mark.parametrize("column", ["watermark", "full_as_of"])
async def test_a_time_that_lies_in_the_future_heals_and_is_told_once(
    installation: Installation, many: DatabaseHandle, column: str
) -> None:
    await synced(installation, many, "full")
    await installation.execute(
        f"UPDATE notion_sync.data_sources SET {column} = '2099-12-31', fresh_as_of = '2099-12-31'"
    )
    edit(installation)
    assert "a wrong clock" in await synced(installation, many, "full")
    healed = await state(installation)
    times = [healed[name] for name in ("watermark", "full_as_of", "fresh_as_of", "full_read_at")]
    assert max(times) <= datetime.now(UTC)
    edit(installation)
    assert "clock" not in await synced(installation, many, "incremental")


async def test_how_old_a_full_read_is_does_not_go_by_notions_clock(
    installation: Installation, many: DatabaseHandle
) -> None:
    await synced(installation, many, "full")
    await installation.execute("UPDATE notion_sync.data_sources SET full_read_at = '2099-12-31'")
    await synced(installation, many, "incremental")
    await installation.execute("UPDATE notion_sync.data_sources SET full_as_of = full_as_of - interval '1 day'")
    await synced(installation, many, "full")


async def test_when_postgresqls_clock_was_put_right_syncs_go_on(
    installation: Installation, many: DatabaseHandle
) -> None:
    """All that was written while it was years ahead would else be waited for."""
    await synced(installation, many, "full")
    await installation.execute(
        """
        WITH run AS (
            INSERT INTO notion_sync.job_run_details (jobid, status, start_time) VALUES (1, 'running', '2099-12-31')
            RETURNING runid
        )
        UPDATE notion_sync.accounts
        SET lease_runid = runid, lease_expires_at = '2099-12-31', last_sync_started_at = '2099-12-31',
            last_sync_ended_at = '2099-12-31 01:00'
        FROM run
        """
    )
    await installation.execute(
        "UPDATE notion_sync.databases SET suspended_since = '2099-12-30', next_try_at = '2099-12-31'"
    )
    await installation.execute(
        "UPDATE notion_sync.data_sources SET full_as_of = '2099-12-31', fresh_as_of = '2099-12-31'"
    )
    edit(installation)
    await synced(installation, many, "full")
    assert (await state(installation))["fresh_as_of"] <= datetime.now(UTC)
    edit(installation)
    outcome = await installation.sync_one("anna", "Many")
    assert outcome.failures == []


async def test_rows_that_were_made_in_the_future_are_rows_too(installation: Installation, many: DatabaseHandle) -> None:
    workspace = installation.workspace
    for number_, page in enumerate(workspace.page_ids("Many")[: ALWAYS_REMOVABLE_ROWS * 3]):
        workspace.set_times(page, f"2099-01-{1 + number_ % 28:02}T10:00:00Z")
    await synced(installation, many, "full", page_size=10, concurrency=4)
    await synced(installation, many, "full", page_size=10, concurrency=4, full=True)


async def test_verify_calls_no_difference_an_edit_of_since_for_a_wrong_date(
    installation: Installation, many: DatabaseHandle
) -> None:
    workspace = installation.workspace
    await synced(installation, many, "full")
    await installation.execute("UPDATE notion_pages_sync SET title = 'changed' WHERE title = 'row 7'")
    edited = False

    def edit_and_lie(request: object) -> None:
        """After the sync, before the rows are compared: somebody edits, and one answer is of the future."""
        nonlocal edited
        if not edited and len(workspace.requests.all()) == requests_of_a_sync:
            edited = True
            edit(installation, 5)
            workspace.faults.add("date", date=FUTURE)

    workspace.requests.clear()
    await installation.sync_one("anna", "Many")
    requests_of_a_sync = len(workspace.requests.all())
    workspace.requests.clear()
    workspace.on_request(edit_and_lie)
    ((_, _, verification),) = (await installation.sync_one("anna", "Many", verify=True)).verified
    assert verification.edited_since == 5
    assert [one.kind for one in verification.differences] == ["title_differs"]


async def test_a_body_is_not_settled_by_a_wrong_date(installation: Installation, many: DatabaseHandle) -> None:
    workspace = installation.workspace
    page = workspace.page_ids("Many")[0]
    workspace.set_body(page, ["first"])
    workspace.faults.add("date", date=FUTURE)
    assert (await installation.sync_all(bodies=True, requests_per_minute=100_000)).failures == []
    found = await installation.execute(
        "SELECT is_settled, fetched_at FROM notion_sync.page_bodies WHERE page_id = %s", page
    )
    assert not found[0]["is_settled"]
    assert found[0]["fetched_at"] <= datetime.now(UTC)
