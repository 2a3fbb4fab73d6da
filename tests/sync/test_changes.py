"""What changed of a page, by its values before and after: all of it, nothing else, and each value for one reason."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict, replace

from notion_pg_sync.core.columns import COMPUTED_TYPES, Column
from notion_pg_sync.mirror.page_changes import StoredPage
from notion_pg_sync.mirror.sent_rows import Row
from notion_pg_sync.notion.page_properties import read_properties
from notion_pg_sync.notion.properties import columns_by_property, fields_of
from notion_pg_sync.sync.rows.changes import (
    URL,
    PageHistorian,
    PageState,
    Reason,
    ValueChange,
    as_notion_had,
    is_same,
    value_changes,
)

NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
PAGE, SOURCE = "11111111-1111-4111-8111-111111111111", "33333333-3333-4333-8333-333333333333"
NAMES = ("a", "b", "c")


def option(name: str) -> dict[str, str]:
    return {"id": f"id of {name.lower()}", "name": name}


# By type, contents as Notion gives them. An option that is written in capitals is the same option, renamed.
OPTIONS = st.sampled_from(["one", "ONE", "two"]).map(option)
CONTENTS: dict[str, st.SearchStrategy[object]] = {
    "number": st.none() | st.sampled_from([0, 1, 1.5]),
    "checkbox": st.booleans(),
    "select": st.none() | OPTIONS,
    "multi_select": st.lists(OPTIONS, max_size=2),
    "formula": st.sampled_from([0, 1]).map(lambda number: {"type": "number", "number": number}),
}
PROPERTY = st.sampled_from(sorted(CONTENTS)).flatmap(
    lambda kind: CONTENTS[kind].map(lambda content: {"type": kind, kind: content})
)
PAGES = st.dictionaries(st.sampled_from(NAMES), PROPERTY)
STATES = st.tuples(PAGES, st.sampled_from(["https://notion.so/one", "https://notion.so/two", None]), st.booleans())


def columns_of(given_: Mapping[str, Mapping[str, object]]) -> list[Column]:
    """The columns of all properties; of those that the page lacks too, as vanished ones have."""
    return [Column(name, name, str(given_.get(name, {}).get("type", "number")), name, "text") for name in NAMES]


def state(given_: Mapping[str, Mapping[str, object]], url: str | None = None, *, incomplete: bool = False) -> PageState:
    properties = {name: {"id": name, **value} for name, value in given_.items()}
    empty = PageState({}, json.dumps(properties), url)
    fields = fields_of(read_properties(properties), columns_by_property(columns_of(given_)))
    return PageState(fields.values, empty.given, url, frozenset(["a"] if incomplete else []))


@given(STATES, STATES)
def test_taken_back_the_changes_give_what_was_there_before(one: Any, other: Any) -> None:
    before, after = state(one[0], one[1], incomplete=one[2]), state(other[0], other[1], incomplete=other[2])
    columns = columns_of(other[0])
    changes = value_changes(before, after, columns)
    touched = [name for change in changes for name in {**change.old, **change.new}]
    assert len(touched) == len(set(touched))
    assert len({change.reason for change in changes}) == len(changes)
    folded = {**after.kept(columns), URL: after.url}
    for change in changes:
        assert change.old or change.new
        folded = {name: value for name, value in folded.items() if name not in change.new} | dict(change.old)
    assert is_same(folded, {**before.kept(columns), URL: before.url})


@given(STATES, STATES)
def test_only_what_differs_is_told_and_what_a_person_changed_is_there_on_both_sides(one: Any, other: Any) -> None:
    before, after = state(one[0], one[1], incomplete=one[2]), state(other[0], other[1], incomplete=other[2])
    for change in value_changes(before, after, columns_of(other[0])):
        for name in {**change.old, **change.new}:
            assert not (name in change.old and name in change.new and is_same(change.old[name], change.new[name]))
        if change.reason is None:
            assert change.old.keys() == change.new.keys()


@given(STATES)
def test_of_a_page_that_is_as_it_was_nothing_is_told(one: Any) -> None:
    given_, url, incomplete = one
    page = state(given_, url, incomplete=incomplete)
    assert value_changes(page, page, columns_of(given_)) == []


@given(STATES, STATES)
def test_what_is_computed_is_never_told(one: Any, other: Any) -> None:
    before, after = state(one[0], one[1]), state(other[0], other[1])
    for change in value_changes(before, after, columns_of(other[0])):
        for side, given_ in ((change.old, one[0]), (change.new, other[0])):
            assert not [name for name in side if name != URL and given_[name]["type"] in COMPUTED_TYPES]


def number(value: object) -> dict[str, object]:
    return {"type": "number", "number": value}


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        ({"a": number(1)}, {"a": number(2)}, [ValueChange(None, {"a": 1}, {"a": 2})]),
        ({"a": number(1)}, {"a": number(1.0)}, []),
        ({}, {"a": number(None)}, [ValueChange(Reason.PROPERTY_ADDED, {}, {"a": None})]),
        ({"a": number(1)}, {}, [ValueChange(Reason.PROPERTY_REMOVED, {"a": 1}, {})]),
        (
            {"a": number(1)},
            {"a": {"type": "checkbox", "checkbox": True}},
            [ValueChange(Reason.PROPERTY_RETYPED, {"a": 1}, {"a": True})],
        ),
        (
            {"a": number(7)},
            {"a": {"type": "formula", "formula": {"type": "number", "number": 7}}},
            [ValueChange(Reason.PROPERTY_RETYPED, {"a": 7}, {})],
        ),
        (
            {"a": {"type": "select", "select": option("Done")}},
            {"a": {"type": "select", "select": option("DONE")}},
            [ValueChange(Reason.OPTION_RENAMED, {"a": "Done"}, {"a": "DONE"})],
        ),
        (
            {"a": {"type": "multi_select", "multi_select": [option("x"), option("y")]}},
            {"a": {"type": "multi_select", "multi_select": [option("y"), option("x")]}},
            [ValueChange(None, {"a": ["x", "y"]}, {"a": ["y", "x"]})],
        ),
        # Each for its own reason.
        (
            {"a": number(1), "b": {"type": "select", "select": option("Done")}},
            {"a": number(2), "b": {"type": "select", "select": option("DONE")}, "c": number(3)},
            [
                ValueChange(None, {"a": 1}, {"a": 2}),
                ValueChange(Reason.OPTION_RENAMED, {"b": "Done"}, {"b": "DONE"}),
                ValueChange(Reason.PROPERTY_ADDED, {}, {"c": 3}),
            ],
        ),
    ],
)
def test_why_a_value_changed(one: Any, other: Any, told: list[ValueChange]) -> None:
    assert value_changes(state(one), state(other), columns_of(other)) == told


def test_another_conversion_of_the_same_value_is_no_change_of_a_person() -> None:
    page = state({"a": number(1)})
    before = PageState({"a": "1"}, page.given, None)
    assert value_changes(before, page, columns_of({"a": number(1)})) == [
        ValueChange(Reason.CONVERSION, {"a": "1"}, {"a": 1})
    ]


def test_a_value_that_was_incomplete_is_completed() -> None:
    before, after = state({"a": number(1)}, incomplete=True), state({"a": number(2)})
    columns = columns_of({"a": number(1)})
    assert value_changes(before, after, columns) == [ValueChange(Reason.COMPLETED, {"a": 1}, {"a": 2})]
    assert value_changes(after, before, columns) == [ValueChange(Reason.INCOMPLETE, {"a": 2}, {"a": 1})]


def test_the_address_goes_with_what_a_person_changed() -> None:
    before, after = state({"a": number(1)}, "one"), state({"a": number(2)}, "two")
    columns = columns_of({"a": number(1)})
    assert value_changes(before, after, columns) == [ValueChange(None, {"a": 1, URL: "one"}, {"a": 2, URL: "two"})]
    assert value_changes(before, PageState(before.fields, before.given, "two"), columns) == [
        ValueChange(Reason.ADDRESS, {URL: "one"}, {URL: "two"})
    ]


@given(PAGES, st.dictionaries(st.sampled_from(NAMES), st.integers()))
def test_what_notion_had_is_known_by_the_properties_whatever_the_fields_say(given_: Any, spoiled: Any) -> None:
    page = state(given_)
    had = as_notion_had(PageState({**page.fields, **spoiled}, page.given, None), columns_of(given_))
    assert {name: had.fields[name] for name in page.fields} == page.fields


ROW = Row(PAGE, "title", None, {}, "{}", "{}", frozenset(), None, NOW, NOW, "hash")
NEVER_SEEN = StoredPage(
    PAGE, has_row=False, fields=None, properties=None, url=None, noted_source=None, noted_hash=None,
    noted_incomplete=(), had_row=False, is_as_written=False,
)  # fmt: skip


def test_a_row_of_an_application_that_no_run_has_taken_in_is_a_new_page() -> None:
    theirs = StoredPage(**{**asdict(NEVER_SEEN), "has_row": True})
    for before in (NEVER_SEEN, theirs):
        (change,) = PageHistorian(SOURCE, ()).changes(ROW, before, is_stored=True)
        assert (change.kind, change.reason) == ("inserted", None)


def test_a_row_that_a_trigger_kept_out_is_no_change() -> None:
    assert PageHistorian(SOURCE, ()).changes(ROW, NEVER_SEEN, is_stored=False) == []


def test_a_row_that_a_trigger_lets_in_by_now_is_no_change_of_a_person() -> None:
    withheld = StoredPage(**{**asdict(NEVER_SEEN), "noted_source": SOURCE, "noted_hash": "hash"})
    (change,) = PageHistorian(SOURCE, ()).changes(ROW, withheld, is_stored=True)
    assert (change.kind, change.reason) == ("inserted", "restored")


def stored_as(page: PageState, given_: Mapping[str, object] | None = None) -> StoredPage:
    return StoredPage(
        PAGE, has_row=True, fields=json.dumps(page.fields), properties=page.given, url=page.url, noted_source=SOURCE,
        noted_hash="hash", noted_incomplete=(), had_row=True, is_as_written=True,
        noted_given=None if given_ is None else json.dumps(given_),
    )  # fmt: skip


def row_of(page: PageState) -> Row:
    return replace(ROW, fields=json.dumps(page.fields), properties=page.given, url=page.url)


@given(STATES, STATES, STATES)
def test_what_a_trigger_stores_otherwise_hides_no_change_and_makes_none(one: Any, other: Any, altered: Any) -> None:
    before, after, stored = (state(page, url) for page, url, _ in (one, other, altered))
    # A column that is computed now was no part of the history before either.
    columns = [column for column in columns_of(other[0]) if one[0].get(column.name, {}).get("type") != "formula"]
    historian = PageHistorian(SOURCE, columns)
    noted = stored_as(stored, historian.stored_otherwise(row_of(before), stored_as(stored)))
    assert historian.changes(row_of(before), noted, is_stored=True) == []
    found = historian.changes(row_of(after), noted, is_stored=True)
    told = [
        ValueChange(
            Reason(one.reason) if one.reason else None, json.loads(one.old or "{}"), json.loads(one.new or "{}")
        )
        for one in found
    ]
    assert told == value_changes(before, after, columns)


def test_where_it_is_not_known_what_a_trigger_altered_no_change_is_a_persons() -> None:
    before, after = state({"a": number(1)}), state({"a": number(2)})
    noted = replace(stored_as(before), is_given_unknown=True)
    (change,) = PageHistorian(SOURCE, columns_of({"a": number(1)})).changes(row_of(after), noted, is_stored=True)
    assert change.reason == Reason.CONVERSION
