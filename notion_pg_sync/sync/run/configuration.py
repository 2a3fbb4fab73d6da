"""Pure: what `notion_databases` of a user asks for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import reduce

from msgspec import Struct

from notion_pg_sync.core.databases import ConfiguredDatabase, DatabaseOptions
from notion_pg_sync.core.ids import is_bare_id, names_view
from notion_pg_sync.core.wording import some
from notion_pg_sync.sync.run.database_entry import Entry, joined, read_entry, unpacked, written_entry

EVERYTHING = "*"
LINK_OF_VIEW = "The link names a view, but all rows of the database are mirrored, whatever the view filters"


class Remark(Struct, frozen=True):
    """What cannot be used, or may not be as it was meant, and what would make it right."""

    message: str
    needs: str


class Double(Struct, frozen=True):
    """A further name of a database, and the one under which it counts.

    `merged`: what `notion_databases` holds of that, where this entry has options that it lacks; else empty.
    """

    name: str
    counts: str
    merged: Mapping[str, object]


class Recorded(Struct, frozen=True):
    """What is recorded for a user, once the databases to sync are; True where nobody looked.

    `has_exclusions`: something is excluded of one of the databases. `has_views`: a sync may concern typed views, or
    readers.
    """

    has_exclusions: bool = True
    has_views: bool = True


class Configuration(Struct, frozen=True):
    """What a user wants mirrored; `problems` are what cannot be understood, and `doubts` what may be a mistake.

    `held`: the databases whose entries cannot be understood, by id; with `holds_search` one may be any. Neither is
    synced, since what it is to leave out is not known. `of_views`: the databases whose links name a view. `recorded`:
    what is recorded beside it.
    """

    databases: tuple[ConfiguredDatabase, ...] = ()
    everything: bool = False
    problems: tuple[Remark, ...] = ()
    held: frozenset[str] = frozenset()
    holds_search: bool = False
    doubles: tuple[Double, ...] = ()
    doubts: tuple[Remark, ...] = ()
    of_views: tuple[str, ...] = ()
    recorded: Recorded = Recorded()

    @property
    def excludes_nothing(self) -> bool:
        """Whether nothing is excluded of any database, as far as it is known without asking Notion."""
        return not self.recorded.has_exclusions and not any(one.options.exclude for one in self.databases)

    def takes_found(self, database_id: str) -> bool:
        """Whether a database that search finds is to be synced, unless it is configured."""
        return self.everything and not self.holds_search and database_id not in self.held

    def excluded_of(self, ids: Collection[str]) -> tuple[str, ...] | None:
        """What is excluded of a database that has all these ids, its data sources' too; as `DatabaseOptions` says."""
        options = (one.options for one in self.databases if one.database_id in ids)
        return reduce(joined, options, DatabaseOptions()).exclude


def read_configuration(notion_databases: object) -> Configuration:
    """Reads `notion_databases`: an object of names and entries, or `{"*": "*"}`; null and `{}` ask for nothing.

    A database under two names counts once, under the first in alphabetical order, with what either excludes. Blanks
    around a name do not count, unless another has the name without them. One without a name, or under the name `*`, is
    called by its id.
    """
    if notion_databases is None:
        return Configuration()
    if not isinstance(notion_databases, dict):
        return Configuration(
            problems=(
                Remark(
                    "notion_databases is not a JSON object of names and ids: write it as "
                    '{"Characters": "<database id>"}.',
                    "the id or the link of each database",
                ),
            )
        )
    everything = notion_databases.get(EVERYTHING) == EVERYTHING
    entries = {
        key: read_entry(written)
        for key, written in sorted(notion_databases.items(), key=lambda pair: (_is_no_name(pair[0]), pair[0]))
        if (key, written) != (EVERYTHING, EVERYTHING)
    }
    held = frozenset(entry.database_id for entry in entries.values() if entry.problems and entry.database_id)
    keys: dict[str, list[str]] = {}
    for key, entry in entries.items():
        if entry.database_id is not None and entry.database_id not in held:
            keys.setdefault(entry.database_id, []).append(key)
    databases = tuple(_taken_in(keys, entries))
    named = list(zip(databases, keys.values(), strict=True))
    doubles = [_double(name, one, key, entries[key]) for one, (key, *others) in named for name in others]
    return Configuration(
        databases,
        everything,
        tuple(_problem(key, entry, everything=everything) for key, entry in entries.items() if entry.problems),
        held,
        everything and any(entry.may_exclude and entry.database_id is None for entry in entries.values()),
        tuple(doubles),
        (
            *_without_names(entries, {double.name for double in doubles}),
            *_alike(databases),
        ),
        tuple(one.name for one, (key, *_) in named if names_view(entries[key].text)),
    )


def _taken_in(keys: Mapping[str, Sequence[str]], entries: Mapping[str, Entry]) -> Iterator[ConfiguredDatabase]:
    """The databases, by id with the keys of their entries: each under the first, with what all of them say."""
    taken = set(entries)
    for database_id, every in keys.items():
        key, text = every[0], entries[every[0]].text
        name = database_id if _is_no_name(key) else key if key.strip() in taken else key.strip()
        taken.add(name)
        as_written = text if is_bare_id(text) and text != database_id else None
        options = reduce(joined, (entries[one].options for one in every))
        yield ConfiguredDatabase(name, database_id, as_written, options=options)


def _problem(key: str, entry: Entry, *, everything: bool) -> Remark:
    said = [f"database {key!r} in notion_databases: {'; '.join(entry.problems)}."]
    if entry.database_id is None and entry.may_exclude and everything:
        said.append("Until then no database that only search finds is synced, since it may be the one that is meant.")
    wanted = "a correct entry" if entry.may_exclude else "the id or the link"
    return Remark(" ".join(said), f"{wanted} of database {key!r}")


def _double(name: str, database: ConfiguredDatabase, key: str, entry: Entry) -> Double:
    is_more = database.options != entry.options
    return Double(name, database.name, {key: written_entry(entry.text, database.options)} if is_more else {})


def _is_no_name(key: str) -> bool:
    return key.strip() in ("", EVERYTHING)


def _without_names(entries: Mapping[str, Entry], told: Collection[str]) -> Iterator[Remark]:
    for key, entry in sorted(entries.items()):
        if key in told or entry.problems or not _is_no_name(key):
            continue
        if key.strip() == "":
            said = f"a name in notion_databases is empty ({key!r}): the database has its name in Notion"
            yield Remark(said, "give it a name there")
        else:
            said = f"{key!r} with an id in notion_databases is one database, under its name in Notion"
            yield Remark(said, 'give it a name there; for every database, write {"*": "*"}')


def _alike(databases: Iterable[ConfiguredDatabase]) -> Iterator[Remark]:
    by_folded: dict[str, list[str]] = {}
    for database in databases:
        by_folded.setdefault(database.name.strip().casefold(), []).append(database.name)
    for names in by_folded.values():
        if len(names) > 1:
            said = f"the names {' and '.join(map(repr, names))} in notion_databases differ only in capitals or blanks"
            yield Remark(f"{said}; each is a database of its own", "give them names that are easy to tell apart")


def without_place(databases: Iterable[ConfiguredDatabase]) -> Iterator[Remark]:
    """What is to be told of databases whose files are to be kept, where no place for these is known."""
    if names := [repr(database.name) for database in databases if database.options.files]:
        yield no_place_for(names)


def no_place_for(names: Sequence[str]) -> Remark:
    """The same of databases that are called so."""
    said = f'"files" is true for {some(names)} in notion_databases, but no place is known where files are kept'
    return Remark(said, 'name it, with NOTION_PG_SYNC_FILES or --files (docs/files.md), or take "files" out')


def repaired(notion_databases: object) -> dict[str, object] | None:
    """The object of names and entries that was meant (see `as_object`), None where that cannot be read either."""
    meant = as_object(notion_databases)
    return None if not meant or read_configuration(meant).problems else meant


def as_object(notion_databases: object) -> dict[str, object] | None:
    """The names and entries in `notion_databases`, where it, or an entry, was stored as JSON within text.

    It may be a list too, of objects with a name and an id, or of one name and its entry each. None where that is not
    all there is.
    """
    meant = unpacked(notion_databases)
    if isinstance(meant, list):
        pairs = [pair for pair in map(_pair, meant) if pair]
        by_name = dict(pairs)
        # Of two different entries under one name, each may exclude what the other does not.
        is_complete = len(pairs) == len(meant) and all(by_name[name] == written for name, written in pairs)
        meant = by_name if is_complete else None
    if not isinstance(meant, dict):
        return None
    return {name: entry if isinstance(entry := unpacked(one), dict) else one for name, one in meant.items()}


def _pair(listed: object) -> tuple[str, object] | None:
    match listed:
        case {"name": str(name), "id": written, **options} | {"name": str(name), "database_id": written, **options}:
            return name, {"id": written, **options} if options else written
        case dict() if len(listed) == 1:
            ((name, written),) = listed.items()
            return name, written
        case [str(name), written]:
            return name, written
        case _:
            return None
