"""Connections to Notion that outlive the client that opened them."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import httpx


# As many accounts end before the next begin. More would only grow old.
MOST_FREE = 4


class Connections:
    """What clients of the same settings that come one after the other send their requests over.

    Opening a connection takes as long as some requests, with TLS many times as long, and one belongs to no token: each
    request has its own. So a client goes on with what another has left open. Two at a time share nothing.

    Use as an async context manager, at whose end all that was given back is closed.
    """

    def __init__(self) -> None:
        self._free: list[httpx.AsyncBaseTransport] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        while self._free:
            await self._free.pop().aclose()

    def take(self, make: Callable[[], httpx.AsyncBaseTransport]) -> httpx.AsyncBaseTransport:
        """The one that was given back last, or a new one of `make`."""
        return self._free.pop() if self._free else make()

    async def give_back(self, transport: httpx.AsyncBaseTransport) -> None:
        """Leaves one to whoever comes next, unless there are enough of them."""
        if len(self._free) < MOST_FREE:
            self._free.append(transport)
        else:
            await transport.aclose()
