"""One database: each of its data sources, and what came of them in one record."""

from __future__ import annotations

from notion_pg_sync.mirror.data_sources import DataSourceKey
from notion_pg_sync.mirror.runs import DatabaseRun
from notion_pg_sync.notion.client import NotionClient
from notion_pg_sync.notion.errors import NotionError
from notion_pg_sync.sync.configuration import ConfiguredDatabase
from notion_pg_sync.sync.data_source import DataSourceSync
from notion_pg_sync.sync.failures import Failure, failure_of
from notion_pg_sync.sync.work import Work


async def sync_database(work: Work, client: NotionClient, user_id: str, configured: ConfiguredDatabase) -> DatabaseRun:
    """Syncs one database of a user, under the user's lease.

    Never raises for what is wrong with the database, Notion or a row: the run says it, and what was written until
    then stays.
    """
    run = DatabaseRun()
    own_client = client.with_own_traffic()
    failures: list[Failure] = []
    notes: list[str] = []
    try:
        for data_source_id in await _data_source_ids(own_client, configured):
            sync = DataSourceSync(work, own_client, DataSourceKey(user_id, data_source_id), configured, run)
            try:
                await sync.sync()
            except Exception as error:  # noqa: BLE001 - recorded below; the other data sources go on
                failures.append(failure_of(error))
            notes.extend(sync.notes)
    except Exception as error:  # noqa: BLE001 - recorded below; the other databases go on
        failures.append(failure_of(error))
    run.requests, run.retries = own_client.traffic.requests, own_client.traffic.retries
    sentences = [failure.sentence for failure in failures] or [_says(run)]
    run.error_code = failures[0].code if failures else None
    run.message = " ".join(dict.fromkeys([*sentences, *notes]))
    return run


def _says(run: DatabaseRun) -> str:
    counts = ((run.inserted, "inserted"), (run.updated, "updated"), (run.removed, "removed"))
    changes = ", ".join(f"{count} {word}" for count, word in counts if count)
    return f"{run.rows_read} rows read, {changes or 'nothing changed'}."


async def _data_source_ids(client: NotionClient, configured: ConfiguredDatabase) -> list[str]:
    database = await client.database(configured.database_id)
    if database.get("in_trash"):
        raise NotionError(
            f"database {configured.database_id} is in Notion's trash: restore it there, or take it out of "
            "notion_databases; its rows stay as they are.",
            code="in_trash",
        )
    listed = database.get("data_sources")
    if not isinstance(listed, list) or not listed:
        raise NotionError(
            f"database {configured.database_id} names no data source that this connection may read: share the "
            "original database, not a linked view of it.",
            code="no_data_source",
        )
    return [str(source["id"]) for source in listed]
