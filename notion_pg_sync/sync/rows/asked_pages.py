"""Pages that an application asks for: each is read by its id, and goes the way of every row.

What is recorded of their data source tells how: a request a page is all that it costs. Where that is not enough to go
by, the database is to be synced instead.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import psycopg
from msgspec import Struct, field

from notion_pg_sync.core.columns import Column
from notion_pg_sync.core.databases import ConfiguredDatabase
from notion_pg_sync.core.errors import ErrorCode
from notion_pg_sync.core.health import Health
from notion_pg_sync.core.ids import looks_like_id, parse_id
from notion_pg_sync.mirror.connection import transaction
from notion_pg_sync.mirror.data_sources import DataSourceState, Home, homes_of
from notion_pg_sync.mirror.leases import LeaseLostError
from notion_pg_sync.mirror.removal import Reason
from notion_pg_sync.mirror.rows import withheld_of
from notion_pg_sync.mirror.runs import Counts
from notion_pg_sync.mirror.sent_rows import RowOwner
from notion_pg_sync.mirror.stored_rows import noted_sources
from notion_pg_sync.mirror.sync_requests import PageAnswer
from notion_pg_sync.notion.client import JsonObject, NotionClient
from notion_pg_sync.notion.errors import NotionError
from notion_pg_sync.notion.exclusion import Exclusion, Selection, named
from notion_pg_sync.notion.json_access import get_path
from notion_pg_sync.notion.page_properties import PageProperties
from notion_pg_sync.notion.pages import Page, read_page
from notion_pg_sync.notion.property_ids import decoded
from notion_pg_sync.notion.schema import is_wiki
from notion_pg_sync.sync.files.naming import keeps_files
from notion_pg_sync.sync.gathering import gather_or_cancel
from notion_pg_sync.sync.rows.data_source import DataSourceSync, blocked, with_traffic
from notion_pg_sync.sync.rows.database import table_of
from notion_pg_sync.sync.rows.excluding import purge_stored, settle_exclusion
from notion_pg_sync.sync.rows.removing import held_back, is_too_much, page_or_none, unconfirmed, why_it_is_not_in
from notion_pg_sync.sync.rows.row_sink import Description, PostgresSink, SyncTarget
from notion_pg_sync.sync.run.configuration import Configuration
from notion_pg_sync.sync.run.context import RunContext
from notion_pg_sync.sync.run.failures import is_lost, logged_failure

# So many are held in memory, and written in one transaction for each of their data sources.
PAGES_AT_ONCE = 100

# Its database was synced since: what that could not settle either is told, since nobody is to wait for it for ever.
_IS_NOT_READ = (
    "Its row stays as it is: it cannot be read by itself though its database was synced just now; status says how that "
    "is."
)
_IS_NOT_THERE = (
    "Its row stays as it is: its data source is in Notion's trash, or not shared with the connection any more: restore "
    "it, or share it, in Notion."
)

_WHY = {
    "trashed": "the page is in Notion's trash",
    "archived": "the page is archived in Notion",
    "moved": "the page lies elsewhere in Notion by now",
    "not_found": "Notion has no such page, or it is not shared with the connection any more",
    "missing": "Notion does not list the page",
}


class PagesRead(Struct):
    """What reading pages of one database came to.

    `answers`: by page. `elsewhere`: the pages that lie in another database of the user's, by its id. `doubted`: those
    of which what is recorded tells too little. `there`: those that are in the copy now, by data source.
    """

    answers: dict[str, PageAnswer] = field(default_factory=dict)
    elsewhere: dict[str, str] = field(default_factory=dict)
    doubted: list[str] = field(default_factory=list)
    there: dict[str, list[Page]] = field(default_factory=dict)
    counts: Counts = field(default_factory=Counts)
    error_code: str | None = None
    has_new_columns: bool = False

    def has_settled(self, page_id: str) -> bool:
        """Whether it is known what comes of a page."""
        return page_id in self.answers or page_id in self.elsewhere or page_id in self.doubted

    def fail(self, page_ids: Iterable[str], error: Exception) -> None:
        """Takes in what went wrong with pages."""
        failure = logged_failure(error)
        self.error_code = self.error_code or failure.code
        self.answers |= dict.fromkeys(page_ids, PageAnswer(failure.sentence, Health.FAILING))


class _Source(Struct, frozen=True):
    """A data source of the database, and what is recorded of it."""

    sink: PostgresSink
    state: DataSourceState
    columns: list[Column]


class _Asked(Struct, frozen=True):
    """What Notion answers for a page: why it is not in the data source `expected`, None where it is."""

    page_id: str
    expected: str
    page: JsonObject | None = None
    reason: Reason | None = None
    error: NotionError | None = None


class AskedPages:
    """Reads pages that are said to be of one database of a user, under the user's lease.

    `database_ids`: the databases that are synced for the user; a page that lies in another is none of the copy.
    `is_just_synced`: what is recorded of this one is as new as it can be, so that none of its pages is doubted.
    """

    def __init__(
        self,
        work: RunContext,
        client: NotionClient,
        user_id: str,
        database: ConfiguredDatabase,
        *,
        configuration: Configuration,
        database_ids: Collection[str],
        is_just_synced: bool = False,
    ) -> None:
        self._is_just_synced = is_just_synced
        self._work = work
        self._client = client.with_own_traffic()
        self._user_id = user_id
        self._database = database
        self._configuration = configuration
        self._database_ids = database_ids
        self._homes: dict[str, Home] = {}
        self._held: dict[str, str] = {}
        self._sources: dict[str, _Source] = {}
        self._read = PagesRead()

    async def read(self, page_ids: Sequence[str]) -> PagesRead:
        """Brings the rows of these pages up to date, whatever became of the pages.

        What goes wrong with one is its answer. Raises `NotionError` where it is the token or the way to Notion,
        `LeaseLostError`, `ExclusionError`, `PurgeBlockedError`, `UnfitTableError`, and what psycopg raises.
        """
        try:
            await self._load(page_ids)
            if not self._sources:
                self._doubt(page_ids)
            else:
                to_remove: dict[str, dict[str, Reason]] = {}
                for place in range(0, len(page_ids), PAGES_AT_ONCE):
                    await self._read_some(page_ids[place : place + PAGES_AT_ONCE], to_remove)
                # All of them at once, or each part for itself would not be too much.
                for source_id, reasons in to_remove.items():
                    await self._remove(source_id, reasons)
        finally:
            self._read.counts = with_traffic(self._read.counts, self._client)
        return self._read

    @property
    def so_far(self) -> PagesRead:
        """The same, as far as it has come."""
        return self._read

    async def _load(self, page_ids: Sequence[str]) -> None:
        """Finds out what is recorded; what is excluded is settled before anything is asked."""
        work, database = self._work, self._database
        async with transaction(work.pool) as connection:
            self._homes = await homes_of(connection, self._user_id)
            self._held = await noted_sources(connection, self._user_id, page_ids)
        tables = {
            source: home.sync_table for source, home in self._homes.items() if home.database_id == database.database_id
        }
        if not tables:
            return
        await purge_stored(work, self._user_id, self._configuration, database, tables)
        ids = [database.database_id, *tables]
        settled = await settle_exclusion(
            work, self._client, self._user_id, database, ids, configuration=self._configuration
        )
        table, _ = await table_of(work, database.name, tables)
        for source_id in tables:
            owner = RowOwner(self._user_id, database.database_id, database.name, source_id, database.id_as_written)
            place = SyncTarget(owner, table, keeps_files=keeps_files(work.settings, database.options))
            sink = PostgresSink(work, place)
            state, columns, _ = await sink.known()
            if state is not None and _is_enough(sink, state, columns):
                self._sources[source_id] = _Source(sink, state, columns)
        self._client = self._client.selecting({**settled.selections, **self._selections(settled.own)})

    def _selections(self, exclusion: Exclusion) -> dict[str, Selection]:
        if not exclusion:
            return {}
        return {
            source_id: Selection(exclusion, tuple(sorted(named(source.state.schema))))
            for source_id, source in self._sources.items()
        }

    async def _read_some(self, page_ids: Sequence[str], to_remove: dict[str, dict[str, Reason]]) -> None:
        asked = await gather_or_cancel(map(self._ask, page_ids))
        to_write: dict[str, list[Page]] = {}
        for one in asked:
            self._sort(one, to_write, to_remove)
        for source_id, pages in to_write.items():
            await self._write(self._sources[source_id], pages)

    def _doubt(self, page_ids: Iterable[str], why: str = _IS_NOT_READ) -> None:
        """Leaves pages to a sync of their database; where there was one just now, `why` is their answer."""
        if self._is_just_synced:
            self._read.answers |= dict.fromkeys(page_ids, PageAnswer(why, Health.DEGRADED))
        else:
            self._read.doubted.extend(page_ids)

    async def _ask(self, page_id: str) -> _Asked:
        """Asks Notion for a page. Raises `NotionError` where it is not the page that is wrong."""
        held = self._held.get(page_id, "")
        expected = held if held in self._sources else next(iter(self._sources))
        wiki = is_wiki(self._sources[expected].state.schema)
        try:
            page = await page_or_none(self._client, page_id, expected)
            return _Asked(
                page_id, expected, page, await why_it_is_not_in(self._client, page, page_id, expected, is_wiki=wiki)
            )
        except NotionError as error:
            if not error.is_about_one_thing:
                raise
            return _Asked(page_id, expected, error=error)

    def _sort(self, asked: _Asked, to_write: dict[str, list[Page]], to_remove: dict[str, dict[str, Reason]]) -> None:
        """Decides what is to be done about a page."""
        page_id, reason = asked.page_id, asked.reason
        if asked.error is not None:
            self._read.fail([page_id], asked.error)
            return
        home = asked.expected if reason is None else _data_source_of(asked.page) if reason == "moved" else None
        if home in self._sources and asked.page is not None:
            self._take(home, page_id, asked.page, to_write)
        elif home is not None and (database_id := self._database_of(home, asked.page)) is not None:
            if database_id == self._database.database_id:
                self._doubt([page_id])
            else:
                self._read.elsewhere[page_id] = database_id
        elif (held := self._held.get(page_id)) in self._homes:
            to_remove.setdefault(str(held), {})[page_id] = reason or "moved"
        else:
            why = _WHY[reason or "moved"]
            self._read.answers[page_id] = PageAnswer(f"Nothing to do: {why}, and the copy has no row of it.")

    def _take(self, home: str, page_id: str, answered: JsonObject, to_write: dict[str, list[Page]]) -> None:
        try:
            page = read_page(answered)
        except NotionError as error:
            self._read.fail([page_id], error)
            return
        if self._is_just_synced or fits(page.properties, self._sources[home].state.schema):
            to_write.setdefault(home, []).append(page)
        else:
            self._read.doubted.append(page_id)

    def _database_of(self, data_source_id: str, page: JsonObject | None) -> str | None:
        """The database that is synced for the user in which a data source lies, by id; None where none is known."""
        home = self._homes.get(data_source_id)
        said = get_path(page, "parent", "database_id")
        database_id = home.database_id if home else _id(said)
        return database_id if database_id in self._database_ids else None

    async def _write(self, source: _Source, pages: Sequence[Page]) -> None:
        """Writes the rows of pages of one data source; those that were in another leave that."""
        page_ids = [page.id for page in pages]
        place = source.sink.place
        sync = DataSourceSync(
            self._work, self._client, place, source.sink, Counts(), rows=0, is_listed=False, looks_ahead=False
        )
        try:
            taken = await sync.take_in(pages, source.state, source.columns)
            withheld = await self._withheld(source, page_ids)
        except Exception as error:
            if _is_of_all(error):
                raise
            self._read.fail(page_ids, error)
            return
        finally:
            self._read.counts += sync.counts
        self._read.has_new_columns |= taken.has_new_columns
        for page_id in page_ids:
            if page_id in taken.refused:
                self._read.error_code = self._read.error_code or taken.refused[page_id].reason
                self._read.answers[page_id] = PageAnswer(taken.refused[page_id].message, Health.FAILING)
            elif page_id in withheld:
                self._read.fail([page_id], blocked(1, place.table))
            else:
                self._read.answers[page_id] = self._answer(page_id, taken.written, taken.incomplete)
        self._read.there.setdefault(place.key.data_source_id, []).extend(
            page for page in pages if self._read.answers[page.id].health is not Health.FAILING
        )
        for page_id in page_ids:
            former = self._held.get(page_id)
            if former in self._homes and former != place.key.data_source_id:
                await self._remove_from(str(former), {page_id: "moved"})

    async def _withheld(self, source: _Source, page_ids: Sequence[str]) -> set[str]:
        place = source.sink.place
        if place.table.stores_what_is_sent:
            return set()
        async with transaction(self._work.pool) as connection:
            return await withheld_of(connection, place.key, page_ids)

    def _answer(self, page_id: str, written: Collection[str], incomplete: Collection[str]) -> PageAnswer:
        done = "nothing changed" if page_id not in written else "updated" if page_id in self._held else "inserted"
        if page_id in incomplete:
            said = f"1 row read, {done}; Notion does not give all of it: what was known of the rest is kept."
            return PageAnswer(said, Health.DEGRADED)
        return PageAnswer(f"1 row read, {done}.")

    async def _remove(self, source_id: str, reasons: Mapping[str, Reason]) -> None:
        """Removes pages that have left a data source, once that is seen to be there itself.

        All pages are in the trash, or are not to be found, once their database is.
        """
        try:
            is_there = not (await self._client.data_source(source_id)).in_trash
        except NotionError as error:
            if not error.is_about_one_thing and error.code != ErrorCode.RESTRICTED_RESOURCE:
                raise
            is_there = False
        if not is_there:
            # A sync of the database finds out, and tells, what has become of it.
            self._doubt(reasons, _IS_NOT_THERE)
            return
        doubtful = unconfirmed(reasons)
        row_count = self._homes[source_id].row_count or 0
        if not self._work.settings.allow_removal and is_too_much(len(doubtful), row_count):
            self._read.fail(doubtful, held_back(self._user_id, self._database.name, len(doubtful)))
            reasons = {page_id: reason for page_id, reason in reasons.items() if page_id not in doubtful}
        try:
            held = await self._remove_from(source_id, reasons)
        except Exception as error:
            if _is_of_all(error):
                raise
            self._read.fail(reasons, error)
            return
        for page_id, reason in reasons.items():
            why = _WHY[reason]
            self._read.answers[page_id] = PageAnswer(
                f"A foreign key keeps its row, though {why}." if page_id in held else f"1 row removed: {why}."
            )

    async def _remove_from(self, source_id: str, reasons: Mapping[str, Reason]) -> list[str]:
        """Removes pages from any data source of the user's; returns those that a foreign key holds."""
        home = self._homes[source_id]
        table = self._work.table_named(home.sync_table)
        if table is None or not reasons:
            return []
        owner = RowOwner(self._user_id, home.database_id, home.database_name, source_id)
        removed = await PostgresSink(self._work, SyncTarget(owner, table)).remove_alone(reasons)
        self._read.counts += Counts(removed=removed.rows)
        return removed.held


def fits(properties: PageProperties, schema: Mapping[str, object]) -> bool:
    """Pure: whether a page has just the properties that a schema says, by name, id and type."""
    of_page = {value.name: (value.id, value.type) for value in properties if value.type != "button"}
    of_schema = {
        name: (decoded(str(get_path(one, "id"))), get_path(one, "type"))
        for name, one in schema.items()
        if get_path(one, "type") != "button"
    }
    return of_page == of_schema


def _is_enough(sink: PostgresSink, state: DataSourceState, columns: Sequence[Column]) -> bool:
    """Whether what is recorded of a data source is all that its pages need: it was read whole, and is as it was."""
    described = Description(state.name, state.schema, state.schema_fingerprint)
    return state.full_as_of is not None and sink.is_as_recorded(described, columns, state)


def _is_of_all(error: Exception) -> bool:
    """Whether an error is not of some pages alone."""
    if isinstance(error, NotionError):
        return not error.is_about_one_thing
    return isinstance(error, LeaseLostError) or (isinstance(error, psycopg.Error) and is_lost(error))


def _data_source_of(page: JsonObject | None) -> str | None:
    return _id(get_path(page, "parent", "data_source_id"))


def _id(written: object) -> str | None:
    return parse_id(written) if isinstance(written, str) and looks_like_id(written) else None
