"""`demo`: the real commands, on an embedded PostgreSQL and a sample Notion workspace, with what they bring."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from pathlib import Path

import psycopg
from notion_workspace import WorkspaceServer
from notion_workspace.showcase import Showcase, build_showcase
from rich.table import Table

from notion_pg_sync.commands.demo.queries import (
    CONNECT_USER,
    FIRST_QUESTION,
    KEPT_PICTURE,
    LATEST_MESSAGE,
    LATEST_RUNS,
    PAST_OF_A_PAGE,
    QUERIES,
    WANT_VIEWS,
)
from notion_pg_sync.commands.doctor.scheduling.line_to_add import own_command
from notion_pg_sync.commands.output.layout import lines_of, print_lines
from notion_pg_sync.commands.output.streams import OutputClosedError
from notion_pg_sync.commands.output.terminal import Screen, text_of
from notion_pg_sync.core.errors import ToolError
from notion_pg_sync.core.printable import shell_command
from notion_pg_sync.embedded.held_signals import signals_held_back
from notion_pg_sync.embedded.server import DEMO_PREFIX, EmbeddedPostgres


class DemoError(ToolError):
    """The demo could not go on; the message says why and what to do."""


def run_demo(*, keep: bool) -> int:
    """Shows everything; returns the exit code. With `keep`, leaves the servers running until Ctrl-C."""
    began = time.monotonic()
    out = Screen(soft_wrap=True)
    showcase = build_showcase()
    showcase.workspace.configure(serve_files=True)
    with _servers(showcase) as (postgres, notion):
        kept_in = postgres.folder / "files"
        servers = {"DATABASE_URL": postgres.url, "NOTION_BASE_URL": notion.url}
        environment = {**_without_settings(os.environ), **servers}
        out.print(f"Both are running ({notion.url}).")
        out.print()
        _command(out, environment, "init")
        out.print()
        _connect_users(out, postgres.url, showcase)
        _sync(out, environment, postgres.url, kept_in)
        _heading(out, "Somebody edits a few pages in Notion")
        for sentence in showcase.edit_a_few_pages():
            _bullet(out, sentence)
        _heading(out, "The next run writes only those, and the rows that show them")
        _sync(out, environment, postgres.url, kept_in)
        _show_what_is_there(out, environment, postgres.url, kept_in)
        out.print(f"That took {time.monotonic() - began:.0f} seconds.")
        out.print()
        if keep:
            _keep(out, {**servers, "NOTION_PG_SYNC_FILES": str(kept_in)})
        else:
            out.print("Look around yourself: this leaves both running, and says how to connect.")
            out.print()
            out.print(f"    {own_command()} demo --keep")
    return 0


@contextmanager
def _servers(showcase: Showcase) -> Iterator[tuple[EmbeddedPostgres, WorkspaceServer]]:
    """Both of them, of which nothing is left behind, whenever somebody presses Ctrl-C."""
    stack = ExitStack()
    try:
        with signals_held_back():
            folder = Path(tempfile.mkdtemp(prefix=DEMO_PREFIX))
            stack.callback(shutil.rmtree, folder)
            postgres = stack.enter_context(EmbeddedPostgres(folder))
            notion = stack.enter_context(WorkspaceServer(showcase.workspace))
        yield postgres, notion
    finally:
        with signals_held_back():
            stack.close()


def _without_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without what is said there of other databases, tokens and monitoring."""
    return {name: value for name, value in environment.items() if not name.startswith(("PG", "NOTION_"))}


def _heading(out: Screen, text: str) -> None:
    out.print()
    out.print(text, style="bold")


def _bullet(out: Screen, sentence: str) -> None:
    """Prints it, folded at words."""
    first, *others = lines_of(out, text_of(sentence), 2)
    first.plain = f"•{first.plain[1:]}"
    print_lines(out, [first, *others])


def _command(out: Screen, environment: dict[str, str], *words: str) -> None:
    """Runs one of the tool's commands just as a person would."""
    typed = shell_command("notion-pg-sync", *words)
    out.print(f"$ {typed}", style="bold cyan")
    out.file.flush()
    ended = subprocess.run([sys.executable, "-m", "notion_pg_sync", *words], env=environment, check=False)
    if ended.returncode == OutputClosedError.exit_code:
        raise OutputClosedError("nobody reads what is printed.")
    if ended.returncode:
        raise DemoError(f"{typed!r} ended with exit code {ended.returncode}: see its output above.")


def _sync(out: Screen, environment: dict[str, str], url: str, kept_in: Path) -> None:
    _command(out, environment, "sync-all", "--files", str(kept_in))
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


def _show_what_is_there(out: Screen, environment: dict[str, str], url: str, kept_in: Path) -> None:
    """Each part of it is less than a screen of 24 lines."""
    for title, query in QUERIES:
        _ask(out, url, title, query)
    _heading(out, "The past of one page: what people changed, and who")
    _command(out, environment, "history", *PAST_OF_A_PAGE)
    _show_the_picture(out, url, kept_in)
    _heading(out, "How fresh everything is")
    _command(out, environment, "status")
    _ask(out, url, "The latest runs, in the form of pg_cron's cron.job_run_details", LATEST_RUNS)
    out.print()


def _show_the_picture(out: Screen, url: str, kept_in: Path) -> None:
    """What PostgreSQL says of the picture that was added, and that its bytes are there."""
    _ask(out, url, "A kept picture: the cover that Pim's page was given", KEPT_PICTURE)
    with psycopg.connect(url) as connection:
        row = connection.execute(KEPT_PICTURE).fetchone()
    kept = next(kept_in.rglob(row[0]), None) if row else None
    if kept is None:
        raise DemoError(f"the cover of Pim's page is not in {kept_in}: run 'notion-pg-sync demo' again.")
    out.print("It is in the folder of --files:")
    out.print(f"{kept.relative_to(kept_in)}  {kept.stat().st_size:,} bytes")


def _ask(out: Screen, url: str, title: str, query: str) -> None:
    _heading(out, title)
    for line in query.splitlines():
        out.print(line, style="dim")
    with psycopg.connect(url) as connection:
        out.print(_table(connection.execute(query)))


def _table(answer: psycopg.Cursor[tuple[object, ...]]) -> Table:
    """The answer, in which texts give way where a terminal is narrow, and numbers and times do not."""
    table = Table(show_edge=False, header_style="bold")
    rows = answer.fetchall()
    for column, values in zip(answer.description or [], zip(*rows, strict=True), strict=True):
        is_number = any(isinstance(value, int | float | Decimal) for value in values if not isinstance(value, bool))
        is_text = all(isinstance(value, str | list | None) for value in values)
        table.add_column(column.name, justify="right" if is_number else "left", no_wrap=not is_text)
    for row in rows:
        table.add_row(*(text_of(_written(value)) for value in row))
    return table


def _written(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)


def what_to_type(servers: Mapping[str, str], *, psql: bool) -> list[str]:
    """Pure: the lines that say how to look around, in another terminal; `psql`: it is there."""
    exports = [f"{name}={shlex.quote(value)}" for name, value in servers.items()]
    tool = own_command()
    return [
        "Both stay up until Ctrl-C. In another terminal, say where they are:",
        "",
        # One statement: with the first half alone, the sample's tokens would go to Notion itself.
        *(" \\\n           ".join([f"    export {exports[0]}", *exports[1:]])).split("\n"),
        "",
        "Then look around, and sync again:",
        "",
        f'    {tool} sql "{FIRST_QUESTION}"',
        f"    {tool} status -v",
        f"    {tool} sync-all",
        *(['    psql "$DATABASE_URL"'] if psql else []),
        "",
    ]


def _keep(out: Screen, servers: Mapping[str, str]) -> None:
    for line in what_to_type(servers, psql=shutil.which("psql") is not None):
        out.print(line)
    try:
        # Not signal.pause(): a signal just before it would be lost.
        while True:
            time.sleep(1)
    except KeyboardInterrupt:
        out.print("Stopped; nothing is left behind.")
