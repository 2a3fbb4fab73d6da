"""Pure: what `notion_databases` of a user asks for."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from notion_pg_sync.core.databases import ConfiguredDatabase
from notion_pg_sync.core.ids import MalformedIdError, is_bare_id, names_view, parse_id

EVERYTHING = "*"
LINK_OF_VIEW = "The link names a view, but all rows of the database are mirrored, whatever the view filters"


@dataclass(frozen=True)
class Doubt:
    """What may not be as it was meant, and what would make it plain."""

    message: str
    needs: str


@dataclass(frozen=True)
class Configuration:
    """What a user wants mirrored; `problems` are sentences on what cannot be understood.

    `malformed`: the names with which that is so, in the order of their problems. `doubles`: further names of
    databases, each with the name under which the database counts. `of_views`: the databases whose links name a view.
    """

    databases: tuple[ConfiguredDatabase, ...] = ()
    everything: bool = False
    problems: tuple[str, ...] = field(default=())
    malformed: tuple[str, ...] = ()
    doubles: Mapping[str, str] = field(default_factory=dict)
    doubts: tuple[Doubt, ...] = ()
    of_views: tuple[str, ...] = ()


def read_configuration(notion_databases: object) -> Configuration:
    """Reads `notion_databases`: an object of names and ids, or `{"*": "*"}`; null and `{}` ask for nothing.

    A database under two names counts once, under the first in alphabetical order. Blanks around a name do not count,
    unless another has the name without them. One without a name, or under the name `*`, is called by its id.
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
    taken = set(notion_databases)
    of_views: list[str] = []
    for key, written in sorted(notion_databases.items(), key=lambda pair: (_is_no_name(pair[0]), pair[0])):
        if key == EVERYTHING and written == EVERYTHING:
            continue
        try:
            text = _text(key, written)
            database_id = parse_id(text)
        except MalformedIdError as error:
            problems[key] = f"database {key!r} in notion_databases: {error}"
            continue
        if database_id in found:
            doubles[key] = found[database_id].name
            continue
        name = database_id if _is_no_name(key) else key if key.strip() in taken else key.strip()
        taken.add(name)
        as_written = text if is_bare_id(text) and text != database_id else None
        found[database_id] = ConfiguredDatabase(name, database_id, as_written)
        if names_view(text):
            of_views.append(name)
    return Configuration(
        tuple(found.values()),
        notion_databases.get(EVERYTHING) == EVERYTHING,
        tuple(problems.values()),
        tuple(problems),
        doubles,
        (*_without_names(notion_databases, {*problems, *doubles}), *_alike(found.values())),
        tuple(of_views),
    )


def _is_no_name(key: str) -> bool:
    return key.strip() in ("", EVERYTHING)


def _without_names(notion_databases: Mapping[str, object], told: Collection[str]) -> Iterator[Doubt]:
    for key, written in sorted(notion_databases.items()):
        if key in told or not _is_no_name(key):
            continue
        if key.strip() == "":
            said = f"a name in notion_databases is empty ({key!r}): the database has its name in Notion"
            yield Doubt(said, "give it a name there")
        elif written != EVERYTHING:
            said = f"{key!r} with an id in notion_databases is one database, under its name in Notion"
            yield Doubt(said, 'give it a name there; for every database, write {"*": "*"}')


def _alike(databases: Iterable[ConfiguredDatabase]) -> Iterator[Doubt]:
    by_folded: dict[str, list[str]] = {}
    for database in databases:
        by_folded.setdefault(database.name.strip().casefold(), []).append(database.name)
    for names in by_folded.values():
        if len(names) > 1:
            said = f"the names {' and '.join(map(repr, names))} in notion_databases differ only in capitals or blanks"
            yield Doubt(f"{said}; each is a database of its own", "give them names that are easy to tell apart")


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
