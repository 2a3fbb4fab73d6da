"""`schedule` in `notion_sync.job` is what the latest runs show, not what somebody once meant."""

from __future__ import annotations

import json
import re

import pytest

from tests.cli.conftest import Ended, Site
from tests.cli.terminal import Terminal

pytestmark = pytest.mark.slow


@pytest.fixture
def connected(site: Site) -> Site:
    site.connect("anna", site.small.tokens["anna"], json.dumps({"Three": site.small.databases["Three"]}))
    return site


def schedule(site: Site) -> str:
    ((shown,),) = site.execute("SELECT schedule FROM notion_sync.job WHERE jobname = 'sync-notion-databases'")
    return str(shown)


def earlier_runs(site: Site, count: int, every: str, *, started_by: str = "cron", command: str = "sync-all") -> None:
    """Lets there have been runs of the one job, the latest so long ago as one is from the next."""
    site.execute(
        """
        WITH run AS (
            INSERT INTO notion_sync.job_run_details (jobid, command, status, start_time, end_time)
            SELECT jobid, 'notion-pg-sync ' || %s, 'succeeded', time, time
            FROM notion_sync.job, generate_series(1, %s) AS number, LATERAL (
                SELECT clock_timestamp() - %s::interval * number AS time) AS began
            WHERE jobname = 'sync-notion-databases' ORDER BY time
            RETURNING runid)
        INSERT INTO notion_sync.run_processes (runid, host, machine, pid, process_started_at, started_by, os_user)
        SELECT runid, 'here', 'here', 1, 1, %s, 'root' FROM run
        """,
        command,
        count,
        every,
        started_by,
    )


def test_at_first_it_is_not_known(connected: Site) -> None:
    assert connected.command("sync-all") == Ended(0, "", "")
    assert schedule(connected) == "not known yet"


@pytest.mark.parametrize(
    ("every", "says"),
    [
        ("15 minutes", r"(\*|\d+-59)/15 \* \* \* \*"),
        ("1 hour", r"\d+ \* \* \* \*"),
        ("1 minute", r"\* \* \* \* \*"),
        ("7 minutes 30 seconds", "irregular"),
    ],
)
def test_it_is_what_scheduled_runs_fit(connected: Site, every: str, says: str) -> None:
    connected.command("sync-all")
    connected.execute("DELETE FROM notion_sync.job_run_details")
    earlier_runs(connected, 6, every)
    assert connected.command("sync-all") == Ended(0, "", "")
    assert re.fullmatch(says, schedule(connected)), schedule(connected)


def test_what_a_person_types_is_on_demand_and_hides_no_schedule(connected: Site) -> None:
    terminal = Terminal("sync-all", **connected.command.environment)
    assert terminal.ends() == 0
    assert schedule(connected) == "on demand"
    earlier_runs(connected, 9, "11 seconds", started_by="terminal")
    earlier_runs(connected, 9, "13 seconds", command="sync-all --user anna")
    earlier_runs(connected, 5, "1 minute")
    terminal = Terminal("sync-all", **connected.command.environment)
    assert terminal.ends() == 0
    assert schedule(connected) == "* * * * *"


def test_a_pause_stays_one_whatever_runs(connected: Site) -> None:
    connected.command("sync-all")
    connected.execute("UPDATE notion_sync.job SET active = false")
    connected.command("sync-all", "--user", "anna")
    assert connected.execute("SELECT active FROM notion_sync.job") == [(False,)]
