"""status for programs: Prometheus reads it as it was meant; of its JSON, what tests/cli/test_json_output.py leaves."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from notion_pg_sync.commands.status.as_json import status_as_json
from notion_pg_sync.commands.status.as_prometheus import status_as_prometheus
from notion_pg_sync.commands.status.facts import Facts
from notion_pg_sync.commands.status.judgement import assess
from notion_pg_sync.core.printable import printable
from tests.commands.status_facts import (
    HOUR,
    MINUTE,
    NOW,
    a_database,
    an_open_run,
    database_id,
    facts,
    failing,
)

MAX_AGE = 45 * MINUTE


def samples(known: Facts) -> dict[tuple[str, str], float]:
    """The values by metric and database."""
    families = list(text_string_to_metric_families(status_as_prometheus(assess(known, max_age=MAX_AGE))))
    assert all(family.documentation and family.type == "gauge" for family in families)
    return {
        (sample.name.removeprefix("notion_pg_sync_"), sample.labels.get("database", "")): sample.value
        for family in families
        for sample in family.samples
        if "condition" not in sample.labels
    }


def test_every_metric_of_a_database() -> None:
    known = facts(
        a_database(number=1),
        a_database(number=2, **failing(suspended_since=NOW - HOUR, held_back=30)),
        a_database(number=3, last_status="running", last_runid=8, last_seconds=None, fresh_as_of=None),
        open_runs=(an_open_run(),),
    )
    values = samples(known)
    five_minutes_ago = (NOW - 5 * MINUTE).timestamp()
    assert {name: value for (name, database), value in values.items() if database == "Database 1"} == {
        "database_up": 1,
        "database_suspended": 0,
        "database_running": 0,
        "database_fresh_as_of_timestamp_seconds": five_minutes_ago,
        "database_full_as_of_timestamp_seconds": five_minutes_ago,
        "database_last_success_timestamp_seconds": five_minutes_ago,
        "database_last_start_timestamp_seconds": five_minutes_ago,
        "database_rows": 40,
        "database_last_duration_seconds": 0.4,
        "database_consecutive_failures": 0,
        "database_held_back_rows": 0,
    }
    assert values["database_up", "Database 2"] == 0
    assert values["database_suspended", "Database 2"] == 1
    assert values["database_consecutive_failures", "Database 2"] == 3
    assert values["database_held_back_rows", "Database 2"] == 30
    assert values["database_running", "Database 3"] == 1
    assert ("database_fresh_as_of_timestamp_seconds", "Database 3") not in values
    assert values["well", ""] == 0


def test_no_alarm_goes_off_for_a_database_that_is_not_to_be_synced() -> None:
    values = samples(Facts(NOW, (), (a_database(fresh_as_of=NOW - 1000 * HOUR),)))
    assert ("database_up", "Database 1") not in values
    assert values["database_rows", "Database 1"] == 40


def test_the_whole_is_well_degraded_or_failing() -> None:
    suspended = a_database(number=2, **failing(suspended_since=NOW - HOUR, full_as_of=NOW - 9 * HOUR))
    for databases, health in (
        ([a_database()], 0),
        ([a_database(), suspended], 1),
        ([a_database(), suspended, a_database(number=3, **failing())], 2),
        ([suspended], 2),
    ):
        values = samples(facts(*databases))
        assert (values["health", ""], values["well", ""]) == (health, health < 2)
    assert samples(facts(a_database(), suspended))["deletions_as_of_timestamp_seconds", ""] == (
        (NOW - 9 * HOUR).timestamp()
    )
    assert samples(facts(a_database()))["edits_as_of_timestamp_seconds", ""] == (NOW - 5 * MINUTE).timestamp()
    unread = a_database(number=2, fresh_as_of=None, full_as_of=None)
    assert ("edits_as_of_timestamp_seconds", "") not in samples(facts(a_database(), unread))


def test_every_condition_is_counted() -> None:
    text = status_as_prometheus(assess(facts(a_database(), a_database(number=2, **failing())), max_age=MAX_AGE))
    (family,) = [one for one in text_string_to_metric_families(text) if one.name == "notion_pg_sync_databases"]
    numbers = {sample.labels["condition"]: sample.value for sample in family.samples}
    assert (numbers["fresh"], numbers["failing"], numbers["stale"]) == (1, 1, 0)


@given(user_id=st.text(min_size=1), name=st.text(min_size=1))
def test_any_name_comes_back_from_prometheus_with_control_characters_written_out(user_id: str, name: str) -> None:
    known = facts(a_database(user_id, name=name))
    for family in text_string_to_metric_families(status_as_prometheus(assess(known, max_age=MAX_AGE))):
        for sample in family.samples:
            if "user" in sample.labels:
                names = {"user": printable(user_id), "database": printable(name)}
                assert sample.labels == {**names, "database_id": database_id(1)}


def as_json(known: Facts) -> dict[str, Any]:
    judgement = assess(known, max_age=MAX_AGE)
    parsed: dict[str, Any] = json.loads(json.dumps(status_as_json(known, judgement, max_age=MAX_AGE, runs=1)))
    return parsed


def test_the_json_has_numbers_as_numbers_and_times_with_their_zone() -> None:
    found = as_json(facts(a_database(number=1), a_database(number=2, **failing())))
    assert (found["ok"], found["exit_code"], found["time"]) == (False, 1, "2026-03-11T03:00:00+00:00")
    databases = found["databases"]
    assert databases[0]["condition"] == "failing"
    assert databases[0]["since"] == "2026-03-11T01:00:00+00:00"
    assert (databases[1]["rows"], databases[1]["last_seconds"], databases[1]["reason"]) == (40, 0.4, "")


def test_a_database_that_no_run_has_come_to_has_the_same_fields() -> None:
    known = facts(a_database())
    (synced,) = as_json(known)["databases"]
    (new,) = as_json(Facts(NOW, known.users))["databases"]
    assert new.keys() == synced.keys()
    assert (new["condition"], new["rows"], new["last_status"]) == ("never_synced", None, None)
