"""Rows that left Notion: found by what a full read did not see, and moved to `removed_pages` with the reason.

Their documents are deleted, and with them their bodies; so is which files they named, which go later. That they left is
recorded as a change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

from msgspec import Struct
from psycopg import errors, sql
from psycopg.types.json import Jsonb

from notion_pg_sync.core.columns import COMPUTED_TYPES
from notion_pg_sync.core.intervals import MINUTE
from notion_pg_sync.mirror.connection import Connection
from notion_pg_sync.mirror.data_sources import DataSourceKey
from notion_pg_sync.mirror.page_changes import Historian, values_left
from notion_pg_sync.mirror.qualified_sql import qualified
from notion_pg_sync.mirror.tables import SyncTable

Reason = Literal["trashed", "archived", "moved", "not_found", "missing"]


class Removed(Struct, frozen=True):
    """How many rows were removed, and the pages whose rows were not, since a foreign key holds them."""

    rows: int
    held: list[str]


async def unseen_pages(connection: Connection, table: SyncTable, key: DataSourceKey) -> list[str]:
    """The pages of a data source that the table holds and the full read under way has not seen.

    What is no id of Notion is nothing that it could be asked for: somebody else's row, which stays.
    EXCEPT, not an anti join: nothing tells the planner how many ids the arrays hold, and it would choose nested loops.
    A page whose row somebody deleted is held, too: what is noted of it says that it was there.
    """
    with connection.as_application():
        found = await connection.execute(unseen(table), {"user": key.user_id, "source": key.data_source_id})
    return [page_id async for (page_id,) in found]


def unseen(table: SyncTable) -> sql.Composed:
    """The query for them; its parameters are `user` and `source`."""
    return qualified(
        """
        SELECT notion_sync.as_notion_id(notion_page_id) AS page_id FROM {table}
        WHERE user_id {=} %(user)s AND notion_data_source_id {=} %(source)s
          AND notion_sync.as_notion_id(notion_page_id) IS NOT NULL
        EXCEPT
        SELECT pg_catalog.unnest(page_ids) FROM notion_sync.seen_pages
        WHERE user_id {=} %(user)s AND data_source_id {=} %(source)s::pg_catalog.uuid
        UNION
        SELECT note.page_id FROM (
            SELECT page_id FROM notion_sync.pages
            WHERE user_id {=} %(user)s AND data_source_id {=} %(source)s::pg_catalog.uuid AND row_xmin IS NOT NULL
            EXCEPT
            SELECT pg_catalog.unnest(page_ids) FROM notion_sync.seen_pages
            WHERE user_id {=} %(user)s AND data_source_id {=} %(source)s::pg_catalog.uuid
        ) AS note
        WHERE NOT EXISTS (
            SELECT FROM {table} AS stored
            WHERE stored.user_id {=} %(user)s AND {page_id} {=} note.page_id::pg_catalog.text)
        ORDER BY page_id
        """,
        table=table.identifier,
        page_id=table.page_id("stored"),
    )


async def created_in(
    connection: Connection, table: SyncTable, key: DataSourceKey, page_ids: Sequence[str], minutes: Sequence[datetime]
) -> dict[str, datetime]:
    """Those of these pages of a data source that were created in one of the `minutes`, by id, with the minute."""
    query = qualified(
        "SELECT {page_id}, minute FROM {table} AS sync_table"
        " JOIN pg_catalog.unnest(%(minutes)s::pg_catalog.timestamptz[]) AS minute"
        " ON notion_created_at {>=} minute AND notion_created_at {<} (minute {+} %(length)s)"
        " WHERE user_id {=} %(user)s AND notion_data_source_id {=} %(source)s AND notion_page_id {=} ANY (%(spelled)s)",
        page_id=table.page_id(),
        table=table.identifier,
    )
    parameters = {
        "user": key.user_id,
        "source": key.data_source_id,
        "minutes": list(minutes),
        "length": MINUTE,
        "spelled": table.spell(page_ids),
    }
    with connection.as_application():
        found = await connection.execute(query, parameters)
    return {page_id: minute async for page_id, minute in found}


async def pages_of(connection: Connection, table: SyncTable, key: DataSourceKey) -> set[str]:
    """The pages of a data source that the table holds."""
    query = qualified(
        "SELECT {page_id} FROM {table} WHERE user_id {=} %s AND notion_data_source_id {=} %s",
        page_id=table.page_id(),
        table=table.identifier,
    )
    with connection.as_application():
        found = await connection.execute(query, (key.user_id, key.data_source_id))
    return {page_id async for (page_id,) in found}


async def remove_pages(
    connection: Connection, table: SyncTable, key: DataSourceKey, reasons: Mapping[str, Reason], historian: Historian
) -> Removed:
    """Moves pages, given with the reason, to `removed_pages`; within the caller's transaction.

    That they left is recorded with what the `historian` says that Notion had of them. Of a page whose row somebody
    deleted, that alone is: what it held is gone with the row.
    """
    if not reasons:
        return Removed(0, [])
    left = await values_left(connection, table, key, reasons, historian)
    try:
        async with connection.transaction():
            return Removed(await _remove(connection, table, key, reasons, left), [])
    except errors.ForeignKeyViolation:
        return await _remove_one_by_one(connection, table, key, reasons, left)


async def _remove_one_by_one(
    connection: Connection,
    table: SyncTable,
    key: DataSourceKey,
    reasons: Mapping[str, Reason],
    left: Mapping[str, Mapping[str, object]],
) -> Removed:
    rows, held = 0, []
    for page_id, reason in reasons.items():
        try:
            async with connection.transaction():
                rows += await _remove(connection, table, key, {page_id: reason}, left)
        except errors.ForeignKeyViolation:
            held.append(page_id)
    return Removed(rows, held)


async def _remove(
    connection: Connection,
    table: SyncTable,
    key: DataSourceKey,
    reasons: Mapping[str, Reason],
    left: Mapping[str, Mapping[str, object]],
) -> int:
    """Moves pages; returns how many rows that were. `left`: what Notion had of pages, where the row may not say it."""
    page_ids: Sequence[str] = list(reasons)
    statement = qualified(
        """
        WITH gone AS (
            DELETE FROM {table} AS sync_table
            WHERE user_id {=} %(user)s AND notion_data_source_id {=} %(source)s AND notion_page_id {=} ANY (%(spelled)s)
            RETURNING user_id, notion_sync.as_notion_id(notion_page_id) AS page_id,
                      notion_sync.as_notion_id(notion_database_id) AS database_id,
                      notion_sync.as_notion_id(notion_data_source_id) AS data_source_id,
                      notion_edited_at AS edited_at, notion_edited_by AS edited_by,
                      pg_catalog.to_jsonb(sync_table) AS row
        ), no_longer_found AS (
            DELETE FROM notion_sync.search_documents AS document USING gone
            WHERE document.user_id {=} gone.user_id AND document.page_id {=} gone.page_id
              AND document.data_source_id {=} gone.data_source_id
        ), no_longer_named AS (
            DELETE FROM notion_sync.page_files AS named USING gone
            WHERE named.user_id {=} gone.user_id AND named.page_id {=} gone.page_id
              AND named.data_source_id {=} gone.data_source_id
        ), no_longer_noted AS (
            DELETE FROM notion_sync.pages AS note USING gone
            WHERE note.user_id {=} gone.user_id AND note.page_id {=} gone.page_id
              AND note.data_source_id {=} gone.data_source_id
        ), why AS (
            SELECT page_id, reason, spelled, had FROM ROWS FROM (
                pg_catalog.unnest(%(pages)s::pg_catalog.uuid[]), pg_catalog.unnest(%(reasons)s::pg_catalog.text[]),
                pg_catalog.unnest(%(spelled)s::pg_catalog.text[]), pg_catalog.unnest(%(had)s::pg_catalog.jsonb[])
            ) AS given (page_id, reason, spelled, had)
        ), lost AS (
            DELETE FROM notion_sync.pages AS note USING why
            WHERE note.user_id {=} %(user)s AND note.page_id {=} why.page_id
              AND note.data_source_id {=} %(source)s::pg_catalog.uuid AND note.row_xmin IS NOT NULL
              AND NOT EXISTS (SELECT FROM {table} AS stored
                              WHERE stored.user_id {=} %(user)s AND stored.notion_page_id {=} why.spelled)
            RETURNING note.user_id, note.page_id, note.data_source_id, why.reason, note.last_edited_by AS edited_by
        ), recorded_lost AS (
            INSERT INTO notion_sync.page_changes
                (user_id, page_id, data_source_id, database_id, database_name, kind, reason, edited_by, old)
            SELECT lost.user_id, page_id, source.data_source_id, source.database_id, source.database_name, 'removed',
                   reason, edited_by, '{{}}'
            FROM lost JOIN notion_sync.data_sources AS source
                ON source.user_id {=} lost.user_id AND source.data_source_id {=} lost.data_source_id
                AND source.history_since IS NOT NULL
        ), recorded AS (
            INSERT INTO notion_sync.page_changes
                (user_id, page_id, data_source_id, database_id, database_name, kind, reason, edited_at, edited_by, old)
            SELECT gone.user_id, gone.page_id, source.data_source_id, source.database_id, source.database_name,
                   'removed', why.reason, gone.edited_at, gone.edited_by,
                   coalesce(why.had, notion_sync.as_given(gone.row, noted.given))
                   {-} ARRAY(SELECT name FROM notion_sync.columns AS computed
                             WHERE computed.user_id {=} source.user_id
                               AND computed.data_source_id {=} source.data_source_id
                               AND computed.property_type {=} ANY (%(computed)s::pg_catalog.text[]))
            FROM gone JOIN why ON why.page_id {=} gone.page_id
            LEFT JOIN notion_sync.pages AS noted
                ON noted.user_id {=} gone.user_id AND noted.page_id {=} gone.page_id
                AND noted.data_source_id {=} gone.data_source_id
            JOIN notion_sync.data_sources AS source
                ON source.user_id {=} gone.user_id AND source.data_source_id {=} gone.data_source_id
                AND source.history_since IS NOT NULL
        )
        INSERT INTO notion_sync.removed_pages
            (user_id, page_id, database_id, data_source_id, sync_table, reason, row)
        SELECT user_id, gone.page_id, database_id, data_source_id, {name}, reason, row
        FROM gone JOIN why ON why.page_id {=} gone.page_id
        """,
        table=table.identifier,
        name=sql.Literal(table.qualified_name),
    )
    parameters = {
        "user": key.user_id,
        "source": key.data_source_id,
        "pages": page_ids,
        "spelled": table.spell(page_ids),
        "reasons": [reasons[page_id] for page_id in page_ids],
        "had": [Jsonb(dict(left[page_id])) if page_id in left else None for page_id in page_ids],
        "computed": list(COMPUTED_TYPES),
    }
    with connection.as_application():
        return (await connection.execute(statement, parameters)).rowcount
