"""One data source: read whole or where it was edited, and what changed handed to its destination."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from notion_pg_sync.core.columns import Column
from notion_pg_sync.core.errors import ErrorCode, ExitCode, ToolError
from notion_pg_sync.core.intervals import EVERYTHING, MINUTE, Interval, gaps
from notion_pg_sync.core.left_out import LeftOut
from notion_pg_sync.core.users import User
from notion_pg_sync.core.wording import plural, some
from notion_pg_sync.mirror.data_sources import DataSourceState
from notion_pg_sync.mirror.exclusions import Purged
from notion_pg_sync.mirror.rows import Written
from notion_pg_sync.mirror.runs import Counts, Mode
from notion_pg_sync.mirror.sent_rows import Row
from notion_pg_sync.mirror.tables import SyncTable
from notion_pg_sync.notion.answer_hash import conversion_key
from notion_pg_sync.notion.answered_pages import AnsweredPage
from notion_pg_sync.notion.cleaning import CONVERSION_VERSION, sanitize, storable_text
from notion_pg_sync.notion.client import DataSourceAnswer, JsonObject, NotionClient, QueryAnswer
from notion_pg_sync.notion.edit_listing import EditListing
from notion_pg_sync.notion.errors import NotionError
from notion_pg_sync.notion.exclusion import NOTHING, Exclusion, Selection, check_title, named
from notion_pg_sync.notion.full_listing import FullListing
from notion_pg_sync.notion.listing import Query
from notion_pg_sync.notion.page_size import PageSize
from notion_pg_sync.notion.pages import Page
from notion_pg_sync.notion.people import users_in
from notion_pg_sync.notion.properties import plain_text
from notion_pg_sync.notion.schema import (
    assign_columns,
    changed_options,
    is_wiki,
    schema_fingerprint,
    unknown_types,
    vanished_names,
)
from notion_pg_sync.notion.splits import splits_of
from notion_pg_sync.sync.gathering import Behind, behind, by_turns
from notion_pg_sync.sync.rows.ahead import Ahead, beside
from notion_pg_sync.sync.rows.alone import PagesAlone
from notion_pg_sync.sync.rows.completing import complete_pages
from notion_pg_sync.sync.rows.conversion import Conversion
from notion_pg_sync.sync.rows.excluding import purged_note
from notion_pg_sync.sync.rows.left_so_far import LeftSoFar
from notion_pg_sync.sync.rows.plan import (
    OVERLAP,
    SINGLE_QUERY_ROWS,
    FullRead,
    IncrementalRead,
    Plan,
    PreviousRead,
    ReadOptions,
    Schema,
    Target,
    plan_read,
    watermark_after,
)
from notion_pg_sync.sync.rows.reading import Listing, reading
from notion_pg_sync.sync.rows.removing import (
    ALWAYS_REMOVABLE_ROWS,
    MAX_CONFIRMED_ONE_BY_ONE,
    Verdicts,
    held_back,
    verdicts_on,
)
from notion_pg_sync.sync.rows.row_sink import (
    Description,
    EditProgress,
    ReadProgress,
    RowSink,
    SyncTarget,
    counts_of,
    rows_refused,
)
from notion_pg_sync.sync.rows.unread import Hashed, UnreadPages
from notion_pg_sync.sync.run.answer_memory import MOST_PART_BYTES, in_parts
from notion_pg_sync.sync.run.context import RunContext
from notion_pg_sync.sync.run.listener import ProgressKey
from notion_pg_sync.sync.run.people_lookup import told_of

Outcome = TypeVar("Outcome")

# So many pages of which something was left out are read again after an incremental read, at a request or more each.
MAX_TRIED_AGAIN = 20


class InTrashError(NotionError):
    """A data source is in Notion's trash; the message says what to do if that is all of its database."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code=ErrorCode.IN_TRASH)


class Batch(Struct, frozen=True):
    """Pages that are read, and the ids of others: those that Notion did not give, and those that are as they were."""

    pages: Sequence[Page]
    not_given: Sequence[str] = ()
    unchanged: Collection[str] = ()

    @property
    def seen(self) -> list[str]:
        """All of them, by id."""
        return [*(page.id for page in self.pages), *self.not_given, *self.unchanged]


class Converted(Struct, frozen=True):
    """What a batch comes to, without its pages, which take several times as much memory.

    `has_new_columns`: it changed columns; `users` whom it names for the first time; `left` out of it, None where that
    is nothing, now and before; `seen`: see `Batch`; `unchanged`: how many pages are as they were.
    """

    rows: Sequence[Row]
    has_new_columns: bool
    users: set[User]
    left: Sequence[LeftOut] | None
    seen: Sequence[str]
    unchanged: int


class TakenIn(Struct, frozen=True):
    """What pages came to that were asked for by their ids.

    `written`: those whose rows were; `refused`: those whose rows PostgreSQL refuses, and why; `incomplete`: those of
    which Notion does not give all. `has_new_columns`: they changed columns.
    """

    written: set[str]
    refused: dict[str, LeftOut]
    incomplete: set[str]
    has_new_columns: bool


# How Notion fails for a data source that may have left its database, or gone with it.
_GONE = frozenset(
    {
        ErrorCode.OBJECT_NOT_FOUND,
        ErrorCode.RESTRICTED_RESOURCE,
        ErrorCode.VALIDATION_ERROR,
        ErrorCode.INVALID_REQUEST_URL,
        ErrorCode.MALFORMED,
        ErrorCode.IN_TRASH,
    }
)


class DoubtedListingError(Exception):
    """Notion is to be asked which data sources the database has, before more is done with this one."""


class DataSourceSync:
    """The sync of one data source of a user.

    `counts` is what was done for its database before, and what this does with it; `rows`: how many rows of it there
    were in its table when the account's sync began. `mode`: how it was read, None until it is. `exclusion`: what is
    excluded of its database. `is_listed`: Notion has just named it as one of its database's; else it did so within the
    hour. `looks_ahead`: the schema is likely as it was.
    """

    def __init__(
        self,
        work: RunContext,
        client: NotionClient,
        place: SyncTarget,
        destination: RowSink,
        counts: Counts,
        *,
        rows: int,
        exclusion: Exclusion = NOTHING,
        is_listed: bool,
        looks_ahead: bool,
    ) -> None:
        self._work = work
        self._is_listed = is_listed
        self._looks_ahead = looks_ahead
        self._exclusion = exclusion
        self._purged = Purged()
        self._client = client
        self._place = place
        self._destination = destination
        self.counts = counts
        self.mode: Mode | None = None
        self._has_progress = False
        self._has_new_progress = False
        self._expected: int | None = None
        self._rows = rows
        self._page_size = PageSize(work.settings.page_size)
        self._ahead: Ahead | None = None
        self._watched = ProgressKey(place.owner.user_id, place.owner.database_name, place.owner.database_id)
        self._conversion = Conversion([], place.table, place.keeps_files)
        self._schema: JsonObject = {}
        self._began_at = datetime.now(UTC)
        self._note = ""
        self._vanished: list[str] = []
        self._held_by_foreign_keys = 0
        self._is_whole = False
        self._stored = Written()
        self._users_told: set[User] = set()
        self._left = LeftSoFar()
        self._alone = PagesAlone(client, place.key.data_source_id, self._left)
        self._unread = UnreadPages(destination, client.keeps_emails)
        self._left_before: dict[str, None] = {}
        self._unread_before: list[Interval] = []
        self._tried: set[str] = set()
        self._databases_inside: set[str] = set()
        self._has_answers = True
        self._written: list[str] = []

    @property
    def has_progress(self) -> bool:
        """Whether the next run need not read all of it again, where this one is cut off."""
        return self._has_progress or (self._has_new_progress and not self._destination.is_behind)

    @property
    def is_whole(self) -> bool:
        """Whether all of it was read, and none of that by a run before."""
        return self.mode == "full" and self._is_whole

    @property
    def notes(self) -> list[str]:
        """What a person should know of the rows that were read, a sentence each."""
        notes = [*self._conversion.notes(), *self._left.notes()]
        if self._purged.names:
            notes.append(purged_note(self._purged, is_dry=self._work.settings.dry_run))
        if self._note:
            notes.append(self._note)
        if self._vanished:
            notes.append(
                f"{', '.join(self._vanished)} disappeared from the schema, which may only mean that a related database "
                "is no longer shared with the connection."
            )
        if unknown := unknown_types(self._schema):
            notes.append(f"properties of the type {', '.join(unknown)}, new to this version, are kept as JSON.")
        if self._databases_inside:
            names = some(sorted(self._databases_inside))
            notes.append(f"this wiki holds other databases, each mirrored only as one of its own: {names}.")
        if self._held_by_foreign_keys:
            notes.append(f"foreign keys keep {plural(self._held_by_foreign_keys, 'row')} that left Notion.")
        return [*notes, *stored_otherwise(self._stored, self._place.table)]

    @property
    def is_incomplete(self) -> bool:
        """Whether values or pages are missing that Notion does not give."""
        return bool(self._left.found or self._left.unread or self._left_before.keys() - self._tried)

    async def take_in(self, pages: Sequence[Page], state: DataSourceState, columns: list[Column]) -> TakenIn:
        """Takes in pages that were asked for by their ids, as `state` and `columns` say of what earlier runs recorded.

        Raises as `sync` does.
        """
        self._has_answers = False
        self._schema = state.schema
        self._conversion.columns = columns
        self._left_before = dict.fromkeys(state.left_out)
        self._alone.is_wiki = is_wiki(state.schema)
        await self._write(await self._converted(Batch(pages)), None)
        if self._conversion.unfit:
            await self._destination.note_unfit(self._conversion.unfit, is_whole=False)
        incomplete = {page_id for page_id, _ in self._left.found}
        return TakenIn(
            set(self._written),
            dict(self._destination.refused),
            incomplete,
            has_new_columns=self._conversion.columns != columns,
        )

    async def sync(self) -> None:
        """Syncs it.

        Raises `InTrashError`, `NotionError`, `ListingError`, `HeldBackError`, `RowsBlockedError`, `RowRefusedError`,
        `LeaseLostError`, and what psycopg raises; `DoubtedListingError` where it is not `is_listed`, and something is
        odd or rows would go.
        """
        try:
            answer, (state, known_columns, now) = await self._look()
        except NotionError as error:
            if self._is_listed or error.code not in _GONE:
                raise
            raise DoubtedListingError from error
        self._schema, _ = sanitize(answer.schema)
        is_as_before = state is not None and state.schema == self._schema
        if not is_as_before:
            # What was asked for ahead may be older than this schema.
            self._ahead = None
            self._doubt_listing()
        self._alone = PagesAlone(self._client, self._place.key.data_source_id, self._left)
        self._alone.is_wiki = answer.is_wiki
        described = Description(storable_text(answer.name), self._schema, schema_fingerprint(self._schema))
        self._left_before = dict.fromkeys(state.left_out) if state else {}
        self._unread.has_notes = state is not None
        self._unread.read_always = self._left_before
        self._unread_before = [Interval(minute, minute + MINUTE) for minute in state.unread] if state else []
        # By Notion's clock, unless one of ours is behind it: where a time lies in the future, edits would be left out.
        self._began_at = min(answer.asked_at, now)
        schema_before = state.schema if state and not is_as_before else {}
        self._vanished = vanished_names(schema_before, self._schema)
        options = changed_options(schema_before, self._schema) if schema_before else []
        plan = self._plan(state, Schema(described.fingerprint, options), now)
        if isinstance(plan, FullRead) and self._rows > SINGLE_QUERY_ROWS:
            # It is a long one, and may find that rows have left.
            self._doubt_listing()
        self._conversion.columns = assign_columns(self._schema, known_columns)
        begins = self._began_at if isinstance(plan, FullRead) and plan.edits_since is None else None
        await self._destination.prepare(described, self._conversion.columns, state, begins, may_wait=True)
        rows_held_back = await self._carry_out(plan, described, state)
        if self.mode == "incremental":
            await self._try_again()
        if self._conversion.unfit or (self._is_whole and state and state.has_unfit_values):
            await self._destination.note_unfit(self._conversion.unfit, is_whole=self._is_whole)
        if self._destination.refused:
            raise rows_refused(self._destination.refused)
        if rows_held_back:
            raise held_back(self._place.owner.user_id, self._place.owner.database_name, rows_held_back)
        if rows := await self._destination.withheld():
            raise blocked(rows, self._place.table)

    def _doubt_listing(self) -> None:
        if not self._is_listed:
            raise DoubtedListingError

    async def _look(self) -> tuple[DataSourceAnswer, tuple[DataSourceState | None, list[Column], datetime]]:
        """The data source as Notion describes it, and what earlier runs recorded; the first query is made at once.

        Not where anything is excluded: by its name, even what is not known to be excluded may be so by now.
        """
        if self._exclusion:
            answer = await self._described()
            await self._exclude(answer)
            return answer, await self._destination.known()
        known = state, _, now = await self._destination.known()
        query = self._foreseen(state, now) if state and self._looks_ahead else None
        if query is None:
            return await self._described(), known
        answer, self._ahead = await beside(self._described(), query, self._ask)
        if isinstance(error := self._ahead.outcome, NotionError) and error.code in _GONE:
            self._doubt_listing()
        return answer, known

    def _foreseen(self, state: DataSourceState, now: datetime) -> Query | None:
        """The first query, if the schema is as it was; None where a full read is carried on, or goes round pages."""
        plan = self._plan(state, Schema(state.schema_fingerprint), now)
        if isinstance(plan, IncrementalRead):
            return EditListing(plan.since, now).next_query()
        return None if plan.edits_since or state.unread else FullListing().next_query()

    async def _described(self) -> DataSourceAnswer:
        """The data source as Notion describes it, without what is excluded. Raises `InTrashError`."""
        key = self._place.key.data_source_id
        if self._exclusion:
            self._client = self._client.selecting({key: Selection(self._exclusion)})
        answer = await self._client.data_source(key)
        if answer.in_trash:
            raise InTrashError(f"data source {key} is in Notion's trash, its rows stay as they are: restore it there.")
        return answer

    async def _exclude(self, answer: DataSourceAnswer) -> None:
        """Takes what is excluded out of what is stored, and asks for the rest alone. Raises `ExclusionError`."""
        properties = {**named(answer.schema), **answer.excluded}
        exclusion = self._exclusion.met(properties)
        check_title(exclusion, properties)
        self._purged = await self._destination.exclude(exclusion)
        selection = Selection.of(exclusion, answer.schema, answer.excluded)
        self._client = self._client.selecting({self._place.key.data_source_id: selection})

    def _plan(self, state: DataSourceState | None, schema: Schema, now: datetime) -> Plan:
        settings = self._work.settings
        table = self._place.table
        target = Target(table.qualified_name, table.shape, self._rows)
        options = ReadOptions(settings.full_every, settings.full, settings.allow_removal, CONVERSION_VERSION)
        return plan_read(_known(state), schema, target, now, options)

    async def _carry_out(self, plan: Plan, described: Description, state: DataSourceState | None) -> int:
        """Reads what is planned; returns how many rows are held back."""
        if isinstance(plan, IncrementalRead):
            return await self._read_edits(plan.since, described, state, state.held_back if state else 0)
        self._note = plan.note
        if plan.edits_since is None:
            self._expected = state.row_count if state else None
            return await self._read_whole()
        rows_held_back = await self._read_whole(*(state.covered, state.confirmed) if state else ())
        return await self._read_edits(plan.edits_since, described, state, rows_held_back)

    async def _read_whole(self, covered: Sequence[Interval] = (), confirmed: Sequence[Interval] = ()) -> int:
        """Reads what is not covered yet, and then removes what was not seen.

        `confirmed`: where a second listing has been. Returns how many rows are held back, since removing them needs
        permission.
        """
        self.mode = "full"
        self._conversion.unfit.clear()
        self._is_whole = not covered
        await self._list(self._whole_listing(covered))
        is_all_read = not (self._left.unread or self._unread_before)
        if is_all_read and await self._destination.end_if_all_seen():
            return 0
        unseen = await self._unseen_elsewhere()
        if len(unseen) > MAX_CONFIRMED_ONE_BY_ONE:
            # Not proof enough: listed once more, from the start, into what was seen.
            await self._list(self._whole_listing(confirmed), is_second=True)
            unseen = await self._unseen_elsewhere()
        rows_held_back = await self._remove(unseen) if unseen else 0
        await self._note_unread()
        await self._destination.end_full_read(rows_held_back)
        return rows_held_back

    def _whole_listing(self, covered: Sequence[Interval]) -> FullListing:
        """The listing of what is not covered; the minutes in which Notion failed before are read apart."""
        left = gaps(covered)
        return FullListing(
            gaps([*covered, *self._unread_before]),
            splits_of(self._schema),
            apart=[minute for minute in self._unread_before if any(minute.is_within(gap) for gap in left)],
            readers=self._work.settings.concurrency,
            now=self._began_at,
        )

    async def _list(self, listing: FullListing, *, is_second: bool = False) -> None:
        """Reads what a listing lists; `is_second`: it confirms what a full read did not see."""
        async with behind() as writing, self._reading(listing) as answers:
            async for batch in answers:
                stretches = [one.covered for _, one in batch if one.covered]
                await self._take_in_answers(
                    (
                        page
                        for answer, covered in batch
                        for page in answer.pages
                        if page.created_at is None or page.created_at < covered.until
                    ),
                    ReadProgress([], stretches, is_second=is_second, ends=listing.is_complete)
                    if self.mode == "full"
                    else None,
                    writing,
                )
        self._left.unread = {minute.start: error for minute, error in listing.unread.items()}

    async def _unseen_elsewhere(self) -> list[str]:
        """The pages that were not seen, once those of minutes that no listing gives whole are read alone."""
        unseen = await self._destination.unseen()
        if unseen:
            # Of a database in the trash, too, a query finds nothing.
            self._doubt_listing()
        if not (unseen and self._left.unread):
            return unseen
        enclosed = await self._destination.created_in(unseen, list(self._left.unread))
        asked = list(enclosed)[:MAX_CONFIRMED_ONE_BY_ONE]
        verdicts = await self._alone.ask(asked, enclosed)
        not_asked = {page_id: self._left.unread[enclosed[page_id]] for page_id in enclosed.keys() - set(asked)}
        self._left.add_pages(not_asked, enclosed)
        await self._take_in(verdicts, [*verdicts.unanswered, *not_asked])
        return [page_id for page_id in unseen if page_id not in enclosed or page_id in verdicts.left]

    async def _take_in(self, verdicts: Verdicts, not_given: Sequence[str]) -> None:
        """Writes the pages that are still there; those that Notion did not give count as seen, too."""
        read = Batch(verdicts.still_there, not_given)
        if read.seen:
            await self._write(await self._converted(read), ReadProgress(read.seen, []))

    async def _note_unread(self) -> None:
        if self._left.unread or self._unread_before:
            await self._destination.note_unread(self._left.unnamed)

    async def _remove(self, unseen: list[str]) -> int:
        """Removes what was not seen, as far as that needs no permission; returns how many rows do need it."""
        # Counted only where that can matter.
        row_count = await self._destination.count() if len(unseen) > ALWAYS_REMOVABLE_ROWS else 0
        verdicts, rows_held_back = await verdicts_on(
            self._client,
            self._place.key.data_source_id,
            unseen,
            row_count,
            is_allowed=self._work.settings.allow_removal,
            is_wiki=self._alone.is_wiki,
        )
        self._left.add_pages(verdicts.unanswered)
        await self._take_in(verdicts, list(verdicts.unanswered))
        kept = await self._destination.remove(verdicts.left)
        self.counts += Counts(removed=len(verdicts.left) - len(kept))
        self._held_by_foreign_keys += len(kept)
        return rows_held_back

    async def _read_edits(
        self, since: datetime, described: Description, state: DataSourceState | None, rows_held_back: int
    ) -> int:
        """Reads what was edited; where a listing cannot prove that this is all, reads everything.

        Returns how many rows are held back then: `rows_held_back`, unless everything was read.
        """
        self.mode = self.mode or "incremental"
        listing = EditListing(since, self._began_at)
        has_way_out = False
        async with behind() as writing, self._reading(listing) as answers:
            async for batch in answers:
                _, latest = batch[-1]
                await self._take_in_answers(
                    (
                        page
                        for answer, edits in batch
                        for page in answer.pages
                        if page.id is None or page.id in edits.unseen or page.edited_at is None
                    ),
                    EditProgress(watermark_after(latest.until, self._began_at), ends=listing.is_complete),
                    writing,
                )
                await writing.done()
                self._progressed(latest.until > listing.since)
                # If it is cut off within a minute of which nothing can be kept, the next run carries a full read on.
                if latest.is_crowded and not has_way_out:
                    await self._destination.prepare(described, self._conversion.columns, state, self._began_at)
                elif has_way_out and not latest.is_crowded:
                    await self._destination.drop_full_read()
                has_way_out = latest.is_crowded
        if listing.has_failed:
            # If Notion fails for this too, it is no page that a full read could go round.
            await self._ask(Query("created_time", EVERYTHING, most=1))
            await self._destination.prepare(described, self._conversion.columns, state, self._began_at)
        if listing.gave_up:
            return await self._read_whole()
        await self._destination.end_edits(self._began_at, timedelta() if listing.is_sure else OVERLAP)
        return rows_held_back

    async def _try_again(self) -> None:
        """Reads pages again of which earlier runs left something out."""
        left_out = [page_id for page_id in self._left_before if page_id not in self._tried]
        if left_out:
            verdicts = await self._alone.ask(left_out[:MAX_TRIED_AGAIN])
            await self._write(await self._converted(Batch(verdicts.still_there, [*verdicts.unanswered])), None)
        if self._unread_before:
            await self._list(FullListing((), splits_of(self._schema), apart=self._unread_before))
            self._left.note_minutes(await self._destination.created_in(self._left.pages, list(self._left.unread)))
            await self._note_unread()

    def _reading(
        self, listing: Listing[Outcome]
    ) -> AbstractAsyncContextManager[AsyncIterator[list[tuple[QueryAnswer, Outcome]]]]:
        return reading(listing, self._next, self._work.settings.concurrency, self._work.answers)

    async def _take_in_answers(
        self, answered: Iterable[AnsweredPage], progress: ReadProgress | EditProgress | None, writing: Behind
    ) -> None:
        """Writes pages of answers, of which those are read that may not be as they were; a part of them at a time.

        `progress` is what all of them stand for, and is recorded with the last part, the pages seen with each. While
        `writing` a part, PostgreSQL works, so that the next one is read and converted meanwhile.
        """
        pages = list(answered)
        others = [f"{self._place.table.qualified_name} {self._client.keeps_emails}"]
        if self._place.keeps_files:
            # What was read without them is read once more.
            others.append("files")
        columns = self._conversion.columns
        hashed = await self._unread.hashed(pages, conversion_key(self._schema, columns, *others))
        parts = in_parts([page for page in pages if page.id not in hashed.unchanged])
        for number, part in enumerate(parts, 1):
            is_last = number == len(parts)
            if sum(page.size for page in part) > MOST_PART_BYTES:
                # A page so large that two of them at a time are too much.
                await writing.done()
            converted = await self._converted(await self._read(part, hashed, has_unchanged=is_last), columns)
            stands_for = progress.of_part(converted.seen, is_last=is_last) if progress else None
            await writing.begin(partial(self._write, converted, stands_for))
            # Else it would be held while the next part is read.
            del converted

    async def _read(self, part: Sequence[AnsweredPage], hashed: Hashed, *, has_unchanged: bool) -> Batch:
        """A part of the pages of answers, with those that are as they were."""
        listed = await self._alone.listed(part, hashed.hashes)
        return Batch(listed.whole, listed.in_part, hashed.unchanged if has_unchanged else ())

    async def _write(self, converted: Converted, progress: ReadProgress | EditProgress | None) -> None:
        """Hands rows on, with what their batch stands for.

        Pages of earlier edits than what is stored are read alone.
        """
        older = await self._write_batch(converted, progress, may_be_older=self._alone.is_tired)
        if older:
            verdicts = await self._alone.ask(older)
            again = await self._converted(Batch(verdicts.still_there, [*verdicts.unanswered]))
            await self._write_batch(again, None, may_be_older=True)

    async def _converted(self, batch: Batch, hashed_with: Sequence[Column] = ()) -> Converted:
        """Completes pages and converts them; `hashed_with`: the columns with which their answers were hashed."""
        completed = await complete_pages(self._client, batch.pages, self._schema, self._left)
        ids = {page.id for page in batch.pages}
        self._tried |= ids & self._left_before.keys()
        left = self._left.of(ids | set(batch.not_given))
        has_new_columns = self._conversion.settle_types(completed)
        rows = [row for some_rows in await by_turns(completed, self._conversion.rows_of) for row in some_rows]
        if self._conversion.columns != hashed_with:
            # Once the columns are forgotten that they told, or that pages before them did, they have to be read again.
            rows = [replace(row, answer_hash=None) for row in rows]
        return Converted(
            rows=rows,
            has_new_columns=has_new_columns,
            users={user for page in completed for user in users_in(page.properties)} - self._users_told,
            left=left if left or ids & self._left_before.keys() else None,
            seen=batch.seen,
            unchanged=len(batch.unchanged),
        )

    async def _write_batch(
        self, converted: Converted, progress: ReadProgress | EditProgress | None, *, may_be_older: bool
    ) -> Sequence[str]:
        """Writes a batch; returns the pages that were left as they are, since what is stored is of a later edit."""
        written = await self._destination.write(
            converted.rows,
            # As they are by now: pages that were read alone meanwhile may have changed, and recorded, others.
            self._conversion.columns if converted.has_new_columns else None,
            progress,
            told_of(converted.users),
            converted.left,
            unchanged=converted.unchanged,
            may_be_older=may_be_older,
            knows_answers=self._has_answers,
        )
        if not self._has_answers:
            self._written += written.pages
        self._users_told |= converted.users
        self.counts += counts_of(written)
        self._stored.restored += written.restored
        self._stored.altered += written.altered
        if isinstance(progress, ReadProgress):
            self._progressed(any(not stretch.is_empty for stretch in progress.stretches))
        so_far = with_traffic(self.counts, self._client)
        self._work.listener.progressed(
            self._watched, so_far, expected=self._expected, waiting=self._client.pacer.is_waiting
        )
        return written.older

    def _progressed(self, is_new: bool) -> None:
        """Takes in whether there is `is_new` progress, and whether what there is is recorded by now."""
        self._has_new_progress |= is_new
        self._has_progress = self.has_progress

    async def _next(self, query: Query) -> QueryAnswer:
        """The answer to a query of a listing; the first of all may have been made ahead."""
        ahead, self._ahead = self._ahead, None
        return ahead.answer() if ahead and ahead.is_for(query) else await self._ask(query)

    async def _ask(self, query: Query) -> QueryAnswer:
        most = min(self._page_size.rows, query.most or self._page_size.rows)
        has_failed = query.most is not None
        answer = await self._client.query(self._place.key.data_source_id, query.body(), most, has_failed=has_failed)
        if not has_failed:
            self._page_size.take_in(most, answer.page_size, answer.in_time, len(answer.pages), answer.size)
        self._databases_inside |= {_name_of(one) for one in answer.databases}
        return answer


def _name_of(data_source: JsonObject) -> str:
    return storable_text(plain_text(data_source.get("title"))) or str(data_source.get("id"))


def with_traffic(counts: Counts, client: NotionClient) -> Counts:
    """The counts of a database with the requests that its own `client` made."""
    return replace(counts, requests=client.traffic.requests, retries=client.traffic.retries)


def _known(state: DataSourceState | None) -> PreviousRead | None:
    if state is None:
        return None
    return PreviousRead(
        state.schema_fingerprint,
        state.sync_table,
        state.row_count,
        state.held_back,
        state.watermark,
        state.full_as_of,
        state.full_read_started_at,
        state.full_read_progress_at,
        state.full_read_version,
        state.table_shape,
    )


def stored_otherwise(written: Written, table: SyncTable) -> list[str]:
    """What a person should know of rows that are or were not stored as they are sent, a sentence each."""
    said = []
    if written.restored:
        said.append(
            f"{plural(written.restored, 'row was', 'rows were')} changed or deleted in PostgreSQL: written again."
        )
    if written.altered:
        said.append(
            f"{plural(written.altered, 'row is', 'rows are')} not as in Notion: the trigger {_triggers(table)} on "
            f"{table.qualified_name} changes what is written; this stays so until the pages change in Notion."
        )
    return said


class RowsBlockedError(ToolError):
    """A trigger keeps rows out of the sync table."""

    exit_code = ExitCode.FAILED
    code = ErrorCode.ROWS_BLOCKED


def blocked(rows: int, table: SyncTable) -> RowsBlockedError:
    """The error that says so, as long as it is so."""
    return RowsBlockedError(
        f"{plural(rows, 'row is', 'rows are')} missing: the trigger {_triggers(table)} on {table.qualified_name} "
        "blocks the write. Let it return the row, or drop it; the next full read tries again."
    )


def _triggers(table: SyncTable) -> str:
    return ", ".join(table.triggers) or "of a partition"
