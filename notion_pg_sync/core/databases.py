"""Pure: which database a person means by what they write."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from notion_pg_sync.core.errors import UsageError
from notion_pg_sync.core.ids import looks_like_id, parse_id


@dataclass(frozen=True)
class ConfiguredDatabase:
    """A database that a user wants mirrored; `name` is the user's own word for it.

    `id_as_written` is the id as the user wrote it, None where that is a link, or as Notion writes it.
    """

    name: str
    database_id: str
    id_as_written: str | None = None


def find_databases(written: str, candidates: Iterable[ConfiguredDatabase]) -> list[ConfiguredDatabase]:
    """Those of `candidates` that `written` means: by id or link, else by name; capitals and outer blanks count only
    where that tells two names apart.
    """
    every = list(dict.fromkeys(candidates))
    exact = [one for one in every if one.name == written]
    if exact:
        return exact
    if looks_like_id(written):
        return [one for one in every if one.database_id == parse_id(written)]
    return [one for one in every if _folded(one.name) == _folded(written)]


def resolve_database(
    written: str, candidates: Iterable[ConfiguredDatabase], *, whose: str, unknown_ids: bool = False
) -> ConfiguredDatabase:
    """The one database of `candidates` that `written`, a name, an id or a link, means.

    `whose` begins the error's sentence, for example `user 'me' has`. With `unknown_ids`, an id that is not among the
    candidates is taken at its word, and named by itself. Raises `UsageError` where there is no such database, or more
    than one.
    """
    every = list(candidates)
    found = find_databases(written, every)
    ids = list(dict.fromkeys(one.database_id for one in found))
    if len(ids) == 1:
        return found[0]
    if ids:
        raise UsageError(
            f"{whose} {len(ids)} databases {written!r}: give the id of the one that is meant ({', '.join(ids)})."
        )
    if unknown_ids and looks_like_id(written):
        return ConfiguredDatabase(parse_id(written), parse_id(written))
    raise UsageError(f"{whose} no database {written!r}: {_advice(written, [one.name for one in every])}")


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
