"""Live progress on a terminal: a line for each database that is being synced."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from notion_pg_sync.mirror.runs import DatabaseRun
from notion_pg_sync.sync.listener import Watched


class ProgressDisplay:
    """A `Listener` that shows what is under way on `console`; a context manager."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("{task.description}", markup=False),
            TextColumn("{task.fields[rows]:>9,} rows"),
            TextColumn("{task.fields[rate]:>6,.0f} rows/s"),
            TextColumn("{task.fields[requests]:>6,} requests"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}", markup=False),
            console=console,
            transient=True,
        )
        self._tasks: dict[Watched, TaskID] = {}

    def __enter__(self) -> ProgressDisplay:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._progress.stop()

    def started(self, database: Watched) -> None:
        """Adds a line for the database."""
        description = f"{database.user_id} / {database.name}"
        self._tasks[database] = self._progress.add_task(description, total=None, rows=0, rate=0.0, requests=0, note="")

    def progressed(self, database: Watched, run: DatabaseRun, *, waiting: bool) -> None:
        """Brings the database's line up to date."""
        note = "waiting for Notion's rate limit" if waiting else ""
        task = self._tasks[database]
        elapsed = next(one.elapsed for one in self._progress.tasks if one.id == task)
        rate = run.rows_read / elapsed if elapsed else 0.0
        self._progress.update(task, rows=run.rows_read, rate=rate, requests=run.requests, note=note)

    def ended(self, database: Watched, run: DatabaseRun) -> None:
        """Takes the database's line away; a failed one is told above the lines that are left."""
        self._progress.remove_task(self._tasks.pop(database))
        if run.error_code:
            self._progress.console.print(
                f"✗ {database.user_id} / {database.name}: {run.message}", style="red", markup=False, highlight=False
            )
