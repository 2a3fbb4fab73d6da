"""`demo`: the real commands, on an embedded PostgreSQL and a sample Notion workspace, with what they bring."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from notion_workspace import WorkspaceServer
from notion_workspace.showcase import Showcase, build_showcase
from rich.table import Table

from notion_pg_sync.commands.demo.queries import CONNECT_USER, LATEST_MESSAGE, LATEST_RUNS, QUERIES, WANT_VIEWS
from notion_pg_sync.commands.output.terminal import Screen, text_of
from notion_pg_sync.core.errors import ToolError
from notion_pg_sync.embedded.server import EmbeddedPostgres


class DemoError(ToolError):
    """The demo could not go on; the message says why and what to do."""


def run_demo(*, keep: bool) -> int:
    """Shows everything; returns the exit code. With `keep`, leaves the servers running until Ctrl-C."""
    began = time.monotonic()
    out = Screen(soft_wrap=True)
    showcase = build_showcase()
    with (
        _temporary_folder() as folder,
        EmbeddedPostgres(folder) as postgres,
        WorkspaceServer(showcase.workspace) as notion,
    ):
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PG")},
            "DATABASE_URL": postgres.url,
            "NOTION_BASE_URL": notion.url,
        }
        out.print(f"A PostgreSQL and a sample Notion workspace are running ({notion.url}).")
        out.print()
        _command(out, environment, "init")
        _connect_users(out, postgres.url, showcase)
        _sync(out, environment, postgres.url)
        _heading(out, "Somebody edits a few pages in Notion")
        for sentence in showcase.edit_a_few_pages():
            out.print(f"• {sentence}")
        _heading(out, "The next run writes only those, and the rows that show them")
        _sync(out, environment, postgres.url)
        _show_queries(out, postgres.url)
        out.print(f"That took {time.monotonic() - began:.0f} seconds.")
        out.print()
        if keep:
            _keep(out, postgres.url)
        else:
            out.print("Look around yourself: 'notion-pg-sync demo --keep' leaves both running and says how to connect.")
    return 0


@contextmanager
def _temporary_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="notion-pg-sync-demo-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _heading(out: Screen, text: str) -> None:
    out.print()
    out.print(text, style="bold")


def _command(out: Screen, environment: dict[str, str], name: str) -> None:
    """Runs one of the tool's commands just as a person would."""
    out.print(f"$ notion-pg-sync {name}", style="bold cyan")
    out.file.flush()
    ended = subprocess.run([sys.executable, "-m", "notion_pg_sync", name], env=environment, check=False)
    if ended.returncode:
        raise DemoError(f"'notion-pg-sync {name}' ended with exit code {ended.returncode}: see its output above.")
    out.print()


def _sync(out: Screen, environment: dict[str, str], url: str) -> None:
    _command(out, environment, "sync-all")
    if not out.is_terminal:
        # There the command is silent, as cron wants it.
        with psycopg.connect(url) as connection:
            row = connection.execute(LATEST_MESSAGE).fetchone()
        out.print(row[0] if row else "")


def _connect_users(out: Screen, url: str, showcase: Showcase) -> None:
    out.print("Two users connect Notion (your application does that, in user_settings):")
    with psycopg.connect(url) as connection:
        for user_id, token in showcase.tokens.items():
            databases = showcase.databases[user_id]
            connection.execute(CONNECT_USER, (user_id, token, json.dumps(databases)))
            connection.execute(WANT_VIEWS, (user_id,))
            out.print(f"• {user_id}: {', '.join(databases)}")
    out.print()


def _show_queries(out: Screen, url: str) -> None:
    with psycopg.connect(url) as connection:
        for title, query in [*QUERIES, ("The latest runs, in the form of pg_cron's cron.job_run_details", LATEST_RUNS)]:
            _heading(out, title)
            for line in query.splitlines():
                out.print(line, style="dim")
            out.print(_table(connection.execute(query)))


def _table(answer: psycopg.Cursor[tuple[object, ...]]) -> Table:
    table = Table(show_edge=False, header_style="bold")
    for column in answer.description or []:
        table.add_column(column.name)
    for row in answer:
        table.add_row(*(text_of("" if value is None else str(value)) for value in row))
    return table


def _keep(out: Screen, url: str) -> None:
    for line in ("Both stay up until Ctrl-C. In another terminal:", "", f"    psql '{url}'", ""):
        out.print(line)
    out.file.flush()
    try:
        # Not signal.pause(): a signal just before it would be lost.
        while True:
            time.sleep(1)
    except KeyboardInterrupt:
        out.print("Stopped; nothing is left behind.")
