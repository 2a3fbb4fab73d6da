"""What the sync tables hold of a database, as `sync --verify` reads it to compare it with Notion."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import LiteralString, cast

from msgspec import Struct
from psycopg import sql
from psycopg.rows import class_row

from notion_pg_sync.mirror.connection import Connection, Pool, fetch_value, transaction
from notion_pg_sync.mirror.page_ids import every_spelling
from notion_pg_sync.mirror.qualified_sql import qualified
from notion_pg_sync.mirror.tables import PAGE_COLUMNS, SyncTable, columns_of

# The page of a row as Notion writes it, however the row does; what is no id of Notion as it is.
_PAGE_ID = sql.SQL("coalesce(notion_sync.as_notion_id(notion_page_id)::pg_catalog.text, notion_page_id)")

_WRONG_ELSEWHERE: LiteralString = "notion_data_source_id IS NOT NULL"
_WRONG_WHERE_IT_BELONGS: LiteralString = (
    "NOT coalesce(notion_data_source_id {=} ANY (%(listed)s), notion_sync.as_notion_id(notion_page_id) IS NULL)"
)


class HeldRow(Struct, frozen=True):
    """A row as it is, whatever it holds; ids of Notion's as Notion writes them.

    `extra`: its extra columns, by name; `about_page`: those of `PAGE_COLUMNS`.
    """

    page_id: str
    title: str | None
    text: str | None
    extra: Mapping[str, int | None]
    url: str | None
    properties: object
    fields: object
    created_at: datetime | None
    edited_at: datetime | None
    data_source_id: str | None
    database_id: str
    database_name: str | None
    about_page: Mapping[str, object]


class HeldColumn(Struct, frozen=True):
    """A row of `notion_sync.columns`."""

    property_id: str
    part: str
    name: str
    type: str
    property_type: str


class HeldRows(Struct, frozen=True):
    """The rows of a database of a user; `table` is where they belong, `tables` where they might be."""

    pool: Pool
    tables: dict[str, SyncTable]
    user_id: str
    database_id: str
    database_name: str
    table: SyncTable

    async def since_sync(self) -> timedelta | None:
        """How long ago the database's last sync began, None before the first; all by PostgreSQL's clock."""
        async with transaction(self.pool) as connection:
            since = await fetch_value(
                connection,
                """
                SELECT clock_timestamp() - last_started_at FROM notion_sync.databases
                WHERE user_id = %s AND database_id = %s
                """,
                self.user_id,
                self.database_id,
            )
        return cast(timedelta | None, since)

    async def wrong_types(self) -> list[tuple[str, str, str]]:
        """The columns of the table whose type is not the one that they are made with: name, that type, their own."""
        wanted = columns_of(self.table)
        async with transaction(self.pool) as connection:
            found = await connection.execute(
                """
                SELECT attname, format_type(atttypid, atttypmod)
                FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
                WHERE relnamespace = to_regnamespace(quote_ident(%s)) AND relname = %s AND NOT attisdropped
                """,
                (self.table.schema, self.table.name),
            )
            types: dict[str, str] = {name: type_ async for name, type_ in found}
        return [
            (column.name, column.type, types[column.name])
            for column in wanted
            if types[column.name].replace("character varying", "text") != column.type
        ]

    async def columns(self, data_source_id: str) -> list[HeldColumn]:
        """How the properties of a data source are named in `fields`."""
        async with transaction(self.pool) as connection, connection.cursor(row_factory=class_row(HeldColumn)) as cursor:
            await cursor.execute(
                """
                SELECT property_id, part, name, type, property_type FROM notion_sync.columns
                WHERE user_id = %s AND data_source_id = %s
                """,
                (self.user_id, data_source_id),
            )
            return await cursor.fetchall()

    async def left_out(self, data_source_id: str) -> dict[str, dict[str, datetime]]:
        """Since when values of a data source are known to be missing, by page id and property."""
        pages: dict[str, dict[str, datetime]] = {}
        async with transaction(self.pool) as connection:
            found = await connection.execute(
                "SELECT page_id, property, since FROM notion_sync.left_out WHERE user_id = %s AND data_source_id = %s",
                (self.user_id, data_source_id),
            )
            async for page_id, name, since in found:
                pages.setdefault(page_id, {})[name] = since
        return pages

    async def rows(self, page_ids: Sequence[str]) -> dict[str, HeldRow]:
        """The rows of these pages in the table, by page id; of several rows of one page any."""
        query = qualified(
            """
            SELECT {page_id} AS page_id, {title} AS title, {text} AS text, {extra} AS extra, url,
                   properties, fields, notion_created_at AS created_at, notion_edited_at AS edited_at,
                   notion_data_source_id AS data_source_id,
                   coalesce(notion_sync.as_notion_id(notion_database_id)::pg_catalog.text, notion_database_id)
                       AS database_id,
                   {database_name} AS database_name, {about_page} AS about_page
            FROM {table} WHERE user_id {=} %s AND notion_page_id {=} ANY (%s)
            """,
            page_id=_PAGE_ID,
            title=sql.Identifier(self.table.title),
            text=sql.Identifier(self.table.text),
            extra=_by_name(column.name for column in self.table.extra),
            about_page=_by_name(column.name for column in PAGE_COLUMNS),
            database_name=sql.SQL("database_name" if self.table.has_database_name else "NULL"),
            table=self.table.identifier,
        )
        async with self._reading() as connection, connection.cursor(row_factory=class_row(HeldRow)) as cursor:
            await cursor.execute(query, (self.user_id, every_spelling(page_ids)))
            return {row.page_id: row async for row in cursor}

    async def page_ids(self, data_source_id: str) -> list[str]:
        """The page of each row of a data source in the table: more than once where it has more than one."""
        query = qualified(
            "SELECT {page_id} AS page_id FROM {table} WHERE user_id {=} %s AND notion_data_source_id {=} %s"
            " AND notion_page_id IS NOT NULL ORDER BY page_id",
            page_id=_PAGE_ID,
            table=self.table.identifier,
        )
        async with self._reading() as connection:
            return [page_id async for (page_id,) in await connection.execute(query, (self.user_id, data_source_id))]

    async def misplaced(self, listed: Sequence[str]) -> list[tuple[str, str]]:
        """Pages of the database with a row where none may be, each with the name of the table that holds it.

        That is: in another table, or of a data source that is not `listed`. Rows without the id of a page of Notion are
        the application's, and so are those in other tables that no sync has made its own.
        """
        found: list[tuple[str, str]] = []
        for table in self.tables.values():
            query = qualified(
                """
                SELECT {page_id} AS page_id FROM {table}
                WHERE user_id {=} %(user)s AND notion_page_id IS NOT NULL AND {wrong}
                  AND (notion_data_source_id {=} ANY (%(listed)s)
                       OR notion_sync.as_notion_id(notion_database_id) {=} %(database)s::pg_catalog.uuid)
                ORDER BY page_id
                """,
                page_id=_PAGE_ID,
                table=table.identifier,
                wrong=qualified(_WRONG_WHERE_IT_BELONGS if table == self.table else _WRONG_ELSEWHERE),
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


def _by_name(columns: Iterable[str]) -> sql.Composed:
    """An object with the values of these columns."""
    return sql.SQL("pg_catalog.jsonb_build_object({})").format(
        sql.SQL(", ").join(part for name in columns for part in (sql.Literal(name), sql.Identifier(name)))
    )
