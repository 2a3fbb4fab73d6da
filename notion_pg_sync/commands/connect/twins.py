"""What tells databases of one title apart, as a person knows them: the page they are in, the last edit, the link."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from notion_pg_sync.core.databases import ConfiguredDatabase
from notion_pg_sync.notion.cleaning import storable_text
from notion_pg_sync.notion.client import JsonObject, NotionClient
from notion_pg_sync.notion.errors import NotionError
from notion_pg_sync.notion.json_access import get_path
from notion_pg_sync.notion.properties import plain_text
from notion_pg_sync.sync.gathering import gather_or_cancel


def twins(shared: Sequence[ConfiguredDatabase]) -> list[str]:
    """Pure: the ids of those whose title, or name, another has too; capitals and outer blanks do not count."""
    titles = {one.database_id: (one.title or one.name).strip().casefold() for one in shared}
    often = Counter(titles.values())
    return [database_id for database_id, title in titles.items() if often[title] > 1]


async def places_of_twins(client: NotionClient, shared: Sequence[ConfiguredDatabase]) -> dict[str, str]:
    """What tells each of them from the others, by id; two requests each. What Notion does not answer is left out."""
    ids = twins(shared)
    places = await gather_or_cancel(_place(client, one) for one in ids)
    return {database_id: place for database_id, place in zip(ids, places, strict=True) if place}


async def _place(client: NotionClient, database_id: str) -> str:
    try:
        database = await client.database(database_id)
    except NotionError:
        return ""
    page_id = get_path(database, "parent", "page_id")
    return in_words(database, await _title(client, page_id) if isinstance(page_id, str) else "")


async def _title(client: NotionClient, page_id: str) -> str:
    """The title of the page that a database is in, empty where that is not shared."""
    try:
        page = await client.page(page_id)
    except NotionError:
        return ""
    properties = page.get("properties")
    of_page = properties.values() if isinstance(properties, Mapping) else []
    titles = (plain_text(get_path(one, "title")) for one in of_page if get_path(one, "type") == "title")
    return storable_text(next(titles, "")).strip()


def in_words(database: JsonObject, page_title: str) -> str:
    """Pure: the page that it is in (by title, where that is known), the day of its last edit, and its link."""
    edited, url = database.get("last_edited_time"), database.get("url")
    said = [f"in {page_title!r}"] if page_title else []
    said += ["at the top of the workspace"] if get_path(database, "parent", "type") == "workspace" else []
    said += [f"edited {storable_text(edited)[:10]}"] if isinstance(edited, str) else []
    said += [storable_text(url)] if isinstance(url, str) else []
    return ", ".join(said)
