"""What a dry run would fetch of files. It asks for their sizes, and fetches and writes none."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING

from msgspec.structs import replace

from notion_pg_sync.core.hosted_files import HostedFile
from notion_pg_sync.mirror.connection import Connection, transaction
from notion_pg_sync.mirror.files import WantedFile, kept_of, wanted_files
from notion_pg_sync.sync.files.outcome import FilesDue

if TYPE_CHECKING:
    from notion_pg_sync.sync.files.keeping import FileKeeping
    from notion_pg_sync.sync.run.context import RunContext

# A request of Notion's storage each: more would take longer than a look is worth.
MOST_MEASURED = 1000
_BATCH = 1000


async def note_due(connection: Connection, work: RunContext, user_id: str, files: Sequence[HostedFile]) -> None:
    """Takes in files that pages name, those that are kept aside."""
    if not files:
        return
    kept = await kept_of(connection, user_id, {file.path for file in files})
    due = work.files_due.setdefault(user_id, set())
    for file in files:
        if file.path not in kept:
            due.add(file.path)
            work.addresses.learn(user_id, file.path, file.url, file.expires_at)


async def files_due(work: RunContext, user_id: str) -> FilesDue:
    """What a run that writes would fetch for a user now. Raises `PlaceError` where it could not."""
    from notion_pg_sync.sync.files.keeping import open_keeping  # noqa: PLC0415 - needs the extra `files`
    from notion_pg_sync.sync.files.marks import rehearse  # noqa: PLC0415

    due = work.files_due.pop(user_id, set()) | await _recorded(work, user_id)
    urls = {path: url for path in due if (url := work.addresses.address(user_id, path, datetime.now(UTC)))}
    async with open_keeping(work.settings) as keeping:
        await rehearse(work.pool, work.settings, takes_another=keeping.takes_another)
        asked = [_size(keeping, url) for url in islice(urls.values(), MOST_MEASURED)]
        sizes = [size for size in await asyncio.gather(*asked) if size is not None]
    fitting = [size for size in sizes if size <= work.settings.largest_file]
    too_large = len(sizes) - len(fitting)
    counted = FilesDue(len(due) - too_large, sum(fitting), too_large=too_large)
    return replace(counted, unmeasured=len(due) - len(sizes))


async def _recorded(work: RunContext, user_id: str) -> set[str]:
    """The paths of files that runs before left to this one."""
    recorded: set[str] = set()
    last: WantedFile | None = None
    largest = work.settings.largest_file
    while True:
        async with transaction(work.pool) as connection:
            some = await wanted_files(connection, user_id, _BATCH, after=last, largest=largest)
        recorded.update(file.path for file in some)
        if len(some) < _BATCH:
            return recorded
        last = some[-1]


async def _size(keeping: FileKeeping, url: str) -> int | None:
    """How many bytes a file has; None where that is not told."""
    from notion_pg_sync.sync.files.download import size_of  # noqa: PLC0415 - needs the extra `files`

    async with keeping.slots:
        return await size_of(keeping.client, url) if keeping.hosts.allow(url) else None
