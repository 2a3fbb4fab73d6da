"""Page bodies as Notion's enhanced markdown, made from the stored blocks (its guide "Enhanced markdown")."""

import re
import sys
from collections.abc import Iterator
from html import escape
from itertools import pairwise

from notion_workspace.model import Block, DateValue, Equation, Json, Mention, RichText, Text
from notion_workspace.state import State
from notion_workspace.values import Renderer

# These always render as `<unknown>`, and are not listed among the unknown blocks.
_NEVER_MARKDOWN = frozenset({"bookmark", "embed", "link_preview", "breadcrumb", "template"})
_LEADS = {
    "heading_1": "# ",
    "heading_2": "## ",
    "heading_3": "### ",
    "heading_4": "#### ",
    "bulleted_list_item": "- ",
    "numbered_list_item": "1. ",
    "quote": "> ",
    "paragraph": "",
}


def link(object_id: str) -> str:
    """The display link of a page or block."""
    return f"https://www.notion.so/{object_id.replace('-', '')}"


class Markdown:
    """The markdown of a page or block; `text`, `truncated` and `unknown` (ids) once made.

    Blocks past the setting `markdown_blocks` and blocks of unsupported types are unknown; the former may be asked
    for by their id. `whole`: nothing is past it.
    """

    def __init__(self, state: State, renderer: Renderer, blocks: list[Block], *, whole: bool = False) -> None:
        self._state, self._renderer, self._reader = state, renderer, renderer.reader
        self._left = sys.maxsize if whole else state.settings.markdown_blocks
        self.truncated = False
        self.unknown: list[str] = []
        self.text = "\n".join(self._lines(blocks, 0))

    def answer(self, object_id: str) -> Json:
        """The answer of GET pages/{id}/markdown (payload 34)."""
        return {
            "object": "page_markdown",
            "id": object_id,
            "markdown": self.text,
            "truncated": self.truncated,
            "unknown_block_ids": self.unknown,
        }

    def _lines(self, blocks: list[Block], depth: int) -> Iterator[str]:
        for block in blocks:
            if self._left <= 0:
                yield "\t" * depth + self._unknown(block)
                continue
            self._left -= 1
            yield from self._block(block, depth)

    def _block(self, block: Block, depth: int) -> Iterator[str]:
        before, after = self._around(block)
        yield from ("\t" * depth + line for line in before)
        yield from self._lines(self._inside(block), depth + 1)
        yield from ("\t" * depth + line for line in after)

    def _inside(self, block: Block) -> list[Block]:
        """The blocks in a block; a copy of a synced block has those of its original."""
        original = (block.content.get("synced_from") or {}).get("block_id")
        return self._state.blocks[original][1].children if original else block.children

    def _unknown(self, block: Block) -> str:
        self.truncated = True
        self.unknown.append(block.id)
        return f'<unknown url="{link(block.id)}" alt="{block.content.get("block_type", block.type)}"/>'

    def _around(self, block: Block) -> tuple[list[str], list[str]]:
        """The lines before and after what lies in the block."""
        content, kind = block.content, block.type
        text = self._rich(content.get("rich_text", ()))
        color = _color_name(content.get("color", "default"))
        as_attribute = f' color="{color}"' if color else ""
        match kind:
            case "toggle":
                return [f"<details{as_attribute}>", f"<summary>{text}</summary>"], ["</details>"]
            case "callout":
                icon = f' icon="{content["icon"]["emoji"]}"' if content.get("icon") else ""
                return [f"<callout{icon}{as_attribute}>", *([f"\t{text}"] if text else [])], ["</callout>"]
            case "table":
                header = [str(content[f"has_{one}_header"]).lower() for one in ("column", "row")]
                return [f'<table header-row="{header[0]}" header-column="{header[1]}">'], ["</table>"]
            case "column_list" | "column":
                name = "columns" if kind == "column_list" else "column"
                return [f"<{name}>"], [f"</{name}>"]
            case "synced_block":
                original = (content.get("synced_from") or {}).get("block_id")
                name = "synced_block_reference" if original else "synced_block"
                return [f'<{name} url="{link(original or block.id)}">'], [f"</{name}>"]
            case "to_do":
                lead = "- [x] " if content["checked"] else "- [ ] "
            case _ if kind in _LEADS:
                lead = _LEADS[kind]
            case _:
                return self._leaf(block), []
        toggle = 'toggle="true"' if content.get("is_toggleable") else ""
        listed = " ".join(one for one in (toggle, as_attribute.strip()) if one)
        if kind == "paragraph" and not text:
            return ["<empty-block/>"], []
        return [lead + text + (f" {{{listed}}}" if listed else "")], []

    def _leaf(self, block: Block) -> list[str]:
        """The lines of a block in which nothing lies."""
        content, kind = block.content, block.type
        caption = self._rich(content.get("caption", ()))
        match kind:
            case "unsupported":
                return [self._unknown(block)]
            case "code":
                code = self._reader.text(content["rich_text"])
                return [f"```{content['language']}", *code.split("\n"), "```", *([caption] if caption else [])]
            case "equation":
                return ["$$", *content["expression"].split("\n"), "$$"]
            case "divider":
                return ["---"]
            case "table_of_contents":
                return ["<table_of_contents/>"]
            case "table_row":
                return ["<tr>", *(f"\t<td>{self._rich(cell)}</td>" for cell in content["cells"]), "</tr>"]
            case "image":
                return [f"![{caption}]({self._file(content)})"]
            case "video" | "audio" | "file" | "pdf":
                named = caption or _escaped(content.get("name", ""))
                return [f'<{kind} src="{escape(self._file(content))}">{named}</{kind}>']
            case "child_page" | "child_database":
                name = kind.removeprefix("child_")
                return [f'<{name} url="{link(block.id)}">{_escaped(content["title"])}</{name}>']
            case "link_to_page":
                name = content["type"].removesuffix("_id")
                return [f'<{name} url="{link(content[content["type"]])}"/>']
        assert kind in _NEVER_MARKDOWN, kind
        return [f'<unknown url="{content.get("url", "")}" alt="{kind}"/>']

    def _file(self, content: Json) -> str:
        stored = content.get("stored_file")
        shown = self._renderer.file_object(stored) if stored else content
        url: str = shown[shown["type"]]["url"]
        return url

    def _rich(self, items: tuple[RichText, ...]) -> str:
        """Rich text; texts of one style that follow each other are one."""
        joined: list[RichText] = list(items[:1])
        for before, item in pairwise(items):
            if isinstance(before, Text) and isinstance(item, Text) and _style(before) == _style(item):
                last = joined.pop()
                assert isinstance(last, Text)
                joined.append(Text(last.content + item.content, item.link, item.style, item.color))
            else:
                joined.append(item)
        return "".join(self._item(item) for item in joined)

    def _item(self, item: RichText) -> str:
        match item:
            case Equation():
                return f"${item.expression}$"
            case Text():
                return _text(item)
            case Mention(kind="user"):
                return f'<mention-user url="user://{item.target}">{_escaped(self._name(item))}</mention-user>'
            case Mention(kind="page" | "database"):
                return (
                    f'<mention-{item.kind} url="{link(item.target)}">{_escaped(self._name(item))}</mention-{item.kind}>'
                )
            case Mention(kind="date"):
                return _date(item.target)
            case Mention(kind="link_preview"):
                return f"[{_escaped(self._name(item))}]({item.target})"
            case Mention(kind="custom_emoji"):
                return f":{item.text.strip(':')}:"
        return _escaped(self._name(item))

    def _name(self, mention: Mention) -> str:
        name = self._reader.plain_text(mention)
        return name[1:] if mention.kind == "user" else name


def _style(text: Text) -> tuple[object, ...]:
    return text.link, text.style, text.color


def _text(item: Text) -> str:
    marked = f"`{item.content}`" if "code" in item.style else _escaped(item.content)
    inner = marked.strip()
    if inner:
        start = marked.index(inner)
        styled = inner
        for style, mark in (("strikethrough", "~~"), ("italic", "*"), ("bold", "**")):
            styled = f"{mark}{styled}{mark}" if style in item.style else styled
        if "underline" in item.style:
            styled = f'<span underline="true">{styled}</span>'
        if color := _color_name(item.color):
            styled = f'<span color="{color}">{styled}</span>'
        marked = marked[:start] + styled + marked[start + len(inner) :]
    return f"[{marked}]({item.link})" if item.link else marked


def _date(date: DateValue) -> str:
    parts = [("start", date.start[:10]), ("startTime", date.start[11:16])]
    parts += [("end", (date.end or "")[:10]), ("endTime", (date.end or "")[11:16]), ("timeZone", date.time_zone or "")]
    return "<mention-date" + "".join(f' {name}="{value}"' for name, value in parts if value) + "/>"


def _escaped(text: str) -> str:
    return re.sub(r"([\\*~`$\[\]<>{}|^])", r"\\\1", text).replace("\n", "<br>")


def _color_name(color: str) -> str:
    return "" if color == "default" else color.replace("_background", "_bg")
