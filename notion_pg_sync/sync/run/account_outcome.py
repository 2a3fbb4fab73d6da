"""What syncing one account comes to, database by database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct, field

from notion_pg_sync.core.databases import ConfiguredDatabase
from notion_pg_sync.core.errors import ErrorCode
from notion_pg_sync.mirror.runs import Counts, DatabaseRun
from notion_pg_sync.settings import Settings
from notion_pg_sync.sync.files.outcome import FileCounts, FilesDue

if TYPE_CHECKING:
    from notion_pg_sync.sync.verify.verification import Verification


class Synced(Struct, frozen=True):
    """What a database came to; `is_suspended`: it is suspended by now."""

    run: DatabaseRun
    is_suspended: bool = False


class AccountOutcome(Struct):
    """What syncing an account came to, so far; `problems` are failures that belong to none of its databases.

    `due`: how many databases are to be synced. `token_problem`: why the token cannot be used, so that the databases of
    `unread` were not asked for. `suspended` names the databases that are suspended, tried or not, with the reason.
    `ids` has the ids of all these databases. `verified`: how the copy of databases compares with Notion, where that was
    asked for; `unverified`: why others could not be compared. `pages`: what reading pages by their ids came to.
    `files`: what keeping files came to, None where none are kept; `files_due`: what a dry run would fetch; `unkept`:
    the databases whose files are to be kept, where no place for these is known. `served`: how many requests of
    applications were taken up; `is_asked_for_more`: others waited when the sync of a database ended last.
    """

    user_id: str
    due: int = 0
    databases: dict[str, DatabaseRun] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    token_problem: str | None = None
    unread: list[str] = field(default_factory=list)
    suspended: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    verified: dict[str, Verification] = field(default_factory=dict)
    unverified: dict[str, str] = field(default_factory=dict)
    pages: Counts = field(default_factory=Counts)
    files: FileCounts | None = None
    files_due: FilesDue = field(default_factory=FilesDue)
    unkept: list[str] = field(default_factory=list)
    served: int = 0
    is_asked_for_more: bool = False

    @property
    def is_anything_read(self) -> bool:
        """Whether a database was synced well."""
        return any(run.error_code is None for run in self.databases.values())

    @property
    def is_anything_done(self) -> bool:
        """Whether there was anything to be done for the account."""
        return bool(self.databases or self.suspended or self.served)

    @property
    def incomplete(self) -> list[str]:
        """The databases that were synced well but for values that Notion does not give."""
        return [name for name, run in self.databases.items() if run.is_incomplete and run.error_code is None]

    def add(self, database: ConfiguredDatabase, synced: Synced) -> str:
        """Takes in what a database came to, and returns under which name."""
        name = self.name_of(database)
        self.databases[name] = synced.run
        if synced.is_suspended and synced.run.error_code:
            self.suspended[name] = synced.run.message or ""
        return name

    def note_unkept(self, settings: Settings, databases: Iterable[ConfiguredDatabase]) -> None:
        """Takes in which of the databases want their files kept, where no place for these is known."""
        if settings.files is None:
            self.unkept = [database.name for database in databases if database.options.files]

    def leave_suspended(self, reasons: Mapping[ConfiguredDatabase, str]) -> None:
        """Takes in that these databases were not tried, being suspended."""
        for database, reason in reasons.items():
            self.suspended[self.name_of(database)] = reason

    def refuse(self, refusal: str, unread: Iterable[ConfiguredDatabase], *, is_suspended: bool) -> None:
        """Takes in that Notion does not accept the token; `is_suspended`: it is suspended by now."""
        names = [self.name_of(database) for database in unread]
        if is_suspended:
            refused = [name for name, run in self.databases.items() if run.error_code == ErrorCode.UNAUTHORIZED]
            self.suspended.update(dict.fromkeys([*refused, *names], refusal))
        else:
            self.token_problem, self.unread = refusal, names

    def name_of(self, database: ConfiguredDatabase) -> str:
        """A database's own name; where search found two of one name, with its id."""
        name = database.name
        if self.ids.setdefault(name, database.database_id) != database.database_id:
            name = f"{name} ({database.database_id})"
            self.ids[name] = database.database_id
        return name
