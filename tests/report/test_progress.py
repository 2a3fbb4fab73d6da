"""The lines of what is under way: one for a database's rows, then one for its bodies."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from notion_pg_sync.mirror.runs import DatabaseRun
from notion_pg_sync.report.progress import ProgressDisplay
from notion_pg_sync.sync.listener import Watched

NOTES = Watched("anna", "Notes", "id")


def test_rows_and_bodies_have_lines_of_their_own() -> None:
    written = StringIO()
    console = Console(file=written, force_terminal=True, width=120)
    with ProgressDisplay(console) as display:

        def shown() -> str:
            written.seek(0)
            written.truncate()
            console.print(display._progress.get_renderable())
            return written.getvalue()

        display.started(NOTES)
        display.progressed(NOTES, DatabaseRun(rows_read=1234, requests=13), waiting=False)
        assert "1,234 rows" in shown()
        display.ended(NOTES, DatabaseRun(rows_read=1234))
        assert "rows" not in shown()
        display.bodies_started(NOTES, 2000)
        display.bodies_progressed(NOTES, DatabaseRun(bodies_read=48, bodies_failed=2, requests=63), waiting=True)
        line = shown()
        assert "50 bodies" in line
        assert "of 2,000, waiting for Notion's rate limit" in line
        written.truncate(0)
        display.bodies_ended(NOTES, DatabaseRun(bodies_failed=2, message="48 bodies read, 2 could not be: why"))
        assert "48 bodies read, 2 could not be: why" in written.getvalue()
        assert "bodies" not in shown()
