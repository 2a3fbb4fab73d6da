"""Page bodies: blocks, and their rendering as markdown (notion-api.md, section 2)."""

from typing import Any

from notion_pg_sync.demo.workspace.clock import minute_text
from notion_pg_sync.demo.workspace.literals import Names, rich_text_item
from notion_pg_sync.demo.workspace.model import Block, Json, Page
from notion_pg_sync.demo.workspace.state import State
from notion_pg_sync.demo.workspace.values import Renderer

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
_TEXTLESS = frozenset({"embed", "bookmark", "equation", "divider", "unsupported", "child_page"})
# These always render as `<unknown>`, and are not listed among the unknown blocks.
_NEVER_MARKDOWN = frozenset({"bookmark", "embed", "link_preview", "breadcrumb", "template"})
_PREFIXES = {
    "heading_1": "# ",
    "heading_2": "## ",
    "heading_3": "### ",
    "bulleted_list_item": "- ",
    "numbered_list_item": "1. ",
    "quote": "> ",
}


def make_blocks(state: State, literals: list[Any], author: str, names: Names) -> list[Block]:
    """Blocks from literals: a string is a paragraph; else `{"type", "text", "children", ...}`.

    `text` is a string or a list of rich text items; further keys stand under the block's type as they are.
    """
    return [_make_block(state, {"text": one} if isinstance(one, str) else dict(one), author, names) for one in literals]


def _make_block(state: State, literal: Json, author: str, names: Names) -> Block:
    kind, children = literal.pop("type", "paragraph"), literal.pop("children", [])
    text = literal.pop("text", [])
    content: Json = {**_EXTRA.get(kind, {} if kind in _TEXTLESS else {"color": "default"}), **literal}
    if kind not in _TEXTLESS:
        parts = [text] if isinstance(text, str) else text
        content["rich_text"] = tuple(rich_text_item(part, names) for part in parts if part != "")
    now = state.clock.now
    made = make_blocks(state, children, author, names)
    return Block(state.ids.uuid("block"), kind, content, now, now, author, made)


def walk(blocks: list[Block]) -> list[Block]:
    """All blocks of a body, at every depth, in reading order."""
    return [one for block in blocks for one in (block, *walk(block.children))]


def block_object(renderer: Renderer, page: Page, block: Block, parent: Block | None) -> Json:
    """A block (payload 32)."""
    place: Json = {"type": "page_id", "page_id": page.id}
    if parent is not None:
        place = {"type": "block_id", "block_id": parent.id}
    content = dict(block.content)
    if "rich_text" in content:
        content["rich_text"] = [renderer.rich_text_item(item) for item in content["rich_text"]]
    return {
        "object": "block",
        "id": block.id,
        "parent": place,
        "created_time": minute_text(block.created),
        "last_edited_time": minute_text(block.edited),
        "created_by": {"object": "user", "id": block.author},
        "last_edited_by": {"object": "user", "id": block.author},
        "has_children": bool(block.children),
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


class Markdown:
    """The markdown of a page or block; `text`, `truncated` and `unknown` (ids) once made.

    Blocks past the setting `markdown_blocks` and blocks of unsupported types are unknown; the former may be asked
    for by their id.
    """

    def __init__(self, state: State, renderer: Renderer, blocks: list[Block]) -> None:
        self._reader = renderer.reader
        self._left = state.settings.markdown_blocks
        self.truncated = False
        self.unknown: list[str] = []
        self.text = "\n".join(self._lines(blocks, ""))

    def _lines(self, blocks: list[Block], indent: str) -> list[str]:
        lines = []
        for block in blocks:
            if self._left <= 0:
                lines.append(indent + self._unknown(block))
                continue
            self._left -= 1
            lines.append(indent + self._line(block))
            lines.extend(self._lines(block.children, indent + "\t"))
        return lines

    def _unknown(self, block: Block) -> str:
        self.truncated = True
        self.unknown.append(block.id)
        return f'<unknown url="https://www.notion.so/{block.id.replace("-", "")}" alt="{block.type}"/>'

    def _line(self, block: Block) -> str:
        text = self._reader.text(block.content.get("rich_text"))
        if block.type in _NEVER_MARKDOWN:
            return f'<unknown url="{block.content.get("url", "")}" alt="{block.type}"/>'
        match block.type:
            case "unsupported":
                return self._unknown(block)
            case "to_do":
                return f"- [{'x' if block.content['checked'] else ' '}] {text}"
            case "code":
                return f"```{block.content['language']}\n{text}\n```"
            case "equation":
                return f"$$\n{block.content['expression']}\n$$"
            case "callout":
                return f'<callout icon="{block.content["icon"]["emoji"]}">\n\t{text}\n</callout>'
            case "divider":
                return "---"
            case _:
                return _PREFIXES.get(block.type, "") + text

    def answer(self, object_id: str) -> Json:
        """The answer of GET pages/{id}/markdown (payload 34)."""
        return {
            "object": "page_markdown",
            "id": object_id,
            "markdown": self.text,
            "truncated": self.truncated,
            "unknown_block_ids": self.unknown,
        }
