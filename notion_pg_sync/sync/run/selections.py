"""Pure: what is taken of a user's data sources, by what is kept of their exclusions."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce

from notion_pg_sync.mirror.exclusions import Excluded
from notion_pg_sync.notion.exclusion import NOTHING, Exclusion, Selection


def selections_of(stored: Excluded) -> dict[str, Selection]:
    """What is taken of the data sources of whose databases something is excluded, by id."""
    return {
        source: Selection(exclusion)
        for source, database_id in stored.databases.items()
        if (exclusion := exclusion_of(stored, (source, database_id)))
    }


def exclusion_of(stored: Excluded, ids: Iterable[str]) -> Exclusion:
    """What is excluded of a database that has these ids: its own, and those of its data sources."""
    return reduce(Exclusion.and_, (Exclusion(stored.entries.get(one, {})) for one in ids), NOTHING)
