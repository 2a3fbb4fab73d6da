"""What owners exclude from the copies of their databases: kept here once it was seen, and taken out of what is stored.

Which properties these are, by their ids and names, the caller decides (`covers`). All of a purge is one transaction: a
run that is killed in it has purged nothing, and the next one begins it again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from typing import LiteralString, cast

from msgspec import Struct, field
from msgspec.structs import replace
from psycopg import sql
from psycopg.types.json import Jsonb

from notion_pg_sync.mirror.connection import Connection, fetch_value
from notion_pg_sync.mirror.data_sources import DataSourceKey, await_search, load_columns
from notion_pg_sync.mirror.files import discard
from notion_pg_sync.mirror.purging import rewrite_rows
from notion_pg_sync.mirror.qualified_sql import qualified
from notion_pg_sync.mirror.search_documents import write_missing_documents
from notion_pg_sync.mirror.tables import DEFAULT_SCHEMA, SyncTable, known_tables

# Entries as they were written, each with the properties that it met: by decoded id, with the name.
Entries = Mapping[str, Mapping[str, str]]
# Whether a property, given by its id and its name, is excluded.
Covers = Callable[[str, str], bool]

# The types of properties that may name files; texts name emoji.
_NAMING_FILES = frozenset({"files", "rich_text", "title", "rollup"})


class Excluded(Struct, frozen=True):
    """What a user excludes: the entries by database, and which database each data source is in, or was in last."""

    entries: Mapping[str, Entries] = field(default_factory=dict)
    databases: Mapping[str, str] = field(default_factory=dict)


class Purged(Struct, frozen=True):
    """What was purged: the properties, by name, and in how many rows and removed pages they were."""

    names: tuple[str, ...] = ()
    rows: int = 0
    removed_pages: int = 0


async def load_exclusions(connection: Connection, user_id: str) -> Excluded:
    """What a user excludes."""
    found = await connection.execute(
        "SELECT database_id::text, entry, properties FROM notion_sync.exclusions WHERE user_id = %s ORDER BY entry",
        (user_id,),
    )
    entries: dict[str, dict[str, dict[str, str]]] = {}
    async for database_id, entry, properties in found:
        entries.setdefault(database_id, {})[entry] = properties
    if not entries:
        return Excluded()
    sources = await connection.execute(
        """
        SELECT unnest(data_source_ids)::text, database_id::text, false AS is_there
        FROM notion_sync.exclusions WHERE user_id = %(user)s
        UNION ALL SELECT data_source_id::text, database_id::text, true
        FROM notion_sync.data_sources WHERE user_id = %(user)s
        ORDER BY is_there
        """,
        {"user": user_id},
    )
    return Excluded(entries, {source: database_id async for source, database_id, _ in sources})


async def is_anything_excluded(connection: Connection, user_id: str) -> bool:
    """Whether anything is recorded as excluded of a user's databases."""
    query = "SELECT EXISTS (SELECT FROM notion_sync.exclusions WHERE user_id = %s)"
    return cast(bool, await fetch_value(connection, query, user_id))


async def save_exclusions(connection: Connection, user_id: str, database_id: str, entries: Entries) -> None:
    """Records entries; a known one gets the properties that it met since."""
    async with connection.cursor() as cursor:
        await cursor.executemany(
            """
            INSERT INTO notion_sync.exclusions AS known (user_id, database_id, entry, properties)
            VALUES (%s, %s, %s, %s)
            ON CONFLICT (user_id, database_id, entry) DO UPDATE SET properties = known.properties || EXCLUDED.properties
            WHERE known.properties || EXCLUDED.properties <> known.properties
            """,
            [(user_id, database_id, entry, Jsonb(dict(properties))) for entry, properties in entries.items()],
        )


async def delete_exclusions(
    connection: Connection, user_id: str, database_ids: Collection[str], entries: Iterable[str]
) -> None:
    """Forgets entries."""
    await connection.execute(
        "DELETE FROM notion_sync.exclusions WHERE user_id = %s AND database_id = ANY (%s::uuid[]) AND entry = ANY (%s)",
        (user_id, list(database_ids), list(entries)),
    )


async def properties_known(
    connection: Connection, user_id: str, database_ids: Collection[str]
) -> list[tuple[str, str]]:
    """The properties of databases that columns were given to, by id and name: those that vanished from Notion too."""
    found = await connection.execute(
        """
        SELECT DISTINCT property_id, property_name
        FROM notion_sync.columns JOIN notion_sync.data_sources USING (user_id, data_source_id)
        WHERE user_id = %s AND database_id = ANY (%s::uuid[])
        """,
        (user_id, list(database_ids)),
    )
    return await found.fetchall()


# The rows of a data source, and those that an application wrote for its database, which the next sync takes over.
_ITS_ROWS: LiteralString = """
    user_id {=} %(user)s AND (notion_data_source_id {=} %(source)s
        OR (notion_data_source_id IS NULL AND notion_sync.as_notion_id(notion_page_id) IS NOT NULL
            AND notion_sync.as_notion_id(notion_database_id) {=} %(database)s::pg_catalog.uuid))
"""
# Its removed pages, and those of data sources that the database has no longer.
_ITS_REMOVED_PAGES: LiteralString = """
    user_id = %(user)s AND (data_source_id = %(source)s
        OR (database_id = %(database)s AND NOT EXISTS (
            SELECT FROM notion_sync.data_sources AS known
            WHERE (known.user_id, known.data_source_id) = (removed.user_id, removed.data_source_id))))
"""


class _Purge(Struct, frozen=True):
    """What is to be purged of a data source: `fields` are its columns' names, `keys` properties by their names."""

    key: DataSourceKey
    database_id: str
    fields: Sequence[str]
    covers: Covers
    keys: Sequence[str] = ()

    async def of(self, found: AsyncIterator[tuple[str, str]]) -> _Purge:
        """The same with the names that excluded properties have, of those found, given by name and id."""
        return replace(self, keys=sorted({name async for name, id_ in found if self.covers(id_, name)}))

    @property
    def parameters(self) -> dict[str, object]:
        """What placeholders stand for."""
        return {
            "user": self.key.user_id,
            "source": self.key.data_source_id,
            "database": self.database_id,
            "keys": list(self.keys),
            "fields": list(self.fields),
        }

    def emptied(self, table: SyncTable) -> list[str]:
        """The columns of `table` that are filled from one of the properties."""
        of_text = [table.text] if set(table.text_sources) & set(self.keys) else []
        return of_text + [extra.name for extra in table.extra if set(extra.properties) & set(self.keys)]


async def purge(
    connection: Connection, tables: Collection[SyncTable], key: DataSourceKey, database_id: str, covers: Covers
) -> Purged:
    """Takes the properties that it `covers` out of all that is stored of a data source; what is read next is without.

    Within the caller's transaction; three queries where nothing is stored of them. Raises `PurgeBlockedError`.
    """
    columns = [one for one in await load_columns(connection, key) if covers(one.property_id, one.property_name)]
    schema = await _stored_schema(connection, key)
    kept = {name: value for name, value in (schema or {}).items() if not covers(_id_of(value), name)}
    names = {*(schema or {})} - {*kept} | {one.property_name for one in columns}
    wanted = _Purge(key, database_id, [one.name for one in columns], covers)
    removed_pages, in_removed_pages = await _purge_removed_pages(connection, tables, wanted)
    names |= in_removed_pages
    if schema is not None and not names:
        return Purged()
    await _purge_history(connection, wanted)
    if any(one.property_type in _NAMING_FILES for one in columns):
        await _purge_files(connection, wanted)
    rows = sum([await _purge_table(connection, table, wanted) for table in tables])
    if schema is not None:
        await _purge_bookkeeping(connection, wanted, kept, names)
        await _purge_messages(connection, wanted)
        for table in tables:
            await _rewrite_documents(connection, table, key)
    return Purged(tuple(sorted(names)), rows, removed_pages)


async def count_excluded(
    connection: Connection, tables: Collection[SyncTable], key: DataSourceKey, database_id: str, covers: Covers
) -> int:
    """How many rows hold something of the properties that it `covers`; writes nothing."""
    columns = [one for one in await load_columns(connection, key) if covers(one.property_id, one.property_name)]
    wanted = _Purge(key, database_id, [one.name for one in columns], covers)
    return sum([await _count(connection, table, await _in_table(connection, table, wanted)) for table in tables])


async def _stored_schema(connection: Connection, key: DataSourceKey) -> dict[str, object] | None:
    """None before the first sync."""
    statement: LiteralString = "SELECT schema FROM notion_sync.data_sources WHERE user_id = %s AND data_source_id = %s"
    schema = await fetch_value(connection, statement, key.user_id, key.data_source_id)
    return schema if isinstance(schema, dict) else None


def _id_of(value: object) -> str:
    return str(value.get("id") or "") if isinstance(value, dict) else ""


async def _in_table(connection: Connection, table: SyncTable, wanted: _Purge) -> _Purge:
    """`wanted` with the names under which a table's rows hold the properties."""
    query = qualified(
        """
        SELECT DISTINCT property.key, coalesce(property.value {->>} 'id', '')
        FROM {table} CROSS JOIN LATERAL pg_catalog.jsonb_each(
            CASE WHEN pg_catalog.jsonb_typeof(properties) {=} 'object' THEN properties ELSE '{{}}' END
        ) AS property (key, value)
        WHERE {its}
        """,
        table=table.identifier,
        its=qualified(_ITS_ROWS),
    )
    with connection.as_application():
        return await wanted.of(aiter(await connection.execute(query, wanted.parameters)))


async def _purge_table(connection: Connection, table: SyncTable, wanted: _Purge) -> int:
    """Takes it out of a table's rows, which the next read writes again; returns how many they were."""
    wanted = await _in_table(connection, table, wanted)
    if not (wanted.keys or wanted.fields):
        return 0
    emptied = wanted.emptied(table)
    assignments = qualified(
        """
        content_hash = NULL,
        properties = CASE WHEN pg_catalog.jsonb_typeof(properties) {=} 'object'
                          THEN properties {-} %(keys)s::pg_catalog.text[] ELSE properties END,
        fields = CASE WHEN pg_catalog.jsonb_typeof(fields) {=} 'object'
                      THEN fields {-} %(fields)s::pg_catalog.text[] ELSE fields END{emptied}
        """,
        emptied=sql.SQL("").join(sql.SQL(", {} = NULL").format(sql.Identifier(name)) for name in emptied),
    )
    return await rewrite_rows(
        connection,
        table,
        holds=_holding(),
        assignments=assignments,
        parameters=wanted.parameters,
        what="what is excluded",
        emptied=emptied,
    )


def _holding() -> sql.Composed:
    """Whether a row is of the data source, and holds something of it."""
    return qualified(
        """
        {its} AND (
            (pg_catalog.jsonb_typeof(properties) {=} 'object' AND properties {?|} %(keys)s::pg_catalog.text[])
            OR (pg_catalog.jsonb_typeof(fields) {=} 'object' AND fields {?|} %(fields)s::pg_catalog.text[]))
        """,
        its=qualified(_ITS_ROWS),
    )


async def _count(connection: Connection, table: SyncTable, wanted: _Purge) -> int:
    query = qualified("SELECT pg_catalog.count(*) FROM {table} WHERE {holds}", table=table.identifier, holds=_holding())
    with connection.as_application():
        return cast(int, await fetch_value(connection, query, **wanted.parameters))


async def _purge_removed_pages(
    connection: Connection, tables: Collection[SyncTable], wanted: _Purge
) -> tuple[int, set[str]]:
    """Takes it out of the rows of pages that left Notion; returns how many they were, and what they held, by name.

    Of a data source that is not known any more, nobody can tell which fields are whose: none stays. Nor does what
    rows of a table that is not there any more had in a column that is filled from properties in any.
    """
    its = sql.SQL(_ITS_REMOVED_PAGES)
    query = sql.SQL(
        """
        SELECT DISTINCT key, coalesce(value ->> 'id', '')
        FROM notion_sync.removed_pages AS removed CROSS JOIN LATERAL jsonb_each(
            CASE WHEN jsonb_typeof(row -> 'properties') = 'object' THEN row -> 'properties' ELSE '{{}}' END)
        WHERE {its}
        """
    )
    wanted = await wanted.of(aiter(await connection.execute(query.format(its=its), wanted.parameters)))
    if not (wanted.keys or wanted.fields):
        return 0, set()
    emptied = {table.qualified_name: dict.fromkeys(wanted.emptied(table)) for table in tables}
    statement = sql.SQL(
        """
        UPDATE notion_sync.removed_pages AS removed
        SET row = row || '{{"content_hash": null}}' || coalesce(%(emptied)s::jsonb -> sync_table,
                (SELECT jsonb_object_agg(name, NULL) FROM unnest(%(filled)s::text[]) AS name WHERE row ? name), '{{}}')
            || CASE WHEN jsonb_typeof(row -> 'properties') = 'object'
                    THEN jsonb_build_object('properties', (row -> 'properties') - %(keys)s::text[]) ELSE '{{}}' END
            || CASE WHEN data_source_id IS DISTINCT FROM %(source)s THEN '{{"fields": {{}}}}'
                    WHEN jsonb_typeof(row -> 'fields') = 'object'
                    THEN jsonb_build_object('fields', (row -> 'fields') - %(fields)s::text[]) ELSE '{{}}' END
        WHERE {its} AND (coalesce((row -> 'properties') ?| %(keys)s::text[], false)
                         OR coalesce((row -> 'fields') ?| %(fields)s::text[], false))
        """
    )
    filled = {name for table in known_tables(DEFAULT_SCHEMA) for name in table.filled}
    parameters = {**wanted.parameters, "emptied": Jsonb(emptied), "filled": sorted(filled)}
    changed = await connection.execute(statement.format(its=its), parameters)
    return changed.rowcount, {*wanted.keys}


# Of data sources that are not known any more, nobody can tell which columns are whose: none of their history stays.
_PURGE_HISTORY: tuple[LiteralString, ...] = (
    """
    WITH gone AS (
        DELETE FROM notion_sync.page_changes
        WHERE user_id = %(user)s AND database_id = %(database)s
          AND NOT EXISTS (SELECT FROM notion_sync.data_sources AS known
                          WHERE (known.user_id, known.data_source_id)
                              = (page_changes.user_id, page_changes.data_source_id))
        RETURNING change_id
    )
    UPDATE notion_sync.databases SET former_since = clock_timestamp(), former_titles = '{}'
    WHERE user_id = %(user)s AND database_id = %(database)s AND EXISTS (SELECT FROM gone)
    """,
    """
    DELETE FROM notion_sync.page_changes
    WHERE user_id = %(user)s AND data_source_id = %(source)s AND kind = 'updated'
      AND (old ?| %(fields)s::text[] OR new ?| %(fields)s::text[])
      AND old - %(fields)s::text[] = '{}' AND new - %(fields)s::text[] = '{}'
    """,
    """
    UPDATE notion_sync.page_changes SET old = old - %(fields)s::text[], new = new - %(fields)s::text[]
    WHERE user_id = %(user)s AND data_source_id = %(source)s
      AND (coalesce(old ?| %(fields)s::text[], false) OR coalesce(new ?| %(fields)s::text[], false))
    """,
)


async def _purge_history(connection: Connection, wanted: _Purge) -> None:
    """Takes it out of what changed; a change of nothing else goes."""
    for statement in _PURGE_HISTORY:
        await connection.execute(statement, wanted.parameters)


async def _purge_files(connection: Connection, wanted: _Purge) -> None:
    """Takes it out of what pages name; files that no page names now, or named until lately, go at once."""
    await connection.execute(
        """
        DELETE FROM notion_sync.page_files
        WHERE user_id = %(user)s AND data_source_id = %(source)s AND place = 'property' AND property = ANY (%(fields)s)
        """,
        wanted.parameters,
    )
    await discard(connection, wanted.key.user_id)


async def _purge_bookkeeping(
    connection: Connection, wanted: _Purge, schema: Mapping[str, object], names: Collection[str]
) -> None:
    """Takes it out of what is noted of the data source itself; `schema` is without it."""
    parameters = {**wanted.parameters, "schema": Jsonb(dict(schema)), "names": list(names)}
    statements: tuple[LiteralString, ...] = (
        "DELETE FROM notion_sync.columns WHERE {its} AND name = ANY (%(fields)s)",
        "UPDATE notion_sync.data_sources SET schema = %(schema)s WHERE {its}",
        "DELETE FROM notion_sync.left_out WHERE {its} AND property = ANY (%(names)s)",
        # The hash of all that a page held would prove a guess of what is gone.
        r"UPDATE notion_sync.pages SET source_hash = '\x', answer_hash = NULL, stored_digest = NULL,"
        r" given = given - %(fields)s::text[] WHERE {its}",
        # Those of rows that are there are written again; somebody may have deleted others by hand.
        """
        UPDATE notion_sync.search_documents SET text = '', tsv = '', people = '{{}}', people_names = '' WHERE {its}
        """,
    )
    its = sql.SQL("user_id = %(user)s AND data_source_id = %(source)s")
    for statement in statements:
        await connection.execute(sql.SQL(statement).format(its=its), parameters)


# An SQLSTATE; codes of our own are words.
_OF_POSTGRESQL: LiteralString = "~ '^[0-9A-Z]{5}$'"
_SAID = "what was said here may have quoted values that are excluded since."


async def _purge_messages(connection: Connection, wanted: _Purge) -> None:
    """Takes back what earlier runs said of errors of PostgreSQL, which quotes values."""
    runs: LiteralString = """
        SELECT runid FROM notion_sync.database_runs
        WHERE user_id = %(user)s AND database_id = %(database)s AND error_code {code}
    """
    statements: tuple[LiteralString, ...] = (
        """
        UPDATE notion_sync.job_run_details SET return_message = %(said)s
        WHERE end_time IS NOT NULL AND runid IN ({runs})
        """,
        """
        UPDATE notion_sync.sync_requests SET message = %(said)s
        WHERE ended_at IS NOT NULL AND user_id = %(user)s AND runid IN ({runs})
        """,
        "UPDATE notion_sync.database_runs SET message = %(said)s WHERE {its} AND error_code {code}",
        "UPDATE notion_sync.databases SET last_message = %(said)s WHERE {its} AND last_error_code {code}",
        """
        UPDATE notion_sync.left_out SET message = %(said)s
        WHERE user_id = %(user)s AND data_source_id = %(source)s AND reason {code}
        """,
    )
    code = sql.SQL(_OF_POSTGRESQL)
    its = sql.SQL("user_id = %(user)s AND database_id = %(database)s")
    for statement in statements:
        query = sql.SQL(statement).format(its=its, code=code, runs=sql.SQL(runs).format(code=code))
        await connection.execute(query, {**wanted.parameters, "said": _SAID})


async def _rewrite_documents(connection: Connection, table: SyncTable, key: DataSourceKey) -> None:
    """Lets search read of a table's rows what they hold now."""
    await await_search(connection, key)
    last: str | None = ""
    while last is not None:
        last = await write_missing_documents(connection, table, key, last)
