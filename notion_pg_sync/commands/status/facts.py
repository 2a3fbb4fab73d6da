"""What `status` and `doctor` know: rows of PostgreSQL, and which processes are gone. No judgement yet. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from notion_pg_sync.mirror.overview import Database, PastSync, Run, User
from notion_pg_sync.mirror.retyped_columns import RetypedColumn
from notion_pg_sync.sync.run.process import is_gone, is_silent

Key = tuple[str, str]


@dataclass(frozen=True)
class Facts:
    """Everything at one moment, `now`, by PostgreSQL's clock.

    `last_run` is the latest of `sync-all`, `runs` are the latest of any command, `open_runs` those whose record is not
    closed, `gone` the ids of those whose process is no more. `own_failure`: what the latest run failed of that no
    database says. `last_failures`: why databases (user and database id) that are being synced right now failed the time
    before. `past_syncs` only where they were asked for. `retyped`: columns of typed views that are shown as text since
    their properties have another type now. `obstacles`: what keeps every copy from being kept fresh or judged, a
    sentence each; `is_partial`: so that nothing can be said of users and databases.
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
    obstacles: tuple[str, ...] = ()
    is_partial: bool = False

    @property
    def silent(self) -> tuple[Run, ...]:
        """The open runs whose process has given no sign of life for long, and is there."""
        return tuple(run for run in self.open_runs if run.runid not in self.gone and is_silent(run, self.now))


def gone_runs(
    open_runs: Iterable[Run], now: datetime, machine: str, is_alive: Callable[[int, float], bool]
) -> frozenset[int]:
    """The runs whose process is no more: on this `machine` by `is_alive` (pid, process start), else by heartbeat."""
    return frozenset(run.runid for run in open_runs if is_gone(run, now, machine, is_alive))
