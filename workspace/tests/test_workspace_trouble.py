"""Trouble on demand: rate limits, faults, latency; the request log and the hook."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from notion_workspace import Request, SampleWorkspace, SmallWorkspace, WorkspaceServer
from notion_workspace.literals import title

Connect = Callable[..., httpx.Client]
ME = "/v1/users/me"


def test_a_window_of_requests_is_refused_when_full(workspace: SampleWorkspace, connect: Connect) -> None:
    workspace.configure(rate_limit=3)
    client = connect(workspace)
    answers = [client.get(ME) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    body = answers[3].json()
    assert body["code"] == "rate_limited"
    assert body["additional_data"]["rate_limit_reason"] == "public_api_request_rate_limit"
    assert body["additional_data"]["retry_after"] == answers[3].headers["Retry-After"]
    assert 58 <= int(answers[3].headers["Retry-After"]) <= 60


def test_each_token_has_a_window_of_its_own(workspace: SampleWorkspace, connect: Connect) -> None:
    workspace.configure(rate_limit=1)
    workspace.add_token("ben")
    anna, ben = connect(workspace, "anna"), connect(workspace, "ben")
    assert [client.get(ME).status_code for client in (anna, anna, ben)] == [200, 429, 200]


def test_the_next_window_lets_requests_in_again(workspace: SampleWorkspace, connect: Connect) -> None:
    workspace.configure(rate_limit=1, rate_window=0.2)
    client = connect(workspace)
    while client.get(ME).status_code == 200:
        pass
    refused = time.monotonic()
    while client.get(ME).status_code == 429:
        assert time.monotonic() - refused < 5


def test_the_workspace_limit_may_tell_to_wait_longer_than_a_minute(
    workspace: SampleWorkspace, connect: Connect
) -> None:
    workspace.configure(workspace_limit=1, workspace_retry_after=300)
    workspace.add_token("ben")
    connect(workspace, "anna").get(ME)
    answer = connect(workspace, "ben").get(ME)
    assert answer.headers["Retry-After"] == "300"
    assert answer.json()["additional_data"]["rate_limit_reason"] == "public_api_space_request_rate_limit"


def test_windows_slide_where_they_are_steered_to(workspace: SampleWorkspace, connect: Connect) -> None:
    client = connect(workspace)
    settings = {"rate_limit": 2, "rate_windows": "sliding", "rate_phase": "random"}
    assert client.post("/_workspace/configure", json=settings).status_code == 200
    answers = [client.get(ME) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 55 <= int(answers[2].headers["Retry-After"]) <= 60


@pytest.mark.parametrize("reason", ["public_api_space_request_rate_limit", "public_api_endpoint_rate_limit", None])
def test_a_refusal_has_the_reason_that_is_asked_for(
    workspace: SampleWorkspace, connect: Connect, reason: str | None
) -> None:
    workspace.faults.add("429", times=1, seconds=7, reason=reason)
    body = connect(workspace).get(ME).json()
    assert body["additional_data"].get("rate_limit_reason") == reason
    assert body["additional_data"]["retry_after"] == "7"


def test_a_blocked_token_is_told_so(workspace: SampleWorkspace, connect: Connect) -> None:
    client = connect(workspace)
    workspace.block_token("anna")
    assert client.get(ME).json()["additional_data"]["rate_limit_reason"] == "public_api_request_blocked"
    workspace.unblock_token("anna")
    assert client.get(ME).status_code == 200


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("409", 409, "conflict_error"), ("429", 429, "rate_limited"), ("500", 500, "internal_server_error"),
        ("502", 502, "bad_gateway"), ("503", 503, "service_unavailable"), ("504", 504, "gateway_timeout"),
        ("503_database", 503, "database_connection_unavailable"), ("529", 529, "service_overload"),
    ],
)  # fmt: skip
def test_errors_of_notion(workspace: SampleWorkspace, connect: Connect, kind: str, status: int, code: str) -> None:
    workspace.faults.add(kind, times=1)
    client = connect(workspace)
    answer = client.get(ME)
    assert (answer.status_code, answer.json()["code"], answer.json()["object"]) == (status, code, "error")
    assert "x-notion-request-id" in answer.headers
    assert client.get(ME).status_code == 200


@pytest.mark.parametrize(("kind", "status"), [("502_html", 502), ("403_html", 403), ("429_html", 429)])
def test_answers_of_cloudflare(workspace: SampleWorkspace, connect: Connect, kind: str, status: int) -> None:
    workspace.faults.add(kind)
    answer = connect(workspace).get(ME)
    assert (answer.status_code, answer.headers["Content-Type"].partition(";")[0]) == (status, "text/html")
    assert "cf-ray" in answer.headers
    assert "x-notion-request-id" not in answer.headers


@pytest.mark.parametrize("kind", ["cut", "cut_body", "stall"])
def test_connections_that_are_cut(workspace: SampleWorkspace, connect: Connect, kind: str) -> None:
    workspace.faults.add(kind, times=1, seconds=0.01)
    client = connect(workspace)
    with pytest.raises(httpx.TransportError):
        client.get(ME)
    assert client.get(ME).status_code == 200


def test_a_stall_outlasts_the_clients_patience(workspace: SampleWorkspace, connect: Connect) -> None:
    workspace.faults.add("stall", seconds=0.5)
    with pytest.raises(httpx.ReadTimeout):
        connect(workspace).get(ME, timeout=httpx.Timeout(5, read=0.05))


def test_a_pair_is_answered_once_both_are_under_way(workspace: SampleWorkspace, connect: Connect) -> None:
    workspace.faults.add("pair", seconds=0.05)
    client = connect(workspace)
    with pytest.raises(httpx.TransportError):
        client.get(ME)
    workspace.faults.clear()
    workspace.faults.add("pair", seconds=10)
    with ThreadPoolExecutor() as threads:
        assert [one.status_code for one in threads.map(client.get, [ME, ME])] == [200, 200]


@pytest.mark.parametrize("kind", ["truncated_json", "not_json"])
def test_answers_that_are_no_json(workspace: SampleWorkspace, connect: Connect, kind: str) -> None:
    workspace.faults.add(kind)
    answer = connect(workspace).get(ME)
    assert answer.status_code == 200
    with pytest.raises(ValueError, match="line 1"):
        answer.json()


@pytest.mark.parametrize(("kind", "status"), [("portal_json", 200), ("portal_html", 200), ("portal_redirect", 302)])
def test_somebody_else_answers_for_notion(workspace: SampleWorkspace, connect: Connect, kind: str, status: int) -> None:
    workspace.faults.add(kind)
    answer = connect(workspace).get(ME, follow_redirects=False)
    assert answer.status_code == status
    assert "x-notion-request-id" not in answer.headers
    assert "request_id" not in answer.text


@pytest.mark.parametrize("kind", ["big", "big_packed"])
def test_a_big_answer(workspace: SampleWorkspace, connect: Connect, kind: str) -> None:
    workspace.faults.add(kind, megabytes=3)
    answer = connect(workspace).get(ME)
    assert len(answer.content) > 3 * 1024 * 1024
    assert answer.json()["object"] == "user"


def test_a_slow_answer(workspace: SampleWorkspace, connect: Connect) -> None:
    workspace.faults.add("slow", seconds=0.1)
    began = time.monotonic()
    assert connect(workspace).get(ME).status_code == 200
    assert time.monotonic() - began >= 0.1


def test_a_listing_without_end(small: SmallWorkspace, connect: Connect) -> None:
    small.workspace.faults.add("endless", path="/query$")
    client, path = connect(small.workspace), f"/v1/data_sources/{small.data_sources['Three']}/query"
    first = client.post(path, json={}).json()
    assert first["has_more"] is True
    assert client.post(path, json={}).json()["next_cursor"] == first["next_cursor"]


def test_wrong_types_and_missing_properties(small: SmallWorkspace, connect: Connect) -> None:
    client, path = connect(small.workspace), f"/v1/data_sources/{small.data_sources['Three']}/query"
    small.workspace.faults.add("wrong_types", times=1)
    assert isinstance(client.post(path, json={}).json()["results"][0]["id"], int)
    small.workspace.faults.add("without_properties", times=1)
    pages = client.post(path, json={}).json()["results"]
    assert len(pages) == 3
    assert all("properties" not in page for page in pages)


def test_answers_may_be_rewritten_at_will(workspace: SampleWorkspace, connect: Connect) -> None:
    workspace.faults.add("rewrite", rewrite=lambda body: {**body, "name": "changed"})
    assert connect(workspace).get(ME).json()["name"] == "changed"
    with pytest.raises(ValueError, match="no fault of kind"):
        workspace.faults.add("rewrite")
    with pytest.raises(ValueError, match="no fault of kind"):
        workspace.faults.add("earthquake")


def test_how_often_a_fault_strikes(workspace: SampleWorkspace, connect: Connect) -> None:
    client = connect(workspace)

    def statuses() -> list[int]:
        return [client.get(ME).status_code for _ in range(6)]

    workspace.faults.add("500", every=3)
    assert statuses() == [200, 200, 500, 200, 200, 500]
    workspace.faults.clear()
    workspace.faults.add("500", times=2)
    assert statuses() == [500, 500, 200, 200, 200, 200]
    workspace.faults.clear()
    by_chance = []
    for _ in range(2):
        workspace.faults.add("500", probability=0.5, seed=7)
        by_chance.append(statuses())
        workspace.faults.clear()
    assert by_chance[0] == by_chance[1]
    assert set(by_chance[0]) == {200, 500}


def test_a_fault_may_strike_a_path_or_a_token(workspace: SampleWorkspace, connect: Connect) -> None:
    workspace.add_token("ben")
    anna, ben = connect(workspace, "anna"), connect(workspace, "ben")
    workspace.faults.add("500", path="^/v1/users$")
    workspace.faults.add("503", token="ben", path="/me$")
    assert [anna.get(ME).status_code, anna.get("/v1/users").status_code, ben.get(ME).status_code] == [200, 500, 503]


async def test_slow_answers_overlap(workspace: SampleWorkspace) -> None:
    workspace.configure(latency=0.3)
    secret = next(iter(workspace.state.tokens))
    headers = {"Authorization": f"Bearer {secret}", "Notion-Version": "2026-03-11"}
    with WorkspaceServer(workspace) as server:
        async with httpx.AsyncClient(base_url=server.url, headers=headers) as client:
            began = time.monotonic()
            answers = await asyncio.gather(*(client.get(ME) for _ in range(10)))
            assert 0.3 <= time.monotonic() - began < 2.5
    assert [answer.status_code for answer in answers] == [200] * 10


def test_requests_are_noted(small: SmallWorkspace, connect: Connect) -> None:
    workspace, anna = small.workspace, connect(small.workspace)
    path = f"/v1/data_sources/{small.data_sources['Three']}/query"
    anna.post(path, json={"page_size": 5}, params={"filter_properties": "title"})
    workspace.faults.add("cut", times=1)
    with pytest.raises(httpx.TransportError):
        anna.get(ME)
    anna.get(ME, headers={"Authorization": "Bearer nonsense"})
    anna.get("/v1/nonsense")
    noted = workspace.requests.all()
    assert [(one.token, one.kind, one.status) for one in noted] == [
        ("anna", "query", 200), ("anna", "users_me", 0), ("", "users_me", 401), ("anna", "unknown", 400)
    ]  # fmt: skip
    assert (noted[0].method, noted[0].path, noted[0].body) == (
        "POST", f"{path}?filter_properties=title", {"page_size": 5}
    )  # fmt: skip
    assert noted[0].time == workspace.clock.now
    assert workspace.requests.counts() == {"query": 1, "users_me": 2, "unknown": 1}
    assert workspace.requests.counts(token="anna") == {"query": 1, "users_me": 1, "unknown": 1}
    workspace.requests.clear()
    assert workspace.requests.all() == []


def test_the_hook_is_called_before_each_answer(workspace: SampleWorkspace, connect: Connect) -> None:
    seen: list[Any] = []

    def hook(request: Request) -> None:
        seen.append((request.method, request.path))
        workspace.set_capabilities("anna", read_users=False)

    workspace.on_request(hook)
    assert connect(workspace).get("/v1/users").status_code == 403
    assert seen == [("GET", "/v1/users")]


def test_a_page_may_be_answered_oddly_until_it_is_healed(workspace: SampleWorkspace, connect: Connect) -> None:
    notes = workspace.add_database("Notes", {"Name": title()}, [{"Name": "one"}, {"Name": "two"}])
    workspace.share("anna", "Notes")
    odd, other = workspace.page_ids("Notes")
    client = connect(workspace)
    query = f"/v1/data_sources/{notes.data_source_id}/query"
    newest_first = {"sorts": [{"timestamp": "created_time", "direction": "descending"}]}

    def listed(**body: Any) -> dict[str, Any]:
        return {page["id"]: page for page in client.post(query, json=body).json()["results"]}

    workspace.spoil_page(odd, "fails")
    assert [client.post(query, json=body).status_code for body in ({}, {"page_size": 1}, newest_first)].count(500) >= 2
    assert client.get(f"/v1/pages/{odd}").status_code == 200
    workspace.spoil_page(odd, "fails", alone=True)
    assert client.get(f"/v1/pages/{odd}").status_code == 500
    workspace.spoil_page(odd, "id_only")
    assert (listed()[odd], "properties" in listed()[other]) == ({"object": "page", "id": odd}, True)
    workspace.spoil_page(odd, "in_trash")
    assert (listed()[odd]["in_trash"], listed()[other]["in_trash"]) == (True, False)
    workspace.heal_page(odd)
    assert listed()[odd]["in_trash"] is False
    with pytest.raises(ValueError, match="no oddity 'sings'"):
        workspace.spoil_page(odd, "sings")
