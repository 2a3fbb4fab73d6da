"""Which pages a query finds, and in what order: one lazy sequence, whether rows are held or computed.

Times sort by the minute, and ties stand in an order scrambled by the seed that is no order of ids or of creation,
since Notion documents none; descending is the same order backwards. Without sorts the order is scrambled too (generated
sources: newest first, so that a million rows need not be sorted).
"""

from __future__ import annotations

import heapq
import zlib
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import total_ordering
from itertools import islice
from typing import Any

from notion_workspace.clock import MINUTE
from notion_workspace.errors import validation_error
from notion_workspace.filters import Condition, window
from notion_workspace.generated import Generated
from notion_workspace.model import DataSource, Page, Value
from notion_workspace.plain import Reader, sort_value

Key = tuple[Any, ...]

_TIMESTAMPS = {"created_time": "created", "last_edited_time": "edited"}


@dataclass(frozen=True)
class Entry:
    """A place in a listing: its sort key, unique within the listing, and the page."""

    key: Key
    page_id: str


@dataclass(frozen=True)
class Sort:
    """One sort: by a timestamp (`created`, `edited`) or by a property's id."""

    timestamp: str | None
    property_id: str | None
    descending: bool


def parse_sorts(literal: Value, source: DataSource) -> tuple[Sort, ...]:
    """Reads the sorts of a query. Raises ApiError (400 validation_error) for what Notion would refuse."""
    if not isinstance(literal, list):
        raise validation_error("body failed validation: body.sorts should be an array.")
    return tuple(_parse_sort(item, source) for item in literal)


def _parse_sort(literal: Value, source: DataSource) -> Sort:
    if not isinstance(literal, dict) or literal.get("direction", "ascending") not in ("ascending", "descending"):
        raise validation_error("body failed validation: body.sorts[0].direction should be ascending or descending.")
    descending = literal.get("direction") == "descending"
    if "timestamp" in literal:
        if str(literal["timestamp"]) not in _TIMESTAMPS:
            raise validation_error("body failed validation: body.sorts[0].timestamp is not known.")
        return Sort(_TIMESTAMPS[literal["timestamp"]], None, descending)
    prop = source.find_property(str(literal.get("property")))
    if prop is None:
        raise validation_error(f"Could not find sort property with name or id: {literal.get('property')}")
    return Sort(_TIMESTAMPS.get(prop.type), prop.id, descending)


@total_ordering
@dataclass(frozen=True)
class _Backwards:
    """A sort value in descending order."""

    value: Any

    def __lt__(self, other: _Backwards) -> bool:
        return bool(other.value < self.value)


class Order:
    """The order of one query: sort keys of pages."""

    def __init__(self, source: DataSource, reader: Reader, sorts: tuple[Sort, ...]) -> None:
        self._source, self._reader = source, reader
        self._seed = reader.state.seed
        unsorted = (Sort("created", None, descending=True),) if source.generated else ()
        self.sorts = sorts or unsorted

    @property
    def by_time(self) -> Sort | None:
        """The one sort, if it is by time alone: then generated rows need no sorting."""
        return self.sorts[0] if len(self.sorts) == 1 and self.sorts[0].timestamp else None

    def scramble(self, page_id: str) -> int:
        """What puts ties in order."""
        return zlib.crc32(page_id.encode(), self._seed & 0xFFFFFFFF)

    def time_key(self, minute: int, page_id: str, *, descending: bool) -> Key:
        """The key of a row sorted by time alone."""
        scrambled = self.scramble(page_id)
        return (-minute, -scrambled, page_id) if descending else (minute, scrambled, page_id)

    def key(self, page: Page) -> Key:
        """The key of any page."""
        if (by_time := self.by_time) and by_time.timestamp:
            minute = self._reader.state.indexed_time(page, by_time.timestamp) // MINUTE
            return self.time_key(minute, page.id, descending=by_time.descending)
        parts = [self._part(page, sort) for sort in self.sorts]
        return (*parts, self.scramble(page.id), page.id)

    def _part(self, page: Page, sort: Sort) -> Value:
        """Empty values come last, in both directions."""
        if sort.timestamp:
            minute = self._reader.state.indexed_time(page, sort.timestamp) // MINUTE
            return (0, -minute if sort.descending else minute)
        prop = self._source.properties[sort.property_id or ""]
        value = sort_value(self._reader, page, prop)
        if value is None:
            return (1,)
        comparable = (isinstance(value, str), value)
        return (0, _Backwards(comparable) if sort.descending else comparable)


class Listing:
    """The pages that meet a condition, in order; read no further than asked.

    `archived` lists the archived pages and nothing else (docs/notion-api.md#queries).
    """

    def __init__(
        self,
        source: DataSource,
        reader: Reader,
        *,
        condition: Condition | None = None,
        sorts: tuple[Sort, ...] = (),
        archived: bool = False,
    ) -> None:
        self._source, self._condition, self._archived = source, condition, archived
        self.order = Order(source, reader, sorts)
        self._state = reader.state
        self._in_trash = reader.state.in_trash(source)
        self._rest = self._entries()
        self._entries_read: list[Entry] = []

    def slice(self, start: int, count: int) -> list[Entry]:
        """Entries `start` to `start + count`, fewer at the end."""
        self._read_to(start + count)
        return self._entries_read[start : start + count]

    def index_after(self, key: Key) -> int:
        """The place of the first entry whose key is greater."""
        return self._place(key, bisect_right)

    def index_of(self, page: Page) -> int | None:
        """The place of a page; None when the listing does not hold it (any more)."""
        if not self._holds(page):
            return None
        return self._place(self.order.key(page), bisect_left)

    def _place(self, key: Key, bisect: Callable[..., int]) -> int:
        """Where a key stands, reading on as far as it takes to know."""
        while (not self._entries_read or self._entries_read[-1].key <= key) and self._read_to(
            len(self._entries_read) + 100
        ):
            pass
        return bisect(self._entries_read, key, key=lambda entry: entry.key)

    def _read_to(self, count: int) -> bool:
        """Reads on until `count` entries are known; False when there are fewer."""
        missing = count - len(self._entries_read)
        self._entries_read.extend(islice(self._rest, max(missing, 0)))
        return len(self._entries_read) >= count

    def _holds(self, page: Page) -> bool:
        if page.in_trash or page.is_archived != self._archived or page.data_source_id != self._source.id:
            return False
        if self._in_trash or not self._state.is_indexed(page.created):
            return False
        return self._condition is None or self._condition.matches(page)

    def _entries(self) -> Iterator[Entry]:
        if self._in_trash:
            return iter(())
        stored = [page for page in self._source.stored.values() if self._holds(page)]
        held = sorted((Entry(self.order.key(page), page.id) for page in stored), key=lambda entry: entry.key)
        if self._source.generated is None or self._archived:
            return iter(held)
        return heapq.merge(held, self._generated(self._source.generated), key=lambda entry: entry.key)

    def _generated(self, generated: Generated) -> Iterable[Entry]:
        bounds = window(self._condition)
        low, high = generated.first_from(bounds.low), generated.first_from(bounds.high)
        by_time = self.order.by_time
        if by_time is None:
            return self._sorted(generated, range(low, high))
        return self._by_minute(generated, low, high, descending=by_time.descending, exact=bounds.exact)

    def _sorted(self, generated: Generated, indexes: range) -> list[Entry]:
        pages = (generated.page(index) for index in indexes if self._source.is_generated(index))
        entries = [Entry(self.order.key(page), page.id) for page in pages if self._holds(page)]
        return sorted(entries, key=lambda entry: entry.key)

    def _by_minute(
        self, generated: Generated, low: int, high: int, *, descending: bool, exact: bool
    ) -> Iterator[Entry]:
        """Walks the rows minute by minute, since within one the order is scrambled."""
        while low < high:
            edge = high - 1 if descending else low
            minute = generated.time_of(edge) // MINUTE
            first, last = edge, edge + 1
            if descending:
                while first > low and generated.time_of(first - 1) // MINUTE == minute:
                    first -= 1
                high = first
            else:
                while last < high and generated.time_of(last) // MINUTE == minute:
                    last += 1
                low = last
            entries = [
                Entry(self.order.time_key(minute, page_id, descending=descending), page_id)
                for index in range(first, last)
                if self._source.is_generated(index)
                for page_id in (generated.page_id(index),)
                if exact or self._holds(generated.page(index))
            ]
            yield from sorted(entries, key=lambda entry: entry.key)
