"""Values that Notion cut are read to their end from the property endpoint, before the row is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from notion_pg_sync.notion.client import JsonObject, NotionClient
from notion_pg_sync.notion.completion import CutValue, complete, values_to_complete
from notion_pg_sync.notion.pages import Page, with_properties
from notion_pg_sync.sync.gathering import gather_or_cancel


async def complete_pages(client: NotionClient, pages: Sequence[Page], schema: Mapping[str, object]) -> list[Page]:
    """`pages`, each with nothing cut; at least one request for each value that was. Raises `NotionError`."""
    cut = {place: values for place, page in enumerate(pages) if (values := values_to_complete(page.properties, schema))}
    whole = await gather_or_cancel(_complete_page(client, pages[place], values) for place, values in cut.items())
    completed = dict(zip(cut, whole, strict=True))
    return [completed.get(place, page) for place, page in enumerate(pages)]


async def _complete_page(client: NotionClient, page: Page, cut: Sequence[CutValue]) -> Page:
    whole = await gather_or_cancel(_complete_value(client, page, value) for value in cut)
    return with_properties(page, {value.name: completed for value, completed in zip(cut, whole, strict=True)})


async def _complete_value(client: NotionClient, page: Page, cut: CutValue) -> JsonObject:
    items, last = await client.property_items(page.id, cut.property_id)
    value = page.properties[cut.name]
    return complete(value if isinstance(value, dict) else {}, items, last)
