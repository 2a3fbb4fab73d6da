"""Pure: blocks -> Notion's enhanced Markdown, the form in which Notion itself writes a page's body.

For pages whose Markdown Notion does not give. A block is rendered once what lies in it is, so no depth is too deep.
The form: tabs for what lies inside, tags for what Markdown has no marks for (Notion's guide "Enhanced markdown").
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from html import escape
from itertools import groupby
from typing import Any

from msgspec import Struct

from notion_pg_sync.core.hosted_files import HostedFile
from notion_pg_sync.notion.cleaning import strip_signature
from notion_pg_sync.notion.hosted_files import files_of_block, numbered
from notion_pg_sync.notion.json_access import as_list, get_path, tagged
from notion_pg_sync.notion.properties import plain_text

_ESCAPED = re.compile(r"[\\*~`$\[\]<>{}|^]")
_MARKS = {"strikethrough": "~~", "italic": "*", "bold": "**"}
_MEDIA = frozenset({"audio", "video", "file", "pdf"})


class Rendered(Struct, frozen=True):
    """Lines of Markdown, what is missing from them (the types of blocks that could not be told), and the files that
    they name, with their signatures.
    """

    lines: Sequence[str] = ()
    missing: frozenset[str] = frozenset()
    files: Sequence[HostedFile] = ()

    @property
    def markdown(self) -> str:
        """The lines as one text."""
        return "\n".join(self.lines)


def together(parts: Iterable[Rendered]) -> Rendered:
    """Parts that stand below each other."""
    parts = list(parts)
    missing = frozenset[str]().union(*(part.missing for part in parts))
    lines = [line for part in parts for line in part.lines]
    return Rendered(lines, missing, numbered(file for part in parts for file in part.files))


def home_of_children(block: object) -> str | None:
    """The id under which what lies in a block is to be asked for; None where nothing lies in it.

    Pages and databases in a page are links, not parts of it. A copy of a synced block holds what its original holds.
    """
    if get_path(block, "has_children") is not True or get_path(block, "type") in ("child_page", "child_database"):
        return None
    found = get_path(block, "synced_block", "synced_from", "block_id") or get_path(block, "id")
    return found if isinstance(found, str) else None


def unreadable(block: object) -> Rendered:
    """A block that, or of which the inside, cannot be read."""
    kind = str(get_path(block, "unsupported", "block_type") or get_path(block, "type") or "block")
    return Rendered([f"<unknown{_attributes(url=_link(get_path(block, 'id')), alt=kind)}/>"], frozenset({kind}))


def render_block(block: object, inside: Rendered) -> Rendered:
    """A block (Notion's JSON) with what lies `inside` it; of an unknown type, its text and what tells that it is so."""
    kind, content = tagged(block)
    render = _RENDERERS.get(kind or "")
    if render is not None:
        files = numbered([*files_of_block(content), *inside.files])
        return Rendered(render(_Block(block, content, inside.lines)), inside.missing, files)
    text = rich_text(get_path(content, "rich_text"))
    return together([unreadable(block), Rendered([text] if text else []), inside])


def rich_text(value: object) -> str:
    """Rich text as Markdown, in one line."""
    runs = groupby(as_list(value), key=_run)
    return "".join(_marked(key, list(run)) for key, run in runs)


class _Block(Struct, frozen=True):
    """A block's JSON, what stands under its type, and the lines of what lies in it."""

    json: object
    content: object
    inside: Sequence[str]

    @property
    def text(self) -> str:
        return rich_text(get_path(self.content, "rich_text"))

    @property
    def caption(self) -> str:
        return rich_text(get_path(self.content, "caption"))

    @property
    def indented(self) -> list[str]:
        return ["\t" + line for line in self.inside]

    def line(self, before: str = "", **attributes: object) -> list[str]:
        """The block's text in a line of its own, with what lies in it below."""
        listed = _attributes(**attributes, color=_color(get_path(self.content, "color"))).strip()
        return [before + self.text + (f" {{{listed}}}" if listed else ""), *self.indented]

    def tag(self, name: str, **attributes: object) -> list[str]:
        """What lies in the block between tags."""
        return [f"<{name}{_attributes(**attributes)}>", *self.indented, f"</{name}>"]


def _paragraph(block: _Block) -> list[str]:
    return block.line() if block.text else ["<empty-block/>", *block.indented]


def _heading(level: int) -> Callable[[_Block], list[str]]:
    def render(block: _Block) -> list[str]:
        is_toggle = get_path(block.content, "is_toggleable") is True
        return block.line("#" * level + " ", toggle="true" if is_toggle else None)

    return render


def _to_do(block: _Block) -> list[str]:
    return block.line("- [x] " if get_path(block.content, "checked") is True else "- [ ] ")


def _toggle(block: _Block) -> list[str]:
    color = _attributes(color=_color(get_path(block.content, "color")))
    return [f"<details{color}>", f"<summary>{block.text}</summary>", *block.indented, "</details>"]


def _callout(block: _Block) -> list[str]:
    attributes = _attributes(
        icon=get_path(block.content, "icon", "emoji"), color=_color(get_path(block.content, "color"))
    )
    text = [f"\t{block.text}"] if block.text else []
    return [f"<callout{attributes}>", *text, *block.indented, "</callout>"]


def _code(block: _Block) -> list[str]:
    text = plain_text(get_path(block.content, "rich_text"))
    fence = "`" * max([3, *(len(run) + 1 for run in re.findall("`+", text))])
    language = str(get_path(block.content, "language") or "")
    caption = [block.caption] if block.caption else []
    return [fence + language, *text.split("\n"), fence, *caption]


def _equation(block: _Block) -> list[str]:
    return ["$$", *str(get_path(block.content, "expression") or "").split("\n"), "$$"]


def _table(block: _Block) -> list[str]:
    flags = {
        "header-row": get_path(block.content, "has_column_header"),
        "header-column": get_path(block.content, "has_row_header"),
    }
    return block.tag("table", **{name: "true" if flag is True else "false" for name, flag in flags.items()})


def _table_row(block: _Block) -> list[str]:
    cells = [f"\t<td>{rich_text(cell)}</td>" for cell in as_list(get_path(block.content, "cells"))]
    return ["<tr>", *cells, "</tr>"]


def _image(block: _Block) -> list[str]:
    return [f"![{block.caption}]({_url(_file_url(block.content))})"]


def _media(block: _Block) -> list[str]:
    kind = get_path(block.json, "type")
    caption = block.caption or _escaped(str(get_path(block.content, "name") or ""))
    return [f"<{kind}{_attributes(src=_file_url(block.content))}>{caption}</{kind}>"]


def _linked(block: _Block) -> list[str]:
    url = str(get_path(block.content, "url") or "")
    return [f"[{block.caption or _escaped(url)}]({_url(url)})"]


def _child(kind: str) -> Callable[[_Block], list[str]]:
    def render(block: _Block) -> list[str]:
        title = _escaped(str(get_path(block.content, "title") or ""))
        return [f"<{kind}{_attributes(url=_link(get_path(block.json, 'id')))}>{title}</{kind}>"]

    return render


def _link_to_page(block: _Block) -> list[str]:
    kind, target = tagged(block.content)
    tag = "database" if kind == "database_id" else "page"
    return [f"<{tag}{_attributes(url=_link(target))}/>"]


def _synced_block(block: _Block) -> list[str]:
    original = get_path(block.content, "synced_from", "block_id")
    if original:
        return block.tag("synced_block_reference", url=_link(original))
    return block.tag("synced_block", url=_link(get_path(block.json, "id")))


_RENDERERS: dict[str, Callable[[_Block], list[str]]] = {
    "paragraph": _paragraph,
    "heading_1": _heading(1),
    "heading_2": _heading(2),
    "heading_3": _heading(3),
    "heading_4": _heading(4),
    "bulleted_list_item": lambda block: block.line("- "),
    "numbered_list_item": lambda block: block.line("1. "),
    "to_do": _to_do,
    "quote": lambda block: block.line("> "),
    "toggle": _toggle,
    "callout": _callout,
    "code": _code,
    "equation": _equation,
    "divider": lambda _: ["---"],
    "table": _table,
    "table_row": _table_row,
    "column_list": lambda block: block.tag("columns"),
    "column": lambda block: block.tag("column"),
    "image": _image,
    **dict.fromkeys(_MEDIA, _media),
    **dict.fromkeys(("bookmark", "embed", "link_preview"), _linked),
    "child_page": _child("page"),
    "child_database": _child("database"),
    "link_to_page": _link_to_page,
    "synced_block": _synced_block,
    "table_of_contents": lambda _: ["<table_of_contents/>"],
    # A path that Notion shows, and nothing that was written.
    "breadcrumb": lambda _: [],
    "template": _paragraph,
}


# Rich text ---------------------------------------------------------------------------------------------------------


def _run(item: object) -> tuple[object, ...]:
    """Items of text that are marked alike make one run, since marks that touch each other cannot be distinguished."""
    annotations = get_path(item, "annotations")
    marks = tuple(sorted((str(k), str(v)) for k, v in annotations.items())) if isinstance(annotations, dict) else ()
    return get_path(item, "type"), get_path(item, "href"), marks


def _marked(key: tuple[object, ...], run: list[object]) -> str:
    kind, href, _ = key
    annotations = get_path(run[0], "annotations")
    if kind == "equation":
        text = "".join(f"${get_path(item, 'equation', 'expression') or ''}$" for item in run)
    elif kind == "mention":
        text = "".join(_mention(item) for item in run)
    elif get_path(annotations, "code") is True:
        text = _code_span(plain_text(run))
    else:
        text = _escaped(plain_text(run))
    text = _annotated(text, annotations)
    return f"[{text}]({_url(str(href))})" if href and kind == "text" else text


def _annotated(text: str, annotations: object) -> str:
    """Marks go close around the text: with a space within them they would be none."""
    bare = text.strip()
    if not bare:
        return text
    before, after = text[: text.index(bare)], text[text.index(bare) + len(bare) :]
    for name, mark in _MARKS.items():
        if get_path(annotations, name) is True:
            bare = mark + bare + mark
    if get_path(annotations, "underline") is True:
        bare = f'<span underline="true">{bare}</span>'
    if color := _color(get_path(annotations, "color")):
        bare = f"<span{_attributes(color=color)}>{bare}</span>"
    return before + bare + after


def _code_span(text: str) -> str:
    fence = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    edge = " " if text.startswith("`") or text.endswith("`") else ""
    return fence + edge + text.replace("\n", " ") + edge + fence


def _mention(item: object) -> str:
    kind, target = tagged(get_path(item, "mention"))
    text = _escaped(str(get_path(item, "plain_text") or ""))
    match kind:
        case "user":
            attributes = _attributes(url=f"user://{get_path(target, 'id')}")
            return f"<mention-user{attributes}>{text.removeprefix('@')}</mention-user>"
        case "page" | "database" | "data_source" | "agent":
            name = f"mention-{kind.replace('_', '-')}"
            return f"<{name}{_attributes(url=_link(get_path(target, 'id')))}>{text}</{name}>"
        case "date":
            return f"<mention-date{_attributes(**_date(target))}/>"
        case "link_preview" | "link_mention":
            url = str(get_path(target, "url") or get_path(target, "href") or "")
            return f"[{text}]({_url(url)})"
        case "custom_emoji":
            return f":{str(get_path(target, 'name') or '').strip(':')}:"
        case _:
            return text


def _date(value: object) -> dict[str, object]:
    """A date's days and times apart, as the tag has them."""
    found: dict[str, object] = {}
    for name, moment in (("start", get_path(value, "start")), ("end", get_path(value, "end"))):
        day, _, time = str(moment or "").partition("T")
        found[name] = day
        found[f"{name}Time"] = time[:5]
    return {**found, "timeZone": get_path(value, "time_zone")}


def _escaped(text: str) -> str:
    return _ESCAPED.sub(r"\\\g<0>", text).replace("\n", "<br>")


def _attributes(**attributes: object) -> str:
    """Those that have a value, each with a space before it."""
    return "".join(f' {name}="{escape(str(value))}"' for name, value in attributes.items() if value)


def _color(color: object) -> str | None:
    if not isinstance(color, str) or color in ("", "default", "default_background"):
        return None
    return color.replace("_background", "_bg")


def _link(object_id: object) -> str | None:
    return f"https://www.notion.so/{object_id.replace('-', '')}" if isinstance(object_id, str) else None


def _url(url: str) -> str:
    return url.replace(" ", "%20").replace("(", "%28").replace(")", "%29")


def _file_url(content: Any) -> str:
    """Where a file is; the signature of one that Notion keeps is left out, since it is another at every read."""
    kind, file = tagged(content)
    url = str(get_path(file, "url") or "")
    return strip_signature(url) if kind == "file" else url
