"""Pure: filters that tell the rows of one minute apart, where more were created in it than one query gives."""

from __future__ import annotations

from collections.abc import Mapping

from notion_pg_sync.notion.lenient import member
from notion_pg_sync.notion.listing import Split

# Letters, digits and signs that split titles about evenly, the most even first.
_TELLING = "eaionrtslcdu0123456789hmpgbyfvkw -.jxqz"


def splits_of(schema: Mapping[str, object]) -> list[Split]:
    """The splits that a data source allows, the best first.

    A checkbox is true or false, never null, and a title contains a text or does not: of both filters of such a pair,
    every row satisfies exactly one. Of other types that is not documented.
    """
    found: list[Split] = []
    title = "title"
    for name, value in sorted(schema.items()):
        kind, property_id = member(value, "type"), member(value, "id")
        if kind == "title":
            title = str(property_id or name)
        elif kind == "checkbox":
            found.append(
                Split(
                    {"property": property_id, "checkbox": {"equals": True}},
                    {"property": property_id, "checkbox": {"equals": False}},
                )
            )
    for text in _TELLING:
        found.append(
            Split(
                {"property": title, "title": {"contains": text}},
                {"property": title, "title": {"does_not_contain": text}},
            )
        )
    return found
