"""Whose tables count: a table's triggers run with the rights of whoever writes to it, and its owner makes them.

Trusted are the role itself, superusers, whoever owns the schema notion_sync, and those whom a person named to `init`
(`notion_sync.is_trusted`).
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable
from typing import LiteralString

from msgspec import Struct
from psycopg import sql

from notion_pg_sync.mirror.connection import Connection, PostgresError, fetch_value

_HAS_TRUSTED_OWNERS: LiteralString = """
    SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('notion_sync.trusted_owners')
                   AND attname = 'owner' AND NOT attisdropped)
"""


class Role(Struct, frozen=True):
    """A role of the server; `is_trusted`: its tables count."""

    name: str
    is_trusted: bool


class OwnedRelation(Struct, frozen=True):
    """A table or a view, and who owns it."""

    schema: str
    name: str
    owner: Role

    @property
    def qualified_name(self) -> str:
        """Its name, for people."""
        return f"{self.schema}.{self.name}"


async def roles_of(connection: Connection, oids: Iterable[int]) -> dict[int, Role]:
    """The roles of these numbers, by number. Before `init`, and where what it made is gone, nobody has named any."""
    is_trusted = "rolsuper OR rolname = current_user"
    if await fetch_value(connection, _HAS_TRUSTED_OWNERS) and await fetch_value(
        connection, "SELECT to_regprocedure('notion_sync.is_trusted(oid)') IS NOT NULL"
    ):
        is_trusted = "notion_sync.is_trusted(oid)"
    found = await connection.execute(
        sql.SQL("SELECT oid, rolname, {} FROM pg_roles WHERE oid = ANY (%s)").format(sql.SQL(is_trusted)),
        (sorted(set(oids)),),
    )
    return {oid: Role(name, trusted) async for oid, name, trusted in found}


def distrust(relation: OwnedRelation) -> PostgresError:
    """The error that says why a table does not count."""
    command = shlex.join(["notion-pg-sync", "init", "--trust", relation.owner.name])
    return PostgresError(
        f"{relation.qualified_name} belongs to {relation.owner.name}, whose triggers would run with the rights of this "
        f"role: if they may, run {command!r}; else drop the table.",
        command,
    )


async def not_yet_trusted(connection: Connection, names: Collection[str]) -> list[str]:
    """Those of these roles that are still to be recorded as trusted."""
    if not await fetch_value(connection, _HAS_TRUSTED_OWNERS):
        return sorted(names)
    found = await connection.execute("SELECT owner FROM notion_sync.trusted_owners")
    return sorted({*names} - {owner async for (owner,) in found})


async def unknown_roles(connection: Connection, names: Collection[str]) -> list[str]:
    """Those of these names that no role has."""
    found = await connection.execute("SELECT rolname FROM pg_roles WHERE rolname = ANY (%s)", (list(names),))
    return sorted({*names} - {name async for (name,) in found})


async def favoured_on_bookkeeping(connection: Connection) -> dict[str, list[str | None]]:
    """The tables of `notion_sync` on which others than the owner have TRIGGER or TRUNCATE, each with those roles.

    None stands for everybody. Tables that the current role does not own are left out.
    """
    found = await connection.execute(
        """
        SELECT relname, array_agg(DISTINCT rolname ORDER BY rolname)
        FROM pg_class
        JOIN pg_namespace ON pg_namespace.oid = relnamespace
        CROSS JOIN aclexplode(relacl) LEFT JOIN pg_roles ON pg_roles.oid = grantee
        WHERE nspname = 'notion_sync' AND relkind IN ('r', 'p') AND grantee <> relowner
          AND privilege_type IN ('TRIGGER', 'TRUNCATE') AND pg_has_role(relowner, 'USAGE')
        GROUP BY relname ORDER BY relname
        """
    )
    return {table: roles async for table, roles in found}


async def owners_without_rights(connection: Connection, tables: Collection[str]) -> list[str]:
    """The owners of these tables (`schema.name`) who may not make the tool's triggers and policies on them.

    Those as whom the current role does not work, and only where it owns the schema `notion_sync`, or makes it.
    """
    found = await connection.execute(
        """
        SELECT DISTINCT owner.rolname::text
        FROM pg_class
        JOIN pg_namespace ON pg_namespace.oid = relnamespace
        JOIN pg_roles AS owner ON owner.oid = relowner
        WHERE nspname || '.' || relname = ANY (%s) AND relkind IN ('r', 'p')
          AND NOT owner.rolsuper AND NOT pg_has_role(owner.oid, 'USAGE')
          AND NOT EXISTS (SELECT FROM pg_namespace AS ours
                          WHERE ours.nspname = 'notion_sync' AND NOT pg_has_role(ours.nspowner, 'USAGE'))
          AND NOT coalesce(
              has_schema_privilege(owner.oid, to_regnamespace('notion_sync')::oid, 'USAGE')
              AND has_function_privilege(owner.oid, to_regprocedure('notion_sync.spell_page_id()')::oid, 'EXECUTE')
              AND has_function_privilege(owner.oid, to_regprocedure('notion_sync.set_page_id()')::oid, 'EXECUTE'),
              false)
        ORDER BY 1
        """,
        (list(tables),),
    )
    return [owner async for (owner,) in found]
