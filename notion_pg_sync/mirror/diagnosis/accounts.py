"""What `user_settings` is like, and SQL that fixes it, to be typed by a person. None of it loses a token or an id."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping

from psycopg import sql

from notion_pg_sync.mirror.accounts import SETTINGS_COLUMNS
from notion_pg_sync.mirror.connection import Connection, fetch_value
from notion_pg_sync.mirror.qualified_sql import qualified
from notion_pg_sync.mirror.typed_sql import typed


async def column_types(connection: Connection, schema: str) -> dict[str, str]:
    """The columns of `user_settings` with their types, as PostgreSQL writes them."""
    found = await connection.execute(
        """
        SELECT attname, format_type(atttypid, NULL) FROM pg_attribute
        WHERE attrelid = format('%%I.%%I', %s::text, 'user_settings')::regclass AND attnum > 0 AND NOT attisdropped
        """,
        (schema,),
    )
    return {name: kind async for name, kind in found}


async def column_holding(
    connection: Connection, schema: str, types: Mapping[str, str], database_ids: Collection[str]
) -> str | None:
    """The column of JSON in which one of these ids stands, of those that the tool does not read."""
    for name, kind in types.items():
        if kind not in ("json", "jsonb") or name in SETTINGS_COLUMNS:
            continue
        column = qualified("pg_catalog.replace({name}::pg_catalog.text, '-', '')", name=sql.Identifier(name))
        query = qualified(
            "SELECT true FROM {table}, pg_catalog.unnest(%s::pg_catalog.text[]) AS wanted (written)"
            " WHERE pg_catalog.strpos({column}, pg_catalog.replace(written, '-', '')) {>} 0 LIMIT 1",
            table=_table(schema),
            column=column,
        )
        with connection.as_application():
            if await fetch_value(connection, query, list(database_ids)):
                return name
    return None


async def functions_naming(connection: Connection, column: str) -> list[str]:
    """The functions of an application whose text has this name of a column."""
    found = await connection.execute(
        r"""
        SELECT oid::regproc::text FROM pg_proc
        WHERE pronamespace NOT IN ('pg_catalog'::regnamespace, 'notion_sync'::regnamespace) AND prosrc ~ 'user_settings'
          AND %s = ANY (regexp_split_to_array(prosrc, '[^[:alnum:]_$]+')) ORDER BY 1
        """,
        (column,),
    )
    return [name async for (name,) in found]


def renaming(schema: str, column: str) -> str:
    """Gives the column that holds `notion_databases` that name again."""
    change = sql.SQL("ALTER TABLE {} RENAME COLUMN {} TO notion_databases")
    return typed(change.format(_table(schema), sql.Identifier(column)))


def retyping(schema: str, column: str, kind: str) -> str:
    """Gives a column of text the type that is read; what stands in it stays."""
    change = sql.SQL(
        "ALTER TABLE {table} ALTER COLUMN {column} DROP DEFAULT,"
        " ALTER COLUMN {column} TYPE {kind} USING nullif(btrim({column}), '')::{kind}"
    )
    return typed(change.format(table=_table(schema), column=sql.Identifier(column), kind=sql.SQL(kind)))


def listing(schema: str) -> str:
    """Which users there are."""
    return typed(sql.SQL("SELECT user_id FROM {} ORDER BY 1").format(_table(schema)))


def trimming(schema: str, user_id: str, column: str, edges: str) -> str:
    """Takes the characters `edges` from both ends of a token."""
    name = sql.Identifier(column)
    return _update(schema, user_id, sql.SQL("{} = btrim({}, {})").format(name, name, sql.Literal(edges)))


def databases_statement(schema: str, user_id: str, databases: Mapping[str, object]) -> str:
    """Asks for these databases, entries by name."""
    wanted = sql.Literal(json.dumps(databases, ensure_ascii=False))
    return _update(schema, user_id, sql.SQL("notion_databases = {}").format(wanted))


def without_database(schema: str, user_id: str, name: str, others: Mapping[str, object]) -> str:
    """Takes a database out of `notion_databases`, by its name, and gives `others` these entries."""
    change = sql.SQL("notion_databases = notion_databases - {}").format(sql.Literal(name))
    if others:
        change += sql.SQL(" || {}::jsonb").format(sql.Literal(json.dumps(others, ensure_ascii=False)))
    return _update(schema, user_id, change)


def _update(schema: str, user_id: str, change: sql.Composed) -> str:
    return typed(sql.SQL("UPDATE {} SET {} WHERE user_id = {}").format(_table(schema), change, sql.Literal(user_id)))


def _table(schema: str) -> sql.Identifier:
    return sql.Identifier(schema, "user_settings")
