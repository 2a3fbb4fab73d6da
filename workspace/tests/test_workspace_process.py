"""The workspace as a process of its own, steered over HTTP; the standard workspace; the same seed, the same content."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import httpx
import orjson
import pytest

from notion_workspace import SampleWorkspace, WorkspaceServer, small_workspace
from notion_workspace.odd_databases import NASTY_NAMES

Connect = Callable[..., httpx.Client]
Steer = Callable[..., httpx.Response]


@pytest.fixture
def steer(workspace: SampleWorkspace) -> Iterator[Steer]:
    with WorkspaceServer(workspace) as server, httpx.Client(base_url=server.url, verify=False) as client:
        yield lambda method, **arguments: client.post(f"/_workspace/{method}", json=arguments)


def test_a_process_of_its_own_ends_cleanly_on_sigterm() -> None:
    command = [sys.executable, "-m", "notion_workspace", "--scenario", "generated", "--rows", "7"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url.startswith("http://127.0.0.1:")
        lines = httpx.get(f"{url}/_workspace/truth", params={"data_source": "Rows"}).text.splitlines()
        assert len({orjson.loads(line)["id"] for line in lines}) == 7
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=10)
    assert (process.returncode, errors) == (0, "")


def test_a_port_that_is_taken_or_none_is_told_in_a_sentence(workspace: SampleWorkspace) -> None:
    with WorkspaceServer(workspace) as server:
        taken = server.url.rpartition(":")[2]
        for port, says in ((taken, "address already in use"), ("65536", "is not a port"), ("x", "invalid port value")):
            command = [sys.executable, "-m", "notion_workspace", "--port", port]
            ended = subprocess.run(command, capture_output=True, text=True, check=False)
            assert (ended.returncode, says in ended.stderr, "Traceback" in ended.stderr) == (2, True, False), (
                ended.stderr
            )


def test_the_same_methods_steer_from_another_process(workspace: SampleWorkspace, steer: Steer) -> None:
    handle = steer(
        "add_database",
        name="Zoo",
        properties={
            "Age": {"type": "number"},
            "Kind": {"type": "select", "options": ["Cat"]},
            "Born": {"type": "date"},
        },
        rows=[{"Name": "Alpha", "Age": 3, "Kind": "Cat", "Born": "2026-01-01"}],
    ).json()
    page_id = steer("page_ids", data_source=handle["data_source_id"]).json()[0]
    steer("clock.advance", seconds=3600)
    assert steer("edit_page", page_id=page_id, values={"Age": 4}).json() is None
    row = steer("truth", data_source="Zoo").json()[page_id]
    assert row == workspace.truth("Zoo")[page_id]
    assert (row["properties"]["Age"], row["last_edited_time"]) == (4, "2026-11-02T10:30:00.000Z")
    token = steer("add_token", label="ben").json()
    steer("share", token="ben", database="Zoo")
    assert handle["id"] in workspace.state.tokens[token["secret"]].shared
    steer("configure", cursor_kind="anchor", latency=0)
    steer("faults.add", kind="500", times=1)
    assert workspace.state.settings.cursor_kind == "anchor"
    assert steer("requests.counts").json() == {}


def test_styled_text_comes_from_another_process_too(workspace: SampleWorkspace, steer: Steer) -> None:
    steer("add_database", name="Zoo", properties={"Text": {"type": "rich_text"}})
    parts = ["plain ", {"content": "bold", "style": ["bold"]}, {"expression": "x^2"}]
    page_id = steer("add_page", data_source="Zoo", values={"Text": parts}).json()
    items = workspace.complete_page(page_id)["properties"]["Text"]["rich_text"]
    assert [(item["plain_text"], item["annotations"]["bold"]) for item in items] == [
        ("plain ", False),
        ("bold", True),
        ("x^2", False),
    ]


@pytest.mark.parametrize(
    "method", ["nope", "state", "_build", "answer", "faults.meet", "clock.__init__", "lock.acquire"]
)
def test_nothing_else_may_be_called(steer: Steer, method: str) -> None:
    answer = steer(method)
    assert (answer.status_code, "no steering method" in answer.json()["error"]) == (400, True)


def test_wrong_arguments_are_told(steer: Steer) -> None:
    assert "TypeError" in steer("configure", nope=1).json()["error"]
    assert "LookupError" in steer("share", token="nobody", database="x").json()["error"]
    assert "ValueError" in steer("faults.add", kind="earthquake").json()["error"]


def test_the_server_listens_on_loopback_alone(workspace: SampleWorkspace) -> None:
    with WorkspaceServer(workspace) as server:
        assert server.url.startswith("http://127.0.0.1:")


def test_the_same_seed_makes_the_same_workspace() -> None:
    first, second, other = small_workspace(5), small_workspace(5), small_workspace(6)
    assert (first.tokens, first.databases, first.data_sources) == (second.tokens, second.databases, second.data_sources)
    for source in first.data_sources.values():
        assert first.workspace.truth(source) == second.workspace.truth(source)
    page = first.workspace.page_ids("Everything")[3]
    assert first.workspace.complete_page(page) == second.workspace.complete_page(page)
    assert not set(first.databases.values()) & set(other.databases.values())


def test_the_standard_workspace_holds_what_tests_count_on(connect: Connect) -> None:
    small = small_workspace()
    sizes = {name: len(small.workspace.page_ids(source)) for name, source in small.data_sources.items()}
    assert sizes == {
        "Worlds": 12, "Characters": 40, "Stories": 30, "Chat Sessions": 250, "Authors": 15, "Books": 60, "Tasks": 90,
        "Empty": 0, "Three": 3, "Notes": 120, "One Hundred and One": 101, "Private": 5, "Everything": 45,
        "Nasty Names": 5,
    }  # fmt: skip
    assert set(small.shared["anna"]) & set(small.shared["ben"]) == {"Worlds"}
    schema = connect(small.workspace, "ben").get(f"/v1/data_sources/{small.data_sources['Nasty Names']}").json()
    assert set(schema["properties"]) == {"Name", *NASTY_NAMES}
