"""What syncs of a data source had to leave out, and since when."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from notion_pg_sync.core.left_out import LeftOut, UnreadMinute
from notion_pg_sync.mirror.connection import Connection
from notion_pg_sync.mirror.data_sources import DataSourceKey


async def settle_left_out(
    connection: Connection, key: DataSourceKey, tried: Collection[str], left: Sequence[LeftOut]
) -> None:
    """Takes in what was `left` out of pages that were `tried`: of these nothing else stays.

    What was left out before keeps the time since when it is.
    """
    parameters = {
        "user": key.user_id,
        "source": key.data_source_id,
        "tried": list(tried),
        "pages": [one.page_id for one in left],
        "properties": [one.property for one in left],
        "reasons": [one.reason for one in left],
        "messages": [one.message for one in left],
        "minutes": [one.created_at for one in left],
    }
    await connection.execute(
        """
        DELETE FROM notion_sync.left_out AS known
        WHERE user_id = %(user)s AND data_source_id = %(source)s
          AND page_id = ANY (%(tried)s::uuid[])
          AND NOT EXISTS (
              SELECT FROM unnest(%(pages)s::uuid[], %(properties)s::text[]) AS still (page_id, property)
              WHERE still.page_id = known.page_id AND still.property = known.property)
        """,
        parameters,
    )
    await connection.execute(
        """
        INSERT INTO notion_sync.left_out (user_id, data_source_id, page_id, property, reason, message, created_at)
        SELECT %(user)s, %(source)s, still.*
        FROM unnest(%(pages)s::uuid[], %(properties)s::text[], %(reasons)s::text[], %(messages)s::text[],
                    %(minutes)s::timestamptz[]) AS still
        ON CONFLICT (user_id, data_source_id, page_id, property) DO UPDATE
        SET reason = EXCLUDED.reason, message = EXCLUDED.message, tried_at = EXCLUDED.tried_at,
            created_at = coalesce(EXCLUDED.created_at, left_out.created_at)
        """,
        parameters,
    )


async def settle_minutes(connection: Connection, key: DataSourceKey, unread: Sequence[UnreadMinute]) -> None:
    """Takes in the minutes of which pages are left out that are not known at all: no others are."""
    parameters = {
        "user": key.user_id,
        "source": key.data_source_id,
        "minutes": [one.created_at for one in unread],
        "reasons": [one.reason for one in unread],
        "messages": [one.message for one in unread],
    }
    await connection.execute(
        """
        DELETE FROM notion_sync.unread_minutes
        WHERE user_id = %(user)s AND data_source_id = %(source)s
          AND created_at <> ALL (%(minutes)s::timestamptz[])
        """,
        parameters,
    )
    await connection.execute(
        """
        INSERT INTO notion_sync.unread_minutes (user_id, data_source_id, created_at, reason, message)
        SELECT %(user)s, %(source)s, still.*
        FROM unnest(%(minutes)s::timestamptz[], %(reasons)s::text[], %(messages)s::text[]) AS still
        ON CONFLICT (user_id, data_source_id, created_at) DO UPDATE
        SET reason = EXCLUDED.reason, message = EXCLUDED.message, tried_at = EXCLUDED.tried_at
        """,
        parameters,
    )
