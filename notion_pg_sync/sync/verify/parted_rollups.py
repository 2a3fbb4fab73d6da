"""Pure: what `sync --verify` can say of a rollup whose parts Notion does not tell apart, by its own way.

The property endpoint gives the parts of all related pages in order, and the page the first values whole
(docs/notion-api.md#rollups-over-long-relations). So this much is proved of a copy: the parts and their order, whose
the first ones are, and that there is one element a related page. Whose the others are is not asked once more; that
takes the copy's word, which a remark says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

from msgspec import Struct

JsonObject = dict[str, Any]

_KINDS = ("title", "rich_text", "people", "relation")


class PartedRollup(Struct, frozen=True):
    """A rollup that comes in parts of one `kind`; `pages` are related.

    `flat` has each part as if it were all that a page has. `told`: how many parts each of the first pages has, as far
    as the page's answer tells.
    """

    kind: str
    flat: Sequence[JsonObject]
    pages: int
    told: Sequence[int]

    @property
    def is_open(self) -> bool:
        """Whether parts are left of which it is not told whose they are."""
        return self.pages - len(self.told) > 1 and sum(self.told) < len(self.flat)

    def array_like(self, held: object, flat: Sequence[JsonObject]) -> list[JsonObject]:
        """The array that a copy must hold; where Notion tells no boundaries, with those of `held`, the copy's own.

        `flat` is `self.flat` as it can be stored. No boundary of `held` adds or loses a part or an element.
        """
        parts = [part for element in flat for part in _parts_in(element, self.kind)]
        elements = held if isinstance(held, list) else []
        sizes = [*self.told, *(len(_parts_in(element, self.kind)) for element in elements[len(self.told) :])]
        sizes = [*sizes, *[0] * self.pages][: self.pages]
        begins = [*accumulate(sizes, initial=0)][: self.pages]
        ends = [*begins[1:], len(parts)]
        return [{"type": self.kind, self.kind: parts[begin:end]} for begin, end in zip(begins, ends, strict=True)]


def parted_rollup(in_page: object, items: Sequence[JsonObject], pages: int) -> PartedRollup | None:
    """A rollup in parts, None where it has none; `in_page` is the page's own array, `pages` how many are related."""
    shown = in_page if isinstance(in_page, list) else []
    kinds = {str(item.get("type")) for item in (items or shown) if isinstance(item, dict)}
    if pages == 0 or len(kinds) != 1 or not kinds <= set(_KINDS):
        return None
    (kind,) = kinds
    parts = [item[kind] for item in items if isinstance(item.get(kind), dict) and item[kind]]
    flat = [{"type": kind, kind: [part]} for part in parts]
    return PartedRollup(kind, flat, pages, _told(shown[:pages], kind, parts))


def is_left_open(value: object) -> bool:
    """Whether a held value is a rollup that the copy itself marks as not told whole."""
    rollup = value.get("rollup") if isinstance(value, dict) and value.get("type") == "rollup" else None
    return isinstance(rollup, Mapping) and rollup.get("type") == "incomplete"


def _told(shown: Sequence[Any], kind: str, parts: Sequence[JsonObject]) -> list[int]:
    """How many parts each page has, up to the first that is not as the parts say (it may be cut, or just edited)."""
    sizes: list[int] = []
    for element in shown:
        known = _parts_in(element, kind)
        start = sum(sizes)
        there = parts[start : start + len(known)]
        if [_name(part, kind) for part in there] != [_name(part, kind) for part in known]:
            break
        # A list that is full may go on.
        if kind in ("people", "relation") and len(known) >= 25:
            break
        sizes.append(len(known))
    return sizes


def _parts_in(element: object, kind: str) -> list[Any]:
    found = element.get(kind) if isinstance(element, dict) else None
    return found if isinstance(found, list) else []


def _name(part: object, kind: str) -> object:
    return part.get("id") if kind in ("people", "relation") and isinstance(part, dict) else part
