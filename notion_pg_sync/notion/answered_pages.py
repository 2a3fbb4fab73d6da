"""Pure: the pages of an answer, of which no more is read at first than which page each is, and when it was edited.

Nearly every page of a full read is as it was: to find that out, its bytes need not be parsed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from notion_pg_sync.core.errors import ErrorCode
from notion_pg_sync.notion.errors import NotionError
from notion_pg_sync.notion.json_text import read_json

JsonObject = dict[str, Any]


class _List(Struct):
    """What is read of a list that Notion answers."""

    results: list[msgspec.Raw]
    next_cursor: Any = None
    has_more: Any = None
    request_status: Any = None


class _Envelope(Struct):
    """What is read of each of its pages; nothing that Notion may write in it is refused."""

    object: Any = None
    id: Any = None
    created_time: Any = None
    last_edited_time: Any = None
    in_trash: Any = None
    is_archived: Any = None


# As Notion writes them: nearly all are so, and then that is told in a tenth of the time.
_ID = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

_lists = msgspec.json.Decoder(_List)
_envelopes = msgspec.json.Decoder(_Envelope)


class Taken(Struct, frozen=True):
    """What is taken of a page that Notion answers; `has_excluded`: it held a property that is excluded."""

    page: JsonObject
    has_excluded: bool


Take = Callable[[JsonObject], Taken]


class AnsweredPage(Struct, frozen=True):
    """A page in an answer, as yet unread.

    `id` is written as Notion writes ids, None where it is none; times are UTC, None where there is none. `is_live`:
    Notion says neither that it is in the trash nor that it is archived. `text` is its JSON, None where the answer
    could only be parsed whole; `size`: how many bytes that has, or about so many.
    """

    id: str | None
    created_at: datetime | None
    edited_at: datetime | None
    is_live: bool
    text: bytes | None
    size: int
    _taken: Callable[[], Taken]

    def taken(self) -> Taken:
        """What is taken of it. Raises `NotionError` where it is no JSON."""
        return self._taken()


class Unread(Struct, frozen=True):
    """One of the results of a list: its JSON, and what is read of it."""

    text: bytes
    envelope: _Envelope


def read_list(text: bytes) -> Any:
    """A list that Notion answers, its `results` `Unread`; what is no list of objects is parsed whole.

    Raises ValueError where it is no JSON.
    """
    try:
        found = _lists.decode(text)
        results = [_unread(one) for one in map(bytes, found.results)]
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return read_json(text)
    return {
        "results": results,
        "next_cursor": found.next_cursor,
        "has_more": found.has_more,
        "request_status": found.request_status,
    }


def _unread(text: bytes) -> Unread:
    # msgspec passes over what it does not read, whether or not that is UTF-8. One page at a time: a text may take four
    # times its bytes.
    text.decode()
    return Unread(text, _envelopes.decode(text))


def answered_pages(results: Sequence[Unread | JsonObject], take: Take) -> list[AnsweredPage]:
    """The pages among the results of a list; `take` takes of one what is to be taken."""
    return [_page(one, take) for one in results if _kind(one) == "page"]


def other_objects(results: Sequence[Unread | JsonObject], kind: str) -> list[JsonObject]:
    """The objects of another kind among the results of a list, parsed. Raises `NotionError` where one is no JSON."""
    return [_parsed(one) for one in results if _kind(one) == kind]


def page_time(written: object) -> datetime | None:
    """A time as Notion writes it; None where it is none."""
    try:
        time = datetime.fromisoformat(str(written))
    except ValueError:
        return None
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)


def page_id(written: object) -> str | None:
    """An id as Notion writes it; None where it is none."""
    if isinstance(written, str) and _ID.fullmatch(written):
        return written
    try:
        return str(UUID(str(written)))
    except ValueError:
        return None


def _page(given: Unread | JsonObject, take: Take) -> AnsweredPage:
    envelope = given.envelope if isinstance(given, Unread) else msgspec.convert(given, _Envelope)
    return AnsweredPage(
        id=page_id(envelope.id),
        created_at=page_time(envelope.created_time),
        edited_at=page_time(envelope.last_edited_time),
        is_live=envelope.in_trash is not True and envelope.is_archived is not True,
        text=given.text if isinstance(given, Unread) else None,
        size=len(given.text if isinstance(given, Unread) else str(given)),
        _taken=lambda: take(_parsed(given)),
    )


def _kind(given: Unread | JsonObject) -> object:
    return given.envelope.object if isinstance(given, Unread) else given.get("object")


def _parsed(given: Unread | JsonObject) -> JsonObject:
    if not isinstance(given, Unread):
        return given
    try:
        parsed: JsonObject = read_json(given.text)
    except (ValueError, RecursionError):
        raise NotionError(
            f"Notion's answer holds something that is not valid JSON ({given.envelope.id}): run the sync again later.",
            code=ErrorCode.MALFORMED,
        ) from None
    return parsed
