"""What is excluded from copies, beside the schemas of what is copied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct
from psycopg.rows import class_row

from notion_pg_sync.mirror.connection import Connection


class SourceSchema(Struct, frozen=True):
    """A data source of a user: its schema as it is stored, and the entries that its database excludes."""

    user_id: str
    database_name: str
    data_source_id: str
    schema: dict[str, object]
    entries: Mapping[str, Mapping[str, str]]


async def schemas_beside_exclusions(connection: Connection, user_ids: Sequence[str]) -> list[SourceSchema]:
    """All data sources of those of these users who exclude anything."""
    async with connection.cursor(row_factory=class_row(SourceSchema)) as cursor:
        await cursor.execute(
            """
            SELECT user_id, database_name, data_source_id::text, schema,
                   coalesce((SELECT jsonb_object_agg(entry, properties) FROM notion_sync.exclusions
                             WHERE (exclusions.user_id, exclusions.database_id) = (source.user_id, source.database_id)),
                            '{}') AS entries
            FROM notion_sync.data_sources AS source
            WHERE user_id = ANY (%s) AND user_id IN (SELECT user_id FROM notion_sync.exclusions)
            ORDER BY 1, 2, 3
            """,
            (list(user_ids),),
        )
        return await cursor.fetchall()
