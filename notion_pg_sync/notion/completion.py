"""Pure: which values of a page Notion cut, and how the property endpoint's answers make them whole.

A page's answer holds at most 25 relations, people and mentions a property, and computes from as many
(docs/notion-api.md#truncation).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from notion_pg_sync.notion.json_access import as_list, get_path, tagged
from notion_pg_sync.notion.page_properties import PageProperties, PropertyValue
from notion_pg_sync.notion.property_ids import decoded
from notion_pg_sync.notion.rollup_parts import MOST_IN_A_PAGE, PARTED, RelatedPages, whole_array
from notion_pg_sync.notion.schema import by_id

# The property endpoint never computes these (docs/notion-api.md#property-items); to ask would be a request for nothing.
_NEVER_COMPUTED = frozenset({"show_unique", "unique", "median", "count_per_group", "percent_per_group"})

# The type of a rollup that is not told whole, until its last page in Notion's answers.
INCOMPLETE = "incomplete"


def values_to_complete(properties: PageProperties, schema: Mapping[str, object]) -> list[PropertyValue]:
    """The values of a page's `properties` that are to be read again from the property endpoint.

    Only relations say that they are cut; people and mentions may be from 25 on; rollups are when their relation is,
    which `schema` tells.
    """
    cut = [value for value in properties if value.id and _is_cut(value)]
    relations = {value.id for value in cut if value.type == "relation"}
    if not relations:
        return cut
    configs, names = by_id(schema), {value.name for value in cut}
    return [value for value in properties if value.name in names or _is_cut_rollup(value, configs, relations)]


def complete(
    value: PropertyValue,
    property_items: Iterable[object],
    property_item: Mapping[str, object],
    related: RelatedPages | None = None,
) -> PropertyValue:
    """The whole of a page's `value`.

    `property_items` are the results of all the endpoint's answers, in order; `property_item` is the last answer's
    member of that name. A rollup that the endpoint does not compute keeps the page's value. One of which it is not
    certain how its parts are shared out among the `related` pages becomes incomplete, see `is_incomplete`.
    """
    kind = value.type
    if kind == "rollup":
        return value.with_content(_whole_rollup(value.content, property_items, property_item.get("rollup"), related))
    if kind not in PARTED:
        return value
    return value.with_content([content for content in (get_path(item, kind) for item in property_items) if content])


def without_rest(value: PropertyValue) -> PropertyValue:
    """What is known of a page's `value` of which Notion did not give the rest: of a rollup nothing."""
    if value.type != "rollup":
        return value
    function = get_path(value.content, "function")
    return value.with_content({"type": INCOMPLETE, INCOMPLETE: {}, "function": function})


def is_incomplete(value: PropertyValue) -> bool:
    """Whether a property's value is a rollup that is not told whole: it has Notion's own mark for that."""
    return value.type == "rollup" and get_path(value.content, "type") == INCOMPLETE


def incomplete_values(properties: PageProperties) -> list[PropertyValue]:
    """The rollups of a page that are not told whole."""
    return [value for value in properties if is_incomplete(value)]


def _is_cut(value: PropertyValue) -> bool:
    match value.type:
        case "relation":
            return value.has_more is True
        case "people":
            return len(as_list(value.content)) >= MOST_IN_A_PAGE
        case "title" | "rich_text":
            return len(as_list(value.content)) >= MOST_IN_A_PAGE and _mentions(value.content) >= MOST_IN_A_PAGE
        case _:
            return False


def _mentions(rich_text: object) -> int:
    return sum(get_path(item, "type") == "mention" for item in as_list(rich_text))


def _is_cut_rollup(value: PropertyValue, configs: Mapping[str, object], relations_cut: set[str]) -> bool:
    if value.type != "rollup" or not value.id:
        return False
    config = get_path(configs.get(value.id), "rollup")
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
