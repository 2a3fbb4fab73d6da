"""Which pages name which files, which of them are wanted, kept and unused, and what becomes of their bytes."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from msgspec.structs import replace

from notion_pg_sync.core.hosted_files import PLACES_OF_PAGES, FilePlace, HostedFile
from notion_pg_sync.mirror import files
from notion_pg_sync.mirror.bookkeeping import find_lack
from notion_pg_sync.mirror.connection import Connection, open_pool, transaction
from notion_pg_sync.mirror.files import FileFailure, FileTotals, Kept
from notion_pg_sync.notion.hosted_files import MAX_PATH_LENGTH

PAGE, OTHER_PAGE, MOVED = (f"{number}0000000-0000-4000-8000-000000000001" for number in (1, 2, 3))
SOURCE, OTHER_SOURCE = (f"{number}0000000-0000-4000-8000-00000000000a" for number in (1, 2))
GRACE = timedelta(days=30)


def named(path: str, position: int = 1, *, place: FilePlace = "property", column: str = "plans") -> HostedFile:
    return HostedFile(
        place, column if place == "property" else "", position, f"name of {path}", path, f"https://h{path}"
    )


def body(path: str, position: int = 1) -> HostedFile:
    return named(path, position, place="body")


@asynccontextmanager
async def connected(database_url: str) -> AsyncIterator[Connection]:
    async with open_pool(database_url) as pool, transaction(pool) as connection:
        yield connection


async def record(connection: Connection, *given: HostedFile, page: str = PAGE, source: str = SOURCE) -> set[str]:
    places: Sequence[FilePlace] = ("body",) if any(one.place == "body" for one in given) else PLACES_OF_PAGES
    return await files.record_page_files(connection, "anna", source, {page: given}, places)


async def rows(connection: Connection, query: str, *parameters: object) -> list[tuple[Any, ...]]:
    return await (await connection.execute(query.encode(), parameters)).fetchall()


async def all_named(connection: Connection) -> list[tuple[Any, ...]]:
    return await rows(
        connection,
        "SELECT page_id::text, data_source_id::text, place, property, position, path FROM notion_sync.page_files"
        " ORDER BY page_id, place, property, position",
    )


async def unused(connection: Connection) -> list[str]:
    found = "SELECT path FROM notion_sync.files WHERE unused_since IS NOT NULL ORDER BY path"
    return [path for (path,) in await rows(connection, found)]


def kept(path: str, size: int = 5) -> dict[str, Kept]:
    return {path: Kept(f"anna{path}", "ab" * 32, size, "image/png")}


async def test_what_pages_name_is_recorded_and_followed(initialised_url: str) -> None:
    async with connected(initialised_url) as connection:
        cover = named("/c", place="cover")
        assert await record(connection, named("/a"), named("/b", 3), cover) == {"/a", "/b", "/c"}
        assert await record(connection, body("/a"), body("/d", 2)) == {"/a", "/d"}
        assert await all_named(connection) == [
            (PAGE, SOURCE, "body", "", 1, "/a"),
            (PAGE, SOURCE, "body", "", 2, "/d"),
            (PAGE, SOURCE, "cover", "", 1, "/c"),
            (PAGE, SOURCE, "property", "plans", 1, "/a"),
            (PAGE, SOURCE, "property", "plans", 3, "/b"),
        ]
        # What a body names is another's matter; what was named in the place of another file is unused.
        assert await record(connection, named("/b"), named("/e", 2)) == {"/b", "/e"}
        assert await all_named(connection) == [
            (PAGE, SOURCE, "body", "", 1, "/a"),
            (PAGE, SOURCE, "body", "", 2, "/d"),
            (PAGE, SOURCE, "property", "plans", 1, "/b"),
            (PAGE, SOURCE, "property", "plans", 2, "/e"),
        ]
        assert await unused(connection) == ["/c"]
        assert await record(connection, cover) == {"/c"}
        assert await unused(connection) == ["/b", "/e"]
        await files.record_page_files(connection, "anna", SOURCE, {PAGE: []}, ["body", *PLACES_OF_PAGES])
        assert await unused(connection) == ["/a", "/b", "/c", "/d", "/e"]
        assert await all_named(connection) == []


async def test_what_a_column_named_stays_where_notion_does_not_tell_all_of_it(initialised_url: str) -> None:
    async with connected(initialised_url) as connection:
        await record(connection, named("/a"), named("/b", 2), named("/c", column="more"))
        parted = {PAGE: ["plans"], OTHER_PAGE: ["more"]}
        by_page = {PAGE: [named("/d")]}
        await files.record_page_files(connection, "anna", SOURCE, by_page, PLACES_OF_PAGES, not_whole=parted)
        assert await all_named(connection) == [
            (PAGE, SOURCE, "property", "plans", 1, "/d"),
            (PAGE, SOURCE, "property", "plans", 2, "/b"),
        ]
        assert await unused(connection) == ["/a", "/c"]


async def test_a_file_that_another_page_names_is_not_unused(initialised_url: str) -> None:
    async with connected(initialised_url) as connection:
        await record(connection, named("/a"), named("/b", 2))
        await record(connection, named("/a"), page=OTHER_PAGE)
        await record(connection)
        assert await unused(connection) == ["/b"]
        # In one batch, it goes from one page to the other.
        by_page = {OTHER_PAGE: [], PAGE: [named("/a")]}
        await files.record_page_files(connection, "anna", SOURCE, by_page, PLACES_OF_PAGES)
        assert await unused(connection) == ["/b"]
        await connection.execute("DELETE FROM notion_sync.page_files")
        assert await unused(connection) == ["/a", "/b"]


async def test_what_is_as_it_was_is_not_written_again(initialised_url: str) -> None:
    every = [named(f"/{number}", number) for number in range(1, 50)]
    async with connected(initialised_url) as connection:
        await record(connection, *every)
        written = "SELECT path, xmin::text, xmax::text, ctid::text FROM notion_sync."
        tables = ("files", "page_files")
        before = [await rows(connection, f"{written}{table} ORDER BY path") for table in tables]
        assert len(await record(connection, *every)) == len(every)
        assert [await rows(connection, f"{written}{table} ORDER BY path") for table in tables] == before


async def test_a_page_that_moves_takes_what_its_body_names_along(initialised_url: str) -> None:
    async with connected(initialised_url) as connection:
        await record(connection, named("/a"), page=MOVED)
        await record(connection, body("/b"), page=MOVED)
        assert await record(connection, named("/a"), page=MOVED, source=OTHER_SOURCE) == {
            "/a",
        }
        assert {source for _, source, *_ in await all_named(connection)} == {OTHER_SOURCE}
        assert await unused(connection) == []


async def test_what_is_wanted_is_what_pages_name_and_is_not_kept(initialised_url: str) -> None:
    async with connected(initialised_url) as connection:
        await record(connection, named("/a"), named("/b", 2), named("/c", 3))
        found = await files.wanted_files(connection, "anna", 10)
        assert [(one.path, one.page_id, one.place, one.name, one.tries) for one in found] == [
            (f"/{name}", PAGE, "property", f"name of /{name}", 0) for name in "abc"
        ]
        assert await files.wanted_files(connection, "anna", 2) == found[:2]
        assert await files.wanted_files(connection, "ben", 10) == []
        await files.note_kept(connection, "anna", kept("/a"))
        past, later = datetime.now(UTC) - timedelta(hours=1), datetime.now(UTC) + timedelta(hours=1)
        failures = {"/b": FileFailure("gone", later), "/c": FileFailure("slow", past)}
        await files.note_failures(connection, "anna", failures)
        assert await files.wanted_files(connection, "anna", 10) == [replace(found[2], tries=1)]
        await files.note_failures(connection, "anna", {"/c": FileFailure("too large", None)})
        assert await files.wanted_files(connection, "anna", 10) == []
        assert await record(connection, named("/a"), named("/b", 2), named("/c", 3)) == {"/b", "/c"}
        assert await files.file_totals(connection, "anna") == FileTotals(wanted=3, kept=1, failed=2, bytes=5)
        assert await files.file_totals(connection) == FileTotals(wanted=3, kept=1, failed=2, bytes=5)
        assert await files.file_totals(connection, "anna", OTHER_SOURCE) == FileTotals(0, 0, 0, 0)
        await files.note_kept(connection, "anna", kept("/c", 7))
        assert await files.file_totals(connection, "anna", SOURCE) == FileTotals(3, 2, 1, 12)
        # Of what no page names nothing is wanted.
        await record(connection)
        assert await files.wanted_files(connection, "anna", 10) == []
        assert await files.file_totals(connection) == FileTotals(0, 0, 0, 0)


async def test_what_there_is_to_do_is_told(initialised_url: str) -> None:
    async with connected(initialised_url) as connection:

        async def due() -> tuple[bool, bool, bool]:
            found = await files.due_files(connection, "anna", GRACE)
            return found.to_fetch, found.expired, found.discarded

        assert await due() == (False, False, False)
        await record(connection, named("/a"))
        assert await due() == (True, False, False)
        await files.note_failures(connection, "anna", {"/a": FileFailure("too large", None)})
        assert await due() == (False, False, False)
        await files.note_kept(connection, "anna", kept("/a"))
        await record(connection)
        assert await due() == (False, False, False)
        await connection.execute("UPDATE notion_sync.files SET unused_since = unused_since - interval '31 days'")
        assert await due() == (False, True, False)
        assert await files.expired(connection, "anna", GRACE) == ["/a"]
        await files.discard(connection, "anna", ["/a"])
        assert await due() == (False, False, True)


async def test_bytes_of_files_that_go_are_discarded_and_no_others(initialised_url: str) -> None:
    async with connected(initialised_url) as connection:
        await record(connection, *(named(f"/{name}", place) for place, name in enumerate("abcd", 1)))
        await files.note_begun(connection, "anna", {f"/{name}": f"anna/{name}" for name in "abc"})
        await files.note_kept(connection, "anna", {**kept("/a"), **kept("/b")})
        await record(connection, named("/b"))
        # One that is kept, one that a killed run had begun, one of which there is nothing; "/b" is a page's.
        await files.discard(connection, "anna", ["/a", "/b", "/c", "/d"])
        assert await rows(connection, "SELECT path FROM notion_sync.files") == [("/b",)]
        assert await files.discarded(connection, 10) == ["anna/a", "anna/c"]
        await files.cleared(connection, ["anna/a"])
        assert await files.discarded(connection, 10) == ["anna/c"]
        # It is wanted anew before its bytes are removed.
        await record(connection, named("/b"), named("/c", 2))
        await files.note_begun(connection, "anna", {"/c": "anna/c"})
        assert await files.discarded(connection, 10) == []


async def test_a_key_is_either_removed_or_written(initialised_url: str) -> None:
    async with open_pool(initialised_url) as pool:
        async with transaction(pool) as connection:
            await record(connection, named("/a"))
            await connection.execute("INSERT INTO notion_sync.discarded_files VALUES ('anna/a'), ('anna/b')")
        async with transaction(pool) as sweeping:
            assert await files.discarded(sweeping, 1) == ["anna/a"]
            async with transaction(pool) as other:
                # Nobody else removes it, and who would write it waits.
                assert await files.discarded(other, 10) == ["anna/b"]
                await other.execute("SET LOCAL lock_timeout = '50ms'")
                with pytest.raises(psycopg.errors.LockNotAvailable):
                    async with other.transaction():
                        await files.note_begun(other, "anna", {"/a": "anna/a"})
            await files.cleared(sweeping, ["anna/a"])


async def test_files_of_a_database_that_keeps_none_are_not_wanted(initialised_url: str) -> None:
    database = "4" + SOURCE[1:]
    async with connected(initialised_url) as connection:
        await connection.execute("INSERT INTO notion_sync.accounts (user_id) VALUES ('anna')")
        await connection.execute(
            "INSERT INTO notion_sync.databases (user_id, database_id, name, files) VALUES ('anna', %s, 'Tasks', false)",
            (database,),
        )
        await connection.execute(
            "INSERT INTO notion_sync.data_sources"
            " (user_id, data_source_id, database_id, database_name, view_name, name, sync_table, schema,"
            "  schema_fingerprint)"
            " VALUES ('anna', %s, %s, 'Tasks', 'tasks', 'Tasks', 'public.notion_pages_sync', '{}', '')",
            (SOURCE, database),
        )
        await record(connection, named("/a"), named("/b", 2))
        await record(connection, named("/b"), page=OTHER_PAGE, source=OTHER_SOURCE)
        assert [one.path for one in await files.wanted_files(connection, "anna", 10)] == ["/b"]


@pytest.mark.parametrize("kind", ["letters", "percent-encoded", "of one script"])
async def test_the_longest_paths_can_be_kept(initialised_url: str, kind: str) -> None:
    chance = random.Random(7)
    head = f"/{'a1' * 18}/{'b2' * 18}/"
    match kind:
        case "letters":
            name = "".join(chance.choice("abcdefghijklmnopqrstuvwxyz0123456789-_.") for _ in range(900))
        case "percent-encoded":
            # 900 bytes, the most that Notion takes.
            name = quote("".join(chr(chance.randrange(0x4E00, 0x9FFF)) for _ in range(300)))
        case _:
            name = quote("".join(chr(chance.randrange(0x3B1, 0x3C9)) for _ in range(450)))
    path = head + name
    assert len(path) <= MAX_PATH_LENGTH
    async with connected(initialised_url) as connection:
        assert await record(connection, named(path)) == {path}
        assert [one.path for one in await files.wanted_files(connection, "anna", 1)] == [path]


@pytest.mark.parametrize("table", ["files", "page_files"])
async def test_a_table_that_somebody_dropped_is_filled_anew(initialised_url: str, table: str) -> None:
    async with connected(initialised_url) as connection:
        await record(connection, named("/a"), named("/b", 2))
        await connection.execute(
            "INSERT INTO notion_sync.pages (user_id, page_id, data_source_id, source_hash, answer_hash)"
            " VALUES ('anna', %s, %s, 'x', 'y')",
            (PAGE, SOURCE),
        )
        await connection.execute(f"DROP TABLE notion_sync.{table} CASCADE".encode())
        await connection.execute((await find_lack(connection)).remedy())
        read = await rows(connection, "SELECT answer_hash IS NULL FROM notion_sync.pages")
        if table == "files":
            # What is wanted is known.
            assert [one.path for one in await files.wanted_files(connection, "anna", 5)] == ["/a", "/b"]
            assert read == [(False,)]
        else:
            # What pages name the next full read tells.
            assert read == [(True,)]
            assert await record(connection, named("/a")) == {"/a"}
