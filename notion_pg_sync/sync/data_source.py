"""One data source: read whole or where it was edited, and what changed written to its sync table."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import UTC, datetime

from notion_pg_sync.mirror import data_sources
from notion_pg_sync.mirror.connection import Connection
from notion_pg_sync.mirror.data_sources import DataSourceKey, DataSourceState, StoredColumn, Stretch
from notion_pg_sync.mirror.rows import RowOwner, Written, count_rows, write_rows
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

    @property
    def notes(self) -> list[str]:
        """What a person should know of the rows that were read, a sentence each."""
        return self._conversion.notes()

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
        listing = FullListing(gaps(_interval(stretch) for stretch in covered), splits_of(self._schema))
        async with reading(listing, self._ask, self._work.settings.concurrency) as answers:
            async for answer, interval in answers:
                pages = [read_page(page) for page in answer.pages]
                stretches = [_stretch(interval)] if interval else []
                async with self._writing(pages) as connection:
                    await data_sources.record_full_read(connection, self._key, [page.id for page in pages], stretches)
        async with self._work.writing_for(self._key.user_id) as connection:
            row_count = await count_rows(connection, self._table, self._owner)
            await data_sources.end_full_read(connection, self._key, row_count)

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
        state.schema_fingerprint, state.row_count, state.watermark, state.full_read_at, state.full_read_started_at
    )


def _interval(stretch: Stretch) -> Interval:
    start, end = stretch
    return Interval(start or EARLIEST, end or LATEST)


def _stretch(interval: Interval) -> Stretch:
    return (
        None if interval.start == EARLIEST else interval.start,
        None if interval.end == LATEST else interval.end,
    )
