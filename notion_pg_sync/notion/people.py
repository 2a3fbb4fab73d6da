"""Pure: the people whom Notion's answers name, with what they tell of them.

Without the capability to read user information a user is an id and nothing else (docs/notion-api.md#people).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from uuid import UUID

from notion_pg_sync.core.users import User
from notion_pg_sync.notion.cleaning import storable_text, strip_signature
from notion_pg_sync.notion.json_access import as_list, get_path
from notion_pg_sync.notion.page_properties import PageProperties


def read_user(answered: object) -> User | None:
    """The user in an answer, partial or whole; None where there is none."""
    if not isinstance(answered, dict):
        return None
    kind = "group" if answered.get("object") == "group" else _text(answered.get("type"))
    name, email = _text(answered.get("name")), _text(get_path(answered.get("person"), "email"))
    return _user(str(answered.get("id")), kind, name, email, _text(answered.get("avatar_url")))


def users_in(properties: PageProperties) -> Iterator[User]:
    """Everybody whom the properties of a page name: its people, and who made and edited it."""
    for value in properties:
        if value.type == "people":
            yield from (user for item in as_list(value.content) if (user := read_user(item)))
        elif value.type in ("created_by", "last_edited_by") and (user := read_user(value.content)):
            yield user


# The pages of a data source name the same people.
@lru_cache(maxsize=1024)
def _user(id_: str, kind: str | None, name: str | None, email: str | None, avatar: str | None) -> User | None:
    try:
        id_ = str(UUID(id_))
    except ValueError:
        return None
    if not kind:
        return User(id_)
    avatar = _storable(avatar)
    return User(id_, _storable(kind), _storable(name), _storable(email), strip_signature(avatar) if avatar else None)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _storable(text: str | None) -> str | None:
    return storable_text(text) if text else None
