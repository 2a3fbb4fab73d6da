"""What `status` and `doctor` know: rows of PostgreSQL, and which processes are gone. No judgement yet. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from msgspec import Struct

from notion_pg_sync.mirror.files import FileTotals
from notion_pg_sync.mirror.history import HistorySize
from notion_pg_sync.mirror.looks import NO_DEMAND, Demand
from notion_pg_sync.mirror.overview import Database, PastSync, Run, User
from notion_pg_sync.mirror.retyped_columns import RetypedColumn
from notion_pg_sync.sync.run.silence import is_gone, is_silent

Key = tuple[str, str]


class Facts(Struct, frozen=True):
    """Everything at one moment, `now`, by PostgreSQL's clock.

    `last_run` is the latest of `sync-all`, `runs` are the latest of any command, `open_runs` those whose record is not
    closed, `gone` the ids of those whose process is no more. `own_failure`: what the latest run failed of that no
    database says. `last_failures`: why databases (user and database id) that are being synced right now failed the time
    before. `past_syncs` only where they were asked for. `retyped`: columns of typed views that are shown as text since
    their properties have another type now. `paused`: the names of the jobs that somebody has paused; `demand`: what is
    asked for from SQL, and who looks for it. `history`: how large it is, None where that is not told; `files`: those
    that pages name, likewise. `obstacles`: what keeps every copy from being kept fresh or judged, a sentence each;
    `is_partial`: so that nothing can be said of users and databases.
    """

    now: datetime
    users: tuple[User, ...] = ()
    databases: tuple[Database, ...] = ()
    last_run: Run | None = None
    runs: tuple[Run, ...] = ()
    open_runs: tuple[Run, ...] = ()
    gone: frozenset[int] = frozenset()
    own_failure: tuple[str, datetime] | None = None
    last_failures: tuple[PastSync, ...] = ()
    past_syncs: tuple[PastSync, ...] = ()
    retyped: tuple[RetypedColumn, ...] = ()
    paused: frozenset[str] = frozenset()
    demand: Demand = NO_DEMAND
    history: HistorySize | None = None
    files: FileTotals | None = None
    obstacles: tuple[str, ...] = ()
    is_partial: bool = False

    @property
    def silent(self) -> tuple[Run, ...]:
        """The open runs whose process has given no sign of life for long, and is there."""
        return tuple(run for run in self.open_runs if run.runid not in self.gone and is_silent(run, self.now))


def status_of(runid: int, status: str, facts: Facts) -> str:
    """The status of a run, or of a sync in it, as it is told: one whose process is no more does not run."""
    return "went away" if status == "running" and runid in facts.gone else status


def gone_runs(
    open_runs: Iterable[Run], now: datetime, machine: str, is_alive: Callable[[int, float], bool]
) -> frozenset[int]:
    """The runs whose process is no more: on this `machine` by `is_alive` (pid, process start), else by heartbeat."""
    return frozenset(run.runid for run in open_runs if is_gone(run, now, machine, is_alive))
