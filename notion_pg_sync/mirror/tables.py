"""Sync tables: which database goes to which table, and what such a table is made of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from psycopg import sql

from notion_pg_sync.mirror.connection import Connection, PostgresError
from notion_pg_sync.mirror.page_ids import TRIGGER_ARGUMENT, IdSpelling, spelling_without_trigger

DEFAULT_SCHEMA = "public"
GENERAL_TABLE = "notion_pages_sync"


@dataclass(frozen=True)
class ColumnDefinition:
    """A column as it is declared; `type` as `format_type` says it."""

    name: str
    type: str
    constraint: str = ""


@dataclass(frozen=True)
class SyncTable:
    """A sync table; `title` and `text` are its columns for a page's title and for its most telling text.

    `spelling` is how it writes page ids: what goes to PostgreSQL is spelled so, what comes from there as Notion does.
    """

    schema: str
    name: str
    title: str
    text: str
    has_database_name: bool = False
    has_message_count: bool = False
    spelling: IdSpelling = IdSpelling.DASHED

    @property
    def identifier(self) -> sql.Identifier:
        """Its name, to be composed into a statement."""
        return sql.Identifier(self.schema, self.name)

    @property
    def qualified_name(self) -> str:
        """Its name as text, for people and for bookkeeping."""
        return f"{self.schema}.{self.name}"

    def page_id(self, *relation: str) -> sql.Composable:
        """The page of a row, as Notion writes it; of `relation`, where a statement has several."""
        return self.spelling.as_notion_writes_it(sql.Identifier(*relation, "notion_page_id"))

    def spell(self, page_ids: Iterable[str]) -> list[str]:
        """Page ids as the table writes them."""
        return [self.spelling.spell(page_id) for page_id in page_ids]


@dataclass(frozen=True)
class TextSources:
    """The properties that fill a table's text columns; of several the first that has text."""

    text: Sequence[str]
    message_count: Sequence[str] = ()


_TEXT_SOURCES = {
    "characters": TextSources(("Description", "Bio", "Backstory")),
    "worlds": TextSources(("Concept/Premise", "Description", "Overview")),
    "stories": TextSources(("Premise", "Description", "Synopsis")),
    "chat_sessions": TextSources(("Raw Transcript", "Transcript"), ("Message Count",)),
}
_GENERAL_TEXT_SOURCES = TextSources(("Description", "Notes", "Content"))


def standard_tables(schema: str) -> tuple[SyncTable, ...]:
    """The five tables that `init` sees to."""
    return (
        SyncTable(schema, "notion_characters_sync", "name", "description"),
        SyncTable(schema, "notion_worlds_sync", "name", "description"),
        SyncTable(schema, "notion_stories_sync", "title", "description"),
        SyncTable(schema, "notion_chat_sessions_sync", "title", "transcript", has_message_count=True),
        general_shape(schema, GENERAL_TABLE),
    )


def general_shape(schema: str, name: str) -> SyncTable:
    """A sync table that can take any database's rows."""
    return SyncTable(schema, name, "title", "content", has_database_name=True)


def slug_of(database_name: str) -> str:
    """A database's name as it stands in a table's: lower case, every run of other characters one underscore."""
    return re.sub(r"[^a-z0-9]+", "_", database_name.lower()).strip("_")


def own_table_name(database_name: str) -> str:
    """The name of the table that a database goes to where there is such a table."""
    return f"notion_{slug_of(database_name)}_sync"


def text_sources(database_name: str) -> TextSources:
    """The properties that fill the text columns for a database of this name."""
    return _TEXT_SOURCES.get(slug_of(database_name), _GENERAL_TEXT_SOURCES)


def columns_of(table: SyncTable) -> tuple[ColumnDefinition, ...]:
    """All columns that the tool reads or writes, in order; the application's own first, then ours."""
    return (
        ColumnDefinition("id", "uuid", "PRIMARY KEY DEFAULT gen_random_uuid()"),
        ColumnDefinition("notion_page_id", "text"),
        ColumnDefinition("notion_database_id", "text", "NOT NULL"),
        *([ColumnDefinition("database_name", "text", "NOT NULL")] if table.has_database_name else []),
        ColumnDefinition("user_id", "text", "NOT NULL"),
        ColumnDefinition(table.title, "text"),
        ColumnDefinition(table.text, "text"),
        *([ColumnDefinition("message_count", "integer", "DEFAULT 0")] if table.has_message_count else []),
        ColumnDefinition("properties", "jsonb", "DEFAULT '{}'"),
        ColumnDefinition("content_hash", "text"),
        ColumnDefinition("last_synced_at", "timestamp with time zone", "DEFAULT now()"),
        ColumnDefinition("created_at", "timestamp with time zone", "DEFAULT now()"),
        ColumnDefinition("updated_at", "timestamp with time zone", "DEFAULT now()"),
        ColumnDefinition("notion_data_source_id", "text"),
        ColumnDefinition("fields", "jsonb"),
        ColumnDefinition("url", "text"),
        ColumnDefinition("notion_created_at", "timestamp with time zone"),
        ColumnDefinition("notion_edited_at", "timestamp with time zone"),
    )


async def find_schema(connection: Connection) -> str | None:
    """The schema in which `user_settings` lies, None where there is no such table."""
    found = await connection.execute(
        """
        SELECT nspname
        FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
        WHERE pg_class.oid = coalesce(to_regclass('user_settings'), to_regclass('public.user_settings'))
        """
    )
    row = await found.fetchone()
    return str(row[0]) if row else None


async def settings_schema(connection: Connection) -> str:
    """The schema in which `user_settings` lies. Raises `PostgresError` where there is no such table."""
    schema = await find_schema(connection)
    if schema is None:
        raise PostgresError("there is no table user_settings: run 'notion-pg-sync init'.")
    return schema


async def find_tables(connection: Connection, schema: str) -> dict[str, SyncTable]:
    """The sync tables of `schema` by name: the standard ones, and every other of the general one's shape."""
    found = await connection.execute(
        sql.SQL(
            r"""
            SELECT relname, array_agg(attname), {spelling}, has_table_privilege(pg_class.oid, 'SELECT')
            FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
            WHERE relnamespace = to_regnamespace(quote_ident(%s)) AND relkind IN ('r', 'p')
              AND relname LIKE 'notion\_%%\_sync' AND attnum > 0 AND NOT attisdropped
            GROUP BY pg_class.oid, relname
            """
        ).format(spelling=TRIGGER_ARGUMENT),
        (schema,),
    )
    standard = {table.name: table for table in standard_tables(schema)}
    tables: dict[str, SyncTable] = {}
    for name, columns, argument, is_readable in await found.fetchall():
        table = standard.get(name, general_shape(schema, name))
        if {column.name for column in columns_of(table)} <= set(columns):
            spelling = IdSpelling(argument or IdSpelling.DASHED)
            if is_readable and not argument:
                spelling = await spelling_without_trigger(connection, table.identifier)
            tables[name] = replace(table, spelling=spelling)
    return tables


def table_for(database_name: str, tables: dict[str, SyncTable]) -> SyncTable:
    """The table that a database's rows go to, of those that there are."""
    return tables.get(own_table_name(database_name)) or tables[GENERAL_TABLE]
