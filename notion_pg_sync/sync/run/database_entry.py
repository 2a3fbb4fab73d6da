"""Pure: what one value of `notion_databases` says: an id, a link, or an object with an id and options."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from msgspec import Struct, field
from msgspec.structs import asdict

from notion_pg_sync.core.databases import DatabaseOptions
from notion_pg_sync.core.ids import MalformedIdError, parse_id
from notion_pg_sync.core.wording import some

_ID = "id"
_EXCLUDE = "exclude"
_SWITCHES = ("bodies", "files", "views")
_OPTIONS = (_EXCLUDE, *_SWITCHES)
_KEYS = (_ID, *_OPTIONS)


class Entry(Struct, frozen=True):
    """A value of `notion_databases`; it can be used where it has no `problems`, which say what to write.

    `text` is the id or link as it was written. `database_id` is the id in it, None where there is none.
    `may_exclude`: what cannot be used may have been meant to exclude properties.
    """

    text: str = ""
    database_id: str | None = None
    options: DatabaseOptions = field(default_factory=DatabaseOptions)
    problems: tuple[str, ...] = ()
    may_exclude: bool = False


def read_entry(written: object) -> Entry:
    """Reads a value of `notion_databases`, whatever JSON it is."""
    if isinstance(written, dict):
        return _read_object(written)
    if isinstance(written, str) and isinstance(within := unpacked(written), dict):
        entry = _read_object(within)
        return Entry(
            entry.text,
            entry.database_id,
            problems=("it is an object within text: write the object itself, without quotes around it",),
            may_exclude=True,
        )
    database_id, problem = _read_id(written, "its id")
    if problem:
        return Entry(problems=(problem,), may_exclude=isinstance(written, list))
    return Entry(str(written), database_id)


def unpacked(written: object) -> object:
    """The JSON that text holds; anything else, and text that holds none, as it is."""
    if not isinstance(written, str):
        return written
    try:
        return json.loads(written)
    except (ValueError, RecursionError):
        return written


def joined(counts: DatabaseOptions, other: DatabaseOptions) -> DatabaseOptions:
    """What two entries for one database say: what either excludes, and else what the one that `counts` says first."""
    excluded = None if counts.exclude is other.exclude is None else (*(counts.exclude or ()), *(other.exclude or ()))
    return DatabaseOptions(
        None if excluded is None else tuple(dict.fromkeys(excluded)),
        _first(counts.bodies, other.bodies),
        _first(counts.files, other.files),
        _first(counts.views, other.views),
    )


def written_entry(text: str, options: DatabaseOptions) -> str | dict[str, object]:
    """The value of `notion_databases` that says this: the id or link alone where there are no options."""
    exclude = None if options.exclude is None else list(options.exclude)
    said = {name: value for name, value in {**asdict(options), _EXCLUDE: exclude}.items() if value is not None}
    return {_ID: text, **said} if said else text


def _read_object(written: Mapping[str, object]) -> Entry:
    if _ID in written:
        database_id, problem = _read_id(written[_ID], 'its "id"')
    else:
        database_id, problem = None, 'it has no "id": write {"id": "<database id>"}, with the options beside it'
    problems = (*([problem] if problem else []), *_strange_options(written), *_problems_of_values(written))
    text = written[_ID] if isinstance(written.get(_ID), str) else ""
    if problems:
        return Entry(str(text), database_id, problems=problems, may_exclude=True)
    exclude = written.get(_EXCLUDE)
    return Entry(
        str(text),
        database_id,
        DatabaseOptions(
            tuple(dict.fromkeys(exclude)) if isinstance(exclude, list) else None,
            *(_switch(written.get(name)) for name in _SWITCHES),
        ),
    )


def _read_id(written: object, what: str) -> tuple[str | None, str | None]:
    """The id in a text, or why there is none."""
    if not isinstance(written, str):
        return None, f'{what} is not text: write it in quotes, as "<database id>"'
    try:
        return parse_id(written), None
    except MalformedIdError as error:
        return None, str(error).removesuffix(".")


def _strange_options(written: Mapping[str, object]) -> Iterator[str]:
    strange = sorted(written.keys() - set(_KEYS))
    if not strange:
        return
    near = [_quoted(close) for name in strange for close in get_close_matches(name.strip().casefold(), _KEYS, n=1)]
    advice = f"write {some(list(dict.fromkeys(near)))}" if near else "take it out"
    yield f"there is no option {some(list(map(_quoted, strange)))} (there are {', '.join(_OPTIONS)}): {advice}"


def _problems_of_values(written: Mapping[str, object]) -> Iterator[str]:
    if _EXCLUDE in written and not _are_names(written[_EXCLUDE]):
        yield '"exclude" is not a list of properties: write it as ["Salary"], each by its name or its id'
    for name in _SWITCHES:
        if name in written and _switch(written[name]) is None:
            yield f'"{name}" is not true or false: write one of these, without quotes'


def _are_names(written: object) -> bool:
    return isinstance(written, list) and all(isinstance(one, str) and one.strip() for one in written)


def _switch(written: object) -> bool | None:
    return written if isinstance(written, bool) else None


def _first(one: bool | None, other: bool | None) -> bool | None:
    return other if one is None else one


def _quoted(name: str) -> str:
    return f'"{name}"'
