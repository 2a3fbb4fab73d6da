"""Crontab lines that start at one minute, as those of examples/crontab.txt do at 03:30: none loses anything."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Sequence
from pathlib import Path

import psycopg
import pytest

from tests.reliability.conftest import UNPACED, Place
from tests.waiting import wait_until

BOTH = [("sync-all",), ("sync-all", "--full")]


@pytest.fixture
def databases(place: Place) -> dict[str, str]:
    """Three users with a large database and a small one each, in the copy for an hour; the workspace takes its time."""
    small = place.small
    found = {name: small.databases[name] for name in ("Notes", "Three")}
    for user in ("anna", "ben", "cora"):
        for name in found:
            small.workspace.share(user, name)
        place.connect(user, small.tokens[user], json.dumps(found))
    assert place.command("sync-all", *UNPACED).code == 0
    place.execute("UPDATE notion_sync.accounts SET last_sync_started_at = last_sync_started_at - interval '1 hour'")
    place.execute("UPDATE notion_sync.databases SET listed_at = listed_at - interval '1 hour'")
    small.workspace.clock.advance(3600)
    small.workspace.configure(latency=0.2)
    return found


def said_by(place: Place, *lines: Sequence[str]) -> list[str]:
    """Starts the lines at once, and returns what their records say; all have ended well and in silence."""
    with psycopg.connect(place.database_url) as gate:
        # Nobody begins with a user before all have started.
        gate.execute("LOCK TABLE notion_sync.accounts IN EXCLUSIVE MODE")
        started = []
        for number, line in enumerate(lines, 1):
            started.append(place.start(*line, *UNPACED))
            wait_until(lambda: len(place.unfinished()) == number)  # noqa: B023
    assert [process.communicate(timeout=120) for process in started] == [("", "")] * len(lines)
    assert [process.returncode for process in started] == [0] * len(lines)
    records = place.execute("SELECT return_message FROM notion_sync.job_run_details WHERE runid > 1 ORDER BY runid")
    assert place.leases() == place.unfinished() == []
    return [str(message) for (message,) in records]


def full_reads(place: Place) -> set[tuple[object, object]]:
    """The users and databases that were read whole after the first run."""
    rows = place.execute(
        "SELECT user_id, database_name FROM notion_sync.database_runs WHERE mode = 'full' AND runid > 1"
    )
    return {(user, database) for user, database in rows}


def test_the_example_has_two_lines_that_start_at_one_minute() -> None:
    text = (Path(__file__).parents[2] / "examples" / "crontab.txt").read_text(encoding="utf-8")
    lines = re.findall(r"^([\d*/]+) ([\d*]+) \* \* \* notion-pg-sync (.*)$", text, re.MULTILINE)
    assert lines == [("*/15", "*", "sync-all"), ("30", "3", "sync-all --full")]
    # For whom applications ask, one of every minute: it starts with both.
    assert re.findall(r"^# (\S+ \* \* \* \* .*)$", text, re.MULTILINE) == [
        "* * * * * notion-pg-sync sync-all --requested"
    ]


@pytest.mark.parametrize("lines", [BOTH, BOTH[::-1]], ids=["the ordinary one first", "the full one first"])
def test_a_full_read_beside_an_ordinary_run(
    place: Place, databases: dict[str, str], lines: list[tuple[str, ...]]
) -> None:
    messages = said_by(place, *lines)
    everything = {(user, database) for user in ("anna", "ben", "cora") for database in databases}
    assert full_reads(place) == everything
    full = messages[lines.index(("sync-all", "--full"))]
    assert full.startswith("6 of 6 databases of 3 users synced")
    for user in ("anna", "ben", "cora"):
        assert place.differences(user, user, databases) == []


@pytest.mark.parametrize("is_first", [True, False], ids=["the one for requests first", "the ordinary one first"])
def test_a_run_for_requests_beside_an_ordinary_one(place: Place, databases: dict[str, str], is_first: bool) -> None:
    place.execute("SELECT notion_sync.sync_notion_database('ben', %s)", databases["Three"])
    lines = [("sync-all", "--requested"), ("sync-all",)]
    said_by(place, *(lines if is_first else lines[::-1]))
    assert place.execute("SELECT status FROM notion_sync.sync_requests") == [("succeeded",)]
    synced = place.execute(
        "SELECT DISTINCT user_id, database_name FROM notion_sync.database_runs JOIN notion_sync.job_run_details"
        " USING (runid) JOIN notion_sync.job USING (jobid) WHERE runid > 1 AND jobname = 'sync-notion-databases'"
    )
    assert len(synced) == 3 * len(databases)


def test_bodies_beside_an_ordinary_run(place: Place, databases: dict[str, str]) -> None:
    for page in place.small.workspace.page_ids("Three"):
        place.small.workspace.set_body(page, ["Words"])
    place.small.workspace.clock.advance(3600)
    messages = said_by(place, ("sync-all",), ("sync-all", "--bodies"))
    assert "369 page bodies read" in messages[1]
    assert place.execute("SELECT user_id, count(*) FROM notion_sync.page_bodies GROUP BY 1 ORDER BY 1") == [
        (user, 123) for user in ("anna", "ben", "cora")
    ]


def test_an_ordinary_run_beside_a_full_one_names_it(place: Place, databases: dict[str, str]) -> None:
    """Where that is at work on all that is due."""
    place.small.workspace.configure(latency=5.0)
    full = place.start("sync-all", "--full", *UNPACED)
    wait_until(lambda: len(place.leases()) == 3)
    ordinary = place.command("sync-all", "-v", *UNPACED)
    assert full.poll() is None
    assert ordinary.code == 0
    said = place.execute("SELECT return_message FROM notion_sync.job_run_details WHERE runid = 3")
    assert f"3 users left to run 2 (pid {full.pid} on " in str(said)
    assert "which is syncing them." in str(said)
    place.small.workspace.configure(latency=0.0)
    assert full.communicate(timeout=120) == ("", "")


def test_requests_and_a_named_user_beside_an_ordinary_run(place: Place, databases: dict[str, str]) -> None:
    place.small.workspace.configure(latency=50.0)
    first = place.start("sync-all", *UNPACED)
    wait_until(lambda: len(place.leases()) == 3)
    # Too late for the run that works: it took up the requests of its users when it began with them.
    place.execute("SELECT notion_sync.sync_notion_database('ben', %s)", databases["Three"])
    named = place.start("sync-all", "--user", "anna", *UNPACED)
    serving = place.start("sync-all", *UNPACED)
    wait_until(lambda: len(place.unfinished()) == 3)
    assert first.poll() is None
    place.small.workspace.configure(latency=0.0)
    for process in (first, named, serving):
        assert process.communicate(timeout=120) == ("", "")
        assert process.returncode == 0
    ((status,),) = place.execute("SELECT status FROM notion_sync.sync_requests")
    assert status == "succeeded"
    synced = place.execute(
        "SELECT count(DISTINCT runid) FROM notion_sync.database_runs WHERE user_id = 'anna' AND runid > 1"
    )
    assert synced == [(2,)]


def test_a_full_read_takes_over_from_a_run_that_is_killed_beside_it(place: Place, databases: dict[str, str]) -> None:
    place.small.workspace.configure(latency=50.0)
    ordinary = place.start("sync-all", *UNPACED)
    wait_until(lambda: len(place.leases()) == 3)
    full = place.start("sync-all", "--full", *UNPACED)
    wait_until(lambda: len(place.unfinished()) == 2)
    ordinary.send_signal(signal.SIGKILL)
    ordinary.communicate()
    place.small.workspace.configure(latency=0.0)
    assert full.communicate(timeout=100) == ("", "")
    assert full.returncode == 0
    assert full_reads(place) == {(user, database) for user in ("anna", "ben", "cora") for database in databases}
    assert place.leases() == place.unfinished() == []


def test_where_a_full_read_has_to_give_up_it_says_what_is_missing(place: Place, databases: dict[str, str]) -> None:
    place.small.workspace.faults.add("slow", seconds=40.0, path="/query$", token="anna")
    place.small.workspace.configure(latency=0.0)
    ordinary = place.start("sync-all", *UNPACED)
    wait_until(lambda: place.leases() == ["anna"] and len(place.unfinished()) == 1)
    full = place.start("sync-all", "--full", "--timeout", "12s", *UNPACED)
    said = full.communicate(timeout=60)[1]
    assert full.returncode == 1
    assert re.search(
        rf"notion-pg-sync: anna: run 2 \(pid {ordinary.pid} on \S+, since [-\d]+ [:\d]+\) had this user's lease all the"
        r" time, so this was not done: full read\. Run it again when that run has ended\.",
        said,
    ), said
    assert full_reads(place) >= {(user, database) for user in ("ben", "cora") for database in databases}
    assert ordinary.communicate(timeout=100) == ("", "")
