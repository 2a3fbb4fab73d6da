"""Filters of a query: read from Notion's JSON, checked, and asked of pages (docs/notion-api.md#queries).

`parse` refuses with 400 what Notion would: unknown properties, operators that the type lacks, deeper nesting.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from notion_workspace.clock import DAY, MINUTE, milliseconds, to_datetime
from notion_workspace.errors import validation_error
from notion_workspace.model import DataSource, Json, Page, Property, Value
from notion_workspace.plain import Reader
from notion_workspace.rollups import instant
from notion_workspace.state import State

# Beyond every moment, on either side.
ALWAYS = 1 << 62
_DEEPEST = 2
_MOST_MEMBERS = 100


class Condition(Protocol):
    """Something that a page meets or not."""

    def matches(self, page: Page) -> bool:
        """Whether the page meets it."""
        ...


@dataclass(frozen=True)
class Interval:
    """A timestamp within [low, high), in milliseconds; `field` is `created` or `edited`."""

    state: State
    field: str
    low: int
    high: int

    def matches(self, page: Page) -> bool:
        """Whether the page's time lies within."""
        return self.low <= self.state.indexed_time(page, self.field) < self.high


@dataclass(frozen=True)
class Group:
    """All (`and`) or any (`or`) of its members."""

    every: bool
    members: tuple[Condition, ...]

    def matches(self, page: Page) -> bool:
        """Whether all or any of the members are met."""
        return (all if self.every else any)(member.matches(page) for member in self.members)


@dataclass(frozen=True)
class Test:
    """A property's value put to a test."""

    reader: Reader
    prop: Property
    passes: Callable[[Any], bool]

    def matches(self, page: Page) -> bool:
        """Whether the page's value passes."""
        if self.prop.type == "unique_id":
            return self.passes(page.values.get(self.prop.id))
        return self.passes(self.reader.value(page, self.prop))


@dataclass(frozen=True)
class Window:
    """What a condition says of a page whose two times are one: within [low, high), and whether that is all it says."""

    low: int
    high: int
    exact: bool


def window(condition: Condition | None) -> Window:
    """The window of a condition, as far as it can be told without looking at pages."""
    match condition:
        case None:
            return Window(-ALWAYS, ALWAYS, exact=True)
        case Interval(low=low, high=high):
            return Window(low, high, exact=True)
        case Group(every=True, members=members):
            parts = [window(member) for member in members]
            low, high = max(part.low for part in parts), min(part.high for part in parts)
            return Window(low, high, exact=all(part.exact for part in parts))
        case _:
            return Window(-ALWAYS, ALWAYS, exact=False)


def parse(literal: Value, source: DataSource, reader: Reader, depth: int = 0) -> Condition:
    """Reads a filter. Raises ApiError (400 validation_error) for what Notion would refuse."""
    if not isinstance(literal, dict):
        raise validation_error("body failed validation: body.filter should be an object.")
    for word in ("and", "or"):
        if word in literal:
            if depth == _DEEPEST:
                raise validation_error("body failed validation: body.filter is nested too deeply.")
            members = literal[word]
            if not isinstance(members, list) or not members or len(literal) > 1:
                raise validation_error(f"body failed validation: body.filter.{word} should be a non-empty array.")
            if len(members) > _MOST_MEMBERS:
                raise validation_error(
                    f"body failed validation: body.filter.{word}.length should be ≤ `{_MOST_MEMBERS}`, instead was "
                    f"`{len(members)}`."
                )
            return Group(word == "and", tuple(parse(member, source, reader, depth + 1) for member in members))
    if "timestamp" in literal:
        return _timestamp(literal, reader)
    return _property(literal, source, reader)


def _timestamp(literal: Json, reader: Reader) -> Condition:
    field = str(literal["timestamp"])
    if field not in _FIELDS:
        raise validation_error(
            "body failed validation: body.filter.timestamp should be created_time or last_edited_time."
        )
    operator, value = _single(literal, field, {"timestamp", "type"})
    return _interval(_FIELDS[field], operator, value, reader)


def _property(literal: Json, source: DataSource, reader: Reader) -> Condition:
    name = literal.get("property")
    prop = source.find_property(name) if isinstance(name, str) else None
    if prop is None:
        raise validation_error(f"Could not find property with name or id: {name}")
    if prop.type in _FIELDS:
        operator, value = _single(literal, prop.type, {"property", "type"})
        return _interval(_FIELDS[prop.type], operator, value, reader)
    tests = _TESTS.get(prop.type)
    if tests is None:
        raise validation_error(f"body failed validation: properties of type {prop.type} cannot be filtered.")
    operator, value = _single(literal, prop.type, {"property", "type"})
    if prop.type == "date" and operator not in tests:
        span = _span(operator, value, reader)
        return Test(reader, prop, lambda date: date is not None and _within(date, *span))
    if operator not in tests:
        raise validation_error(f"body failed validation: body.filter.{prop.type}.{operator} should be not present.")
    test = tests[operator]
    if not isinstance(value, test.accepts) or (isinstance(value, bool) and bool not in test.accepts):
        raise validation_error(f"body failed validation: body.filter.{prop.type}.{operator} has the wrong type.")
    return Test(reader, prop, lambda held: test.passes(held, value))


def _single(literal: Json, kind: str, others: set[str]) -> tuple[str, Any]:
    """The one operator under the filter's type, with its value."""
    operators = literal.get(kind)
    if not isinstance(operators, dict) or len(operators) != 1 or literal.keys() - others - {kind}:
        raise validation_error(f"body failed validation: body.filter.{kind} should be defined, with one operator.")
    return next(iter(operators.items()))


# --- times -----------------------------------------------------------------------------------------------------

_FIELDS = {"created_time": "created", "last_edited_time": "edited"}

# Days from today, for the words that stand for a date.
_WORDS = {
    "today": 0,
    "tomorrow": 1,
    "yesterday": -1,
    "one_week_ago": -7,
    "one_week_from_now": 7,
    "one_month_ago": -30,
    "one_month_from_now": 30,
}
# First and last day from today, for operators that take no value.
_PERIODS = {
    "past_week": (-7, 0),
    "past_month": (-30, 0),
    "past_year": (-365, 0),
    "next_week": (0, 7),
    "next_month": (0, 30),
    "next_year": (0, 365),
}


def _interval(field: str, operator: str, value: Value, reader: Reader) -> Interval:
    low, high = _span(operator, value, reader)
    if reader.state.settings.filter_precision == "minute":
        # A time rounded down lies within exactly when the time itself lies within the bounds rounded up.
        low, high = (bound if abs(bound) == ALWAYS else -(-bound // MINUTE) * MINUTE for bound in (low, high))
    return Interval(reader.state, field, low, high)


def _span(operator: str, value: Value, reader: Reader) -> tuple[int, int]:
    """The moments that a date operator takes, as [low, high)."""
    today = reader.state.clock.now // DAY * DAY
    if operator in _PERIODS:
        first, last = _PERIODS[operator]
        return today + first * DAY, today + (last + 1) * DAY
    if operator == "this_week":
        monday = today - to_datetime(today).weekday() * DAY
        return monday, monday + 7 * DAY
    if operator == "is_not_empty":
        return -ALWAYS, ALWAYS
    if operator == "is_empty":
        return ALWAYS, ALWAYS
    start, end = _moment(value, today)
    spans = {
        "equals": (start, end),
        "before": (-ALWAYS, start),
        "after": (end, ALWAYS),
        "on_or_before": (-ALWAYS, end),
        "on_or_after": (start, ALWAYS),
    }
    if operator not in spans:
        raise validation_error(f"body failed validation: date operator {operator} should be not present.")
    return spans[operator]


def _moment(value: Value, today: int) -> tuple[int, int]:
    """A day as [its midnight, the next), a date-time as [itself, a millisecond later)."""
    if isinstance(value, str) and value in _WORDS:
        start = today + _WORDS[value] * DAY
        return start, start + DAY
    try:
        start = milliseconds(value)
    except (TypeError, ValueError, AttributeError) as error:
        raise validation_error("body failed validation: date filter should be a valid ISO 8601 date string.") from error
    return (start, start + DAY) if len(value) == len("2026-06-01") else (start, start + 1)


def _within(date: Json, low: int, high: int) -> bool:
    return low <= instant(date["start"]) * 1000 < high


# --- values ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Operator:
    """What a filter's value must be, and the test of a page's value against it."""

    accepts: tuple[type, ...]
    passes: Callable[[Any, Any], bool]


def _is_empty(held: Value) -> bool:
    return held is None or held in ("", [], {})


_EMPTINESS = {
    "is_empty": _Operator((bool,), lambda held, _value: _is_empty(held)),
    "is_not_empty": _Operator((bool,), lambda held, _value: not _is_empty(held)),
}
_TEXT = {
    "equals": _Operator((str,), lambda held, value: (held or "") == value),
    "does_not_equal": _Operator((str,), lambda held, value: (held or "") != value),
    "contains": _Operator((str,), lambda held, value: value.lower() in (held or "").lower()),
    "does_not_contain": _Operator((str,), lambda held, value: value.lower() not in (held or "").lower()),
    "starts_with": _Operator((str,), lambda held, value: (held or "").lower().startswith(value.lower())),
    "ends_with": _Operator((str,), lambda held, value: (held or "").lower().endswith(value.lower())),
    **_EMPTINESS,
}
_CHOICE = {
    "equals": _Operator((str,), lambda held, value: held == value),
    "does_not_equal": _Operator((str,), lambda held, value: held != value),
    **_EMPTINESS,
}
_CHECKBOX = {
    "equals": _Operator((bool,), lambda held, value: held == value),
    "does_not_equal": _Operator((bool,), lambda held, value: held != value),
}
_MEMBERS = {
    "contains": _Operator((str,), lambda held, value: value in (held or ())),
    "does_not_contain": _Operator((str,), lambda held, value: value not in (held or ())),
    **_EMPTINESS,
}


def _number(compare: Callable[[Any, Any], bool]) -> _Operator:
    return _Operator((int, float), lambda held, value: held is not None and compare(held, value))


_UNIQUE_ID = {
    "equals": _Operator((int, float), lambda held, value: held == value),
    "does_not_equal": _Operator((int, float), lambda held, value: held != value),
    "greater_than": _number(lambda held, value: held > value),
    "less_than": _number(lambda held, value: held < value),
    "greater_than_or_equal_to": _number(lambda held, value: held >= value),
    "less_than_or_equal_to": _number(lambda held, value: held <= value),
}
_NUMBER = {**_UNIQUE_ID, **_EMPTINESS}

_TESTS: dict[str, dict[str, _Operator]] = {
    **dict.fromkeys(("title", "rich_text", "url", "email", "phone_number"), _TEXT),
    **dict.fromkeys(("select", "status"), _CHOICE),
    **dict.fromkeys(("multi_select", "people", "relation"), _MEMBERS),
    "checkbox": _CHECKBOX,
    "number": _NUMBER,
    "unique_id": _UNIQUE_ID,
    "files": _EMPTINESS,
    "date": _EMPTINESS,
}
