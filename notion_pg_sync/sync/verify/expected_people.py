"""Pure: who people are, worked out for `sync --verify` from Notion's answers alone.

Nothing is shared with what the sync itself uses (`notion.people`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from msgspec import Struct


class Person(Struct, frozen=True):
    """A person, bot or group as Notion tells of them; `kind` is None where it tells no more than the id."""

    id: str
    kind: str | None
    name: str | None
    email: str | None
    avatar_url: str | None


def person_of(told: Mapping[str, Any]) -> Person | None:
    """The person in an answer, None if there is none."""
    try:
        person_id = str(UUID(told.get("id") if isinstance(told.get("id"), str) else ""))
    except ValueError:
        return None
    kind = "group" if told.get("object") == "group" else _stored(told.get("type"))
    if kind is None:
        return Person(person_id, None, None, None, None)
    details = told.get("person")
    email = details.get("email") if isinstance(details, dict) else None
    avatar = _stored(told.get("avatar_url"))
    if avatar is not None:
        avatar = avatar.partition("?")[0].partition("#")[0]
    return Person(person_id, kind, _stored(told.get("name")), _stored(email), avatar)


def people_in(properties: Mapping[str, Any]) -> Iterator[Person]:
    """Everybody whom the properties of a page name."""
    for value in properties.values():
        kind = value.get("type") if isinstance(value, dict) else None
        told = value.get(kind) if kind in ("people", "created_by", "last_edited_by") else []
        for one in told if isinstance(told, list) else [told]:
            if isinstance(one, dict) and (person := person_of(one)):
                yield person


def _stored(value: Any) -> str | None:
    text = value.replace("\0", "").encode("utf-8", "ignore").decode("utf-8") if isinstance(value, str) else ""
    return text or None
