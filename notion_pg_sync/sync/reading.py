"""Carries a listing out: its queries side by side, its answers one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Protocol, TypeVar

from notion_pg_sync.notion.client import QueryAnswer
from notion_pg_sync.notion.errors import CURSOR_REFUSED, NotionError
from notion_pg_sync.notion.listing import Answer, Query
from notion_pg_sync.notion.pages import page_time

Outcome_co = TypeVar("Outcome_co", covariant=True)


class Listing(Protocol[Outcome_co]):
    """What `FullListing` and `EditListing` have in common."""

    def next_query(self) -> Query | None:
        """A query to make now."""

    def answered(self, query: Query, answer: Answer) -> Outcome_co:
        """Takes in an answer."""

    def refused(self, query: Query) -> None:
        """Takes in that a cursor was refused."""


Ask = Callable[[Query], Awaitable[QueryAnswer]]


@asynccontextmanager
async def reading(
    listing: Listing[Outcome_co], ask: Ask, most_under_way: int
) -> AsyncIterator[AsyncIterator[tuple[QueryAnswer, Outcome_co]]]:
    """Gives the answers that `listing` needs, each with what the listing made of it.

    While the caller works on one answer, the next queries are on their way, at most `most_under_way` of them; so what
    is held in memory is bounded. Leaving the block gives up what is under way. Raises `NotionError`, `ListingError`.
    """
    async with aclosing(_answers(listing, ask, most_under_way)) as answers:
        yield answers


async def _answers(
    listing: Listing[Outcome_co], ask: Ask, most_under_way: int
) -> AsyncGenerator[tuple[QueryAnswer, Outcome_co]]:
    under_way: dict[asyncio.Task[QueryAnswer], Query] = {}
    try:
        while True:
            while len(under_way) < most_under_way and (query := listing.next_query()):
                under_way[asyncio.ensure_future(ask(query))] = query
            if not under_way:
                return
            done, _ = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
            results = [_result(listing, under_way.pop(task), task) for task in done]
            while len(under_way) < most_under_way and (query := listing.next_query()):
                under_way[asyncio.ensure_future(ask(query))] = query
            for result in results:
                if result:
                    yield result
    finally:
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)


def _result(
    listing: Listing[Outcome_co], query: Query, task: asyncio.Task[QueryAnswer]
) -> tuple[QueryAnswer, Outcome_co] | None:
    try:
        answer = task.result()
    except NotionError as error:
        if error.code != CURSOR_REFUSED:
            raise
        listing.refused(query)
        return None
    return answer, listing.answered(query, _as_listing_sees(answer, query.timestamp))


def _as_listing_sees(answer: QueryAnswer, timestamp: str) -> Answer:
    rows = [(str(page.get("id")), page_time(page, timestamp)) for page in answer.pages]
    return Answer(rows, answer.next_cursor, answer.has_more, answer.capped)
