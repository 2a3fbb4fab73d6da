"""What is told of pages that left Notion, or moved, after somebody had their rows changed or deleted by SQL."""

from __future__ import annotations

import psycopg
import pytest
from notion_workspace import SmallWorkspace
from notion_workspace.literals import number, title

from tests.installation import Installation
from tests.sync.boards import Board

pytestmark = pytest.mark.slow

CHANGED = (
    "UPDATE notion_pages_sync SET fields = fields || '{\"price\": 99, \"more\": 1}', title = 'Mine' WHERE page_id = %s"
)
DELETED = "DELETE FROM notion_pages_sync WHERE page_id = %s"


@pytest.fixture
async def board(installation: Installation, small: SmallWorkspace) -> Board:
    made = Board(installation, small)
    others = {name: small.databases[name] for name in ("Three", "Stories")}
    await installation.connect("anna", made.token, {"Board": made.id, **others})
    await made.sync()
    return made


async def leave(board: Board, page: str, where: str) -> None:
    if where == "trash":
        board.workspace.trash_page(page)
    else:
        board.workspace.move_page(page, where)
    await board.sync(full=True)


async def differences(board: Board) -> list[object]:
    outcome = await board.installation.sync_one("anna", "Board", full=True, verify=True)
    return [one for _, _, found in outcome.verified for one in found.differences]


@pytest.mark.parametrize("where", ["trash", "Three", "Stories"])
async def test_a_page_left_with_what_notion_had_of_it(board: Board, where: str) -> None:
    before, seen = await board.now(), await board.rows()
    page = board.pages[1]
    await board.installation.execute(CHANGED, page)
    await leave(board, page, where)
    assert await board.rows_as_of(before) == seen
    (left,) = [one for one in await board.changes() if one["kind"] == "removed"]
    assert (left["page_id"], left["old"]["price"], left["database_name"]) == (page, 1, "Board")
    assert not {"more", "twice", "edited"} & left["old"].keys()
    assert await differences(board) == []


async def test_a_strangers_address_of_a_page_that_left_is_not_told(board: Board) -> None:
    page = board.pages[1]
    await board.installation.execute(
        "UPDATE notion_pages_sync SET url = 'https://example.com' WHERE page_id = %s", page
    )
    await leave(board, page, "trash")
    (left,) = await board.changes()
    assert (left["old"]["name"], left["old"]["url"]) == ("Task 1", None)


@pytest.mark.parametrize("where", ["trash", "Three"])
async def test_a_page_whose_row_was_deleted_is_told_to_have_left(board: Board, where: str) -> None:
    """Also one that came since the history began, which would be there for ever; what it held is not known."""
    new = board.workspace.add_page("Board", {"Name": "New"})
    await board.sync()
    before, old = await board.now(), board.pages[1]
    for page in (new, old):
        await board.installation.execute(DELETED, page)
        await leave(board, page, where)
    reason = {"trash": "trashed"}.get(where, "moved")
    left = [one for one in await board.changes() if one["kind"] == "removed"]
    assert [(one["page_id"], one["reason"], one["old"]) for one in left] == [(new, reason, {}), (old, reason, {})]
    assert {new, old} <= (await board.rows_as_of(before)).keys()
    assert not {new, old} & (await board.rows_as_of(await board.now())).keys()
    assert await differences(board) == []
    assert len(await board.changes()) == len({one["change_id"] for one in await board.changes()})


async def test_a_page_whose_row_was_deleted_comes_back_as_one_that_was_there(board: Board) -> None:
    page = board.pages[1]
    await board.installation.execute(DELETED, page)
    await leave(board, page, "trash")
    between = await board.now()
    board.workspace.restore_page(page)
    await board.sync(full=True)
    assert [(one["kind"], one["reason"]) for one in await board.changes()][1:] == [("inserted", None)]
    assert page not in await board.rows_as_of(between)
    assert page in await board.rows_as_of(await board.now())


async def test_the_past_is_an_error_where_the_table_of_the_rows_is_gone(board: Board) -> None:
    before, seen = await board.now(), await board.rows()
    await board.installation.execute("ALTER TABLE notion_pages_sync RENAME TO mine")
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match=r"public\.notion_pages_sync.* sync again"):
        await board.rows_as_of(before)
    await board.installation.execute("ALTER TABLE mine RENAME TO notion_pages_sync")
    assert await board.rows_as_of(before) == seen


async def test_pages_of_a_data_source_that_is_gone_are_told_by_their_titles(board: Board) -> None:
    columns = {"Label": title(), "Price": number()}
    other = board.workspace.add_data_source(board.id, "Other", columns, [{"Label": "There", "Price": 1}])
    await board.installation.let_an_hour_go_by()
    await board.sync(full=True)
    board.workspace.edit_page(board.workspace.page_ids(other)[0], {"Price": 5})
    await board.sync()
    board.workspace.trash_data_source(other)
    await board.installation.let_an_hour_go_by()
    await board.sync(full=True)
    assert await board.shown() == [
        ("There", "price", "1", "5"),
        ("There", "label", "There", None),
        ("There", "price", "5", None),
    ]
