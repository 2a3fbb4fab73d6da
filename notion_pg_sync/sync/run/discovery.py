"""Finding the databases that are shared with a token, and the names that they are given, once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from notion_pg_sync.core.databases import ConfiguredDatabase, free_name
from notion_pg_sync.core.ids import MalformedIdError, parse_id
from notion_pg_sync.notion.cleaning import storable_text
from notion_pg_sync.notion.client import JsonObject, NotionClient
from notion_pg_sync.notion.errors import NotionError
from notion_pg_sync.notion.json_access import get_path
from notion_pg_sync.notion.properties import plain_text
from notion_pg_sync.sync.gathering import gather_or_cancel

INCOMPLETE_SEARCH = (
    "Notion marked its list of shared databases as incomplete: name a database that is missing by its id in "
    "notion_databases."
)


class SharedDatabases(Struct, frozen=True):
    """The databases that search finds, by name. `is_complete`: Notion did not say that it cut the list."""

    found: list[ConfiguredDatabase]
    is_complete: bool


async def find_databases(client: NotionClient, known: Iterable[ConfiguredDatabase] = ()) -> SharedDatabases:
    """The databases that search finds; one that it leaves out may still be there (docs/notion-api.md#search).

    Named as `name_databases` does. One that is `known` by the id of its data source is left out. Raises `NotionError`.
    """
    known = list(known)
    known_ids = {one.database_id for one in known}
    shared = await client.data_sources_shared()
    known_otherwise = {_database_id(one) for one in shared.found if one.get("id") in known_ids}
    ids = dict.fromkeys(one for one in map(_database_id, shared.found) if one and one not in known_otherwise)
    named = await name_databases(client, ids, known)
    found = [replace(one, found_by_search=True) for one in named]
    return SharedDatabases(sorted(found, key=lambda one: (one.name, one.database_id)), shared.is_complete)


async def name_databases(
    client: NotionClient, database_ids: Iterable[str], known: Iterable[ConfiguredDatabase]
) -> list[ConfiguredDatabase]:
    """Databases with their names: those that are `known` keep theirs, Notion is asked for the titles of the others.

    One whose title Notion does not give now is called by its id, as one without a title is.
    """
    ids, known = list(database_ids), list(known)
    kept = {one.database_id: one for one in known if one.is_named or one.title is not None}
    new = [one for one in ids if one not in kept]
    titles = dict(zip(new, await gather_or_cancel(_title(client, one) for one in new), strict=True))
    named = {one.database_id: one for one in give_names(titles, {one.name for one in known})}
    return [kept.get(one) or named[one] for one in ids]


async def name_nameless(
    client: NotionClient, databases: Sequence[ConfiguredDatabase], known: Iterable[ConfiguredDatabase]
) -> list[ConfiguredDatabase]:
    """Configured databases, those without a name with the one that `name_databases` gives them."""
    nameless = [one.database_id for one in databases if not one.is_named]
    taken = [one for one in databases if one.is_named]
    named = {one.database_id: one for one in await name_databases(client, nameless, [*known, *taken])}
    return [
        replace(
            named.get(one.database_id, one),
            id_as_written=one.id_as_written,
            found_by_search=False,
            options=one.options,
        )
        for one in databases
    ]


def give_names(titles: Mapping[str, str | None], taken: Collection[str]) -> list[ConfiguredDatabase]:
    """Pure: databases, given by id with their titles, under names that no other was given before (`taken`)."""
    return [
        ConfiguredDatabase(free_name(title or database_id, taken), database_id, title=title)
        for database_id, title in titles.items()
    ]


def title_of(database: JsonObject) -> str:
    """What Notion calls a database: its own title, not that of a data source; empty where it has none."""
    return storable_text(plain_text(database.get("title"))).strip()


async def _title(client: NotionClient, database_id: str) -> str | None:
    try:
        return title_of(await client.database(database_id))
    except NotionError:
        # Its sync asks for the same, and tells why that cannot be.
        return None


def _database_id(data_source: JsonObject) -> str | None:
    """The database that a data source lies in; that of an outside system lies in another data source, and in none."""
    try:
        return parse_id(str(get_path(data_source, "parent", "database_id")))
    except MalformedIdError:
        return None
