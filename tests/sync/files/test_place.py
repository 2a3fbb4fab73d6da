"""The place that keeps bytes: a real folder, a real S3 server."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from notion_pg_sync.sync.files.place import PART_BYTES, Held, Place, PlaceError, open_place
from tests.s3_server import Bucket

KEY = "anna/0f00ba12/Plan ü (final) 100%, 'a' & b+c.pdf"


async def put(place: Place, key: str, content: bytes, piece: int = 1_000_000) -> None:
    async with place.writing(key, "application/pdf", len(content)) as sink:
        for first in range(0, len(content), piece):
            await sink.write(content[first : first + piece])


def files_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


async def write_without_end(place: Place, some_is_written: asyncio.Event) -> None:
    async with place.writing(KEY, "text/plain", None) as sink:
        for number in itertools.count():
            await sink.write(b"x" * PART_BYTES)
            if number == 2:
                some_is_written.set()


def held(content: bytes) -> Held:
    return Held(hashlib.sha256(content).hexdigest(), len(content))


@pytest.mark.parametrize("size", [0, 1, PART_BYTES, PART_BYTES + 1, 3 * PART_BYTES + 7])
async def test_what_is_written_is_there(place: Place, size: int) -> None:
    content = os.urandom(size)
    await put(place, KEY, content)
    assert await place.hashed(KEY) == held(content)
    assert await place.size(KEY) == size


async def test_what_was_there_is_replaced(place: Place) -> None:
    await put(place, KEY, b"first, and longer")
    await put(place, KEY, b"second")
    assert await place.hashed(KEY) == held(b"second")


async def test_nothing_is_there_of_what_is_not_written_whole(place: Place) -> None:
    for size in (10, 2 * PART_BYTES):
        with pytest.raises(RuntimeError, match="cut"):
            async with place.writing(KEY, "text/plain", None) as sink:
                await sink.write(b"x" * size)
                raise RuntimeError("cut")
        assert await place.size(KEY) is None
    await put(place, KEY, b"before")
    with pytest.raises(RuntimeError, match="cut"):
        async with place.writing(KEY, "text/plain", None) as sink:
            await sink.write(b"after, or not")
            raise RuntimeError("cut")
    assert await place.hashed(KEY) == held(b"before")


async def test_a_run_that_is_stopped_leaves_nothing_behind(
    bucket: Bucket, enter: Callable[[Bucket], Place], tmp_path: Path
) -> None:
    for place in (enter(bucket), open_place(str(tmp_path))):
        some_is_written = asyncio.Event()
        writing = asyncio.create_task(write_without_end(place, some_is_written))
        await some_is_written.wait()
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
        assert await place.size(KEY) is None
    assert bucket.sizes() == {}
    assert bucket.unfinished() == []
    assert files_below(tmp_path) == set()


async def test_what_a_killed_run_left_in_a_folder_goes_with_the_next_try(tmp_path: Path) -> None:
    place = open_place(str(tmp_path))
    for key in ("u/1/a.png", "u/2/b.png"):
        file = tmp_path / key
        file.parent.mkdir(parents=True)
        for name in (f"{file.name}#1", f"{file.name}#12"):
            (file.parent / name).write_bytes(b"half")
    (tmp_path / "u/1/a.png#b").write_bytes(b"another's")
    await put(place, "u/1/a.png", b"whole")
    await place.delete(["u/2/b.png"])
    assert files_below(tmp_path) == {"u/1/a.png", "u/1/a.png#b"}
    assert not (tmp_path / "u/2").exists()


async def test_bytes_are_removed_and_what_is_not_there_is_no_error(place: Place) -> None:
    keys = [f"anna/{number}/a.png" for number in range(3)]
    for key in keys[:2]:
        await put(place, key, b"x")
    await place.delete([keys[0], keys[2]])
    assert [await place.size(key) for key in keys] == [None, 1, None]
    await place.delete(keys)
    assert await place.hashed(keys[1]) is None


async def test_the_media_type_goes_with_the_bytes_into_a_bucket(
    bucket: Bucket, enter: Callable[[Bucket], Place]
) -> None:
    await put(enter(bucket), KEY, b"%PDF")
    assert bucket.store.get(f"copies/{KEY}").attributes["Content-Type"] == "application/pdf"


async def test_looking_whether_a_place_works_leaves_nothing(place: Place, tmp_path: Path) -> None:
    await place.check()
    assert files_below(tmp_path) == set()
    free = place.free_bytes()
    assert free is None if "://" in place.where else free


async def test_a_folder_is_made_only_where_its_own_folder_is_there(tmp_path: Path) -> None:
    await open_place(str(tmp_path / "new")).check()
    with pytest.raises(PlaceError, match="it is not there: create the folder"):
        open_place(str(tmp_path / "unmounted" / "new"))


async def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(PlaceError, match="it is not a folder"):
        open_place(str(tmp_path / "file"))


async def test_a_folder_that_goes_away_meanwhile_is_told(tmp_path: Path) -> None:
    place = open_place(str(tmp_path / "kept"))
    (tmp_path / "kept").rmdir()
    (tmp_path / "kept").write_text("x")
    with pytest.raises(PlaceError, match=r"no files are kept at .*kept: it is not a folder"):
        await put(place, KEY, b"x")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"AWS_SECRET_ACCESS_KEY": "another"}, r"the credentials are wrong: correct .* \(SignatureDoesNotMatch\)"),
        ({"AWS_ACCESS_KEY_ID": "another"}, r"the credentials are wrong: correct .* \(InvalidAccessKeyId\)"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "http://127.0.0.1:9 cannot be reached: check the network"),
    ],
)
async def test_a_store_that_lets_nobody_in_is_told_without_secrets(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch, changed: dict[str, str], said: str
) -> None:
    for name, value in {**bucket.environment, **changed}.items():
        monkeypatch.setenv(name, value)
    place = open_place(f"s3://{bucket.name}/copies", in_clear=True)
    for attempt in (put(place, KEY, b"x"), put(place, KEY, b"x" * 2 * PART_BYTES), place.check(), place.delete([KEY])):
        with pytest.raises(PlaceError, match=said) as raised:
            await attempt
        assert "another" not in str(raised.value)
        assert "owner" not in str(raised.value)
        assert "\n" not in str(raised.value)
        assert len(str(raised.value)) < 400


async def test_credentials_that_may_only_read_are_told(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in bucket.reading_environment.items():
        monkeypatch.setenv(name, value)
    place = open_place(f"s3://{bucket.name}/copies", in_clear=True)
    with pytest.raises(PlaceError, match=r"allow s3:PutObject, .* \(AccessDenied\)"):
        await put(place, KEY, b"x")


async def test_a_bucket_that_is_not_there_is_told(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in bucket.environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(PlaceError, match=r"there is no such bucket: create it, .* \(NoSuchBucket\)"):
        await put(open_place("s3://tests-nobody-made/x", in_clear=True), KEY, b"x")
