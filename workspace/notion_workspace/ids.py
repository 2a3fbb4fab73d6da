"""Ids: made from the seed, read with or without dashes."""

import hashlib
import re
import uuid
from urllib.parse import quote

_UUID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}", re.IGNORECASE)
_NIL = "00000000-0000-0000-0000-000000000000"
# The characters that recorded property ids are made of.
_PROPERTY_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz:;<=>?@[\\]^_`{|}~"


def digest(*parts: object, size: int = 16) -> bytes:
    """Bytes that depend on the parts alone."""
    return hashlib.blake2b("\x1f".join(map(str, parts)).encode(), digest_size=size).digest()


def parse_uuid(text: str) -> str | None:
    """The dashed, lower-case form of an id; None when Notion would not call it a valid uuid.

    Notion refuses some well-formed ones (payload 37: `12345678-1234-1234-1234-123456789abc`) and takes the nil one;
    taken here: those of RFC 9562's variant.
    """
    if not _UUID.fullmatch(text):
        return None
    dashed = str(uuid.UUID(text))
    return dashed if dashed == _NIL or dashed[19] in "89ab" else None


def encode_property_id(property_id: str) -> str:
    """A property id as schemas and pages carry it: percent-encoded (docs/notion-api.md#data-sources)."""
    return quote(property_id, safe="")


def stable_uuid(*parts: object) -> str:
    """An id that depends on the parts alone."""
    return str(uuid.UUID(bytes=digest(*parts), version=4))


class IdMaker:
    """Deals out ids that depend on the seed and the order of asking alone."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._count = 0

    def uuid(self, kind: str) -> str:
        """The next id of a kind, such as `page`."""
        self._count += 1
        return stable_uuid(self.seed, kind, self._count)

    def property_id(self, data_source_id: str, taken: set[str]) -> str:
        """The next property id of a data source: four characters, as recorded."""
        while True:
            self._count += 1
            letters = digest(self.seed, data_source_id, self._count, size=4)
            made = "".join(_PROPERTY_ALPHABET[letter % len(_PROPERTY_ALPHABET)] for letter in letters)
            if made not in taken:
                return made
