"""Pure: filters that tell the rows of one minute apart, where more were created in it than one query gives."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from notion_pg_sync.notion.json_access import get_path
from notion_pg_sync.notion.listing import RowSubset, Split

# Letters, digits and signs that split titles about evenly, the most even first.
_FREQUENT_CHARACTERS = "eaionrtslcdu0123456789hmpgbyfvkw -.jxqz"

# Beyond what a data source can hold.
_LARGEST_NUMBER = 2**27


class CheckboxSplit(Struct, frozen=True):
    """By a checkbox, which is true or false, never null."""

    property_id: str

    def parts(self) -> tuple[RowSubset, ...]:
        """See `Split`."""
        return tuple(
            RowSubset({"property": self.property_id, "checkbox": {"equals": value}}) for value in (True, False)
        )


class TitleSplit(Struct, frozen=True):
    """By whether the title contains a text."""

    property_id: str
    text: str

    def parts(self) -> tuple[RowSubset, ...]:
        """See `Split`."""
        operators = ("contains", "does_not_contain")
        return tuple(
            RowSubset({"property": self.property_id, "title": {operator: self.text}}) for operator in operators
        )


class NumberSplit(Struct, frozen=True):
    """By a unique_id's number, from `low` (included) to `high` (excluded), halved again and again.

    Notion numbers every row of a data source that has such a property.
    """

    property_id: str
    low: int = 0
    high: int = _LARGEST_NUMBER

    def parts(self) -> tuple[RowSubset, ...]:
        """See `Split`."""
        middle = (self.low + self.high) // 2
        return (
            self._part("less_than", middle, self.low, middle),
            self._part("greater_than_or_equal_to", middle, middle, self.high),
        )

    def _part(self, operator: str, middle: int, low: int, high: int) -> RowSubset:
        further = (NumberSplit(self.property_id, low, high),) if high - low > 1 else ()
        return RowSubset({"property": self.property_id, "unique_id": {operator: middle}}, further)


def splits_of(schema: Mapping[str, object]) -> list[Split]:
    """The splits that a data source allows, in the order in which they are tried.

    Checkboxes and titles first: they need no assumption, and one or two of them do for most; then the numbers of a
    unique_id. Filters on other types are left out, since what they say of an empty value is not documented.
    """
    titles: list[Split] = []
    checkboxes: list[Split] = []
    numbers: list[Split] = []
    for _, value in sorted(schema.items()):
        kind, property_id = get_path(value, "type"), get_path(value, "id")
        if not isinstance(property_id, str):
            continue
        match kind:
            case "title":
                titles = [TitleSplit(property_id, text) for text in _FREQUENT_CHARACTERS]
            case "checkbox":
                checkboxes.append(CheckboxSplit(property_id))
            case "unique_id":
                numbers.append(NumberSplit(property_id))
    return [*checkboxes, *titles[:8], *numbers, *titles[8:]]
