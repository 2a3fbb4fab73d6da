"""`sql`: a question to the copy's PostgreSQL, which is answered and can change nothing."""

from __future__ import annotations

import csv
import io
import json
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notion_pg_sync.commands.output.answer_table import least_widths
from notion_pg_sync.commands.sql import Answer, in_csv
from tests.cli.conftest import Command, Ended, Site
from tests.cli.terminal import Terminal

pytestmark = pytest.mark.slow

SIZES = pytest.mark.parametrize(("columns", "lines"), [("80", "24"), ("100", "35")])


@pytest.fixture
def synced(site: Site) -> Site:
    site.connect("anna", site.small.tokens["anna"], json.dumps({"Characters": site.small.databases["Characters"]}))
    assert site.command("sync-all").code == 0
    return site


def test_a_pipe_gets_csv(synced: Site) -> None:
    statement = "SELECT name, fields ->> 'age' AS age, NULL AS none FROM notion_characters_sync ORDER BY name LIMIT 2"
    expected = Ended(0, "name,age,none\nCharacter 1,11,\nCharacter 10,20,\n", "")
    assert synced.command("sql", statement) == expected
    assert synced.command("sql", given=statement + ";\n") == expected


def test_what_percent_signs_and_dollars_say_stays(synced: Site) -> None:
    ended = synced.command("sql", "SELECT '100% %s $1' AS said WHERE 'ab' LIKE 'a%'")
    assert ended == Ended(0, "said\n100% %s $1\n", "")


@SIZES
def test_a_terminal_gets_a_table_and_no_number_is_cut(synced: Site, columns: str, lines: str) -> None:
    size = {"COLUMNS": columns, "LINES": lines}
    statement = (
        "SELECT name, 12345678901234567890 AS number, description, properties FROM notion_characters_sync"
        " ORDER BY name LIMIT 3"
    )
    terminal = Terminal("sql", statement, **synced.command.environment, **size)
    assert terminal.ends() == 0
    assert terminal.shown.count("12345678901234567890") == 3
    assert "3 rows" in terminal.shown
    assert "Long values are cut: --csv prints all of them." in terminal.shown
    assert max(map(len, terminal.shown.splitlines())) <= int(columns)


@SIZES
def test_what_is_too_wide_for_a_table_is_a_line_for_each_value(synced: Site, columns: str, lines: str) -> None:
    size = {"COLUMNS": columns, "LINES": lines}
    terminal = Terminal("sql", "SELECT * FROM notion_sync.databases", **synced.command.environment, **size)
    assert terminal.ends() == 0
    said = [line.split() for line in terminal.shown.splitlines()]
    assert ["row", "1"] in said
    assert ["last_rows_read", "40"] in said
    assert max(map(len, terminal.shown.splitlines())) <= int(columns)


def test_no_token_is_printed_and_nothing_steers_a_terminal(synced: Site) -> None:
    token = synced.small.tokens["anna"]
    for statement in (
        "SELECT * FROM user_settings",
        "SELECT 'x' || notion_token || 'y' AS z FROM user_settings",
        "SELECT notion_token::integer FROM user_settings",
        "SELECT E'\\x1b]0;title\\x07' AS \"\x1b[2J\"",
    ):
        for ended in (synced.command("sql", statement), synced.command("sql", statement, "--csv")):
            assert token not in ended.out + ended.err
            assert "\x1b" not in ended.out + ended.err
        terminal = Terminal("sql", statement, **synced.command.environment, TERM="dumb")
        terminal.ends()
        assert token not in terminal.shown
        assert "\x1b]" not in terminal.written
        assert "\x1b[2J" not in terminal.written


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM notion_characters_sync",
        "WITH gone AS (DELETE FROM notion_characters_sync RETURNING 1) SELECT * FROM gone",
        "SELECT 1; COMMIT; DELETE FROM notion_characters_sync",
        "COMMIT; DELETE FROM notion_characters_sync",
        "SET TRANSACTION READ WRITE; DELETE FROM notion_characters_sync",
        "SELECT set_config('transaction_read_only', 'off', true)",
        "DO $$ BEGIN COMMIT; DELETE FROM notion_characters_sync; END $$",
        "DO $$ BEGIN DELETE FROM notion_characters_sync; END $$",
        "CREATE TABLE made (x integer)",
        "COPY notion_characters_sync TO STDOUT",
        "TRUNCATE notion_characters_sync",
        "nonsense",
        " ",
    ],
)
def test_it_only_reads_and_says_what_is_refused(synced: Site, statement: str) -> None:
    ended = synced.command("sql", statement)
    assert (ended.code, ended.out) == (2, "")
    assert ended.sentence
    assert synced.execute("SELECT count(*) FROM notion_characters_sync") == [(40,)]


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("SELECT 1; SELECT 2", "these are several statements: give one at a time"),
        ("SELECT * FROM stories", "SELECT viewname FROM pg_views WHERE schemaname = 'notion'"),
        (r"\dv notion.*", "is for psql alone"),
    ],
)
def test_what_a_newcomer_types_is_answered_with_what_to_type(synced: Site, statement: str, said: str) -> None:
    ended = synced.command("sql", statement)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err


def test_what_has_no_rows_says_what_it_did(synced: Site) -> None:
    assert synced.command("sql", "SET TRANSACTION READ WRITE") == Ended(0, "SET\n", "")
    assert synced.command("sql", "SELECT 1 AS one WHERE false") == Ended(0, "one\n", "")


def test_without_a_statement_a_terminal_is_told_how() -> None:
    terminal = Terminal("sql", DATABASE_URL="postgresql:///none")
    assert terminal.ends() == 2
    assert 'notion-pg-sync sql "SELECT title' in terminal.shown or "which statement?" in terminal.shown


def test_it_looks_into_the_embedded_postgresql_too() -> None:
    folder = Path(tempfile.mkdtemp(prefix="notion-pg-sync-sql."))
    try:
        terminal = Terminal("sql", "SELECT 6 * 7 AS answer", NOTION_PG_SYNC_DATA_DIR=str(folder))
        terminal.waits_with("answer")
        terminal.waits_with("42")
        assert terminal.ends() == 0
        piped = Command({"NOTION_PG_SYNC_DATA_DIR": str(folder)})("sql", "SELECT 6 * 7 AS answer")
        assert piped == Ended(0, "answer\n42\n", "")
    finally:
        shutil.rmtree(folder)


# Control characters are written out by the stream.
cells = st.text(st.characters(exclude_characters="\r"), max_size=20) | st.none()


@given(st.lists(st.lists(cells, min_size=2, max_size=2), max_size=5))
def test_csv_says_what_was_answered(rows: list[list[str | None]]) -> None:
    said = in_csv(Answer(["a", "b"], [False, False], rows, ""))
    read = list(csv.reader(io.StringIO(said, newline="")))
    assert read == [["a", "b"], *[[one or "" for one in row] for row in rows]]


@given(st.lists(st.tuples(st.text(max_size=40), st.integers().map(str)), max_size=5))
def test_a_number_gets_all_the_width_that_it_needs(rows: list[tuple[str, str]]) -> None:
    text, number = least_widths(["text", "number"], [False, True], rows)
    assert number == max(len("number"), *(len(one) for _, one in rows), 0)
    assert text <= 14
