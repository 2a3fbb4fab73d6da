"""Rights by which others could run something as the tool's role, or empty its tables; and the SQL that takes them."""

from __future__ import annotations

from collections.abc import Collection

from msgspec import Struct
from psycopg import sql

from notion_pg_sync.mirror.adoption import grantees, revocations
from notion_pg_sync.mirror.connection import Connection
from notion_pg_sync.mirror.qualified_sql import qualified
from notion_pg_sync.mirror.typed_sql import typed

_OURS = ("notion_sync", "notion")


class Opening(Struct, frozen=True):
    """A right on a schema or table that `roles` have (None: everybody), and the SQL that takes it from them."""

    on: str
    roles: tuple[str | None, ...]
    revocation: str

    @property
    def holders(self) -> str:
        """Who has it, for people."""
        return " and ".join("every role (PUBLIC)" if role is None else f"the role {role}" for role in self.roles)


async def open_schemas(connection: Connection, schema: str) -> list[Opening]:
    """The schemas in which others may create what statements look for: on the role's path, and those of our tables.

    In an application's schemas its own roles may create; in ours nobody but their owner and the tool's role.
    """
    with connection.as_application():
        found = await connection.execute(
            qualified("SELECT pg_catalog.unnest(pg_catalog.current_schemas(false)::pg_catalog.text[])")
        )
        path = [name async for (name,) in found]
    found = await connection.execute(
        """
        SELECT nspname, array_agg(DISTINCT rolname ORDER BY rolname)
        FROM pg_namespace CROSS JOIN aclexplode(nspacl) LEFT JOIN pg_roles ON pg_roles.oid = grantee
        WHERE nspname = ANY (%(schemas)s) AND privilege_type = 'CREATE' AND grantee <> nspowner
          AND (grantee = 0 OR nspname = ANY (%(ours)s) AND NOT notion_sync.is_trusted(grantee))
        GROUP BY nspname ORDER BY nspname
        """,
        {"schemas": [schema, *_OURS, *path], "ours": list(_OURS)},
    )
    revoke = sql.SQL("REVOKE CREATE ON SCHEMA {} FROM {}")
    return [
        Opening(name, tuple(roles), typed(revoke.format(sql.Identifier(name), grantees(roles))))
        async for name, roles in found
    ]


async def open_tables(connection: Connection, schema: str, names: Collection[str]) -> list[Opening]:
    """The tables of these names, and those of `notion_sync`, on which others than their owner have TRIGGER or TRUNCATE.

    Whoever may make a trigger works with the rights of whoever writes to the table; no policy keeps rows from TRUNCATE.
    Roles whose tables count could do as much.
    """
    found = await connection.execute(
        """
        SELECT nspname, relname, array_agg(DISTINCT rolname ORDER BY rolname)
        FROM pg_class
        JOIN pg_namespace ON pg_namespace.oid = relnamespace
        CROSS JOIN aclexplode(relacl) LEFT JOIN pg_roles ON pg_roles.oid = grantee
        WHERE relkind IN ('r', 'p') AND (nspname = 'notion_sync' OR nspname = %s AND relname = ANY (%s))
          AND privilege_type IN ('TRIGGER', 'TRUNCATE') AND grantee <> relowner AND NOT notion_sync.is_trusted(grantee)
        GROUP BY nspname, relname ORDER BY nspname, relname
        """,
        (schema, list(names)),
    )
    return [
        Opening(
            f"{of}.{name}",
            tuple(roles),
            typed(*(change.statement for change in revocations(sql.Identifier(of, name), roles))),
        )
        async for of, name, roles in found
    ]
