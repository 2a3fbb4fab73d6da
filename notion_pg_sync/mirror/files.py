"""The files that Notion hosts: which pages name them, which are kept, and which are to be fetched or to go.

Everything here is done under the user's lease. Bytes are kept elsewhere (`stored_as`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import cast

from msgspec import Struct
from psycopg.rows import class_row

from notion_pg_sync.core.hosted_files import FilePlace, HostedFile
from notion_pg_sync.mirror.connection import Connection, fetch_value


class WantedFile(Struct, frozen=True):
    """A file that is to be fetched: one of the pages that name it, its place and name there, how often it failed, and
    since when it is wanted.
    """

    path: str
    page_id: str
    place: FilePlace
    name: str
    tries: int
    wanted_at: datetime


class Kept(Struct, frozen=True):
    """What is known of the bytes of a file that is kept; `stored_as` is the key where bytes are kept."""

    stored_as: str
    sha256: str
    bytes: int
    media_type: str | None


class FileFailure(Struct, frozen=True):
    """Why a file could not be fetched, and when it is to be tried again; None: never by itself.

    `bytes`: its size, where it is too large, so that it is due once larger files may be kept. `left_nothing`: nothing
    lies under its key.
    """

    failure: str
    next_try_at: datetime | None
    bytes: int | None = None
    left_nothing: bool = False


class FileTotals(Struct, frozen=True):
    """How many files pages name, how many of them are kept and how many failed, and the bytes of what is kept."""

    wanted: int
    kept: int
    failed: int
    bytes: int


class DueFiles(Struct, frozen=True):
    """Whether there are files to fetch, files to let go, bytes to remove, and kept ones to look for in another place.

    `keeps_any`: whether any is kept.
    """

    to_fetch: bool
    expired: bool
    discarded: bool
    unseen: bool
    keeps_any: bool

    @property
    def is_anything(self) -> bool:
        """Whether there is anything to do."""
        return self.to_fetch or self.expired or self.discarded or self.unseen


async def record_page_files(
    connection: Connection,
    user_id: str,
    data_source_id: str,
    by_page: Mapping[str, Sequence[HostedFile]],
    places: Collection[FilePlace],
    *,
    not_whole: Mapping[str, Collection[str]] | None = None,
) -> set[str]:
    """Records all files that pages name in these places; returns the paths of those that are not kept yet.

    One statement, however many pages there are; what is as it was is not written. What pages name in other places
    follows them into this data source. `not_whole`: columns, by page, whose values Notion does not tell, or in part
    only; what they named before stays.
    """
    files = [(page_id, file) for page_id, every in by_page.items() for file in every]
    parted = [(page_id, column) for page_id, columns in (not_whole or {}).items() for column in columns]
    found = await connection.execute(
        """
        WITH given AS (
            SELECT * FROM unnest(%(page_ids)b::uuid[], %(places)b::text[], %(properties)b::text[],
                                 %(positions)b::integer[], %(names)b::text[], %(paths)b::text[])
                AS given (page_id, place, property, position, name, path)
        ), known AS (
            SELECT path, fetched_at, unused_since FROM notion_sync.files
            WHERE user_id = %(user)s AND path = ANY (%(paths)b::text[])
        ), wanted AS (
            INSERT INTO notion_sync.files (user_id, path)
            SELECT DISTINCT %(user)s, path FROM given
            WHERE NOT EXISTS (SELECT FROM known WHERE known.path = given.path AND unused_since IS NULL)
            ORDER BY path
            ON CONFLICT (user_id, path) DO UPDATE SET unused_since = NULL
        ), no_longer_named AS (
            DELETE FROM notion_sync.page_files AS named
            WHERE user_id = %(user)s AND page_id = ANY (%(pages)b::uuid[]) AND place = ANY (%(of)s::text[])
              AND NOT EXISTS (
                  SELECT FROM given
                  WHERE (given.page_id, given.place, given.property, given.position)
                      = (named.page_id, named.place, named.property, named.position))
              AND NOT EXISTS (
                  SELECT FROM unnest(%(parted_pages)b::uuid[], %(parted_columns)b::text[]) AS parted (page_id, property)
                  WHERE named.place = 'property'
                    AND (parted.page_id, parted.property) = (named.page_id, named.property))
        ), moved AS (
            UPDATE notion_sync.page_files AS named SET data_source_id = %(source)s
            WHERE user_id = %(user)s AND page_id = ANY (%(pages)b::uuid[]) AND NOT place = ANY (%(of)s::text[])
              AND data_source_id <> %(source)s
        ), named AS (
            INSERT INTO notion_sync.page_files AS named
                (user_id, data_source_id, page_id, place, property, position, name, path)
            SELECT %(user)s, %(source)s, page_id, place, property, position, name, path FROM given
            WHERE NOT EXISTS (
                SELECT FROM notion_sync.page_files AS as_it_is
                WHERE as_it_is.user_id = %(user)s AND as_it_is.data_source_id = %(source)s
                  AND (as_it_is.page_id, as_it_is.place, as_it_is.property, as_it_is.position)
                      = (given.page_id, given.place, given.property, given.position)
                  AND (as_it_is.name, as_it_is.path) = (given.name, given.path))
            ON CONFLICT (user_id, page_id, place, property, position) DO UPDATE
            SET data_source_id = EXCLUDED.data_source_id, name = EXCLUDED.name, path = EXCLUDED.path
        )
        SELECT DISTINCT path FROM given
        WHERE NOT EXISTS (SELECT FROM known WHERE known.path = given.path AND fetched_at IS NOT NULL)
        """,
        {
            "user": user_id,
            "source": data_source_id,
            "pages": list(by_page),
            "of": list(places),
            "parted_pages": [page_id for page_id, _ in parted],
            "parted_columns": [column for _, column in parted],
            "page_ids": [page_id for page_id, _ in files],
            "places": [file.place for _, file in files],
            "properties": [file.property for _, file in files],
            "positions": [file.position for _, file in files],
            "names": [file.name for _, file in files],
            "paths": [file.path for _, file in files],
        },
    )
    return {path async for (path,) in found}


async def due_files(connection: Connection, user_id: str, grace: timedelta, largest: int | None = None) -> DueFiles:
    """Whether there is anything to do for a user's files, in one cheap statement.

    `largest`: of how many bytes a file may be by now, which was too large until then.
    """
    async with connection.cursor(row_factory=class_row(DueFiles)) as cursor:
        await cursor.execute(
            """
            SELECT EXISTS (SELECT FROM notion_sync.files
                           WHERE user_id = %(user)s AND fetched_at IS NULL AND unused_since IS NULL
                             AND (next_try_at <= clock_timestamp() OR failure IS NULL OR bytes <= %(largest)s)
                          ) AS to_fetch,
                   EXISTS (SELECT FROM notion_sync.files
                           WHERE user_id = %(user)s AND unused_since < clock_timestamp() - %(grace)s::interval
                          ) AS expired,
                   EXISTS (SELECT FROM notion_sync.discarded_files) AS discarded,
                   EXISTS (SELECT FROM notion_sync.files WHERE user_id = %(user)s AND unseen) AS unseen,
                   EXISTS (SELECT FROM notion_sync.files
                           WHERE user_id = %(user)s AND fetched_at IS NOT NULL) AS keeps_any
            """,
            {"user": user_id, "grace": grace, "largest": largest},
        )
        found = await cursor.fetchone()
        return found or DueFiles(to_fetch=False, expired=False, discarded=False, unseen=False, keeps_any=False)


async def wanted_files(
    connection: Connection, user_id: str, most: int, *, after: WantedFile | None = None, largest: int | None = None
) -> list[WantedFile]:
    """At most `most` files of a user that are to be fetched by now, those first that have been wanted for longest.

    Not those that are named by pages of databases alone whose files are not to be kept. `after`: those behind this one.
    `largest`: as in `due_files`.
    """
    async with connection.cursor(row_factory=class_row(WantedFile)) as cursor:
        await cursor.execute(
            """
            SELECT path, named.page_id::text, named.place, named.name, tries, wanted_at
            FROM notion_sync.files AS file
            CROSS JOIN LATERAL (
                SELECT page_id, place, page_files.name FROM notion_sync.page_files
                LEFT JOIN notion_sync.data_sources USING (user_id, data_source_id)
                LEFT JOIN notion_sync.databases USING (user_id, database_id)
                WHERE page_files.user_id = file.user_id AND page_files.path = file.path
                  AND databases.files IS NOT FALSE
                ORDER BY place = 'body', page_id LIMIT 1
            ) AS named
            WHERE user_id = %(user)s AND fetched_at IS NULL
              AND (next_try_at <= clock_timestamp() OR failure IS NULL OR bytes <= %(largest)s)
              AND (%(after)s::timestamptz IS NULL OR (wanted_at, path) > (%(after)s, %(path)s))
            ORDER BY wanted_at, path LIMIT %(most)s
            """,
            {
                "user": user_id,
                "largest": largest,
                "after": after and after.wanted_at,
                "path": after and after.path,
                "most": most,
            },
        )
        return await cursor.fetchall()


async def kept_of(connection: Connection, user_id: str, paths: Collection[str]) -> set[str]:
    """Those of these paths whose files are kept."""
    found = await connection.execute(
        "SELECT path FROM notion_sync.files WHERE user_id = %s AND path = ANY (%b) AND fetched_at IS NOT NULL",
        (user_id, list(paths)),
    )
    return {path async for (path,) in found}


async def note_begun(connection: Connection, user_id: str, keys: Mapping[str, str]) -> None:
    """Notes before files, by path, are fetched, under which keys: so that bytes of a run that was killed are found.

    Waits until a key that is being removed is removed (`discarded`), and keeps it from being removed later.
    """
    await connection.execute(
        """
        WITH given AS (
            SELECT * FROM unnest(%(paths)s::text[], %(keys)s::text[]) AS given (path, key)
        ), back AS (
            DELETE FROM notion_sync.discarded_files WHERE stored_as = ANY (%(keys)s::text[])
        )
        UPDATE notion_sync.files AS file SET begun_as = key FROM given
        WHERE user_id = %(user)s AND file.path = given.path
        """,
        {"user": user_id, "paths": list(keys), "keys": list(keys.values())},
    )


async def note_kept(connection: Connection, user_id: str, kept: Mapping[str, Kept]) -> None:
    """Records files, by path, whose bytes are kept by now."""
    every = list(kept.values())
    await connection.execute(
        """
        UPDATE notion_sync.files AS file
        SET stored_as = given.stored_as, sha256 = given.sha256, bytes = given.bytes, media_type = given.media_type,
            fetched_at = clock_timestamp(), unseen = false, begun_as = NULL,
            failure = NULL, failed_at = NULL, next_try_at = NULL
        FROM unnest(%(paths)s::text[], %(keys)s::text[], %(sha256)s::text[], %(bytes)s::bigint[], %(types)s::text[])
            AS given (path, stored_as, sha256, bytes, media_type)
        WHERE user_id = %(user)s AND file.path = given.path
        """,
        {
            "user": user_id,
            "paths": list(kept),
            "keys": [one.stored_as for one in every],
            "sha256": [one.sha256 for one in every],
            "bytes": [one.bytes for one in every],
            "types": [one.media_type for one in every],
        },
    )


async def note_failures(connection: Connection, user_id: str, failures: Mapping[str, FileFailure]) -> None:
    """Records why files, by path, could not be fetched."""
    every = list(failures.values())
    await connection.execute(
        """
        UPDATE notion_sync.files AS file
        SET failure = given.failure, failed_at = clock_timestamp(), tries = tries + 1, next_try_at = given.next_try_at,
            bytes = given.bytes, begun_as = CASE WHEN given.left_nothing THEN NULL ELSE begun_as END
        FROM unnest(%(paths)s::text[], %(failures)s::text[], %(times)s::timestamptz[], %(bytes)s::bigint[],
                    %(left_nothing)s::boolean[])
            AS given (path, failure, next_try_at, bytes, left_nothing)
        WHERE user_id = %(user)s AND file.path = given.path
        """,
        {
            "user": user_id,
            "paths": list(failures),
            "failures": [one.failure for one in every],
            "times": [one.next_try_at for one in every],
            "bytes": [one.bytes for one in every],
            "left_nothing": [one.left_nothing for one in every],
        },
    )


async def kept_sizes(
    connection: Connection, user_id: str, most: int, *, after: str = "", only_unseen: bool = False
) -> dict[str, tuple[str, int]]:
    """Key and size of at most `most` files of a user that are kept, by path, in its order behind `after`.

    `only_unseen`: of those that nobody has looked for yet in the place that keeps files now.
    """
    found = await connection.execute(
        """
        SELECT path, stored_as, bytes FROM notion_sync.files
        WHERE user_id = %s AND path > %s AND fetched_at IS NOT NULL AND (unseen OR NOT %s)
        ORDER BY path LIMIT %s
        """,
        (user_id, after, only_unseen, most),
    )
    return {path: (key, size) async for path, key, size in found}


async def note_seen(connection: Connection, user_id: str, paths: Collection[str]) -> None:
    """Records that these files were looked for in the place that keeps files now."""
    await connection.execute(
        "UPDATE notion_sync.files SET unseen = false WHERE user_id = %s AND path = ANY (%s) AND unseen",
        (user_id, list(paths)),
    )


async def note_lost(connection: Connection, user_id: str, paths: Collection[str]) -> None:
    """Records that the bytes of these files are not where they were kept, or are cut: they are wanted again."""
    await connection.execute(
        """
        UPDATE notion_sync.files
        SET begun_as = stored_as, stored_as = NULL, sha256 = NULL, bytes = NULL, media_type = NULL, fetched_at = NULL,
            unseen = false, tries = 0, wanted_at = clock_timestamp()
        WHERE user_id = %s AND path = ANY (%s)
        """,
        (user_id, list(paths)),
    )


async def file_totals(
    connection: Connection, user_id: str | None = None, data_source_id: str | None = None
) -> FileTotals:
    """The totals of the files that pages name: of a user, or of all; of a data source, or of all of them.

    What is not kept counts only where it is to be: not where databases alone name it whose files are not.
    """
    async with connection.cursor(row_factory=class_row(FileTotals)) as cursor:
        await cursor.execute(
            """
            SELECT count(*) AS wanted, count(fetched_at) AS kept,
                   count(failure) FILTER (WHERE fetched_at IS NULL) AS failed,
                   coalesce(sum(bytes) FILTER (WHERE fetched_at IS NOT NULL), 0)::bigint AS bytes
            FROM notion_sync.files AS file
            WHERE (%(user)s::text IS NULL OR user_id = %(user)s) AND unused_since IS NULL
              AND (fetched_at IS NOT NULL
                   OR EXISTS (SELECT FROM notion_sync.page_files AS named
                              LEFT JOIN notion_sync.data_sources USING (user_id, data_source_id)
                              LEFT JOIN notion_sync.databases USING (user_id, database_id)
                              WHERE named.user_id = file.user_id AND named.path = file.path
                                AND databases.files IS NOT FALSE))
              AND (%(source)s::uuid IS NULL
                   OR EXISTS (SELECT FROM notion_sync.page_files AS named
                              WHERE named.user_id = file.user_id AND named.path = file.path
                                AND named.data_source_id = %(source)s))
            """,
            {"user": user_id, "source": data_source_id},
        )
        return await cursor.fetchone() or FileTotals(0, 0, 0, 0)


async def usual_failure(connection: Connection, user_id: str | None = None) -> str | None:
    """Why most of the files that could not be fetched could not, of a user or of all; None where none failed."""
    found = await fetch_value(
        connection,
        """
        SELECT failure FROM notion_sync.files
        WHERE (%(user)s::text IS NULL OR user_id = %(user)s) AND fetched_at IS NULL AND unused_since IS NULL
          AND failure IS NOT NULL
        GROUP BY failure ORDER BY count(*) DESC, failure LIMIT 1
        """,
        user=user_id,
    )
    return cast(str | None, found)


async def expired(connection: Connection, user_id: str, grace: timedelta) -> list[str]:
    """The paths of a user's files that no page has named for as long as `grace`."""
    found = await connection.execute(
        """
        SELECT path FROM notion_sync.files WHERE user_id = %s AND unused_since < clock_timestamp() - %s::interval
        ORDER BY path
        """,
        (user_id, grace),
    )
    return [path async for (path,) in found]


async def discard(connection: Connection, user_id: str, paths: Collection[str] | None = None) -> None:
    """Deletes those of a user's files (`paths`: of these) that no page names, and notes their bytes as `discarded`."""
    given = None if paths is None else list(paths)
    await connection.execute("SELECT notion_sync.discard_files(%s, %s)", (user_id, given))


async def discarded(connection: Connection, most: int, *, after: str = "") -> list[str]:
    """At most `most` keys behind `after` whose bytes are to be removed; then they are `cleared`, in one transaction.

    Until its end nobody else takes them, and nobody writes bytes under them.
    """
    found = await connection.execute(
        """
        SELECT stored_as FROM notion_sync.discarded_files WHERE stored_as > %s ORDER BY stored_as LIMIT %s
        FOR UPDATE SKIP LOCKED
        """,
        (after, most),
    )
    return [key async for (key,) in found]


async def count_discarded(connection: Connection) -> int:
    """Under how many keys there are bytes to be removed."""
    return cast(int, await fetch_value(connection, "SELECT count(*) FROM notion_sync.discarded_files"))


async def cleared(connection: Connection, keys: Collection[str]) -> None:
    """Records that no bytes are left under these keys."""
    await connection.execute("DELETE FROM notion_sync.discarded_files WHERE stored_as = ANY (%s)", (list(keys),))
