"""What stands in the way of the sync tables' rows: their keys, foreign keys that point at them, and views of them."""

from __future__ import annotations

import re

from msgspec import Struct
from msgspec.structs import replace
from psycopg import sql

from notion_pg_sync.mirror.adoption import Changes, changes_to, inspect, own_policy, taken_names
from notion_pg_sync.mirror.connection import Connection
from notion_pg_sync.mirror.diagnosis.rights import current_role
from notion_pg_sync.mirror.tables import SyncTable
from notion_pg_sync.mirror.typed_sql import typed

# pg_constraint.confdeltype
_DELETE_ACTIONS = {"a": "NO ACTION", "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}
_DELETE_CLAUSE = re.compile(r" ON DELETE (CASCADE|RESTRICT|NO ACTION|SET (NULL|DEFAULT)( \([^)]*\))?)")
_REFERENCED = re.compile(r"^(FOREIGN KEY \(.*?\) REFERENCES .+?\(.*?\)( MATCH (FULL|PARTIAL|SIMPLE))?)")


class ForeignKey(Struct, frozen=True):
    """A foreign key that points at a sync table; `nullable`: all of its columns can be null."""

    schema: str
    table: str
    name: str
    target: str
    action: str
    nullable: bool
    definition: str

    @property
    def qualified_table(self) -> str:
        """The table that refers, for people."""
        return f"{self.schema}.{self.table}"


def with_delete_action(definition: str, action: str) -> str:
    """The definition of a foreign key, as PostgreSQL writes it, with another action for rows that are deleted."""
    plain = _DELETE_CLAUSE.sub("", definition)
    return _REFERENCED.sub(rf"\1 ON DELETE {action}", plain)


def replacement(key: ForeignKey) -> str:
    """SQL by which rows that refer to a row that leaves stay: with null where they can, else the row stays too."""
    action = "SET NULL" if key.nullable else "NO ACTION"
    name = sql.Identifier(key.name)
    return typed(
        sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}, ADD CONSTRAINT {} {}").format(
            sql.Identifier(key.schema, key.table), name, name, sql.SQL(with_delete_action(key.definition, action))
        )
    )


async def foreign_keys_to(connection: Connection, table: SyncTable) -> list[ForeignKey]:
    """The foreign keys that point at `table`, their definitions with every name qualified."""
    found = await connection.execute(
        """
        SELECT nspname, relname, conname, confdeltype::text,
               NOT EXISTS (SELECT FROM pg_attribute
                           WHERE attrelid = conrelid AND attnum = ANY (conkey) AND attnotnull),
               pg_get_constraintdef(pg_constraint.oid)
        FROM pg_constraint
        JOIN pg_class ON pg_class.oid = conrelid
        JOIN pg_namespace ON pg_namespace.oid = pg_class.relnamespace
        WHERE contype = 'f' AND conparentid = 0
          AND confrelid = (SELECT oid FROM pg_class
                           WHERE relnamespace = to_regnamespace(quote_ident(%s)) AND relname = %s)
        ORDER BY nspname, relname, conname
        """,
        (table.schema, table.name),
    )
    return [
        ForeignKey(schema, name, constraint, table.qualified_name, _DELETE_ACTIONS[action], nullable, definition)
        async for schema, name, constraint, action, nullable, definition in found
    ]


async def pending_changes(connection: Connection, table: SyncTable) -> Changes:
    """What `init` would have to change for the tool to write `table`, whoever may see which of its rows."""
    role = await current_role(connection)
    found = await inspect(connection, table)
    if found:
        found = replace(found, policies=found.policies | {own_policy(role)})
    return changes_to(table, found, role, row_security=False, taken=await taken_names(connection, table.schema))


def statements_of(changes: Changes) -> str:
    """The changes as SQL."""
    return typed(*(change.statement for change in changes.every))


async def views_of_their_owner(connection: Connection) -> list[tuple[str, str]]:
    """The views of schema `notion` that show rows by their owner's rights; each with SQL that changes that."""
    found = await connection.execute(
        """
        SELECT relname FROM pg_class
        WHERE relnamespace = to_regnamespace('notion') AND relkind = 'v' AND NOT EXISTS (
            SELECT FROM pg_options_to_table(reloptions)
            WHERE option_name = 'security_invoker' AND option_value::boolean)
        ORDER BY relname
        """
    )
    statement = sql.SQL("ALTER VIEW {} SET (security_invoker = true)")
    return [(f"notion.{name}", typed(statement.format(sql.Identifier("notion", name)))) async for (name,) in found]
