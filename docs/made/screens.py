"""The pictures of screens in the README: `python -m docs.made.screens` makes them, from real runs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg
from notion_workspace import WorkspaceServer
from notion_workspace.showcase import build_showcase

from docs.made.terminal import save_screen, shown_by
from notion_pg_sync.embedded.server import EmbeddedPostgres

FOLDER = Path(__file__).parents[1] / "screens"
TOOL = Path(sys.executable).with_name("notion-pg-sync")


def main() -> None:
    """Makes every picture."""
    folder = Path(tempfile.mkdtemp(prefix="notion-pg-sync-screens-"))
    showcase = build_showcase()
    try:
        with EmbeddedPostgres(folder) as postgres, WorkspaceServer(showcase.workspace) as notion:
            environment = {
                "PATH": os.environ["PATH"],
                "HOME": str(folder),
                "DATABASE_URL": postgres.url,
                "NOTION_BASE_URL": notion.url,
            }
            picture("demo", ["demo"], {"PATH": os.environ["PATH"], "HOME": str(folder)})
            subprocess.run([TOOL, "init"], env=environment, check=True, stdout=subprocess.DEVNULL)
            workspace = showcase.workspace
            token = workspace.add_token("eve").secret
            large = workspace.add_generated_database("Archive", rows=16_000)
            workspace.share("eve", large.id)
            databases = {**showcase.databases, "eve": {"Archive": large.id}}
            with psycopg.connect(postgres.url, autocommit=True) as connection:
                for user, secret in {**showcase.tokens, "eve": token}.items():
                    connection.execute(
                        "INSERT INTO user_settings (user_id, notion_token, notion_databases) VALUES (%s, %s, %s)",
                        (user, secret, json.dumps(databases[user])),
                    )
            workspace.configure(latency=0.4, rate_limit=180)
            picture("progress", ["sync-all"], environment, once=r"Archive +[4-9],\d{3} rows")
            workspace.configure(latency=0.05)
            showcase.edit_a_few_pages()
            subprocess.run([TOOL, "sync-all"], env=environment, check=True, capture_output=True)
            workspace.unshare("ben", next(iter(showcase.databases["ben"].values())))
            subprocess.run([TOOL, "sync-all"], env=environment, check=False, capture_output=True)
            picture("status", ["status"], environment)
            picture("doctor", ["doctor", "--no-cron-check"], environment)
    finally:
        shutil.rmtree(folder)


def picture(name: str, command: list[str], environment: dict[str, str], once: str | None = None) -> None:
    """Runs a command of the tool on a terminal, and saves what it shows when it ends, or as soon as it shows `once`."""
    shown = shown_by([str(TOOL), *command], environment, once=once)
    save_screen(shown, f"notion-pg-sync {' '.join(command)}", FOLDER / f"{name}.svg")


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    main()
