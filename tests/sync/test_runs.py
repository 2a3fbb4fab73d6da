"""Run records, leases, and what becomes of runs that died."""

from __future__ import annotations

import asyncio
import os

import pytest
from notion_workspace import SmallWorkspace

from notion_pg_sync.core.errors import NothingAttemptedError
from notion_pg_sync.sync.run.process import is_alive, this_process
from tests.installation import Installation

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
