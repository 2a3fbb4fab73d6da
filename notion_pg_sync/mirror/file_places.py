"""The places that kept the bytes of this database's files: the one that does now, and those before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from notion_pg_sync.mirror.connection import Connection


@dataclass(frozen=True)
class KnownPlaces:
    """The ids of all places, the present one first. `keeps_any`: bytes lie there, kept or to be removed."""

    ids: Sequence[str]
    keeps_any: bool


async def known_places(connection: Connection) -> KnownPlaces:
    """The places that this database knows."""
    found = await connection.execute(
        """
        SELECT ARRAY(SELECT place_id::text FROM notion_sync.file_places ORDER BY taken_at DESC),
               EXISTS (SELECT FROM notion_sync.files WHERE fetched_at IS NOT NULL)
               OR EXISTS (SELECT FROM notion_sync.discarded_files)
        """
    )
    ids, keeps_any = await found.fetchone() or ([], False)
    return KnownPlaces(ids, keeps_any)


async def hold_places(connection: Connection) -> None:
    """Keeps every other run from taking or marking a place, until the transaction ends."""
    await connection.execute("LOCK TABLE notion_sync.file_places IN EXCLUSIVE MODE")


async def take_place(connection: Connection) -> None:
    """Gives a new id to the place that keeps files from now on; what is kept is to be looked for in it."""
    await connection.execute("INSERT INTO notion_sync.file_places DEFAULT VALUES")
    await connection.execute("UPDATE notion_sync.files SET unseen = true WHERE fetched_at IS NOT NULL")
