"""The page size follows how large the rows are, and what is given up on its way is paid for by what was gained."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from notion_pg_sync.notion.page_size import LARGEST_LIST_BYTES, WANTED_ANSWER_BYTES, PageSize

KILOBYTE = 1024
ROW_BYTES = st.integers(1, 2_500 * KILOBYTE)


def ask(size: PageSize, rows: list[int], slow: int = 0) -> tuple[int, int, int]:
    """Asks for the next of `rows`, by their bytes, as the client does; Notion answers no page in time unless it is
    halved `slow` times. Returns how many rows and bytes came, and how often it was given up."""
    wanted = size.rows
    in_time = asked = max(1, wanted >> slow)
    refused = 0
    while asked > 1 and sum(rows[:asked]) > LARGEST_LIST_BYTES:
        refused += 1
        asked = max(1, in_time >> refused)
    came = rows[:asked]
    size.take_in(wanted, asked, in_time, len(came), sum(came))
    return len(came), sum(came), refused


@given(st.integers(1, 100), st.lists(st.tuples(ROW_BYTES, st.integers(0, 2)), max_size=100))
def test_it_is_never_more_than_may_be_asked_for_and_never_none(most: int, asked: list[tuple[int, int]]) -> None:
    size = PageSize(most)
    in_time = most
    for row_bytes, slow in asked:
        in_time = min(in_time, max(1, size.rows >> slow)) if slow else in_time
        ask(size, [row_bytes] * 100, slow)
        assert 1 <= size.rows <= in_time


@given(st.integers(1, 100), st.lists(ROW_BYTES, max_size=30), ROW_BYTES)
def test_rows_of_one_size_settle_on_one_page_size(most: int, before: list[int], row_bytes: int) -> None:
    size = PageSize(most)
    for other in before:
        ask(size, [other] * 100)
    for _ in range(8):
        ask(size, [row_bytes] * 100)
    settled = size.rows
    for _ in range(8):
        _, came, refused = ask(size, [row_bytes] * 100)
        assert (size.rows, refused) == (settled, 0)
        assert came <= WANTED_ANSWER_BYTES or settled == 1
    # Twice as many would be more than is wanted, or than may be asked for.
    assert settled == most or 2 * settled > most or 2 * settled * row_bytes > WANTED_ANSWER_BYTES


@given(st.integers(1, 100), st.lists(ROW_BYTES, max_size=200))
def test_what_is_given_up_costs_no_more_than_what_was_gained(most: int, rows: list[int]) -> None:
    size = PageSize(most)
    answers = refused = 0
    while rows:
        came, _, given_up = ask(size, rows)
        del rows[:came]
        answers, refused = answers + 1, refused + given_up
    assert refused <= 7 + answers


def test_small_rows_are_asked_for_as_many_as_may_be() -> None:
    size = PageSize(100)
    for _ in range(50):
        assert ask(size, [45 * KILOBYTE] * 100) == (100, 4500 * KILOBYTE, 0)


def test_rows_of_two_and_a_half_megabytes_are_asked_for_by_threes_and_small_ones_by_hundreds_again() -> None:
    size = PageSize(100)
    assert ask(size, [2_500 * KILOBYTE] * 100) == (6, 15_000 * KILOBYTE, 4)
    assert [ask(size, [2_500 * KILOBYTE] * 100)[::2] for _ in range(3)] == [(3, 0)] * 3
    assert [ask(size, [KILOBYTE] * 100)[0] for _ in range(8)] == [3, 6, 12, 24, 48, 96, 100, 100]


def test_an_answer_of_few_rows_is_judged_by_what_a_whole_one_would_be() -> None:
    size = PageSize(100)
    ask(size, [1000 * KILOBYTE] * 100)
    assert size.rows == 8
    ask(size, [700 * KILOBYTE])
    ask(size, [])
    assert size.rows == 8
