"""How long others wait for a table while `init` adopts it: `python -m bench.adoption [--rows N]`.

An application's table of N rows, their ids written in two ways, on a server of its own with PostgreSQL's own settings.
A reader, a writer of rows that there are and a writer of new rows go on all the while, each in a session of its own;
what each waited longest is printed, beside how long `init` took, and once more for the form of one transaction.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from notion_pg_sync.embedded.server import EmbeddedPostgres

ROOT = Path(__file__).parents[1]
SCHEMA = ROOT / "tests" / "mirror" / "app_schema.sql"
FILL = """
    INSERT INTO notion_characters_sync (notion_page_id, notion_database_id, user_id, name, description, properties)
    SELECT CASE n % 10 WHEN 0 THEN upper(page) ELSE page END, 'd', 'user ' || n % 300, 'Name ' || n,
           repeat('text ', 40), jsonb_build_object('Name', n, 'Notes', repeat('x', 200))
    FROM (SELECT n, gen_random_uuid()::text AS page FROM generate_series(1, {rows}) AS n) AS pages
"""
READ = "SELECT count(*) FROM (SELECT FROM notion_characters_sync LIMIT 1) AS found"
CHANGE = """
    UPDATE notion_characters_sync SET name = 'again'
    WHERE id = (SELECT id FROM notion_characters_sync TABLESAMPLE SYSTEM (0.1) LIMIT 1)
"""
ADD = """
    INSERT INTO notion_characters_sync (notion_page_id, notion_database_id, user_id)
    VALUES (gen_random_uuid()::text, 'd', 'new')
"""


@dataclass
class Watch:
    """A session that does one thing again and again; `longest` is how long it waited for it once, in seconds."""

    statement: str
    longest: float = 0.0
    times: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)

    def begin(self, database_url: str) -> threading.Thread:
        """Starts it."""
        thread = threading.Thread(target=self._watch, args=(database_url,))
        thread.start()
        return thread

    def end(self) -> None:
        """Lets it come to its end."""
        self._stop.set()

    def _watch(self, database_url: str) -> None:
        with psycopg.connect(database_url, autocommit=True) as connection:
            while not self._stop.is_set():
                began = time.perf_counter()
                connection.execute(self.statement.encode())
                self.longest = max(self.longest, time.perf_counter() - began)
                self.times += 1
                time.sleep(0.01)


@contextmanager
def application(rows: int) -> Iterator[str]:
    """A server with the application's tables."""
    folder = Path(tempfile.mkdtemp(prefix="notion-pg-sync-adoption."))
    try:
        with EmbeddedPostgres(folder, {}) as server:
            with psycopg.connect(server.url, autocommit=True) as connection:
                connection.execute(SCHEMA.read_bytes())
                connection.execute(FILL.format(rows=rows).encode())
                connection.execute("CHECKPOINT")
            yield server.url
    finally:
        shutil.rmtree(folder)


def command(database_url: str, *arguments: str) -> str:
    """Runs `init` to its end; what it printed."""
    words = [sys.executable, "-m", "notion_pg_sync", "init", *arguments]
    environment = {**os.environ, "DATABASE_URL": database_url}
    return subprocess.run(words, env=environment, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


def by_init(database_url: str) -> None:
    """As a person does it."""
    command(database_url, "--yes")


def by_migration(database_url: str) -> None:
    """As a migration tool does it."""
    printed = command(database_url, "--sql", "--no-transaction")
    with psycopg.connect(database_url) as connection:
        connection.execute(printed.encode())


def measure(rows: int, adopt: Callable[[str], None]) -> str:
    """Adopts while others work; what it came to, in words."""
    watches = {"reader": Watch(READ), "changing writer": Watch(CHANGE), "adding writer": Watch(ADD)}
    with application(rows) as database_url:
        threads = [watch.begin(database_url) for watch in watches.values()]
        began = time.perf_counter()
        try:
            adopt(database_url)
        finally:
            took = time.perf_counter() - began
            for watch in watches.values():
                watch.end()
            for thread in threads:
                thread.join()
    waits = ", ".join(f"{name} {watch.longest:.2f} s (of {watch.times:,})" for name, watch in watches.items())
    return f"{rows:,} rows, {adopt.__name__}: {took:.1f} s; longest waits: {waits}"


def main() -> None:
    """Measures both ways."""
    parser = argparse.ArgumentParser(prog="python -m bench.adoption", description=__doc__)
    parser.add_argument("--rows", type=int, default=300_000)
    rows = parser.parse_args().rows
    for adopt in (by_init, by_migration):
        print(measure(rows, adopt), flush=True)


if __name__ == "__main__":
    main()
