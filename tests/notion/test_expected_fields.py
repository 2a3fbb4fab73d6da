"""What `sync --verify` expects of plain values: as docs/property-types.md has it, and as the sync works them out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from notion_pg_sync.core.columns import Column
from notion_pg_sync.notion.cleaning import sanitize
from notion_pg_sync.notion.computed_types import settle_types
from notion_pg_sync.notion.page_properties import read_properties
from notion_pg_sync.notion.properties import columns_by_property, fields_of, first_integer, first_text
from notion_pg_sync.notion.schema import assign_columns
from notion_pg_sync.sync.verify.expected_fields import (
    NOT_TOLD,
    Json,
    NamedColumn,
    expected_fields,
    expected_integer,
    expected_search_text,
    expected_text,
    in_view,
    same_in_view,
    unnamed_properties,
)
from tests.notion.arbitrary_json import page_properties
from tests.test_property_types import ROWS, unquoted


def named(columns: list[Column]) -> list[NamedColumn]:
    return [
        NamedColumn(column.property_id, column.part, column.name, column.type, column.property_type)
        for column in columns
    ]


@pytest.mark.parametrize("row", [row for row in ROWS if row[0] != "button"], ids=lambda row: row[0])
def test_each_row_of_the_table_of_property_types(row: list[str]) -> None:
    name, column_type, given_value, read = row[:4]
    kind = "newer" if name == "anything newer" else name
    column = NamedColumn("p", "value", "p", column_type, kind)
    value = {"id": "p", "type": kind, kind: unquoted(given_value)}
    assert expected_fields({"P": value}, [column]) == {"p": unquoted(read)}


@settings(deadline=None)
@given(page_properties)
@example({"": None, "0": {"id": "", "title": None, "type": "title"}})
def test_the_sync_and_its_check_agree_on_whatever_notion_may_answer(properties: dict[str, Any]) -> None:
    """Two implementations that share nothing."""
    properties, _ = sanitize(properties)
    given = read_properties(properties)
    schema = {
        name: {"id": value.get("id"), "name": name, "type": value.get("type")}
        for name, value in properties.items()
        if isinstance(value, dict)
    }
    columns = settle_types(assign_columns(schema, []), [given])
    synced = fields_of(given, columns_by_property(columns))
    expected = expected_fields(properties, named(columns))
    assert {name: value for name, value in expected.items() if value is not NOT_TOLD} == synced.values
    assert {name for name, value in expected.items() if value is NOT_TOLD} == synced.not_computed
    names = sorted(properties)[:3]
    assert expected_text(properties, names) == first_text(given, names)
    assert expected_integer(properties, names) == first_integer(given, names)


DATES = st.sampled_from(
    [
        "2026-05-17",
        "2026-05-17T10:00:00.000+01:00",
        "2026-05-17T10:00:00.000",
        "0001-01-01",
        "0000-00-00",
        "1880-01-01T00:00:00.000+00:53:28",
        "9999-12-31T23:59:59.999-12:00",
        "2026-05-17T",
        "tomorrow",
        "",
        None,
        7,
    ]
)


@given(DATES, DATES, st.sampled_from([None, "Europe/Berlin", "No/Where", 7]), st.sampled_from(["date", "text"]))
def test_they_agree_on_dates(start: object, end: object, zone: object, type_: str) -> None:
    value = {"id": "d", "type": "date", "date": {"start": start, "end": end, "time_zone": zone}}
    columns = assign_columns({"Due": {"id": "d", "name": "Due", "type": "date"}}, [])
    columns = [replace(column, type=type_) if column.part == "value" else column for column in columns]
    for one in (value, {"id": "d", "type": "formula", "formula": {"type": "date", "date": value["date"]}}):
        synced = fields_of(read_properties({"Due": one}), columns_by_property(columns))
        assert expected_fields({"Due": one}, named(columns)) == synced.values


def test_a_property_without_a_column_is_named() -> None:
    schema = {
        "Name": {"id": "title", "type": "title"},
        "Press": {"id": "b", "type": "button"},
        "Age": {"id": "a%20b", "type": "number"},
        "Role": {"id": "r", "type": "select"},
    }
    columns = [
        NamedColumn("title", "value", "name", "text", "title"),
        NamedColumn("a b", "value", "age", "numeric", ""),
    ]
    assert unnamed_properties(schema, columns) == ["Role"]


@pytest.mark.parametrize(
    ("value", "type_", "shown"),
    [
        ("x", "text", "x"),
        (None, "text", None),
        (42, "text", Json(42)),
        (0.25, "numeric", 0.25),
        ("0.25", "numeric", None),
        (True, "numeric", None),
        (True, "boolean", True),
        ("2026-02-30", "date", None),
        ("2026-02-28", "date", "2026-02-28"),
        ("0000-01-01", "date", None),
        ("2026-02-28T10:00:00+01:00", "timestamp with time zone", datetime(2026, 2, 28, 9, tzinfo=UTC)),
        ("2026-02-28T10:00:00", "timestamp with time zone", None),
        ("9999-12-31T00:00:00+00:00", "timestamp with time zone", None),
        ("0001-01-01T00:00:00+00:00", "timestamp with time zone", None),
        ("2026-02-28", "timestamp with time zone", None),
        (["a", None, 1], "text[]", ["a", None, Json(1)]),
        ("a", "text[]", None),
        (["00000000-0000-4000-8000-0000000000F1"], "uuid[]", ["00000000-0000-4000-8000-0000000000f1"]),
        (["x"], "uuid[]", None),
        ("x", "uuid", None),
        ({"a": 1}, "jsonb", {"a": 1}),
        (NOT_TOLD, "text", NOT_TOLD),
    ],
)
def test_what_a_view_must_show_of_a_value(value: object, type_: str, shown: object) -> None:
    assert in_view(value, type_) == shown


@pytest.mark.parametrize(
    ("expected", "shown", "same"),
    [
        (Json([1, "a"]), '[1, "a"]', True),
        (Json(1), "2", False),
        (Json(1), None, False),
        (datetime(2026, 2, 28, 9, tzinfo=UTC), "2026-02-28T10:00:00+01:00", True),
        (datetime(2026, 2, 28, 9, tzinfo=UTC), None, False),
        (["a", None], ["a", None], True),
        (["a"], ["a", "b"], False),
        (True, 1, False),
        (1, True, False),
        (1, 1.0, True),
        (None, None, True),
        ("a", "b", False),
        ({"a": 1}, {"a": 1}, True),
    ],
)
def test_whether_a_view_shows_it(expected: object, shown: object, *, same: bool) -> None:
    assert same_in_view(expected, shown) is same


def test_what_search_finds_a_page_by() -> None:
    columns = [
        NamedColumn("t", "value", "name", "text", "title"),
        NamedColumn("a", "value", "zeal", "text", "rich_text"),
        NamedColumn("b", "value", "role", "text", "select"),
        NamedColumn("c", "value", "traits", "text[]", "multi_select"),
        NamedColumn("d", "value", "photo", "text[]", "files"),
        NamedColumn("e", "value", "age", "numeric", "number"),
    ]
    fields = {"name": "A", "zeal": "much", "role": "", "traits": ["kind", "sly"], "photo": ["https://x"], "age": 7}
    assert expected_search_text(fields, columns) == "much\nkind, sly"
    assert expected_search_text({**fields, "zeal": NOT_TOLD}, columns) is None
    assert expected_search_text({**fields, "role": 7}, columns) is None
