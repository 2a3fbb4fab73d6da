"""Typed views in the schema `notion`: one a database name, one column a property, replaced where that is possible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import errors, sql

from notion_pg_sync.mirror.connection import Connection, Pool, fetch_value, transaction
from notion_pg_sync.mirror.tables import SyncTable
from notion_pg_sync.mirror.view_definition import (
    SCHEMA,
    SharedColumn,
    ViewDefinition,
    can_replace,
    define_view,
    statement_of,
    with_columns_of,
)

# Any number, the same for every copy of the tool: of two that make views, one waits.
_ADVISORY_LOCK = 7_263_548_191
_LOCK_TIMEOUT = "3s"

_DEPENDENTS = (errors.DependentObjectsStillExist, errors.InvalidTableDefinition)


@dataclass(frozen=True)
class _Existing:
    """A relation that has the view's name: its columns (name, type), and whether it is a view of ours."""

    oid: int
    columns: tuple[tuple[str, str], ...]
    is_ours: bool
    fingerprint: str | None


async def wants_views(connection: Connection, user_id: str) -> bool:
    """Whether typed views are kept for a user."""
    return bool(await fetch_value(connection, "SELECT views FROM notion_sync.accounts WHERE user_id = %s", user_id))


async def refresh_view(pool: Pool, view_name: str, tables: Sequence[SyncTable]) -> list[str]:
    """Brings one view up to date, in a transaction of its own; without effect where it is as it should be.

    `tables` are the sync tables that there are. Returns what a person should know, a sentence each.
    """
    try:
        async with transaction(pool) as connection:
            definition = await _define(connection, view_name, tables)
            if definition is None or await _is_up_to_date(connection, definition):
                return []
            await connection.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(_LOCK_TIMEOUT))
            await connection.execute("SELECT pg_advisory_xact_lock(%s)", (_ADVISORY_LOCK,))
            return await _make(connection, definition)
    except errors.LockNotAvailable:
        return [f"the view {SCHEMA}.{view_name} is locked by somebody's long transaction; the next run makes it anew."]


async def _define(connection: Connection, view_name: str, tables: Sequence[SyncTable]) -> ViewDefinition | None:
    found = await connection.execute(
        """
        SELECT sync_table, database_id, columns.name, columns.type, property_name, property_type
        FROM notion_sync.accounts
        JOIN notion_sync.data_sources USING (user_id)
        JOIN notion_sync.columns USING (user_id, data_source_id)
        WHERE accounts.views AND view_name = %s
        ORDER BY 1, 2, 3
        """,
        (view_name,),
    )
    rows = await found.fetchall()
    named = {row[0] for row in rows}
    used = [table for table in tables if table.qualified_name in named]
    if not used:
        return None
    return define_view(view_name, (SharedColumn(*row[2:]) for row in rows), used, {row[1] for row in rows})


async def _is_up_to_date(connection: Connection, definition: ViewDefinition) -> bool:
    existing = await _existing(connection, definition.name)
    return existing is not None and existing.fingerprint == definition.fingerprint


async def _existing(connection: Connection, view_name: str) -> _Existing | None:
    found = await connection.execute(
        """
        SELECT pg_class.oid,
               (SELECT array_agg(ARRAY[attname::text, format_type(atttypid, atttypmod)] ORDER BY attnum)
                FROM pg_attribute WHERE attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped),
               relkind = 'v' AND fingerprint IS NOT NULL,
               fingerprint
        FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
        LEFT JOIN notion_sync.views ON view_name = relname
        WHERE nspname = %s AND relname = %s
        """,
        (SCHEMA, view_name),
    )
    row = await found.fetchone()
    return _Existing(row[0], tuple((name, type_) for name, type_ in row[1] or ()), row[2], row[3]) if row else None


async def _make(connection: Connection, definition: ViewDefinition) -> list[str]:
    """Creates or replaces the view, under the lock."""
    existing = await _existing(connection, definition.name)
    if existing is not None and not existing.is_ours:
        return [f"{SCHEMA}.{definition.name} is not a view of notion-pg-sync; it is left alone, and there is no view."]
    notes = []
    if definition.left_out:
        notes.append(f"the view {SCHEMA}.{definition.name} has no room for {definition.left_out} more columns.")
    made = definition
    if existing is None:
        await connection.execute(statement_of(made))
    else:
        # In the order that the view has, new columns last, where nothing has to go.
        made = with_columns_of(definition, existing.columns)
        if can_replace(made, existing.columns) and _same_columns(made, definition):
            await connection.execute(statement_of(made))
        else:
            made, more = await _make_anew(connection, definition, existing)
            notes.extend(more)
    await _describe(connection, made)
    await connection.execute(
        """
        INSERT INTO notion_sync.views (view_name, fingerprint) VALUES (%s, %s)
        ON CONFLICT (view_name) DO UPDATE SET fingerprint = EXCLUDED.fingerprint
        """,
        (definition.name, definition.fingerprint),
    )
    return notes


def _same_columns(one: ViewDefinition, other: ViewDefinition) -> bool:
    def told(definition: ViewDefinition) -> set[tuple[str, str]]:
        return {(column.name, column.type) for column in definition.columns}

    return told(one) == told(other)


async def _make_anew(
    connection: Connection, definition: ViewDefinition, existing: _Existing
) -> tuple[ViewDefinition, list[str]]:
    """Drops the view and makes it again with its grants; where somebody's own view depends on it, replaces it in a
    form that keeps the old columns."""
    restored = [*await _grants(connection, existing.oid), *await _comment(connection, definition.name, existing.oid)]
    name = sql.Identifier(SCHEMA, definition.name)
    try:
        async with connection.transaction():
            await connection.execute(sql.SQL("DROP VIEW {} RESTRICT").format(name))
            await connection.execute(statement_of(definition))
            for statement in restored:
                await connection.execute(statement)
    except _DEPENDENTS:
        kept = with_columns_of(definition, existing.columns)
        await connection.execute(statement_of(kept))
        dependents = ", ".join(await _dependents(connection, existing.oid))
        return kept, [
            f"{dependents} depends on the view {SCHEMA}.{definition.name}, so columns of it that should go or change "
            "their type stay as they were."
        ]
    return definition, []


async def _grants(connection: Connection, oid: int) -> list[sql.Composed]:
    """Statements that grant again what is granted on the relation, columns included."""
    found = await connection.execute(
        """
        SELECT nspname, relname, NULL, privilege_type, grantee::regrole::text, grantee = 0, is_grantable
        FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace, aclexplode(relacl)
        WHERE pg_class.oid = %(oid)s AND grantee <> relowner
        UNION ALL
        SELECT nspname, relname, attname, privilege_type, grantee::regrole::text, grantee = 0, is_grantable
        FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
        JOIN pg_attribute ON attrelid = pg_class.oid, aclexplode(attacl)
        WHERE pg_class.oid = %(oid)s AND grantee <> relowner
        """,
        {"oid": oid},
    )
    statements = []
    async for schema, relation, column, privilege, grantee, is_public, may_grant in found:
        statements.append(
            sql.SQL("GRANT {privilege}{column} ON {relation} TO {grantee}{option}").format(
                privilege=sql.SQL(privilege),
                column=sql.SQL(" ({})").format(sql.Identifier(column)) if column else sql.SQL(""),
                relation=sql.Identifier(schema, relation),
                # regrole has quoted it where that is needed.
                grantee=sql.SQL("PUBLIC" if is_public else grantee),
                option=sql.SQL(" WITH GRANT OPTION" if may_grant else ""),
            )
        )
    return statements


async def _comment(connection: Connection, view_name: str, oid: int) -> list[sql.Composed]:
    """The statement that says again what somebody said of the view, if anything."""
    said = await fetch_value(connection, "SELECT obj_description(%s, 'pg_class')", oid)
    if said is None:
        return []
    name = sql.Identifier(SCHEMA, view_name)
    return [sql.SQL("COMMENT ON VIEW {} IS {}").format(name, sql.Literal(said))]


async def _dependents(connection: Connection, oid: int) -> list[str]:
    found = await connection.execute(
        """
        SELECT DISTINCT ev_class::regclass::text
        FROM pg_depend JOIN pg_rewrite ON pg_rewrite.oid = objid
        WHERE classid = 'pg_rewrite'::regclass AND refobjid = %s AND ev_class <> refobjid
        ORDER BY 1
        """,
        (oid,),
    )
    return [name async for (name,) in found] or ["something"]


async def _describe(connection: Connection, definition: ViewDefinition) -> None:
    for column in definition.columns:
        await connection.execute(
            sql.SQL("COMMENT ON COLUMN {} IS {}").format(
                sql.Identifier(SCHEMA, definition.name, column.name), sql.Literal(column.comment)
            )
        )
