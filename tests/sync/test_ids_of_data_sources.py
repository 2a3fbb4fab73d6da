"""The id of a data source where a database's belongs: its database is taken, and counts once."""

from __future__ import annotations

import pytest
from notion_workspace import SmallWorkspace
from notion_workspace.literals import title

from tests.installation import Installation


@pytest.mark.parametrize("everything", [False, True])
async def test_the_id_of_a_data_source_stands_for_its_database(
    installation: Installation, small: SmallWorkspace, *, everything: bool
) -> None:
    workspace = installation.workspace
    handle = workspace.add_database("Notes", {"Name": title()}, [{"Name": "one"}, {"Name": "two"}])
    other = workspace.add_data_source(handle.id, "More", {"Name": title()}, [{"Name": "three"}])
    workspace.share("anna", handle.id)
    databases = {"Notes": handle.data_source_id} | ({"*": "*"} if everything else {})
    await installation.connect("anna", small.tokens["anna"], databases)
    for _ in range(2):
        outcome = await installation.sync_all()
        assert outcome.failures == []
        rows = await installation.execute(
            "SELECT notion_data_source_id::text AS source, count(*) FROM notion_pages_sync"
            " WHERE database_name = 'Notes' GROUP BY 1"
        )
        assert {row["source"]: row["count"] for row in rows} == {handle.data_source_id: 2, other: 1}
        assert sum(name.startswith("Notes") for name in outcome.accounts[0].databases) == 1
    outcome = await installation.sync_one("anna", "Notes", verify=True)
    ((_, _, verification),) = outcome.verified
    assert verification.is_exact


async def test_an_id_that_is_neither_fails_as_before(installation: Installation, small: SmallWorkspace) -> None:
    await installation.connect("anna", small.tokens["anna"], {"Notes": "11111111-1111-4111-8111-111111111111"})
    (failure,) = (await installation.sync_all()).failures
    assert "database 11111111-1111-4111-8111-111111111111 is not there or not shared" in failure
