"""What all accounts of one run keep files with: one place, one way to Notion's storage, so many at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cached_property
from urllib.parse import urlsplit

import httpx

from notion_pg_sync.core.loopback import is_loopback
from notion_pg_sync.mirror.connection import Pool
from notion_pg_sync.settings import Settings
from notion_pg_sync.sync.files.download import open_downloads
from notion_pg_sync.sync.files.folders import folder_of
from notion_pg_sync.sync.files.hosts import PORTS, FileHosts
from notion_pg_sync.sync.files.marks import open_confirmed
from notion_pg_sync.sync.files.place import Place, PlaceError

# How many files a run fetches at once.
AT_ONCE = 16


class FileKeeping:
    """Opens the place and the way when they are first needed. `problem`: why no files are kept any more by this run.

    `slots` bounds how many files are under way.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._looking = asyncio.Lock()
        self._confirming = asyncio.Lock()
        self._place: Place | None = None
        self.slots = asyncio.Semaphore(AT_ONCE)
        self.problem: str | None = None

    @property
    def place(self) -> Place:
        """Where bytes are kept, once it is confirmed."""
        assert self._place is not None
        return self._place

    async def confirmed_place(self, pool: Pool) -> Place:
        """The same, which is that of the database of `pool`. Raises `PlaceError`."""
        async with self._confirming:
            if self._place is None:
                self._place = await open_confirmed(pool, self._settings, takes_another=self.takes_another)
        return self._place

    @property
    def takes_another(self) -> bool:
        """Whether another place than the one that keeps files becomes that: a full read that was asked for does so."""
        return self._settings.full and not self._settings.verify

    @property
    def is_folder(self) -> bool:
        """Whether the place is a folder of this machine."""
        return folder_of(self._settings.files or "") is not None

    @cached_property
    def client(self) -> httpx.AsyncClient:
        """What files are fetched with."""
        return open_downloads(self._settings.notion_proxy)

    @cached_property
    def hosts(self) -> FileHosts:
        """Where they may be fetched from."""
        notion = urlsplit(self._settings.notion_base_url)
        port = (notion.port or PORTS.get(notion.scheme)) if is_loopback(notion.hostname or "") else None
        return FileHosts(self._settings.file_hosts, loopback_port=port)

    async def is_at_fault(self, error: PlaceError) -> bool:
        """Whether the place itself is at fault, not what was written; then that is the run's `problem`."""
        async with self._looking:
            if self.problem is None:
                try:
                    await self.place.check()
                except PlaceError:
                    self.problem = str(error)
            return self.problem is not None

    async def close(self) -> None:
        """Closes what was opened."""
        if "client" in vars(self):
            await self.client.aclose()


@asynccontextmanager
async def open_keeping(settings: Settings) -> AsyncIterator[FileKeeping]:
    """What a run keeps files with (`Settings.files`)."""
    keeping = FileKeeping(settings)
    try:
        yield keeping
    finally:
        await keeping.close()
