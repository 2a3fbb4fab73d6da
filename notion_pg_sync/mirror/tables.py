"""Sync tables: which database goes to which table, and what such a table is made of."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import LiteralString

from msgspec import Struct
from psycopg import sql

from notion_pg_sync.mirror.connection import Connection, PostgresError
from notion_pg_sync.mirror.migrations import INIT
from notion_pg_sync.mirror.page_ids import TRIGGER, TRIGGER_ARGUMENT, IdSpelling, spelling_without_trigger
from notion_pg_sync.mirror.presets import PRESETS, ExtraColumn
from notion_pg_sync.mirror.qualified_sql import qualified
from notion_pg_sync.mirror.trust import OwnedRelation, distrust, roles_of

DEFAULT_SCHEMA = "public"
SETTINGS_TABLE = "user_settings"
GENERAL_TABLE = "notion_pages_sync"

# Types that hold the same values as those that the tool declares.
_SAME = {"character varying": "text"}


class ColumnDefinition(Struct, frozen=True):
    """A column as it is declared; `type` as `format_type` says it."""

    name: str
    type: str
    constraint: LiteralString = ""

    @property
    def is_needed(self) -> bool:
        """Whether each row has a value, so that a table which has rows cannot just be given the column."""
        return self.constraint.startswith(("NOT NULL", "PRIMARY KEY"))


# What the page itself is: its id, whatever the spelling of `notion_page_id`, and what it has beside its properties.
PAGE_COLUMNS = (
    ColumnDefinition("page_id", "uuid"),
    ColumnDefinition("notion_icon", "text"),
    ColumnDefinition("notion_cover", "text"),
    ColumnDefinition("notion_public_url", "text"),
    ColumnDefinition("notion_created_by", "uuid"),
    ColumnDefinition("notion_edited_by", "uuid"),
    ColumnDefinition("notion_is_locked", "boolean"),
)


@dataclass(frozen=True)
class SyncTable:
    """A sync table; `title` and `text` are its columns for a page's title and for its most telling text.

    The latter is that of the first property named in `text_sources` that has text. `preset` is the preset that the
    table belongs to, empty where it belongs to none.

    As it is in the database: `spelling` is how it writes page ids: what goes to PostgreSQL is spelled so, what comes
    from there as Notion does. `shape` tells its columns and triggers from others; `triggers` names those that an
    application made and that fire when a row is written.
    """

    schema: str
    name: str
    title: str
    text: str
    has_database_name: bool = False
    text_sources: tuple[str, ...] = ("Description", "Notes", "Content")
    extra: tuple[ExtraColumn, ...] = ()
    preset: str = ""
    spelling: IdSpelling = IdSpelling.DASHED
    is_partitioned: bool = field(default=False, compare=False)
    shape: str = field(default="", compare=False)
    triggers: tuple[str, ...] = field(default=(), compare=False)

    @property
    def identifier(self) -> sql.Identifier:
        """Its name, to be composed into a statement."""
        return sql.Identifier(self.schema, self.name)

    @property
    def qualified_name(self) -> str:
        """Its name as text, for people and for bookkeeping."""
        return f"{self.schema}.{self.name}"

    @property
    def filled(self) -> tuple[str, ...]:
        """The columns that properties fill, but for the title's."""
        return (self.text, *(extra.name for extra in self.extra))

    @property
    def stores_what_is_sent(self) -> bool:
        """Whether a row that was written is known to be as it was sent, without looking at it again."""
        return not (self.triggers or self.is_partitioned)

    def page_id(self, *relation: str) -> sql.Composable:
        """The page of a row, as Notion writes it; of `relation`, where a statement has several."""
        return self.spelling.as_notion_writes_it(sql.Identifier(*relation, "notion_page_id"))

    def spell(self, page_ids: Iterable[str]) -> list[str]:
        """Page ids as the table writes them."""
        return [self.spelling.spell(page_id) for page_id in page_ids]


class Misfit(Struct, frozen=True):
    """Why a sync table cannot be written, a sentence that says what to type, and that alone: the `remedy`."""

    sentence: str
    remedy: str

    @classmethod
    def all_of(cls, misfits: Sequence[Misfit]) -> Misfit:
        """Several as one."""
        return cls(" ".join(one.sentence for one in misfits), "\n".join(one.remedy for one in misfits))


class StrangeTable(Struct, frozen=True):
    """A table named as a sync table, of an owner who is not trusted; `is_needed`: its rows can go nowhere else."""

    relation: OwnedRelation
    is_needed: bool


class _Named(Struct, frozen=True):
    """A table named as a sync table.

    `faults`: why it cannot be written; `has_rows`: the tool wrote rows there. `spelling` is None without its trigger.
    """

    relation: OwnedRelation
    table: SyncTable
    faults: Misfit | None
    has_rows: bool
    is_readable: bool
    spelling: IdSpelling | None


def known_tables(schema: str) -> tuple[SyncTable, ...]:
    """The tables whose shape follows from their name: those of every preset, and the general one."""
    return (*(table for preset in PRESETS for table in preset_tables(schema, preset)), general_table(schema))


def preset_tables(schema: str, preset: str) -> tuple[SyncTable, ...]:
    """The tables of a preset."""
    return tuple(
        SyncTable(
            schema,
            own_table_name(table.slug),
            table.title,
            table.text,
            text_sources=table.text_sources,
            extra=table.extra,
            preset=preset,
        )
        for table in PRESETS[preset]
    )


def general_table(schema: str) -> SyncTable:
    """The table of every database that has none of its own."""
    return general_shape(schema, GENERAL_TABLE)


def general_shape(schema: str, name: str) -> SyncTable:
    """A sync table that can take any database's rows."""
    return SyncTable(schema, name, "title", "content", has_database_name=True)


def slug_of(database_name: str) -> str:
    """A database's name as it stands in a table's: lower case, every run of other characters one underscore."""
    return re.sub(r"[^a-z0-9]+", "_", database_name.lower()).strip("_")


def own_table_name(database_name: str) -> str:
    """The name of the table that a database goes to where there is such a table."""
    return f"notion_{slug_of(database_name)}_sync"


def preset_table_for(schema: str, database_name: str) -> SyncTable | None:
    """The table that a preset has for databases of this name."""
    name = own_table_name(database_name)
    return next((table for table in known_tables(schema) if table.preset and table.name == name), None)


def columns_of(table: SyncTable) -> tuple[ColumnDefinition, ...]:
    """All columns that the tool reads or writes, in order; the application's own first, then ours."""
    return (
        ColumnDefinition("id", "uuid", "PRIMARY KEY DEFAULT pg_catalog.gen_random_uuid()"),
        ColumnDefinition("notion_page_id", "text"),
        ColumnDefinition("notion_database_id", "text", "NOT NULL"),
        *([ColumnDefinition("database_name", "text", "NOT NULL")] if table.has_database_name else []),
        ColumnDefinition("user_id", "text", "NOT NULL"),
        ColumnDefinition(table.title, "text"),
        ColumnDefinition(table.text, "text"),
        *(ColumnDefinition(column.name, "integer", "DEFAULT 0") for column in table.extra),
        ColumnDefinition("properties", "jsonb", "DEFAULT '{}'"),
        ColumnDefinition("content_hash", "text"),
        ColumnDefinition("last_synced_at", "timestamp with time zone", "DEFAULT pg_catalog.now()"),
        ColumnDefinition("created_at", "timestamp with time zone", "DEFAULT pg_catalog.now()"),
        ColumnDefinition("updated_at", "timestamp with time zone", "DEFAULT pg_catalog.now()"),
        ColumnDefinition("notion_data_source_id", "text"),
        ColumnDefinition("fields", "jsonb"),
        ColumnDefinition("url", "text"),
        ColumnDefinition("notion_created_at", "timestamp with time zone"),
        ColumnDefinition("notion_edited_at", "timestamp with time zone"),
        *PAGE_COLUMNS,
    )


async def settings_on_path(connection: Connection) -> list[OwnedRelation]:
    """Every `user_settings` on the session's `search_path` and in public; the first is what the bare name means."""
    with connection.as_application():
        found = await connection.execute(
            qualified(
                """
                SELECT pg_namespace.nspname, pg_class.relowner
                FROM (SELECT path.schema, path.place
                      FROM pg_catalog.unnest(pg_catalog.current_schemas(false)) WITH ORDINALITY AS path (schema, place)
                      UNION ALL SELECT {public}::pg_catalog.name, NULL) AS path
                JOIN pg_catalog.pg_namespace ON pg_namespace.nspname {=} path.schema
                JOIN pg_catalog.pg_class ON pg_class.relnamespace {=} pg_namespace.oid
                WHERE pg_class.relname {=} 'user_settings'
                  AND NOT pg_catalog.starts_with(path.schema::pg_catalog.text, 'pg_')
                ORDER BY path.place NULLS LAST
                """,
                public=sql.Literal(DEFAULT_SCHEMA),
            )
        )
        rows = await found.fetchall()
    roles = await roles_of(connection, [owner for _, owner in rows])
    return [OwnedRelation(schema, SETTINGS_TABLE, roles[owner]) for schema, owner in dict.fromkeys(rows)]


async def find_schema(connection: Connection) -> str | None:
    """The schema of the first `user_settings` on the session's path with a trusted owner, None where there is none."""
    return next((found.schema for found in await settings_on_path(connection) if found.owner.is_trusted), None)


async def settings_schema(connection: Connection) -> str:
    """The schema in which `user_settings` lies. Raises `PostgresError` where there is none of an owner to trust."""
    if schema := await find_schema(connection):
        return schema
    for found in await settings_on_path(connection):
        raise distrust(found)
    raise PostgresError("there is no table user_settings: run 'notion-pg-sync init'.")


class FoundTables(Struct, frozen=True):
    """The sync tables that there are.

    `fit`: those that can be written, by name. `unfit`: by qualified name, why the others cannot, and what to do.
    """

    fit: dict[str, SyncTable]
    unfit: dict[str, Misfit]


async def find_tables(connection: Connection, schema: str) -> dict[str, SyncTable]:
    """The sync tables of `schema` by name: those of presets, and every other of the general one's shape.

    Those whose owners are not trusted do not count.
    """
    return (await inspect_tables(connection, schema)).fit


async def inspect_tables(connection: Connection, schema: str) -> FoundTables:
    """All tables of `schema` that are named as sync tables are, and whose owners are trusted, in one query."""
    tables = FoundTables({}, {})
    for one in await _tables_named_alike(connection, schema):
        if not one.relation.owner.is_trusted:
            continue
        if one.faults:
            tables.unfit[one.table.qualified_name] = one.faults
        else:
            tables.fit[one.table.name] = await _as_spelled(connection, one)
    tables.unfit.update(await renamed_tables(connection, schema))
    return tables


async def renamed_tables(connection: Connection, schema: str) -> dict[str, Misfit]:
    """By its name, each table that rows were written to and that is gone, where one of another name looks like it.

    A new one in its place would give all rows new ids, and leave the old ones behind.
    """
    found = await connection.execute(
        r"""
        WITH gone AS (
            SELECT DISTINCT split_part(sync_table, '.', 2) AS name FROM notion_sync.data_sources
            WHERE starts_with(sync_table, %(schema)s || '.')
              AND NOT EXISTS (SELECT FROM pg_class
                              WHERE relnamespace = to_regnamespace(quote_ident(%(schema)s))
                                AND relname = split_part(sync_table, '.', 2))
        )
        SELECT gone.name, nspname, relname,
               ARRAY(SELECT attname::text FROM pg_attribute WHERE attrelid = tgrelid AND attnum > 0)
        FROM gone, pg_trigger
        JOIN pg_proc ON pg_proc.oid = tgfoid AND pronamespace = to_regnamespace('notion_sync')
        JOIN pg_class ON pg_class.oid = tgrelid
        JOIN pg_namespace ON pg_namespace.oid = relnamespace
        WHERE proname = 'spell_page_id' AND tgparentid = 0
          AND NOT (nspname = %(schema)s AND relname LIKE 'notion\_%%\_sync')
        ORDER BY 1, 2, 3
        """,
        {"schema": schema},
    )
    known = {table.name: table for table in known_tables(schema)}
    misfits: dict[str, Misfit] = {}
    async for name, in_schema, new_name, columns in found:
        table = known.get(name, general_shape(schema, name))
        if {column.name for column in columns_of(table)} <= set(columns):
            misfits.setdefault(table.qualified_name, _put_back(table, in_schema, new_name))
    return misfits


def _put_back(table: SyncTable, schema: str, name: str) -> Misfit:
    """What to do about a table that has another name now, or lies in another schema."""
    there = sql.Identifier(schema, name)
    back = []
    if name != table.name:
        back.append(sql.SQL("ALTER TABLE {} RENAME TO {};").format(there, sql.Identifier(table.name)))
    if schema != table.schema:
        back.append(
            sql.SQL("ALTER TABLE {} SET SCHEMA {};").format(
                sql.Identifier(schema, table.name), sql.Identifier(table.schema)
            )
        )
    anew = sql.SQL("DROP TRIGGER {} ON {};").format(sql.Identifier(TRIGGER), there).as_string()
    remedy = sql.SQL(" ").join(back).as_string()
    return Misfit(
        f"there is no table {table.qualified_name} any more, and {schema}.{name} looks like it: run {remedy} To begin "
        f"with a new table instead, run {anew}",
        remedy,
    )


async def _as_spelled(connection: Connection, named: _Named) -> SyncTable:
    if named.spelling or not named.is_readable:
        return replace(named.table, spelling=named.spelling or IdSpelling.DASHED)
    return replace(named.table, spelling=await spelling_without_trigger(connection, named.table.identifier))


async def existing_tables(connection: Connection, schema: str, names: Iterable[str]) -> set[str]:
    """Which tables of these names there are, whatever their columns and whoever owns them."""
    found = await connection.execute(
        """
        SELECT relname FROM pg_class
        WHERE relnamespace = to_regnamespace(quote_ident(%s)) AND relkind IN ('r', 'p') AND relname = ANY (%s)
        """,
        (schema, list(names)),
    )
    return {name async for (name,) in found}


async def is_taken(connection: Connection, table: SyncTable) -> bool:
    """Whether something has the table's name. Asks the catalog alone: a stranger's view would run as this role."""
    # Asked of the catalog's rows, not of to_regclass(), whose cache may be older than a lock that was waited for.
    found = await connection.execute(
        "SELECT FROM pg_class WHERE relnamespace = to_regnamespace(quote_ident(%s)) AND relname = %s",
        (table.schema, table.name),
    )
    return found.rowcount > 0


async def strange_tables(connection: Connection, schema: str) -> list[StrangeTable]:
    """The tables of `schema` that would be sync tables, were it not for their owners."""
    return [
        StrangeTable(one.relation, one.has_rows or one.table.name == GENERAL_TABLE)
        for one in await _tables_named_alike(connection, schema)
        if not one.relation.owner.is_trusted
    ]


async def _tables_named_alike(connection: Connection, schema: str) -> list[_Named]:
    found = await connection.execute(
        sql.SQL(
            r"""
            SELECT relname, relowner, pg_class.oid, relkind = 'p',
                   EXISTS (SELECT FROM notion_sync.data_sources WHERE sync_table = nspname || '.' || relname),
                   has_table_privilege(pg_class.oid, 'SELECT'), {argument},
                   (SELECT json_object_agg(attname, json_build_array(attnum, format_type(atttypid, atttypmod)))
                    FROM pg_attribute WHERE attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped),
                   ARRAY(SELECT ARRAY[tgname::text, pg_get_triggerdef(pg_trigger.oid), tgenabled::text, prosrc]
                         FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid
                         WHERE tgrelid = pg_class.oid AND NOT tgisinternal AND tgenabled IN ('O', 'A')
                           AND tgtype & (4 | 16) <> 0 AND pronamespace <> to_regnamespace('notion_sync')
                         ORDER BY tgname)
            FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
            WHERE nspname = %s AND relkind IN ('r', 'p') AND relname LIKE 'notion\_%%\_sync'
            ORDER BY relname
            """
        ).format(argument=TRIGGER_ARGUMENT),
        (schema,),
    )
    rows = await found.fetchall()
    roles = await roles_of(connection, [owner for _, owner, *_ in rows])
    known = {table.name: table for table in known_tables(schema)}
    named: list[_Named] = []
    for name, owner, oid, is_partitioned, has_rows, is_readable, argument, columns, triggers in rows:
        table = known.get(name, general_shape(schema, name))
        there = {column: type_ for column, (_, type_) in (columns or {}).items()}
        faults = _faults(table, there)
        ours = {column.name: (columns or {}).get(column.name) for column in columns_of(table)}
        shaped = replace(
            table,
            is_partitioned=is_partitioned,
            shape=hashlib.sha256(json.dumps([oid, ours, triggers], sort_keys=True).encode()).hexdigest(),
            triggers=tuple(trigger for trigger, *_ in triggers),
        )
        spelling = IdSpelling(argument) if argument else None
        relation = OwnedRelation(schema, name, roles[owner])
        named.append(_Named(relation, shaped, faults, has_rows, is_readable, spelling))
    return named


def _faults(table: SyncTable, there: Mapping[str, str]) -> Misfit | None:
    """Why a table with these columns (name -> type) cannot be written, and what to do; None where it can."""
    wanted = columns_of(table)
    missing = [column for column in wanted if column.name not in there]
    if lost := [column for column in missing if column.is_needed]:
        return Misfit.all_of([lost_column(table, column, there) for column in lost])
    if missing:
        names = ", ".join(column.name for column in missing)
        return Misfit(f"{table.qualified_name} has no column {names}: run 'notion-pg-sync init'.", INIT)
    # A length that is limited is no obstacle, as long as what comes is short enough.
    unlimited = {name: re.sub(r"\(\d+\)", "", type_) for name, type_ in there.items()}
    unlike = [column for column in wanted if not fits(column, unlimited[column.name])]
    return Misfit.all_of([wrong_type(table, column, there) for column in unlike]) if unlike else None


def fits(column: ColumnDefinition, type_: str) -> bool:
    """Whether a column of this type holds the same values."""
    return _SAME.get(type_, type_) == column.type


def wrong_type(table: SyncTable, column: ColumnDefinition, there: Mapping[str, str]) -> Misfit:
    """What to do about a column that is of another type; `there`: the types of all columns, by name."""
    type_ = there[column.name]
    if column in PAGE_COLUMNS:
        return others_column(table, column.name, f"is of type {type_}", there)
    default = re.fullmatch(r"DEFAULT (.*)", column.constraint)
    changes = [
        *(["ALTER COLUMN {column} DROP DEFAULT"] if default else []),
        "ALTER COLUMN {column} TYPE {type} USING {column}::text::{type}",
        *(["ALTER COLUMN {column} SET DEFAULT {default}"] if default else []),
    ]
    statement = sql.SQL("ALTER TABLE {table} " + ", ".join(changes)).format(
        table=table.identifier,
        column=sql.Identifier(column.name),
        type=sql.SQL(column.type),
        default=sql.SQL(default[1] if default else ""),
    )
    remedy = f"{statement.as_string()};"
    return Misfit(
        f"{table.qualified_name}.{column.name} is of type {type_}, the tool needs {column.type}: run {remedy}", remedy
    )


def others_column(table: SyncTable, name: str, why: str, there: Mapping[str, str]) -> Misfit:
    """What to do about a column that has the name of one of `PAGE_COLUMNS`, and is not that.

    It may be the application's, so it stays as it is; with another name it is in nobody's way.
    """
    free = next(new for number in count(1) if (new := f"own_{name}{number if number > 1 else ''}") not in there)
    statement = sql.SQL("ALTER TABLE {} RENAME COLUMN {} TO {};").format(
        table.identifier, sql.Identifier(name), sql.Identifier(free)
    )
    remedy = statement.as_string()
    return Misfit(
        f"{table.qualified_name}.{name} {why}, and the tool needs that name for a column of its own: run {remedy} "
        "An application that uses the column has to use its new name then.",
        remedy,
    )


# What rows get in a column that comes back, from what the tool noted of them; the next full read does the rest.
_GIVEN_BACK: dict[str, LiteralString] = {
    "id": "ALTER TABLE {table} ADD COLUMN id uuid NOT NULL DEFAULT gen_random_uuid();"
    " UPDATE {table} AS page SET id = row_id FROM notion_sync.pages WHERE pages.user_id = page.user_id"
    " AND row_id IS NOT NULL AND pages.page_id = notion_sync.as_notion_id(notion_page_id);"
    " ALTER TABLE {table} ADD PRIMARY KEY (id);",
    "user_id": "ALTER TABLE {table} ADD COLUMN user_id text NOT NULL DEFAULT '';"
    " UPDATE {table} AS page SET user_id = pages.user_id FROM notion_sync.pages WHERE row_id = page.id;"
    " ALTER TABLE {table} ALTER COLUMN user_id DROP DEFAULT;",
}
_EMPTY: LiteralString = (
    "ALTER TABLE {table} ADD COLUMN {column} {type} NOT NULL DEFAULT '';"
    " ALTER TABLE {table} ALTER COLUMN {column} DROP DEFAULT;"
)


def lost_column(table: SyncTable, column: ColumnDefinition, there: Mapping[str, str]) -> Misfit:
    """What to do about a column that is missing and that each row needs.

    Where one that the tool does not know is of its type (`there`: name -> type), it may be the same under a new name.
    """
    known = {one.name for one in columns_of(table)}
    renamed = [name for name, type_ in there.items() if name not in known and fits(column, type_)]
    statement = sql.SQL(_GIVEN_BACK.get(column.name, _EMPTY)).format(
        table=table.identifier, column=sql.Identifier(column.name), type=sql.SQL(column.type)
    )
    if len(renamed) == 1:
        statement = sql.SQL("ALTER TABLE {} RENAME COLUMN {} TO {};").format(
            table.identifier, sql.Identifier(renamed[0]), sql.Identifier(column.name)
        )
    said = f", which may be {renamed[0]} now" if len(renamed) == 1 else ""
    remedy = statement.as_string()
    return Misfit(
        f"{table.qualified_name} has no column {column.name}{said}: run {remedy} Then run 'notion-pg-sync init'.",
        remedy,
    )


def table_for(database_name: str, tables: dict[str, SyncTable]) -> SyncTable:
    """The table that a database's rows go to, of those that there are."""
    return tables.get(own_table_name(database_name)) or tables[GENERAL_TABLE]
