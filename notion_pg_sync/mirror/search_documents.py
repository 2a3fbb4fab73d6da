"""What search and look-ups read of the pages: titles, texts, people and words of bodies, in
`notion_sync.search_documents`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import LiteralString

from psycopg import sql

from notion_pg_sync.mirror.connection import Connection, fetch_value
from notion_pg_sync.mirror.data_sources import DataSourceKey
from notion_pg_sync.mirror.qualified_sql import qualified, written_out
from notion_pg_sync.mirror.removal import unseen
from notion_pg_sync.mirror.tables import SyncTable

# The settings are locked, so that a change of the language waits for what is written in the one before. Of a row whose
# texts are as they were nothing is written, unless somebody else wrote it since. Not for a savepoint: what is written
# within one has an xmin of its own.
_WRITE: LiteralString = """
    WITH settings AS MATERIALIZED (
        SELECT language::pg_catalog.regconfig AS language FROM notion_sync.search_settings FOR SHARE
    ), pages AS MATERIALIZED (
        SELECT page.user_id, notion_sync.as_notion_id(page.notion_page_id) AS page_id,
               %(source)s::pg_catalog.uuid AS data_source_id,
               coalesce(page.{title}, '') AS title, pg_catalog.concat_ws(E'\\n', VARIADIC {texts}) AS text,
               notion_sync.people_in({people}) AS people,
               body.content_hash AS body_hash, coalesce(body.plain_text, '') AS body
        FROM {rows} LEFT JOIN notion_sync.page_bodies AS body
            ON body.user_id {=} page.user_id AND body.page_id {=} notion_sync.as_notion_id(page.notion_page_id)
        WHERE {is_spelled}
    )
    INSERT INTO notion_sync.search_documents AS known
        (user_id, page_id, data_source_id, title, text, people, people_names, body_hash, tsv, is_cut, written_in)
    SELECT user_id, page_id, data_source_id, title, text, people, names, body_hash, vector.tsv, vector.is_cut,
           pg_catalog.pg_current_xact_id()::pg_catalog.xid
    FROM settings, pages, notion_sync.names_for_search(user_id, people) AS names,
         notion_sync.search_vector(language, title, pg_catalog.concat_ws(E'\\n', text, names), body) AS vector
    ON CONFLICT (user_id, page_id) DO UPDATE
    SET data_source_id = EXCLUDED.data_source_id, title = EXCLUDED.title, text = EXCLUDED.text,
        people = EXCLUDED.people, people_names = EXCLUDED.people_names, body_hash = EXCLUDED.body_hash,
        tsv = EXCLUDED.tsv, is_cut = EXCLUDED.is_cut, written_in = EXCLUDED.written_in
    WHERE (known.written_in {=} known.xmin) IS NOT TRUE
       OR known.data_source_id {<>} EXCLUDED.data_source_id OR known.title {<>} EXCLUDED.title
       OR known.text {<>} EXCLUDED.text OR known.people {<>} EXCLUDED.people
       OR known.people_names {<>} EXCLUDED.people_names
       OR coalesce(known.body_hash, '') {<>} coalesce(EXCLUDED.body_hash, '')
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
     WHERE user_id {=} %(user)s AND notion_data_source_id {=} %(source)s::pg_catalog.text
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
            statement, {"user": key.user_id, "source": key.data_source_id, "pages": table.spell(page_ids)}
        )


async def stale_pages(connection: Connection, table: SyncTable, key: DataSourceKey, after: str) -> list[str]:
    """A batch of a data source's pages, in order behind `after`, whose document is missing or not as it was written."""
    with connection.as_application():
        found = await connection.execute(_stale(table), _of_batch(key, after))
    return [page_id async for (page_id,) in found]


async def is_all_seen(connection: Connection, table: SyncTable, key: DataSourceKey) -> bool:
    """Whether the full read under way has seen each page of a data source that the table holds, and all of them have
    their documents as these were written.
    """
    with connection.as_application():
        return bool(await fetch_value(connection, _all_seen(table), **_of_batch(key, "")))


@cache
def _all_seen(table: SyncTable) -> sql.SQL:
    return written_out(sql.SQL("SELECT NOT EXISTS ({}) AND NOT EXISTS ({})").format(unseen(table), _stale(table)))


def _stale(table: SyncTable) -> sql.Composed:
    return qualified(
        """
        SELECT {page_id} AS page_id
        FROM {table} AS page LEFT JOIN notion_sync.search_documents AS document
            ON document.user_id {=} page.user_id
            AND document.page_id {=} notion_sync.as_notion_id(page.notion_page_id)
        WHERE page.user_id {=} %(user)s AND page.notion_data_source_id {=} %(source)s AND {page_id} {>} %(after)s
          AND {is_spelled}
          AND (document.written_in {=} document.xmin
               AND document.data_source_id {=} %(source)s::pg_catalog.uuid) IS NOT TRUE
        ORDER BY {page_id} LIMIT %(most)s
        """,
        is_spelled=_is_spelled(table),
        page_id=table.page_id("page"),
        table=table.identifier,
    )


def _of_batch(key: DataSourceKey, after: str) -> dict[str, object]:
    return {"user": key.user_id, "source": key.data_source_id, "after": after, "most": _BATCH}


async def write_missing_documents(
    connection: Connection, table: SyncTable, key: DataSourceKey, after: str
) -> str | None:
    """Takes in a batch of a data source's rows, those behind the page `after`, where it is not searchable yet.

    Returns the last page of the batch, None once all are there, which is recorded then.
    """
    parameters = _of_batch(key, after)
    query = qualified(
        """
        SELECT pg_catalog.max(notion_page_id) FROM (
            SELECT notion_page_id FROM {table}
            WHERE user_id {=} %(user)s AND notion_data_source_id {=} %(source)s AND notion_page_id {>} %(after)s
              AND EXISTS (SELECT FROM notion_sync.data_sources
                          WHERE user_id {=} %(user)s AND data_source_id {=} %(source)s::pg_catalog.uuid
                            AND NOT is_searchable)
            ORDER BY notion_page_id LIMIT %(most)s
        ) AS batch
        """,
        table=table.identifier,
    )
    with connection.as_application():
        last = await fetch_value(connection, query, **parameters)
    if last is None:
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
        await connection.execute(statement, {**parameters, "last": last})
    return str(last)


async def delete_strays(connection: Connection, table: SyncTable, key: DataSourceKey) -> None:
    """Deletes the documents, and with them the bodies and which files they named, of a data source's pages that have no
    row any more.

    Whoever deletes a row by hand leaves them behind, and where the page has left Notion too, nobody else comes to them.
    """
    with connection.as_application():
        await connection.execute(_delete_strays(table), (key.user_id, key.data_source_id))


@cache
def _delete_strays(table: SyncTable) -> sql.SQL:
    statement = qualified(
        """
        WITH strays AS (
            DELETE FROM notion_sync.search_documents AS document
            WHERE user_id {=} %s AND data_source_id {=} %s AND NOT EXISTS (
                SELECT FROM {table} AS page
                WHERE page.user_id {=} document.user_id AND document.page_id::pg_catalog.text {=} {page_id})
            RETURNING user_id, page_id, data_source_id
        )
        DELETE FROM notion_sync.page_files AS named USING strays
        WHERE named.user_id {=} strays.user_id AND named.page_id {=} strays.page_id
          AND named.data_source_id {=} strays.data_source_id
        """,
        table=table.identifier,
        page_id=table.page_id("page"),
    )
    return written_out(statement)


def _is_spelled(table: SyncTable) -> sql.Composed:
    """Whether the row `page` has a page's id, written as the table's ids are: any other row is the application's."""
    return qualified(
        'page.notion_page_id COLLATE pg_catalog."C" {~} {pattern}', pattern=sql.Literal(table.spelling.pattern)
    )


async def _statement(connection: Connection, table: SyncTable, key: DataSourceKey, rows: LiteralString) -> sql.Composed:
    """What writes the documents of `rows` (an item of a FROM clause), with what their texts and people hold."""
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
    found = await connection.execute(
        """
        SELECT name FROM notion_sync.columns
        WHERE user_id = %s AND data_source_id = %s AND part = 'value'
          AND property_type IN ('people', 'created_by', 'last_edited_by')
        """,
        (key.user_id, key.data_source_id),
    )
    people = [qualified("page.fields {->} {name}", name=sql.Literal(name)) async for (name,) in found]
    return qualified(
        _WRITE,
        rows=qualified(rows, table=table.identifier),
        is_spelled=_is_spelled(table),
        title=sql.Identifier(table.title),
        texts=_array(texts, sql.SQL("text")),
        people=_array(people, sql.SQL("jsonb")),
    )


def _array(values: Sequence[sql.Composed], type_: sql.SQL) -> sql.Composed:
    """Arguments as an array: a function takes a hundred at the most by themselves."""
    return sql.SQL("ARRAY[{}]::pg_catalog.{}[]").format(sql.SQL(", ").join(values), type_)
