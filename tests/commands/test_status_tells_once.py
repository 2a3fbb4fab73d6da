"""What is in the way of several things is told once, with all that it is in the way of."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest
from notion_workspace import SmallWorkspace

from notion_pg_sync.commands.status.asking import Question, ask
from notion_pg_sync.commands.status.judgement import Judgement, assess, headline
from notion_pg_sync.commands.status.words import since, until
from tests.commands.status_facts import NOW
from tests.installation import Installation

pytestmark = pytest.mark.slow


async def judged(installation: Installation) -> tuple[Judgement, str]:
    facts = await ask(installation.settings.database_url or "", Question())
    judgement = assess(facts, max_age=installation.settings.max_age)
    return judgement, headline(judgement, facts.now)


async def test_one_lock_on_several_tables_and_the_run_that_it_stopped_are_one_cause(
    installation: Installation, small: SmallWorkspace
) -> None:
    await installation.connect("anna", small.tokens["anna"], {"Worlds": small.databases["Worlds"]})
    await installation.sync_all()
    with psycopg.connect(installation.settings.database_url or "", application_name="psql") as holder:
        pid = holder.info.backend_pid
        holder.execute("LOCK TABLE user_settings")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            await installation.sync_all(lock_seconds=1)
        (one,) = (await judged(installation))[0].not_fresh
        assert f"session {pid} " in one.reason
        holder.execute("LOCK TABLE notion_sync.databases, notion_sync.job_run_details")
        judgement, said = await judged(installation)
    (one,) = judgement.not_fresh
    assert one.reason.startswith(
        "public.user_settings, notion_sync, the record of runs, the columns of typed views, the files could not be"
        " read in time: "
        f"session {pid} "
    )
    assert one.reason.endswith(f"type SELECT pg_terminate_backend({pid});")
    assert said == "Failing: no copy can be kept fresh or judged."


def test_what_has_just_begun_lasts_less_than_a_second() -> None:
    assert since(NOW, NOW) == until(NOW, NOW) == "less than a second"
    assert until(NOW - timedelta(hours=1), NOW) == "less than a second"
    assert since(NOW - timedelta(minutes=12), NOW) == "12 minutes"
