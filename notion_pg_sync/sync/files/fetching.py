"""The files of one account: those that pages name and that are not kept yet, side by side."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from msgspec import Struct, field
from msgspec.structs import replace

from notion_pg_sync.core.errors import ErrorCode
from notion_pg_sync.core.hosted_files import HostedFile
from notion_pg_sync.mirror import files
from notion_pg_sync.mirror.connection import retried, transaction
from notion_pg_sync.mirror.files import DueFiles, FileFailure, Kept, WantedFile
from notion_pg_sync.notion.client import NotionClient
from notion_pg_sync.notion.errors import NotionError
from notion_pg_sync.notion.hosted_files import files_of_page, host_of
from notion_pg_sync.sync.bodies.body import BodyReader
from notion_pg_sync.sync.files.download import download
from notion_pg_sync.sync.files.keeping import AT_ONCE, FileKeeping
from notion_pg_sync.sync.files.keys import key_of
from notion_pg_sync.sync.files.marks import hold
from notion_pg_sync.sync.files.obstacles import DownloadError, Obstacle
from notion_pg_sync.sync.files.outcome import FileCounts
from notion_pg_sync.sync.files.place import Place, PlaceError
from notion_pg_sync.sync.files.plan import next_try_at
from notion_pg_sync.sync.files.sweeping import GRACE, discard_expired, remove_discarded
from notion_pg_sync.sync.gathering import gather_or_cancel
from notion_pg_sync.sync.run.context import RunContext
from notion_pg_sync.sync.run.failures import logged_failure

# How many are looked up at once.
_BATCH = 200
# What a page said of its files is not asked again for so long: signatures live an hour.
_NEW_SECONDS = timedelta(minutes=30).total_seconds()


class AddressUnknownError(Exception):
    """Nobody could be asked for a file's address, for a reason that is no fault of the file."""


class _Results(Struct):
    """What came of files, by path, and is not recorded yet."""

    kept: dict[str, Kept] = field(default_factory=dict)
    failed: dict[str, FileFailure] = field(default_factory=dict)


class AccountFiles:
    """Fetches the files of a user under the user's lease, after rows and bodies; `counts` has what it comes to.

    None is begun after `deadline`, a time of the event loop.
    """

    def __init__(
        self,
        work: RunContext,
        keeping: FileKeeping,
        client: NotionClient,
        user_id: str,
        *,
        deadline: float | None = None,
    ) -> None:
        self._work = work
        self._keeping = keeping
        self._user_id = user_id
        self._deadline = deadline
        self._largest = work.settings.largest_file
        self._pages = _Pages(work, client, user_id)
        self._queue = _Queue(self)
        self._results = _Results()
        self._recording = asyncio.Lock()
        self._has_left = False
        self._problem: str | None = None
        self.counts = FileCounts()

    async def sync(self) -> str | None:
        """Fetches what is wanted, and lets go what is not. Where there is neither, one statement says so.

        A full read that was asked for looks first whether what is kept is there (`--verify` tells of it instead). What
        a file fails at is recorded with it. Returns why the place can keep nothing, where that concerns the user, or
        what cannot be removed from it.
        Raises `LeaseLostError`, and what psycopg raises.
        """
        is_searching = self._work.settings.full and not self._work.settings.verify
        due = await self._due()
        # A folder costs nothing to look at; a bucket is asked once there is anything to do.
        is_at_hand = due.keeps_any and self._keeping.is_folder
        if not (due.is_anything or is_searching or is_at_hand):
            return None
        try:
            await self._do(due, is_searching=is_searching)
        except PlaceError as error:
            self._keeping.problem = self._keeping.problem or str(error)
        if due.to_fetch and (self._has_left or self._keeping.problem):
            await self._count_left()
        return self._keeping.problem or self._problem

    async def _do(self, due: DueFiles, *, is_searching: bool) -> None:
        if self._keeping.problem is not None:
            return
        place = await self._keeping.confirmed_place(self._work.pool)
        if is_searching or due.unseen:
            await self._look_for_lost(place, only_unseen=not is_searching)
            due = await self._due()
        if due.to_fetch:
            await self._fetch()
        if due.expired:
            await discard_expired(self._work, self._user_id)
        if due.expired or due.discarded:
            left = (await remove_discarded(self._work.pool, place)).problem
            self._problem = self._problem or left

    async def _look_for_lost(self, place: Place, *, only_unseen: bool) -> None:
        """Wants again what the place does not hold, or not whole, of the files that are kept."""
        last = ""
        while True:
            async with transaction(self._work.pool) as connection:
                kept = await files.kept_sizes(connection, self._user_id, _BATCH, after=last, only_unseen=only_unseen)
            sizes = await gather_or_cancel(self._size(place, key) for key, _ in kept.values())
            lost = [path for (path, (_, size)), there in zip(kept.items(), sizes, strict=True) if there != size]
            if kept:
                await self._note_looked_for(list(kept), lost)
            if len(kept) < _BATCH:
                return
            last = list(kept)[-1]

    async def _size(self, place: Place, key: str) -> int | None:
        async with self._keeping.slots:
            return await place.size(key)

    @retried
    async def _note_looked_for(self, paths: Sequence[str], lost: Sequence[str]) -> None:
        async with self._work.writing_for(self._user_id) as connection:
            await hold(connection, self._keeping.place)
            await files.note_seen(connection, self._user_id, paths)
            if lost:
                await files.note_lost(connection, self._user_id, lost)

    async def _due(self) -> DueFiles:
        async with transaction(self._work.pool) as connection:
            return await files.due_files(connection, self._user_id, GRACE, self._largest)

    async def _fetch(self) -> None:
        self._work.listener.files_started(self._user_id)
        try:
            await gather_or_cancel(self._fetch_in_turn() for _ in range(AT_ONCE))
        finally:
            await self._pages.give_up()
            self.counts = replace(self.counts, requests=self._pages.requests)
            self._work.listener.files_ended(self._user_id, self.counts)

    async def _fetch_in_turn(self) -> None:
        while not self._is_over() and (wanted := await self._queue.next()) is not None:
            async with self._keeping.slots:
                if self._is_over():
                    return
                try:
                    await self._keep(wanted)
                except AddressUnknownError:
                    self._has_left = True

    def _is_over(self) -> bool:
        is_late = self._deadline is not None and asyncio.get_running_loop().time() >= self._deadline
        self._has_left = self._has_left or is_late
        return is_late or self._keeping.problem is not None

    @retried
    async def take(self, after: WantedFile | None) -> Sequence[WantedFile]:
        """The next that are wanted, behind `after`; from now on their bytes may lie in the place."""
        async with self._work.writing_for(self._user_id) as connection:
            wanted = await files.wanted_files(connection, self._user_id, _BATCH, after=after, largest=self._largest)
            if wanted:
                keys = {one.path: key_of(self._user_id, one.path) for one in wanted}
                await files.note_begun(connection, self._user_id, keys)
        return wanted

    async def _keep(self, wanted: WantedFile) -> None:
        """Keeps one file, or notes why not; returns once that is recorded."""
        failure: FileFailure | None = None
        try:
            kept = await self._fetched(wanted)
        except AddressUnknownError:
            raise
        except DownloadError as error:
            failure = replace(self._failure(wanted, error.obstacle, str(error), error.size), left_nothing=True)
        except PlaceError as error:
            if await self._keeping.is_at_fault(error):
                return
            # It may have been for a moment, or be so for this file for good, as where the disk has no room for it.
            self._problem = self._problem or str(error)
            failure = self._failure(wanted, Obstacle.ODD if wanted.tries else Obstacle.WAY, str(error))
        except Exception as error:  # noqa: BLE001 - recorded; the other files are fetched
            failure = self._failure(wanted, Obstacle.ODD, logged_failure(error).sentence)
        if failure is not None:
            self._results.failed[wanted.path] = failure
            self.counts = self.counts.with_failed()
        else:
            self._results.kept[wanted.path] = kept
            self.counts = self.counts.with_kept(kept.bytes)
            self._work.addresses.forget(self._user_id, wanted.path)
        await self._record()
        self._work.listener.files_progressed(self._user_id, self.counts)

    @staticmethod
    def _failure(wanted: WantedFile, obstacle: Obstacle, sentence: str, size: int | None = None) -> FileFailure:
        return FileFailure(sentence, next_try_at(obstacle, wanted.tries, datetime.now(UTC)), size)

    async def _fetched(self, wanted: WantedFile) -> Kept:
        """Fetches a file, once more where its address has died meanwhile."""
        address = await self._pages.address(wanted)
        try:
            return await self._fetch_from(address, wanted.path)
        except DownloadError as error:
            if error.obstacle not in (Obstacle.REFUSED, Obstacle.GONE):
                raise
            fresh = await self._pages.another_address(wanted, address)
            if fresh is None:
                raise
            return await self._fetch_from(fresh, wanted.path)

    async def _fetch_from(self, address: str, path: str) -> Kept:
        keeping = self._keeping
        if not keeping.hosts.allow(address):
            raise DownloadError(
                Obstacle.ODD,
                f"it lies at {host_of(address) or 'no host'}, which is not of Notion's storage: if it is, name it in "
                "NOTION_PG_SYNC_FILE_HOSTS beside the others.",
            )
        key = key_of(self._user_id, path)
        got = await download(keeping.client, address, keeping.place, key, most=self._largest)
        return Kept(key, got.sha256, got.bytes, got.media_type)

    async def _record(self) -> None:
        """Records what came of files: one transaction at a time, with all that came while the last was under way."""
        async with self._recording:
            results, self._results = self._results, _Results()
            if results.kept or results.failed:
                await self._write(results)

    @retried
    async def _write(self, results: _Results) -> None:
        async with self._work.writing_for(self._user_id) as connection:
            await hold(connection, self._keeping.place)
            if results.kept:
                await files.note_kept(connection, self._user_id, results.kept)
            if results.failed:
                await files.note_failures(connection, self._user_id, results.failed)

    async def _count_left(self) -> None:
        async with transaction(self._work.pool) as connection:
            totals = await files.file_totals(connection, self._user_id)
        self.counts = replace(self.counts, left=totals.wanted - totals.kept - totals.failed)


class _Queue:
    """Hands out the files that are wanted, each once."""

    def __init__(self, account: AccountFiles) -> None:
        self._account = account
        self._waiting: deque[WantedFile] = deque()
        self._last: WantedFile | None = None
        self._is_done = False
        self._looking = asyncio.Lock()

    async def next(self) -> WantedFile | None:
        """The next one; None where there is none."""
        async with self._looking:
            if not self._waiting and not self._is_done:
                self._waiting.extend(await self._account.take(self._last))
                self._is_done = len(self._waiting) < _BATCH
                self._last = self._waiting[-1] if self._waiting else None
            return self._waiting.popleft() if self._waiting else None


class _Pages:
    """Knows the addresses of files, or asks the pages that name them: one request a page, whatever it names."""

    def __init__(self, work: RunContext, client: NotionClient, user_id: str) -> None:
        self._addresses = work.addresses
        self._client = client.with_own_traffic()
        self._bodies = BodyReader(self._client)
        self._user_id = user_id
        self._asked: dict[tuple[str, bool], tuple[float, asyncio.Task[None]]] = {}
        self._is_silent = False

    @property
    def requests(self) -> int:
        """How many requests it took."""
        return self._client.traffic.requests

    async def give_up(self) -> None:
        """Stops asking."""
        asking = [task for _, task in self._asked.values()]
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)

    async def address(self, wanted: WantedFile) -> str:
        """Where a file can be fetched from. Raises `DownloadError`, and `AddressUnknownError`."""
        found = self._known(wanted)
        if found is None:
            await self._ask(wanted)
            found = self._known(wanted)
        if found is None:
            raise DownloadError(Obstacle.GONE, "its page does not name it any more.")
        return found

    async def another_address(self, wanted: WantedFile, dead: str) -> str | None:
        """The same, where one has died; None where there is no other."""
        if self._known(wanted) == dead:
            self._addresses.forget(self._user_id, wanted.path)
            await self._ask(wanted)
        found = self._known(wanted)
        return None if found == dead else found

    def _known(self, wanted: WantedFile) -> str | None:
        return self._addresses.address(self._user_id, wanted.path, datetime.now(UTC))

    async def _ask(self, wanted: WantedFile) -> None:
        """Asks a page, unless it was asked lately; several files of it wait for one answer."""
        if self._is_silent:
            raise AddressUnknownError
        page, now = (wanted.page_id, wanted.place == "body"), asyncio.get_running_loop().time()
        asked_at, asking = self._asked.get(page, (0.0, None))
        if asking is None or now - asked_at > _NEW_SECONDS:
            asking = asyncio.create_task(self._learn(*page))
            self._asked[page] = now, asking
        try:
            await asyncio.shield(asking)
        except NotionError as error:
            if not error.is_about_one_thing:
                # The token, the network or the limit: no other page would answer.
                self._is_silent = True
                raise AddressUnknownError from error
            is_for_now = error.code == ErrorCode.TIMEOUT or (error.status or 0) >= 500
            raise DownloadError(
                Obstacle.WAY if is_for_now else Obstacle.GONE, f"its page cannot be asked for its address: {error}"
            ) from error

    async def _learn(self, page_id: str, is_body: bool) -> None:
        for file in await self._files_of(page_id, is_body=is_body):
            self._addresses.learn(self._user_id, file.path, file.url, file.expires_at)

    async def _files_of(self, page_id: str, *, is_body: bool) -> Sequence[HostedFile]:
        if is_body:
            return list((await self._bodies.read(page_id)).files)
        return files_of_page(await self._client.page(page_id))
