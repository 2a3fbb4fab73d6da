"""What the tests of who sees and may do what have in common."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from notion_workspace import SmallWorkspace, WorkspaceServer, small_workspace

from notion_pg_sync.settings import Settings
from tests.conftest import DatabaseMaker
from tests.fences import ROOT, blocks
from tests.installation import Installation


def statements_shown(page: str, kind: str) -> list[str]:
    """The blocks of statements that a page of the documentation shows as of a kind (`sql KIND`), in order."""
    shown = blocks(ROOT / "docs" / page, f"sql {kind}")
    assert shown
    return shown


async def mirror(installation: Installation, small: SmallWorkspace) -> None:
    """Mirrors anna's and ben's databases, with something in every table."""
    await installation.init()
    tokens, databases = small.tokens, small.databases
    for label, names in {
        "anna": ("Worlds", "Characters", "Stories", "Chat Sessions"),
        "ben": ("Worlds", "Tasks"),
    }.items():
        wanted: dict[str, object] = {name: databases[name] for name in names}
        name, excluded = {"anna": ("Chat Sessions", "Message Count"), "ben": ("Tasks", "ID")}[label]
        wanted[name] = {"id": databases[name], "exclude": [excluded]}
        await installation.connect(label, tokens[label], wanted)
        await installation.execute("INSERT INTO notion_sync.accounts (user_id, views) VALUES (%s, true)", label)
    (story, *_) = small.workspace.page_ids(data_source="Stories")
    small.workspace.edit_page(story, {"Cast": small.workspace.page_ids(data_source="Characters")[5:35]})
    small.workspace.faults.add("500", path=f"{story}/properties/")
    small.workspace.spoil_page(small.workspace.page_ids(data_source="Chat Sessions")[0], "fails", alone=True)
    await installation.sync_all(bodies=True, requests_per_minute=100_000, first_back_off=0.001)
    for name in ("Worlds", "Characters"):
        (page, *_) = small.workspace.page_ids(data_source=name)
        small.workspace.trash_page(page)
    await installation.sync_all(full=True, first_back_off=0.001)
    for label in ("anna", "ben"):
        await installation.execute("SELECT notion_sync.sync_all_notion_databases(%s)", label)
    await installation.execute(
        "INSERT INTO notion_sync.files (user_id, path) SELECT user_id, '/a/plan.pdf' FROM notion_sync.accounts"
    )
    await installation.execute(
        "INSERT INTO notion_sync.page_files (user_id, page_id, data_source_id, place, position, name, path)"
        " SELECT user_id, page_id, data_source_id, 'cover', 1, 'plan.pdf', '/a/plan.pdf' FROM notion_sync.pages"
    )
    await installation.execute("INSERT INTO notion_sync.discarded_files VALUES ('anna/old.pdf')")
    await installation.execute("INSERT INTO notion_sync.file_places DEFAULT VALUES")


def fill(database_url: str) -> None:
    small = small_workspace()
    with WorkspaceServer(small.workspace) as server:
        settings = Settings(database_url=database_url, notion_base_url=server.url)
        asyncio.run(mirror(Installation(settings, small.workspace), small))


@pytest.fixture
def mirrored_url(database_maker: DatabaseMaker) -> Iterator[str]:
    """The connection string of a database of this test's own in which everything is mirrored."""
    with database_maker.filled(fill) as url:
        yield url
