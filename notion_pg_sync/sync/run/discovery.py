"""Finding the databases that are shared with a token."""

from __future__ import annotations

from dataclasses import dataclass

from notion_pg_sync.core.databases import ConfiguredDatabase
from notion_pg_sync.core.ids import MalformedIdError, parse_id
from notion_pg_sync.notion.cleaning import storable_text
from notion_pg_sync.notion.client import NotionClient
from notion_pg_sync.notion.properties import plain_text

INCOMPLETE_SEARCH = (
    "Notion marked its list of shared databases as incomplete: name a database that is missing by its id in "
    "notion_databases."
)


@dataclass(frozen=True)
class SharedDatabases:
    """The databases that search finds, by name. `is_complete`: Notion did not say that it cut the list."""

    found: list[ConfiguredDatabase]
    is_complete: bool


async def find_databases(client: NotionClient) -> SharedDatabases:
    """The databases that search finds; one that it leaves out may still be there (docs/notion-api.md#search).

    A database is named by its first data source's title, by its id where that has none. Raises `NotionError`.
    """
    found: dict[str, ConfiguredDatabase] = {}
    shared = await client.data_sources_shared()
    for data_source in shared.found:
        parent = data_source.get("parent")
        written = parent.get("database_id") if isinstance(parent, dict) else None
        try:
            database_id = parse_id(str(written))
        except MalformedIdError:
            # A data source of an outside system lies in another data source; it is no database of its own.
            continue
        name = storable_text(plain_text(data_source.get("title"))).strip() or database_id
        found.setdefault(database_id, ConfiguredDatabase(name, database_id))
    by_name = sorted(found.values(), key=lambda database: (database.name, database.database_id))
    return SharedDatabases(by_name, shared.is_complete)
