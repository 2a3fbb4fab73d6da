"""Rows of a data source that its database no longer has: they go by the rules of removal."""

from __future__ import annotations

from notion_pg_sync.mirror import data_sources
from notion_pg_sync.mirror.connection import retried, transaction
from notion_pg_sync.mirror.data_sources import DataSourceKey
from notion_pg_sync.mirror.removal import remove_pages, unseen_pages
from notion_pg_sync.mirror.tables import SyncTable
from notion_pg_sync.notion.client import NotionClient
from notion_pg_sync.sync.rows.removing import MAX_CONFIRMED_ONE_BY_ONE, Verdicts, ask_for, held_back, is_too_much
from notion_pg_sync.sync.run.context import RunContext


async def remove_vanished(
    work: RunContext,
    client: NotionClient,
    key: DataSourceKey,
    *,
    database_name: str,
    table: SyncTable,
) -> int:
    """Removes the rows of a data source that is no longer listed, and forgets it once none is left.

    Returns how many were removed. Raises `HeldBackError`, `NotionError`, `LeaseLostError`.
    """
    await _forget_seen(work, key)
    async with transaction(work.pool) as connection:
        rows = await unseen_pages(connection, table, key)
    if is_too_much(len(rows), len(rows)) and not work.settings.allow_removal:
        raise held_back(key.user_id, database_name, len(rows))
    verdicts = Verdicts(left=dict.fromkeys(rows, "missing"))
    if len(rows) <= MAX_CONFIRMED_ONE_BY_ONE:
        verdicts = await ask_for(client, key.data_source_id, rows)
    kept = await _remove(work, key, table, verdicts)
    return len(verdicts.left) - len(kept)


@retried
async def _forget_seen(work: RunContext, key: DataSourceKey) -> None:
    async with work.writing_for(key.user_id) as connection:
        await data_sources.forget_seen(connection, key)


@retried
async def _remove(work: RunContext, key: DataSourceKey, table: SyncTable, verdicts: Verdicts) -> list[str]:
    """Removes what left, and returns what could not be removed, since foreign keys hold it."""
    async with work.writing_for(key.user_id) as connection:
        kept = await remove_pages(connection, table, key, verdicts.left)
        if not kept and not verdicts.still_there:
            await data_sources.forget_data_source(connection, key)
        return kept
