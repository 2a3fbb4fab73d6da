"""Reads what a rollup goes over from the related pages' own data source, where the property endpoint does not tell."""

from __future__ import annotations

from collections.abc import Collection

from notion_pg_sync.notion.client import JsonObject, NotionClient
from notion_pg_sync.notion.errors import CURSOR_REFUSED, NotionError

# So many answers are asked for, for all rollups of a batch over one property: 2,000 pages. What lies beyond stays
# unknown, so that a rollup never costs a reading of a large data source.
MOST_ANSWERS = 20
_PAGE_SIZE = 100

# The related data source is not shared, has no such property any more, or refuses to go on: what came is true.
_NOT_TOLD = ("object_not_found", "restricted_resource", "validation_error", CURSOR_REFUSED)


async def read_related(
    client: NotionClient, data_source_id: str, property_id: str, wanted: Collection[str]
) -> dict[str, JsonObject]:
    """The properties, of which `property_id` (decoded) alone is asked for, of the `wanted` pages, by page id.

    Only of those that are found: the others may be archived, not shared, or too far behind. Raises `NotionError`.
    """
    found: dict[str, JsonObject] = {}
    body: JsonObject = {"sorts": [{"timestamp": "created_time", "direction": "ascending"}]}
    for _ in range(MOST_ANSWERS):
        try:
            answer = await client.query(data_source_id, body, _PAGE_SIZE, only=property_id)
        except NotionError as error:
            if error.code not in _NOT_TOLD:
                raise
            return found
        for page in answer.pages:
            page_id, properties = page.get("id"), page.get("properties")
            if isinstance(page_id, str) and page_id in wanted and isinstance(properties, dict):
                found[page_id] = properties
        if len(found) == len(wanted) or answer.next_cursor is None:
            return found
        body["start_cursor"] = answer.next_cursor
    return found
