"""One data source: read whole or where it was edited, and what changed written to its sync table."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import UTC, datetime

from notion_pg_sync.mirror import data_sources
from notion_pg_sync.mirror.connection import Connection, transaction
from notion_pg_sync.mirror.data_sources import DataSourceKey, DataSourceState, StoredColumn, Stretch
from notion_pg_sync.mirror.removal import remove_pages, unseen_pages
from notion_pg_sync.mirror.rows import RowOwner, Written, claim_rows, count_rows, follow_database, move_rows, write_rows
from notion_pg_sync.mirror.runs import DatabaseRun
from notion_pg_sync.mirror.tables import table_for, text_sources
from notion_pg_sync.notion.cleaning import clean, storable_text
from notion_pg_sync.notion.client import JsonObject, NotionClient, QueryAnswer
from notion_pg_sync.notion.intervals import EARLIEST, LATEST, Interval, gaps
from notion_pg_sync.notion.listing import EditListing, FullListing, Query
from notion_pg_sync.notion.pages import Page, read_page
from notion_pg_sync.notion.schema import Column, assign_columns, schema_fingerprint
from notion_pg_sync.notion.splits import splits_of
from notion_pg_sync.sync.completing import complete_pages
from notion_pg_sync.sync.configuration import ConfiguredDatabase
from notion_pg_sync.sync.conversion import Conversion
from notion_pg_sync.sync.listener import Watched
from notion_pg_sync.sync.plan import FullRead, IncrementalRead, Known, Plan, plan_read
from notion_pg_sync.sync.reading import reading
from notion_pg_sync.sync.removing import MOST_ASKED, Verdicts, ask_for, held_back, is_too_much
from notion_pg_sync.sync.work import Work


class DataSourceSync:
    """The sync of one data source of a user, under the user's lease; counts what it does in `run`."""

    def __init__(
        self, work: Work, client: NotionClient, key: DataSourceKey, configured: ConfiguredDatabase, run: DatabaseRun
    ) -> None:
        self._work = work
        self._client = client
        self._key = key
        self._run = run
        self._watched = Watched(key.user_id, configured.name)
        self._table = table_for(configured.name, work.tables)
        self._owner = RowOwner(key.user_id, configured.database_id, configured.name, key.data_source_id)
        self._conversion = Conversion([], text_sources(configured.name))
        self._schema: JsonObject = {}
        self._held_back = 0
        self._held_by_foreign_keys = 0

    @property
    def notes(self) -> list[str]:
        """What a person should know of the rows that were read, a sentence each."""
        notes = self._conversion.notes()
        if self._held_by_foreign_keys:
            notes.append(
                f"{self._held_by_foreign_keys} rows left Notion but are kept, since foreign keys point at them."
            )
        return notes

    async def sync(self) -> None:
        """Syncs it. Raises `NotionError`, `ListingError`, `LeaseLostError`, and what psycopg raises."""
        answer = await self._client.data_source(self._key.data_source_id)
        began_at = answer.asked_at or datetime.now(UTC)
        self._schema, _ = clean(answer.schema)
        plan, covered = await self._prepare(storable_text(answer.name), began_at)
        match plan:
            case FullRead():
                self._run.mode = "full"
                await self._read_whole(covered)
            case IncrementalRead(since):
                self._run.mode = self._run.mode or "incremental"
                await self._read_edits(since, began_at)

    async def _prepare(self, name: str, began_at: datetime) -> tuple[Plan, Sequence[Stretch]]:
        """Plans, and records schema, columns, and the beginning of a full read, all in one transaction.

        Returns the plan, and the creation times that a full read under way has covered.
        """
        fingerprint = schema_fingerprint(self._schema)
        async with self._work.writing_for(self._key.user_id) as connection:
            state = await data_sources.load_state(connection, self._key)
            plan = plan_read(
                _known(state),
                fingerprint,
                self._table.qualified_name,
                began_at,
                full_every=self._work.settings.full_every,
                full_asked=self._work.settings.full,
            )
            await data_sources.save_schema(
                connection,
                self._key,
                database_id=self._owner.database_id,
                name=name,
                sync_table=self._table.qualified_name,
                schema=self._schema,
                fingerprint=fingerprint,
            )
            await self._follow(connection, state)
            known = [Column(**asdict(column)) for column in await data_sources.load_columns(connection, self._key)]
            self._conversion.columns = assign_columns(self._schema, known)
            if self._conversion.columns != known:
                await self._save_columns(connection)
            if not isinstance(plan, FullRead):
                return plan, []
            if plan.carries_on and state is not None:
                return plan, state.covered
            await data_sources.begin_full_read(connection, self._key, began_at)
            return plan, []

    async def _read_whole(self, covered: Sequence[Stretch]) -> None:
        """Reads what is not covered yet, and then removes what was not seen.

        Raises `HeldBackError` when that would be too much; all else is done by then.
        """
        await self._list_whole(covered)
        unseen = await self._unseen()
        if len(unseen) > MOST_ASKED:
            # Not proof enough: listed once more, from the start, into what was seen.
            await self._list_whole([])
            unseen = await self._unseen()
        row_count = await self._row_count()
        too_much = is_too_much(len(unseen), row_count) and not self._work.settings.allow_removal
        if unseen and not too_much:
            await self._remove(unseen)
        async with self._work.writing_for(self._key.user_id) as connection:
            row_count = await count_rows(connection, self._table, self._owner)
            held = len(unseen) if too_much else 0
            await data_sources.end_full_read(connection, self._key, row_count, held_back=held)
        if too_much:
            raise held_back(self._key.user_id, self._owner.database_name, len(unseen))

    async def _follow(self, connection: Connection, state: DataSourceState | None) -> None:
        """Lets the rows follow a database that has another name now, which may be another table's."""
        await claim_rows(connection, self._table, self._owner)
        if state is None:
            return
        self._held_back = state.held_back
        origin = self._work.table_named(state.sync_table)
        if origin is not None and origin != self._table:
            await move_rows(connection, origin, self._table, self._owner)
        await follow_database(connection, self._table, self._owner)

    async def _list_whole(self, covered: Sequence[Stretch]) -> None:
        listing = FullListing(gaps(_interval(stretch) for stretch in covered), splits_of(self._schema))
        async with reading(listing, self._ask, self._work.settings.concurrency) as answers:
            async for answer, interval in answers:
                pages = [read_page(page) for page in answer.pages]
                stretches = [_stretch(interval)] if interval else []
                async with self._writing(pages) as connection:
                    await data_sources.record_full_read(connection, self._key, [page.id for page in pages], stretches)

    async def _unseen(self) -> list[str]:
        async with transaction(self._work.pool) as connection:
            return await unseen_pages(connection, self._table, self._key)

    async def _row_count(self) -> int:
        async with transaction(self._work.pool) as connection:
            return await count_rows(connection, self._table, self._owner)

    async def _remove(self, unseen: list[str]) -> None:
        verdicts = Verdicts(left=dict.fromkeys(unseen, "missing"))
        if len(unseen) <= MOST_ASKED:
            verdicts = await ask_for(self._client, self._key.data_source_id, unseen)
        async with self._writing([read_page(page) for page in verdicts.still_there]) as connection:
            kept = await remove_pages(connection, self._table, self._key, verdicts.left)
        self._run.removed += len(verdicts.left) - len(kept)
        self._held_by_foreign_keys += len(kept)

    async def _read_edits(self, since: datetime, began_at: datetime) -> None:
        listing = EditListing(since, began_at)
        async with reading(listing, self._ask, self._work.settings.concurrency) as answers:
            async for answer, unseen in answers:
                async with self._writing([read_page(page) for page in answer.pages if page.get("id") in unseen]):
                    pass
        if listing.gave_up:
            async with self._work.writing_for(self._key.user_id) as connection:
                await data_sources.begin_full_read(connection, self._key, began_at)
            self._run.mode = "full"
            await self._read_whole([])
            return
        async with self._work.writing_for(self._key.user_id) as connection:
            row_count = await count_rows(connection, self._table, self._owner)
            await data_sources.advance_watermark(connection, self._key, began_at, row_count)
        if self._held_back:
            raise held_back(self._key.user_id, self._owner.database_name, self._held_back)

    @asynccontextmanager
    async def _writing(self, pages: Sequence[Page]) -> AsyncIterator[Connection]:
        """Completes `pages` and writes them; what the block records is of the same transaction."""
        completed = await complete_pages(self._client, pages, self._schema)
        columns_changed = self._conversion.settle_types(completed)
        rows = self._conversion.rows_of(completed)
        async with self._work.writing_for(self._key.user_id) as connection:
            if columns_changed:
                await self._save_columns(connection)
            written = await write_rows(connection, self._table, self._owner, rows)
            yield connection
        self._count(written)

    async def _save_columns(self, connection: Connection) -> None:
        columns = [StoredColumn(**asdict(column)) for column in self._conversion.columns]
        await data_sources.save_columns(connection, self._key, columns)

    async def _ask(self, query: Query) -> QueryAnswer:
        return await self._client.query(self._key.data_source_id, query.body(), self._work.settings.page_size)

    def _count(self, written: Written) -> None:
        self._run.rows_read += written.inserted + written.updated + written.unchanged
        self._run.inserted += written.inserted
        self._run.updated += written.updated
        self._run.unchanged += written.unchanged
        self._run.requests = self._client.traffic.requests
        self._run.retries = self._client.traffic.retries
        self._work.listener.progressed(self._watched, self._run, waiting=self._client.pacer.is_waiting)


def _known(state: DataSourceState | None) -> Known | None:
    if state is None:
        return None
    return Known(
        state.schema_fingerprint,
        state.sync_table,
        state.row_count,
        state.watermark,
        state.full_read_at,
        state.full_read_started_at,
    )


def _interval(stretch: Stretch) -> Interval:
    start, end = stretch
    return Interval(start or EARLIEST, end or LATEST)


def _stretch(interval: Interval) -> Stretch:
    return (
        None if interval.start == EARLIEST else interval.start,
        None if interval.end == LATEST else interval.end,
    )
