"""Pure: what Notion gave, made storable and the same at every read; and the hash that tells whether it changed."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from typing import Any

# Raised whenever the same answer of Notion would now be stored otherwise, so that an upgrade writes every row once.
CONVERSION_VERSION = 1

# Notion's own values are about ten deep. PostgreSQL and Python both give up somewhere beyond a few hundred.
DEEPEST = 100

# NUL, and halves of surrogate pairs: JSON can escape them, PostgreSQL's text cannot hold them.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def storable_text(text: str) -> str:
    """`text` without the characters that PostgreSQL refuses."""
    return _UNSTORABLE.sub("", text)


def unsigned(url: str) -> str:
    """A hosted file's URL without the signature, which is in its query and changes at every read."""
    return re.split("[?#]", url, maxsplit=1)[0]


def clean(given: object) -> tuple[Any, int]:
    """A JSON value (properties, icon, cover) as it can be stored, and how much of it had to be altered for that.

    Altered, and counted: strings and keys with characters that PostgreSQL refuses lose these; numbers that are not
    finite, and what is nested deeper than `DEEPEST`, become null. Hosted files lose signature and expiry, which is no
    loss and not counted (notion-api.md, section 4, "files"). All else, unknown types too, stays as it is.
    """
    cleaner = _Cleaner()
    return cleaner.clean(given, DEEPEST), cleaner.altered


def page_hash(stored: Mapping[str, object]) -> str:
    """The hash (hex) of all that is stored of a page; `stored` is JSON, cleaned.

    The order of keys does not matter, that of arrays does. `CONVERSION_VERSION` is part of it.
    """
    return digest([CONVERSION_VERSION, stored])


def digest(value: object) -> str:
    """The SHA-256 (hex) of a JSON value in its canonical form."""
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


class _Cleaner:
    def __init__(self) -> None:
        self.altered = 0

    def clean(self, value: object, depth: int) -> object:
        # Plain tests, the commonest first: this runs for every value of every page.
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, dict | list) and depth == 0:
            self.altered += 1
            return None
        if isinstance(value, dict):
            return self._object(value, depth - 1)
        if isinstance(value, list):
            return [self.clean(item, depth - 1) for item in value]
        if isinstance(value, float) and not math.isfinite(value):
            self.altered += 1
            return None
        return value

    def _object(self, value: dict[str, object], depth: int) -> dict[str, object]:
        if any(map(_UNSTORABLE.search, value)):
            value = self._with_storable_keys(value)
        stored = {key: self.clean(item, depth) for key, item in value.items()}
        file = stored.get("file")
        if stored.get("type") == "file" and isinstance(file, dict):
            stored["file"] = _without_signature(file)
        return stored

    def _with_storable_keys(self, value: dict[str, object]) -> dict[str, object]:
        storable: dict[str, object] = {}
        # Keys that need no cleaning come first, so that two keys which become one never cost a value, and so that
        # the result does not hang on the order of the keys.
        for key in sorted(value, key=lambda key: (storable_text(key) != key, key)):
            free = self._text(key)
            while free in storable:
                free += "_"
            storable[free] = value[key]
        return storable

    def _text(self, text: str) -> str:
        if not _UNSTORABLE.search(text):
            return text
        self.altered += 1
        return storable_text(text)


def _without_signature(file: dict[str, object]) -> dict[str, object]:
    kept = {key: value for key, value in file.items() if key != "expiry_time"}
    url = kept.get("url")
    return {**kept, "url": unsigned(url)} if isinstance(url, str) else kept
