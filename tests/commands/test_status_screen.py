"""status on the screen: the headline first, nothing cut off in any width, nothing that steers a terminal."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from rich.cells import cell_len
from rich.console import Console

from notion_pg_sync.commands.output.layout import ConsoleSheet
from notion_pg_sync.commands.status.everything import show_everything
from notion_pg_sync.commands.status.facts import Facts
from notion_pg_sync.commands.status.judgement import assess, filter_health
from notion_pg_sync.commands.status.screen import show_status
from notion_pg_sync.core.printable import printable_lines
from notion_pg_sync.mirror.overview import User
from tests.commands.status_facts import (
    HOUR,
    MINUTE,
    NOW,
    a_database,
    a_past_sync,
    a_run,
    an_open_run,
    facts,
    failing,
)

UUID = "7f0e2c1a-5d7b-4c0e-9a5f-1a2b3c4d5e6f"
REASON = "Notion does not accept the token (it was revoked, has expired or is wrong): connect Notion again."
AT_IT: dict[str, Any] = {
    "last_status": "running",
    "last_runid": 8,
    "last_seconds": None,
    "last_started_at": NOW - MINUTE,
}


def shown(known: Facts, width: int = 160, *, about_some: bool = False, terminal: bool = True, runs: int = 5) -> str:
    """Everything."""
    out = io.StringIO()
    judgement = assess(known, max_age=45 * MINUTE)
    show_everything(a_console(out, width, terminal=terminal), known, judgement, runs=runs, about_some=about_some)
    return out.getvalue()


def one_screen(known: Facts) -> str:
    out = io.StringIO()
    show_status(ConsoleSheet(a_console(out, 80, terminal=True)), known, assess(known, max_age=45 * MINUTE))
    return out.getvalue()


def a_console(out: io.StringIO, width: int, *, terminal: bool) -> Console:
    return Console(file=out, width=width, force_terminal=terminal, color_system=None, highlight=False)


def words(screen: str) -> str:
    return " ".join(screen.split())


MESSY = facts(
    a_database(number=1),
    a_database(number=2, name="A database with a name that is longer than any column would like to be", rows=1_234_567),
    a_database(UUID, 3, **failing(last_message=REASON)),
    a_database(number=4, **AT_IT, rate_limited_until=NOW + MINUTE / 2, lease_runid=8),
    a_database(number=5, fresh_as_of=NOW - 5 * HOUR, last_mode="incremental", full_as_of=NOW - 9 * HOUR),
    a_database(number=6, **failing(suspended_since=NOW - HOUR, next_try_at=NOW + HOUR / 2)),
    a_database(number=7, **failing(held_back=30, last_error_code="held", last_message="30 rows are gone.")),
    open_runs=(an_open_run(),),
    runs=(an_open_run(), *(a_run(number, status="failed", message=REASON) for number in (7, 6, 5, 4))),
)


@pytest.mark.parametrize("width", [60, 80, 120, 160])
def test_nothing_is_cut_off(width: int) -> None:
    screen = shown(MESSY, width)
    assert all(cell_len(line) <= width for line in screen.splitlines())
    assert "…" not in screen
    assert f"{UUID} / Database 3" in words(screen)
    assert REASON in words(screen)
    for said in ("1,234,567", "5 hours ago", "30 rows held back", "pid 4711 on mill", "incremental"):
        assert all(word in screen for word in said.split()), said


@given(name=st.text(min_size=1, max_size=120), width=st.integers(60, 200))
def test_whatever_a_database_is_called_it_fits_and_steers_nothing(name: str, width: int) -> None:
    screen = shown(facts(a_database(name=name, **failing(last_message=name)), runs=(a_run(message=name),)), width)
    assert all(cell_len(line) <= width for line in screen.splitlines())
    assert printable_lines(screen) == screen


def test_the_headline_comes_first_and_then_the_worst() -> None:
    first, _, second, *_ = shown(MESSY).splitlines()
    assert first == "Failing: 3 of 7 databases are not well: 2 failing, 1 stale. Degraded: 1 suspended."
    assert second == f"FAILING  {UUID} / Database 3, for 2 hours, 3 times in a row"


def test_what_is_under_way_says_where_and_how_long_and_what_it_waits_for() -> None:
    assert "running for a minute (pid 4711 on mill), waiting for Notion's rate limit, 30 seconds more" in words(
        shown(MESSY, 300)
    )


def test_a_suspended_database_says_when_it_is_tried_next() -> None:
    assert "suspended, next try in 30 minutes" in words(shown(MESSY, 300))


def test_what_has_one_reason_is_told_once() -> None:
    many = facts(*(a_database(f"user-{number:02}", **failing(last_message=REASON)) for number in range(12)))
    screen = shown(many)
    assert screen.count(REASON) == 1
    assert "12 databases of 12 users: user-00 / Database 1" in words(screen)
    assert "user-09 / Database 1 and 2 more, for 2 hours" in words(screen)
    assert "user-11" in screen.split(REASON)[1]
    assert "user-02 / Database 1 and 9 more, for 2 hours" in words(one_screen(many))


def lines_of(known: Facts) -> list[str]:
    """What is shown in a terminal of 80 columns, unless everything is asked for."""
    return one_screen(known).splitlines()


CAUSES: list[dict[str, Any]] = [
    failing(last_error_code="network", last_message="Notion cannot be reached. " * 12),
    failing(last_error_code="in_trash", last_message="It is in the trash. " * 99),
    failing(last_error_code=None, last_message=f"Notion answered 400: {'nonsense ' * 20}"),
    failing(suspended_since=NOW - HOUR, next_try_at=NOW + HOUR),
    {"fresh_as_of": NOW - 5 * HOUR},
    {"fresh_as_of": NOW - 6 * HOUR, "last_started_at": None},
    {"fresh_as_of": None},
    AT_IT,
]


def test_what_is_healthy_takes_three_lines_at_most() -> None:
    of_all = (a_database(f"user {number % 40}", number) for number in range(2_000))
    assert lines_of(facts(*of_all)) == [
        "All 2,000 databases are fresh: edits as of 5 minutes ago, deletions as of 5",
        "minutes ago.",
        "Last run: 7, began 5 minutes ago, took a minute, succeeded.",
    ]
    assert len(lines_of(facts(a_database()))) <= 3


@pytest.mark.parametrize("count", [1, 50, 2_000])
@pytest.mark.parametrize("cause", CAUSES)
def test_any_one_cause_fits_a_screen_however_many_databases_it_has(cause: dict[str, Any], count: int) -> None:
    named = [{"last_message": str(cause.get("last_message", "")) + str(number), **cause} for number in range(count)]
    lines = lines_of(facts(a_database("bob"), *(a_database("anna", one, **state) for one, state in enumerate(named))))
    assert len(lines) <= 24
    assert "more cause" not in "".join(lines)


@given(st.lists(st.sampled_from(CAUSES), max_size=300), st.integers(0, 60))
def test_whatever_is_wrong_fits_a_screen_and_the_worst_comes_first(causes: list[dict[str, Any]], users: int) -> None:
    unlike = [
        {**cause, "last_error_code": f"code {number}"} if "last_error_code" in cause else cause
        for number, cause in enumerate(causes)
    ]
    of_all = [a_database(f"user {number % (users + 1)}", number, **one) for number, one in enumerate(unlike)]
    lines = lines_of(facts(*of_all, open_runs=(an_open_run(),)))
    assert len(lines) <= 24
    assert all(cell_len(line) <= 80 for line in lines)


def test_what_is_long_is_whole_where_everything_is_shown() -> None:
    known = facts(a_database(name="word " * 99, **failing(last_message="Reason. " * 99)))
    assert len(one_screen(known).splitlines()) < 16
    assert "-v shows all of it" in one_screen(known)
    assert shown(known, 80).count("Reason.") == 99
    assert "-v shows all of it" not in shown(known, 80)


def test_what_has_no_room_is_counted_and_said_how_to_see() -> None:
    unlike = [failing(last_error_code=f"code {number}", last_message="Oh. " * 40) for number in range(30)]
    screen = words(one_screen(facts(*(a_database("anna", number, **one) for number, one in enumerate(unlike)))))
    assert "more causes for 2" in screen
    assert "'notion-pg-sync status -v' shows each." in screen


def test_what_is_not_to_be_synced_is_a_number_in_the_headline() -> None:
    known = facts(a_database(), a_database("bob", 2))
    screen = one_screen(replace(known, users=(known.users[0],)))
    assert "Not counted: 1 not configured." in words(screen)
    assert "bob" not in screen


def test_where_nobody_names_a_database_it_says_what_to_do() -> None:
    users = (User("anna", True, {}, True, NOW), User("bob", True, None, True, NOW))
    screen = words(one_screen(replace(facts(), users=users)))
    assert screen.startswith("Nobody has asked for a database yet, so there is nothing to keep fresh: pick some for a")
    assert "('notion-pg-sync connect'). Not counted: 2 users with nothing to sync." in screen


def test_who_asks_for_a_user_sees_each_database() -> None:
    known = facts(*(a_database("anna", number) for number in range(70)))
    screen = shown(known, about_some=True)
    assert "Database 13" in screen
    assert "Database 69" in screen


def test_what_notion_calls_a_database_by_now_stands_beside_its_name() -> None:
    known = facts(a_database("anna", 1, name="Tasks", title="Aufgaben"), a_database("anna", 2, title="Database 2"))
    screen = words(shown(known, 300, about_some=True))
    assert screen.count("in Notion") == 1
    assert "Tasks 40 5 minutes ago" in screen
    assert "ok, 'Aufgaben' in Notion" in screen


def test_the_latest_runs_are_shown_with_their_trend() -> None:
    runs = tuple(a_run(number, ended_at=NOW - 5 * MINUTE + MINUTE * number) for number in (3, 2, 1))
    screen = shown(facts(a_database(), runs=runs), runs=2)
    assert "sync-all took ▃▆█ up to 3 minutes" in screen
    assert [line.split()[0] for line in screen.splitlines()[-2:]] == ["3", "2"]
    assert "Latest runs" not in shown(facts(a_database(), runs=runs), runs=0)


def test_a_run_that_went_away_is_not_said_to_be_running() -> None:
    known = facts(a_database(**AT_IT), runs=(an_open_run(),), open_runs=(an_open_run(),), gone=frozenset({8}))
    assert "8 sync-notion-databases went away" in words(shown(known))


def test_the_latest_syncs_of_a_database_are_shown_with_their_trend() -> None:
    past = tuple(a_past_sync(number, rows_read=10 * number, message=f"sync {number}") for number in (4, 3, 2))
    known = facts(a_database(), a_database("bob"), past_syncs=past)
    out = io.StringIO()
    judgement = filter_health(assess(known, max_age=HOUR), "anna", "Database 1")
    console = Console(file=out, width=160, force_terminal=True, color_system=None, highlight=False)
    show_everything(console, known, judgement, runs=2, about_some=True)
    assert "anna / Database 1 took ███ up to 0.4 s, and read ▅▆█ up to 40 rows" in out.getvalue()
    assert "sync 3" in out.getvalue()
    assert "sync 2" not in out.getvalue()
    assert "bob" not in out.getvalue()


def test_without_a_terminal_a_sentence_is_a_line() -> None:
    known = facts(a_database(**failing(last_message=REASON * 4)))
    assert f"    {REASON * 4}" in shown(known, 80, terminal=False).splitlines()
