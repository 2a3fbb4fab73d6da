"""One state of a copy is as well for `sync-all`, `status` and `doctor`, and their exit codes say the same."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from notion_workspace.literals import relation, title

from notion_pg_sync.commands.doctor.checks.all_checks import ALL_CHECKS
from notion_pg_sync.commands.doctor.checks.check import Verdict
from notion_pg_sync.commands.status.asking import Question, ask
from notion_pg_sync.commands.status.judgement import assess
from notion_pg_sync.core.health import SUSPENDED_AFTER_FAILURES, Health
from notion_pg_sync.sync.run.run import RunOutcome
from tests.commands.conftest import Mirrored, examined_by

pytestmark = pytest.mark.slow

CHECKS = [check.name for check in ALL_CHECKS if check.section != "Scheduling"]

State = Callable[[Mirrored], Awaitable[RunOutcome]]


async def runs(mirrored: Mirrored, often: int) -> RunOutcome:
    for _ in range(often - 1):
        await mirrored.installation.sync_all(first_back_off=0.001)
    return await mirrored.installation.sync_all(first_back_off=0.001)


async def all_is_well(mirrored: Mirrored) -> RunOutcome:
    return await runs(mirrored, 1)


async def a_database_that_fails(mirrored: Mirrored) -> RunOutcome:
    mirrored.workspace.unshare("anna", "Worlds")
    return await runs(mirrored, 1)


async def the_run_that_suspends_it(mirrored: Mirrored) -> RunOutcome:
    mirrored.workspace.unshare("anna", "Worlds")
    return await runs(mirrored, SUSPENDED_AFTER_FAILURES)


async def the_run_after_that(mirrored: Mirrored) -> RunOutcome:
    mirrored.workspace.unshare("anna", "Worlds")
    return await runs(mirrored, SUSPENDED_AFTER_FAILURES + 1)


async def a_token_that_is_refused(mirrored: Mirrored) -> RunOutcome:
    mirrored.workspace.revoke_token("anna")
    return await runs(mirrored, 1)


async def the_run_that_suspends_a_token(mirrored: Mirrored) -> RunOutcome:
    mirrored.workspace.revoke_token("anna")
    return await runs(mirrored, SUSPENDED_AFTER_FAILURES)


async def the_run_after_a_token_was_suspended(mirrored: Mirrored) -> RunOutcome:
    mirrored.workspace.revoke_token("anna")
    return await runs(mirrored, SUSPENDED_AFTER_FAILURES + 1)


async def everything_refused(mirrored: Mirrored) -> RunOutcome:
    for user in ("anna", "ben"):
        mirrored.workspace.revoke_token(user)
    return await runs(mirrored, SUSPENDED_AFTER_FAILURES + 1)


async def a_value_that_notion_does_not_give(mirrored: Mirrored) -> RunOutcome:
    handle = mirrored.workspace.add_database(
        "Long", {"Name": title(), "Friends": relation("self")}, [{"Name": f"Row {number}"} for number in range(40)]
    )
    pages = mirrored.workspace.page_ids("Long")
    mirrored.workspace.edit_page(pages[0], {"Friends": pages[:30]})
    mirrored.workspace.share("cora", handle.id)
    mirrored.connect("cora", "cora", Long=handle.id)
    mirrored.workspace.faults.add("500", path=f"{pages[0]}/properties")
    return await runs(mirrored, 1)


async def a_user_without_a_token(mirrored: Mirrored) -> RunOutcome:
    mirrored.connect("dora", "cora", "Notes")
    mirrored.execute("UPDATE user_settings SET notion_token = NULL WHERE user_id = 'dora'")
    return await runs(mirrored, 1)


async def somebody_else_answers(mirrored: Mirrored) -> RunOutcome:
    mirrored.workspace.faults.add("portal_html")
    return await runs(mirrored, 1)


STATES: dict[State, Health] = {
    all_is_well: Health.OK,
    a_database_that_fails: Health.FAILING,
    the_run_that_suspends_it: Health.DEGRADED,
    the_run_after_that: Health.DEGRADED,
    a_token_that_is_refused: Health.FAILING,
    the_run_that_suspends_a_token: Health.DEGRADED,
    the_run_after_a_token_was_suspended: Health.DEGRADED,
    everything_refused: Health.FAILING,
    a_value_that_notion_does_not_give: Health.DEGRADED,
    a_user_without_a_token: Health.DEGRADED,
    somebody_else_answers: Health.FAILING,
}
VERDICTS = {Health.OK: Verdict.OK, Health.DEGRADED: Verdict.WARNING, Health.FAILING: Verdict.BROKEN}


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
async def test_the_three_agree(mirrored: Mirrored, state: State) -> None:
    mirrored.connect("anna", "anna", "Worlds", "Three")
    mirrored.connect("ben", "ben", "Tasks")
    await mirrored.sync()
    outcome = await state(mirrored)
    settings = mirrored.installation.settings
    judgement = assess(await ask(mirrored.patient.url, Question()), max_age=settings.max_age)
    examined = await examined_by(CHECKS, mirrored.patient.url, NOTION_BASE_URL=mirrored.url)
    troubles = [one for check in examined for one in check.findings if one.is_trouble]
    worst = max((one.verdict for one in troubles), key=list(Verdict).index, default=Verdict.OK)
    assert outcome.health is STATES[state]
    assert judgement.health is STATES[state], judgement.not_fresh
    assert worst is VERDICTS[STATES[state]], troubles
