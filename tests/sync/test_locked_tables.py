"""A table that somebody locked stops the databases whose rows go there, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from notion_workspace import SmallWorkspace

from tests.installation import Installation

pytestmark = pytest.mark.slow


@pytest.fixture(params=[False, True], ids=["without views", "with views"])
async def both(request: pytest.FixtureRequest, installation: Installation, small: SmallWorkspace) -> Installation:
    """Two users, synced before; the characters of one go to a table of their own."""
    await installation.connect(
        "anna",
        small.tokens["anna"],
        {name: small.databases[name] for name in ("Characters", "Worlds", "Stories")},
    )
    await installation.connect("ben", small.tokens["anna"], {"Worlds": small.databases["Worlds"]})
    if request.param:
        await installation.execute(
            "INSERT INTO notion_sync.accounts (user_id, views) VALUES ('anna', true), ('ben', true)"
        )
    assert (await installation.sync_all()).failures == []
    return installation


@pytest.fixture
def holder(both: Installation) -> Iterator[psycopg.Connection]:
    with psycopg.connect(both.settings.database_url or "", application_name="psql") as connection:
        yield connection


@pytest.mark.parametrize("is_edited", [True, False])
async def test_a_locked_table_stops_only_the_databases_whose_rows_go_there(
    both: Installation, holder: psycopg.Connection, is_edited: bool
) -> None:
    if is_edited:
        both.workspace.clock.advance(3600)
        for name in ("Characters", "Worlds"):
            both.workspace.edit_page(both.workspace.page_ids(name)[0], {"Name": "another"})
    holder.execute("LOCK TABLE notion_characters_sync")
    outcome = await both.sync_all(lock_seconds=2)
    (failure,) = outcome.failures
    assert failure.startswith(f"anna/Characters: session {holder.info.backend_pid} (role ")
    assert "application_name psql, in a transaction since " in failure
    codes = {(one.user_id, name): run.error_code for one in outcome.accounts for name, run in one.databases.items()}
    assert {key for key, code in codes.items() if code is None} == {
        ("anna", "Worlds"),
        ("anna", "Stories"),
        ("ben", "Worlds"),
    }
    (run,) = await both.execute("SELECT return_message FROM notion_sync.job_run_details ORDER BY runid DESC LIMIT 1")
    assert f"session {holder.info.backend_pid}" in run["return_message"]
    assert "3 of 4 databases of 2 users synced" in run["return_message"]
    holder.rollback()
    assert (await both.sync_all()).failures == []


async def test_a_table_that_an_account_has_no_rows_in_is_not_touched_for_it(
    both: Installation, holder: psycopg.Connection
) -> None:
    holder.execute("LOCK TABLE notion_characters_sync")
    outcome = await both.sync_all("ben", lock_seconds=60)
    assert outcome.failures == []
    assert outcome.accounts[0].is_anything_read


async def test_databases_that_a_user_was_not_even_asked_for_are_in_the_record(
    both: Installation, holder: psycopg.Connection
) -> None:
    holder.execute("SELECT 1 FROM notion_sync.databases WHERE user_id = 'anna' FOR UPDATE")
    outcome = await both.sync_all(lock_seconds=1)
    assert outcome.failures[0].startswith(f"anna: session {holder.info.backend_pid} (role ")
    assert "1 of 4 databases of 2 users synced" in outcome.message()
