"""This process as other runs can recognise it, and whether another of this machine still lives."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import psutil

from notion_pg_sync.mirror.runs import Process


def this_process() -> Process:
    """The process that runs this code."""
    own = psutil.Process()
    return Process(host=socket.gethostname(), machine=_machine(), pid=own.pid, started_at=own.create_time())


def is_alive(pid: int, started_at: float) -> bool:
    """Whether the process of this pid that started then still runs on this machine."""
    try:
        return bool(abs(psutil.Process(pid).create_time() - started_at) < 1)
    except psutil.NoSuchProcess:
        return False


def _machine() -> str:
    """What processes share whose pids can be compared: the host since its start and, on Linux, the pid namespace.

    Two containers of one image can have the same host name and pids.
    """
    namespace = Path("/proc/self/ns/pid")
    inside = f" {os.readlink(namespace)}" if namespace.is_symlink() else ""  # noqa: PTH115 - the target is no path
    return f"{socket.gethostname()} since {int(psutil.boot_time())}{inside}"
