"""Running the real command, as cron or a person does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
from notion_workspace import SmallWorkspace, WorkspaceServer

from tests.forked import run_command

# As little as cron gives; but no test reaches out to Notion itself.
BARE = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "NOTION_BASE_URL": "http://127.0.0.1:9"}


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def sentence(self) -> str:
        """What it said on stderr, which is one line."""
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        assert lines[0].startswith("notion-pg-sync: ")
        return lines[0].removeprefix("notion-pg-sync: ")


@dataclass(frozen=True)
class Command:
    """The command `notion-pg-sync` with an environment of its own, without a terminal."""

    environment: dict[str, str]

    def __call__(self, *arguments: str, given: str = "", **environment: str) -> Ended:
        return Ended(*run_command(arguments, {**BARE, **self.environment, **environment}, given))


@dataclass(frozen=True)
class Site:
    """An initialised PostgreSQL, a workspace, and the command that is to work with them."""

    command: Command
    small: SmallWorkspace
    database_url: str

    def execute(self, statement: str, *parameters: object) -> list[tuple[object, ...]]:
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), parameters)
            return cursor.fetchall() if cursor.description else []

    def connect(self, user_id: str, token: str | None, databases: str | None) -> None:
        """Adds a user; `databases` is JSON."""
        self.execute(
            "INSERT INTO user_settings (user_id, notion_token, notion_databases) VALUES (%s, %s, %s)",
            user_id,
            token,
            databases,
        )

    def last_run(self) -> tuple[object, object]:
        """Status and message of the latest run; it has its times."""
        ((status, message, start, end),) = self.execute(
            "SELECT status, return_message, start_time, end_time FROM notion_sync.job_run_details"
            " ORDER BY runid DESC LIMIT 1"
        )
        assert start is not None
        assert end is not None
        return status, message


@pytest.fixture
def site(initialised_url: str, small: SmallWorkspace) -> Iterator[Site]:
    with WorkspaceServer(small.workspace) as server:
        yield Site(Command({"DATABASE_URL": initialised_url, "NOTION_BASE_URL": server.url}), small, initialised_url)


@dataclass(frozen=True)
class Ping:
    path: str
    run: str
    body: str


@dataclass
class Monitoring:
    """A service that is told of runs."""

    url: str = ""
    status: int = 200
    pings: list[Ping] = field(default_factory=list)


@pytest.fixture
def monitoring() -> Iterator[Monitoring]:
    service = Monitoring()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            service.pings.append(Ping(parts.path, parse_qs(parts.query)["rid"][0], body))
            self.send_response(service.status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        service.url = f"http://127.0.0.1:{server.server_address[1]}/check"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield service
        server.shutdown()
        thread.join()
