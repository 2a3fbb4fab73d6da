"""Pure: a data source's schema -> the columns of its typed view, and whether a value fits a column's type.

Names and types are given once and kept, by property id, so that SQL written against them goes on working whatever
happens to other properties, and to this one's name.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TypeGuard

from msgspec import Struct
from msgspec.structs import replace

from notion_pg_sync.core.columns import UNDETERMINED, VALUE, Column
from notion_pg_sync.notion.cleaning import digest, storable_text
from notion_pg_sync.notion.column_names import column_name, free_name
from notion_pg_sync.notion.dates import is_day, is_instant
from notion_pg_sync.notion.json_access import as_list, get_path, tagged
from notion_pg_sync.notion.json_text import canonical_text
from notion_pg_sync.notion.property_ids import decoded

TYPES = {
    "title": "text",
    "rich_text": "text",
    "select": "text",
    "status": "text",
    "url": "text",
    "email": "text",
    "phone_number": "text",
    "unique_id": "text",
    "verification": "text",
    "place": "text",
    "number": "numeric",
    "checkbox": "boolean",
    "multi_select": "text[]",
    "files": "text[]",
    "people": "uuid[]",
    "relation": "uuid[]",
    "created_by": "uuid",
    "last_edited_by": "uuid",
    "created_time": "timestamptz",
    "last_edited_time": "timestamptz",
    "date": "date",
    "formula": UNDETERMINED,
    "rollup": UNDETERMINED,
}
# A type that is not known yet.
ANY_TYPE = "jsonb"

# The parts of a date beside its value, each a column, with type and end of the name.
DATE_PARTS = {"at": ("timestamptz", "_at"), "end": ("date", "_end"), "end_at": ("timestamptz", "_end_at")}

_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class _Property(Struct, frozen=True):
    id: str
    name: str
    type: str


def is_schema(answered: object) -> TypeGuard[dict[str, object]]:
    """Whether it is a schema's `properties`: where there are some, one of them can be read at least."""
    return isinstance(answered, dict) and (not answered or bool(_properties(answered)))


def by_id(properties: Mapping[str, object]) -> dict[str, object]:
    """The properties of a schema by their decoded id instead of their name."""
    return {decoded(found): value for value in properties.values() if isinstance(found := get_path(value, "id"), str)}


def assign_columns(properties: Mapping[str, object], known: Sequence[Column]) -> list[Column]:
    """The columns for a schema's `properties`: all `known` ones first, then those of new properties.

    Known columns keep name and type, those of vanished properties too: a property may be gone only because the
    related database is no longer shared. Buttons hold no data and get none. The order of the schema does not matter.
    """
    current = {decoded(prop.id): prop for prop in _properties(properties)}
    columns = [_as_now(column, current.get(decoded(column.property_id))) for column in known]
    have = {decoded(column.property_id) for column in columns if column.part == VALUE}
    taken = {column.name for column in columns}
    # All properties are named before the dates' further parts: "Due at" is due_at though there is a date "Due".
    for property_id in sorted(current.keys() - have):
        prop = current[property_id]
        if prop.type == "button":
            continue
        name = free_name(column_name(prop.name), "", taken)
        taken.add(name)
        columns.append(Column(prop.id, prop.name, prop.type, name, TYPES.get(prop.type, ANY_TYPE)))
    return with_date_parts(columns)


def vanished_names(before: Mapping[str, object], properties: Mapping[str, object]) -> list[str]:
    """The names of the properties that were in the schema `before` and are no longer in `properties`."""
    left = by_id(before).keys() - by_id(properties).keys()
    return sorted(str(get_path(value, "name")) for property_id, value in by_id(before).items() if property_id in left)


def changed_options(before: Mapping[str, object], properties: Mapping[str, object]) -> list[str]:
    """The names of the properties of which an option was renamed or removed since the schema `before`.

    Pages then hold the new name, or none, without an edit (docs/notion-api.md#properties).
    """
    former = by_id(before)
    return sorted(
        str(get_path(value, "name"))
        for property_id, value in by_id(properties).items()
        if _differ(_option_names(former.get(property_id)), _option_names(value))
    )


def is_wiki(properties: Mapping[str, object]) -> bool:
    """Whether it is the schema of a wiki, whose pages can be verified and may lie in one another."""
    return any(isinstance(value, dict) and value.get("type") == "verification" for value in properties.values())


def unknown_types(properties: Mapping[str, object]) -> list[str]:
    """The types in a schema that this version does not know; their values are kept as JSON."""
    found = {str(get_path(value, "type")) for value in properties.values()}
    return sorted(found - TYPES.keys() - {"button"})


def with_date_parts(columns: Sequence[Column]) -> list[Column]:
    """`columns` and the further parts of those that hold a date."""
    completed = list(columns)
    taken = {column.name for column in columns}
    have = {(decoded(column.property_id), column.part) for column in columns}
    dates = [column for column in columns if column.part == VALUE and "date" in (column.type, column.property_type)]
    for column in sorted(dates, key=lambda column: decoded(column.property_id)):
        for part, (part_type, suffix) in DATE_PARTS.items():
            if (decoded(column.property_id), part) in have:
                continue
            name = free_name(column.name, suffix, taken)
            taken.add(name)
            completed.append(replace(column, name=name, type=part_type, part=part, new_type=None))
    return completed


def fits(value: object, column_type: str) -> bool:
    """Whether a column of this type can hold a plain value. Text and jsonb hold everything, all types hold null."""
    if value is None:
        return True
    holds = _HOLDS.get(column_type)
    return holds is None or holds(value)


def schema_fingerprint(properties: Mapping[str, object]) -> str:
    """A text that changes when ids, names, types, relations' targets or what rollups compute change.

    Not with options, colours, descriptions, or the text of a formula, which changes without any edit.
    """
    described = []
    for value in properties.values():
        _, config = tagged(value)
        described.append(
            [
                *(str(get_path(value, key)) for key in ("id", "name", "type")),
                str(get_path(config, "data_source_id")),
                str(get_path(config, "function")),
                *(decoded(str(get_path(config, key))) for key in ("relation_property_id", "rollup_property_id")),
            ]
        )
    return digest(canonical_text(sorted(described)))


def _option_names(value: object) -> dict[str, str]:
    """The names of a property's options, by their id; of a property without options none."""
    _, config = tagged(value)
    options = as_list(get_path(config, "options"))
    return {str(get_path(option, "id")): str(get_path(option, "name")) for option in options}


def _differ(before: Mapping[str, str], now: Mapping[str, str]) -> bool:
    return any(now.get(option_id) != name for option_id, name in before.items())


def _properties(properties: Mapping[str, object]) -> list[_Property]:
    """The schema's properties, in an order of their own, storable."""
    found = []
    for key, value in properties.items():
        property_id, name, kind = (get_path(value, part) for part in ("id", "name", "type"))
        if isinstance(property_id, str) and isinstance(kind, str):
            name = name if isinstance(name, str) else key
            found.append(_Property(storable_text(property_id), storable_text(name), storable_text(kind)))
    return sorted(found, key=lambda prop: (prop.id, prop.name, prop.type))


def _as_now(column: Column, prop: _Property | None) -> Column:
    """A known column, with its property's present name and type. What was undetermined may now be told by the type."""
    if prop is None:
        return column
    told = UNDETERMINED if prop.type == "button" else TYPES.get(prop.type, ANY_TYPE)
    type_, new_type = column.type, None
    if column.type == UNDETERMINED:
        type_ = told
    elif column.part == VALUE and told not in (UNDETERMINED, column.type):
        new_type = told
    now = (prop.name, prop.type, type_, new_type)
    if now == (column.property_name, column.property_type, column.type, column.new_type):
        # As nearly all are; to make one anew takes longer than to see that.
        return column
    return replace(column, property_name=prop.name, property_type=prop.type, type=type_, new_type=new_type)


def _is_number(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    # It may be greater than any float.
    return isinstance(value, int) and not isinstance(value, bool)


def _is_uuid(value: object) -> bool:
    return isinstance(value, str) and _UUID.fullmatch(value) is not None


# Whether a column of this type can hold a value that is not null; columns of other types hold everything.
_HOLDS: dict[str, Callable[[object], bool]] = {
    "numeric": _is_number,
    "boolean": lambda value: isinstance(value, bool),
    "date": lambda value: isinstance(value, str) and is_day(value),
    "timestamptz": lambda value: isinstance(value, str) and is_instant(value),
    "uuid": _is_uuid,
    "text[]": lambda value: isinstance(value, list),
    "uuid[]": lambda value: isinstance(value, list) and all(map(_is_uuid, value)),
}
