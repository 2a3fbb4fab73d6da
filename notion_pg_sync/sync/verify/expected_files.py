"""Pure: which files that Notion hosts a page names, worked out for `sync --verify` from Notion's answers alone.

Nothing is shared with what the sync itself uses (`notion.hosted_files`, `notion.markdown`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from html import unescape
from typing import Any
from urllib.parse import unquote

from notion_pg_sync.sync.verify.expected_fields import NamedColumn

# Where a page names files: the place, and of a property its column.
Naming = tuple[str, str]
# Of the files in a place, in order: the path on Notion's storage, which names a file for good.
Paths = tuple[str, ...]

_SIGNED_URL = re.compile(r"https?://[^/\s\"'<>()?#]+(/[^\s\"'<>()?#]+)\?[^\s\"'<>()]*X-Amz-Signature=")
_URL = re.compile(r"[a-z]+://[^/?#]*(/[^?#]*)", re.IGNORECASE)
# The tool keeps no longer ones.
_LONGEST_PATH = 3000


def files_of_page(page: Mapping[str, Any], columns: Sequence[NamedColumn]) -> dict[Naming, Paths]:
    """The files in the properties of a page, as its cover and as its icon; `page` is as Notion answered it."""
    names = {unquote(one.property_id): one.name for one in columns if one.part == "value"}
    found: dict[Naming, Paths] = {}
    for value in page["properties"].values():
        name = names.get(unquote(str(value.get("id")))) if isinstance(value, dict) else None
        if name is not None:
            found["property", name] = _paths(_in_property(value))
    found |= {(place, ""): _paths([page.get(place)]) for place in ("cover", "icon")}
    return {naming: paths for naming, paths in found.items() if paths}


def columns_not_told(page: Mapping[str, Any], columns: Sequence[NamedColumn], not_told: Collection[str]) -> set[str]:
    """The columns of those properties, given by their names, whose values Notion does not tell."""
    ids = {unquote(str(page["properties"][name]["id"])) for name in not_told}
    return {one.name for one in columns if one.part == "value" and unquote(one.property_id) in ids}


def files_of_body(markdown: str) -> dict[Naming, Paths]:
    """The files in Notion's Markdown of a page, whose URLs have their signatures."""
    paths = tuple(path for path in map(unescape, _SIGNED_URL.findall(markdown)) if _is_kept(path))
    return {("body", ""): paths} if paths else {}


def _in_property(value: Mapping[str, Any]) -> list[Any]:
    """What may be files in a property, or in what a rollup shows of another page's."""
    kind = value.get("type")
    content = value.get(kind) if isinstance(kind, str) else None
    if kind == "rollup" and isinstance(content, dict):
        shown = content.get("array")
        values = [one for one in shown if isinstance(one, dict)] if isinstance(shown, list) else []
        return [file for one in values if one.get("type") != "rollup" for file in _in_property(one)]
    if not isinstance(content, list):
        return []
    if kind in ("title", "rich_text"):
        return [part.get("mention") for part in content if isinstance(part, dict) and part.get("type") == "mention"]
    return content if kind == "files" else []


def _paths(given: Sequence[Any]) -> Paths:
    return tuple(path for one in given if (path := _path(one)) is not None)


def _path(one: Any) -> str | None:
    """The path of what Notion itself hosts; None of anything else."""
    kind = one.get("type") if isinstance(one, dict) else None
    content = one.get(kind) if kind in ("file", "custom_emoji") else None
    url = content.get("url") if isinstance(content, dict) else None
    found = _URL.match(url) if isinstance(url, str) else None
    return found[1] if found and _is_kept(found[1]) else None


def _is_kept(path: str) -> bool:
    stored = path.replace("\0", "").encode("utf-8", "ignore").decode("utf-8")
    return bool(path.strip("/")) and len(path) <= _LONGEST_PATH and stored == path
