"""Live progress on a terminal: a line for each database that is being synced."""

from __future__ import annotations

from types import TracebackType

from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from notion_pg_sync.commands.output.terminal import Screen
from notion_pg_sync.core.printable import printable
from notion_pg_sync.mirror.runs import Counts, DatabaseRun
from notion_pg_sync.sync.run.listener import ProgressKey


class ProgressDisplay:
    """A `Listener` that shows what is under way on `console`; a context manager."""

    def __init__(self, console: Screen) -> None:
        self._progress = Progress(
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("{task.description}", markup=False),
            TextColumn("{task.fields[count]:>9,} {task.fields[things]}"),
            TextColumn("{task.fields[rate]:>6,.0f} {task.fields[things]}/s"),
            TextColumn("{task.fields[requests]:>6,} requests"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}", markup=False),
            console=console,
            transient=True,
            # rich would read control sequences in what is printed meanwhile.
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._tasks: dict[tuple[ProgressKey, str], TaskID] = {}

    def __enter__(self) -> ProgressDisplay:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._progress.stop()

    def waits(self, user_id: str, holder: str) -> None:
        """Says so above the lines."""
        self._progress.console.print(f"waiting for {holder}, which is syncing {user_id}", style="dim")

    def started(self, database: ProgressKey) -> None:
        """Adds a line for the database."""
        self._start(database, "rows", total=None)

    def progressed(self, database: ProgressKey, counts: Counts, *, waiting: bool) -> None:
        """Brings the database's line up to date."""
        self._progress_of(database, "rows", counts.rows_read, counts, waiting=waiting)

    def ended(self, database: ProgressKey, run: DatabaseRun) -> None:
        """Takes the database's line away; a failed one is told above the lines that are left."""
        self._end(database, "rows")
        if run.error_code:
            self._progress.console.print(f"✗ {database.user_id} / {database.name}: {run.message}", style="red")

    def bodies_started(self, database: ProgressKey, due: int) -> None:
        """Adds a line for the database's bodies."""
        self._start(database, "bodies", total=due)

    def bodies_progressed(self, database: ProgressKey, counts: Counts, *, waiting: bool) -> None:
        """Brings that line up to date."""
        self._progress_of(database, "bodies", counts.bodies_read + counts.bodies_failed, counts, waiting=waiting)

    def bodies_ended(self, database: ProgressKey, run: DatabaseRun) -> None:
        """Takes that line away; what could not be read is told above the lines that are left."""
        self._end(database, "bodies")
        if run.bodies_failed:
            self._progress.console.print(f"! {database.user_id} / {database.name}: {run.message}", style="yellow")

    def _start(self, database: ProgressKey, things: str, *, total: int | None) -> None:
        description = printable(f"{database.user_id} / {database.name}")
        self._tasks[database, things] = self._progress.add_task(
            description, total=total, count=0, things=things, rate=0.0, requests=0, note=""
        )

    def _progress_of(self, database: ProgressKey, things: str, count: int, counts: Counts, *, waiting: bool) -> None:
        task = next(one for one in self._progress.tasks if one.id == self._tasks[database, things])
        rate = count / task.elapsed if task.elapsed else 0.0
        notes = [f"of {task.total:,.0f}"] if task.total is not None else []
        notes += ["waiting for Notion's rate limit"] if waiting else []
        self._progress.update(task.id, count=count, rate=rate, requests=counts.requests, note=", ".join(notes))

    def _end(self, database: ProgressKey, things: str) -> None:
        if (task := self._tasks.pop((database, things), None)) is not None:
            self._progress.remove_task(task)
