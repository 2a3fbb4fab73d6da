"""The client against a Notion that counts in each way in which it may count, over HTTP and in shorter minutes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from notion_workspace import SampleWorkspace, WorkspaceServer

from notion_pg_sync.notion.client import NotionClient
from notion_pg_sync.notion.pacer import Pacer

pytestmark = pytest.mark.slow

LIMIT = 20


async def read(minute: float, wanted: int, **settings: Any) -> list[tuple[float, int]]:
    """Reads so often, as many at once as a client makes: when each answer was given, by seconds since the first, and
    its status.
    """
    workspace = SampleWorkspace()
    secret = workspace.add_token("ada").secret
    workspace.configure(rate_limit=LIMIT, rate_window=minute, **settings)
    workspace.clock.run()
    pacer = Pacer(LIMIT, lowest_limit=1, minute=minute)
    with WorkspaceServer(workspace) as server:
        async with NotionClient(secret, base_url=server.url, pacer=pacer) as client:
            await asyncio.gather(*(client.me() for _ in range(wanted)))
    requests = workspace.requests.all()
    assert sum(one.status == 200 for one in requests) == wanted
    return [((one.time - requests[0].time) / 1000, one.status) for one in requests]


async def test_a_minute_that_ends_early_is_followed_by_a_whole_budget() -> None:
    answers = await read(12.0, 2 * LIMIT, rate_phase=9.0)
    assert [status for _, status in answers].count(429) == 1
    # Without trying, nothing past the first budget would have begun in the first 12 seconds.
    assert all(at < 12 for at, _ in answers)


async def test_further_budgets_begin_as_minutes_do() -> None:
    answers = await read(3.0, 4 * LIMIT, rate_phase=1.0)
    assert [status for _, status in answers].count(429) == 1


@pytest.mark.parametrize("kind", ["by_request", "sliding"])
async def test_where_windows_may_slide_one_is_refused_and_no_more(kind: str) -> None:
    answers = await read(3.0, 3 * LIMIT, rate_windows=kind)
    assert [status for _, status in answers].count(429) == 1
