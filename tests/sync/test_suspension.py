"""What a database's latest results mean for its next tries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from notion_pg_sync.sync.run.suspension import after_failures

NOW = datetime(2026, 3, 1, tzinfo=UTC)
CODES = st.sampled_from([None, "unauthorized", "object_not_found", "network", "internal_server_error"])


@given(st.lists(CODES, max_size=6), st.none() | st.timedeltas(timedelta(), timedelta(days=9)))
def test_only_lack_of_access_suspends(codes: list[str | None], age: timedelta | None) -> None:
    suspension = after_failures(codes, None if age is None else NOW - age, NOW)
    if not codes or codes[0] not in ("unauthorized", "object_not_found"):
        assert suspension is None
    elif age is None:
        assert (suspension is not None) == (len(codes) >= 3 and len(set(codes[:3])) == 1)


@given(st.timedeltas(timedelta(), timedelta(days=9)))
def test_it_is_tried_hourly_for_a_day_and_then_daily(age: timedelta) -> None:
    suspension = after_failures(["unauthorized"], NOW - age, NOW)
    assert suspension is not None
    assert suspension.since == NOW - age
    assert suspension.next_try_at - NOW == (timedelta(hours=1) if age < timedelta(days=1) else timedelta(days=1))
