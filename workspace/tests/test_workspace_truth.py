"""The truth and the complete page: what a mirror is held against."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from notion_workspace import SampleWorkspace, SmallWorkspace

Connect = Callable[..., httpx.Client]
ReadAll = Callable[..., list[dict[str, Any]]]


def found(small: SmallWorkspace, name: str) -> str:
    rows = small.workspace.truth("Everything").values()
    return next(row["id"] for row in rows if row["properties"]["Name"].startswith(name))


def test_truth_is_plain(small: SmallWorkspace) -> None:
    row = small.workspace.truth("Everything")[found(small, "Full")]
    values = row["properties"]
    assert row["url"].startswith("https://www.notion.so/Full-")
    assert row["created_time"].endswith(":00.000Z")
    assert (values["Number"], values["Select"], values["Multi"]) == (42.5, "One", ["Red", "Blue"])
    assert values["Date"] == {"start": "2026-05-17", "end": None, "time_zone": None}
    assert [file["name"] for file in values["Files"]] == ["photo.png", "web"]
    assert values["Files"][0]["url"].endswith("/photos/photo%201.png")
    assert (values["Key"], values["Created"]) == ("2", row["created_time"])


def test_truth_holds_live_pages_only(small: SmallWorkspace) -> None:
    kept, trashed, archived = small.workspace.page_ids("Three")
    small.workspace.trash_page(trashed)
    small.workspace.archive_page(archived)
    assert list(small.workspace.truth("Three")) == [kept]


def test_truth_is_read_row_by_row(workspace: SampleWorkspace) -> None:
    workspace.add_generated_database("Rows", 1_000_000)
    rows = workspace.iter_truth("Rows")
    assert isinstance(rows, Iterator)
    assert [len(next(rows)["properties"]) for _ in range(3)] == [8, 8, 8]


@pytest.mark.parametrize("label", ["anna", "ben", "cora"])
def test_truth_and_complete_pages_agree_with_the_api(
    small: SmallWorkspace, connect: Connect, read_all: ReadAll, label: str
) -> None:
    """What an answer holds, completed by the property endpoint, is the complete page, and reads as the truth."""
    client = connect(small.workspace, label)
    for name in small.shared[label]:
        database = client.get(f"/v1/databases/{small.databases[name]}").json()
        for source in database["data_sources"]:
            truth = small.workspace.truth(source["id"], label)
            pages = read_all(client, source["id"])
            assert {page["id"] for page in pages} == truth.keys()
            for page in pages[:60]:
                assert completed(client, page) == comparable(small.workspace.complete_page(page["id"], label))
                for prop, value in truth[page["id"]]["properties"].items():
                    if prop in page["properties"] and page["properties"][prop]["type"] in PLAIN:
                        read = PLAIN[page["properties"][prop]["type"]](completed(client, page)["properties"][prop])
                        assert read == value, (name, prop)


PLAIN: dict[str, Callable[[dict[str, Any]], Any]] = {
    "title": lambda value: "".join(item["plain_text"] for item in value["title"]),
    "rich_text": lambda value: "".join(item["plain_text"] for item in value["rich_text"]),
    "number": lambda value: value["number"],
    "checkbox": lambda value: value["checkbox"],
    "select": lambda value: value["select"] and value["select"]["name"],
    "people": lambda value: [user["id"] for user in value["people"]],
    "relation": lambda value: [one["id"] for one in value["relation"]],
    "date": lambda value: value["date"],
}


def completed(client: httpx.Client, page: dict[str, Any]) -> dict[str, Any]:
    """A page as a mirror would complete it: long values from the property endpoint."""
    properties = {}
    for name, value in page["properties"].items():
        kind = value["type"]
        whole = dict(value)
        if isinstance(value.get(kind), list) and len(value[kind]) >= 25 and kind != "files":
            answer = client.get(f"/v1/pages/{page['id']}/properties/{value['id']}").json()
            assert not answer["has_more"]
            whole[kind] = [item[kind] for item in answer["results"]]
            whole |= {"has_more": False} if kind == "relation" else {}
        properties[name] = whole
    return comparable({**page, "properties": properties})


def comparable(page: dict[str, Any]) -> dict[str, Any]:
    """Without computed values, which an answer may hold cut, and without signatures of files."""
    kept = {name: value for name, value in page["properties"].items() if value["type"] not in ("rollup", "formula")}
    bare: dict[str, Any] = json.loads(json.dumps({**page, "properties": kept}), object_hook=unsigned)
    return bare


def unsigned(value: dict[str, Any]) -> dict[str, Any]:
    if value.get("type") == "file":
        return {**value, "file": {"url": value["file"]["url"].partition("?")[0]}}
    if value.get("type") == "custom_emoji":
        emoji = value["custom_emoji"]
        return {**value, "custom_emoji": {**emoji, "url": emoji["url"].partition("?")[0]}}
    return value


def test_a_complete_page_is_cut_nowhere(small: SmallWorkspace) -> None:
    related = small.workspace.complete_page(found(small, "Related"))["properties"]
    assert (len(related["Friends"]["relation"]), related["Friends"]["has_more"]) == (40, False)
    assert related["Friend count"]["rollup"]["number"] == 40
    assert len(related["Friends' names"]["rollup"]["array"]) == 40
    crowd = small.workspace.complete_page(found(small, "Crowd"))["properties"]
    assert len(crowd["People"]["people"]) == 30
    mentions = small.workspace.complete_page(found(small, "Mentions"))["properties"]["Text"]["rich_text"]
    assert {item["type"] for item in mentions} == {"mention"}


def test_a_complete_page_is_the_same_at_every_read(small: SmallWorkspace) -> None:
    page_id = found(small, "Full")
    page = small.workspace.complete_page(page_id)
    assert page == small.workspace.complete_page(page_id)
    hosted, external = page["properties"]["Files"]["files"]
    assert hosted["file"].keys() == {"url"}
    assert "?" not in hosted["file"]["url"]
    assert external["external"]["url"] == "https://example.com/a.png?size=2"
    assert page["cover"]["file"].keys() == {"url"}
