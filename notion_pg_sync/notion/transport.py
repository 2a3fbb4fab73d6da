"""How a request goes to Notion, and to its storage: over a connection that is its own until its answer has come."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from functools import cache
from typing import cast

import httpx

from notion_pg_sync.notion.connections import Connections

_ONE = httpx.Limits(max_connections=1, max_keepalive_connections=1)


class Transport(httpx.AsyncBaseTransport):
    """Makes each request over one of `connections`; `proxy` is the URL of a proxy on the way.

    Each is a pool of httpx's with one connection: a pool of twelve looks through all of them at each request, which is
    half of what a request costs. One whose request broke off, or was given up, is done with: httpx may take it for busy
    for good.
    """

    def __init__(self, connections: Connections, proxy: httpx.URL | str | None = None) -> None:
        self._connections = connections
        self._proxy = proxy

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Makes one. Raises `httpx.TransportError`."""
        connection = self._connections.take(self._new)
        try:
            response = await connection.handle_async_request(request)
        except BaseException:
            await connection.aclose()
            raise
        response.stream = _Body(cast(httpx.AsyncByteStream, response.stream), connection, self._connections)
        return response

    async def aclose(self) -> None:
        """Closes the connections that are left open."""
        await self._connections.close()

    def _new(self) -> httpx.AsyncBaseTransport:
        return httpx.AsyncHTTPTransport(verify=_trusted(), limits=_ONE, proxy=self._proxy)


class _Body(httpx.AsyncByteStream):
    """The body of an answer; once it has come whole, its connection is left to others."""

    def __init__(
        self, received: httpx.AsyncByteStream, connection: httpx.AsyncBaseTransport, connections: Connections
    ) -> None:
        self._received = received
        self._connection = connection
        self._connections = connections
        self._is_whole = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._received:
            yield chunk
        self._is_whole = True

    async def aclose(self) -> None:
        try:
            await self._received.aclose()
        except BaseException:
            await self._connection.aclose()
            raise
        if self._is_whole:
            await self._connections.leave(self._connection)
        else:
            await self._connection.aclose()


@cache
def _trusted() -> ssl.SSLContext:
    """The certificates that are trusted, for all of a process: reading them takes as long as many requests."""
    return httpx.create_ssl_context()
