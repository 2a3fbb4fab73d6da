"""The same JSON, written in other ways: a client may not take bytes that differ for content that does."""

import json
import re
from collections.abc import Callable
from typing import Any

import orjson

from notion_workspace.model import Json


def spelled(body: Json | Any, spelling: str) -> bytes:
    """A JSON value as `spelling` writes it. Raises LookupError for one that there is not."""
    return SPELLINGS[spelling](body)


def _backwards(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _backwards(value[key]) for key in reversed(value)}
    return [_backwards(item) for item in value] if isinstance(value, list) else value


def _with_exponents(body: Any) -> bytes:
    """Whole numbers as `12e0`; within a text nothing looks like one, since a quotation mark stands before it there."""
    return re.sub(rb'(?<=[a-zA-Z0-9_]":)(-?\d+)(?=[,}])', rb"\1e0", orjson.dumps(body))


SPELLINGS: dict[str, Callable[[Any], bytes]] = {
    "compact": orjson.dumps,
    "spaced": lambda body: json.dumps(body, ensure_ascii=False, indent=1).encode("utf-8", "surrogatepass"),
    "escaped": lambda body: json.dumps(body, separators=(",", ":")).replace("/", "\\/").encode(),
    "backwards": lambda body: orjson.dumps(_backwards(body)),
    "exponents": _with_exponents,
}
