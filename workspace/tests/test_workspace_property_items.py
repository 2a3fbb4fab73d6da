"""The property endpoint: whole values, in pages."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import httpx
import pytest

from notion_workspace import SmallWorkspace, literals

Connect = Callable[..., httpx.Client]


@pytest.fixture
def anna(small: SmallWorkspace, connect: Connect) -> httpx.Client:
    return connect(small.workspace, "anna")


def page_of(small: SmallWorkspace, row: str) -> str:
    pages = small.workspace.truth("Everything").values()
    return next(str(one["id"]) for one in pages if one["properties"]["Name"].startswith(row))


def place_of(small: SmallWorkspace, client: httpx.Client, row: str, prop: str) -> str:
    """The path of a value; `row` is how its title begins."""
    page_id = page_of(small, row)
    schema = client.get(f"/v1/data_sources/{small.data_sources['Everything']}").json()["properties"]
    return f"/v1/pages/{page_id}/properties/{schema[prop]['id']}"


def read(client: httpx.Client, path: str, size: int = 100) -> list[dict[str, Any]]:
    """All answers of a paged value, followed by next_url as well as by cursor."""
    answers = [client.get(path, params={"page_size": size}).json()]
    while answers[-1]["has_more"]:
        next_url = urlsplit(answers[-1]["property_item"]["next_url"])
        (cursor,) = parse_qs(next_url.query)["start_cursor"]
        assert cursor == answers[-1]["next_cursor"]
        assert unquote(next_url.path) == unquote(path)
        answers.append(client.get(f"{path}?{next_url.query}").json())
    assert answers[-1]["property_item"]["next_url"] is None
    return answers


@pytest.mark.parametrize(
    ("row", "prop", "kind", "count"),
    [
        ("Related", "Friends", "relation", 40),
        ("Crowd", "People", "people", 30),
        ("Mentions", "Text", "rich_text", 30),
        ("Mentions", "Name", "title", 31),
    ],
)
def test_long_values_are_whole_in_pages(
    *, small: SmallWorkspace, anna: httpx.Client, row: str, prop: str, kind: str, count: int
) -> None:
    answers = read(anna, place_of(small, anna, row, prop), 7)
    items = [item for answer in answers for item in answer["results"]]
    assert (len(items), len(answers)) == (count, -(-count // 7))
    assert {item["type"] for item in items} == {kind}
    assert {item["id"] for item in items} == {answers[0]["property_item"]["id"]}
    if kind == "rich_text":
        assert {item["rich_text"]["type"] for item in items} == {"mention"}


def test_an_empty_value_has_no_results(small: SmallWorkspace, anna: httpx.Client) -> None:
    answer = anna.get(place_of(small, anna, "Full", "Friends")).json()
    assert (answer["results"], answer["has_more"]) == ([], False)


def test_other_types_are_one_object(small: SmallWorkspace, anna: httpx.Client) -> None:
    for prop in ("Multi", "Files", "Twice", "Number", "Select", "Created", "Hologram"):
        assert anna.get(place_of(small, anna, "Full", prop)).json()["object"] == "property_item"


def test_rollups_are_incomplete_until_the_last_page(small: SmallWorkspace, anna: httpx.Client) -> None:
    answers = read(anna, place_of(small, anna, "Related", "Friend count"), 15)
    assert [answer["property_item"]["rollup"]["type"] for answer in answers] == ["incomplete"] * 2 + ["number"]
    assert answers[-1]["property_item"]["rollup"]["number"] == 40
    assert {item["type"] for answer in answers for item in answer["results"]} == {"relation"}


def test_array_rollups_hold_their_values_in_the_results(small: SmallWorkspace, anna: httpx.Client) -> None:
    answers = read(anna, place_of(small, anna, "Related", "Friends' names"), 100)
    assert answers[0]["property_item"]["rollup"] == {"type": "array", "array": [], "function": "show_original"}
    items = [item["title"] for item in answers[0]["results"]]
    whole = small.workspace.complete_page(page_of(small, "Related"))["properties"]["Friends' names"]["rollup"]["array"]
    assert len(whole) == 40
    # One item a part, of the 40 pages one after the other.
    assert items == [part for value in whole for part in value["title"]]
    assert len(items) == 70


@pytest.mark.parametrize(("empty_items", "items"), [(False, ["x", "y", "z"]), (True, ["x", "y", "", "z"])])
def test_an_empty_title_has_an_item_or_none_as_the_workspace_is_set(
    small: SmallWorkspace, connect: Connect, *, empty_items: bool, items: list[str]
) -> None:
    workspace = small.workspace
    workspace.configure(empty_items=empty_items)
    workspace.add_database("Far", {"Name": literals.title()}, [{"Name": ["x", "y"]}, {}, {"Name": "z"}])
    near = {
        "Name": literals.title(),
        "Far": literals.relation("Far"),
        "Names": literals.rollup("Far", "Name", "show_original"),
    }
    handle = workspace.add_database("Near", near, [{"Name": "n", "Far": workspace.page_ids("Far")}])
    for name in ("Far", "Near"):
        workspace.share("anna", name)
    client = connect(workspace, "anna")
    schema = client.get(f"/v1/data_sources/{handle.data_source_id}").json()["properties"]
    (answer,) = read(client, f"/v1/pages/{workspace.page_ids('Near')[0]}/properties/{schema['Names']['id']}")
    assert [item["title"].get("plain_text", "") for item in answer["results"]] == items


def test_medians_are_never_computed_here(small: SmallWorkspace, anna: httpx.Client) -> None:
    answer = anna.get(place_of(small, anna, "Related", "Friends' median")).json()
    assert (answer["property_item"]["rollup"]["type"], answer["results"]) == ("unsupported", [])


def test_an_unknown_property_or_cursor_is_refused(small: SmallWorkspace, anna: httpx.Client) -> None:
    path = place_of(small, anna, "Related", "Friends")
    assert anna.get(path.rpartition("/")[0] + "/nope").status_code == 404
    answer = anna.get(path, params={"start_cursor": "nonsense"})
    assert answer.json()["message"].startswith("The start_cursor provided is invalid")
    assert anna.get(path, params={"page_size": 101}).status_code == 400
