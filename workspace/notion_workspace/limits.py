"""Rate limits: fixed windows per token and for the whole workspace (docs/notion-api.md#rate-limit)."""

import math
import time
from dataclasses import dataclass, field

from notion_workspace.errors import ApiError
from notion_workspace.state import Settings


def rate_limited(reason: str, retry_after: int) -> ApiError:
    """The documented 429; the server adds the header from `additional_data.retry_after` (seconds)."""
    return ApiError(
        429,
        "rate_limited",
        "You have been rate limited. Please try again in a few minutes.",
        {"rate_limit_reason": reason, "retry_after": str(retry_after)},
    )


@dataclass
class _Window:
    began: float
    requests: int = 0


@dataclass
class Limits:
    """Counts requests in windows of real time. A refused request does not count."""

    settings: Settings
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
        whole = self._window("")
        if self.settings.workspace_limit is not None and whole.requests >= self.settings.workspace_limit:
            raise rate_limited("public_api_space_request_rate_limit", self.settings.workspace_retry_after)
        own = self._window(f"token {label}")
        if self.settings.rate_limit is not None and own.requests >= self.settings.rate_limit:
            left = own.began + self.settings.rate_window - time.monotonic()
            raise rate_limited("public_api_request_rate_limit", max(1, math.ceil(left)))
        whole.requests += 1
        own.requests += 1

    def _window(self, name: str) -> _Window:
        """The window that is open now; windows follow each other without a gap."""
        now, length = time.monotonic(), self.settings.rate_window
        window = self._windows.setdefault(name, _Window(now))
        if now >= window.began + length:
            window.began += (now - window.began) // length * length
            window.requests = 0
        return window
