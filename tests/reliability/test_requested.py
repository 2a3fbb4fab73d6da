"""`sync-all --requested` beside others, and killed: no request is lost, and none waits for what does not concern it."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from tests.reliability.conftest import UNPACED, WELL, Place
from tests.waiting import wait_until

REQUESTED = ("sync-all", "--requested", *UNPACED)


@pytest.fixture
def known(place: Place) -> Place:
    """Three users with Notes and Three each, in the copy; somebody looks for requests since just now."""
    small = place.small
    databases = {name: small.databases[name] for name in ("Notes", "Three")}
    for user in ("anna", "ben", "cora"):
        for name in databases:
            small.workspace.share(user, name)
        place.connect(user, small.tokens[user], json.dumps(databases))
    assert place.command("sync-all", *UNPACED) == WELL
    assert place.command("sync-all", "--requested") == WELL
    return place


def ask(place: Place, user_id: str, name: str = "Three") -> None:
    place.execute("SELECT notion_sync.sync_notion_database(%s, %s)", user_id, place.small.databases[name])


def statuses(place: Place) -> list[object]:
    return [status for (status,) in place.execute("SELECT status FROM notion_sync.sync_requests ORDER BY request_id")]


def runs_for_requests(place: Place) -> list[object]:
    found = place.execute(
        "SELECT status FROM notion_sync.job_run_details JOIN notion_sync.job USING (jobid)"
        " WHERE jobname = 'sync-notion-requests' ORDER BY runid"
    )
    return [status for (status,) in found]


def is_at_work_on_anna(place: Place) -> bool:
    # At what is asked for by the tests: before it begins with that, it takes requests for it up.
    return bool(
        place.execute(
            "SELECT runid FROM notion_sync.database_runs"
            " WHERE runid = 2 AND user_id = 'anna' AND database_name = 'Three'"
        )
    )


def waiting_for_locks(place: Place) -> int:
    ((count,),) = place.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    return int(str(count))


@contextmanager
def nobody_writes(place: Place, table: str) -> Iterator[None]:
    with psycopg.connect(place.database_url) as gate:
        gate.execute(f"LOCK TABLE notion_sync.{table} IN EXCLUSIVE MODE".encode())
        yield


def kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate()


def test_of_several_that_start_at_once_one_works(known: Place) -> None:
    ask(known, "anna")
    with nobody_writes(known, "job"):
        started = [known.start(*REQUESTED) for _ in range(4)]
        wait_until(lambda: waiting_for_locks(known) == 4)
        known.small.workspace.configure(latency=0.5)
    assert [process.communicate(timeout=60) for process in started] == [("", "")] * 4
    assert [process.returncode for process in started] == [0] * 4
    assert runs_for_requests(known) == ["succeeded"]
    assert statuses(known) == ["succeeded"]


@pytest.mark.parametrize("table", ["job", "run_processes", "accounts", "sync_requests", "database_runs", None])
def test_a_killed_one_loses_no_request_and_the_next_serves_it(known: Place, table: str | None) -> None:
    """Killed before each table that it writes, or, without a table, while Notion answers."""
    ask(known, "anna")
    if table is None:
        known.small.workspace.configure(latency=30.0)
        process = known.start(*REQUESTED)
        wait_until(lambda: statuses(known) == ["running"])
        kill(process)
    else:
        with nobody_writes(known, table):
            process = known.start(*REQUESTED)
            wait_until(lambda: waiting_for_locks(known) == 1)
            kill(process)
    known.small.workspace.configure(latency=0.0)
    # PostgreSQL notices only at its next word to the client that nobody is there.
    wait_until(lambda: waiting_for_locks(known) == 0)
    assert known.command(*REQUESTED) == WELL
    assert statuses(known) == ["succeeded"]
    assert known.leases() == known.unfinished() == []


def test_one_that_is_stopped_leaves_what_it_was_at_to_the_next(known: Place) -> None:
    ask(known, "anna")
    known.small.workspace.configure(latency=30.0)
    process = known.start(*REQUESTED)
    wait_until(lambda: statuses(known) == ["running"])
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=30)[1] == "notion-pg-sync: stopped by SIGTERM; what was written is kept.\n"
    assert process.returncode == 128 + signal.SIGTERM
    assert statuses(known) == ["waiting"]
    known.small.workspace.configure(latency=0.0)
    assert known.command(*REQUESTED) == WELL
    assert statuses(known) == ["succeeded"]


def test_one_that_died_on_another_host_blocks_until_nothing_is_heard_of_it(known: Place) -> None:
    ask(known, "anna")
    known.small.workspace.configure(latency=30.0)
    process = known.start(*REQUESTED)
    wait_until(lambda: statuses(known) == ["running"])
    kill(process)
    known.small.workspace.configure(latency=0.0)
    known.execute(
        "UPDATE notion_sync.run_processes SET host = 'far', machine = 'far', heartbeat_at = clock_timestamp()"
    )
    assert "another run of sync-all --requested is at work" in known.command(*REQUESTED, "-v").err
    assert statuses(known) == ["running"]
    known.execute("UPDATE notion_sync.run_processes SET heartbeat_at = clock_timestamp() - interval '3 minutes'")
    assert known.command(*REQUESTED) == WELL
    assert statuses(known) == ["succeeded"]


def test_who_asks_while_it_works_does_not_wait_for_others(known: Place) -> None:
    known.small.workspace.faults.add("slow", seconds=60.0, path="/query$", token="anna")
    ask(known, "anna")
    process = known.start(*REQUESTED)
    wait_until(lambda: statuses(known) == ["running"])
    ask(known, "ben")
    assert known.command(*REQUESTED) == WELL
    wait_until(lambda: statuses(known) == ["running", "succeeded"], seconds=30)
    assert process.poll() is None
    assert runs_for_requests(known) == ["running"]
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)


def test_an_account_that_another_run_holds_is_not_waited_for(known: Place) -> None:
    known.small.workspace.configure(latency=30.0)
    ordinary = known.start("sync-all", *UNPACED)
    # By then it has taken up what was asked before.
    wait_until(lambda: is_at_work_on_anna(known))
    ask(known, "anna")
    said = known.command(*REQUESTED, "-v")
    assert said.code == 0
    assert "what is asked for is left to the runs that are at work on its users." in said.err
    assert ordinary.poll() is None
    assert runs_for_requests(known) == []
    known.small.workspace.configure(latency=0.0)
    assert ordinary.communicate(timeout=100) == ("", "")
    assert known.command(*REQUESTED) == WELL
    assert statuses(known) == ["succeeded"]


def test_who_is_free_is_served_beside_who_is_held(known: Place) -> None:
    known.small.workspace.faults.add("slow", seconds=60.0, path="/query$", token="anna")
    ordinary = known.start("sync-all", "--user", "anna", *UNPACED)
    # By then it has taken up what was asked before.
    wait_until(lambda: is_at_work_on_anna(known))
    ask(known, "anna")
    ask(known, "ben")
    assert known.command(*REQUESTED) == WELL
    assert statuses(known)[1] == "succeeded"
    ((message,),) = known.execute("SELECT return_message FROM notion_sync.job_run_details ORDER BY runid DESC LIMIT 1")
    assert str(message).startswith("1 of 1 database of 1 user synced")
    assert f"1 user left to run 2 (pid {ordinary.pid} on " in str(message)
    ordinary.send_signal(signal.SIGTERM)
    ordinary.communicate(timeout=30)
