"""Units of systemd are read as systemd.syntax(7) says."""

from __future__ import annotations

import string
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notion_pg_sync.commands.doctor.scheduling.found import look_for_schedule, next_calendar_time, span_of
from notion_pg_sync.commands.doctor.scheduling.systemd import read_service, read_timer, read_unit

SERVICE = """
[Unit]
Description=Sync
[Service]
Type=oneshot
Environment=A=1 "B=two words"
Environment=C=3
EnvironmentFile=-/etc/default/sync
ExecStart=/usr/bin/env notion-pg-sync \\
    # in between
    sync-all --timeout 14m
"""
TIMER = """
[Timer]
OnCalendar=hourly
OnCalendar=
OnCalendar=*:0/15
; a comment
RandomizedDelaySec=30
Persistent=true
"""


def test_a_service_tells_its_command_and_variables() -> None:
    service = read_service(SERVICE)
    assert service.invocation is not None
    assert service.invocation.programs == ("/usr/bin/env", "notion-pg-sync")
    assert service.invocation.arguments == ("sync-all", "--timeout", "14m")
    assert service.variables == {"A": "1", "B": "two words", "C": "3"}
    assert service.files == ("-/etc/default/sync",)


def test_a_timer_tells_what_it_starts_and_when() -> None:
    timer = read_timer("sync.timer", TIMER)
    assert (timer.starts, timer.on_calendar, timer.spans) == ("sync.service", ("*:0/15",), ())
    assert timer.delays == ("30", "1min")
    other = read_timer("sync.timer", TIMER + "\n[Timer]\nUnit=other.service\nOnUnitActiveSec=15min\nAccuracySec=1s")
    assert (other.starts, other.spans, other.delays) == ("other.service", ("OnUnitActiveSec=15min",), ("30", "1s"))


@given(st.text(string.printable))
def test_no_unit_stops_the_reading(text: str) -> None:
    read_unit(text)
    read_timer("x.timer", text)
    read_service(text)


@given(
    st.dictionaries(
        st.text(string.ascii_letters, min_size=1, max_size=8),
        st.lists(
            st.text(string.ascii_letters + string.digits + "=/ -", min_size=1, max_size=12).map(str.strip), max_size=3
        ),
        max_size=5,
    )
)
def test_what_was_written_is_read(settings: dict[str, list[str]]) -> None:
    written = {name: [value or "x" for value in values] for name, values in settings.items() if values}
    text = "[One]\n" + "".join(f"{name} = {value}\n" for name, values in written.items() for value in values)
    assert read_unit(text).get("One", {}) == {name: tuple(values) for name, values in written.items()}


@pytest.mark.parametrize("folder", ["etc/systemd/system", "usr/lib/systemd/system"])
def test_timers_are_found_in_their_folders_with_their_drop_ins(folder: str, tmp_path: Path) -> None:
    units = tmp_path / folder
    (units / "sync.service.d").mkdir(parents=True)
    (units / "sync.timer").write_text(TIMER)
    (units / "sync.service").write_text(SERVICE)
    (units / "sync.service.d" / "more.conf").write_text("[Service]\nEnvironment=A=drop-in\n")
    (units / "other.timer").write_text("[Timer]\nOnCalendar=daily\n")
    (units / "other.service").write_text("[Service]\nExecStart=/bin/true\n")
    schedule = look_for_schedule({"HOME": str(tmp_path)}, tmp_path)
    (found,) = schedule.timers
    assert (found.name, found.of_user, found.is_active) == ("sync.timer", False, False)
    assert found.service.variables["A"] == "drop-in"


def test_a_timer_of_the_user_is_found(tmp_path: Path) -> None:
    units = tmp_path / ".config/systemd/user"
    units.mkdir(parents=True)
    (units / "sync.timer").write_text(TIMER)
    (units / "sync.service").write_text(SERVICE)
    (found,) = look_for_schedule({"HOME": str(tmp_path)}, tmp_path / "root").timers
    assert found.of_user


def test_systemd_itself_says_when_a_calendar_expression_is_due() -> None:
    after = datetime(2026, 11, 25, 16, 3, tzinfo=UTC)
    due = next_calendar_time("*:0/15", after)
    # Where systemd-analyze is not installed nobody can say.
    assert due in (datetime(2026, 11, 25, 16, 15, tzinfo=UTC), None)
    assert span_of("2min") in (timedelta(minutes=2), timedelta())
    assert next_calendar_time("no time at all", after) is None
    assert span_of("no span") == timedelta()
