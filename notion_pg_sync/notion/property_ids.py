"""Pure: property ids, which Notion percent-encodes in some places and not in others."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import unquote


@lru_cache(maxsize=4096)
def decoded(property_id: str) -> str:
    """A property id as it can be compared."""
    return unquote(property_id)
