"""Trouble on demand: what goes wrong, how often, and for which requests.

Some kinds replace the answer (`500` … `403_html`, `portal_json` …, `not_json`, `big`), some spoil it on its way (`cut`,
`cut_body`, `truncated_json`, `slow`, `stall`, `pair`), some change what it says (`endless`, `wrong_types`,
`without_properties`, or a function given to `rewrite`), and one says another time (`date`).
"""

import random
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from notion_workspace.errors import ApiError
from notion_workspace.limits import OWN_LIMIT, rate_limited
from notion_workspace.model import Json, Value
from notion_workspace.steering import steering

Rewrite = Callable[[Json], Any]

_ERRORS: dict[str, tuple[int, str, str]] = {
    "409": (409, "conflict_error", "Conflict occurred while saving. Please try again."),
    "500": (500, "internal_server_error", "Unexpected error occurred."),
    "502": (502, "bad_gateway", "Notion encountered an issue while attempting to complete this request."),
    "503": (503, "service_unavailable", "Notion is unavailable. Please try again later."),
    "503_database": (503, "database_connection_unavailable", "Notion's database is unavailable. Please try later."),
    "504": (504, "gateway_timeout", "Notion timed out while attempting to complete this request."),
    "529": (529, "service_overload", "Notion is overloaded. Please try again later."),
}
_HTML = {"502_html": 502, "403_html": 403, "429_html": 429}
# What a login page or a proxy on the way answers for Notion: status, headers, body.
_STRANGERS: dict[str, tuple[int, dict[str, str], bytes]] = {
    "portal_json": (200, {"Content-Type": "application/json", "Server": "portal"}, b'{"status": "login required"}'),
    "portal_html": (200, {"Content-Type": "text/html", "Server": "portal"}, b"<html><title>Log in</title></html>"),
    "portal_redirect": (302, {"Location": "https://login.example/?for=v1", "Server": "portal"}, b""),
}
_TRANSPORT = frozenset(
    {"cut", "cut_body", "truncated_json", "not_json", "slow", "stall", "pair", "big", "big_packed", "rewrite", "date"}
)


def _endless(body: Json) -> Json:
    """A list that has more for ever, with one and the same cursor."""
    if body.get("object") != "list":
        return body
    cursor = "s:00000000-0000-4000-8000-00000000c0de:00000000-0000-4000-8000-00000000c0de"
    return {**body, "has_more": True, "next_cursor": cursor}


def _wrong_types(value: Value) -> Value:
    """Every string a number, every number a string, lists and nulls swapped."""
    match value:
        case dict():
            return {key: one if key in ("object", "request_id") else _wrong_types(one) for key, one in value.items()}
        case bool():
            return "yes" if value else None
        case str():
            return len(value)
        case int() | float():
            return str(value)
        case list():
            return [_wrong_types(one) for one in value] or None
        case _:
            return []


def _without_properties(body: Json) -> Json:
    """Pages without `properties`."""
    if body.get("object") == "list":
        return {**body, "results": [_without_properties(one) for one in body["results"]]}
    return {key: value for key, value in body.items() if key != "properties"}


_REWRITES: dict[str, Rewrite] = {
    "endless": _endless,
    "wrong_types": _wrong_types,
    "without_properties": _without_properties,
}
KINDS = frozenset({*_ERRORS, *_HTML, *_STRANGERS, *_TRANSPORT, *_REWRITES, "429"})


@dataclass
class Fault:
    """One kind of trouble and when it strikes."""

    kind: str
    times: int | None
    every: int
    probability: float
    chance: random.Random
    path: re.Pattern[str]
    token: str | None
    seconds: float
    megabytes: float
    rewrite: Rewrite | None
    date: str | None
    reason: str | None
    seen: int = 0

    def strikes(self, label: str, path: str) -> bool:
        """Whether it strikes this request; counts it."""
        if self.times == 0 or (self.token is not None and self.token != label) or not self.path.search(path):
            return False
        self.seen += 1
        if self.seen % self.every or self.chance.random() >= self.probability:
            return False
        if self.times is not None:
            self.times -= 1
        return True

    def raise_error(self) -> None:
        """Raises the error that takes the answer's place (ApiError), for kinds that are one of Notion's own."""
        if self.kind == "429":
            raise rate_limited(self.reason, max(1, round(self.seconds)))
        if self.kind in _ERRORS:
            raise ApiError(*_ERRORS[self.kind])

    @property
    def html_status(self) -> int | None:
        """The status of kinds that Cloudflare answers with HTML instead of Notion."""
        return _HTML.get(self.kind)

    @property
    def stranger(self) -> tuple[int, dict[str, str], bytes] | None:
        """The answer of kinds where somebody else answers: status, headers and body."""
        return _STRANGERS.get(self.kind)

    def rewritten(self, body: Json) -> Value:
        """The answer's body, as this fault tells it."""
        rewrite = self.rewrite or _REWRITES.get(self.kind)
        return body if rewrite is None else rewrite(body)


class Faults:
    """The faults in force, of some `kinds`; the first that strikes a request is the one it meets."""

    def __init__(self, kinds: frozenset[str] = KINDS) -> None:
        self._kinds = kinds
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    @steering
    def add(
        self,
        kind: str,
        *,
        times: int | None = None,
        every: int = 1,
        probability: float = 1.0,
        seed: int = 0,
        path: str = "",
        token: str | None = None,
        seconds: float = 1.0,
        megabytes: float = 1.0,
        rewrite: Rewrite | None = None,
        date: str | None = None,
        reason: str | None = OWN_LIMIT,
    ) -> None:
        """Adds a fault of one of the kinds; without `times`, `every` or `probability` it strikes every request.

        times: strikes so often, then no more. every: each k-th matching request. probability: by chance, from `seed`.
        path: a regular expression on the path, such as `/query$`. token: a label. seconds: how slow, how long the
        stall or the wait of a `pair`, or the Retry-After of a 429. reason: of a 429, None for one without. megabytes:
        of `big`, or `big_packed` (as gzip). rewrite: for kind `rewrite`. date: for kind `date`, what the header `Date`
        says, be it a time or not. Raises ValueError.
        """
        if kind not in self._kinds or (kind == "rewrite" and rewrite is None) or (kind == "date" and date is None):
            raise ValueError(f"no fault of kind {kind!r}; there are {', '.join(sorted(self._kinds))}")
        chance, matching = random.Random(seed), re.compile(path)
        fault = Fault(
            kind, times, every, probability, chance, matching, token, seconds, megabytes, rewrite, date, reason
        )
        with self._lock:
            self._faults.append(fault)

    @steering
    def clear(self) -> None:
        """Ends all trouble."""
        with self._lock:
            self._faults.clear()

    def meet(self, label: str, path: str) -> Fault | None:
        """The fault that a request meets, if any."""
        with self._lock:
            return next((fault for fault in self._faults if fault.strikes(label, path)), None)
