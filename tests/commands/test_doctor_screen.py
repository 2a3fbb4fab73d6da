"""What doctor shows on a terminal can be read, and what is to be typed still means the same."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from notion_pg_sync.commands.doctor.command import wrapped_statement

WORDS = st.one_of(
    st.sampled_from(["GRANT", "SELECT", "(a, b)", "ON", "::text", "=>"]),
    st.from_regex(r'"[a-z ]{1,30}"', fullmatch=True),
    st.from_regex(r"'[a-z \"]{0,30}'", fullmatch=True),
)


@given(st.lists(WORDS, min_size=1, max_size=20), st.integers(20, 80))
def test_a_statement_is_cut_at_blanks_outside_of_quotes(words: list[str], width: int) -> None:
    statement = " ".join(words) + ";"
    lines = wrapped_statement(statement, width)
    assert re.sub(r"\n  ", " ", "\n".join(lines)) == statement
    assert all(len(line) <= width or re.fullmatch(r"  \S+|\s*['\"].*['\"];?", line) for line in lines)


def test_a_short_one_stays_whole() -> None:
    assert wrapped_statement("SELECT pg_reload_conf();", 60) == ["SELECT pg_reload_conf();"]
