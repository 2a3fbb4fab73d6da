"""Pure: what the columns of typed views are, to whoever names them, keeps them or makes views of them."""

from __future__ import annotations

from msgspec import Struct

# A formula's or rollup's type is not in the schema; until its first value comes, its column holds nothing but nulls.
UNDETERMINED = "undetermined"

# The part of a property that all have: the value itself, which of a date is its calendar day.
VALUE = "value"

# The types of properties whose values Notion computes: what nobody entered changes by itself.
COMPUTED_TYPES = frozenset({"formula", "rollup", "created_time", "created_by", "last_edited_time", "last_edited_by"})

# PostgreSQL cuts longer names, which would make two of them one.
MAX_NAME_BYTES = 63


class Column(Struct, frozen=True):
    """A column for a property, or for a part of it; `property_id` is as Notion wrote it (percent-encoded).

    `new_type`: the type that the property would have by now, where that is another than the column's.
    """

    property_id: str
    property_name: str
    property_type: str
    name: str
    type: str
    part: str = VALUE
    new_type: str | None = None
