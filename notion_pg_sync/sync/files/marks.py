"""Whether a place is the one that keeps this database's files, by a mark that lies in it and that PostgreSQL knows.

A folder is there, and empty, where a disk is not mounted; a name may be mistyped; two databases may be given one place.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import Enum, auto

from notion_pg_sync.core.printable import printable, shell_command
from notion_pg_sync.mirror.connection import Connection, Pool, retried, transaction
from notion_pg_sync.mirror.file_places import (
    KnownPlaces,
    hold_places,
    hold_present,
    known_places,
    make_id,
    take_place,
)
from notion_pg_sync.settings import Settings
from notion_pg_sync.sync.files.folders import can_be_made, folder_of
from notion_pg_sync.sync.files.place import MARK, Place, PlaceError, open_place


class Standing(Enum):
    """What a place is to a database: the one that keeps its files; the first one; one without a mark, though files are
    kept; a folder that is not there, though files are kept; one that kept them before the present one, or was nearly
    taken; one with another database's mark.
    """

    OURS = auto()
    NEW = auto()
    UNMARKED = auto()
    ABSENT = auto()
    FORMER = auto()
    STRANGE = auto()


_FREE = frozenset({Standing.NEW, Standing.UNMARKED, Standing.FORMER})


def standing(mark: str | None, known: KnownPlaces) -> Standing:
    """Pure: what a place with this mark (None: it has none) is to a database that knows these."""
    if mark is None:
        return Standing.UNMARKED if known.keeps_any else Standing.NEW
    if mark == known.present:
        return Standing.OURS
    if mark not in known.others:
        return Standing.STRANGE
    return Standing.FORMER if known.keeps_any else Standing.NEW


def require_ours(where: str, found: Standing) -> None:
    """Pure: raises `PlaceError`, which says what to do, unless files are kept at `where`, or may be from now on."""
    place, full = printable(where), shell_command("notion-pg-sync", "sync-all", "--full", "--files", where)
    match found:
        case Standing.OURS | Standing.NEW:
            return
        case Standing.UNMARKED | Standing.ABSENT:
            lacks = f"no {MARK} is in it" if found is Standing.UNMARKED else "there is no such folder"
            wrong = f"{place} is not where the files of this database are ({lacks})"
            needs = (
                "mount its disk, or name the place that has them; if they are lost, or were moved there, take it and "
                f"fetch what it lacks: {full}"
            )
        case Standing.FORMER:
            wrong = f"{place} does not keep the files of this database now, another place does"
            needs = f"name that one; to take this one instead, and fetch what it lacks: {full}"
        case Standing.STRANGE:
            wrong = f"{place} keeps the files of another database"
            needs = (
                "name a place of its own for this one; if the other database is gone, or was this one before it was "
                f"restored, remove {MARK} there"
            )
    raise PlaceError(f"{wrong}: {needs}", needs=needs)


async def look(pool: Pool, place: Place) -> Standing:
    """What a place is to the database of `pool`. Raises `PlaceError` where it cannot be read."""
    async with transaction(pool) as connection:
        return standing(await place.mark(), await known_places(connection))


async def open_confirmed(pool: Pool, settings: Settings, *, takes_another: bool) -> Place:
    """The place of the settings, confirmed (see `confirm`). A folder is made where it may become the one. Raises
    `PlaceError`.
    """
    known = await _known(pool)
    place = _opened(settings, known, may_be_new=takes_another or not known.keeps_any)
    await confirm(pool, place, takes_another=takes_another)
    return place


async def open_kept(pool: Pool, settings: Settings) -> Place:
    """The place of the settings, where it is the one that keeps files. Raises `PlaceError`; makes nothing."""
    known = await _known(pool)
    place = _opened(settings, known, may_be_new=False)
    require_ours(place.where, standing(await place.mark(), known))
    return place


async def rehearse(pool: Pool, settings: Settings, *, takes_another: bool) -> None:
    """Raises `PlaceError` where `open_confirmed` would; makes and writes nothing."""
    known = await _known(pool)
    if can_be_made(settings.files or "") and (takes_another or not known.keeps_any):
        return
    place = _opened(settings, known, may_be_new=False)
    found = standing(await place.mark(), known)
    if not (takes_another and found in _FREE):
        require_ours(place.where, found)


async def _known(pool: Pool) -> KnownPlaces:
    async with transaction(pool) as connection:
        return await known_places(connection)


def _opened(settings: Settings, known: KnownPlaces, *, may_be_new: bool) -> Place:
    where = settings.files or ""
    folder = folder_of(where)
    if known.keeps_any and not may_be_new and folder is not None and not folder.exists():
        require_ours(where, Standing.ABSENT)
    return open_place(where, in_clear=settings.stores_in_clear, may_be_new=may_be_new)


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

    PostgreSQL knows a mark before it is written: one that nobody knows would be another database's for good. The place
    before stays the one that keeps files until the mark is there.
    """
    await place.check()
    place_id = await _id_for_place(pool)
    return await _mark(pool, place, place_id, free)


@retried
async def _id_for_place(pool: Pool) -> str:
    async with transaction(pool) as connection:
        return await make_id(connection)


@retried
async def _mark(pool: Pool, place: Place, place_id: str, free: Collection[Standing]) -> Standing:
    async with transaction(pool) as connection:
        await hold_places(connection)
        found = standing(await place.mark(), await known_places(connection))
        if found not in free:
            return found
        await place.set_mark(place_id)
        await take_place(connection, place_id)
    return Standing.OURS


async def hold(connection: Connection, place: Place) -> None:
    """Keeps other runs from taking another place until the transaction ends. Raises `PlaceError` where one has done so,
    and where a folder has lost its mark, as when its disk went.

    What this run did in the place is not recorded then.
    """
    mark = await place.mark() if place.is_folder else place.marked_as
    if mark != await hold_present(connection):
        require_ours(place.where, Standing.UNMARKED if mark is None else Standing.FORMER)
