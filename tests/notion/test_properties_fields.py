"""A page's properties fill its columns, by property id; what does not fit is kept and said."""

from __future__ import annotations

import json

from hypothesis import given, settings

from notion_pg_sync.core.columns import Column
from notion_pg_sync.notion.cleaning import sanitize
from notion_pg_sync.notion.computed_types import settle_types
from notion_pg_sync.notion.page_properties import read_properties
from notion_pg_sync.notion.properties import Fields, columns_by_property, fields_of
from notion_pg_sync.notion.schema import assign_columns, fits
from tests.notion.arbitrary_json import page_properties
from tests.notion.payloads import payload, recorded


def column(property_id: str, name: str, column_type: str, part: str = "value") -> Column:
    return Column(property_id, "Any name", "any", name, column_type, part)


DUE = [
    column("d", "due", "date"),
    column("d", "due_at", "timestamptz", "at"),
    column("d", "due_end", "date", "end"),
    column("d", "due_end_at", "timestamptz", "end_at"),
]


def due(value: object) -> dict[str, object]:
    return {"Due": {"id": "d", "type": "date", "date": value}}


def test_a_date_fills_its_four_columns() -> None:
    date = {"start": "2026-06-27T10:00:00.000+01:00", "end": "2026-06-28", "time_zone": None}
    assert fields_of(read_properties(due(date)), columns_by_property(DUE)) == Fields(
        {"due": "2026-06-27", "due_at": "2026-06-27T10:00:00+01:00", "due_end": "2026-06-28", "due_end_at": None},
        frozenset(),
        frozenset(),
    )


def test_no_date_empties_its_four_columns() -> None:
    empty = dict.fromkeys(["due", "due_at", "due_end", "due_end_at"])
    assert fields_of(read_properties(due(None)), columns_by_property(DUE)) == Fields(empty, frozenset(), frozenset())


def test_a_formulas_or_rollups_date_fills_four_columns_too() -> None:
    date = {"start": "2026-06-27", "end": None, "time_zone": None}
    for value in ({"type": "date", "date": date}, {"type": "date", "date": date, "function": "latest_date"}):
        for kind in ("formula", "rollup"):
            fields = fields_of(
                read_properties({"When": {"id": "d", "type": kind, kind: value}}), columns_by_property(DUE)
            )
            assert fields.values == {"due": "2026-06-27", "due_at": None, "due_end": None, "due_end_at": None}


def test_a_date_that_no_date_column_holds_is_kept_and_said() -> None:
    date = {"start": "12026-01-01", "end": "2026-01-27T10:00:00", "time_zone": None}
    assert fields_of(read_properties(due(date)), columns_by_property(DUE)) == Fields(
        {"due": "12026-01-01", "due_at": None, "due_end": "2026-01-27", "due_end_at": "2026-01-27T10:00:00"},
        frozenset(),
        frozenset({"due", "due_end_at"}),
    )


def test_a_date_that_became_text_keeps_its_columns() -> None:
    properties = {"Due": {"id": "d", "type": "url", "url": "soon"}}
    assert fields_of(read_properties(properties), columns_by_property(DUE)) == Fields(
        {"due": "soon", "due_at": None, "due_end": None, "due_end_at": None}, frozenset(), frozenset({"due"})
    )


def test_a_date_in_a_text_column_is_whole_where_its_parts_have_no_columns() -> None:
    date = {"start": "2026-06-27T10:00:00Z", "end": "2026-06-28", "time_zone": None}
    fields = fields_of(read_properties(due(date)), columns_by_property([column("d", "due", "text")]))
    assert fields.values == {"due": "2026-06-27T10:00:00+00:00/2026-06-28"}


def test_a_dates_columns_hold_the_same_whatever_the_type_of_the_first() -> None:
    date = read_properties(due({"start": "2026-06-27T10:00:00Z", "end": "2026-06-28", "time_zone": None}))
    as_text = fields_of(date, columns_by_property([column("d", "due", "text"), *DUE[1:]]))
    assert as_text == fields_of(date, columns_by_property(DUE))


def test_what_is_not_computed_is_left_out_and_said() -> None:
    properties = {
        "When": {"id": "d", "type": "formula", "formula": {"type": "unsupported", "unsupported": {}}},
        "Sum": {"id": "s", "type": "rollup", "rollup": {"type": "unsupported", "unsupported": {}, "function": "sum"}},
        "Max": {"id": "m", "type": "rollup", "rollup": {"type": "number", "number": None, "function": "max"}},
    }
    columns = [*DUE, column("s", "sum", "numeric"), column("m", "max", "numeric")]
    assert fields_of(read_properties(properties), columns_by_property(columns)) == Fields(
        {"max": None}, frozenset({"due", "due_at", "due_end", "due_end_at", "sum"}), frozenset()
    )


def test_properties_find_their_columns_by_id_encoded_or_not() -> None:
    properties = {"Renamed": {"id": "v_%5D%3C", "type": "number", "number": 1}}
    for written in ("v_%5D%3C", "v_]<", "v_%5d%3c"):
        assert fields_of(
            read_properties(properties), columns_by_property([column(written, "amount", "numeric")])
        ).values == {"amount": 1}


def test_what_the_page_lacks_and_what_has_no_column_is_left_out() -> None:
    properties = {"New": {"id": "n", "type": "number", "number": 1}}
    assert fields_of(read_properties(properties), columns_by_property([column("gone", "gone", "numeric")])) == Fields(
        {}, frozenset(), frozenset()
    )


def test_a_value_of_another_type_than_the_columns_is_kept_and_said() -> None:
    properties = {
        "A": {"id": "a", "type": "rich_text", "rich_text": [{"plain_text": "many"}]},
        "B": {"id": "b", "type": "formula", "formula": {"type": "boolean", "boolean": True}},
        "C": {"id": "c", "type": "number", "number": 5},
    }
    columns = [column("a", "a", "numeric"), column("b", "b", "text[]"), column("c", "c", "text")]
    assert fields_of(read_properties(properties), columns_by_property(columns)) == Fields(
        {"a": "many", "b": True, "c": 5}, frozenset(), frozenset({"a", "b"})
    )


def test_a_recorded_row_fills_the_columns_of_its_recorded_schema() -> None:
    schema, row = payload("05_")["properties"], payload("12_")["results"][0]["properties"]
    fields = fields_of(
        read_properties(row), columns_by_property(settle_types(assign_columns(schema, []), [read_properties(row)]))
    )
    assert fields == Fields(
        {
            "text": "Text 2",
            "files": [],
            "phone_number": None,
            "url_": None,
            "checkbox": True,
            "multi_select": [],
            "ai_summary": "",
            "created_by": "00000000-0000-4000-8000-0000000000f1",
            "rollup": 0,
            "ai_custom": "",
            "number": 2,
            "ai_key_info": "",
            "id": "3",
            "select_": None,
            "status": "Not started",
            "relation_two_way": [],
            "formula": None,
            "created_time": "2026-06-26T13:45:00+00:00",
            "last_edited_time": "2026-06-26T13:45:00+00:00",
            "place": None,
            "title": "Item 2",
            "date": None,
            "date_at": None,
            "date_end": None,
            "date_end_at": None,
            "relation": [],
            "email": None,
            "people": [],
            "last_edited_by": "00000000-0000-4000-8000-0000000000f1",
        },
        frozenset(),
        frozenset(),
    )


def test_every_recorded_row_fits_the_columns_of_its_own_properties() -> None:
    for page in recorded("page"):
        properties = page["properties"]
        schema = {name: {**value, "name": name} for name, value in properties.items()}
        columns = settle_types(assign_columns(schema, []), [read_properties(properties)])
        fields = fields_of(read_properties(properties), columns_by_property(columns))
        assert not fields.unfit
        assert not fields.not_computed
        assert set(fields.values) == {column.name for column in columns}


@settings(deadline=None)
@given(page_properties, page_properties)
def test_any_page_fills_any_columns(properties: dict[str, object], others: dict[str, object]) -> None:
    cleaned, _ = sanitize(properties)
    columns = settle_types(assign_columns(sanitize(others)[0], assign_columns(cleaned, [])), [read_properties(cleaned)])
    fields = fields_of(read_properties(cleaned), columns_by_property(columns))
    json.dumps(fields.values, allow_nan=False).encode()
    by_name = {column.name: column for column in columns}
    assert fields.unfit == {name for name, value in fields.values.items() if not fits(value, by_name[name].type)}
    assert not fields.not_computed & fields.values.keys()
