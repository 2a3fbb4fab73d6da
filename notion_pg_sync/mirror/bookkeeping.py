"""What the schema `notion_sync` is made of at each version of its tables, and how what is missing of it comes back.

`bookkeeping.json` lists the parts, as the migrations make them (`python -m docs.made.bookkeeping`). What is in the
database is compared with it by name: what somebody dropped is found, what somebody added is theirs.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from functools import cache
from importlib import resources
from typing import LiteralString, cast

from msgspec import Struct
from psycopg import sql

from notion_pg_sync.core.wording import some
from notion_pg_sync.mirror.connection import Connection, fetch_value
from notion_pg_sync.mirror.migrations import Migration, migrations, record_of

# Each part by name, with the statement that makes it, and its place in an order in which they can be made. A row that
# has nothing in a column which must not be null gets what is as good as nothing, unless the column is part of a key.
PARTS: LiteralString = r"""
    WITH ours AS (
        SELECT pg_class.oid, relname, relkind, format('%I.%I', nspname, relname) AS name
        FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE nspname = 'notion_sync'
    ), of_tables AS (
        SELECT attrelid, attnum, relname || '.' || attname AS said, name, format('%I', attname) AS attname,
               format_type(atttypid, atttypmod) AS type, attnotnull, attidentity, attgenerated,
               pg_get_expr(adbin, adrelid) AS expression,
               EXISTS (SELECT FROM pg_constraint WHERE conrelid = attrelid AND attnum = ANY (conkey)
                       AND contype IN ('p', 'u', 'f')) AS is_key
        FROM pg_attribute JOIN ours ON ours.oid = attrelid AND relkind = 'r'
        LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        WHERE attnum > 0 AND NOT attisdropped
    ), parts AS (
        SELECT 1 AS place, 0 AS number, 'schema ' || nspname AS part, format('CREATE SCHEMA %I', nspname) AS statement
        FROM pg_namespace WHERE nspname IN ('notion_sync', 'notion')
        UNION ALL
        SELECT 2, 0, 'type ' || relname, format('CREATE TYPE %s AS (%s)', name,
               (SELECT string_agg(format('%I %s', attname, format_type(atttypid, atttypmod)), ', ' ORDER BY attnum)
                FROM pg_attribute WHERE attrelid = ours.oid AND attnum > 0 AND NOT attisdropped))
        FROM ours WHERE relkind = 'c'
        UNION ALL
        SELECT 3, 0, 'sequence ' || relname, format('CREATE SEQUENCE %s', name)
        FROM ours WHERE relkind = 'S' AND NOT EXISTS (
            SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = ours.oid AND deptype = 'i')
        UNION ALL
        SELECT 4, 0, 'table ' || relname, format('CREATE TABLE %s ()', name) FROM ours WHERE relkind = 'r'
        UNION ALL
        SELECT CASE attgenerated WHEN '' THEN 5 ELSE 6 END, attnum, 'column ' || said, format(
                   'ALTER TABLE %s ADD COLUMN %s %s%s', name, attname, type,
                   CASE WHEN attgenerated <> '' THEN format(' GENERATED ALWAYS AS (%s) STORED', expression)
                        WHEN attidentity <> '' THEN ' GENERATED ALWAYS AS IDENTITY' ELSE '' END)
        FROM of_tables
        UNION ALL
        SELECT 7, attnum, 'default of ' || said,
               format('ALTER TABLE %s ALTER COLUMN %s SET DEFAULT %s', name, attname, expression)
        FROM of_tables WHERE expression IS NOT NULL AND attgenerated = ''
        UNION ALL
        SELECT 8, attnum, 'NOT NULL of ' || said, concat_ws('; ',
                   CASE WHEN attgenerated = '' AND attidentity = '' AND (expression IS NOT NULL OR NOT is_key) THEN
                       format('UPDATE %s SET %s = %s WHERE %2$s IS NULL', name, attname, CASE
                           WHEN expression IS NOT NULL THEN 'DEFAULT'
                           WHEN type LIKE '%[]' OR type = 'jsonb' THEN '''{}'''
                           WHEN type LIKE 'timestamp%' THEN 'clock_timestamp()'
                           WHEN type = 'uuid' THEN '''00000000-0000-4000-8000-000000000000'''
                           WHEN type = 'boolean' THEN 'false'
                           WHEN attname = 'reason' THEN '''missing'''
                           WHEN type IN ('bigint', 'integer', 'double precision', 'oid') THEN '0'
                           ELSE '''''' END) END,
                   format('ALTER TABLE %s ALTER COLUMN %s SET NOT NULL', name, attname))
        FROM of_tables WHERE attnotnull
        UNION ALL
        -- What refers to a row that is gone waits for the sync that brings it again.
        SELECT CASE contype WHEN 'f' THEN 10 ELSE 9 END, 0, format('constraint %s of %s', conname, relname),
               format('ALTER TABLE %s ADD CONSTRAINT %I %s%s', name, conname, pg_get_constraintdef(pg_constraint.oid),
                      CASE WHEN contype = 'f' AND convalidated THEN ' NOT VALID' ELSE '' END)
        FROM pg_constraint JOIN ours ON ours.oid = conrelid WHERE contype IN ('p', 'u', 'c', 'f')
        UNION ALL
        SELECT 11, 0, 'index ' || of_index.relname, pg_get_indexdef(indexrelid)
        FROM pg_index JOIN ours ON ours.oid = indrelid JOIN pg_class AS of_index ON of_index.oid = indexrelid
        WHERE NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND conrelid = indrelid)
        UNION ALL
        -- A number that some row has already is not given again.
        SELECT 12, 0, format('owner of %s', ours.relname),
               format('ALTER SEQUENCE %1$s OWNED BY %2$s.%3$s; '
                      'SELECT setval(%1$L, greatest((SELECT last_value FROM %1$s), %4$s))',
                      ours.name, of_tables.name, of_tables.attname,
                      (SELECT string_agg(format('(SELECT max(%s) FROM %s)', other.attname, other.name), ', '
                                         ORDER BY other.said COLLATE "C")
                       FROM of_tables AS other WHERE other.attname LIKE '%' || of_tables.attname))
        FROM ours
        JOIN pg_depend ON classid = 'pg_class'::regclass AND objid = ours.oid AND deptype = 'a'
        JOIN of_tables ON refclassid = 'pg_class'::regclass AND refobjid = attrelid AND refobjsubid = attnum
        WHERE relkind = 'S'
    )
    SELECT part, statement, place, number FROM parts
"""

# What people set, and no sync brings back: the part that holds it, what it was, and how to set it again.
_SETTINGS = {
    "table view_sources": (
        "who wants typed views",
        "for each user who does, INSERT INTO notion_sync.accounts (user_id, views) VALUES ('USER_ID', true) "
        "ON CONFLICT (user_id) DO UPDATE SET views = true",
    ),
    "column data_sources.bodies": ("whose bodies are read at every run", "notion_sync.data_sources.bodies"),
    "table trusted_owners": ("which roles are trusted", "init --trust"),
    "table readers": ("which roles are readers, and their limits", "grant-reader, for each of them"),
    "table search_settings": ("the language of search", "notion_sync.search_settings"),
}
_POLICIES = ("by which policies tenants read the sync tables", "doctor shows them")
# Sync tables outlive the schema: their columns tell that it was there.
_TRACES: LiteralString = """
    SELECT 'sync tables' FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
    WHERE relkind = 'r' AND relname ~ '^notion_.*_sync$' AND attname = 'notion_data_source_id' AND NOT attisdropped
    LIMIT 1
"""
# From the version on that keeps whose rows the views show, it is known who wants views.
_VIEW_SOURCES_SINCE = 9
_VIEWS_AGAIN: LiteralString = """
    INSERT INTO notion_sync.accounts (user_id, views) SELECT DISTINCT user_id, true FROM notion_sync.view_sources
    ON CONFLICT (user_id) DO UPDATE SET views = true;
"""
# Of a history that has lost changes, or what these were, none is known: it begins anew.
_HISTORY_ANEW: LiteralString = "UPDATE notion_sync.data_sources SET history_since = NULL;"
# Their numbers begin anew with the table, and so do the positions of those who follow them.
_POSITIONS_ANEW: LiteralString = "DELETE FROM notion_sync.history_generations;"
# What is there is of a generation that ended, whose numbers of transactions compare with none.
_ENDED_GENERATION: LiteralString = """
    INSERT INTO notion_sync.history_generations (generation, first_change_id, system_identifier)
    SELECT pg_catalog.gen_random_uuid(), 1, 0 WHERE EXISTS (SELECT FROM notion_sync.page_changes);
"""
# What pages name is still wanted, once more, where it is not known what of it is kept.
_FILES_ANEW: LiteralString = """
    INSERT INTO notion_sync.files (user_id, path) SELECT DISTINCT user_id, path FROM notion_sync.page_files
    ON CONFLICT DO NOTHING;
"""
# The next full read tells what pages name.
_NAMED_ANEW: LiteralString = "UPDATE notion_sync.pages SET answer_hash = NULL;"


class Part(Struct, frozen=True):
    """Something that the schema `notion_sync` consists of, and the `statement` that makes it.

    It is there from the version `since` on, and as it is described here before the version `until`, None for ever.
    """

    name: str
    statement: str
    since: int
    until: int | None = None


@cache
def known_parts() -> tuple[Part, ...]:
    """All parts, of all versions, in an order in which they can be made."""
    listed = (resources.files(__package__) / "bookkeeping.json").read_text(encoding="utf-8")
    return tuple(Part(*part) for part in json.loads(listed))


class Lack(Struct, frozen=True):
    """What the schema is without.

    `version`: that of its tables. `parts` of them are missing, and so are the records that the migrations `unrecorded`
    were applied.
    """

    version: int
    parts: tuple[Part, ...] = ()
    unrecorded: tuple[Migration, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is missing."""
        return not (self.parts or self.unrecorded)

    @property
    def in_words(self) -> list[str]:
        """What is missing, each by name; of what a table has, the table alone where that is missing itself."""
        gone = {part.name for part in self.parts if part.name.startswith("table ")}
        if self._is_everything:
            return ["everything"]
        return [
            *(part.name for part in self.parts if part.name in gone or not _is_of_table(part, gone)),
            *(f"the record of migration {step.name}" for step in self.unrecorded),
        ]

    @property
    def sentence(self) -> str:
        """The same in words, without a full stop."""
        return f"of the schema notion_sync there is missing: {some(self.in_words)}"

    @property
    def lost_settings(self) -> list[tuple[str, str]]:
        """What people had set, which is lost with it; each with how to set it again."""
        missing = {part.name for part in self.parts}
        policies = [_POLICIES] if self._is_everything else []
        return [*(setting for name, setting in _SETTINGS.items() if name in missing), *policies]

    @property
    def _is_everything(self) -> bool:
        tables = {part.name for part in known_parts() if part.until is None and part.name.startswith("table ")}
        return tables <= {part.name for part in self.parts}

    def remedy(self) -> sql.Composed:
        """The statements that bring it back."""
        missing = {part.name for part in self.parts}
        knows_views = self.version >= _VIEW_SOURCES_SINCE
        means_nothing = "column migrations.version" in missing and "table migrations" not in missing
        return sql.SQL("\n").join(
            [
                *([sql.SQL("DELETE FROM notion_sync.migrations;")] if means_nothing else []),
                *(sql.SQL(f"{part.statement};") for part in self.parts),
                *(record_of(step, self.version) for step in self.unrecorded),
                *([sql.SQL(_VIEWS_AGAIN)] if "column accounts.views" in missing and knows_views else []),
                *(sql.SQL(statement) for statement in (*_history_again(missing), *_files_again(missing))),
            ]
        )


def _history_again(missing: Collection[str]) -> Iterator[LiteralString]:
    """Pure: what makes the history true again where these parts were missing."""
    if any(part.startswith("column page_changes.") for part in missing):
        yield _HISTORY_ANEW
    if "table page_changes" in missing:
        yield _POSITIONS_ANEW
    elif "table history_generations" in missing:
        yield _ENDED_GENERATION


def _files_again(missing: Collection[str]) -> Iterator[LiteralString]:
    """Pure: what lets files be known again where these parts were missing."""
    if "table page_files" in missing:
        yield _NAMED_ANEW
    elif "table files" in missing:
        yield _FILES_ANEW


NOTHING_MISSING = Lack(0)


async def find_lack(connection: Connection) -> Lack:
    """What is missing of the schema `notion_sync`; changes nothing, and needs no right on it."""
    found = await connection.execute(PARTS)
    present = {name async for name, *_ in found}
    present |= {name async for (name,) in await connection.execute(_TRACES)}
    return lack_of(present, await _recorded(connection) if "column migrations.version" in present else ())


def lack_of(present: Collection[str], recorded: Collection[int] | None) -> Lack:
    """Pure: what is missing where these parts are `present`, and these migrations `recorded`, if that is known.

    A migration of which anything is there was applied, whatever is recorded, and so was every earlier one. Where there
    is nothing but a schema, all of it is missing.
    """
    if not present:
        return Lack(0)
    version = max([*(recorded or ()), *(since for name, since in _first_made().items() if name in present)], default=0)
    version = version if any(name.startswith("table ") for name in present) else migrations()[-1].version
    parts = [part for part in known_parts() if part.since <= version and (part.until is None or version < part.until)]
    return Lack(
        version,
        tuple(part for part in parts if part.name not in present),
        tuple(
            step
            for step in migrations()
            if recorded is not None and step.version <= version and step.version not in recorded
        ),
    )


@cache
def _first_made() -> dict[str, int]:
    """By name, the version that each part came with, but for the schemas, which others may have made."""
    first: dict[str, int] = {}
    for part in known_parts():
        if not part.name.startswith("schema "):
            first[part.name] = min(part.since, first.get(part.name, part.since))
    return first


def _is_of_table(part: Part, tables: Collection[str]) -> bool:
    return any(part.statement.find(f" notion_sync.{table.removeprefix('table ')} ") > 0 for table in tables)


async def _recorded(connection: Connection) -> Sequence[int] | None:
    if await fetch_value(connection, "SELECT row_security_active('notion_sync.migrations')"):
        return None
    return [version async for (version,) in await connection.execute("SELECT version FROM notion_sync.migrations")]


async def owner_to_ask(connection: Connection) -> str | None:
    """The role that owns the schema, where this one may not act for it; None where it may, or there is no schema."""
    return cast(
        str | None,
        await fetch_value(
            connection,
            "SELECT pg_get_userbyid(nspowner) FROM pg_namespace"
            " WHERE nspname = 'notion_sync' AND NOT pg_has_role(nspowner, 'USAGE')",
        ),
    )
