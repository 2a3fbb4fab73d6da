"""Many accounts in one process: what each database of theirs costs, and how many connections they take at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import LiteralString
from urllib.parse import urlsplit

import psutil
import psycopg

from bench.peers.contenders import Contender
from bench.stand import Case, Line, Measured, Stand

DATABASES, ROWS = 5, 20
LATENCY_SECONDS = 0.3
USERS, TURNS = 300, 3


# How many other sessions there are.
_OTHERS: LiteralString = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
)


@dataclass
class Connections:
    """The most connections that were seen at one time."""

    to_postgresql: int = 0
    to_notion: int = 0


@dataclass(frozen=True)
class _Work:
    """What PostgreSQL counted so far: transactions, and statements but for those that begin, set and commit."""

    transactions: int
    statements: int | None


@dataclass(frozen=True)
class _Run:
    """A measured run, and what PostgreSQL had counted before and after it."""

    measured: Measured
    before: _Work
    after: _Work

    @property
    def transactions(self) -> int:
        """How many there were."""
        return self.after.transactions - self.before.transactions

    @property
    def statements(self) -> int | None:
        """How many there were; None where PostgreSQL did not count them."""
        if self.before.statements is None or self.after.statements is None:
            return None
        return self.after.statements - self.before.statements

    def of_each(self, databases: int) -> str:
        """What each of so many databases cost."""
        statements = "not counted" if self.statements is None else f"{self.statements / databases:.1f}"
        return (
            f"a database: {self.measured.cpu_seconds / databases * 1000:.1f} ms CPU, "
            f"{self.transactions / databases:.1f} transactions, {statements} statements"
        )

    def shares(self, was: _Run) -> str:
        """What it took of what another took."""
        shares = {
            "CPU": (self.measured.cpu_seconds, was.measured.cpu_seconds),
            "PostgreSQL's CPU": (self.measured.postgres_cpu_seconds, was.measured.postgres_cpu_seconds),
            "transactions": (self.transactions, was.transactions),
            "statements": (self.statements, was.statements),
        }
        told = [f"{now / then:.0%} of the {what}" for what, (now, then) in shares.items() if now and then]
        return ", ".join(told)


def many_accounts(users: int) -> Case:
    """Users of 5 databases of 20 rows, at 300 ms: a first read, and one in which nothing changed."""

    def case(stand: Stand) -> Iterator[Line]:
        _connect([stand], users, DATABASES)
        stand.steer("configure", latency=LATENCY_SECONDS)
        for what in ("first read", "nothing changed"):
            before = _work(stand)
            with _connections_of(stand) as most:
                measured = stand.sync_all()
            yield Line(
                f"{users:,} users of {DATABASES} databases, 300 ms, {what}",
                users * DATABASES * ROWS,
                measured,
                f"{_Run(measured, before, _work(stand)).of_each(users * DATABASES)}; connections at once: "
                f"{most.to_postgresql} to PostgreSQL, {most.to_notion} to Notion",
            )
            stand.steer("clock.advance", seconds=3600)

    return case


def unchanged(earlier: Contender, now: Contender, *, users: int, turns: int) -> Case:
    """Users of 4 databases of 20 rows, at 300 ms, nothing changed: by turns the tool as it was, and as it is.

    Of several turns the one with the least CPU counts: others use the processors too.
    """
    databases = 4

    def case(stand: Stand) -> Iterator[Line]:
        with stand.beside(earlier.initialises) as old, stand.beside(now.initialises) as new:
            _connect([old, new], users, databases)
            first = [one.sync_all() for one in (old, new)]
            assert all(one.requests for one in first)
            stand.steer("configure", latency=LATENCY_SECONDS)
            pairs = []
            for _ in range(turns):
                stand.steer("clock.advance", seconds=3600)
                pairs.append((_counted(old), _counted(new)))
        was, is_ = (min(runs, key=lambda run: run.measured.cpu_seconds) for runs in zip(*pairs, strict=True))
        for what, run in (("as it was", was), ("as it is", is_)):
            note = run.of_each(users * databases)
            if run is is_:
                note += f"; {is_.shares(was)}"
            yield Line(
                f"{users:,} users of {databases} databases, 300 ms, nothing changed, {what}", 0, run.measured, note
            )

    return case


def _counted(stand: Stand) -> _Run:
    before = _work(stand)
    measured = stand.sync_all()
    return _Run(measured, before, _work(stand))


def _connect(stands: Sequence[Stand], users: int, count: int) -> None:
    """Adds users with a token each, who share the same databases."""
    stand = stands[0]
    stand.add_token("user0")
    databases = {
        name: stand.add_database(name, "user0", rows=ROWS, seed=number)[0]
        for number, name in enumerate(f"Base {number}" for number in range(count))
    }
    for number in range(1, users + 1):
        label = f"user{number}"
        token = stand.add_token(label)
        for database_id in databases.values():
            stand.steer("share", token=label, database=database_id)
        for one in stands:
            one.connect(label, token, databases)


def _work(stand: Stand) -> _Work:
    with psycopg.connect(stand.database_url, autocommit=True) as connection:
        # A session tells what it did by its end, which comes after that of its process.
        while connection.execute(_OTHERS).fetchone() != (0,):
            time.sleep(0.01)
        counted = connection.execute(
            "SELECT pg_stat_force_next_flush(), sum(xact_commit) FROM pg_stat_database"
            " WHERE datname = current_database()"
        ).fetchone()
        assert counted is not None
        try:
            connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements SCHEMA public")
            for setting in ("track = 'top'", "track_utility = off"):
                connection.execute(f"ALTER DATABASE {connection.info.dbname} SET pg_stat_statements.{setting}".encode())
            found = connection.execute(
                "SELECT coalesce(sum(calls), 0) FROM public.pg_stat_statements"
                " WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())"
            ).fetchone()
        except psycopg.errors.ObjectNotInPrerequisiteState:
            # PostgreSQL was started without it.
            return _Work(counted[1], None)
    assert found is not None
    return _Work(counted[1], int(found[0]))


@contextmanager
def _connections_of(stand: Stand) -> Iterator[Connections]:
    """The connections that are there within the block, looked at twice a second."""
    most = Connections()
    is_over = threading.Event()
    port = urlsplit(stand.url).port

    def sample() -> None:
        with psycopg.connect(stand.database_url, autocommit=True) as connection:
            while not is_over.wait(0.5):
                found = connection.execute(_OTHERS).fetchone()
                most.to_postgresql = max(most.to_postgresql, found[0] if found else 0)
                for child in psutil.Process().children():
                    # It may have ended meanwhile.
                    with suppress(psutil.Error):
                        if "sync-all" in child.cmdline():
                            there = [one.raddr for one in child.net_connections("tcp")]
                            most.to_notion = max(most.to_notion, sum(bool(one) and one.port == port for one in there))

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield most
    finally:
        is_over.set()
        thread.join()
