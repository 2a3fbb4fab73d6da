"""What the bare loop asks next."""

from __future__ import annotations

import orjson

from bench.bare_loop import following

ASKED: dict[str, object] = {"page_size": 100, "start_cursor": "one"}
PAGES = [{"created_time": "2026-01-01T00:00:00.000Z"}, {"created_time": "2026-01-02T00:00:00.000Z"}]


def test_a_cursor_is_followed() -> None:
    answer = orjson.dumps({"results": PAGES, "next_cursor": "two", "has_more": True})
    assert following(ASKED, answer) == {"page_size": 100, "start_cursor": "two"}


def test_at_the_cap_it_goes_on_from_the_last_rows_time() -> None:
    answer = orjson.dumps({"results": PAGES, "next_cursor": None, "request_status": {"type": "incomplete"}})
    since = {"timestamp": "created_time", "created_time": {"on_or_after": "2026-01-02T00:00:00.000Z"}}
    assert following(ASKED, answer) == {"page_size": 100, "filter": since}


def test_behind_the_last_answer_nothing_is_asked() -> None:
    assert following(ASKED, orjson.dumps({"results": PAGES, "next_cursor": None, "has_more": False})) is None
