"""What is to be done about a page, by what is stored and what was noted of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notion_pg_sync.mirror.sent_rows import Row
from notion_pg_sync.mirror.stored_rows import Standing, sort_rows

PAGE = "11111111-1111-4111-8111-111111111111"
ROW_ID = "22222222-2222-4222-8222-222222222222"
NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
ROW = Row(PAGE, "title", None, {}, "{}", "{}", frozenset(), None, NOW, NOW, "new")

HASHES = st.sampled_from(["new", "old"])
STANDINGS = st.builds(
    Standing,
    page_id=st.just(PAGE),
    row_id=st.sampled_from([None, ROW_ID]),
    row_hash=st.none() | HASHES,
    row_source=st.none(),
    row_edited_at=st.sampled_from([None, NOW - timedelta(minutes=1), NOW, NOW + timedelta(minutes=1)]),
    noted_hash=st.none() | HASHES,
    noted_row_id=st.sampled_from([None, ROW_ID]),
    noted_digest=st.sampled_from([None, b"digest"]),
    had_row=st.booleans(),
)


def standing(
    row_hash: str | None,
    noted_hash: str | None,
    *,
    has_row: bool = True,
    had_row: bool = True,
    edited_at: datetime | None = NOW,
) -> Standing:
    return Standing(PAGE, ROW_ID if has_row else None, row_hash, None, edited_at, noted_hash, ROW_ID, None, had_row)


@pytest.mark.parametrize(
    ("found", "what"),
    [
        (standing(None, None, has_row=False, had_row=False), "write"),
        (standing("old", "old"), "write"),
        (standing("new", "old"), "write"),
        (standing("old", None, had_row=False), "write"),
        (standing("old", "old", edited_at=NOW - timedelta(minutes=1)), "write"),
        # The answer is behind what is stored.
        (standing("old", "old", edited_at=NOW + timedelta(minutes=1)), "older"),
        (standing("new", "new"), "compare"),
        # Its hash too was changed by somebody else.
        (standing("old", "new"), "compare"),
        # Written by an earlier version, which noted nothing.
        (standing("new", None, had_row=False), "compare"),
        (standing(None, "new", has_row=False), "write"),
        # A trigger kept it out, and may let it in now.
        (standing(None, "new", has_row=False, had_row=False), "write"),
        (standing(None, "old", has_row=False, had_row=False), "write"),
    ],
)
def test_what_is_to_be_done_about_a_page(found: Standing, what: str) -> None:
    done = sort_rows({PAGE: ROW}, [found])
    assert [len(done.write), len(done.compare), len(done.older)] == [
        what == one for one in ("write", "compare", "older")
    ]


@given(STANDINGS)
def test_a_page_without_a_row_is_written(found: Standing) -> None:
    done = sort_rows({PAGE: ROW}, [found], may_be_older=True)
    assert len(done.write) + len(done.compare) == 1
    assert not (done.compare and found.row_id is None)
    # What Notion changed is written in any case.
    assert done.write or found.is_known_as("new")


def test_a_page_that_stands_as_it_should_is_let_be() -> None:
    done = sort_rows({PAGE: ROW}, [])
    assert (done.write, done.compare, done.older) == ([], [], [])
