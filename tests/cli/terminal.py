"""The command on a real terminal, its own, with somebody who reads and types."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil
from rich.cells import cell_len

from tests.cli.conftest import BARE
from tests.waiting import wait_until

PATIENCE_SECONDS = 60.0


class Terminal:
    """A command whose stdin, stdout and stderr are a terminal that also controls it, as a shell's does.

    `program` is what is run with the arguments, the tool unless a test says otherwise.
    """

    def __init__(
        self, *arguments: str, program: Sequence[str] = (sys.executable, "-m", "notion_pg_sync"), **environment: str
    ) -> None:
        self._master, slave = pty.openpty()
        # Not a test's own session: its terminal would be the one that a hidden question opens.
        self._process = subprocess.Popen(
            ["setsid", "--ctty", *program, *arguments],
            env={**BARE, "COLUMNS": "250", "TERM": "xterm", "NO_COLOR": "1", **environment},
            cwd=Path(__file__).parents[2],
            stdin=slave,
            stdout=slave,
            stderr=slave,
        )
        os.close(slave)
        self._read_up_to = 0
        self._shown = b""

    @property
    def written(self) -> str:
        """Everything that was written to it, as it is."""
        return self._shown.decode()

    @property
    def shown(self) -> str:
        """Everything that it showed so far, without the terminal's own commands."""
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self._shown.decode(errors="replace")).replace("\r\n", "\n")

    @property
    def widest(self) -> int:
        """How many columns the longest of the lines needs that it showed so far."""
        return max(map(cell_len, self.shown.splitlines()))

    def waits_with(self, words: str) -> None:
        """Waits until it shows `words`, after those that were waited for before; lines may end between them."""
        folded = re.compile(r"\s+".join(map(re.escape, words.split(" "))))
        while (found := folded.search(self.shown, self._read_up_to)) is None:
            assert self._read(), f"it ended without {words!r}:\n{self.shown}"
        self._read_up_to = found.end()

    def types(self, line: str) -> None:
        os.write(self._master, line.encode() + b"\n")

    def interrupts(self) -> None:
        """Presses Ctrl-C once the command waits for an answer: a signal just before the read is lost on Python."""
        main_thread = psutil.Process(self._process.pid)
        wait_until(lambda: main_thread.status() == psutil.STATUS_SLEEPING)
        os.write(self._master, b"\x03")

    def ends(self) -> int:
        """Waits for its end; returns the exit code."""
        while self._read():
            pass
        os.close(self._master)
        return self._process.wait()

    def _read(self) -> bool:
        ready, _, _ = select.select([self._master], [], [], PATIENCE_SECONDS)
        assert ready, f"nothing more is shown:\n{self.shown}"
        try:
            chunk = os.read(self._master, 65536)
        except OSError:
            # How Linux says that nobody holds the other end any more.
            return False
        self._shown += chunk
        return bool(chunk)
