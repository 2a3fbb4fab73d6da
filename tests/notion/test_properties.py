"""Every property type has the plain value that a person would write down for it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings

from notion_pg_sync.notion.cleaning import sanitize
from notion_pg_sync.notion.page_properties import read_properties
from notion_pg_sync.notion.properties import (
    NOT_COMPUTED,
    NotComputed,
    first_integer,
    first_text,
    plain_text,
    plain_value,
    title_text,
)
from tests.notion.arbitrary_json import json_values, page_properties, property_values
from tests.notion.payloads import payload, recorded

USER = {"object": "user", "id": "00000000-0000-4000-8000-0000000000f1"}
PAGE = "38c9ce7b-60a4-817b-84ae-e63702a6c78e"
OTHER_PAGE = "38c9ce7b-60a4-81cd-82bf-d6b143c14ce5"
SIGNED = "https://prod-files-secure.s3.us-west-2.amazonaws.com/a/b/plan%20B.png?X-Amz-Signature=cafe#page"
UNSIGNED = "https://prod-files-secure.s3.us-west-2.amazonaws.com/a/b/plan%20B.png"
HOSTED = {"name": "plan", "type": "file", "file": {"url": SIGNED, "expiry_time": "2026-06-27T18:00:00.000Z"}}
EXTERNAL = {"name": "x", "type": "external", "external": {"url": "https://example.com/x?y=1#z"}}


def text(content: str) -> dict[str, object]:
    return {"type": "text", "text": {"content": content, "link": None}, "plain_text": content, "href": None}


def option(name: str) -> dict[str, object]:
    return {"id": "1c994aad", "name": name, "color": "default"}


def date(start: str, end: str | None = None, zone: str | None = None) -> dict[str, object]:
    return {"start": start, "end": end, "time_zone": zone}


def mention(shown: str) -> dict[str, object]:
    return {"type": "mention", "mention": {"type": "page", "page": {"id": PAGE}}, "plain_text": shown}


@pytest.mark.parametrize(
    ("kind", "content", "expected"),
    [
        ("title", [text("The "), text("Hobbit")], "The Hobbit"),
        ("title", [], ""),
        ("rich_text", [text("see "), mention("Gandalf"), text("\nsoon")], "see Gandalf\nsoon"),
        ("rich_text", [{"type": "text", "text": {"content": "no plain_text"}}], "no plain_text"),
        ("rich_text", [{"type": "equation", "equation": {"expression": "e=mc^2"}}], "e=mc^2"),
        ("rich_text", [{"type": "equation", "equation": {"expression": "a"}, "plain_text": "b"}], "b"),
        ("rich_text", [], ""),
        ("rich_text", None, ""),
        ("number", 0.25, 0.25),
        ("number", 0, 0),
        ("number", 12345678901234567890, 12345678901234567890),
        ("number", None, None),
        ("select", option("Wizard"), "Wizard"),
        ("select", None, None),
        ("select", "Wizard", None),
        ("status", option("In progress"), "In progress"),
        ("status", None, None),
        ("multi_select", [option("a"), option("b"), option("a")], ["a", "b", "a"]),
        ("multi_select", [], []),
        ("date", date("2026-06-27"), "2026-06-27"),
        ("date", date("2026-06-27T10:00:00.000+01:00"), "2026-06-27T10:00:00+01:00"),
        ("date", date("2026-06-27T10:00:00", zone="Europe/London"), "2026-06-27T10:00:00+01:00"),
        ("date", date("2026-06-27", "2026-06-29"), "2026-06-27/2026-06-29"),
        ("date", None, None),
        ("people", [USER, {"object": "group", "id": PAGE, "name": "Team"}], [USER["id"], PAGE]),
        ("people", [], []),
        ("files", [HOSTED, EXTERNAL], [UNSIGNED, "https://example.com/x?y=1#z"]),
        ("files", [{"name": "broken", "type": "file"}], []),
        ("files", [], []),
        ("checkbox", True, True),
        ("checkbox", False, False),
        ("url", "https://example.com/?q=1", "https://example.com/?q=1"),
        ("url", None, None),
        ("email", "a@example.com", "a@example.com"),
        ("phone_number", "call me maybe", "call me maybe"),
        ("formula", {"type": "string", "string": "x"}, "x"),
        ("formula", {"type": "string", "string": None}, None),
        ("formula", {"type": "number", "number": 2.5}, 2.5),
        ("formula", {"type": "boolean", "boolean": False}, False),
        ("formula", {"type": "date", "date": date("2026-06-27")}, "2026-06-27"),
        ("formula", {"type": "unsupported", "unsupported": {}}, NOT_COMPUTED),
        ("formula", {"type": "colour", "colour": {"r": 1}}, {"r": 1}),
        ("formula", None, None),
        ("rollup", {"type": "number", "number": 0, "function": "count"}, 0),
        ("rollup", {"type": "number", "number": None, "function": "max"}, None),
        ("rollup", {"type": "date", "date": None, "function": "latest_date"}, None),
        ("rollup", {"type": "array", "array": [], "function": "show_original"}, []),
        (
            "rollup",
            {
                "type": "array",
                "array": [
                    {"type": "title", "title": [text("a"), text("b")]},
                    {"type": "number", "number": None},
                    {"type": "multi_select", "multi_select": [option("x"), option("y")]},
                    {"type": "files", "files": [HOSTED]},
                    {"type": "formula", "formula": {"type": "boolean", "boolean": True}},
                    {"type": "date", "date": date("2026-06-27", "2026-06-28")},
                ],
                "function": "show_original",
            },
            ["ab", None, ["x", "y"], [UNSIGNED], True, "2026-06-27/2026-06-28"],
        ),
        ("rollup", {"type": "unsupported", "unsupported": {}, "function": "sum"}, NOT_COMPUTED),
        ("rollup", {"type": "incomplete", "incomplete": {}, "function": "sum"}, NOT_COMPUTED),
        (
            "rollup",
            {"type": "array", "array": [{"type": "formula", "formula": {"type": "unsupported", "unsupported": {}}}]},
            NOT_COMPUTED,
        ),
        ("relation", [{"id": PAGE}, {"id": OTHER_PAGE}], [PAGE, OTHER_PAGE]),
        ("relation", [], []),
        ("created_time", "2026-06-26T13:45:00.000Z", "2026-06-26T13:45:00+00:00"),
        ("last_edited_time", "2026-06-26T13:45:00.000Z", "2026-06-26T13:45:00+00:00"),
        ("last_edited_time", None, None),
        ("created_by", USER, USER["id"]),
        ("last_edited_by", {"object": "user"}, None),
        ("unique_id", {"prefix": None, "number": 3}, "3"),
        ("unique_id", {"prefix": "TASK", "number": 3}, "TASK-3"),
        ("unique_id", {"prefix": "TASK", "number": None}, None),
        ("verification", {"state": "verified", "date": date("2026-06-27"), "verified_by": USER}, "verified"),
        ("verification", None, None),
        ("button", {}, None),
        ("place", {"lat": 52.52, "lon": 13.405, "name": None, "address": "Berlin, Germany"}, "Berlin, Germany"),
        ("place", {"lat": 52.52, "lon": 13.405, "name": "Home", "address": None}, "Home"),
        ("place", {"lat": 52.52, "lon": 0, "name": "", "address": None}, "52.52,0"),
        ("place", None, None),
        ("last_visited_time", {"at": [1]}, {"at": [1]}),
        ("holograph", "beam", "beam"),
    ],
)
def test_plain_value_of_each_type(kind: str, content: object, expected: object) -> None:
    found = plain_value({"id": "abc", "type": kind, kind: content})
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize("value", [None, 1, [], {}, {"type": None}, {"type": ["title"]}, {"type": "title"}])
def test_a_value_without_type_or_content_is_empty(value: object) -> None:
    assert plain_value(value) in (None, "")


def test_recorded_values_are_read_as_they_stand_in_notion() -> None:
    (row,) = payload("13_")["results"]
    assert {name: plain_value(value) for name, value in row["properties"].items()} == {
        "Relation": [PAGE, OTHER_PAGE],
        "Rollup Number": 72,
        "Rollup Date": "1981-11-23T07:02:00+00:00",
        "Rollup Title": ["Item 1", "Item 2"],
        "Number": 12,
        "Date": "2024-11-25T14:08:00+00:00",
        "Rollup Date Array": ["2024-11-25T14:08:00+00:00", "1981-11-23T07:02:00+00:00"],
        "Rollup Number Array": [42, 72],
        "Title": "Item 3",
    }


def test_recorded_formulas_and_places_are_read_as_they_stand_in_notion() -> None:
    row = payload("15_")["results"][1]
    assert {name: plain_value(value) for name, value in row["properties"].items()} == {
        "Date Source": "2024-11-25T14:08:00+00:00",
        "Tags": ["Done", "In Progress"],
        "Date": "2024-11-25T14:08:00+00:00",
        "String": "Item 1",
        "Checkbox": True,
        "Number": 2,
        "Name": "Item 1",
    }
    assert plain_value(payload("27_")["properties"]["Location"]) == "Berlin, Germany"
    assert len(plain_value(payload("23_")["properties"]["Items Purchased"])) == 25  # type: ignore[arg-type]


def test_every_recorded_page_is_read() -> None:
    pages = list(recorded("page"))
    assert len(pages) == 11
    for page in pages:
        for value in page["properties"].values():
            json.dumps(plain_value(value))
        assert isinstance(title_text(read_properties(page["properties"])), str)


@settings(deadline=None)
@given(property_values)
def test_no_json_makes_plain_value_fail(value: object) -> None:
    cleaned, _ = sanitize(value)
    for given_value in (value, cleaned):
        found = plain_value(given_value)
        assert isinstance(found, NotComputed) or json.dumps(found, default=str)


def test_results_nested_beyond_reason_are_read_once_cleaned() -> None:
    value: dict[str, object] = {"type": "number", "number": 1}
    for _ in range(5000):
        value = {"type": "rollup", "rollup": {"type": "array", "array": [value]}}
    cleaned, altered = sanitize(value)
    assert altered == 1
    assert isinstance(plain_value(cleaned), list)


@settings(deadline=None)
@given(json_values)
def test_plain_text_is_text_whatever_it_is_given(value: object) -> None:
    assert isinstance(plain_text(value), str)


def test_the_title_is_found_under_any_name() -> None:
    assert (
        title_text(read_properties({"Note": {"type": "rich_text", "rich_text": [text("no")]}, "名前": _title("yes")}))
        == "yes"
    )
    assert title_text(read_properties({"Name": {"id": "title", "type": "title", "title": []}})) == ""
    assert title_text(read_properties({})) == ""


def test_first_text_goes_by_the_order_of_the_names_and_skips_what_has_no_text() -> None:
    properties = {
        " description ": {"type": "rich_text", "rich_text": [text(" \n")]},
        "Bio": {"type": "select", "select": None},
        "BACKSTORY": {"type": "formula", "formula": {"type": "string", "string": " from afar "}},
        "Zzz": {"type": "rich_text", "rich_text": [text("not asked for")]},
    }
    assert first_text(read_properties(properties), ["Description", "Bio", "Backstory"]) == " from afar "
    assert first_text(read_properties(properties), ["Description", "Bio"]) is None
    assert first_text(read_properties(properties), []) is None


def test_first_text_takes_the_one_with_text_of_two_names_that_differ_in_case() -> None:
    properties: dict[str, object] = {
        "Notes": {"type": "rich_text", "rich_text": []},
        "notes": {"type": "email", "email": "a@example.com"},
    }
    assert first_text(read_properties(properties), ["Notes"]) == "a@example.com"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"type": "number", "number": 12}, 12),
        ({"type": "number", "number": 12.0}, 12),
        ({"type": "number", "number": 12.5}, None),
        ({"type": "number", "number": None}, None),
        ({"type": "number", "number": 2**31 - 1}, 2**31 - 1),
        ({"type": "number", "number": 2**31}, None),
        ({"type": "number", "number": float("inf")}, None),
        ({"type": "number", "number": float("nan")}, None),
        ({"type": "checkbox", "checkbox": True}, None),
        ({"type": "formula", "formula": {"type": "number", "number": 3}}, 3),
        ({"type": "rollup", "rollup": {"type": "number", "number": 4, "function": "count"}}, 4),
        ({"type": "rollup", "rollup": {"type": "unsupported", "unsupported": {}}}, None),
        ({"type": "rich_text", "rich_text": [text("12")]}, None),
    ],
)
def test_first_integer_is_a_whole_number_that_postgresql_can_hold(value: object, expected: int | None) -> None:
    assert first_integer(read_properties({"message count ": value}), ["Message Count"]) == expected


@settings(deadline=None)
@given(page_properties)
def test_no_page_makes_the_text_columns_fail(properties: dict[str, object]) -> None:
    title_text(read_properties(properties))
    first_text(read_properties(properties), ["Description", "Due"])
    first_integer(read_properties(properties), ["Description", "Due"])


def _title(content: str) -> dict[str, object]:
    return {"id": "title", "type": "title", "title": [text(content)]}
