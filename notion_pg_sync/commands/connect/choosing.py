"""Pure: which databases a person means, and what `notion_databases` then holds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from notion_pg_sync.core.databases import ConfiguredDatabase, free_name, resolve_database
from notion_pg_sync.core.errors import UsageError
from notion_pg_sync.sync.run.configuration import EVERYTHING

ALL = "all"

_NUMBERS = re.compile(r"\d+(\s*-\s*\d+)?([\s,]+\d+(\s*-\s*\d+)?)*[\s,]*", re.ASCII)
_RANGE = re.compile(r"(\d+)(?:\s*-\s*(\d+))?", re.ASCII)


def numbered(written: str, shared: Sequence[ConfiguredDatabase]) -> list[ConfiguredDatabase] | None:
    """The databases of numbers and ranges such as `1 3-5`, counted from 1; None where `written` is something else.

    Raises `UsageError` for numbers that there are not.
    """
    if not _NUMBERS.fullmatch(written.strip()):
        return None
    chosen: dict[int, ConfiguredDatabase] = {}
    for first, last in _RANGE.findall(written):
        if not 1 <= int(first) <= int(last or first) <= len(shared):
            raise UsageError(
                f"there is no {first}{'-' + last if last else ''} in the list: it goes from 1 to {len(shared)}."
            )
        chosen.update({number: shared[number - 1] for number in range(int(first), int(last or first) + 1)})
    return list(chosen.values())


def named(written: str, shared: Sequence[ConfiguredDatabase]) -> ConfiguredDatabase:
    """The shared database of that name, id or link; an id that is not among them stands for itself.

    Raises `UsageError`.
    """
    return resolve_database(written, shared, whose="the token sees", unknown_ids=True)


def configuration_of(databases: Iterable[ConfiguredDatabase]) -> dict[str, str]:
    """What `notion_databases` holds for these; of two with one name, the later gets a number."""
    ids: dict[str, str] = {}
    for database in databases:
        if database.database_id in ids.values():
            continue
        ids[free_name(database.name, ids)] = database.database_id
    return ids


def everything() -> dict[str, str]:
    """What `notion_databases` holds for everything that is shared with the token, now and later."""
    return {EVERYTHING: EVERYTHING}
