"""Databases from Python literals: a builder a property type, and plain values turned into stored ones."""

import datetime
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from notion_workspace.model import (
    UNSUPPORTED,
    DateValue,
    Definition,
    Equation,
    File,
    Mention,
    Option,
    Property,
    RichText,
    Stored,
    Text,
    Value,
)

# Types that store nothing: Notion makes the value.
DERIVED = frozenset({"created_time", "last_edited_time", "created_by", "last_edited_by", "button"})


def title() -> Definition:
    """The title: every data source has exactly one."""
    return Definition("title")


def rich_text() -> Definition:
    """Text. Rows give a string, a rich text item or a list of both."""
    return Definition("rich_text")


def number(number_format: str = "number") -> Definition:
    """A number; the format is display only."""
    return Definition("number", format=number_format)


def select(*options: str) -> Definition:
    """One option by name; names that rows use are added."""
    return Definition("select", options=options)


def multi_select(*options: str) -> Definition:
    """Options by name; names that rows use are added."""
    return Definition("multi_select", options=options)


def status(**groups: Iterable[str]) -> Definition:
    """A status: options by group; without any, Notion's own three."""
    named = groups or {"To-do": ["Not started"], "In progress": ["In progress"], "Complete": ["Done"]}
    return Definition("status", groups=tuple((group, tuple(names)) for group, names in named.items()))


def date() -> Definition:
    """A date. Rows give a date, a datetime, a string, a (start, end) pair or a DateValue."""
    return Definition("date")


def people() -> Definition:
    """Users by label or id."""
    return Definition("people")


def files() -> Definition:
    """Files: rows give a list of File."""
    return Definition("files")


def checkbox() -> Definition:
    """True or false, never null."""
    return Definition("checkbox")


def url() -> Definition:
    """A URL; not validated by Notion."""
    return Definition("url")


def email() -> Definition:
    """An e-mail address; not validated by Notion."""
    return Definition("email")


def phone_number() -> Definition:
    """A phone number: free text."""
    return Definition("phone_number")


def formula(expression: str, result: str, compute: Callable[[Any], Any] | None = None) -> Definition:
    """A formula. `compute` gets a `plain.Row` and returns the plain result; without it rows give the result.

    `result` is string, number, boolean or date; `expression` may hold `prop("Name")`.
    """
    return Definition("formula", expression=expression, result=result, compute=compute)


def relation(target: str, dual: str | None = None) -> Definition:
    """Pages of another database, by its name, id or data source id, or `self`; `dual` names the far side's property.

    Rows give titles or ids.
    """
    return Definition("relation", target=target, dual=dual)


def rollup(relation_name: str, property_name: str, function: str) -> Definition:
    """What the related pages hold in a property, put together by one of Notion's functions."""
    return Definition("rollup", relation=relation_name, rolled_up=property_name, function=function)


def created_time() -> Definition:
    """When the page was made."""
    return Definition("created_time")


def last_edited_time() -> Definition:
    """When the page was last edited."""
    return Definition("last_edited_time")


def created_by() -> Definition:
    """Who made the page."""
    return Definition("created_by")


def last_edited_by() -> Definition:
    """Who last edited the page."""
    return Definition("last_edited_by")


def unique_id(prefix: str | None = None) -> Definition:
    """A number Notion counts up."""
    return Definition("unique_id", prefix=prefix)


def verification() -> Definition:
    """A wiki page's verification, as Notion's JSON."""
    return Definition("verification")


def button() -> Definition:
    """A button: no data."""
    return Definition("button")


def place() -> Definition:
    """A place, as Notion's JSON or as (lat, lon, name, address)."""
    return Definition("place")


def holographic() -> Definition:
    """A type that does not exist yet: what Notion may add without a new version."""
    return Definition("holographic")


def definition(literal: Definition | Mapping[str, Any]) -> Definition:
    """A definition, also from JSON: `{"type": "select", "options": [...]}`. Raises TypeError on unknown keys."""
    if isinstance(literal, Definition):
        return literal
    given = dict(literal)
    if "options" in given:
        given["options"] = tuple(given["options"])
    if "groups" in given:
        given["groups"] = tuple((group, tuple(names)) for group, names in given["groups"].items())
    return Definition(**given)


class Names(Protocol):
    """What turns names into ids."""

    def option_named(self, prop: Property, name: str) -> Option:
        """The option of this name, made when there is none."""
        ...

    def user_id(self, label_or_id: str) -> str:
        """The user of this label or id."""
        ...

    def related_id(self, prop: Property, title_or_id: str) -> str:
        """The page of this title or id in the relation's target."""
        ...


def store(prop: Property, literal: Value, names: Names) -> Stored:
    """Turns a plain Python value into the stored one. Raises ValueError when the type takes no value."""
    if prop.type in DERIVED:
        raise ValueError(f"a {prop.type} property takes no value")
    if literal is UNSUPPORTED or literal == {"unsupported": {}}:
        return UNSUPPORTED
    converter = _CONVERTERS.get(prop.type)
    return literal if converter is None else converter(prop, literal, names)


def _text(_prop: Property, literal: Value, names: Names) -> tuple[RichText, ...]:
    parts = [] if literal is None else literal if isinstance(literal, list | tuple) else [literal]
    return tuple(rich_text_item(part, names) for part in parts if part != "")


def rich_text_item(part: str | RichText | Mapping[str, Any], names: Names) -> RichText:
    """One item of rich text, from a string, an item or (in JSON) the fields of a Text, an Equation or a Mention."""
    if isinstance(part, str):
        return Text(part)
    item = _item_of(part) if isinstance(part, Mapping) else part
    if isinstance(item, Mention) and item.kind == "user":
        return Mention("user", names.user_id(item.target), item.text)
    return item


def _item_of(given: Mapping[str, Any]) -> RichText:
    if "content" in given:
        return Text(**{**given, "style": frozenset(given.get("style", ()))})
    return Equation(**given) if "expression" in given else Mention(**given)


def _option(prop: Property, literal: Value, names: Names) -> str | None:
    return None if literal is None else names.option_named(prop, literal).id


def _options(prop: Property, literal: Value, names: Names) -> tuple[str, ...]:
    return tuple(names.option_named(prop, name).id for name in literal or ())


def date_value(literal: Value) -> DateValue | None:
    """A date in stored form, from a date, datetime, string, (start, end) pair, JSON object or None."""
    match literal:
        case None | DateValue():
            return literal
        case (start, end):
            return DateValue(_moment(start), None if end is None else _moment(end))
        case {"start": start}:
            return DateValue(start, literal.get("end"), literal.get("time_zone"))
        case _:
            return DateValue(_moment(literal))


def _moment(literal: datetime.date | str) -> str:
    """Days as days; date-times with their offset and without seconds (docs/notion-api.md#dates)."""
    if isinstance(literal, datetime.datetime):
        return literal.replace(second=0, microsecond=0).isoformat(timespec="milliseconds")
    return literal.isoformat() if isinstance(literal, datetime.date) else literal


def _file(literal: Value) -> File:
    return literal if isinstance(literal, File) else File(**literal)


def _place(_prop: Property, literal: Value, _names: Names) -> Value:
    if not isinstance(literal, tuple):
        return literal
    lat, lon, name, address = literal
    return {
        "lat": lat,
        "lon": lon,
        "name": name,
        "address": address,
        "aws_place_id": None,
        "google_place_id": None,
    }


_CONVERTERS: dict[str, Callable[[Property, Any, Names], Stored]] = {
    "title": _text,
    "rich_text": _text,
    "select": _option,
    "status": _option,
    "multi_select": _options,
    "date": lambda _prop, literal, _names: date_value(literal),
    "people": lambda _prop, literal, names: tuple(names.user_id(label) for label in literal or ()),
    "relation": lambda prop, literal, names: tuple(dict.fromkeys(names.related_id(prop, t) for t in literal or ())),
    "files": lambda _prop, literal, _names: tuple(_file(file) for file in literal or ()),
    "checkbox": lambda _prop, literal, _names: bool(literal),
    "place": _place,
}


def mention_user(label_or_id: str) -> Mention:
    """A mention of a user, by id or label."""
    return Mention("user", label_or_id)


def mention_page(page_id: str) -> Mention:
    """A mention of a page, by id."""
    return Mention("page", page_id)


def equation(expression: str) -> Equation:
    """An inline equation."""
    return Equation(expression)
