"""What the latest results of a token or a database mean for its next tries, and when its failure is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from notion_pg_sync.sync.run.suspension import (
    after_failures,
    after_refusals,
    is_everybody_refused,
    is_lack_of_access,
    is_told,
)

NOW = datetime(2026, 3, 1, tzinfo=UTC)
OF_DATABASES = ["object_not_found", "restricted_resource", "in_trash", "no_data_source"]
CODES = st.sampled_from([None, "unauthorized", "network", "internal_server_error", *OF_DATABASES])
AGES = st.none() | st.timedeltas(timedelta(), timedelta(days=9))


def since(age: timedelta | None) -> datetime | None:
    return None if age is None else NOW - age


@given(st.lists(CODES, max_size=6), AGES, st.booleans())
def test_only_lack_of_access_with_a_witness_suspends(
    codes: list[str | None], age: timedelta | None, has_witness: bool
) -> None:
    suspension = after_failures(codes, since(age), NOW, has_witness=has_witness)
    if not has_witness or not codes or codes[0] not in OF_DATABASES:
        assert suspension is None
    elif age is None:
        assert (suspension is not None) == (len(codes) >= 3 and len(set(codes[:3])) == 1)
    else:
        assert suspension is not None


@given(st.integers(1, 9), AGES, st.booleans())
def test_a_token_that_was_refused_three_times_is_suspended_where_there_is_a_witness(
    refusals: int, age: timedelta | None, has_witness: bool
) -> None:
    suspension = after_refusals(refusals, since(age), NOW, has_witness=has_witness)
    assert (suspension is not None) == (has_witness and (refusals >= 3 or age is not None))


@given(st.timedeltas(timedelta(), timedelta(days=9)))
def test_it_is_tried_hourly_for_a_day_and_then_daily(age: timedelta) -> None:
    for suspension in (
        after_failures(["in_trash"], NOW - age, NOW, has_witness=True),
        after_refusals(4, NOW - age, NOW, has_witness=True),
    ):
        assert suspension is not None
        assert suspension.since == NOW - age
        assert suspension.next_try_at - NOW == (timedelta(hours=1) if age < timedelta(days=1) else timedelta(days=1))


@given(st.integers(0, 9), st.booleans())
def test_where_at_least_two_were_refused_and_none_accepted_it_was_not_the_tokens(refused: int, accepted: bool) -> None:
    assert is_everybody_refused(refused, is_any_accepted=accepted) == (refused >= 2 and not accepted)


def test_a_failure_is_told_when_it_begins_then_hourly_then_daily() -> None:
    """Every quarter of an hour for three days."""
    told: list[timedelta] = []
    for quarter in range(3 * 96):
        now = NOW + quarter * timedelta(minutes=15)
        if is_told(NOW + told[-1] if told else None, NOW, now):
            told.append(now - NOW)
    assert told == [timedelta(hours=hour) for hour in [*range(24), 47, 71]]


@given(st.timedeltas(timedelta(), timedelta(days=9)), st.timedeltas(timedelta(seconds=1), timedelta(days=9)))
def test_what_was_told_of_an_earlier_failure_or_by_a_wrong_clock_does_not_count(
    age: timedelta, apart: timedelta
) -> None:
    assert is_told(NOW - age - apart, NOW - age, NOW)
    assert is_told(NOW + apart, NOW - age, NOW)


@given(CODES)
def test_lack_of_access_is_a_refused_token_or_a_database_that_it_may_not_read(code: str | None) -> None:
    assert is_lack_of_access(code) == (code in ("unauthorized", *OF_DATABASES))
