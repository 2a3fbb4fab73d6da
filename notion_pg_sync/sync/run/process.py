"""This process as other runs can recognise it, and whether the processes of earlier runs still live."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import psutil

from notion_pg_sync.core.health import CLOCKS_DIFFER_MINUTES, GONE_AFTER_SILENT_SECONDS
from notion_pg_sync.mirror.overview import Run
from notion_pg_sync.mirror.runs import Process

_LONGEST_SILENCE = timedelta(seconds=GONE_AFTER_SILENT_SECONDS)
_CLOCKS_DIFFER = timedelta(minutes=CLOCKS_DIFFER_MINUTES)


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


def is_gone(run: Run, now: datetime, machine: str, alive: Callable[[int, float], bool]) -> bool:
    """Whether the process of a run whose record is open is no more; `now` is PostgreSQL's.

    On this `machine` that is seen by `alive` (pid, process start). Of others, which may be containers or what this one
    was before it was started again, nothing is heard then.
    """
    if run.machine == machine and run.pid is not None and run.process_started_at is not None:
        return not alive(run.pid, run.process_started_at)
    return is_silent(run, now)


def is_silent(run: Run, now: datetime) -> bool:
    """Whether a run that works would have said so since it was last heard of; what is to come, a wrong clock wrote."""
    silent_for = now - (run.heartbeat_at or run.started_at)
    return not -_CLOCKS_DIFFER <= silent_for <= _LONGEST_SILENCE


def _machine() -> str:
    """What processes share whose pids can be compared: the host since its start and, on Linux, the pid namespace.

    Two containers of one image can have the same host name and pids.
    """
    namespace = Path("/proc/self/ns/pid")
    inside = f" {os.readlink(namespace)}" if namespace.is_symlink() else ""  # noqa: PTH115 - the target is no path
    return f"{socket.gethostname()} since {int(psutil.boot_time())}{inside}"
