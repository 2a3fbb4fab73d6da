"""The client against a server that behaves as Notion does, and misbehaves as it does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from notion_client.errors import HTTPResponseError
from notion_workspace import DatabaseHandle, SampleWorkspace, WorkspaceServer
from notion_workspace.literals import number, title

from notion_pg_sync.core.errors import ErrorCode
from notion_pg_sync.notion.client import Bot, NotionClient, Retries
from notion_pg_sync.notion.errors import NotionError, explain
from notion_pg_sync.notion.pacer import Pacer

QUICK = Retries(waits=4, tries_again=3, backs_off=6, first_back_off=0.001, longest_back_off=0.002)
EVERYTHING = {"sorts": [{"timestamp": "created_time", "direction": "ascending"}]}


@pytest.fixture
def workspace() -> SampleWorkspace:
    workspace = SampleWorkspace()
    workspace.add_token("ada")
    return workspace


@pytest.fixture
def characters(workspace: SampleWorkspace) -> DatabaseHandle:
    rows = [{"Name": f"Character {index}", "Age": index} for index in range(30)]
    handle = workspace.add_database("Characters", {"Name": title(), "Age": number()}, rows)
    workspace.share("ada", handle.id)
    return handle


@pytest.fixture
def server(workspace: SampleWorkspace) -> Iterator[WorkspaceServer]:
    with WorkspaceServer(workspace) as server:
        yield server


def token_of(workspace: SampleWorkspace) -> str:
    return next(iter(workspace.state.tokens))


@pytest.fixture
async def client(workspace: SampleWorkspace, server: WorkspaceServer) -> AsyncIterator[NotionClient]:
    async with NotionClient(token_of(workspace), base_url=server.url, pacer=Pacer(180), retries=QUICK) as client:
        yield client


@pytest.mark.parametrize(
    "kind",
    [
        "500",
        "502",
        "502_html",
        "503",
        "503_database",
        "504",
        "529",
        "409",
        "cut",
        "cut_body",
        "truncated_json",
        "not_json",
    ],
)
async def test_what_passes_is_tried_again_for_reads_and_for_queries(
    client: NotionClient, workspace: SampleWorkspace, characters: DatabaseHandle, kind: str
) -> None:
    workspace.faults.add(kind, times=2, seconds=0)
    assert (await client.database(characters.id))["id"] == characters.id
    workspace.faults.add(kind, times=2, seconds=0)
    answer = await client.query(characters.data_source_id, EVERYTHING, 100)
    assert len(answer.pages) == 30
    assert (client.traffic.requests, client.traffic.retries) == (6, 4)


@pytest.mark.parametrize("kind", ["500", "502_html", "503", "504", "cut", "truncated_json"])
async def test_what_does_not_pass_fails_in_bounded_tries_and_says_so(
    client: NotionClient, workspace: SampleWorkspace, characters: DatabaseHandle, kind: str
) -> None:
    workspace.faults.add(kind)
    with pytest.raises(NotionError, match="Notion"):
        await client.database(characters.id)
    assert client.traffic.requests == QUICK.backs_off


@pytest.mark.parametrize(
    ("kind", "how"),
    [
        ("portal_json", r"it answered 200 with application/json, by portal"),
        ("portal_html", r"it answered 200 with text/html, by portal"),
        ("portal_redirect", r"it sends to login\.example, by portal"),
    ],
)
async def test_what_is_not_notion_is_told_as_that_and_accepts_no_token(
    client: NotionClient, workspace: SampleWorkspace, characters: DatabaseHandle, kind: str, how: str
) -> None:
    workspace.faults.add(kind)
    asked = (client.me, lambda: client.database(characters.id), lambda: client.query(characters.id, EVERYTHING, 100))
    for ask in asked:
        with pytest.raises(NotionError, match=rf"what answers at 127\.0\.0\.1 is not Notion \({how}\)") as caught:
            await ask()
        assert caught.value.code == ErrorCode.NETWORK
        assert caught.value.look.startswith("curl -sv http://127.0.0.1:")
    workspace.faults.clear()
    workspace.faults.add(kind, times=1)
    assert (await client.database(characters.id))["id"] == characters.id


async def test_retry_after_is_waited_for_by_every_request_of_the_token(
    client: NotionClient, workspace: SampleWorkspace, characters: DatabaseHandle
) -> None:
    workspace.faults.add("429", times=1, seconds=1)
    await client.database(characters.id)
    statuses = [request.status for request in workspace.requests.all()]
    assert statuses == [429, 200]


async def test_a_retry_after_of_more_than_a_minute_is_not_cut_short(
    workspace: SampleWorkspace, server: WorkspaceServer, characters: DatabaseHandle
) -> None:
    workspace.faults.add("429", seconds=300)
    async with NotionClient(
        token_of(workspace), base_url=server.url, pacer=Pacer(180), retries=Retries(waits=1)
    ) as client:
        with pytest.raises(NotionError, match="rate limit"):
            await client.database(characters.id)
        assert 290 < client.pacer.delay() <= 300


@pytest.mark.parametrize(
    ("fault", "ends_minute"),
    [
        ({"kind": "429"}, True),
        ({"kind": "429", "reason": "public_api_space_request_rate_limit"}, False),
        ({"kind": "429", "reason": "public_api_endpoint_rate_limit"}, False),
        ({"kind": "429", "reason": None}, False),
        ({"kind": "429_html"}, False),
        ({"kind": "529"}, False),
    ],
)
async def test_only_the_limit_of_the_token_itself_tells_when_a_minute_ends(
    workspace: SampleWorkspace, server: WorkspaceServer, fault: dict[str, Any], ends_minute: bool
) -> None:
    workspace.faults.add(**fault, seconds=20)
    async with NotionClient(
        token_of(workspace), base_url=server.url, pacer=Pacer(180), retries=Retries(waits=1)
    ) as client:
        with pytest.raises(NotionError) as caught:
            await client.me()
    assert caught.value.ends_minute is ends_minute


async def test_a_blocked_token_is_not_tried_again(
    client: NotionClient, workspace: SampleWorkspace, characters: DatabaseHandle
) -> None:
    workspace.block_token("ada")
    with pytest.raises(NotionError, match="blocks the requests") as caught:
        await client.database(characters.id)
    assert caught.value.code == "public_api_request_blocked"
    assert client.traffic.requests == 1


async def test_a_revoked_token_and_a_database_that_is_not_shared_are_told_apart(
    client: NotionClient, workspace: SampleWorkspace, characters: DatabaseHandle
) -> None:
    workspace.unshare("ada", characters.id)
    with pytest.raises(NotionError, match="not there or not shared") as caught:
        await client.database(characters.id)
    assert caught.value.code == "object_not_found"
    workspace.revoke_token("ada")
    with pytest.raises(NotionError, match="does not accept the token") as caught:
        await client.database(characters.id)
    assert caught.value.code == "unauthorized"
    # The id might have been a data source's.
    assert client.traffic.requests == 3


@pytest.mark.parametrize("blemish", ["\n", " ", "ü", "\x00"])
async def test_a_token_that_cannot_be_sent_is_not_told_to_anybody(
    workspace: SampleWorkspace, server: WorkspaceServer, characters: DatabaseHandle, blemish: str
) -> None:
    async with NotionClient(
        f"{token_of(workspace)}{blemish}", base_url=server.url, pacer=Pacer(180), retries=QUICK
    ) as client:
        with pytest.raises(NotionError, match="not allowed in a token") as caught:
            await client.database(characters.id)
    assert caught.value.code == "unauthorized"
    assert token_of(workspace) not in f"{caught.value}"
    assert workspace.requests.all() == []


async def test_a_token_says_whom_it_acts_as(workspace: SampleWorkspace, server: WorkspaceServer) -> None:
    personal = workspace.add_token("grace", "personal", workspace.add_user("Grace"))
    async with NotionClient(token_of(workspace), base_url=server.url, pacer=Pacer(180)) as client:
        assert await client.me() == Bot("ada integration", "Sample workspace")
    async with NotionClient(personal.secret, base_url=server.url, pacer=Pacer(180)) as client:
        assert await client.me() == Bot("Grace", None)


async def test_a_refusal_by_the_network_is_not_taken_for_a_missing_permission(
    client: NotionClient, workspace: SampleWorkspace, characters: DatabaseHandle
) -> None:
    workspace.faults.add("403_html")
    with pytest.raises(NotionError, match="network rule") as caught:
        await client.database(characters.id)
    assert caught.value.code == "network"


@pytest.mark.parametrize("kind", ["502", "502_html", "503", "504"])
async def test_an_overloaded_notion_is_asked_for_smaller_pages(
    client: NotionClient, workspace: SampleWorkspace, characters: DatabaseHandle, kind: str
) -> None:
    workspace.faults.add(kind, times=3)
    answer = await client.query(characters.data_source_id, EVERYTHING, 100)
    assert [request.body["page_size"] for request in workspace.requests.all()] == [100, 100, 50, 25]
    assert (len(answer.pages), answer.page_size, answer.in_time) == (25, 25, 25)
    assert answer.has_more


async def test_less_is_asked_for_where_a_page_is_too_large(
    client: NotionClient, workspace: SampleWorkspace, characters: DatabaseHandle
) -> None:
    padding = "x" * 3_000_000

    def padded(body: dict[str, Any]) -> dict[str, Any]:
        return {**body, "results": [{**page, "padding": padding} for page in body["results"]]}

    workspace.faults.add("rewrite", rewrite=padded)
    answer = await client.query(characters.data_source_id, EVERYTHING, 100)
    assert [request.body["page_size"] for request in workspace.requests.all()] == [100, 50, 25, 12, 6, 3]
    assert (len(answer.pages), answer.page_size, answer.in_time) == (3, 3, 100)


async def test_a_refused_cursor_is_told_as_such(
    client: NotionClient, workspace: SampleWorkspace, characters: DatabaseHandle
) -> None:
    first = await client.query(characters.data_source_id, EVERYTHING, 10)
    workspace.expire_cursors()
    with pytest.raises(NotionError) as caught:
        await client.query(characters.data_source_id, {**EVERYTHING, "start_cursor": first.next_cursor}, 10)
    assert caught.value.code == ErrorCode.CURSOR_REJECTED


async def test_an_answer_that_is_too_large_is_refused(
    client: NotionClient, workspace: SampleWorkspace, characters: DatabaseHandle
) -> None:
    workspace.faults.add("big", megabytes=70)
    with pytest.raises(NotionError, match="too large"):
        await client.database(characters.id)
    assert client.traffic.requests == 1


async def test_no_request_is_under_way_beyond_the_limit(
    workspace: SampleWorkspace, server: WorkspaceServer, characters: DatabaseHandle
) -> None:
    async with NotionClient(token_of(workspace), base_url=server.url, pacer=Pacer(180), concurrency=3) as client:
        workspace.configure(latency=0.02)
        most = 0

        async def watch() -> None:
            nonlocal most
            while True:
                most = max(most, 3 - client._slots._value)
                await asyncio.sleep(0.001)

        watcher = asyncio.ensure_future(watch())
        await asyncio.gather(*(client.database(characters.id) for _ in range(12)))
        watcher.cancel()
    assert most == 3


async def test_an_answer_says_when_it_was_asked_for_by_notions_clock(
    client: NotionClient, workspace: SampleWorkspace, characters: DatabaseHandle
) -> None:
    answer = await client.data_source(characters.data_source_id)
    assert answer.asked_at.isoformat().startswith("2026-11-02T09:30:2")


@pytest.mark.parametrize("date", ["Thu, 31 Dec 2099 23:59:59 GMT", "Fri, 31 Dec 9999 23:59:59 -1200", "soon", ""])
async def test_an_answer_from_the_future_or_without_a_time_counts_by_this_machines_clock(
    client: NotionClient, workspace: SampleWorkspace, characters: DatabaseHandle, date: str
) -> None:
    workspace.faults.add("date", date=date)
    before = datetime.now(UTC)
    answer = await client.data_source(characters.data_source_id)
    assert before - timedelta(seconds=1) <= answer.asked_at <= datetime.now(UTC)


async def test_a_retry_after_that_is_a_date_goes_by_the_clock_of_whoever_says_it() -> None:
    headers = {"date": "Mon, 02 Nov 2026 09:30:00 GMT", "retry-after": "Mon, 02 Nov 2026 09:30:40 GMT"}
    error = HTTPResponseError("rate_limited", 429, "slow down", httpx.Headers(headers), "{}")
    assert explain(error, "it").wait_seconds == 40


@pytest.mark.parametrize("said", ["inf", "nan", "1e999", "soon"])
async def test_a_retry_after_that_is_no_time_is_as_none(said: str) -> None:
    error = HTTPResponseError("rate_limited", 429, "slow down", httpx.Headers({"retry-after": said}), "{}")
    assert explain(error, "it").wait_seconds is None


async def test_counts_are_kept_apart_while_pace_is_shared(client: NotionClient, characters: DatabaseHandle) -> None:
    first, second = client.with_own_traffic(), client.with_own_traffic()
    await first.database(characters.id)
    assert (first.traffic.requests, second.traffic.requests) == (1, 0)
    assert first.pacer is second.pacer


async def test_the_token_shows_in_nothing_that_is_printed(
    client: NotionClient, workspace: SampleWorkspace, characters: DatabaseHandle, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    workspace.faults.add("500", times=1)
    await client.database(characters.id)
    workspace.revoke_token("ada")
    with pytest.raises(NotionError) as caught:
        await client.database(characters.id)
    shown = caplog.text + repr(client) + str(caught.value) + repr(caught.value)
    assert token_of(workspace) not in shown
