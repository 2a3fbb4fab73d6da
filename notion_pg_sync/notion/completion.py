"""Pure: which values of a page Notion cut, and how the property endpoint's answers make them whole.

A page's answer holds at most 25 relations, people and mentions a property, and computes from as many
(docs/notion-api.md#truncation).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from notion_pg_sync.notion.json_access import as_list, get_path, tagged
from notion_pg_sync.notion.rollup_parts import MOST_IN_A_PAGE, PARTED, RelatedPages, whole_array
from notion_pg_sync.notion.schema import by_id, decoded

# The property endpoint never computes these (docs/notion-api.md#property-items); to ask would be a request for nothing.
_NEVER_COMPUTED = frozenset({"show_unique", "unique", "median", "count_per_group", "percent_per_group"})

# The type of a rollup that is not told whole, until its last page in Notion's answers.
INCOMPLETE = "incomplete"


@dataclass(frozen=True)
class CutValue:
    """A property whose value is, or may be, cut; `property_id` as the endpoint's path takes it."""

    name: str
    property_id: str
    type: str


def values_to_complete(properties: Mapping[str, object], schema: Mapping[str, object]) -> list[CutValue]:
    """The values of a page's `properties` that are to be read again from the property endpoint.

    Only relations say that they are cut; people and mentions may be from 25 on; rollups are when their relation is,
    which `schema` tells.
    """
    cut = [name for name, value in properties.items() if _is_cut(value)]
    relations = {id_ for name in cut if (id_ := _relation_id(properties[name])) is not None}
    if relations:
        configs = by_id(schema)
        cut = [name for name, value in properties.items() if name in cut or _is_cut_rollup(value, configs, relations)]
    return [CutValue(name, id_, kind) for name in cut for id_, kind in _id_and_type(properties[name])]


def complete(
    value: Mapping[str, object],
    property_items: Iterable[object],
    property_item: Mapping[str, object],
    related: RelatedPages | None = None,
) -> dict[str, Any]:
    """The whole of a page's `value`.

    `property_items` are the results of all the endpoint's answers, in order; `property_item` is the last answer's
    member of that name. A rollup that the endpoint does not compute keeps the page's value. One of which it is not
    certain how its parts are shared out among the `related` pages becomes incomplete, see `is_incomplete`.
    """
    kind = str(value.get("type"))
    if kind == "rollup":
        computed = property_item.get("rollup")
        return {**value, "rollup": _whole_rollup(value.get("rollup"), property_items, computed, related)}
    if kind not in PARTED:
        return dict(value)
    whole = {**value, kind: [content for content in (get_path(item, kind) for item in property_items) if content]}
    return {**whole, "has_more": False} if "has_more" in value else whole


def is_incomplete(value: object) -> bool:
    """Whether a property's value is a rollup that is not told whole: it has Notion's own mark for that."""
    return get_path(value, "type") == "rollup" and get_path(value, "rollup", "type") == INCOMPLETE


def _is_cut(value: object) -> bool:
    kind, content = tagged(value)
    match kind:
        case "relation":
            return get_path(value, "has_more") is True
        case "people":
            return len(as_list(content)) >= MOST_IN_A_PAGE
        case "title" | "rich_text":
            return len(as_list(content)) >= MOST_IN_A_PAGE and _mentions(content) >= MOST_IN_A_PAGE
        case _:
            return False


def _mentions(rich_text: object) -> int:
    return sum(get_path(item, "type") == "mention" for item in as_list(rich_text))


def _id_and_type(value: object) -> list[tuple[str, str]]:
    """What the endpoint must be asked with; nothing where Notion's answer lacks it."""
    property_id, kind = get_path(value, "id"), get_path(value, "type")
    return [(property_id, kind)] if isinstance(property_id, str) and isinstance(kind, str) else []


def _relation_id(value: object) -> str | None:
    property_id = get_path(value, "id")
    return decoded(property_id) if get_path(value, "type") == "relation" and isinstance(property_id, str) else None


def _is_cut_rollup(value: object, configs: Mapping[str, object], relations_cut: set[str]) -> bool:
    property_id = get_path(value, "id")
    if get_path(value, "type") != "rollup" or not isinstance(property_id, str):
        return False
    config = get_path(configs.get(decoded(property_id)), "rollup")
    relation = get_path(config, "relation_property_id")
    if not isinstance(relation, str) or str(get_path(config, "function")) in _NEVER_COMPUTED:
        return False
    return decoded(relation) in relations_cut


def _whole_rollup(
    in_page: object, property_items: Iterable[object], computed: object, related: RelatedPages | None
) -> object:
    kind, content = tagged(computed)
    if kind in (None, "unsupported", INCOMPLETE):
        return in_page
    if kind == "array":
        # Only `show_original` comes here: its values are the items. Of other functions these are the related pages.
        content = whole_array(get_path(in_page, "array"), property_items, related)
        if content is None:
            kind, content = INCOMPLETE, {}
    return {"type": kind, kind: content, "function": get_path(in_page, "function")}
