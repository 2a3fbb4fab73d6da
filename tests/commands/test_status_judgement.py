"""status: what the facts mean, without a database."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from notion_pg_sync.commands.status.facts import Facts, gone_runs
from notion_pg_sync.commands.status.judgement import (
    DatabaseHealth,
    Judgement,
    assess,
    filter_health,
    headline,
)
from notion_pg_sync.core.errors import UsageError
from notion_pg_sync.core.health import GONE_AFTER_SILENT_SECONDS, Condition, Health
from notion_pg_sync.mirror.overview import User
from tests.commands.status_facts import (
    HOUR,
    MINUTE,
    NOW,
    a_database,
    a_past_sync,
    a_run,
    an_open_run,
    database_id,
    facts,
    failing,
)

MAX_AGE = 45 * MINUTE
RUNNING: dict[str, Any] = {
    "last_status": "running",
    "last_runid": 8,
    "last_seconds": None,
    "last_started_at": NOW - MINUTE,
}


def judged(known: Facts, *, strict: bool = False) -> Judgement:
    return assess(known, max_age=MAX_AGE, strict=strict)


def the_one(known: Facts) -> DatabaseHealth:
    (one,) = judged(known).judged
    return one


def user(databases: object, *, has_token: bool = True, auto_sync: bool | None = True, synced: bool = True) -> User:
    return User("anna", has_token, databases, auto_sync, NOW if synced else None)


def test_all_is_well() -> None:
    known = facts(a_database(number=1), a_database("bob", 2, fresh_as_of=NOW - 12 * MINUTE))
    judgement = judged(known)
    assert judgement.exit_code == 0
    assert judgement.not_fresh == []
    assert judgement.health is Health.OK
    said = "Both databases are fresh: edits as of 12 minutes ago, deletions as of 5 minutes ago."
    assert headline(judgement, NOW) == said


def test_what_was_edited_and_what_was_deleted_have_ages_of_their_own() -> None:
    """Edits are read at every run, what was deleted is told by a full read alone."""
    judgement = judged(facts(a_database(number=1), a_database(number=2, full_as_of=NOW - 20 * HOUR)))
    said = "Both databases are fresh: edits as of 5 minutes ago, deletions as of 20 hours ago."
    assert headline(judgement, NOW) == said
    assert (judgement.edits_as_of, judgement.deletions_as_of) == (NOW - 5 * MINUTE, NOW - 20 * HOUR)


def test_an_age_is_known_where_that_of_every_database_is() -> None:
    assert judged(facts(a_database(number=1), a_database(number=2, full_as_of=None))).deletions_as_of is None
    suspended = a_database("bob", 2, **failing(suspended_since=NOW, fresh_as_of=NOW - 3 * HOUR))
    assert judged(facts(a_database(), suspended)).edits_as_of == NOW - 3 * HOUR


@given(minutes=st.integers(0, 10_000), limit=st.integers(0, 10_000))
def test_what_is_older_than_max_age_is_stale_and_nothing_else_is(minutes: int, limit: int) -> None:
    known = facts(a_database(fresh_as_of=NOW - minutes * MINUTE))
    assert assess(known, max_age=limit * MINUTE).exit_code == (minutes > limit)


def test_a_clock_that_is_a_little_ahead_makes_nothing_stale() -> None:
    assert the_one(facts(a_database(fresh_as_of=NOW + MINUTE))).condition is Condition.FRESH


def test_a_sync_of_the_future_is_no_proof_of_freshness() -> None:
    one = the_one(facts(a_database(fresh_as_of=NOW + 6 * MINUTE)))
    assert one.condition is Condition.STALE
    assert "a clock was wrong" in one.reason


def test_a_stale_database_says_what_it_waits_for() -> None:
    old: dict[str, Any] = {"fresh_as_of": NOW - 5 * HOUR, "last_started_at": NOW - 5 * HOUR}
    assert "no run has reached it since 5 hours ago" in the_one(facts(a_database(**old))).reason
    at_another = facts(a_database(**old, lease_runid=8), open_runs=(an_open_run(),))
    assert the_one(at_another).reason == "run 8 (pid 4711 on mill) is syncing this user's databases now."
    at_it = facts(a_database(fresh_as_of=NOW - 5 * HOUR, **RUNNING), open_runs=(an_open_run(),))
    assert the_one(at_it).reason == "a sync is under way."
    assert the_one(at_it).condition is Condition.STALE


def test_a_failing_database_says_why_and_since_when() -> None:
    one = the_one(facts(a_database(**failing())))
    assert (one.condition, one.counts, one.since) == (Condition.FAILING, True, NOW - 2 * HOUR)
    assert one.reason == "Notion does not accept the token."


def test_one_that_is_tried_again_right_now_still_says_why_it_failed() -> None:
    retried = a_database(**{**failing(), **RUNNING, "last_message": None})
    before = a_past_sync(7, status="failed", message="Notion does not answer.")
    one = the_one(facts(retried, open_runs=(an_open_run(),), last_failures=(before,)))
    assert (one.condition, one.reason) == (Condition.FAILING, "Notion does not answer.")
    assert one.running


def test_a_suspended_database_counts_only_when_asked_strictly() -> None:
    next_try_at = NOW + 40 * MINUTE
    suspended = a_database("bob", **failing(suspended_since=NOW - HOUR, next_try_at=next_try_at, fresh_as_of=None))
    judgement = judged(facts(a_database(), suspended))
    assert (judgement.exit_code, judgement.health) == (0, Health.DEGRADED)
    assert judged(facts(a_database(), suspended), strict=True).exit_code == 1
    (one,) = judgement.not_fresh
    assert (one.reason, one.next_try_at) == ("Notion does not accept the token.", next_try_at)
    assert headline(judgement, NOW) == "Degraded: 1 of 2 databases is fresh; 1 suspended."


@pytest.mark.parametrize(
    ("settings", "state"),
    [
        (user({"Database 1": database_id(1)}), failing(suspended_since=NOW - HOUR)),
        (user({"Database 1": database_id(1)}, has_token=False), {}),
        (user({"Database 1": database_id(1)}, auto_sync=False), {}),
        (user(None), {}),
        (None, {}),
    ],
)
def test_where_nothing_at_all_is_fresh_that_is_a_failure(settings: User | None, state: dict[str, Any]) -> None:
    judgement = judged(Facts(NOW, (settings,) if settings else (), (a_database(**state),)))
    assert (judgement.exit_code, judgement.health) == (1, Health.FAILING)
    assert judgement.judged[0].reason.startswith("no database is kept fresh (1 ")
    assert headline(judgement, NOW).startswith("Failing: no database is kept fresh.")


@pytest.mark.parametrize(("number", "suspended"), [(1, False), (4, False), (4, True)])
def test_what_notion_says_of_a_token_holds_for_all_its_databases(number: int, suspended: bool) -> None:
    since = NOW - HOUR if suspended else None
    of_anna = [a_database(number=one, suspended_since=since) for one in range(1, number + 1)]
    refused = User("anna", True, {one.name: one.database_id for one in of_anna}, True, NOW, "It was revoked.", NOW, 5)
    known = facts(*of_anna, a_database("bob", 9))
    judgement = judged(replace(known, users=(refused, known.users[1])))
    condition = Condition.SUSPENDED if suspended else Condition.FAILING
    assert [one.condition for one in judgement.not_fresh] == [condition] * number
    assert {(one.reason, one.failures) for one in judgement.not_fresh} == {("It was revoked.", 5)}
    assert judgement.exit_code == (not suspended)


def test_one_run_that_was_missed_is_degraded_until_copies_are_stale() -> None:
    for minutes, health in ((16, Health.OK), (18, Health.DEGRADED), (46, Health.FAILING)):
        began = NOW - minutes * MINUTE
        last = a_run(started_at=began, ended_at=began + MINUTE)
        assert judged(facts(a_database(fresh_as_of=began), last_run=last)).health is health
    at_work = an_open_run(started_at=NOW - 30 * MINUTE)
    assert judged(facts(a_database(), last_run=at_work, open_runs=(at_work,))).health is Health.OK


def test_an_obstacle_to_every_sync_is_a_failure_however_fresh_the_copies_are() -> None:
    judgement = judged(facts(a_database(), obstacles=("this PostgreSQL is a standby.",)))
    assert judgement.exit_code == 1
    for user_id, database in (("anna", None), (None, "Database 1")):
        assert filter_health(judgement, user_id, database).exit_code == 1
    partial = judged(facts(a_database(), obstacles=("user_settings could not be read.",), is_partial=True))
    assert [one.reason for one in partial.judged] == ["user_settings could not be read."]


def test_a_database_that_is_only_configured_was_never_synced() -> None:
    judgement = judged(Facts(NOW, (user({"Worlds": database_id(1)}),)))
    assert judgement.exit_code == 1
    assert [(one.condition, one.name) for one in judgement.judged] == [(Condition.NEVER_SYNCED, "Worlds")]
    assert headline(judgement, NOW) == "Failing: 1 of 1 database is not well: 1 never synced."


def test_a_part_that_was_never_read_whole_is_as_good_as_never_synced() -> None:
    assert the_one(facts(a_database(fresh_as_of=None))).condition is Condition.NEVER_SYNCED


@pytest.mark.parametrize("gone", [True, False])
def test_a_run_that_went_away_is_told_from_one_that_works(gone: bool) -> None:
    known = facts(a_database(**RUNNING), open_runs=(an_open_run(),), gone=frozenset({8} if gone else ()))
    one = the_one(known)
    assert one.condition is (Condition.WENT_AWAY if gone else Condition.FRESH)
    assert (one.running is None) is gone
    assert ("run 8 went away (pid 4711 on mill" in one.reason) is gone


def test_a_run_that_went_away_before_it_came_to_a_database_counts_until_sync_all_runs_again() -> None:
    away = an_open_run(8)
    known = facts(a_database(), open_runs=(away,), gone=frozenset({8}))
    assert [one.condition for one in judged(known).not_fresh] == [Condition.WENT_AWAY]
    assert headline(judged(known), NOW) == "Failing: a run of sync-all went away."
    assert judged(facts(a_database(), last_run=a_run(9), open_runs=(away,), gone=frozenset({8}))).exit_code == 0


def test_what_a_run_failed_of_and_no_database_says_is_told() -> None:
    known = facts(a_database(), own_failure=("anna: search for databases: Notion does not answer.", NOW))
    judgement = judged(known)
    assert judgement.exit_code == 1
    assert "search for databases" in judgement.judged[0].reason


@pytest.mark.parametrize(
    ("settings", "condition", "words"),
    [
        (user(None), Condition.NOTHING_TO_SYNC, "names no database"),
        (user({}), Condition.NOTHING_TO_SYNC, "names no database"),
        (user({"*": "*"}), Condition.NOTHING_TO_SYNC, "no database is shared"),
        (user({"*": "*"}, synced=False), Condition.NEVER_SYNCED, "no run has searched"),
        (user({}, auto_sync=False), Condition.SWITCHED_OFF, "auto_sync_enabled"),
        (user({}, has_token=False), Condition.NOTHING_TO_SYNC, "names no database"),
        (user({"*": "*"}, has_token=False), Condition.NOT_CONNECTED, "no Notion token"),
        (user([]), Condition.FAILING, "not a JSON object"),
        (user({"Worlds": "no id"}), Condition.FAILING, "not a Notion database id"),
        (user({"Worlds": {"id": database_id(1), "exclude": "Salary"}}), Condition.FAILING, "not a list of properties"),
    ],
)
def test_a_user_without_a_database_is_shown_with_the_reason(settings: User, condition: Condition, words: str) -> None:
    (one,) = [one for one in judged(Facts(NOW, (settings,))).judged if one.user_id is not None]
    assert (one.condition, one.user_id, one.is_database) == (condition, "anna", False)
    assert words in one.reason
    assert one.counts is (condition in (Condition.FAILING, Condition.NEVER_SYNCED))


@pytest.mark.parametrize(
    ("settings", "condition"),
    [
        (user({"Database 1": database_id(1)}, auto_sync=False), Condition.SWITCHED_OFF),
        (user({"Database 1": database_id(1)}, has_token=False), Condition.NOT_CONNECTED),
        (user({"Other": database_id(2)}, auto_sync=None), Condition.NOT_CONFIGURED),
        (user(None), Condition.NOT_CONFIGURED),
        (None, Condition.NOT_CONFIGURED),
    ],
)
def test_a_database_that_is_not_to_be_synced_does_not_count(settings: User | None, condition: Condition) -> None:
    """However old or broken it is; its rows stay, and are shown."""
    known = a_database(**failing(fresh_as_of=NOW - 1000 * HOUR))
    judgement = judged(Facts(NOW, (settings,) if settings else (), (known,)))
    (one,) = [one for one in judgement.databases if one.database]
    assert (one.condition, one.counts) == (condition, False)
    assert "rows stay" in one.reason


@pytest.mark.parametrize("found_by_search", [True, False])
def test_a_database_with_an_entry_that_cannot_be_used_fails_and_its_rows_stay(found_by_search: bool) -> None:
    entries = {"Database 1": {"id": database_id(1), "exclude": "Salary"}} | ({"*": "*"} if found_by_search else {})
    known = a_database(found_by_search=found_by_search)
    (one,) = judged(Facts(NOW, (user(entries),), (known,))).databases
    assert (one.condition, one.counts, one.database) == (Condition.FAILING, True, known)
    assert "what notion_databases says of it cannot be used" in one.reason
    (resting,) = judged(Facts(NOW, (user(entries, auto_sync=False),), (known,))).databases
    assert resting.condition is Condition.SWITCHED_OFF


def test_what_search_found_fails_while_it_may_be_what_an_entry_is_to_exclude_from() -> None:
    settings = user({"*": "*", "Lost": {"exclude": ["Salary"]}, "Database 2": database_id(2)})
    known = (a_database(found_by_search=True), a_database(number=2))
    conditions = {one.name: one.condition for one in judged(Facts(NOW, (settings,), known)).databases}
    assert conditions == {"Database 1": Condition.FAILING, "Database 2": Condition.FRESH}


def test_where_everything_is_wanted_what_search_found_is_configured() -> None:
    found = a_database(found_by_search=True)
    assert the_one(Facts(NOW, (user({"*": "*"}),), (found,))).condition is Condition.FRESH


def test_the_worst_comes_first() -> None:
    known = facts(
        a_database(number=1),
        a_database(number=2, fresh_as_of=NOW - HOUR),
        a_database(number=3, **failing()),
        a_database(number=4, **RUNNING),
        a_database(number=5, **failing(suspended_since=NOW)),
        gone=frozenset({8}),
        open_runs=(an_open_run(),),
    )
    conditions = [one.condition for one in judged(known).judged]
    assert conditions == [
        Condition.WENT_AWAY,
        Condition.FAILING,
        Condition.STALE,
        Condition.SUSPENDED,
        Condition.FRESH,
    ]
    assert headline(judged(known), NOW) == (
        "Failing: 3 of 5 databases are not well: 1 went away, 1 failing, 1 stale. Degraded: 1 suspended."
    )


def test_one_user_or_one_database_can_be_asked_for() -> None:
    judgement = judged(facts(a_database(number=1), a_database("bob", 1), a_database("bob", 2)))
    assert len(filter_health(judgement, "bob", None).judged) == 2
    assert [one.user_id for one in filter_health(judgement, None, "Database 1").judged] == ["anna", "bob"]
    link = f"https://www.notion.so/Title-{database_id(2).replace('-', '')}?v=1"
    assert [one.name for one in filter_health(judgement, None, link).judged] == ["Database 2"]


def test_what_is_not_there_is_a_slip_of_whoever_asks() -> None:
    judgement = judged(facts(a_database()))
    with pytest.raises(UsageError, match="user 'bob' is neither"):
        filter_health(judgement, "bob", None)
    with pytest.raises(UsageError, match="'Nope' of user 'anna' \\(there are: Database 1\\)"):
        filter_health(judgement, "anna", "Nope")


def test_a_database_whose_id_cannot_be_read_is_not_said_to_be_missing() -> None:
    with pytest.raises(UsageError, match="'no id' is not a Notion database id"):
        filter_health(judged(Facts(NOW, (user({"Worlds": "no id"}),))), "anna", "Worlds")


def test_a_process_of_this_machine_is_looked_for_and_another_is_known_by_its_heartbeat() -> None:
    here = [an_open_run(1, machine="here", pid=1), an_open_run(2, machine="here", pid=2, heartbeat_at=NOW - 9 * HOUR)]
    late = timedelta(seconds=GONE_AFTER_SILENT_SECONDS + 1)
    there = [an_open_run(3), an_open_run(4, heartbeat_at=NOW - late)]
    unknown = [an_open_run(5, host=None, machine=None, heartbeat_at=None, started_at=NOW - late)]
    assert gone_runs([*here, *there, *unknown], NOW, "here", lambda pid, _: pid == 2) == {1, 4, 5}
