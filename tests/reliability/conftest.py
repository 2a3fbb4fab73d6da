"""Places where the real command works as its own process, and what is to be true of its copy whatever happened."""

from __future__ import annotations

import asyncio
import json
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from notion_workspace import SmallWorkspace, WorkspaceServer

from notion_pg_sync.settings import Settings
from tests.cli.conftest import BARE, Command, Ended, Site
from tests.installation import TABLES, Installation
from tests.sync.test_exact_copy import BEYOND_THE_API, NUL_CHARACTER

WELL = Ended(0, "", "")
# Notion's own limit is not what is tried here.
UNPACED = ("--requests-per-minute", "100000")


@dataclass(frozen=True)
class Place(Site):
    """An initialised PostgreSQL, a workspace, and the command as a process that can be stopped at any moment."""

    installation: Installation = field(kw_only=True)

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Starts the command and does not wait for it."""
        return self._start("notion_pg_sync", *arguments, **environment)

    def run_measured(self, *arguments: str) -> tuple[Ended, int]:
        """Runs the command; returns how it ended, and the most memory in kB that it took."""
        with self._start("tests.reliability.measured", *arguments) as process:
            said, complaint = process.communicate()
        *lines, peak = said.splitlines()
        return Ended(process.returncode, "\n".join(lines), complaint), int(peak)

    def start_tuned(self, *, environment: dict[str, str] | None = None, **settings: float) -> subprocess.Popen[str]:
        """Starts `sync-all`, one database after the other, with settings that have no flag."""
        words = [f"{name}={number}" for name, number in settings.items()]
        return self._start("tests.reliability.tuned", *words, **(environment or {}))

    def _start(self, module: str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            env={**BARE, **self.command.environment, **environment},
            cwd=Path(__file__).parents[2],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def differences(self, user_id: str, token: str, databases: dict[str, str]) -> list[str]:
        """What of a user's copy is not as Notion has it; none when nothing is lost, wrong or doubled."""
        found = asyncio.run(self.installation.differences(user_id, token, databases))
        lines = [
            line for line in found if not any(re.search(known, line) for known in (*BEYOND_THE_API, NUL_CHARACTER))
        ]
        truth = sum(
            len(self.small.workspace.truth(source, token))
            for database in databases.values()
            for source in self.installation.data_sources_of(database)
        )
        counted = " UNION ALL ".join(f"SELECT user_id FROM {table}" for table in TABLES)
        ((rows,),) = self.execute(f"SELECT count(*) FROM ({counted}) AS rows WHERE user_id = %s", user_id)
        return lines if rows == truth else [*lines, f"{rows} rows instead of {truth}"]

    def view_rows(self, user_id: str) -> dict[str, int]:
        """How many rows of a user the typed view of each of their data sources has, by the database's name."""
        views = self.execute(
            "SELECT DISTINCT database_name, view_name FROM notion_sync.data_sources WHERE user_id = %s", user_id
        )
        found: dict[str, int] = {}
        for database, view in views:
            ((rows,),) = self.execute(f'SELECT count(*) FROM notion."{view}" WHERE user_id = %s', user_id)
            found[str(database)] = int(str(rows))
        return found

    def terminate_connections(self) -> int:
        """Ends every other session of the database, as an administrator may; returns how many there were."""
        ended = self.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        return len(ended)

    def leases(self) -> list[object]:
        """The users that some run holds."""
        return [user for (user,) in self.execute("SELECT user_id FROM notion_sync.accounts WHERE lease_runid > 0")]

    def unfinished(self) -> list[object]:
        """The runs whose record is not closed."""
        return [run for (run,) in self.execute("SELECT runid FROM notion_sync.job_run_details WHERE end_time IS NULL")]

    def connect_everybody(self) -> dict[str, dict[str, str]]:
        """Adds the workspace's three users with all that they may see, and typed views; returns their databases."""
        small = self.small
        everybody = {user: {name: small.databases[name] for name in names} for user, names in small.shared.items()}
        for user, databases in everybody.items():
            self.connect(user, small.tokens[user], json.dumps(databases))
            self.execute("INSERT INTO notion_sync.accounts (user_id, views) VALUES (%s, true)", user)
        return everybody


@pytest.fixture
def place(initialised_url: str, small: SmallWorkspace) -> Iterator[Place]:
    with WorkspaceServer(small.workspace) as server:
        settings = Settings(database_url=initialised_url, notion_base_url=server.url)
        command = Command({"DATABASE_URL": initialised_url, "NOTION_BASE_URL": server.url})
        yield Place(command, small, initialised_url, installation=Installation(settings, small.workspace))


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> random.Random:
    """What is left to chance; `--seed` repeats what a test that failed has printed."""
    seed = request.config.getoption("--seed")
    if seed is None:
        seed = random.SystemRandom().randrange(1_000_000)
    print(f"chance: --seed {seed}")
    return random.Random(int(seed))
