"""When a data source is read whole, and when only what was edited."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from notion_pg_sync.sync.plan import FullRead, IncrementalRead, Known, Plan, plan_read

NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
SETTLED = Known(
    schema_fingerprint="a",
    sync_table="public.notion_pages_sync",
    row_count=5000,
    watermark=NOW - timedelta(minutes=15),
    full_read_at=NOW - timedelta(hours=3),
    full_read_started_at=None,
)


def plan(known: Known | None, fingerprint: str = "a", *, full_asked: bool = False) -> Plan:
    table = "public.notion_pages_sync"
    return plan_read(known, fingerprint, table, NOW, full_every=timedelta(days=1), full_asked=full_asked)


def test_a_settled_data_source_is_read_from_five_minutes_before_the_watermark() -> None:
    assert plan(SETTLED) == IncrementalRead(NOW - timedelta(minutes=20))


def test_what_was_never_read_whole_is_read_whole() -> None:
    assert plan(None) == FullRead("it was never read whole")
    assert plan(replace(SETTLED, full_read_at=None)) == FullRead("it was never read whole")


def test_a_changed_schema_begins_a_full_read_anew() -> None:
    known = replace(SETTLED, full_read_started_at=NOW - timedelta(minutes=15))
    assert plan(known, "b") == FullRead("its schema changed", carries_on=False)


def test_a_full_read_under_way_is_carried_on_even_when_one_is_asked_for() -> None:
    known = replace(SETTLED, full_read_started_at=NOW - timedelta(minutes=15))
    assert plan(known, full_asked=True) == FullRead("a full read is under way", carries_on=True)


def test_rows_that_go_to_another_table_are_read_whole() -> None:
    assert plan(replace(SETTLED, sync_table="public.notion_worlds_sync")) == FullRead("its rows go to another table")


def test_a_small_data_source_is_always_read_whole() -> None:
    assert plan(replace(SETTLED, row_count=100)) == FullRead("it is small")
    assert isinstance(plan(replace(SETTLED, row_count=101)), IncrementalRead)


def test_a_full_read_is_due_after_a_day() -> None:
    known = replace(SETTLED, full_read_at=NOW - timedelta(days=1))
    assert plan(known) == FullRead("the last full read is too long ago")
    assert isinstance(plan(replace(known, full_read_at=NOW - timedelta(hours=23, minutes=59))), IncrementalRead)


def test_a_full_read_is_made_when_asked_for() -> None:
    assert plan(SETTLED, full_asked=True) == FullRead("it was asked for")
