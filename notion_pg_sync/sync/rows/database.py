"""One database: each of its data sources, and what came of them in one record."""

from __future__ import annotations

from notion_pg_sync.core.databases import ConfiguredDatabase
from notion_pg_sync.core.errors import ErrorCode
from notion_pg_sync.core.ids import MalformedIdError, parse_id
from notion_pg_sync.core.wording import plural
from notion_pg_sync.mirror import data_sources
from notion_pg_sync.mirror.connection import transaction
from notion_pg_sync.mirror.data_sources import DataSourceKey
from notion_pg_sync.mirror.row_counts import RowCounts
from notion_pg_sync.mirror.runs import Counts, DatabaseRun, Mode
from notion_pg_sync.mirror.sent_rows import RowOwner
from notion_pg_sync.notion.client import NotionClient
from notion_pg_sync.notion.errors import NotionError
from notion_pg_sync.notion.json_access import get_path
from notion_pg_sync.sync.rows.data_source import DataSourceSync, with_traffic
from notion_pg_sync.sync.rows.row_sink import DryRunSink, PostgresSink, SyncTarget
from notion_pg_sync.sync.rows.vanished import remove_vanished
from notion_pg_sync.sync.run.context import RunContext
from notion_pg_sync.sync.run.failures import Failure, logged_failure
from notion_pg_sync.sync.run.preset_tables import prepare_table


async def sync_database(
    work: RunContext, client: NotionClient, user_id: str, configured: ConfiguredDatabase, row_counts: RowCounts
) -> DatabaseRun:
    """Syncs one database of a user, under the user's lease. `row_counts`: the user's, when the account's sync began.

    Never raises for what is wrong with the database, Notion or a row: the run says it, and what was written until
    then stays.
    """
    counts = Counts()
    mode: Mode | None = None
    own_client = client.with_own_traffic()
    failures: list[Failure] = []
    notes: list[str] = []
    try:
        notes.extend(await prepare_table(work, configured.name))
        table = work.table_for(configured.name)
        listed = await _data_source_ids(own_client, configured)
        for data_source_id in listed:
            owner = RowOwner(user_id, configured.database_id, configured.name, data_source_id, configured.id_as_written)
            place = SyncTarget(owner, table)
            destination = DryRunSink(work, place) if work.settings.dry_run else PostgresSink(work, place)
            rows = row_counts.get((table.qualified_name, data_source_id), 0)
            sync = DataSourceSync(work, own_client, place, destination, counts, rows=rows)
            try:
                await sync.sync()
            except Exception as error:  # noqa: BLE001 - recorded below; the other data sources go on
                failures.append(logged_failure(error))
            counts, mode = sync.counts, _mode_of(mode, sync.mode)
            notes.extend(sync.notes)
            notes.extend(destination.notes)
        if not work.settings.dry_run:
            removed, failed = await _remove_vanished(work, own_client, user_id, configured, listed=listed)
            counts += Counts(removed=removed)
            failures.extend(failed)
    except Exception as error:  # noqa: BLE001 - recorded below; the other databases go on
        failures.append(logged_failure(error))
    counts = with_traffic(counts, own_client)
    sentences = [failure.sentence for failure in failures] or [_says(counts, dry=work.settings.dry_run)]
    error_code = failures[0].code if failures else None
    return DatabaseRun.of_rows(counts, mode, error_code, " ".join(dict.fromkeys([*sentences, *notes])))


def _mode_of(before: Mode | None, latest: Mode | None) -> Mode | None:
    """How a database was read: as a whole, if one of its data sources was."""
    return "full" if "full" in (before, latest) else before or latest


async def _remove_vanished(
    work: RunContext, client: NotionClient, user_id: str, configured: ConfiguredDatabase, *, listed: list[str]
) -> tuple[int, list[Failure]]:
    """Sees to the rows of data sources that the database had and has no longer.

    Returns how many were removed, and what went wrong.
    """
    async with transaction(work.pool) as connection:
        known = await data_sources.known_data_sources(connection, user_id, configured.database_id)
    removed = 0
    failures: list[Failure] = []
    for data_source_id in sorted(known.keys() - set(listed)):
        table = work.table_named(known[data_source_id])
        if table is None:
            continue
        try:
            key = DataSourceKey(user_id, data_source_id)
            removed += await remove_vanished(work, client, key, database_name=configured.name, table=table)
        except Exception as error:  # noqa: BLE001 - recorded by the caller; the other data sources go on
            failures.append(logged_failure(error))
    return removed, failures


def _says(counts: Counts, *, dry: bool) -> str:
    written = ((counts.inserted, "inserted"), (counts.updated, "updated"), (counts.removed, "removed"))
    changes = ", ".join(f"{count} {word}" for count, word in written if count)
    if dry:
        return f"{plural(counts.rows_read, 'row')} read; a real run would have {changes or 'nothing'} to write."
    return f"{plural(counts.rows_read, 'row')} read, {changes or 'nothing changed'}."


async def _data_source_ids(client: NotionClient, configured: ConfiguredDatabase) -> list[str]:
    database = await client.database(configured.database_id)
    if database.get("in_trash"):
        raise NotionError(
            f"database {configured.database_id} is in Notion's trash: restore it there, or take it out of "
            "notion_databases; its rows stay as they are.",
            code=ErrorCode.IN_TRASH,
        )
    listed = database.get("data_sources")
    if not isinstance(listed, list) or not listed:
        raise NotionError(
            f"database {configured.database_id} names no data source that this connection may read: share the "
            "original database, not a linked view of it.",
            code=ErrorCode.NO_DATA_SOURCE,
        )
    ids = [get_path(source, "id") for source in listed]
    try:
        return [parse_id(str(one)) for one in ids]
    except MalformedIdError:
        raise NotionError(
            f"Notion answered database {configured.database_id} with a data source that has no id: run the sync again.",
            code=ErrorCode.MALFORMED,
        ) from None
