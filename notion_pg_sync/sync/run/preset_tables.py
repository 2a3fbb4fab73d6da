"""Sees to it that a database's rows find the table that a preset has for its name."""

from __future__ import annotations

from notion_pg_sync.mirror.connection import retried, transaction
from notion_pg_sync.mirror.preset_tables import fix, make_where_allowed, rows_go_elsewhere, why_not
from notion_pg_sync.mirror.tables import FoundTables, SyncTable, inspect_tables, is_taken, preset_table_for
from notion_pg_sync.sync.run.context import RunContext


async def prepare_table(work: RunContext, database_name: str) -> list[str]:
    """Makes the table that a preset has for databases of this name, where it is missing and the role may.

    The run knows it then. A dry run only says that it would. Returns what a person should know, a sentence each; what
    stands in the way is said once in a run.
    """
    table = preset_table_for(work.schema, database_name)
    if table is None or table.name in work.tables or table.qualified_name in work.unfit:
        return []
    if work.settings.dry_run:
        return await _rehearse(work, table)
    # Not `retried`: that is a transaction of its own, and is tried again there.
    async with work.pool.connection() as connection:
        reason = await make_where_allowed(connection, table)
    if reason:
        return _told_once(work, table, reason)
    work.learn(await _tables_there(work))
    return []


async def _rehearse(work: RunContext, table: SyncTable) -> list[str]:
    async with transaction(work.pool) as connection:
        if await is_taken(connection, table):
            return []
        reason = await why_not(connection, table)
    if reason:
        return _told_once(work, table, reason)
    return [f"It would create the table {table.qualified_name}."]


def _told_once(work: RunContext, table: SyncTable, reason: str) -> list[str]:
    if table.preset in work.presets_told:
        return []
    work.presets_told.add(table.preset)
    said = rows_go_elsewhere(table, reason)
    return [f"{said[0].upper()}{said[1:]}: let the owner of the schema run {fix(table)!r}."]


@retried
async def _tables_there(work: RunContext) -> FoundTables:
    async with transaction(work.pool) as connection:
        return await inspect_tables(connection, work.schema)
