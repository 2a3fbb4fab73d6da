"""Data sources of any size that are computed, not held: row i is a pure function of the seed and i.

Creation times never fall with i, so that a window of time is a range of indexes, found by bisection.
"""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field

from notion_workspace.clock import DAY, HOUR, MINUTE
from notion_workspace.ids import digest
from notion_workspace.model import DateValue, File, Page, Property, Stored, Text, Value

# (row's index, number of rows, first and last moment in ms) -> the row's moment; must never fall with the index.
History = Callable[[int, int, int, int], int]

_NODE_BITS = 48
_NODE_MASK = (1 << _NODE_BITS) - 1
_WORD = (1 << 64) - 1
# Odd, so that multiplication modulo 2**48 can be undone.
_SPREAD = 0x5DEECE66D3F1
_GATHER = pow(_SPREAD, -1, 1 << _NODE_BITS)

_ADJECTIVES = ("Quiet", "Amber", "Hollow", "Northern", "Paper", "Salt", "Winter", "Copper", "Distant", "Green")
_NOUNS = ("Harbour", "Letter", "Orchard", "Engine", "Archive", "Bridge", "Lantern", "Meadow", "Signal", "Atlas")


def even(index: int, rows: int, first: int, last: int) -> int:
    """Rows spread evenly."""
    return first + (last - first) * index // max(rows, 1)


def uneven(index: int, rows: int, first: int, last: int) -> int:
    """90 % of the rows within one hour, in the middle of the span."""
    burst, length = (first + last) // 2, rows * 9 // 10
    before = (rows - length) // 2
    if index < before:
        return even(index, before, first, burst)
    if index < before + length:
        return burst + HOUR * (index - before) // length
    return even(index - before - length, rows - before - length, burst + HOUR, last)


def one_minute(start: int, count: int) -> History:
    """Rows spread evenly, but `count` of them, from index `start` on, within one minute: a bulk import."""

    def history(index: int, rows: int, first: int, last: int) -> int:
        minute = even(start, rows, first, last) // MINUTE * MINUTE
        if index < start:
            return min(even(index, rows, first, last), minute - 1)
        if index < start + count:
            return minute + MINUTE * (index - start) // count
        return max(even(index, rows, first, last), minute + MINUTE)

    return history


def mix(seed: int, index: int) -> int:
    """64 well-mixed bits of a seed and an index."""
    word = (seed + index * 0x9E3779B97F4A7C15) & _WORD
    word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
    word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & _WORD
    return word ^ (word >> 31)


@dataclass
class Generated:
    """The rows of a generated data source. `first` and `last` (ms) bound their creation times."""

    data_source_id: str
    seed: int
    rows: int
    first: int
    last: int
    history: History
    author: str
    makers: dict[str, Callable[[int, int], Stored]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        head = digest(self.seed, self.data_source_id, "pages", size=10).hex()
        self.prefix = f"{head[:8]}-{head[8:12]}-8{head[13:16]}-b{head[17:20]}-"
        self._key = int.from_bytes(digest(self.seed, self.data_source_id, "key", size=6), "big")

    def page_id(self, index: int) -> str:
        """The id of a row; ids are in no order."""
        return f"{self.prefix}{(index * _SPREAD & _NODE_MASK) ^ self._key:012x}"

    def index_of(self, page_id: str) -> int | None:
        """The row of an id; None when it is not one of these rows."""
        if not page_id.startswith(self.prefix):
            return None
        index = (int(page_id[-12:], 16) ^ self._key) * _GATHER & _NODE_MASK
        return index if index < self.rows else None

    def time_of(self, index: int) -> int:
        """When a row was created, and, while it is as generated, last edited."""
        return self.history(index, self.rows, self.first, self.last)

    def first_from(self, moment: int) -> int:
        """The first row created at or after a moment."""
        return bisect_left(range(self.rows), moment, key=self.time_of)

    def page(self, index: int) -> Page:
        """A row as it was generated."""
        moment = self.time_of(index)
        bits = mix(self.seed, index)
        values = {property_id: make(index, bits) for property_id, make in self.makers.items()}
        return Page(self.page_id(index), self.data_source_id, moment, moment, self.author, self.author, values)


def maker(prop: Property, position: int, context: Value, sentences: int = 1) -> Callable[[int, int], Stored]:
    """How a property of a generated data source gets its values: a function of index and bits.

    `position` tells properties of one type apart, and is how many of 1,000 rows have a long relation, or a file;
    `context` is the Generated that relations point into; a text has so many sentences.
    """
    options = [option.id for option in prop.options]

    def bits_of(bits: int) -> int:
        return mix(position, bits)

    def tags(_index: int, bits: int) -> Stored:
        own = bits_of(bits)
        return tuple(option for place, option in enumerate(options) if own >> place & 1)

    def day(_index: int, bits: int) -> Stored:
        own = bits_of(bits)
        if own % 8 == 0:
            return None
        text = f"{2020 + own % 9}-{1 + (own >> 8) % 12:02d}-{1 + (own >> 16) % 28:02d}"
        if own % 3:
            return DateValue(text)
        return DateValue(f"{text}T{(own >> 24) % 24:02d}:{(own >> 32) % 60:02d}:00.000+01:00")

    def words(index: int, bits: int) -> Stored:
        own = bits_of(bits)
        sentence = f"{_ADJECTIVES[own % 10]} {_NOUNS[(own >> 8) % 10].lower()} of row {index}."
        return (Text(" ".join([sentence] * sentences)),)

    def related(_index: int, bits: int) -> Stored:
        own = bits_of(bits)
        count = 40 if own % 1000 < position else own % 3
        return tuple({context.page_id(mix(own, place) % context.rows): None for place in range(count)})

    def attached(index: int, bits: int) -> Stored:
        return (File(f"row {index}.pdf", f"rows/{index}.pdf"),) if bits_of(bits) % 1000 < position else ()

    makers: dict[str, Callable[[int, int], Stored]] = {
        "title": lambda index, bits: (Text(f"{_ADJECTIVES[bits % 10]} {_NOUNS[(bits >> 8) % 10]} {index}"),),
        "rich_text": words,
        "number": lambda _index, bits: (bits_of(bits) % 2_000_000 - 1_000_000) / 100,
        "select": lambda _index, bits: options[bits_of(bits) % len(options)],
        "multi_select": tags,
        "date": day,
        "checkbox": lambda _index, bits: bool(bits_of(bits) & 1),
        "url": lambda index, _bits: f"https://example.com/rows/{index}",
        "email": lambda index, _bits: f"row{index}@example.com",
        "phone_number": lambda index, _bits: f"+49 30 {index:07d}",
        "unique_id": lambda index, _bits: index + 1,
        "relation": related,
        "files": attached,
    }
    return makers[prop.type]


def default_span(now: int) -> int:
    """Three years up to now: the span's first moment."""
    return now - 3 * 365 * DAY
