"""A token that is renewed while a run is under way, so that the old one ends at once, stops nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from notion_workspace import SmallWorkspace

from notion_pg_sync.core.errors import ErrorCode
from tests.installation import Installation

NEW = "ntn_renewed"
DATABASES = ("Characters", "Notes", "Worlds")


@pytest.fixture
async def anna(installation: Installation, small: SmallWorkspace) -> Installation:
    """A user with small databases and one whose rows take several requests."""
    installation.workspace.share("anna", "Notes")
    await installation.connect("anna", small.tokens["anna"], {name: small.databases[name] for name in DATABASES})
    return installation


def renewing(installation: Installation, small: SmallWorkspace, *, is_stored: bool = True) -> Callable[[object], None]:
    """Ends anna's token at the run's first query, and stores another that sees the same."""
    tokens = installation.workspace.state.tokens
    old = tokens[small.tokens["anna"]]

    def renew(request: object) -> None:
        if old.revoked or not str(getattr(request, "path", "")).endswith("/query"):
            return
        old.revoked = True
        tokens[NEW] = replace(old, secret=NEW, revoked=False)
        if is_stored:
            installation.execute_at_once("UPDATE user_settings SET notion_token = %s WHERE user_id = 'anna'", NEW)

    return renew


async def test_a_run_goes_on_with_the_token_that_is_stored_by_then(anna: Installation, small: SmallWorkspace) -> None:
    anna.workspace.on_request(renewing(anna, small))
    outcome = await anna.sync_all()
    assert outcome.failures == []
    assert await anna.differences("anna", "anna", {name: small.databases[name] for name in DATABASES}) == []
    (account,) = await anna.execute("SELECT token_problem, token_refusals FROM notion_sync.accounts")
    assert account == {"token_problem": None, "token_refusals": 0}
    assert (await anna.sync_all()).failures == []


async def test_one_database_goes_on_too(anna: Installation, small: SmallWorkspace) -> None:
    anna.workspace.on_request(renewing(anna, small))
    assert (await anna.sync_one("anna", "Notes")).failures == []


async def test_a_token_that_ends_and_is_not_renewed_is_refused_and_looked_up_once(
    anna: Installation, small: SmallWorkspace
) -> None:
    anna.workspace.on_request(renewing(anna, small, is_stored=False))
    outcome = await anna.sync_all()
    (account,) = outcome.accounts
    assert account.token_problem is not None
    assert {run.error_code for run in account.databases.values()} <= {None, ErrorCode.UNAUTHORIZED}
    assert all(token != NEW for token in [request.token for request in anna.workspace.requests.all()])


async def test_a_token_that_is_renewed_while_another_account_is_synced_stops_nothing(
    installation: Installation, small: SmallWorkspace
) -> None:
    worlds = {"Worlds": small.databases["Worlds"]}
    await installation.connect("anna", small.tokens["anna"], worlds)
    await installation.connect("ben", small.tokens["ben"], worlds)
    tokens = installation.workspace.state.tokens
    old = tokens[small.tokens["ben"]]

    def renew(request: object) -> None:
        if NEW not in tokens:
            tokens[NEW] = replace(old, secret=NEW, label=old.label)
            installation.execute_at_once("UPDATE user_settings SET notion_token = %s WHERE user_id = 'ben'", NEW)
            old.revoked = True

    installation.workspace.on_request(renew)
    assert (await installation.sync_all(jobs=1)).failures == []
