"""The columns of typed views: their order, what stands beside them, what is said of them, what stays of a view."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notion_pg_sync.mirror.view_columns import (
    COMMENT_MARK,
    FIXED,
    MOST_COLUMNS,
    SharedColumn,
    Typed,
    ViewColumn,
    arrange,
    columns_of_all,
)
from notion_pg_sync.notion.column_names import RESERVED_NAMES


def own(shared: list[SharedColumn]) -> list[ViewColumn]:
    """The columns of a view, without those that every view has."""
    return [column for column in columns_of_all(shared) if column.field]


def test_the_columns_that_every_view_has_are_the_reserved_names() -> None:
    assert RESERVED_NAMES - FIXED.keys() == {"tableoid", "ctid", "xmin", "xmax", "cmin", "cmax"}
    assert FIXED.keys() <= RESERVED_NAMES


def test_the_title_is_first_a_date_stands_together_and_ids_and_times_are_last() -> None:
    shared = [
        SharedColumn("due", "date", "Due", "date"),
        SharedColumn("due_end_at", "timestamptz", "Due", "date", part="end_at", beside="due"),
        SharedColumn("due_at", "timestamptz", "Due", "date", part="at", beside="due"),
        SharedColumn("due_again", "boolean", "Due again", "checkbox"),
        SharedColumn("due_end", "date", "Due", "date", part="end", beside="due"),
        SharedColumn("task", "text", "Task", "title"),
        SharedColumn("blocks", "uuid[]", "Blocks", "relation"),
        SharedColumn("status", "text", "Status", "status"),
        SharedColumn("who", "uuid[]", "Who", "people"),
        SharedColumn("by", "uuid", "By", "created_by"),
    ]
    assert [column.name for column in columns_of_all(shared)] == [
        *("task", "blocks", "blocks_titles", "by", "by_name"),
        *("due", "due_at", "due_end", "due_end_at", "due_again"),
        *("status", "status_group", "who", "who_names"),
        *FIXED,
    ]
    assert next(iter(FIXED)) == "data_source_name"
    assert [*FIXED][-3:] == ["notion_created_at", "notion_edited_at", "last_synced_at"]


def test_what_is_said_tells_the_columns_of_a_date_apart() -> None:
    parts = {"due": "value", "due_at": "at", "due_end": "end", "due_end_at": "end_at"}
    columns = own([SharedColumn(name, "date", "Due", "date", part=part) for name, part in parts.items()])
    assert {column.name: column.comment for column in columns} == {
        "due": "Notion: Due (date), start: the calendar day as written",
        "due_at": "Notion: Due (date), start: the instant, null where it has no time",
        "due_end": "Notion: Due (date), end: the calendar day as written",
        "due_end_at": "Notion: Due (date), end: the instant, null where it has no time",
    }


@pytest.mark.parametrize(
    ("type_", "property_type", "ending"),
    [
        ("uuid[]", "relation", "_titles"),
        ("uuid[]", "people", "_names"),
        ("uuid", "last_edited_by", "_name"),
        ("text", "status", "_group"),
        ("text[]", "files", "_kept"),
        ("text[]", "multi_select", None),
        ("text", "files", None),
        ("text", "relation", None),
        ("text", "select", None),
        ("uuid[]", "rollup", None),
    ],
)
def test_what_stands_beside_a_column_follows_from_its_type_and_the_propertys(
    type_: str, property_type: str, ending: str | None
) -> None:
    columns = own([SharedColumn("a", type_, "A", property_type)])
    assert [column.name for column in columns] == ["a", *([f"a{ending}"] if ending else [])]


def test_what_stands_beside_a_column_gives_way_to_a_property_and_a_fixed_column_to_both() -> None:
    shared = [
        SharedColumn("a", "uuid[]", "A", "relation"),
        SharedColumn("a_titles", "text", "A titles", "rich_text"),
        SharedColumn("b" * 60, "uuid[]", "B", "relation"),
        SharedColumn("database", "uuid", "Database", "created_by"),
        SharedColumn("data_source_name", "text", "Data source name", "rich_text"),
    ]
    columns = columns_of_all(shared)
    names = [column.name for column in columns]
    assert names[:6] == ["a", "a_titles", "b" * 60, "data_source_name", "database", "database_name"]
    assert names[6:] == [name for name in FIXED if name not in ("data_source_name", "database_name")]
    assert columns[5].field == "database"


def test_columns_of_two_types_are_text_and_an_undetermined_one_gives_way() -> None:
    shared = [
        SharedColumn("a", "numeric", "A", "number"),
        SharedColumn("a", "boolean", "A", "checkbox"),
        SharedColumn("b", "undetermined", "B", "formula"),
        SharedColumn("b", "numeric", "B", "formula"),
        SharedColumn("c", "undetermined", "C", "formula"),
        SharedColumn("z", "text", "Z", "title"),
    ]
    assert [(column.name, column.type) for column in own(shared)] == [
        ("z", "text"),
        ("a", "text"),
        ("b", "numeric"),
        ("c", "text"),
    ]


@pytest.mark.parametrize(
    ("is_unfit", "new_type", "type_", "said"),
    [
        (True, "boolean", "text", "; shown as text, since it was numeric before"),
        (False, "boolean", "numeric", ""),
        (True, None, "numeric", "; values of another type are null here"),
    ],
)
def test_a_column_is_text_while_it_cannot_hold_what_its_property_became(
    new_type: str | None, type_: str, said: str, *, is_unfit: bool
) -> None:
    (column,) = own([SharedColumn("a", "numeric", "A", "checkbox", is_unfit=is_unfit, new_type=new_type)])
    assert (column.type, column.comment) == (type_, f"Notion: A (checkbox){said}")


def test_a_view_has_room_for_a_thousand_columns_those_of_every_view_among_them() -> None:
    shared = [SharedColumn(f"c{number:04}", "text", f"C{number}", "rich_text") for number in range(1200)]
    arrangement = arrange(columns_of_all(shared))
    assert len(arrangement.columns) == MOST_COLUMNS
    assert {column.name for column in arrangement.columns} >= FIXED.keys()
    assert arrangement.left_out == tuple(f"c{number:04}" for number in range(MOST_COLUMNS - len(FIXED), 1200))


names = st.sampled_from(["a", "a_names", "a_titles", "a_group", "a_kept", "b", "database", "b" * 60, *FIXED])
shared_columns = st.builds(
    SharedColumn,
    name=names,
    type=st.sampled_from(["text", "numeric", "date", "uuid", "uuid[]", "text[]", "timestamptz", "undetermined"]),
    property_name=st.sampled_from(["A", "B"]),
    property_type=st.sampled_from(
        ["title", "relation", "people", "created_by", "status", "date", "number", "files", "new"]
    ),
    is_unfit=st.booleans(),
    new_type=st.none() | st.just("boolean"),
    part=st.sampled_from(["value", "at", "end", "end_at"]),
    beside=st.none() | names,
)
existing_columns = st.lists(
    st.tuples(names | st.just("gone"), st.sampled_from(["text", "numeric", "uuid", "uuid[]", "point"])),
    unique_by=lambda column: column[0],
)


@given(st.lists(shared_columns, max_size=12))
def test_every_column_is_there_once_can_be_named_and_is_told_of(shared: list[SharedColumn]) -> None:
    columns = columns_of_all(shared)
    names = [column.name for column in columns]
    assert len(names) == len(set(names))
    assert set(names) >= {one.name for one in shared} | FIXED.keys()
    assert all(len(name.encode()) <= 63 for name in names)
    assert all(column.comment.removeprefix(COMMENT_MARK) not in ("", column.comment) for column in columns)
    assert all(column.expression for column in columns)
    # Each comes from the property of its name, where there is one.
    assert all(column.field == column.name for column in columns if column.name in {one.name for one in shared})
    assert columns_of_all(shared[::-1]) == columns


@given(shared=st.lists(shared_columns, max_size=12), existing=existing_columns, keep=st.booleans())
def test_a_view_is_replaced_as_postgresql_allows(
    shared: list[SharedColumn], existing: list[Typed], *, keep: bool
) -> None:
    wanted = columns_of_all(shared)
    arrangement = arrange(wanted, existing, keep=keep)
    typed = [(column.name, column.type) for column in arrangement.columns]
    fit = {(column.name, column.type) for column in wanted}
    assert arrangement.misfits == tuple(name for name, type_ in existing if (name, type_) not in fit)
    if keep or not arrangement.misfits:
        assert typed[: len(existing)] == existing
    names = {column.name for column in wanted}
    assert {name for name, _ in typed} == names | {name for name, _ in existing if keep}
    assert arrangement.left_out == ()
    new = [column for column in wanted if column.name not in dict(existing)]
    assert list(arrangement.columns[len(arrangement.columns) - len(new) :]) == new
