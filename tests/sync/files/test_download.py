"""One file over real HTTP into a real place: whole, or not at all, and why not."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from notion_pg_sync.sync.files.download import Downloaded, download, open_downloads
from notion_pg_sync.sync.files.obstacles import DownloadError, Obstacle
from notion_pg_sync.sync.files.place import PART_BYTES, Place

KEY = "anna/1/a.png"
MOST = 30_000_000
CONTENT = os.urandom(200_000)

Answer = Callable[[str, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(answer: Answer) -> AsyncIterator[tuple[str, list[str]]]:
    """A server that answers each request as `answer` does, which is given its first line; its address, and what was
    asked.
    """
    asked: list[str] = []
    answering: list[asyncio.Task[None]] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if task := asyncio.current_task():
            answering.append(task)
        asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
        with suppress(ConnectionError):
            await answer(asked[-1], writer)
            await writer.drain()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked
        finally:
            server.close()
            await asyncio.gather(*answering, return_exceptions=True)


def replies(status: str, *headers: str, body: bytes = b"") -> Answer:
    async def answer(_: str, writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {status}", *headers, "Connection: close", "", ""]
        writer.write("\r\n".join(lines).encode() + body)

    return answer


def whole(body: bytes, *headers: str) -> Answer:
    return replies("200 OK", f"Content-Length: {len(body)}", *headers, body=body)


async def fetch(place: Place, answer: Answer, path: str = "/a.png", most: int = MOST) -> Downloaded:
    async with serving(answer) as (address, _), open_downloads(None) as client:
        return await download(client, f"{address}{path}", place, KEY, most=most)


async def refused(place: Place, answer: Answer, most: int = MOST) -> DownloadError:
    """What a download fails with, after which nothing lies in the place."""
    with pytest.raises(DownloadError) as raised:
        await fetch(place, answer, "/a.png?X-Amz-Signature=5ec12e7", most=most)
    assert await place.size(KEY) is None
    assert "5ec12e7" not in str(raised.value)
    return raised.value


@pytest.mark.parametrize("size", [0, 1, 200_000, 3 * PART_BYTES + 5])
async def test_a_file_is_kept_with_its_hash_its_size_and_its_type(place: Place, size: int) -> None:
    content = (CONTENT * (size // len(CONTENT) + 1))[:size]
    got = await fetch(place, whole(content, "Content-Type: image/png"))
    assert got == Downloaded(hashlib.sha256(content).hexdigest(), size, "image/png")
    held = await place.hashed(KEY)
    assert held is not None
    assert (held.sha256, held.bytes) == (got.sha256, got.bytes)


@pytest.mark.parametrize(
    ("written", "is_taken_for"),
    [
        ("Content-Type: Text/Plain; charset=UTF-8; x=y", "text/plain; charset=utf-8"),
        ("Content-Type: application/vnd.ms-excel", "application/vnd.ms-excel"),
        ("Content-Type: \u00e9\u202e", "application/octet-stream"),
        ("X: y", "application/octet-stream"),
    ],
)
async def test_a_media_type_is_kept_as_far_as_it_is_one(place: Place, written: str, is_taken_for: str) -> None:
    assert (await fetch(place, whole(b"x", written))).media_type == is_taken_for


async def test_it_is_asked_for_as_it_was_signed(place: Place) -> None:
    path = "/w/../%2e/a%20(1)'%27+b;~.png?X-Amz-Credential=A%2F1&b=c|d"
    async with serving(whole(b"x")) as (address, asked), open_downloads(None) as client:
        await download(client, f"{address}{path}#fragment", place, KEY, most=MOST)
    assert asked[0].startswith(f"GET {path} HTTP/1.1\r\n")
    assert "accept-encoding: identity" in asked[0].lower()
    assert "authorization" not in asked[0].lower()


@pytest.mark.parametrize(
    ("status", "obstacle"),
    [
        ("400 Bad Request", Obstacle.REFUSED),
        ("403 Forbidden", Obstacle.REFUSED),
        ("404 Not Found", Obstacle.GONE),
        ("429 Too Many", Obstacle.WAY),
        ("500 Error", Obstacle.WAY),
        ("503 Slow Down", Obstacle.WAY),
        ("204 Nothing", Obstacle.ODD),
        ("302 Found", Obstacle.ODD),
        ("418 Teapot", Obstacle.ODD),
    ],
)
async def test_what_is_no_file_is_told_apart(place: Place, status: str, obstacle: Obstacle) -> None:
    error = await refused(place, replies(status, "Content-Length: 0"))
    assert error.obstacle == obstacle
    assert status[:3] in str(error)


async def test_no_redirection_is_followed(place: Place) -> None:
    async def answer(asked: str, writer: asyncio.StreamWriter) -> None:
        elsewhere = replies("302 Found", "Location: /elsewhere", "Content-Length: 0")
        await (whole(b"x") if "elsewhere" in asked.splitlines()[0] else elsewhere)(asked, writer)

    assert (await refused(place, answer)).obstacle == Obstacle.ODD


@pytest.mark.parametrize("size", [200_000, 3 * PART_BYTES])
async def test_a_file_that_is_cut_is_not_kept(place: Place, size: int) -> None:
    body = b"x" * (size - 1)
    error = await refused(place, replies("200 OK", f"Content-Length: {size}", body=body))
    assert error.obstacle == Obstacle.WAY
    error = await refused(place, replies("200 OK", "Transfer-Encoding: chunked", body=b"%x\r\n%s" % (size, body)))
    assert error.obstacle == Obstacle.WAY


async def test_a_file_whose_end_nobody_tells_is_not_kept(place: Place) -> None:
    error = await refused(place, replies("200 OK", body=CONTENT))
    assert error.obstacle == Obstacle.WAY
    assert "how long" in str(error)


async def test_a_file_that_tells_its_end_needs_no_length(place: Place) -> None:
    body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(CONTENT), CONTENT)
    got = await fetch(place, replies("200 OK", "Transfer-Encoding: chunked", body=body))
    assert got.sha256 == hashlib.sha256(CONTENT).hexdigest()


async def test_what_says_that_it_is_too_large_is_not_read(place: Place) -> None:
    error = await refused(place, replies("200 OK", f"Content-Length: {10**12}", body=b"x"), most=1000)
    assert (error.obstacle, error.size) == (Obstacle.TOO_LARGE, 10**12)


async def test_what_becomes_too_large_is_given_up(place: Place) -> None:
    body = b"%x\r\n%s\r\n" % (len(CONTENT), CONTENT)
    error = await refused(place, replies("200 OK", "Transfer-Encoding: chunked", body=body * 200), most=300_000)
    assert error.obstacle == Obstacle.TOO_LARGE
    assert error.size is not None
    assert 300_000 < error.size < 1_000_000


async def test_what_nobody_serves_is_of_the_way(place: Place) -> None:
    async with serving(whole(b"x")) as (address, _):
        pass
    async with open_downloads(None) as client:
        with pytest.raises(DownloadError) as raised:
            await download(client, f"{address}/a.png", place, KEY, most=MOST)
    assert raised.value.obstacle == Obstacle.WAY


@pytest.mark.parametrize("url", ["http://[::1/a", "nothing", "http://127.0.0.1/\u00fc"])
async def test_an_address_that_is_none_is_odd(place: Place, url: str) -> None:
    async with open_downloads(None) as client:
        with pytest.raises(DownloadError) as raised:
            await download(client, url, place, KEY, most=MOST)
    assert raised.value.obstacle in (Obstacle.ODD, Obstacle.WAY)


async def test_variables_of_proxies_lead_nobody_elsewhere(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert (await fetch(place, whole(b"x"))).bytes == 1


async def test_a_file_that_does_not_end_does_not_end_the_run(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("notion_pg_sync.sync.files.download._PATIENCE_SECONDS", 0.5)

    async def answer(_: str, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.1)

    error = await refused(place, answer)
    assert error.obstacle == Obstacle.WAY
    assert "seconds" in str(error)
