"""Requests from SQL: the next sync-all serves them first, and they show what came of them."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.cli.conftest import BARE, Ended, Site

pytestmark = pytest.mark.slow


def connect_anna(site: Site, *names: str) -> None:
    site.connect("anna", site.small.tokens["anna"], json.dumps({name: site.small.databases[name] for name in names}))


def ask(site: Site, name: str, user_id: str = "anna") -> object:
    ((request_id,),) = site.execute("SELECT notion_sync.sync_notion_database(%s, NULL, %s)", user_id, name)
    return request_id


def requests(site: Site) -> list[tuple[object, ...]]:
    return site.execute("SELECT database_name, status, message FROM notion_sync.sync_requests ORDER BY request_id")


def queried(site: Site) -> list[str]:
    """The data sources that the workspace was asked for the rows of, in order."""
    return [
        request.path.split("/")[3] for request in site.small.workspace.requests.all() if request.path.endswith("/query")
    ]


@pytest.fixture
def known(site: Site) -> Site:
    """anna's Characters and Worlds were synced before."""
    connect_anna(site, "Characters", "Worlds")
    assert site.command("sync-all") == Ended(0, "", "")
    site.small.workspace.requests.clear()
    return site


def test_a_request_is_served_by_the_next_run_and_shows_what_came_of_it(known: Site) -> None:
    ask(known, "Worlds")
    assert requests(known) == [("Worlds", "waiting", None)]
    assert known.command("sync-all") == Ended(0, "", "")
    ((_, status, message),) = requests(known)
    assert status == "succeeded"
    assert known.execute("SELECT last_message FROM notion_sync.databases WHERE name = 'Worlds'") == [(message,)]
    assert known.execute(
        "SELECT r.runid = (SELECT max(runid) FROM notion_sync.job_run_details) AND ended_at > requested_at"
        " FROM notion_sync.sync_requests AS r"
    ) == [(True,)]


def test_it_is_served_before_everything_else(known: Site) -> None:
    orders = []
    for name in ("Worlds", "Characters"):
        ask(known, name)
        assert known.command("sync-all", "--jobs", "1").code == 0
        orders.append(list(dict.fromkeys(queried(known))))
        known.small.workspace.requests.clear()
    assert orders[0] == orders[1][::-1]


def test_users_who_ask_come_before_those_who_wait_longer(site: Site) -> None:
    for user in ("anna", "bela"):
        token = site.small.tokens["anna"]
        site.connect(user, token, json.dumps({"Worlds": site.small.databases["Worlds"]}))
    site.command("sync-all")
    site.execute("UPDATE notion_sync.accounts SET last_sync_started_at = '2020-01-01' WHERE user_id = 'anna'")
    ask(site, "Worlds", "bela")
    site.command("sync-all", "--jobs", "1")
    claimed = site.execute("SELECT user_id FROM notion_sync.accounts ORDER BY last_sync_started_at")
    assert claimed == [("bela",), ("anna",)]


def test_a_request_for_everything_answers_a_row_a_database_and_how_many_were_synced(known: Site) -> None:
    answer = known.execute("SELECT database_name FROM notion_sync.sync_all_notion_databases('anna')")
    assert answer == [("Characters",), ("Worlds",)]
    assert known.command("sync-all").code == 0
    ((name, status, message),) = requests(known)
    assert (name, status) == (None, "succeeded")
    assert str(message).startswith("2 of 2 databases synced")


def test_a_user_who_is_not_synced_by_itself_is_synced_as_far_as_asked_for(known: Site) -> None:
    known.execute("UPDATE user_settings SET auto_sync_enabled = false")
    ask(known, "Worlds")
    assert known.command("sync-all") == Ended(0, "", "")
    assert len(set(queried(known))) == 1
    assert [status for _, status, _ in requests(known)] == ["succeeded"]
    assert known.command("sync-all").code == 3


def test_a_failure_is_the_requests_outcome(known: Site) -> None:
    known.small.workspace.unshare(known.small.tokens["anna"], known.small.databases["Worlds"])
    ask(known, "Worlds")
    assert known.command("sync-all").code == 1
    ((_, status, message),) = requests(known)
    assert status == "failed"
    assert "share" in str(message)


def test_a_suspended_database_is_tried_when_it_is_asked_for(known: Site) -> None:
    anna, worlds = known.small.tokens["anna"], known.small.databases["Worlds"]
    known.small.workspace.unshare(anna, worlds)
    for run in range(3):
        assert known.command("sync-all").code == (run < 2)
    known.small.workspace.share(anna, worlds)
    assert known.command("sync-all").code == 0
    assert known.execute("SELECT last_status FROM notion_sync.databases WHERE name = 'Worlds'") == [("failed",)]
    ask(known, "Worlds")
    assert known.command("sync-all").code == 0
    assert known.execute("SELECT last_status FROM notion_sync.databases WHERE name = 'Worlds'") == [("succeeded",)]


def healths(site: Site) -> list[tuple[object, ...]]:
    return site.execute("SELECT status, health FROM notion_sync.sync_requests ORDER BY request_id")


def test_a_request_for_everything_is_degraded_where_some_of_it_is_suspended(known: Site) -> None:
    anna, worlds = known.small.tokens["anna"], known.small.databases["Worlds"]
    known.execute("SELECT notion_sync.sync_all_notion_databases('anna')")
    assert known.command("sync-all").code == 0
    known.small.workspace.unshare(anna, worlds)
    for run in range(3):
        known.execute("SELECT notion_sync.sync_all_notion_databases('anna')")
        assert known.command("sync-all").code == (run < 2)
    known.execute("SELECT notion_sync.sync_all_notion_databases('anna')")
    assert known.command("sync-all").code == 0
    assert healths(known) == [("succeeded", "ok"), *[("failed", "failing")] * 3, ("succeeded", "degraded")]
    assert str(requests(known)[-1][2]).startswith("1 database is suspended. 1 of 2 databases synced")


def test_a_request_that_the_token_stands_against_is_told_so_and_tries_it_though_it_is_suspended(known: Site) -> None:
    known.connect("ben", known.small.tokens["ben"], json.dumps({"Tasks": known.small.databases["Tasks"]}))
    assert known.command("sync-all").code == 0
    known.small.workspace.revoke_token("anna")
    for _ in range(3):
        known.command("sync-all")
    ask(known, "Worlds")
    known.execute("SELECT notion_sync.sync_all_notion_databases('anna')")
    known.small.workspace.requests.clear()
    assert known.command("sync-all") == Ended(0, "", "")
    assert sum(request.token == "anna" for request in known.small.workspace.requests.all()) == 1
    assert healths(known) == [("failed", "failing")] * 2
    assert {str(message)[:38] for _, _, message in requests(known)} == {"Notion does not accept the token (it w"}


def test_what_nobody_configured_and_whom_nobody_connected_is_refused(known: Site) -> None:
    known.execute("SELECT notion_sync.sync_notion_database('anna', %s)", known.small.databases["Stories"])
    known.execute("SELECT notion_sync.sync_notion_database('nobody', %s)", known.small.databases["Stories"])
    assert known.command("sync-all").code == 0
    (unconfigured, unconnected) = requests(known)
    assert unconfigured[1] == unconnected[1] == "failed"
    assert "no such database in notion_databases" in str(unconfigured[2])
    assert "no such user, or no Notion token of theirs" in str(unconnected[2])
    assert "check the id of the user, and let them connect Notion" in str(unconnected[2])


def test_a_dry_run_serves_nothing(known: Site) -> None:
    ask(known, "Worlds")
    assert known.command("sync-all", "--dry-run").code == 0
    assert requests(known) == [("Worlds", "waiting", None)]


def test_a_request_whose_run_was_killed_is_served_by_the_next(known: Site) -> None:
    ask(known, "Worlds")
    asked = threading.Event()
    known.small.workspace.on_request(lambda _: asked.set())
    known.small.workspace.faults.add("stall")
    with subprocess.Popen(
        [sys.executable, "-m", "notion_pg_sync", "sync-all"],
        env={**BARE, **known.command.environment},
        cwd=Path(__file__).parents[2],
    ) as process:
        assert asked.wait(60)
        process.kill()
    assert [status for _, status, _ in requests(known)] == ["running"]
    known.small.workspace.faults.clear()
    assert known.command("sync-all") == Ended(0, "", "")
    assert [status for _, status, _ in requests(known)] == ["succeeded"]
