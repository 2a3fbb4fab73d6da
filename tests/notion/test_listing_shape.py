"""How many requests and how many rounds of latency a full listing takes, for histories of several shapes."""

from __future__ import annotations

import bisect
from datetime import UTC, datetime, timedelta

import pytest

from notion_pg_sync.core.intervals import minute_of
from notion_pg_sync.notion.full_listing import FullListing
from notion_pg_sync.notion.listing import Answer, Query

NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
SPAN = 3 * 365 * 86400.0
READERS = 12


def even(rows: int) -> list[float]:
    return [SPAN * index / rows for index in range(rows)]


def uneven(rows: int) -> list[float]:
    """Nine of ten rows made in one hour of three years."""
    many = rows * 9 // 10
    few = rows - many
    return [SPAN * index / few for index in range(few)] + [SPAN * 0.6 + 3600 * index / many for index in range(many)]


def growing(rows: int) -> list[float]:
    """Ever more as time goes on."""
    return [SPAN * (1 - (1 - index / rows) ** 4) for index in range(rows)]


class Rounds:
    """Notion with a latency: what is asked at once is answered at once, a round later."""

    def __init__(self, seconds: list[float]) -> None:
        self._times = sorted(minute_of(NOW - timedelta(seconds=SPAN - one)) for one in seconds)
        self.rounds = 0
        self.requests = 0
        self.seen: set[int] = set()

    def read(self, listing: FullListing) -> None:
        while not listing.is_complete:
            asked: list[Query] = []
            while len(asked) < READERS and (query := listing.next_query()):
                asked.append(query)
            self.rounds += 1
            for query in asked:
                listing.answered(query, self._answer(query))

    def _answer(self, query: Query) -> Answer:
        self.requests += 1
        first = bisect.bisect_left(self._times, query.window.start)
        last = bisect.bisect_left(self._times, query.window.end)
        position, given = (first, 0) if query.cursor is None else map(int, query.cursor.split("#")[:2])
        end = min(position + 100, last, position + 10_000 - given)
        given += end - position
        self.seen.update(range(position, end))
        capped = end < last and given >= 10_000
        has_more = end < last and not capped
        rows = [(str(index), self._times[index]) for index in range(position, end)]
        return Answer(rows, f"{end}#{given}#{self.requests}" if has_more else None, has_more, capped)


@pytest.mark.parametrize("history", [even, uneven, growing])
@pytest.mark.parametrize("rows", [80, 150, 1000, 15_000, 34_000])
def test_a_first_read_costs_hardly_more_than_its_rows(history: object, rows: int) -> None:
    assert callable(history)
    notion = Rounds(history(rows))
    notion.read(FullListing(readers=READERS, now=NOW))
    assert len(notion.seen) == rows
    assert notion.requests <= 1.1 * rows / 100 + 8


def test_a_small_data_source_is_one_request() -> None:
    notion = Rounds(even(80))
    notion.read(FullListing(readers=READERS, now=NOW))
    assert notion.requests == 1


@pytest.mark.parametrize(("history", "most"), [(even, 30), (growing, 40), (uneven, 50)])
def test_latency_is_not_the_limit(history: object, most: int) -> None:
    """At 400 ms a round, 15,000 rows take at most 12 seconds, uneven ones 20; one after the other, 60."""
    assert callable(history)
    notion = Rounds(history(15_000))
    notion.read(FullListing(readers=READERS, now=NOW))
    assert notion.rounds <= most
