"""Carries a listing out: its queries side by side, its answers one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Protocol, TypeVar

from notion_pg_sync.core.errors import ErrorCode
from notion_pg_sync.notion.client import QueryAnswer
from notion_pg_sync.notion.errors import NotionError
from notion_pg_sync.notion.listing import Answer, Query
from notion_pg_sync.notion.pages import page_time_or_none

Outcome_co = TypeVar("Outcome_co", covariant=True)


class Listing(Protocol[Outcome_co]):
    """What `FullListing` and `EditListing` have in common."""

    def next_query(self) -> Query | None:
        """A query to make now."""

    def answered(self, query: Query, answer: Answer) -> Outcome_co:
        """Takes in an answer."""

    def refused(self, query: Query) -> None:
        """Takes in that a cursor was refused."""

    def failed(self, query: Query, error: NotionError) -> bool:
        """Takes in that Notion fails for a query; returns whether the listing can go on."""


Ask = Callable[[Query], Awaitable[QueryAnswer]]


@asynccontextmanager
async def reading(
    listing: Listing[Outcome_co], ask: Ask, most_under_way: int
) -> AsyncIterator[AsyncIterator[list[tuple[QueryAnswer, Outcome_co]]]]:
    """Gives the answers that `listing` needs, each with what the listing made of it, as many at once as have come.

    While the caller works on some answers the next queries are made, at most `most_under_way` at a time, and their
    answers wait in a queue with a bound; so what is held in memory is bounded. Leaving the block gives up what is
    under way. Raises `NotionError`, `ListingError`, once the answers that came before are given.
    """
    queue: asyncio.Queue[tuple[QueryAnswer, Outcome_co]] = asyncio.Queue(maxsize=most_under_way)
    producer = asyncio.ensure_future(_carry_out(listing, ask, most_under_way, queue))
    try:
        async with aclosing(_batches(queue, producer)) as batches:
            yield batches
    finally:
        producer.cancel()
        await asyncio.gather(producer, return_exceptions=True)


async def _batches(
    queue: asyncio.Queue[tuple[QueryAnswer, Outcome_co]], producer: asyncio.Future[None]
) -> AsyncGenerator[list[tuple[QueryAnswer, Outcome_co]]]:
    while True:
        if queue.empty() and not producer.done():
            first = asyncio.ensure_future(queue.get())
            try:
                await asyncio.wait((first, producer), return_when=asyncio.FIRST_COMPLETED)
            finally:
                # Without effect where it has one; else nobody waits for it any more.
                first.cancel()
            if first.done():
                yield [first.result(), *_waiting(queue)]
        elif not queue.empty():
            yield _waiting(queue)
        else:
            producer.result()
            return


def _waiting(queue: asyncio.Queue[tuple[QueryAnswer, Outcome_co]]) -> list[tuple[QueryAnswer, Outcome_co]]:
    return [queue.get_nowait() for _ in range(queue.qsize())]


async def _carry_out(
    listing: Listing[Outcome_co],
    ask: Ask,
    most_under_way: int,
    queue: asyncio.Queue[tuple[QueryAnswer, Outcome_co]],
) -> None:
    """Makes the queries and puts the answers into `queue`, which may hold this up."""
    under_way: dict[asyncio.Task[QueryAnswer], Query] = {}
    try:
        while True:
            while len(under_way) < most_under_way and (query := listing.next_query()):
                under_way[asyncio.create_task(_asked(ask, query))] = query
            if not under_way:
                return
            done, _ = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
            for result in [_result(listing, under_way.pop(task), task) for task in done]:
                if result:
                    await queue.put(result)
    finally:
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)


async def _asked(ask: Ask, query: Query) -> QueryAnswer:
    return await ask(query)


def _result(
    listing: Listing[Outcome_co], query: Query, task: asyncio.Task[QueryAnswer]
) -> tuple[QueryAnswer, Outcome_co] | None:
    try:
        answer = task.result()
    except NotionError as error:
        if error.code == ErrorCode.CURSOR_REJECTED:
            listing.refused(query)
        elif not error.may_be_a_page or not listing.failed(query, error):
            raise
        return None
    return answer, listing.answered(query, _as_listing_sees(answer, query.timestamp))


def _as_listing_sees(answer: QueryAnswer, timestamp: str) -> Answer:
    times = [(str(page.get("id")), page_time_or_none(page, timestamp)) for page in answer.pages]
    rows = [(page_id, time) for page_id, time in times if time is not None]
    return Answer(rows, answer.next_cursor, answer.has_more, answer.capped)
