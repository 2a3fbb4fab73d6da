"""Rows of the sync tables: a batch is compared with what is noted, and what changed is written in one statement."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import LiteralString, cast

from msgspec import Struct, field
from msgspec.structs import replace
from psycopg import sql

from notion_pg_sync.core.databases import ConfiguredDatabase
from notion_pg_sync.mirror.connection import Connection, fetch_value
from notion_pg_sync.mirror.data_sources import DataSourceKey
from notion_pg_sync.mirror.page_changes import Historian, note_given, save_changes, stored_pages, with_columns_left
from notion_pg_sync.mirror.qualified_sql import qualified
from notion_pg_sync.mirror.search_documents import write_documents
from notion_pg_sync.mirror.sent_rows import DATABASE, Row, RowOwner, SentRows, about_pages
from notion_pg_sync.mirror.stored_rows import (
    Note,
    Standing,
    bring_home,
    note_answers,
    note_rows,
    noting,
    sort_rows,
    standings_of,
    stored_rows,
)
from notion_pg_sync.mirror.tables import PAGE_COLUMNS, SyncTable

# A row keeps its database's id as the application wrote it.
_KEPT_WHERE_SAME: LiteralString = """
    notion_database_id = CASE
        WHEN notion_sync.as_notion_id(sync_table.notion_database_id)
            {=} notion_sync.as_notion_id(EXCLUDED.notion_database_id)
        THEN sync_table.notion_database_id ELSE EXCLUDED.notion_database_id
    END
"""


class Written(Struct):
    """How many rows of a batch were new, changed, and as they were.

    Of these, `restored`: rows that somebody else had changed or deleted; `returned`: those of them that were deleted.
    `altered`: rows that a trigger stored otherwise than they were sent. `withheld`: those that it kept out, which count
    as neither new nor changed. `pages`: those whose rows were written.
    `taken_from`: how many rows another data source of the user had until now, by its id. `older`: pages that were left
    as they are, since what is stored stands for a later edit.
    """

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    restored: int = 0
    returned: int = 0
    altered: int = 0
    withheld: int = 0
    pages: list[str] = field(default_factory=list)
    taken_from: Counter[str] = field(default_factory=Counter)
    older: list[str] = field(default_factory=list)


class _Assessed(Struct):
    """A batch by what is to be done: rows to write, and rows of which only the note is to be brought up to date.

    `answers`: those of which only the answer is to be noted.
    """

    write: list[Row]
    notes: list[Note]
    answers: list[Row]
    standings: Mapping[str, Standing]
    counts: Written

    @property
    def lost(self) -> dict[str, str]:
        """The row ids of pages whose row is not there any more."""
        found = [self.standings[row.page_id] for row in self.write]
        return {one.page_id: one.noted_row_id for one in found if one.is_lost and one.noted_row_id is not None}


async def write_rows(
    connection: Connection,
    table: SyncTable,
    owner: RowOwner,
    rows: Iterable[Row],
    *,
    may_be_older: bool = False,
    knows_answers: bool = True,
    historian: Historian | None = None,
) -> Written:
    """Brings `rows` into `table`, within the caller's transaction. Of a page given twice, the last counts.

    Rows that stand for earlier edits than what is stored are left out, unless they `may_be_older`. Without
    `knows_answers` what is noted of answers stays, where the page is as it was. What the `historian` says of their
    changes is recorded; without one, nothing, and nothing of what a trigger stores otherwise.
    """
    assessed = await _assess(connection, table, owner, rows, may_be_older=may_be_older)
    written, changed = assessed.counts, assessed.write
    await note_rows(connection, owner, assessed.notes)
    if knows_answers:
        await note_answers(connection, owner, assessed.answers)
    if changed:
        if assessed.lost:
            await bring_home(connection, table, owner, assessed.lost)
        is_recording = historian is not None and historian.is_recording
        key = DataSourceKey(owner.user_id, owner.data_source_id)
        ids = [row.page_id for row in changed] if is_recording else []
        before = await stored_pages(connection, table, owner.user_id, ids) if ids else {}
        before = await with_columns_left(connection, before, key)
        await _upsert(connection, table, owner, changed, assessed.lost)
        if not table.stores_what_is_sent:
            await _note_as_stored(connection, table, owner, assessed, historian)
        if historian and is_recording:
            stored = {*written.pages}
            found = [historian.changes(row, before[row.page_id], is_stored=row.page_id in stored) for row in changed]
            await save_changes(connection, owner.user_id, [change for of_page in found for change in of_page])
        await write_documents(connection, table, key, [row.page_id for row in changed])
    return written


async def compare_rows(
    connection: Connection, table: SyncTable, owner: RowOwner, rows: Iterable[Row], *, trusts_notes: bool = True
) -> Written:
    """What `write_rows` would do; writes nothing. Without `trusts_notes`, as if the notes were void.

    What a trigger kept out before, it is taken to keep out again.
    """
    assessed = await _assess(connection, table, owner, rows, trusts_notes=trusts_notes)
    withheld = sum(assessed.standings[row.page_id].is_withheld for row in assessed.write)
    assessed.counts.inserted -= withheld
    assessed.counts.withheld += withheld
    return assessed.counts


async def _assess(
    connection: Connection,
    table: SyncTable,
    owner: RowOwner,
    rows: Iterable[Row],
    *,
    trusts_notes: bool = True,
    may_be_older: bool = False,
) -> _Assessed:
    by_page = {row.page_id: row for row in rows}
    standings = await standings_of(connection, table, owner, by_page.values(), trusts_notes=trusts_notes)
    found = sort_rows(by_page, standings.values(), may_be_older=may_be_older)
    by_page |= await _with_known_fields(connection, table, owner.user_id, [*found.write, *found.compare])
    stored = await stored_rows(connection, table, owner, [by_page[row.page_id] for row in found.compare])
    write, notes, changed = [by_page[row.page_id] for row in found.write], [], 0
    for row in found.compare:
        standing, as_stored = standings[row.page_id], stored.get(row.page_id)
        is_kept = trusts_notes and as_stored is not None and as_stored.digest == standing.noted_digest
        if as_stored is not None and (as_stored.is_as_sent or is_kept):
            notes.append(Note(row, as_stored))
        else:
            write.append(by_page[row.page_id])
            changed += standing.noted_hash is not None
    inserted = sum(standings[row.page_id].row_id is None for row in write)
    returned = sum(standings[row.page_id].is_missed for row in write)
    counts = Written(
        inserted=inserted,
        updated=len(write) - inserted,
        unchanged=len(by_page) - len(write),
        restored=changed + returned,
        returned=returned,
        pages=[row.page_id for row in write],
        older=[row.page_id for row in found.older],
    )
    sources = (standings[row.page_id].row_source for row in write)
    counts.taken_from.update(source for source in sources if source not in (None, owner.data_source_id))
    return _Assessed(write, notes, found.note, standings, counts)


async def _note_as_stored(
    connection: Connection, table: SyncTable, owner: RowOwner, assessed: _Assessed, historian: Historian | None
) -> None:
    """Notes rows that were just written as the triggers of their table left them, and counts what these did."""
    # Those that fire at the end of the transaction do so now.
    with connection.as_application():
        await connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
    stored = await stored_rows(connection, table, owner, assessed.write)
    notes = [Note(row, stored.get(row.page_id)) for row in assessed.write]
    await note_rows(connection, owner, notes)
    altered = [note.row for note in notes if note.stored and not note.stored.is_as_sent]
    if historian and altered:
        pages = await stored_pages(connection, table, owner.user_id, [row.page_id for row in altered])
        given = {row.page_id: historian.stored_otherwise(row, pages[row.page_id]) for row in altered}
        await note_given(connection, owner.user_id, given)
    withheld = [row for row in assessed.write if row.page_id not in stored]
    assessed.counts.pages = list(stored)
    swallowed = sum(assessed.standings[row.page_id].is_missed for row in withheld)
    counts = assessed.counts
    counts.restored -= swallowed
    counts.returned -= swallowed
    counts.altered += sum(not row.is_as_sent for row in stored.values())
    counts.withheld += len(withheld)
    counts.inserted -= len(withheld)


async def claim_rows(connection: Connection, table: SyncTable, owner: RowOwner) -> None:
    """Takes over the rows of a database that an application mirrored before: those with a page id.

    So that a page of which Notion knows no more is found out by the next full read. What is no id of Notion, or is
    not written as the table's ids are, stays the application's; what is noted to be of another data source, that one's.
    """
    statement = qualified(
        "UPDATE {table} SET notion_data_source_id = %(source)s WHERE user_id {=} %(user)s"
        ' AND notion_data_source_id IS NULL AND notion_page_id COLLATE pg_catalog."C" {~} {spelled}'
        " AND notion_sync.as_notion_id(notion_database_id) {=} %(database)s::pg_catalog.uuid"
        " AND NOT EXISTS (SELECT FROM notion_sync.pages AS note WHERE note.user_id {=} %(user)s"
        " AND note.page_id {=} notion_sync.as_notion_id(notion_page_id)"
        " AND note.data_source_id {<>} %(source)s::pg_catalog.uuid)",
        table=table.identifier,
        spelled=sql.Literal(table.spelling.pattern),
    )
    with connection.as_application():
        await connection.execute(statement, _parameters(owner))


async def follow_database(connection: Connection, table: SyncTable, owner: RowOwner, former_id: str) -> None:
    """Lets the rows of a data source that are in `table` follow their database to another name or database.

    Also to another way to write its id: `former_id` is what new rows had until now. Rows that have the same id in yet
    another spelling have it from the application, and keep it.
    """
    stays = qualified(
        "(notion_database_id {=} %(written)s OR notion_database_id {<>} %(former)s"
        " AND coalesce(notion_sync.as_notion_id(notion_database_id) {=} %(database)s::pg_catalog.uuid, false))"
    )
    changes: list[sql.Composable] = [
        sql.SQL("notion_database_id = CASE WHEN {} THEN notion_database_id ELSE %(written)s END").format(stays)
    ]
    differs: list[sql.Composable] = [sql.SQL("NOT {}").format(stays)]
    if table.has_database_name:
        changes.append(sql.SQL("database_name = %(name)s"))
        differs.append(qualified("database_name {<>} %(name)s"))
    statement = qualified(
        "UPDATE {table} SET {changes}"
        " WHERE user_id {=} %(user)s AND notion_data_source_id {=} %(source)s AND ({differs})",
        table=table.identifier,
        changes=sql.SQL(", ").join(changes),
        differs=sql.SQL(" OR ").join(differs),
    )
    with connection.as_application():
        await connection.execute(statement, {**_parameters(owner), "former": former_id})


async def names_in_rows(connection: Connection, tables: Iterable[SyncTable], user_id: str) -> list[ConfiguredDatabase]:
    """The databases of a user's rows, under the names that the rows have."""
    names: dict[str, str] = {}
    for table in tables:
        if not table.has_database_name:
            continue
        query = qualified(
            """
            SELECT notion_sync.as_notion_id(notion_database_id), pg_catalog.min(database_name)
            FROM {table} WHERE user_id {=} %s AND notion_data_source_id IS NOT NULL
              AND notion_sync.as_notion_id(notion_database_id) IS NOT NULL AND database_name {<>} ''
            GROUP BY 1
            """,
            table=table.identifier,
        )
        with connection.as_application():
            found = await connection.execute(query, (user_id,))
            names.update({str(database_id): name async for database_id, name in found})
    return [ConfiguredDatabase(name, database_id) for database_id, name in names.items()]


async def move_rows(connection: Connection, origin: SyncTable, table: SyncTable, owner: RowOwner) -> None:
    """Moves the rows of a data source to another table, each with its row id; the next full read writes them again.

    Nothing is noted of them until then.
    """
    names = ["id", "notion_page_id", "user_id", "properties", "fields", "url", "notion_data_source_id"]
    names += ["notion_created_at", "notion_edited_at", "created_at", "updated_at", "last_synced_at"]
    names += [column.name for column in PAGE_COLUMNS]
    kept = [*map(sql.Identifier, names), sql.Identifier(origin.title), sql.Identifier(origin.text)]
    filled = [*map(sql.Identifier, names), sql.Identifier(table.title), sql.Identifier(table.text)]
    named = [sql.Identifier("notion_database_id")]
    values = [sql.Placeholder("written")]
    if table.has_database_name:
        named.append(sql.Identifier("database_name"))
        values.append(sql.Placeholder("name"))
    statement = qualified(
        """
        WITH moved AS (
            DELETE FROM {origin} WHERE user_id {=} %(user)s AND notion_data_source_id {=} %(source)s RETURNING *
        ), no_longer_noted AS (
            DELETE FROM notion_sync.pages
            WHERE user_id {=} %(user)s AND data_source_id {=} %(source)s::pg_catalog.uuid
        )
        INSERT INTO {table} ({filled}) SELECT {kept} FROM moved
        ON CONFLICT (user_id, notion_page_id) DO NOTHING
        """,
        origin=origin.identifier,
        table=table.identifier,
        filled=sql.SQL(", ").join([*filled, *named]),
        kept=sql.SQL(", ").join([*kept, *values]),
    )
    with connection.as_application():
        await connection.execute(statement, _parameters(owner))


def _parameters(owner: RowOwner) -> dict[str, str]:
    return {
        "user": owner.user_id,
        "source": owner.data_source_id,
        "database": owner.database_id,
        "written": owner.written_database_id,
        "name": owner.database_name,
    }


async def count_rows(connection: Connection, table: SyncTable, owner: RowOwner) -> int:
    """How many rows of a data source the table holds."""
    query = qualified(
        "SELECT pg_catalog.count(*) FROM {table} WHERE user_id {=} %s AND notion_data_source_id {=} %s",
        table=table.identifier,
    )
    with connection.as_application():
        return cast(int, await fetch_value(connection, query, owner.user_id, owner.data_source_id))


async def count_withheld(connection: Connection, key: DataSourceKey) -> int:
    """How many pages of a data source have no row since a trigger keeps it out."""
    query = "SELECT count(*) FROM notion_sync.pages WHERE user_id = %s AND data_source_id = %s AND row_xmin IS NULL"
    return cast(int, await fetch_value(connection, query, key.user_id, key.data_source_id))


async def withheld_of(connection: Connection, key: DataSourceKey, page_ids: Iterable[str]) -> set[str]:
    """Those of these pages of a data source that have no row since a trigger keeps it out."""
    found = await connection.execute(
        "SELECT page_id FROM notion_sync.pages"
        " WHERE user_id = %s AND data_source_id = %s AND page_id = ANY (%s::uuid[]) AND row_xmin IS NULL",
        (key.user_id, key.data_source_id, list(page_ids)),
    )
    return {page_id async for (page_id,) in found}


async def _with_known_fields(
    connection: Connection, table: SyncTable, user_id: str, rows: Sequence[Row]
) -> dict[str, Row]:
    """By page, the rows of which some fields are not whole, with what the table has of these."""
    incomplete = {row.page_id: row for row in rows if row.not_whole}
    if not incomplete:
        return {}
    query = qualified(
        "SELECT {page_id}, fields FROM {table} WHERE user_id {=} %s AND notion_page_id {=} ANY (%s)"
        " AND pg_catalog.jsonb_typeof(fields) {=} 'object'",
        page_id=table.page_id(),
        table=table.identifier,
    )
    with connection.as_application():
        found = await connection.execute(query, (user_id, table.spell(incomplete)))
    return {page_id: _with_fields(incomplete[page_id], fields) async for page_id, fields in found}


def _with_fields(row: Row, known: dict[str, object]) -> Row:
    kept = {name: value for name, value in known.items() if name in row.not_whole}
    return replace(row, fields=json.dumps({**json.loads(row.fields), **kept}, ensure_ascii=False))


async def _upsert(
    connection: Connection, table: SyncTable, owner: RowOwner, rows: Sequence[Row], lost: Mapping[str, str]
) -> None:
    """Inserts or updates `rows`; notes them too, where they are known to be stored as they are sent.

    A page that was removed before, or whose row was `lost` (page id -> row id), gets its old row id back.
    """
    sent = SentRows(table, owner, rows)
    upsert = qualified(
        """
        INSERT INTO {table} AS sync_table (id, {names})
        SELECT coalesce(
                 (SELECT lost.row_id
                  FROM ROWS FROM (
                      pg_catalog.unnest(%(lost_pages)s::pg_catalog.text[]),
                      pg_catalog.unnest(%(lost_ids)s::pg_catalog.uuid[])
                  ) AS lost (page_id, row_id)
                  WHERE lost.page_id {=} incoming.notion_page_id
                    AND NOT EXISTS (SELECT FROM {table} AS other WHERE other.id {=} lost.row_id)),
                 (SELECT (removed.row {->>} 'id')::pg_catalog.uuid
                  FROM notion_sync.removed_pages AS removed
                  WHERE removed.user_id {=} %(user_id)s
                    AND removed.page_id {=} incoming.notion_page_id::pg_catalog.uuid
                    AND removed.sync_table {=} {table_name} AND removed.reason {<>} 'duplicate'
                  ORDER BY removal_id DESC LIMIT 1),
                 pg_catalog.gen_random_uuid()),
               {values}
        FROM {incoming}
        ON CONFLICT (user_id, notion_page_id) DO UPDATE SET {assignments}
        """,
        table=table.identifier,
        table_name=sql.Literal(table.qualified_name),
        names=sql.SQL(", ").join(map(sql.Identifier, sent.names)),
        values=sql.SQL(", ").join(map(sent.value, sent.names)),
        incoming=sent.incoming,
        assignments=sql.SQL(", ").join(
            [
                *(
                    sql.SQL("{0} = EXCLUDED.{0}").format(sql.Identifier(name))
                    for name in sent.names
                    if name != DATABASE
                ),
                qualified(_KEPT_WHERE_SAME),
                sql.SQL("last_synced_at = pg_catalog.clock_timestamp(), updated_at = pg_catalog.clock_timestamp()"),
            ]
        ),
    )
    parameters = {**sent.parameters, "lost_pages": table.spell(lost), "lost_ids": list(lost.values())}
    if not table.stores_what_is_sent:
        with connection.as_application():
            await connection.execute(upsert, parameters)
        return
    parameters |= about_pages(rows)
    statement = sql.SQL(
        """
        WITH noted AS (
            {upsert}
            RETURNING sync_table.notion_page_id::pg_catalog.uuid AS page_id,
                      pg_catalog.decode(sync_table.content_hash, 'hex') AS source_hash, sync_table.id AS row_id,
                      sync_table.xmin AS row_xmin, NULL::pg_catalog.bytea AS stored_digest
        )
        {noting}
        """
    )
    with connection.as_application():
        await connection.execute(statement.format(upsert=upsert, noting=noting(sql.SQL("noted"))), parameters)
