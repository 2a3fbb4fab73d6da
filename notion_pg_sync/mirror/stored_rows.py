"""Rows as they are stored, held against what the tool noted of them: what somebody else changed or deleted is found.

Of each row the tool notes the transaction that wrote it. PostgreSQL stamps every version of a row with it (`xmin`), so
a row whose `xmin` is the noted one is as it was written, and nothing of it need be read. Another `xmin` alone proves
nothing (an application changed columns of its own, a dump was restored): then the row is compared with what would be
written. A digest is kept only of rows that a trigger changed on their way.

What a full read brings is nearly always as it was. So the hash of the answer that a page came in is noted too, with the
hash of what became of it: a page whose answer has that hash again, and whose row is as it was written, is as it should
be, and its answer need not be parsed (`notion/answer_hash.py`).

An `xmin` has 32 bits and comes again after four thousand million transactions; a row that somebody changed would have
to meet the very one that was noted for it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import LiteralString

from msgspec import Struct, field
from psycopg import sql
from psycopg.rows import class_row

from notion_pg_sync.mirror.connection import Connection
from notion_pg_sync.mirror.data_sources import DataSourceKey
from notion_pg_sync.mirror.qualified_sql import qualified, written_out
from notion_pg_sync.mirror.sent_rows import ABOUT_PAGES, DATABASE, Row, RowOwner, SentRows, about_pages
from notion_pg_sync.mirror.tables import SyncTable


class Standing(Struct, frozen=True):
    """What is known of a page whose row may have to be written.

    `row_id`, `row_hash`, `row_source`, `row_edited_at`: of the row that is there, None where there is none.
    `noted_hash`, `noted_row_id`, `noted_digest`: what the tool noted of it last, None where it noted nothing.
    `had_row`: there was a row then, which no trigger kept out. `is_as_noted`: the row is as it should be, and only the
    answer that the page came in is another. `is_noted_here`: the page was in the same data source then.
    """

    page_id: str
    row_id: str | None
    row_hash: str | None
    row_source: str | None
    row_edited_at: datetime | None
    noted_hash: str | None
    noted_row_id: str | None
    noted_digest: bytes | None
    had_row: bool
    is_as_noted: bool = False
    is_noted_here: bool = True

    def is_known_as(self, content_hash: str) -> bool:
        """Whether the page was last written with this content."""
        return (self.noted_hash or self.row_hash) == content_hash

    def is_newer_than(self, row: Row) -> bool:
        """Whether the row that is there stands for a later edit."""
        return self.row_edited_at is not None and self.row_edited_at > row.edited_at

    @property
    def is_withheld(self) -> bool:
        """Whether there is no row since a trigger kept it out, the last time that it was written."""
        return self.row_id is None and self.noted_hash is not None and not self.had_row

    @property
    def is_lost(self) -> bool:
        """Whether the row that the tool wrote is not there any more."""
        return self.row_id is None and self.had_row

    @property
    def is_missed(self) -> bool:
        """Whether it is missing where it was, and counted; else it moved in Notion to the database of another table."""
        return self.is_lost and self.is_noted_here


class StoredRow(Struct, frozen=True):
    """A row as it is stored; `xmin` names the transaction that wrote it. `digest` is of a row that is not as sent."""

    page_id: str
    row_id: str
    xmin: str
    digest: bytes | None

    @property
    def is_as_sent(self) -> bool:
        """Whether every column that the tool writes holds what is sent."""
        return self.digest is None


class Sorted(Struct):
    """Pages of a batch by what is to be done about them.

    `write`: their rows. `compare`: their rows may or may not be as they should be. `older`: nothing yet, since the rows
    that are there stand for later edits; an answer may be behind (docs/notion-api.md#time). `note`: only their
    answers are to be noted.
    """

    note: list[Row] = field(default_factory=list)
    write: list[Row] = field(default_factory=list)
    compare: list[Row] = field(default_factory=list)
    older: list[Row] = field(default_factory=list)


def sort_rows(rows: Mapping[str, Row], standings: Collection[Standing], *, may_be_older: bool = False) -> Sorted:
    """Pure: what is to be done about the pages of `rows` that have a standing; nothing about the others.

    `may_be_older`: they are written even where the rows that are there stand for later edits.
    """
    found = Sorted()
    for standing in standings:
        row = rows[standing.page_id]
        if standing.is_as_noted:
            found.note.append(row)
        elif standing.row_id is not None and standing.is_known_as(row.content_hash):
            found.compare.append(row)
        elif standing.is_newer_than(row) and not may_be_older:
            found.older.append(row)
        else:
            found.write.append(row)
    return found


async def standings_of(
    connection: Connection, table: SyncTable, owner: RowOwner, rows: Collection[Row], *, trusts_notes: bool = True
) -> dict[str, Standing]:
    """The standing of each page whose row and answer are not known to be as the tool noted them, as `rows` say them.

    Without `trusts_notes`, that of every page.
    """
    query = qualified(
        """
        SELECT {page_id} AS page_id, stored.id AS row_id, stored.content_hash AS row_hash,
               stored.notion_data_source_id AS row_source, stored.notion_edited_at AS row_edited_at,
               pg_catalog.encode(note.source_hash, 'hex') AS noted_hash,
               note.row_id AS noted_row_id, note.stored_digest AS noted_digest, note.row_xmin IS NOT NULL AS had_row,
               found.is_as_noted,
               coalesce(note.data_source_id {=} %(source)s::pg_catalog.uuid, true) AS is_noted_here
        FROM {given_pages}
        CROSS JOIN LATERAL (
            SELECT (%(trusts)s AND {is_trusted}
                    AND note.source_hash {=} pg_catalog.decode(given.source_hash, 'hex')) IS TRUE AS is_as_noted
        ) AS found
        WHERE NOT (found.is_as_noted
                   AND coalesce({is_same_answer}, note.answer_hash IS NULL AND given.answer_hash IS NULL))
        """,
        page_id=table.page_id("given"),
        given_pages=_given_pages(table),
        is_trusted=_is_trusted(),
        is_same_answer=_is_same_answer(),
    )
    parameters = {
        **_given(table, owner, {row.page_id: row.answer_hash for row in rows}),
        "hashes": ",".join(row.content_hash for row in rows),
        "trusts": trusts_notes,
    }
    with connection.as_application():
        async with connection.cursor(row_factory=class_row(Standing)) as cursor:
            await cursor.execute(query, parameters)
            return {standing.page_id: standing async for standing in cursor}


async def pages_as_noted(
    connection: Connection, table: SyncTable, owner: RowOwner, answer_hashes: Mapping[str, str]
) -> set[str]:
    """The pages whose answer (its hash by page id) is the one that was noted, and whose row is as the tool wrote it."""
    with connection.as_application():
        found = await connection.execute(_as_noted(table), {**_given(table, owner, answer_hashes), "hashes": ""})
    return {page_id async for (page_id,) in found}


@cache
def _as_noted(table: SyncTable) -> sql.SQL:
    query = qualified(
        """
        SELECT {page_id} FROM {given_pages} WHERE {is_trusted} AND {is_same_answer}
        """,
        page_id=table.page_id("given"),
        given_pages=_given_pages(table),
        is_trusted=_is_trusted(),
        is_same_answer=_is_same_answer(),
    )
    return written_out(query)


async def noted_sources(connection: Connection, user_id: str, page_ids: Collection[str]) -> dict[str, str]:
    """In which data source each page of a user was seen last, by the page's id; those that are noted."""
    found = await connection.execute(
        "SELECT page_id, data_source_id FROM notion_sync.pages WHERE user_id = %s AND page_id = ANY (%s::uuid[])",
        (user_id, list(page_ids)),
    )
    return {page_id: data_source_id async for page_id, data_source_id in found}


def _given_pages(table: SyncTable) -> sql.Composed:
    """Items of a FROM clause: the pages that `_given` gives, each with its row, `stored`, and with its `note`."""
    # A list goes as one text: that is made and read faster than an array.
    return qualified(
        """
        ROWS FROM (
            pg_catalog.unnest(pg_catalog.string_to_array(%(pages)s, ',')),
            pg_catalog.unnest(pg_catalog.string_to_array(%(hashes)s, ',')),
            pg_catalog.unnest(pg_catalog.string_to_array(%(answers)s, ',', ''))
        ) AS given (notion_page_id, source_hash, answer_hash)
        LEFT JOIN LATERAL (
            SELECT id, content_hash, notion_data_source_id, notion_edited_at, xmin FROM {table}
            WHERE user_id {=} %(user)s AND notion_page_id {=} given.notion_page_id
            OFFSET 0
        ) AS stored ON true
        LEFT JOIN LATERAL (
            SELECT data_source_id, source_hash, answer_hash, row_id, row_xmin, stored_digest, written_in, xmin
            FROM notion_sync.pages
            WHERE user_id {=} %(user)s
              AND page_id {=} given.notion_page_id::pg_catalog.uuid
            OFFSET 0
        ) AS note ON true
        """,
        table=table.identifier,
    )


def _given(table: SyncTable, owner: RowOwner, answer_hashes: Mapping[str, str | None]) -> dict[str, str]:
    return {
        "pages": ",".join(table.spell(answer_hashes)),
        "answers": ",".join(one or "" for one in answer_hashes.values()),
        "user": owner.user_id,
        "source": owner.data_source_id,
    }


def _is_trusted() -> sql.Composed:
    """Whether a row is as the tool wrote it, and its note too."""
    return qualified(
        "(stored.xmin {=} note.row_xmin AND note.written_in {=} note.xmin"
        " AND note.data_source_id {=} %(source)s::pg_catalog.uuid)"
    )


def _is_same_answer() -> sql.Composed:
    """Whether a page came in the answer that was noted, and what became of that is what is noted now."""
    return qualified("(note.answer_hash {=} (pg_catalog.decode(given.answer_hash, 'hex') {||} note.source_hash))")


async def note_answers(connection: Connection, owner: RowOwner, rows: Sequence[Row]) -> None:
    """Notes the answers that pages came in; all else that is noted of them stays."""
    if not rows:
        return
    await connection.execute(
        """
        UPDATE notion_sync.pages SET answer_hash = given.answer_hash || source_hash,
               written_in = pg_current_xact_id()::xid
        FROM unnest(%s::uuid[], %s::bytea[]) AS given (page_id, answer_hash)
        WHERE pages.user_id = %s AND pages.page_id = given.page_id
        """,
        (
            [row.page_id for row in rows],
            [bytes.fromhex(row.answer_hash) if row.answer_hash else None for row in rows],
            owner.user_id,
        ),
    )


async def stored_rows(
    connection: Connection, table: SyncTable, owner: RowOwner, rows: Sequence[Row]
) -> dict[str, StoredRow]:
    """The rows of the pages of `rows` as they are stored, compared with what they should be; those that there are."""
    if not rows:
        return {}
    sent = SentRows(table, owner, rows)
    query = qualified(
        """
        SELECT {page_id} AS page_id, stored.id AS row_id, stored.xmin::pg_catalog.text AS xmin,
               CASE WHEN NOT ({same}) THEN {digest} END AS digest
        FROM {incoming}, LATERAL (
            SELECT xmin, * FROM {table}
            WHERE user_id {=} %(user_id)s
              AND notion_page_id {=} incoming.notion_page_id
            OFFSET 0
        ) AS stored
        """,
        page_id=table.page_id("incoming"),
        same=sql.SQL(" AND ").join(_is_same(sent, name) for name in sent.names),
        digest=_digest(sent),
        incoming=sent.incoming,
        table=table.identifier,
    )
    with connection.as_application():
        async with connection.cursor(row_factory=class_row(StoredRow)) as cursor:
            await cursor.execute(query, sent.parameters)
            return {stored.page_id: stored async for stored in cursor}


def _is_same(sent: SentRows, name: str) -> sql.Composed:
    """Whether a column of `stored` holds what is sent; byte for byte, whatever collation the column has."""
    stored = sql.SQL('{}::pg_catalog.text COLLATE "pg_catalog"."C"' if sent.is_text(name) else "{}").format(
        sql.Identifier("stored", name)
    )
    value = sent.value(name)
    is_same = qualified(
        "coalesce({stored} {=} {value}, {stored} IS NULL AND {value} IS NULL)", stored=stored, value=value
    )
    if name != DATABASE:
        return is_same
    return qualified(
        "coalesce(notion_sync.as_notion_id({stored}) {=} notion_sync.as_notion_id({value}), {is_same})",
        stored=stored,
        value=value,
        is_same=is_same,
    )


def _digest(sent: SentRows) -> sql.Composed:
    """The SHA-256 of all that the tool writes of a row, as it is stored: the same in every session."""
    values = [
        sql.SQL("EXTRACT(epoch FROM {})" if sent.is_time(name) else "{}").format(sql.Identifier("stored", name))
        for name in sent.names
    ]
    return sql.SQL(
        "pg_catalog.sha256(pg_catalog.convert_to(pg_catalog.jsonb_build_array({})::pg_catalog.text, 'UTF8'))"
    ).format(sql.SQL(", ").join(values))


async def bring_home(connection: Connection, table: SyncTable, owner: RowOwner, lost: Mapping[str, str]) -> None:
    """Gives rows that the tool wrote (page id -> row id) their user and page back, where somebody changed these.

    A row that meanwhile counts as another page's own is left to it.
    """
    statement = qualified(
        """
            UPDATE {table} AS stray SET user_id = %(user)s, notion_page_id = lost.page_id
            FROM ROWS FROM (
                pg_catalog.unnest(%(pages)s::pg_catalog.text[]), pg_catalog.unnest(%(ids)s::pg_catalog.uuid[])
            ) AS lost (page_id, row_id)
            WHERE stray.id {=} lost.row_id AND NOT EXISTS (
                SELECT FROM notion_sync.pages AS note
                WHERE note.user_id {=} stray.user_id
                  AND note.page_id {=} notion_sync.as_notion_id(stray.notion_page_id)
                  AND note.row_id {=} stray.id)
            """,
        table=table.identifier,
    )
    parameters = {"user": owner.user_id, "pages": table.spell(lost), "ids": list(lost.values())}
    with connection.as_application():
        await connection.execute(statement, parameters)


class Note(Struct, frozen=True):
    """What is noted of a page: the row that it should have, and the one that is stored, None where there is none."""

    row: Row
    stored: StoredRow | None


# Of what a statement that has the columns of the table under the name `noted` gives, and of what it is told (`about`).
# Not for a savepoint: what is written within one has an xmin of its own.
_NOTING: LiteralString = """
    INSERT INTO notion_sync.pages
        (user_id, page_id, data_source_id, source_hash, row_id, row_xmin, stored_digest, icon, cover, public_url,
         created_by, last_edited_by, is_locked, incomplete, answer_hash, written_in)
    SELECT %(user_id)s, noted.page_id, %(notion_data_source_id)s::pg_catalog.uuid, noted.source_hash, noted.row_id,
           noted.row_xmin, noted.stored_digest, about.icon::pg_catalog.jsonb, about.cover::pg_catalog.jsonb,
           about.public_url, about.created_by, about.last_edited_by, about.is_locked,
           ARRAY(SELECT pg_catalog.jsonb_array_elements_text(about.incomplete::pg_catalog.jsonb)),
           about.answer_hash {||} noted.source_hash, pg_catalog.pg_current_xact_id()::pg_catalog.xid
    FROM {noted} JOIN {about} ON about.page_id {=} noted.page_id
    ON CONFLICT (user_id, page_id) DO UPDATE
    SET data_source_id = EXCLUDED.data_source_id, source_hash = EXCLUDED.source_hash, row_id = EXCLUDED.row_id,
        row_xmin = EXCLUDED.row_xmin, stored_digest = EXCLUDED.stored_digest, icon = EXCLUDED.icon,
        cover = EXCLUDED.cover, public_url = EXCLUDED.public_url, created_by = EXCLUDED.created_by,
        last_edited_by = EXCLUDED.last_edited_by, is_locked = EXCLUDED.is_locked, incomplete = EXCLUDED.incomplete,
        answer_hash = EXCLUDED.answer_hash, written_in = EXCLUDED.written_in,
        given = CASE WHEN EXCLUDED.stored_digest {=} pages.stored_digest THEN pages.given END
"""


def noting(noted: sql.Composable) -> sql.Composed:
    """The statement that notes what `noted`, an item of a FROM clause under that name, gives; see `about_pages`."""
    return qualified(_NOTING, noted=noted, about=sql.SQL(ABOUT_PAGES))


async def void_notes(connection: Connection, key: DataSourceKey) -> None:
    """Lets every row of a data source be compared by the next full read, value by value; keeps what is noted of ids."""
    parameters = (key.user_id, key.data_source_id)
    await connection.execute(
        "DELETE FROM notion_sync.pages WHERE user_id = %s AND data_source_id = %s AND row_xmin IS NULL",
        parameters,
    )
    # No row was ever written by transaction 0.
    await connection.execute(
        "UPDATE notion_sync.pages SET row_xmin = '0', stored_digest = NULL WHERE user_id = %s AND data_source_id = %s",
        parameters,
    )


async def note_rows(connection: Connection, owner: RowOwner, notes: Sequence[Note]) -> None:
    """Notes rows as they are stored."""
    if not notes:
        return
    noted = sql.SQL(
        """
        ROWS FROM (
            pg_catalog.unnest(%(pages)s::pg_catalog.uuid[]), pg_catalog.unnest(%(hashes)s::pg_catalog.bytea[]),
            pg_catalog.unnest(%(ids)s::pg_catalog.uuid[]),
            pg_catalog.unnest(%(xmins)s::pg_catalog.text[]::pg_catalog.xid[]),
            pg_catalog.unnest(%(digests)s::pg_catalog.bytea[])
        ) AS noted (page_id, source_hash, row_id, row_xmin, stored_digest)
        """
    )
    stored = [note.stored for note in notes]
    await connection.execute(
        noting(noted),
        {
            "user_id": owner.user_id,
            "notion_data_source_id": owner.data_source_id,
            "pages": [note.row.page_id for note in notes],
            "hashes": [bytes.fromhex(note.row.content_hash) for note in notes],
            "ids": [row.row_id if row else None for row in stored],
            "xmins": [row.xmin if row else None for row in stored],
            "digests": [row.digest if row else None for row in stored],
            **about_pages([note.row for note in notes]),
        },
    )
