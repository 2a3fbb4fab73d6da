"""Where the rows of one data source go: into the mirror, or nowhere, in a dry run that only says what it would do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

import psycopg
from msgspec import Struct, field
from msgspec.structs import replace

from notion_pg_sync.core.columns import Column
from notion_pg_sync.core.errors import ErrorCode, ToolError
from notion_pg_sync.core.hosted_files import PLACES_OF_PAGES
from notion_pg_sync.core.intervals import Interval
from notion_pg_sync.core.left_out import LeftOut, UnreadMinute
from notion_pg_sync.core.users import User
from notion_pg_sync.core.wording import plural
from notion_pg_sync.mirror import data_sources, runs
from notion_pg_sync.mirror.accounts import record_title
from notion_pg_sync.mirror.connection import Connection, current_time, retried, transaction
from notion_pg_sync.mirror.data_sources import DataSourceKey, DataSourceRecord, DataSourceState, NamedView
from notion_pg_sync.mirror.exclusions import Purged, count_excluded, purge, save_exclusions
from notion_pg_sync.mirror.left_out import settle_left_out, settle_minutes
from notion_pg_sync.mirror.people import known_users, save_users
from notion_pg_sync.mirror.refusals import Trigger, is_about_values, refusal, triggers_of
from notion_pg_sync.mirror.reliance import Names
from notion_pg_sync.mirror.removal import Reason, Removed, created_in, pages_of, remove_pages, unseen_pages
from notion_pg_sync.mirror.row_counts import change_row_counts, settle_row_count
from notion_pg_sync.mirror.rows import (
    Written,
    claim_rows,
    compare_rows,
    count_rows,
    count_withheld,
    follow_database,
    move_rows,
    withheld_of,
    write_rows,
)
from notion_pg_sync.mirror.runs import Counts, Mode
from notion_pg_sync.mirror.search_documents import (
    delete_strays,
    is_all_seen,
    stale_pages,
    write_documents,
    write_missing_documents,
)
from notion_pg_sync.mirror.sent_rows import Row, RowOwner
from notion_pg_sync.mirror.stored_rows import pages_as_noted, void_notes
from notion_pg_sync.mirror.tables import SyncTable
from notion_pg_sync.notion.cleaning import CONVERSION_VERSION
from notion_pg_sync.notion.column_names import view_name
from notion_pg_sync.notion.exclusion import NOTHING, Exclusion, without
from notion_pg_sync.sync.files.naming import take_in_files
from notion_pg_sync.sync.files.rehearsing import note_due
from notion_pg_sync.sync.rows.changes import PageHistorian
from notion_pg_sync.sync.run.context import RunContext

# So many rows of a batch that PostgreSQL refuses are left out one by one. Where it refuses more, it is no odd row.
MAX_REFUSED_ROWS = 20


class RowRefusedError(ToolError):
    """PostgreSQL refuses rows; `code` is its own."""

    def __init__(self, message: str, code: str | None) -> None:
        super().__init__(message)
        self.code = code or ErrorCode.POSTGRESQL


class SyncTarget(Struct, frozen=True):
    """Whose rows they are, in which table, and what Notion calls their database; None: it was not asked.

    `keeps_files`: whether the files that its pages name are kept.
    """

    owner: RowOwner
    table: SyncTable
    database_title: str | None = None
    keeps_files: bool = False

    @property
    def key(self) -> DataSourceKey:
        """The data source."""
        return DataSourceKey(self.owner.user_id, self.owner.data_source_id)


class Description(Struct, frozen=True):
    """What Notion says of the data source itself."""

    name: str
    schema: dict[str, object]
    fingerprint: str


class ReadProgress(Struct, frozen=True):
    """What a batch of a full read stands for: the pages it saw, and the creation times that are complete with it.

    `is_second`: it is of the listing that confirms what the first did not see. `ends`: no other is of its listing.
    """

    page_ids: Sequence[str]
    stretches: Sequence[Interval]
    is_second: bool = False
    ends: bool = False

    def of_part(self, page_ids: Sequence[str], *, is_last: bool) -> ReadProgress:
        """What a part of the batch stands for, the pages `page_ids`: no creation time is complete before the last."""
        if is_last:
            return replace(self, page_ids=page_ids)
        return replace(self, page_ids=page_ids, stretches=[], ends=False)


class EditProgress(Struct, frozen=True):
    """What a batch of an incremental read stands for: the next one may begin as for this watermark.

    `ends`: no other is of its listing.
    """

    watermark: datetime
    ends: bool = False

    def of_part(self, _: Sequence[str], *, is_last: bool) -> EditProgress | None:
        """What a part of the batch stands for: nothing before the last."""
        return self if is_last else None


class AsNoted(Struct, frozen=True):
    """The pages that are as they are noted, and the users who are known, all by their ids."""

    pages: set[str] = field(default_factory=set)
    users: set[str] = field(default_factory=set)


class _Waiting(Struct, frozen=True):
    """A batch of which no row has to be written: what it stands for, and what it comes to."""

    progress: ReadProgress | EditProgress
    written: Written


class RowSink(Protocol):
    """What the sync of a data source needs of where its rows go. Every method may raise what psycopg raises.

    `refused`: the pages whose rows PostgreSQL refused, by id, and why; all others are written.
    """

    refused: dict[str, LeftOut]

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know, a sentence each."""

    @property
    def is_behind(self) -> bool:
        """Whether something that was taken in is recorded only with what comes next."""

    async def exclude(self, exclusion: Exclusion) -> Purged:
        """Takes in what is excluded, and that out of all that is there; before anything else."""

    async def known(self) -> tuple[DataSourceState | None, list[Column], datetime]:
        """What earlier runs recorded: the state, None before the first sync, and the columns; and PostgreSQL's time."""

    async def prepare(
        self,
        described: Description,
        columns: Sequence[Column],
        state: DataSourceState | None,
        begins: datetime | None,
        *,
        may_wait: bool = False,
    ) -> None:
        """Takes in schema and columns; `begins`: when a new full read begins, by Notion's clock.

        `may_wait`: if that is all that is new, it may be recorded together with what is written first.
        """

    async def as_noted(self, answer_hashes: Mapping[str, str], users: Collection[str]) -> AsNoted:
        """The pages whose answers (their hashes by page id) are as they were, with their rows, and who is known."""

    async def write(
        self,
        rows: Sequence[Row],
        columns: Sequence[Column] | None,
        progress: ReadProgress | EditProgress | None,
        users: Sequence[User] = (),
        left: Sequence[LeftOut] | None = None,
        *,
        unchanged: int = 0,
        may_be_older: bool = False,
        knows_answers: bool = True,
    ) -> Written:
        """Takes in a batch, with the progress that it stands for, `columns` where they changed, and whom it names.

        `left`: what was left out of it; None where that is nothing, now and before. `unchanged`: how many more pages
        there were, all as they are noted. `may_be_older`: rows are taken in even where what is stored is of a later
        edit. Without `knows_answers` no listing answered the pages: what is noted of its answers stays.
        """

    async def unseen(self) -> list[str]:
        """The pages that the full read under way has not seen."""

    async def created_in(self, page_ids: Sequence[str], minutes: Sequence[datetime]) -> dict[str, datetime]:
        """Those of these pages that were created in one of the minutes, by id, with the minute."""

    async def count(self) -> int:
        """How many rows of the data source there are."""

    async def withheld(self) -> int:
        """How many rows are missing since a trigger keeps them out."""

    async def remove(self, reasons: Mapping[str, Reason]) -> list[str]:
        """Removes pages, and returns those that could not be, since a foreign key holds them."""

    async def end_if_all_seen(self) -> bool:
        """Takes in that the full read is complete where it has seen all pages that there are; whether it has."""

    async def end_full_read(self, held_back: int) -> None:
        """Takes in that the full read is complete, `held_back` rows aside."""

    async def note_unread(self, minutes: Sequence[UnreadMinute]) -> None:
        """Takes in all minutes in which pages are left out of which not even the ids are known."""

    async def note_unfit(self, counts: Mapping[str, int], *, is_whole: bool) -> None:
        """Takes in how many values of columns do not fit their types; `is_whole`: everything was read for it."""

    async def drop_full_read(self) -> None:
        """Takes back that a full read has begun."""

    async def end_edits(self, watermark: datetime, unsure: timedelta) -> None:
        """Takes in that an incremental read is complete, but for edits of the time `unsure` before it began."""


class PostgresSink(Struct):
    """The sync table and the bookkeeping; every write is a transaction that holds the user's lease.

    `known_before`: what is known of the data source, where that was looked up before. `may_have_unclaimed`: the table
    may have rows of the user's that are of no data source yet. `recorded`: the columns as they are recorded;
    `known_at`: when that was looked up, by PostgreSQL's clock. `has_documents`: search knows of some rows, and
    `has_old_documents`: by other types of columns. `has_history`: changes of rows are recorded.

    What waits for the next transaction, since a short one of its own is what most of a small sync would consist of:
    `begins`, when a full read begins; `is_taken_over`, whether the rows that were there before are (not: they are to
    be); `waiting`, the last batch of a listing, where all of its pages are as they were.
    """

    work: RunContext
    place: SyncTarget
    known_before: DataSourceState | None = None
    may_have_unclaimed: bool = True
    notes: tuple[str, ...] = ()
    recorded: Sequence[Column] = ()
    known_at: datetime | None = None
    has_documents: bool = False
    has_old_documents: bool = False
    begins: datetime | None = None
    is_taken_over: bool = True
    waiting: _Waiting | None = None
    has_history: bool = False
    refused: dict[str, LeftOut] = field(default_factory=dict)

    @property
    def is_behind(self) -> bool:
        """See `RowSink`."""
        return self.waiting is not None

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[Connection]:
        """A transaction that holds the lease, in which what waited for it is recorded first."""
        async with self.work.writing_for(self.place.owner.user_id) as connection:
            if self.begins is not None:
                await self._begin(connection, self.begins)
            if self.waiting is not None:
                await self._record_progress(connection, self.waiting.progress, self.waiting.written)
            if not self.is_taken_over:
                await self._take_over(connection)
            yield connection
        self.begins, self.is_taken_over, self.waiting = None, True, None

    async def _begin(self, connection: Connection, begins: datetime) -> None:
        await data_sources.begin_full_read(
            connection,
            self.place.key,
            begins,
            CONVERSION_VERSION,
            as_of=self.known_at or await current_time(connection),
            table_shape=self.place.table.shape,
        )

    async def _take_over(self, connection: Connection) -> None:
        owner = self.place.owner
        if self.place.database_title is not None:
            await record_title(connection, owner.user_id, owner.database_id, self.place.database_title)
        await claim_rows(connection, self.place.table, owner)

    @retried
    async def exclude(self, exclusion: Exclusion) -> Purged:
        """See `RowSink`. One transaction: it is recorded as met once nothing of it is left."""
        owner, tables = self.place.owner, list(self.work.tables.values())
        # What lies in a table that cannot be written cannot be purged either.
        await _known(self.work, self.place)
        async with self.work.writing_for(owner.user_id) as connection:
            purged = await purge(connection, tables, self.place.key, owner.database_id, exclusion.covers)
            await save_exclusions(connection, owner.user_id, owner.database_id, exclusion.entries)
        return purged

    async def known(self) -> tuple[DataSourceState | None, list[Column], datetime]:
        """See `RowSink`."""
        before, self.known_before = self.known_before, None
        state, columns, now = await _known(self.work, self.place, before)
        self.has_documents = state is not None
        self.has_history = state is not None and state.history_since is not None
        self.recorded, self.known_at = columns, now
        return state, columns, now

    async def prepare(
        self,
        described: Description,
        columns: Sequence[Column],
        state: DataSourceState | None,
        begins: datetime | None,
        *,
        may_wait: bool = False,
    ) -> None:
        """See `RowSink`. Rows that were elsewhere, or under another name, follow."""
        if may_wait and state is not None and self.is_as_recorded(described, columns, state):
            self.begins = begins
            self.is_taken_over = self.place.database_title is None and not self.may_have_unclaimed
            return
        await self._prepare(described, columns, state, begins)
        self.recorded = list(columns)
        name = self.place.owner.database_name
        if state is not None and state.database_name != name:
            self.notes = (f"its name was {state.database_name!r} and is {name!r} now: its rows and its view follow.",)
        if state is None or not state.is_searchable:
            await self._make_all_searchable()

    @retried
    async def _prepare(
        self, described: Description, columns: Sequence[Column], state: DataSourceState | None, begins: datetime | None
    ) -> None:
        place = self.place
        async with self._writing() as connection:
            name = await self._view_name(connection, state)
            record = self._record(described, name)
            if state is None or record != state.record:
                await data_sources.save_record(connection, place.key, record)
            if state is not None and state.view_name != name:
                owner = place.owner
                await data_sources.rename_view(connection, owner.user_id, owner.database_id, state.view_name, name)
            await self._save_columns(connection, columns)
            await self._take_over(connection)
            await self._follow(connection, state)
            if state is not None and not state.is_history_settled:
                self.has_history = await data_sources.settle_history(connection, place.key)
            if begins is not None:
                if state is not None and state.table_shape != place.table.shape:
                    await void_notes(connection, place.key)
                await self._begin(connection, begins)

    def is_as_recorded(self, described: Description, columns: Sequence[Column], state: DataSourceState) -> bool:
        """Whether all that is known of the data source but its rows is as it was."""
        return (
            self._record(described, state.view_name) == state.record
            and not state.is_view_taken
            and state.is_searchable
            and state.is_history_settled
            and state.table_shape == self.place.table.shape
            and set(columns) <= set(self.recorded)
        )

    def _record(self, described: Description, view_name: str) -> DataSourceRecord:
        owner = self.place.owner
        return DataSourceRecord(
            database_id=owner.database_id,
            database_name=owner.database_name,
            view_name=view_name,
            name=described.name,
            sync_table=self.place.table.qualified_name,
            schema=described.schema,
            schema_fingerprint=described.fingerprint,
            database_id_as_written=owner.database_id_as_written,
        )

    async def _view_name(self, connection: Connection, state: DataSourceState | None) -> str:
        """The name of the database's view: kept as long as its own is, and never another's of the same user."""
        owner = self.place.owner
        is_same = state is not None and (state.database_id, state.database_name) == (
            owner.database_id,
            owner.database_name,
        )
        if state is not None and is_same and not state.is_view_taken:
            return state.view_name
        return given_view_name(owner, await data_sources.views_of(connection, owner.user_id))

    async def as_noted(self, answer_hashes: Mapping[str, str], users: Collection[str]) -> AsNoted:
        """See `RowSink`."""
        return await _as_noted(self.work, self.place, answer_hashes, users)

    async def write(
        self,
        rows: Sequence[Row],
        columns: Sequence[Column] | None,
        progress: ReadProgress | EditProgress | None,
        users: Sequence[User] = (),
        left: Sequence[LeftOut] | None = None,
        *,
        unchanged: int = 0,
        may_be_older: bool = False,
        knows_answers: bool = True,
    ) -> Written:
        """See `RowSink`. Raises `RowRefusedError` where PostgreSQL refuses more than `MAX_REFUSED_ROWS` of the rows."""
        for row in rows:
            self.refused.pop(row.page_id, None)
        is_empty = not (rows or columns is not None or users or left is not None)
        if progress and progress.ends and is_empty and not self.waiting:
            self.waiting = _Waiting(progress, Written(unchanged=unchanged))
            return self.waiting.written
        write = partial(self._write, unchanged=unchanged, may_be_older=may_be_older, knows_answers=knows_answers)
        try:
            return await write(rows, columns, progress, users, left)
        except psycopg.Error as error:
            triggers = await self._triggers()
            if not is_about_values(error, triggers):
                raise
            refused = await self._refused(rows, triggers)
            if not 0 < len(refused) <= MAX_REFUSED_ROWS:
                first = next(iter(refused.values()), None)
                said = first.message if first else refusal(error, self.place.table, triggers, None)
                raise RowRefusedError(said, error.sqlstate) from error
        accepted = [row for row in rows if row.page_id not in refused]
        left = [*(left or ()), *refused.values()]
        written = await write(accepted, columns, progress, users, left)
        self.refused |= refused
        return written

    @retried
    async def _write(
        self,
        rows: Sequence[Row],
        columns: Sequence[Column] | None,
        progress: ReadProgress | EditProgress | None,
        users: Sequence[User],
        left: Sequence[LeftOut] | None,
        *,
        unchanged: int,
        may_be_older: bool,
        knows_answers: bool,
    ) -> Written:
        place = self.place
        async with self._writing() as connection:
            if columns is not None:
                await self._save_columns(connection, columns)
            if users:
                # Before the rows, which search finds by the names.
                await save_users(connection, place.owner.user_id, users)
            written = Written(unchanged=unchanged)
            if rows:
                known = self.recorded if columns is None else columns
                historian = PageHistorian(place.owner.data_source_id, known, is_recording=self.has_history)
                written = await write_rows(
                    connection,
                    place.table,
                    place.owner,
                    rows,
                    may_be_older=may_be_older,
                    knows_answers=knows_answers,
                    historian=historian,
                )
                written.unchanged += unchanged
                if place.keeps_files:
                    await self._take_in_files(connection, rows, written)
            if left is not None:
                await settle_left_out(connection, place.key, [row.page_id for row in rows], left)
            if not isinstance(progress, ReadProgress) and (changes := _row_count_changes(place.key, written)):
                await change_row_counts(connection, place.owner.user_id, changes)
            await self._record_progress(connection, progress, written)
        self.recorded = list(columns) if columns is not None else self.recorded
        self.has_documents = True
        return written

    async def _take_in_files(self, connection: Connection, rows: Sequence[Row], written: Written) -> None:
        """Records which files pages name, but for those that stay as they are, and those that have no row."""
        place = self.place
        without = set(written.older)
        if not place.table.stores_what_is_sent:
            without |= await withheld_of(connection, place.key, [row.page_id for row in rows])
        recorded = [row for row in rows if row.page_id not in without]
        by_page = {row.page_id: row.files for row in recorded}
        not_whole = {row.page_id: row.not_whole for row in recorded if row.not_whole}
        await take_in_files(connection, self.work.addresses, place.key, by_page, PLACES_OF_PAGES, not_whole=not_whole)

    async def _record_progress(
        self, connection: Connection, progress: ReadProgress | EditProgress | None, written: Written
    ) -> None:
        """Records what a batch stands for, and what it came to."""
        key = self.place.key
        if isinstance(progress, ReadProgress):
            await data_sources.record_full_read(
                connection, key, progress.page_ids, progress.stretches, is_second=progress.is_second
            )
        elif progress is not None:
            await data_sources.advance_watermark(connection, key, progress.watermark)
        await self._count(connection, progress, counts_of(written))

    async def _triggers(self) -> list[Trigger]:
        async with transaction(self.work.pool) as connection:
            return await triggers_of(connection, self.place.table)

    async def _refused(self, rows: Sequence[Row], triggers: Sequence[Trigger]) -> dict[str, LeftOut]:
        """The pages whose rows PostgreSQL refuses, and why."""
        errors: dict[str, psycopg.Error] = {}
        await self._try_out(rows, [], errors)
        return {
            page_id: LeftOut(page_id, "", one.sqlstate or "", refusal(one, self.place.table, triggers, page_id))
            for page_id, one in errors.items()
        }

    async def _try_out(self, rows: Sequence[Row], accepted: list[Row], refused: dict[str, psycopg.Error]) -> None:
        """Sorts rows into those that PostgreSQL accepts together, and those that it refuses beside them."""
        if len(refused) > MAX_REFUSED_ROWS:
            return
        error = await self._error_of([*accepted, *rows])
        if error is None:
            accepted.extend(rows)
        elif len(rows) == 1:
            refused[rows[0].page_id] = error
        else:
            middle = len(rows) // 2
            await self._try_out(rows[:middle], accepted, refused)
            await self._try_out(rows[middle:], accepted, refused)

    @retried
    async def _error_of(self, rows: Sequence[Row]) -> psycopg.Error | None:
        """Why PostgreSQL refuses these rows, None where it does not; nothing of it is kept."""
        try:
            async with (
                self.work.writing_for(self.place.owner.user_id) as connection,
                connection.transaction(force_rollback=True),
            ):
                await write_rows(connection, self.place.table, self.place.owner, rows, may_be_older=True)
                with connection.as_application():
                    await connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
        except psycopg.OperationalError:
            raise
        except psycopg.Error as error:
            return error
        return None

    @retried
    async def unseen(self) -> list[str]:
        """See `RowSink`."""
        async with self._writing() as connection:
            return await unseen_pages(connection, self.place.table, self.place.key)

    async def created_in(self, page_ids: Sequence[str], minutes: Sequence[datetime]) -> dict[str, datetime]:
        """See `RowSink`."""
        async with transaction(self.work.pool) as connection:
            return await created_in(connection, self.place.table, self.place.key, page_ids, minutes)

    async def count(self) -> int:
        """See `RowSink`."""
        async with transaction(self.work.pool) as connection:
            return await count_rows(connection, self.place.table, self.place.owner)

    async def withheld(self) -> int:
        """See `RowSink`."""
        return await _withheld(self.work, self.place)

    async def remove(self, reasons: Mapping[str, Reason]) -> list[str]:
        """See `RowSink`."""
        return (await self._remove(reasons, settles_count=False)).held

    async def remove_alone(self, reasons: Mapping[str, Reason]) -> Removed:
        """Removes pages that no full read missed, so that none settles how many rows there should be."""
        return await self._remove(reasons, settles_count=True)

    @retried
    async def _remove(self, reasons: Mapping[str, Reason], *, settles_count: bool) -> Removed:
        async with self._writing() as connection:
            historian = PageHistorian(self.place.key.data_source_id, ())
            removed = await remove_pages(connection, self.place.table, self.place.key, reasons, historian)
            if settles_count and removed.rows:
                key = self.place.key
                await change_row_counts(connection, key.user_id, {key.data_source_id: -removed.rows})
            await self._count(connection, None, Counts(removed=removed.rows))
        return removed

    async def _count(
        self, connection: Connection, progress: ReadProgress | EditProgress | None, counts: Counts
    ) -> None:
        mode: Mode | None = "full" if isinstance(progress, ReadProgress) else "incremental" if progress else None
        owner = self.place.owner
        await runs.count_rows(connection, self.work.runid, owner.user_id, owner.database_id, mode=mode, counts=counts)

    async def end_if_all_seen(self) -> bool:
        """See `RowSink`. Also not where search does not read of the rows what it should, which takes batches."""
        return not self.has_old_documents and await self._end_if_all_seen()

    @retried
    async def _end_if_all_seen(self) -> bool:
        async with self._writing() as connection:
            if not await is_all_seen(connection, self.place.table, self.place.key):
                return False
            await self._end(connection, held_back=0)
        return True

    async def end_full_read(self, held_back: int) -> None:
        """See `RowSink`. What search reads of the rows is then as it should be, too."""
        if self.has_old_documents:
            await self._make_all_searchable()
        await self._restore_documents()
        await self._end_full_read(held_back)

    @retried
    async def _end_full_read(self, held_back: int) -> None:
        async with self._writing() as connection:
            await self._end(connection, held_back=held_back)

    async def _end(self, connection: Connection, *, held_back: int) -> None:
        table, key = self.place.table, self.place.key
        row_count = await settle_row_count(connection, table, key)
        await delete_strays(connection, table, key)
        self.has_history = await data_sources.end_full_read(connection, key, row_count, held_back=held_back)

    @retried
    async def note_unread(self, minutes: Sequence[UnreadMinute]) -> None:
        """See `RowSink`."""
        async with self._writing() as connection:
            await settle_minutes(connection, self.place.key, minutes)

    @retried
    async def note_unfit(self, counts: Mapping[str, int], *, is_whole: bool) -> None:
        """See `RowSink`."""
        async with self._writing() as connection:
            await data_sources.note_unfit(connection, self.place.key, counts, is_whole=is_whole)

    @retried
    async def drop_full_read(self) -> None:
        """See `RowSink`."""
        async with self._writing() as connection:
            await data_sources.drop_full_read(connection, self.place.key)

    async def end_edits(self, watermark: datetime, unsure: timedelta) -> None:
        """See `RowSink`. Search knows all columns that hold text by then."""
        if self.has_old_documents:
            await self._make_all_searchable()
        await self._end_edits(watermark, unsure)

    @retried
    async def _end_edits(self, watermark: datetime, unsure: timedelta) -> None:
        async with self._writing() as connection:
            await data_sources.end_edits(connection, self.place.key, watermark, unsure=unsure)

    async def _save_columns(self, connection: Connection, columns: Sequence[Column]) -> None:
        recorded = set(self.recorded)
        await data_sources.save_columns(connection, self.place.key, [one for one in columns if one not in recorded])
        types = _types_of(columns)
        if self.has_documents and any(types.get(part) != type_ for part, type_ in _types_of(self.recorded).items()):
            # Search reads the columns of text.
            await data_sources.await_search(connection, self.place.key)
            self.has_old_documents = True

    async def _make_all_searchable(self) -> None:
        last: str | None = ""
        while last is not None:
            last = await self._make_searchable(last)
            self.has_documents = self.has_documents or last is not None

    @retried
    async def _make_searchable(self, last: str) -> str | None:
        """Takes a batch of rows, those behind the page `last`, into the search, where it does not know all."""
        async with self._writing() as connection:
            return await write_missing_documents(connection, self.place.table, self.place.key, last)

    async def _restore_documents(self) -> None:
        """Writes again what search reads of rows, where somebody else changed or deleted it."""
        last: str | None = ""
        while last is not None:
            last = await self._restore_batch(last)

    @retried
    async def _restore_batch(self, last: str) -> str | None:
        """The same for a batch of pages behind `last`; returns the last of them, None where there was none."""
        place = self.place
        async with self._writing() as connection:
            stale = await stale_pages(connection, place.table, place.key, last)
            if not stale:
                return None
            await write_documents(connection, place.table, place.key, stale)
        return stale[-1]

    async def _follow(self, connection: Connection, state: DataSourceState | None) -> None:
        if state is None:
            return
        origin = self.work.table_named(state.sync_table)
        if origin is not None and origin != self.place.table:
            await move_rows(connection, origin, self.place.table, self.place.owner)
        former_id = state.database_id_as_written or state.database_id
        owner = self.place.owner
        if (former_id, state.database_name) != (owner.written_database_id, owner.database_name):
            await follow_database(connection, self.place.table, owner, former_id)


class DryRunSink(Struct):
    """A dry run: compares with the mirror, counts, and writes nothing; what a full read saw is kept in memory."""

    work: RunContext
    place: SyncTarget
    seen: set[str] = field(default_factory=set)
    new_columns: list[str] = field(default_factory=list)
    trusts_notes: bool = True
    refused: dict[str, LeftOut] = field(default_factory=dict)
    excluded: Exclusion = NOTHING

    @property
    def is_behind(self) -> bool:
        """See `RowSink`: nothing is recorded."""
        return False

    @property
    def notes(self) -> tuple[str, ...]:
        """What a real run would change beside rows."""
        return (f"It would add the columns {', '.join(self.new_columns)}.",) if self.new_columns else ()

    async def exclude(self, exclusion: Exclusion) -> Purged:
        """See `RowSink`."""
        owner, tables = self.place.owner, list(self.work.tables.values())
        state, columns, _ = await _known(self.work, self.place)
        self.excluded = exclusion
        names = {one.property_name for one in columns if exclusion.covers(one.property_id, one.property_name)}
        names |= (state.schema.keys() - without(state.schema, exclusion).keys()) if state else set()
        if not names:
            return Purged()
        async with transaction(self.work.pool) as connection:
            rows = await count_excluded(connection, tables, self.place.key, owner.database_id, exclusion.covers)
        return Purged(tuple(sorted(names)), rows)

    async def known(self) -> tuple[DataSourceState | None, list[Column], datetime]:
        """See `RowSink`. A full read that is under way is rehearsed from its beginning."""
        state, columns, now = await _known(self.work, self.place)
        if state is not None:
            state = replace(state.without_progress(), schema=without(state.schema, self.excluded))
        return state, [one for one in columns if not self.excluded.covers(one.property_id, one.property_name)], now

    async def prepare(
        self,
        described: Description,
        columns: Sequence[Column],
        state: DataSourceState | None,
        begins: datetime | None,
        *,
        may_wait: bool = False,
    ) -> None:
        """See `RowSink`."""
        _, known, _ = await self.known()
        self.trusts_notes = begins is None or state is None or state.table_shape == self.place.table.shape
        self.new_columns = [column.name for column in columns if column.name not in {one.name for one in known}]

    async def as_noted(self, answer_hashes: Mapping[str, str], users: Collection[str]) -> AsNoted:
        """See `RowSink`."""
        return await _as_noted(self.work, self.place, answer_hashes, users) if self.trusts_notes else AsNoted()

    async def write(
        self,
        rows: Sequence[Row],
        columns: Sequence[Column] | None,
        progress: ReadProgress | EditProgress | None,
        users: Sequence[User] = (),
        left: Sequence[LeftOut] | None = None,
        *,
        unchanged: int = 0,
        may_be_older: bool = False,
        knows_answers: bool = True,
    ) -> Written:
        """See `RowSink`."""
        self.seen.update(progress.page_ids if isinstance(progress, ReadProgress) else ())
        async with transaction(self.work.pool) as connection:
            place, trusts = self.place, self.trusts_notes
            written = await compare_rows(connection, place.table, place.owner, rows, trusts_notes=trusts)
            await note_due(connection, self.work, place.owner.user_id, [file for row in rows for file in row.files])
        written.unchanged += unchanged
        return written

    async def unseen(self) -> list[str]:
        """See `RowSink`."""
        async with transaction(self.work.pool) as connection:
            held = await pages_of(connection, self.place.table, self.place.key)
        return sorted(held - self.seen)

    async def created_in(self, page_ids: Sequence[str], minutes: Sequence[datetime]) -> dict[str, datetime]:
        """See `RowSink`."""
        async with transaction(self.work.pool) as connection:
            return await created_in(connection, self.place.table, self.place.key, page_ids, minutes)

    async def count(self) -> int:
        """See `RowSink`."""
        async with transaction(self.work.pool) as connection:
            return await count_rows(connection, self.place.table, self.place.owner)

    async def withheld(self) -> int:
        """See `RowSink`."""
        return await _withheld(self.work, self.place)

    async def remove(self, reasons: Mapping[str, Reason]) -> list[str]:
        """See `RowSink`."""
        return []

    async def end_if_all_seen(self) -> bool:
        """See `RowSink`."""
        return not await self.unseen()

    async def end_full_read(self, held_back: int) -> None:
        """See `RowSink`."""

    async def note_unread(self, minutes: Sequence[UnreadMinute]) -> None:
        """See `RowSink`."""

    async def note_unfit(self, counts: Mapping[str, int], *, is_whole: bool) -> None:
        """See `RowSink`."""

    async def drop_full_read(self) -> None:
        """See `RowSink`."""

    async def end_edits(self, watermark: datetime, unsure: timedelta) -> None:
        """See `RowSink`."""


def given_view_name(owner: RowOwner, views: Sequence[NamedView]) -> str:
    """Pure: the view that a database has under its name, or a new name, which no other database of the user has."""
    taken = {one.view_name for one in views if one.database_id != owner.database_id}
    its_own = (
        one.view_name
        for one in views
        if (one.database_id, one.database_name) == (owner.database_id, owner.database_name)
        and one.view_name not in taken
    )
    return next(its_own, None) or view_name(owner.database_name, owner.database_id, taken)


def rows_refused(refused: Mapping[str, LeftOut]) -> RowRefusedError:
    """The error for rows that are left out, once all others are written."""
    first = next(iter(refused.values()))
    more = f" {plural(len(refused) - 1, 'more page is', 'more pages are')} refused too." if len(refused) > 1 else ""
    return RowRefusedError(f"{first.message}{more} All other rows are written.", first.reason)


def counts_of(written: Written) -> Counts:
    """What a batch came to."""
    return Counts(
        rows_read=written.inserted + written.updated + written.unchanged + written.withheld,
        inserted=written.inserted,
        updated=written.updated,
        unchanged=written.unchanged,
    )


def _types_of(columns: Sequence[Column]) -> dict[tuple[str, str], str]:
    return {(column.property_id, column.part): column.type for column in columns}


def _row_count_changes(key: DataSourceKey, written: Written) -> dict[str, int]:
    """By how many rows data sources (by id) grow or shrink by what an incremental read has written."""
    taken = written.taken_from
    changes = {data_source_id: -count for data_source_id, count in taken.items()}
    gained = written.inserted - written.returned + taken.total()
    return {**changes, key.data_source_id: gained} if gained else changes


async def _as_noted(
    work: RunContext, place: SyncTarget, answer_hashes: Mapping[str, str], users: Collection[str]
) -> AsNoted:
    async with transaction(work.pool, first=Names.APPLICATION) as connection:
        return AsNoted(
            await pages_as_noted(connection, place.table, place.owner, answer_hashes),
            await known_users(connection, place.owner.user_id, users) if users else set(),
        )


async def _withheld(work: RunContext, place: SyncTarget) -> int:
    if place.table.stores_what_is_sent:
        return 0
    async with transaction(work.pool) as connection:
        return await count_withheld(connection, place.key)


async def _known(
    work: RunContext, place: SyncTarget, before: DataSourceState | None = None
) -> tuple[DataSourceState | None, list[Column], datetime]:
    """What is recorded of the data source; `before`: that, where it was looked up already."""
    state = before
    if state is None:
        async with transaction(work.pool) as connection:
            state = await data_sources.load_state(connection, place.key)
            if state is None:
                return None, [], await current_time(connection)
    work.check_table(state.sync_table)
    return state, state.columns, state.now
