"""What another run holds is waited for or told: nobody's full read, bodies or request goes under."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from notion_workspace import SmallWorkspace

from notion_pg_sync.mirror.leases import Errand, Holder, OpenAccount
from notion_pg_sync.settings import Settings
from notion_pg_sync.sync.run.claiming import BODIES, FILES, FULL, FULL_BODIES, ROWS, brought_by, is_left_to_holder
from notion_pg_sync.sync.run.process import this_process
from tests.installation import Installation

pytestmark = pytest.mark.slow

ELSEWHERE = "another machine"
# Time enough for what is at work to show it, and little for what does not come.
SHORT: dict[str, Any] = {"lease_seconds": 0.6, "lease_wait_seconds": 0.2, "account_wait_seconds": 0.8}


@pytest.fixture
async def anna(installation: Installation, small: SmallWorkspace) -> Installation:
    """A user with a database that is read incrementally, and one that is small, synced an hour ago."""
    workspace = installation.workspace
    workspace.share("anna", "Notes")
    databases = {name: small.databases[name] for name in ("Notes", "Three")}
    await installation.connect("anna", small.tokens["anna"], databases)
    assert (await installation.sync_all()).failures == []
    await installation.execute("UPDATE notion_sync.job_run_details SET start_time = start_time - interval '1 hour'")
    await installation.execute(
        "UPDATE notion_sync.accounts SET last_sync_started_at = last_sync_started_at - interval '1 hour',"
        " last_sync_ended_at = last_sync_ended_at - interval '1 hour'"
    )
    workspace.clock.advance(3600)
    return installation


async def hold(installation: Installation, *brings: str, machine: str = ELSEWHERE, seconds: float = 3600) -> int:
    """Lets a run hold every account; it syncs all of it where it `brings` something. Returns its number."""
    run, *_ = await installation.execute(
        """
        WITH run AS (
            INSERT INTO notion_sync.job_run_details (jobid, status, start_time)
            SELECT min(jobid), 'running', clock_timestamp() FROM notion_sync.job RETURNING runid
        ), process AS (
            INSERT INTO notion_sync.run_processes (runid, host, machine, pid, process_started_at)
            SELECT runid, 'mill', %s, 4711, 1.0 FROM run
        )
        UPDATE notion_sync.accounts
        SET lease_runid = runid, lease_expires_at = clock_timestamp() + make_interval(secs => %s),
            last_sync_runid = CASE WHEN %s THEN runid ELSE last_sync_runid END,
            last_sync_brings = CASE WHEN %s THEN %s::text[] ELSE last_sync_brings END,
            last_sync_started_at = CASE WHEN %s THEN clock_timestamp() ELSE last_sync_started_at END
        FROM run RETURNING runid
        """,
        machine,
        seconds,
        bool(brings),
        bool(brings),
        [*brings],
        bool(brings),
    )
    return int(run["runid"])


async def release(installation: Installation, runid: int) -> None:
    await installation.execute(
        "UPDATE notion_sync.accounts SET lease_runid = NULL, lease_expires_at = NULL,"
        " last_sync_ended_at = clock_timestamp() WHERE lease_runid = %s",
        runid,
    )
    await installation.execute(
        "UPDATE notion_sync.job_run_details SET status = 'succeeded', end_time = now() WHERE runid = %s", runid
    )


async def was_synced_by(installation: Installation, runid: int, *brings: str) -> None:
    """A run that held every account has synced all of each, just now, and ended."""
    await installation.execute(
        "UPDATE notion_sync.accounts SET lease_runid = NULL, lease_expires_at = NULL, last_sync_runid = %s,"
        " last_sync_started_at = clock_timestamp(), last_sync_ended_at = clock_timestamp(), last_sync_brings = %s",
        runid,
        [*brings],
    )
    await release(installation, runid)


@asynccontextmanager
async def at_work(installation: Installation, *brings: str) -> AsyncIterator[int]:
    """A run on another machine that holds every account and renews its leases for as long as the block lasts."""
    runid = await hold(installation, *brings)

    async def renew() -> None:
        while True:
            await asyncio.sleep(0.05)
            await installation.execute(
                "UPDATE notion_sync.accounts SET lease_expires_at = clock_timestamp() + interval '1 hour'"
                " WHERE lease_runid = %s",
                runid,
            )

    task = asyncio.create_task(renew())
    try:
        yield runid
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def modes(installation: Installation) -> dict[str, str]:
    """How the latest run read each database."""
    rows = await installation.execute(
        "SELECT database_name, mode FROM notion_sync.database_runs"
        " WHERE runid = (SELECT max(runid) FROM notion_sync.database_runs)"
    )
    return {row["database_name"]: row["mode"] for row in rows}


async def message(installation: Installation) -> str:
    rows = await installation.execute(
        "SELECT return_message FROM notion_sync.job_run_details WHERE end_time IS NOT NULL ORDER BY runid DESC LIMIT 1"
    )
    return str(rows[0]["return_message"])


async def test_an_ordinary_run_leaves_an_account_to_who_is_at_work_on_it_and_names_them(anna: Installation) -> None:
    async with at_work(anna, ROWS) as runid:
        outcome = await anna.sync_all(**SHORT)
    assert outcome.failures == []
    assert outcome.accounts == []
    assert outcome.elsewhere["anna"].runid == runid
    assert f"1 user left to run {runid} (pid 4711 on mill, since " in await message(anna)


async def test_a_run_that_shows_no_life_is_not_left_to_its_work(anna: Installation) -> None:
    """A lease alone is no sign: it lasts on where its run died."""
    runid = await hold(anna, ROWS)
    outcome = await anna.sync_all(**SHORT)
    assert outcome.elsewhere == {}
    (failure,) = outcome.failures
    assert failure.startswith(f"anna: run {runid} (pid 4711 on mill, since ")
    assert failure.endswith("so this was not done: a sync. Run it again when that run has ended.")


async def test_what_a_dead_run_left_is_taken_over_when_its_lease_expires(anna: Installation) -> None:
    await hold(anna, ROWS, seconds=0.4)
    outcome = await anna.sync_all(**SHORT)
    assert outcome.failures == []
    assert [account.user_id for account in outcome.accounts] == ["anna"]


async def test_what_a_run_that_dies_on_this_machine_held_is_taken_over_at_once(anna: Installation) -> None:
    """Also where it dies while another waits for it."""
    waiting = asyncio.create_task(anna.sync_all(full=True))
    runid = await hold(anna, ROWS)
    await asyncio.sleep(0.3)
    await anna.execute("UPDATE notion_sync.run_processes SET machine = %s", this_process().machine)
    outcome = await asyncio.wait_for(waiting, 30)
    assert outcome.failures == []
    (run,) = await anna.execute("SELECT return_message FROM notion_sync.job_run_details WHERE runid = %s", runid)
    assert "the process went away (pid 4711)" in run["return_message"]
    assert await modes(anna) == {"Notes": "full", "Three": "full"}


async def test_beside_a_sync_of_one_database_the_others_are_waited_for(anna: Installation) -> None:
    async with at_work(anna) as runid:
        waiting = asyncio.create_task(anna.sync_all())
        await asyncio.sleep(0.5)
        assert not waiting.done()
        await release(anna, runid)
        outcome = await asyncio.wait_for(waiting, 30)
    assert outcome.failures == []
    assert await modes(anna) == {"Notes": "incremental", "Three": "full"}


async def test_and_told_where_they_cannot_be_had(anna: Installation) -> None:
    async with at_work(anna) as runid:
        outcome = await anna.sync_all(**SHORT)
    (failure,) = outcome.failures
    assert f"run {runid} (pid 4711 on mill" in failure


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"full": True}, "full read"),
        ({"bodies": True}, "bodies"),
        ({"bodies": True, "full_bodies": True, "full": True}, "bodies, full bodies, full read"),
        ({"user_id": "anna"}, "a sync"),
    ],
)
async def test_what_is_asked_for_waits_for_an_ordinary_run_and_is_told_where_it_cannot_be_done(
    anna: Installation, options: dict[str, Any], words: str
) -> None:
    async with at_work(anna, ROWS) as runid:
        (failure,) = (await anna.sync_all(**SHORT, **options)).failures
        assert failure.startswith(f"anna: run {runid} (pid 4711 on mill")
        assert f"so this was not done: {words}." in failure
        waiting = asyncio.create_task(anna.sync_all(**options))
        await asyncio.sleep(0.5)
        assert not waiting.done()
        await release(anna, runid)
        outcome = await asyncio.wait_for(waiting, 60)
    assert outcome.failures == []
    assert [account.user_id for account in outcome.accounts] == ["anna"]
    assert (await modes(anna))["Notes"] == ("full" if options.get("full") else "incremental")
    bodies = await anna.execute("SELECT count(*) FROM notion_sync.page_bodies")
    assert bodies[0]["count"] == (123 if options.get("bodies") else 0)


async def test_the_time_limit_says_what_was_waited_for(anna: Installation) -> None:
    async with at_work(anna, ROWS) as runid:
        outcome = await anna.sync_all(full=True, timeout=timedelta(seconds=0.5))
    assert any(f"run {runid} (pid 4711" in failure and "full read" in failure for failure in outcome.failures)
    assert any("the limit that --timeout sets" in failure for failure in outcome.failures)
    assert outcome.done_elsewhere == 0


async def test_a_full_read_is_not_skipped_for_an_ordinary_sync_that_came_between(anna: Installation) -> None:
    """That began after the run did, and was done before the run came to the account."""
    runid = await hold(anna)
    waiting = asyncio.create_task(anna.sync_all(full=True))
    await asyncio.sleep(0.5)
    await was_synced_by(anna, runid, ROWS)
    outcome = await asyncio.wait_for(waiting, 60)
    assert outcome.failures == []
    assert await modes(anna) == {"Notes": "full", "Three": "full"}


async def test_a_run_that_finds_all_done_says_so(anna: Installation) -> None:
    runid = await hold(anna)
    waiting = asyncio.create_task(anna.sync_all(full=True))
    await asyncio.sleep(0.5)
    await was_synced_by(anna, runid, ROWS, FULL)
    outcome = await asyncio.wait_for(waiting, 60)
    assert (outcome.failures, outcome.accounts, outcome.elsewhere) == ([], [], {})
    assert "Other runs synced 1 user meanwhile." in outcome.message()


async def test_two_hosts_that_are_to_do_the_same_share_it(anna: Installation, small: SmallWorkspace) -> None:
    for number in range(4):
        await anna.connect(f"user{number}", small.tokens["anna"], {"Three": small.databases["Three"]})
    options: dict[str, Any] = {"full": True, "bodies": True, "jobs": 1}
    outcomes = await asyncio.wait_for(asyncio.gather(*(anna.sync_all(**options) for _ in range(3))), 120)
    assert [outcome.failures for outcome in outcomes] == [[]] * 3
    synced = [account.user_id for outcome in outcomes for account in outcome.accounts]
    assert sorted(synced) == ["anna", *(f"user{number}" for number in range(4))]


async def test_two_that_are_to_do_different_things_both_do_them(anna: Installation, small: SmallWorkspace) -> None:
    """Whoever comes first to which account: none waits for ever, and nothing is left out."""
    for number in range(4):
        await anna.connect(f"user{number}", small.tokens["anna"], {"Three": small.databases["Three"]})
    runs = (anna.sync_all(full=True, jobs=2), anna.sync_all(bodies=True, jobs=2), anna.sync_all(jobs=2))
    outcomes = await asyncio.wait_for(asyncio.gather(*runs), 120)
    assert [outcome.failures for outcome in outcomes] == [[]] * 3
    for outcome in outcomes[:2]:
        assert len(outcome.accounts) == 5
    assert {run.mode for account in outcomes[0].accounts for run in account.databases.values()} == {"full"}
    bodies = await anna.execute("SELECT count(*) FROM notion_sync.page_bodies")
    assert bodies[0]["count"] == 123 + 4 * 3
    assert await anna.execute("SELECT 1 FROM notion_sync.accounts WHERE lease_runid IS NOT NULL") == []


async def test_who_is_named_is_synced_though_another_run_was_there_a_moment_ago(anna: Installation) -> None:
    async with at_work(anna, ROWS) as runid:
        await anna.execute("UPDATE notion_sync.accounts SET lease_runid = NULL, lease_expires_at = NULL")
        await anna.execute("UPDATE notion_sync.accounts SET last_sync_ended_at = clock_timestamp()")
        # That run is still under way, with others; a run without a name would leave this user to it.
        outcome = await anna.sync_all("anna")
        assert [account.user_id for account in outcome.accounts] == ["anna"]
        await release(anna, runid)


async def test_a_request_is_waited_for_and_served(anna: Installation, small: SmallWorkspace) -> None:
    """Also where its user was synced since the run began, and where a run holds the user that came before it."""
    await anna.execute("SELECT notion_sync.sync_notion_database('anna', %s)", small.databases["Three"])
    async with at_work(anna, ROWS) as runid:
        waiting = asyncio.create_task(anna.sync_all())
        await asyncio.sleep(0.5)
        assert not waiting.done()
        await release(anna, runid)
        outcome = await asyncio.wait_for(waiting, 30)
    assert outcome.failures == []
    (request,) = await anna.execute("SELECT status, runid FROM notion_sync.sync_requests")
    assert request["status"] == "succeeded"
    assert request["runid"] > runid


async def test_who_is_asked_for_while_a_run_is_at_work_comes_next(
    installation: Installation, small: SmallWorkspace
) -> None:
    users = [f"user {number:02}" for number in range(20)]
    for user in users:
        await installation.connect(user, small.tokens["anna"], {"Three": small.databases["Three"]})
    asked = False

    def ask(_: object) -> None:
        nonlocal asked
        if not asked:
            asked = True
            with psycopg.connect(installation.settings.database_url or "") as application:
                application.execute("SELECT notion_sync.sync_all_notion_databases(%s)", (users[-1],))

    installation.workspace.on_request(ask)
    outcome = await installation.sync_all(jobs=1)
    assert outcome.failures == []
    came = [account.user_id for account in outcome.accounts]
    assert sorted(came) == users
    # Some others may have been claimed before the first of them asked for anything.
    assert came.index(users[-1]) < len(users) - 5


NOW = datetime(2026, 11, 28, 3, 30, tzinfo=UTC)
HOLDER = Holder(12, "mill", ELSEWHERE, 4711, NOW)
brings = st.frozensets(st.sampled_from([ROWS, FULL, BODIES, FULL_BODIES, FILES]))
moments = st.integers(-5, 5).map(lambda minutes: NOW + timedelta(minutes=minutes))


@given(wanted=brings, brought=brings, times=st.tuples(moments, moments), requested=st.booleans(), new=st.booleans())
def test_an_account_is_left_only_to_who_brings_all_of_it(
    wanted: frozenset[str], brought: frozenset[str], times: tuple[datetime, datetime], requested: bool, new: bool
) -> None:
    since, began = times
    errand = Errand(["anna"], [], [*wanted], since)
    account = OpenAccount("anna", requested, HOLDER, NOW, began, [*brought])
    left = is_left_to_holder(account, errand, must_be_new=new)
    assert left == (not requested and wanted <= brought and (not new or began >= since))
    nobodys = OpenAccount("anna", requested, None, None, began, [*brought])
    assert not is_left_to_holder(nobodys, errand, must_be_new=new)


async def test_a_look_at_held_accounts_that_fails_is_told_and_stops_nobody_who_was_claimed(
    anna: Installation, small: SmallWorkspace
) -> None:
    """Here it waits for a lock in vain."""
    await anna.connect("ben", small.tokens["anna"], {"Three": small.databases["Three"]})
    await anna.execute("INSERT INTO notion_sync.accounts (user_id) VALUES ('ben')")
    held = await hold(anna)
    await anna.execute(
        "UPDATE notion_sync.accounts SET lease_runid = NULL, lease_expires_at = NULL WHERE user_id = 'anna'"
    )
    with psycopg.connect(anna.settings.database_url or "", application_name="psql") as holder:

        def lock(_: object) -> None:
            if not holder.closed:
                holder.execute("LOCK TABLE notion_sync.sync_requests")

        anna.workspace.on_request(lock)
        outcome = await anna.sync_all(lock_seconds=1)
        failures = " ".join(outcome.failures)
        assert "internal error" not in failures
        assert f"session {holder.info.backend_pid} " in outcome.failures[0]
        assert [account.user_id for account in outcome.accounts] == ["anna"]
        assert outcome.accounts[0].databases
    await release(anna, held)
    assert (await anna.sync_all()).failures == []


@pytest.mark.parametrize(
    ("here", "there", "left"), [("kept", None, False), (None, "kept", True), ("kept", "kept", True)]
)
def test_who_keeps_files_leaves_no_account_to_who_does_not(here: str | None, there: str | None, left: bool) -> None:
    """That one has no place for them."""
    errand = Errand(["anna"], [], sorted(brought_by(Settings(files=here))), NOW)
    account = OpenAccount("anna", False, HOLDER, NOW, NOW, sorted(brought_by(Settings(files=there))))
    assert is_left_to_holder(account, errand, must_be_new=True) == left
