"""What a run comes to: ok, degraded or failing, whatever came of its accounts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from notion_pg_sync.core.health import Health
from notion_pg_sync.core.wording import some
from notion_pg_sync.mirror.runs import DatabaseRun
from notion_pg_sync.sync.run.account_outcome import AccountOutcome
from notion_pg_sync.sync.run.run import RunOutcome

NAMES = st.sampled_from(["Worlds", "Tasks", "Notes"])
CODES = st.sampled_from([None, None, "unauthorized", "in_trash", "network"])
RUNS = st.builds(lambda code: DatabaseRun(error_code=code, message="Because." if code else "Well."), CODES)


@st.composite
def accounts(draw: st.DrawFn, user_id: str) -> AccountOutcome:
    databases = draw(st.dictionaries(NAMES, RUNS))
    failed = [name for name, run in databases.items() if run.error_code]
    aside = draw(st.sets(NAMES)) - databases.keys() if draw(st.booleans()) else set()
    again = draw(st.sets(st.sampled_from(failed))) if failed else set()
    return AccountOutcome(
        user_id,
        databases=databases,
        problems=draw(st.sampled_from([[], [], ["The token cannot be opened."]])),
        token_problem=draw(st.sampled_from([None, None, "It was revoked."])),
        suspended=dict.fromkeys(sorted(aside | again), "It was revoked."),
    )


@st.composite
def outcomes(draw: st.DrawFn, *, strict: bool | None = None) -> RunOutcome:
    users = draw(st.sets(st.sampled_from(["anna", "ben", "cora"])))
    return RunOutcome(
        [draw(accounts(user_id)) for user_id in sorted(users)],
        problems=draw(st.sampled_from([[], [], ["Time is up."]])),
        strict=draw(st.booleans()) if strict is None else strict,
        unconnected=draw(st.sampled_from([[], [], ["dora"]])),
    )


def is_anything_read(outcome: RunOutcome) -> bool:
    return any(run.error_code is None for account in outcome.accounts for run in account.databases.values())


@given(outcomes())
def test_it_is_failing_where_anything_failed_and_its_record_says_so_first(outcome: RunOutcome) -> None:
    assert (outcome.health is Health.FAILING) is bool(outcome.failures)
    assert (outcome.status == "failed") is bool(outcome.failures)
    if outcome.failures:
        assert outcome.message().startswith(outcome.failures[0])
    assert outcome.message().startswith("degraded: ") is (outcome.health is Health.DEGRADED)


@given(outcomes())
def test_it_is_never_less_than_failing_where_something_was_left_aside_and_nothing_read(outcome: RunOutcome) -> None:
    if any(account.suspended for account in outcome.accounts) and not is_anything_read(outcome):
        assert outcome.health is Health.FAILING


@given(outcomes(strict=True))
def test_strictly_nothing_is_degraded(outcome: RunOutcome) -> None:
    assert outcome.health in (Health.OK, Health.FAILING)


@given(outcomes())
def test_every_failure_of_a_database_is_told_once_and_that_of_a_token_once_for_all_of_them(outcome: RunOutcome) -> None:
    for account in outcome.accounts:
        for name, run in account.databases.items():
            told = [one for one in outcome.failures if one.startswith(f"{account.user_id}/{name}: ")]
            is_of_token = run.error_code == "unauthorized" and account.token_problem is not None
            is_news = run.error_code is not None and name not in account.suspended and not is_of_token
            assert len(told) == is_news or outcome.strict or run.error_code == "network"
        assert sum(one == f"{account.user_id}: It was revoked." for one in outcome.failures) == bool(
            account.token_problem
        )


@given(outcomes())
def test_what_keeps_databases_from_notion_is_told_once_with_their_names(outcome: RunOutcome) -> None:
    kept = [
        f"{account.user_id}/{name}"
        for account in outcome.accounts
        for name, run in account.databases.items()
        if run.error_code == "network" and name not in account.suspended
    ]
    assert outcome.failures.count(f"{some(sorted(kept))}: Because.") == bool(kept)


@given(outcomes(), st.data())
def test_what_is_not_told_again_stays_a_failure(outcome: RunOutcome, data: st.DataObject) -> None:
    before, health = outcome.failures, outcome.health
    subjects = [one.subject for one in outcome.failed if one.subject is not None]
    outcome.untold = data.draw(st.sets(st.sampled_from(subjects))) if subjects else set()
    assert outcome.failures == before
    assert outcome.health is health
    assert outcome.untold or outcome.told == outcome.causes
    assert not outcome.untold or len(outcome.told) < len(before)
