"""A row's hash is the same in every release: another one would write every row of every user again."""

from __future__ import annotations

import json

import pytest

from notion_pg_sync.mirror.sent_rows import Row
from notion_pg_sync.mirror.tables import SyncTable
from notion_pg_sync.notion.json_text import read_json
from notion_pg_sync.notion.pages import read_page
from notion_pg_sync.notion.schema import assign_columns
from notion_pg_sync.sync.rows.conversion import Conversion
from tests.notion.payloads import payload

TABLE = SyncTable("public", "notion_pages_sync", "title", "content", has_database_name=True)
HOSTED = {"type": "file", "file": {"url": "https://files.example/a%20b.png?X-Amz-Signature={}", "expiry_time": "{}"}}
EMOJI = {"type": "custom_emoji", "custom_emoji": {"id": "x", "name": "fox", "url": "https://files.example/f.png?{}"}}
PROPERTIES: dict[str, object] = {
    "Name": {"id": "title", "type": "title", "title": [{"plain_text": 'Ä "quoted" \\u0000 title 🦊'}]},
    "Notes": {"id": "n", "type": "rich_text", "rich_text": [{"plain_text": "a", "mention": EMOJI}]},
    "Files": {"id": "f", "type": "files", "files": [{"name": 'a"b.png', **HOSTED}, {"name": "c", **HOSTED}]},
    "Link": {"id": "l", "type": "url", "url": "https://files.example/a.png?X-Amz-Signature=kept"},
    "Due": {"id": "d", "type": "date", "date": {"start": "2026-06-27T10:00:00.000+01:00", "end": None}},
    "Sum": {"id": "s", "type": "formula", "formula": {"type": "unsupported", "unsupported": {}}},
    "Parts": {
        "id": "p",
        "type": "rollup",
        "rollup": {"type": "array", "array": [{"type": "files", "files": [HOSTED]}]},
    },
    "Newer": {"id": "x", "type": "newer", "newer": {"picture": HOSTED, "more": [1, 2.5, None]}},
    "Who": {"id": "w", "type": "people", "people": [{"id": "00000000-0000-4000-8000-0000000000f1"}]},
}
SCHEMA = {
    name: {"id": value["id"], "name": name, "type": value["type"]}
    for name, value in PROPERTIES.items()
    if isinstance(value, dict)
}


def signed(value: object, signature: str) -> object:
    """The value with this signature wherever there is one."""
    if isinstance(value, dict):
        return {key: signed(item, signature) for key, item in value.items()}
    if isinstance(value, list):
        return [signed(item, signature) for item in value]
    return value.replace("{}", signature) if isinstance(value, str) else value


def row_of(answered: dict[str, object], schema: dict[str, object]) -> Row:
    conversion = Conversion(assign_columns(schema, []), TABLE)
    pages = [read_page(answered)]
    conversion.settle_types(pages)
    return conversion.rows_of(pages)[0]


def answer(signature: str, **properties: object) -> dict[str, object]:
    answered = {
        **payload("12_")["results"][0],
        "icon": EMOJI,
        "cover": HOSTED,
        "properties": {**PROPERTIES, **properties},
    }
    found = signed(answered, signature)
    assert isinstance(found, dict)
    return found


def page(signature: str, **properties: object) -> Row:
    return row_of(answer(signature, **properties), dict(SCHEMA))


def backwards(value: object) -> object:
    """The same JSON with every object's keys in the opposite order."""
    if isinstance(value, dict):
        return {key: backwards(value[key]) for key in reversed(value)}
    return [backwards(item) for item in value] if isinstance(value, list) else value


def recorded_row(name: str) -> Row:
    answered = payload(name)["results"][0]
    values = answered["properties"].items()
    return row_of(answered, {key: {"id": value["id"], "name": key, "type": value["type"]} for key, value in values})


def rows() -> dict[str, Row]:
    return {
        **{name: recorded_row(name) for name in ("12_", "13_", "15_")},
        "signed": page("1"),
        "altered": page("1", Odd={"id": "o", "type": "rich_text", "rich_text": [{"plain_text": "a\x00b\ud800"}]}),
        "odd file": page("1", Odd={"id": "o", **HOSTED}),
    }


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        ("12_", "94daf497f81a72133f03672d64ea8d096979343c3ee27dfe7d7c69ae447aa593"),
        ("13_", "2f3d3733c1b088a3f53207ab8e6b73cb021f8f1f8c66dd90574587d19b2ae486"),
        ("15_", "29476918e095ba91d07dbc383c7730df1ffaa9dc84d3ff99ca8933f87bbf66c4"),
        ("signed", "e633365fda5f2391428f2b6a42be8c3e9073cbd625b7e926732fb87114b723ba"),
        ("altered", "357eaddd386d89f3fc34f695ac9203b555a5ef838757e06e3b18daabb1a31627"),
        ("odd file", "96f8575d851e2dfbb356999bad96df58abf4660b953c0062e6fb45775db8f4d7"),
    ],
)
def test_a_row_has_the_hash_that_it_had(which: str, expected: str) -> None:
    assert rows()[which].content_hash == expected


def test_another_signature_changes_nothing_of_a_row() -> None:
    assert page("1") == page("2")


def test_another_spelling_of_the_same_answer_changes_nothing_of_a_row() -> None:
    spelled = json.dumps(backwards(answer("2")), indent=2, ensure_ascii=True).replace("/", "\\/")
    assert row_of(read_json(spelled.encode()), dict(SCHEMA)) == page("1")


def test_a_link_that_differs_in_a_signature_is_another_row() -> None:
    link = {"id": "l", "type": "url", "url": "https://files.example/a.png?X-Amz-Signature=other"}
    assert page("1").content_hash != page("1", Link=link).content_hash
