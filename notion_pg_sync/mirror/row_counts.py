"""How many rows there are of each data source, and how many there should be: what was deleted or added is found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, cast

from msgspec import Struct
from psycopg import errors, sql

from notion_pg_sync.mirror.connection import Connection, fetch_value
from notion_pg_sync.mirror.qualified_sql import qualified, written_out
from notion_pg_sync.mirror.tables import SyncTable

if TYPE_CHECKING:
    from notion_pg_sync.mirror.data_sources import DataSourceKey

# By the sync table's qualified name and the data source's id, None for rows that are of no data source yet.
RowCounts = Mapping[tuple[str, str | None], int]


async def count_unlocked_rows(connection: Connection, tables: Iterable[SyncTable], user_id: str) -> RowCounts | None:
    """The same as `count_rows_of`, of all those of the tables that have rows of the user's.

    Waits for nobody: None where somebody has locked one of them.
    """
    found = await connection.execute(
        "SELECT DISTINCT sync_table FROM notion_sync.data_sources WHERE user_id = %s", (user_id,)
    )
    used = {name async for (name,) in found}
    counted = [table for table in tables if table.qualified_name in used]
    if not counted:
        return {}
    names = sql.SQL(", ").join(table.identifier for table in counted)
    try:
        async with connection.transaction():
            await connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE NOWAIT").format(names))
            return await count_rows_of(connection, counted, user_id)
    except errors.LockNotAvailable:
        return None


async def count_rows_of(connection: Connection, tables: Iterable[SyncTable], user_id: str) -> RowCounts:
    """How many rows a user has of each data source in each table, in one statement; a data source without any is not
    in it.
    """
    counts = [
        qualified(
            "SELECT {name}, notion_data_source_id, pg_catalog.count(*) FROM {table}"
            " WHERE user_id {=} %(user)s GROUP BY notion_data_source_id",
            name=sql.Literal(table.qualified_name),
            table=table.identifier,
        )
        for table in tables
    ]
    with connection.as_application():
        found = await connection.execute(sql.SQL(" UNION ALL ").join(counts), {"user": user_id})
    return {(name, data_source_id): count async for name, data_source_id, count in found}


class StoredRows(Struct, frozen=True):
    """How many rows of a database there are, and how many of those that were written are gone."""

    there: int
    gone: int


async def stored_rows_of_databases(
    connection: Connection, tables: Iterable[SyncTable], user_id: str | None, *, within_ms: int
) -> dict[tuple[str, str], StoredRows]:
    """By user and database, of those that were read whole; of everybody or of one user, in one statement.

    Nothing where PostgreSQL does not count them within so many milliseconds, or a table is locked.
    """
    counts = [
        qualified(
            "SELECT {name} AS sync_table, user_id::pg_catalog.text AS user_id,"
            " notion_data_source_id::pg_catalog.text AS data_source_id, pg_catalog.count(*) AS rows"
            " FROM {table} WHERE notion_data_source_id IS NOT NULL"
            " AND (%(user)s::pg_catalog.text IS NULL OR user_id {=} %(user)s) GROUP BY 2, 3",
            name=sql.Literal(table.qualified_name),
            table=table.identifier,
        )
        for table in tables
    ]
    nothing = qualified(
        "SELECT NULL::pg_catalog.text AS sync_table, NULL::pg_catalog.text AS user_id,"
        " NULL::pg_catalog.text AS data_source_id, 0 AS rows WHERE false"
    )
    query = qualified(
        """
        WITH stored AS ({counts})
        SELECT known.user_id, known.database_id, coalesce(pg_catalog.sum(stored.rows), 0)::pg_catalog.int8,
               pg_catalog.sum(CASE WHEN row_count {>} coalesce(stored.rows, 0)
                              THEN row_count {-} coalesce(stored.rows, 0) ELSE 0 END)::pg_catalog.int8
        FROM notion_sync.data_sources AS known LEFT JOIN stored
             ON stored.user_id {=} known.user_id AND stored.sync_table {=} known.sync_table
             AND stored.data_source_id {=} known.data_source_id::pg_catalog.text
        WHERE row_count IS NOT NULL AND (%(user)s::pg_catalog.text IS NULL OR known.user_id {=} %(user)s)
        GROUP BY known.user_id, known.database_id
        """,
        counts=sql.SQL(" UNION ALL ").join(counts or [nothing]),
    )
    limits = sql.SQL("SET LOCAL statement_timeout = {limit}; SET LOCAL lock_timeout = {limit}")
    try:
        async with connection.transaction(force_rollback=True):
            await connection.execute(limits.format(limit=f"{within_ms}ms"))
            with connection.as_application():
                found = await connection.execute(query, {"user": user_id})
            return {(user, database): StoredRows(there, gone) async for user, database, there, gone in found}
    except (errors.QueryCanceled, errors.LockNotAvailable):
        return {}


async def change_row_counts(connection: Connection, user_id: str, changes: Mapping[str, int]) -> None:
    """Records that data sources (by id) have so many rows more, or fewer, than before."""
    await connection.execute(
        """
        UPDATE notion_sync.data_sources AS known SET row_count = row_count + change.by
        FROM unnest(%s::text[], %s::bigint[]) AS change (data_source_id, by)
        WHERE known.user_id = %s AND known.data_source_id::text = change.data_source_id
        """,
        (list(changes), list(changes.values()), user_id),
    )


async def settle_row_count(connection: Connection, table: SyncTable, key: DataSourceKey) -> int:
    """How many rows of a data source there should be, once a full read has seen all of it.

    That is, those that there are, and those that somebody deleted after they were seen. Forgets what was noted of pages
    that are neither in Notion nor in the table.
    """
    with connection.as_application():
        count = await fetch_value(connection, _settle(table), user=key.user_id, source=key.data_source_id)
    return cast(int, count)


@cache
def _settle(table: SyncTable) -> sql.SQL:
    statement = qualified(
        """
            WITH seen AS (
                SELECT pg_catalog.unnest(page_ids) AS page_id FROM notion_sync.seen_pages
                WHERE user_id {=} %(user)s
                  AND data_source_id {=} %(source)s::pg_catalog.uuid
            ), without_row AS (
                SELECT note.page_id, note.row_xmin FROM notion_sync.pages AS note
                LEFT JOIN {table} AS stored
                    ON stored.user_id {=} note.user_id
                    AND {page_id} {=} note.page_id::pg_catalog.text
                WHERE note.user_id {=} %(user)s
                  AND note.data_source_id {=} %(source)s::pg_catalog.uuid
                  AND stored.user_id IS NULL
            ), forgotten AS (
                DELETE FROM notion_sync.pages AS note USING without_row
                WHERE note.user_id {=} %(user)s
                  AND note.page_id {=} without_row.page_id
                  AND NOT EXISTS (SELECT FROM seen WHERE seen.page_id {=} note.page_id)
            )
            SELECT (SELECT pg_catalog.count(*) FROM {table}
                    WHERE user_id {=} %(user)s
                      AND notion_data_source_id {=} %(source)s::pg_catalog.text)
                   {+}
                   (SELECT pg_catalog.count(*) FROM without_row
                    WHERE row_xmin IS NOT NULL
                      AND EXISTS (SELECT FROM seen WHERE seen.page_id {=} without_row.page_id))
            """,
        table=table.identifier,
        page_id=table.page_id("stored"),
    )
    return written_out(statement)
