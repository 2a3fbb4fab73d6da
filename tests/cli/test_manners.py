"""Manners under cron: silent when all is well, JSON alone on stdout, a record in any case."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notion_pg_sync.sync.run.run import Failed, sentences_by_cause
from tests.cli.conftest import BARE, Ended, Site
from tests.cli.terminal import Terminal
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


def test_a_dry_run_says_what_it_would_do_since_that_was_asked_for(connected: Site) -> None:
    would = connected.command("sync-all", "--dry-run")
    assert (would.code, would.err) == (0, "")
    of_worlds, of_all = would.out.splitlines()
    assert of_worlds.startswith("anna/Worlds: 12 rows read; a real run would have 12 inserted to write.")
    assert of_all.startswith("dry run, nothing was written: 1 of 1 database of 1 user synced: 12 rows inserted")
    assert connected.command("sync", "anna", "Worlds", "--dry-run").out == would.out
    assert json.loads(connected.command("sync-all", "--dry-run", "--json").out)["message"] == of_all
    assert connected.execute("SELECT count(*) FROM notion_pages_sync") == [(0,)]


@pytest.mark.parametrize(("columns", "lines"), [("80", "24"), ("100", "35")])
def test_on_a_terminal_a_dry_run_is_told_as_one_from_its_beginning_to_its_end(
    connected: Site, columns: str, lines: str
) -> None:
    size = {"COLUMNS": columns, "LINES": lines}
    terminal = Terminal("sync-all", "--dry-run", **connected.command.environment, **size)
    assert terminal.ends() == 0
    said = [line.strip() for line in terminal.shown.splitlines() if line.strip()]
    assert said[0] == "Dry run: it shows what would be written, and writes nothing."
    assert any(line.startswith("dry run, nothing was written: ") for line in said[-3:])


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


def test_what_fails_alike_for_many_is_one_sentence(connected: Site) -> None:
    worlds = json.dumps({"Worlds": connected.small.databases["Worlds"]})
    for number in range(40):
        connected.connect(f"user-{number:02}", "ntn_nobody", worlds)
    ended = connected.command("sync-all")
    assert ended.code == 1
    assert ended.sentence.startswith(
        "user-00, user-01, user-02, user-03, user-04 and 35 more: Notion does not accept the token"
    )
    assert str(connected.last_run()[1]).startswith("user-00: Notion does not accept the token")


def test_so_are_forty_databases_that_are_not_shared(connected: Site) -> None:
    ids = {f"List {number:02}": str(UUID(int=number, version=4)) for number in range(40)}
    connected.execute("UPDATE user_settings SET notion_databases = %s::jsonb", json.dumps(ids))
    ended = connected.command("sync-all")
    assert ended.code == 1
    assert " and 35 more: " in ended.sentence
    assert not any(one in ended.sentence for one in ids.values())


failures = st.builds(
    Failed.of,
    st.sampled_from("ab"),
    st.none() | st.sampled_from("xy"),
    st.sampled_from(["no disk", "no table", f"{UUID(int=1)} is gone", f"{UUID(int=2)} is gone"]),
)


@given(st.lists(failures))
def test_every_cause_is_told_once_and_none_is_left_out(failed: list[Failed]) -> None:
    told = sentences_by_cause(failed)
    causes = list(dict.fromkeys(one.why.partition(" ")[2] for one in failed))
    assert [sentence.rpartition(": ")[2].partition(" ")[2] for sentence in told] == causes
    assert sentences_by_cause(failed[:1]) == [one.sentence for one in failed[:1]]
