"""A database whose name changes keeps its table where a foreign key of the application's points at its rows."""

from __future__ import annotations

import json

import pytest
from notion_workspace import SmallWorkspace

from tests.installation import Installation


@pytest.fixture
async def anna(installation: Installation, small: SmallWorkspace) -> Installation:
    """Anna's Characters are mirrored, and every one has a portrait in a table of the application's."""
    await installation.connect("anna", small.tokens["anna"], {"Characters": small.databases["Characters"]})
    assert (await installation.sync_all()).failures == []
    return installation


async def refer(anna: Installation, action: str) -> None:
    await anna.execute(
        "CREATE TABLE portraits (character uuid REFERENCES notion_characters_sync (id)"
        f" ON DELETE {action}); INSERT INTO portraits SELECT id FROM notion_characters_sync"
    )


async def rename(anna: Installation, small: SmallWorkspace, name: str) -> None:
    databases = json.dumps({name: small.databases["Characters"]})
    await anna.execute("UPDATE user_settings SET notion_databases = %s", databases)


async def with_portraits(anna: Installation) -> int:
    (found,) = await anna.execute(
        "SELECT count(*) FROM portraits JOIN notion_characters_sync ON notion_characters_sync.id = character"
    )
    return int(found["count"])


@pytest.mark.parametrize("action", ["NO ACTION", "RESTRICT", "CASCADE", "SET NULL"])
async def test_edits_go_on_and_no_row_of_the_application_is_touched(
    anna: Installation, small: SmallWorkspace, action: str
) -> None:
    await refer(anna, action)
    await rename(anna, small, "People")
    for age in (101, 102):
        anna.workspace.clock.advance(3600)
        anna.workspace.edit_page(anna.workspace.page_ids("Characters")[0], {"Age": age})
        outcome = await anna.sync_all(verify=True)
        assert outcome.failures == []
        message = outcome.accounts[0].databases["People"].message
        assert message is not None
        assert (
            "the rows stay in public.notion_characters_sync, since the foreign key portraits_character_fkey of "
            "public.portraits points at that table"
        ) in message
        assert await anna.differences("anna", "anna", {"People": small.databases["Characters"]}) == []
        assert await with_portraits(anna) == 40
    (known,) = await anna.execute("SELECT DISTINCT database_name, sync_table FROM notion_sync.data_sources")
    assert known == {"database_name": "People", "sync_table": "public.notion_characters_sync"}


async def test_without_the_key_the_rows_move(anna: Installation, small: SmallWorkspace) -> None:
    await refer(anna, "CASCADE")
    await rename(anna, small, "People")
    await anna.sync_all()
    await anna.execute("DROP TABLE portraits")
    assert (await anna.sync_all(verify=True)).failures == []
    (moved,) = await anna.execute("SELECT count(*), database_name FROM notion_pages_sync GROUP BY database_name")
    assert moved == {"count": 40, "database_name": "People"}
    assert await anna.execute("SELECT 1 FROM notion_characters_sync") == []
