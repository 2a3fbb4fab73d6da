"""What the parts of one run share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from notion_pg_sync.mirror import leases
from notion_pg_sync.mirror.connection import Connection, Pool, transaction
from notion_pg_sync.mirror.tables import SyncTable
from notion_pg_sync.settings import Settings
from notion_pg_sync.sync.run.listener import Listener


@dataclass(frozen=True)
class RunContext:
    """One run: its settings, its record, its connections, and the tables that it writes.

    `schema` is where `user_settings` and the sync tables lie.
    """

    settings: Settings
    runid: int
    pool: Pool
    schema: str
    tables: dict[str, SyncTable]
    listener: Listener

    def table_named(self, qualified_name: str) -> SyncTable | None:
        """The sync table of that name, as `SyncTable.qualified_name` gives it; None where it is gone."""
        return next((table for table in self.tables.values() if table.qualified_name == qualified_name), None)

    @asynccontextmanager
    async def writing_for(self, user_id: str) -> AsyncIterator[Connection]:
        """A transaction that holds the user's lease to its end. Raises `LeaseLostError` when another run has it."""
        async with transaction(self.pool) as connection:
            await leases.renew(connection, self.runid, user_id, self.settings.lease_seconds)
            yield connection
