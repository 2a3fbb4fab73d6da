"""One file, from Notion's storage into the place that keeps it: never whole in memory."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx
from msgspec import Struct

from notion_pg_sync import __version__
from notion_pg_sync.core.printable import printable
from notion_pg_sync.notion.connections import Connections
from notion_pg_sync.notion.transport import Transport
from notion_pg_sync.sync.files.obstacles import DownloadError, Obstacle
from notion_pg_sync.sync.files.place import Place

ORDINARY_TYPE = "application/octet-stream"
# How many bytes are taken at once.
_CHUNK_BYTES = 256 * 1024
# A file that comes more slowly than this, after a while, would hold up others for hours.
_PATIENCE_SECONDS = 60.0
_SLOWEST_BYTES_PER_SECOND = 50_000
_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
# What stands before the path, and a fragment.
_ADDRESS = re.compile(r"\Ahttps?://[^/]*|#.*\Z", re.IGNORECASE | re.DOTALL)
_MEDIA_TYPE = re.compile(
    r"([\w.+-]{1,60}/[\w.+-]{1,60})(?:\s*;\s*charset=\"?([\w.:-]{1,40})\"?)?", re.ASCII | re.IGNORECASE
)


class Downloaded(Struct, frozen=True):
    """What came."""

    sha256: str
    bytes: int
    media_type: str


def open_downloads(proxy: str | None) -> httpx.AsyncClient:
    """What files are fetched with; to be used as an async context manager."""
    # Compressed on the way, a file would have no length to go by.
    headers = {"User-Agent": f"notion-pg-sync/{__version__}", "Accept-Encoding": "identity"}
    transport = Transport(Connections(), proxy)
    return httpx.AsyncClient(headers=headers, transport=transport, timeout=_TIMEOUT, trust_env=False)


async def download(client: httpx.AsyncClient, url: str, place: Place, key: str, *, most: int) -> Downloaded:
    """Keeps the file at `url` under `key`, if it has at most `most` bytes; all of it, or nothing.

    Raises `DownloadError`, and `PlaceError` where the place cannot be written.
    """
    async with _answered(client, url) as answer:
        _check_status(answer.status_code)
        size = _announced(answer)
        if size is not None and size > most:
            raise _too_large(size)
        media_type = _media_type(answer.headers.get("content-type", ""))
        digest, count = hashlib.sha256(), 0
        async with place.writing(key, media_type, size) as sink, _in_time(most if size is None else size):
            async for chunk in _chunks(answer):
                count += len(chunk)
                if count > most:
                    raise _too_large(count)
                digest.update(chunk)
                await sink.write(chunk)
            if size is not None and answer.num_bytes_downloaded != size:
                raise DownloadError(
                    Obstacle.WAY, f"{answer.num_bytes_downloaded:,} bytes came of {size:,}: the next run tries again."
                )
        return Downloaded(digest.hexdigest(), count, media_type)


async def size_of(client: httpx.AsyncClient, url: str) -> int | None:
    """How many bytes the file at `url` has; None where that is not told. Hardly any of them are fetched.

    A signature is for one method: Notion's addresses open for GET alone.
    """
    try:
        async with _answered(client, url, {"Range": "bytes=0-0"}) as answer:
            if answer.status_code == httpx.codes.PARTIAL_CONTENT:
                total = answer.headers.get("content-range", "").rpartition("/")[2]
                return int(total) if total.isascii() and total.isdigit() else None
            _check_status(answer.status_code)
            return _announced(answer)
    except DownloadError:
        return None


@asynccontextmanager
async def _answered(
    client: httpx.AsyncClient, url: str, headers: Mapping[str, str] | None = None
) -> AsyncIterator[httpx.Response]:
    """The answer, its bytes still to be read. No redirect is followed: it could lead anywhere."""
    try:
        request = client.build_request("GET", url, headers=headers)
        # As it was signed: httpx would write some of it in another way.
        request.extensions["target"] = _ADDRESS.sub("", url).encode("ascii")
        answer = await client.send(request, stream=True, follow_redirects=False)
    except httpx.TransportError as error:
        raise _broken_off(error) from error
    except (httpx.InvalidURL, httpx.HTTPError, UnicodeEncodeError) as error:
        raise DownloadError(Obstacle.ODD, f"its address cannot be used ({type(error).__name__}).") from error
    try:
        yield answer
    finally:
        await answer.aclose()


async def _chunks(answer: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for chunk in answer.aiter_bytes(_CHUNK_BYTES):
            yield chunk
    except httpx.DecodingError as error:
        raise DownloadError(Obstacle.ODD, "what comes is not packed as it says.") from error
    except httpx.TransportError as error:
        raise _broken_off(error) from error


@asynccontextmanager
async def _in_time(size: int) -> AsyncIterator[None]:
    limit = _PATIENCE_SECONDS + size / _SLOWEST_BYTES_PER_SECOND
    try:
        async with asyncio.timeout(limit):
            yield
    except TimeoutError as error:
        raise DownloadError(
            Obstacle.WAY, f"it did not come within {limit:,.0f} seconds: the next run tries again."
        ) from error


def _check_status(status: int) -> None:
    match status:
        case 200:
            return
        case 400 | 401 | 403:
            raise DownloadError(Obstacle.REFUSED, f"Notion's storage refuses it (HTTP {status}).")
        case 404 | 410:
            raise DownloadError(Obstacle.GONE, f"Notion's storage has it no more (HTTP {status}).")
        case _ if status == 429 or status >= 500:
            raise DownloadError(
                Obstacle.WAY, f"Notion's storage does not give it now (HTTP {status}): the next run tries again."
            )
        case _ if 300 <= status < 400:
            raise DownloadError(Obstacle.ODD, f"Notion's storage sends elsewhere for it (HTTP {status}).")
        case _:
            raise DownloadError(Obstacle.ODD, f"Notion's storage answers as it should not (HTTP {status}).")


def _announced(answer: httpx.Response) -> int | None:
    """How many bytes are to come, as the answer says; None where it says that it ends by itself."""
    written = answer.headers.get("content-length", "")
    if written.isascii() and written.isdigit() and len(written) < 19:
        return int(written)
    if "chunked" in answer.headers.get("transfer-encoding", "").lower():
        return None
    raise DownloadError(Obstacle.WAY, "Notion's storage does not say how long it is, so that it may be cut.")


def _media_type(written: str) -> str:
    """A media type as it may be printed and sent, with its charset; of what is none, that of any file."""
    match = _MEDIA_TYPE.match(written.strip())
    if not match:
        return ORDINARY_TYPE
    return match[1].lower() + (f"; charset={match[2].lower()}" if match[2] else "")


def _too_large(size: int) -> DownloadError:
    return DownloadError(Obstacle.TOO_LARGE, f"it has {size:,} bytes, more than --largest-file allows.", size)


def _broken_off(error: httpx.TransportError) -> DownloadError:
    said = printable(str(error).rstrip(".")) or type(error).__name__
    return DownloadError(Obstacle.WAY, f"the connection broke off ({said[:100]}): the next run tries again.")
