"""The next item is made while the one before is worked on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

Item = TypeVar("Item")


@asynccontextmanager
async def one_ahead(items: AsyncGenerator[Item]) -> AsyncIterator[AsyncIterator[Item]]:
    """Gives `items` in order, and while the caller works on one has the next made.

    Raises what `items` raises, once the caller asks for the item that could not be made. Leaving the block gives up
    what is being made.
    """
    upcoming = asyncio.ensure_future(anext(items))

    async def given() -> AsyncGenerator[Item]:
        nonlocal upcoming
        while True:
            try:
                item = await upcoming
            except StopAsyncIteration:
                return
            upcoming = asyncio.ensure_future(anext(items))
            yield item

    try:
        yield given()
    finally:
        upcoming.cancel()
        await asyncio.gather(upcoming, return_exceptions=True)
        await items.aclose()
