"""`sync-all --requested`: serves what was asked for and nothing else; a look that finds nothing leaves nothing."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Command, Ended, Monitoring, Site
from tests.cli.terminal import Terminal

pytestmark = pytest.mark.slow

WELL = Ended(0, "", "")


def connect(site: Site, user_id: str, *names: str) -> None:
    databases = {name: site.small.databases[name] for name in names}
    site.connect(user_id, site.small.tokens[user_id], json.dumps(databases))


def ask(site: Site, name: str, user_id: str = "anna") -> object:
    ((request_id,),) = site.execute("SELECT notion_sync.sync_notion_database(%s, NULL, %s)", user_id, name)
    return request_id


def statuses(site: Site) -> list[object]:
    return [status for (status,) in site.execute("SELECT status FROM notion_sync.sync_requests ORDER BY request_id")]


def runs(site: Site) -> list[tuple[object, ...]]:
    """The job and the status of each run after the first."""
    return site.execute(
        "SELECT jobname, status FROM notion_sync.job_run_details JOIN notion_sync.job USING (jobid)"
        " WHERE runid > 1 ORDER BY runid"
    )


@pytest.fixture
def known(site: Site) -> Site:
    """anna's Characters and Worlds were synced before, by run 1."""
    connect(site, "anna", "Characters", "Worlds")
    assert site.command("sync-all") == WELL
    site.small.workspace.requests.clear()
    return site


def test_nothing_asked_leaves_nothing_but_the_time_of_the_look(known: Site) -> None:
    before = known.execute("SELECT * FROM notion_sync.accounts")
    assert known.command("sync-all", "--requested") == WELL
    assert runs(known) == []
    assert known.small.workspace.requests.all() == []
    assert known.execute("SELECT * FROM notion_sync.accounts") == before
    assert known.execute(
        "SELECT jobname, schedule, active, looked_at BETWEEN now() - interval '1 minute' AND clock_timestamp()"
        " FROM notion_sync.last_looks JOIN notion_sync.job USING (jobid)"
    ) == [("sync-notion-requests", "on request", True, True)]


def test_the_time_of_the_look_is_written_once_in_five_minutes(known: Site) -> None:
    looks = []
    for ago in ("0", "4 minutes", "6 minutes", "-1 day"):
        known.execute("UPDATE notion_sync.last_looks SET looked_at = clock_timestamp() - %s::interval", ago)
        before = known.execute("SELECT xmin::text FROM notion_sync.last_looks")
        assert known.command("sync-all", "--requested") == WELL
        looks.append(known.execute("SELECT xmin::text FROM notion_sync.last_looks") != before)
    assert looks == [True, False, True, True]


def test_a_look_before_init_says_what_to_do(database_url: str) -> None:
    ended = Command({"DATABASE_URL": database_url})("sync-all", "--requested")
    assert ended.code == 3
    assert ended.sentence == "this PostgreSQL is not set up for notion-pg-sync: run 'notion-pg-sync init'."


def test_without_postgresql_it_says_so_as_every_command_does(known: Site) -> None:
    ended = known.command("sync-all", "--requested", DATABASE_URL="postgresql://nobody@127.0.0.1:9/none")
    assert ended.code == 3
    assert "127.0.0.1" in ended.sentence


def test_what_is_asked_for_is_synced_and_nothing_else(known: Site) -> None:
    connect(known, "ben", "Tasks")
    synced = (
        "SELECT last_sync_runid, last_sync_brings, last_sync_started_at, last_sync_ended_at FROM notion_sync.accounts"
    )
    before = known.execute(synced)
    ask(known, "Worlds")
    assert known.command("sync-all", "--requested") == WELL
    assert statuses(known) == ["succeeded"]
    assert runs(known) == [("sync-notion-requests", "succeeded")]
    assert known.execute("SELECT user_id, database_name FROM notion_sync.database_runs WHERE runid > 1") == [
        ("anna", "Worlds")
    ]
    # Neither has ben been synced, nor anna as sync-all does it.
    assert known.execute(synced) == before
    assert known.command("sync-all", "--requested") == WELL
    assert len(runs(known)) == 1


def test_a_run_for_requests_is_no_run_of_sync_all(known: Site) -> None:
    status = json.loads(known.command("status", "--json").out)
    before = known.execute("SELECT max(runid) FROM notion_sync.job_run_details")
    ask(known, "Worlds")
    assert known.command("sync-all", "--requested") == WELL
    known.execute(
        "UPDATE notion_sync.job_run_details SET start_time = start_time - interval '20 minutes' WHERE runid = 1"
    )
    known.execute("UPDATE notion_sync.job_run_details SET end_time = end_time - interval '20 minutes' WHERE runid = 1")
    assert before != known.execute("SELECT max(runid) FROM notion_sync.job_run_details")
    late = json.loads(known.command("status", "--json").out)
    assert (status["health"], late["health"]) == ("ok", "degraded")
    assert [one["condition"] for one in late["not_fresh"]] == ["late"]


def test_what_waits_for_hours_is_not_well_though_somebody_looks(known: Site) -> None:
    assert known.command("sync-all", "--requested") == WELL
    ask(known, "Worlds")
    assert json.loads(known.command("status", "--json").out)["health"] == "ok"
    known.execute("UPDATE notion_sync.sync_requests SET requested_at = requested_at - interval '3 hours'")
    told = json.loads(known.command("status", "--json").out)
    assert (told["health"], [one["condition"] for one in told["not_fresh"]]) == ("degraded", ["late"])
    assert "1 request waits, the oldest since 3 hours" in known.command("status").out
    assert "1 request waits, the oldest since 3 hours" in " ".join(known.command("doctor").out.split())
    assert known.command("sync-all", "--requested") == WELL
    assert json.loads(known.command("status", "--json").out)["health"] == "ok"


def test_one_user_alone(known: Site) -> None:
    connect(known, "ben", "Tasks")
    known.execute("SELECT notion_sync.sync_all_notion_databases('ben')")
    ask(known, "Worlds")
    assert known.command("sync-all", "--requested", "--user", "ben") == WELL
    assert statuses(known) == ["succeeded", "waiting"]
    assert known.command("sync-all", "--requested", "--user", "ben") == WELL
    assert len(runs(known)) == 1


def test_who_is_not_connected_is_told_so_and_waits_no_more(known: Site) -> None:
    ask(known, "Worlds")
    known.execute("UPDATE user_settings SET notion_token = NULL")
    assert known.command("sync-all", "--requested") == WELL
    assert statuses(known) == ["failed"]
    assert known.command("sync-all", "--requested") == WELL
    assert len(runs(known)) == 1


def test_auto_sync_off_is_served(known: Site) -> None:
    known.execute("UPDATE user_settings SET auto_sync_enabled = false")
    ask(known, "Worlds")
    assert known.command("sync-all", "--requested") == WELL
    assert statuses(known) == ["succeeded"]


def test_a_failure_is_told_once_a_request(known: Site) -> None:
    known.small.workspace.unshare(known.small.tokens["anna"], known.small.databases["Worlds"])
    ask(known, "Worlds")
    ended = known.command("sync-all", "--requested")
    assert ended.code == 1
    assert "anna/Worlds" in ended.sentence
    assert statuses(known) == ["failed"]
    assert known.command("sync-all", "--requested") == WELL


def test_a_word_for_who_looks(known: Site) -> None:
    assert "nothing is asked for, so nothing was done." in known.command("sync-all", "--requested", "-v").err
    said = json.loads(known.command("sync-all", "--requested", "--json").out)
    assert (said["status"], said["message"]) == ("succeeded", "nothing is asked for, so nothing was done.")
    ask(known, "Worlds")
    said = json.loads(known.command("sync-all", "--requested", "--json").out)
    assert said["message"].startswith("1 of 1 database of 1 user synced")


@pytest.mark.parametrize("option", ["--full", "--full-bodies", "--verify", "--dry-run"])
def test_what_is_for_everything_does_not_go_with_it(known: Site, option: str) -> None:
    ended = known.command("sync-all", "--requested", option)
    assert ended.code == 2
    assert ended.sentence.startswith("--requested syncs what applications ask for and nothing else")
    assert f"and {option} is for everything" in ended.sentence


def test_the_service_that_waits_for_sync_all_is_told_nothing(known: Site, monitoring: Monitoring) -> None:
    ask(known, "Worlds")
    known.command("sync-all", "--requested", NOTION_PG_SYNC_PING_URL=monitoring.url)
    assert monitoring.pings == []
    ask(known, "Worlds")
    for _ in range(2):
        known.command("sync-all", "--requested", "--ping-url", monitoring.url)
    assert [ping.path for ping in monitoring.pings] == ["/check/start", "/check"]
    assert monitoring.pings[1].body.startswith("1 of 1 database of 1 user synced")


def test_at_a_terminal_pages_alone_are_told_in_a_sentence(known: Site) -> None:
    known.execute("SELECT notion_sync.sync_notion_page(user_id, page_id) FROM notion_worlds_sync LIMIT 2")
    terminal = Terminal("sync-all", "--requested", **known.command.environment)
    assert terminal.ends() == 0
    assert "2 pages read by id: 0 inserted, 0 updated, 0 removed, 2 unchanged." in terminal.shown
    # Of databases there is nothing to say.
    assert "inserted  updated" not in terminal.shown


@pytest.mark.parametrize("kind", ["page.properties_updated", "page.created"])
def test_what_a_webhook_tells_of_is_there_after_the_next_look_for_one_request(known: Site, kind: str) -> None:
    workspace = known.small.workspace
    workspace.clock.advance(3600)
    if kind == "page.created":
        page = workspace.add_page("Worlds", {"Name": "Told by an event"})
    else:
        # Of the first, a relation is longer than one answer holds.
        page = workspace.page_ids("Worlds")[-1]
        workspace.edit_page(page, {"Name": "Told by an event"})
    event = json.dumps(workspace.webhook_event(kind, page))
    assert known.execute("SELECT notion_sync.receive_webhook(%s)", event) == [(1,)]
    workspace.requests.clear()
    assert known.command("sync-all", "--requested") == WELL
    assert known.execute("SELECT name FROM notion_worlds_sync WHERE page_id = %s", page) == [("Told by an event",)]
    assert [request.path for request in workspace.requests.all()] == [f"/v1/pages/{page}"]
