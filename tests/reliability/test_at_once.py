"""Any number of `sync-all` at once share the work: no error, no deadlock, nobody synced twice."""

from __future__ import annotations

import json
from collections import Counter

import psycopg
import pytest

from tests.reliability.conftest import UNPACED, Place
from tests.waiting import wait_until

USERS = 12


def connect(place: Place) -> tuple[list[str], dict[str, str]]:
    """Many users who share databases; returns them, and the databases by name."""
    workspace = place.small.workspace
    # Views of the same names, shared by all: whoever makes one has the others wait.
    databases = {name: place.small.databases[name] for name in ("Worlds", "Three", "Characters")}
    users = [f"user-{number:02}" for number in range(USERS)]
    for user in users:
        secret = workspace.add_token(user).secret
        for name in databases:
            workspace.share(user, name)
        place.connect(user, secret, json.dumps(databases))
        place.execute("INSERT INTO notion_sync.accounts (user_id, views) VALUES (%s, true)", user)
    return users, databases


@pytest.mark.parametrize("processes", [2, 4, 8])
def test_processes_side_by_side_share_the_work(place: Place, processes: int) -> None:
    workspace = place.small.workspace
    workspace.configure(latency=0.05)
    users, databases = connect(place)
    with psycopg.connect(place.database_url) as gate:
        # Nobody begins before all have started: a run syncs whoever was not synced since it started.
        gate.execute("LOCK TABLE notion_sync.accounts IN EXCLUSIVE MODE")
        started = [place.start("sync-all", "--jobs", "3", *UNPACED) for _ in range(processes)]
        wait_until(lambda: len(place.unfinished()) == processes, seconds=60)
    ended = [process.communicate(timeout=100) for process in started]
    assert ended == [("", "")] * processes
    assert [process.returncode for process in started] == [0] * processes
    # By what Notion was asked: each user's databases once.
    asked = Counter((one.token, one.path) for one in workspace.requests.all() if one.kind == "data_source")
    assert set(asked.values()) == {1}
    assert len(asked) == USERS * len(databases)
    for user in users:
        assert place.differences(user, user, databases) == []
    runs = place.execute("SELECT user_id, count(DISTINCT runid), count(*) FROM notion_sync.database_runs GROUP BY 1")
    assert sorted(runs) == [(user, 1, len(databases)) for user in users]
    ((shared_by,),) = place.execute("SELECT count(DISTINCT runid) FROM notion_sync.database_runs")
    print(f"{processes} processes, {shared_by} of them found something to do")
    assert int(str(shared_by)) >= 2
    assert place.leases() == place.unfinished() == []


def test_a_process_that_starts_a_little_later_does_nobody_again(place: Place) -> None:
    """As where the crons of two hosts are not quite at the same time."""
    place.small.workspace.configure(latency=0.05)
    users, databases = connect(place)
    first = place.start("sync-all", "--jobs", "3", *UNPACED)
    wait_until(lambda: len(place.small.workspace.requests.all()) > 0, seconds=60)
    second = place.start("sync-all", "--jobs", "3", *UNPACED)
    assert [process.communicate(timeout=100) for process in (first, second)] == [("", "")] * 2
    asked = Counter((one.token, one.path) for one in place.small.workspace.requests.all() if one.kind == "data_source")
    assert set(asked.values()) == {1}
    assert len(asked) == len(users) * len(databases)
