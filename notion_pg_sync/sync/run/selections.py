"""Pure: what is taken of a user's data sources, by what is kept of their exclusions."""

from __future__ import annotations

from notion_pg_sync.mirror.exclusions import Excluded
from notion_pg_sync.notion.exclusion import Exclusion, Selection


def selections_of(stored: Excluded) -> dict[str, Selection]:
    """What is taken of the data sources of whose databases something is excluded, by id."""
    return {
        source: Selection(Exclusion(stored.entries[database_id]))
        for source, database_id in stored.databases.items()
        if database_id in stored.entries
    }
