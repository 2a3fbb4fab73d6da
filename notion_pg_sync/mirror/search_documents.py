"""What search and look-ups read of the pages: titles, texts and words of bodies, in `notion_sync.search_documents`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import LiteralString

from psycopg import sql

from notion_pg_sync.mirror.connection import Connection
from notion_pg_sync.mirror.data_sources import DataSourceKey
from notion_pg_sync.mirror.percent_safe_cursor import qualified
from notion_pg_sync.mirror.tables import SyncTable

# The settings are locked, so that a change of the language waits for what is written in the one before. Of a row whose
# texts are as they were nothing is written.
_WRITE: LiteralString = """
    WITH settings AS MATERIALIZED (
        SELECT language::pg_catalog.regconfig AS language FROM notion_sync.search_settings FOR SHARE
    ), pages AS MATERIALIZED (
        SELECT page.user_id, page.notion_page_id AS page_id, page.notion_data_source_id AS data_source_id,
               coalesce(page.{title}, '') AS title, pg_catalog.concat_ws(E'\\n', {texts}) AS text,
               body.content_hash AS body_hash, coalesce(body.plain_text, '') AS body
        FROM {rows} LEFT JOIN notion_sync.page_bodies AS body
            ON body.user_id {=} page.user_id AND body.notion_page_id {=} page.notion_page_id
    )
    INSERT INTO notion_sync.search_documents AS known
        (user_id, page_id, data_source_id, title, text, body_hash, tsv, is_cut)
    SELECT user_id, page_id, data_source_id, title, text, body_hash, vector.tsv, vector.is_cut
    FROM settings, pages, notion_sync.search_vector(language, title, text, body) AS vector
    ON CONFLICT (user_id, page_id) DO UPDATE
    SET data_source_id = EXCLUDED.data_source_id, title = EXCLUDED.title, text = EXCLUDED.text,
        body_hash = EXCLUDED.body_hash, tsv = EXCLUDED.tsv, is_cut = EXCLUDED.is_cut
    WHERE known.data_source_id {<>} EXCLUDED.data_source_id OR known.title {<>} EXCLUDED.title
       OR known.text {<>} EXCLUDED.text OR coalesce(known.body_hash, '') {<>} coalesce(EXCLUDED.body_hash, '')
"""
# Each by the table's key, hence OFFSET: of a table that grows PostgreSQL knows so little that it would go through all
# rows of the user.
_GIVEN: LiteralString = """
    pg_catalog.unnest(%(pages)s::pg_catalog.text[]) AS given (page_id), LATERAL (
        SELECT * FROM {table} WHERE user_id {=} %(user)s AND notion_page_id {=} given.page_id OFFSET 0
    ) AS page
"""
_NEXT: LiteralString = """
    (SELECT * FROM {table}
     WHERE user_id {=} %(user)s AND notion_data_source_id {=} %(source)s
       AND notion_page_id {>} %(after)s AND notion_page_id {<=} %(last)s) AS page
"""
_BATCH = 2_000
_TEXT: dict[str, LiteralString] = {
    "text": "CASE WHEN fields {->>} {name} {<>} '' THEN fields {->>} {name} END",
    "text[]": (
        "CASE WHEN notion_sync.text_in(fields {->} {name}) {<>} '' THEN notion_sync.text_in(fields {->} {name}) END"
    ),
}


async def write_documents(
    connection: Connection, table: SyncTable, key: DataSourceKey, page_ids: Sequence[str]
) -> None:
    """Takes in what rows and bodies of these pages hold now; in the transaction that writes them."""
    statement = await _statement(connection, table, key, _GIVEN)
    with connection.as_application():
        await connection.execute(
            statement, {"user": key.user_id, "source": key.data_source_id, "pages": list(page_ids)}
        )


async def write_missing_documents(
    connection: Connection, table: SyncTable, key: DataSourceKey, after: str
) -> str | None:
    """Takes in a batch of a data source's rows, those behind the page `after`, where it is not searchable yet.

    Returns the last page of the batch, None once all are there, which is recorded then.
    """
    parameters = {"user": key.user_id, "source": key.data_source_id, "after": after, "most": _BATCH}
    query = qualified(
        """
        SELECT pg_catalog.max(notion_page_id) FROM (
            SELECT notion_page_id FROM {table}
            WHERE user_id {=} %(user)s AND notion_data_source_id {=} %(source)s AND notion_page_id {>} %(after)s
              AND EXISTS (SELECT FROM notion_sync.data_sources
                          WHERE user_id {=} %(user)s AND data_source_id {=} %(source)s AND NOT is_searchable)
            ORDER BY notion_page_id LIMIT %(most)s
        ) AS batch
        """,
        table=table.identifier,
    )
    with connection.as_application():
        row = await (await connection.execute(query, parameters)).fetchone()
    if row is None or row[0] is None:
        await connection.execute(
            """
            UPDATE notion_sync.data_sources SET is_searchable = true
            WHERE user_id = %(user)s AND data_source_id = %(source)s AND NOT is_searchable
            """,
            parameters,
        )
        return None
    statement = await _statement(connection, table, key, _NEXT)
    with connection.as_application():
        await connection.execute(statement, {**parameters, "last": row[0]})
    return str(row[0])


async def _statement(connection: Connection, table: SyncTable, key: DataSourceKey, rows: LiteralString) -> sql.Composed:
    """What writes the documents of `rows` (an item of a FROM clause), with what their text properties hold."""
    found = await connection.execute(
        """
        SELECT type, name FROM notion_sync.columns
        WHERE user_id = %s AND data_source_id = %s
          AND type IN ('text', 'text[]') AND property_type NOT IN ('title', 'files', 'verification')
        ORDER BY property_type <> 'rich_text', name
        """,
        (key.user_id, key.data_source_id),
    )
    texts = [qualified(_TEXT[type_], name=sql.Literal(name)) async for type_, name in found]
    # A function takes a hundred arguments at the most, so they go in a list.
    return qualified(
        _WRITE,
        rows=qualified(rows, table=table.identifier),
        title=sql.Identifier(table.title),
        texts=sql.SQL("VARIADIC ARRAY[{}]::pg_catalog.text[]").format(sql.SQL(", ").join(texts)),
    )
