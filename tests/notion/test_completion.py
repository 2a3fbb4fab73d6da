"""Values that Notion cut are found, and made whole from the property endpoint's answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notion_pg_sync.notion.completion import complete, is_incomplete, values_to_complete
from notion_pg_sync.notion.page_properties import read_properties, read_property
from notion_pg_sync.notion.properties import plain_value
from notion_pg_sync.notion.rollup_parts import RelatedPages, beginning_conditions, rolled_up, whole_conditions
from notion_pg_sync.sync.verify.parted_rollups import parted_rollup
from tests.notion.arbitrary_json import json_values, page_properties
from tests.notion.payloads import payload, recorded

MENTION = {"type": "mention", "mention": {"type": "page", "page": {"id": "p"}}, "plain_text": "P"}
TEXT = {"type": "text", "text": {"content": "t"}, "plain_text": "t"}


def relation(property_id: str, count: int, *, has_more: bool) -> dict[str, Any]:
    pages = [{"id": f"page{number}"} for number in range(count)]
    return {"id": property_id, "type": "relation", "relation": pages, "has_more": has_more}


def rollup(function: str, result: dict[str, Any]) -> dict[str, Any]:
    return {"id": "r%5D", "type": "rollup", "rollup": {**result, "function": function}}


def cut_in(properties: dict[str, Any], schema: Mapping[str, object]) -> list[tuple[str, str, str | None]]:
    found = values_to_complete(read_properties(properties), schema)
    return [(value.name, value.written_id, value.type) for value in found]


def completed(
    value: dict[str, Any], items: list[Any], property_item: dict[str, Any], related: RelatedPages | None = None
) -> Any:
    return complete(read_property("P", value), items, property_item, related).given


def not_told(value: object) -> bool:
    return is_incomplete(read_property("P", value))


def rollup_schema(function: str, relation_id: str = "v_]<") -> dict[str, object]:
    config = {"function": function, "relation_property_id": relation_id, "rollup_property_id": "title"}
    return {"Sum": {"id": "r%5D", "name": "Sum", "type": "rollup", "rollup": config}}


def test_the_recorded_cut_relation_is_found() -> None:
    properties = payload("23_")["properties"]
    assert cut_in(properties, {}) == [("Items Purchased", "o_yF", "relation")]


def test_no_other_recorded_page_has_cut_values() -> None:
    schemas = [source["properties"] for source in recorded("data_source")]
    for page in recorded("page"):
        if page["id"] != payload("23_")["id"]:
            assert all(cut_in(page["properties"], schema) == [] for schema in [{}, *schemas])


def test_a_relation_is_cut_when_it_says_so_not_when_it_is_long() -> None:
    assert cut_in({"R": relation("a", 25, has_more=False)}, {}) == []
    assert cut_in({"R": relation("a", 3, has_more=True)}, {}) == [("R", "a", "relation")]


@pytest.mark.parametrize(("count", "suspect"), [(0, False), (24, False), (25, True), (26, True)])
def test_people_and_mentions_are_suspect_from_25_on(count: int, *, suspect: bool) -> None:
    people = {"id": "p", "type": "people", "people": [{"object": "user", "id": str(n)} for n in range(count)]}
    assert cut_in({"P": people}, {}) == ([("P", "p", "people")] if suspect else [])
    for kind in ("title", "rich_text"):
        value = {"id": "t", "type": kind, kind: [TEXT, *[MENTION] * count]}
        assert cut_in({"T": value}, {}) == ([("T", "t", kind)] if suspect else [])


def test_long_text_without_mentions_is_whole() -> None:
    assert cut_in({"T": {"id": "t", "type": "rich_text", "rich_text": [TEXT] * 100}}, {}) == []


@pytest.mark.parametrize("relation_id", ["v_]<", "v_%5D%3C"])
def test_a_rollup_is_cut_when_its_relation_is(relation_id: str) -> None:
    total = rollup("sum", {"type": "number", "number": 25})
    cut = {"Sum": total, "Items": relation("v_%5D%3C", 25, has_more=True)}
    whole = {"Sum": total, "Items": relation("v_%5D%3C", 25, has_more=False)}
    other = {"Sum": total, "Items": relation("other", 25, has_more=True)}
    schema = rollup_schema("sum", relation_id)
    assert cut_in(cut, schema) == [
        ("Sum", "r%5D", "rollup"),
        ("Items", "v_%5D%3C", "relation"),
    ]
    assert cut_in(whole, schema) == []
    assert cut_in(other, schema) == [("Items", "other", "relation")]


@pytest.mark.parametrize("function", ["show_unique", "unique", "median", "count_per_group", "percent_per_group"])
def test_what_the_endpoint_never_computes_is_not_asked_for(function: str) -> None:
    properties = {"Sum": rollup(function, {"type": "number", "number": 1}), "I": relation("v_]<", 25, has_more=True)}
    assert [kind for _, _, kind in cut_in(properties, rollup_schema(function))] == ["relation"]


def item(kind: str, content: object) -> dict[str, Any]:
    return {"object": "property_item", "id": "a", "type": kind, kind: content}


def last(kind: str, content: object) -> dict[str, Any]:
    return {"id": "a", "next_url": None, "type": kind, kind: content}


def test_a_relation_is_completed_and_says_so() -> None:
    value = relation("o_yF", 25, has_more=True)
    found = [item("relation", {"id": f"page{number}"}) for number in range(30)]
    assert completed(value, found, last("relation", {})) == relation("o_yF", 30, has_more=False)
    assert value == relation("o_yF", 25, has_more=True)


@pytest.mark.parametrize(("kind", "content"), [("people", {"id": "u"}), ("rich_text", MENTION), ("title", TEXT)])
def test_people_and_text_are_completed_and_nothing_is_added(kind: str, content: dict[str, Any]) -> None:
    value = {"id": "a", "type": kind, kind: [content] * 25}
    assert completed(value, [item(kind, content)] * 40, last(kind, {})) == {
        "id": "a",
        "type": kind,
        kind: [content] * 40,
    }


def test_a_recorded_answer_completes_to_what_the_recorded_page_holds() -> None:
    (answers, row) = payload("26_"), payload("12_")["results"][0]
    by_id = {value["id"]: value for value in row["properties"].values()}
    paged = [answer for answer in answers if answer["object"] == "list"]
    assert len(paged) == 9
    for answer in paged:
        value = by_id[answer["property_item"]["id"]]
        assert completed(value, answer["results"], answer["property_item"]) == value


@pytest.mark.parametrize(
    ("function", "result"),
    [
        ("sum", {"type": "number", "number": 34}),
        ("max", {"type": "number", "number": None}),
        ("latest_date", {"type": "date", "date": {"start": "2026-06-27", "end": None, "time_zone": None}}),
    ],
)
def test_a_computed_rollup_is_the_last_answers_result(function: str, result: dict[str, Any]) -> None:
    in_page = rollup(function, {"type": "number", "number": 25})
    related = [item("relation", {"id": "p"})] * 34
    assert completed(in_page, related, last("rollup", {**result, "function": function})) == rollup(function, result)


def test_show_original_is_the_items_in_the_form_of_a_page() -> None:
    in_page = rollup("show_original", {"type": "array", "array": [{"type": "number", "number": 1}]})
    found = [
        item("number", 1),
        item("number", None),
        item("multi_select", [{"name": "x"}]),
        {"object": "property_item"},
    ]
    whole = completed(in_page, found, last("rollup", {"type": "array", "array": [], "function": "show_original"}))
    assert whole == rollup(
        "show_original",
        {
            "type": "array",
            "array": [
                {"type": "number", "number": 1},
                {"type": "number", "number": None},
                {"type": "multi_select", "multi_select": [{"name": "x"}]},
            ],
        },
    )
    assert plain_value(whole) == [1, None, ["x"]]


@pytest.mark.parametrize("kind", ["unsupported", "incomplete"])
def test_a_rollup_that_the_endpoint_does_not_compute_keeps_the_pages_value(kind: str) -> None:
    in_page = rollup("median", {"type": "number", "number": 25})
    assert completed(in_page, [], last("rollup", {"type": kind, kind: {}, "function": "median"})) == in_page
    assert completed(in_page, [], {}) == in_page


def text(content: str) -> dict[str, Any]:
    return {"type": "text", "text": {"content": content}, "plain_text": content}


@given(st.lists(st.lists(st.sampled_from("ab"), max_size=3), min_size=26, max_size=32), st.data())
def test_titles_in_parts_are_as_the_pages_have_them_or_incomplete(pages: list[list[str]], data: st.DataObject) -> None:
    """Whatever is known of the pages beyond the first 25, and whether or not an empty title has an item."""
    array = [{"type": "title", "title": list(map(text, page))} for page in pages]
    empty = [item("title", {})] if data.draw(st.booleans()) else []
    found = [one for page in pages for one in ([item("title", text(part)) for part in page] or empty)]
    told = data.draw(st.lists(st.booleans(), min_size=len(pages), max_size=len(pages)))
    known = {
        str(place): read_properties({"Name": {"id": "title", **value}})
        for place, (value, is_told) in enumerate(zip(array, told, strict=True))
        if is_told
    }
    related = RelatedPages([str(place) for place in range(len(pages))], "title", known)
    in_page = rollup("show_original", {"type": "array", "array": array[:25]})
    whole = completed(in_page, found, last("rollup", {"type": "array", "array": []}), related)
    if all(told[25:]):
        assert not not_told(whole)
    if not not_told(whole):
        assert whole == rollup("show_original", {"type": "array", "array": array})


def test_as_many_parts_as_pages_prove_nothing() -> None:
    in_page = rollup("show_original", {"type": "array", "array": [{"type": "title", "title": [TEXT]}] * 25})
    related = RelatedPages([str(place) for place in range(27)], "title", {})
    found = [item("title", TEXT)] * 25 + [item("title", text("jigsa")), item("title", text("w draft"))]
    computed = last("rollup", {"type": "array", "array": []})
    assert not_told(completed(in_page, found, computed, related))
    # The page of the first is known: so is that of the second.
    related = RelatedPages(
        related.ids, "title", {"25": read_properties({"Name": {"id": "title", "type": "title", "title": []}})}
    )
    whole = completed(in_page, found, computed, related)
    assert plain_value(whole) == ["t"] * 25 + ["", "jigsaw draft"]


def test_what_may_be_cut_in_a_related_page_is_not_known() -> None:
    mentions = {"id": "title", "type": "title", "title": [MENTION] * 25}
    in_page = rollup("show_original", {"type": "array", "array": [{"type": "title", "title": []}] * 25})
    related = RelatedPages([str(place) for place in range(27)], "title", {"25": read_properties({"Name": mentions})})
    found = [item("title", MENTION)] * 30
    assert not_told(completed(in_page, found, last("rollup", {"type": "array", "array": []}), related))


def test_a_value_that_is_never_cut_stays() -> None:
    value = {"id": "a", "type": "number", "number": 1}
    assert completed(value, [item("number", 2)], last("number", {})) == value


@settings(deadline=None)
@given(page_properties, page_properties, st.lists(json_values, max_size=3))
def test_no_json_makes_completion_fail(
    properties: dict[str, object], schema: dict[str, object], items: list[object]
) -> None:
    cut_in(properties, schema)
    for value in properties.values():
        if isinstance(value, dict):
            related = RelatedPages(["a", "b"], "title", {"a": read_properties(properties)})
            completed(value, items, {"rollup": value.get("rollup")}, related)
            rolled_up(read_property("P", value), schema)
            whole_conditions(items, "title")
            beginning_conditions(items, "title", [read_properties(properties)])
            parted_rollup(value.get("rollup"), [one for one in items if isinstance(one, dict)], 2)
