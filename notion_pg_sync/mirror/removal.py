"""Rows that left Notion: found by what a full read did not see, and moved to `removed_pages` with the reason.

Their documents are deleted, and with them their bodies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

from psycopg import errors, sql

from notion_pg_sync.core.intervals import MINUTE
from notion_pg_sync.mirror.connection import Connection
from notion_pg_sync.mirror.data_sources import DataSourceKey
from notion_pg_sync.mirror.qualified_sql import qualified
from notion_pg_sync.mirror.tables import SyncTable

Reason = Literal["trashed", "archived", "moved", "not_found", "missing"]


async def unseen_pages(connection: Connection, table: SyncTable, key: DataSourceKey) -> list[str]:
    """The pages of a data source that the table holds and the full read under way has not seen.

    What is no id of Notion is nothing that it could be asked for: somebody else's row, which stays.
    EXCEPT, not an anti join: nothing tells the planner how many ids the arrays hold, and it would choose nested loops.
    """
    query = qualified(
        """
        SELECT notion_sync.as_notion_id(notion_page_id) AS page_id FROM {table}
        WHERE user_id {=} %(user)s AND notion_data_source_id {=} %(source)s
          AND notion_sync.as_notion_id(notion_page_id) IS NOT NULL
        EXCEPT
        SELECT pg_catalog.unnest(page_ids) FROM notion_sync.seen_pages
        WHERE user_id {=} %(user)s AND data_source_id {=} %(source)s::pg_catalog.uuid
        ORDER BY page_id
        """,
        table=table.identifier,
    )
    with connection.as_application():
        found = await connection.execute(query, {"user": key.user_id, "source": key.data_source_id})
    return [page_id async for (page_id,) in found]


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
    connection: Connection, table: SyncTable, key: DataSourceKey, reasons: Mapping[str, Reason]
) -> list[str]:
    """Moves pages, given with the reason, to `removed_pages`; within the caller's transaction.

    Returns the pages that could not be removed, since a foreign key holds them; their rows stay.
    """
    try:
        async with connection.transaction():
            await _remove(connection, table, key, reasons)
    except errors.ForeignKeyViolation:
        return await _remove_one_by_one(connection, table, key, reasons)
    return []


async def _remove_one_by_one(
    connection: Connection, table: SyncTable, key: DataSourceKey, reasons: Mapping[str, Reason]
) -> list[str]:
    held = []
    for page_id, reason in reasons.items():
        try:
            async with connection.transaction():
                await _remove(connection, table, key, {page_id: reason})
        except errors.ForeignKeyViolation:
            held.append(page_id)
    return held


async def _remove(connection: Connection, table: SyncTable, key: DataSourceKey, reasons: Mapping[str, Reason]) -> None:
    page_ids: Sequence[str] = list(reasons)
    statement = qualified(
        """
        WITH gone AS (
            DELETE FROM {table} AS sync_table
            WHERE user_id {=} %(user)s AND notion_data_source_id {=} %(source)s AND notion_page_id {=} ANY (%(spelled)s)
            RETURNING user_id, notion_sync.as_notion_id(notion_page_id) AS page_id,
                      notion_sync.as_notion_id(notion_database_id) AS database_id,
                      notion_sync.as_notion_id(notion_data_source_id) AS data_source_id,
                      pg_catalog.to_jsonb(sync_table) AS row
        ), no_longer_found AS (
            DELETE FROM notion_sync.search_documents AS document USING gone
            WHERE document.user_id {=} gone.user_id AND document.page_id {=} gone.page_id
              AND document.data_source_id {=} gone.data_source_id
        ), no_longer_noted AS (
            DELETE FROM notion_sync.pages AS note USING gone
            WHERE note.user_id {=} gone.user_id AND note.page_id {=} gone.page_id
              AND note.data_source_id {=} gone.data_source_id
        )
        INSERT INTO notion_sync.removed_pages
            (user_id, page_id, database_id, data_source_id, sync_table, reason, row)
        SELECT user_id, gone.page_id, database_id, data_source_id, {name}, reason, row
        FROM gone JOIN ROWS FROM (
            pg_catalog.unnest(%(pages)s::pg_catalog.uuid[]), pg_catalog.unnest(%(reasons)s::pg_catalog.text[])
        ) AS why (page_id, reason) ON why.page_id {=} gone.page_id
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
    }
    with connection.as_application():
        await connection.execute(statement, parameters)
