"""When a data source is read whole, and when only what was edited."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notion_pg_sync.sync.rows.plan import OVERLAP, FullRead, IncrementalRead, Plan, PreviousRead, Wish, plan_read

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
)
UNDER_WAY = replace(
    SETTLED,
    full_read_started_at=NOW - timedelta(hours=2),
    full_read_progress_at=NOW - timedelta(minutes=15),
    full_read_version=7,
)
WISH = Wish(full_every=timedelta(days=1), full=False, removal_allowed=False, version=7)
FULL = replace(WISH, full=True)
LEFT = FullRead("a full read was left under way")


def plan(known: PreviousRead | None, fingerprint: str = "a", wish: Wish = WISH, table: str = TABLE) -> Plan:
    return plan_read(known, fingerprint, table, NOW, wish)


def test_a_settled_data_source_is_read_from_five_minutes_before_the_watermark() -> None:
    assert plan(SETTLED) == IncrementalRead(NOW - timedelta(minutes=20))


def test_what_was_never_read_whole_is_read_whole() -> None:
    assert plan(None) == FullRead("it was never read whole")
    assert plan(replace(SETTLED, full_as_of=None)) == FullRead("it was never read whole")


def test_a_full_read_under_way_is_carried_on_and_then_what_was_edited_since_it_began() -> None:
    assert plan(UNDER_WAY) == FullRead("a full read is under way", edits_since=NOW - timedelta(hours=2) - OVERLAP)


@pytest.mark.parametrize(("minutes", "carried_on"), [(59, True), (60, False), (360, False), (-4, True), (-6, False)])
def test_a_full_read_is_carried_on_within_an_hour_of_its_last_progress(minutes: int, *, carried_on: bool) -> None:
    known = replace(UNDER_WAY, full_read_progress_at=NOW - timedelta(minutes=minutes))
    assert (plan(known) != LEFT) is carried_on


def test_a_full_read_under_way_begins_anew_where_a_full_one_is_asked_for() -> None:
    assert plan(UNDER_WAY, wish=FULL) == LEFT


def test_a_full_read_under_way_begins_anew_where_its_progress_is_unknown() -> None:
    assert plan(replace(UNDER_WAY, full_read_progress_at=None)) == LEFT
    assert plan(replace(UNDER_WAY, full_read_version=None)) == LEFT


def test_a_full_read_that_an_older_version_began_begins_anew_and_not_the_other_way_round() -> None:
    """Else hosts of two versions would begin it anew in turn."""
    assert plan(UNDER_WAY, wish=replace(WISH, version=8)) == LEFT
    assert plan(UNDER_WAY, wish=replace(WISH, version=6)) != LEFT


def test_a_full_read_that_is_said_to_have_begun_in_the_future_begins_anew() -> None:
    assert plan(replace(UNDER_WAY, full_read_started_at=NOW + timedelta(minutes=6))) == LEFT


def test_a_changed_schema_or_another_table_begins_a_full_read_anew() -> None:
    assert plan(UNDER_WAY, "b") == FullRead("its schema changed")
    assert plan(UNDER_WAY, table="public.notion_worlds_sync") == FullRead("its rows go to another table")
    assert plan(SETTLED, "b") == FullRead("its schema changed")
    assert plan(SETTLED, table="public.notion_worlds_sync") == FullRead("its rows go to another table")


def test_a_small_data_source_is_always_read_whole() -> None:
    assert plan(replace(SETTLED, row_count=100)) == FullRead("it is small")
    assert isinstance(plan(replace(SETTLED, row_count=101)), IncrementalRead)


def test_a_full_read_is_due_after_a_day() -> None:
    known = replace(SETTLED, full_as_of=NOW - timedelta(days=1))
    assert plan(known) == FullRead("the last full read is too long ago")
    assert isinstance(plan(replace(known, full_as_of=NOW - timedelta(hours=23, minutes=59))), IncrementalRead)


def test_a_full_read_is_made_when_asked_for() -> None:
    assert plan(SETTLED, wish=FULL) == FullRead("it was asked for")


def test_rows_that_were_held_back_are_read_again_once_they_may_be_removed() -> None:
    allowed = replace(WISH, removal_allowed=True)
    assert isinstance(plan(SETTLED, wish=allowed), IncrementalRead)
    assert plan(replace(SETTLED, held_back=300)) == plan(SETTLED)
    assert plan(replace(SETTLED, held_back=300), wish=allowed) == FullRead("rows that were held back may be removed")


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
    known = PreviousRead("a", TABLE, 5000, 0, watermark, full_as_of, started_at, progress_at, 7)
    planned = plan(known, wish=replace(WISH, full=full))
    if isinstance(planned, IncrementalRead):
        assert watermark is not None
        assert planned.since <= min(NOW, watermark)
        assert full_as_of is not None
        assert not full
        assert NOW - full_as_of < WISH.full_every
    elif planned.edits_since is not None:
        assert started_at is not None
        assert planned.edits_since <= min(NOW, started_at)
        assert not full
