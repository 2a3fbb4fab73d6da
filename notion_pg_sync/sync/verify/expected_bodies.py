"""What the body of a page must hold, worked out for `sync --verify` from Notion's answers alone.

Nothing is shared with what the sync itself uses (`notion.markdown`, `notion.blocks`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from html import unescape

from msgspec import Struct, field

from notion_pg_sync.core.errors import ErrorCode
from notion_pg_sync.notion.client import NotionClient
from notion_pg_sync.notion.errors import NotionError
from notion_pg_sync.sync.verify.expected_files import Naming, Paths, files_of_body

# So many parts of one body are asked for; Notion gives 20,000 blocks at once.
_MOST_PARTS = 200
# What fails for every body, if for one.
_OF_THE_TOKEN = (ErrorCode.UNAUTHORIZED, ErrorCode.RESTRICTED_RESOURCE, ErrorCode.RATE_LIMITED, ErrorCode.NETWORK)
_URL = re.compile(r"https?://[^\s\"'<>()]+")
_WORD = re.compile(r"[^\W_]+")
# A line without any mark, behind those of a list or a heading: it must stand in the plain text as it is.
_PLAIN_LINE = re.compile(r"\t*(?:#{1,4} |[-*] |\d+\. )?([^\W_][\w ,;']*[^\W_])")


class ExpectedBody(Struct, frozen=True):
    """The Markdown of a page as the copy must hold it, and the files that Notion hosts in it."""

    markdown: str
    files: Mapping[Naming, Paths] = field(default_factory=dict)


async def expected_body(client: NotionClient, page_id: str) -> ExpectedBody | None:
    """The body of a page; None where Notion gives none. Raises `NotionError`."""
    try:
        answer = await client.markdown(page_id)
    except NotionError as error:
        if error.code in _OF_THE_TOKEN:
            raise
        return None
    lines, waiting, asked = answer.markdown.split("\n"), list(answer.unknown), {page_id}
    while waiting and len(asked) <= _MOST_PARTS:
        block_id = waiting.pop(0)
        if block_id in asked:
            continue
        asked.add(block_id)
        try:
            part = await client.markdown(block_id)
        except NotionError as error:
            if error.code != ErrorCode.OBJECT_NOT_FOUND:
                raise
            continue
        lines = _with_part(lines, block_id, part.markdown)
        waiting += part.unknown
    text = "\n".join(lines).replace("\0", "").encode("utf-8", "ignore").decode("utf-8")
    return ExpectedBody(_URL.sub(_unsigned, text), files_of_body(text))


def _with_part(lines: list[str], block_id: str, part: str) -> list[str]:
    """The lines with a part in the place of the tag that names its block, as deep in as that."""
    for number, line in enumerate(lines):
        if "<unknown" in line and block_id.replace("-", "") in line.replace("-", "").lower():
            depth = re.match(r"\t*", line)
            inner = [f"{depth[0] if depth else ''}{one}" for one in part.split("\n")]
            return [*lines[:number], *inner, *lines[number + 1 :]]
    return [*lines, part] if lines != [""] else [part]


def _unsigned(url: re.Match[str]) -> str:
    return url[0].partition("?")[0] if "X-Amz-Signature=" in url[0] else url[0]


def is_text_of(plain_text: str, markdown: str) -> bool:
    """Whether a text can be the plain text of this Markdown.

    It has no word that the Markdown has not, and every line of the Markdown that has no marks at all.
    """
    words = Counter(_WORD.findall(plain_text)) - Counter(_WORD.findall(unescape(markdown)))
    missing = [line for line in _plain_lines(markdown) if line not in plain_text]
    return not words and not missing


def _plain_lines(markdown: str) -> Iterator[str]:
    yield from (found[1] for line in markdown.split("\n") if (found := _PLAIN_LINE.fullmatch(line)))
