"""How a sync table writes page ids: as Notion does, or as the application that made the table does.

All rows of a table write them in one way. A trigger sees to that before PostgreSQL looks for a row of the same key, so
that (user_id, notion_page_id) finds a page's row however its id is written, by whomever, and also where two write at
once. Its argument is the only record of a table's way. In the tool's own tables ids are of type uuid.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import LiteralString, cast

from msgspec import Struct
from psycopg import sql

from notion_pg_sync.mirror.connection import Connection, fetch_value
from notion_pg_sync.mirror.qualified_sql import qualified

TRIGGER = "notion_sync_page_id"

# An id of Notion, whoever wrote it. Anything else in the column is the application's own affair.
_ANY_ID = "^[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}$"


class IdSpelling(StrEnum):
    """A way to write an id; the values are the trigger's arguments."""

    DASHED = "dashed"
    PLAIN = "plain"
    UPPER_DASHED = "upper-dashed"
    UPPER_PLAIN = "upper-plain"

    @property
    def pattern(self) -> str:
        """A regular expression, to PostgreSQL and to Python, for ids that are written so."""
        digit = "[0-9A-F]" if self in (IdSpelling.UPPER_DASHED, IdSpelling.UPPER_PLAIN) else "[0-9a-f]"
        if self in (IdSpelling.PLAIN, IdSpelling.UPPER_PLAIN):
            return f"^{digit}{{32}}$"
        return f"^{digit}{{8}}(-{digit}{{4}}){{3}}-{digit}{{12}}$"

    @property
    def words(self) -> str:
        """It in words."""
        dashes = "without dashes" if self in (IdSpelling.PLAIN, IdSpelling.UPPER_PLAIN) else "with dashes"
        return f"{dashes}, in capitals" if self in (IdSpelling.UPPER_DASHED, IdSpelling.UPPER_PLAIN) else dashes

    def spell(self, page_id: str) -> str:
        """An id as Notion writes it, written so."""
        match self:
            case IdSpelling.DASHED:
                return page_id
            case IdSpelling.PLAIN:
                return page_id.replace("-", "")
            case IdSpelling.UPPER_DASHED:
                return page_id.upper()
            case IdSpelling.UPPER_PLAIN:
                return page_id.replace("-", "").upper()

    def as_notion_writes_it(self, column: sql.Composable) -> sql.Composable:
        """What `column` holds where ids are written so, an id as Notion writes it."""
        if self is IdSpelling.DASHED:
            return column
        return qualified("coalesce(notion_sync.as_notion_id({column})::pg_catalog.text, {column})", column=column)


def is_unlike(page_id: sql.Composable, uuid: sql.Composable) -> sql.Composed:
    """Whether a row's `page_id` is not the id of its page, which `uuid` is."""
    return qualified(
        "NOT coalesce({page_id} {=} {uuid}, {page_id} IS NULL AND {uuid} IS NULL)", page_id=page_id, uuid=uuid
    )


def every_spelling(page_ids: Iterable[str]) -> list[str]:
    """Ids as Notion writes them, each in every way in which a table may have it."""
    return [spelling.spell(page_id) for page_id in page_ids for spelling in IdSpelling]


def _of_trigger(selected: LiteralString, function: str) -> sql.Composed:
    """What the catalog says of the trigger on the table pg_class.oid that calls `function`; null without one."""
    return sql.SQL(
        """(
    SELECT {selected} FROM pg_trigger
    JOIN pg_proc ON pg_proc.oid = tgfoid
    JOIN pg_namespace AS of_function ON of_function.oid = pronamespace
    WHERE tgrelid = pg_class.oid AND of_function.nspname = 'notion_sync' AND proname = {function}
    ORDER BY tgenabled IN ('O', 'A') DESC LIMIT 1
    )"""
    ).format(selected=sql.SQL(selected), function=sql.Literal(function))


_AT_WORK: LiteralString = "tgenabled IN ('O', 'A')"
TRIGGER_ARGUMENT = _of_trigger("convert_from(btrim(tgargs, decode('00', 'hex')), 'UTF8')", "spell_page_id")
_TRIGGERS = sql.SQL(", ").join(
    [TRIGGER_ARGUMENT, _of_trigger(_AT_WORK, "spell_page_id"), _of_trigger(_AT_WORK, "set_page_id")]
)


class PageIds(Struct, frozen=True):
    """The page ids of a table.

    `rows`: how many rows the table has. `spelling` is the trigger's, or else that of most rows. `are_kept_alike`:
    whether the trigger is there and at work. `misspelled`: how many are written otherwise. `duplicates`: how many rows
    are one too many for their page. `are_followed`: whether the trigger for the column `page_id` is at work. `unlike`:
    in how many rows that column is not the page's id. `are_others`: it is the application's own, for other ids.
    """

    spelling: IdSpelling = IdSpelling.DASHED
    rows: int = 0
    are_kept_alike: bool = False
    misspelled: int = 0
    duplicates: int = 0
    are_followed: bool = False
    unlike: int = 0
    are_others: bool = False


async def inspect_page_ids(
    connection: Connection, table: sql.Identifier, oid: int, *, has_key: bool, has_uuid: bool
) -> PageIds:
    """What the page ids of a table are like; needs nothing of the schema `notion_sync`.

    `has_key`: whether a unique key on user and page id keeps double rows out that write the id alike. `has_uuid`:
    whether there is a column `page_id` of type uuid.
    """
    asked = await connection.execute(sql.SQL("SELECT {} FROM pg_class WHERE oid = %s").format(_TRIGGERS), (oid,))
    argument, is_at_work, follows = await asked.fetchone() or (None, None, None)
    page_id = sql.SQL("page_id" if has_uuid else "NULL::pg_catalog.uuid")
    uuid = qualified("CASE WHEN {is_id} THEN notion_page_id::pg_catalog.uuid END", is_id=_matches(_ANY_ID))
    unlike = is_unlike(page_id, uuid)
    counts = [
        sql.SQL("pg_catalog.count(*)"),
        _count(_matches(_ANY_ID)),
        *(_count(_matches(spelling.pattern)) for spelling in IdSpelling),
        _count(unlike),
        _count(sql.SQL("{} IS NOT NULL AND {}").format(page_id, unlike)),
    ]
    query = qualified("SELECT {counts} FROM {table}", counts=sql.SQL(", ").join(counts), table=table)
    with connection.as_application():
        rows, ids, *counted, wrong, others = await (await connection.execute(query)).fetchone() or ()
    spelt = dict(zip(IdSpelling, counted, strict=True))
    spelling = IdSpelling(argument) if argument else max(spelt, key=spelt.__getitem__)
    misspelled = ids - spelt[spelling]
    duplicates = await _count_duplicates(connection, table) if misspelled or not has_key else 0
    return PageIds(
        spelling,
        rows,
        bool(is_at_work),
        misspelled,
        duplicates,
        are_followed=bool(follows),
        unlike=wrong,
        are_others=follows is None and others > 0,
    )


async def _count_duplicates(connection: Connection, table: sql.Identifier) -> int:
    query = qualified(
        "SELECT coalesce(pg_catalog.sum(rows {-} 1), 0)::pg_catalog.int8 FROM ("
        " SELECT pg_catalog.count(*) AS rows FROM {table} WHERE notion_page_id IS NOT NULL"
        " GROUP BY user_id, {page}) AS pages",
        table=table,
        page=_page(),
    )
    with connection.as_application():
        return cast(int, await fetch_value(connection, query))


async def spelling_without_trigger(connection: Connection, table: sql.Identifier) -> IdSpelling:
    """How a table writes page ids that has lost its trigger, or was never seen by `init`: as its first row does."""
    query = qualified("SELECT notion_page_id FROM {table} WHERE {is_id} LIMIT 1", table=table, is_id=_matches(_ANY_ID))
    with connection.as_application():
        written = str(await fetch_value(connection, query))
    return next((one for one in IdSpelling if re.search(one.pattern, written)), IdSpelling.DASHED)


def trigger_on(table: sql.Identifier, spelling: IdSpelling) -> sql.Composed:
    """The statement that makes the trigger by which `table` writes ids so.

    Its function is called for an id that is written otherwise alone: a call costs more than all else about a row.
    """
    return qualified(
        "CREATE OR REPLACE TRIGGER {trigger} BEFORE INSERT OR UPDATE OF notion_page_id ON {table}\n"
        "FOR EACH ROW WHEN (NOT NEW.{matches}) EXECUTE FUNCTION notion_sync.spell_page_id({spelling})",
        trigger=sql.Identifier(TRIGGER),
        table=table,
        matches=_matches(spelling.pattern),
        spelling=sql.Literal(str(spelling)),
    )


def is_misspelled(spelling: IdSpelling) -> sql.Composed:
    """Whether a row writes the id of its page otherwise."""
    return qualified("{is_id} AND NOT {is_spelled}", is_id=_matches(_ANY_ID), is_spelled=_matches(spelling.pattern))


def removal_of_duplicates(table: sql.Identifier, qualified_name: str) -> sql.Composed:
    """The statement that leaves of each page the newest row; the others go to `removed_pages`."""
    return qualified(
        """WITH ranked AS (
    SELECT ctid AS place, pg_catalog.row_number() OVER (
        PARTITION BY user_id, {page}
        ORDER BY updated_at DESC NULLS LAST, last_synced_at DESC NULLS LAST, created_at DESC NULLS LAST, id) AS rank
    FROM {table} WHERE notion_page_id IS NOT NULL
), doubles AS (
    DELETE FROM {table} AS sync_table USING ranked WHERE sync_table.ctid {=} place AND rank {>} 1 RETURNING sync_table.*
)
INSERT INTO notion_sync.removed_pages
    (user_id, page_id, database_id, data_source_id, sync_table, reason, row)
SELECT user_id, notion_sync.as_notion_id(notion_page_id), notion_sync.as_notion_id(notion_database_id),
    notion_sync.as_notion_id(notion_data_source_id), {name}, 'duplicate', pg_catalog.to_jsonb(doubles)
FROM doubles""",
        table=table,
        name=sql.Literal(qualified_name),
        page=_page(),
    )


def _page() -> sql.Composed:
    """The page of a row, whatever its spelling."""
    return qualified(
        "CASE WHEN {is_id} THEN notion_page_id::pg_catalog.uuid::pg_catalog.text ELSE notion_page_id END",
        is_id=_matches(_ANY_ID),
    )


def _count(condition: sql.Composable) -> sql.Composed:
    return qualified("pg_catalog.count(*) FILTER (WHERE {condition})", condition=condition)


def _matches(pattern: str) -> sql.Composed:
    return qualified('notion_page_id COLLATE pg_catalog."C" {~} {pattern}', pattern=sql.Literal(pattern))
