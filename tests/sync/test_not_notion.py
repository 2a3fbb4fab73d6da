"""A login page or a proxy that answers for Notion is one cause, told once, and nobody's fault who has a database."""

from __future__ import annotations

import pytest
from notion_workspace import SmallWorkspace

from notion_pg_sync.commands.status.asking import Question, ask
from notion_pg_sync.commands.status.findings import of_one_cause
from notion_pg_sync.commands.status.judgement import assess
from notion_pg_sync.core.errors import ErrorCode
from notion_pg_sync.core.health import SUSPENDED_AFTER_FAILURES, Condition, Health
from tests.installation import Installation

DATABASES = ("Characters", "Worlds")


@pytest.mark.parametrize("kind", ["portal_json", "portal_html", "portal_redirect"])
async def test_what_is_not_notion_is_told_once_and_suspends_nothing(
    installation: Installation, small: SmallWorkspace, kind: str
) -> None:
    for user, token in (("anna", "anna"), ("bela", "ben")):
        await installation.connect(user, small.tokens[token], {name: small.databases[name] for name in DATABASES})
    installation.workspace.faults.add(kind)
    for _ in range(SUSPENDED_AFTER_FAILURES + 1):
        outcome = await installation.sync_all(first_back_off=0.001)
        (failure,) = outcome.failures
        assert "anna/Characters, anna/Worlds, bela/Characters, bela/Worlds: what answers at 127.0.0.1" in failure
        assert "is not Notion" in failure
        runs = [run for account in outcome.accounts for run in account.databases.values()]
        assert {run.error_code for run in runs} == {ErrorCode.NETWORK}
        assert not [name for account in outcome.accounts for name in account.suspended]
    assert outcome.health is Health.FAILING
    (run,) = await installation.execute(
        "SELECT return_message FROM notion_sync.job_run_details ORDER BY runid DESC LIMIT 1"
    )
    assert run["return_message"].startswith(failure)
    judgement = assess(
        await ask(installation.settings.database_url or "", Question()), max_age=installation.settings.max_age
    )
    (group,) = of_one_cause(judgement.not_fresh)
    assert {one.condition for one in group} == {Condition.FAILING}
    assert "is not Notion" in group[0].reason
    installation.workspace.faults.clear()
    for account in (await installation.sync_all()).accounts:
        assert ErrorCode.NETWORK not in {run.error_code for run in account.databases.values()}
