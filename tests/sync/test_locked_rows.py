"""A transaction that somebody forgot to commit: a run fails within a bound, names it, and says what ends it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import psycopg
import pytest
from notion_workspace import SmallWorkspace

from notion_pg_sync.sync.run.failures import failure_of
from notion_pg_sync.sync.run.run import RunOutcome
from tests.installation import Installation

pytestmark = pytest.mark.slow

Forget = Callable[[str], int]


@pytest.fixture
async def both(installation: Installation, small: SmallWorkspace) -> Installation:
    """Two users, synced before."""
    for user in ("anna", "bela"):
        await installation.connect(user, small.tokens["anna"], {"Worlds": small.databases["Worlds"]})
    assert (await installation.sync_all()).failures == []
    return installation


@pytest.fixture
def forgotten(both: Installation) -> Iterator[Forget]:
    """Runs a statement and forgets to commit; returns the pid of its session."""
    with ExitStack() as stack:

        def begin(statement: str) -> int:
            connection = psycopg.connect(both.settings.database_url or "", application_name="psql")
            stack.callback(connection.close)
            connection.execute(statement.encode())
            return connection.info.backend_pid

        yield begin


async def held_up(installation: Installation) -> RunOutcome:
    try:
        return await installation.sync_all(lock_seconds=1)
    except psycopg.Error as error:
        # Where nothing at all can be done; the command says the same.
        return RunOutcome(problems=[failure_of(error).sentence])


async def assert_told_and_ended(installation: Installation, outcome: RunOutcome, pid: int) -> None:
    """The run names the session, its record too; what it says to type is typed; the next run is well."""
    (run,) = await installation.execute(
        "SELECT status, return_message FROM notion_sync.job_run_details ORDER BY runid DESC LIMIT 1"
    )
    assert run["status"] == "failed"
    for said in (outcome.failures[0], run["return_message"]):
        assert f"session {pid} (role " in said
        assert "application_name psql, in a transaction since " in said
    statement = re.search(r"SELECT pg_terminate_backend\(\d+\);", outcome.failures[0])
    assert statement is not None
    await installation.execute(statement[0])
    after = await installation.sync_all()
    assert after.failures == []
    assert {account.user_id for account in after.accounts} == {"anna", "bela"}


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1 FROM notion_sync.accounts FOR UPDATE",
        "SELECT 1 FROM notion_sync.accounts FOR SHARE",
        "UPDATE notion_sync.accounts SET views = views",
        "LOCK TABLE notion_sync.accounts",
    ],
)
async def test_users_who_cannot_be_claimed_fail_the_run(both: Installation, forgotten: Forget, statement: str) -> None:
    pid = forgotten(statement)
    outcome = await held_up(both)
    assert outcome.accounts == []
    await assert_told_and_ended(both, outcome, pid)


async def test_one_user_who_cannot_be_claimed_holds_nobody_else_up(both: Installation, forgotten: Forget) -> None:
    pid = forgotten("SELECT 1 FROM notion_sync.accounts WHERE user_id = 'anna' FOR UPDATE")
    outcome = await held_up(both)
    (failure,) = outcome.failures
    assert failure.startswith(f"anna: session {pid} ")
    assert [account.user_id for account in outcome.accounts] == ["bela"]
    await assert_told_and_ended(both, outcome, pid)


@pytest.mark.parametrize(
    "statement",
    [
        "LOCK TABLE notion_worlds_sync",
        "LOCK TABLE notion_sync.databases",
        "SELECT 1 FROM notion_sync.databases FOR UPDATE",
        "LOCK TABLE notion_sync.pages",
    ],
)
async def test_a_table_that_somebody_locked_fails_the_run(
    both: Installation, forgotten: Forget, statement: str
) -> None:
    both.workspace.clock.advance(3600)
    for page in both.workspace.page_ids("Worlds"):
        both.workspace.edit_page(page, {"Name": "another"})
    pid = forgotten(statement)
    outcome = await held_up(both)
    await assert_told_and_ended(both, outcome, pid)


async def test_a_lock_that_is_let_go_in_time_is_waited_for(both: Installation, forgotten: Forget) -> None:
    pid = forgotten("SELECT 1 FROM notion_sync.accounts FOR UPDATE")
    both.workspace.clock.advance(3600)
    run = asyncio.create_task(both.sync_all())
    await asyncio.sleep(0.5)
    assert not run.done()
    await both.execute("SELECT pg_terminate_backend(%s)", pid)
    outcome = await asyncio.wait_for(run, 30)
    assert outcome.failures == []
    assert len(outcome.accounts) == 2
