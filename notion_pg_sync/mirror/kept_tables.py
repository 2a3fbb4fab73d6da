"""Which table a database's rows stay in, whatever its name is now: one that a foreign key points at."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from notion_pg_sync.mirror.connection import Connection
from notion_pg_sync.mirror.diagnosis.sync_tables import ForeignKey, foreign_keys_to
from notion_pg_sync.mirror.tables import SyncTable


async def kept_table(
    connection: Connection, tables: Iterable[SyncTable], known: Collection[str], wanted: SyncTable
) -> tuple[SyncTable, ForeignKey | None]:
    """The table that a database's rows go to, `wanted` unless they are in another that a foreign key points at.

    `known`: the tables, by their qualified names, that they are in. Rows that move are deleted where they were: the key
    would refuse that, or take rows of the application's with them. Returns the key too.
    """
    elsewhere = [one for one in tables if one.qualified_name in known and one.qualified_name != wanted.qualified_name]
    for table in sorted(elsewhere, key=lambda one: one.name):
        for key in await foreign_keys_to(connection, table):
            return table, key
    return wanted, None


def why_rows_stay(table: SyncTable, wanted: SyncTable, key: ForeignKey) -> str:
    """A sentence on rows that stay."""
    return (
        f"the rows stay in {table.qualified_name}, since the foreign key {key.name} of {key.qualified_table} points at "
        f"that table; without it they go to {wanted.qualified_name}."
    )
