"""Pure: which databases a person means, and what `notion_databases` then holds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from notion_pg_sync.core.databases import ConfiguredDatabase, DatabaseOptions, free_name, resolve_database
from notion_pg_sync.core.errors import UsageError
from notion_pg_sync.sync.run.configuration import EVERYTHING
from notion_pg_sync.sync.run.database_entry import read_entry

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


def configuration_of(databases: Iterable[ConfiguredDatabase], current: Mapping[str, object]) -> dict[str, object]:
    """What `notion_databases` holds for these; what it has of them (`current`) stays as it is written.

    So does an entry with exclusions of which it cannot be told what it is of. Of two databases with one name, the later
    gets a number.
    """
    entries = {key: read_entry(written) for key, written in current.items()}
    picked = {one.database_id: one.name for one in databases}
    kept = {
        key: current[key]
        for key, entry in entries.items()
        if entry.database_id in picked or (entry.database_id is None and entry.may_exclude)
    }
    chosen: dict[str, object] = {}
    for database_id, name in picked.items():
        theirs = {key: current[key] for key, entry in entries.items() if entry.database_id == database_id}
        chosen.update(theirs or {free_name(name, {*kept, *chosen}): database_id})
    return {**chosen, **kept}


def everything(current: Mapping[str, object]) -> dict[str, object]:
    """What `notion_databases` holds for everything that is shared with the token, now and later.

    The entries that say more than an id stay, since they count for what search finds.
    """
    kept = {}
    for key, written in current.items():
        entry = read_entry(written)
        if entry.options != DatabaseOptions() or entry.may_exclude:
            # Under its id, a database has the name that it has in Notion, as it had under the star.
            name = key if key != EVERYTHING else free_name(entry.database_id or EVERYTHING, current)
            kept[name] = written
    return {EVERYTHING: EVERYTHING, **kept}


def described(databases: Mapping[str, object]) -> str:
    """What `notion_databases` asks for, in words; what of it cannot be used is left out."""
    entries = {key: read_entry(written) for key, written in databases.items()}
    named = ", ".join(f"{key}{in_brackets(entry.options)}" for key, entry in entries.items() if not entry.problems)
    if databases.get(EVERYTHING) != EVERYTHING:
        return named or "nothing"
    return "every database that is shared with it" + (f", and of these {named}" if named else "")


def in_brackets(options: DatabaseOptions) -> str:
    """What options say, in words and brackets; empty where they say nothing."""
    said = [f"without {', '.join(options.exclude)}"] if options.exclude else []
    switches = {"bodies": options.bodies, "files": options.files, "views": options.views}
    said += [f"{'with' if is_on else 'without'} {what}" for what, is_on in switches.items() if is_on is not None]
    return f" ({'; '.join(said)})" if said else ""
