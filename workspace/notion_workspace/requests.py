"""What was asked of the workspace: every request, in the order of the answers."""

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from notion_workspace.steering import steering


@dataclass(frozen=True)
class LoggedRequest:
    """A request: token's label (empty if unknown), kind (the endpoint), path with query string, body, status, time.

    The status is 0 when the connection was cut before an answer; `time` is the clock's, in milliseconds since 1970.
    """

    token: str
    kind: str
    method: str
    path: str
    body: Any
    status: int
    time: int


class RequestLog:
    """The requests answered so far."""

    def __init__(self) -> None:
        self._requests: list[LoggedRequest] = []

    def add(self, request: LoggedRequest) -> None:
        """Notes a request."""
        self._requests.append(request)

    def all(self) -> list[LoggedRequest]:
        """Every request noted since the last clearing."""
        return list(self._requests)

    @steering
    def listed(self) -> list[dict[str, Any]]:
        """The same as JSON."""
        return [asdict(request) for request in self.all()]

    @steering
    def counts(self, token: str | None = None) -> dict[str, int]:
        """How many requests of each kind, of one token or of all."""
        return dict(Counter(one.kind for one in self.all() if token is None or one.token == token))

    @steering
    def clear(self) -> None:
        """Forgets them."""
        self._requests.clear()
