"""Pure: the properties of a page, parsed once: what everything that comes after goes by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from notion_pg_sync.notion.json_access import get_path
from notion_pg_sync.notion.property_ids import decoded


class PropertyValue(Struct, frozen=True):
    """A page's value of one property, `{id, type, TYPE: content, …}`.

    `id` is decoded, `written_id` as Notion wrote it (percent-encoded), as its endpoints take it; both are empty where
    its answer has none. `type` is None where there is none, and then `content` too. `given` is all of it.
    """

    name: str
    id: str
    written_id: str
    type: str | None
    content: object
    given: object

    @property
    def has_more(self) -> object:
        """What Notion says of there being more than its answer holds: True, False, or None where it says nothing."""
        return get_path(self.given, "has_more")

    def with_content(self, content: object) -> PropertyValue:
        """The same with its whole content, so that there is no more of it."""
        given = {**self.given, self.type: content} if isinstance(self.given, dict) else self.given
        if isinstance(given, dict) and "has_more" in given:
            given["has_more"] = False
        return replace(self, content=content, given=given)


class PageProperties(Struct, frozen=True, dict=True):
    """The values of a page's properties, and all of it as Notion gave it."""

    given: dict[str, Any]
    by_name: Mapping[str, PropertyValue]

    def __iter__(self) -> Iterator[PropertyValue]:
        return iter(self.by_name.values())

    @cached_property
    def by_id(self) -> Mapping[str, PropertyValue]:
        """The values by decoded property id, as far as they have one."""
        return {value.id: value for value in self if value.id}

    def changed(self, values: Mapping[str, PropertyValue]) -> PageProperties:
        """The same with other values of some properties, by name."""
        given = {name: value.given for name, value in values.items()}
        return PageProperties({**self.given, **given}, {**self.by_name, **values})


def read_properties(given: dict[str, Any]) -> PageProperties:
    """The properties of a page as Notion's answers hold them, by name. Raises nothing, whatever the values are."""
    return PageProperties(given, {name: read_property(name, value) for name, value in given.items()})


def read_property(name: str, given: object) -> PropertyValue:
    """The value of the property of this name. Raises nothing."""
    if not isinstance(given, dict):
        return PropertyValue(name, "", "", None, None, given)
    id_, kind = given.get("id"), given.get("type")
    written_id = id_ if isinstance(id_, str) else ""
    content = given.get(kind) if isinstance(kind, str) else None
    return PropertyValue(name, decoded(written_id), written_id, kind if isinstance(kind, str) else None, content, given)
