"""What is held of answers is counted in bytes, over all listings of a process."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from itertools import chain, pairwise
from typing import TypeVar

from hypothesis import given
from hypothesis import strategies as st

from notion_pg_sync.notion.answered_pages import AnsweredPage, Taken, answered_pages
from notion_pg_sync.sync.run.answer_memory import AnswerMemory, in_parts

Result = TypeVar("Result")


def page_of(size: int) -> AnsweredPage:
    bare = {"object": "page", "padding": ""}
    padded = {**bare, "padding": "x" * (size - len(str(bare)))}
    (page,) = answered_pages([padded], lambda taken: Taken(taken, False))
    assert page.size == size
    return page


async def is_done(awaitable: Awaitable[Result]) -> bool:
    """Whether it is once everything else had its turn."""
    task = asyncio.ensure_future(awaitable)
    for _ in range(10):
        await asyncio.sleep(0)
    done = task.done()
    task.cancel()
    return done


@given(st.lists(st.integers(50, 500), max_size=30), st.integers(1, 1500))
def test_parts_hold_all_pages_in_order_and_no_more_bytes_than_they_may(sizes: list[int], most: int) -> None:
    pages = [page_of(size) for size in sizes]
    parts = in_parts(pages, most)
    assert [*chain.from_iterable(parts)] == pages
    assert parts == [[]] or all(parts)
    assert all(len(part) <= 1 or sum(page.size for page in part) <= most for part in parts)
    for part, following in pairwise(parts):
        assert sum(page.size for page in part) + following[0].size > most


async def test_a_listing_waits_for_room_for_as_much_as_its_last_answers_had() -> None:
    memory = AnswerMemory(100)
    with memory.share() as share:
        share.settle(await share.reserve(), 40)
        assert await share.reserve() == 40
        # 80 are held: there is no room for 40 more before some are given back.
        assert not await is_done(share.reserve())
        waiting = asyncio.ensure_future(share.reserve())
        await asyncio.sleep(0)
        share.give_back(40)
        assert await waiting == 40
        assert memory.held == share.held == 80
    assert memory.held == 0


async def test_the_room_for_small_answers_comes_back_with_them() -> None:
    memory = AnswerMemory(100)
    with memory.share() as share:
        share.settle(await share.reserve(), 100)
        share.give_back(100)
        for _ in range(12):
            share.settle(await share.reserve(), 5)
            share.give_back(5)
        assert share.expected == 5
        for _ in range(20):
            await share.reserve()
        assert not await is_done(share.reserve())


async def test_each_listing_may_hold_one_answer_whatever_others_hold() -> None:
    memory = AnswerMemory(100)
    with memory.share() as first, memory.share() as second:
        first.settle(await first.reserve(), 100)
        second.settle(await second.reserve(), 50)
        assert not await is_done(second.reserve())
        # What others give back makes room, too.
        waiting = asyncio.ensure_future(second.reserve())
        await asyncio.sleep(0)
        first.give_back(100)
        assert await waiting == 50
    assert memory.held == 0
