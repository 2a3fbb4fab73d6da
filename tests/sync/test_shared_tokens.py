"""Users who share a token: what one of them learns of it is known of all, and they do not stand in each other's way."""

from __future__ import annotations

import pytest
from notion_workspace import SmallWorkspace

from tests.installation import Installation

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("is_accepted", [False, True])
async def test_many_users_of_one_token_settle_it_at_once_without_a_deadlock(
    installation: Installation, small: SmallWorkspace, *, is_accepted: bool
) -> None:
    workspace = installation.workspace
    refused = "ntn_nobody"
    for number in range(30):
        await installation.connect(f"user {number}", refused, {"Worlds": small.databases["Worlds"]})
    for _ in range(2):
        assert (await installation.sync_all()).failures != []
        workspace.clock.advance(3600)
    if is_accepted:
        await installation.execute("UPDATE user_settings SET notion_token = %s", small.tokens["anna"])
        assert (await installation.sync_all()).failures == []
    await installation.execute("SELECT pg_stat_force_next_flush()")
    (found,) = await installation.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    assert found["deadlocks"] == 0


async def test_a_token_that_is_refused_counts_once_in_a_run_however_many_have_it(
    installation: Installation, small: SmallWorkspace
) -> None:
    for number in range(6):
        await installation.connect(f"user {number}", "nobody's token", {"Worlds": small.databases["Worlds"]})
    for run in (1, 2):
        await installation.sync_all()
        found = await installation.execute("SELECT DISTINCT token_refusals FROM notion_sync.accounts")
        assert [row["token_refusals"] for row in found] == [run]
