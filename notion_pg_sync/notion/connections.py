"""Connections to Notion that outlive the client that opened them."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from functools import cache, partial
from typing import Protocol, cast

import httpx

# As many as four accounts may use at once. More would only grow old.
MOST_FREE = 48

_ONE = httpx.Limits(max_connections=1, max_keepalive_connections=1)


class Connections(httpx.AsyncBaseTransport):
    """What the requests of any number of clients go over, each over the connection that was left open last.

    Opening one takes as long as some requests, with TLS many times as long, and one belongs to no token: each request
    has its own. While a request is under way nothing else goes over its connection. Each is a pool of httpx's with one
    connection: a pool of twelve looks through all of them at each request, which is half of what a request costs. One
    whose request broke off, or was given up, is done with: httpx may take it for busy for good.

    `proxy`: the URL of a proxy on the way. Use as an async context manager, at whose end all that is left open is
    closed.
    """

    def __init__(self, proxy: httpx.URL | str | None = None) -> None:
        self._proxy = proxy
        self._free: list[httpx.AsyncHTTPTransport] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Makes one. Raises `httpx.TransportError`."""
        connection = self._free.pop() if self._free else self._new()
        try:
            response = await connection.handle_async_request(request)
        except BaseException:
            await connection.aclose()
            raise
        response.stream = _Body(cast(httpx.AsyncByteStream, response.stream), partial(self._leave, connection))
        return response

    async def aclose(self) -> None:
        """Closes all that are left open."""
        while self._free:
            await self._free.pop().aclose()

    def _new(self) -> httpx.AsyncHTTPTransport:
        return httpx.AsyncHTTPTransport(verify=_trusted(), limits=_ONE, proxy=self._proxy)

    async def _leave(self, connection: httpx.AsyncHTTPTransport, *, is_whole: bool) -> None:
        """Leaves one to whichever request comes next, if its answer came whole, and unless there are enough of them."""
        if is_whole and len(self._free) < MOST_FREE:
            self._free.append(connection)
        else:
            await connection.aclose()


class _Leave(Protocol):
    async def __call__(self, *, is_whole: bool) -> None: ...


class _Body(httpx.AsyncByteStream):
    """The body of an answer; `leave` is called once, when no more is wanted of it."""

    def __init__(self, received: httpx.AsyncByteStream, leave: _Leave) -> None:
        self._received = received
        self._leave = leave
        self._is_whole = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._received:
            yield chunk
        self._is_whole = True

    async def aclose(self) -> None:
        is_closed = False
        try:
            await self._received.aclose()
            is_closed = True
        finally:
            await self._leave(is_whole=self._is_whole and is_closed)


@cache
def _trusted() -> ssl.SSLContext:
    """The certificates that are trusted, for all of a process: reading them takes as long as many requests."""
    return httpx.create_ssl_context()
