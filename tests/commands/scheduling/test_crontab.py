"""Crontabs are read as crontab(5) says."""

from __future__ import annotations

import string
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notion_pg_sync.commands.doctor.scheduling.crontab import (
    AT_START,
    NICKNAMES,
    Crontab,
    harmless,
    next_due,
    read_crontab,
)
from tests.commands.scheduling.written import crontab_lines, schedules

LINE = "*/15 * * * * notion-pg-sync sync-all"


def own(text: str) -> Crontab:
    return read_crontab(text, with_user=False)


def test_variables_are_those_above_a_line() -> None:
    crontab = own(f"A=1\n{LINE}\nA = two words  \nB='  kept  '\n{LINE}\n")
    assert [dict(entry.variables) for entry in crontab.entries] == [
        {"A": "1"},
        {"A": "two words", "B": "  kept"},
    ]


def test_a_system_crontab_names_the_user() -> None:
    (entry,) = read_crontab("@hourly  app\tnotion-pg-sync sync-all\n", with_user=True).entries
    assert (entry.schedule, entry.user, entry.command) == ("@hourly", "app", "notion-pg-sync sync-all")


@pytest.mark.parametrize(
    ("written", "command", "given_to_it"),
    [
        ("date", "date", None),
        ("date +%F", "date +", "F"),
        (r"date +\%F", "date +%F", None),
        (r"cat \%%one%two\%", "cat %", "one\ntwo%"),
    ],
)
def test_a_bare_percent_ends_the_command(written: str, command: str, given_to_it: str | None) -> None:
    (entry,) = own(f"@daily {written}\n").entries
    assert (entry.command, entry.standard_input) == (command, given_to_it)


def test_a_percent_in_a_variable_is_a_percent_and_a_backslash_before_it_stays() -> None:
    crontab = own(f"A=a%40b\nB=a\\%40b\n{LINE}\n")
    assert crontab.entries[0].variables == {"A": "a%40b", "B": "a\\%40b"}


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("*/15 * * * notion-pg-sync sync-all", "day of week"),
        ("60 * * * * x", "'60' is not a valid minute"),
        ("* * * * Monday x", "'Monday' is not a valid day of week"),
        ("5/10 * * * * x", "'5/10' is not a valid minute"),
        ("@every_15_minutes x", "cron does not know '@every_15_minutes'"),
        ("*/15 * * * * * x", "no seconds"),
        ("MAILTO=", 'MAILTO=""'),
        ("A='b", "five time fields"),
        ("sync-all", "five time fields"),
    ],
)
def test_what_cron_cannot_read_is_told(line: str, says: str) -> None:
    (error,) = own(f"# above\n{line}\n").errors
    assert error.line == 2
    assert says in error.sentence


@given(st.lists(crontab_lines(), max_size=8))
def test_what_was_written_is_read(lines: list[tuple[str, str, str]]) -> None:
    text = "".join(f"{name}={value}\n{schedule} echo {name}\n" for schedule, name, value in lines)
    crontab = own(text)
    assert crontab.errors == ()
    assert [(entry.schedule, entry.command) for entry in crontab.entries] == [
        (schedule, f"echo {name}") for schedule, name, _ in lines
    ]
    for entry, (_, name, value) in zip(crontab.entries, lines, strict=True):
        assert entry.variables[name] == value


@given(st.text(string.printable))
def test_no_text_stops_the_reading(text: str) -> None:
    crontab = own(text)
    told = len(crontab.entries) + len(crontab.errors)
    assert told <= text.count("\n") + 1


@given(schedules(), st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)))
def test_what_is_due_is_due_within_what_its_fields_say(schedule: str, after: datetime) -> None:
    after = after.replace(tzinfo=UTC)
    due = next_due(schedule, after)
    if schedule == AT_START:
        assert due is None
        return
    if due is None:
        return
    assert due > after
    minute, hour, _, month, _ = NICKNAMES.get(schedule, schedule).split()
    assert minute.startswith("*") or str(due.minute) in _numbers(minute)
    assert hour.startswith("*") or str(due.hour) in _numbers(hour)
    assert not month.isdigit() or due.month == int(month)


def _numbers(written: str) -> set[str]:
    """The numbers of a field made of numbers and ranges without steps."""
    found: set[str] = set()
    for item in written.split(","):
        low, _, high = item.partition("/")[0].partition("-")
        found |= {str(number) for number in range(int(low), int(high or low) + 1)}
    return found


def test_the_nicknames_are_schedules() -> None:
    after = datetime(2026, 11, 25, 16, 3, tzinfo=UTC)
    due = {name: next_due(name, after) for name in NICKNAMES}
    assert due["@hourly"] == datetime(2026, 11, 25, 17, tzinfo=UTC)
    assert due["@daily"] == due["@midnight"] == datetime(2026, 11, 26, tzinfo=UTC)
    assert due["@weekly"] == datetime(2026, 11, 29, tzinfo=UTC)
    assert due["@monthly"] == datetime(2026, 12, 1, tzinfo=UTC)
    assert due["@yearly"] == due["@annually"] == datetime(2027, 1, 1, tzinfo=UTC)


def test_what_is_due_counts_in_the_zone_of_cron() -> None:
    after = datetime(2026, 7, 1, 0, 50, tzinfo=UTC).astimezone(ZoneInfo("Europe/Berlin"))
    assert next_due("30 3 * * *", after) == datetime(2026, 7, 1, 1, 30, tzinfo=UTC)
    assert next_due("0 0 31 2 *", after) is None


@pytest.mark.parametrize("field", ["*-5", "1-2-3", "10-5", "*/5/5"])
def test_a_field_that_cron_heeds_only_in_part_is_not_valid(field: str) -> None:
    (error,) = own(f"{field} * * * * x\n").errors
    assert error.sentence == f"{harmless(field)} is not a valid minute"


def test_the_example_says_what_a_percent_sign_means_where() -> None:
    text = (Path(__file__).parents[3] / "examples" / "crontab.txt").read_text(encoding="utf-8")
    said = " ".join(line.lstrip("# ") for line in text.splitlines())
    assert (
        r"A % stands for itself here; in a command below, cron reads it as a newline unless it is written \%." in said
    )
    line = r"0 * * * * notion-pg-sync sync-all --user a\%b%c"
    (entry,) = own(f"DATABASE_URL=postgresql://a%40b@host/app\n{line}\n").entries
    assert (entry.variables["DATABASE_URL"], entry.standard_input) == ("postgresql://a%40b@host/app", "c")
    assert entry.command.endswith("--user a%b")
