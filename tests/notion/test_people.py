"""Whom a page names, and what it tells of them."""

from __future__ import annotations

import pytest
from hypothesis import given

from notion_pg_sync.core.users import User
from notion_pg_sync.notion.page_properties import read_properties
from notion_pg_sync.notion.people import read_user, users_in
from tests.notion.arbitrary_json import json_values, page_properties

ADA = "00000000-0000-4000-8000-0000000000f1"
PERSON = {"object": "user", "id": ADA, "type": "person", "name": "Ada", "person": {"email": "ada@example.com"}}


@pytest.mark.parametrize(
    ("answered", "expected"),
    [
        (PERSON, User(ADA, "person", "Ada", "ada@example.com")),
        ({**PERSON, "person": {}}, User(ADA, "person", "Ada")),
        ({**PERSON, "avatar_url": "https://x.y/a.png?sig=1"}, User(ADA, "person", "Ada", "ada@example.com", "https://x.y/a.png")),
        ({"object": "user", "id": ADA.replace("-", "").upper()}, User(ADA)),
        ({"object": "user", "id": ADA, "type": "bot", "name": None, "bot": {}}, User(ADA, "bot")),
        ({"object": "group", "id": ADA, "name": "Team"}, User(ADA, "group", "Team")),
        ({"object": "user", "id": ADA, "type": "agent", "name": "New"}, User(ADA, "agent", "New")),
        ({"object": "user", "id": ADA, "type": 7, "name": "New"}, User(ADA)),
        ({"object": "user", "id": "nobody"}, None),
        (None, None),
    ],
)  # fmt: skip
def test_users(answered: object, expected: User | None) -> None:
    assert read_user(answered) == expected


def test_people_and_who_made_and_edited_a_page_are_found() -> None:
    properties = {
        "Who": {"id": "a", "type": "people", "people": [PERSON, {"object": "user", "id": "bad"}]},
        "Made": {"id": "b", "type": "created_by", "created_by": {"object": "user", "id": ADA}},
        "Edited": {"id": "c", "type": "last_edited_by", "last_edited_by": PERSON},
        "Name": {"id": "title", "type": "title", "title": []},
    }
    assert [user.name for user in users_in(read_properties(properties))] == ["Ada", None, "Ada"]


@given(page_properties, json_values)
def test_no_json_makes_it_fail(properties: dict[str, object], answered: object) -> None:
    for user in [*users_in(read_properties(properties)), read_user(answered)]:
        assert user is None or "\x00" not in (user.name or "")
