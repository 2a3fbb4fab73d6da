"""On terminals of 80x24 and 100x35, and in a pipe: names are cut or folded, headings and numbers are whole."""

from __future__ import annotations

import json
import re
import sys
from typing import NamedTuple

import pytest
from rich.cells import cell_len

from docs.made.terminal import shown_by
from tests.cli.conftest import BARE, Site

pytestmark = pytest.mark.slow

NAMES = (
    "A database with a name of sixty characters, no more, no less",
    "人物と世界と物語の一覧、それから会話の記録と全ての登場人物の台詞",
    "🧙 Zauberer und 🐉 Drachen 🏰",
    "شخصيات القصة والعوالم والحوارات التي لم تكتمل بعد",
)
USER = "7f0e2c1a-5d7b-4c0e-9a5f-1a2b3c4d5e6f"
COUNTS = ("rows", "inserted", "updated", "removed", "unchanged", "requests")


class Size(NamedTuple):
    columns: int
    lines: int


SIZES = [Size(80, 24), Size(100, 35)]


@pytest.fixture
def named(site: Site) -> Site:
    """A user of an awkward name, with databases of such names, and one that nobody shared."""
    workspace = site.small.workspace
    token = workspace.add_token("awkward").secret
    databases = {name: workspace.add_generated_database(name, rows=130).id for name in NAMES}
    for database_id in databases.values():
        workspace.share("awkward", database_id)
    hidden = workspace.add_generated_database("Hidden", rows=1)
    site.connect(USER, token, json.dumps({**databases, f"Not shared: {NAMES[0]}": hidden.id}))
    return site


def on_terminal(site: Site, size: Size, *arguments: str, once: str | None = None) -> list[str]:
    """The lines that a person sees, when the command has ended, or once this pattern is there."""
    command = [sys.executable, "-m", "notion_pg_sync", *arguments]
    environment = {**BARE, "NO_COLOR": "1", **site.command.environment}
    shown = shown_by(command, environment, columns=size.columns, lines=size.lines, once=once).plain.splitlines()
    assert all(cell_len(line) <= size.columns for line in shown)
    return [line.rstrip() for line in shown]


def words(lines: list[str]) -> str:
    return " ".join(" ".join(lines).split())


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_what_is_under_way_and_what_came_of_it(named: Site, size: Size) -> None:
    named.small.workspace.configure(latency=0.3)
    # Logs are lines of their own, above those of what is under way.
    shown = on_terminal(named, size, "sync-all", "-v", once=r"[^0]\d\d rows")
    bars = [line for line in shown if re.search(r"\d rows", line) and "INFO" not in line]
    assert all(re.fullmatch(r"\S .{12,} +\d+ rows( +\d+/s)? +\d:\d\d:\d\d.*", line) for line in bars), shown
    assert [line for line in shown if "INFO" in line and not re.match(r"20\d\d-\d\d-\d\dT", line)] == []
    # By now they have been counted.
    shown = on_terminal(named, size, "sync-all", "--full", once=r"about \d+%")
    assert any(re.search(r"\d+ rows .* about \d+%", line) for line in shown), shown
    shown = on_terminal(named, size, "sync", USER, NAMES[0], "--full")
    heading = next(line for line in shown if "unchanged" in line)
    assert heading.split() == ["database", *COUNTS]
    assert [line.split()[-6:] for line in shown if line.startswith("✓")] == [["130", "0", "0", "0", "130", "4"]]


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_status_doctor_history_and_verify(named: Site, size: Size) -> None:
    assert named.command("sync-all").code == 1
    workspace = named.small.workspace
    workspace.clock.advance(3600)
    workspace.edit_page(workspace.page_ids(NAMES[1])[0], {"Name": "Renamed " + "long " * 20})
    workspace.clock.advance(600)
    shown = on_terminal(named, size, "sync", USER, NAMES[1], "--verify")
    assert "verified 130 rows" in words(shown)
    shown = on_terminal(named, size, "status", "-v")
    assert any(line.split() == ["database", "rows", "edits", "as", "of", "last", "result"] for line in shown)
    assert sum(bool(re.search(r" 130  ", line)) for line in shown) == len(NAMES)
    assert all(len(line) > 1 for line in on_terminal(named, size, "status"))
    assert "is not there, or not shared with the connection" in words(
        on_terminal(named, size, "doctor", "--no-cron-check", "--user", USER)
    )
    shown = on_terminal(named, size, "history", USER, NAMES[1])
    assert "Renamed long long" in shown[0]
    assert re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", words(shown[:2]))
    assert shown[2].startswith("  name: ")


def test_in_a_pipe_nothing_is_folded_and_no_line_ends_with_blanks(named: Site) -> None:
    assert named.command("sync-all").code == 1
    for command in (["status", "-v"], ["status"], ["history", USER, NAMES[0]], ["doctor", "--no-cron-check"]):
        lines = named.command(*command).out.splitlines()
        assert [line for line in lines if line != line.rstrip()] == []
    lines = named.command("status", "-v").out.splitlines()
    for name in NAMES:
        assert sum(name in line and USER in line for line in lines) >= 1
