"""Rows of a data source that its database no longer has: they go by the rules of removal."""

from __future__ import annotations

from notion_pg_sync.mirror import data_sources
from notion_pg_sync.mirror.connection import retried, transaction
from notion_pg_sync.mirror.data_sources import DataSourceKey
from notion_pg_sync.mirror.removal import remove_pages, unseen_pages
from notion_pg_sync.mirror.tables import SyncTable
from notion_pg_sync.notion.client import NotionClient
from notion_pg_sync.sync.rows.changes import PageHistorian
from notion_pg_sync.sync.rows.removing import Verdicts, held_back, verdicts_on
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
    verdicts, rows_held_back = await verdicts_on(
        client, key.data_source_id, rows, len(rows), is_allowed=work.settings.allow_removal
    )
    kept = await _remove(work, key, table, verdicts, is_all=not rows_held_back)
    if rows_held_back:
        raise held_back(key.user_id, database_name, rows_held_back)
    return len(verdicts.left) - len(kept)


@retried
async def _forget_seen(work: RunContext, key: DataSourceKey) -> None:
    async with work.writing_for(key.user_id) as connection:
        await data_sources.forget_seen(connection, key)


@retried
async def _remove(
    work: RunContext, key: DataSourceKey, table: SyncTable, verdicts: Verdicts, *, is_all: bool
) -> list[str]:
    """Removes what left, and returns what could not be removed, since foreign keys hold it.

    `is_all`: the verdicts are on every row, so that the data source is forgotten once none is left.
    """
    async with work.writing_for(key.user_id) as connection:
        historian = PageHistorian(key.data_source_id, ())
        kept = (await remove_pages(connection, table, key, verdicts.left, historian)).held
        if is_all and not (kept or verdicts.still_there or verdicts.unanswered):
            await data_sources.forget_data_source(connection, key)
        return kept
