"""The lines of what is under way: one for a database's rows, then one for its bodies."""

from __future__ import annotations

from io import StringIO

from notion_pg_sync.commands.output.progress import ProgressDisplay
from notion_pg_sync.commands.output.terminal import Screen
from notion_pg_sync.mirror.runs import DatabaseRun
from notion_pg_sync.sync.run.listener import ProgressKey

NOTES = ProgressKey("anna", "Notes", "id")


def terminal() -> tuple[StringIO, Screen]:
    written = StringIO()
    return written, Screen(file=written, force_terminal=True, width=120, color_system=None)


def test_a_databases_rows_have_a_line() -> None:
    written, console = terminal()
    with ProgressDisplay(console) as display:
        display.started(NOTES)
        display.progressed(NOTES, DatabaseRun(rows_read=1234, requests=13), waiting=False)
    assert "anna / Notes     1,234 rows" in written.getvalue()


def test_its_bodies_have_another_which_says_how_many_there_are_to_be() -> None:
    written, console = terminal()
    with ProgressDisplay(console) as display:
        display.started(NOTES)
        display.ended(NOTES, DatabaseRun())
        display.bodies_started(NOTES, 2000)
        display.bodies_progressed(NOTES, DatabaseRun(bodies_read=48, bodies_failed=2, requests=63), waiting=True)
    assert "anna / Notes        50 bodies" in written.getvalue()
    assert "of 2,000, waiting for Notion's rate limit" in written.getvalue()


def test_bodies_that_could_not_be_read_are_told_above_the_lines() -> None:
    written, console = terminal()
    with ProgressDisplay(console) as display:
        display.bodies_started(NOTES, 50)
        display.bodies_ended(NOTES, DatabaseRun(bodies_failed=2, message="48 page bodies read, 2 failed: why"))
    assert "! anna / Notes: 48 page bodies read, 2 failed: why" in written.getvalue()
