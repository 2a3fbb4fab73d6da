"""Pure: the array of a rollup over a cut relation, put together from the items of the property endpoint.

Of most types the endpoint gives one item a related page. Titles, texts, people and relations come in parts, one an
item, and no item says which page it is of (docs/notion-api.md#rollups-over-long-relations).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from msgspec import Struct

from notion_pg_sync.notion.cleaning import sanitize, storable_text
from notion_pg_sync.notion.json_access import as_list, get_path, tagged
from notion_pg_sync.notion.json_text import canonical_text
from notion_pg_sync.notion.page_properties import PageProperties, PropertyValue, read_property
from notion_pg_sync.notion.property_ids import decoded
from notion_pg_sync.notion.schema import by_id
from notion_pg_sync.notion.shares import share_out

MOST_IN_A_PAGE = 25

# Types whose value is an array, of which the endpoint gives one entry an item.
PARTED = frozenset({"title", "rich_text", "people", "relation"})
_BY_ID = frozenset({"people", "relation"})

# A filter takes no longer text; of a beginning less is enough to find the page.
_MOST_LETTERS = 2000
_ENOUGH_LETTERS = 100


class RolledUp(Struct, frozen=True):
    """What a rollup goes over. Property ids are decoded; `data_source_id` has the related pages, where that is told."""

    relation_id: str
    property_id: str
    data_source_id: str | None


class RelatedPages(Struct, frozen=True):
    """The related pages of a rollup in the relation's order, and the properties of those that were just read."""

    ids: Sequence[str]
    property_id: str
    known: Mapping[str, PageProperties]


def rolled_up(value: PropertyValue, schema: Mapping[str, object]) -> RolledUp | None:
    """What a page's rollup `value` goes over, None where the schema does not tell."""
    configs = by_id(schema)
    config = get_path(configs.get(value.id), "rollup")
    relation, of_page = (get_path(config, f"{one}_property_id") for one in ("relation", "rollup"))
    if not isinstance(relation, str) or not isinstance(of_page, str):
        return None
    source = get_path(configs.get(decoded(relation)), "relation", "data_source_id")
    return RolledUp(decoded(relation), decoded(of_page), source if isinstance(source, str) else None)


def related_ids(properties: PageProperties, relation_id: str) -> list[str] | None:
    """All pages that a relation of a page holds, in order; None where the relation is still cut, or not there."""
    value = properties.by_id.get(relation_id)
    if value is None or value.type != "relation" or value.has_more is not False:
        return None
    return [str(get_path(one, "id")) for one in as_list(value.content)]


def whole_array(in_page: object, property_items: Iterable[object], related: RelatedPages | None) -> list[object] | None:
    """The array of a rollup in the form of a page's: typed values without id, one a related page.

    `in_page` is the page's own array, which has the first values whole. None where it is not certain which parts are
    whose; no element is ever a guess.
    """
    entries = as_list(in_page)
    found = [(kind, content) for kind, content in map(tagged, property_items) if kind is not None]
    kinds = {kind for kind, _ in found} or {kind for kind, _ in map(tagged, entries) if kind is not None}
    if kinds.isdisjoint(PARTED):
        return [{"type": kind, kind: content} for kind, content in found]
    if len(kinds) > 1 or related is None:
        return None
    (kind,) = kinds
    parts = [part for _, content in found for part in _parts_of_item(content)]
    begins = share_out([_identity(kind, part) for part in parts], _known_parts(kind, entries, related))
    if begins is None:
        return None
    return [{"type": kind, kind: parts[start:end]} for start, end in pairwise(begins)]


def whole_conditions(property_items: Iterable[object], property_id: str) -> list[dict[str, Any]]:
    """What pages to look for by filter at first: those whose whole value is one of the parts, or holds an entry."""
    return [
        {"property": property_id, kind: {"contains" if kind in _BY_ID else "equals": told}}
        for kind, told in _told_of(property_items)
        if len(told) <= _MOST_LETTERS
    ]


def beginning_conditions(
    property_items: Iterable[object], property_id: str, known: Iterable[PageProperties]
) -> list[dict[str, Any]]:
    """What pages to look for next: those whose text begins with a part that is not all of a page that is `known`."""
    values = (properties.by_id[property_id] for properties in known if property_id in properties.by_id)
    whole = {
        _told(value.type, value.content[0])
        for value in values
        if isinstance(value.content, list) and len(value.content) == 1
    }
    return [
        {"property": property_id, kind: {"starts_with": told[:_ENOUGH_LETTERS]}}
        for kind, told in _told_of(property_items)
        if kind not in _BY_ID and told not in whole
    ]


def _told_of(property_items: Iterable[object]) -> list[tuple[str, str]]:
    """What a filter can look for, each once, with the type: ids, and texts."""
    parts = [
        (kind, part)
        for kind, content in map(tagged, property_items)
        if kind in PARTED
        for part in _parts_of_item(content)
    ]
    return sorted({(kind, told) for kind, part in parts if (told := _told(kind, part))})


def _told(kind: str | None, part: object) -> str | None:
    """The id or the text of a part; None of blanks and of what JSON cannot send."""
    told = get_path(part, "id" if kind in _BY_ID else "plain_text")
    return told if isinstance(told, str) and told.strip() and storable_text(told) == told else None


def _parts_of_item(content: object) -> list[Any]:
    """The parts in an item; none in that of an empty value, should Notion give one."""
    return [content] if isinstance(content, dict) and content else as_list(content)


def _known_parts(kind: str, entries: Sequence[object], related: RelatedPages) -> list[list[str] | None]:
    """What is known of each related page: from the rollup in the page, else from the related page itself."""
    # Fewer entries than the page's answer has room for: nobody knows which pages they are of.
    told = len(entries) if min(MOST_IN_A_PAGE, len(related.ids)) <= len(entries) <= len(related.ids) else 0
    in_page = [_told_whole(kind, read_property("", entry)) for entry in entries[:told]]
    known = [*in_page, *[None] * (len(related.ids) - told)]
    return [
        parts if parts is not None else _of_page(kind, related.known.get(page_id), related.property_id)
        for parts, page_id in zip(known, related.ids, strict=True)
    ]


def _of_page(kind: str, properties: PageProperties | None, property_id: str) -> list[str] | None:
    value = properties.by_id.get(property_id) if properties is not None else None
    return _told_whole(kind, value) if value is not None else None


def _told_whole(kind: str, value: PropertyValue) -> list[str] | None:
    """The parts of a value or of an entry of a rollup; None of another type, and of what may be cut without a sign."""
    content = value.content
    if value.type != kind or not isinstance(content, list):
        return None
    counted = content
    if kind in ("title", "rich_text"):
        counted = [part for part in content if get_path(part, "type") == "mention"]
    if len(counted) >= MOST_IN_A_PAGE and value.has_more is not False:
        return None
    return [_identity(kind, part) for part in content]


def _identity(kind: str, part: object) -> str:
    """What is the same of a part wherever Notion gives it: how much it tells of people differs."""
    told = get_path(part, "id") if kind in _BY_ID else part
    return canonical_text(sanitize(told)[0])
