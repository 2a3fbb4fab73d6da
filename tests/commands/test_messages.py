"""A message is folded for who reads it on a terminal, and can be copied from there."""

from __future__ import annotations

import pytest

from notion_pg_sync.commands.output.layout import fold_message
from notion_pg_sync.core.installing import installing
from tests.cli.conftest import Command
from tests.cli.terminal import Terminal

NOWHERE = {"DATABASE_URL": "postgresql://somebody@localhost:1/nothing"}
START = "word " * 12
INSTALL = installing("embedded").partition(" run ")[2]


@pytest.mark.parametrize(
    ("message", "whole"),
    [
        (
            START + "run 'notion-pg-sync grant-reader analyst --user user-1', then look again",
            "'notion-pg-sync g",
        ),
        (START + 'views there are: notion-pg-sync sql "SELECT viewname FROM pg_views"', 'sql "SELECT viewname'),
        (START + f"{installing('embedded')}, or set DATABASE_URL to a PostgreSQL of your own.", INSTALL),
        (
            START + "see https://developers.notion.com/guides/data-apis/enhanced-markdown for it",
            "data-apis/enhanced",
        ),
        (START + "as Notion's users' own 'Reading List' and \"of text\" say", "'Reading List'"),
    ],
)
def test_it_is_folded_at_words_and_not_within_what_is_to_be_copied(message: str, whole: str) -> None:
    folded = fold_message(message, 60)
    assert " ".join(folded.split()) == " ".join(message.split())
    assert "\n" in folded
    assert whole in folded
    assert all(len(line) <= 60 or whole in line for line in folded.splitlines())


def test_wide_characters_take_two_columns_and_what_is_laid_out_stays() -> None:
    assert fold_message("図書館 図書館 図書館", 14) == "図書館 図書館\n図書館"
    assert fold_message("first\n    " + "x " * 40, 20) == "first\n    " + "x " * 40
    assert fold_message("", 20) == ""


@pytest.mark.parametrize("columns", [80, 100])
def test_no_word_is_broken_on_a_terminal(columns: int) -> None:
    terminal = Terminal("status", COLUMNS=str(columns), **NOWHERE)
    assert terminal.ends() == 3
    lines = terminal.shown.splitlines()
    assert len(lines) > 1
    assert max(map(len, lines)) <= columns
    ended = Command(NOWHERE)("status", COLUMNS=str(columns))
    assert ended.err == f"{' '.join(line.strip() for line in lines)}\n"
