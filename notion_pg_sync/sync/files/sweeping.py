"""What is kept and no longer wanted: files that no page has named for a while, and bytes whose records are gone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from msgspec import Struct

from notion_pg_sync.mirror import files
from notion_pg_sync.mirror.connection import Pool, retried, transaction
from notion_pg_sync.sync.files.marks import hold
from notion_pg_sync.sync.files.place import Place, PlaceError
from notion_pg_sync.sync.run.context import RunContext

# So long a file stays that no page names any more: whoever restores a page has its files again.
GRACE = timedelta(days=30)

# Few, since others wait for their records while the bytes are removed.
_AT_ONCE = 100


@retried
async def discard_expired(work: RunContext, user_id: str) -> None:
    """Gives up the files of a user that no page has named for `GRACE`. Raises `LeaseLostError`."""
    async with work.writing_for(user_id) as connection:
        await files.discard(connection, user_id, await files.expired(connection, user_id, GRACE))


class Removed(Struct, frozen=True):
    """The bytes of how many files were removed. `problem`: why some cannot be."""

    files: int = 0
    problem: str | None = None


async def remove_discarded(pool: Pool, place: Place) -> Removed:
    """Removes the bytes that no record stands for any more. One that cannot be removed holds up no other.

    Raises `PlaceError` where the place is at fault, or keeps the files no more: what is left is removed next time.
    """
    removed, last = Removed(), ""
    while True:
        async with transaction(pool) as connection:
            await hold(connection, place)
            # Nobody can write under a key meanwhile (`files.note_begun`).
            keys = await files.discarded(connection, _AT_ONCE, after=last)
            gone, problem = await _deleted(place, keys)
            await files.cleared(connection, gone)
        removed = Removed(removed.files + len(gone), removed.problem or problem)
        if len(keys) < _AT_ONCE:
            return removed
        last = keys[-1]


async def _deleted(place: Place, keys: Sequence[str]) -> tuple[Sequence[str], str | None]:
    """Those of the keys under which nothing lies any more, and why that is not so of others."""
    try:
        await place.delete(keys)
    except PlaceError:
        await place.check()
    else:
        return keys, None
    gone, problem = [], None
    for key in keys:
        try:
            await place.delete([key])
        except PlaceError as error:
            problem = problem or f"{key!r} cannot be removed from there: {error}"
        else:
            gone.append(key)
    return gone, problem
