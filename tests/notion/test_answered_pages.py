"""Pages of an answer, unread, are those that the answer holds, whatever it holds."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notion_pg_sync.notion.answered_pages import Taken, answered_pages, other_objects, read_list
from notion_pg_sync.notion.errors import NotionError
from notion_pg_sync.notion.json_text import read_json
from notion_pg_sync.notion.pages import read_listed
from tests.notion.arbitrary_json import json_values

ID = "38c9ce7b-60a4-817b-84ae-e63702a6c78e"
PAGE: dict[str, Any] = {
    "object": "page",
    "id": ID,
    "created_time": "2026-11-02T09:00:00.000Z",
    "last_edited_time": "2026-11-02T09:30:00.000Z",
    "in_trash": False,
    "properties": {},
}


def everything(page: dict[str, Any]) -> Taken:
    return Taken(page, has_excluded=False)


def answer(*results: object) -> bytes:
    return json.dumps({"object": "list", "results": results, "has_more": False, "next_cursor": None}).encode()


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["object", "id", "created_time", "in_trash", "is_archived", "properties", "x"]),
            json_values | st.sampled_from(["page", "data_source", ID, "2026-11-02T09:00:00.000Z"]),
        ),
        max_size=4,
    )
)
def test_what_is_read_late_is_what_came(results: list[dict[str, Any]]) -> None:
    text = json.dumps({"results": results, "has_more": True, "next_cursor": "c"}, default=float).encode()
    whole, found = read_json(text), read_list(text)
    assert (found["has_more"], found["next_cursor"]) == (True, "c")
    pages = answered_pages(found["results"], everything)
    given_pages = [one for one in whole["results"] if one.get("object") == "page"]
    assert repr([page.taken().page for page in pages]) == repr(given_pages)
    assert [page.is_live for page in pages] == [
        one.get("in_trash") is not True and one.get("is_archived") is not True for one in given_pages
    ]
    sources = [one for one in whole["results"] if one.get("object") == "data_source"]
    assert repr(other_objects(found["results"], "data_source")) == repr(sources)


@pytest.mark.parametrize(
    "text",
    [
        b'{"results": 5}',
        b'{"results": [1, "a", null]}',
        b"[]",
        b'{"results": [{"object": "page", "id": "\\ud800"}]}',
        b'{"results": [{"object": "page", "n": NaN}]}',
        b'{"object": "error"}',
    ],
)
def test_what_is_no_list_of_plain_objects_is_parsed_whole(text: bytes) -> None:
    assert repr(read_list(text)) == repr(read_json(text))


@pytest.mark.parametrize("text", [b"", b"<html>", b'{"results": [', b'{"results": [{"id": "\xff"}]}'])
def test_what_is_no_json_is_an_error(text: bytes) -> None:
    with pytest.raises(ValueError):
        read_list(text)


def test_a_page_without_an_id_is_an_error() -> None:
    pages = answered_pages(read_list(answer({**PAGE, "id": "x"}))["results"], everything)
    with pytest.raises(NotionError, match="id is not valid"):
        read_listed(pages, {})


def test_what_is_trashed_or_archived_or_in_part_is_told_apart() -> None:
    in_part = {**PAGE, "id": ID.replace("3", "4")}
    del in_part["properties"]
    results = [PAGE, in_part, {**PAGE, "in_trash": True}, {**PAGE, "is_archived": True}]
    listed = read_listed(answered_pages(read_list(answer(*results))["results"], everything), {ID: "ab"})
    assert [(page.id, page.answer_hash) for page in listed.whole] == [(ID, "ab")]
    assert listed.in_part == [in_part["id"]]


def test_an_answer_that_held_something_excluded_is_not_recognised_again() -> None:
    pages = answered_pages(read_list(answer(PAGE))["results"], lambda page: Taken(page, has_excluded=True))
    assert read_listed(pages, {ID: "ab"}).whole[0].answer_hash is None
