"""The place that keeps the bytes of files: a folder, or a bucket.

Bytes appear under their key whole or not at all: a folder has them under another name until then (`name#1`), a bucket
puts parts together at the end.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import re
import shutil
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import obstore
from msgspec import Struct
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, from_url

from notion_pg_sync.core.errors import ErrorCode, ExitCode, ToolError
from notion_pg_sync.sync.files.folders import folder_of
from notion_pg_sync.sync.files.refusals import why_unusable

# The least that S3 takes as a part of a file; what is smaller is sent as one.
PART_BYTES = 5 * 1024 * 1024
# Files of several parts that are written at once. Each takes memory for two parts or three.
_LARGE_AT_ONCE = 4
_DELETED_AT_ONCE = 500
_STAGED = re.compile(r"#[0-9]+\Z")

# What lies in a place beside the files, and says whose they are (`marks`).
MARK = ".notion-pg-sync"
_MARKED = "{}\n\nFiles of notion-pg-sync, for the one database that knows this id. Move it along with them.\n"
_MOST_MARK_BYTES = 1000


class PlaceError(ToolError):
    """The place cannot be written or read, whatever the file; the message says why and what to do."""

    exit_code = ExitCode.FAILED
    code = ErrorCode.FILE_STORE


class Held(Struct, frozen=True):
    """What lies under a key."""

    sha256: str
    bytes: int


class Sink:
    """Takes the bytes of one file."""

    def __init__(self, place: Place, writer: obstore.AsyncWritableFile) -> None:
        self._place = place
        self._writer = writer

    async def write(self, chunk: bytes) -> None:
        """Takes the next bytes. Raises `PlaceError`."""
        with self._place.explaining():
            await self._writer.write(chunk)


class Place:
    """Keeps bytes under keys (`keys.key_of`). Every method raises `PlaceError` where the place cannot be used.

    `marked_as`: the id that it was marked with when it was last looked at.
    """

    def __init__(self, where: str, store: ObjectStore, folder: Path | None) -> None:
        self.where = where
        self._store = store
        self._folder = folder
        self.marked_as: str | None = None
        self._large = asyncio.Semaphore(_LARGE_AT_ONCE)

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder of this machine."""
        return self._folder is not None

    @asynccontextmanager
    async def writing(self, key: str, media_type: str, size: int | None) -> AsyncIterator[Sink]:
        """Takes what is written within the block as the bytes under `key`, in place of what was there.

        Nothing is there, or what was there before, where the block raises. `size`: of how many bytes, if that is known.
        """
        if self._folder is not None:
            with self.explaining():
                await asyncio.to_thread(_clear_staged, self._folder / key)
        large = self._large if size is None or size > PART_BYTES else contextlib.nullcontext()
        async with large:
            # A folder has nowhere to put the media type.
            attributes = {"Content-Type": media_type} if self._folder is None else None
            writer = obstore.open_writer_async(
                self._store, key, buffer_size=PART_BYTES, max_concurrency=1, attributes=attributes
            )
            await writer.__aenter__()
            try:
                yield Sink(self, writer)
            except BaseException as error:
                with suppress(BaseError, OSError):
                    await writer.__aexit__(type(error), error, error.__traceback__)
                raise
            with self.explaining():
                await _to_its_end(writer)
                if self._folder is not None:
                    await asyncio.to_thread(_settle, self._folder / key)

    async def delete(self, keys: Sequence[str]) -> None:
        """Removes what lies under these keys, also what a run that was killed left of it."""
        with self.explaining():
            if self._folder is not None:
                await asyncio.to_thread(_delete, self._folder, keys)
                return
            for first in range(0, len(keys), _DELETED_AT_ONCE):
                with suppress(FileNotFoundError):
                    await obstore.delete_async(self._store, keys[first : first + _DELETED_AT_ONCE])

    async def size(self, key: str) -> int | None:
        """How many bytes lie under a key; None where nothing does."""
        with self.explaining():
            try:
                return (await obstore.head_async(self._store, key))["size"]
            except FileNotFoundError:
                return None

    async def hashed(self, key: str) -> Held | None:
        """What lies under a key, read whole; None where nothing does."""
        with self.explaining():
            try:
                answer = await obstore.get_async(self._store, key)
            except FileNotFoundError:
                return None
            digest, size = hashlib.sha256(), 0
            async for chunk in answer.stream(min_chunk_size=1024 * 1024):
                digest.update(chunk)
                size += len(chunk)
            return Held(digest.hexdigest(), size)

    async def mark(self) -> str | None:
        """The id that the place was marked with; None where it was not."""
        self.marked_as = await self._mark()
        return self.marked_as

    async def _mark(self) -> str | None:
        with self.explaining():
            try:
                answer = await obstore.get_async(self._store, MARK)
            except FileNotFoundError:
                return None
            said = bytes(await answer.bytes_async()) if answer.meta["size"] <= _MOST_MARK_BYTES else b""
        return said.decode(errors="replace").partition("\n")[0].strip()

    async def set_mark(self, place_id: str) -> None:
        """Marks the place with an id."""
        marked = _MARKED.format(place_id).encode()
        async with self.writing(MARK, "text/plain", len(marked)) as sink:
            await sink.write(marked)
        self.marked_as = place_id

    async def check(self) -> None:
        """Writes, reads and removes something."""
        key, said = f".check-{uuid.uuid4().hex}", os.urandom(64)
        try:
            async with self.writing(key, "application/octet-stream", len(said)) as sink:
                await sink.write(said)
            found = await self.hashed(key)
        finally:
            await self.delete([key])
        if found != Held(hashlib.sha256(said).hexdigest(), len(said)):
            raise PlaceError(f"{self.where} does not give back what is written there: name another place.")

    def free_bytes(self) -> int | None:
        """How many bytes a folder's disk has left; None for a bucket."""
        if self._folder is None:
            return None
        with self.explaining():
            return shutil.disk_usage(self._folder).free

    @contextmanager
    def explaining(self) -> Iterator[None]:
        """Raises what the store raises as `PlaceError`."""
        try:
            yield
        except (BaseError, OSError, ValueError) as error:
            raise PlaceError(why_unusable(self.where, str(error))) from error


def open_place(where: str, *, in_clear: bool = False, may_be_new: bool = True) -> Place:
    """The place that the settings name (`Settings.files`); `in_clear`: plain http is allowed. Raises `PlaceError`.

    A folder that `may_be_new` is made where the one that it lies in is there, which a disk that is not mounted does not
    have.
    """
    try:
        if (folder := folder_of(where)) is not None:
            if may_be_new:
                folder.mkdir(exist_ok=True)
            os.scandir(folder).close()
            return Place(where, LocalStore(folder), folder)
        store = from_url(
            where,
            client_options={
                "connect_timeout": timedelta(seconds=10),
                "timeout": timedelta(seconds=60),
                "allow_http": in_clear,
            },
            retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=60)},
        )
        return Place(where, store, None)
    except (BaseError, OSError, ValueError) as error:
        raise PlaceError(why_unusable(where, str(error))) from error


async def _to_its_end(writer: obstore.AsyncWritableFile) -> None:
    """Puts what was written in its place, also where the run is given up meanwhile: half of it would be left behind."""
    ending = asyncio.ensure_future(writer.__aexit__(None, None, None))
    try:
        await asyncio.shield(ending)
    except asyncio.CancelledError:
        await asyncio.gather(ending, return_exceptions=True)
        raise


def _clear_staged(file: Path) -> None:
    """Removes what a run that was killed left of a file."""
    with suppress(FileNotFoundError), os.scandir(file.parent) as entries:
        for entry in entries:
            if entry.name.startswith(f"{file.name}#") and _STAGED.fullmatch(entry.name.removeprefix(file.name)):
                Path(entry.path).unlink(missing_ok=True)


def _settle(file: Path) -> None:
    """Has the disk hold a file, whose record may outlast a power cut."""
    if os.name == "nt":
        return
    for path in (file, file.parent):
        number = os.open(path, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def _delete(folder: Path, keys: Sequence[str]) -> None:
    for key in keys:
        file = folder / key
        _clear_staged(file)
        file.unlink(missing_ok=True)
        for empty in file.relative_to(folder).parents[:-1]:
            try:
                (folder / empty).rmdir()
            except OSError:
                break
