"""doctor and the runs: failures, processes that died, leases that were left behind, databases that nobody synced."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
from notion_workspace import Request

from notion_pg_sync.commands.doctor.checks.check import Verdict
from notion_pg_sync.commands.doctor.checks.runs import RUN_CHECKS
from tests.commands.conftest import Mirrored, told

pytestmark = pytest.mark.slow


async def test_after_a_sync_all_is_well(mirrored: Mirrored) -> None:
    mirrored.connect("anna", "anna", "Worlds", "Three")
    mirrored.connect("ben", "ben")
    await mirrored.sync()
    for check in RUN_CHECKS:
        assert {finding.verdict for finding in await mirrored.found(check.name)} == {Verdict.OK}
    told(await mirrored.found("last run"), "succeeded: 6 of 6 databases of 2 users synced")
    told(await mirrored.found("failing databases"), "no database is failing")


async def test_before_the_first_run(mirrored: Mirrored) -> None:
    mirrored.connect("anna", "anna", "Worlds", "Three")
    mirrored.connect("ben", "ben")
    finding = await mirrored.one("last run")
    assert (finding.verdict, finding.fix) == (Verdict.BROKEN, "notion-pg-sync sync-all")
    findings = await mirrored.found("never synced")
    assert [(finding.verdict, finding.message, finding.fix) for finding in findings] == [
        (
            Verdict.BROKEN,
            "anna/Three, anna/Worlds: never synced: no run has reached it yet",
            "notion-pg-sync sync-all --user anna",
        ),
        (
            Verdict.BROKEN,
            "ben: never synced: all databases are configured, and no run has searched for them yet",
            "notion-pg-sync sync-all --user ben",
        ),
    ]
    for finding in findings:
        await mirrored.type(finding.fix)
    assert (await mirrored.one("never synced")).verdict is Verdict.OK


async def test_a_run_that_failed_is_told_with_its_message_until_one_succeeds(mirrored: Mirrored) -> None:
    mirrored.connect("anna", "anna", "Worlds", "Three")
    mirrored.workspace.faults.add("403_html", path=f"databases/{mirrored.small.databases['Worlds']}")
    await mirrored.sync()
    finding = await mirrored.one("last run")
    assert finding.verdict is Verdict.BROKEN
    assert "and failed: anna/Worlds: a network rule before Notion refused" in finding.message
    mirrored.workspace.faults.clear()
    await mirrored.sync()
    assert (await mirrored.one("last run")).verdict is Verdict.OK


async def test_a_run_that_failed_of_what_was_fixed_since_is_no_fault(mirrored: Mirrored) -> None:
    mirrored.connect("anna", "anna", "Worlds")
    mirrored.workspace.trash_database("Worlds")
    await mirrored.sync()
    mirrored.workspace.restore_database("Worlds")
    await mirrored.type("notion-pg-sync sync anna Worlds")
    finding = await mirrored.one("last run")
    assert finding.verdict is Verdict.OK
    assert "and failed, and all is well now: anna/Worlds: " in finding.message


async def test_one_users_runs_are_as_well_as_their_databases(mirrored: Mirrored) -> None:
    mirrored.connect("anna", "anna", "Worlds")
    mirrored.connect("ben", "ben", "Tasks")
    mirrored.workspace.trash_database("Worlds")
    await mirrored.sync()
    assert [finding.verdict for finding in await mirrored.found("last run", "anna")] == [Verdict.BROKEN]
    assert [finding.verdict for finding in await mirrored.found("last run", "ben")] == [Verdict.OK]


async def test_a_database_that_fails_is_told_with_its_message(mirrored: Mirrored) -> None:
    mirrored.connect("anna", "anna", "Worlds", "Three")
    mirrored.workspace.trash_database("Worlds")
    await mirrored.sync()
    await mirrored.sync()
    finding = await mirrored.one("failing databases")
    assert finding.verdict is Verdict.BROKEN
    assert finding.message.startswith("anna/Worlds: failing, for ")
    assert ", 2 times in a row: database " in finding.message
    assert "is in Notion's trash" in finding.message
    assert finding.fix == "notion-pg-sync sync anna Worlds"
    mirrored.workspace.restore_database("Worlds")
    await mirrored.type(finding.fix)
    assert (await mirrored.one("failing databases")).verdict is Verdict.OK


async def test_many_databases_that_fail_of_one_thing_are_one_cause(mirrored: Mirrored) -> None:
    for number in range(13):
        mirrored.connect(f"user{number:02}", "anna", "Three")
    mirrored.workspace.trash_database("Three")
    await mirrored.sync()
    findings = await mirrored.found("failing databases")
    assert len(findings) == 13
    assert {(finding.kind, finding.fix) for finding in findings} == {(findings[0].kind, "notion-pg-sync sync-all")}


async def test_one_users_failures_are_told_alone(mirrored: Mirrored) -> None:
    mirrored.connect("anna", "anna", "Worlds")
    mirrored.connect("ben", "ben", "Tasks")
    mirrored.workspace.trash_database("Worlds")
    await mirrored.sync()
    (finding,) = await mirrored.found("failing databases", user_id="ben")
    assert finding.message == "no database is failing"


@pytest.fixture
def at_work(mirrored: Mirrored) -> Iterator[subprocess.Popen[bytes]]:
    """A sync of anna's that waits for rows, and will for long."""
    mirrored.connect("anna", "anna", "Worlds")
    asked = threading.Event()

    def notice(request: Request) -> None:
        if request.path.endswith("/query"):
            asked.set()

    mirrored.workspace.on_request(notice)
    mirrored.workspace.faults.add("slow", path="/query$", seconds=600)
    process = subprocess.Popen(
        [sys.executable, "-m", "notion_pg_sync", "sync-all"],
        env={"PATH": "/usr/bin:/bin", "DATABASE_URL": mirrored.patient.url, "NOTION_BASE_URL": mirrored.url},
    )
    assert asked.wait(60)
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def killed(mirrored: Mirrored, at_work: subprocess.Popen[bytes]) -> Mirrored:
    """It was killed meanwhile."""
    at_work.kill()
    at_work.wait()
    mirrored.workspace.faults.clear()
    return mirrored


async def test_a_run_whose_process_was_killed_is_told_and_closed_by_the_next(killed: Mirrored) -> None:
    finding = await killed.one("unended runs")
    assert finding.verdict is Verdict.BROKEN
    assert finding.message.startswith("anna/Worlds: went away, for ")
    assert "run 1 went away (pid " in finding.message
    await killed.type(finding.fix)
    assert (await killed.one("unended runs")).verdict is Verdict.OK
    assert killed.execute("SELECT status FROM notion_sync.job_run_details ORDER BY runid") == [
        ("failed",),
        ("succeeded",),
    ]
    assert killed.execute("SELECT lease_runid FROM notion_sync.accounts") == [(None,)]


async def test_a_run_of_another_machine_is_told_by_its_silence_and_closed_by_the_next(killed: Mirrored) -> None:
    killed.execute("UPDATE notion_sync.run_processes SET host = 'elsewhere', machine = 'elsewhere since 1'")
    assert "on elsewhere) has been running for" in (await killed.one("unended runs")).message
    killed.execute("UPDATE notion_sync.run_processes SET heartbeat_at = now() - interval '3 hours'")
    killed.execute("UPDATE notion_sync.accounts SET lease_expires_at = now() - interval '2 hours'")
    finding = await killed.one("unended runs")
    assert finding.verdict is Verdict.BROKEN
    assert "last heard of 3 hours ago" in finding.message
    await killed.type(finding.fix)
    assert (await killed.one("unended runs")).verdict is Verdict.OK
    assert (await killed.one("failing databases")).verdict is Verdict.OK


async def test_a_stale_database_is_told_with_what_brings_it_up_to_date(mirrored: Mirrored) -> None:
    mirrored.connect("anna", "anna", "Worlds", "Three")
    await mirrored.sync()
    mirrored.execute(
        "UPDATE notion_sync.data_sources SET fresh_as_of = fresh_as_of - interval '3 hours' WHERE user_id = 'anna'"
    )
    finding = await mirrored.one("stale databases")
    assert (finding.verdict, finding.fix) == (Verdict.BROKEN, "notion-pg-sync sync-all --user anna")
    assert finding.message.startswith(
        "anna/Three, anna/Worlds: stale, the oldest as of 3 hours ago: no run has reached"
    )
    await mirrored.type(finding.fix)
    assert (await mirrored.one("stale databases")).verdict is Verdict.OK


async def test_a_run_at_work_is_well_until_it_is_silent(mirrored: Mirrored, at_work: subprocess.Popen[bytes]) -> None:
    working = await mirrored.one("unended runs")
    assert working.verdict is Verdict.OK
    assert f"(pid {at_work.pid} on " in working.message
    assert "has not ended yet" in (await mirrored.one("last run")).message
    mirrored.execute("UPDATE notion_sync.run_processes SET heartbeat_at = now() - interval '1 hour'")
    silent = await mirrored.one("unended runs")
    assert silent.verdict is Verdict.WARNING
    assert "for an hour, but its process is still there" in silent.message
    assert f"kill {at_work.pid}" in silent.needs


async def test_a_suspended_database_is_told_and_comes_back(mirrored: Mirrored) -> None:
    mirrored.connect("anna", "anna", "Worlds", "Three")
    mirrored.workspace.unshare("anna", "Worlds")
    for _ in range(3):
        await mirrored.sync()
    finding = await mirrored.one("suspended databases")
    assert finding.verdict is Verdict.WARNING
    assert finding.message.startswith("anna/Worlds: suspended, for ")
    assert ", 3 times in a row, next try in an hour: database " in finding.message
    assert (await mirrored.found("last run"))[0].verdict is Verdict.OK
    assert (await mirrored.one("failing databases")).verdict is Verdict.OK
    mirrored.workspace.share("anna", "Worlds")
    await mirrored.type(finding.fix)
    assert (await mirrored.one("suspended databases")).verdict is Verdict.OK


async def test_databases_that_are_suspended_for_one_reason_share_a_line(mirrored: Mirrored) -> None:
    mirrored.connect("anna", "anna", "Worlds", "Three")
    mirrored.connect("ben", "ben", "Tasks")
    mirrored.connect("cora", "cora", "Notes")
    await mirrored.sync()
    mirrored.workspace.revoke_token("anna")
    mirrored.workspace.revoke_token("ben")
    # Who comes before cora in one run, and after her in the next, has no witness until the one after that.
    for _ in range(4):
        await mirrored.sync()
    annas, bens = await mirrored.found("suspended databases")
    assert annas.message.startswith("anna/Three, anna/Worlds: suspended, for ")
    assert bens.message.startswith("ben/Tasks: suspended, for ")


async def test_tokens_without_a_witness_are_broken(mirrored: Mirrored) -> None:
    mirrored.connect("anna", "ntn_bad", "Worlds", "Three")
    for _ in range(4):
        await mirrored.sync()
    finding = await mirrored.one("failing databases")
    assert finding.verdict is Verdict.BROKEN
    assert finding.message.startswith("anna/Three, anna/Worlds: failing, for ")
    assert ", 4 times in a row: Notion does not" in finding.message
