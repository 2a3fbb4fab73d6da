"""Pure: what `notion_databases` of a user asks for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from notion_pg_sync.core.databases import ConfiguredDatabase
from notion_pg_sync.core.ids import MalformedIdError, is_bare_id, parse_id

EVERYTHING = "*"


@dataclass(frozen=True)
class Configuration:
    """What a user wants mirrored; `problems` are sentences on what cannot be understood.

    `malformed`: the names with which that is so, in the order of their problems. `doubles`: further names of
    databases, each with the name under which the database counts.
    """

    databases: tuple[ConfiguredDatabase, ...] = ()
    everything: bool = False
    problems: tuple[str, ...] = field(default=())
    malformed: tuple[str, ...] = ()
    doubles: Mapping[str, str] = field(default_factory=dict)


def read_configuration(notion_databases: object) -> Configuration:
    """Reads `notion_databases`: an object of names and ids, or `{"*": "*"}`; null and `{}` ask for nothing.

    A database under two names counts once, under the first in alphabetical order.
    """
    if notion_databases is None:
        return Configuration()
    if not isinstance(notion_databases, dict):
        return Configuration(
            problems=(
                'notion_databases is not a JSON object of names and ids: write it as {"Characters": "<database id>"}.',
            )
        )
    found: dict[str, ConfiguredDatabase] = {}
    problems: dict[str, str] = {}
    doubles: dict[str, str] = {}
    for name, written in sorted(notion_databases.items()):
        if name == EVERYTHING and written == EVERYTHING:
            continue
        try:
            text = _text(name, written)
            database_id = parse_id(text)
        except MalformedIdError as error:
            problems[name] = f"database {name!r} in notion_databases: {error}"
            continue
        if database_id in found:
            doubles[name] = found[database_id].name
            continue
        as_written = text if is_bare_id(text) and text != database_id else None
        found[database_id] = ConfiguredDatabase(name, database_id, as_written)
    everything = notion_databases.get(EVERYTHING) == EVERYTHING
    return Configuration(tuple(found.values()), everything, tuple(problems.values()), tuple(problems), doubles)


def repaired(notion_databases: object) -> dict[str, str] | None:
    """The object of names and ids that was meant, where it was stored as text within JSON, or as a list.

    A list has objects with a name and an id, or of one name and its id each. None where that is not all there is.
    """
    if isinstance(notion_databases, str):
        try:
            notion_databases = json.loads(notion_databases)
        except ValueError:
            return None
    if isinstance(notion_databases, list):
        pairs = [_pair(one) for one in notion_databases]
        notion_databases = None if None in pairs else dict(filter(None, pairs))
    is_readable = isinstance(notion_databases, dict) and not read_configuration(notion_databases).problems
    return dict(notion_databases) if isinstance(notion_databases, dict) and notion_databases and is_readable else None


def _pair(entry: object) -> tuple[str, str] | None:
    match entry:
        case {"name": str(name), "id": str(written)} | {"name": str(name), "database_id": str(written)}:
            return name, written
        case dict() if len(entry) == 1:
            ((name, written),) = entry.items()
            return (name, written) if isinstance(written, str) else None
        case [str(name), str(written)]:
            return name, written
        case _:
            return None


def _text(name: str, written: object) -> str:
    if not isinstance(written, str):
        raise MalformedIdError(f"its id is not text: write {{{name!r}: '<database id>'}} in JSON.")
    return written
