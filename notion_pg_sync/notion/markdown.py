"""Pure: what Notion's Markdown of a page leaves out, how later parts are put in, and the plain text of it.

What the endpoint leaves out: docs/notion-api.md#page-bodies.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from html import unescape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

# Signed URLs of hosted files end within the hour, and are others at every read.
_SIGNED = re.compile(r"(https?://[^\s?\"'<>()]+)\?[^\s\"'<>()]*X-Amz-Signature=[^\s\"'<>()]*")
_FENCE = re.compile(r"\s*(`{3,}|\$\$\s*$)")
_UNKNOWN = re.compile(r"(?<!\\)<unknown\b([^>]*)>")
# What a block is beside its text: `{toggle="true" color="blue"}` at the end of a line; braces of texts are escaped.
_ATTRIBUTES = re.compile(r"(?<!\\)[ \t]*\{(?:[\w-]+=\"[^\"]*\" ?)+\}$", re.MULTILINE)
_NESTING = re.compile(r"^\t+", re.MULTILINE)
# Tags that HTML would not know for ones, since no name of its has a `_`.
_TAG = re.compile(r"(?<!\\)</?[a-z]+_[a-z_]+\b[^>]*>")
_BOX = re.compile(r"^\[[ xX]\] ", re.MULTILINE)


def without_signatures(markdown: str) -> str:
    """`markdown` with the URLs of hosted files as they are at every read."""
    return _SIGNED.sub(r"\1", markdown)


def signed_urls(markdown: str) -> list[str]:
    """The URLs of hosted files in `markdown`, in order, with their signatures."""
    return [unescape(found[0]) for found in _SIGNED.finditer(markdown)]


def left_out(markdown: str) -> list[str]:
    """The types of the blocks in whose place stands that they are unknown, as often as that is so."""
    return [
        _attribute(tag, "alt") or "block" for _, line in _lines_outside_code(markdown) for tag in _UNKNOWN.findall(line)
    ]


def with_part(markdown: str, block_id: str, part: str) -> str:
    """`markdown` with `part` in the place of the unknown block of that id; at the end where there is no such place."""
    lines = markdown.split("\n")
    wanted = block_id.replace("-", "").lower()
    for number, line in _lines_outside_code(markdown):
        found = next((tag for tag in _UNKNOWN.findall(line) if wanted in tag.replace("-", "").lower()), None)
        if found is not None:
            indentation = line[: len(line) - len(line.lstrip("\t"))]
            lines[number : number + 1] = [indentation + inner for inner in part.split("\n")]
            return "\n".join(lines)
    return "\n".join([*lines, part]) if markdown else part


def plain_text(markdown: str) -> str:
    """The text of Notion's Markdown, a line a block, without marks, tags and nesting. Raises nothing."""
    lines: list[str] = []
    for token in _block_parser().parse(_NESTING.sub("", markdown)):
        if token.type == "inline":
            source = _TAG.sub("", _ATTRIBUTES.sub("", _BOX.sub("", token.content)))
            lines.append(_inline_text(_inline_parser().parseInline(source)))
        elif token.type in ("fence", "code_block"):
            lines.append(token.content)
    text = "\n".join(lines)
    return "\n".join(line.rstrip() for line in text.split("\n") if line.strip() not in ("", "$$"))


@cache
def _block_parser() -> MarkdownIt:
    """Cuts a text into blocks. Indentation never makes code; tags stand among text, as Notion has them."""
    parser = _commonmark().enable("table")
    return parser.disable(["code", "html_block", "lheading", "reference", "inline", "text_join"])


@cache
def _inline_parser() -> MarkdownIt:
    return _commonmark().enable("strikethrough")


def _commonmark() -> MarkdownIt:
    # Importing it takes a tenth of a run that has nothing to do, and few runs read bodies.
    from markdown_it import MarkdownIt  # noqa: PLC0415 - only where needed

    return MarkdownIt("commonmark")


def _inline_text(tokens: list[Token]) -> str:
    return "".join(_token_text(token) for outer in tokens for token in outer.children or [])


def _token_text(token: Token) -> str:
    if token.type in ("softbreak", "hardbreak"):
        return "\n"
    if token.type != "html_inline":
        return token.content
    if token.content.startswith("<br"):
        return "\n"
    if token.content.startswith("<mention-date"):
        ends = [" ".join(_moment(token.content, end)) for end in ("start", "end")]
        return " → ".join(end for end in ends if end)
    return ""


def _moment(tag: str, end: str) -> list[str]:
    return [part for name in (end, f"{end}Time") if (part := _attribute(tag, name))]


def _attribute(tag: str, name: str) -> str:
    found = re.search(rf'\s{name}="([^"]*)"', tag)
    return unescape(found[1]) if found else ""


def _lines_outside_code(markdown: str) -> Iterator[tuple[int, str]]:
    """The lines that are neither code nor an equation, with their numbers."""
    fence = ""
    for number, line in enumerate(markdown.split("\n")):
        if fence:
            if line.strip() == fence:
                fence = ""
        elif found := _FENCE.match(line):
            fence = found[1].strip()
        else:
            yield number, line
