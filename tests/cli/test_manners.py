"""Manners under cron: silent when all is well, JSON alone on stdout, a record in any case."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import BARE, Ended, Site
from tests.waiting import wait_until

pytestmark = pytest.mark.slow


@pytest.fixture
def connected(site: Site) -> Site:
    site.connect("anna", site.small.tokens["anna"], json.dumps({"Worlds": site.small.databases["Worlds"]}))
    return site


def test_success_is_silent_without_a_terminal(connected: Site) -> None:
    assert connected.command("sync-all") == Ended(0, "", "")
    status, message = connected.last_run()
    assert status == "succeeded"
    assert message == "1 of 1 database of 1 user synced: 12 rows inserted, 0 updated, 0 removed, 0 unchanged."


def test_json_stands_alone_on_stdout(connected: Site) -> None:
    ended = connected.command("sync-all", "--json", "-v")
    outcome = json.loads(ended.out)
    assert outcome["status"] == "succeeded"
    assert outcome["accounts"][0]["databases"][0]["inserted"] == 12


def test_users_that_an_application_switched_off_are_left_out_by_sync_all_and_not_by_sync(connected: Site) -> None:
    connected.execute("UPDATE user_settings SET auto_sync_enabled = false")
    ended = connected.command("sync-all")
    assert ended.code == 3
    assert "auto_sync_enabled is false" in ended.sentence
    assert connected.command("sync", "anna", "Worlds") == Ended(0, "", "")


def test_the_oauth_token_wins(connected: Site) -> None:
    connected.execute("UPDATE user_settings SET notion_access_token = notion_token, notion_token = 'stale'")
    assert connected.command("sync-all") == Ended(0, "", "")


def test_everything_shared_is_mirrored_on_request_and_remembered(connected: Site) -> None:
    connected.execute('UPDATE user_settings SET notion_databases = \'{"*": "*"}\'')
    assert connected.command("sync-all") == Ended(0, "", "")
    query = "SELECT name FROM notion_sync.databases WHERE found_by_search ORDER BY name"
    found = [name for (name,) in connected.execute(query)]
    assert sorted(connected.small.shared["anna"]) == found
    assert connected.command("sync", "anna", "Three") == Ended(0, "", "")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_a_run_which_records_that(connected: Site, number: signal.Signals) -> None:
    connected.small.workspace.faults.add("slow", seconds=30)
    process = subprocess.Popen(
        [sys.executable, "-m", "notion_pg_sync", "sync-all"],
        env={**BARE, **connected.command.environment},
        cwd=Path(__file__).parents[2],
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until(connected.small.workspace.requests.all)
    process.send_signal(number)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 128 + number
    assert f"stopped by {number.name}" in said
    status, message = connected.last_run()
    assert status == "failed"
    assert "interrupted" in str(message)
    assert connected.execute("SELECT count(*) FROM notion_sync.accounts WHERE lease_runid IS NOT NULL") == [(0,)]


def test_at_its_time_limit_a_run_stops_and_the_next_one_carries_on(connected: Site) -> None:
    connected.small.workspace.faults.add("slow", seconds=30)
    ended = connected.command("sync-all", "--timeout", "1s")
    assert ended.code == 1
    assert "stopped after 1 second, the limit that --timeout sets" in ended.sentence
    status, message = connected.last_run()
    assert status == "failed"
    assert str(message).startswith("the run was stopped after 1 second")
    assert connected.execute("SELECT status, error_code FROM notion_sync.database_runs") == [("failed", "interrupted")]
    assert connected.execute("SELECT count(*) FROM notion_sync.accounts WHERE lease_runid IS NOT NULL") == [(0,)]
    connected.small.workspace.faults.clear()
    assert connected.command("sync-all", "--timeout", "10m") == Ended(0, "", "")


def test_a_tenant_is_not_told_of_the_failures_of_others(connected: Site) -> None:
    connected.connect("bob", "ntn_nobody", json.dumps({"Secret plans": connected.small.databases["Worlds"]}))
    connected.small.workspace.faults.add("slow", seconds=30, token="anna")
    connected.command("sync-all", "--timeout", "2s")
    ((message,),) = connected.execute("SELECT message FROM notion_sync.database_runs WHERE user_id = 'anna'")
    assert "bob" not in str(message)
    assert "Secret plans" not in str(message)


def test_logs_can_be_json_a_line(connected: Site) -> None:
    ended = connected.command("sync-all", "--log-json")
    said = [json.loads(line) for line in ended.err.splitlines()]
    assert [line["message"] for line in said if "anna / Worlds" in line["message"]]
    assert {"time", "level", "logger", "message"} == set(said[0])


def test_a_report_of_many_failures_is_short(connected: Site) -> None:
    for number in range(30):
        connected.connect(f"user-{number}", "ntn_nobody", json.dumps({"Worlds": connected.small.databases["Worlds"]}))
    ended = connected.command("sync-all")
    lines = ended.err.splitlines()
    assert len(lines) == 21
    assert "and 10 more failures" in lines[-1]
