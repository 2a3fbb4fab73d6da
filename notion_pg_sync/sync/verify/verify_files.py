"""Whether what is kept of files is as it is recorded, for `sync --verify`: of each its size, of a sample the bytes."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator, Sequence

from notion_pg_sync.mirror.held_files import HeldFile, HeldFiles
from notion_pg_sync.sync.files.marks import open_kept
from notion_pg_sync.sync.files.place import Place
from notion_pg_sync.sync.run.context import RunContext
from notion_pg_sync.sync.verify.verification import Difference, Findings, short

# So many files of a data source are read whole, as long as they have not more bytes than this together.
SAMPLE = 20
_MOST_SAMPLED_BYTES = 1_000_000_000
# So many sizes are asked for side by side.
_AT_ONCE = 16


async def compare_files(work: RunContext, held: HeldFiles, data_source_id: str, found: Findings) -> None:
    """Compares what lies in the place that keeps files with what is recorded of those that a data source names.

    Raises `PlaceError` where some are kept, and the place cannot be read, or is another than the one that keeps them.
    """
    place: Place | None = None
    sample = _Sample()
    async for files in held.kept(data_source_id):
        place = place or await open_kept(work.pool, work.settings)
        for start in range(0, len(files), _AT_ONCE):
            await _compare_sizes(place, files[start : start + _AT_ONCE], sample, found)
    if place is not None:
        await _compare_sample(place, sample, found)
    found.files_not_kept += await held.count_not_kept(data_source_id)


async def _compare_sizes(place: Place, files: Sequence[HeldFile], sample: _Sample, found: Findings) -> None:
    sizes = await asyncio.gather(*(place.size(file.stored_as) for file in files))
    for file, size in zip(files, sizes, strict=True):
        if size != file.bytes:
            found.files_lost += 1
            found.add(_differences(file, "bytes", file.bytes, size))
        else:
            sample.offer(file)
    found.files += len(files)


async def _compare_sample(place: Place, sample: _Sample, found: Findings) -> None:
    for file in sample.files:
        differences = await _compare_bytes(place, file)
        found.add(differences)
        found.files_read += 1
        found.files_altered += bool(differences)


async def _compare_bytes(place: Place, file: HeldFile) -> list[Difference]:
    there = await place.hashed(file.stored_as)
    sha256 = None if there is None else there.sha256
    return list(_differences(file, "sha256", file.sha256, sha256)) if sha256 != file.sha256 else []


def _differences(file: HeldFile, what: str, recorded: object, there: object) -> Iterator[Difference]:
    """A file names no page here: the same one may be named by many."""
    shown = "nothing" if there is None else short(there)
    yield Difference("file_differs", None, file.stored_as, what, f"recorded: {short(recorded)}", shown)


class _Sample:
    """Some of the files that it is offered, each as likely as any other, as far as their bytes are not too many."""

    def __init__(self) -> None:
        self._chosen: list[HeldFile] = []
        self._offered = 0

    def offer(self, file: HeldFile) -> None:
        """Takes it, or leaves it."""
        self._offered += 1
        if len(self._chosen) < SAMPLE:
            self._chosen.append(file)
        elif (place := random.randrange(self._offered)) < SAMPLE:
            self._chosen[place] = file

    @property
    def files(self) -> Iterator[HeldFile]:
        """Those that were taken, the smallest first."""
        left = _MOST_SAMPLED_BYTES
        for file in sorted(self._chosen, key=lambda file: (file.bytes, file.path)):
            left -= file.bytes
            if left < 0:
                return
            yield file
