"""What applications ask for while a run is at work on an account: taken up, put in order, answered."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager

import psycopg
from msgspec import Struct, field
from msgspec.structs import replace

from notion_pg_sync.core.databases import ConfiguredDatabase
from notion_pg_sync.core.errors import ErrorCode, NothingAttemptedError, ToolError, UsageError
from notion_pg_sync.core.health import Health
from notion_pg_sync.core.wording import plural
from notion_pg_sync.mirror import accounts, leases, runs, sync_requests
from notion_pg_sync.mirror.accounts import ConnectedAccount
from notion_pg_sync.mirror.bodies import DuePage
from notion_pg_sync.mirror.connection import retried, transaction
from notion_pg_sync.mirror.leases import LeaseLostError
from notion_pg_sync.mirror.row_counts import RowCounts
from notion_pg_sync.mirror.runs import DatabaseRun
from notion_pg_sync.mirror.sync_requests import PendingRequests
from notion_pg_sync.sync.bodies.asked_bodies import read_asked_bodies
from notion_pg_sync.sync.rows.asked_pages import AskedPages, PagesRead
from notion_pg_sync.sync.run.account_outcome import AccountOutcome
from notion_pg_sync.sync.run.configuration import Configuration
from notion_pg_sync.sync.run.context import RunContext
from notion_pg_sync.sync.run.failures import failure_of, is_lost
from notion_pg_sync.sync.run.listener import ProgressKey
from notion_pg_sync.sync.run.token_gate import TokenGate
from notion_pg_sync.sync.run.views_refresh import refresh_view
from notion_pg_sync.sync.run.wanted_database import find_wanted

# An application that asks in a loop must not keep a run for ever: what it asks for beyond waits for the next.
MOST_SYNCS = 2


class DatabaseQueue(Struct):
    """The databases of an account that a run has still to sync, those first that are asked for.

    `asked`: the ids of those that were asked for by themselves or with all others.
    """

    waiting: list[ConfiguredDatabase] = field(default_factory=list)
    asked: set[str] = field(default_factory=set)
    _syncs: Counter[str] = field(default_factory=Counter)
    _at_work: dict[str, asyncio.Lock] = field(default_factory=dict)

    def next(self) -> ConfiguredDatabase | None:
        """The next database, which is no longer waited for then."""
        if not self.waiting:
            return None
        database = self.waiting.pop(0)
        self._syncs[database.database_id] += 1
        return database

    def put_first(self, databases: Sequence[ConfiguredDatabase]) -> int:
        """Lets databases come next; returns how many of them did not wait yet."""
        ids = {one.database_id for one in databases}
        others = [one for one in self.waiting if one.database_id not in ids]
        new = len(ids) + len(others) - len(self.waiting)
        self.waiting = [*databases, *others]
        self.asked |= ids
        return new

    def syncs_of(self, database_id: str) -> int:
        """How often a database has come."""
        return self._syncs[database_id]

    def is_first_sync(self, database_id: str) -> bool:
        """Whether a database that came is synced for the first time."""
        return self._syncs[database_id] <= 1

    def may_be_asked_for(self, database_ids: Iterable[str]) -> list[str]:
        """Those of these databases for which requests are taken up now.

        Not while one is at work: it may have been read before it was edited. Not once it was synced so often.
        """
        return [one for one in database_ids if not self._lock(one).locked() and self._syncs[one] < MOST_SYNCS]

    @asynccontextmanager
    async def at_work(self, database_id: str) -> AsyncIterator[None]:
        """One thing at a time is done with a database: a page that was read must not be written after a later edit."""
        async with self._lock(database_id):
            yield

    def _lock(self, database_id: str) -> asyncio.Lock:
        return self._at_work.setdefault(database_id, asyncio.Lock())


class Serving:
    """Answers the requests for an account whose lease this run holds.

    `databases`: those that the run syncs for it, and `others` (ids) those that it leaves to others; `row_counts`: see
    `DatabaseSync`, when the account was begun.
    """

    def __init__(
        self,
        work: RunContext,
        gate: TokenGate,
        account: ConnectedAccount,
        outcome: AccountOutcome,
        *,
        databases: Sequence[ConfiguredDatabase],
        others: Collection[str] = (),
        row_counts: RowCounts | None,
        configuration: Configuration,
    ) -> None:
        self._work = work
        self.gate = gate
        self.outcome = outcome
        self.configuration = configuration
        self._account = account
        self._user_id = account.user_id
        self._databases = {one.database_id: one for one in databases}
        self._others = others
        self._row_counts = row_counts
        self._doubted: dict[str, int] = {}
        self.queue = DatabaseQueue()

    @property
    def database_ids(self) -> list[str]:
        """The databases of which requests are served."""
        return list(self._databases)

    def row_counts_for(self, database: ConfiguredDatabase) -> RowCounts | None:
        """How many rows there were; None: they have changed since, so that they are to be counted again."""
        return self._row_counts if self.queue.is_first_sync(database.database_id) else None

    async def begin(self, requests: PendingRequests) -> None:
        """Serves what was asked for before the account was begun: pages are read, databases put in the `queue`."""
        self.outcome.served = requests.count
        meant = await self._mean(requests.names)
        wanted = requests.database_ids | set(meant.values())
        self.queue.put_first([one for one in self._databases.values() if one.database_id in wanted])
        if requests.everything:
            self.queue.asked |= self._databases.keys()
        await self._read_pages(requests.pages)

    async def take_up(self) -> int:
        """Takes up what is asked for by now: pages are read at once, databases come next in the `queue`.

        Returns how many databases did not wait there yet. What is said otherwise than by the id of a database of this
        account waits for the next run, which reads anew what is configured.
        """
        if not self.gate.is_open or self._work.settings.dry_run:
            return 0
        requests = await self._take_up(self.queue.may_be_asked_for(self._databases))
        self.outcome.served += requests.count
        new = self.queue.put_first([self._databases[one] for one in sorted(requests.database_ids)])
        return new + await self._read_pages(requests.pages)

    async def read_pages_asked_for(self) -> None:
        """Reads the pages that are asked for by now; for a run that syncs one database, and no other."""
        if not self._work.settings.dry_run:
            await self._read_pages((await self._take_up(self.database_ids, only_pages=True)).pages)

    @retried
    async def _take_up(self, database_ids: Sequence[str], *, only_pages: bool = False) -> PendingRequests:
        async with transaction(self._work.pool) as connection:
            return await sync_requests.begin_requests(
                connection, self._work.runid, self._user_id, only=database_ids, only_pages=only_pages
            )

    async def _mean(self, names: Mapping[int, str]) -> dict[int, str]:
        """The databases that requests (by their numbers) mean by a name; those that mean none are refused."""
        if not names:
            return {}
        async with transaction(self._work.pool) as connection:
            known = await accounts.known_databases(connection, self._user_id)
        meant, refused = {}, {}
        for number, name in names.items():
            try:
                meant[number] = find_wanted(self._account, known, name).database_id
            except (UsageError, NothingAttemptedError) as error:
                refused[number] = str(error)
        await self._note_meant(meant, refused)
        return meant

    @retried
    async def _note_meant(self, meant: Mapping[int, str], refused: Mapping[int, str]) -> None:
        async with transaction(self._work.pool) as connection:
            await sync_requests.note_databases(connection, meant)
            await sync_requests.refuse_names(connection, self._work.runid, refused)

    async def _read_pages(self, pages: Mapping[str, Sequence[str]]) -> int:
        """Reads pages, given by the database that is said to hold them; those of a database of no sync here are left.

        Returns how many databases are to be synced since that was not enough.
        """
        new, left = 0, {database_id: list(page_ids) for database_id, page_ids in pages.items()}
        while left and self.gate.is_open:
            database_id, page_ids = left.popitem()
            database = self._databases.get(database_id)
            if database is None:
                continue
            async with self.queue.at_work(database_id):
                read = await self._read_pages_of(database, page_ids)
            if read.counts.inserted or read.counts.updated or read.counts.removed:
                self._row_counts = None
            for page_id, other in read.elsewhere.items():
                left.setdefault(other, []).append(page_id)
            if read.doubted and database_id not in self._doubted:
                # Once is enough: what its sync does not answer is handed back, and read again.
                self._doubted[database_id] = self.queue.syncs_of(database_id)
                new += self.queue.put_first([database])
        return new

    def _is_just_synced(self, database_id: str) -> bool:
        """Whether a database has been synced since its pages were doubted."""
        before = self._doubted.get(database_id)
        return before is not None and self.queue.syncs_of(database_id) > before

    async def _read_pages_of(self, database: ConfiguredDatabase, page_ids: Sequence[str]) -> PagesRead:
        """Reads pages of one database, and answers the requests for them."""
        began = time.monotonic()
        watched = ProgressKey(self._user_id, database.name, database.database_id)
        self._work.listener.started(watched)
        read = PagesRead()
        try:
            read = await self._ask_for_pages(database, page_ids)
            await self._read_bodies(read)
        except LeaseLostError:
            raise
        except Exception as error:  # noqa: BLE001 - answered; the other databases go on
            if isinstance(error, psycopg.Error) and is_lost(error):
                # What came of them is not known: they are handed back.
                read = PagesRead()
                self.outcome.problems.append(failure_of(error).sentence)
            else:
                read.fail(page_ids, error)
        run = _run_of(read)
        if read.has_new_columns and self.configuration.recorded.has_views:
            run = await refresh_view(self._work, database, run)
        await self._record(database, read, run, time.monotonic() - began)
        self._work.listener.ended(watched, run)
        self.outcome.pages += run
        failed = {one.message for one in read.answers.values() if one.health is Health.FAILING}
        self.outcome.problems.extend(f"{database.name}, asked for by page: {sentence}" for sentence in sorted(failed))
        return read

    async def _ask_for_pages(self, database: ConfiguredDatabase, page_ids: Sequence[str]) -> PagesRead:
        """What came of the pages; those that Notion refuses the token for are answered with all else that it refuses.

        Raises `LeaseLostError`, and what psycopg raises.
        """
        asked = AskedPages(
            self._work,
            self.gate.client,
            self._user_id,
            database,
            configuration=self.configuration,
            database_ids={*self._databases, *self._others},
            is_just_synced=self._is_just_synced(database.database_id),
        )
        try:
            return await asked.read(page_ids)
        except LeaseLostError:
            raise
        except ToolError as error:
            read = asked.so_far
            if error.code == ErrorCode.UNAUTHORIZED:
                await self.gate.ask()
            if self.gate.is_open:
                read.fail((one for one in page_ids if not read.has_settled(one)), error)
            return read

    async def _read_bodies(self, read: PagesRead) -> None:
        """Reads the bodies of the pages that are in the copy, where they are wanted."""
        there = {
            source_id: [DuePage(page.id, page.edited_at) for page in pages] for source_id, pages in read.there.items()
        }
        of_bodies = await read_asked_bodies(self._work, self.gate.client, self._user_id, there)
        read.counts += of_bodies.counts
        for page_id, error in of_bodies.failed.items():
            read.fail([page_id], error)

    @retried
    async def _record(self, database: ConfiguredDatabase, read: PagesRead, run: DatabaseRun, seconds: float) -> None:
        async with transaction(self._work.pool) as connection:
            if not await leases.is_held(connection, self._work.runid, self._user_id):
                return
            if read.answers:
                await runs.record_pages(
                    connection,
                    self._work.runid,
                    self._user_id,
                    database.database_id,
                    name=database.name,
                    run=run,
                    seconds=seconds,
                )
            await sync_requests.end_pages(connection, self._work.runid, self._user_id, read.answers)


def _run_of(read: PagesRead) -> DatabaseRun:
    """What reading pages by their ids came to, as it is recorded; pure."""
    failed = [one.message for one in read.answers.values() if one.health is Health.FAILING]
    said = f"{plural(len(read.answers), 'page')} read by id."
    more = f" (and {plural(len(failed) - 1, 'more failure')})" if len(failed) > 1 else ""
    message = f"{failed[0]}{more}" if failed else said
    run = DatabaseRun.of_rows(read.counts, "pages", read.error_code if failed else None, message)
    return replace(run, bodies_read=read.counts.bodies_read)
