"""When a data source is read whole, and when only what was edited."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from notion_pg_sync.sync.rows.plan import (
    LISTING_BELIEVED_FOR,
    OVERLAP,
    FullRead,
    IncrementalRead,
    Plan,
    PreviousRead,
    ReadOptions,
    Schema,
    Target,
    is_believed,
    plan_read,
)

NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
TABLE = "public.notion_pages_sync"
SETTLED = PreviousRead(
    schema_fingerprint="a",
    sync_table=TABLE,
    row_count=5000,
    held_back=0,
    watermark=NOW - timedelta(minutes=15),
    full_as_of=NOW - timedelta(hours=3),
    full_read_started_at=None,
    full_read_progress_at=None,
    full_read_version=None,
    table_shape="columns",
)
UNDER_WAY = replace(
    SETTLED,
    full_read_started_at=NOW - timedelta(hours=2),
    full_read_progress_at=NOW - timedelta(minutes=15),
    full_read_version=7,
)
OPTIONS = ReadOptions(full_every=timedelta(days=1), full=False, removal_allowed=False, version=7)
FULL = replace(OPTIONS, full=True)
LEFT = FullRead("a full read was left unfinished")
TARGET = Target(TABLE, "columns", 5000)
ELSEWHERE = replace(TARGET, sync_table="public.notion_worlds_sync")


def plan(
    known: PreviousRead | None,
    fingerprint: str = "a",
    options: ReadOptions = OPTIONS,
    target: Target = TARGET,
    renamed: Sequence[str] = (),
) -> Plan:
    return plan_read(known, Schema(fingerprint, renamed), target, NOW, options)


def test_a_settled_data_source_is_read_from_five_minutes_before_the_watermark() -> None:
    assert plan(SETTLED) == IncrementalRead(NOW - timedelta(minutes=20))


def test_a_renamed_option_is_in_rows_that_nobody_edited() -> None:
    assert plan(SETTLED, renamed=["Status"]) == FullRead("options of Status were renamed or removed")


def test_what_was_never_read_whole_is_read_whole() -> None:
    assert plan(None) == FullRead("it was never fully read")
    assert plan(replace(SETTLED, full_as_of=None)) == FullRead("it was never fully read")


def test_a_full_read_under_way_is_carried_on_and_then_what_was_edited_since_it_began() -> None:
    assert plan(UNDER_WAY) == FullRead("a full read is under way", edits_since=NOW - timedelta(hours=2) - OVERLAP)


@pytest.mark.parametrize(("minutes", "carried_on"), [(59, True), (60, False), (360, False), (-4, True), (-6, False)])
def test_a_full_read_is_carried_on_within_an_hour_of_its_last_progress(minutes: int, *, carried_on: bool) -> None:
    known = replace(UNDER_WAY, full_read_progress_at=NOW - timedelta(minutes=minutes))
    assert (plan(known) != LEFT) is carried_on


def test_a_full_read_under_way_begins_anew_where_a_full_one_is_asked_for() -> None:
    assert plan(UNDER_WAY, options=FULL) == LEFT


def test_a_full_read_under_way_begins_anew_where_its_progress_is_unknown() -> None:
    assert plan(replace(UNDER_WAY, full_read_progress_at=None)) == LEFT
    assert plan(replace(UNDER_WAY, full_read_version=None)) == LEFT


def test_a_full_read_that_an_older_version_began_begins_anew_and_not_the_other_way_round() -> None:
    """Else hosts of two versions would begin it anew in turn."""
    assert plan(UNDER_WAY, options=replace(OPTIONS, version=8)) == LEFT
    assert plan(UNDER_WAY, options=replace(OPTIONS, version=6)) != LEFT


def test_a_full_read_that_is_said_to_have_begun_in_the_future_begins_anew() -> None:
    assert plan(replace(UNDER_WAY, full_read_started_at=NOW + timedelta(minutes=6))) == LEFT


def test_a_changed_schema_or_another_table_begins_a_full_read_anew() -> None:
    assert plan(UNDER_WAY, "b") == FullRead("its schema changed")
    assert plan(UNDER_WAY, target=ELSEWHERE) == FullRead("its rows go to another table")
    assert plan(SETTLED, "b") == FullRead("its schema changed")
    assert plan(SETTLED, target=ELSEWHERE) == FullRead("its rows go to another table")


def test_a_small_data_source_is_always_read_whole() -> None:
    assert plan(replace(SETTLED, row_count=100), target=replace(TARGET, rows=100)) == FullRead("it is small")
    assert isinstance(plan(replace(SETTLED, row_count=101), target=replace(TARGET, rows=101)), IncrementalRead)


def test_a_small_data_source_is_read_anew_where_a_full_read_of_it_was_left_unfinished() -> None:
    """It costs no more, and a page that was moved there since the read began has no new edit time."""
    small = replace(UNDER_WAY, row_count=100)
    assert plan(small, target=replace(TARGET, rows=100)) == LEFT
    assert plan(small, target=replace(TARGET, rows=101)) != LEFT
    assert plan(replace(UNDER_WAY, row_count=None), target=replace(TARGET, rows=100)) != LEFT


def test_a_full_read_is_due_after_a_day() -> None:
    known = replace(SETTLED, full_as_of=NOW - timedelta(days=1))
    assert plan(known) == FullRead("the last full read is too long ago")
    assert isinstance(plan(replace(known, full_as_of=NOW - timedelta(hours=23, minutes=59))), IncrementalRead)


def test_a_full_read_is_made_when_asked_for() -> None:
    assert plan(SETTLED, options=FULL) == FullRead("it was asked for")


def test_rows_that_were_held_back_are_read_again_once_they_may_be_removed() -> None:
    allowed = replace(OPTIONS, removal_allowed=True)
    assert isinstance(plan(SETTLED, options=allowed), IncrementalRead)
    assert plan(replace(SETTLED, held_back=300)) == plan(SETTLED)
    assert plan(replace(SETTLED, held_back=300), options=allowed) == FullRead("rows that were held back may be removed")


def of_the_future(ahead: timedelta) -> list[PreviousRead]:
    return [replace(SETTLED, watermark=NOW + ahead), replace(SETTLED, full_as_of=NOW + ahead)]


@pytest.mark.parametrize("known", of_the_future(timedelta(days=26_000)))
def test_times_that_lie_in_the_future_heal_by_a_full_read_which_says_so(known: PreviousRead) -> None:
    healing = plan(known)
    assert isinstance(healing, FullRead)
    assert "wrong clock" in healing.note


@pytest.mark.parametrize("known", of_the_future(timedelta(minutes=4)))
def test_clocks_may_differ_a_little(known: PreviousRead) -> None:
    assert isinstance(plan(known), IncrementalRead)


times = st.none() | st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)).map(lambda time: time.replace(tzinfo=UTC))


@given(times, times, times, times, st.booleans())
def test_whatever_is_stored_nothing_that_was_edited_lately_is_passed_over(
    watermark: datetime | None,
    full_as_of: datetime | None,
    started_at: datetime | None,
    progress_at: datetime | None,
    full: bool,
) -> None:
    known = PreviousRead("a", TABLE, 5000, 0, watermark, full_as_of, started_at, progress_at, 7, "columns")
    planned = plan(known, options=replace(OPTIONS, full=full))
    if isinstance(planned, IncrementalRead):
        assert watermark is not None
        assert planned.since <= min(NOW, watermark)
        assert full_as_of is not None
        assert not full
        assert NOW - full_as_of < OPTIONS.full_every
    elif planned.edits_since is not None:
        assert started_at is not None
        assert planned.edits_since <= min(NOW, started_at)
        assert not full


def test_a_table_that_was_altered_is_read_whole_from_the_start() -> None:
    altered = replace(TARGET, shape="other columns")
    assert plan(SETTLED, target=altered) == FullRead("its table was altered")
    assert plan(UNDER_WAY, target=altered) == FullRead("its table was altered")
    # Of an earlier version, which did not note it.
    assert isinstance(plan(replace(SETTLED, table_shape=None), target=altered), IncrementalRead)


@pytest.mark.parametrize("rows", [4999, 5001, 0])
def test_rows_that_are_too_few_or_too_many_cause_a_full_read(rows: int) -> None:
    assert plan(SETTLED, target=replace(TARGET, rows=rows)) == FullRead(
        f"its table has {rows} rows and should have 5000"
    )


@given(st.timedeltas(min_value=timedelta(days=-2), max_value=timedelta(days=2)))
def test_what_a_database_has_is_believed_for_less_than_an_hour_and_never_from_the_future(age: timedelta) -> None:
    assert is_believed(age) == (timedelta() <= age < LISTING_BELIEVED_FOR)
    assert not (is_believed(age) and is_believed(-age - timedelta(microseconds=1)))
    assert not is_believed(None)
    assert timedelta(hours=1) > LISTING_BELIEVED_FOR
