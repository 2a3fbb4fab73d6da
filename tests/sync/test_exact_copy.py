"""After a sync the copy is what the workspace holds: every row, every property."""

from __future__ import annotations

import re

from notion_workspace import SmallWorkspace

from tests.installation import Installation

# What no answer of Notion's API gives, so no mirror can have it (docs/notion-api.md#truncation).
BEYOND_THE_API = (
    # computed from at most 25 related pages, without a sign, and the property endpoint is no better
    r"^Stories: 'Cast size' of .* is .*'number': 25.*not .*'number': 40",
    # the property endpoint never computes a median
    r"^Everything: \"Friends' median\" of ",
)
# What PostgreSQL refuses: stored without it.
NUL_CHARACTER = r"^Everything: 'Text' of .*beforeafter.*before\\x00after"


async def connect_everybody(installation: Installation, small: SmallWorkspace) -> None:
    for label, token in small.tokens.items():
        await installation.connect(label, token, {name: small.databases[name] for name in small.shared[label]})


async def differences(installation: Installation, small: SmallWorkspace) -> list[str]:
    found = []
    for label in small.tokens:
        databases = {name: small.databases[name] for name in small.shared[label]}
        found += await installation.differences(label, label, databases)
    return found


async def test_every_row_and_every_property_of_three_users_is_as_notion_has_it(
    installation: Installation, small: SmallWorkspace
) -> None:
    await connect_everybody(installation, small)
    outcome = await installation.sync_all()
    assert outcome.failures == []
    found = await differences(installation, small)
    known = (*BEYOND_THE_API, NUL_CHARACTER)
    assert [line for line in found if not any(re.search(pattern, line) for pattern in known)] == []
    assert len(found) == len(known)
    assert "1 row held characters" in (outcome_of(outcome, "anna", "Everything") or "")


def outcome_of(outcome: object, user_id: str, database: str) -> str | None:
    accounts = {account.user_id: account for account in outcome.accounts}  # type: ignore[attr-defined]
    message: str | None = accounts[user_id].databases[database].message
    return message


async def test_a_second_run_writes_no_row(installation: Installation, small: SmallWorkspace) -> None:
    await connect_everybody(installation, small)
    first = (await installation.sync_all()).totals
    hour = 3600
    small.workspace.clock.advance(hour)
    second = (await installation.sync_all(full=True)).totals
    assert first.inserted == first.rows_read > 700
    assert (second.inserted, second.updated, second.removed) == (0, 0, 0)
    assert second.unchanged == second.rows_read == first.inserted


async def test_an_edited_page_alone_is_written(installation: Installation, small: SmallWorkspace) -> None:
    databases = {"Chat Sessions": small.databases["Chat Sessions"]}
    await installation.connect("anna", small.tokens["anna"], databases)
    await installation.sync_all()
    small.workspace.clock.advance(3600)
    page_id = small.workspace.page_ids("Chat Sessions")[100]
    small.workspace.edit_page(page_id, {"Name": "Edited"})
    small.workspace.clock.advance(600)
    totals = (await installation.sync_all()).totals
    assert (totals.inserted, totals.updated) == (0, 1)
    assert await installation.differences("anna", "anna", databases) == []


async def test_two_users_who_share_a_database_each_have_its_rows(
    installation: Installation, small: SmallWorkspace
) -> None:
    await connect_everybody(installation, small)
    await installation.sync_all()
    found = await installation.execute(
        "SELECT user_id, count(*) AS rows FROM notion_worlds_sync GROUP BY user_id ORDER BY user_id"
    )
    assert found == [{"user_id": "anna", "rows": 12}, {"user_id": "ben", "rows": 12}]
