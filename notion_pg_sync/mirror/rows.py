"""Rows of the sync tables: a batch is compared by hash, and what changed is written in one statement."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast

from psycopg import sql
from psycopg.adapt import PyFormat

from notion_pg_sync.mirror.connection import Connection, fetch_value
from notion_pg_sync.mirror.data_sources import DataSourceKey
from notion_pg_sync.mirror.percent_safe_cursor import qualified
from notion_pg_sync.mirror.search_documents import write_documents
from notion_pg_sync.mirror.tables import SyncTable

# JSON is text already when it gets here.
_SENT_AS = {"jsonb": "text"}


@dataclass(frozen=True)
class RowOwner:
    """Whose rows a batch holds."""

    user_id: str
    database_id: str
    database_name: str
    data_source_id: str


@dataclass(frozen=True)
class Row:
    """A page as a sync table holds it.

    `properties` and `fields` are JSON texts. `not_computed` names fields that Notion did not compute this time: what
    is known of them is kept.
    """

    page_id: str
    title: str | None
    text: str | None
    message_count: int | None
    properties: str
    fields: str
    not_computed: frozenset[str]
    url: str | None
    created_at: datetime
    edited_at: datetime
    content_hash: str


@dataclass
class Written:
    """How many rows of a batch were new, changed, and as they were."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0


async def write_rows(connection: Connection, table: SyncTable, owner: RowOwner, rows: Iterable[Row]) -> Written:
    """Brings `rows` into `table`, within the caller's transaction. Of a page given twice, the last counts."""
    written, changed = await _compare(connection, table, owner, rows)
    if changed:
        changed = await _with_known_fields(connection, table, owner.user_id, changed)
        await _upsert(connection, table, owner, changed)
        key = DataSourceKey(owner.user_id, owner.data_source_id)
        await write_documents(connection, table, key, [row.page_id for row in changed])
    return written


async def compare_rows(connection: Connection, table: SyncTable, owner: RowOwner, rows: Iterable[Row]) -> Written:
    """What `write_rows` would do; writes nothing."""
    written, _ = await _compare(connection, table, owner, rows)
    return written


async def _compare(
    connection: Connection, table: SyncTable, owner: RowOwner, rows: Iterable[Row]
) -> tuple[Written, list[Row]]:
    by_page = {row.page_id: row for row in rows}
    hashes = await _known_hashes(connection, table, owner.user_id, list(by_page))
    changed = [row for row in by_page.values() if hashes.get(row.page_id) != row.content_hash]
    updated = sum(row.page_id in hashes for row in changed)
    return Written(len(changed) - updated, updated, len(by_page) - len(changed)), changed


async def claim_rows(connection: Connection, table: SyncTable, owner: RowOwner) -> None:
    """Takes over the rows of a database that an application mirrored before: those with a page id.

    So that a page of which Notion knows no more is found out by the next full read.
    """
    statement = qualified(
        "UPDATE {table} SET notion_data_source_id = %(source)s WHERE user_id {=} %(user)s"
        " AND notion_data_source_id IS NULL AND notion_page_id IS NOT NULL"
        " AND pg_catalog.lower(pg_catalog.replace(notion_database_id, '-', ''))"
        " {=} pg_catalog.replace(%(database)s, '-', '')",
        table=table.identifier,
    )
    with connection.as_application():
        await connection.execute(statement, _parameters(owner))


async def follow_database(connection: Connection, table: SyncTable, owner: RowOwner) -> None:
    """Lets the rows of a data source that are in `table` follow their database to another name or database."""
    changes = [sql.SQL("notion_database_id = %(database)s")]
    differs = [qualified("notion_database_id {<>} %(database)s")]
    if table.has_database_name:
        changes.append(sql.SQL("database_name = %(name)s"))
        differs.append(qualified("database_name {<>} %(name)s"))
    statement = qualified(
        "UPDATE {table} SET {changes}"
        " WHERE user_id {=} %(user)s AND notion_data_source_id {=} %(source)s AND ({differs})",
        table=table.identifier,
        changes=sql.SQL(", ").join(changes),
        differs=sql.SQL(" OR ").join(differs),
    )
    with connection.as_application():
        await connection.execute(statement, _parameters(owner))


async def move_rows(connection: Connection, origin: SyncTable, table: SyncTable, owner: RowOwner) -> None:
    """Moves the rows of a data source to another table, each with its row id; the next full read writes them anew."""
    names = ["id", "notion_page_id", "user_id", "properties", "fields", "url", "notion_data_source_id"]
    names += ["notion_created_at", "notion_edited_at", "created_at", "updated_at", "last_synced_at"]
    kept = [*map(sql.Identifier, names), sql.Identifier(origin.title), sql.Identifier(origin.text)]
    filled = [*map(sql.Identifier, names), sql.Identifier(table.title), sql.Identifier(table.text)]
    named = [sql.Identifier("notion_database_id")]
    values = [sql.Placeholder("database")]
    if table.has_database_name:
        named.append(sql.Identifier("database_name"))
        values.append(sql.Placeholder("name"))
    statement = qualified(
        """
        WITH moved AS (
            DELETE FROM {origin} WHERE user_id {=} %(user)s AND notion_data_source_id {=} %(source)s RETURNING *
        )
        INSERT INTO {table} ({filled}) SELECT {kept} FROM moved
        ON CONFLICT (user_id, notion_page_id) DO NOTHING
        """,
        origin=origin.identifier,
        table=table.identifier,
        filled=sql.SQL(", ").join([*filled, *named]),
        kept=sql.SQL(", ").join([*kept, *values]),
    )
    with connection.as_application():
        await connection.execute(statement, _parameters(owner))


def _parameters(owner: RowOwner) -> dict[str, str]:
    return {
        "user": owner.user_id,
        "source": owner.data_source_id,
        "database": owner.database_id,
        "name": owner.database_name,
    }


async def count_rows(connection: Connection, table: SyncTable, owner: RowOwner) -> int:
    """How many rows of a data source the table holds."""
    query = qualified(
        "SELECT pg_catalog.count(*) FROM {table} WHERE user_id {=} %s AND notion_data_source_id {=} %s",
        table=table.identifier,
    )
    with connection.as_application():
        return cast(int, await fetch_value(connection, query, owner.user_id, owner.data_source_id))


async def _known_hashes(
    connection: Connection, table: SyncTable, user_id: str, page_ids: Sequence[str]
) -> dict[str, str | None]:
    query = qualified(
        "SELECT notion_page_id, content_hash FROM {table} WHERE user_id {=} %s AND notion_page_id {=} ANY (%s)",
        table=table.identifier,
    )
    with connection.as_application():
        found = await connection.execute(query, (user_id, page_ids))
    return {page_id: content_hash async for page_id, content_hash in found}


async def _with_known_fields(connection: Connection, table: SyncTable, user_id: str, rows: Sequence[Row]) -> list[Row]:
    """Fills in, from the table, the fields that Notion did not compute this time."""
    incomplete = [row.page_id for row in rows if row.not_computed]
    if not incomplete:
        return list(rows)
    query = qualified(
        "SELECT notion_page_id, fields FROM {table} WHERE user_id {=} %s AND notion_page_id {=} ANY (%s)"
        " AND pg_catalog.jsonb_typeof(fields) {=} 'object'",
        table=table.identifier,
    )
    with connection.as_application():
        found = await connection.execute(query, (user_id, incomplete))
    known = {page_id: fields async for page_id, fields in found}
    return [_with_fields(row, known[row.page_id]) if row.page_id in known else row for row in rows]


def _with_fields(row: Row, known: dict[str, object]) -> Row:
    kept = {name: value for name, value in known.items() if name in row.not_computed}
    return replace(row, fields=json.dumps({**kept, **json.loads(row.fields)}, ensure_ascii=False))


async def _upsert(connection: Connection, table: SyncTable, owner: RowOwner, rows: Sequence[Row]) -> None:
    """Inserts or updates `rows`; a page that was removed before gets its old row id back."""
    written = {
        "notion_page_id": ("text", [row.page_id for row in rows]),
        table.title: ("text", [row.title for row in rows]),
        table.text: ("text", [row.text for row in rows]),
        "properties": ("jsonb", [row.properties for row in rows]),
        "fields": ("jsonb", [row.fields for row in rows]),
        "url": ("text", [row.url for row in rows]),
        "notion_created_at": ("timestamptz", [row.created_at for row in rows]),
        "notion_edited_at": ("timestamptz", [row.edited_at for row in rows]),
        "content_hash": ("text", [row.content_hash for row in rows]),
    }
    if table.has_message_count:
        written["message_count"] = ("int4", [row.message_count for row in rows])
    common = {
        "user_id": owner.user_id,
        "notion_database_id": owner.database_id,
        "notion_data_source_id": owner.data_source_id,
    }
    if table.has_database_name:
        common["database_name"] = owner.database_name
    now = ("last_synced_at", "updated_at")
    names = [*written, *common]
    statement = qualified(
        """
        INSERT INTO {table} AS sync_table (id, {names})
        SELECT coalesce(
                 (SELECT (removed.row {->>} 'id')::pg_catalog.uuid FROM notion_sync.removed_pages AS removed
                  WHERE removed.user_id {=} {user_id} AND removed.notion_page_id {=} incoming.notion_page_id
                    AND removed.sync_table {=} {table_name} AND removed.reason {<>} 'duplicate'
                  ORDER BY removal_id DESC LIMIT 1),
                 pg_catalog.gen_random_uuid()),
               {incoming}, {common}
        FROM ROWS FROM ({arrays}) AS incoming ({columns})
        ON CONFLICT (user_id, notion_page_id) DO UPDATE SET {assignments}
        """,
        table=table.identifier,
        table_name=sql.Literal(table.qualified_name),
        user_id=sql.Placeholder("user_id"),
        names=sql.SQL(", ").join(map(sql.Identifier, names)),
        incoming=sql.SQL(", ").join(
            sql.SQL("{}::pg_catalog.{}").format(sql.Identifier("incoming", name), sql.Identifier(type_))
            for name, (type_, _) in written.items()
        ),
        common=sql.SQL(", ").join(map(sql.Placeholder, common)),
        arrays=sql.SQL(", ").join(
            sql.SQL("pg_catalog.unnest({}::pg_catalog.{}[])").format(
                sql.Placeholder(name, PyFormat.BINARY), sql.Identifier(_SENT_AS.get(type_, type_))
            )
            for name, (type_, _) in written.items()
        ),
        columns=sql.SQL(", ").join(map(sql.Identifier, written)),
        assignments=sql.SQL(", ").join(
            [
                *(sql.SQL("{0} = EXCLUDED.{0}").format(sql.Identifier(name)) for name in names),
                *(sql.SQL("{} = pg_catalog.clock_timestamp()").format(sql.Identifier(name)) for name in now),
            ]
        ),
    )
    with connection.as_application():
        await connection.execute(statement, {**common, **{name: values for name, (_, values) in written.items()}})
