"""A lease is kept up by whoever works, and lost for good by whoever was away too long."""

from __future__ import annotations

import json
import signal
import subprocess
import time

import pytest
from notion_workspace import Request

from tests.reliability.conftest import UNPACED, WELL, Place
from tests.waiting import wait_until

LEASE_SECONDS = 1.5
# All that a run may write, its own record aside. With xmin, since a row that is written anew as it was would tell.
WRITTEN = {
    "notion_pages_sync": "user_id = 'anna'",
    "notion_sync.accounts": "user_id = 'anna'",
    "notion_sync.databases": "user_id = 'anna'",
    "notion_sync.data_sources": "user_id = 'anna'",
    "notion_sync.columns": "user_id = 'anna'",
    "notion_sync.seen_pages": "user_id = 'anna'",
    "notion_sync.removed_pages": "user_id = 'anna'",
    "notion_sync.database_runs": "runid = (SELECT max(runid) FROM notion_sync.job_run_details)",
}


@pytest.fixture
def databases(place: Place) -> dict[str, str]:
    workspace = place.small.workspace
    handles = [workspace.add_generated_database(f"Rows {number}", 500, seed=number) for number in range(3)]
    found = {handle.name: handle.id for handle in handles}
    for name in found:
        workspace.share("anna", name)
    place.connect("anna", place.small.tokens["anna"], json.dumps(found))
    return found


def written(place: Place) -> dict[str, list[tuple[object, ...]]]:
    return {
        table: place.execute(f"SELECT xmin::text, written::text FROM {table} AS written WHERE {rows} ORDER BY 2")
        for table, rows in WRITTEN.items()
    }


def is_in_transaction(place: Place) -> bool:
    query = (
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND state <> 'idle' AND backend_type = 'client backend'"
    )
    return bool(place.execute(query))


def pause(place: Place, process: subprocess.Popen[str], *, in_transaction: bool) -> None:
    """Stops the process in the midst of its work: within a transaction, or between two."""
    queries = 0

    def count(request: Request) -> None:
        nonlocal queries
        queries += request.path.endswith("/query")

    place.small.workspace.on_request(count)
    wait_until(lambda: queries > 3 or process.poll() is not None)
    assert process.poll() is None, process.communicate()
    process.send_signal(signal.SIGSTOP)
    deadline = time.monotonic() + 20
    while is_in_transaction(place) != in_transaction and time.monotonic() < deadline:
        process.send_signal(signal.SIGCONT)
        time.sleep(0.003)
        process.send_signal(signal.SIGSTOP)
        time.sleep(0.05)  # what PostgreSQL was told before is done by then
    assert is_in_transaction(place) == in_transaction
    assert process.poll() is None


@pytest.mark.parametrize("in_transaction", [False, True])
def test_a_run_that_was_paused_past_its_lease_writes_nothing_more_and_says_so(
    place: Place, databases: dict[str, str], in_transaction: bool
) -> None:
    place.small.workspace.configure(latency=0.03)
    paused = place.start_tuned(lease_seconds=LEASE_SECONDS, statement_seconds=LEASE_SECONDS)
    pause(place, paused, in_transaction=in_transaction)
    # Whatever it holds: its lease expires, and PostgreSQL ends a transaction that goes on too long.
    wait_until(
        lambda: (
            place.execute(
                "SELECT lease_expires_at < clock_timestamp() FROM notion_sync.accounts"
                " WHERE user_id = 'anna' FOR UPDATE SKIP LOCKED"
            )
            == [(True,)]
        ),
        seconds=30,
    )
    assert place.command("sync-all", *UNPACED) == WELL
    assert place.differences("anna", "anna", databases) == []
    before = written(place)
    requests = len(place.small.workspace.requests.all())
    paused.send_signal(signal.SIGCONT)
    _, said = paused.communicate(timeout=60)
    assert paused.returncode == 1
    assert "another run has taken over user anna; this one stopped writing for them." in said
    assert "Traceback" not in said
    assert written(place) == before
    # It soon notices, and stops asking Notion too.
    assert len(place.small.workspace.requests.all()) < requests + 40
    ((status, message),) = place.execute(
        "SELECT status, return_message FROM notion_sync.job_run_details ORDER BY runid LIMIT 1"
    )
    assert status == "failed"
    assert "another run has taken over user anna" in str(message)
    assert place.leases() == place.unfinished() == []


def test_a_lease_is_renewed_while_its_run_waits_for_notion(place: Place, databases: dict[str, str]) -> None:
    place.small.workspace.faults.add("slow", seconds=LEASE_SECONDS * 3, path="/query$", times=1)
    working = place.start_tuned(lease_seconds=LEASE_SECONDS)
    wait_until(lambda: bool(place.small.workspace.requests.counts("anna").get("query")), seconds=30)
    began = time.monotonic()
    while time.monotonic() < began + 2 * LEASE_SECONDS:
        assert place.command("sync-all", *UNPACED) == WELL
    assert working.communicate() == ("", "")
    assert place.execute("SELECT DISTINCT runid FROM notion_sync.database_runs") == [(1,)]
    assert place.differences("anna", "anna", databases) == []


def test_a_lease_outlives_a_connection_that_breaks(place: Place, databases: dict[str, str]) -> None:
    place.small.workspace.faults.add("slow", seconds=LEASE_SECONDS * 3, path="/query$", times=1)
    working = place.start_tuned(lease_seconds=LEASE_SECONDS)
    wait_until(lambda: bool(place.small.workspace.requests.counts("anna").get("query")), seconds=30)
    began = time.monotonic()
    while time.monotonic() < began + 2 * LEASE_SECONDS:
        place.terminate_connections()
        assert place.execute("SELECT 1 FROM notion_sync.accounts WHERE lease_expires_at < clock_timestamp()") == []
        time.sleep(0.2)
    assert working.communicate() == ("", "")
    assert place.differences("anna", "anna", databases) == []
