"""Page bodies: blocks as the API shows them (docs/notion-api.md#page-bodies); as markdown see `markdown`."""

from typing import Any

from notion_workspace.clock import minute_text
from notion_workspace.literals import Names, rich_text_item
from notion_workspace.model import Block, Json, Page, RichText
from notion_workspace.state import State
from notion_workspace.values import Renderer

_EXTRA: dict[str, Json] = {
    "paragraph": {"icon": None, "color": "default"},
    "heading_1": {"is_toggleable": False, "color": "default"},
    "heading_2": {"is_toggleable": False, "color": "default"},
    "heading_3": {"is_toggleable": False, "color": "default"},
    "callout": {"icon": {"type": "emoji", "emoji": "💡"}, "color": "default"},
    "to_do": {"checked": False, "color": "default"},
    "code": {"caption": [], "language": "plain text"},
    "embed": {"caption": []},
    "bookmark": {"caption": []},
}
_TEXTLESS = frozenset(
    {
        "embed", "bookmark", "link_preview", "equation", "divider", "unsupported", "child_page", "child_database",
        "link_to_page", "table", "table_row", "column_list", "column", "image", "video", "audio", "file", "pdf",
        "synced_block", "breadcrumb", "table_of_contents",
    }
)  # fmt: skip


def make_blocks(state: State, literals: list[Any], author: str, names: Names) -> list[Block]:
    """Blocks from literals: a string is a paragraph; else `{"type", "text", "children", ...}`.

    `text`, `caption` and each of a table row's `cells` is a string or a list of rich text items; `stored_file` is a
    `File`; further keys stand under the block's type as they are.
    """
    return [_make_block(state, {"text": one} if isinstance(one, str) else dict(one), author, names) for one in literals]


def _make_block(state: State, literal: Json, author: str, names: Names) -> Block:
    kind, children = literal.pop("type", "paragraph"), literal.pop("children", [])
    text = literal.pop("text", [])
    content: Json = {**_EXTRA.get(kind, {} if kind in _TEXTLESS else {"color": "default"}), **literal}
    if kind not in _TEXTLESS:
        content["rich_text"] = _rich_text(text, names)
    if "caption" in content:
        content["caption"] = _rich_text(content["caption"], names)
    if "cells" in content:
        content["cells"] = [_rich_text(cell, names) for cell in content["cells"]]
    if kind == "link_to_page":
        content = {"type": next(iter(literal)), **literal}
    now = state.clock.now
    made = make_blocks(state, children, author, names)
    return Block(state.ids.uuid("block"), kind, content, now, now, author, made)


def _rich_text(parts: str | list[Any], names: Names) -> tuple[RichText, ...]:
    listed = [parts] if isinstance(parts, str) else parts
    return tuple(rich_text_item(part, names) for part in listed if part != "")


def walk(blocks: list[Block]) -> list[Block]:
    """All blocks of a body, at every depth, in reading order."""
    return [one for block in blocks for one in (block, *walk(block.children))]


def block_object(renderer: Renderer, page: Page, block: Block, parent: Block | None) -> Json:
    """A block (payload 32)."""
    place: Json = {"type": "page_id", "page_id": page.id}
    if parent is not None:
        place = {"type": "block_id", "block_id": parent.id}
    content = dict(block.content)
    for key in content.keys() & {"rich_text", "caption"}:
        content[key] = [renderer.rich_text_item(item) for item in content[key]]
    if "cells" in content:
        content["cells"] = [[renderer.rich_text_item(item) for item in cell] for cell in content["cells"]]
    if "stored_file" in content:
        content.update(renderer.file_object(content.pop("stored_file")))
    return {
        "object": "block",
        "id": block.id,
        "parent": place,
        "created_time": minute_text(block.created),
        "last_edited_time": minute_text(block.edited),
        "created_by": {"object": "user", "id": block.author},
        "last_edited_by": {"object": "user", "id": block.author},
        "has_children": bool(block.children) or bool(block.content.get("synced_from")),
        "in_trash": page.in_trash,
        "type": block.type,
        block.type: content,
    }


def page_block(renderer: Renderer, page: Page) -> Json:
    """A page asked for as a block: a `child_page`."""
    block = Block(page.id, "child_page", {"title": renderer.reader.title(page)}, page.created, page.edited, "")
    shown = block_object(renderer, page, block, None)
    author = {"object": "user", "id": page.edited_by}
    parent = {"type": "data_source_id", "data_source_id": page.data_source_id}
    return {
        **shown,
        "created_by": {"object": "user", "id": page.created_by},
        "last_edited_by": author,
        "has_children": bool(page.body),
        "parent": parent,
    }
