"""An application that writes the same rows in another order, all the time: deadlocks, and commands that succeed.

The application's transactions are serializable or of repeatable read, as its database's default has it; the tool's own
are neither, whatever the default. `pytest tests/reliability/test_conflicting_writers.py --rounds 40 -n 0` is the long
form (some minutes).
"""

from __future__ import annotations

import json
import random
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg
import pytest
from notion_workspace import SmallWorkspace, WorkspaceServer
from notion_workspace.literals import number, rich_text, title
from psycopg import IsolationLevel, errors, sql
from psycopg.conninfo import conninfo_to_dict

from notion_pg_sync.settings import Settings
from tests.cli.conftest import Command
from tests.installation import Installation
from tests.reliability.conftest import UNPACED, WELL, Place
from tests.waiting import wait_until

WRITTEN = 40
ENDED_A_RUNS = "transactions of runs that met a deadlock for sure"

# What an application has at its table: a column of its own, and a trigger that writes into another table.
TRIGGER = """
    ALTER TABLE notion_pages_sync ADD COLUMN seen bigint NOT NULL DEFAULT 0;
    CREATE TABLE page_audit (notion_page_id text PRIMARY KEY, changes bigint NOT NULL DEFAULT 1);
    CREATE FUNCTION audit_page() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO page_audit (notion_page_id) VALUES (coalesce(NEW.notion_page_id, OLD.notion_page_id))
        ON CONFLICT (notion_page_id) DO UPDATE SET changes = page_audit.changes + 1;
        RETURN NULL;
    END $$;
    CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON notion_pages_sync
        FOR EACH ROW EXECUTE FUNCTION audit_page();
    DELETE FROM user_settings;
    ALTER TABLE user_settings ALTER COLUMN auto_sync_enabled SET DEFAULT true
"""
SEE = "UPDATE notion_pages_sync SET seen = seen + 1 WHERE user_id = 'anna' AND notion_page_id = %s"


def meet(
    database_url: str,
    first: tuple[str, str],
    then: tuple[str, str],
    is_in_the_way: threading.Event,
    is_over: threading.Event,
) -> bool:
    """Does one thing (a statement, and its parameter) in a transaction, and another when somebody waits for the first.

    Who waits is to have done the other, and waits in a circle then: PostgreSQL ends the transaction of who waited
    first. Returns whether somebody waited before all was over.
    """
    with psycopg.connect(database_url) as connection, psycopg.connect(database_url, autocommit=True) as onlooker:
        # Nothing ends this transaction: of this isolation none is ended for what it read, and others lose patience
        # sooner.
        connection.isolation_level = IsolationLevel.READ_COMMITTED
        connection.execute("SET deadlock_timeout = '30s'")
        connection.execute(first[0].encode(), (first[1],))
        is_in_the_way.set()

        def is_waited_for() -> bool:
            query = "SELECT FROM pg_stat_activity WHERE %s = ANY (pg_blocking_pids(pid))"
            return onlooker.execute(query, (connection.info.backend_pid,)).rowcount > 0

        wait_until(lambda: is_over.is_set() or is_waited_for())
        is_met = not is_over.is_set()
        connection.execute(then[0].encode(), (then[1],))
    return is_met


@dataclass
class Application:
    """Writers that go on to the end: two write pairs of `pages` in any order, and conflict as chance has it.

    The third writes `both_ends`. When it is told to, it writes the last of those first, and the first when a run waits
    for the last, which has written the first: the run's transaction is ended.
    """

    database_url: str
    chance: random.Random
    pages: Sequence[str]
    both_ends: tuple[str, str]
    # Each page as often as it was written, and what was met meanwhile.
    seen: list[str] = field(default_factory=list)
    met: list[str] = field(default_factory=list)
    is_over: threading.Event = field(default_factory=threading.Event)
    is_to_meet: threading.Event = field(default_factory=threading.Event)
    is_in_the_way: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        with ThreadPoolExecutor(max_workers=3) as threads:
            works = (self._write_pairs, self._write_pairs, self._write_both_ends)
            writers = [threads.submit(work) for work in works]
            try:
                yield
            finally:
                self.is_over.set()
                for writer in writers:
                    writer.result()

    def get_in_the_way(self) -> None:
        """The next run that writes `both_ends` meets a deadlock."""
        self.is_in_the_way.clear()
        self.is_to_meet.set()
        assert self.is_in_the_way.wait(60)

    def _write_pairs(self) -> None:
        with psycopg.connect(self.database_url) as connection:
            # Usually its own transaction is ended: that of a run is by the third writer, for sure and no more often.
            connection.execute("SET deadlock_timeout = '100ms'")
            connection.commit()
            while not self.is_over.is_set():
                self._write(connection, self.chance.sample(self.pages, 2))

    def _write_both_ends(self) -> None:
        with psycopg.connect(self.database_url) as connection:
            while not self.is_over.is_set():
                if self.is_to_meet.is_set():
                    self._meet()
                else:
                    self._write(connection, self.both_ends)

    def _write(self, connection: psycopg.Connection, pages: Sequence[str]) -> None:
        """One transaction, given up where it conflicts, as the application's users know it."""
        try:
            with connection.transaction():
                for page in pages:
                    connection.execute(SEE, (page,))
        except (errors.DeadlockDetected, errors.SerializationFailure) as error:
            self.met.append(type(error).__name__)
        else:
            self.seen += pages

    def _meet(self) -> None:
        first, last = self.both_ends
        if meet(self.database_url, (SEE, last), (SEE, first), self.is_in_the_way, self.is_over):
            self.met.append(ENDED_A_RUNS)
        self.seen += self.both_ends
        self.is_to_meet.clear()


@pytest.fixture
def adopting_place(database_url: str, small: SmallWorkspace, app_schema: str) -> Iterator[Place]:
    """A place whose sync tables are an application's, with a trigger of its own."""
    with WorkspaceServer(small.workspace) as server:
        settings = Settings(database_url=database_url, notion_base_url=server.url)
        command = Command({"DATABASE_URL": database_url, "NOTION_BASE_URL": server.url})
        place = Place(command, small, database_url, installation=Installation(settings, small.workspace))
        place.execute(app_schema)
        place.execute(TRIGGER)
        assert command("init", "--yes").code == 0
        yield place


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("isolation", ["serializable", "repeatable read"])
def test_runs_succeed_beside_an_application_that_writes_the_same_rows(
    adopting_place: Place, chance: random.Random, rounds: int, isolation: str
) -> None:
    place, workspace = adopting_place, adopting_place.small.workspace
    runs = max(4, rounds // 2)
    rows = [{"Name": f"page {index}", "Note": "as it was"} for index in range(WRITTEN + runs)]
    handle = workspace.add_database("Pages", {"Name": title(), "Note": rich_text(), "Count": number()}, rows)
    workspace.share("anna", handle.id)
    databases = {"Pages": handle.id}
    place.connect("anna", place.small.tokens["anna"], json.dumps(databases))
    name = sql.Identifier(str(conninfo_to_dict(place.database_url)["dbname"])).as_string()
    place.execute(f"ALTER DATABASE {name} SET default_transaction_isolation = '{isolation}'")
    assert place.command("sync-all", *UNPACED) == WELL
    first, *others, last = workspace.page_ids("Pages")
    leaving, staying = others[:runs], others[runs:]
    application = Application(place.database_url, chance, staying[:20], (first, last))
    with application.at_work():
        for run in range(runs):
            workspace.clock.advance(3600)
            # Edited a minute apart, so that this is the order in which Notion lists them, and a run writes them.
            for page in (first, *staying, last):
                workspace.edit_page(page, {"Note": f"edited before run {run}", "Count": chance.randrange(1000)})
                workspace.clock.advance(60)
            workspace.trash_page(leaving[run])
            workspace.add_page("Pages", {"Name": f"added before run {run}"})
            workspace.clock.advance(3600)
            application.get_in_the_way()
            full = ("--full",) if run % 3 == 2 or run == runs - 1 else ()
            assert place.command("sync-all", *UNPACED, *full) == WELL
            assert application.met.count(ENDED_A_RUNS) == run + 1
    print(", ".join(f"{what}: {count}" for what, count in sorted(Counter(application.met).items())))
    assert place.differences("anna", "anna", databases) == []
    # Nothing that the application wrote is lost either.
    found = place.execute("SELECT notion_page_id, seen FROM notion_pages_sync WHERE seen > 0")
    assert {str(page): seen for page, seen in found} == Counter(application.seen)
    assert place.leases() == place.unfinished() == []


@pytest.mark.parametrize(
    ("arguments", "left"),
    [
        (("connect", "anna", "--database", "Worlds", "--yes", "--no-sync"), 1),
        (("forget", "anna", "--disconnect", "--yes"), 0),
    ],
    ids=["connect", "forget"],
)
def test_so_do_commands_that_write_for_one_user(place: Place, arguments: tuple[str, ...], left: int) -> None:
    """They write the user's row in `user_settings` and then the account; here an application does so the other way."""
    place.connect_everybody()
    account = "INSERT INTO notion_sync.accounts (user_id) VALUES (%s) ON CONFLICT (user_id) DO UPDATE SET views = true"
    user = "UPDATE user_settings SET updated_at = now() WHERE user_id = %s"
    is_in_the_way, is_over = threading.Event(), threading.Event()
    with ThreadPoolExecutor(max_workers=1) as threads:
        met = threads.submit(meet, place.database_url, (account, "anna"), (user, "anna"), is_in_the_way, is_over)
        assert is_in_the_way.wait(60)
        ended = place.command(*arguments, given=place.small.tokens["anna"])
        is_over.set()
    assert (ended.code, ended.err) == (0, "")
    assert met.result()
    ((accounts,),) = place.execute("SELECT count(*) FROM notion_sync.accounts WHERE user_id = 'anna'")
    assert accounts == left
    ((connected,),) = place.execute("SELECT count(notion_token) FROM user_settings WHERE user_id = 'anna'")
    assert connected == left
