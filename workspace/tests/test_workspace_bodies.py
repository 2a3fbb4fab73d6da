"""Bodies: blocks nested to any depth, and their markdown."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from notion_workspace import SampleWorkspace
from notion_workspace.literals import mention_user

Connect = Callable[..., httpx.Client]


@pytest.fixture
def page(workspace: SampleWorkspace) -> str:
    workspace.add_database("Notes", rows=[{"Name": "Note"}])
    workspace.share("anna", "Notes")
    return workspace.page_ids("Notes")[0]


def children(client: httpx.Client, block_id: str, **params: Any) -> dict[str, Any]:
    answer = client.get(f"/v1/blocks/{block_id}/children", params=params)
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


def test_nested_blocks_are_reached_level_by_level(workspace: SampleWorkspace, page: str, connect: Connect) -> None:
    nested: dict[str, Any] = {"type": "toggle", "text": "40"}
    for level in range(39, 0, -1):
        nested = {"type": "toggle", "text": str(level), "children": [nested]}
    workspace.set_body(page, [nested])
    client, block_id, parent = connect(workspace), page, {"type": "page_id", "page_id": page}
    for level in range(1, 41):
        (block,) = children(client, block_id)["results"]
        assert block["toggle"]["rich_text"][0]["plain_text"] == str(level)
        assert (block["has_children"], block["parent"]) == (level < 40, parent)
        assert client.get(f"/v1/blocks/{block['id']}").json()["parent"] == parent
        block_id, parent = block["id"], {"type": "block_id", "block_id": block["id"]}


def test_children_come_in_pages(workspace: SampleWorkspace, page: str, connect: Connect) -> None:
    workspace.set_body(page, [f"Paragraph {number}" for number in range(130)])
    client = connect(workspace)
    first = children(client, page)
    second = children(client, page, start_cursor=first["next_cursor"])
    assert (len(first["results"]), len(second["results"]), second["has_more"]) == (100, 30, False)


def test_a_page_is_a_block_too(workspace: SampleWorkspace, page: str, connect: Connect) -> None:
    shown = connect(workspace).get(f"/v1/blocks/{page}").json()
    assert (shown["type"], shown["child_page"]) == ("child_page", {"title": "Note"})


def test_an_unsupported_block_tells_what_it_is(workspace: SampleWorkspace, page: str, connect: Connect) -> None:
    workspace.set_body(page, [{"type": "unsupported", "block_type": "holodeck"}])
    (block,) = children(connect(workspace), page)["results"]
    assert block["unsupported"] == {"block_type": "holodeck"}


def test_a_new_body_moves_the_time_unless_told_not_to(workspace: SampleWorkspace, page: str, connect: Connect) -> None:
    client = connect(workspace)
    edited = []
    for bump in (False, True):
        workspace.clock.advance(3600)
        workspace.set_body(page, ["Text"], bump=bump)
        edited.append(client.get(f"/v1/pages/{page}").json()["last_edited_time"])
    assert edited == ["2026-11-02T09:30:00.000Z", "2026-11-02T11:30:00.000Z"]


def test_markdown(workspace: SampleWorkspace, page: str, connect: Connect) -> None:
    ada = workspace.add_user("Ada")
    workspace.set_body(
        page,
        [
            {"type": "heading_2", "text": "Title"},
            {"type": "bulleted_list_item", "text": "One", "children": [{"type": "to_do", "text": "Two"}]},
            {"type": "paragraph", "text": ["By ", mention_user("Ada")]},
            {"type": "bookmark", "url": "https://example.com"},
        ],
    )
    shown = connect(workspace).get(f"/v1/pages/{page}/markdown").json()
    assert shown["markdown"] == (
        f'## Title\n- One\n\t- [ ] Two\nBy <mention-user url="user://{ada}">Ada</mention-user>\n'
        '<unknown url="https://example.com" alt="bookmark"/>'
    )
    assert (shown["truncated"], shown["unknown_block_ids"]) == (False, [])


def test_markdown_is_cut_and_the_rest_may_be_asked_for(workspace: SampleWorkspace, page: str, connect: Connect) -> None:
    workspace.configure(markdown_blocks=2)
    workspace.set_body(page, ["One", "Two", "Three"])
    client = connect(workspace)
    shown = client.get(f"/v1/pages/{page}/markdown").json()
    assert shown["truncated"] is True
    (unknown,) = shown["unknown_block_ids"]
    assert shown["markdown"].startswith("One\nTwo\n<unknown ")
    assert client.get(f"/v1/pages/{unknown}/markdown").json()["markdown"] == "Three"


def test_bodies_of_unshared_pages_are_not_found(workspace: SampleWorkspace, page: str, connect: Connect) -> None:
    workspace.set_body(page, ["Text"])
    client = connect(workspace)
    (block,) = children(client, page)["results"]
    workspace.unshare("anna", "Notes")
    for path in (f"/v1/blocks/{page}/children", f"/v1/blocks/{block['id']}", f"/v1/pages/{page}/markdown"):
        assert client.get(path).status_code == 404
