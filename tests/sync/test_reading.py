"""A listing is carried out side by side, within bounds, and what came before an error is given first."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from notion_pg_sync.core.errors import ErrorCode
from notion_pg_sync.core.intervals import Interval
from notion_pg_sync.notion.client import QueryAnswer
from notion_pg_sync.notion.errors import NotionError
from notion_pg_sync.notion.full_listing import FullListing
from notion_pg_sync.notion.listing import Query
from notion_pg_sync.sync.rows.reading import reading

BEGINNING = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
WINDOWS = [Interval(BEGINNING + timedelta(hours=n), BEGINNING + timedelta(hours=n + 1)) for n in range(40)]


def answer_to(query: Query) -> QueryAnswer:
    time = query.window.start.isoformat()
    page = {"object": "page", "id": time, "created_time": time}
    return QueryAnswer([page], next_cursor=None, has_more=False, capped=False, page_size=100)


async def test_a_slow_writer_holds_the_reader_up() -> None:
    asked = 0

    async def ask(query: Query) -> QueryAnswer:
        nonlocal asked
        asked += 1
        return answer_to(query)

    given = 0
    async with reading(FullListing(WINDOWS), ask, 4) as answers:
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
    async with reading(FullListing(WINDOWS), ask, 4) as answers:
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
        async with reading(FullListing(WINDOWS), ask, 1) as answers:
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

    async with reading(FullListing(WINDOWS[:1]), ask, 1) as answers:
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

    async with reading(FullListing(WINDOWS), ask, 4) as answers:
        async for _ in answers:
            break
    assert cancelled >= 3
