"""Without a DATABASE_URL, commands on a terminal use the embedded PostgreSQL, and say so."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import BARE, Command

pytestmark = pytest.mark.slow


@pytest.fixture
def folder() -> Iterator[Path]:
    """A data folder; tmp_path is closed to the account that the server runs as when root starts it."""
    folder = Path(tempfile.mkdtemp(prefix="notion-pg-sync-default."))
    yield folder
    shutil.rmtree(folder)


class OnTerminal:
    """A command whose stdin, stdout and stderr are a terminal."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self._master, slave = pty.openpty()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "notion_pg_sync", *arguments],
            env={**BARE, "NOTION_PG_SYNC_DATA_DIR": str(folder), "COLUMNS": "200", "TERM": "xterm"},
            cwd=Path(__file__).parents[2],
            stdin=slave,
            stdout=slave,
            stderr=slave,
        )
        os.close(slave)

    def ended(self) -> tuple[int, str]:
        """Waits for its end; exit code and everything that it showed."""
        shown = b""
        try:
            while chunk := os.read(self._master, 65536):
                shown += chunk
        except OSError:
            # How Linux says that nobody holds the other end any more.
            pass
        os.close(self._master)
        return self._process.wait(), shown.decode()


def test_a_command_on_a_terminal_makes_one_and_later_ones_use_it(folder: Path) -> None:
    code, shown = OnTerminal(folder, "init").ended()
    assert code == 0, shown
    assert shown.count(f"DATABASE_URL is not set: using the embedded PostgreSQL in {folder}.") == 1
    assert "this PostgreSQL is ready" in shown
    code, shown = OnTerminal(folder, "sync-all").ended()
    assert code == 3
    assert "user_settings has no rows" in shown
    # cron may use what was made on a terminal, and hears nothing of it.
    ended = Command({"NOTION_PG_SYNC_DATA_DIR": str(folder)})("sync-all")
    assert ended.code == 3
    assert "user_settings has no rows" in ended.sentence


@pytest.mark.parametrize("command", ["status", "sync-all"])
def test_the_first_command_says_to_connect_which_sets_it_up(folder: Path, command: str) -> None:
    """README says to skip `init` for it."""
    code, shown = OnTerminal(folder, command).ended()
    assert code == 3
    assert "nobody has connected Notion to this PostgreSQL yet: run 'notion-pg-sync connect me'." in shown
    assert "init" not in shown


def test_two_commands_at_once_share_it(folder: Path) -> None:
    commands = [OnTerminal(folder, "init") for _ in range(2)]
    ended = [command.ended() for command in commands]
    assert [code for code, _ in ended] == [0, 0], ended
