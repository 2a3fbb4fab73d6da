"""The token that the requests of a client are made with, which may be renewed while they are under way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

# Where tokens are stored: the one that is there now, None where there is none.
Stored = Callable[[], Awaitable[str | None]]


class TokenInUse:
    """A token, and where a newer one may be once Notion refuses it; None: there is no such place."""

    def __init__(self, token: str, stored: Stored | None = None) -> None:
        self.current = token
        self._stored = stored
        self._refused: set[str] = set()
        self._looking = asyncio.Lock()

    async def is_renewed(self, refused: str) -> bool:
        """Whether there is another token to go on with than the one that Notion has `refused`; looks once for each."""
        async with self._looking:
            if self._stored is not None and self.current == refused and refused not in self._refused:
                self._refused.add(refused)
                stored = await self._stored()
                if stored is not None and stored not in self._refused:
                    self.current = stored
            return self.current != refused
