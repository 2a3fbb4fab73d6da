"""Rate limits, per token and for the whole workspace (docs/notion-api.md#rate-limit).

Where windows begin is not known of Notion, so there are three kinds (`Settings.rate_windows`):

- `fixed`: one after the other, whether anything is asked or not. `rate_phase` seconds of the first are over when the
  first request comes; `random`: of each token some other number, always the same for the workspace's seed.
- `by_request`: each begins with the first request after the one before has ended.
- `sliding`: a request is refused where the seconds of a window before it saw as many as the limit.

A setting counts for what is asked after it, also of windows that are open.
"""

import math
import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from notion_workspace.errors import ApiError
from notion_workspace.state import Settings

OWN_LIMIT = "public_api_request_rate_limit"


def rate_limited(reason: str | None, retry_after: int) -> ApiError:
    """The documented 429; the server adds the header from `additional_data.retry_after` (seconds)."""
    told = {} if reason is None else {"rate_limit_reason": reason}
    return ApiError(
        429,
        "rate_limited",
        "You have been rate limited. Please try again in a few minutes.",
        {**told, "retry_after": str(retry_after)},
    )


@dataclass
class _Window:
    """When the one that is open began, and when each of the requests that count in it came."""

    began: float
    requests: deque[float] = field(default_factory=deque)


@dataclass
class Limits:
    """Counts requests in windows of real time. A refused request does not count."""

    settings: Settings
    seed: int = 0
    clock: Callable[[], float] = time.monotonic
    _windows: dict[str, _Window] = field(default_factory=dict)
    _blocked: set[str] = field(default_factory=set)

    def block(self, label: str) -> None:
        """Refuses everything of a token with the reason that must not be retried."""
        self._blocked.add(label)

    def unblock(self, label: str) -> None:
        """Lets a blocked token in again."""
        self._blocked.discard(label)

    def check(self, label: str) -> None:
        """Counts a request. Raises ApiError (429) when it is over a limit."""
        if label in self._blocked:
            raise rate_limited("public_api_request_blocked", math.ceil(self.settings.rate_window))
        now = self.clock()
        whole = self._window("", now)
        if self.settings.workspace_limit is not None and len(whole.requests) >= self.settings.workspace_limit:
            raise rate_limited("public_api_space_request_rate_limit", self.settings.workspace_retry_after)
        own = self._window(f"token {label}", now)
        if self.settings.rate_limit is not None and len(own.requests) >= self.settings.rate_limit:
            raise rate_limited(OWN_LIMIT, max(1, math.ceil(own.began + self.settings.rate_window - now)))
        whole.requests.append(now)
        own.requests.append(now)

    def _window(self, name: str, now: float) -> _Window:
        """The window that a request of now counts in."""
        length = self.settings.rate_window
        window = self._windows.get(name)
        if window is None:
            window = self._windows[name] = _Window(now - self._phase(name))
        elif self.settings.rate_windows == "by_request" and now >= window.began + length:
            window.began = now
        if self.settings.rate_windows == "sliding":
            window.began = next((at for at in window.requests if at > now - length), now)
        elif now >= window.began + length:
            window.began += (now - window.began) // length * length
        while window.requests and window.requests[0] < window.began:
            window.requests.popleft()
        return window

    def _phase(self, name: str) -> float:
        """How many seconds of its window are over when the first request comes."""
        if self.settings.rate_windows != "fixed":
            return 0.0
        if self.settings.rate_phase == "random":
            return random.Random(f"{self.seed} {name}").random() * self.settings.rate_window
        return self.settings.rate_phase
