"""Whatever the facts, `status` and `doctor` call the same things well and not well, in the same words."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from notion_pg_sync.commands.doctor.checks.accounts import connected_users, wanted_databases
from notion_pg_sync.commands.doctor.checks.check import Finding, Verdict
from notion_pg_sync.commands.doctor.checks.runs import (
    judged_as,
    last_run,
    unended_runs,
    verdict_on,
)
from notion_pg_sync.commands.status.facts import Facts, gone_runs
from notion_pg_sync.commands.status.judgement import DatabaseHealth, Judgement, assess, of_user
from notion_pg_sync.core import health
from notion_pg_sync.core.health import Condition, Health
from notion_pg_sync.mirror.accounts import Account
from notion_pg_sync.mirror.jobs import REQUESTED, SYNC_ALL
from notion_pg_sync.mirror.looks import NO_DEMAND, Demand
from notion_pg_sync.mirror.overview import Database, User
from notion_pg_sync.mirror.repeatable import repeatable
from notion_pg_sync.settings import Settings
from tests.commands.status_facts import HOUR, MINUTE, NOW, a_database, a_run, an_open_run, database_id, failing

MAX_AGE = Settings().max_age
HERE = "here since 1"
LATE = NOW - timedelta(seconds=health.GONE_AFTER_SILENT_SECONDS + 1)

STATES: list[dict[str, Any]] = [
    {},
    {"fresh_as_of": NOW - MAX_AGE},
    {"fresh_as_of": NOW - MAX_AGE - MINUTE},
    {"fresh_as_of": NOW + HOUR},
    {"fresh_as_of": None},
    {"fresh_as_of": None, "last_started_at": None, "last_status": None},
    {"fresh_as_of": NOW - 9 * HOUR, "lease_runid": 9},
    failing(),
    failing(failures_in_a_row=1, last_message=None),
    failing(suspended_since=NOW - HOUR, next_try_at=NOW + HOUR),
    failing(suspended_since=NOW - HOUR),
    {"last_status": "running", "last_runid": 8},
    {"last_status": "running", "last_runid": 9, "fresh_as_of": None},
    {**failing(), "last_status": "running", "last_runid": 9, "last_message": None},
    {"last_status": "running", "last_runid": 6},
    {"left_out": 2, "left_out_since": NOW - HOUR, "left_out_reason": "Friends: Notion answered 500."},
]
OPEN_RUNS = [
    an_open_run(8, machine=HERE, pid=1),
    an_open_run(9, machine=HERE, pid=2),
    an_open_run(9, machine=HERE, pid=1, heartbeat_at=LATE),
    an_open_run(9, machine=HERE, pid=2, heartbeat_at=LATE),
    an_open_run(8, heartbeat_at=LATE),
    an_open_run(9),
    an_open_run(9, job="sync-notion-database", heartbeat_at=LATE),
    an_open_run(8, machine=None, pid=None, host=None, heartbeat_at=None, started_at=LATE),
]
ENDED_RUNS = [None, a_run(7), a_run(10), a_run(10, status="failed", message="anna: Notion does not answer.")]
DEMANDS = [
    NO_DEMAND,
    Demand(last_look=NOW - MINUTE, waiting=2, waiting_since=NOW - HOUR),
    Demand(last_look=NOW - MINUTE, waiting=1, waiting_since=NOW - 30 * HOUR),
    Demand(last_look=NOW - HOUR),
    Demand(last_look=NOW - HOUR, waiting=1, waiting_since=NOW),
    Demand(waiting=1, waiting_since=NOW - HOUR),
]
SETTINGS: list[object] = [None, {}, [], {"*": "*"}, {"Worlds": "no id"}, {"Other": database_id(9)}]


def is_alive(pid: int, _: float) -> bool:
    return pid == 1


@st.composite
def users(draw: st.DrawFn, user_id: str, databases: list[Database]) -> User:
    named = {one.name: one.database_id for one in databases}
    return User(
        user_id,
        has_token=draw(st.sampled_from([True, True, False])),
        databases=draw(st.sampled_from([named, named, named, *SETTINGS])),
        auto_sync=draw(st.sampled_from([True, None, False])),
        last_sync_ended_at=draw(st.sampled_from([NOW, None])),
    )


@st.composite
def any_facts(draw: st.DrawFn) -> Facts:
    databases: list[Database] = []
    settings: list[User] = []
    for user_id in draw(st.sets(st.sampled_from(["anna", "ben"]))):
        states = draw(st.lists(st.sampled_from(STATES), max_size=4))
        own = [a_database(user_id, number, **state) for number, state in enumerate(states, 1)]
        databases += own
        if draw(st.sampled_from([True, True, True, False])):
            settings.append(draw(users(user_id, own)))
    open_runs = draw(st.lists(st.sampled_from(OPEN_RUNS), max_size=2, unique_by=lambda run: run.runid))
    ended = draw(st.sampled_from(ENDED_RUNS))
    of_sync_all = [run for run in (*open_runs, ended) if run and run.job == SYNC_ALL.name]
    last = max(of_sync_all, key=lambda run: run.runid, default=None)
    own_failure = None
    if last and last.status == "failed" and draw(st.booleans()):
        own_failure = (str(last.message), NOW)
    return Facts(
        NOW,
        tuple(settings),
        tuple(databases),
        last_run=last,
        open_runs=tuple(open_runs),
        gone=gone_runs(open_runs, NOW, HERE, is_alive),
        own_failure=own_failure,
        paused=draw(st.sampled_from([frozenset(), frozenset({SYNC_ALL.name}), frozenset({REQUESTED.name})])),
        demand=draw(st.sampled_from(DEMANDS)),
    )


def accounts(known: Facts) -> list[Account]:
    """`user_settings` as doctor reads it."""
    return [
        Account(one.user_id, None, "secret" if one.has_token else None, one.databases, one.auto_sync)
        for one in known.users
    ]


def shown(known: Facts, judgement: Judgement) -> dict[Condition, list[Finding]]:
    """What doctor says of what is in each condition."""
    return {
        Condition.FAILING: [
            *judged_as(Condition.FAILING, known, judgement),
            last_run(known, judgement),
            *(finding for finding in wanted_databases(accounts(known), "public") if finding.verdict is Verdict.BROKEN),
        ],
        Condition.WENT_AWAY: unended_runs(known, judgement),
        **{
            one: judged_as(one, known, judgement)
            for one in (
                Condition.NEVER_SYNCED,
                Condition.STALE,
                Condition.LATE,
                Condition.PAUSED,
                Condition.SUSPENDED,
                Condition.INCOMPLETE,
            )
        },
    }


def tells_of(finding: Finding, one: DatabaseHealth) -> bool:
    """Whether it gives the reason that status gives; of the runs as such, its own line names what they are."""
    return one.reason.removeprefix("its last run failed: ").rstrip(".") in finding.message


@given(known=any_facts())
def test_what_status_calls_not_well_doctor_warns_of_in_the_same_words(known: Facts) -> None:
    judgement = assess(known, max_age=MAX_AGE)
    said = shown(known, judgement)
    for one in judgement.judged:
        if one.condition.health is not Health.OK and one.condition is not Condition.NOT_CONNECTED:
            telling = [finding for finding in said[one.condition] if tells_of(finding, one)]
            assert telling, one
            assert verdict_on(one.condition) in {finding.verdict for finding in telling}


@given(known=any_facts())
def test_who_asks_for_databases_without_a_token_is_told_by_the_check_of_accounts(known: Facts) -> None:
    for one in assess(known, max_age=MAX_AGE).judged:
        if one.condition is Condition.NOT_CONNECTED:
            findings = connected_users(accounts(known), "public", None)
            assert any(str(one.user_id) in finding.message for finding in findings if finding.verdict is not Verdict.OK)


@given(known=any_facts())
def test_what_doctor_warns_of_status_calls_not_well_in_the_same_words(known: Facts) -> None:
    """Save for what doctor alone asks: whether a process hangs."""
    judgement = assess(known, max_age=MAX_AGE)
    hanging = {run.runid for run in known.silent}
    for condition, findings in shown(known, judgement).items():
        judged = [one for one in judgement.judged if one.condition is condition]
        for finding in findings:
            if finding.verdict is Verdict.OK or any(f"run {runid} " in finding.message for runid in hanging):
                continue
            is_last_run = "sync-all has never run" in finding.message or "the last run of sync-all" in finding.message
            if is_last_run:
                assert judgement.health is not Health.OK
            else:
                assert any(tells_of(finding, one) for one in judged), finding


@given(known=any_facts(), user_id=st.sampled_from(["anna", "ben", None]))
def test_the_whole_is_as_well_for_both(known: Facts, user_id: str | None) -> None:
    judgement = of_user(assess(known, max_age=MAX_AGE), user_id)
    known = replace(known, users=tuple(one for one in known.users if user_id in (None, one.user_id)))
    findings = [
        finding
        for together in shown(known, judgement).values()
        for finding in together
        if "its process is still there" not in finding.message
    ]
    is_well = all(finding.verdict is Verdict.OK for finding in findings)
    if not any(one.condition is Condition.NOT_CONNECTED for one in judgement.judged):
        assert is_well is (judgement.health is Health.OK)
    assert (Verdict.BROKEN in {finding.verdict for finding in findings}) is (judgement.health is Health.FAILING)
    assert judgement.exit_code == (judgement.health is Health.FAILING)


@given(known=any_facts())
def test_every_warning_has_a_fix_and_what_is_well_has_none(known: Facts) -> None:
    for findings in shown(known, assess(known, max_age=MAX_AGE)).values():
        for finding in findings:
            assert bool(finding.fix or finding.needs) is (finding.verdict is not Verdict.OK)


@pytest.mark.parametrize("condition", Condition)
def test_a_condition_is_well_for_doctor_where_it_is_for_status(condition: Condition) -> None:
    assert (verdict_on(condition) is Verdict.OK) is (condition.health is Health.OK)
    is_asked_for = condition.health is not Health.OK or condition is Condition.FRESH
    assert condition.is_kept_fresh is (is_asked_for and condition is not Condition.NOT_CONNECTED)


def test_sql_that_cannot_read_the_limits_has_the_same() -> None:
    (minutes,) = re.findall(r"heartbeat_at > clock_timestamp\(\) - interval '(\d+) minutes'", repeatable().statements)
    assert int(minutes) * 60 == health.GONE_AFTER_SILENT_SECONDS
