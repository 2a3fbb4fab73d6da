"""The lines of what is under way: one for a database's rows, then one for its bodies."""

from __future__ import annotations

import logging
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from notion_pg_sync.commands.output.fitting import cut, cut_pair
from notion_pg_sync.commands.output.logs import logs_told_to
from notion_pg_sync.commands.output.progress import ProgressDisplay, outlook
from notion_pg_sync.commands.output.terminal import Screen
from notion_pg_sync.mirror.runs import DatabaseRun
from notion_pg_sync.sync.files.outcome import FileCounts
from notion_pg_sync.sync.run.listener import ProgressKey

NOTES = ProgressKey("anna", "Notes", "id")


def terminal(width: int = 130) -> tuple[StringIO, Screen]:
    written = StringIO()
    return written, Screen(file=written, force_terminal=True, width=width, color_system=None)


def test_a_databases_rows_have_a_line() -> None:
    written, console = terminal()
    with ProgressDisplay(console) as display:
        display.started(NOTES)
        display.progressed(NOTES, DatabaseRun(rows_read=1234, requests=13), expected=None, waiting=False)
    assert "anna / Notes 1,234 rows" in written.getvalue()
    assert "13 requests" in written.getvalue()


def test_where_the_last_run_counted_the_rows_it_says_how_far_it_is() -> None:
    written, console = terminal()
    with ProgressDisplay(console) as display:
        display.started(NOTES)
        display.progressed(NOTES, DatabaseRun(rows_read=1234, requests=13), expected=5000, waiting=False)
    assert "1,234 of about 5,000 rows" in written.getvalue()
    assert "about 24%" in written.getvalue()


def test_its_bodies_have_another_which_says_how_many_there_are_to_be() -> None:
    written, console = terminal()
    with ProgressDisplay(console) as display:
        display.started(NOTES)
        display.ended(NOTES, DatabaseRun())
        display.bodies_started(NOTES, 2000)
        display.bodies_progressed(NOTES, DatabaseRun(bodies_read=48, bodies_failed=2, requests=63), waiting=True)
    assert "anna / Notes 50 of 2,000 bodies" in written.getvalue()
    assert "2%, waiting for Notion's rate limit" in written.getvalue()


def test_bodies_that_could_not_be_read_are_told_above_the_lines() -> None:
    written, console = terminal()
    with ProgressDisplay(console) as display:
        display.bodies_started(NOTES, 50)
        display.bodies_ended(NOTES, DatabaseRun(bodies_failed=2, message="48 page bodies read, 2 failed: why"))
    assert "! anna / Notes: 48 page bodies read, 2 failed: why" in written.getvalue()


@pytest.mark.parametrize(
    ("count", "total", "seconds", "said"),
    [
        (0, None, 9.0, []),
        (500, 0, 9.0, []),
        (0, 16_000, 0.5, ["about 0%"]),
        (4_000, 16_000, 60.0, ["about 25%", "3 minutes left"]),
        (15_999, 16_000, 60.0, ["about 99%", "a second left"]),
        (17_000, 16_000, 60.0, ["about 99%"]),
    ],
)
def test_an_estimate_is_never_all_of_it(count: int, total: int | None, seconds: float, said: list[str]) -> None:
    assert outlook(count, total, seconds, is_estimate=True) == said


def test_what_is_known_is_not_about() -> None:
    assert outlook(1, 2, 60.0, is_estimate=False) == ["50%", "a minute left"]
    assert outlook(2, 2, 60.0, is_estimate=False) == ["100%"]


@given(count=st.integers(0, 10**7), total=st.none() | st.integers(0, 10**7), seconds=st.floats(0, 10**6))
def test_the_outlook_is_short_whatever_the_numbers_are(count: int, total: int | None, seconds: float) -> None:
    assert len(", ".join(outlook(count, total, seconds, is_estimate=True))) <= len("about 99%, 11 months left") + 22


NAMES = st.text(max_size=80) | st.sampled_from(
    [
        "Charaktere und alles, was sie je gesagt haben, seit wir angefangen",
        "人物と世界と物語" * 8,
        "🧙‍♂️🐉" * 20,
        "شخصيات القصة " * 6,
    ]
)


@given(user_id=NAMES, name=NAMES, cells=st.integers(1, 200))
def test_names_fit_and_are_whole_where_there_is_room(user_id: str, name: str, cells: int) -> None:
    assert cell_len(cut(name, cells)) <= cells
    assert cell_len(cut_pair(user_id, name, cells)) <= cells
    assert cut(name, 10_000) in cut_pair(user_id, name, 20_000)


@given(user_id=NAMES, name=NAMES)
def test_beside_any_names_numbers_are_whole_in_80_columns(user_id: str, name: str) -> None:
    written, console = terminal(80)
    database = ProgressKey(user_id, name, "id")
    counts = DatabaseRun(rows_read=1_234_567, bodies_read=1_234_566, bodies_failed=1, requests=12_346)
    with ProgressDisplay(console) as display:
        display.started(database)
        display.progressed(database, counts, expected=2_469_134, waiting=True)
        display.bodies_started(database, 2_469_134)
        display.bodies_progressed(database, counts, waiting=True)
    lines = written.getvalue().splitlines()
    shown = [line for line in lines if "1,234,567 rows" in line or "1,234,567 bodies" in line]
    assert {line.count("…") <= 2 for line in shown} == {True}
    assert any("about 50%" in line for line in shown)
    assert any("1,234,567 bodies" in line and " 50%" in line for line in shown)


def test_logs_of_a_terminal_go_above_the_lines_and_others_where_they_were() -> None:
    class OnTerminal(StringIO):
        def isatty(self) -> bool:
            return True

    told: list[str] = []
    logger = logging.getLogger("notion_pg_sync")
    here, elsewhere = logging.StreamHandler(OnTerminal()), logging.StreamHandler(StringIO())
    try:
        for handler in (here, elsewhere):
            logger.addHandler(handler)
        with logs_told_to(told.append):
            logger.error("a line\nand one more")
        logger.error("afterwards")
    finally:
        for handler in (here, elsewhere):
            logger.removeHandler(handler)
    assert told == ["a line", "and one more"]
    assert here.stream.getvalue() == "afterwards\n"
    assert elsewhere.stream.getvalue() == "a line\nand one more\nafterwards\n"


def test_a_users_files_have_a_line_that_says_how_many_bytes_came() -> None:
    written, console = terminal()
    with ProgressDisplay(console) as display:
        display.files_started("anna")
        display.files_progressed("anna", FileCounts(kept=1234, failed=2, bytes=5_600_000))
    assert "anna / files 1,236 files" in written.getvalue()
    assert "5.6 MB, 2 failed" in written.getvalue()


def test_files_that_failed_are_told_above_the_lines() -> None:
    written, console = terminal()
    with ProgressDisplay(console) as display:
        display.files_started("anna")
        display.files_ended("anna", FileCounts(kept=12, failed=3, left=4, bytes=5))
    assert "! anna: 12 files kept, 3 failed, 4 left to the next run." in written.getvalue()
