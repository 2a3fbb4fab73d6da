"""One token's budget of requests: spent in a burst where it can be, waited for where it must be."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable

WINDOW_SECONDS = 60.0


class Pacer:
    """Lets at most `requests_per_minute` requests begin in any 60 seconds.

    Notion counts in fixed windows of a minute (docs/notion-api.md#rate-limit), but says nowhere when one begins;
    what keeps to the limit in every 60 seconds keeps to it in each of those windows. Waiters are served in order.
    """

    def __init__(self, requests_per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._begun: deque[float] = deque(maxlen=requests_per_minute)
        self._paused_until = 0.0
        self._turns = asyncio.Lock()
        self.is_waiting = False

    def delay(self) -> float:
        """Seconds until the next request may begin, 0 when it may begin now."""
        now = self._clock()
        free_at = self._begun[0] + WINDOW_SECONDS if len(self._begun) == self._begun.maxlen else now
        return max(free_at, self._paused_until, now) - now

    def pause(self, seconds: float) -> None:
        """Holds every request of this token back for `seconds`, as Notion's `Retry-After` asks."""
        self._paused_until = max(self._paused_until, self._clock() + seconds)

    async def turn(self) -> None:
        """Returns when a request may begin, and counts it as begun."""
        async with self._turns:
            while (seconds := self.delay()) > 0:
                self.is_waiting = True
                await asyncio.sleep(seconds)
            self.is_waiting = False
            self._begun.append(self._clock())
