"""Pure: which database a person means by what they write."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from difflib import get_close_matches

from msgspec import Struct

from notion_pg_sync.core.errors import UsageError
from notion_pg_sync.core.ids import looks_like_id, parse_id


class DatabaseOptions(Struct, frozen=True):
    """What `notion_databases` says of a database beside its id; None: it says nothing of it.

    `exclude`: the properties that are not to be copied, each by name or id; an empty one lifts all earlier exclusions.
    """

    exclude: tuple[str, ...] | None = None
    bodies: bool | None = None
    files: bool | None = None
    views: bool | None = None


class ConfiguredDatabase(Struct, frozen=True):
    """A database that a user wants mirrored; `name` is what SQL calls it.

    `id_as_written` is the id as the user wrote it, None where that is a link, or as Notion writes it. `title` is what
    Notion calls a database that the user did not name, None where that is not known. `found_by_search`: it is wanted
    since everything is, and not by its id.
    """

    name: str
    database_id: str
    id_as_written: str | None = None
    title: str | None = None
    found_by_search: bool = False
    options: DatabaseOptions = DatabaseOptions()

    @property
    def is_named(self) -> bool:
        """Whether it has a name; else it is called by its id."""
        return self.name != self.database_id


def free_name(name: str, taken: Collection[str]) -> str:
    """`name`, with a number where it is `taken`."""
    free, number = name, 1
    while free in taken:
        number += 1
        free = f"{name} ({number})"
    return free


def find_databases(written: str, candidates: Iterable[ConfiguredDatabase]) -> list[ConfiguredDatabase]:
    """Those of `candidates` that `written` means: by id or link, else by name or title; capitals and outer blanks count
    only where that tells two names apart.
    """
    every = list(dict.fromkeys(candidates))
    exact = [one for one in every if written in (one.name, one.title)]
    if exact:
        return exact
    if looks_like_id(written):
        return [one for one in every if one.database_id == parse_id(written)]
    return [one for one in every if _folded(written) in (_folded(one.name), _folded(one.title or one.name))]


def resolve_database(
    written: str, candidates: Iterable[ConfiguredDatabase], *, whose: str, unknown_ids: bool = False
) -> ConfiguredDatabase:
    """The one database of `candidates` that `written`, a name, an id or a link, means.

    `whose` begins the error's sentence, for example `user 'me' has`. With `unknown_ids`, an id that is not among the
    candidates is taken at its word, and named by itself. Raises `UsageError` where there is no such database, or more
    than one.
    """
    every = list(candidates)
    found = {one.database_id: one for one in reversed(find_databases(written, every))}
    if len(found) == 1:
        return next(iter(found.values()))
    if found:
        ids = ", ".join(reversed(found))
        told = "; ".join(_told_apart(one) for one in reversed(found.values()))
        is_telling = any({one.name, one.title or written} != {written} for one in found.values())
        raise UsageError(
            f"{whose} {len(found)} databases {written!r}: give the id of the one that is meant ({ids})."
            + (f" {told}." if is_telling else "")
        )
    if unknown_ids and looks_like_id(written):
        return ConfiguredDatabase(parse_id(written), parse_id(written))
    raise UsageError(f"{whose} no database {written!r}: {_advice(written, [one.name for one in every])}")


def _told_apart(database: ConfiguredDatabase) -> str:
    is_retitled = database.title and database.title != database.name
    in_notion = f" ({database.title!r} in Notion)" if is_retitled else ""
    return f"{database.database_id} is {database.name!r}{in_notion}"


def _advice(written: str, names: Sequence[str]) -> str:
    if not names:
        return "there are none."
    by_folded = {_folded(name): name for name in names}
    near = [by_folded[one] for one in get_close_matches(_folded(written), by_folded, n=3)]
    if near:
        return f"did you mean {' or '.join(map(repr, near))}? Give a name, an id or a link."
    return f"give one of these names, its id or its link: {', '.join(dict.fromkeys(names))}."


def _folded(name: str) -> str:
    return name.strip().casefold()
