"""Columns get name and type once and keep them; a schema's fingerprint tells what calls for a full read."""

from __future__ import annotations

import copy
import itertools
import random
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from notion_pg_sync.core.columns import UNDETERMINED, Column
from notion_pg_sync.notion.column_names import KEY_WORDS, RESERVED_NAMES
from notion_pg_sync.notion.computed_types import settle_types
from notion_pg_sync.notion.page_properties import read_properties
from notion_pg_sync.notion.property_ids import decoded
from notion_pg_sync.notion.schema import assign_columns, by_id, fits, schema_fingerprint
from tests.notion.arbitrary_json import TYPES, json_values, page_properties, wild_text
from tests.notion.payloads import payload, recorded

UUID = "38c9ce7b-60a4-817b-84ae-e63702a6c78e"


def schema(*properties: tuple[str, str, str]) -> dict[str, object]:
    """A schema of properties (id, name, type)."""
    return {name: {"id": i, "name": name, "type": kind, kind: {}} for i, name, kind in properties}


def names(columns: list[Column]) -> list[str]:
    return [column.name for column in columns]


def test_the_columns_of_a_recorded_schema() -> None:
    columns = assign_columns(payload("06_")["properties"], [])
    assert {column.name: (column.property_type, column.type) for column in columns} == {
        "title": ("title", "text"),
        "text": ("rich_text", "text"),
        "number": ("number", "numeric"),
        "select_": ("select", "text"),
        "multi_select": ("multi_select", "text[]"),
        "date": ("date", "date"),
        "date_at": ("date", "timestamptz"),
        "date_end": ("date", "date"),
        "date_end_at": ("date", "timestamptz"),
        "people": ("people", "uuid[]"),
        "files": ("files", "text[]"),
        "checkbox": ("checkbox", "boolean"),
        "url_": ("url", "text"),
        "email": ("email", "text"),
        "phone_number": ("phone_number", "text"),
        "formula": ("formula", UNDETERMINED),
        "relation": ("relation", "uuid[]"),
        "relation_two_way": ("relation", "uuid[]"),
        "rollup": ("rollup", UNDETERMINED),
        "created_time": ("created_time", "timestamptz"),
        "last_edited_time": ("last_edited_time", "timestamptz"),
        "created_by": ("created_by", "uuid"),
        "last_edited_by": ("last_edited_by", "uuid"),
        "id": ("unique_id", "text"),
    }


def test_statuses_places_verifications_and_unknown_types_have_columns_and_buttons_have_none() -> None:
    columns = assign_columns(
        schema(
            ("a", "A", "status"),
            ("b", "B", "place"),
            ("c", "C", "verification"),
            ("d", "D", "hologram"),
            ("e", "E", "button"),
        ),
        [],
    )
    assert [(column.name, column.type) for column in columns] == [
        ("a", "text"),
        ("b", "text"),
        ("c", "text"),
        ("d", "jsonb"),
    ]


def test_a_column_says_of_which_property_it_is() -> None:
    properties: dict[str, object] = {"Due": {"id": "v_%5D%3C", "name": "Due", "type": "date", "date": {}}}
    assert assign_columns(properties, []) == [
        Column("v_%5D%3C", "Due", "date", "due", "date", "value"),
        Column("v_%5D%3C", "Due", "date", "due_at", "timestamptz", "at"),
        Column("v_%5D%3C", "Due", "date", "due_end", "date", "end"),
        Column("v_%5D%3C", "Due", "date", "due_end_at", "timestamptz", "end_at"),
    ]


def test_names_that_would_be_the_same_are_numbered() -> None:
    columns = assign_columns(schema(("c", "Name", "url"), ("a", "name", "url"), ("b", "NAME?", "url")), [])
    assert [(column.property_name, column.name) for column in columns] == [
        ("name", "name"),
        ("NAME?", "name_2"),
        ("Name", "name_3"),
    ]


def test_a_dates_further_columns_give_way_to_properties_of_that_name() -> None:
    columns = assign_columns(schema(("a", "Due", "date"), ("b", "due end", "url"), ("c", "Due at", "url")), [])
    assert names(columns) == ["due", "due_end", "due_at", "due_at_2", "due_end_2", "due_end_at"]


def test_a_new_property_gives_way_to_a_dates_further_columns() -> None:
    known = assign_columns(schema(("a", "Due", "date")), [])
    assert names(assign_columns(schema(("a", "Due", "date"), ("b", "Due at", "url")), known))[4:] == ["due_at_2"]


def test_two_dates_that_differ_in_case_have_eight_columns() -> None:
    columns = assign_columns(schema(("a", "Due", "date"), ("b", "DUE", "date")), [])
    assert names(columns) == [
        *("due", "due_2", "due_at", "due_end", "due_end_at"),
        *("due_2_at", "due_2_end", "due_2_end_at"),
    ]


def test_a_renamed_property_keeps_its_column() -> None:
    known = assign_columns(schema(("a%5D", "Old", "url")), [])
    assert assign_columns(schema(("a]", "New", "url")), known) == [Column("a%5D", "New", "url", "old", "text")]


def test_a_vanished_property_keeps_its_column_and_its_name() -> None:
    known = assign_columns(schema(("a", "Name", "url")), [])
    columns = assign_columns(schema(("b", "Name", "url")), known)
    assert columns == [*known, Column("b", "Name", "url", "name_2", "text")]


def test_a_retyped_property_keeps_its_columns_type_and_says_which_it_would_have() -> None:
    known = assign_columns(schema(("a", "Name", "url")), [])
    retyped = assign_columns(schema(("a", "Name", "number")), known)
    assert retyped == [Column("a", "Name", "number", "name", "text", new_type="numeric")]
    assert assign_columns(schema(("a", "Name", "number")), [replace(retyped[0], type="numeric")])[0].new_type is None
    assert assign_columns(schema(("a", "Name", "email")), retyped)[0].new_type is None
    assert assign_columns(schema(("a", "Name", "formula")), retyped)[0].new_type is None


def test_only_the_first_column_of_a_date_would_have_another_type() -> None:
    known = assign_columns(schema(("a", "When", "date")), [])
    retyped = assign_columns(schema(("a", "When", "checkbox")), known)
    assert [column.new_type for column in retyped] == ["boolean", None, None, None]
    assert [column.new_type for column in assign_columns(schema(("a", "When", "date")), retyped)] == [None] * 4


def test_a_property_that_becomes_a_date_gets_the_dates_further_columns() -> None:
    known = assign_columns(schema(("a", "When", "url")), [])
    columns = assign_columns(schema(("a", "When", "date")), known)
    assert [(column.name, column.type) for column in columns] == [
        ("when_", "text"),
        ("when__at", "timestamptz"),
        ("when__end", "date"),
        ("when__end_at", "timestamptz"),
    ]
    assert assign_columns(schema(("a", "When", "date")), columns) == columns


def test_a_formula_without_values_that_becomes_something_else_takes_its_type() -> None:
    known = assign_columns(schema(("a", "A", "formula")), [])
    assert assign_columns(schema(("a", "A", "number")), known)[0].type == "numeric"
    assert assign_columns(schema(("a", "A", "button")), known)[0].type == UNDETERMINED
    assert len(assign_columns(schema(("a", "A", "date")), known)) == 4


def formula(result: object, property_id: str = "f") -> dict[str, object]:
    return {"F": {"id": property_id, "type": "formula", "formula": result}}


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ({"type": "string", "string": ""}, "text"),
        ({"type": "number", "number": 0}, "numeric"),
        ({"type": "boolean", "boolean": False}, "boolean"),
        ({"type": "array", "array": []}, "text[]"),
        ({"type": "colour", "colour": "red"}, "jsonb"),
        ({"type": "string", "string": None}, UNDETERMINED),
        ({"type": "unsupported", "unsupported": {}}, UNDETERMINED),
        ({"type": "incomplete", "incomplete": {}}, UNDETERMINED),
        (None, UNDETERMINED),
    ],
)
def test_a_formula_takes_the_type_of_its_first_value(result: object, expected: str) -> None:
    columns = assign_columns(schema(("f", "F", "formula")), [])
    nothing: object = {"type": "string", "string": None}
    (column,) = settle_types(columns, map(read_properties, [formula(nothing), {}, formula(result)]))
    assert column.type == expected


def test_a_type_once_settled_stays_while_its_column_can_hold_the_values() -> None:
    columns = assign_columns(schema(("f%5D", "F", "formula"), ("n", "N", "number")), [])
    text, number = formula({"type": "string", "string": "x"}, "f]"), formula({"type": "number", "number": 1}, "f]")
    settled = settle_types(columns, map(read_properties, [text, number]))
    assert [column.type for column in settled] == ["text", "numeric"]
    assert settle_types(settled, [read_properties(number)]) == settled
    assert assign_columns(schema(("f%5D", "F", "formula"), ("n", "N", "number")), settled) == settled


RESULTS = [
    {"type": "string", "string": "unknown"},
    {"type": "number", "number": 4},
    {"type": "boolean", "boolean": True},
    {"type": "date", "date": {"start": "2026-06-27"}},
    {"type": "array", "array": []},
]
NO_RESULTS = [{"type": "string", "string": None}, {"type": "unsupported", "unsupported": {}}, None]


@pytest.mark.parametrize("results", list(itertools.permutations(RESULTS, 2)))
@pytest.mark.parametrize("is_one_batch", [True, False])
def test_a_formula_of_two_types_has_a_text_column(results: Sequence[object], *, is_one_batch: bool) -> None:
    columns = assign_columns(schema(("f", "F", "formula")), [])
    pages = [read_properties(formula(result)) for result in results]
    for batch in [pages] if is_one_batch else [[page] for page in pages]:
        columns = settle_types(columns, batch)
    assert columns[0].type == "text"
    assert settle_types(columns, reversed(pages)) == columns


@pytest.mark.parametrize("result", NO_RESULTS)
def test_what_a_formula_did_not_give_is_no_second_type(result: object) -> None:
    columns = settle_types(assign_columns(schema(("f", "F", "formula")), []), [read_properties(formula(RESULTS[1]))])
    assert settle_types(columns, [read_properties(formula(result))]) == columns
    assert columns[0].type == "numeric"


def test_a_type_that_somebody_gave_a_formulas_column_stays_while_the_values_fit_it() -> None:
    columns = assign_columns(schema(("f", "F", "formula")), [])
    id_, word = ([read_properties(formula({"type": "string", "string": text}))] for text in (UUID, "unknown"))
    as_ids = [replace(settle_types(columns, id_)[0], type="uuid")]
    assert settle_types(as_ids, id_) == as_ids
    assert settle_types(as_ids, word)[0].type == "text"
    as_json = [replace(as_ids[0], type="jsonb")]
    assert settle_types(as_json, [*id_, *word]) == as_json


def test_a_date_that_is_out_of_range_is_no_second_type() -> None:
    dates = [formula({"type": "date", "date": {"start": start}}) for start in ("2026-06-27", "12026-06-27")]
    columns = settle_types(assign_columns(schema(("f", "F", "formula")), []), map(read_properties, dates))
    assert columns[0].type == "date"


def test_a_formula_that_was_a_number_has_a_text_column_once_it_gives_text() -> None:
    known = assign_columns(schema(("f", "F", "number")), [])
    columns = assign_columns(schema(("f", "F", "formula")), known)
    assert settle_types(columns, [read_properties(formula(RESULTS[1]))])[0].type == "numeric"
    assert settle_types(columns, [read_properties(formula(RESULTS[0]))])[0].type == "text"


def test_a_formula_that_gives_dates_gets_four_columns() -> None:
    columns = assign_columns(schema(("f", "F", "formula"), ("g", "F at", "url")), [])
    settled = settle_types(columns, [read_properties(formula({"type": "date", "date": {"start": "2026-06-27"}}))])
    assert [(column.name, column.type, column.part) for column in settled] == [
        ("f", "date", "value"),
        ("f_at", "text", "value"),
        ("f_at_2", "timestamptz", "at"),
        ("f_end", "date", "end"),
        ("f_end_at", "timestamptz", "end_at"),
    ]
    assert settle_types(settled, []) == settled


@pytest.mark.parametrize(
    ("value", "column_type", "expected"),
    [
        (None, "numeric", True),
        (1, "numeric", True),
        (2**80, "numeric", True),
        (-(10**400), "numeric", True),
        (1.5, "numeric", True),
        (True, "numeric", False),
        ("1", "numeric", False),
        (float("inf"), "numeric", False),
        (True, "boolean", True),
        (1, "boolean", False),
        ("2026-06-27", "date", True),
        ("12026-06-27", "date", False),
        (20260627, "date", False),
        ("2026-06-27T10:00:00+00:00", "timestamptz", True),
        ("2026-06-27", "timestamptz", False),
        (["a", None, 1, ["b"]], "text[]", True),
        ("a", "text[]", False),
        (UUID, "uuid", True),
        ("a", "uuid", False),
        ([UUID, UUID.upper()], "uuid[]", True),
        ([], "uuid[]", True),
        ([UUID, None], "uuid[]", False),
        (UUID, "uuid[]", False),
        (["a"], "text", True),
        ({"a": 1}, "jsonb", True),
        (1, UNDETERMINED, True),
    ],
)
def test_which_values_fit_which_types(value: object, column_type: str, *, expected: bool) -> None:
    assert fits(value, column_type) is expected


def test_ids_are_compared_decoded() -> None:
    assert decoded("v_%5D%3C") == decoded("v_]<") == "v_]<"
    assert by_id({"A": {"id": "%3AUPp", "type": "url"}, "B": {"type": "url"}, "C": None}) == {
        ":UPp": {"id": "%3AUPp", "type": "url"}
    }


def changed(path: tuple[str, ...], value: object) -> dict[str, Any]:
    """The recorded schema of all types with one thing changed."""
    properties: dict[str, Any] = copy.deepcopy(payload("05_")["properties"])
    target = properties
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    return properties


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("Number", "name"), "Amount"),
        (("Number", "id"), "new"),
        (("Number", "type"), "rich_text"),
        (("Rollup", "rollup", "function"), "sum"),
        (("Rollup", "rollup", "relation_property_id"), "iywx"),
        (("Rollup", "rollup", "rollup_property_id"), "dDR;"),
        (("Relation", "relation", "data_source_id"), "other"),
        (("New",), {"id": "n", "name": "New", "type": "url", "url": {}}),
    ],
)
def test_the_fingerprint_changes_with_what_changes_values_or_columns(path: tuple[str, ...], value: object) -> None:
    assert schema_fingerprint(changed(path, value)) != schema_fingerprint(payload("05_")["properties"])


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("Select", "select", "options"), []),
        (("Status", "status", "groups"), []),
        (("Number", "number", "format"), "euro"),
        (("Number", "description"), "in dollars"),
        (("Formula", "formula", "expression"), "1"),
        (("Rollup", "rollup", "relation_property_id"), "v_%5D%3C"),
        (("Rollup", "rollup", "relation_property_name"), "Renamed"),
    ],
)
def test_the_fingerprint_stays_with_what_changes_neither(path: tuple[str, ...], value: object) -> None:
    assert schema_fingerprint(changed(path, value)) == schema_fingerprint(payload("05_")["properties"])


def test_the_fingerprint_does_not_depend_on_the_order_of_properties() -> None:
    properties = payload("05_")["properties"]
    assert schema_fingerprint(dict(reversed(properties.items()))) == schema_fingerprint(properties)


def test_every_recorded_schema_has_columns() -> None:
    schemas = [source["properties"] for source in recorded("data_source")]
    assert len(schemas) == 6
    for properties in schemas:
        columns = assign_columns(properties, [])
        assert {column.property_name for column in columns} >= properties.keys() - {"Button"}
        assert assign_columns(properties, columns) == columns


_names = st.one_of(
    wild_text,
    st.text(st.characters(), max_size=300),
    st.sampled_from(
        ["Due", "DUE", "due at", "Due end", "url", "URL", "select", "名前", "名" * 40, "a" * 70, "1", "", "😀"]
    ),
    st.sampled_from(sorted(KEY_WORDS | RESERVED_NAMES)),
)
_schemas = st.dictionaries(
    st.sampled_from(["a", "b%5D", "c", "d", "e", "f"]), st.tuples(_names, st.sampled_from(TYPES)), max_size=6
).map(lambda found: {f"{i} {name}": {"id": i, "name": name, "type": kind} for i, (name, kind) in found.items()})


@settings(deadline=None)
@given(_schemas, _schemas, st.randoms(use_true_random=False))
def test_names_are_legal_unique_and_stable_whatever_comes_and_goes(
    first: dict[str, object], second: dict[str, object], shuffle: random.Random
) -> None:
    columns = assign_columns(first, [])
    items = list(first.items())
    shuffle.shuffle(items)
    assert assign_columns(dict(items), []) == columns
    later = assign_columns(second, columns)
    assert names(later)[: len(columns)] == names(columns)
    assert [column.name for column in assign_columns(first, later)][: len(later)] == names(later)
    assert len(set(names(later))) == len(later)
    for name in names(later):
        assert len(name.encode()) <= 63
        assert name not in KEY_WORDS | RESERVED_NAMES
        assert all(c in "abcdefghijklmnopqrstuvwxyz0123456789_" or (not c.isascii() and c.isprintable()) for c in name)
        assert not name[0].isdecimal() or not name[0].isascii()
    for before, after in zip(columns, later, strict=False):
        assert before.type in (after.type, UNDETERMINED)


@settings(deadline=None)
@given(page_properties, json_values)
def test_no_schema_makes_columns_or_fingerprint_fail(properties: dict[str, object], value: object) -> None:
    columns = assign_columns(properties, [])
    assign_columns({"x": value}, columns)
    settle_types(columns, map(read_properties, [properties, {"x": value}]))
    assert len(schema_fingerprint({**properties, "x": value})) == 64
