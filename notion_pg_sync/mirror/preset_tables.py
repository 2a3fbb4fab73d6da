"""The table of a preset, made as `init` makes it by whichever command first needs it and may."""

from __future__ import annotations

from psycopg import errors, sql

from notion_pg_sync.mirror.connection import Connection, fetch_value
from notion_pg_sync.mirror.tables import GENERAL_TABLE, SyncTable, is_taken

# What another attempt meets too: a right is missing, or something else has the name that an index is to have.
_LASTING_ERRORS = (errors.InsufficientPrivilege, errors.DuplicateObject, errors.DuplicateTable)


async def make_where_allowed(connection: Connection, table: SyncTable) -> str | None:
    """Makes the table unless its name is taken; returns why that cannot be, in words, None where nothing prevents it.

    The connection is best not in a transaction: this is one of its own. Raises what psycopg raises.
    """
    if await is_taken(connection, table):
        return None
    if reason := await why_not(connection, table):
        return reason
    from notion_pg_sync.mirror.initialise import make_table  # noqa: PLC0415 - only where needed

    try:
        await make_table(connection, table)
    except _LASTING_ERRORS as error:
        return f"the table {table.qualified_name} could not be created ({error.diag.message_primary})"
    return None


async def why_not(connection: Connection, table: SyncTable) -> str | None:
    """Why this role makes no such table, in words; None where it does.

    A role whose tables do not count for every role that uses the tool (trust.py) makes none: it would stop the others.
    """
    query = sql.SQL(
        """
        SELECT has_schema_privilege({}, 'CREATE') AND (
            rolsuper
            OR oid = (SELECT nspowner FROM pg_namespace WHERE nspname = 'notion_sync')
            OR EXISTS (SELECT FROM notion_sync.trusted_owners WHERE owner = rolname::text))
        FROM pg_roles WHERE rolname = current_user
        """
    ).format(table.schema)
    if await fetch_value(connection, query):
        return None
    return f"this role may not create the table {table.qualified_name}"


def rows_go_elsewhere(table: SyncTable, reason: str) -> str:
    """A sentence on a table that is not made, for `reason`; `fix` has what to do."""
    return f"{reason}, so its rows go to {table.schema}.{GENERAL_TABLE}"


def fix(table: SyncTable) -> str:
    """What makes the table, typed by an owner."""
    return f"notion-pg-sync init --preset {table.preset}"
