"""Sync tables that somebody renamed, moved or dropped, or columns of them: what is told to type puts all rows back."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from notion_workspace import SmallWorkspace, WorkspaceServer

from notion_pg_sync.settings import Settings
from tests.conftest import DatabaseMaker
from tests.installation import Installation
from tests.sync import tampering
from tests.sync.tampering import differing, run, stored

pytestmark = pytest.mark.slow


@pytest.fixture
def small() -> SmallWorkspace:
    return tampering.workspace()


@pytest.fixture
def installation(database_maker: DatabaseMaker, small: SmallWorkspace) -> Iterator[Installation]:
    with database_maker.filled(tampering.fill) as url, WorkspaceServer(small.workspace) as server:
        yield Installation(Settings(database_url=url, notion_base_url=server.url), small.workspace)


async def told(installation: Installation) -> str:
    """What the next run fails of, which is no internal error."""
    failures = (await installation.sync_all()).failures
    assert failures != []
    assert [one for one in failures if "internal error" in one] == []
    return failures[0]


@pytest.mark.parametrize(
    ("change", "table"),
    [
        ("ALTER TABLE notion_pages_sync RENAME TO old_pages", "notion_pages_sync"),
        ('ALTER TABLE notion_pages_sync RENAME TO "Old pages"', "notion_pages_sync"),
        ("CREATE SCHEMA other; ALTER TABLE notion_pages_sync SET SCHEMA other", "notion_pages_sync"),
        ("ALTER TABLE notion_characters_sync RENAME TO old_characters", "notion_characters_sync"),
        (
            "CREATE SCHEMA other; ALTER TABLE notion_worlds_sync RENAME TO w; ALTER TABLE w SET SCHEMA other",
            "notion_worlds_sync",
        ),
    ],
)
async def test_a_table_that_has_another_name_is_found_and_put_back(
    installation: Installation, change: str, table: str
) -> None:
    before = await stored(installation)
    await run(installation, change)
    said = await told(installation)
    assert f"there is no table public.{table} any more, and " in said
    await installation.init()
    assert (await told(installation)).partition(": ")[2] == said.partition(": ")[2]
    await run(installation, re.findall(r"run ((?:ALTER TABLE .*?; )+)", said)[0])
    assert (await installation.sync_all(full=True)).failures == []
    assert differing(before, await stored(installation)) == []


async def test_a_new_table_takes_the_place_where_that_is_wanted(installation: Installation) -> None:
    before = await stored(installation, ids=False)
    await run(installation, "ALTER TABLE notion_pages_sync RENAME TO old_pages")
    await run(installation, re.findall(r"instead, run (DROP TRIGGER .*?;)", await told(installation))[0])
    assert "there is no table public.notion_pages_sync: run 'notion-pg-sync init'" in await told(installation)
    await installation.init()
    assert (await installation.sync_all(full=True)).failures == []
    assert differing(before, await stored(installation, ids=False)) == []
    (kept,) = await installation.execute("SELECT count(*) AS rows FROM old_pages")
    assert kept["rows"] > 0
    await installation.init()


@pytest.mark.parametrize("table", ["notion_characters_sync", "notion_pages_sync"])
async def test_a_table_that_was_dropped_is_made_and_filled_again(installation: Installation, table: str) -> None:
    before = await stored(installation, ids=False)
    await run(installation, f"DROP TABLE {table} CASCADE")
    if table == "notion_pages_sync":
        assert "there is no table public.notion_pages_sync: run 'notion-pg-sync init'" in await told(installation)
        await installation.init()
    assert (await installation.sync_all(full=True)).failures == []
    assert differing(before, await stored(installation, ids=False)) == []


NEEDED = ["id", "user_id", "notion_database_id", "database_name"]


@pytest.mark.parametrize("column", [*NEEDED, "title", "notion_page_id", "properties", "notion_data_source_id"])
@pytest.mark.parametrize("how", ["DROP COLUMN {} CASCADE", "RENAME COLUMN {} TO renamed"])
async def test_a_column_that_is_gone_comes_back_with_every_row(
    installation: Installation, column: str, how: str
) -> None:
    before = await stored(installation)
    await run(installation, f"ALTER TABLE notion_pages_sync {how.format(column)}")
    said = await told(installation)
    assert f"public.notion_pages_sync has no column {column}" in said
    if column in NEEDED:
        await run(installation, re.findall(r"run (ALTER TABLE .*?;) Then run 'notion-pg-sync init'", said)[0])
    await installation.init()
    assert (await installation.sync_all(full=True)).failures == []
    await run(installation, "ALTER TABLE notion_pages_sync DROP COLUMN IF EXISTS renamed")
    await installation.init(row_security=True)
    assert (await installation.sync_all(full=True)).failures == []
    assert differing(before, await stored(installation)) == []
