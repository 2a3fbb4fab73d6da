"""A listing is carried out side by side, within bounds, and what came before an error is given first."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from notion_pg_sync.core.errors import ErrorCode
from notion_pg_sync.core.intervals import Interval
from notion_pg_sync.notion.answered_pages import Taken, answered_pages
from notion_pg_sync.notion.client import QueryAnswer
from notion_pg_sync.notion.errors import NotionError
from notion_pg_sync.notion.full_listing import FullListing
from notion_pg_sync.notion.listing import Query
from notion_pg_sync.sync.rows.reading import reading
from notion_pg_sync.sync.run.answer_memory import AnswerMemory

BEGINNING = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
WINDOWS = [Interval(BEGINNING + timedelta(hours=n), BEGINNING + timedelta(hours=n + 1)) for n in range(40)]
MEGABYTE = 1024 * 1024


def answer_to(query: Query, padding: int = 0) -> QueryAnswer:
    time = query.window.start.isoformat()
    page = {"object": "page", "id": time, "created_time": time, "padding": "x" * padding}
    pages = answered_pages([page], lambda page: Taken(page, False))
    return QueryAnswer(pages, next_cursor=None, has_more=False, capped=False, page_size=100, in_time=100)


async def test_a_slow_writer_holds_the_reader_up() -> None:
    asked = 0

    async def ask(query: Query) -> QueryAnswer:
        nonlocal asked
        asked += 1
        return answer_to(query)

    given = 0
    async with reading(FullListing(WINDOWS), ask, 4, AnswerMemory()) as answers:
        async for batch in answers:
            given += len(batch)
            for _ in range(50):
                await asyncio.sleep(0)
            # What waits in the queue, what waits to be put there, and what is under way.
            assert asked - given <= 8 + 4 + 4
    assert given == asked == 40


async def test_everything_that_has_come_is_given_at_once() -> None:
    async def ask(query: Query) -> QueryAnswer:
        return answer_to(query)

    sizes = []
    async with reading(FullListing(WINDOWS), ask, 4, AnswerMemory()) as answers:
        async for batch in answers:
            sizes.append(len(batch))
            for _ in range(50):
                await asyncio.sleep(0)
    assert max(sizes) > 1


async def test_what_came_before_an_error_is_given_first() -> None:
    async def ask(query: Query) -> QueryAnswer:
        if query.window == WINDOWS[20]:
            raise NotionError("no more", code="unauthorized")
        return answer_to(query)

    given = 0
    with pytest.raises(NotionError, match="no more"):
        async with reading(FullListing(WINDOWS), ask, 1, AnswerMemory()) as answers:
            async for batch in answers:
                given += len(batch)
    assert given == 20


async def test_a_refused_cursor_starts_its_query_again() -> None:
    refused = False

    async def ask(query: Query) -> QueryAnswer:
        nonlocal refused
        if not refused:
            refused = True
            raise NotionError("refused", code=ErrorCode.CURSOR_REJECTED)
        return answer_to(query)

    async with reading(FullListing(WINDOWS[:1]), ask, 1, AnswerMemory()) as answers:
        given = [answer async for batch in answers for answer in batch]
    assert len(given) == 1


async def test_leaving_early_gives_up_what_is_under_way() -> None:
    cancelled = 0

    async def ask(query: Query) -> QueryAnswer:
        nonlocal cancelled
        if query.window == WINDOWS[0]:
            return answer_to(query)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled += 1
            raise
        raise AssertionError

    async with reading(FullListing(WINDOWS), ask, 4, AnswerMemory()) as answers:
        async for _ in answers:
            break
    assert cancelled >= 3


class Bytes:
    """Answers of a megabyte each, counted while they are under way, wait, or are worked on."""

    def __init__(self, memory: AnswerMemory) -> None:
        self.memory = memory
        self.sizes: list[int] = []
        self.under_way = self.most_under_way = self.most_bytes = 0

    def count(self, given: int) -> None:
        """Takes in that so many answers are worked on no longer."""
        waiting = self.sizes[given:]
        largest = max(self.sizes, default=0)
        self.most_bytes = max(self.most_bytes, sum(waiting) + self.under_way * largest)

    async def read(self, padding: int, concurrency: int = 12) -> None:
        """Reads windows that have a row of so many bytes each."""

        async def ask(query: Query) -> QueryAnswer:
            self.under_way += 1
            self.most_under_way = max(self.most_under_way, self.under_way)
            for _ in range(3):
                await asyncio.sleep(0)
            self.under_way -= 1
            answer = answer_to(query, padding)
            self.sizes.append(answer.size)
            return answer

        given = 0
        async with reading(FullListing(WINDOWS), ask, concurrency, self.memory) as answers:
            async for batch in answers:
                came = len(batch)
                for _ in range(50):
                    await asyncio.sleep(0)
                    self.count(given)
                given += came
        assert given == len(self.sizes) == len(WINDOWS)
        assert self.memory.held == 0


async def test_what_waits_is_bounded_by_its_bytes() -> None:
    counted = Bytes(AnswerMemory(5 * MEGABYTE))
    await counted.read(padding=MEGABYTE)
    assert counted.most_bytes <= 5 * max(counted.sizes)
    assert 1 < counted.most_under_way <= 4


async def test_an_answer_that_is_larger_than_all_that_may_be_held_comes_alone() -> None:
    counted = Bytes(AnswerMemory(MEGABYTE // 2))
    await counted.read(padding=MEGABYTE)
    assert (counted.most_under_way, counted.most_bytes) == (1, max(counted.sizes))


async def test_small_answers_come_as_many_at_once_as_may_be() -> None:
    counted = Bytes(AnswerMemory())
    await counted.read(padding=5_000)
    assert counted.most_under_way == 12


async def test_nothing_is_held_once_a_reading_is_over_however_it_ends() -> None:
    memory = AnswerMemory()

    async def ask(query: Query) -> QueryAnswer:
        if query.window == WINDOWS[20]:
            raise NotionError("no more", code="unauthorized")
        return answer_to(query)

    with pytest.raises(NotionError, match="no more"):
        async with reading(FullListing(WINDOWS), ask, 4, memory) as answers:
            async for _ in answers:
                assert memory.held > 0
    assert memory.held == 0
    async with reading(FullListing(WINDOWS), ask, 4, memory) as answers:
        async for _ in answers:
            break
    assert memory.held == 0
