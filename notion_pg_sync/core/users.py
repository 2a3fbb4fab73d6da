"""Pure: a user of Notion, to whoever reads one in an answer or keeps one."""

from __future__ import annotations

from msgspec import Struct


class User(Struct, frozen=True):
    """Somebody or something that acts: a `person`, `bot`, `group`, or of a kind that came later.

    `kind` is None where nothing but the id is told. All texts are storable.
    """

    id: str
    kind: str | None = None
    name: str | None = None
    email: str | None = None
    avatar_url: str | None = None
