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
from notion_pg_sync.sync.run.answer_memory import AnswerMemory, AnswerShare

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
    listing: Listing[Outcome_co], ask: Ask, most_under_way: int, memory: AnswerMemory
) -> AsyncIterator[AsyncIterator[list[tuple[QueryAnswer, Outcome_co]]]]:
    """Gives the answers that `listing` needs, each with what the listing made of it, as many at once as have come.

    While the caller works on some answers the next queries are made, at most `most_under_way` at a time, and their
    answers wait in a queue of as many; what is under way, waits and is worked on has its bytes from `memory`. What is
    given is emptied when the next is asked for. Leaving the block gives up what is under way. Raises `NotionError`,
    `ListingError`, once the answers that came before are given.
    """
    queue: asyncio.Queue[tuple[QueryAnswer, Outcome_co]] = asyncio.Queue(maxsize=most_under_way)
    with memory.share() as share:
        producer = asyncio.ensure_future(_carry_out(listing, ask, most_under_way, queue, share))
        try:
            async with aclosing(_batches(queue, producer, share)) as batches:
                yield batches
        finally:
            producer.cancel()
            await asyncio.gather(producer, return_exceptions=True)


async def _batches(
    queue: asyncio.Queue[tuple[QueryAnswer, Outcome_co]], producer: asyncio.Future[None], share: AnswerShare
) -> AsyncGenerator[list[tuple[QueryAnswer, Outcome_co]]]:
    while batch := await _come(queue, producer):
        size = sum(answer.size for answer, _ in batch)
        yield batch
        # The caller's own variable would hold them until the next are there.
        batch.clear()
        share.give_back(size)


async def _come(
    queue: asyncio.Queue[tuple[QueryAnswer, Outcome_co]], producer: asyncio.Future[None]
) -> list[tuple[QueryAnswer, Outcome_co]]:
    """All that wait, at least one; none once all were given. Raises what `producer` raised."""
    while queue.empty() and not producer.done():
        first = asyncio.ensure_future(queue.get())
        try:
            await asyncio.wait((first, producer), return_when=asyncio.FIRST_COMPLETED)
        finally:
            # Without effect where it has one; else nobody waits for it any more.
            first.cancel()
        if first.done():
            return [first.result(), *_waiting(queue)]
    if queue.empty():
        producer.result()
    return _waiting(queue)


def _waiting(queue: asyncio.Queue[tuple[QueryAnswer, Outcome_co]]) -> list[tuple[QueryAnswer, Outcome_co]]:
    return [queue.get_nowait() for _ in range(queue.qsize())]


async def _carry_out(
    listing: Listing[Outcome_co],
    ask: Ask,
    most_under_way: int,
    queue: asyncio.Queue[tuple[QueryAnswer, Outcome_co]],
    share: AnswerShare,
) -> None:
    """Makes the queries, the first alone, and puts the answers into `queue`, which may hold this up."""
    under_way: dict[asyncio.Task[QueryAnswer], Query] = {}
    try:
        while True:
            most = 1 if share.expected is None else most_under_way
            while len(under_way) < most and (query := listing.next_query()):
                under_way[asyncio.create_task(_asked(ask, query, share))] = query
            if not under_way:
                return
            answers = await _answers(listing, under_way)
            while answers:
                await queue.put(answers.pop(0))
    finally:
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)


async def _answers(
    listing: Listing[Outcome_co], under_way: dict[asyncio.Task[QueryAnswer], Query]
) -> list[tuple[QueryAnswer, Outcome_co]]:
    """What came of the queries `under_way` that end next, at least one; they are no longer under way."""
    done, _ = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
    results = [_result(listing, under_way.pop(task), task) for task in done]
    return [result for result in results if result]


async def _asked(ask: Ask, query: Query, share: AnswerShare) -> QueryAnswer:
    reserved = await share.reserve()
    try:
        answer = await ask(query)
    except BaseException:
        share.give_back(reserved)
        raise
    share.settle(reserved, answer.size)
    return answer


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
    times = [
        (str(page.id), page.created_at if timestamp == "created_time" else page.edited_at) for page in answer.pages
    ]
    rows = [(page_id, time) for page_id, time in times if time is not None]
    return Answer(rows, answer.next_cursor, answer.has_more, answer.capped)
