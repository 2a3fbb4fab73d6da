"""Pure: the people whom Notion's answers name, with what they tell of them.

Without the capability to read user information a user is an id and nothing else (docs/notion-api.md#people).
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from notion_pg_sync.core.users import User
from notion_pg_sync.notion.cleaning import storable_text, strip_signature
from notion_pg_sync.notion.json_access import as_list, get_path
from notion_pg_sync.notion.page_properties import PageProperties


def read_user(answered: object) -> User | None:
    """The user in an answer, partial or whole; None where there is none."""
    try:
        id_ = str(UUID(str(get_path(answered, "id"))))
    except ValueError:
        return None
    kind = "group" if get_path(answered, "object") == "group" else _text(get_path(answered, "type"))
    if kind is None:
        return User(id_)
    name = _text(get_path(answered, "name"))
    avatar = _text(get_path(answered, "avatar_url"))
    return User(
        id_, kind, name, _text(get_path(answered, "person", "email")), strip_signature(avatar) if avatar else None
    )


def users_in(properties: PageProperties) -> Iterator[User]:
    """Everybody whom the properties of a page name: its people, and who made and edited it."""
    for value in properties:
        if value.type == "people":
            yield from (user for item in as_list(value.content) if (user := read_user(item)))
        elif value.type in ("created_by", "last_edited_by") and (user := read_user(value.content)):
            yield user


def _text(value: object) -> str | None:
    return storable_text(value) if isinstance(value, str) and value else None
