"""Pure: whether the process of a run is no more, by its record and by what is known of the machine that asks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from notion_pg_sync.core.health import CLOCKS_DIFFER_MINUTES, GONE_AFTER_SILENT_SECONDS
from notion_pg_sync.mirror.overview import Run

_LONGEST_SILENCE = timedelta(seconds=GONE_AFTER_SILENT_SECONDS)
_CLOCKS_DIFFER = timedelta(minutes=CLOCKS_DIFFER_MINUTES)


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
