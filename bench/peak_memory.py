"""The most memory that running processes ever had."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SECONDS = 0.05


@contextmanager
def peaks_of(pids: list[int]) -> Iterator[dict[int, float]]:
    """By process, in MB, as last seen before it ended; nothing for one that was never seen.

    `ru_maxrss` would do, but on Linux it begins at what the process that started this one had.
    """
    seen: dict[int, float] = {}
    is_over = threading.Event()

    def watch() -> None:
        while not is_over.wait(_SECONDS):
            for pid in pids:
                if (peak := peak_in(_status(pid))) is not None:
                    seen[pid] = peak

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        is_over.set()
        thread.join()


def peak_in(status: str) -> float | None:
    """The peak in a `/proc/PID/status`, in MB; None where there is none, as of a process that ended."""
    found = next((line.split() for line in status.splitlines() if line.startswith("VmHWM:")), None)
    return int(found[1]) / 1024 if found else None


def _status(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:  # it has ended, or this is not Linux
        return ""
