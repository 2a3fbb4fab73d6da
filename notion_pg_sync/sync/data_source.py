"""One data source: read whole or where it was edited, and what changed handed to its destination."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from notion_pg_sync.mirror.data_sources import DataSourceState, Stretch
from notion_pg_sync.mirror.runs import DatabaseRun
from notion_pg_sync.mirror.tables import text_sources
from notion_pg_sync.notion.cleaning import clean, storable_text
from notion_pg_sync.notion.client import JsonObject, NotionClient, QueryAnswer
from notion_pg_sync.notion.intervals import EARLIEST, LATEST, Interval, gaps
from notion_pg_sync.notion.listing import EditListing, FullListing, Query
from notion_pg_sync.notion.pages import Page, read_page
from notion_pg_sync.notion.people import User, users_in
from notion_pg_sync.notion.schema import assign_columns, schema_fingerprint, unknown_types, vanished_names
from notion_pg_sync.notion.splits import splits_of
from notion_pg_sync.sync.completing import complete_pages
from notion_pg_sync.sync.conversion import Conversion
from notion_pg_sync.sync.destination import Covered, Description, Destination, Place
from notion_pg_sync.sync.listener import Watched
from notion_pg_sync.sync.people import stored
from notion_pg_sync.sync.plan import FullRead, IncrementalRead, Known, Plan, plan_read
from notion_pg_sync.sync.reading import reading
from notion_pg_sync.sync.removing import FEW, MOST_ASKED, Verdicts, ask_for, held_back, is_too_much
from notion_pg_sync.sync.work import Work


class DataSourceSync:
    """The sync of one data source of a user; counts what it does in `run`."""

    def __init__(
        self, work: Work, client: NotionClient, place: Place, destination: Destination, run: DatabaseRun
    ) -> None:
        self._work = work
        self._client = client
        self._place = place
        self._destination = destination
        self._run = run
        self._watched = Watched(place.owner.user_id, place.owner.database_name, place.owner.database_id)
        self._conversion = Conversion([], text_sources(place.owner.database_name))
        self._schema: JsonObject = {}
        self._began_at = datetime.now(UTC)
        self._vanished: list[str] = []
        self._held_by_foreign_keys = 0
        self._users_told: set[User] = set()

    @property
    def notes(self) -> list[str]:
        """What a person should know of the rows that were read, a sentence each."""
        notes = self._conversion.notes()
        if self._vanished:
            notes.append(
                f"{', '.join(self._vanished)} vanished from the schema, which may only mean that a related database is "
                "no longer shared with the connection."
            )
        if unknown := unknown_types(self._schema):
            notes.append(f"properties of the type {', '.join(unknown)}, new to this version, are kept as JSON.")
        if self._held_by_foreign_keys:
            notes.append(
                f"{self._held_by_foreign_keys} rows left Notion but are kept, since foreign keys point at them."
            )
        return notes

    async def sync(self) -> None:
        """Syncs it.

        Raises `NotionError`, `ListingError`, `HeldBackError`, `LeaseLostError`, and what psycopg raises.
        """
        answer = await self._client.data_source(self._place.key.data_source_id)
        began_at = self._began_at = answer.asked_at or datetime.now(UTC)
        self._schema, _ = clean(answer.schema)
        described = Description(storable_text(answer.name), self._schema, schema_fingerprint(self._schema))
        state, known_columns = await self._destination.known()
        self._vanished = vanished_names(state.schema, self._schema) if state else []
        plan = self._plan(state, described.fingerprint, began_at)
        self._conversion.columns = assign_columns(self._schema, known_columns)
        begins = began_at if isinstance(plan, FullRead) and not plan.carries_on else None
        await self._destination.prepare(described, self._conversion.columns, state, begins)
        match plan:
            case FullRead():
                await self._read_whole(state.covered if state and plan.carries_on else [])
            case IncrementalRead(since):
                await self._read_edits(since, began_at, described, state)

    def _plan(self, state: DataSourceState | None, fingerprint: str, began_at: datetime) -> Plan:
        return plan_read(
            _known(state),
            fingerprint,
            self._place.table.qualified_name,
            began_at,
            full_every=self._work.settings.full_every,
            full_asked=self._work.settings.full,
        )

    async def _read_whole(self, covered: Sequence[Stretch]) -> None:
        """Reads what is not covered yet, and then removes what was not seen.

        Raises `HeldBackError` when that would be too much; all else is done by then.
        """
        self._run.mode = "full"
        await self._list_whole(covered)
        unseen = await self._destination.unseen()
        if len(unseen) > MOST_ASKED:
            # Not proof enough: listed once more, from the start, into what was seen.
            await self._list_whole([])
            unseen = await self._destination.unseen()
        too_much = not self._work.settings.allow_removal and await self._is_too_much(unseen)
        if unseen and not too_much:
            await self._remove(unseen)
        await self._destination.end_full_read(len(unseen) if too_much else 0)
        if too_much:
            raise held_back(self._place.owner.user_id, self._place.owner.database_name, len(unseen))

    async def _is_too_much(self, unseen: list[str]) -> bool:
        """Whether removing them needs somebody's word; the rows are counted only where that can matter."""
        return len(unseen) > FEW and is_too_much(len(unseen), await self._destination.count())

    async def _list_whole(self, covered: Sequence[Stretch]) -> None:
        readers = self._work.settings.concurrency
        left = gaps(_interval(stretch) for stretch in covered)
        listing = FullListing(left, splits_of(self._schema), readers=readers, now=self._began_at)
        async with reading(listing, self._ask, readers) as answers:
            async for batch in answers:
                pages = [
                    page
                    for answer, progress in batch
                    for page in map(read_page, answer.pages)
                    if page.created_at < progress.until
                ]
                stretches = [_stretch(progress.covered) for _, progress in batch if progress.covered]
                await self._write(pages, Covered([page.id for page in pages], stretches))

    async def _remove(self, unseen: list[str]) -> None:
        verdicts = Verdicts(left=dict.fromkeys(unseen, "missing"))
        if len(unseen) <= MOST_ASKED:
            verdicts = await ask_for(self._client, self._place.key.data_source_id, unseen)
        await self._write([read_page(page) for page in verdicts.still_there], None)
        kept = await self._destination.remove(verdicts.left)
        self._run.removed += len(verdicts.left) - len(kept)
        self._held_by_foreign_keys += len(kept)

    async def _read_edits(
        self, since: datetime, began_at: datetime, described: Description, state: DataSourceState | None
    ) -> None:
        """Reads what was edited; where a listing cannot prove that this is all, reads everything."""
        self._run.mode = self._run.mode or "incremental"
        listing = EditListing(since, began_at)
        inserted_before = self._run.inserted
        async with reading(listing, self._ask, self._work.settings.concurrency) as answers:
            async for batch in answers:
                pages = [
                    read_page(page)
                    for answer, unseen in batch
                    for page in answer.pages
                    if str(page.get("id")) in unseen
                ]
                await self._write(pages, None)
        if listing.gave_up:
            await self._destination.prepare(described, self._conversion.columns, state, began_at)
            await self._read_whole([])
            return
        await self._destination.advance_watermark(began_at, self._run.inserted - inserted_before)
        if state and state.held_back:
            raise held_back(self._place.owner.user_id, self._place.owner.database_name, state.held_back)

    async def _write(self, pages: Sequence[Page], covered: Covered | None) -> None:
        """Completes `pages` and hands their rows on, with what the batch stands for."""
        completed = await complete_pages(self._client, pages, self._schema)
        columns_changed = self._conversion.settle_types(completed)
        rows = self._conversion.rows_of(completed)
        columns = self._conversion.columns if columns_changed else None
        new_users = {user for page in completed for user in users_in(page.properties)} - self._users_told
        written = await self._destination.write(rows, columns, covered, stored(new_users))
        self._users_told |= new_users
        self._run.rows_read += written.inserted + written.updated + written.unchanged
        self._run.inserted += written.inserted
        self._run.updated += written.updated
        self._run.unchanged += written.unchanged
        self._run.requests = self._client.traffic.requests
        self._run.retries = self._client.traffic.retries
        self._work.listener.progressed(self._watched, self._run, waiting=self._client.pacer.is_waiting)

    async def _ask(self, query: Query) -> QueryAnswer:
        return await self._client.query(self._place.key.data_source_id, query.body(), self._work.settings.page_size)


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
