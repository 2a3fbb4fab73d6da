"""Hosted files: served from addresses whose signatures end, large ones too, and spoiled on demand."""

import hashlib
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest

from notion_workspace import File, Mention, SampleWorkspace, WorkspaceServer
from notion_workspace.literals import files, title

Connect = Callable[..., httpx.Client]
NAME = "5d1f7c2e/plan %41 ü\n.png"
PLAN = File("Plan", NAME)
EMOJI = Mention("custom_emoji", "7e57ab1e", ":fox:")


@pytest.fixture
def served(workspace: SampleWorkspace) -> Iterator[SampleWorkspace]:
    """A page with a file in each place, at a workspace that serves them."""
    workspace.configure(serve_files=True)
    workspace.add_database(
        "Plans", {"Name": title(), "Files": files()}, rows=[{"Name": ["One ", EMOJI], "Files": [PLAN]}]
    )
    workspace.share("anna", "Plans")
    page_id = workspace.page_ids("Plans")[0]
    workspace.set_pictures(page_id, EMOJI, File("cover", "c0ffee/cover.jpg"))
    workspace.set_body(page_id, [{"type": "image", "stored_file": File("image", "b0d1/image.gif")}])
    with WorkspaceServer(workspace):
        yield workspace


@pytest.fixture
def page(served: SampleWorkspace, connect: Connect) -> Callable[[], dict[str, Any]]:
    return lambda: connect(served).get(f"/v1/pages/{served.page_ids('Plans')[0]}").json()


@pytest.fixture
def address(page: Callable[[], dict[str, Any]]) -> Callable[[], str]:
    """A new address of the file in the property."""
    return lambda: str(page()["properties"]["Files"]["files"][0]["file"]["url"])


def code(answer: httpx.Response) -> str | None:
    return ElementTree.fromstring(answer.text).findtext("Code")


def test_a_file_is_fetched_from_every_place(
    served: SampleWorkspace, connect: Connect, page: Callable[[], dict[str, Any]]
) -> None:
    shown = page()
    markdown = connect(served).get(f"/v1/pages/{shown['id']}/markdown").json()["markdown"]
    block = connect(served).get(f"/v1/blocks/{shown['id']}/children").json()["results"][0]
    addresses = {
        NAME: shown["properties"]["Files"]["files"][0]["file"]["url"],
        "c0ffee/cover.jpg": shown["cover"]["file"]["url"],
        "7e57ab1e.png": shown["icon"]["custom_emoji"]["url"],
        "b0d1/image.gif": markdown.removeprefix("![](").removesuffix(")"),
    }
    for name, url in [*addresses.items(), ("b0d1/image.gif", block["image"]["file"]["url"])]:
        answer = httpx.get(url)
        assert (answer.status_code, len(answer.content)) == (200, served.files.size(name)), name
        assert hashlib.sha256(answer.content).hexdigest() == served.files.sha256(name)
        assert answer.headers["Content-Type"] == served.files.media_type(name)
    assert shown["properties"]["Name"]["title"][1]["mention"]["custom_emoji"]["url"].partition("?")[0] in {
        url.partition("?")[0] for url in addresses.values()
    }


def test_a_file_is_called_by_its_name_or_by_its_addresss_path(
    served: SampleWorkspace, address: Callable[[], str]
) -> None:
    path = httpx.URL(address()).raw_path.decode().partition("?")[0]
    assert path.endswith("/5d1f7c2e/plan%20%2541%20%C3%BC%0A.png")
    served.files.describe(path, size=7, media_type="text/odd")
    assert (served.files.size(NAME), served.files.media_type(NAME)) == (7, "text/odd")
    answer = httpx.get(address())
    assert (len(answer.content), answer.headers["Content-Type"]) == (7, "text/odd")


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 200_000])
def test_a_file_has_as_many_bytes_as_are_set(served: SampleWorkspace, address: Callable[[], str], size: int) -> None:
    served.configure(file_size=size)
    content = httpx.get(address()).content
    assert (len(content), hashlib.sha256(content).hexdigest()) == (size, served.files.sha256(NAME))


def test_a_file_has_the_bytes_that_it_was_given_until_another_size_is_set(
    served: SampleWorkspace, address: Callable[[], str]
) -> None:
    served.files.put(NAME, b"<svg/>")
    assert httpx.get(address()).content == b"<svg/>"
    assert served.files.sha256(NAME) == hashlib.sha256(b"<svg/>").hexdigest()
    assert httpx.get(address(), headers={"Range": "bytes=4-"}).content == b"/>"
    served.files.describe(NAME, size=9)
    assert len(httpx.get(address()).content) == 9


def test_the_rest_of_a_file_is_sent_where_only_that_is_asked_for(
    served: SampleWorkspace, address: Callable[[], str]
) -> None:
    served.configure(file_size=200_000)
    whole = httpx.get(address()).content
    rest = httpx.get(address(), headers={"Range": "bytes=70000-"})
    assert (rest.status_code, rest.content) == (206, whole[70_000:])
    assert rest.headers["Content-Range"] == "bytes 70000-199999/200000"
    assert httpx.get(address(), headers={"Range": "bytes=200000-"}).status_code == 416


def test_500_megabytes_need_no_memory(served: SampleWorkspace, address: Callable[[], str]) -> None:
    served.files.describe(NAME, size=500_000_000)
    url = address()
    tracemalloc.start()
    with httpx.stream("GET", url) as answer:
        received = sum(len(piece) for piece in answer.iter_raw())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert received == 500_000_000
    assert peak < 20_000_000


def test_a_signature_ends_by_the_workspaces_clock(served: SampleWorkspace, address: Callable[[], str]) -> None:
    url = address()
    served.clock.advance(3599)
    assert httpx.get(url).status_code == 200
    served.clock.advance(1)
    answer = httpx.get(url)
    assert (answer.status_code, answer.headers["Content-Type"]) == (403, "application/xml")
    assert [element.tag for element in ElementTree.fromstring(answer.text)][:2] == ["Code", "Message"]
    assert "<Message>Request has expired</Message>" in answer.text
    assert httpx.get(address()).status_code == 200


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda url: url.partition("?")[0], "AccessDenied"),
        (lambda url: url.replace("X-Amz-Expires=3600", "X-Amz-Expires=7200"), "SignatureDoesNotMatch"),
        (lambda url: url.replace("X-Amz-Date=2026", "X-Amz-Date=2027"), "SignatureDoesNotMatch"),
        (lambda url: url.replace("/5d1f7c2e/", "/c0ffee/"), "SignatureDoesNotMatch"),
        (lambda url: url.replace("X-Amz-Signature=", "X-Amz-Signature=1"), "SignatureDoesNotMatch"),
    ],
)
def test_another_signature_is_refused(
    served: SampleWorkspace, address: Callable[[], str], spoil: Callable[[str], str], told: str
) -> None:
    answer = httpx.get(spoil(address()))
    assert (answer.status_code, code(answer)) == (403, told)


def test_a_file_that_is_gone_is_not_found(served: SampleWorkspace, address: Callable[[], str]) -> None:
    served.files.remove(NAME)
    answer = httpx.get(address())
    assert (answer.status_code, code(answer)) == (404, "NoSuchKey")
    served.files.restore(NAME)
    assert httpx.get(address()).status_code == 200


def test_requests_for_files_are_counted_apart(served: SampleWorkspace, address: Callable[[], str]) -> None:
    served.configure(rate_limit=1)
    served.faults.add("503", path="/5d1f7c2e/")
    url = address()
    for _ in range(3):
        assert httpx.get(url).status_code == 200
    assert httpx.head(url).status_code == 403
    assert served.requests.counts() == {"page": 1}
    assert served.files.counts() == {"200": 3, "403": 1}
    first = served.files.listed()[0]
    assert (first["path"], first["is_whole"]) == (httpx.URL(url).raw_path.decode().partition("?")[0], True)
    served.files.clear()
    assert served.files.counts() == {}


def test_it_is_told_how_many_were_under_way_at_once(served: SampleWorkspace, address: Callable[[], str]) -> None:
    served.configure(file_latency=0.3)
    url = address()
    with ThreadPoolExecutor(3) as pool:
        assert [answer.status_code for answer in pool.map(httpx.get, [url] * 3)] == [200] * 3
    assert served.files.most_at_once() == 3


@pytest.mark.parametrize(
    ("kind", "status", "told"), [("403", 403, "AccessDenied"), ("404", 404, "NoSuchKey"), ("503", 503, "SlowDown")]
)
def test_storage_refuses_on_demand(
    served: SampleWorkspace, address: Callable[[], str], kind: str, status: int, told: str
) -> None:
    served.files.faults.add(kind, times=1)
    answer = httpx.get(address())
    assert (answer.status_code, code(answer)) == (status, told)
    assert httpx.get(address()).status_code == 200


@pytest.mark.parametrize("kind", ["cut", "cut_body", "too_long", "stall"])
def test_a_file_that_is_cut_is_an_error(served: SampleWorkspace, address: Callable[[], str], kind: str) -> None:
    served.files.faults.add(kind, times=1, path="/5d1f7c2e/", seconds=0.1)
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(address())
    assert httpx.get(address()).status_code == 200


def test_a_file_that_comes_short_fits_its_length(served: SampleWorkspace, address: Callable[[], str]) -> None:
    served.files.faults.add("too_short", times=1)
    assert len(httpx.get(address()).content) == served.files.size(NAME) // 2
    assert not served.files.listed()[0]["is_whole"]


def test_a_file_may_come_without_its_length(served: SampleWorkspace, address: Callable[[], str]) -> None:
    served.files.faults.add("unmeasured", times=1)
    answer = httpx.get(address())
    assert "Content-Length" not in answer.headers
    assert hashlib.sha256(answer.content).hexdigest() == served.files.sha256(NAME)


def test_a_slow_file_comes_whole(served: SampleWorkspace, address: Callable[[], str]) -> None:
    served.files.faults.add("slow", times=1, seconds=0.2)
    answer = httpx.get(address())
    assert answer.elapsed.total_seconds() >= 0.2
    assert len(answer.content) == served.files.size(NAME)


def test_a_redirection_leads_out_of_the_files(served: SampleWorkspace, address: Callable[[], str]) -> None:
    served.files.faults.add("redirect")
    answer = httpx.get(address())
    assert (answer.status_code, httpx.URL(answer.headers["Location"]).path.split("/")[1]) == (302, "elsewhere")


def test_kinds_of_the_api_are_no_faults_of_files(served: SampleWorkspace) -> None:
    with pytest.raises(ValueError, match="no fault of kind 'not_json'"):
        served.files.faults.add("not_json")


def test_nothing_is_served_that_is_not_asked_for(workspace: SampleWorkspace, connect: Connect) -> None:
    """By default hosted files are at Notion's address, where the signature is of no use."""
    workspace.add_database("Plans", {"Name": title(), "Files": files()}, rows=[{"Name": "One", "Files": [PLAN]}])
    workspace.share("anna", "Plans")
    shown = connect(workspace).get(f"/v1/pages/{workspace.page_ids('Plans')[0]}").json()
    url = httpx.URL(shown["properties"]["Files"]["files"][0]["file"]["url"])
    assert (url.scheme, url.host) == ("https", "prod-files-secure.s3.us-west-2.amazonaws.com")
