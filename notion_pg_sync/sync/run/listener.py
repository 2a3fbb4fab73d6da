"""What a sync tells whoever watches it."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from notion_pg_sync.mirror.runs import Counts, DatabaseRun
from notion_pg_sync.sync.files.outcome import FileCounts


class ProgressKey(Struct, frozen=True):
    """A database as a watcher knows it; two of one user may have the same name."""

    user_id: str
    name: str
    database_id: str


class Listener(Protocol):
    """Is told what happens, while it happens; must not fail and must not wait."""

    def waits(self, user_id: str, holder: str) -> None:
        """The run waits for another, `holder`, that is at work on a user."""

    def started(self, database: ProgressKey) -> None:
        """A database's sync has begun."""

    def progressed(self, database: ProgressKey, counts: Counts, *, expected: int | None, waiting: bool) -> None:
        """A batch of a data source was written.

        `counts`: all of it so far; `expected`: about how many rows it has, if all of them are read and an earlier run
        counted them; `waiting`: the rate limit holds this token's requests back.
        """

    def ended(self, database: ProgressKey, run: DatabaseRun) -> None:
        """A database's sync has ended, well or not."""

    def bodies_started(self, database: ProgressKey, due: int) -> None:
        """The rows of a database being there, its bodies are read; `due`: how many."""

    def bodies_progressed(self, database: ProgressKey, counts: Counts, *, waiting: bool) -> None:
        """A batch of bodies was read."""

    def bodies_ended(self, database: ProgressKey, run: DatabaseRun) -> None:
        """No more bodies of the database are read; also told where none was begun."""

    def files_started(self, user_id: str) -> None:
        """The rows and bodies of a user being there, files are fetched."""

    def files_progressed(self, user_id: str, counts: FileCounts) -> None:
        """A file was kept, or failed; `counts`: all so far."""

    def files_ended(self, user_id: str, counts: FileCounts) -> None:
        """No more files of the user are fetched."""


class SilentListener:
    """Watches nothing."""

    def waits(self, user_id: str, holder: str) -> None:
        """Nothing."""

    def started(self, database: ProgressKey) -> None:
        """Nothing."""

    def progressed(self, database: ProgressKey, counts: Counts, *, expected: int | None, waiting: bool) -> None:
        """Nothing."""

    def ended(self, database: ProgressKey, run: DatabaseRun) -> None:
        """Nothing."""

    def bodies_started(self, database: ProgressKey, due: int) -> None:
        """Nothing."""

    def bodies_progressed(self, database: ProgressKey, counts: Counts, *, waiting: bool) -> None:
        """Nothing."""

    def bodies_ended(self, database: ProgressKey, run: DatabaseRun) -> None:
        """Nothing."""

    def files_started(self, user_id: str) -> None:
        """Nothing."""

    def files_progressed(self, user_id: str, counts: FileCounts) -> None:
        """Nothing."""

    def files_ended(self, user_id: str, counts: FileCounts) -> None:
        """Nothing."""
