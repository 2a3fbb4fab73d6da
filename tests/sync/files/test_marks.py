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
from notion_pg_sync.mirror.file_places import KnownPlaces, make_id
from notion_pg_sync.sync.files.marks import Standing, confirm, hold, look, require_ours, standing
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


async def nearly_take(pool: Pool, place: Place, *, is_marked: bool) -> None:
    async with transaction(pool) as connection:
        place_id = await make_id(connection)
    if is_marked:
        await place.set_mark(place_id)


@given(st.none() | st.sampled_from("abc"), st.none() | st.just("a"), st.booleans())
def test_a_place_is_ours_by_the_mark_of_the_present_one_alone(
    mark: str | None, present: str | None, keeps_any: bool
) -> None:
    found = standing(mark, KnownPlaces(present, {"b"}, keeps_any))
    assert (found is Standing.OURS) == (mark is not None and mark == present)
    assert (found is Standing.NEW) == (mark in (None, "b") and not keeps_any)
    assert (found is Standing.STRANGE) == (mark is not None and mark not in (present, "b"))


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
    with pytest.raises(PlaceError, match="does not keep the files of this database now"):
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


@pytest.mark.parametrize("is_marked", [False, True])
async def test_a_run_that_was_killed_before_it_had_the_first_place_leaves_it_free(
    pool: Pool, place: Place, is_marked: bool
) -> None:
    await nearly_take(pool, place, is_marked=is_marked)
    assert await look(pool, place) is Standing.NEW
    await confirm(pool, place)
    assert await look(pool, place) is Standing.OURS


@pytest.mark.parametrize("is_marked", [False, True])
async def test_a_run_that_was_killed_before_it_had_another_place_leaves_the_present_one(
    pool: Pool, place: Place, tmp_path: Path, is_marked: bool
) -> None:
    await confirm(pool, place)
    await keep_a_file(pool)
    other = open_place(str(tmp_path / "other"))
    await nearly_take(pool, other, is_marked=is_marked)
    await confirm(pool, place)
    with pytest.raises(PlaceError, match="--full"):
        await confirm(pool, other)
    assert await unseen(pool) == []
    await confirm(pool, other, takes_another=True)
    assert (await look(pool, other), await unseen(pool)) == (Standing.OURS, ["/a"])


async def test_what_was_done_in_a_place_is_not_recorded_once_another_was_taken(
    pool: Pool, place: Place, tmp_path: Path
) -> None:
    await confirm(pool, place)
    async with transaction(pool) as connection:
        await hold(connection, place)
    await confirm(pool, open_place(str(tmp_path / "other")), takes_another=True)
    async with transaction(pool) as connection:
        with pytest.raises(PlaceError, match="another place does"):
            await hold(connection, place)


async def test_the_place_that_was_taken_last_is_the_present_one_whatever_the_clock_says(
    pool: Pool, place: Place, tmp_path: Path
) -> None:
    await confirm(pool, place)
    async with transaction(pool) as connection:
        await connection.execute("UPDATE notion_sync.file_places SET taken_at = now() + interval '1 day'")
    other = open_place(str(tmp_path / "other"))
    await confirm(pool, other)
    assert await look(pool, other) is Standing.OURS


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


async def test_runs_that_begin_at_two_places_give_each_its_own_mark(pool: Pool, place: Place, tmp_path: Path) -> None:
    places = [place, *(open_place(str(tmp_path / name)) for name in "abc")]
    await asyncio.gather(*(confirm(pool, one) for one in places))
    assert len({await one.mark() for one in places}) == 4
    assert [await look(pool, one) for one in places].count(Standing.OURS) == 1
