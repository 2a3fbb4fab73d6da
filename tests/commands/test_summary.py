"""The end of a run on a terminal: names are cut where they are too long, numbers and headings never."""

from __future__ import annotations

from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from rich.cells import cell_len

from notion_pg_sync.commands.output.summary_table import show_summary
from notion_pg_sync.commands.output.terminal import Screen
from notion_pg_sync.mirror.runs import DatabaseRun
from notion_pg_sync.sync.run.account_outcome import AccountOutcome
from notion_pg_sync.sync.run.run import RunOutcome

HEADINGS = ("rows", "inserted", "updated", "removed", "unchanged", "requests")
WRITTEN = ("1,234,567", "234,567", "34,567", "4,567", "960,866", "12,346")
WHY = "Notion does not accept the token (it was revoked, has expired or is wrong): connect Notion again."
NAMES = [
    "A database with a name of sixty characters, no more, no less",
    "人物と世界と物語の一覧、それから会話の記録と全ての登場人物の台詞",
    "🧙 Zauberer und 🐉 Drachen 🏰",
    "شخصيات القصة والعوالم والحوارات التي لم تكتمل بعد",
]


LARGE = DatabaseRun(
    rows_read=1_234_567,
    inserted=234_567,
    updated=34_567,
    removed=4_567,
    unchanged=960_866,
    requests=12_346,
    mode="incremental",
)
SMALL = DatabaseRun(rows_read=21, inserted=21, requests=3, mode="full")


def shown(width: int, *accounts: AccountOutcome) -> str:
    out = StringIO()
    screen = Screen(file=out, force_terminal=True, width=width, color_system=None)
    show_summary(screen, RunOutcome(accounts=list(accounts)))
    return out.getvalue()


def words(screen: str) -> str:
    return " ".join(screen.split())


@pytest.mark.parametrize("width", [40, 80, 100, 160, 300])
@pytest.mark.parametrize("with_bodies", [False, True])
def test_numbers_and_headings_are_whole_beside_any_names(width: int, with_bodies: bool) -> None:
    run = replace(LARGE, bodies_read=1_234_500 if with_bodies else 0)
    screen = shown(
        width,
        *(AccountOutcome(name, databases=dict.fromkeys(NAMES, run)) for name in NAMES),
        AccountOutcome("anna", databases={"Broken": replace(LARGE, error_code="unauthorized", message=WHY)}),
    )
    assert all(cell_len(line) <= width for line in screen.splitlines())
    for number in (*WRITTEN, *(["1,234,500"] if with_bodies else [])):
        assert words(screen).count(number) >= len(NAMES) ** 2, number
    for heading in HEADINGS:
        assert heading in screen
    assert WHY in words(screen)


def test_where_there_is_room_a_database_is_a_line_and_its_names_are_whole() -> None:
    lines = shown(200, AccountOutcome("anna", databases=dict.fromkeys(NAMES, LARGE))).splitlines()
    assert len(lines) == 1 + len(NAMES)
    assert all(name in "".join(lines) for name in NAMES)


def test_in_80_columns_those_of_a_user_stand_together_and_the_reason_beneath() -> None:
    databases = {"Characters": SMALL, "Worlds": replace(SMALL, error_code="unauthorized", message=WHY)}
    lines = shown(80, AccountOutcome("anna", databases=databases)).splitlines()
    assert [line.rstrip() for line in lines] == [
        "   database    rows  inserted  updated  removed  unchanged  requests",
        "anna",
        "✓  Characters    21        21        0        0          0         3",
        "✗  Worlds        21        21        0        0          0         3",
        "   Notion does not accept the token (it was revoked, has expired or is wrong):",
        "   connect Notion again.",
    ]


def test_nothing_is_shown_of_no_database() -> None:
    assert shown(80, AccountOutcome("anna")) == ""


@given(user=st.text(max_size=80), name=st.text(max_size=80), width=st.integers(40, 200))
def test_whatever_the_names_are_it_fits(user: str, name: str, width: int) -> None:
    screen = shown(width, AccountOutcome(user, databases={name: LARGE}))
    assert all(cell_len(line) <= width for line in screen.splitlines())
    assert all(number in words(screen) for number in WRITTEN)
