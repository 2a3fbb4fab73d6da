"""What a page is, beside its properties, stands beside its row: icon, cover, who made it, what is incomplete."""

from __future__ import annotations

from typing import Any

import pytest
from notion_workspace import SmallWorkspace
from notion_workspace.model import File

from notion_pg_sync.notion.cleaning import picture_text
from tests.installation import Installation

EMOJI = {"type": "emoji", "emoji": "🦊"}


@pytest.fixture
async def anna(installation: Installation, small: SmallWorkspace) -> Installation:
    small.workspace.clock.advance(3600)
    databases = {name: small.databases[name] for name in ("Three", "Everything")}
    await installation.connect("anna", small.tokens["anna"], databases)
    return installation


async def sync(installation: Installation, **settings: Any) -> None:
    assert (await installation.sync_all(**settings)).failures == []
    installation.workspace.clock.advance(600)


async def about(installation: Installation, page_id: str) -> dict[str, Any]:
    (found,) = await installation.execute("SELECT * FROM notion_sync.pages WHERE page_id = %s", page_id)
    return found


async def test_it_is_as_notion_has_it_without_signatures(anna: Installation, small: SmallWorkspace) -> None:
    workspace = small.workspace
    page_id = workspace.page_ids("Three")[0]
    workspace.set_pictures(page_id, EMOJI, File("cover.png", "covers/cover.png"))
    workspace.clock.advance(3600)
    await sync(anna)
    whole = workspace.complete_page(page_id, "anna")
    found = await about(anna, page_id)
    assert found["icon"] == EMOJI
    assert found["cover"]["type"] == "file"
    assert found["cover"]["file"] == {"url": whole["cover"]["file"]["url"].partition("?")[0]}
    assert found["created_by"] == whole["created_by"]["id"]
    assert found["last_edited_by"] == whole["last_edited_by"]["id"]
    assert (found["is_locked"], found["public_url"], found["incomplete"]) == (False, None, [])


async def test_an_icon_that_changed_arrives_and_one_that_did_not_writes_nothing(
    anna: Installation, small: SmallWorkspace
) -> None:
    page_id = small.workspace.page_ids("Three")[0]
    small.workspace.set_pictures(page_id, EMOJI, File("cover.png", "covers/cover.png"))
    small.workspace.clock.advance(3600)
    await sync(anna)
    # Hours later the same file has another signature.
    small.workspace.clock.advance(7200)
    totals = (await anna.sync_all(full=True)).totals
    assert (totals.inserted, totals.updated) == (0, 0)
    small.workspace.set_pictures(page_id, {"type": "emoji", "emoji": "🐙"})
    small.workspace.clock.advance(600)
    assert (await anna.sync_all()).totals.updated == 1
    found = await about(anna, page_id)
    assert (found["icon"]["emoji"], found["cover"]) == ("🐙", None)


async def test_properties_that_notion_does_not_compute_are_named(anna: Installation, small: SmallWorkspace) -> None:
    await sync(anna)
    rows = await anna.execute("SELECT page_id, incomplete FROM notion_sync.pages WHERE incomplete <> '{}'")
    assert rows
    for row in rows:
        properties = small.workspace.complete_page(row["page_id"], "anna")["properties"]
        unsupported = {
            name
            for name, value in properties.items()
            if value["type"] in ("formula", "rollup")
            and value[value["type"]].get("type") in ("unsupported", "incomplete")
        }
        assert set(row["incomplete"]) == unsupported


def test_a_custom_emoji_loses_its_signature() -> None:
    emoji = {"id": "x", "name": "fox", "url": "https://files.example/fox.png?signature=1"}
    assert picture_text({"type": "custom_emoji", "custom_emoji": emoji}) == (
        '{"custom_emoji":{"id":"x","name":"fox","url":"https://files.example/fox.png"},"type":"custom_emoji"}'
    )
    assert picture_text(None) is None
