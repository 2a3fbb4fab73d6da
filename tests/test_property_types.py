"""The table in docs/property-types.md is true."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from notion_pg_sync.core.columns import UNDETERMINED
from notion_pg_sync.notion.page_properties import read_properties
from notion_pg_sync.notion.properties import columns_by_property, fields_of
from notion_pg_sync.notion.schema import TYPES, assign_columns

PAGE = Path(__file__).parent.parent / "docs" / "property-types.md"
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in PAGE.read_text(encoding="utf-8").splitlines()
    if re.match(r"\| [a-z]", line) and not line.startswith("| type |")
]


def unquoted(cell: str) -> object:
    return json.loads(cell.strip("`"))


@pytest.mark.parametrize("row", [row for row in ROWS if row[0] != "button"], ids=lambda row: row[0])
def test_each_row_of_the_table(row: list[str]) -> None:
    name, column_type, given, read = row[:4]
    kind = "newer" if name == "anything newer" else name
    schema = {"P": {"id": "p", "name": "P", "type": kind}}
    columns = assign_columns(schema, [])
    expected_type = UNDETERMINED if column_type == "by its first value" else column_type
    assert columns[0].type == expected_type
    fields = fields_of(
        read_properties({"P": {"id": "p", "type": kind, kind: unquoted(given)}}), columns_by_property(columns)
    )
    assert fields.values["p"] == unquoted(read)


def test_a_button_has_no_column() -> None:
    assert assign_columns({"P": {"id": "p", "name": "P", "type": "button"}}, []) == []


def test_every_type_that_the_tool_knows_is_in_the_table() -> None:
    assert {row[0] for row in ROWS} - {"button", "anything newer"} == set(TYPES)


def test_a_date_has_the_four_columns_that_the_page_names() -> None:
    columns = assign_columns({"Due": {"id": "d", "name": "Due", "type": "date"}}, [])
    assert [(column.name, column.type) for column in columns] == [
        ("due", "date"),
        ("due_at", "timestamptz"),
        ("due_end", "date"),
        ("due_end_at", "timestamptz"),
    ]
