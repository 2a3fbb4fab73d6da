"""Run records, leases, and what becomes of runs that died."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from notion_workspace import Request, SmallWorkspace

from notion_pg_sync.core.errors import NothingAttemptedError
from notion_pg_sync.sync.run.process import is_alive, this_process
from tests.cli.conftest import BARE
from tests.installation import Installation, Row
from tests.waiting import wait_until

PG_CRON_JOB = [
    ("jobid", "bigint"),
    ("schedule", "text"),
    ("command", "text"),
    ("nodename", "text"),
    ("nodeport", "integer"),
    ("database", "text"),
    ("username", "text"),
    ("active", "boolean"),
    ("jobname", "text"),
]
PG_CRON_JOB_RUN_DETAILS = [
    ("jobid", "bigint"),
    ("runid", "bigint"),
    ("job_pid", "integer"),
    ("database", "text"),
    ("username", "text"),
    ("command", "text"),
    ("status", "text"),
    ("return_message", "text"),
    ("start_time", "timestamp with time zone"),
    ("end_time", "timestamp with time zone"),
]


@pytest.fixture
async def anna(installation: Installation, small: SmallWorkspace) -> Installation:
    await installation.connect("anna", small.tokens["anna"], {"Worlds": small.databases["Worlds"]})
    return installation


@pytest.mark.parametrize(("table", "columns"), [("job", PG_CRON_JOB), ("job_run_details", PG_CRON_JOB_RUN_DETAILS)])
async def test_the_tables_have_the_columns_of_pg_cron(
    installation: Installation, table: str, columns: list[tuple[str, str]]
) -> None:
    found = await installation.execute(
        "SELECT column_name, data_type FROM information_schema.columns"
        " WHERE table_schema = 'notion_sync' AND table_name = %s ORDER BY ordinal_position",
        table,
    )
    assert [(row["column_name"], row["data_type"]) for row in found] == columns


async def test_the_record_is_there_before_the_first_request(anna: Installation) -> None:
    seen: list[object] = []
    query = "SELECT status FROM notion_sync.job_run_details"
    anna.workspace.on_request(lambda _: seen.append(anna.execute_at_once(query)))
    await anna.sync_all()
    assert seen[0] == [{"status": "running"}]
    assert await anna.execute(query) == [{"status": "succeeded"}]


async def test_a_run_whose_process_is_gone_is_closed_and_its_lease_taken_over(anna: Installation) -> None:
    await anna.sync_all()
    await anna.execute(
        """
        WITH run AS (
            INSERT INTO notion_sync.job_run_details (jobid, status, start_time)
            VALUES (1, 'running', now()) RETURNING runid
        ), process AS (
            INSERT INTO notion_sync.run_processes (runid, host, machine, pid, process_started_at)
            SELECT runid, 'here', %s, %s, 1.0 FROM run
        )
        UPDATE notion_sync.accounts SET lease_runid = runid, lease_expires_at = now() + interval '1 hour' FROM run
        """,
        this_process().machine,
        os.getpid(),
    )
    outcome = await anna.sync_all()
    assert outcome.failures == []
    assert len(outcome.accounts) == 1
    runs = await anna.execute("SELECT status, return_message, end_time FROM notion_sync.job_run_details ORDER BY runid")
    assert [run["status"] for run in runs] == ["succeeded", "failed", "succeeded"]
    assert "the process went away" in runs[1]["return_message"]
    assert runs[1]["end_time"] is not None


ELSEWHERE = "UPDATE notion_sync.run_processes SET machine = 'a pod that is no more', host = 'pod-1' WHERE runid = %s"
SILENT = "UPDATE notion_sync.run_processes SET heartbeat_at = clock_timestamp() - %s::interval WHERE runid = %s"


@dataclass
class Killed:
    """A run of the real command that was killed while it read anna's database, asked by an application."""

    installation: Installation
    runid: int

    async def record(self) -> Row:
        (row,) = await self.installation.execute(
            "SELECT status, return_message, end_time FROM notion_sync.job_run_details WHERE runid = %s", self.runid
        )
        return row


@pytest.fixture
async def killed(installation: Installation, small: SmallWorkspace) -> Killed:
    installation.workspace.share("anna", "Notes")
    await installation.connect("anna", small.tokens["anna"], {"Notes": small.databases["Notes"]})
    await installation.execute("INSERT INTO notion_sync.accounts (user_id) VALUES ('anna')")
    await installation.execute("SELECT notion_sync.sync_notion_database('anna', %s)", small.databases["Notes"])
    await asyncio.to_thread(kill_in_the_midst, installation)
    (run,) = await installation.execute("SELECT max(runid) AS runid FROM notion_sync.job_run_details")
    return Killed(installation, run["runid"])


def kill_in_the_midst(installation: Installation) -> None:
    """Lets the real command sync, and kills it when it has written the rows of two answers and waits for the third."""
    queries: list[str] = []

    def stall_at_the_third(request: Request) -> None:
        if request.path.endswith("/query"):
            queries.append(request.path)
            if len(queries) == 3:
                installation.workspace.faults.add("stall")

    installation.workspace.on_request(stall_at_the_third)
    environment = {
        **BARE,
        "DATABASE_URL": installation.settings.database_url or "",
        "NOTION_BASE_URL": installation.settings.notion_base_url,
    }
    command = [sys.executable, "-m", "notion_pg_sync", "sync-all", "--page-size", "10", "--concurrency", "1"]
    with subprocess.Popen(command, env=environment, cwd=Path(__file__).parents[2]) as process:
        wait_until(lambda: rows_written(installation))
        process.kill()
    installation.workspace.faults.clear()


def rows_written(installation: Installation) -> bool:
    return bool(installation.execute_at_once("SELECT count(*) >= 20 AS there FROM notion_pages_sync")[0]["there"])


async def wait_until_async(condition: Callable[[], bool]) -> None:
    await asyncio.to_thread(wait_until, condition)


@pytest.mark.slow
async def test_a_run_that_died_in_a_pod_is_closed_by_the_next_run_anywhere_which_serves_its_requests(
    killed: Killed,
) -> None:
    """Or before a restart of the host: nothing is seen of its process, and nothing heard."""
    await killed.installation.execute(ELSEWHERE, killed.runid)
    await killed.installation.execute(SILENT, "3 minutes", killed.runid)
    await killed.installation.execute("UPDATE notion_sync.accounts SET lease_expires_at = clock_timestamp()")
    outcome = await killed.installation.sync_all()
    assert outcome.failures == []
    record = await killed.record()
    assert (record["status"], record["end_time"] is not None) == ("failed", True)
    assert re.match(r"the process went away \(pid \d+ on pod-1, last heard of at ", record["return_message"])
    # What was done up to then, though nobody could say so when it ended.
    assert "0 of 1 database of 1 user synced: 20 rows inserted" in record["return_message"]
    (database,) = await killed.installation.execute(
        "SELECT status, mode, inserted, message FROM notion_sync.database_runs WHERE runid = %s", killed.runid
    )
    assert (database["status"], database["mode"], database["inserted"]) == ("failed", "full", 20)
    assert "the next run carries on from there" in database["message"]
    (request,) = await killed.installation.execute("SELECT status, runid FROM notion_sync.sync_requests")
    assert request["status"] == "succeeded"
    assert request["runid"] > killed.runid


@pytest.mark.slow
async def test_while_a_run_elsewhere_may_live_its_record_stays_open(killed: Killed) -> None:
    await killed.installation.execute(ELSEWHERE, killed.runid)
    await killed.installation.sync_all(lease_wait_seconds=0.1, lease_seconds=0.1)
    assert (await killed.record())["status"] == "running"


@pytest.mark.slow
async def test_a_sign_of_life_of_the_future_is_a_wrong_clocks(killed: Killed) -> None:
    await killed.installation.execute(ELSEWHERE, killed.runid)
    await killed.installation.execute(SILENT, "-3 hours", killed.runid)
    await killed.installation.execute("UPDATE notion_sync.accounts SET lease_expires_at = clock_timestamp()")
    await killed.installation.sync_all()
    assert (await killed.record())["status"] == "failed"


@pytest.mark.slow
async def test_what_a_run_left_open_that_could_not_clear_up_is_ended_by_the_next(killed: Killed) -> None:
    await killed.installation.execute(
        "UPDATE notion_sync.job_run_details SET status = 'failed', end_time = clock_timestamp()"
    )
    outcome = await killed.installation.sync_all()
    assert outcome.failures == []
    assert await killed.installation.execute("SELECT 1 FROM notion_sync.sync_requests WHERE status = 'running'") == []
    assert await killed.installation.execute("SELECT 1 FROM notion_sync.database_runs WHERE status = 'running'") == []


async def test_a_run_that_waits_for_long_says_that_it_lives(anna: Installation) -> None:
    await anna.sync_all()
    hold(anna)
    waiting = asyncio.create_task(anna.sync_all(full=True, lease_seconds=0.4))
    heard: set[object] = set()

    def said_often() -> bool:
        (row,) = anna.execute_at_once("SELECT heartbeat_at FROM notion_sync.run_processes ORDER BY runid DESC LIMIT 1")
        heard.add(row["heartbeat_at"])
        return len(heard) > 3

    await wait_until_async(said_often)
    assert not waiting.done()
    await anna.execute("UPDATE notion_sync.accounts SET lease_runid = NULL, lease_expires_at = NULL")
    assert (await asyncio.wait_for(waiting, 30)).failures == []


async def test_a_run_that_another_took_for_dead_stops_and_says_so(anna: Installation) -> None:
    """It was paused for long, say: by then others have its users."""
    await anna.sync_all()
    hold(anna)
    waiting = asyncio.create_task(anna.sync_all(full=True, lease_seconds=0.4))
    open_runs = "SELECT max(runid) AS runid FROM notion_sync.job_run_details WHERE jobid = 1"
    await wait_until_async(lambda: anna.execute_at_once(open_runs)[0]["runid"] > 2)
    await anna.execute(
        "UPDATE notion_sync.job_run_details SET status = 'failed', end_time = clock_timestamp(),"
        " return_message = 'taken for dead' WHERE runid = (SELECT max(runid) FROM notion_sync.job_run_details)"
    )
    outcome = await asyncio.wait_for(waiting, 30)
    assert any("another closed its record" in failure for failure in outcome.failures)
    (run,) = await anna.execute("SELECT return_message FROM notion_sync.job_run_details ORDER BY runid DESC LIMIT 1")
    assert run["return_message"] == "taken for dead"


async def test_what_another_run_failed_of_meanwhile_is_no_success(anna: Installation) -> None:
    await anna.sync_all()
    hold(anna)
    waiting = asyncio.create_task(anna.sync_all(full=True))
    await asyncio.sleep(0.5)
    await anna.execute(
        "UPDATE notion_sync.databases SET last_status = 'failed', last_message = 'it is gone.', last_runid = 2"
    )
    await anna.execute(
        "UPDATE notion_sync.accounts SET lease_runid = NULL, lease_expires_at = NULL, last_sync_runid = 2,"
        " last_sync_started_at = clock_timestamp(), last_sync_ended_at = clock_timestamp(),"
        " last_sync_brings = '{rows,full read}'"
    )
    outcome = await asyncio.wait_for(waiting, 30)
    assert outcome.failures == ["anna/Worlds: run 2 failed: it is gone."]


@pytest.mark.slow
async def test_a_run_that_is_stopped_records_what_it_had_done(
    installation: Installation, small: SmallWorkspace
) -> None:
    installation.workspace.share("anna", "Notes")
    databases = {name: small.databases[name] for name in ("Notes", "Three")}
    await installation.connect("anna", small.tokens["anna"], databases)
    source = next(iter(installation.data_sources_of(small.databases["Notes"])))

    stalled: list[str] = []

    def stall_when_rows_are_there(request: Request) -> None:
        if not stalled and request.path.endswith(f"{source}/query") and rows_written(installation):
            stalled.append(request.path)
            installation.workspace.faults.add("stall", path=f"{source}/query$")

    installation.workspace.on_request(stall_when_rows_are_there)
    outcome = await installation.sync_all(page_size=10, concurrency=1, timeout=timedelta(seconds=6))
    (failure,) = outcome.failures
    assert failure.startswith("the run was stopped after 6 seconds, the limit that --timeout sets")
    assert outcome.totals.inserted >= 23
    (run,) = await installation.execute("SELECT status, return_message FROM notion_sync.job_run_details")
    assert run["status"] == "failed"
    assert f"1 of 2 databases of 1 user synced: {outcome.totals.inserted} rows inserted" in run["return_message"]
    rows = await installation.execute(
        "SELECT database_name, status, mode, error_code, inserted, requests > 0 AS asked FROM notion_sync.database_runs"
        " ORDER BY 1"
    )
    assert [tuple(row.values()) for row in rows] == [
        ("Notes", "failed", "full", "interrupted", outcome.totals.inserted - 3, True),
        ("Three", "succeeded", "full", None, 3, True),
    ]
    installation.workspace.faults.clear()
    assert (await installation.sync_all()).failures == []


async def test_everything_that_is_shared_and_nothing_is_fails(
    installation: Installation, small: SmallWorkspace
) -> None:
    token = installation.workspace.add_token("nobody shares").secret
    await installation.connect("anna", token, {"*": "*"})
    (failure,) = (await installation.sync_all()).failures
    assert failure.startswith("nothing was synced: no database is shared with the connection")


def hold(installation: Installation) -> None:
    """Lets a run on another machine hold every account."""
    installation.execute_at_once(
        """
        WITH run AS (
            INSERT INTO notion_sync.job_run_details (jobid, status, start_time)
            VALUES (1, 'running', now()) RETURNING runid
        ), process AS (
            INSERT INTO notion_sync.run_processes (runid, host, machine, pid, process_started_at)
            SELECT runid, 'elsewhere', 'another machine', 4711, 1.0 FROM run
        )
        UPDATE notion_sync.accounts SET lease_runid = runid, lease_expires_at = now() + interval '1 hour' FROM run
        """
    )


async def test_sync_waits_for_a_lease_and_then_says_who_holds_it(anna: Installation) -> None:
    await anna.sync_all()
    hold(anna)
    with pytest.raises(NothingAttemptedError, match="pid 4711 on elsewhere"):
        await anna.sync_one("anna", "Worlds", lease_wait_seconds=0.2)


async def test_a_run_that_lost_its_lease_writes_nothing_more(anna: Installation) -> None:
    await anna.execute("INSERT INTO notion_sync.accounts (user_id) VALUES ('anna')")

    def lose(request: object) -> None:
        if "query" in str(request):
            hold(anna)

    anna.workspace.on_request(lose)
    outcome = await anna.sync_all()
    assert "another run has taken over user anna" in outcome.failures[0]
    assert await anna.execute("SELECT 1 FROM notion_worlds_sync") == []


async def test_side_by_side_runs_divide_the_accounts(installation: Installation, small: SmallWorkspace) -> None:
    for number in range(12):
        await installation.connect(f"user{number:02}", small.tokens["anna"], {"Three": small.databases["Three"]})
    outcomes = await asyncio.gather(*(installation.sync_all(jobs=2) for _ in range(4)))
    synced = sorted(account.user_id for outcome in outcomes for account in outcome.accounts)
    assert [outcome.failures for outcome in outcomes] == [[]] * 4
    assert set(synced) == {f"user{number:02}" for number in range(12)}
    assert len(await installation.execute("SELECT DISTINCT user_id FROM notion_sync.database_runs")) == 12


def test_a_process_is_told_from_a_later_one_of_its_pid() -> None:
    own = this_process()
    assert is_alive(own.pid, own.started_at)
    assert not is_alive(own.pid, own.started_at - 100)
