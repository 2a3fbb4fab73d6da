"""Connections of the pool: what is given up while it waits for one has none."""

from __future__ import annotations

import asyncio

import psycopg
import pytest

from notion_pg_sync.mirror.connection import open_pool, transaction


@pytest.mark.parametrize("turns", range(12))
async def test_what_is_given_up_as_its_connection_comes_is_given_up(database_url: str, turns: int) -> None:
    """However many turns of the event loop lie between the two."""
    never = asyncio.Event()

    async def works() -> None:
        async with transaction(pool):
            await never.wait()

    async with open_pool(database_url, most_connections=1) as pool:
        async with transaction(pool):
            waiting = asyncio.create_task(works())
            async with asyncio.timeout(30):
                while True:
                    await asyncio.sleep(0)
                    if pool.connections.get_stats()["requests_waiting"]:
                        break
        for _ in range(turns):
            await asyncio.sleep(0)
        waiting.cancel()
        done, _ = await asyncio.wait([waiting], timeout=5)
        assert done
        assert waiting.cancelled()
        async with asyncio.timeout(30), transaction(pool) as another:
            assert another.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS
