"""Where the files that Notion hosts can be fetched from, for as long as their signatures live: in memory alone."""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from msgspec import Struct

# About 300 bytes each. Of what is beyond it, the oldest are forgotten: a request a page brings them again.
MOST_ADDRESSES = 100_000

# Notion's signatures live an hour; where an address does not say when it expires, it is taken for as old as that.
LIFETIME = timedelta(hours=1)

# A request takes its time to get there, and clocks differ.
MARGIN = timedelta(minutes=1)

_SIGNATURE = re.compile(r"X-Amz-Signature=([0-9a-f]{64})(?![^&#])")


class _Address(Struct, frozen=True):
    """A URL without its path: what it has in common with others, and its own signature."""

    before: str
    after: tuple[str, ...]
    signature: bytes
    expires_at: float


@dataclass
class Addresses:
    """The signed URLs of files, by user and path. They are secrets: nothing of them is printed, or kept elsewhere."""

    most: int = MOST_ADDRESSES
    _known: OrderedDict[bytes, _Address] = field(default_factory=OrderedDict, init=False, repr=False)
    _common: dict[str, str] = field(default_factory=dict, init=False, repr=False)

    def learn(self, user_id: str, path: str, url: str, expires_at: datetime | None) -> None:
        """Takes in the URL of the file whose `path` it has; `expires_at`: when its signature does, None: not told."""
        before, has_path, query = url.partition(path)
        if not has_path:
            return
        expires = _by_this_clock(expires_at, datetime.now(UTC))
        signature = _SIGNATURE.search(query)
        after = (query[: signature.start(1)], query[signature.end(1) :]) if signature else (query,)
        address = _Address(
            self._shared(before),
            tuple(map(self._shared, after)),
            bytes.fromhex(signature[1]) if signature else b"",
            expires.timestamp(),
        )
        key = _key(user_id, path)
        self._known[key] = address
        self._known.move_to_end(key)
        while len(self._known) > self.most:
            self._known.popitem(last=False)

    def address(self, user_id: str, path: str, now: datetime) -> str | None:
        """The URL of a file; None where none is known, or where it expires within `MARGIN` of `now`."""
        key = _key(user_id, path)
        found = self._known.get(key)
        if found is None:
            return None
        if found.expires_at <= (now + MARGIN).timestamp():
            del self._known[key]
            return None
        return found.before + path + found.signature.hex().join(found.after)

    def forget(self, user_id: str, path: str) -> None:
        """Forgets where a file is, since it is kept by now, or not found there."""
        self._known.pop(_key(user_id, path), None)

    def _shared(self, text: str) -> str:
        """`text`, of which equal ones take their memory once: the answers of an hour have few different ones."""
        if len(self._common) >= self.most:
            self._common.clear()
        return self._common.setdefault(text, text)


def _by_this_clock(expires_at: datetime | None, now: datetime) -> datetime:
    """When an address that has just come expires; by a clock that is wrong it may seem dead, or to live long."""
    latest = now + LIFETIME
    return min(expires_at, latest) if expires_at and expires_at > now + MARGIN else latest


def _key(user_id: str, path: str) -> bytes:
    return sha256(f"{user_id}\0{path}".encode("utf-8", "surrogatepass")).digest()[:16]
