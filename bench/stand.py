"""What a benchmark stands on: a PostgreSQL, a sample workspace in a process of its own, and measured commands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from uuid import uuid4

import psutil
import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo


@dataclass(frozen=True)
class Measured:
    """One or more commands that ran at once: wall and CPU seconds of the tool, of the workspace, peak memory."""

    seconds: float
    cpu_seconds: float
    server_cpu_seconds: float
    peak_megabytes: float
    requests: int


class Stand:
    """A workspace and an initialised database; `measure` runs the tool against them."""

    def __init__(self, url: str, server: psutil.Process, database_url: str) -> None:
        self.url = url
        self._server = server
        self.database_url = database_url
        self.environment = {**os.environ, "DATABASE_URL": database_url, "NOTION_BASE_URL": url}

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

    def connect(self, user_id: str, token: str, databases: dict[str, str]) -> None:
        """Adds a user to `user_settings`."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            connection.execute(
                "INSERT INTO user_settings (user_id, notion_token, notion_databases) VALUES (%s, %s, %s)",
                (user_id, token, json.dumps(databases)),
            )

    def measure(self, *commands: list[str]) -> Measured:
        """Runs commands side by side, each in a process of its own. Raises RuntimeError when one fails."""
        self.steer("requests.clear")
        server_before = sum(self._server.cpu_times()[:2])
        began = time.monotonic()
        processes = [subprocess.Popen(command, env=self.environment, stdout=subprocess.DEVNULL) for command in commands]
        usages = []
        for process in processes:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                raise RuntimeError(f"{process.args!r} ended with exit code {process.returncode}")
            usages.append(usage)
        seconds = time.monotonic() - began
        counts = self.steer("requests.counts")
        assert isinstance(counts, dict)
        return Measured(
            seconds=seconds,
            cpu_seconds=sum(usage.ru_utime + usage.ru_stime for usage in usages),
            server_cpu_seconds=sum(self._server.cpu_times()[:2]) - server_before,
            peak_megabytes=max(usage.ru_maxrss for usage in usages) / 1024,
            requests=sum(counts.values()),
        )

    def sync_all(self, *options: str, processes: int = 1) -> Measured:
        """Runs `sync-all`, in one or more processes at once."""
        command = [sys.executable, "-m", "notion_pg_sync", "sync-all", *options]
        return self.measure(*[command] * processes)


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
def stand(postgres_url: str) -> Iterator[Stand]:
    """A workspace of its own process, and a database of its own that is initialised; both gone afterwards."""
    name = f"bench_{uuid4().hex[:12]}"
    command = [sys.executable, "-m", "notion_workspace", "--port", "0", "--scenario", "empty"]
    with (
        psycopg.connect(postgres_url, autocommit=True) as administrator,
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server,
    ):
        assert server.stdout is not None
        administrator.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            url = server.stdout.readline().strip()
            made = Stand(url, psutil.Process(server.pid), make_conninfo(postgres_url, dbname=name))
            made.measure([sys.executable, "-m", "notion_pg_sync", "init"])
            yield made
        finally:
            server.terminate()
            administrator.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
