"""Pure: reads JSON whose shape nobody promises: Notion adds types and fields (docs/notion-api.md#properties)."""

from __future__ import annotations


def get_path(value: object, *path: str) -> object:
    """What lies under the keys of `path`; None where there is no such thing."""
    found = value
    for key in path:
        if not isinstance(found, dict):
            return None
        found = found.get(key)
    return found


def as_list(value: object) -> list[object]:
    """The items of a JSON array; none of what is no array."""
    return value if isinstance(value, list) else []


def tagged(value: object) -> tuple[str | None, object]:
    """The type and the content of `{"type": TYPE, TYPE: content}`, the form of properties and of formulas' results."""
    if not isinstance(value, dict):
        return None, None
    kind = value.get("type")
    return (kind, value.get(kind)) if isinstance(kind, str) else (None, None)
