"""Pure: what every page object has, checked before anything relies on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from msgspec import Struct

from notion_pg_sync.core.errors import ErrorCode
from notion_pg_sync.notion.answered_pages import AnsweredPage, page_id, page_time
from notion_pg_sync.notion.errors import NotionError
from notion_pg_sync.notion.json_access import get_path
from notion_pg_sync.notion.page_properties import PageProperties, read_properties


class Page(Struct, frozen=True):
    """A page of a data source, whose id is `parent_id`. Times are UTC, rounded down to the minute by Notion.

    Of people it has the ids; `icon` and `cover` are as Notion gives them. `cut`: the decoded ids of the properties of
    whose values it holds a part only, since Notion did not give the rest. `answer_hash`: of the answer that it came in
    (`answer_hash.answer_hash`), None where that does not tell all of it.
    """

    id: str
    parent_id: str | None
    properties: PageProperties
    url: str | None
    created_at: datetime
    edited_at: datetime
    icon: object = None
    cover: object = None
    public_url: str | None = None
    created_by: str | None = None
    last_edited_by: str | None = None
    is_locked: bool | None = None
    cut: frozenset[str] = frozenset()
    answer_hash: str | None = None


class Listed(Struct, frozen=True):
    """The pages of an answer: those that came whole, and the ids of those that came in part only."""

    whole: list[Page]
    in_part: list[str]


def read_listed(answered: Iterable[AnsweredPage], hashes: Mapping[str, str]) -> Listed:
    """The pages of a listing's answers, without those of which these say that they are in the trash or archived.

    Those count as not listed (docs/notion-api.md#disappearance). `hashes`: of the answers, by page id. Raises
    `NotionError` where one has no id.
    """
    listed = Listed([], [])
    for page in answered:
        if not page.is_live:
            continue
        if page.id is None:
            raise _without_id()
        try:
            taken = page.taken()
            listed.whole.append(read_page(taken.page, None if taken.has_excluded else hashes.get(page.id)))
        except NotionError:
            listed.in_part.append(page.id)
    return listed


def read_page(answered: Mapping[str, object], answer_hash: str | None = None) -> Page:
    """The page in an answer, whose hash is `answer_hash`. Raises `NotionError` where it is no complete page."""
    properties = answered.get("properties")
    if not isinstance(properties, dict):
        raise NotionError(f"Notion answered a page without properties ({_id(answered)}).", code=ErrorCode.MALFORMED)
    is_locked = answered.get("is_locked")
    return Page(
        id=_id(answered),
        parent_id=_parent_id(answered),
        properties=read_properties(properties),
        url=_text(answered, "url"),
        created_at=_page_time(answered, "created_time"),
        edited_at=_page_time(answered, "last_edited_time"),
        icon=answered.get("icon"),
        cover=answered.get("cover"),
        public_url=_text(answered, "public_url"),
        created_by=page_id(get_path(answered, "created_by", "id")),
        last_edited_by=page_id(get_path(answered, "last_edited_by", "id")),
        is_locked=is_locked if isinstance(is_locked, bool) else None,
        answer_hash=answer_hash,
    )


def _page_time(answered: Mapping[str, object], timestamp: str) -> datetime:
    time = page_time(answered.get(timestamp))
    if time is None:
        raise NotionError(f"Notion answered a page whose {timestamp} is no time.", code=ErrorCode.MALFORMED)
    return time


def _text(answered: Mapping[str, object], name: str) -> str | None:
    found = answered.get(name)
    return found if isinstance(found, str) else None


def _parent_id(answered: Mapping[str, object]) -> str | None:
    found = get_path(answered, "parent", "data_source_id")
    return found if isinstance(found, str) else None


def _id(answered: Mapping[str, object]) -> str:
    id_ = page_id(answered.get("id"))
    if id_ is None:
        raise _without_id()
    return id_


def _without_id() -> NotionError:
    return NotionError("Notion answered a page whose id is not valid.", code=ErrorCode.MALFORMED)
