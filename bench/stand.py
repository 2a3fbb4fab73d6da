"""What a benchmark stands on: a PostgreSQL, a sample workspace in a process of its own, and measured commands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO
from uuid import uuid4

import psutil
import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from bench.bare_loop import answers
from bench.peak_memory import peaks_of
from bench.processor_time import cpu_seconds_of, postmaster_of

# How the tool is started: a Python, and what it is told.
Program = tuple[str, ...]
HERE: Program = (sys.executable, "-m", "notion_pg_sync")


@dataclass(frozen=True)
class Measured:
    """One or more commands that ran at once: wall and CPU seconds of the tool, of the workspace, peak memory.

    `postgres_cpu_seconds` are those of every process of the PostgreSQL server, None where it is on another machine.
    """

    seconds: float
    cpu_seconds: float
    server_cpu_seconds: float
    peak_megabytes: float
    requests: int
    postgres_cpu_seconds: float | None = None


@dataclass(frozen=True)
class Line:
    """A line of the table; `rows` is what was to be read, `note` says how a target was met."""

    case: str
    rows: int
    measured: Measured
    note: str = ""


class Stand:
    """A workspace and an initialised database; `measure` runs the tool against them."""

    def __init__(self, url: str, server: psutil.Process, database_url: str, program: Program) -> None:
        self.url = url
        self._server = server
        self.database_url = database_url
        self.program = program
        self._postmaster = postmaster_of(database_url)
        self.environment = {**os.environ, "DATABASE_URL": database_url, "NOTION_BASE_URL": url}
        # What few hosts have: what is not installed is compiled at each start, and a file of authorities read (35 ms).
        for name in ("PYTHONDONTWRITEBYTECODE", "SSL_CERT_FILE"):
            self.environment.pop(name, None)

    @contextmanager
    def beside(self, program: Program | None) -> Iterator[Stand]:
        """Another database, initialised by a program or empty, and the same workspace; gone afterwards."""
        with own_database(self.database_url) as database_url:
            made = Stand(self.url, self._server, database_url, program or self.program)
            if program:
                made.measure([*program, "init"])
            yield made

    def steer(self, method: str, **arguments: object) -> object:
        """Calls a steering method of the workspace."""
        request = urllib.request.Request(
            f"{self.url}/_workspace/{method}", data=json.dumps(arguments).encode(), method="POST"
        )
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def add_token(self, label: str) -> str:
        """Adds a token to the workspace and returns its secret."""
        token = self.steer("add_token", label=label)
        assert isinstance(token, dict)
        return str(token["secret"])

    def add_database(self, name: str, share_with: str, **arguments: object) -> tuple[str, str]:
        """Adds a generated database, shared with a token; returns its id and its data source's."""
        handle = self.steer("add_generated_database", name=name, **arguments)
        assert isinstance(handle, dict)
        self.steer("share", token=share_with, database=handle["id"])
        return str(handle["id"]), str(handle["data_source_id"])

    def render(self, token: str, data_source_id: str, rows: int) -> None:
        """Has the workspace render the rows of a data source once, so that what that takes is nobody's."""
        self.steer("configure", kept_pages=rows)
        for _ in answers(self.url, token, data_source_id):
            pass

    def connect(self, user_id: str, token: str, databases: dict[str, str]) -> None:
        """Adds a user to `user_settings`."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            connection.execute(
                "INSERT INTO user_settings (user_id, notion_token, notion_databases) VALUES (%s, %s, %s)",
                (user_id, token, json.dumps(databases)),
            )

    def measure(self, *commands: list[str], output: IO[bytes] | int = subprocess.DEVNULL) -> Measured:
        """Runs commands side by side, each in a process of its own. Raises RuntimeError when one fails."""
        self.steer("requests.clear")
        server_before = sum(self._server.cpu_times()[:2])
        postgres_before = cpu_seconds_of(self._postmaster)
        began = time.monotonic()
        with tempfile.TemporaryFile() as errors:
            processes = [
                subprocess.Popen(command, env=self.environment, stdout=output, stderr=errors) for command in commands
            ]
            usages = []
            with peaks_of([process.pid for process in processes]) as peaks:
                for process in processes:
                    _, status, usage = os.wait4(process.pid, 0)
                    process.returncode = os.waitstatus_to_exitcode(status)
                    usages.append(usage)
            seconds = time.monotonic() - began
            if failed := [process for process in processes if process.returncode]:
                errors.seek(0)
                told = errors.read().decode(errors="replace").strip().splitlines()
                raise RuntimeError(f"exit code {failed[0].returncode}: {told[-1] if told else 'nothing on stderr'}")
        postgres_after = cpu_seconds_of(self._postmaster)
        counts = self.steer("requests.counts")
        assert isinstance(counts, dict)
        return Measured(
            seconds=seconds,
            cpu_seconds=sum(usage.ru_utime + usage.ru_stime for usage in usages),
            server_cpu_seconds=sum(self._server.cpu_times()[:2]) - server_before,
            peak_megabytes=max([*peaks.values()] or [usage.ru_maxrss / 1024 for usage in usages]),
            requests=sum(counts.values()),
            postgres_cpu_seconds=None if postgres_before is None else (postgres_after or 0.0) - postgres_before,
        )

    def sync_all(self, *options: str, processes: int = 1) -> Measured:
        """Runs `sync-all`, in one or more processes at once."""
        return self.measure(*[[*self.program, "sync-all", *options]] * processes)


# What is measured; gives its lines of the table.
Case = Callable[[Stand], Iterator[Line]]


@contextmanager
def memory_of(argument: str) -> Iterator[list[float]]:
    """Twice a second within the block, the resident memory in MB of the child process that has this argument."""
    sampled: list[float] = []
    is_over = threading.Event()

    def sample() -> None:
        while not is_over.wait(0.5):
            for child in psutil.Process().children():
                # It may have ended meanwhile.
                with suppress(psutil.NoSuchProcess):
                    if argument in child.cmdline():
                        sampled.append(child.memory_info().rss / 1024**2)

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield sampled
    finally:
        is_over.set()
        thread.join()


@contextmanager
def own_database(postgres_url: str) -> Iterator[str]:
    """The address of a new, empty database of a server; gone afterwards."""
    name = f"bench_{uuid4().hex[:12]}"
    with psycopg.connect(postgres_url, autocommit=True) as administrator:
        administrator.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield make_conninfo(postgres_url, dbname=name)
        finally:
            administrator.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def stand(postgres_url: str, program: Program = HERE) -> Iterator[Stand]:
    """A workspace of its own process, and a database of its own that is initialised; both gone afterwards.

    `program`: how the tool is started, else as it is in this environment.
    """
    command = [sys.executable, "-m", "notion_workspace", "--port", "0", "--scenario", "empty"]
    with (
        own_database(postgres_url) as database_url,
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server,
    ):
        assert server.stdout is not None
        try:
            url = server.stdout.readline().strip()
            made = Stand(url, psutil.Process(server.pid), database_url, program)
            made.measure([*program, "init"])
            yield made
        finally:
            server.terminate()
