"""One database: each of its data sources, and what came of them in one record."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from notion_pg_sync.core.databases import ConfiguredDatabase
from notion_pg_sync.core.errors import ErrorCode
from notion_pg_sync.core.ids import MalformedIdError, looks_like_id, parse_id
from notion_pg_sync.core.printable import shell_command
from notion_pg_sync.core.wording import plural
from notion_pg_sync.mirror import data_sources
from notion_pg_sync.mirror.connection import transaction
from notion_pg_sync.mirror.data_sources import DataSourceKey, DataSourceState, KnownListing
from notion_pg_sync.mirror.kept_tables import kept_table, why_rows_stay
from notion_pg_sync.mirror.row_counts import RowCounts, count_rows_of
from notion_pg_sync.mirror.runs import Counts, DatabaseRun, Mode
from notion_pg_sync.mirror.sent_rows import RowOwner
from notion_pg_sync.mirror.tables import SyncTable
from notion_pg_sync.notion.client import JsonObject, NotionClient
from notion_pg_sync.notion.errors import NotionError
from notion_pg_sync.notion.exclusion import NOTHING
from notion_pg_sync.notion.json_access import get_path
from notion_pg_sync.sync.files.naming import keeps_files
from notion_pg_sync.sync.rows.data_source import DataSourceSync, DoubtedListingError, InTrashError, with_traffic
from notion_pg_sync.sync.rows.excluding import purge_stored, settle_exclusion
from notion_pg_sync.sync.rows.plan import is_believed
from notion_pg_sync.sync.rows.row_sink import DryRunSink, PostgresSink, RowSink, SyncTarget
from notion_pg_sync.sync.rows.vanished import remove_vanished
from notion_pg_sync.sync.run.configuration import Configuration
from notion_pg_sync.sync.run.context import RunContext
from notion_pg_sync.sync.run.discovery import title_of
from notion_pg_sync.sync.run.failures import Failure, logged_failure
from notion_pg_sync.sync.run.preset_tables import prepare_table

log = logging.getLogger(__name__)


class Listing(Struct, frozen=True):
    """Which data sources a database has, its own id, and its title; None: Notion was not asked for it in this run."""

    data_source_ids: list[str]
    database_id: str
    title: str | None = None


class DatabaseSync:
    """The sync of one database of a user, under the user's lease.

    `configuration`: all that the user configures. `row_counts`: the user's, when the account's sync began; None:
    they are to be counted now. `known`: what is known of the database; None: it is to be looked up. `is_requested`: a
    person or program asked for this very database, so that Notion is asked for it too.
    """

    def __init__(
        self,
        work: RunContext,
        client: NotionClient,
        user_id: str,
        configured: ConfiguredDatabase,
        row_counts: RowCounts | None,
        *,
        known: KnownListing | None,
        configuration: Configuration,
        is_requested: bool,
    ) -> None:
        self._work = work
        self._known_before = known
        self._is_requested = is_requested
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
        self._living: list[str] = []
        self._is_doubted = False
        self._is_listed: bool | None = None
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
        is_incomplete = any(sync.is_incomplete for sync in self._data_sources)
        is_whole = bool(self._data_sources) and all(sync.is_whole for sync in self._data_sources)
        return replace(run, is_incomplete=is_incomplete, is_whole=is_whole, is_listed=self._is_listed)

    async def sync(self) -> None:
        """Syncs it.

        Never raises for what is wrong with the database, Notion or a row: `run` says it, and what was written until
        then stays.
        """
        try:
            self._notes.extend(await prepare_table(self._work, self._configured.name))
            known = await self._known()
            table = await self._table(known.tables)
            self._notes.extend(await self._purge(known.tables))
            listing = await self._sync_data_sources(table, known)
            living = self._living_of(listing)
            vanished = {one: known.tables[one] for one in known.tables.keys() - living}
            if listing.title is not None:
                is_its_own = listing.database_id == self._configured.database_id
                self._is_listed = is_its_own and not vanished and living == set(listing.data_source_ids)
            if not self._work.settings.dry_run:
                await self._remove_vanished(vanished)
        except Exception as error:  # noqa: BLE001 - recorded; the other databases go on
            self._failures.append(logged_failure(error))
        self._is_done = True

    async def _sync_data_sources(self, table: SyncTable, known: KnownListing) -> Listing:
        """Syncs the data sources that the database has, and returns which they are. Raises `NotionError`."""
        if self._may_believe(known):
            listing = Listing(sorted(known.tables), self._configured.database_id)
            try:
                await self._sync_listed(table, listing)
            except (DoubtedListingError, NotionError) as doubt:
                self._is_doubted = True
                log.info("%s / %s is asked for: %r", self._user_id, self._configured.name, doubt.__cause__ or doubt)
            else:
                return listing
        listing = await self._listing()
        await self._sync_listed(table, listing)
        return listing

    def _may_believe(self, known: KnownListing) -> bool:
        settings = self._work.settings
        is_to_be_asked = self._is_requested or settings.full or settings.verify or settings.dry_run
        return bool(known.tables) and is_believed(known.age) and not is_to_be_asked

    async def _sync_listed(self, table: SyncTable, listing: Listing) -> None:
        await self._exclude(listing)
        for one in listing.data_source_ids:
            if one not in self._living and await self._sync_data_source(table, one, listing):
                self._living.append(one)
        if self._in_trash and not self._living_of(listing):
            raise self._in_trash

    def _living_of(self, listing: Listing) -> set[str]:
        """The data sources that are there; what was believed to be there may not be listed."""
        return set(self._living) & set(listing.data_source_ids)

    async def _listing(self) -> Listing:
        """What Notion says of the database. Raises `NotionError`."""
        database = await self._database()
        ids = _data_source_ids(database, self._configured, self._way_out)
        return Listing(ids, _id_of(database) or self._configured.database_id, title_of(database))

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

    async def _exclude(self, listing: Listing) -> None:
        """Finds out what is excluded, before anything is read; records what is new. Raises `ExclusionError`."""
        ids = [listing.database_id, *listing.data_source_ids]
        settled = await settle_exclusion(
            self._work, self._client, self._user_id, self._configured, ids, configuration=self._configuration
        )
        self._exclusion = settled.own
        self._client = self._client.selecting(settled.selections)
        self._notes.extend(settled.notes)

    async def _purge(self, known: Mapping[str, str]) -> list[str]:
        return await purge_stored(self._work, self._user_id, self._configuration, self._configured, known)

    async def _known(self) -> KnownListing:
        if self._known_before is not None:
            return self._known_before
        async with transaction(self._work.pool) as connection:
            return await data_sources.known_listing(connection, self._user_id, self._configured.database_id)

    async def _table(self, known: Mapping[str, str]) -> SyncTable:
        """Where the rows go, by the database's name, unless a foreign key keeps them where they are."""
        table, note = await table_of(self._work, self._configured.name, known)
        self._notes.extend(note)
        return table

    def _counts_so_far(self) -> Counts:
        return self._data_sources[-1].counts if self._data_sources else Counts()

    async def _sync_data_source(self, table: SyncTable, data_source_id: str, listing: Listing) -> bool:
        """Syncs a data source; returns whether it is there, and not in Notion's trash. Raises `DoubtedListingError`."""
        work, configured = self._work, self._configured
        owner = RowOwner(
            self._user_id, configured.database_id, configured.name, data_source_id, configured.id_as_written
        )
        place = SyncTarget(owner, table, listing.title, keeps_files=keeps_files(work.settings, configured.options))
        rows = await self._count_rows(table, data_source_id)
        destination: RowSink = DryRunSink(work, place)
        if not work.settings.dry_run:
            unclaimed = self._row_counts is None or self._row_counts.get((table.qualified_name, None), 0) > 0
            destination = PostgresSink(
                work, place, known_before=self._state_of(data_source_id), may_have_unclaimed=unclaimed
            )
        before = self._counts_so_far()
        sync = DataSourceSync(
            work,
            self._client,
            place,
            destination,
            before,
            rows=rows,
            exclusion=self._exclusion,
            is_listed=listing.title is not None,
            looks_ahead=not self._is_doubted,
        )
        self._data_sources.append(sync)
        try:
            await sync.sync()
        except InTrashError as error:
            self._in_trash = error
            return False
        except DoubtedListingError:
            sync.counts = _but_what_is_read_again(before, sync.counts)
            raise
        except Exception as error:  # noqa: BLE001 - recorded; the other data sources go on
            self._failures.append(logged_failure(error))
        finally:
            self._notes.extend([*sync.notes, *destination.notes])
        return True

    def _state_of(self, data_source_id: str) -> DataSourceState | None:
        """What was known of a data source when its database began; None where it has to be looked up once more.

        That is where the sync itself may have changed something of it by now.
        """
        states = self._known_before.states if self._known_before else {}
        is_as_it_was = len(states) == 1 and self._configuration.excludes_nothing and not self._is_doubted
        return states.get(data_source_id) if is_as_it_was else None

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


async def table_of(work: RunContext, database_name: str, known: Mapping[str, str]) -> tuple[SyncTable, list[str]]:
    """The table of a database of this name, and what a person should know where a foreign key keeps its rows in it.

    `known`: its data sources, each with the name of the table that its rows are in.
    """
    wanted = work.table_for(database_name)
    if set(known.values()) <= {wanted.qualified_name}:
        return wanted, []
    async with transaction(work.pool) as connection:
        table, key = await kept_table(connection, work.tables.values(), known.values(), wanted)
    return table, [why_rows_stay(table, wanted, key)] if key is not None else []


def _but_what_is_read_again(before: Counts, counts: Counts) -> Counts:
    """What a data source came to that is read once more from its beginning: its rows count then, what it wrote now."""
    written = counts.inserted + counts.updated - before.inserted - before.updated
    return replace(counts, rows_read=before.rows_read, unchanged=before.unchanged - written)


def _says(counts: Counts, *, dry: bool) -> str:
    written = ((counts.inserted, "inserted"), (counts.updated, "updated"), (counts.removed, "removed"))
    changes = ", ".join(f"{count:,} {word}" for count, word in written if count)
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
