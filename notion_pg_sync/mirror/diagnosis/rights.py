"""What the tool's role may not do, and the SQL that allows it."""

from __future__ import annotations

from msgspec import Struct
from psycopg import sql

from notion_pg_sync.mirror.accounts import SETTINGS_COLUMNS
from notion_pg_sync.mirror.connection import Connection, fetch_value
from notion_pg_sync.mirror.diagnosis.row_security import ALL_COMMANDS, fix_of_hidden_rows, hides_from_us, look_at_table
from notion_pg_sync.mirror.tables import find_tables
from notion_pg_sync.mirror.typed_sql import typed

BOOKKEEPING = "notion_sync"
_VIEWS = "notion"
_USING = "GRANT {} ON SCHEMA {} TO {role}"
_GRANTS = (
    "GRANT USAGE ON SCHEMA {schema} TO {role}",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}",
    "GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {role}",
)


class MissingRight(Struct, frozen=True):
    """Something that `role` may not do; `grant` is SQL that allows it, for the owner to run."""

    role: str
    what: str
    grant: str


def _missing(role: str, what: str, statement: str, *names: sql.Composable) -> MissingRight:
    """A right that `statement` gives, which names `role` by that word and then, in their order, `names`."""
    return MissingRight(role, what, typed(sql.SQL(statement).format(*names, role=sql.Identifier(role))))


async def current_role(connection: Connection) -> str:
    """The role that the tool works as."""
    return str(await fetch_value(connection, "SELECT current_user"))


async def missing_at_the_bookkeeping(connection: Connection) -> MissingRight | None:
    """What keeps the role from reading and writing `notion_sync`; None where nothing does, or there is no such schema.

    The tables hide their rows from roles that neither own them nor have a policy.
    """
    role = await current_role(connection)
    found = await connection.execute(
        """
        SELECT NOT has_schema_privilege(pg_namespace.oid, 'USAGE')
               OR coalesce(bool_or(relkind = 'r' AND NOT (
                      has_table_privilege(pg_class.oid, 'SELECT') AND has_table_privilege(pg_class.oid, 'INSERT')
                      AND has_table_privilege(pg_class.oid, 'UPDATE') AND has_table_privilege(pg_class.oid, 'DELETE')))
               OR bool_or(relkind = 'S' AND NOT has_sequence_privilege(pg_class.oid, 'USAGE')), false),
               array_agg(relname::text ORDER BY relname) FILTER (WHERE relkind = 'r')
        FROM pg_namespace LEFT JOIN pg_class ON relnamespace = pg_namespace.oid AND relkind IN ('r', 'S')
        WHERE nspname = %s GROUP BY pg_namespace.oid
        """,
        (BOOKKEEPING,),
    )
    row = await found.fetchone()
    if row is None:
        return None
    ungranted, tables = row
    hidden = [
        table
        for name in tables or []
        if (table := await look_at_table(connection, BOOKKEEPING, name)) and hides_from_us(table, ALL_COMMANDS)
    ]
    if not ungranted and not hidden:
        return None
    names = {"schema": sql.Identifier(BOOKKEEPING), "role": sql.Identifier(role)}
    grants = [typed(*(sql.SQL(text).format(**names) for text in _GRANTS))] if ungranted else []
    return MissingRight(
        role,
        f"read and write every row of schema {BOOKKEEPING}",
        "\n".join([*grants, *(fix_of_hidden_rows(table) for table in hidden)]),
    )


async def missing_rights(connection: Connection, schema: str) -> list[MissingRight]:
    """What else keeps the role from its work, `user_settings` and the sync tables being in `schema`."""
    role = await current_role(connection)
    return [
        *await _missing_on_schemas(connection, role, schema),
        *await _missing_on_settings(connection, role, schema),
        *await _missing_on_tables(connection, role, schema),
        *await _missing_on_views(connection, role),
    ]


async def settings_out_of_sight(connection: Connection) -> MissingRight | None:
    """A `user_settings` in a schema in which the role does not look for it, or which it may not use; None without."""
    role = await current_role(connection)
    found = await connection.execute(
        """
        SELECT nspname, has_schema_privilege(pg_namespace.oid, 'USAGE')
        FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
        WHERE relname = 'user_settings' AND relkind IN ('r', 'p') ORDER BY 1
        """
    )
    rows = await found.fetchall()
    if len(rows) != 1:
        return None
    schema, usable = rows[0]
    where = sql.Identifier(schema)
    if not usable:
        return _missing(role, f"use the schema {schema}, where user_settings is", _USING, sql.SQL("USAGE"), where)
    what = f"find user_settings, since schema {schema} is not on its search_path"
    return _missing(role, what, "ALTER ROLE {role} SET search_path = {}, public", where)


async def _missing_on_schemas(connection: Connection, role: str, schema: str) -> list[MissingRight]:
    found = await connection.execute(
        """
        SELECT nspname, string_agg(privilege, ', ' ORDER BY privilege DESC)
        FROM (VALUES (%s, 'USAGE'), (%s, 'USAGE'), (%s, 'CREATE')) AS wanted (name, privilege)
        JOIN pg_namespace ON nspname = name
        WHERE NOT has_schema_privilege(pg_namespace.oid, privilege)
        GROUP BY nspname ORDER BY nspname
        """,
        (schema, _VIEWS, _VIEWS),
    )
    return [
        _missing(
            role,
            f"use the schema {name}" if privileges == "USAGE" else f"make typed views in the schema {name}",
            _USING,
            sql.SQL(privileges),
            sql.Identifier(name),
        )
        async for name, privileges in found
    ]


async def _missing_on_settings(connection: Connection, role: str, schema: str) -> list[MissingRight]:
    found = await connection.execute(
        """
        SELECT attname FROM pg_attribute
        WHERE attrelid = (SELECT oid FROM pg_class
                          WHERE relnamespace = to_regnamespace(quote_ident(%s)) AND relname = 'user_settings')
          AND attname = ANY (%s) AND NOT attisdropped AND NOT has_column_privilege(attrelid, attnum, 'SELECT')
        ORDER BY attnum
        """,
        (schema, ["user_id", *SETTINGS_COLUMNS]),
    )
    columns = [column async for (column,) in found]
    if not columns:
        return []
    names = sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier(schema, "user_settings")
    what = f"read {', '.join(columns)} of {schema}.user_settings"
    return [_missing(role, what, "GRANT SELECT ({}) ON {} TO {role}", *names)]


async def _missing_on_tables(connection: Connection, role: str, schema: str) -> list[MissingRight]:
    """The tables that lack the same rights together."""
    found = await connection.execute(
        """
        SELECT privileges, array_agg(relname::text ORDER BY relname)
        FROM (
            SELECT relname, string_agg(privilege, ', ' ORDER BY position) AS privileges
            FROM pg_class
            CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) WITH ORDINALITY AS _ (privilege, position)
            WHERE relnamespace = to_regnamespace(quote_ident(%s)) AND relname = ANY (%s)
              AND NOT has_table_privilege(pg_class.oid, privilege)
            GROUP BY relname
        ) AS missing
        GROUP BY privileges ORDER BY privileges
        """,
        (schema, list(await find_tables(connection, schema))),
    )
    return [
        _missing(
            role,
            f"{privileges} on {', '.join(names)}",
            "GRANT {} ON {} TO {role}",
            sql.SQL(privileges),
            sql.SQL(", ").join(sql.Identifier(schema, name) for name in names),
        )
        async for privileges, names in found
    ]


async def _missing_on_views(connection: Connection, role: str) -> list[MissingRight]:
    found = await connection.execute(
        """
        SELECT relname FROM pg_class JOIN notion_sync.views ON view_name = relname
        WHERE relnamespace = to_regnamespace(%s) AND relkind = 'v' AND NOT pg_has_role(relowner, 'USAGE')
        ORDER BY relname
        """,
        (_VIEWS,),
    )
    what, statement = f"replace the view {_VIEWS}.{{}}, which another role owns", "ALTER VIEW {} OWNER TO {role}"
    return [_missing(role, what.format(name), statement, sql.Identifier(_VIEWS, name)) async for (name,) in found]
