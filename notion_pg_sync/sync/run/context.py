"""What the parts of one run share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from notion_pg_sync.core.errors import ErrorCode, ToolError
from notion_pg_sync.mirror import leases
from notion_pg_sync.mirror.connection import Connection, Pool, transaction
from notion_pg_sync.mirror.tables import (
    GENERAL_TABLE,
    FoundTables,
    Misfit,
    SyncTable,
    known_tables,
    own_table_name,
    table_for,
)
from notion_pg_sync.notion.connections import Connections
from notion_pg_sync.notion.pacer import Pacer
from notion_pg_sync.settings import Settings
from notion_pg_sync.sync.files.addresses import Addresses
from notion_pg_sync.sync.run.answer_memory import AnswerMemory
from notion_pg_sync.sync.run.listener import Listener

if TYPE_CHECKING:
    from notion_pg_sync.notion.client import NotionClient
    from notion_pg_sync.notion.token_in_use import Stored
    from notion_pg_sync.sync.files.keeping import FileKeeping


class UnfitTableError(ToolError):
    """A sync table is not as it has to be; the message says why and what to do."""

    code = ErrorCode.UNFIT_TABLE


@dataclass(frozen=True)
class RunContext:
    """One run: its settings, its record, its connections, and the tables that it writes.

    `schema` is where `user_settings` and the sync tables lie. `unfit`: by qualified name, why other sync tables cannot
    be written. `presets_told`: the presets of which it was said that their tables cannot be made. `answers`: what is
    held of Notion's answers. `connections`: what all requests to Notion go over.
    `addresses`: where the files that Notion hosts can be fetched from by now. `files_due`: by user, the paths of those
    that a dry run saw and that are not kept. `keeping`: what they are kept with,
    None: they are not.
    """

    settings: Settings
    runid: int
    pool: Pool
    schema: str
    tables: dict[str, SyncTable]
    listener: Listener
    unfit: dict[str, Misfit] = field(default_factory=dict)
    presets_told: set[str] = field(default_factory=set)
    answers: AnswerMemory = field(default_factory=AnswerMemory)
    connections: Connections | None = None
    addresses: Addresses = field(default_factory=Addresses)
    files_due: dict[str, set[str]] = field(default_factory=dict)
    keeping: FileKeeping | None = None
    _pacers: dict[str, Pacer] = field(default_factory=dict, init=False, repr=False)

    def open_client(self, token: str, stored: Stored | None = None) -> NotionClient:
        """A client for one token, which goes on with what is `stored` once Notion refuses it.

        Users who share a token share its pace, since Notion limits the token.
        """
        from notion_pg_sync.sync.run.opening import open_client  # noqa: PLC0415 - only where there is something to do

        pacer = self._pacers.setdefault(token, Pacer(self.settings.requests_per_minute))
        return open_client(self.settings, token, pacer=pacer, stored=stored, connections=self.connections)

    def table_for(self, database_name: str) -> SyncTable:
        """The table that a database's rows go to. Raises `UnfitTableError` where it cannot be written."""
        for table in known_tables(self.schema):
            if table.name in (own_table_name(database_name), GENERAL_TABLE) and table.name not in self.tables:
                self.check_table(table.qualified_name)
        if GENERAL_TABLE not in self.tables:
            raise UnfitTableError(f"there is no table {self.schema}.{GENERAL_TABLE}: run 'notion-pg-sync init'.")
        return table_for(database_name, self.tables)

    def learn(self, found: FoundTables) -> None:
        """Takes in the tables that were made since the run began."""
        for name, table in found.fit.items():
            self.tables.setdefault(name, table)
        self.unfit.update(found.unfit)

    def check_table(self, qualified_name: str) -> None:
        """Raises `UnfitTableError` where a sync table is there but cannot be written."""
        if misfit := self.unfit.get(qualified_name):
            raise UnfitTableError(misfit.sentence, misfit.remedy)

    def table_named(self, qualified_name: str) -> SyncTable | None:
        """The sync table of that name, as `SyncTable.qualified_name` gives it; None where it is gone."""
        return next((table for table in self.tables.values() if table.qualified_name == qualified_name), None)

    @asynccontextmanager
    async def writing_for(self, user_id: str) -> AsyncIterator[Connection]:
        """A transaction that holds the user's lease to its end. Raises `LeaseLostError` when another run has it."""
        async with transaction(self.pool) as connection:
            await leases.renew(connection, self.runid, user_id, self.settings.lease_seconds)
            yield connection
