"""Parts are shared out among related pages as these have them, or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notion_pg_sync.notion.shares import share_out

# Few letters, so that parts of different pages are often the same.
texts = st.lists(st.lists(st.sampled_from("ab"), max_size=3), max_size=7)


def begins_of(pages: list[list[str]]) -> list[int]:
    return [sum(map(len, pages[:place])) for place in range(len(pages) + 1)]


def fits(parts: list[str], pages: list[list[str] | None], start: int = 0) -> list[list[int]]:
    """Every way to share `parts` out, tried one by one."""
    if not pages:
        return [[start]] if start == len(parts) else []
    found = []
    for end in range(start, len(parts) + 1):
        if pages[0] is None or pages[0] == parts[start:end]:
            found += [[start, *rest] for rest in fits(parts, pages[1:], end)]
    return found


@given(texts, st.data())
def test_an_answer_is_what_the_pages_have(pages: list[list[str]], data: st.DataObject) -> None:
    hidden = data.draw(st.lists(st.booleans(), min_size=len(pages), max_size=len(pages)))
    known = [None if hide else page for hide, page in zip(hidden, pages, strict=True)]
    parts = [part for page in pages for part in page]
    assert share_out(parts, known) in (begins_of(pages), None)


@given(texts, st.data())
def test_an_answer_is_given_exactly_where_one_thing_fits(pages: list[list[str]], data: st.DataObject) -> None:
    """Also where what is known is not what the parts were made of."""
    known = [data.draw(st.sampled_from([None, page])) for page in pages]
    parts = data.draw(
        st.one_of(st.just([part for page in pages for part in page]), st.lists(st.sampled_from("ab"), max_size=9))
    )
    found = fits(parts, known)
    assert share_out(parts, known) == (found[0] if len(found) == 1 else None)


@pytest.mark.parametrize(
    ("parts", "pages", "begins"),
    [
        ("", [], [0]),
        ("a", [], None),
        ("", [None, None], [0, 0, 0]),
        ("xy", [None], [0, 2]),
        # As many parts as pages: the first may have both.
        ("xy", [None, None], None),
        ("axyb", [["a"], None, ["b"]], [0, 1, 3, 4]),
        ("axyb", [["a"], None, None, ["b"]], None),
        ("aba", [None, ["a"], None], None),
        ("aba", [None, ["b"], None], [0, 1, 2, 3]),
        ("xy", [["x"], [], ["y"]], [0, 1, 1, 2]),
        ("xy", [["x"], ["z"]], None),
        ("x", [["x"], ["y"]], None),
    ],
)
def test_what_is_certain_and_what_is_not(parts: str, pages: list[list[str] | None], begins: list[int] | None) -> None:
    assert share_out(parts, pages) == begins


def test_what_was_known_before_may_fit_in_one_place_only_and_be_wrong() -> None:
    """Why titles that are mirrored are never handed in: now these are ["x"] and ["y", "z"]."""
    assert share_out("xyz", [["x", "y"], None]) == [0, 2, 3]


def test_thousands_of_pages_are_no_matter() -> None:
    pages = [["same"], None, ["same", "same"], None] * 1000
    parts = [part for page in pages for part in (page or ["other"])]
    assert share_out(parts, pages) == begins_of([page or ["other"] for page in pages])
