"""The programs of examples/asking, as docs/asking-from-sql.md shows them: they ask, and learn that it is finished."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.asking import role_shown, url_for_drivers
from tests.cli.conftest import BARE, Ended, Site
from tests.node import npm_project
from tests.pgbouncer import PgBouncer
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PROGRAMS = sorted((ROOT / "examples" / "asking").iterdir())
PAGE = (ROOT / "docs" / "asking-from-sql.md").read_text(encoding="utf-8")
LANGUAGES = {".py": "python", ".mjs": "js"}


@dataclass(frozen=True)
class Asking:
    """A role of tenants, which reaches PostgreSQL through a pooler and directly."""

    site: Site
    pooled: str
    direct: str
    folder: Path

    def start(self, program: str, text: str, *arguments: str, **other: str) -> subprocess.Popen[str]:
        environment = {"DATABASE_URL": self.pooled, "DIRECT_URL": self.direct, **other}
        if program.endswith(".mjs"):
            project = npm_project(self.folder / "npm", "pg@8.16.3")
            (project.folder / program).write_text(text, encoding="utf-8")
            return project.start("node", program, *arguments, environment=environment)
        (self.folder / program).write_text(text, encoding="utf-8")
        return subprocess.Popen(
            [sys.executable, str(self.folder / program), *arguments],
            env={**BARE, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, program: str, text: str, *arguments: str) -> tuple[int, str, str]:
        """Runs a program that asks, and `sync-all` once it has; returns how it ended and what it said."""
        with self.start(program, text, *arguments) as started, killed_at_last(started):
            wait_until(
                lambda: self.site.execute("SELECT 1 FROM notion_sync.sync_requests") or started.poll() is not None
            )
            self.site.command("sync-all")
            said, complaint = started.communicate(timeout=90)
        return started.returncode, said, complaint


@pytest.fixture
def asking(site: Site, tmp_path: Path) -> Iterator[Asking]:
    """anna's Worlds, synced before."""
    databases = json.dumps({"Worlds": site.small.databases["Worlds"]})
    site.connect("anna", site.small.tokens["anna"], databases)
    assert site.command("sync-all") == Ended(0, "", "")
    with (
        role_shown(site.database_url, "role") as role,
        PgBouncer(site.database_url, [role]) as pooler,
    ):
        yield Asking(site, url_for_drivers(pooler.url, role), url_for_drivers(site.database_url, role), tmp_path)


@contextmanager
def killed_at_last(process: subprocess.Popen[str]) -> Iterator[None]:
    """Nobody waits for a process that a test gave up."""
    try:
        yield
    finally:
        process.kill()


def shown(program: str) -> str:
    return (ROOT / "examples" / "asking" / program).read_text(encoding="utf-8")


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_the_page_shows_the_program_as_it_is(program: Path) -> None:
    assert f"```{LANGUAGES[program.suffix]}\n{program.read_text(encoding='utf-8')}```" in PAGE
    assert f"(../examples/asking/{program.name})" in PAGE


@pytest.mark.parametrize("program", ["poll.py", "poll.mjs"])
def test_a_program_that_asks_again_and_again_learns_how_it_ended(asking: Asking, program: str) -> None:
    code, said, complaint = asking.run(program, shown(program), "anna", "Worlds")
    ((message,),) = asking.site.execute("SELECT message FROM notion_sync.sync_requests")
    assert (code, said, complaint) == (0, f"succeeded: {message}\n", "")


@pytest.mark.parametrize("program", ["listen.py", "listen.mjs"])
def test_a_program_that_listens_is_told_that_it_ended(asking: Asking, program: str) -> None:
    """It looks again after a day, so that nothing else than a notification can end it."""
    text = shown(program).replace("timeout=60,", "timeout=86400,").replace("timeout(60_000)", "timeout(86_400_000)")
    assert text != shown(program)
    code, said, complaint = asking.run(program, text, "anna", "Worlds")
    ((message,),) = asking.site.execute("SELECT message FROM notion_sync.sync_requests")
    assert (code, said, complaint) == (0, f"succeeded: {message}\n", "")


@pytest.mark.parametrize("program", ["poll.py", "poll.mjs"])
def test_a_request_that_failed_ends_a_program_with_the_reason(asking: Asking, program: str) -> None:
    asking.site.small.workspace.unshare(asking.site.small.tokens["anna"], asking.site.small.databases["Worlds"])
    code, said, complaint = asking.run(program, shown(program), "anna", "Worlds")
    assert (code, complaint) == (1, "")
    assert said.startswith("failed: ")
    assert "share" in said


def test_sqlalchemy_asks_too(asking: Asking) -> None:
    program, url = "with_sqlalchemy.py", asking.pooled.replace("postgresql:", "postgresql+psycopg:")
    with asking.start(program, shown(program), "anna", "Worlds", DATABASE_URL=url) as started, killed_at_last(started):
        said, complaint = started.communicate(timeout=90)
    numbers = asking.site.execute("SELECT request_id FROM notion_sync.sync_requests ORDER BY request_id")
    ((one,), (every,)) = numbers
    worlds = asking.site.small.databases["Worlds"]
    assert (started.returncode, said, complaint) == (0, f"{one}\n{every} {worlds} Worlds None\n", "")
