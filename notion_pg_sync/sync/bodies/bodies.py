"""The bodies of a database's pages: those that are due, a batch at a time, each kept as soon as it is read."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from notion_pg_sync.core.databases import ConfiguredDatabase
from notion_pg_sync.core.wording import plural
from notion_pg_sync.mirror import bodies, runs
from notion_pg_sync.mirror.bodies import Body, Due, DuePage
from notion_pg_sync.mirror.connection import Connection, retried, transaction
from notion_pg_sync.mirror.data_sources import DataSourceKey, known_data_sources
from notion_pg_sync.mirror.runs import DatabaseRun
from notion_pg_sync.mirror.tables import SyncTable
from notion_pg_sync.notion.cleaning import digest
from notion_pg_sync.notion.client import NotionClient
from notion_pg_sync.notion.markdown import plain_text
from notion_pg_sync.sync.bodies.body import BodyReader
from notion_pg_sync.sync.bodies.plan import BATCH, goes_on, is_settled
from notion_pg_sync.sync.files.naming import keeps_files, take_in_files_of_bodies
from notion_pg_sync.sync.gathering import gather_or_cancel
from notion_pg_sync.sync.run.context import RunContext
from notion_pg_sync.sync.run.failures import Failure, logged_failure
from notion_pg_sync.sync.run.listener import ProgressKey


class _DueOfSource(Struct, frozen=True):
    """How many bodies of a data source are due when reading begins."""

    key: DataSourceKey
    table: SyncTable
    counts: Mapping[Due, int]


class _Batch(Struct):
    """What came of the pages of one batch."""

    read: list[Body] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)


async def read_body(reader: BodyReader, page: DuePage) -> Body:
    """The body of a page, as it is to be kept. Raises `NotionError`."""
    read = await reader.read(page.page_id)
    return Body(
        page_id=page.page_id,
        markdown=read.markdown,
        plain_text=plain_text(read.markdown),
        missing=read.missing,
        content_hash=digest(read.markdown),
        edited_at=page.edited_at,
        settled=is_settled(page.edited_at, read.asked_at),
        fetched_at=read.asked_at,
        files=read.files,
    )


class BodiesSync:
    """Reads the bodies of one database of a user, under the user's lease, after its rows.

    First `sync` and then, once those of the user's other databases are up to date, `refresh`. `run` is what the rows
    came to, and then with the bodies, as far as they are read.
    `data_sources`: of these alone, None: of all. No batch is begun after `deadline`, a time of the event loop.
    """

    def __init__(
        self,
        work: RunContext,
        client: NotionClient,
        user_id: str,
        database: ConfiguredDatabase,
        run: DatabaseRun,
        *,
        data_sources: Collection[str] | None = None,
        deadline: float | None = None,
    ) -> None:
        self._work = work
        self._client = client.with_own_traffic()
        self._reader = BodyReader(self._client)
        self._user_id = user_id
        self._database = database
        self.run = run
        self._of_rows = run
        self._watched = ProgressKey(user_id, database.name, database.database_id)
        self._data_sources = data_sources
        self._deadline = deadline
        self._every = work.settings.full_bodies_every
        self._due: list[_DueOfSource] = []
        self._left = 0
        self._first_failure = ""
        self._has_given_up = False

    async def sync(self) -> None:
        """Reads what is not up to date, or all; `run` has the outcome.

        What goes wrong ends the reading of bodies, and leaves what was read, and the rows' result, as they are. Raises
        what psycopg raises where not even that can be recorded.
        """
        everything = self._work.settings.full_bodies or not self._every
        kinds = [Due.ALL] if everything else [Due.BEHIND, Due.OLD]
        try:
            self._due = await self._count_due(kinds)
        except Exception as error:  # noqa: BLE001 - recorded; the rows are there without bodies
            self._first_failure = logged_failure(error).sentence
            await self._conclude()
        await self._read_all(kinds[0])

    async def refresh(self) -> None:
        """Reads again what has become old, since Notion tells no edit of what a body takes from elsewhere.

        Raises as `sync`.
        """
        if not self._has_given_up:
            await self._read_all(Due.OLD)

    async def _read_all(self, due: Due) -> None:
        """Reads all bodies that are due for this reason."""
        sources = [source for source in self._due if source.counts.get(due)]
        if not sources:
            return
        self._left += sum(source.counts[due] for source in sources)
        done = self.run.bodies_read + self.run.bodies_failed
        self._work.listener.bodies_started(self._watched, done + self._left)
        try:
            for source in sources:
                if not await self._sync_data_source(source, due):
                    self._has_given_up = True
                    break
        except Exception as error:  # noqa: BLE001 - recorded; the rows are there without bodies
            self._first_failure = self._first_failure or logged_failure(error).sentence
            self._has_given_up = True
        await self._conclude()

    async def _count_due(self, kinds: Sequence[Due]) -> list[_DueOfSource]:
        """The data sources, with how many bodies of each are to be read."""
        found = []
        async with self._work.writing_for(self._user_id) as connection:
            known = await known_data_sources(connection, self._user_id, self._database.database_id)
            for data_source_id, table_name in known.items():
                if self._data_sources is not None and data_source_id not in self._data_sources:
                    continue
                key, table = DataSourceKey(self._user_id, data_source_id), self._work.table_named(table_name)
                if table is not None:
                    await bodies.note_intact_bodies(connection, key)
                    counts = await bodies.count_due(connection, table, key, kinds, self._every)
                    found.append(_DueOfSource(key, table, counts))
        return found

    async def _sync_data_source(self, source: _DueOfSource, due: Due) -> bool:
        """Whether it is worth going on to the next; each page is tried once."""
        last: DuePage | None = None
        while pages := await self._next(source, due, last):
            if self._deadline is not None and asyncio.get_running_loop().time() > self._deadline:
                return False
            last = pages[-1]
            batch = _Batch()
            await gather_or_cancel(self._read(page, batch) for page in pages)
            self._left = max(0, self._left - len(pages))
            self.run = self._with_batch(batch)
            if batch.failed:
                self._first_failure = self._first_failure or batch.failed[0].sentence
            await self._write(source, batch.read)
            self._work.listener.bodies_progressed(self._watched, self.run, waiting=self._client.pacer.is_waiting)
            if not goes_on(len(batch.read), [error.code for error in batch.failed]):
                return False
        return True

    def _with_batch(self, batch: _Batch) -> DatabaseRun:
        return replace(
            self.run,
            bodies_read=self.run.bodies_read + len(batch.read),
            bodies_failed=self.run.bodies_failed + len(batch.failed),
            requests=self._of_rows.requests + self._client.traffic.requests,
            retries=self._of_rows.retries + self._client.traffic.retries,
        )

    @retried
    async def _write(self, source: _DueOfSource, read: Sequence[Body]) -> None:
        async with self._work.writing_for(self._user_id) as connection:
            await bodies.write_bodies(connection, source.table, source.key, read)
            if keeps_files(self._work.settings, self._database.options):
                await take_in_files_of_bodies(connection, self._work, source.key, read)
            await self._count(connection)

    async def _next(self, source: _DueOfSource, due: Due, last: DuePage | None) -> list[DuePage]:
        async with transaction(self._work.pool) as connection:
            return await bodies.due_pages(
                connection, source.table, source.key, last, most=BATCH, due=due, every=self._every
            )

    async def _read(self, page: DuePage, batch: _Batch) -> None:
        try:
            batch.read.append(await read_body(self._reader, page))
        except Exception as error:  # noqa: BLE001 - recorded; the other bodies are read
            batch.failed.append(logged_failure(error))

    async def _conclude(self) -> None:
        """Tells the outcome in the run's record and to the watcher."""
        said = self._of_rows.with_sentences(self._says())
        self.run = replace(self.run, message=said.message)
        await self._record()
        self._work.listener.bodies_ended(self._watched, self.run)

    @retried
    async def _record(self) -> None:
        async with transaction(self._work.pool) as connection:
            await self._count(connection)

    async def _count(self, connection: Connection) -> None:
        await runs.count_bodies(connection, self._work.runid, self._user_id, self._database.database_id, run=self.run)

    def _says(self) -> str:
        read = f"{plural(self.run.bodies_read, 'page body', 'page bodies')} read"
        if self.run.bodies_failed:
            read += f", {self.run.bodies_failed} failed"
        if self._left:
            read += f", {self._left} left to the next run"
        return f"{read}: {self._first_failure}" if self._first_failure else f"{read}."
