"""Pure: which properties an owner excludes from the copy of a database, and what is left of Notion's answers then.

An entry is the name or the id of a property, as the owner wrote it. Both count: what has an excluded name is excluded,
however new it is, and what was excluded once stays so under any name.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import cached_property, lru_cache
from typing import Any

from msgspec import Struct, field

from notion_pg_sync.core.errors import ErrorCode, ExitCode, ToolError, UsageError
from notion_pg_sync.notion.cleaning import storable_text
from notion_pg_sync.notion.json_access import get_path
from notion_pg_sync.notion.property_ids import decoded

# The id of every title.
TITLE = "title"

# Properties by decoded id, each with its name.
Named = Mapping[str, str]


class ExclusionError(ToolError):
    """What is excluded of a database cannot be, so nothing of the database is read."""

    exit_code = ExitCode.FAILED
    code = ErrorCode.UNFIT_EXCLUSION


class Exclusion(Struct, frozen=True, dict=True):
    """What an owner excludes of a database: the entries, each with the properties that it has met so far."""

    entries: Mapping[str, Named] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.entries)

    def covers(self, property_id: str, name: str) -> bool:
        """Whether a property is excluded, by its id, in any spelling, or by its name. The title never is."""
        id_ = decoded(property_id)
        return id_ != TITLE and (id_ in self._ids or _folded(name) in self._names)

    def met(self, properties: Named) -> Exclusion:
        """The same once it has met these properties; those that it knew have the names that they have now."""
        others = {id_: name for id_, name in properties.items() if id_ != TITLE}
        renamed = {id_: others.get(id_, name) for known in self.entries.values() for id_, name in known.items()}
        return Exclusion(
            {
                entry: {**{id_: renamed[id_] for id_ in known}, **_matches(entry, others)}
                for entry, known in self.entries.items()
            }
        )

    def met_name(self, property_id: str) -> str | None:
        """The last known name of a property (decoded id) that it met."""
        return next((known[property_id] for known in self.entries.values() if property_id in known), None)

    def and_(self, other: Exclusion) -> Exclusion:
        """What either excludes."""
        every = [*self.entries, *other.entries]
        return Exclusion({one: {**self.entries.get(one, {}), **other.entries.get(one, {})} for one in every})

    @property
    def unmet(self) -> list[str]:
        """The entries that have never met a property."""
        return [entry for entry, known in self.entries.items() if not known]

    @property
    def names(self) -> list[str]:
        """What it excludes, for people: the names of the properties that it met, else the entries."""
        return sorted({name for entry, known in self.entries.items() for name in (known.values() or [entry])})

    @cached_property
    def _ids(self) -> frozenset[str]:
        met = {property_id for known in self.entries.values() for property_id in known}
        return frozenset(met.union(*(_ids_written(entry) for entry in self.entries)))

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(map(_folded, self.entries))


NOTHING = Exclusion()


class Settled(Struct, frozen=True):
    """What is excluded now, and what is no longer."""

    now: Exclusion
    lifted: Exclusion


def settle(stored: Exclusion, written: Sequence[str] | None) -> Settled:
    """What counts, by what was `stored` of earlier runs and what `notion_databases` says now; None: nothing.

    Once stored, an entry stays whatever a later list leaves out: applications rewrite theirs. An empty list lifts all.
    """
    if written is None:
        return Settled(stored, NOTHING)
    if not written:
        return Settled(NOTHING, stored)
    return Settled(Exclusion({**{entry: {} for entry in written}, **stored.entries}), NOTHING)


def corrected(exclusion: Exclusion, written: Sequence[str] | None) -> Exclusion:
    """The same without mistakes: entries of earlier lists that met nothing of all that the database has.

    Where `notion_databases` says nothing any more (`written` is None), nobody has corrected them.
    """
    if written is None:
        return exclusion
    return Exclusion({entry: known for entry, known in exclusion.entries.items() if known or entry in written})


def include(stored: Exclusion, written: Sequence[str] | None, wanted: str) -> Settled:
    """What counts once the property `wanted`, by its name, its id or its entry, is copied again.

    `written`: what `notion_databases` excludes. Raises `UsageError` where it does so still, where nothing excludes the
    property, and where its entry excludes others too.
    """
    by_entry = {entry: known for entry, known in stored.entries.items() if _is_same(entry, wanted)}
    by_property = {entry: known for entry, known in stored.entries.items() if _matches(wanted, known)}
    found = by_entry or by_property
    still = [entry for entry in written or () if entry in found or _is_same(entry, wanted)]
    if still:
        raise UsageError(
            f"notion_databases itself excludes {wanted!r}, as {still[0]!r}: take it out of its exclude there first."
        )
    if not found:
        raise UsageError(f"{wanted!r} is not excluded{_instead(wanted, stored)}.")
    for entry, known in by_property.items():
        if not by_entry and len(known) > len(_matches(wanted, known)):
            raise UsageError(
                f"{wanted!r} is excluded as {entry!r}, which also excludes "
                f"{_listed(name for name in known.values() if not _is_same(name, wanted))}: include {entry!r}."
            )
    rest = {entry: known for entry, known in stored.entries.items() if entry not in found}
    return Settled(Exclusion(rest), Exclusion(found))


def check_met(exclusion: Exclusion, properties: Named) -> None:
    """Raises `ExclusionError` where an entry never met a property; `properties`: all that the database has."""
    for entry in exclusion.unmet:
        raise ExclusionError(
            f"{entry!r} is to be excluded and is no property of the database, so nothing of it is read"
            f"{_near(entry, properties)}: write the name or the id of a property in exclude of notion_databases, or "
            '"exclude": [] to exclude nothing.'
        )


def check_title(exclusion: Exclusion, properties: Named) -> None:
    """Raises `ExclusionError` where an entry means the title of a data source that has these properties."""
    for entry in exclusion.entries:
        if TITLE in _matches(entry, properties):
            raise ExclusionError(
                f"{entry!r} means the title {properties[TITLE]!r}, which cannot be excluded, so nothing of the data "
                "source is read: take it out of exclude in notion_databases, or give the id of another property."
            )


def named(properties: Mapping[str, object]) -> dict[str, str]:
    """The properties of a schema by decoded id, each with its name."""
    return {
        decoded(found): storable_text(_name_of(key, value))
        for key, value in properties.items()
        if isinstance(found := get_path(value, "id"), str)
    }


def without(properties: Mapping[str, Any], exclusion: Exclusion) -> dict[str, Any]:
    """The properties of a schema or of a page, by name, but for what is excluded."""
    return {key: value for key, value in properties.items() if not _is_excluded(key, value, exclusion)}


class Selection(Struct, frozen=True):
    """What is asked for of the pages of a data source, and what is taken of the answers.

    `property_ids`: the decoded ids of the properties that are asked for; None: all, since none is excluded, or since
    the schema is not known.
    """

    exclusion: Exclusion
    property_ids: tuple[str, ...] | None = None

    @classmethod
    def of(cls, exclusion: Exclusion, schema: Mapping[str, object], excluded: Named) -> Selection:
        """By the schema without what is excluded, and what is `excluded` of it."""
        return cls(exclusion, tuple(sorted(named(schema))) if excluded else None)


def without_emails(value: Any) -> Any:
    """A value of Notion's answers without the e-mail addresses of the people whom it names."""
    if isinstance(value, list):
        return [without_emails(one) for one in value]
    if not isinstance(value, dict):
        return value
    kept = {key: without_emails(one) for key, one in value.items()}
    person = kept.get("person")
    if isinstance(person, dict) and (kept.get("object") == "user" or kept.get("type") == "person"):
        kept["person"] = {key: one for key, one in person.items() if key != "email"}
    return kept


def _is_excluded(key: str, value: object, exclusion: Exclusion) -> bool:
    written = get_path(value, "id")
    property_id = written if isinstance(written, str) else ""
    return exclusion.covers(property_id, key) or exclusion.covers(property_id, _name_of(key, value))


def _name_of(key: str, value: object) -> str:
    name = get_path(value, "name")
    return name if isinstance(name, str) else key


def _matches(entry: str, properties: Named) -> dict[str, str]:
    """The properties that an entry means."""
    ids, name = _ids_written(entry), _folded(entry)
    return {id_: known for id_, known in properties.items() if id_ in ids or _folded(known) == name}


def _is_same(entry: str, other: str) -> bool:
    return _folded(entry) == _folded(other) or bool(_ids_written(entry) & _ids_written(other))


def _ids_written(entry: str) -> frozenset[str]:
    """The decoded id that an entry is, if it is one: it may be written as Notion does, or decoded."""
    return frozenset({entry.strip(), decoded(entry.strip())})


@lru_cache(maxsize=4096)
def _folded(name: str) -> str:
    """A name as it is compared: capitals, blanks around it and how accents are written do not count."""
    return unicodedata.normalize("NFC", storable_text(name).strip().casefold())


def _near(entry: str, properties: Named) -> str:
    by_folded = {_folded(name): name for name in properties.values()}
    near = [by_folded[one] for one in get_close_matches(_folded(entry), by_folded, n=3)]
    return f"; did you mean {' or '.join(map(repr, near))}?" if near else ""


def _instead(wanted: str, stored: Exclusion) -> str:
    if not stored:
        return ", and nothing else is"
    return f": what is excluded is {_listed(stored.names)}"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(repr, sorted(set(names))))
