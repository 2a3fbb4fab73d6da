"""Pure: the properties of a page -> plain values. What there is of each type: docs/notion-api.md#properties."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import Enum
from functools import lru_cache
from typing import Any, Final, TypeAlias, cast

from msgspec import Struct

from notion_pg_sync.core.columns import VALUE, Column
from notion_pg_sync.notion.cleaning import SIGNED_TYPES, sanitize, strip_signature
from notion_pg_sync.notion.dates import DateParts, date_parts, instant
from notion_pg_sync.notion.json_access import as_list, get_path, tagged
from notion_pg_sync.notion.page_properties import PageProperties, PropertyValue
from notion_pg_sync.notion.property_ids import decoded
from notion_pg_sync.notion.schema import fits


class NotComputed(Enum):
    """The type of `NOT_COMPUTED`."""

    NOT_COMPUTED = "not computed"


# Notion gave up on this formula or rollup: neither null nor zero, and no reason to forget what is known of it.
NOT_COMPUTED: Final = NotComputed.NOT_COMPUTED

JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"
PlainValue: TypeAlias = "JSON | NotComputed"

# By decoded property id.
ColumnsByProperty: TypeAlias = "Mapping[str, Sequence[Column]]"

_MAY_BE_DATES = frozenset({"date", "formula", "rollup"})


class Fields(Struct, frozen=True):
    """Plain values by column name.

    `not_computed`: columns of which Notion did not compute the value; `values` has none for them.
    `unfit`: columns whose type cannot hold the value; `values` has it all the same.
    """

    values: dict[str, Any]
    not_computed: frozenset[str]
    unfit: frozenset[str]


def plain_value(value: object) -> PlainValue:
    """The plain value of `{type, TYPE: …}`, the form of properties, and of results in them. Raises nothing.

    `value` is cleaned, but for signatures, which it loses here (see `Storable`). Of malformed parts the plain value is
    null or what Notion gave; of an unknown type what stands under the type's name.
    """
    return _plain(*tagged(value))


def plain_text(rich_text: object) -> str:
    """The text of a rich text array, mentions and equations as Notion writes them out."""
    return "".join(_item_text(item) for item in as_list(rich_text))


def columns_by_property(columns: Iterable[Column]) -> ColumnsByProperty:
    """`columns` as `fields_of` takes them, which is worth doing once for many pages."""
    grouped: dict[str, list[Column]] = {}
    for column in columns:
        grouped.setdefault(decoded(column.property_id), []).append(column)
    return grouped


def fields_of(properties: PageProperties, columns: ColumnsByProperty) -> Fields:
    """The plain values of a page's `properties` (cleaned, see `plain_value`) for `columns`, matched by property id.

    A date fills its four columns. A property that the page lacks leaves its columns out.
    """
    values: dict[str, Any] = {}
    not_computed: set[str] = set()
    unfit: set[str] = set()
    for property_id, value in properties.by_id.items():
        own = columns.get(property_id)
        if own is None:
            continue
        date = _date_in_parts(value, own) if value.type in _MAY_BE_DATES else None
        plain = _plain(value.type, value.content) if date is None else None
        if plain is NOT_COMPUTED:
            not_computed.update(column.name for column in own)
            continue
        for column in own:
            if date is not None:
                shown: JSON = _date_part(date, column.part)
            else:
                # A property that was a date once: its first column goes on, the others are empty.
                shown = plain if column.part == VALUE else None
            values[column.name] = shown
            if not fits(shown, column.type):
                unfit.add(column.name)
    return Fields(values, frozenset(not_computed), frozenset(unfit))


def title_text(properties: PageProperties) -> str:
    """A page's title; empty when it has none."""
    return plain_text(next((value.content for value in properties if value.type == "title"), None))


def first_text(properties: PageProperties, names: Sequence[str]) -> str | None:
    """The text of the first of the named properties that has any, whatever its type; None when none has."""
    return next((value for value in _named(properties, names) if isinstance(value, str) and value.strip()), None)


def first_integer(properties: PageProperties, names: Sequence[str]) -> int | None:
    """The first of the named properties' values that is a whole number and fits PostgreSQL's `integer`."""
    for value in _named(properties, names):
        if isinstance(value, int | float) and not isinstance(value, bool) and -(2**31) <= value < 2**31:
            whole = int(value)
            if whole == value:
                return whole
    return None


def _plain(kind: str | None, content: object) -> PlainValue:
    return _PLAIN_VALUES.get(kind or "", _as_it_is)(content)


def _as_it_is(content: object) -> JSON:
    # What is no plain value may hold files, and so signatures.
    return cast(JSON, sanitize(content)[0] if isinstance(content, dict | list) else content)


def _without_signature(content: object) -> JSON:
    file, _ = sanitize({"type": "file", "file": content})
    return cast(JSON, file["file"])


def _array(content: object) -> PlainValue:
    """One entry a related page, in the relation's order, so that it can be put beside the relation."""
    entries: list[JSON] = []
    for entry in as_list(content):
        plain = plain_value(entry)
        if plain is NOT_COMPUTED:
            return NOT_COMPUTED
        entries.append(plain)
    return entries


def _time(content: object) -> JSON:
    return instant(content) if isinstance(content, str) else None


def _urls(content: object) -> JSON:
    return [url for file in as_list(content) if (url := _url(file)) is not None]


def _date_part(date: DateParts, part: str) -> JSON:
    match part:
        case "at":
            return date.at
        case "end":
            return date.end_day
        case "end_at":
            return date.end_at
        case _:
            # The day, whatever the column's type: it may change, and the rows are not read again for that.
            return date.day


def _date_in_parts(value: PropertyValue, columns: Sequence[Column]) -> DateParts | None:
    """The date that a property, or a formula's or rollup's result, is; None if there is none, or one column for it."""
    if all(column.part == VALUE for column in columns):
        return None
    kind, content = (value.type, value.content) if value.type == "date" else tagged(value.content)
    return date_parts(content) if kind == "date" else None


def _named(properties: PageProperties, names: Sequence[str]) -> Iterator[PlainValue]:
    """The plain values of the named properties, in the order of `names`; upper and lower case are the same."""
    for name in _names_like(tuple(names), tuple(properties.by_name)):
        value = properties.by_name[name]
        yield _plain(value.type, value.content)


# The pages of a data source have the same names.
@lru_cache(maxsize=64)
def _names_like(names: tuple[str, ...], given: tuple[str, ...]) -> list[str]:
    """Those of the `given` names that are as one of `names`, in the order of these."""
    known = sorted((_folded(name), name) for name in given)
    return [name for wanted in map(_folded, names) for folded, name in known if folded == wanted]


def _folded(name: str) -> str:
    return name.strip().casefold()


def _text(value: object, key: str) -> str | None:
    text = value.get(key) if isinstance(value, dict) else None
    return text if isinstance(text, str) else None


def _texts(value: object, key: str) -> list[JSON]:
    return [text for item in as_list(value) if isinstance(item, dict) and isinstance(text := item.get(key), str)]


def _item_text(item: object) -> str:
    text = _text(item, "plain_text")
    if text is None:
        # It is always there in answers; what a program hands on may lack it.
        text = _text(get_path(item, "text"), "content") or _text(get_path(item, "equation"), "expression")
    return text or ""


def _url(file: object) -> str | None:
    kind, content = tagged(file)
    url = _text(content, "url")
    return strip_signature(url) if url is not None and kind in SIGNED_TYPES else url


def _unique_id(content: object) -> str | None:
    number, prefix = get_path(content, "number"), _text(content, "prefix")
    if number is None:
        return None
    return f"{prefix}-{number}" if prefix else str(number)


def _place(content: object) -> str | None:
    """What a person would call it; the coordinates are in the properties as Notion gave them."""
    called = _text(content, "address") or _text(content, "name")
    if called:
        return called
    latitude, longitude = get_path(content, "lat"), get_path(content, "lon")
    return None if latitude is None or longitude is None else f"{latitude},{longitude}"


_PLAIN_VALUES: dict[str, Callable[[object], PlainValue]] = {
    "title": plain_text,
    "rich_text": plain_text,
    "number": _as_it_is,
    "checkbox": _as_it_is,
    "url": _as_it_is,
    "email": _as_it_is,
    "phone_number": _as_it_is,
    "select": lambda option: _text(option, "name"),
    "status": lambda option: _text(option, "name"),
    "multi_select": lambda options: _texts(options, "name"),
    "date": lambda date: date_parts(date).text,
    "people": lambda people: _texts(people, "id"),
    "relation": lambda pages: _texts(pages, "id"),
    "files": _urls,
    "created_by": lambda user: _text(user, "id"),
    "last_edited_by": lambda user: _text(user, "id"),
    "created_time": _time,
    "last_edited_time": _time,
    "unique_id": _unique_id,
    "place": _place,
    # By whom and until when is in the properties as Notion gave them.
    "verification": lambda verification: _text(verification, "state"),
    # A button holds no data.
    "button": lambda _: None,
    # Results have the form of properties, with some types of their own.
    "formula": plain_value,
    "rollup": plain_value,
    "string": _as_it_is,
    "boolean": _as_it_is,
    "array": _array,
    **dict.fromkeys(SIGNED_TYPES, _without_signature),
    "unsupported": lambda _: NOT_COMPUTED,
    "incomplete": lambda _: NOT_COMPUTED,
}
