"""Finding the databases that are shared with a token."""

from __future__ import annotations

from notion_pg_sync.notion.cleaning import storable_text
from notion_pg_sync.notion.client import NotionClient
from notion_pg_sync.notion.ids import MalformedIdError, parse_id
from notion_pg_sync.notion.properties import plain_text
from notion_pg_sync.sync.configuration import ConfiguredDatabase


async def find_databases(client: NotionClient) -> list[ConfiguredDatabase]:
    """The databases that search finds, by name; one that it leaves out may still be there (notion-api.md, section 2).

    A database is named by its first data source's title, by its id where that has none. Raises `NotionError`.
    """
    found: dict[str, ConfiguredDatabase] = {}
    for data_source in await client.data_sources_shared():
        parent = data_source.get("parent")
        written = parent.get("database_id") if isinstance(parent, dict) else None
        try:
            database_id = parse_id(str(written))
        except MalformedIdError:
            # A data source of an outside system lies in another data source; it is no database of its own.
            continue
        name = storable_text(plain_text(data_source.get("title"))).strip() or database_id
        found.setdefault(database_id, ConfiguredDatabase(name, database_id))
    return sorted(found.values(), key=lambda database: (database.name, database.database_id))
