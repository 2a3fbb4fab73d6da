"""A data source in the trash within a living database, and a database that is gone and was found by search."""

from __future__ import annotations

from typing import Any

import pytest
from notion_workspace import SmallWorkspace
from notion_workspace.literals import title

from tests.installation import Installation


@pytest.fixture
async def pair(installation: Installation, small: SmallWorkspace) -> dict[str, str]:
    """The ids of a database, and of its two data sources."""
    workspace = installation.workspace
    handle = workspace.add_database("Pair", {"Name": title()}, [{"Name": f"Row {row}"} for row in range(30)])
    second = workspace.add_data_source(
        handle.id, "Second", {"Name": title()}, [{"Name": f"Other {row}"} for row in range(30)]
    )
    workspace.share("anna", handle.id)
    await installation.connect("anna", small.tokens["anna"], {"Pair": handle.id})
    assert (await installation.sync_all()).failures == []
    return {"database": handle.id, "first": handle.data_source_id, "second": second}


async def rows(installation: Installation) -> dict[Any, Any]:
    found = await installation.execute(
        "SELECT notion_data_source_id::text AS source, array_agg(id ORDER BY id) AS ids"
        " FROM notion_pages_sync GROUP BY 1"
    )
    return {row["source"]: row["ids"] for row in found}


async def test_its_rows_are_removed_as_trashed_and_come_back_with_it(
    installation: Installation, pair: dict[str, str]
) -> None:
    before = await rows(installation)
    installation.workspace.trash_data_source(pair["second"])
    for _ in range(3):
        installation.workspace.clock.advance(3600)
        assert (await installation.sync_all()).failures == []
        assert (await rows(installation)).keys() == {pair["first"]}
    assert await installation.execute("SELECT DISTINCT reason FROM notion_sync.removed_pages") == [
        {"reason": "trashed"}
    ]
    installation.workspace.restore_data_source(pair["second"])
    assert (await installation.sync_all()).failures == []
    assert await rows(installation) == before


async def test_where_all_of_a_database_is_in_the_trash_its_rows_stay(
    installation: Installation, pair: dict[str, str]
) -> None:
    before = await rows(installation)
    for name in (pair["first"], pair["second"]):
        installation.workspace.trash_data_source(name)
    outcome = await installation.sync_all()
    assert outcome.accounts[0].databases["Pair"].error_code == "in_trash"
    assert "is in Notion's trash, its rows stay as they are: restore it there." in outcome.failures[0]
    assert await rows(installation) == before


@pytest.mark.parametrize("is_trashed", [False, True])
async def test_what_search_found_and_is_gone_is_told_with_what_its_user_can_do(
    installation: Installation, small: SmallWorkspace, *, is_trashed: bool
) -> None:
    workspace = installation.workspace
    handle = workspace.add_database("Lost", {"Name": title()}, [{"Name": "one"}])
    workspace.share("anna", handle.id)
    await installation.connect("anna", small.tokens["anna"], {"*": "*"})
    assert (await installation.sync_all()).failures == []
    if is_trashed:
        workspace.trash_database("Lost")
    else:
        workspace.unshare("anna", handle.id)
    (failure,) = (await installation.sync_all()).failures
    assert failure.endswith(f"notion-pg-sync forget anna {handle.id}")
    assert "notion_databases" not in failure
    assert "user_settings" not in failure
