"""What `status` knows: rows of PostgreSQL, and which processes are gone. No judgement yet."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from notion_pg_sync.mirror.overview import Database, PastSync, Run, User

# By then another run may have taken the account over: four beats of its heart were missed.
LONGEST_SILENCE = timedelta(minutes=2)

Key = tuple[str, str]


@dataclass(frozen=True)
class Facts:
    """Everything at one moment, `now`, by PostgreSQL's clock.

    `runs` are the latest, `open_runs` those whose record is not closed, `gone` the ids of those whose process is no
    more. `own_failure`: what the latest run failed of that no database says. `last_failures`: why databases (user and
    database id) that are being synced right now failed the time before. `past_syncs` only where they were asked for.
    """

    now: datetime
    users: tuple[User, ...] = ()
    databases: tuple[Database, ...] = ()
    runs: tuple[Run, ...] = ()
    open_runs: tuple[Run, ...] = ()
    gone: frozenset[int] = frozenset()
    own_failure: tuple[str, datetime] | None = None
    last_failures: tuple[PastSync, ...] = ()
    past_syncs: tuple[PastSync, ...] = ()


def gone_runs(
    open_runs: Iterable[Run], now: datetime, machine: str, is_alive: Callable[[int, float], bool]
) -> frozenset[int]:
    """The runs whose process is no more: on this `machine` by `is_alive` (pid, process start), else by heartbeat."""
    return frozenset(run.runid for run in open_runs if _is_gone(run, now, machine, is_alive))


def _is_gone(run: Run, now: datetime, machine: str, is_alive: Callable[[int, float], bool]) -> bool:
    if run.machine == machine and run.pid is not None and run.process_started_at is not None:
        return not is_alive(run.pid, run.process_started_at)
    return now - (run.heartbeat_at or run.started_at) > LONGEST_SILENCE
