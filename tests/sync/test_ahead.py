"""What is made ahead: in order, one at a time, its errors in their place, and given up with the block."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from notion_pg_sync.sync.ahead import one_ahead


class Maker:
    """Makes numbers, and remembers which; `fails_at` raises, `waits_at` waits for ever."""

    def __init__(self, fails_at: int = -1, waits_at: int = -1) -> None:
        self.fails_at, self.waits_at = fails_at, waits_at
        self.begun: list[int] = []
        self.is_closed = False

    async def numbers(self, count: int) -> AsyncGenerator[int]:
        try:
            for number in range(count):
                self.begun.append(number)
                await asyncio.sleep(0)
                if number == self.fails_at:
                    raise LookupError(str(number))
                if number == self.waits_at:
                    await asyncio.Event().wait()
                yield number
        finally:
            self.is_closed = True


@pytest.mark.parametrize("count", [0, 1, 5])
async def test_all_come_in_order(count: int) -> None:
    maker = Maker()
    async with one_ahead(maker.numbers(count)) as numbers:
        assert [number async for number in numbers] == list(range(count))
    assert maker.is_closed


async def test_the_next_is_made_meanwhile_and_no_more() -> None:
    maker = Maker()
    async with one_ahead(maker.numbers(5)) as numbers:
        async for number in numbers:
            for _ in range(20):
                await asyncio.sleep(0)
            assert maker.begun == list(range(min(number + 2, 5)))


async def test_an_error_comes_after_what_was_made_before_it() -> None:
    maker, came = Maker(fails_at=2), []
    with pytest.raises(LookupError):
        async with one_ahead(maker.numbers(5)) as numbers:
            async for number in numbers:
                came.append(number)
    assert came == [0, 1]
    assert maker.is_closed


@pytest.mark.parametrize("waits_at", [-1, 1])
async def test_leaving_gives_up_what_is_being_made(waits_at: int) -> None:
    maker = Maker(waits_at=waits_at)
    with pytest.raises(ZeroDivisionError):
        async with one_ahead(maker.numbers(5)) as numbers:
            async for _ in numbers:
                await asyncio.sleep(0)
                raise ZeroDivisionError
    assert maker.is_closed
    assert asyncio.all_tasks() == {asyncio.current_task()}
