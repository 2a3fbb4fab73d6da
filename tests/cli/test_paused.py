"""`active = false` in `notion_sync.job` pauses what a schedule starts, as it does in pg_cron, and says so."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Ended, Monitoring, Site
from tests.cli.terminal import Terminal
from tests.private_host import PrivateHost
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

WELL = Ended(0, "", "")
PAUSE = "UPDATE notion_sync.job SET active = false WHERE jobname = 'sync-notion-databases'"


@pytest.fixture
def paused(site: Site) -> Site:
    """anna's Worlds were synced by run 1; since then sync-all is paused."""
    site.connect("anna", site.small.tokens["anna"], json.dumps({"Worlds": site.small.databases["Worlds"]}))
    assert site.command("sync-all") == WELL
    site.execute(PAUSE)
    return site


def runs(site: Site) -> list[object]:
    return [command for (command,) in site.execute("SELECT command FROM notion_sync.job_run_details ORDER BY runid")]


def activation_in(said: str) -> str:
    """The statement that is to be typed."""
    (statement,) = re.findall(r"To go on: (UPDATE .*?;)", " ".join(said.split()))
    return str(statement)


def test_it_does_nothing_and_is_silent_under_cron(paused: Site) -> None:
    assert paused.command("sync-all") == WELL
    assert paused.command("sync-all", "--full") == WELL
    assert len(runs(paused)) == 1


def test_the_log_says_how_to_go_on_and_that_works(paused: Site) -> None:
    said = paused.command("sync-all", "-v").err
    assert "sync-all is paused (notion_sync.job.active is false), so nothing was done." in said
    paused.execute(activation_in(said))
    assert paused.command("sync-all") == WELL
    assert len(runs(paused)) == 2


@pytest.mark.parametrize("options", [(), ("--requested",)])
def test_a_person_at_a_terminal_is_told_how_to_go_on(paused: Site, options: tuple[str, ...]) -> None:
    paused.command("sync-all", "--requested")
    paused.execute("UPDATE notion_sync.job SET active = false")
    terminal = Terminal("sync-all", *options, **paused.command.environment)
    assert terminal.ends() == 0
    assert "is paused" in terminal.shown
    paused.execute(activation_in(terminal.shown))
    assert paused.execute("SELECT jobname FROM notion_sync.job WHERE active") == [
        ("sync-notion-requests" if options else "sync-notion-databases",)
    ]


def test_doctor_says_that_the_last_run_failed_beside_the_pause(paused: Site) -> None:
    paused.execute("UPDATE notion_sync.job SET active = true")
    paused.small.workspace.trash_database("Worlds")
    assert paused.command("sync-all").code == 1
    paused.execute(PAUSE)
    doctor = paused.command("doctor", "--no-cron-check")
    said = " ".join(doctor.out.split())
    assert doctor.code == 1
    assert "broken link" in doctor.out.splitlines()[0]
    assert "in Notion's trash" in said
    assert "paused: sync-all: paused:" in said


def test_doctor_says_that_nothing_serves_what_waits_while_both_are_paused(paused: Site) -> None:
    paused.execute("SELECT notion_sync.sync_all_notion_databases('anna')")
    paused.command("sync-all", "--requested")
    paused.execute("SELECT notion_sync.sync_all_notion_databases('anna')")
    paused.execute("UPDATE notion_sync.job SET active = false")
    said = " ".join(paused.command("doctor").out.split())
    assert "sync-all --requested is paused, and sync-all too, so 1 request waits and nothing serves it" in said
    # That nothing here starts it does not hide that it is paused.
    assert "warning paused: sync-all: paused:" in said


def test_programs_are_told(paused: Site) -> None:
    said = json.loads(paused.command("sync-all", "--json").out)
    assert (said["health"], said["accounts"]) == ("degraded", [])
    assert said["message"].startswith("sync-all is paused")


def test_no_service_is_told_that_all_is_well(paused: Site, monitoring: Monitoring) -> None:
    assert paused.command("sync-all", "--ping-url", monitoring.url) == WELL
    assert monitoring.pings == []


def test_a_person_still_syncs(paused: Site) -> None:
    assert paused.command("sync", "anna", "Worlds") == WELL
    assert paused.command("sync-all", "--user", "anna") == WELL
    assert paused.command("sync-all", "--dry-run").code == 0
    assert runs(paused)[1:] == [
        "notion-pg-sync sync anna Worlds",
        "notion-pg-sync sync-all --user anna",
        "notion-pg-sync sync-all --dry-run",
    ]


def test_what_is_asked_for_is_served_unless_that_is_paused_too(paused: Site) -> None:
    ask = "SELECT notion_sync.sync_notion_database('anna', NULL, 'Worlds')"
    paused.execute(ask)
    assert paused.command("sync-all", "--requested") == WELL
    assert len(runs(paused)) == 2
    paused.execute("UPDATE notion_sync.job SET active = false WHERE jobname = 'sync-notion-requests'")
    paused.execute(ask)
    assert paused.command("sync-all", "--requested") == WELL
    said = paused.command("sync-all", "--requested", "-v").err
    assert len(runs(paused)) == 2
    assert "sync-all --requested is paused" in said
    paused.execute(activation_in(said))
    assert paused.command("sync-all", "--requested") == WELL
    assert len(runs(paused)) == 3


def test_status_is_degraded_at_once_and_failing_when_copies_are_stale(paused: Site) -> None:
    ended = paused.command("status")
    headline, *rest = ended.out.splitlines()
    assert (ended.code, headline) == (0, "Degraded: 1 of 1 database is fresh; sync-all is paused.")
    assert "paused  sync-all" in rest[1]
    assert paused.command("status", "--strict").out.startswith("Failing: sync-all is paused.")
    assert json.loads(paused.command("status", "--json").out)["health"] == "degraded"
    paused.execute("UPDATE notion_sync.data_sources SET fresh_as_of = fresh_as_of - interval '2 hours'")
    paused.execute("UPDATE notion_sync.databases SET last_started_at = last_started_at - interval '2 hours'")
    ended = paused.command("status")
    assert ended.code == 1
    assert ended.out.startswith("Failing: 1 of 1 database is not well: 1 stale. Degraded: sync-all is paused.")
    assert "sync-all is paused. To go on: UPDATE notion_sync.job" in ended.out


def test_a_crontab_line_for_one_user_is_paused_too(private_host: PrivateHost, paused: Site) -> None:
    variables = "".join(f"{name}={value}\n" for name, value in paused.command.environment.items())
    tool = Path(sys.executable).with_name("notion-pg-sync")
    private_host.install_crontab(f"{variables}* * * * * {tool} sync-all --user anna -v 2> /run/said\n")
    private_host.start_cron()
    said = private_host.path("/run/said")
    wait_until(lambda: said.exists() and "sync-all is paused" in said.read_text(encoding="utf-8"), seconds=100)
    assert len(runs(paused)) == 1
