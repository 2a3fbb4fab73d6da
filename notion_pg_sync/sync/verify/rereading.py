"""Reads a data source once more, one answer after the other, for `sync --verify`.

As simple as can be, and nothing of it is shared with `listing`, whose faults it is to find.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any, Literal
from uuid import UUID

from notion_pg_sync.core.errors import ErrorCode
from notion_pg_sync.notion.client import JsonObject, NotionClient
from notion_pg_sync.notion.errors import NotionError
from notion_pg_sync.sync.verify.expectation import Endpoint, Expected, cut_values, expect, instant, not_told

# An answer is parsed and compared in parts of so many bytes, since objects take several times as much.
_MOST_PARSED_BYTES = 2 * 1024 * 1024

# Cursors may be refused so often without any progress in between.
_MOST_REFUSED = 3


class VerificationError(NotionError):
    """A database cannot be compared whole; the message says why."""

    def __init__(self, message: str, *, code: str = ErrorCode.INCOMPLETE) -> None:
        super().__init__(message, code=code)


class Rereading:
    """One reading of a data source, by creation time, which never changes.

    Where a query ends before its data source does (the cap, a refused cursor), the next one begins at the minute that
    was reached. Where Notion fails for every answer that would hold a page, the rest is read from its end; `unread` are
    the times of creation, as Notion writes them, between which it gives nothing.
    """

    def __init__(self, client: NotionClient, data_source_id: str, page_size: int) -> None:
        self._client = client
        self._data_source_id = data_source_id
        self._page_size = page_size
        self._seen: set[UUID] = set()
        self._reached: str | None = None
        self._ended: Literal["complete", "capped", "refused", "failed"] = "complete"
        self.unread: tuple[str, str] | None = None

    def has_seen(self, page_id: str) -> bool:
        """Whether a page was read; one whose id is written otherwise than Notion does was not."""
        known = as_uuid(page_id)
        return known in self._seen and str(known) == page_id

    async def pages(self) -> AsyncIterator[list[JsonObject]]:
        """Every page once, a list an answer or part of it, but for what is `unread`.

        Raises `VerificationError` where Notion does not give them all.
        """
        async for pages in self._forwards():
            yield pages
        if self._is_stopped:
            first = self._reached or "the beginning"
            async for pages in self._query(None, direction="descending"):
                yield pages
            if self._is_stopped:
                self.unread = first, self._reached or "the end"

    @property
    def _is_stopped(self) -> bool:
        return self._ended != "complete"

    async def _forwards(self) -> AsyncIterator[list[JsonObject]]:
        refused = 0
        while True:
            start = self._reached
            async for pages in self._query(start):
                yield pages
            if self._ended in ("complete", "failed"):
                return
            stuck = self._reached == start
            refused = refused + 1 if stuck else 0
            if refused > _MOST_REFUSED:
                raise VerificationError(f"Notion refuses its own cursors for data source {self._data_source_id}.")
            if stuck and self._ended == "capped":
                raise VerificationError(
                    f"data source {self._data_source_id} has more rows of one minute ({start}) than Notion gives to "
                    "one query, so it cannot be compared whole."
                )

    async def _query(self, start: str | None, direction: str = "ascending") -> AsyncIterator[list[JsonObject]]:
        """The answers of one query; `_reached` and `_ended` tell how far it came."""
        body: JsonObject = {"sorts": [{"timestamp": "created_time", "direction": direction}]}
        self._reached = None if direction == "descending" else self._reached
        page_size, has_failed = self._page_size, False
        if start is not None:
            body["filter"] = {"timestamp": "created_time", "created_time": {"on_or_after": start}}
        cursors: set[str] = set()
        capped = False
        while True:
            try:
                answer = await self._client.query(self._data_source_id, body, page_size, has_failed=has_failed)
            except NotionError as error:
                if error.may_be_a_page and page_size > 1:
                    page_size, has_failed = page_size // 2, True
                    continue
                if error.code != ErrorCode.CURSOR_REJECTED and not error.may_be_a_page:
                    raise
                self._ended = "refused" if error.code == ErrorCode.CURSOR_REJECTED else "failed"
                return
            page_size = min(page_size, answer.page_size)
            at_once = max(1, len(answer.pages) * _MOST_PARSED_BYTES // max(1, answer.size))
            for place in range(0, len(answer.pages), at_once):
                pages = [page.taken().page for page in answer.pages[place : place + at_once]]
                self._reached = str(pages[-1].get("created_time"))
                yield self._new(pages)
            # One answer may say it for the whole query, and rows still follow.
            capped = capped or answer.capped
            if not answer.has_more:
                self._ended = "capped" if capped else "complete"
                return
            if answer.next_cursor is None or answer.next_cursor in cursors:
                raise VerificationError(f"Notion's answers for data source {self._data_source_id} lead in a circle.")
            cursors.add(answer.next_cursor)
            body["start_cursor"] = answer.next_cursor

    def _new(self, pages: Iterable[JsonObject]) -> list[JsonObject]:
        """The pages that did not come before; what is marked as trashed or archived counts as not listed."""
        new = []
        for page in pages:
            page_id = as_uuid(page.get("id"))
            if page_id is None:
                raise VerificationError("Notion answered a page whose id is not valid.", code=ErrorCode.MALFORMED)
            is_gone = page.get("in_trash") is True or page.get("is_archived") is True
            if page_id not in self._seen and not is_gone:
                self._seen.add(page_id)
                new.append({**page, "id": str(page_id)})
        return new


async def page_or_none(client: NotionClient, page_id: str, data_source_id: str) -> JsonObject | None:
    """A page of a data source read alone, None where Notion has none of this id.

    Not every id that is a UUID is one to Notion.
    """
    if as_uuid(page_id) is None:
        return None
    try:
        return await client.page(page_id, data_source_id)
    except NotionError as error:
        if error.code not in (ErrorCode.OBJECT_NOT_FOUND, ErrorCode.VALIDATION_ERROR):
            raise
        return None


def is_whole(page: JsonObject) -> bool:
    """Whether an answer has a page's properties and times."""
    times = instant(page.get("created_time")), instant(page.get("last_edited_time"))
    return isinstance(page.get("properties"), dict) and None not in times


async def expected_row(client: NotionClient, page: JsonObject, schema: Mapping[str, Any]) -> Expected:
    """What the row of a page must hold; its cut values are read whole, at a request or more each.

    Of a value of which Notion does not give the rest nothing can be said.
    """
    properties = page.get("properties")
    created_at, edited_at = instant(page.get("created_time")), instant(page.get("last_edited_time"))
    if not isinstance(properties, dict) or created_at is None or edited_at is None:
        raise VerificationError(
            f"Notion answered page {page.get('id')} without its properties or times.", code=ErrorCode.MALFORMED
        )
    whole: dict[str, Endpoint] = {}
    told = dict(properties)
    for cut in cut_values(properties, schema):
        try:
            whole[cut.name] = Endpoint(*await client.property_items(str(page["id"]), cut.property_id))
        except NotionError as error:
            if not error.is_about_one_thing:
                raise
            told[cut.name] = not_told(properties[cut.name])
    return expect({**page, "properties": told}, schema, whole, created_at=created_at, edited_at=edited_at)


def why_not_live(page: JsonObject | None, data_source_id: str) -> str | None:
    """Why a page is not among the live rows of a data source, in words; None when it is."""
    if page is None:
        return "no such page, or no longer shared"
    if page.get("in_trash"):
        return "in the trash"
    if page.get("is_archived"):
        return "archived"
    parent = page.get("parent")
    if isinstance(parent, dict) and parent.get("type") in ("page_id", "block_id"):
        # A page of a wiki may lie in another; that it was listed is what counts.
        return None
    home = parent.get("data_source_id") if isinstance(parent, dict) else None
    return None if as_uuid(home) == as_uuid(data_source_id) else "in another place"


def as_uuid(written: object) -> UUID | None:
    """The UUID that is written, with dashes or without; None if there is none."""
    try:
        return UUID(written) if isinstance(written, str) else None
    except ValueError:
        return None
