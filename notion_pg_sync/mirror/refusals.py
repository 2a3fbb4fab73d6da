"""Why PostgreSQL refuses a row: which constraint of the application's, or which of its triggers."""

from __future__ import annotations

import re
from collections.abc import Collection

import psycopg
from msgspec import Struct
from psycopg import errors

from notion_pg_sync.mirror.connection import Connection
from notion_pg_sync.mirror.tables import SyncTable


class Trigger(Struct, frozen=True):
    """A trigger, and the function that it calls; the names alone."""

    name: str
    function: str


async def triggers_of(connection: Connection, table: SyncTable) -> list[Trigger]:
    """The triggers that an application made on a sync table, whichever statement fires them."""
    found = await connection.execute(
        """
        SELECT tgname, proname FROM pg_trigger
        JOIN pg_proc ON pg_proc.oid = tgfoid
        JOIN pg_class ON pg_class.oid = tgrelid
        JOIN pg_namespace ON pg_namespace.oid = relnamespace
        WHERE nspname = %s AND relname = %s AND NOT tgisinternal
          AND pronamespace IS DISTINCT FROM to_regnamespace('notion_sync')
        ORDER BY tgname
        """,
        (table.schema, table.name),
    )
    return [Trigger(*row) async for row in found]


def is_about_values(error: psycopg.Error, triggers: Collection[Trigger]) -> bool:
    """Pure: whether what a row holds may be the reason, or what a trigger makes of it.

    A text that is too long for a column is not: the column is to be widened.
    """
    if _at_work(error, triggers):
        return True
    return isinstance(error, errors.IntegrityError | errors.DataError) and not isinstance(
        error, errors.StringDataRightTruncation
    )


def refusal(error: psycopg.Error, table: SyncTable, triggers: Collection[Trigger], page_id: str | None) -> str:
    """Pure: a sentence on it. `page_id`: the first page that is refused, None where that is not known."""
    said = (error.diag.message_primary or type(error).__name__).rstrip(".")
    where = f"{error.diag.schema_name}.{error.diag.table_name}" if error.diag.table_name else table.qualified_name
    at_work = _at_work(error, triggers)
    trigger = f"trigger {', '.join(one.name for one in at_work)}" if at_work else ""
    if error.diag.constraint_name:
        cause = f"it violates the constraint {error.diag.constraint_name} of {where}"
        cause += f", by the {trigger}" if trigger else ""
    elif trigger:
        cause = f"the {trigger} raises {said!r}"
    else:
        cause = said
    which = f"the page {page_id} in {table.qualified_name}" if page_id else f"rows of {table.qualified_name}"
    blame = "trigger" if at_work else "constraint"
    return f"PostgreSQL refuses {which}: {cause}. Change the page in Notion, or the {blame}; the next run tries again."


def _at_work(error: psycopg.Error, triggers: Collection[Trigger]) -> list[Trigger]:
    """The triggers whose functions were running: PostgreSQL names these, each in a line of its own."""
    context = error.diag.context or ""
    return [one for one in triggers if re.search(rf"function .*?\b{re.escape(one.function)}\b", context)]
