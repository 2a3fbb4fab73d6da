"""What is stored of a page holds nothing that PostgreSQL refuses and nothing that changes by itself."""

from __future__ import annotations

import hashlib
import json
import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notion_pg_sync.notion import cleaning
from notion_pg_sync.notion.cleaning import MAX_NESTING, Storable, page_hash, sanitize, to_storable
from notion_pg_sync.notion.json_text import canonical_text, read_json
from notion_pg_sync.notion.page_properties import read_properties
from notion_pg_sync.notion.people import users_in
from notion_pg_sync.notion.properties import columns_by_property, fields_of, first_text, plain_value, title_text
from notion_pg_sync.notion.schema import assign_columns
from tests.notion.arbitrary_json import json_values, page_properties
from tests.notion.payloads import payload, recorded

BARE = "https://prod-files-secure.s3.us-west-2.amazonaws.com/a/b.png"


def hosted(signature: str) -> dict[str, object]:
    return {"type": "file", "file": {"url": f"{BARE}?X-Amz-Signature={signature}", "expiry_time": f"at {signature}"}}


def strings_in(value: object) -> list[str]:
    if isinstance(value, dict):
        return [*value, *(text for item in value.values() for text in strings_in(item))]
    if isinstance(value, list):
        return [text for item in value for text in strings_in(item)]
    return [value] if isinstance(value, str) else []


def shuffled(value: object, shuffle: random.Random) -> object:
    """The same JSON with every object's keys in another order."""
    if isinstance(value, dict):
        keys = list(value)
        shuffle.shuffle(keys)
        return {key: shuffled(value[key], shuffle) for key in keys}
    return [shuffled(item, shuffle) for item in value] if isinstance(value, list) else value


def test_nul_and_lone_surrogates_go_from_strings_and_keys_and_are_counted() -> None:
    given_value = {"na\x00me": ["a\x00b\x00c", "fine", "\ud83d", "\U0001f600"], "ok": None}
    assert sanitize(given_value) == ({"name": ["abc", "fine", "", "\U0001f600"], "ok": None}, 3)


def test_an_escaped_emoji_is_no_lone_surrogate() -> None:
    assert sanitize(json.loads('"\\ud83d\\ude00"')) == ("😀", 0)


def test_keys_that_become_one_keep_both_values_whatever_their_order() -> None:
    one, other = {"a": 1, "a\x00": 2, "\x00a": 3}, {"a\x00": 2, "\x00a": 3, "a": 1}
    assert sanitize(one) == sanitize(other) == ({"a": 1, "a_": 3, "a__": 2}, 2)


def test_numbers_that_json_of_postgresql_lacks_become_null_and_are_counted() -> None:
    read = read_json(b"[NaN, -Infinity, 1e400, 1.5, 1180591620717411303424]")
    assert to_storable(read) == Storable(
        [None, None, None, 1.5, 2**70], "[null,null,null,1.5,1180591620717411303424]", 3
    )


def test_nesting_beyond_reason_is_cut_off_and_counted() -> None:
    value: object = "core"
    for _ in range(5000):
        value = {"a": [value]}
    cleaned, altered = sanitize(value)
    assert altered == 1
    assert json.dumps(cleaned).count("[") == MAX_NESTING // 2


def test_what_notion_really_nests_stays() -> None:
    for page in recorded("page"):
        assert sanitize(page["properties"]) == (page["properties"], 0)


def test_hosted_files_lose_signature_and_expiry_everywhere_and_that_is_not_counted() -> None:
    kept = {"type": "file", "file": {"url": BARE}}
    rollup = {"type": "array", "array": [{"type": "files", "files": [{"name": "b?", **hosted("1")}]}]}
    page = {
        "icon": hosted("1"),
        "cover": hosted("2"),
        "properties": {
            "F": {"type": "files", "files": [{"name": "b.png", **hosted("3")}]},
            "R": {"type": "rollup", "rollup": rollup},
        },
    }
    cleaned_rollup = {"type": "array", "array": [{"type": "files", "files": [{"name": "b?", **kept}]}]}
    assert sanitize(page) == (
        {
            "icon": kept,
            "cover": kept,
            "properties": {
                "F": {"type": "files", "files": [{"name": "b.png", **kept}]},
                "R": {"type": "rollup", "rollup": cleaned_rollup},
            },
        },
        0,
    )


def test_a_custom_emoji_in_a_text_loses_its_signature() -> None:
    emoji = {"id": "x", "name": "fox", "url": "https://files.example/fox.png?signature=1", "expiry_time": "soon"}
    text = [{"type": "mention", "mention": {"type": "custom_emoji", "custom_emoji": emoji}, "plain_text": ":fox:"}]
    stored = to_storable({"Notes": {"type": "rich_text", "rich_text": text}})
    assert json.loads(stored.text)["Notes"]["rich_text"][0]["mention"]["custom_emoji"] == {
        "id": "x",
        "name": "fox",
        "url": "https://files.example/fox.png",
    }
    assert stored.altered == 0


def test_the_recorded_signed_url_loses_its_signature() -> None:
    cleaned, _ = sanitize(payload("40_"))
    assert cleaned == {
        "type": "file",
        "file": {
            "url": "https://s3.us-west-2.amazonaws.com/secure.notion-static.com/"
            "2703e742-ace5-428c-a74d-1c587ceddc32/DiRT_Rally.png"
        },
    }


def test_other_urls_keep_their_query() -> None:
    value = {
        "files": [{"name": "x", "type": "external", "external": {"url": "https://example.com/?a=1#b"}}],
        # A property that somebody called "file".
        "file": {"id": "a", "type": "url", "url": "https://example.com/?a=1#b", "expiry_time": "kept"},
        "type": {"id": "b", "type": "select", "select": {"name": "file"}},
        "strange": {"type": "file", "file": {"url": None}, "other": {"type": "file", "file": "x?y"}},
    }
    assert sanitize(value) == (value, 0)


def test_the_hash_of_a_file_is_the_same_at_every_read() -> None:
    assert page_hash(to_storable(hosted("1")).text) == page_hash(to_storable(hosted("2")).text)


@settings(deadline=None)
@given(json_values)
def test_what_is_cleaned_can_be_stored_and_needs_no_more_cleaning(value: object) -> None:
    cleaned, altered = sanitize(value)
    written = json.dumps(cleaned, ensure_ascii=False, allow_nan=False)
    assert json.loads(written.encode()) == cleaned
    assert not any(re.search("[\x00\ud800-\udfff]", text) for text in strings_in(cleaned))
    assert sanitize(cleaned) == (cleaned, 0)
    if not altered and not {"file", "custom_emoji"} & {*strings_in(value)}:
        assert cleaned == value


@settings(deadline=None)
@given(json_values, st.randoms(use_true_random=False))
def test_the_hash_does_not_depend_on_the_order_of_keys(value: object, shuffle: random.Random) -> None:
    assert to_storable(value).text == to_storable(shuffled(value, shuffle)).text


@settings(deadline=None)
@given(json_values)
def test_the_quick_way_to_what_is_clean_gives_what_cleaning_gives(value: object) -> None:
    stored = to_storable(value)
    cleaned, altered = sanitize(value)
    assert (stored.text, stored.altered) == (canonical_text(cleaned), altered)
    if altered:
        assert stored.value == cleaned
    stored.text.encode()


@settings(deadline=None)
@given(page_properties)
def test_where_nothing_was_altered_plain_values_are_those_of_what_was_cleaned(properties: dict[str, object]) -> None:
    cleaned, altered = sanitize(properties)
    if altered:
        return
    read, read_cleaned = read_properties(properties), read_properties(cleaned)
    columns = columns_by_property(assign_columns({name: value for name, value in properties.items() if value}, []))
    assert fields_of(read, columns) == fields_of(read_cleaned, columns)
    assert [plain_value(one.given) for one in read] == [plain_value(one.given) for one in read_cleaned]
    assert title_text(read) == title_text(read_cleaned)
    assert first_text(read, list(properties)) == first_text(read_cleaned, list(properties))
    assert {*users_in(read)} == {*users_in(read_cleaned)}


def files(*names: str) -> dict[str, object]:
    return {"F": {"id": "f", "type": "files", "files": [{"name": name, **hosted("1")} for name in names]}}


@pytest.mark.parametrize(
    "value",
    [
        files("a.png", 'a"b.png', "a\\", "ä", "\\u0000", '{"file":{"url":"a?b"},"type":"file"}'),
        {
            "icon": hosted("1"),
            "emoji": {"type": "custom_emoji", "custom_emoji": {"id": "x", "name": "y", "url": "a?b"}},
        },
        # Properties with the names of what marks a file.
        {"file": {"id": "a", "type": "url", "url": "https://example.com/?a=1"}, "type": {"id": "b", "type": "title"}},
        {"Notes": "an escaped backslash, and then: \\u0000"},
    ],
)
def test_what_notion_gives_is_cleaned_without_a_walk(value: object, monkeypatch: pytest.MonkeyPatch) -> None:
    cleaned, _ = sanitize(value)
    monkeypatch.delattr(cleaning, "sanitize")
    assert to_storable(value).text == canonical_text(cleaned)


@pytest.mark.parametrize(
    "property_value",
    [
        {"type": "url", "url": "https://files.example/a.png?X-Amz-Signature={}"},
        {"type": "files", "files": [{"name": "a", "type": "external", "external": {"url": "a?X-Amz-Signature={}"}}]},
        {"type": "rich_text", "rich_text": [{"type": "text", "text": {"link": {"url": "a?X-Amz-Signature={}"}}}]},
        {"type": "rich_text", "rich_text": [{"plain_text": '{"file":{"url":"a?X-Amz-Signature={}"},"type":"file"}'}]},
        {"type": "files", "files": [{"name": '"file":{"url":"a?X-Amz-Signature={}"}', **hosted("1")}]},
    ],
)
def test_a_signature_that_is_not_in_a_file_of_notion_is_a_change(property_value: dict[str, object]) -> None:
    one, other = (json.loads(json.dumps(property_value).replace("{}", signature)) for signature in ("1", "2"))
    assert to_storable({"P": one}).text != to_storable({"P": other}).text


def test_nesting_beyond_reason_is_found_by_the_quick_way_too() -> None:
    for levels in (MAX_NESTING - 1, MAX_NESTING, MAX_NESTING + 1, 5000):
        value: object = "core"
        for _ in range(levels):
            value = [value]
        assert to_storable(value).altered == (levels > MAX_NESTING)


def test_the_hash_depends_on_values_and_on_the_order_of_arrays() -> None:
    stored: list[dict[str, object]] = [{"a": [1, 2]}, {"a": [2, 1]}, {"a": ["1", 2]}, {"b": [1, 2]}, {"a": None}, {}]
    assert len({page_hash(to_storable(value).text) for value in stored}) == len(stored)
    assert re.fullmatch("[0-9a-f]{64}", page_hash("{}"))


def test_a_new_version_of_the_conversion_changes_every_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    before = page_hash('{"a":1}')
    monkeypatch.setattr(cleaning, "CONVERSION_VERSION", cleaning.CONVERSION_VERSION + 1)
    assert page_hash('{"a":1}') != before


def test_the_hash_is_the_same_in_every_process_and_release() -> None:
    # A change of this, without a new CONVERSION_VERSION, would write every row of every user again.
    written_out = '4\n{"a":[1,2.5,null],"b":"ä"}\n[]'.encode()
    assert page_hash(canonical_text({"b": "ä", "a": [1, 2.5, None]}), "[]") == hashlib.sha256(written_out).hexdigest()
