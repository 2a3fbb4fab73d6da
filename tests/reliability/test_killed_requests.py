"""A request's number is never lost, whatever is killed: each ends once, and what it asked for is in the copy.

`pytest tests/reliability/test_killed_requests.py --kills 120 -n 0` is the long form (some minutes).
"""

from __future__ import annotations

import json
import random
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg
import pytest
from notion_workspace.literals import number, title

from tests.reliability.conftest import UNPACED, WELL, Place
from tests.reliability.proxy import PostgresProxy
from tests.waiting import wait_until

SYNC_ALL = ("sync-all", *UNPACED, "--page-size", "25")
ROWS = {"Busy": 130, "Quiet": 7, "Slow": 30}
NOBODY = "0a1b2c3d-0000-4000-8000-00000000000a"


@dataclass
class Application:
    """Asks for what somebody edits in Notion a moment before, and keeps the numbers that it was told.

    Nothing is synced for its user but what it asks for. `vain`: the numbers of requests for what there is not.
    """

    place: Place
    chance: random.Random
    databases: dict[str, str] = field(default_factory=dict)
    numbers: list[int] = field(default_factory=list)
    vain: set[int] = field(default_factory=set)

    def connect(self) -> None:
        workspace = self.place.small.workspace
        for name, rows in ROWS.items():
            handle = workspace.add_database(
                name,
                {"Name": title(), "Count": number()},
                [{"Name": f"{name} {row}"} for row in range(rows)],
                pace=11.0,
            )
            workspace.share("anna", handle.id)
            self.databases[name] = handle.id
        self.place.connect("anna", self.place.small.tokens["anna"], json.dumps(self.databases))
        assert self.place.command(*SYNC_ALL) == WELL
        self.place.execute("UPDATE user_settings SET auto_sync_enabled = false")

    def edit_and_ask(self) -> None:
        """Edits, adds or trashes a page, and asks for it in one way or another."""
        workspace = self.place.small.workspace
        name = self.chance.choice(list(self.databases))
        (source,) = self.place.installation.data_sources_of(self.databases[name])
        pages = workspace.page_ids(source)
        page = self.chance.choice(pages)
        workspace.clock.advance(self.chance.choice([0, 1, 90]))
        match self.chance.randrange(10):
            case 0:
                page = workspace.add_page(source, {"Name": "new"})
            case 1 if len(pages) > ROWS[name] // 2:
                workspace.trash_page(page)
                # An incremental read of the database would not see it.
                self._ask(database_id=self.databases[name], page_id=page)
            case _:
                workspace.edit_page(page, {"Count": self.chance.randrange(10**6)})
        match self.chance.randrange(10):
            case 0:
                self._ask()
            case 1:
                self._ask(database_id=self.databases[name])
            case 2:
                self._ask(database_name=name)
            case 3:
                self._ask(database_id=self.databases[name], page_id=page)
                self.vain.add(self._ask(database_name="Nothing"))
            case 4:
                self._ask(database_id=self.databases[name], page_id=page)
                self.vain.add(self._ask(database_id=NOBODY))
            case _:
                self._ask(database_id=self.databases[name], page_id=page)

    def _ask(self, **wanted: str) -> int:
        """Asks as the SQL functions do; returns the number."""
        given = {"database_id": None, "database_name": None, "page_id": None, **wanted}
        with psycopg.connect(self.place.database_url, autocommit=True) as connection:
            while True:
                new = connection.execute(
                    "INSERT INTO notion_sync.sync_requests (user_id, database_id, database_name, page_id)"
                    " VALUES ('anna', %(database_id)s, %(database_name)s, %(page_id)s)"
                    " ON CONFLICT DO NOTHING RETURNING request_id",
                    given,
                ).fetchone()
                known = (
                    new
                    or connection.execute(
                        "SELECT request_id FROM notion_sync.sync_requests WHERE status = 'waiting' AND runid IS NULL"
                        " AND (database_id, database_name, page_id) IS NOT DISTINCT FROM"
                        " (%(database_id)s::uuid, %(database_name)s::text, %(page_id)s::uuid)",
                        given,
                    ).fetchone()
                )
                # Else it was taken up in between.
                if known:
                    self.numbers.append(int(known[0]))
                    return int(known[0])

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """It edits and asks all the time while the block works."""
        is_over = threading.Event()

        def work() -> None:
            while not is_over.wait(0.03):
                self.edit_and_ask()

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield
        finally:
            is_over.set()
            thread.join()

    def open_requests(self) -> int:
        # A page is read again fifty seconds later at the earliest, which nobody waits for here.
        self.place.execute("UPDATE notion_sync.sync_requests SET started_at = started_at - interval '1 minute'")
        return len(self.place.execute("SELECT 1 FROM notion_sync.sync_requests WHERE status IN ('waiting', 'running')"))

    def let_all_be_served(self) -> None:
        for _ in range(20):
            if not self.open_requests():
                return
            self.place.command(*SYNC_ALL)

    def failed_since_the_connection_was_lost(self) -> set[int]:
        """The numbers of the requests that say so, or that there was none in time: who is told that asks again."""
        failed = self.place.execute(
            "SELECT request_id FROM notion_sync.sync_requests WHERE status = 'failed'"
            " AND (message LIKE '%%connection to PostgreSQL%%' OR message LIKE '%% of 3 databases synced;%%')"
        )
        return {int(str(number_)) for (number_,) in failed}

    def ask_for_all_pages(self) -> None:
        for database in self.databases.values():
            (source,) = self.place.installation.data_sources_of(database)
            for page in self.place.small.workspace.truth(source, "anna"):
                self._ask(database_id=database, page_id=page)


def run_killed_before_message(place: Place, number_: int) -> None:
    """A run through a proxy that kills its process instead of passing its `number_`-th message on."""
    started = threading.Event()
    processes: list[subprocess.Popen[str]] = []

    def kill() -> None:
        started.wait()
        processes[0].kill()

    with PostgresProxy(place.database_url, number_, kill) as proxy:
        processes.append(place.start(*SYNC_ALL, DATABASE_URL=proxy.url))
        started.set()
        processes[0].communicate()


def run_without_its_sessions(place: Place, seconds: float) -> None:
    """A run all of whose sessions are ended so long after its first message; it goes on with others, or fails."""
    with PostgresProxy(place.database_url) as proxy:
        process = place.start(*SYNC_ALL, DATABASE_URL=proxy.url)
        wait_until(lambda: proxy.messages > 0, seconds=60)
        time.sleep(seconds)
        proxy.cut()
        process.communicate()


@pytest.mark.timeout(3600)
def test_no_number_is_lost_and_each_ends_once_with_what_it_asked_for(
    place: Place, chance: random.Random, kills: int
) -> None:
    application = Application(place, chance)
    application.connect()
    for _ in range(20):
        application.edit_and_ask()
    with PostgresProxy(place.database_url) as proxy:
        place.start(*SYNC_ALL, DATABASE_URL=proxy.url).communicate()
    messages = proxy.messages
    taken = 0
    for kill in range(kills):
        with application.at_work():
            if kill % 4 == 3:
                run_without_its_sessions(place, 2 * chance.random())
            else:
                run_killed_before_message(place, 1 + int(messages * chance.random()))
        taken += len(place.execute("SELECT 1 FROM notion_sync.sync_requests WHERE status = 'running'"))
    application.let_all_be_served()
    cut_off = application.failed_since_the_connection_was_lost()
    if cut_off:
        application.ask_for_all_pages()
    application.let_all_be_served()
    ended = {
        int(str(number_)): status
        for number_, status in place.execute("SELECT request_id, status FROM notion_sync.sync_requests")
    }
    assert ended.keys() == set(application.numbers)
    failed = {
        int(str(number_)): message
        for number_, message in place.execute(
            "SELECT request_id, message FROM notion_sync.sync_requests WHERE status = 'failed'"
        )
    }
    odd = {one: failed.get(one) for one in failed.keys() ^ (application.vain | cut_off)}
    assert odd == {}
    assert set(ended.values()) <= {"succeeded", "failed"}
    told = place.execute(
        "SELECT count(*) FROM notion_sync.sync_requests WHERE coalesce(message, '') = '' OR ended_at IS NULL"
    )
    assert told == [(0,)]
    assert place.differences("anna", "anna", application.databases) == []
    assert place.leases() == place.unfinished() == []
    print(f"{len(ended)} requests, {len(application.vain)} in vain, {len(cut_off)} cut off; {taken} were under way")
    assert taken
