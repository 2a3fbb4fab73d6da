"""Cursors of three kinds while rows are edited, and cursors that are refused."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from notion_workspace import SampleWorkspace
from notion_workspace import literals as lit

Connect = Callable[..., httpx.Client]

BY_EDIT = {"sorts": [{"timestamp": "last_edited_time", "direction": "ascending"}], "page_size": 3}
BY_RANK = {"sorts": [{"property": "Rank", "direction": "ascending"}], "page_size": 3}


class Listing:
    """A listing of the pages a to i, read answer by answer."""

    def __init__(self, workspace: SampleWorkspace, client: httpx.Client, source: str, body: dict[str, Any]) -> None:
        self.workspace, self.client, self.body = workspace, client, body
        self.path = f"/v1/data_sources/{source}/query"
        self.cursor: str | None = None

    def ask(self) -> httpx.Response:
        cursor = {"start_cursor": self.cursor} if self.cursor else {}
        return self.client.post(self.path, json={**self.body, **cursor})

    def next(self) -> str:
        """The names of the next answer's pages."""
        answer = self.ask().json()
        self.cursor = answer["next_cursor"]
        return "".join(page["properties"]["Name"]["title"][0]["plain_text"] for page in answer["results"])

    def page(self, name: str) -> str:
        rows = self.workspace.truth("L").values()
        return next(row["id"] for row in rows if row["properties"]["Name"] == name)


@pytest.fixture
def listing(workspace: SampleWorkspace, connect: Connect) -> Callable[..., Listing]:
    rows = [{"Name": name, "Rank": rank} for rank, name in enumerate("abcdefghi")]
    source = workspace.add_database("L", {"Rank": lit.number()}, rows, pace=60).data_source_id
    workspace.share("anna", "L")
    workspace.clock.advance(60)

    def begin(kind: str, body: dict[str, Any]) -> Listing:
        workspace.configure(cursor_kind=kind)
        return Listing(workspace, connect(workspace), source, body)

    return begin


@pytest.mark.parametrize("kind", ["key", "offset", "anchor"])
@pytest.mark.parametrize("body", [BY_EDIT, BY_RANK])
def test_a_listing_nobody_disturbs_is_whole(listing: Callable[..., Listing], kind: str, body: dict[str, Any]) -> None:
    read = listing(kind, body)
    assert [read.next() for _ in range(3)] == ["abc", "def", "ghi"]
    assert read.cursor is None


@pytest.mark.parametrize(
    ("kind", "rest"), [("key", ["def", "ghi"]), ("offset", ["efg", "hi"]), ("anchor", ["def", "ghi"])]
)
def test_a_row_told_earlier_is_trashed(listing: Callable[..., Listing], kind: str, rest: list[str]) -> None:
    """By offset the next row is skipped."""
    read = listing(kind, BY_EDIT)
    assert read.next() == "abc"
    read.workspace.trash_page(read.page("a"))
    assert [read.next() for _ in rest] == rest


@pytest.mark.parametrize(("kind", "rest"), [("key", ["def", "ghi", "a"]), ("offset", ["efg", "hia"])])
def test_a_row_told_earlier_is_edited(listing: Callable[..., Listing], kind: str, rest: list[str]) -> None:
    """It moves to the end, and is told again."""
    read = listing(kind, BY_EDIT)
    assert read.next() == "abc"
    read.workspace.edit_page(read.page("a"))
    assert [read.next() for _ in rest] == rest
    assert read.cursor is None


def test_an_anchored_listing_follows_the_row_that_came_next(listing: Callable[..., Listing]) -> None:
    """The row moved to the end: what lay between is never told."""
    read = listing("anchor", BY_EDIT)
    assert read.next() == "abc"
    read.workspace.edit_page(read.page("d"))
    assert read.next() == "d"
    assert read.cursor is None


@pytest.mark.parametrize("gone", ["trash_page", "archive_page", "delete_page"])
def test_an_anchored_cursor_is_refused_when_its_row_is_gone(listing: Callable[..., Listing], gone: str) -> None:
    read = listing("anchor", BY_EDIT)
    read.next()
    getattr(read.workspace, gone)(read.page("d"))
    answer = read.ask()
    assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")
    assert answer.json()["message"].startswith("The start_cursor provided is invalid")


@pytest.mark.parametrize("kind", ["key", "offset"])
def test_other_cursors_outlive_the_row_that_came_next(listing: Callable[..., Listing], kind: str) -> None:
    read = listing(kind, BY_EDIT)
    read.next()
    read.workspace.delete_page(read.page("d"))
    assert [read.next(), read.next()] == ["efg", "hi"]


def test_rows_added_behind_the_cursor_are_not_told_by_key(listing: Callable[..., Listing]) -> None:
    read = listing("key", BY_RANK)
    assert read.next() == "abc"
    read.workspace.add_page("L", {"Name": "z", "Rank": 0.5})
    read.workspace.add_page("L", {"Name": "y", "Rank": 4.5})
    assert [read.next(), read.next(), read.next()] == ["dey", "fgh", "i"]


@pytest.mark.parametrize("kind", ["key", "offset", "anchor"])
def test_a_cursor_may_be_used_again(listing: Callable[..., Listing], kind: str) -> None:
    read = listing(kind, BY_EDIT)
    read.next()
    assert read.ask().json()["results"] == read.ask().json()["results"]


def test_cursors_expire_on_demand(listing: Callable[..., Listing]) -> None:
    read = listing("key", BY_EDIT)
    read.next()
    read.workspace.expire_cursors()
    assert read.ask().json()["message"].startswith("The start_cursor provided is invalid")


def test_a_cursor_belongs_to_its_request_and_token(listing: Callable[..., Listing], connect: Connect) -> None:
    read = listing("key", BY_EDIT)
    read.next()
    other = {**BY_RANK, "start_cursor": read.cursor}
    assert read.client.post(read.path, json=other).status_code == 400
    read.workspace.add_token("ben")
    read.workspace.share("ben", "L")
    ben = connect(read.workspace, "ben")
    assert ben.post(read.path, json={**BY_EDIT, "start_cursor": read.cursor}).status_code == 400
    assert read.client.post(read.path, json={"start_cursor": "nonsense"}).status_code == 400


@pytest.mark.parametrize("kind", ["key", "offset", "anchor"])
def test_rows_edited_between_two_answers_by_a_hook(listing: Callable[..., Listing], kind: str) -> None:
    read = listing(kind, BY_EDIT)
    asked: list[str] = []

    def trash_once(request: object) -> None:
        asked.append("asked")
        if len(asked) == 2:
            read.workspace.trash_page(read.page("b"))

    read.workspace.on_request(trash_once)
    told = [read.next(), read.next()]
    assert told == ["abc", "efg" if kind == "offset" else "def"]
