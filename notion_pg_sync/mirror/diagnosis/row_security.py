"""Row level security of a table: whom its policies let see and change what, and the SQL that fixes them.

What a table's policies come to is decided by pure functions of a `GuardedTable`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Literal

from msgspec import Struct
from psycopg import sql

from notion_pg_sync.mirror.adoption import TableState, letting_write, own_policy, securing
from notion_pg_sync.mirror.connection import Connection
from notion_pg_sync.mirror.tables import SyncTable
from notion_pg_sync.mirror.typed_sql import typed

Command = Literal["SELECT", "INSERT", "UPDATE", "DELETE"]

PUBLIC = "public"
ALL_COMMANDS: tuple[Command, ...] = ("SELECT", "INSERT", "UPDATE", "DELETE")
# Everybody; and the roles as which web clients of hosting platforms work.
CROWD = (PUBLIC, "anon", "authenticated")

_CAST_OF_A_SETTING = re.compile(
    r"\((?P<setting>current_setting\((?P<name>'[^']+')::text(?:, (?:true|false))?\))\)"
    r"::(?P<type>jsonb?|uuid|integer|bigint|smallint|numeric|boolean)\b"
)


class Policy(Struct, frozen=True):
    """A policy; `command` may be `ALL`; `using` and `check` are its expressions as PostgreSQL writes them.

    `binds_us`: it is for the tool's role; `binds` names those of `CROWD` that it is for.
    """

    name: str
    command: str
    permissive: bool
    binds_us: bool
    binds: tuple[str, ...]
    using: str | None
    check: str | None

    def governs(self, command: Command) -> bool:
        """Whether it decides on `command`."""
        return self.command in ("ALL", command)

    def lets_all_pass(self, command: Command) -> bool:
        """Whether it keeps no row from `command`."""
        using = self.using or "true"
        check = self.check or using
        return {"INSERT": check == "true", "UPDATE": using == check == "true"}.get(command, using == "true")


class Access(Struct, frozen=True):
    """The columns that one of `CROWD` has the right to read, and to change, whatever the policies say."""

    role: str
    reads: frozenset[str]
    changes: frozenset[str]


class GuardedTable(Struct, frozen=True):
    """A table's row level security; `active`: it counts for the tool's role too."""

    schema: str
    name: str
    owner: str
    owned: bool
    role: str
    row_security: bool
    active: bool
    policies: tuple[Policy, ...]
    crowd: tuple[Access, ...]

    @property
    def qualified_name(self) -> str:
        """Its name, for people."""
        return f"{self.schema}.{self.name}"

    @property
    def identifier(self) -> sql.Identifier:
        """Its name, to be composed into a statement."""
        return sql.Identifier(self.schema, self.name)


def passes_all(policies: Iterable[Policy], command: Command) -> bool:
    """Whether these policies, all of which count for a role, surely keep no row from it."""
    governing = [policy for policy in policies if policy.governs(command)]
    return any(policy.permissive and policy.lets_all_pass(command) for policy in governing) and all(
        policy.permissive or policy.lets_all_pass(command) for policy in governing
    )


def hides_from_us(table: GuardedTable, commands: Iterable[Command]) -> bool:
    """Whether row level security may keep rows from the tool for one of `commands`."""
    ours = [policy for policy in table.policies if policy.binds_us]
    return table.active and not all(passes_all(ours, command) for command in commands)


def open_policies(table: GuardedTable, command: Command) -> list[Policy]:
    """Policies by which every row is open to everybody who has the right to `command` on the table."""
    return [
        policy
        for policy in table.policies
        if policy.permissive and policy.binds and policy.governs(command) and policy.lets_all_pass(command)
    ]


def exposed_to(table: GuardedTable, columns: Collection[str] | None, command: Literal["SELECT", "UPDATE"]) -> list[str]:
    """Those of `CROWD` that can read, or change, one of `columns` (None: any) in every user's row."""
    return [
        access.role
        for access in table.crowd
        if _touches(access.reads if command == "SELECT" else access.changes, columns)
        and (not table.row_security or passes_all(_policies_of(table, access.role), command))
    ]


def _touches(granted: frozenset[str], columns: Collection[str] | None) -> bool:
    return bool(granted if columns is None else granted & set(columns))


def _policies_of(table: GuardedTable, role: str) -> list[Policy]:
    return [policy for policy in table.policies if role in policy.binds]


def without_pitfalls(expression: str) -> str:
    """The expression with each setting that it casts read such that an unset or empty one is null.

    A pooled session leaves an empty string where a setting was, and a cast of that raises. Anything that is not
    plainly of this form stays as it is.
    """
    return _CAST_OF_A_SETTING.sub(r"(NULLIF(current_setting(\g<name>::text, true), ''::text))::\g<type>", expression)


def fragile_policies(table: GuardedTable) -> list[Policy]:
    """Policies that raise where a setting that they read is empty."""
    return [
        policy
        for policy in table.policies
        if any(text is not None and without_pitfalls(text) != text for text in (policy.using, policy.check))
    ]


def fix_of_fragile(table: GuardedTable, policy: Policy) -> str:
    """SQL that makes a fragile policy stand."""
    using = policy.using and without_pitfalls(policy.using)
    return _alter(table, policy, using, policy.check and without_pitfalls(policy.check))


def fix_of_open(table: GuardedTable, policies: Sequence[Policy]) -> str:
    """SQL that limits open policies to the tenant's own row, and keeps the tool's own way in."""
    own = "(user_id)::text = notion_sync.current_user_id()"
    lines = [_alter(table, policy, policy.using and own, policy.check and own) for policy in policies]
    rest = [policy for policy in table.policies if policy.binds_us and policy not in policies]
    if table.active and not passes_all(rest, "SELECT"):
        lines.insert(0, fix_of_hidden_settings(table))
    return "\n".join(lines)


def fix_of_hidden_rows(table: GuardedTable) -> str:
    """SQL that lets the tool see and write every row of a table. No policy outdoes one that restricts."""
    if any(policy.binds_us and not policy.permissive for policy in table.policies):
        return typed(sql.SQL("ALTER ROLE {} BYPASSRLS").format(sql.Identifier(table.role)))
    return typed(letting_write(table.identifier, table.role))


def fix_of_hidden_settings(table: GuardedTable) -> str:
    """SQL that lets the tool read every row of a table that it does not write."""
    return typed(
        sql.SQL("CREATE POLICY {} ON {} FOR SELECT TO {} USING (true)").format(
            sql.Identifier(own_policy(table.role)), table.identifier, sql.Identifier(table.role)
        )
    )


def fix_of_exposed_settings(table: GuardedTable, roles: Collection[str]) -> str:
    """SQL that takes a table without row level security from those of `CROWD` that can read or change it."""
    statements: list[sql.Composable] = []
    if PUBLIC in roles:
        statements.append(sql.SQL("REVOKE ALL ON {} FROM PUBLIC").format(table.identifier))
    if set(roles) - {PUBLIC}:
        statements.append(sql.SQL("ALTER TABLE {} ENABLE ROW LEVEL SECURITY").format(table.identifier))
    lines = [typed(*statements)]
    if not table.owned and set(roles) - {PUBLIC}:
        lines.insert(0, fix_of_hidden_settings(table))
    return "\n".join(lines)


def fix_of_unguarded(table: GuardedTable) -> str:
    """SQL that guards a sync table: the tool's own policy, the tenants' policy, and row level security on."""
    sync_table = SyncTable(table.schema, table.name, "", "")
    found = TableState(
        owned=table.owned,
        owner=table.owner,
        columns={},
        row_security=table.row_security,
        policies=frozenset(policy.name for policy in table.policies),
    )
    return typed(*(change.statement for change in securing(sync_table, found, table.role)))


def _alter(table: GuardedTable, policy: Policy, using: str | None, check: str | None) -> str:
    parts = [sql.SQL("ALTER POLICY {} ON {}").format(sql.Identifier(policy.name), table.identifier)]
    if using:
        parts.append(sql.SQL("USING ({})").format(sql.SQL(using)))
    if check:
        parts.append(sql.SQL("WITH CHECK ({})").format(sql.SQL(check)))
    return typed(sql.SQL(" ").join(parts))


async def look_at_table(connection: Connection, schema: str, name: str) -> GuardedTable | None:
    """The row level security of a table, for which no right is needed; None where there is no such table."""
    found = await connection.execute(
        """
        SELECT pg_class.oid, pg_get_userbyid(relowner), pg_has_role(relowner, 'USAGE'), current_user::text,
               relrowsecurity, row_security_active(pg_class.oid)
        FROM pg_class WHERE relnamespace = to_regnamespace(quote_ident(%s)) AND relname = %s
        """,
        (schema, name),
    )
    row = await found.fetchone()
    if row is None:
        return None
    oid, owner, owned, role, row_security, active = row
    return GuardedTable(
        schema=schema,
        name=name,
        owner=owner,
        owned=owned,
        role=role,
        row_security=row_security,
        active=active,
        policies=await _policies(connection, oid),
        crowd=await _crowd(connection, oid),
    )


async def _policies(connection: Connection, oid: int) -> tuple[Policy, ...]:
    """Expressions come with every name qualified, so that they mean the same to whoever types them."""
    found = await connection.execute(
        """
        SELECT polname,
               CASE polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE'
                           WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
               polpermissive,
               EXISTS (SELECT FROM unnest(polroles) AS role
                       WHERE CASE role WHEN 0 THEN true ELSE pg_has_role(role, 'USAGE') END),
               ARRAY(SELECT crowd FROM unnest(%(crowd)s::text[]) AS crowd
                     WHERE 0 = ANY (polroles) OR EXISTS (
                         SELECT FROM unnest(polroles) AS role JOIN pg_roles ON rolname = crowd
                         WHERE pg_has_role(pg_roles.oid, role, 'USAGE'))),
               pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)
        FROM pg_policy WHERE polrelid = %(oid)s ORDER BY polname
        """,
        {"oid": oid, "crowd": list(CROWD)},
    )
    return tuple(
        [
            Policy(name, command, permissive, binds_us, tuple(binds), using, check)
            async for name, command, permissive, binds_us, binds, using, check in found
        ]
    )


async def _crowd(connection: Connection, oid: int) -> tuple[Access, ...]:
    """Whoever may not use the table's schema has no right to anything in it."""
    found = await connection.execute(
        """
        SELECT role,
               ARRAY(SELECT attname::text FROM pg_attribute WHERE attrelid = pg_class.oid AND attnum > 0
                     AND NOT attisdropped AND has_column_privilege(role::name, attrelid, attnum, 'SELECT')),
               ARRAY(SELECT attname::text FROM pg_attribute WHERE attrelid = pg_class.oid AND attnum > 0
                     AND NOT attisdropped AND has_column_privilege(role::name, attrelid, attnum, 'UPDATE'))
        FROM pg_class CROSS JOIN unnest(%s::text[]) AS role
        WHERE pg_class.oid = %s AND (role = %s OR role IN (SELECT rolname FROM pg_roles))
          AND has_schema_privilege(role::name, relnamespace, 'USAGE')
        """,
        (list(CROWD), oid, PUBLIC),
    )
    return tuple([Access(role, frozenset(reads), frozenset(changes)) async for role, reads, changes in found])
