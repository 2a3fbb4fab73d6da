"""What the sample workspace's tests share: a served workspace, clients, whole listings."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from notion_workspace import SampleWorkspace, SmallWorkspace, WorkspaceServer, small_workspace

Connect = Callable[..., httpx.Client]
ReadAll = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Serves a workspace and gives a client for one of its tokens: connect(workspace, label, version)."""
    with ExitStack() as stack:
        urls: dict[int, str] = {}

        def connected(workspace: SampleWorkspace, label: str = "anna", version: str = "2026-03-11") -> httpx.Client:
            if id(workspace) not in urls:
                urls[id(workspace)] = stack.enter_context(WorkspaceServer(workspace)).url
            secret = next(token.secret for token in workspace.state.tokens.values() if token.label == label)
            headers = {"Authorization": f"Bearer {secret}", "Notion-Version": version}
            # Certificates are not needed on loopback, and slow to load.
            return stack.enter_context(httpx.Client(base_url=urls[id(workspace)], headers=headers, verify=False))

        yield connected


@pytest.fixture
def small() -> SmallWorkspace:
    """The standard workspace, made anew."""
    return small_workspace()


@pytest.fixture
def workspace() -> SampleWorkspace:
    """An empty workspace with the token `anna`."""
    made = SampleWorkspace()
    made.add_token("anna")
    return made


@pytest.fixture
def read_all() -> ReadAll:
    """Reads a query to its end: read_all(client, data_source_id, **body)."""

    def read(client: httpx.Client, data_source_id: str, **body: Any) -> list[dict[str, Any]]:
        pages: list[dict[str, Any]] = []
        answer: dict[str, Any] = {"has_more": True, "next_cursor": None}
        while answer["has_more"]:
            cursor = {"start_cursor": answer["next_cursor"]} if answer["next_cursor"] else {}
            response = client.post(f"/v1/data_sources/{data_source_id}/query", json={**body, **cursor})
            assert response.status_code == 200, response.text
            answer = response.json()
            pages.extend(answer["results"])
        return pages

    return read
