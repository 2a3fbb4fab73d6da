"""Connections to Notion that outlive the client that opened them."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import httpx

# As many as four accounts may use at once. More would only grow old.
MOST_FREE = 48


class Connections:
    """What requests of clients of the same settings go over, each over the one that was left open last.

    Opening a connection takes as long as some requests, with TLS many times as long, and one belongs to no token: each
    request has its own. While a request is under way nothing else goes over its connection.

    Use as an async context manager, at whose end all that is left open is closed.
    """

    def __init__(self) -> None:
        self._free: list[httpx.AsyncBaseTransport] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    def take(self, make: Callable[[], httpx.AsyncBaseTransport]) -> httpx.AsyncBaseTransport:
        """The one that was left last, or a new one of `make`."""
        return self._free.pop() if self._free else make()

    async def leave(self, connection: httpx.AsyncBaseTransport) -> None:
        """Leaves one to whichever request comes next, unless there are enough of them."""
        if len(self._free) < MOST_FREE:
            self._free.append(connection)
        else:
            await connection.aclose()

    async def close(self) -> None:
        """Closes all that are left open."""
        while self._free:
            await self._free.pop().aclose()
