"""What the sync tables hold of a database, as `sync --verify` reads it to compare it with Notion."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import LiteralString

from psycopg import sql
from psycopg.rows import class_row

from notion_pg_sync.mirror.connection import Connection, Pool, transaction
from notion_pg_sync.mirror.percent_safe_cursor import qualified
from notion_pg_sync.mirror.tables import SyncTable, table_for


@dataclass(frozen=True)
class HeldRow:
    """A row as it is, whatever it holds."""

    page_id: str
    title: str | None
    url: str | None
    properties: object
    created_at: datetime | None
    edited_at: datetime | None
    data_source_id: str | None
    database_id: str
    database_name: str | None


@dataclass(frozen=True)
class HeldRows:
    """The rows of a database of a user; `tables` is where they might be."""

    pool: Pool
    tables: dict[str, SyncTable]
    user_id: str
    database_id: str
    database_name: str

    @property
    def table(self) -> SyncTable:
        """Where they belong."""
        return table_for(self.database_name, self.tables)

    async def since_sync(self) -> timedelta | None:
        """How long ago the database's last sync began, None before the first; all by PostgreSQL's clock."""
        async with transaction(self.pool) as connection:
            found = await connection.execute(
                """
                SELECT clock_timestamp() - last_started_at FROM notion_sync.databases
                WHERE user_id = %s AND database_id = %s
                """,
                (self.user_id, self.database_id),
            )
            row = await found.fetchone()
        return row[0] if row else None

    async def rows(self, page_ids: Sequence[str]) -> dict[str, HeldRow]:
        """The rows of these pages in the table, by page id."""
        query = qualified(
            """
            SELECT notion_page_id AS page_id, {title} AS title, url, properties, notion_created_at AS created_at,
                   notion_edited_at AS edited_at, notion_data_source_id AS data_source_id,
                   notion_database_id AS database_id, {database_name} AS database_name
            FROM {table} WHERE user_id {=} %s AND notion_page_id {=} ANY (%s)
            """,
            title=sql.Identifier(self.table.title),
            database_name=sql.SQL("database_name" if self.table.has_database_name else "NULL"),
            table=self.table.identifier,
        )
        async with self._reading() as connection, connection.cursor(row_factory=class_row(HeldRow)) as cursor:
            await cursor.execute(query, (self.user_id, list(page_ids)))
            return {row.page_id: row async for row in cursor}

    async def page_ids(self, data_source_id: str) -> list[str]:
        """The pages of a data source that have a row in the table."""
        query = qualified(
            "SELECT notion_page_id FROM {table} WHERE user_id {=} %s AND notion_data_source_id {=} %s"
            " AND notion_page_id IS NOT NULL ORDER BY notion_page_id",
            table=self.table.identifier,
        )
        async with self._reading() as connection:
            return [page_id async for (page_id,) in await connection.execute(query, (self.user_id, data_source_id))]

    async def misplaced(self, listed: Sequence[str]) -> list[tuple[str, str]]:
        """Pages of the database with a row where none may be, each with the name of the table that holds it.

        That is: in another table, or of a data source that is not `listed`. Rows without a page id are the
        application's, and so are those in other tables that no sync has made its own.
        """
        found: list[tuple[str, str]] = []
        for table in self.tables.values():
            wrong: LiteralString = "NOT coalesce(notion_data_source_id {=} ANY (%(listed)s), false)"
            query = qualified(
                """
                SELECT notion_page_id FROM {table}
                WHERE user_id {=} %(user)s AND notion_page_id IS NOT NULL AND {wrong}
                  AND (notion_data_source_id {=} ANY (%(listed)s)
                       OR pg_catalog.lower(pg_catalog.replace(notion_database_id, '-', ''))
                          {=} pg_catalog.replace(%(database)s, '-', ''))
                ORDER BY notion_page_id
                """,
                table=table.identifier,
                wrong=qualified(wrong if table == self.table else "notion_data_source_id IS NOT NULL"),
            )
            parameters = {"user": self.user_id, "listed": list(listed), "database": self.database_id}
            async with self._reading() as connection:
                rows = await connection.execute(query, parameters)
                found += [(page_id, table.qualified_name) async for (page_id,) in rows]
        return found

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[Connection]:
        async with transaction(self.pool) as connection:
            with connection.as_application():
                yield connection
