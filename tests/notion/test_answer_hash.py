"""Pages whose answers have the same hash are the same; a signature that is another is no other page."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from notion_pg_sync.core.columns import Column
from notion_pg_sync.notion.answer_hash import answer_hash, conversion_key, users_named
from notion_pg_sync.notion.cleaning import to_storable
from notion_pg_sync.notion.exclusion import without_emails
from tests.notion.arbitrary_json import page_properties, wild_text

KEY = conversion_key({}, [])
SIGNATURES = st.sampled_from(["", "?X-Amz-Signature=1", "?X-Amz-Signature=2", "?a=1#b", "#c"])
PATHS = st.sampled_from(["https://files.example/a.png", "https://files.example/b.png"])
URLS = st.builds(str.__add__, PATHS, SIGNATURES)
TIMES = st.sampled_from(["2026-11-02T09:00:00.000Z", "2026-11-02T10:00:00.000Z"])
NAMES = wild_text | st.sampled_from(['","url":"https://x.example/?', '"file":{"url":"https://x.example/?', "a.png"])


def file_of(url: str, expiry: str, name: str) -> dict[str, Any]:
    return {"name": name, "type": "file", "file": {"url": url, "expiry_time": expiry}}


def external_of(url: str, name: str) -> dict[str, Any]:
    return {"name": name, "type": "external", "external": {"url": url}}


def emoji_of(url: str, name: str) -> dict[str, Any]:
    return {"type": "custom_emoji", "custom_emoji": {"id": "e", "name": name, "url": url}}


FILES = st.lists(
    st.builds(file_of, URLS, TIMES, NAMES) | st.builds(external_of, URLS, NAMES) | st.builds(emoji_of, URLS, NAMES),
    max_size=2,
)
PROPERTIES = st.dictionaries(
    st.sampled_from(["Files", "Link", "file", "custom_emoji"]),
    st.builds(lambda files: {"id": "f", "type": "files", "files": files}, FILES)
    | st.builds(lambda url: {"id": "u", "type": "url", "url": url}, URLS)
    | st.builds(lambda text: {"id": "t", "type": "rich_text", "rich_text": [{"plain_text": text}]}, NAMES),
    max_size=2,
)


def written(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")


def hashed(value: object, *, keeps_emails: bool = True) -> str | None:
    return answer_hash(KEY, written(value), keeps_emails=keeps_emails)


@given(one=PROPERTIES, other=PROPERTIES)
def test_answers_of_one_hash_are_stored_alike(one: dict[str, Any], other: dict[str, Any]) -> None:
    if hashed(one) == hashed(other):
        assert to_storable(one).text == to_storable(other).text


@given(page_properties)
def test_a_page_as_it_was_has_the_hash_that_it_had(properties: dict[str, Any]) -> None:
    text = json.dumps(properties, default=float).encode("utf-8", "surrogatepass")
    assert answer_hash(KEY, text, keeps_emails=True) == answer_hash(KEY, bytes(text), keeps_emails=True)


@given(path=PATHS, name=NAMES, make=st.sampled_from([file_of, emoji_of]))
def test_another_signature_of_a_hosted_file_is_no_change(path: str, name: str, make: Callable[..., Any]) -> None:
    first, second = f"{path}?X-Amz-Signature=1", f"{path}?X-Amz-Signature=2"
    if make is file_of:
        made = [file_of(first, "2026-11-02T09:00:00.000Z", name), file_of(second, "2026-11-02T10:00:00.000Z", name)]
    else:
        made = [emoji_of(first, name), emoji_of(second, name)]
    assert hashed(made[0]) == hashed(made[1])


@pytest.mark.parametrize(
    "with_url",
    [
        lambda url: {"id": "u", "type": "url", "url": url},
        lambda url: external_of(url, "a.png"),
        lambda url: {"type": "text", "text": {"content": "here", "link": {"url": url}}, "href": url},
        # What somebody wrote that looks like a file of Notion's.
        lambda url: {"plain_text": orjson.dumps({"file": {"url": url, "expiry_time": "x"}}).decode()},
        lambda url: {"file": {"id": "u", "type": "url", "url": url}},
    ],
)
def test_another_signature_anywhere_else_is_a_change(with_url: Callable[[str], object]) -> None:
    one, other = (with_url(f"https://x.example/a.png?X-Amz-Signature={number}") for number in (1, 2))
    assert hashed(one) != hashed(other)


def test_addresses_of_people_count_only_where_they_are_kept() -> None:
    def person(email: str) -> dict[str, Any]:
        return {"object": "user", "id": "p", "type": "person", "person": {"email": email}}

    ada, eve = person("ada@example.com"), person("eve@example.com")
    assert hashed(ada) != hashed(eve)
    assert hashed(ada, keeps_emails=False) == hashed(eve, keeps_emails=False)
    assert without_emails(ada) == without_emails(eve)
    # The value of a property is not an address of a person.
    one, other = ({"id": "e", "type": "email", "email": one} for one in ("ada@example.com", "eve@example.com"))
    assert hashed(one, keeps_emails=False) != hashed(other, keeps_emails=False)


@pytest.mark.parametrize(
    "person", [{"email": "ada@example.com"}, {"email": "ada@example.com", "since": 1}, {"since": 1, "email": "a@b.c"}]
)
@pytest.mark.parametrize("indent", [None, 1])
def test_no_hash_tells_an_address_however_it_is_written(person: dict[str, Any], indent: int | None) -> None:
    def hash_of(person: dict[str, Any]) -> str | None:
        user = {"object": "user", "id": "p", "type": "person", "person": person}
        return answer_hash(KEY, json.dumps(user, indent=indent).encode(), keeps_emails=False)

    assert hash_of(person) == hash_of({**person, "email": "eve@example.com"})


@pytest.mark.parametrize("turn", [list, lambda keys: keys[::-1]])
def test_an_address_in_a_property_called_person_counts(turn: Callable[[list[str]], list[str]]) -> None:
    def hash_of(email: str) -> str | None:
        value = {"id": "e", "type": "email", "email": email}
        return hashed({"properties": {"person": {key: value[key] for key in turn(list(value))}}}, keeps_emails=False)

    assert hash_of("ada@example.com") is None or hash_of("ada@example.com") != hash_of("eve@example.com")


def test_the_key_tells_schemas_columns_and_places_apart() -> None:
    column = Column("a", "A", "number", "a", "numeric")
    keys = [
        conversion_key({}, []),
        conversion_key({"A": {"id": "a"}}, []),
        conversion_key({}, [column]),
        conversion_key({}, [Column("a", "A", "number", "a", "text")]),
        conversion_key({}, [column], "public.notion_pages_sync"),
    ]
    assert len(set(keys)) == len(keys)
    other = Column("b", "B", "number", "b", "numeric")
    assert conversion_key({}, [column, other]) == conversion_key({}, [other, column])
    assert conversion_key({"b": 1, "a": 2}, []) == conversion_key({"a": 2, "b": 1}, [])


def test_who_is_named_by_the_properties_is_found() -> None:
    ada, team = "38c9ce7b-60a4-817b-84ae-e63702a6c78e", "48c9ce7b-60a4-817b-84ae-e63702a6c78e"
    eve, bot = "58c9ce7b-60a4-817b-84ae-e63702a6c78e", "68c9ce7b-60a4-817b-84ae-e63702a6c78e"
    page = {
        "created_by": {"object": "user", "id": eve},
        "properties": {
            "Who": {"people": [{"object": "user", "id": ada, "name": "Ada"}, {"object": "group", "id": team}]},
            "Made by": {"id": "x", "type": "created_by", "created_by": {"object": "user", "id": bot}},
        },
    }
    assert users_named(written(page)) == {ada, team, bot}
