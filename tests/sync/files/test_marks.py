"""Which place keeps a database's files: told by a mark in it, whatever lies at the name that a run is given."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from notion_pg_sync.mirror.connection import Pool, open_pool, transaction
from notion_pg_sync.mirror.file_places import KnownPlaces, hold_places, take_place
from notion_pg_sync.sync.files.marks import Standing, confirm, look, require_ours, standing
from notion_pg_sync.sync.files.place import MARK, Place, PlaceError, open_place


@pytest.fixture
async def pool(initialised_url: str) -> AsyncIterator[Pool]:
    """Connections to a database that keeps no file yet."""
    async with open_pool(initialised_url) as opened:
        yield opened


async def keep_a_file(pool: Pool) -> None:
    async with transaction(pool) as connection:
        await connection.execute(
            "INSERT INTO notion_sync.files (user_id, path, stored_as, fetched_at)"
            " VALUES ('anna', '/a', 'anna/a', now())"
        )


async def unseen(pool: Pool) -> list[str]:
    async with transaction(pool) as connection:
        found = await connection.execute("SELECT path FROM notion_sync.files WHERE unseen")
        return [path for (path,) in await found.fetchall()]


@given(st.none() | st.sampled_from("abc"), st.lists(st.sampled_from("ab"), unique=True), st.booleans())
def test_a_place_is_ours_by_the_latest_mark_alone(mark: str | None, ids: list[str], keeps_any: bool) -> None:
    found = standing(mark, KnownPlaces(ids, keeps_any))
    assert (found is Standing.OURS) == (mark is not None and ids[:1] == [mark])
    assert (found is Standing.NEW) == (mark is None and not keeps_any)
    assert (found is Standing.STRANGE) == (mark is not None and mark not in ids)


async def test_the_first_place_is_marked_and_is_the_one_from_then_on(pool: Pool, place: Place) -> None:
    assert await look(pool, place) is Standing.NEW
    await confirm(pool, place)
    mark = await place.mark()
    assert mark is not None
    await keep_a_file(pool)
    await confirm(pool, place)
    assert (await look(pool, place), await place.mark()) == (Standing.OURS, mark)


async def test_another_place_is_taken_only_where_that_is_asked_for(pool: Pool, place: Place, tmp_path: Path) -> None:
    await confirm(pool, place)
    await keep_a_file(pool)
    other = open_place(str(tmp_path / "other"))
    with pytest.raises(PlaceError, match="is not where the files of this database are"):
        await confirm(pool, other)
    assert (await other.mark(), await unseen(pool)) == (None, [])
    await confirm(pool, other, takes_another=True)
    assert (await look(pool, other), await unseen(pool)) == (Standing.OURS, ["/a"])
    with pytest.raises(PlaceError, match="kept the files of this database before the present place"):
        await confirm(pool, place)
    await confirm(pool, place, takes_another=True)
    assert [await look(pool, one) for one in (place, other)] == [Standing.OURS, Standing.FORMER]


async def test_the_place_of_another_database_is_never_taken(pool: Pool, place: Place) -> None:
    await confirm(pool, place)
    async with transaction(pool) as connection:
        await connection.execute("DELETE FROM notion_sync.file_places")
    for takes_another in (False, True):
        with pytest.raises(PlaceError, match=f"keeps the files of another database.* remove {MARK} there"):
            await confirm(pool, place, takes_another=takes_another)


async def test_a_mark_that_cannot_be_read_is_nobodys(pool: Pool, tmp_path: Path) -> None:
    (tmp_path / MARK).write_bytes(b"\xff" * 5000)
    assert await look(pool, open_place(str(tmp_path))) is Standing.STRANGE
    (tmp_path / MARK).write_bytes(b"")
    assert await look(pool, open_place(str(tmp_path))) is Standing.STRANGE


async def test_runs_that_begin_side_by_side_take_it_once(pool: Pool, place: Place) -> None:
    await asyncio.gather(*(confirm(pool, place) for _ in range(4)))
    assert await look(pool, place) is Standing.OURS


async def test_a_run_that_was_killed_before_it_marked_the_place_leaves_it_free(pool: Pool, place: Place) -> None:
    async with transaction(pool) as connection:
        await hold_places(connection)
        await take_place(connection)
    assert await look(pool, place) is Standing.NEW
    await confirm(pool, place)
    assert await look(pool, place) is Standing.OURS


async def test_while_one_run_takes_a_place_another_waits(pool: Pool, initialised_url: str, place: Place) -> None:
    async with await psycopg.AsyncConnection.connect(initialised_url) as holding:
        await holding.execute("LOCK TABLE notion_sync.file_places IN EXCLUSIVE MODE")
        taking = asyncio.create_task(confirm(pool, place))
        done, _ = await asyncio.wait([taking], timeout=0.3)
        assert (done, await place.mark()) == (set(), None)
        await holding.commit()
    await taking
    assert await look(pool, place) is Standing.OURS


def test_what_a_refusal_tells_to_type_names_the_place_as_a_shell_takes_it() -> None:
    with pytest.raises(PlaceError, match=r"--full --files '/mnt/a b'\Z"):
        require_ours("/mnt/a b", Standing.UNMARKED)
