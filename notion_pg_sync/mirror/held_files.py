"""Which files are recorded of pages, and which of them are kept, as `sync --verify` reads them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import cast

from msgspec import Struct
from psycopg.rows import class_row

from notion_pg_sync.mirror.connection import Pool, fetch_value, transaction

# So many are read at once.
_BATCH = 500


class HeldFile(Struct, frozen=True):
    """A file that is kept, by the path that names it, and what is recorded of its bytes."""

    path: str
    stored_as: str
    bytes: int
    sha256: str


class HeldFiles(Struct, frozen=True):
    """The files of one user."""

    pool: Pool
    user_id: str

    async def are_wanted(self, data_source_id: str) -> bool:
        """Whether nothing says that the files of a data source are not to be kept."""
        async with transaction(self.pool) as connection:
            wanted = await fetch_value(
                connection,
                """
                SELECT databases.files IS NOT FALSE FROM notion_sync.data_sources
                LEFT JOIN notion_sync.databases USING (user_id, database_id)
                WHERE user_id = %s AND data_source_id = %s
                """,
                self.user_id,
                data_source_id,
            )
        return bool(wanted)

    async def named_by(self, page_ids: Sequence[str]) -> dict[str, dict[tuple[str, str], tuple[str, ...]]]:
        """The paths of the files that these pages name, in order, by page, and by place and property."""
        async with transaction(self.pool) as connection:
            found = await connection.execute(
                """
                SELECT page_id::text, place, property, array_agg(path ORDER BY "position")
                FROM notion_sync.page_files
                WHERE user_id = %s AND page_id = ANY (ARRAY(SELECT notion_sync.as_notion_id(unnest(%s::text[]))))
                GROUP BY page_id, place, property
                """,
                (self.user_id, list(page_ids)),
            )
            named: dict[str, dict[tuple[str, str], tuple[str, ...]]] = {}
            async for page_id, place, property_name, paths in found:
                named.setdefault(page_id, {})[place, property_name] = tuple(paths)
            return named

    async def count_not_kept(self, data_source_id: str) -> int:
        """How many of the files that pages of a data source name are not kept, for whatever reason."""
        async with transaction(self.pool) as connection:
            count = await fetch_value(
                connection,
                """
                SELECT count(DISTINCT path) FROM notion_sync.page_files AS named
                JOIN notion_sync.files AS file USING (user_id, path)
                WHERE user_id = %s AND data_source_id = %s AND fetched_at IS NULL
                """,
                self.user_id,
                data_source_id,
            )
        return cast(int, count)

    async def kept(self, data_source_id: str) -> AsyncIterator[list[HeldFile]]:
        """Every file that is kept and that pages of a data source name, a list a batch."""
        last = ""
        while True:
            async with (
                transaction(self.pool) as connection,
                connection.cursor(row_factory=class_row(HeldFile)) as cursor,
            ):
                await cursor.execute(
                    """
                    SELECT path, stored_as, bytes, sha256 FROM notion_sync.files AS file
                    WHERE user_id = %(user)s AND path > %(last)s AND fetched_at IS NOT NULL
                      AND EXISTS (SELECT FROM notion_sync.page_files AS named
                                  WHERE named.user_id = file.user_id AND named.path = file.path
                                    AND named.data_source_id = %(source)s)
                    ORDER BY path LIMIT %(most)s
                    """,
                    {"user": self.user_id, "source": data_source_id, "last": last, "most": _BATCH},
                )
                files = await cursor.fetchall()
            if files:
                yield files
            if len(files) < _BATCH:
                return
            last = files[-1].path
