"""What the sync tables hold, beside what the tool recorded of it."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from psycopg import sql
from psycopg.rows import class_row

from notion_pg_sync.mirror.adoption import storing_fields_plain
from notion_pg_sync.mirror.connection import Connection
from notion_pg_sync.mirror.page_ids import IdSpelling, trigger_on
from notion_pg_sync.mirror.page_uuids import uuid_trigger_on
from notion_pg_sync.mirror.tables import GENERAL_TABLE, SyncTable
from notion_pg_sync.mirror.typed_sql import typed


class MirroredSource(Struct, frozen=True):
    """A data source of a user: in which table its rows are, and how many there should be.

    `row_count` is None until it was read whole. `is_being_synced`: some run holds its user's lease now.
    """

    user_id: str
    database_name: str
    data_source_id: str
    name: str
    sync_table: str
    row_count: int | None
    is_being_synced: bool


async def mirrored_sources(connection: Connection, user_ids: Sequence[str]) -> list[MirroredSource]:
    """The data sources of these users, by user and name."""
    async with connection.cursor(row_factory=class_row(MirroredSource)) as cursor:
        await cursor.execute(
            """
            SELECT user_id, database_name, data_source_id, data_sources.name, sync_table, row_count,
                   coalesce(lease_expires_at >= clock_timestamp(), false) AS is_being_synced
            FROM notion_sync.data_sources JOIN notion_sync.accounts USING (user_id)
            WHERE user_id = ANY (%s) ORDER BY user_id, database_name, name, data_source_id
            """,
            (list(user_ids),),
        )
        return await cursor.fetchall()


async def rows_by_source(connection: Connection, table: SyncTable) -> dict[tuple[str, str], int]:
    """How many rows a sync table holds, by user and data source."""
    with connection.as_application():
        found = await connection.execute(
            sql.SQL(
                "SELECT user_id, notion_data_source_id, pg_catalog.count(*) FROM {}"
                " WHERE notion_data_source_id IS NOT NULL GROUP BY 1, 2"
            ).format(table.identifier)
        )
    return {(user_id, data_source_id): count async for user_id, data_source_id, count in found}


def like_the_general_one(schema: str, name: str) -> str:
    """SQL that makes a sync table for one database, of the shape of the general one."""
    table = sql.Identifier(schema, name)
    return typed(
        sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING ALL)").format(table, sql.Identifier(schema, GENERAL_TABLE)),
        storing_fields_plain(table).statement,
        trigger_on(table, IdSpelling.DASHED),
        uuid_trigger_on(table),
    )
