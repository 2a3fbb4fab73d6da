"""Looks up what a rollup goes over in the related pages themselves, where the property endpoint does not tell."""

from __future__ import annotations

from collections.abc import Sequence

from notion_pg_sync.core.errors import ErrorCode
from notion_pg_sync.notion.client import JsonObject, NotionClient
from notion_pg_sync.notion.errors import NotionError
from notion_pg_sync.notion.page_properties import PageProperties, read_properties
from notion_pg_sync.sync.gathering import gather_or_cancel

# A group of a filter holds no more (docs/notion-api.md#queries).
_MOST_CONDITIONS = 100
# So many answers are asked for with one filter: where a part stands in very many pages, those beyond stay unknown, so
# that a rollup never costs the reading of a large data source.
_MOST_ANSWERS = 5
_PAGE_SIZE = 100

# The related data source is not shared, has no such property any more, or refuses to go on: what came is true.
_NOT_TOLD = (
    ErrorCode.OBJECT_NOT_FOUND,
    ErrorCode.RESTRICTED_RESOURCE,
    ErrorCode.VALIDATION_ERROR,
    ErrorCode.CURSOR_REJECTED,
)


async def read_related(
    client: NotionClient,
    data_source_id: str,
    property_id: str,
    conditions: Sequence[JsonObject],
) -> dict[str, PageProperties]:
    """The properties of the pages that meet one of `conditions`, by page id.

    Of the properties `property_id` (decoded) alone is asked for. Pages may be missing: archived ones, those that are
    not shared, and what lies beyond a few answers; all, where the property is excluded. Raises `NotionError`.
    """
    if client.excludes(data_source_id, property_id):
        return {}
    places = range(0, len(conditions), _MOST_CONDITIONS)
    filters: list[JsonObject] = [{"or": conditions[place : place + _MOST_CONDITIONS]} for place in places]
    found = await gather_or_cancel(_meeting(client, data_source_id, property_id, one) for one in filters)
    return {
        page_id: read_properties(properties)
        for pages in found
        for page in pages
        if isinstance(page_id := page.get("id"), str) and isinstance(properties := page.get("properties"), dict)
    }


async def _meeting(
    client: NotionClient, data_source_id: str, property_id: str, filter_: JsonObject
) -> list[JsonObject]:
    body: JsonObject = {"filter": filter_}
    pages: list[JsonObject] = []
    for _ in range(_MOST_ANSWERS):
        try:
            answer = await client.query(data_source_id, body, _PAGE_SIZE, only=property_id)
        except NotionError as error:
            if error.code not in _NOT_TOLD and not error.may_be_a_page:
                raise
            break
        pages += [page.taken().page for page in answer.pages]
        if answer.next_cursor is None:
            break
        body["start_cursor"] = answer.next_cursor
    return pages
