"""Pure: which databases a person means, and what `notion_databases` then holds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from notion_pg_sync.core.errors import ToolError
from notion_pg_sync.notion.ids import looks_like_id, parse_id
from notion_pg_sync.sync.run.configuration import EVERYTHING, ConfiguredDatabase

ALL = "all"

_NUMBERS = re.compile(r"\d+(\s*-\s*\d+)?([\s,]+\d+(\s*-\s*\d+)?)*[\s,]*", re.ASCII)
_RANGE = re.compile(r"(\d+)(?:\s*-\s*(\d+))?", re.ASCII)


class ChoiceError(ToolError):
    """What was written names no database, or more than one; the message says what does."""


def numbered(written: str, shared: Sequence[ConfiguredDatabase]) -> list[ConfiguredDatabase] | None:
    """The databases of numbers and ranges such as `1 3-5`, counted from 1; None where `written` is something else.

    Raises `ChoiceError` for numbers that there are not.
    """
    if not _NUMBERS.fullmatch(written.strip()):
        return None
    chosen: dict[int, ConfiguredDatabase] = {}
    for first, last in _RANGE.findall(written):
        if not 1 <= int(first) <= int(last or first) <= len(shared):
            raise ChoiceError(
                f"there is no {first}{'-' + last if last else ''} in the list: it goes from 1 to {len(shared)}."
            )
        chosen.update({number: shared[number - 1] for number in range(int(first), int(last or first) + 1)})
    return list(chosen.values())


def named(written: str, shared: Sequence[ConfiguredDatabase]) -> ConfiguredDatabase | str:
    """The shared database of that name, id or link; for one that is not among them, its id. Raises `ChoiceError`."""
    found = [database for database in shared if database.name == written]
    found = found or [database for database in shared if database.name.casefold() == written.strip().casefold()]
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(database.database_id for database in found)
        raise ChoiceError(f"there is more than one database {written!r}: give the id of the one that is meant ({ids}).")
    if not looks_like_id(written):
        names = ", ".join(database.name for database in shared)
        raise ChoiceError(f"the token sees no database {written!r}: give one of these, its id or its link: {names}.")
    database_id = parse_id(written)
    return next((database for database in shared if database.database_id == database_id), database_id)


def configuration_of(databases: Iterable[ConfiguredDatabase]) -> dict[str, str]:
    """What `notion_databases` holds for these; of two with one name, the later gets a number."""
    ids: dict[str, str] = {}
    for database in databases:
        if database.database_id in ids.values():
            continue
        name, number = database.name, 1
        while name in ids:
            number += 1
            name = f"{database.name} ({number})"
        ids[name] = database.database_id
    return ids


def everything() -> dict[str, str]:
    """What `notion_databases` holds for everything that is shared with the token, now and later."""
    return {EVERYTHING: EVERYTHING}
