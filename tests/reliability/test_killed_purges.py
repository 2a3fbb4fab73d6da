"""A run that is killed while it takes out what is excluded, anywhere: one more run, and nothing of it is left."""

from __future__ import annotations

import json
import random
import subprocess
import threading
from collections.abc import Callable

import pytest
from notion_workspace.literals import number, rich_text, select, title

from tests.mirror.freezing import PG_DUMP
from tests.reliability.conftest import UNPACED, WELL, Place
from tests.reliability.proxy import PostgresProxy

ROWS = 30
STAFF = {"Name": title(), "Salary": number(), "Notes": rich_text(), "Grade": select("Ochre", "Viridian")}
EXCLUDED = ["Salary", "Notes", "Grade"]
SECRETS = ("7392017392", "quince", "Ochre")


def left(place: Place) -> list[str]:
    """What is still in the database of what is excluded."""
    command = [str(PG_DUMP), "--inserts", place.database_url]
    dumped = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [secret for secret in SECRETS if secret in dumped]


@pytest.fixture
def write(place: Place) -> Callable[[list[str]], None]:
    """Says what is excluded of a database that was mirrored with views and has a removed page."""
    workspace = place.small.workspace
    values = {"Salary": 7392017392, "Notes": "likes quince", "Grade": "Ochre"}
    handle = workspace.add_database("Staff", STAFF, [{"Name": f"Row {row}", **values} for row in range(ROWS)])
    workspace.share("anna", handle.id)
    place.connect("anna", place.small.tokens["anna"], json.dumps({"Staff": handle.id}))
    place.execute("INSERT INTO notion_sync.accounts (user_id, views) VALUES ('anna', true)")
    assert place.command("sync-all", *UNPACED) == WELL
    workspace.trash_page(workspace.page_ids("Staff")[0])
    assert place.command("sync-all", *UNPACED) == WELL

    def say(exclude: list[str]) -> None:
        written = json.dumps({"Staff": {"id": handle.id, "exclude": exclude}})
        place.execute("UPDATE user_settings SET notion_databases = %s::jsonb", written)

    return say


def run(place: Place, kill_before: int | None = None) -> int:
    """Runs `sync-all`, killed before so many messages to PostgreSQL have passed; returns how many there were."""
    started = threading.Event()
    processes: list[subprocess.Popen[str]] = []

    def kill() -> None:
        started.wait()
        processes[0].kill()

    with PostgresProxy(place.database_url, kill_before, kill) as proxy:
        processes.append(place.start("sync-all", *UNPACED, DATABASE_URL=proxy.url))
        started.set()
        processes[0].communicate()
    return proxy.messages


@pytest.mark.timeout(3600)
def test_after_a_kill_the_next_run_leaves_nothing(
    place: Place, write: Callable[[list[str]], None], chance: random.Random, kills: int
) -> None:
    write(EXCLUDED)
    messages = run(place)
    assert left(place) == []
    unfinished = 0
    for kill in range(kills):
        write([])
        assert place.command("sync-all", *UNPACED) == WELL
        assert left(place) == list(SECRETS)
        write(EXCLUDED)
        run(place, 1 + int((kill + chance.random()) * messages / kills))
        unfinished += len(place.unfinished())
        assert place.command("sync-all", *UNPACED) == WELL
        assert left(place) == []
    assert unfinished * 3 > kills
