"""Pure: what the copy of a page must hold, worked out for `sync --verify` from Notion's answers alone.

Nothing here is shared with what the sync itself uses: a fault in both would hide itself. The sync's own rules are in
`notion.completion` and `notion.cleaning`; that the two agree is what verifying proves.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from itertools import zip_longest
from typing import Any, Final
from urllib.parse import unquote

from msgspec import Struct, field

from notion_pg_sync.sync.verify.parted_rollups import PartedRollup, is_left_open, parted_rollup

JsonObject = dict[str, Any]

# A page's answer holds so many relations, people and mentions of a value (docs/notion-api.md#truncation).
_SHOWN = 25
# What the property endpoint does not compute either (docs/notion-api.md#property-items).
_COMPUTED_NOWHERE = ("show_unique", "unique", "median", "count_per_group", "percent_per_group")
_NOT_TOLD = ("unsupported", "incomplete")
# The tool keeps so many levels; Notion's own values are about ten deep.
_LEVELS = 100

_ASKS_THE_CLOCK = re.compile(r"\b(?:now|today)\s*\(")


class Missing(Enum):
    """The type of `MISSING`."""

    MISSING = "nothing"


# Stands where one side has no value at all, not even null.
MISSING: Final = Missing.MISSING


class FirstDifference(Struct, frozen=True):
    """The first place at which two values differ; `path` is empty where they do so as a whole."""

    path: str
    in_notion: object
    in_postgresql: object


class CutValue(Struct, frozen=True):
    """A value that is to be read whole from the property endpoint; `property_id` as its path takes it."""

    name: str
    property_id: str


class Endpoint(Struct, frozen=True):
    """What the property endpoint says of a value: its items, and the last answer's `property_item`."""

    items: Sequence[JsonObject]
    last: JsonObject


class Expected(Struct, frozen=True):
    """What the row of a page must hold.

    `not_told`: properties that Notion does not compute. `computed_in_part`: those that it computes from the first 25
    related pages alone. `parted`: rollups whose values come in parts, which `properties` has one an element, see
    `wanted_beside`. `altered`: whether the page holds what PostgreSQL cannot store. `about`: what
    `notion_sync.pages` must have of it; `page`: what the row's own columns must, by name.
    """

    page_id: str
    title: str
    url: str | None
    created_at: datetime
    edited_at: datetime
    properties: JsonObject
    not_told: frozenset[str] = field(default=frozenset())
    computed_in_part: frozenset[str] = field(default=frozenset())
    parted: Mapping[str, PartedRollup] = field(default_factory=dict)
    altered: bool = False
    about: Mapping[str, Any] = field(default_factory=dict)
    page: Mapping[str, Any] = field(default_factory=dict)


# What is cut, and how it is made whole -----------------------------------------------------------------------------


def cut_values(properties: Mapping[str, Any], schema: Mapping[str, Any]) -> list[CutValue]:
    """The values of a page that are cut, or that may be without a sign of it."""
    relations = _cut_relations(properties)
    return [
        CutValue(name, value["id"])
        for name, value in properties.items()
        if _has_id(value) and (_is_cut(value) or (_is_over(name, schema, relations) and _computable(value)))
    ]


def not_told(value: Mapping[str, Any]) -> JsonObject:
    """What stands for a value of which Notion does not give the rest: nothing is expected of it."""
    return {"id": value["id"], "type": "rollup", "rollup": {"type": "unsupported", "unsupported": {}}}


def expect(
    page: Mapping[str, Any],
    schema: Mapping[str, Any],
    whole: Mapping[str, Endpoint],
    *,
    created_at: datetime,
    edited_at: datetime,
) -> Expected:
    """What the row of `page` must hold; `whole` has the endpoint's answers for its cut values by property name."""
    given: Mapping[str, Any] = page["properties"]
    parted = {name: one for name in whole if (one := _parted(name, given, schema, whole)) is not None}
    completed = {name: _completed(value, whole.get(name), parted.get(name)) for name, value in given.items()}
    storing = _Storing()
    properties = storing.properties(completed)
    about = {
        "icon": storing.picture(page.get("icon")),
        "cover": storing.picture(page.get("cover")),
        "public_url": storing.text(page["public_url"]) if page.get("public_url") else None,
        "created_by": (page.get("created_by") or {}).get("id"),
        "last_edited_by": (page.get("last_edited_by") or {}).get("id"),
        "is_locked": page.get("is_locked"),
    }
    return Expected(
        page_id=str(page["id"]),
        title=title_of(properties),
        url=storing.text(page["url"]) if isinstance(page.get("url"), str) else None,
        created_at=created_at,
        edited_at=edited_at,
        properties=properties,
        not_told=frozenset(name for name, value in properties.items() if is_not_told(value)),
        computed_in_part=frozenset(map(storing.text, _in_part(given, schema, whole))),
        parted={storing.text(name): one for name, one in parted.items()},
        altered=storing.altered,
        about=about,
        page={
            "page_id": str(page["id"]),
            "notion_icon": _shown_picture(about["icon"]),
            "notion_cover": _shown_picture(about["cover"]),
            "notion_public_url": about["public_url"],
            "notion_created_by": about["created_by"],
            "notion_edited_by": about["last_edited_by"],
            "notion_is_locked": about["is_locked"],
        },
    )


def _shown_picture(picture: object) -> str | None:
    """An icon's emoji, or where an icon's or a cover's picture lies; None for Notion's own icons, which have names."""
    kind = _kind(picture)
    content = _content(picture, kind)
    shown = content if kind == "emoji" else _content(content, "url")
    return shown if isinstance(shown, str) else None


def wanted_beside(expected: Expected, name: str, held: Any) -> Any:
    """What a row must hold of a property, beside what it holds; `MISSING` where it must have none.

    Of a rollup in parts the copy's own boundaries count where Notion tells none (`notion.parted_rollups`); what the
    copy itself marks as not told is as it must be.
    """
    wanted = expected.properties.get(name, MISSING)
    parted = expected.parted.get(name)
    if parted is None or not isinstance(wanted, dict):
        return wanted
    if is_left_open(held):
        return held
    array = parted.array_like(_content(_content(held, "rollup"), "array"), wanted["rollup"]["array"])
    return {**wanted, "rollup": {**wanted["rollup"], "array": array}}


def boundaries_not_told(expected: Expected, held: Any) -> tuple[frozenset[str], frozenset[str]]:
    """The rollups of which it is not told which part is whose: those a row holds, and those that it leaves open."""
    values = held if isinstance(held, dict) else {}
    left_open = frozenset(name for name in expected.parted if is_left_open(values.get(name)))
    return frozenset(name for name, one in expected.parted.items() if one.is_open) - left_open, left_open


def title_of(properties: Mapping[str, Any]) -> str:
    """The plain text of a page's title."""
    for value in properties.values():
        if isinstance(value, dict) and value.get("type") == "title":
            texts = (item.get("plain_text") for item in _objects(value.get("title")))
            return "".join(text for text in texts if isinstance(text, str))
    return ""


def is_not_told(value: object) -> bool:
    """Whether a property's value is a formula or rollup that Notion did not compute."""
    kind = _kind(value)
    return kind in ("formula", "rollup") and _kind(_content(value, kind)) in _NOT_TOLD


def clock_formulas(schema: Mapping[str, Any]) -> frozenset[str]:
    """The formulas of a data source whose value changes while nobody edits anything, and those built on them."""
    expressions = {name: str(_content(_content(one, "formula"), "expression")) for name, one in schema.items()}
    found = {name for name, text in expressions.items() if _ASKS_THE_CLOCK.search(text)}
    while True:
        marks = [mark for name in found for mark in _references(name, _content(schema[name], "id"))]
        more = {name for name, text in expressions.items() if any(mark in text for mark in marks)} - found
        if not more:
            return frozenset(found)
        found |= more


def _references(name: str, property_id: object) -> tuple[str, str]:
    """How another formula's expression names a property: as people write it, and as Notion stores it."""
    return f'prop("{name}")', f"block_property:{property_id}:"


def _cut_relations(properties: Mapping[str, Any]) -> set[str]:
    """The cut relations of a page, by name and by decoded id: rollups name theirs by both."""
    cut = [name for name, value in properties.items() if _kind(value) == "relation" and value.get("has_more")]
    return {one for name in cut for one in _names_of(name, properties)}


def _names_of(name: str, properties: Mapping[str, Any]) -> set[str]:
    return {name, unquote(str(properties[name].get("id")))}


def _is_cut(value: Mapping[str, Any]) -> bool:
    match value.get("type"):
        case "relation":
            return value.get("has_more") is True
        case "people":
            return len(_objects(value.get("people"))) >= _SHOWN
        case "title" | "rich_text" as kind:
            return len([one for one in _objects(value.get(kind)) if one.get("type") == "mention"]) >= _SHOWN
        case _:
            return False


def _is_over(name: str, schema: Mapping[str, Any], relations: set[str]) -> bool:
    """Whether a property is a rollup over one of `relations`."""
    config = _content(schema.get(name), "rollup")
    named = (_content(config, "relation_property_name"), _content(config, "relation_property_id"))
    return any(isinstance(one, str) and (one in relations or unquote(one) in relations) for one in named)


def _computable(value: Mapping[str, Any]) -> bool:
    return str(_content(value.get("rollup"), "function")) not in _COMPUTED_NOWHERE


def _parted(
    name: str, given: Mapping[str, Any], schema: Mapping[str, Any], whole: Mapping[str, Endpoint]
) -> PartedRollup | None:
    """A property as a rollup in parts, None where it is none."""
    if given[name]["type"] != "rollup" or _kind(whole[name].last.get("rollup")) != "array":
        return None
    over = [one for one in whole if _kind(given[one]) == "relation" and _is_over(name, schema, _names_of(one, given))]
    pages = sum(len(whole[one].items) for one in over[:1])
    return parted_rollup(_content(_content(given[name], "rollup"), "array"), whole[name].items, pages)


def _completed(value: Any, endpoint: Endpoint | None, parted: PartedRollup | None) -> Any:
    if endpoint is None:
        return value
    kind = value["type"]
    if kind == "rollup":
        return {**value, "rollup": _whole_rollup(value.get("rollup"), endpoint, parted)}
    whole = {**value, kind: [item[kind] for item in endpoint.items if item.get(kind)]}
    return {**whole, "has_more": False} if kind == "relation" else whole


def _whole_rollup(in_page: Any, endpoint: Endpoint, parted: PartedRollup | None) -> Any:
    """The endpoint's result; the page's own where the endpoint has none."""
    result = endpoint.last.get("rollup")
    kind = _kind(result)
    if kind is None or kind in _NOT_TOLD:
        return in_page
    content: Any = _content(result, kind)
    if kind == "array":
        content = list(parted.flat) if parted else [_as_in_page(item) for item in endpoint.items]
    return {"type": kind, kind: content, "function": _content(in_page, "function")}


def _as_in_page(item: JsonObject) -> JsonObject:
    """An item of a rollup as it stands in a page: one a related page."""
    kind = str(item.get("type"))
    return {"type": kind, kind: item.get(kind)}


def _in_part(properties: Mapping[str, Any], schema: Mapping[str, Any], whole: Mapping[str, Endpoint]) -> Iterable[str]:
    """The computed properties of a page that Notion may have computed from the first 25 related pages alone."""
    relations = _cut_relations(properties)
    if not relations:
        return
    for name, value in properties.items():
        asked = whole.get(name)
        computed_whole = asked is not None and _kind(asked.last.get("rollup")) not in (None, *_NOT_TOLD)
        if _kind(value) == "formula" or (_is_over(name, schema, relations) and not computed_whole):
            yield name


# What is stored of it ----------------------------------------------------------------------------------------------


class _Storing:
    """Makes of what Notion gave what PostgreSQL holds; `altered` tells whether that lost anything."""

    def __init__(self) -> None:
        self.altered = False

    def properties(self, given: Mapping[str, Any]) -> JsonObject:
        """All properties of a page."""
        return {self.text(name): self._value(value, _LEVELS - 1) for name, value in given.items()}

    def picture(self, given: Any) -> Any:
        """An icon or a cover."""
        return self._value(given, _LEVELS)

    def text(self, text: str) -> str:
        """A text without NUL and halves of surrogate pairs, which PostgreSQL refuses."""
        stored = text.replace("\0", "").encode("utf-8", "ignore").decode("utf-8")
        self.altered = self.altered or stored != text
        return stored

    def _value(self, value: Any, levels: int) -> Any:
        match value:
            case str():
                return self.text(value)
            case dict() | list() if levels == 0:
                self.altered = True
                return None
            case dict():
                unsigned = _without_signature(value)
                return {self.text(key): self._value(one, levels - 1) for key, one in unsigned.items()}
            case list():
                return [self._value(one, levels - 1) for one in value]
            case float() | Decimal() if not math.isfinite(value):
                self.altered = True
                return None
            case _:
                return value


def _without_signature(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """A file or emoji hosted by Notion without what changes at every read: its URL's query, and when that expires."""
    kind = value.get("type")
    if kind not in ("file", "custom_emoji") or not isinstance(value.get(kind), dict):
        return value
    kept = {key: one for key, one in value[kind].items() if key != "expiry_time"}
    if isinstance(kept.get("url"), str):
        kept["url"] = kept["url"].partition("#")[0].partition("?")[0]
    return {**value, kind: kept}


# Whether two values are the same -----------------------------------------------------------------------------------


def first_difference(in_notion: object, in_postgresql: object, path: str = "") -> FirstDifference | None:
    """The first place at which two JSON values differ, None where they are the same.

    Stricter than Python, to which true is 1; numbers are the same when they are the same double.
    """
    if isinstance(in_notion, dict) and isinstance(in_postgresql, dict):
        keys = [*in_notion, *(key for key in in_postgresql if key not in in_notion)]
        steps = [
            (f"{path}.{key}".lstrip("."), in_notion.get(key, MISSING), in_postgresql.get(key, MISSING)) for key in keys
        ]
    elif isinstance(in_notion, list) and isinstance(in_postgresql, list):
        pairs = zip_longest(in_notion, in_postgresql, fillvalue=MISSING)
        steps = [(f"{path}[{place}]", one, other) for place, (one, other) in enumerate(pairs)]
    else:
        return None if _same(in_notion, in_postgresql) else FirstDifference(path, in_notion, in_postgresql)
    return next((spot for step in steps if (spot := first_difference(step[1], step[2], step[0]))), None)


def _same(one: object, other: object) -> bool:
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int) and isinstance(other, int):
        return one == other
    if isinstance(one, int | float) and isinstance(other, int | float):
        return _double(one) == _double(other)
    return type(one) is type(other) and one == other


def _double(number: float) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.copysign(math.inf, number)


# Reading JSON whose shape nobody promises --------------------------------------------------------------------------


def instant(written: object) -> datetime | None:
    """A time as Notion writes it, None if there is none."""
    try:
        time = datetime.fromisoformat(str(written))
    except ValueError:
        return None
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)


def _kind(value: object) -> str | None:
    kind = value.get("type") if isinstance(value, dict) else None
    return kind if isinstance(kind, str) else None


def _content(value: object, key: str | None) -> Any:
    return value.get(key) if isinstance(value, dict) and key is not None else None


def _objects(value: object) -> list[JsonObject]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _has_id(value: object) -> bool:
    return isinstance(value, dict) and isinstance(value.get("id"), str)
