"""One database: each of its data sources, and what came of them in one record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from notion_pg_sync.core.databases import ConfiguredDatabase
from notion_pg_sync.core.errors import ErrorCode
from notion_pg_sync.core.ids import MalformedIdError, looks_like_id, parse_id
from notion_pg_sync.core.printable import shell_command
from notion_pg_sync.core.wording import plural
from notion_pg_sync.mirror import data_sources
from notion_pg_sync.mirror.connection import transaction
from notion_pg_sync.mirror.data_sources import DataSourceKey
from notion_pg_sync.mirror.kept_tables import kept_table, why_rows_stay
from notion_pg_sync.mirror.row_counts import RowCounts, count_rows_of
from notion_pg_sync.mirror.runs import Counts, DatabaseRun, Mode
from notion_pg_sync.mirror.sent_rows import RowOwner
from notion_pg_sync.mirror.tables import SyncTable
from notion_pg_sync.notion.client import JsonObject, NotionClient
from notion_pg_sync.notion.errors import NotionError
from notion_pg_sync.notion.exclusion import NOTHING
from notion_pg_sync.notion.json_access import get_path
from notion_pg_sync.sync.rows.data_source import DataSourceSync, InTrashError, with_traffic
from notion_pg_sync.sync.rows.excluding import purge_stored, settle_exclusion
from notion_pg_sync.sync.rows.row_sink import DryRunSink, PostgresSink, SyncTarget
from notion_pg_sync.sync.rows.vanished import remove_vanished
from notion_pg_sync.sync.run.configuration import Configuration
from notion_pg_sync.sync.run.context import RunContext
from notion_pg_sync.sync.run.discovery import title_of
from notion_pg_sync.sync.run.failures import Failure, logged_failure
from notion_pg_sync.sync.run.preset_tables import prepare_table


class DatabaseSync:
    """The sync of one database of a user, under the user's lease.

    `configuration`: all that the user configures. `row_counts`: the user's, when the account's sync began; None:
    they are to be counted now.
    """

    def __init__(
        self,
        work: RunContext,
        client: NotionClient,
        user_id: str,
        configured: ConfiguredDatabase,
        row_counts: RowCounts | None,
        *,
        configuration: Configuration,
    ) -> None:
        self._work = work
        self._client = client.with_own_traffic()
        self._user_id = user_id
        self._configuration = configuration
        self._configured = configured
        self._row_counts = row_counts
        self._data_sources: list[DataSourceSync] = []
        self._removed = Counts()
        self._failures: list[Failure] = []
        self._notes: list[str] = []
        self._exclusion = NOTHING
        self._is_done = False
        self._in_trash: InTrashError | None = None

    @property
    def run(self) -> DatabaseRun:
        """What it came to; before it is done, what a sync came to that is cut off here."""
        counts = with_traffic(self._counts_so_far() + self._removed, self._client)
        modes = {sync.mode for sync in self._data_sources}
        mode: Mode | None = "full" if "full" in modes else "incremental" if "incremental" in modes else None
        if not self._is_done:
            carries_on = any(sync.has_progress for sync in self._data_sources)
            return DatabaseRun.cut_off(counts, mode, carries_on=carries_on)
        dry = self._work.settings.dry_run
        sentences = [failure.sentence for failure in self._failures] or [_says(counts, dry=dry)]
        error_code = self._failures[0].code if self._failures else None
        run = DatabaseRun.of_rows(counts, mode, error_code, " ".join(dict.fromkeys([*sentences, *self._notes])))
        return replace(run, is_incomplete=any(sync.is_incomplete for sync in self._data_sources))

    async def sync(self) -> None:
        """Syncs it.

        Never raises for what is wrong with the database, Notion or a row: `run` says it, and what was written until
        then stays.
        """
        try:
            self._notes.extend(await prepare_table(self._work, self._configured.name))
            known = await self._known()
            table = await self._table(known)
            self._notes.extend(await self._purge(known))
            database = await self._database()
            await self._exclude(database)
            living = await self._sync_data_sources(table, database)
            if not self._work.settings.dry_run:
                await self._remove_vanished({one: known[one] for one in known.keys() - set(living)})
        except Exception as error:  # noqa: BLE001 - recorded; the other databases go on
            self._failures.append(logged_failure(error))
        self._is_done = True

    async def _sync_data_sources(self, table: SyncTable, database: JsonObject) -> list[str]:
        """Syncs what a database names; returns those that are not in Notion's trash. Raises `NotionError`."""
        living = [
            one
            for one in _data_source_ids(database, self._configured, self._way_out)
            if await self._sync_data_source(table, one, title_of(database))
        ]
        if self._in_trash and not living:
            raise self._in_trash
        return living

    @property
    def _way_out(self) -> str:
        """What its user can do who wants it no longer."""
        if not self._configured.found_by_search:
            return "take it out of notion_databases."
        return f"end its copy: {shell_command('notion-pg-sync', 'forget', self._user_id, self._configured.database_id)}"

    async def _database(self) -> JsonObject:
        """The database as Notion answers it. Raises `NotionError`."""
        try:
            return await self._client.database(self._configured.database_id)
        except NotionError as error:
            if error.code != ErrorCode.OBJECT_NOT_FOUND or not self._configured.found_by_search:
                raise
            raise NotionError(
                f"database {self._configured.database_id} is not shared with the connection any more, or was deleted: "
                f"in Notion, open it and add the connection under ••• > Connections, or {self._way_out}",
                code=error.code,
                status=error.status,
            ) from error

    async def _exclude(self, database: JsonObject) -> None:
        """Finds out what is excluded, before anything is read; records what is new. Raises `ExclusionError`."""
        sources = _data_source_ids(database, self._configured, self._way_out)
        ids = [_id_of(database) or self._configured.database_id, *sources]
        settled = await settle_exclusion(
            self._work, self._client, self._user_id, self._configured, ids, configuration=self._configuration
        )
        self._exclusion = settled.own
        self._client = self._client.selecting(settled.selections)
        self._notes.extend(settled.notes)

    async def _purge(self, known: Mapping[str, str]) -> list[str]:
        return await purge_stored(self._work, self._user_id, self._configuration, self._configured, known)

    async def _known(self) -> dict[str, str]:
        """The data sources that the database had so far, each with the name of its table."""
        async with transaction(self._work.pool) as connection:
            return await data_sources.known_data_sources(connection, self._user_id, self._configured.database_id)

    async def _table(self, known: Mapping[str, str]) -> SyncTable:
        """Where the rows go, by the database's name, unless a foreign key keeps them where they are."""
        wanted = self._work.table_for(self._configured.name)
        if set(known.values()) <= {wanted.qualified_name}:
            return wanted
        async with transaction(self._work.pool) as connection:
            table, key = await kept_table(connection, self._work.tables.values(), known.values(), wanted)
        if key is not None:
            self._notes.append(why_rows_stay(table, wanted, key))
        return table

    def _counts_so_far(self) -> Counts:
        return self._data_sources[-1].counts if self._data_sources else Counts()

    async def _sync_data_source(self, table: SyncTable, data_source_id: str, database_title: str) -> bool:
        """Syncs a data source; returns whether it is there, and not in Notion's trash."""
        work, configured = self._work, self._configured
        owner = RowOwner(
            self._user_id, configured.database_id, configured.name, data_source_id, configured.id_as_written
        )
        place = SyncTarget(owner, table, database_title)
        destination = DryRunSink(work, place) if work.settings.dry_run else PostgresSink(work, place)
        rows = await self._count_rows(table, data_source_id)
        sync = DataSourceSync(
            work, self._client, place, destination, self._counts_so_far(), rows=rows, exclusion=self._exclusion
        )
        self._data_sources.append(sync)
        try:
            await sync.sync()
        except InTrashError as error:
            self._in_trash = error
            return False
        except Exception as error:  # noqa: BLE001 - recorded; the other data sources go on
            self._failures.append(logged_failure(error))
        self._notes.extend(sync.notes)
        self._notes.extend(destination.notes)
        return True

    async def _count_rows(self, table: SyncTable, data_source_id: str) -> int:
        if self._row_counts is None:
            async with transaction(self._work.pool) as connection:
                self._row_counts = await count_rows_of(connection, [table], self._user_id)
        return self._row_counts.get((table.qualified_name, data_source_id), 0)

    async def _remove_vanished(self, vanished: Mapping[str, str]) -> None:
        """Sees to the rows of data sources that the database had and has no longer; each with its table's name."""
        work = self._work
        for data_source_id, table_name in sorted(vanished.items()):
            table = work.table_named(table_name)
            if table is None:
                continue
            key = DataSourceKey(self._user_id, data_source_id)
            try:
                removed = await remove_vanished(
                    work, self._client, key, database_name=self._configured.name, table=table
                )
            except Exception as error:  # noqa: BLE001 - recorded; the other data sources go on
                self._failures.append(logged_failure(error))
            else:
                self._removed += Counts(removed=removed)


def _says(counts: Counts, *, dry: bool) -> str:
    written = ((counts.inserted, "inserted"), (counts.updated, "updated"), (counts.removed, "removed"))
    changes = ", ".join(f"{count} {word}" for count, word in written if count)
    if dry:
        return f"{plural(counts.rows_read, 'row')} read; a real run would have {changes or 'nothing'} to write."
    return f"{plural(counts.rows_read, 'row')} read, {changes or 'nothing changed'}."


def _id_of(database: JsonObject) -> str | None:
    written = database.get("id")
    return parse_id(written) if isinstance(written, str) and looks_like_id(written) else None


def _data_source_ids(database: JsonObject, configured: ConfiguredDatabase, way_out: str) -> list[str]:
    if database.get("in_trash"):
        raise NotionError(
            f"database {configured.database_id} is in Notion's trash, its rows stay as they are: restore it there, or "
            f"{way_out}",
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
