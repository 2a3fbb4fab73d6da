"""Waiting for what others hold: a while, and longer from one look to the next."""

from __future__ import annotations

import asyncio

_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.1, 5.0


class Patience:
    """Lasts for `seconds` from now on."""

    def __init__(self, seconds: float) -> None:
        self._ends = asyncio.get_running_loop().time() + seconds
        self._pause = _FIRST_PAUSE_SECONDS

    @property
    def is_over(self) -> bool:
        """Whether it lasted long enough."""
        return asyncio.get_running_loop().time() >= self._ends

    async def pause(self) -> None:
        """Waits before the next look, and no longer than the patience lasts."""
        left = self._ends - asyncio.get_running_loop().time()
        await asyncio.sleep(max(0.0, min(self._pause, left)))
        self._pause = min(self._pause * 1.5, _LONGEST_PAUSE_SECONDS)
