"""Whether a place is the one that keeps this database's files, by a mark that lies in it and that PostgreSQL knows.

A folder is there, and empty, where a disk is not mounted; a name may be mistyped; two databases may be given one place.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import Enum, auto

from notion_pg_sync.core.printable import printable, shell_command
from notion_pg_sync.mirror.connection import Pool, transaction
from notion_pg_sync.mirror.file_places import KnownPlaces, hold_places, known_places, take_place
from notion_pg_sync.sync.files.place import MARK, Place, PlaceError


class Standing(Enum):
    """What a place is to a database: the one that keeps its files; the first one; one without a mark, though files are
    kept; one that kept them before the present one; one with another database's mark.
    """

    OURS = auto()
    NEW = auto()
    UNMARKED = auto()
    FORMER = auto()
    STRANGE = auto()


_FREE = frozenset({Standing.NEW, Standing.UNMARKED, Standing.FORMER})


def standing(mark: str | None, known: KnownPlaces) -> Standing:
    """Pure: what a place with this mark (None: it has none) is to a database that knows these."""
    if mark is None:
        return Standing.UNMARKED if known.keeps_any else Standing.NEW
    if mark not in known.ids:
        return Standing.STRANGE
    return Standing.OURS if mark == known.ids[0] else Standing.FORMER


def require_ours(where: str, found: Standing) -> None:
    """Pure: raises `PlaceError`, which says what to do, unless files are kept at `where`, or may be from now on."""
    place, full = printable(where), shell_command("notion-pg-sync", "sync-all", "--full", "--files", where)
    match found:
        case Standing.OURS | Standing.NEW:
            return
        case Standing.UNMARKED:
            wrong = f"{place} is not where the files of this database are (no {MARK} is in it)"
            needs = (
                "mount its disk, or name the place that has them; if they are lost, or were moved there, take it and "
                f"fetch what it lacks: {full}"
            )
        case Standing.FORMER:
            wrong = f"{place} kept the files of this database before the present place"
            needs = f"name the present one; to go back to this one, and fetch what it lacks: {full}"
        case Standing.STRANGE:
            wrong = f"{place} keeps the files of another database"
            needs = f"name a place of its own for this one; if the other database is gone, remove {MARK} there"
    raise PlaceError(f"{wrong}: {needs}", needs=needs)


async def look(pool: Pool, place: Place) -> Standing:
    """What a place is to the database of `pool`. Raises `PlaceError` where it cannot be read."""
    async with transaction(pool) as connection:
        return standing(await place.mark(), await known_places(connection))


async def confirm(pool: Pool, place: Place, *, takes_another: bool = False) -> None:
    """Raises `PlaceError` unless a place is the one that keeps this database's files, from now on if none was.

    `takes_another`: it becomes that where it has no mark, or was the place before.
    """
    found = await look(pool, place)
    free = _FREE if takes_another else {Standing.NEW}
    if found in free:
        found = await _take(pool, place, free)
    require_ours(place.where, found)


async def _take(pool: Pool, place: Place, free: Collection[Standing]) -> Standing:
    """Takes a place, unless another run has done so by now.

    PostgreSQL knows a mark before it is written: one that nobody knows would be another database's for good.
    """
    async with transaction(pool) as connection:
        await hold_places(connection)
        if standing(await place.mark(), await known_places(connection)) in free:
            await take_place(connection)
    async with transaction(pool) as connection:
        await hold_places(connection)
        known = await known_places(connection)
        found = standing(await place.mark(), known)
        if found not in free:
            return found
        await place.set_mark(known.ids[0])
    return Standing.OURS
