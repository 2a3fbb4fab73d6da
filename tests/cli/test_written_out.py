"""Whoever reads what a command prints may go, its disk may be full, its encoding old: no command fails for that."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.cli.conftest import BARE, Command, Ended, Site
from tests.cli.terminal import Terminal

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]

# All that print something where nobody is asked.
PRINTING = [
    ("--help",),
    ("--version",),
    ("init",),
    ("sync-all", "--json"),
    ("status",),
    ("status", "-v"),
    ("status", "--json"),
    ("status", "--prometheus"),
    ("history", "anna", "Worlds"),
    ("grant-reader", "nobody_yet", "--sql"),
    ("doctor", "--json"),
]


@pytest.fixture
def synced(site: Site) -> Site:
    databases = {"Wörlds → 世界": site.small.databases["Characters"], "Worlds": site.small.databases["Worlds"]}
    site.connect("anna", site.small.tokens["anna"], json.dumps(databases))
    assert site.command("sync-all") == Ended(0, "", "")
    return site


def run(command: Command, arguments: Sequence[str], stdout: int = subprocess.PIPE, **environment: str) -> Ended:
    """Runs a command in an interpreter of its own, whose encoding is its own; `stdout` is closed here."""
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "notion_pg_sync", *arguments],
            env={**BARE, **command.environment, **environment},
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.PIPE,
            encoding="latin-1",
            check=False,
        )
    finally:
        if stdout >= 0:
            os.close(stdout)
    return Ended(ended.returncode, ended.stdout or "", ended.stderr)


def abandoned_pipe() -> int:
    """The end to write to of a pipe that nobody reads."""
    read, write = os.pipe()
    os.close(read)
    return write


def test_where_nobody_reads_any_more_every_command_ends_quietly_and_as_other_tools_do(synced: Site) -> None:
    for arguments in PRINTING:
        assert run(synced.command, arguments, abandoned_pipe()) == Ended(141, "", ""), arguments


def test_on_a_full_disk_every_command_says_so_in_one_sentence(synced: Site) -> None:
    for arguments in PRINTING:
        ended = run(synced.command, arguments, os.open("/dev/full", os.O_WRONLY))
        assert ended.code == 1, arguments
        assert ended.sentence == (
            "what is printed cannot be written to stdout (No space left on device): see where that goes, then run it "
            "again."
        ), arguments


def test_with_stdout_or_stderr_closed_a_command_does_what_it_does(synced: Site) -> None:
    for closed in (">&-", "2>&-", "2>/dev/full", ">&- 2>&-"):
        ended = subprocess.run(
            [
                "/bin/sh",
                "-c",
                f'"$@" {closed}',
                "sh",
                sys.executable,
                "-m",
                "notion_pg_sync",
                "sync-all",
                "--json",
                "-v",
            ],
            env={**BARE, **synced.command.environment},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == synced.command("sync-all").code, closed
        assert "Traceback" not in ended.stdout + ended.stderr


@pytest.mark.parametrize("encoding", ["latin-1", "ascii:strict"])
def test_what_an_encoding_lacks_is_written_otherwise(synced: Site, encoding: str) -> None:
    for arguments in PRINTING:
        ended = run(synced.command, arguments, PYTHONIOENCODING=encoding, PYTHONUTF8="0")
        assert ended.code == synced.command(*arguments).code, arguments
        assert ended.err == "", arguments
    said = run(synced.command, ["status", "-v"], PYTHONIOENCODING="ascii").out
    assert "W\\xf6rlds -> \\u4e16\\u754c" in said


def test_init_draws_its_list_in_plain_characters(database_url: str) -> None:
    ended = run(Command({"DATABASE_URL": database_url}), ["init", "--yes"], PYTHONIOENCODING="latin-1")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("* ")
    assert "\\u" not in ended.out


@pytest.mark.parametrize(("columns", "lines"), [("80", "24"), ("100", "35")])
def test_a_terminal_of_another_encoding_shows_a_run(synced: Site, columns: str, lines: str) -> None:
    size = {"COLUMNS": columns, "LINES": lines}
    for arguments in (("sync-all",), ("status",), ("doctor", "--no-cron-check"), ("history", "anna", "Worlds")):
        terminal = Terminal(*arguments, **synced.command.environment, **size, PYTHONIOENCODING="ascii:strict")
        assert terminal.ends() in (0, 1)
        assert terminal.written.isascii(), arguments
        assert "internal error" not in terminal.shown
