"""What clients leave open for those that come after them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import httpx
import psutil
import pytest
from notion_workspace import SampleWorkspace, WorkspaceServer

from notion_pg_sync.notion.client import NOTION_VERSION, NotionClient, Retries
from notion_pg_sync.notion.connections import MOST_FREE, Connections
from notion_pg_sync.notion.errors import NotionError
from notion_pg_sync.notion.pacer import Pacer
from notion_pg_sync.notion.transport import Transport

ONCE = Retries(tries_again=1, backs_off=1)


@pytest.fixture
def workspace() -> SampleWorkspace:
    return SampleWorkspace()


@pytest.fixture
def server(workspace: SampleWorkspace) -> Iterator[WorkspaceServer]:
    with WorkspaceServer(workspace) as server:
        yield server


def opened(server: WorkspaceServer, secret: str, connections: Connections | None) -> NotionClient:
    return NotionClient(
        secret, base_url=server.url, pacer=Pacer(180), retries=ONCE, connections=connections, concurrency=MOST_FREE
    )


def sockets(server: WorkspaceServer) -> set[int]:
    """The ports of this process whose other end is the server."""
    port = urlsplit(server.url).port
    return {
        one.laddr.port
        for one in psutil.Process().net_connections("tcp")
        if one.raddr and one.raddr.port == port and one.status == psutil.CONN_ESTABLISHED
    }


async def test_a_client_goes_on_with_what_another_left_open_and_is_itself_all_the_same(
    workspace: SampleWorkspace, server: WorkspaceServer
) -> None:
    secrets = [workspace.add_token(name).secret for name in ("ada", "ben")]
    seen, names = [], []
    async with Connections() as connections:
        for secret in secrets:
            async with opened(server, secret, connections) as client:
                names.append((await client.me()).name)
            seen.append(sockets(server))
        assert seen[0] == seen[1]
        assert len(seen[0]) == 1
    assert len(set(names)) == 2
    assert sockets(server) == set()


async def test_requests_at_a_time_share_no_connection_and_of_many_some_are_kept(
    workspace: SampleWorkspace, server: WorkspaceServer
) -> None:
    count = MOST_FREE + 2
    clients = [workspace.add_token(name).secret for name in ("ada", "ben")]
    workspace.configure(latency=1)
    async with Connections() as connections:
        async with opened(server, clients[0], connections) as ada, opened(server, clients[1], connections) as ben:
            asked = asyncio.gather(*(client.me() for client in (ada, ben) for _ in range(count // 2)))
            async with asyncio.timeout(30):
                while True:
                    await asyncio.sleep(0.02)
                    if len(sockets(server)) == count:
                        break
            assert len({bot.name for bot in await asked}) == 2
        assert len(sockets(server)) == MOST_FREE
    assert sockets(server) == set()


async def test_the_connection_that_was_left_last_is_gone_on_with(
    workspace: SampleWorkspace, server: WorkspaceServer
) -> None:
    async with Connections() as connections, opened(server, workspace.add_token("ada").secret, connections) as client:
        await asyncio.gather(*(client.me() for _ in range(5)))
        opened_before = sockets(server)
        for _ in range(10):
            await client.me()
        assert sockets(server) == opened_before


async def test_what_was_given_up_or_broke_off_is_not_gone_on_with(
    workspace: SampleWorkspace, server: WorkspaceServer
) -> None:
    secret = workspace.add_token("ada").secret
    async with Connections() as connections:
        async with opened(server, secret, connections) as client:
            workspace.configure(latency=30)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):
                    await client.me()
            workspace.requests.clear()
            workspace.configure(latency=0)
            # The workspace answers what was given up, too.
            async with asyncio.timeout(30):
                while True:
                    await asyncio.sleep(0.02)
                    if workspace.requests.all():
                        break
        async with opened(server, secret, connections) as client:
            workspace.faults.add("cut", times=1)
            with pytest.raises(NotionError):
                await client.me()
        async with opened(server, secret, connections) as client:
            assert (await client.me()).name


async def test_requests_that_are_given_up_at_any_moment_hold_up_no_other(
    workspace: SampleWorkspace, server: WorkspaceServer
) -> None:
    moments = random.Random(20)
    headers = {"Authorization": f"Bearer {workspace.add_token('ada').secret}", "Notion-Version": NOTION_VERSION}
    async with (
        Connections() as connections,
        httpx.AsyncClient(
            base_url=server.url, transport=Transport(connections), headers=headers, timeout=60.0
        ) as client,
    ):

        async def asked(seconds: float | None) -> None:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    assert (await client.get("/v1/users/me")).status_code == 200

        for _ in range(30):
            await asyncio.gather(*(asked(moments.expovariate(200)) for _ in range(12)))
            # One that waits for a connection for ever is a PoolTimeout.
            await asyncio.gather(*(asked(None) for _ in range(12)))


async def test_a_client_of_its_own_closes_what_it_opened(workspace: SampleWorkspace, server: WorkspaceServer) -> None:
    async with opened(server, workspace.add_token("ada").secret, None) as client:
        await client.me()
        assert len(sockets(server)) == 1
    assert sockets(server) == set()
