"""The processor time of a PostgreSQL server: of the processes it has, and of those that ended."""

from __future__ import annotations

from contextlib import suppress

import psutil
import psycopg
from psycopg.conninfo import conninfo_to_dict


def postmaster_of(database_url: str) -> psutil.Process | None:
    """The process that every other of a server descends from; None where the server is on another machine."""
    host = str(conninfo_to_dict(database_url).get("host", ""))
    if not host.startswith("/") and host not in ("", "localhost", "127.0.0.1", "::1"):
        return None
    with psycopg.connect(database_url) as connection:
        return psutil.Process(connection.info.backend_pid).parent()


def cpu_seconds_of(postmaster: psutil.Process | None) -> float | None:
    """Seconds that a server has used so far, in user and system mode.

    What a process used moves to its parent when it has ended, which must not be counted on both sides of that: so it is
    read again until nothing ended meanwhile.
    """
    if postmaster is None:
        return None
    while True:
        before = postmaster.cpu_times()
        living = 0.0
        for child in postmaster.children(recursive=True):
            # It has ended; what it used is its parent's.
            with suppress(psutil.NoSuchProcess):
                living += sum(child.cpu_times()[:4])
        after = postmaster.cpu_times()
        if after[2:4] == before[2:4]:
            return sum(after[:4]) + living
