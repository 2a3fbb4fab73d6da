"""What changed in Notion, page by page: read before rows are written, and recorded once they are, in one transaction.

What of it is a change, and why, a `Historian` says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal, Protocol

from msgspec import Struct
from msgspec.structs import replace
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from notion_pg_sync.core.columns import COMPUTED_TYPES, Column
from notion_pg_sync.mirror.connection import Connection
from notion_pg_sync.mirror.data_sources import DataSourceKey, load_columns
from notion_pg_sync.mirror.qualified_sql import qualified
from notion_pg_sync.mirror.sent_rows import Row
from notion_pg_sync.mirror.tables import SyncTable

Kind = Literal["inserted", "updated", "removed"]


class StoredPage(Struct, frozen=True):
    """A page as it is stored: its row, and what was noted of it when the tool wrote it last.

    `fields` and `properties`: as JSON texts, which say whatever somebody wrote there. `noted_source`: the data source
    whose page it was then, None where nothing is noted. `noted_incomplete`: the properties that were not whole.
    `is_as_written`: nobody has touched the row since. `noted_given`: what Notion gave then, as a JSON text, of columns
    that a trigger stored otherwise; `is_given_unknown`: one did, and an earlier version of the tool did not note it.
    `noted_columns`: of a row that was touched and is to leave its data source, the columns of that.
    `is_of_this_table`: the rows of that data source are in the table in which this one was looked for.
    """

    page_id: str
    has_row: bool
    fields: str | None
    properties: str | None
    url: str | None
    noted_source: str | None
    noted_hash: str | None
    noted_incomplete: Sequence[str]
    had_row: bool
    is_as_written: bool
    noted_given: str | None = None
    is_given_unknown: bool = False
    is_of_this_table: bool = False
    noted_columns: Sequence[Column] = ()


class Change(Struct, frozen=True):
    """A change of a page, as it is kept; `old` and `new` are JSON texts: the values that differ, by column."""

    page_id: str
    data_source_id: str
    kind: Kind
    reason: str | None
    old: str | None
    new: str | None
    edited_at: datetime
    edited_by: str | None


class Historian(Protocol):
    """Says what changed."""

    @property
    def is_recording(self) -> bool:
        """Whether what changed is to be recorded."""

    def changes(self, row: Row, before: StoredPage, *, is_stored: bool) -> list[Change]:
        """What Notion changed of the page of `row`, in order; none where it is not `is_stored`, since it has no row."""

    def stored_otherwise(self, row: Row, stored: StoredPage) -> dict[str, object]:
        """By column, what Notion gave in `row` that is `stored` otherwise; as `notion_sync.pages.given` keeps it."""

    def left_with(self, stored: StoredPage) -> dict[str, object]:
        """What Notion had of a page that leaves, by column, and its `url`, whatever somebody wrote into its row."""


async def stored_pages(
    connection: Connection, table: SyncTable, user_id: str, page_ids: Iterable[str], *, are_touched: bool = False
) -> dict[str, StoredPage]:
    """A user's pages as they are stored, by id; `are_touched`: only those whose rows are not as the tool wrote them."""
    query = qualified(
        """
        SELECT {page_id} AS page_id, stored.id IS NOT NULL AS has_row,
               stored.fields::pg_catalog.text AS fields,
               stored.properties::pg_catalog.text AS properties, stored.url::pg_catalog.text AS url,
               note.data_source_id AS noted_source, pg_catalog.encode(note.source_hash, 'hex') AS noted_hash,
               coalesce(note.incomplete, '{{}}') AS noted_incomplete, note.row_xmin IS NOT NULL AS had_row,
               (stored.xmin {=} note.row_xmin) IS TRUE AS is_as_written, note.given::pg_catalog.text AS noted_given,
               (note.stored_digest IS NOT NULL AND note.given IS NULL) IS TRUE AS is_given_unknown,
               coalesce(note.sync_table {=} %(table)s, false) AS is_of_this_table
        FROM pg_catalog.unnest(%(pages)s::pg_catalog.text[]) AS given (notion_page_id)
        LEFT JOIN LATERAL (
            SELECT id, fields, properties, url, xmin FROM {table}
            WHERE user_id {=} %(user)s AND notion_page_id {=} given.notion_page_id
            OFFSET 0
        ) AS stored ON true
        LEFT JOIN LATERAL (
            SELECT noted.data_source_id, source_hash, incomplete, row_xmin, stored_digest, given, source.sync_table
            FROM notion_sync.pages AS noted
            LEFT JOIN notion_sync.data_sources AS source
                ON source.user_id {=} noted.user_id AND source.data_source_id {=} noted.data_source_id
            WHERE noted.user_id {=} %(user)s AND page_id {=} given.notion_page_id::pg_catalog.uuid
            OFFSET 0
        ) AS note ON true
        WHERE NOT (%(are_touched)s AND (stored.id IS NULL OR (stored.xmin {=} note.row_xmin) IS TRUE))
        """,
        page_id=table.page_id("given"),
        table=table.identifier,
    )
    parameters = {
        "pages": table.spell(page_ids),
        "user": user_id,
        "table": table.qualified_name,
        "are_touched": are_touched,
    }
    with connection.as_application():
        async with connection.cursor(row_factory=class_row(StoredPage)) as cursor:
            await cursor.execute(query, parameters)
            return {page.page_id: page async for page in cursor}


async def with_columns_left(
    connection: Connection, pages: Mapping[str, StoredPage], key: DataSourceKey
) -> dict[str, StoredPage]:
    """The pages, by id; those that come to a data source from others, touched by somebody, with the columns there."""
    touched = [one for one in pages.values() if one.has_row and not one.is_as_written]
    sources = {one.noted_source for one in touched} - {None, key.data_source_id}
    columns = {one: await load_columns(connection, DataSourceKey(key.user_id, str(one))) for one in sources}
    return {id_: replace(one, noted_columns=columns.get(one.noted_source, ())) for id_, one in pages.items()}


async def values_left(
    connection: Connection, table: SyncTable, key: DataSourceKey, page_ids: Iterable[str], historian: Historian
) -> dict[str, Mapping[str, object]]:
    """What Notion had of those pages of a data source, by id, in whose rows somebody wrote."""
    found = await stored_pages(connection, table, key.user_id, page_ids, are_touched=True)
    columns = await load_columns(connection, key) if found else []
    here = [one for one in found.values() if one.noted_source == key.data_source_id]
    # What is noted of the others is of where they are now.
    elsewhere = [
        replace(one, noted_given=None, noted_incomplete=())
        for one in found.values()
        if one.noted_source != key.data_source_id
    ]
    return {one.page_id: historian.left_with(replace(one, noted_columns=columns)) for one in here + elsewhere}


async def note_given(connection: Connection, user_id: str, given: Mapping[str, Mapping[str, object]]) -> None:
    """Notes what Notion gave of pages, by id, that a trigger stored otherwise; of the others, that nothing was."""
    await connection.execute(
        """
        UPDATE notion_sync.pages AS note SET given = told.given
        FROM unnest(%s::uuid[], %s::jsonb[]) AS told (page_id, given)
        WHERE note.user_id = %s AND note.page_id = told.page_id AND note.stored_digest IS NOT NULL
        """,
        (list(given), [Jsonb(dict(one)) for one in given.values()], user_id),
    )


async def save_changes(connection: Connection, user_id: str, changes: Sequence[Change]) -> None:
    """Records changes, in order, each in a data source whose history has begun.

    After the rows are written: the lock on a page's row is held by then, so that its changes are numbered in order.
    What came back, or came from elsewhere, is told by what left before.
    """
    if not changes:
        return
    await connection.execute(
        """
        INSERT INTO notion_sync.page_changes
            (user_id, page_id, data_source_id, database_id, database_name, kind, reason, edited_at, edited_by, old, new)
        SELECT %(user)s, change.page_id, change.data_source_id, source.database_id, source.database_name, kind,
               CASE WHEN kind = 'inserted' THEN coalesce(reason, (
                   SELECT CASE WHEN removed.reason = 'moved' AND removed.data_source_id <> change.data_source_id
                               THEN 'moved' ELSE 'returned' END
                   FROM notion_sync.removed_pages AS removed
                   WHERE removed.user_id = %(user)s AND removed.page_id = change.page_id
                     AND removed.reason <> 'duplicate'
                   ORDER BY removal_id DESC LIMIT 1)) ELSE reason END,
               edited_at, edited_by,
               CASE WHEN kind = 'removed' THEN old - ARRAY(
                   SELECT name FROM notion_sync.columns AS computed
                   WHERE computed.user_id = %(user)s AND computed.data_source_id = change.data_source_id
                     AND property_type = ANY (%(computed)s)) ELSE old END, new
        FROM unnest(
            %(pages)b::uuid[], %(sources)b::uuid[], %(kinds)b::text[], %(reasons)b::text[], %(times)b::timestamptz[],
            %(editors)b::uuid[], %(olds)b::text[]::jsonb[], %(news)b::text[]::jsonb[]
        ) WITH ORDINALITY AS change
            (page_id, data_source_id, kind, reason, edited_at, edited_by, old, new, place)
        JOIN notion_sync.data_sources AS source
            ON source.user_id = %(user)s AND source.data_source_id = change.data_source_id
        WHERE history_since IS NOT NULL
        ORDER BY place
        """,
        {
            "user": user_id,
            "computed": list(COMPUTED_TYPES),
            "pages": [change.page_id for change in changes],
            "sources": [change.data_source_id for change in changes],
            "kinds": [change.kind for change in changes],
            "reasons": [change.reason for change in changes],
            "times": [change.edited_at for change in changes],
            "editors": [change.edited_by for change in changes],
            "olds": [change.old for change in changes],
            "news": [change.new for change in changes],
        },
    )
