"""What a run sees change in Notion is kept, value by value, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest
from notion_workspace import SampleWorkspace, SmallWorkspace
from notion_workspace.literals import (
    formula,
    rich_text,
)

from tests.installation import Installation
from tests.sync.boards import Board

pytestmark = pytest.mark.slow


async def test_the_first_full_read_is_no_change_and_nor_is_nothing(board: Board) -> None:
    await board.sync(full=True)
    assert await board.changes() == []


async def test_an_edit_is_kept_by_the_values_that_differ(board: Board) -> None:
    board.workspace.edit_page(board.pages[1], {"Status": "Done", "Price": 7.5})
    await board.sync()
    (change,) = await board.changes()
    row = (await board.installation.execute("SELECT * FROM notion_pages_sync WHERE page_id = %s", board.pages[1]))[0]
    assert change["old"] == {"status": "To do", "price": 1}
    assert change["new"] == {"status": "Done", "price": 7.5}
    assert (change["kind"], change["reason"], change["page_id"]) == ("updated", None, board.pages[1])
    assert (change["user_id"], change["database_name"]) == ("anna", "Board")
    assert (change["edited_at"], change["edited_by"]) == (row["notion_edited_at"], row["notion_edited_by"])
    await board.sync(full=True)
    assert len(await board.changes()) == 1


async def test_what_notion_computes_is_no_change(board: Board) -> None:
    page = board.pages[1]
    # Its edit time alone moves.
    board.workspace.edit_page(page, {"Price": 1})
    await board.sync(full=True)
    assert (await board.rows())[page][2] == (await board.rows_as_of(await board.now()))[page][2]
    assert await board.changes() == []


async def test_pages_that_come_leave_and_come_back(board: Board) -> None:
    new = board.workspace.add_page("Board", {"Name": "New", "Tags": ["red"]})
    await board.sync()
    board.workspace.trash_page(new)
    await board.sync()
    board.workspace.restore_page(new)
    await board.sync()
    came, left, back = await board.changes()
    assert (came["kind"], came["reason"], came["old"]) == ("inserted", None, None)
    assert came["new"]["name"] == "New"
    assert came["new"]["tags"] == ["red"]
    assert (left["kind"], left["reason"], left["old"], left["new"]) == ("removed", "trashed", came["new"], None)
    assert (back["kind"], back["reason"], back["new"]) == ("inserted", "returned", came["new"])
    assert not {"twice", "edited"} & came["new"].keys()


@pytest.mark.parametrize("other", ["Three", "Stories"])
async def test_a_moved_page_leaves_one_database_and_comes_to_another(
    board: Board, small: SmallWorkspace, other: str
) -> None:
    """Also where both are in one table."""
    await board.installation.execute(
        "UPDATE user_settings SET notion_databases = notion_databases || jsonb_build_object(%s::text, %s::text)",
        *(other, small.databases[other]),
    )
    await board.sync()
    before = await board.now()
    page = board.pages[0]
    board.workspace.move_page(page, other)
    await board.sync()
    await board.sync()
    changes = [one for one in await board.changes() if one["page_id"] == page]
    assert {(one["kind"], one["database_name"]) for one in changes} == {("removed", "Board"), ("inserted", other)}
    (left,) = [one for one in changes if one["kind"] == "removed"]
    assert left["reason"] == "moved"
    assert left["old"]["name"] == "Task 0"
    assert "twice" not in left["old"]
    assert page in await board.rows_as_of(before)
    assert page not in await board.rows_as_of(await board.now())


def add(workspace: SampleWorkspace) -> None:
    workspace.add_property("Board", "Mood", rich_text())


def remove(workspace: SampleWorkspace) -> None:
    workspace.remove_property("Board", "Price")


def rename(workspace: SampleWorkspace) -> None:
    workspace.rename_property("Board", "Price", "Cost")


def retype(workspace: SampleWorkspace) -> None:
    workspace.retype_property("Board", "Price", rich_text())


def compute(workspace: SampleWorkspace) -> None:
    workspace.retype_property("Board", "Price", formula("7", "number", lambda _: 7))


def rename_option(workspace: SampleWorkspace) -> None:
    workspace.rename_option("Board", "Status", "To do", "Waiting")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (add, ("updated", "property_added", {}, {"mood": ""})),
        (remove, ("updated", "property_removed", {"price": 1}, {})),
        (rename, None),
        (retype, ("updated", "property_retyped", {"price": 1}, {"price": ""})),
        (compute, ("updated", "property_retyped", {"price": 1}, {})),
        (rename_option, ("updated", "option_renamed", {"status": "To do"}, {"status": "Waiting"})),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_what_no_person_changed_has_a_reason_and_is_not_shown(
    board: Board, change: Any, told: tuple[object, ...] | None
) -> None:
    before, seen = await board.now(), await board.rows()
    change(board.workspace)
    board.workspace.edit_page(board.pages[1], {"Urgent": True})
    await board.sync()
    changes = [one for one in await board.changes() if one["page_id"] == board.pages[1]]
    assert [(one["kind"], one["reason"], one["old"], one["new"]) for one in changes] == [
        ("updated", None, {"urgent": False}, {"urgent": True}),
        *([told] if told else []),
    ]
    assert await board.shown() == [("Task 1", "urgent", "false", "true")]
    assert await board.rows_as_of(before) == seen


async def test_what_somebody_changed_by_sql_is_restored_and_what_notion_had_is_told(board: Board) -> None:
    before, seen = await board.now(), await board.rows()
    await board.installation.execute(
        "UPDATE notion_pages_sync SET fields = fields || jsonb_build_object('price', 99, 'due', '2020-01-01')"
        " WHERE title = 'Task 1'"
    )
    board.workspace.edit_page(board.pages[2], {"Price": 20})
    await board.installation.execute(
        "UPDATE notion_pages_sync SET fields = fields || '{\"price\": 98}' WHERE title = 'Task 2'"
    )
    await board.installation.execute("DELETE FROM notion_pages_sync WHERE title = 'Task 3'")
    await board.sync(full=True)
    expected = [
        ("updated", "restored", {"due": None, "price": 1}, {"due": None, "price": 1}),
        ("updated", "restored", {"price": 2}, {"price": 2}),
        ("updated", None, {"price": 2}, {"price": 20}),
        ("updated", "restored", {}, {}),
    ]
    assert sorted(map(str, await board.told())) == sorted(map(str, expected))
    assert await board.shown() == [("Task 2", "price", "2", "20")]
    assert await board.rows_as_of(before) == seen


async def test_a_column_of_the_applications_own_is_no_change(board: Board) -> None:
    await board.installation.execute("ALTER TABLE notion_pages_sync ADD COLUMN IF NOT EXISTS rating integer")
    await board.sync()
    await board.installation.execute("UPDATE notion_pages_sync SET rating = 5")
    await board.sync(full=True)
    board.workspace.edit_page(board.pages[2], {"Price": 20})
    await board.installation.execute("UPDATE notion_pages_sync SET rating = 4")
    await board.sync()
    assert await board.told() == [("updated", None, {"price": 2}, {"price": 20})]


async def test_a_time_before_the_history_is_an_error_that_names_its_beginning(board: Board) -> None:
    (known,) = await board.installation.execute("SELECT history_since FROM notion_sync.data_sources")
    since = known["history_since"]
    assert await board.rows_as_of(since) == await board.rows()
    with pytest.raises(psycopg.errors.InvalidParameterValue, match=str(since.year)):
        await board.rows_as_of(since.replace(year=since.year - 1))


@pytest.mark.parametrize("where", ["accounts", "data_sources"])
async def test_what_is_switched_off_begins_anew_when_it_is_switched_on(board: Board, where: str) -> None:
    begun = await board.now()
    await board.installation.execute(f"UPDATE notion_sync.{where} SET history = false")
    board.workspace.edit_page(board.pages[1], {"Price": 10})
    await board.sync()
    assert await board.changes() == []
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="has not begun"):
        await board.rows_as_of(begun)
    await board.installation.execute(f"UPDATE notion_sync.{where} SET history = true")
    board.workspace.edit_page(board.pages[1], {"Price": 11})
    await board.sync()
    assert await board.told() == [("updated", None, {"price": 10}, {"price": 11})]
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="begins at"):
        await board.rows_as_of(begun)


async def test_what_was_there_on_the_first_of_the_month(board: Board) -> None:
    """After every run, what was there then; folded back from the end, the same."""
    moments = []
    page = board.pages[1]
    steps: list[Any] = [
        lambda: board.workspace.edit_page(page, {"Name": "Renamed", "Status": "Doing"}),
        lambda: board.workspace.trash_page(page),
        lambda: board.workspace.add_page("Board", {"Name": "New", "Price": 1}),
        lambda: board.workspace.restore_page(page),
        lambda: retype(board.workspace),
        lambda: board.workspace.edit_page(page, {"Price": "many", "Urgent": True}),
        lambda: remove(board.workspace),
        lambda: add(board.workspace),
        lambda: board.workspace.edit_page(page, {"Mood": "calm"}),
    ]
    for step in steps:
        step()
        await board.sync()
        moments.append((await board.now(), await board.rows()))
    for moment, rows in moments:
        assert await board.rows_as_of(moment) == rows


async def test_history_goes_with_the_user_and_with_the_database(board: Board) -> None:
    board.workspace.edit_page(board.pages[1], {"Price": 10})
    await board.sync()
    await board.installation.execute("UPDATE user_settings SET notion_token = NULL, notion_databases = '{}'")
    await board.installation.execute("SELECT notion_sync.forget('anna', %s)", board.id)
    assert await board.changes() == []


async def test_what_is_excluded_leaves_the_history(board: Board) -> None:
    board.workspace.edit_page(board.pages[1], {"Price": 10})
    board.workspace.edit_page(board.pages[2], {"Price": 20, "Urgent": True})
    await board.sync()
    entry = json.dumps({"Board": {"id": board.id, "exclude": ["Price"]}})
    await board.installation.execute("UPDATE user_settings SET notion_databases = %s::jsonb", entry)
    await board.sync()
    assert await board.told() == [("updated", None, {"urgent": False}, {"urgent": True})]
    await board.sync(full=True)
    assert len(await board.changes()) == 1


async def test_old_changes_go_and_the_history_begins_later(board: Board) -> None:
    board.workspace.edit_page(board.pages[1], {"Price": 10})
    await board.sync()
    await board.installation.execute("UPDATE notion_sync.page_changes SET seen_at = seen_at - interval '40 days'")
    await board.installation.execute(
        "UPDATE notion_sync.data_sources SET history_since = history_since - interval '50 days'"
    )
    board.workspace.edit_page(board.pages[1], {"Price": 11})
    await board.sync()
    assert len(await board.changes()) == 2
    await board.installation.execute("UPDATE notion_sync.accounts SET history_days = 30")
    await board.sync()
    assert await board.told() == [("updated", None, {"price": 10}, {"price": 11})]
    (known,) = await board.installation.execute(
        "SELECT clock_timestamp() - history_since < interval '31 days' AS is_later FROM notion_sync.data_sources"
    )
    assert known == {"is_later": True}


async def differences(board: Board) -> list[tuple[str, str | None]]:
    outcome = await board.installation.sync_one("anna", "Board", full=True, verify=True)
    return [(one.kind, one.name) for _, _, found in outcome.verified for one in found.differences]


async def test_verify_finds_the_newest_state_of_the_history_in_the_rows(board: Board) -> None:
    page = board.pages[1]
    for change in ({"Status": "Doing", "Name": "Renamed"}, {"Price": 10}, {"Status": "Done", "Tags": ["red"]}):
        board.workspace.edit_page(page, change)
        await board.sync()
    compute(board.workspace)
    first, _, third, _ = board.pages
    board.workspace.trash_page(first)
    board.workspace.trash_page(third)
    await board.sync()
    board.workspace.restore_page(first)
    board.workspace.add_page("Board", {"Name": "New"})
    await board.sync()
    assert await differences(board) == []
    await board.installation.execute(
        """
        UPDATE notion_sync.page_changes SET new = new || '{"status": "Doing"}' WHERE new @> '{"status": "Done"}'
        """
    )
    await board.installation.execute(
        "DELETE FROM notion_sync.page_changes WHERE kind = 'inserted' AND page_id = %s", first
    )
    assert sorted(await differences(board), key=str) == [("history_differs", "status"), ("history_differs", None)]


@pytest.mark.parametrize(
    "spoiled",
    [
        "fields = '[\"price\"]'",
        "fields = '5'",
        "fields = 'null'",
        "fields = fields || jsonb_build_object('price', 10::numeric ^ 5000)",
        "fields = fields || jsonb_build_object('price', 10::numeric ^ 400 + 0.5)",
        "fields = fields || jsonb_build_object('name', (repeat('[', 3000) || repeat(']', 3000))::jsonb)",
        "properties = '[]'",
        "properties = '5'",
        "properties = jsonb_build_object('Price', 5)",
        "properties = properties || jsonb_build_object('Price', 10::numeric ^ 5000)",
        "properties = jsonb_set(properties, '{Price,number}', to_jsonb(10::numeric ^ 5000))",
        "properties = jsonb_set(properties, '{Price,number}', to_jsonb(10::numeric ^ 400 + 0.5))",
        "properties = jsonb_set(properties, '{Price,number}', '\"many\"')",
        "properties = jsonb_set(properties, '{Price,type}', '\"nothing\"')",
        "properties = jsonb_set(properties, '{Name,title}', '[5]')",
        "properties = jsonb_set(properties, '{Tags,multi_select}', '[5]')",
        "properties = jsonb_set(properties, '{Due,date}', '{\"start\": 5}')",
        "properties = jsonb_set(properties, '{Name,title}', (repeat('[', 900) || repeat(']', 900))::jsonb)",
        "properties = jsonb_set(properties, '{Tags,multi_select}', (repeat('[', 900) || repeat(']', 900))::jsonb)",
        "properties = jsonb_set(properties, '{Price,number}', (repeat('[', 900) || repeat(']', 900))::jsonb)",
        "fields = jsonb_set(fields, '{price}', (repeat('[', 900) || repeat(']', 900))::jsonb)",
        "properties = jsonb_set(properties, '{Name,title}', (repeat('[', 3000) || repeat(']', 3000))::jsonb)",
    ],
)
async def test_whatever_somebody_wrote_into_a_row_stops_no_sync(board: Board, spoiled: str) -> None:
    page = board.pages[1]
    await board.installation.execute(f"UPDATE notion_pages_sync SET {spoiled} WHERE page_id = %s", page)
    known = "SELECT count(page_id) FROM notion_sync.rows_as_of('anna', 'Board', clock_timestamp())"
    assert await board.installation.execute(known) == [{"count": 4}]
    board.workspace.edit_page(page, {"Urgent": True})
    await board.sync()
    row = (await board.rows())[page][2]
    assert isinstance(row, dict)
    assert (row["price"], row["urgent"]) == (1, True)
    assert (await board.rows_as_of(await board.now()))[page][2] == row


@pytest.mark.parametrize(
    "damage",
    ["DROP TABLE notion_sync.page_changes CASCADE", "ALTER TABLE notion_sync.page_changes DROP COLUMN old CASCADE"],
)
async def test_a_history_that_lost_what_changed_begins_anew(board: Board, damage: str) -> None:
    page, begun = board.pages[1], await board.now()
    board.workspace.edit_page(page, {"Price": 10})
    await board.sync()
    await board.installation.execute(damage)
    await board.installation.init()
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="has not begun"):
        await board.rows_as_of(begun)
    await board.sync()
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="begins at"):
        await board.rows_as_of(begun)
    board.workspace.edit_page(page, {"Price": 11})
    await board.sync()
    assert (await board.told())[-1] == ("updated", None, {"price": 10}, {"price": 11})


@pytest.mark.parametrize("table", ["page_changes", "history_generations"])
async def test_after_a_table_of_the_history_was_lost_no_change_that_is_there_is_kept_back(
    board: Board, table: str
) -> None:
    page = board.pages[1]
    for price in (10, 11, 12):
        board.workspace.edit_page(page, {"Price": price})
        await board.sync()
        # Numbers of transactions that are not those of this cluster.
        await board.installation.execute("UPDATE notion_sync.history_generations SET system_identifier = 0")
    (last,) = (await board.installation.execute("SELECT position FROM notion_sync.changes_since()"))[-1:]
    await board.installation.execute(f"DROP TABLE notion_sync.{table} CASCADE")
    await board.installation.init()
    await board.sync()
    feed = "SELECT change_id, position FROM notion_sync.changes_since(%s)"
    found = await board.installation.execute(feed, None)
    assert [one["change_id"] for one in found] == [one["change_id"] for one in await board.changes()]
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="begin again with null"):
        await board.installation.execute(feed, last["position"])
    board.workspace.edit_page(page, {"Price": 13})
    await board.sync()
    followed = await board.installation.execute(feed, found[-1]["position"] if found else None)
    assert [one["change_id"] for one in followed] == [one["change_id"] for one in (await board.changes())[-1:]]


# What a trigger of an application may do to what the tool writes.
TRIGGERS = {
    "blocks every update": "IF TG_OP = 'UPDATE' THEN RETURN NULL; END IF;",
    "keeps the price": (
        "IF TG_OP = 'UPDATE' THEN NEW.fields := jsonb_set(NEW.fields, '{price}', OLD.fields -> 'price'); END IF;"
    ),
    "writes in capitals": (
        "NEW.title := upper(NEW.title); NEW.fields := jsonb_set(NEW.fields, '{name}', to_jsonb(NEW.title));"
    ),
    "spoils the properties": (
        "NEW.fields := jsonb_set(NEW.fields, '{price}', '7');"
        " NEW.properties := jsonb_set(NEW.properties, '{Price,number}', '7');"
    ),
    "drops the properties": "NEW.properties := '{}';",
    "drops a column": "NEW.fields := NEW.fields - 'price';",
    "adds to the address": "NEW.url := NEW.url || '#here';",
}


@pytest.fixture(params=list(TRIGGERS))
async def altered_board(installation: Installation, small: SmallWorkspace, request: pytest.FixtureRequest) -> Board:
    """A board whose table has a trigger from the beginning."""
    made = Board(installation, small)
    body = f"BEGIN {TRIGGERS[request.param]} RETURN NEW; END"
    await installation.execute(f"CREATE FUNCTION theirs() RETURNS trigger LANGUAGE plpgsql AS $${body}$$")
    await installation.execute(
        "CREATE TRIGGER theirs BEFORE INSERT OR UPDATE ON notion_pages_sync FOR EACH ROW EXECUTE FUNCTION theirs()"
    )
    await installation.connect("anna", made.token, {"Board": made.id})
    await made.sync()
    return made


async def test_the_history_follows_notion_whatever_a_trigger_stores(altered_board: Board) -> None:
    board = altered_board
    page, other = board.pages[1], board.pages[2]
    moments = [(await board.now(), {"price": 1, "status": "To do"})]
    edits: list[dict[str, Any]] = [{"Price": 10}, {"Price": 11}, {"Status": "Done"}, {"Price": 11}, {"Price": 1}]
    for index, edit in enumerate(edits):
        board.workspace.edit_page(page, edit)
        await board.sync(full=index % 2 == 1)
        known = {name.lower(): value for name, value in edit.items()}
        moments.append((await board.now(), {**moments[-1][1], **known}))
    told = [(one["reason"], one["old"], one["new"]) for one in await board.changes()]
    assert told == [
        (None, {"price": 1}, {"price": 10}),
        (None, {"price": 10}, {"price": 11}),
        (None, {"status": "To do"}, {"status": "Done"}),
        (None, {"price": 11}, {"price": 1}),
    ]
    for moment, seen in moments:
        title, url, fields = (await board.rows_as_of(moment))[page]
        assert isinstance(fields, dict)
        assert (title, {name: fields[name] for name in seen}) == ("Task 1", seen)
        assert fields["name"] == "Task 1"
        assert isinstance(url, str)
        assert not url.endswith("#here")
    board.workspace.trash_page(page)
    board.workspace.trash_page(other)
    await board.sync()
    left = [one["old"] for one in await board.changes() if one["kind"] == "removed" and one["page_id"] == page]
    assert [(one["price"], one["status"], one["name"]) for one in left] == [(1, "Done", "Task 1")]
    assert [one for one in await differences(board) if one[0] == "history_differs"] == []


async def test_what_somebody_changes_beside_a_trigger_is_no_change_of_a_person(altered_board: Board) -> None:
    board = altered_board
    await board.installation.execute("ALTER TABLE notion_pages_sync DISABLE TRIGGER theirs")
    await board.installation.execute(
        "UPDATE notion_pages_sync SET fields = fields || '{\"price\": 99}', title = 'Mine' WHERE page_id = %s",
        board.pages[1],
    )
    await board.installation.execute("ALTER TABLE notion_pages_sync ENABLE TRIGGER theirs")
    await board.sync(full=True)
    board.workspace.edit_page(board.pages[1], {"Price": 10})
    await board.sync()
    # The page is called as its row is.
    assert [told[1:] for told in await board.shown()] == [("price", "1", "10")]
