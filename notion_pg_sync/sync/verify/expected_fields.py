"""Pure: the plain values that a row must have, worked out for `sync --verify` from docs/property-types.md alone.

Nothing here is shared with what the sync itself uses (`notion.properties`, `notion.dates`, `notion.schema`): a fault in
both would hide itself. Takes properties as they must be stored, see `notion.expectation`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final
from urllib.parse import unquote
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec import Struct

from notion_pg_sync.sync.verify.expectation import MISSING

# The first and the last moment that a typed view shows; PostgreSQL knows no offset of 16 hours or more.
_MOMENTS = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, 23, 59, 59, 999999, tzinfo=UTC)
_OFFSET = re.compile(r"T\d{2}:\d{2}:\d{2}(\.\d{1,6})?[+-](0\d|1[0-5]):[0-5]\d$", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class NotTold(Enum):
    """The type of `NOT_TOLD`."""

    NOT_TOLD = "not told"


# Stands for what Notion did not compute: the copy may hold what it said of it last.
NOT_TOLD: Final = NotTold.NOT_TOLD


class NamedColumn(Struct, frozen=True):
    """A column as the tool named it, once and for good; `part` is `value`, or `at`, `end` or `end_at` of a date."""

    property_id: str
    part: str
    name: str
    type: str
    property_type: str


def expected_fields(properties: Mapping[str, Any], columns: Sequence[NamedColumn]) -> dict[str, Any]:
    """What `fields` must hold, by column name; `NOT_TOLD` where anything may stand.

    A property that the page does not have leaves its columns out.
    """
    by_id = {
        unquote(value["id"]): value for value in properties.values() if _is_text(_get(value, "id")) and value["id"]
    }
    in_parts = {unquote(column.property_id) for column in columns if column.part != "value"}
    return {
        column.name: _part(by_id[property_id], column.part, in_parts=property_id in in_parts)
        for column in columns
        if (property_id := unquote(column.property_id)) in by_id
    }


def unnamed_properties(schema: Mapping[str, Any], columns: Sequence[NamedColumn]) -> list[str]:
    """The properties of a schema that have no column, by name. A button holds no data, and has none."""
    named = {unquote(column.property_id) for column in columns if column.part == "value"}
    return sorted(
        name
        for name, one in schema.items()
        if _is_text(_get(one, "id")) and _get(one, "type") != "button" and unquote(one["id"]) not in named
    )


def expected_text(properties: Mapping[str, Any], names: Sequence[str]) -> str | None:
    """The first text that is not blank among the properties of these names, None where there is none."""
    texts = (plain for plain in _named(properties, names) if isinstance(plain, str) and plain.strip())
    return next(texts, None)


def expected_integer(properties: Mapping[str, Any], names: Sequence[str]) -> int | None:
    """The first whole number that PostgreSQL's `integer` holds among the properties of these names."""
    numbers = (plain for plain in _named(properties, names) if _is_number(plain))
    return next((int(one) for one in numbers if -(2**31) <= one < 2**31 and one == int(one)), None)


def expected_search_text(fields: Mapping[str, Any], columns: Sequence[NamedColumn]) -> str | None:
    """The text that search finds a page by beside its title; None where it cannot be told.

    That is the values of the text columns, a line each, those of Notion's text type first.
    """
    lines = []
    searched = [column for column in columns if column.type in ("text", "text[]")]
    for column in sorted(searched, key=lambda column: (column.property_type != "rich_text", column.name.encode())):
        value = fields.get(column.name)
        if column.property_type in ("title", "files", "verification") or value is None:
            continue
        shown = in_view(value, column.type)
        if shown is NOT_TOLD or isinstance(shown, Json):
            return None
        parts = [shown] if isinstance(shown, str) else shown or []
        if any(isinstance(part, Json) for part in parts):
            return None
        lines.append(", ".join(part for part in parts if part is not None))
    return "\n".join(line for line in lines if line)


def expected_people(fields: Mapping[str, Any], columns: Sequence[NamedColumn]) -> list[str] | None:
    """The ids of the people whom a page names, in order; None where they cannot be told."""
    values = [
        fields.get(column.name)
        for column in columns
        if column.part == "value" and column.property_type in ("people", "created_by", "last_edited_by")
    ]
    if NOT_TOLD in values:
        return None
    named = [one for value in values for one in (value if isinstance(value, list) else [value])]
    return sorted({one.lower() for one in named if isinstance(one, str) and _is_uuid(one)})


class Json(Struct, frozen=True):
    """A value that a text column shows as JSON, in whatever form PostgreSQL writes that."""

    value: Any


def in_view(value: Any, type_: str) -> Any:
    """What a typed view's column of this type must show of a plain value: null where the type cannot hold it.

    Text of what is no text is `Json`; a time is a datetime. Types are as PostgreSQL's `format_type` says them.
    """
    if value is None or value is NOT_TOLD or value is MISSING:
        return None if value is MISSING else value
    match type_:
        case "numeric":
            return value if _is_number(value) else None
        case "boolean":
            return value if isinstance(value, bool) else None
        case "date":
            return value if _is_day(value) else None
        case "timestamp with time zone":
            return _shown_moment(value)
        case "uuid":
            return value.lower() if _is_uuid(value) else None
        case "uuid[]":
            is_shown = isinstance(value, list) and all(map(_is_uuid, value))
            return [one.lower() for one in value] if is_shown else None
        case "text[]":
            return [_as_text(one) for one in value] if isinstance(value, list) else None
        case "text":
            return _as_text(value)
        case _:
            return value


def same_in_view(expected: Any, shown: Any) -> bool:
    """Whether a view shows what it must; `shown` as PostgreSQL's `to_jsonb` gives it."""
    match expected:
        case Json():
            return isinstance(shown, str) and _reads_as(shown, expected.value)
        case datetime():
            return isinstance(shown, str) and datetime.fromisoformat(shown) == expected
        case list():
            return isinstance(shown, list) and len(shown) == len(expected) and all(map(same_in_view, expected, shown))
        case bool() | None:
            return expected is shown
        case int() | float():
            return _is_number(shown) and float(expected) == float(shown)
        case _:
            return bool(expected == shown)


# Plain values ------------------------------------------------------------------------------------------------------


def plain(value: Any) -> Any:
    """The plain value of a property, or of a formula's or rollup's result, as docs/property-types.md has it."""
    kind = _get(value, "type")
    content = _get(value, kind)
    match kind:
        case "title" | "rich_text":
            return "".join(map(_written, _objects(content)))
        case "select" | "status":
            return _text(_get(content, "name"))
        case "multi_select" | "people" | "relation" | "files":
            return _listed(kind, content)
        case "created_by" | "last_edited_by":
            return _text(_get(content, "id"))
        case "verification":
            return _text(_get(content, "state"))
        case "created_time" | "last_edited_time" | "date" | "unique_id" | "place":
            return _put_together(kind, content)
        case "formula" | "rollup" | "array" | "unsupported" | "incomplete":
            return _computed(kind, content)
        case "button":
            return None
        case _:
            return content


def _listed(kind: str, content: Any) -> list[str]:
    if kind == "files":
        return [url for file in _objects(content) if (url := _url(file)) is not None]
    return _texts(content, "name" if kind == "multi_select" else "id")


def _put_together(kind: str, content: Any) -> str | None:
    match kind:
        case "date":
            (day, at), (end_day, end_at) = _point(content, "start"), _point(content, "end")
            start, end = at or day, end_at or end_day
            return f"{start or ''}/{end}" if end else start
        case "unique_id":
            prefix, number = _text(_get(content, "prefix")), _get(content, "number")
            return None if number is None else f"{prefix}-{number}" if prefix else str(number)
        case "place":
            return _place(content)
        case _:
            return _moment(content, None) if isinstance(content, str) else None


def _computed(kind: str, content: Any) -> Any:
    if kind in ("formula", "rollup"):
        return plain(content)
    parts = [plain(one) for one in content] if isinstance(content, list) else []
    return NOT_TOLD if kind != "array" or NOT_TOLD in parts else parts


def _part(value: Any, part: str, *, in_parts: bool) -> Any:
    """A property's value for one of its columns; `in_parts`: it has those for the parts of a date."""
    dated = _get(value, _get(value, "type")) if _get(value, "type") in ("formula", "rollup") else value
    if _get(dated, "type") != "date":
        whole = plain(value)
        return whole if part == "value" or whole is NOT_TOLD else None
    day, at = _point(dated.get("date"), "start")
    end_day, end_at = _point(dated.get("date"), "end")
    parts = {"at": at, "end": end_day, "end_at": end_at}
    return parts.get(part, day if in_parts else plain(value))


def _named(properties: Mapping[str, Any], names: Sequence[str]) -> Iterator[Any]:
    """The plain values of the properties of these names, in their order; capital letters and blanks do not count."""
    for wanted in names:
        for name in sorted(properties):
            if name.strip().casefold() == wanted.strip().casefold():
                yield plain(properties[name])


def _point(date: Any, end: str) -> tuple[str | None, str | None]:
    """An end of a date: its calendar day as written, and the moment, None where it has no time."""
    written = _get(date, end)
    if not _is_text(written):
        return None, None
    day, separator, time = written.partition("T")
    if not (separator and time and _DAY.fullmatch(day)):
        return written, None
    return day, _moment(written, _get(date, "time_zone"))


def _moment(written: str, zone: Any) -> str:
    """A moment in ISO 8601 with its own offset; what cannot be read as one stays as it is."""
    try:
        moment = datetime.fromisoformat(written)
        if moment.tzinfo is None:
            if not _is_text(zone):
                return written
            moment = moment.replace(tzinfo=ZoneInfo(zone))
        # Before there were time zones offsets had seconds, which PostgreSQL cannot read.
        offset = moment.utcoffset()
        return (moment.astimezone(UTC) if offset is None or offset.seconds % 60 else moment).isoformat()
    except (ValueError, LookupError, OSError, OverflowError):
        return written


def _written(item: Mapping[str, Any]) -> str:
    """The text of a rich text item; a program that hands items on may leave out `plain_text`."""
    text = _text(item.get("plain_text"))
    if text is None:
        text = _text(_get(item.get("text"), "content")) or _text(_get(item.get("equation"), "expression"))
    return text or ""


def _url(file: Mapping[str, Any]) -> str | None:
    return _text(_get(file.get(str(file.get("type"))), "url"))


def _place(content: Any) -> str | None:
    latitude, longitude = _get(content, "lat"), _get(content, "lon")
    where = None if latitude is None or longitude is None else f"{latitude},{longitude}"
    return _text(_get(content, "address")) or _text(_get(content, "name")) or where


def _as_text(value: Any) -> Any:
    return value if value is None or isinstance(value, str) else Json(value)


def _reads_as(shown: str, value: Any) -> bool:
    try:
        return bool(json.loads(shown) == value)
    except ValueError:
        return False


def _shown_moment(value: Any) -> datetime | None:
    if not (_is_text(value) and _is_day(value[:10]) and _OFFSET.search(value)):
        return None
    try:
        moment = datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if _MOMENTS[0] <= moment <= _MOMENTS[1] else None


def _is_day(value: Any) -> bool:
    if not (_is_text(value) and _DAY.fullmatch(value)):
        return False
    try:
        return bool(datetime.strptime(value, "%Y-%m-%d"))
    except ValueError:
        return False


def _is_uuid(value: Any) -> bool:
    return _is_text(value) and _UUID.fullmatch(value) is not None and UUID(value) is not None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _texts(value: Any, key: str) -> list[str]:
    return [one[key] for one in _objects(value) if _is_text(one.get(key))]


def _objects(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _get(value: Any, key: Any) -> Any:
    return value.get(key) if isinstance(value, dict) and isinstance(key, str) else None
