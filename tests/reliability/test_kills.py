"""A run that is killed, anywhere: one more run, and the copy is exact, with nothing lost and nothing doubled.

`pytest tests/reliability/test_kills.py --kills 200 --rows 20000 -n 0` is the long form (some minutes).
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import threading
import time
from dataclasses import dataclass, field

import pytest
from notion_workspace import Request
from notion_workspace.literals import checkbox, number, rich_text, title

from tests.reliability.conftest import UNPACED, WELL, Place
from tests.reliability.proxy import PostgresProxy
from tests.waiting import wait_until

ROWS = 130
PROPERTIES = {"Name": title(), "Count": number(), "Note": rich_text(), "Done": checkbox()}
# Changes that do not begin where the one before them ended, or do not end with the row.
BROKEN_HISTORY = """
    WITH told AS (
        SELECT page_id, kind, key, old -> key AS old, new -> key AS new,
               lag(new -> key) OVER of_value AS before, row_number() OVER of_value AS number,
               lead(change_id) OVER of_value IS NULL AS is_newest
        FROM notion_sync.page_changes
        CROSS JOIN LATERAL jsonb_object_keys(coalesce(old, '{}') || coalesce(new, '{}')) AS key
        WHERE user_id = %s
        WINDOW of_value AS (PARTITION BY page_id, key ORDER BY change_id)
    )
    SELECT count(*) FROM told LEFT JOIN notion_pages_sync AS page USING (page_id)
    WHERE (number > 1 AND told.old IS DISTINCT FROM before)
       OR (is_newest AND kind <> 'removed' AND key <> 'url' AND new IS DISTINCT FROM page.fields -> key)
       OR (is_newest AND kind = 'removed' AND page.page_id IS NOT NULL)
"""
SYNCS = {"first": (), "full": ("--full",), "incremental": ()}


@dataclass
class Target:
    """Databases of a user who works in Notion between any two runs; each round has syncs of one kind."""

    place: Place
    chance: random.Random
    databases: dict[str, str] = field(default_factory=dict)
    user_id: str = ""
    trashed: int = 0
    changed: int = 0

    def add_user(self) -> None:
        """Connects a user who was never synced, to databases whose views were never made."""
        number_ = len(self.place.execute("SELECT 1 FROM user_settings"))
        workspace = self.place.small.workspace
        self.databases = {}
        for name, rows in (("Busy", ROWS), ("Quiet", 7)):
            unlike = f"{name} {number_}"
            handle = workspace.add_database(
                unlike, PROPERTIES, [{"Name": f"{name} {row}", "Count": row} for row in range(rows)], pace=11.0
            )
            workspace.share("anna", handle.id)
            self.databases[unlike] = handle.id
        self.user_id, self.trashed, self.changed = f"user-{number_}", 0, 0
        self.place.execute("UPDATE user_settings SET auto_sync_enabled = false")
        self.place.connect(self.user_id, self.place.small.tokens["anna"], json.dumps(self.databases))
        self.place.execute("INSERT INTO notion_sync.accounts (user_id, views) VALUES (%s, true)", self.user_id)

    def edit(self, sync: str) -> None:
        """What people do: edits, new rows and, where the next sync is to see it, removals."""
        workspace = self.place.small.workspace
        workspace.clock.advance(20 * 60)
        for database in self.databases.values():
            (source,) = self.place.installation.data_sources_of(database)
            pages = workspace.page_ids(source)
            edited = self.chance.sample(pages, len(pages) // 2)
            for page in edited:
                workspace.edit_page(
                    page, {"Count": self.chance.randrange(10**6), "Note": "n" * self.chance.randrange(900)}
                )
            workspace.add_page(source, {"Name": "new", "Done": True})
            # One of each page: one that is edited and then leaves, leaves.
            self.changed += len({*edited, *(pages[:1] if sync == "full" else [])}) + 1
            if sync == "full":
                workspace.trash_page(pages[0])
                self.trashed += 1

    def prepare(self, sync: str) -> None:
        if sync == "first":
            self.add_user()
        else:
            self.edit(sync)

    def wrong(self) -> list[str]:
        """All that is not as it is to be after a run that ended well."""
        lines = self.place.differences(self.user_id, "anna", self.databases)
        rows = {name: len(self.place.small.workspace.truth(name, "anna")) for name in self.databases}
        views = self.place.view_rows(self.user_id)
        if views != rows:
            lines.append(f"the views have {views}, not {rows}")
        removed = self.place.execute(
            "SELECT count(*), count(DISTINCT page_id) FROM notion_sync.removed_pages WHERE user_id = %s",
            self.user_id,
        )
        if removed != [(self.trashed, self.trashed)]:
            lines.append(f"removed pages: {removed}, not {self.trashed}")
        told = self.place.execute(
            "SELECT count(*) FROM notion_sync.page_changes WHERE user_id = %s AND reason IS DISTINCT FROM 'address'",
            self.user_id,
        )
        if told != [(self.changed,)] or self.place.execute(BROKEN_HISTORY, self.user_id) != [(0,)]:
            lines.append(f"the history tells {told} changes, not {self.changed}, or they do not follow one another")
        if self.place.leases() or self.place.unfinished():
            lines.append(f"left over: leases {self.place.leases()}, runs {self.place.unfinished()}")
        return lines


@pytest.fixture
def target(place: Place, chance: random.Random) -> Target:
    target = Target(place, chance)
    target.add_user()
    return target


def sync_all(sync: str) -> tuple[str, ...]:
    return ("sync-all", *UNPACED, "--page-size", "25", *SYNCS[sync])


def run_killed_before_message(target: Target, sync: str, number_: int) -> None:
    """A run through a proxy that kills its process instead of passing its `number_`-th message on."""
    started = threading.Event()
    processes: list[subprocess.Popen[str]] = []

    def kill() -> None:
        started.wait()
        processes[0].kill()

    with PostgresProxy(target.place.database_url, number_, kill) as proxy:
        processes.append(target.place.start(*sync_all(sync), DATABASE_URL=proxy.url))
        started.set()
        processes[0].communicate()


def run_killed_after(target: Target, sync: str, seconds: float) -> None:
    """A run whose process is killed so long after its first message, wherever it is then."""
    with PostgresProxy(target.place.database_url) as proxy:
        process = target.place.start(*sync_all(sync), DATABASE_URL=proxy.url)
        wait_until(lambda: proxy.messages > 0, seconds=20)
        time.sleep(seconds)
        process.kill()
        process.communicate()


def whole_run(target: Target, sync: str) -> tuple[int, float]:
    """How many messages a run sends that nobody kills, and how many seconds it takes from the first on."""
    with PostgresProxy(target.place.database_url) as proxy:
        process = target.place.start(*sync_all(sync), DATABASE_URL=proxy.url)
        wait_until(lambda: proxy.messages > 0, seconds=20)
        began = time.monotonic()
        assert process.communicate() == ("", "")
    assert target.wrong() == []
    return proxy.messages, time.monotonic() - began


def assert_next_run_mends_it(target: Target, sync: str) -> bool:
    """Returns whether the killed run had begun and not ended."""
    dead = target.place.unfinished()
    assert target.place.command(*sync_all(sync)) == WELL
    assert target.wrong() == []
    records = target.place.execute(
        "SELECT status, return_message FROM notion_sync.job_run_details WHERE runid = ANY (%s)", dead
    )
    assert all(status == "failed" and "the process went away" in str(message) for status, message in records)
    assert len(records) == len(dead)
    running = target.place.execute(
        "SELECT 1 FROM notion_sync.database_runs WHERE status NOT IN ('succeeded', 'failed')"
    )
    assert running == []
    return bool(dead)


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("sync", SYNCS)
def test_after_a_kill_the_next_run_makes_the_copy_exact(
    target: Target, chance: random.Random, kills: int, sync: str
) -> None:
    share = -(-kills // len(SYNCS))
    if sync != "first":
        whole_run(target, "first")
    target.prepare(sync)
    messages, seconds = whole_run(target, sync)
    unfinished = 0
    for kill in range(share):
        target.prepare(sync)
        if kill % 4 == 3:
            run_killed_after(target, sync, seconds * chance.random())
        else:
            # Spread over the whole run, and by chance within each stretch of it.
            run_killed_before_message(target, sync, 1 + int((kill + chance.random()) * messages / share))
        unfinished += assert_next_run_mends_it(target, sync)
    print(f"{share} kills of {sync} syncs of {messages} messages, {unfinished} of them in the midst of a run")
    assert unfinished * 3 > share


def test_a_full_read_that_was_killed_is_carried_on(place: Place, rows: int) -> None:
    workspace = place.small.workspace
    handle = workspace.add_generated_database("Rows", rows)
    workspace.share("anna", handle.id)
    place.connect("anna", place.small.tokens["anna"], json.dumps({"Rows": handle.id}))
    page_size, concurrency = 25, 2
    queries = rows // page_size
    asked = 0
    processes: list[subprocess.Popen[str]] = []

    def kill_at_nine_tenths(request: Request) -> None:
        nonlocal asked
        asked += request.path.endswith("/query")
        if asked == queries * 9 // 10 and processes:
            processes.pop().kill()

    workspace.on_request(kill_at_nine_tenths)
    arguments = ("sync-all", *UNPACED, "--page-size", str(page_size), "--concurrency", str(concurrency))
    process = place.start(*arguments)
    processes.append(process)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    asked_by_the_first = asked
    workspace.requests.clear()
    assert place.command(*arguments) == WELL
    assert place.differences("anna", "anna", {"Rows": handle.id}) == []
    needed = sum(workspace.requests.counts("anna").values())
    print(f"killed after {asked_by_the_first} of about {queries} queries; the next run made {needed} requests")
    # A tenth; what was under way, waited in the queue or was being written; a few at the edges of what is left, and for
    # what was edited since.
    assert needed <= queries // 10 + 10 * concurrency + 5
