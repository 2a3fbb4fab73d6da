"""What the history says that pages are now, as `sync --verify` reads it to compare it with the rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct
from psycopg.rows import class_row

from notion_pg_sync.core.columns import COMPUTED_TYPES
from notion_pg_sync.mirror.connection import Pool, transaction


class NewestState(Struct, frozen=True):
    """A page after the newest of its changes.

    `is_there`: it was not removed. `values`: those of the columns that changed, and of its `url`, since it came last;
    `lacks`: the columns of which it has none any more.
    """

    page_id: str
    is_there: bool
    values: Mapping[str, object]
    lacks: Sequence[str]


async def newest_states(pool: Pool, user_id: str, data_source_id: str) -> list[NewestState]:
    """The pages of a data source that have changed since its history began; none where none is recorded.

    What Notion computes by now is left out, and what a trigger of the table stores otherwise.
    """
    async with transaction(pool) as connection, connection.cursor(row_factory=class_row(NewestState)) as cursor:
        await cursor.execute(
            """
            WITH known AS (
                SELECT change.* FROM notion_sync.page_changes AS change
                JOIN notion_sync.data_sources AS source USING (user_id, data_source_id)
                WHERE user_id = %(user)s AND data_source_id = %(source)s AND seen_at >= history_since
            ), page AS (
                SELECT page_id, max(change_id) AS newest,
                       coalesce(max(change_id) FILTER (WHERE kind = 'inserted'), 0) AS came
                FROM known GROUP BY page_id
            ), touched AS (
                SELECT DISTINCT ON (page_id, key) page_id, key, new -> key AS value
                FROM known JOIN page USING (page_id)
                CROSS JOIN LATERAL jsonb_object_keys(coalesce(old, '{}') || coalesce(new, '{}')) AS key
                WHERE change_id >= came AND kind <> 'removed' AND key NOT IN (
                    SELECT name FROM notion_sync.columns AS computed
                    WHERE computed.user_id = %(user)s AND computed.data_source_id = %(source)s
                      AND property_type = ANY (%(computed)s))
                  AND NOT EXISTS (SELECT FROM notion_sync.pages AS note
                                  WHERE note.user_id = %(user)s AND note.page_id = known.page_id AND note.given ? key)
                ORDER BY page_id, key, change_id DESC
            )
            SELECT page.page_id, kind <> 'removed' AS is_there,
                   coalesce((SELECT jsonb_object_agg(key, value) FROM touched
                             WHERE touched.page_id = page.page_id AND value IS NOT NULL), '{}') AS values,
                   ARRAY(SELECT key FROM touched
                         WHERE touched.page_id = page.page_id AND value IS NULL ORDER BY key) AS lacks
            FROM page JOIN known ON change_id = newest ORDER BY page.page_id
            """,
            {"user": user_id, "source": data_source_id, "computed": list(COMPUTED_TYPES)},
        )
        return await cursor.fetchall()
