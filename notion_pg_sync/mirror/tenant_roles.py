"""Roles of an application's tenants (`init --role`): what each may do, and what it lacks of that.

Such a role reads the rows of `notion_sync.current_user_id()` in the sync tables, the typed views and the tenants'
tables of `notion_sync`, and asks for syncs of that user. Row level security keeps it to them, so a role that is above
it is none, and a table without it is not granted.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import LiteralString

from psycopg import sql

from notion_pg_sync.core.columns import MAX_NAME_BYTES
from notion_pg_sync.mirror.adoption import TENANT_POLICY, Change, TableState
from notion_pg_sync.mirror.connection import Connection, fetch_value
from notion_pg_sync.mirror.qualified_sql import qualified
from notion_pg_sync.mirror.reader_rights import OWNERS_SEARCH
from notion_pg_sync.mirror.tables import SyncTable

# Of notion_sync, what shows a tenant what is theirs: all that has the policy `tenant`. Every role reads `view_sources`.
TENANTS_TABLES = (
    "accounts",
    "columns",
    "data_sources",
    "database_runs",
    "databases",
    "exclusions",
    "files",
    "left_out",
    "options",
    "page_bodies",
    "page_changes",
    "page_files",
    "pages",
    "removed_pages",
    "search_documents",
    "sync_requests",
    "unread_minutes",
    "users",
)
# A view of them that is there for everybody, and shows what its reader may read.
TENANTS_VIEW = "field_changes"
# What a tenant says of a request; the rest is for runs.
ASKED_COLUMNS = ("user_id", "database_id", "database_name", "page_id")


async def why_no_tenants(connection: Connection, roles: Collection[str], tables: Sequence[SyncTable]) -> list[str]:
    """A sentence on each of `roles` that there is not, or that row level security would not keep to one user's rows."""
    return [sentence for role in sorted(roles) if (sentence := await _why_no_tenant(connection, role, tables))]


async def _why_no_tenant(connection: Connection, role: str, tables: Sequence[SyncTable]) -> str:
    if role.lower() == "public":
        return "PUBLIC is every role, and no role of its own: name the role that your application uses for its tenants."
    found = await connection.execute(
        """
        SELECT rolsuper, rolbypassrls, pg_has_role(pg_roles.oid, current_user, 'MEMBER'),
               (SELECT min(above.rolname::text) FROM pg_roles AS above
                WHERE (above.rolsuper OR above.rolbypassrls) AND pg_has_role(pg_roles.oid, above.oid, 'MEMBER')),
               ARRAY(SELECT pg_class.oid::regclass::text
                     FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
                     WHERE (nspname = 'notion_sync' OR nspname || '.' || relname = ANY (%s))
                       AND relkind IN ('r', 'p') AND pg_has_role(pg_roles.oid, relowner, 'MEMBER') ORDER BY 1)
        FROM pg_roles WHERE rolname = %s
        """,
        ([table.qualified_name for table in tables], role),
    )
    row = await found.fetchone()
    if row is None:
        return f"there is no role {role}: check the spelling."
    is_superuser, bypasses, is_own, above, owned = row
    advice = "name the role that your application uses for its tenants (docs/row-level-security.md)."
    if is_superuser:
        return f"{role} is a superuser, whom no policy keeps to one user's rows: {advice}"
    if bypasses:
        return (
            f"{role} has BYPASSRLS, so it needs no policy, and no policy keeps it to one user's rows: grant it by hand "
            f"what it is to read, and {advice}"
        )
    if is_own:
        return f"{role} may work as the role that runs notion-pg-sync, which sees every user's rows: {advice}"
    if above:
        return f"{role} may work as {above}, whom no policy keeps to one user's rows: {advice}"
    if owned:
        return f"{role} owns {owned[0]}, or may work as its owner, whom no policy keeps to one user's rows: {advice}"
    return ""


async def missing_on_bookkeeping(connection: Connection, role: str, tool: str) -> list[Change]:
    """What the role lacks on the schemas `notion_sync` and `notion`; before the first `init`, all of it.

    `tool` is the role that makes the views.
    """
    to = sql.Identifier(role)
    changes = []
    schemas = [name for name in ("notion_sync", "notion") if not await _may_use(connection, role, name)]
    if schemas:
        listed = sql.SQL(", ").join(map(sql.Identifier, schemas))
        changes.append(
            _grant(
                f"use the {'schemas' if schemas[1:] else 'schema'} {' and '.join(schemas)}",
                sql.SQL("USAGE ON SCHEMA {}").format(listed),
                to,
            )
        )
    ours = (*TENANTS_TABLES, TENANTS_VIEW)
    unread = [name for name in ours if not await _may_read(connection, role, "notion_sync", name)]
    views = [name for name in await _views(connection) if not await _may_read(connection, role, "notion", name)]
    if unread or views:
        names = [("notion_sync", name) for name in unread] + [("notion", name) for name in views]
        listed = sql.SQL(", ").join(sql.Identifier(*name) for name in names)
        says = f"read, of its user alone, {len(unread)} tables of notion_sync and {len(views)} views"
        changes.append(_grant(says, sql.SQL("SELECT ON {}").format(listed), to))
    if unasked := [name for name in ASKED_COLUMNS if not await _may_insert(connection, role, name)]:
        listed = sql.SQL(", ").join(map(sql.Identifier, unasked))
        right = sql.SQL("INSERT ({}) ON notion_sync.sync_requests").format(listed)
        changes.append(_grant("ask for syncs of its user", right, to))
    if not await _holds(connection, "has_function_privilege(%s, to_regprocedure(%s), 'EXECUTE')", role, OWNERS_SEARCH):
        right = sql.SQL("EXECUTE ON FUNCTION {}").format(sql.SQL(OWNERS_SEARCH))
        changes.append(_grant("search by the index", right, to))
    if not await _reads_later_views(connection, role, tool):
        changes.append(
            Change(
                f'let "{role}" read the typed views that {tool} makes later',
                sql.SQL("ALTER DEFAULT PRIVILEGES FOR ROLE {} IN SCHEMA notion GRANT SELECT ON TABLES TO {}").format(
                    sql.Identifier(tool), to
                ),
            )
        )
    return changes


async def missing_on_table(
    connection: Connection, role: str, table: SyncTable, found: TableState | None, *, row_security: bool
) -> tuple[list[Change], list[str]]:
    """What the role lacks on a sync table, and what a person should know, a sentence each.

    `found` is None where the table is made now, with the tenants' policy. `row_security`: it is switched on now. Where
    it stays off, the policy comes nevertheless, so that it can be switched on, and no right to read.
    """
    changes: list[Change] = []
    warnings: list[str] = []
    policy = f"{TENANT_POLICY} {role}".encode()[:MAX_NAME_BYTES].decode(errors="ignore")
    if found and not row_security and not {TENANT_POLICY, policy} & found.policies:
        changes.append(Change(f"let {role} see the rows of its user", _policy(policy, table, role)))
    is_guarded = found is None or found.row_security or row_security
    if await _may_read(connection, role, table.schema, table.name):
        return changes, warnings
    if is_guarded:
        changes.append(_grant("read it", sql.SQL("SELECT ON {}").format(table.identifier), sql.Identifier(role)))
    else:
        warnings.append(
            f"{role} is not given the right to read {table.qualified_name}, where row level security is off: add "
            "--row-security once every role of the application has its policy (--role for each)."
        )
    return changes, warnings


def _policy(name: str, table: SyncTable, role: str) -> sql.Composed:
    return qualified(
        "CREATE POLICY {name} ON {table} FOR SELECT TO {role} USING (user_id {=} notion_sync.current_user_id())",
        name=sql.Identifier(name),
        table=table.identifier,
        role=sql.Identifier(role),
    )


def _grant(says: str, right: sql.Composable, role: sql.Identifier) -> Change:
    return Change(f"let {role.as_string()} {says}", sql.SQL("GRANT {} TO {}").format(right, role))


async def _may_use(connection: Connection, role: str, schema: str) -> bool:
    return await _holds(connection, "has_schema_privilege(%s, to_regnamespace(%s)::oid, 'USAGE')", role, schema)


async def _may_read(connection: Connection, role: str, schema: str, name: str) -> bool:
    return await _holds(
        connection,
        "has_table_privilege(%s, to_regclass(format('%%I.%%I', %s::text, %s::text))::oid, 'SELECT')",
        role,
        schema,
        name,
    )


async def _may_insert(connection: Connection, role: str, column: str) -> bool:
    """False, too, where there is no such column yet."""
    return await _holds(
        connection,
        "EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('notion_sync.sync_requests') AND attname = %s"
        " AND NOT attisdropped AND has_column_privilege(%s, attrelid, attnum, 'INSERT'))",
        column,
        role,
    )


async def _reads_later_views(connection: Connection, role: str, tool: str) -> bool:
    return await _holds(
        connection,
        "EXISTS (SELECT FROM pg_default_acl CROSS JOIN aclexplode(defaclacl)"
        " WHERE defaclobjtype = 'r' AND defaclrole = (SELECT oid FROM pg_roles WHERE rolname = %s)"
        " AND defaclnamespace = to_regnamespace('notion') AND privilege_type = 'SELECT'"
        " AND grantee = (SELECT oid FROM pg_roles WHERE rolname = %s))",
        tool,
        role,
    )


async def _views(connection: Connection) -> list[str]:
    """The typed views that the session's role may grant on."""
    found = await connection.execute(
        "SELECT relname::text FROM pg_class WHERE relnamespace = to_regnamespace('notion') AND relkind = 'v'"
        " AND pg_has_role(relowner, 'USAGE') ORDER BY 1"
    )
    return [name async for (name,) in found]


async def _holds(connection: Connection, condition: LiteralString, *parameters: str) -> bool:
    """Whether it is so; of what is not there, nobody has a right."""
    return bool(await fetch_value(connection, sql.SQL("SELECT {}").format(sql.SQL(condition)), *parameters))
