"""Pure: JSON read and written by orjson, and by Python's own library where orjson gives up.

orjson takes a tenth of the time (docs/performance.md).
"""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import Any

import orjson


def read_json(text: bytes) -> Any:
    """What a JSON text says. Raises ValueError where it is none.

    A number that is not finite, or that no float can hold, becomes a Decimal that is not finite: orjson writes such a
    float as null, without a word.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        # It refuses halves of surrogate pairs too, which Notion may hold.
        return json.loads(text, parse_float=_number, parse_constant=Decimal)


def read_object(text: str) -> dict[str, Any]:
    """What the text of a JSON object says, whoever wrote it; empty where it is none, or too deep for Python.

    A number that no float can hold becomes null.
    """
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        try:
            found = json.loads(text, parse_int=_finite, parse_float=_finite, parse_constant=_finite)
        except (ValueError, RecursionError):
            return {}
    return found if isinstance(found, dict) else {}


def canonical_text(value: object) -> str:
    """A JSON value written so that the order of keys does not matter, halves of surrogate pairs as they are.

    Raises TypeError for a Decimal, and RecursionError for what is too deep.
    """
    try:
        return canonical_bytes(value).decode()
    except orjson.JSONEncodeError:
        # It refuses whole numbers of more than 64 bits.
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def canonical_bytes(value: object) -> bytes:
    """The canonical text in UTF-8. Raises TypeError for what orjson does not write: that may have one all the same."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def _number(text: str) -> float | Decimal:
    number = float(text)
    return number if math.isfinite(number) else Decimal(number)


def _finite(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None
