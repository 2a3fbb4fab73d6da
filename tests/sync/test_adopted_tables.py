"""The copy arrives in tables that an application made, beside the application's own rows."""

from __future__ import annotations

from collections.abc import AsyncIterator

import psycopg
import pytest
from notion_workspace import SmallWorkspace, WorkspaceServer

from notion_pg_sync.core.errors import NothingAttemptedError
from notion_pg_sync.settings import Settings
from tests.installation import Installation

pytestmark = pytest.mark.slow


@pytest.fixture
async def adopted(database_url: str, app_schema: str, small: SmallWorkspace) -> AsyncIterator[Installation]:
    """An application's database after `init`; its users are those of the schema."""
    with psycopg.connect(database_url) as connection:
        connection.execute(app_schema.encode())
    with WorkspaceServer(small.workspace) as server:
        installed = Installation(Settings(database_url=database_url, notion_base_url=server.url), small.workspace)
        await installed.init()
        yield installed


async def test_two_users_who_share_a_page_each_have_it(adopted: Installation, small: SmallWorkspace) -> None:
    worlds = {"Worlds": small.databases["Worlds"]}
    for label in ("anna", "ben"):
        await adopted.connect(label, small.tokens[label], worlds, auto_sync_enabled=True)
        outcome = await adopted.sync_all(label)
        assert outcome.failures == []
    for label in ("anna", "ben"):
        assert await adopted.differences(label, label, worlds) == []
    assert len(await adopted.execute("SELECT DISTINCT notion_page_id FROM notion_worlds_sync")) == 12
    assert len(await adopted.execute("SELECT 1 FROM notion_worlds_sync")) == 24


async def test_the_applications_rows_stay_as_they_were(adopted: Installation, small: SmallWorkspace) -> None:
    query = (
        "SELECT id, notion_page_id, user_id, name, description, properties, updated_at FROM notion_characters_sync "
        "WHERE user_id = 'user-oauth' ORDER BY id"
    )
    before = await adopted.execute(query)
    assert len(before) == 2
    await adopted.connect("anna", small.tokens["anna"], {"Characters": small.databases["Characters"]})
    outcome = await adopted.sync_one("anna", "Characters")
    assert outcome.failures == []
    assert await adopted.execute(query) == before


async def test_only_users_whom_the_application_switched_on_are_synced_by_sync_all(
    adopted: Installation, small: SmallWorkspace
) -> None:
    await adopted.execute("UPDATE user_settings SET auto_sync_enabled = false")
    await adopted.connect("anna", small.tokens["anna"], {"Three": small.databases["Three"]}, auto_sync_enabled=True)
    await adopted.connect("cora", small.tokens["cora"], {"Private": small.databases["Private"]})
    outcome = await adopted.sync_all()
    assert [account.user_id for account in outcome.accounts] == ["anna"]


async def test_an_older_user_settings_lacks_columns(adopted: Installation, small: SmallWorkspace) -> None:
    await adopted.execute("ALTER TABLE user_settings DROP COLUMN auto_sync_enabled, DROP COLUMN notion_access_token")
    await adopted.execute("DELETE FROM user_settings")
    await adopted.connect("anna", small.tokens["anna"], {"Three": small.databases["Three"]})
    outcome = await adopted.sync_all()
    assert outcome.failures == []
    assert outcome.totals.inserted == 3


async def test_a_table_of_ones_own_takes_the_database_of_its_name(adopted: Installation, small: SmallWorkspace) -> None:
    await adopted.execute("CREATE TABLE notion_three_sync (LIKE notion_pages_sync INCLUDING ALL)")
    await adopted.connect("anna", small.tokens["anna"], {"Three": small.databases["Three"]})
    outcome = await adopted.sync_one("anna", "Three")
    assert outcome.failures == []
    assert len(await adopted.execute("SELECT 1 FROM notion_three_sync")) == 3
    assert await adopted.execute("SELECT 1 FROM notion_pages_sync") == []


async def test_without_the_column_that_names_databases_nothing_passes_for_nothing_to_do(
    adopted: Installation, small: SmallWorkspace
) -> None:
    await adopted.execute("DELETE FROM user_settings")
    await adopted.connect("anna", small.tokens["anna"], {"Three": small.databases["Three"]}, auto_sync_enabled=True)
    assert (await adopted.sync_all()).failures == []
    await adopted.execute("ALTER TABLE user_settings RENAME COLUMN notion_databases TO databases_of_notion")
    for run in (adopted.sync_all(), adopted.sync_all("anna"), adopted.sync_one("anna", "Three")):
        with pytest.raises(NothingAttemptedError, match="has no column notion_databases"):
            await run
