"""One page's body, read: as Markdown in one request, or block by block where Notion does not give it so."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from notion_pg_sync.core.errors import ErrorCode
from notion_pg_sync.core.hosted_files import HostedFile
from notion_pg_sync.notion.blocks import Rendered, home_of_children, render_block, together, unreadable
from notion_pg_sync.notion.cleaning import storable_text
from notion_pg_sync.notion.client import BlocksAnswer, JsonObject, MarkdownAnswer, NotionClient
from notion_pg_sync.notion.errors import NotionError
from notion_pg_sync.notion.hosted_files import files_of_markdown
from notion_pg_sync.notion.markdown import left_out, with_part, without_signatures
from notion_pg_sync.sync.bodies.plan import MOST_PARTS, blocks_may_help
from notion_pg_sync.sync.gathering import gather_or_cancel

NO_SUCH_ENDPOINT = ErrorCode.INVALID_REQUEST_URL
OUT_OF_REACH = ErrorCode.OBJECT_NOT_FOUND
# In place of a block's type, where Notion says no more than that there is more.
THE_REST = "more blocks"


class ReadBody(Struct, frozen=True):
    """A body: storable Markdown, what is missing from it, when it was asked for (see `clock.asked_at`), and the files
    that it names.
    """

    markdown: str
    missing: list[str]
    asked_at: datetime
    files: Sequence[HostedFile]


class BodyReader:
    """Reads bodies with one token; finds out once whether there is Markdown to be had."""

    def __init__(self, client: NotionClient) -> None:
        self._client = client
        self._has_markdown = True

    async def read(self, page_id: str) -> ReadBody:
        """The body of a page. Raises `NotionError`."""
        if not self._has_markdown:
            return await self._from_blocks(page_id)
        try:
            answer = await self._client.markdown(page_id)
        except NotionError as error:
            if not blocks_may_help(error.code):
                raise
            self._has_markdown = error.code != NO_SUCH_ENDPOINT
            return await self._from_blocks(page_id)
        return await self._completed(page_id, answer)

    async def _completed(self, page_id: str, answer: MarkdownAnswer) -> ReadBody:
        """With the parts that Notion left out, each asked for by its id, as far as the token may read them."""
        markdown = answer.markdown
        waiting, known = deque(answer.unknown), {page_id}
        vague = answer.truncated and not answer.unknown
        while waiting and len(known) <= MOST_PARTS:
            block_id = waiting.popleft()
            if block_id in known:
                continue
            known.add(block_id)
            try:
                part = await self._client.markdown(block_id)
            except NotionError as error:
                if error.code != OUT_OF_REACH:
                    raise
                vague = vague or not left_out(markdown)
                continue
            markdown = with_part(markdown, block_id, part.markdown)
            waiting.extend(part.unknown)
        vague = vague or any(block_id not in known for block_id in waiting)
        missing = {*left_out(markdown), *([THE_REST] if vague else [])}
        return _read_body(markdown, missing, answer.asked_at, files_of_markdown(markdown))

    async def _from_blocks(self, page_id: str) -> ReadBody:
        answer = await self._client.blocks(page_id)
        rendered = await self._rendered_together(answer)
        return _read_body(rendered.markdown, rendered.missing, answer.asked_at, rendered.files)

    async def _rendered_together(self, answer: BlocksAnswer) -> Rendered:
        """All blocks of an answer, and what it leaves out."""
        rendered = together(await gather_or_cancel(self._rendered(block) for block in answer.blocks))
        return replace(rendered, missing=rendered.missing | {THE_REST}) if answer.truncated else rendered

    async def _rendered(self, block: JsonObject) -> Rendered:
        """A block with all that lies in it, at any depth."""
        home = home_of_children(block)
        if home is None:
            return render_block(block, Rendered())
        try:
            answer = await self._client.blocks(home)
        except NotionError as error:
            if error.code != OUT_OF_REACH:
                raise
            return render_block(block, unreadable(block))
        return render_block(block, await self._rendered_together(answer))


def _read_body(
    markdown: str, missing: set[str] | frozenset[str], asked_at: datetime, files: Sequence[HostedFile]
) -> ReadBody:
    text = without_signatures(storable_text(markdown))
    return ReadBody(text, sorted(map(storable_text, missing)), asked_at, files)
