"""Pure: what Notion gave, made storable and the same at every read; and the hash that tells whether it changed."""

from __future__ import annotations

import hashlib
import re
from decimal import Decimal
from typing import Any

from msgspec import Struct

from notion_pg_sync.notion.json_access import get_path
from notion_pg_sync.notion.json_text import canonical_bytes, canonical_text

# Raised whenever the same answer of Notion would now be stored otherwise, so that an upgrade writes every row once.
CONVERSION_VERSION = 4

# Notion's own values are about ten deep. PostgreSQL and Python both give up somewhere beyond a few hundred.
MAX_NESTING = 100

# NUL, and halves of surrogate pairs: JSON can escape them, PostgreSQL's text cannot hold them.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

# Whose content is a URL with a signature, by their type (docs/notion-api.md#files).
SIGNED_TYPES = ("file", "custom_emoji")

# In a canonical text: a NUL, which an escaped backslash before "u0000" is not.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")

# In a canonical text: the mark of what is of these types, and the objects in which Notion gives it. What somebody wrote
# is neither: its quotes would be escaped.
_SIGNED_MARKS = tuple(f'"type":"{kind}"'.encode() for kind in SIGNED_TYPES)
_SIGNED = re.compile(
    rb'\{"(file|custom_emoji)":\{(?:"expiry_time":STRING,)?((?:"id":STRING,)?(?:"name":STRING,)?)'
    rb'"url":"([^"\\?#]*)(?:[?#][^"\\]*)?"\},((?:"name":STRING,)?"type":"\1")\}'.replace(
        b"STRING", rb'"[^"\\]*(?:\\.[^"\\]*)*"'
    )
)
_UNSIGNED = rb'{"\1":{\2"url":"\3"},\4}'


class Storable(Struct, frozen=True):
    """A JSON value as it can be stored: its canonical text, and how much of it had to be altered (see `sanitize`).

    `value` is cleaned too; where nothing was altered, it may still have the signatures that `text` lacks.
    """

    value: Any
    text: str
    altered: int


def storable_text(text: str) -> str:
    """`text` without the characters that PostgreSQL refuses."""
    return _UNSTORABLE.sub("", text)


def strip_signature(url: str) -> str:
    """A hosted file's URL without the signature, which is in its query and changes at every read."""
    return url.partition("?")[0].partition("#")[0]


def sanitize(given: object) -> tuple[Any, int]:
    """A JSON value (properties, icon, cover), as `read_json` gives it, as it can be stored, and how much was altered.

    Altered, and counted: strings and keys with characters that PostgreSQL refuses lose these; numbers that are not
    finite, and what is nested deeper than `MAX_NESTING`, become null. Hosted files and custom emoji lose signature and
    expiry, which is no loss and not counted (docs/notion-api.md#files). All else, unknown types too, stays as it is.
    """
    cleaner = _Cleaner()
    return cleaner.clean(given, MAX_NESTING), cleaner.altered


def to_storable(given: object) -> Storable:
    """A JSON value cleaned, with its canonical text.

    Nearly every page is clean as it comes, but for signatures; its text tells that, and loses these, in a fraction of
    the time that `sanitize` takes.
    """
    text = _clean_text_of(given)
    if text is not None:
        return Storable(given, text, 0)
    value, altered = sanitize(given)
    return Storable(value, canonical_text(value), altered)


def picture_text(given: object) -> str | None:
    """An icon or a cover as canonical text, cleaned; None where there is none."""
    return None if given is None else to_storable(given).text


def picture_link(given: object) -> str | None:
    """What shows an icon or a cover: the emoji itself, else the picture's URL, cleaned; None where there is neither."""
    if not isinstance(given, dict):
        return None
    picture, _ = sanitize(given)
    kind = picture.get("type")
    content = picture.get(kind) if isinstance(kind, str) else None
    link = content if kind == "emoji" else get_path(content, "url")
    return link if isinstance(link, str) else None


def page_hash(*texts: str) -> str:
    """The hash (hex) of all that is stored of a page, given as canonical texts; `CONVERSION_VERSION` is part of it."""
    return digest("\n".join((str(CONVERSION_VERSION), *texts)))


def digest(text: str) -> str:
    """The SHA-256 (hex) of a text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _clean_text_of(given: object) -> str | None:
    """The canonical text of a value, without signatures; None where something has to be altered, or may have to be."""
    try:
        text = canonical_bytes(given)
    except TypeError:
        return None
    if (b"\\u0000" in text and _NUL.search(text)) or _is_deeper(given, text, MAX_NESTING):
        return None
    signed = sum(map(text.count, _SIGNED_MARKS))
    if signed:
        text, found = _SIGNED.subn(_UNSIGNED, text)
        if found != signed:
            return None
    return text.decode()


def _is_deeper(value: object, text: bytes, levels: int) -> bool:
    """Whether objects and arrays are nested deeper than `levels`; `text` is the value's canonical text."""
    # The quick way to tell that they are not: brackets within texts count too, and do no harm.
    if text.count(b"{") + text.count(b"[") <= levels:
        return False
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(levels):
        if not level:
            return False
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
    return bool(level)


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
        if isinstance(value, Decimal):
            self.altered += 1
            return None
        return value

    def _object(self, value: dict[str, object], depth: int) -> dict[str, object]:
        if any(map(_UNSTORABLE.search, value)):
            value = self._with_storable_keys(value)
        stored = {key: self.clean(item, depth) for key, item in value.items()}
        kind = stored.get("type")
        if kind in SIGNED_TYPES and isinstance(signed := stored.get(kind), dict):
            stored[kind] = _without_signature(signed)
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
    return {**kept, "url": strip_signature(url)} if isinstance(url, str) else kept
