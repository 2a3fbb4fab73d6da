"""What a page is, beside its properties, stands beside its row: icon, cover, who made it, what is incomplete."""

from __future__ import annotations

from typing import Any

import pytest
from notion_workspace import SmallWorkspace
from notion_workspace.model import File

from notion_pg_sync.mirror.tables import PAGE_COLUMNS
from notion_pg_sync.notion import cleaning
from notion_pg_sync.notion.cleaning import picture_link, picture_text
from tests.installation import Installation
from tests.sync.test_verify import verified

pytestmark = pytest.mark.slow

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


COLUMNS = """
    SELECT page_id, notion_icon, notion_cover, notion_public_url, notion_created_by, notion_edited_by, notion_is_locked
    FROM notion_pages_sync WHERE page_id = %s
"""


async def test_the_row_has_it_in_plain_columns_which_follow_each_change(
    anna: Installation, small: SmallWorkspace
) -> None:
    workspace = small.workspace
    page_id = workspace.page_ids("Three")[0]
    editor = workspace.add_user("Editor")

    async def follows(**expected: object) -> None:
        workspace.clock.advance(600)
        await sync(anna)
        (row,) = await anna.execute(COLUMNS, page_id)
        assert row == {**known, **expected}
        known.update(row)
        assert (await verified(anna, small, "Three")).is_exact

    whole = workspace.complete_page(page_id, "anna")
    known: dict[str, object] = {
        "page_id": page_id,
        "notion_icon": None,
        "notion_cover": None,
        "notion_public_url": None,
        "notion_created_by": whole["created_by"]["id"],
        "notion_edited_by": whole["last_edited_by"]["id"],
        "notion_is_locked": False,
    }
    await follows()
    workspace.set_pictures(page_id, EMOJI)
    await follows(notion_icon="🦊")
    workspace.set_pictures(page_id, File("icon.png", "icons/icon.png"), File("cover.png", "covers/cover.png"))
    whole = workspace.complete_page(page_id, "anna")
    icon, cover = (whole[name]["file"]["url"].partition("?")[0] for name in ("icon", "cover"))
    await follows(notion_icon=icon, notion_cover=cover)
    link = {"type": "external", "external": {"url": "https://pictures.example/fox.png?size=2"}}
    workspace.set_pictures(page_id, {"type": "icon", "icon": {"name": "pizza", "color": "blue"}}, link)
    await follows(notion_icon=None, notion_cover="https://pictures.example/fox.png?size=2")
    workspace.publish_page(page_id, "https://anna.notion.site/Three")
    await follows(notion_public_url="https://anna.notion.site/Three")
    workspace.lock_page(page_id)
    await follows(notion_is_locked=True)
    workspace.edit_page(page_id, {}, author="Editor")
    await follows(notion_edited_by=editor)


async def test_a_row_that_leaves_and_comes_back_has_it(anna: Installation, small: SmallWorkspace) -> None:
    page_id = small.workspace.page_ids("Three")[0]
    small.workspace.set_pictures(page_id, EMOJI)
    await sync(anna)
    (before,) = await anna.execute(COLUMNS, page_id)
    small.workspace.trash_page(page_id)
    await sync(anna, full=True)
    assert await anna.execute(COLUMNS, page_id) == []
    (removed,) = await anna.execute("SELECT row FROM notion_sync.removed_pages WHERE page_id = %s", page_id)
    assert {name: removed["row"][name] for name in before} == before
    small.workspace.restore_page(page_id)
    await sync(anna, full=True)
    assert await anna.execute(COLUMNS, page_id) == [before]


async def test_rows_of_an_older_version_are_read_whole_once(
    installation: Installation, small: SmallWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.workspace.clock.advance(3600)
    name = "One Hundred and One"
    await installation.connect("cora", small.tokens["cora"], {name: small.databases[name]})
    with monkeypatch.context() as older:
        older.setattr(cleaning, "CONVERSION_VERSION", cleaning.CONVERSION_VERSION - 1)
        await sync(installation)
    columns = ", ".join(f"DROP COLUMN {column.name} CASCADE" for column in PAGE_COLUMNS)
    await installation.execute(f"ALTER TABLE notion_pages_sync {columns}")
    await installation.init()
    done = [(await installation.sync_one("cora", name)).accounts[0].databases[name] for _ in range(3)]
    assert [(run.mode, run.updated) for run in done] == [("full", 101), ("incremental", 0), ("incremental", 0)]
    (row,) = await installation.execute(
        "SELECT count(*) FROM notion_pages_sync WHERE page_id::text = notion_page_id AND notion_created_by IS NOT NULL"
    )
    assert row["count"] == 101


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


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (None, None),
        ("odd", None),
        ({"type": 5}, None),
        ({"type": "emoji", "emoji": None}, None),
        ({"type": "emoji", "emoji": "\0🦊"}, "🦊"),
        ({"type": "external", "external": {"url": "https://x.example/?a#b"}}, "https://x.example/?a#b"),
        ({"type": "external", "external": []}, None),
        (
            {"type": "custom_emoji", "custom_emoji": {"url": "https://files.example/f.png?signature"}},
            "https://files.example/f.png",
        ),
        ({"type": "icon", "icon": {"name": "pizza"}}, None),
    ],
)
def test_what_shows_a_picture(given: object, shown: str | None) -> None:
    assert picture_link(given) == shown


def test_a_custom_emoji_loses_its_signature() -> None:
    emoji = {"id": "x", "name": "fox", "url": "https://files.example/fox.png?signature=1"}
    assert picture_text({"type": "custom_emoji", "custom_emoji": emoji}) == (
        '{"custom_emoji":{"id":"x","name":"fox","url":"https://files.example/fox.png"},"type":"custom_emoji"}'
    )
    assert picture_text(None) is None
