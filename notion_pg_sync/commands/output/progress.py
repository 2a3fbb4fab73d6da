"""Live progress on a terminal: a line for each database that is being synced."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import timedelta
from types import TracebackType

import humanize
from rich.console import RenderableType
from rich.progress import Progress, ProgressColumn, SpinnerColumn, Task, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Column
from rich.text import Text

from notion_pg_sync.commands.output.fitting import FittedNames
from notion_pg_sync.commands.output.logs import logs_told_to
from notion_pg_sync.commands.output.terminal import Screen, text_of
from notion_pg_sync.mirror.runs import Counts, DatabaseRun
from notion_pg_sync.sync.files.outcome import FileCounts
from notion_pg_sync.sync.run.listener import ProgressKey

# In less, a line says neither of how many, nor how many requests, nor both how long and what it waits for.
_WIDE = 120
_WAITING = "waiting for Notion's rate limit"


class ProgressDisplay:
    """A `Listener` that shows what is under way on `console`; a context manager. Logs go above its lines meanwhile."""

    def __init__(self, console: Screen) -> None:
        self._progress = Progress(
            SpinnerColumn(finished_text="[green]✓", table_column=Column(no_wrap=True)),
            _NamesColumn(),
            TextColumn("{task.fields[count]}", justify="right"),
            TextColumn("{task.fields[rate]}", justify="right"),
            TextColumn("{task.fields[requests]}", justify="right"),
            TimeElapsedColumn(table_column=Column(no_wrap=True)),
            TextColumn("{task.fields[note]}", markup=False),
            console=console,
            transient=True,
            # rich would read control sequences in what is printed meanwhile.
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._tasks: dict[tuple[ProgressKey, str], TaskID] = {}
        self._files: dict[str, TaskID] = {}
        self._shown = ExitStack()

    def __enter__(self) -> ProgressDisplay:
        self._shown.enter_context(self._progress)
        self._shown.enter_context(logs_told_to(self._log))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._shown.close()

    def waits(self, user_id: str, holder: str) -> None:
        """Says so above the lines."""
        self._progress.console.print(f"waiting for {holder}, which is syncing {user_id}", style="dim")

    def started(self, database: ProgressKey) -> None:
        """Adds a line for the database."""
        self._start(database, "rows", total=None)

    def progressed(self, database: ProgressKey, counts: Counts, *, expected: int | None, waiting: bool) -> None:
        """Brings the database's line up to date."""
        self._progress_of(database, "rows", counts.rows_read, counts, total=expected, waiting=waiting)

    def ended(self, database: ProgressKey, run: DatabaseRun) -> None:
        """Takes the database's line away; a failed one is told above the lines that are left."""
        self._end(database, "rows")
        if run.error_code:
            self._tell(f"✗ {database.user_id} / {database.name}: {run.message}", "red")

    def bodies_started(self, database: ProgressKey, due: int) -> None:
        """Adds a line for the database's bodies."""
        self._start(database, "bodies", total=due)

    def bodies_progressed(self, database: ProgressKey, counts: Counts, *, waiting: bool) -> None:
        """Brings that line up to date."""
        task = self._task_of(database, "bodies")
        total = None if task.total is None else round(task.total)
        count = counts.bodies_read + counts.bodies_failed
        self._progress_of(database, "bodies", count, counts, total=total, waiting=waiting)

    def bodies_ended(self, database: ProgressKey, run: DatabaseRun) -> None:
        """Takes that line away; what could not be read is told above the lines that are left."""
        self._end(database, "bodies")
        if run.bodies_failed:
            self._tell(f"! {database.user_id} / {database.name}: {run.message}", "yellow")

    def _tell(self, sentence: str, style: str) -> None:
        self._progress.console.print(text_of(sentence, style))

    def _log(self, line: str) -> None:
        self._progress.console.print(Text(line, overflow="fold"))

    def files_started(self, user_id: str) -> None:
        """Adds a line for the user's files."""
        self._files[user_id] = self._progress.add_task(
            "", total=None, names=FittedNames(user_id, "files"), count="0 files", rate="", requests="", note=""
        )

    def files_progressed(self, user_id: str, counts: FileCounts) -> None:
        """Brings that line up to date."""
        task = next(one for one in self._progress.tasks if one.id == self._files[user_id])
        seconds, count = task.elapsed or 0.0, counts.kept + counts.failed
        self._progress.update(
            task.id,
            count=f"{count:,} files",
            rate=f"{count / seconds:,.0f}/s" if seconds >= 1 else "",
            note=humanize.naturalsize(counts.bytes) + (f", {counts.failed:,} failed" if counts.failed else ""),
        )

    def files_ended(self, user_id: str, counts: FileCounts) -> None:
        """Takes that line away; that some failed is told above the lines that are left."""
        self._progress.remove_task(self._files.pop(user_id))
        if counts.failed:
            self._tell(f"! {user_id}: {counts.sentence}", "yellow")

    def _start(self, database: ProgressKey, things: str, *, total: int | None) -> None:
        names = FittedNames(database.user_id, database.name)
        self._tasks[database, things] = self._progress.add_task(
            "", total=total, names=names, count=f"0 {things}", rate="", requests="", note=""
        )

    def _task_of(self, database: ProgressKey, things: str) -> Task:
        return next(one for one in self._progress.tasks if one.id == self._tasks[database, things])

    def _progress_of(
        self, database: ProgressKey, things: str, count: int, counts: Counts, *, total: int | None, waiting: bool
    ) -> None:
        task = self._task_of(database, things)
        seconds = task.elapsed or 0.0
        is_estimate = things == "rows"
        is_wide = self._progress.console.width >= _WIDE
        notes = outlook(count, total, seconds, is_estimate=is_estimate)
        if waiting and (is_wide or len(notes) < 2):
            notes.append(_WAITING)
        of = f" of {'about ' if is_estimate else ''}{total:,}" if total and is_wide else ""
        self._progress.update(
            task.id,
            count=f"{count:,}{of} {things}",
            rate=f"{count / seconds:,.0f}/s" if seconds >= 1 else "",
            requests=f"{counts.requests:,} requests" if is_wide else "",
            note=", ".join(notes),
        )

    def _end(self, database: ProgressKey, things: str) -> None:
        if (task := self._tasks.pop((database, things), None)) is not None:
            self._progress.remove_task(task)


def outlook(count: int, total: int | None, seconds: float, *, is_estimate: bool) -> list[str]:
    """Pure: how much of `total` is done after so many seconds, and how long the rest takes, such as `27%`, `3 minutes
    left`; without a total nothing. What is an estimate says `about`, and is never all of it before the end.
    """
    if not total:
        return []
    percent = min(count * 100 // total, 99 if is_estimate else 100)
    said = [f"{'about ' if is_estimate else ''}{percent}%"]
    if 0 < count < total and seconds >= 1:
        left = timedelta(seconds=max((total - count) * seconds / count, 1))
        said.append(f"{humanize.naturaldelta(left)} left")
    return said


class _NamesColumn(ProgressColumn):
    """The one column that gives way where a terminal is narrow."""

    def __init__(self) -> None:
        super().__init__(table_column=Column())

    def render(self, task: Task) -> RenderableType:
        names: FittedNames = task.fields["names"]
        return names
