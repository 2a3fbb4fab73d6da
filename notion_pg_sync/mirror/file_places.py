"""The places that kept the bytes of this database's files: the one that does now, and those before it."""

from __future__ import annotations

from collections.abc import Collection
from typing import cast

from msgspec import Struct

from notion_pg_sync.mirror.connection import Connection, fetch_value


class KnownPlaces(Struct, frozen=True):
    """The id of the place that keeps files now, if any does; those of the places before, and of those nearly taken.

    `keeps_any`: bytes lie there, kept or to be removed.
    """

    present: str | None
    others: Collection[str]
    keeps_any: bool


async def known_places(connection: Connection) -> KnownPlaces:
    """The places that this database knows."""
    present = await _present(connection)
    found = await connection.execute(
        """
        SELECT ARRAY(SELECT place_id::text FROM notion_sync.file_places),
               EXISTS (SELECT FROM notion_sync.files WHERE fetched_at IS NOT NULL)
               OR EXISTS (SELECT FROM notion_sync.discarded_files)
        """
    )
    ids, keeps_any = await found.fetchone() or ([], False)
    return KnownPlaces(present, frozenset(ids) - {present}, keeps_any)


async def _present(connection: Connection) -> str | None:
    found = (
        "SELECT place_id::text FROM notion_sync.file_places WHERE taken_at IS NOT NULL ORDER BY taken_at DESC LIMIT 1"
    )
    return cast(str | None, await fetch_value(connection, found))


async def hold_places(connection: Connection) -> None:
    """Keeps every other run from taking a place, and from recording what it kept, until the transaction ends."""
    await connection.execute("LOCK TABLE notion_sync.file_places IN EXCLUSIVE MODE")


async def hold_present(connection: Connection) -> str | None:
    """The id of the place that keeps files now, which stays that one until the transaction ends."""
    await connection.execute("LOCK TABLE notion_sync.file_places IN ROW SHARE MODE")
    return await _present(connection)


async def make_id(connection: Connection) -> str:
    """An id for a place that is to be taken."""
    made = await fetch_value(connection, "INSERT INTO notion_sync.file_places DEFAULT VALUES RETURNING place_id::text")
    return cast(str, made)


async def take_place(connection: Connection, place_id: str) -> None:
    """Has the place of this id keep files from now on; what is kept is to be looked for in it."""
    await connection.execute(
        """
        UPDATE notion_sync.file_places SET taken_at = greatest(
            clock_timestamp(), (SELECT max(taken_at) + interval '1 microsecond' FROM notion_sync.file_places))
        WHERE place_id = %s
        """,
        (place_id,),
    )
    await connection.execute("UPDATE notion_sync.files SET unseen = true WHERE fetched_at IS NOT NULL AND NOT unseen")
