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


def canonical_text(value: object) -> str:
    """A JSON value written so that the order of keys does not matter, halves of surrogate pairs as they are.

    Raises TypeError for a Decimal, and RecursionError for what is too deep.
    """
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    except orjson.JSONEncodeError:
        # It refuses whole numbers of more than 64 bits.
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _number(text: str) -> float | Decimal:
    number = float(text)
    return number if math.isfinite(number) else Decimal(number)
