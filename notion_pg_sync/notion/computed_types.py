"""Pure: the types of the columns of formulas and rollups, which are not in the schema: their values tell them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from notion_pg_sync.core.columns import UNDETERMINED, VALUE, Column
from notion_pg_sync.notion.json_access import tagged
from notion_pg_sync.notion.page_properties import PageProperties, PropertyValue
from notion_pg_sync.notion.properties import plain_value
from notion_pg_sync.notion.property_ids import decoded
from notion_pg_sync.notion.schema import ANY_TYPE, TYPES, fits, with_date_parts

# By the `type` of a formula's or rollup's result.
_RESULT_TYPES = {"string": "text", "number": "numeric", "boolean": "boolean", "date": "date", "array": "text[]"}


def settle_types(columns: Sequence[Column], pages: Iterable[PageProperties]) -> list[Column]:
    """`columns` with the types of formulas and rollups, as far as they are told by the properties of `pages`.

    The first value that is not null decides. A column that cannot hold a later value, since that is of another type, is
    text from then on. Where the first value is a date, the date's other columns are added.
    """
    types = {
        decoded(column.property_id): column.type
        for column in columns
        if column.part == VALUE and TYPES.get(column.property_type) == UNDETERMINED
    }
    if not types:
        return list(columns)
    for properties in pages:
        for property_id, column_type in types.items():
            if value := properties.by_id.get(property_id):
                types[property_id] = _type_with(column_type, value)
    return with_date_parts(
        [
            replace(column, type=types.get(decoded(column.property_id), column.type))
            if column.part == VALUE
            else column
            for column in columns
        ]
    )


def _type_with(column_type: str, value: PropertyValue) -> str:
    """The type of a column that holds a value beside those for which it has its type so far."""
    kind, content = tagged(value.content)
    if kind in (None, "unsupported", "incomplete") or content is None:
        return column_type
    result_type = _RESULT_TYPES.get(str(kind), ANY_TYPE)
    if column_type == UNDETERMINED:
        return result_type
    return column_type if result_type == column_type or fits(plain_value(value.content), column_type) else "text"
