"""Sync tables: which database goes to which table, and what such a table is made of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import LiteralString

from psycopg import sql

from notion_pg_sync.mirror.connection import Connection, PostgresError
from notion_pg_sync.mirror.percent_safe_cursor import qualified
from notion_pg_sync.mirror.trust import OwnedRelation, distrust, roles_of

DEFAULT_SCHEMA = "public"
SETTINGS_TABLE = "user_settings"
GENERAL_TABLE = "notion_pages_sync"


@dataclass(frozen=True)
class ColumnDefinition:
    """A column as it is declared; `type` as `format_type` says it."""

    name: str
    type: str
    constraint: LiteralString = ""


@dataclass(frozen=True)
class SyncTable:
    """A sync table; `title` and `text` are its columns for a page's title and for its most telling text."""

    schema: str
    name: str
    title: str
    text: str
    has_database_name: bool = False
    has_message_count: bool = False

    @property
    def identifier(self) -> sql.Identifier:
        """Its name, to be composed into a statement."""
        return sql.Identifier(self.schema, self.name)

    @property
    def qualified_name(self) -> str:
        """Its name as text, for people and for bookkeeping."""
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True)
class StrangeTable:
    """A table named as a sync table, of an owner who is not trusted; `is_needed`: its rows can go nowhere else."""

    relation: OwnedRelation
    is_needed: bool


@dataclass(frozen=True)
class _Named:
    """A table named as a sync table; `has_rows`: the tool wrote rows there."""

    relation: OwnedRelation
    table: SyncTable
    is_complete: bool
    has_rows: bool


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
        ColumnDefinition("id", "uuid", "PRIMARY KEY DEFAULT pg_catalog.gen_random_uuid()"),
        ColumnDefinition("notion_page_id", "text"),
        ColumnDefinition("notion_database_id", "text", "NOT NULL"),
        *([ColumnDefinition("database_name", "text", "NOT NULL")] if table.has_database_name else []),
        ColumnDefinition("user_id", "text", "NOT NULL"),
        ColumnDefinition(table.title, "text"),
        ColumnDefinition(table.text, "text"),
        *([ColumnDefinition("message_count", "integer", "DEFAULT 0")] if table.has_message_count else []),
        ColumnDefinition("properties", "jsonb", "DEFAULT '{}'"),
        ColumnDefinition("content_hash", "text"),
        ColumnDefinition("last_synced_at", "timestamp with time zone", "DEFAULT pg_catalog.now()"),
        ColumnDefinition("created_at", "timestamp with time zone", "DEFAULT pg_catalog.now()"),
        ColumnDefinition("updated_at", "timestamp with time zone", "DEFAULT pg_catalog.now()"),
        ColumnDefinition("notion_data_source_id", "text"),
        ColumnDefinition("fields", "jsonb"),
        ColumnDefinition("url", "text"),
        ColumnDefinition("notion_created_at", "timestamp with time zone"),
        ColumnDefinition("notion_edited_at", "timestamp with time zone"),
    )


async def settings_on_path(connection: Connection) -> list[OwnedRelation]:
    """Every `user_settings` on the session's `search_path` and in public; the first is what the bare name means."""
    with connection.as_application():
        found = await connection.execute(
            qualified(
                """
                SELECT pg_namespace.nspname, pg_class.relowner
                FROM (SELECT path.schema, path.place
                      FROM pg_catalog.unnest(pg_catalog.current_schemas(false)) WITH ORDINALITY AS path (schema, place)
                      UNION ALL SELECT {public}::pg_catalog.name, NULL) AS path
                JOIN pg_catalog.pg_namespace ON pg_namespace.nspname {=} path.schema
                JOIN pg_catalog.pg_class ON pg_class.relnamespace {=} pg_namespace.oid
                WHERE pg_class.relname {=} 'user_settings'
                  AND NOT pg_catalog.starts_with(path.schema::pg_catalog.text, 'pg_')
                ORDER BY path.place NULLS LAST
                """,
                public=sql.Literal(DEFAULT_SCHEMA),
            )
        )
        rows = await found.fetchall()
    roles = await roles_of(connection, [owner for _, owner in rows])
    return [OwnedRelation(schema, SETTINGS_TABLE, roles[owner]) for schema, owner in dict.fromkeys(rows)]


async def find_schema(connection: Connection) -> str | None:
    """The schema of the first `user_settings` on the session's path with a trusted owner, None where there is none."""
    return next((found.schema for found in await settings_on_path(connection) if found.owner.is_trusted), None)


async def settings_schema(connection: Connection) -> str:
    """The schema in which `user_settings` lies. Raises `PostgresError` where there is none of an owner to trust."""
    if schema := await find_schema(connection):
        return schema
    for found in await settings_on_path(connection):
        raise distrust(found)
    raise PostgresError("there is no table user_settings: run 'notion-pg-sync init'.")


async def find_tables(connection: Connection, schema: str) -> dict[str, SyncTable]:
    """The sync tables of `schema` by name: the standard ones, and every other of the general one's shape.

    Those whose owners are not trusted do not count.
    """
    found = await _tables_named_alike(connection, schema)
    return {one.table.name: one.table for one in found if one.is_complete and one.relation.owner.is_trusted}


async def strange_tables(connection: Connection, schema: str) -> list[StrangeTable]:
    """The tables of `schema` that would be sync tables, were it not for their owners."""
    return [
        StrangeTable(one.relation, one.has_rows or one.table.name in {table.name for table in standard_tables(schema)})
        for one in await _tables_named_alike(connection, schema)
        if not one.relation.owner.is_trusted
    ]


async def _tables_named_alike(connection: Connection, schema: str) -> list[_Named]:
    found = await connection.execute(
        r"""
        SELECT relname, relowner, array_agg(attname),
               EXISTS (SELECT FROM notion_sync.data_sources WHERE sync_table = nspname || '.' || relname)
        FROM pg_class
        JOIN pg_namespace ON pg_namespace.oid = relnamespace
        JOIN pg_attribute ON attrelid = pg_class.oid
        WHERE nspname = %s AND relkind IN ('r', 'p')
          AND relname LIKE 'notion\_%%\_sync' AND attnum > 0 AND NOT attisdropped
        GROUP BY nspname, relname, relowner ORDER BY relname
        """,
        (schema,),
    )
    rows = await found.fetchall()
    roles = await roles_of(connection, [owner for _, owner, _, _ in rows])
    standard = {table.name: table for table in standard_tables(schema)}
    return [
        _Named(
            relation=OwnedRelation(schema, name, roles[owner]),
            table=(table := standard.get(name, general_shape(schema, name))),
            is_complete={column.name for column in columns_of(table)} <= set(columns),
            has_rows=has_rows,
        )
        for name, owner, columns, has_rows in rows
    ]


def table_for(database_name: str, tables: dict[str, SyncTable]) -> SyncTable:
    """The table that a database's rows go to, of those that there are."""
    return tables.get(own_table_name(database_name)) or tables[GENERAL_TABLE]
