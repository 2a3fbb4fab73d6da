"""Rollup functions over plain values.

The rules, where Notion's documentation has none in detail: empty values (None, "", [], False is not empty) count for
`count`, `empty` and the percentages alone; percentages are fractions of 1, None over nothing; list values (people,
tags) count one each for `count_values`, `unique` and `show_unique`.
"""

import statistics
from collections.abc import Callable
from datetime import datetime
from typing import Any

from notion_workspace.model import Value

Values = list[Any]

ARRAYS = frozenset({"show_original", "show_unique"})
DATES = frozenset({"earliest_date", "latest_date", "date_range"})
# The property endpoint never computes these (docs/notion-api.md#property-items).
NEVER_IN_ENDPOINT = frozenset({"show_unique", "unique", "median", "count_per_group", "percent_per_group"})


def compute(function: str, values: Values) -> Value:
    """The plain result of a rollup: number or None, date object or None, list. Raises KeyError if unknown."""
    return _FUNCTIONS[function](values)


def _filled(values: Values) -> Values:
    return [value for value in values if value is not None and value not in ("", [], {})]


def _single(values: Values) -> Values:
    single: Values = []
    for value in _filled(values):
        single.extend(value if isinstance(value, list) else [value])
    return single


def _unique(values: Values) -> Values:
    unique: Values = []
    for value in _single(values):
        if value not in unique:
            unique.append(value)
    return unique


def _numbers(values: Values) -> list[float]:
    return [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]


def _over_numbers(function: Callable[[list[float]], float]) -> Callable[[Values], float | None]:
    def over(values: Values) -> float | None:
        numbers = _numbers(values)
        return function(numbers) if numbers else None

    return over


def _share(chosen: Callable[[Values], Values]) -> Callable[[Values], float | None]:
    return lambda values: len(chosen(values)) / len(values) if values else None


def _checked(values: Values) -> Values:
    return [value for value in values if value is True]


def _unchecked(values: Values) -> Values:
    return [value for value in values if value is False]


def _empty(values: Values) -> Values:
    return [None] * (len(values) - len(_filled(values)))


def instant(text: str) -> float:
    """A date's text as seconds, to put dates in order; a day counts from its midnight in UTC."""
    moment = datetime.fromisoformat(text if "T" in text else f"{text}T00:00:00+00:00")
    return moment.timestamp()


def _dates(values: Values) -> list[dict[str, Any]]:
    return sorted((value for value in values if value), key=lambda value: instant(value["start"]))


def _date_range(values: Values) -> dict[str, Any] | None:
    dates = _dates(values)
    return {**dates[0], "end": dates[-1]["end"] or dates[-1]["start"]} if dates else None


_FUNCTIONS: dict[str, Callable[[Values], Any]] = {
    "show_original": list,
    "show_unique": _unique,
    "count": len,
    "count_values": lambda values: len(_single(values)),
    "unique": lambda values: len(_unique(values)),
    "empty": lambda values: len(_empty(values)),
    "not_empty": lambda values: len(_filled(values)),
    "percent_empty": _share(_empty),
    "percent_not_empty": _share(_filled),
    "checked": lambda values: len(_checked(values)),
    "unchecked": lambda values: len(_unchecked(values)),
    "percent_checked": _share(_checked),
    "percent_unchecked": _share(_unchecked),
    "sum": lambda values: sum(_numbers(values)),
    "average": _over_numbers(statistics.fmean),
    "median": _over_numbers(statistics.median),
    "min": _over_numbers(min),
    "max": _over_numbers(max),
    "range": _over_numbers(lambda numbers: max(numbers) - min(numbers)),
    "earliest_date": lambda values: next(iter(_dates(values)), None),
    "latest_date": lambda values: next(iter(_dates(values)[::-1]), None),
    "date_range": _date_range,
}
