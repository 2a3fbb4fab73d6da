"""The receivers of examples/webhooks, run as the page shows them, get requests as Notion sends them, and worse ones."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from notion_workspace.events import signature
from psycopg.conninfo import conninfo_to_dict

from tests.mirror.conftest import NOBODYS, Copies, Event, page_event
from tests.node import NpmProject, npm_project
from tests.security.conftest import statements_shown
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "webhooks"
PACKAGES = ("typescript@5.9.3", "pg@8.16.3", "@types/pg@8.15.5", "@types/node@22.18.0")
TOKEN = "secret_tMrlL1qK5vuQAh1b6cZGhFChZTSYJlce98V0pYn7yBl"

_STRICT = {"strict": True, "noUncheckedIndexedAccess": True, "noUnusedLocals": True, "types": ["node"]}
# As in Node, and as a new application of Next.js has it.
COMPILERS = {
    "node": {**_STRICT, "target": "es2022", "module": "nodenext"},
    "next": {
        **_STRICT,
        "target": "es2017",
        "lib": ["dom", "dom.iterable", "esnext"],
        "module": "esnext",
        "moduleResolution": "bundler",
        "isolatedModules": True,
        "skipLibCheck": True,
        "noEmit": True,
    },
}


@dataclass
class Receiver:
    """A receiver at work; what it writes goes to `log`."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def written(self) -> str:
        return self.log.read_text(encoding="utf-8")

    @property
    def url(self) -> str:
        found = re.search(r"running on (http://127\.0\.0\.1:\d+)", self.written)
        assert found
        return found[1]

    def post(self, body: bytes, signed: str | None) -> int:
        headers = {"Content-Type": "application/json", **({"X-Notion-Signature": signed} if signed else {})}
        return httpx.post(self.url, content=body, headers=headers, timeout=60).status_code

    def deliver(self, event: object) -> int:
        """As Notion does."""
        body = json.dumps(event).encode()
        return self.post(body, signature(body, TOKEN))


Command = tuple[list[str], Path]
Start = Callable[[str | None], Receiver]


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> NpmProject:
    """The route, compiled."""
    made = npm_project(tmp_path_factory.mktemp("route"), *PACKAGES)
    for file in (EXAMPLES / "route.ts", Path(__file__).parent / "serve_route.mjs"):
        shutil.copy(file, made.folder)
    for name, options in COMPILERS.items():
        settings = {"compilerOptions": options, "files": ["route.ts"]}
        (made.folder / f"tsconfig.{name}.json").write_text(json.dumps(settings), encoding="utf-8")
        compiled = made.run("tsc", "--project", f"tsconfig.{name}.json")
        assert compiled.returncode == 0, compiled.stdout
    return made


@pytest.fixture(params=["python", pytest.param("typescript", marks=pytest.mark.slow)])
def command(request: pytest.FixtureRequest) -> Command:
    """What starts a receiver, and where."""
    if request.param == "python":
        return [sys.executable, "-m", "uvicorn", "receiver:app", "--host", "127.0.0.1", "--port", "0"], EXAMPLES
    return ["node", "serve_route.mjs"], request.getfixturevalue("project").folder


@pytest.fixture
def role(copies: Copies) -> Iterator[str]:
    """A role of an application, with the rights that the page gives it."""
    name = f"app_{uuid4().hex}"
    copies.execute(f"CREATE ROLE {name} LOGIN")
    for block in statements_shown("webhooks.md", "role"):
        copies.execute(block.replace("app_webhooks", name))
    yield name
    copies.execute(f"DROP OWNED BY {name}; DROP ROLE {name}")


def url_of(database_url: str, role: str) -> str:
    """A URL that libpq and node-postgres both read; a socket's folder is in the query."""
    place = {key: str(value) for key, value in conninfo_to_dict(database_url).items()}
    return f"postgresql://{role}@/{place['dbname']}?host={place['host']}&port={place.get('port', '5432')}"


@pytest.fixture
def start(copies: Copies, role: str, command: Command, tmp_path: Path) -> Iterator[Start]:
    """Starts the receiver, with this token or without one."""
    words, folder = command
    with ExitStack() as stack:

        def started(token: str | None) -> Receiver:
            environment: Mapping[str, str] = {
                "PATH": os.environ["PATH"],
                "PYTHONDONTWRITEBYTECODE": "1",
                "DATABASE_URL": url_of(copies.url, role),
                **({} if token is None else {"NOTION_VERIFICATION_TOKEN": token}),
            }
            log = tmp_path / f"log.{uuid4().hex}"
            with log.open("wb") as opened:
                process = subprocess.Popen(words, cwd=folder, env=environment, stdout=opened, stderr=opened)
            stack.callback(process.wait, 60)
            stack.callback(process.send_signal, signal.SIGTERM)
            receiver = Receiver(process, log)
            wait_until(lambda: "running on http" in receiver.written or process.poll() is not None)
            return receiver

        yield started


@pytest.fixture
def receiver(start: Start) -> Receiver:
    return start(TOKEN)


@pytest.fixture
def event(copies: Copies) -> Event:
    """One on a page that anna and ben have."""
    return copies.event("page.properties_updated", copies.page("Worlds"), updated=["title"])


def test_a_signed_event_asks_for_the_page(receiver: Receiver, copies: Copies, event: Event) -> None:
    assert receiver.deliver(event) == 200
    page = event["entity"]["id"]
    assert copies.waiting() == {("anna", "Worlds", page), ("ben", "Worlds", page)}
    assert TOKEN not in receiver.written


def test_what_is_signed_are_the_bytes_as_they_came(receiver: Receiver, copies: Copies, event: Event) -> None:
    body = json.dumps({**event, "workspace_name": "Café"}, ensure_ascii=False, indent=3).encode() + b"\n"
    assert receiver.post(body, signature(body, TOKEN)) == 200
    assert len(copies.waiting()) == 2


def test_a_body_that_comes_in_pieces_is_one(receiver: Receiver, copies: Copies, event: Event) -> None:
    body = json.dumps(event).encode()
    pieces = (body[begin : begin + 50] for begin in range(0, len(body), 50))
    answer = httpx.post(
        receiver.url, content=pieces, headers={"X-Notion-Signature": signature(body, TOKEN)}, timeout=60
    )
    assert answer.status_code == 200
    assert len(copies.waiting()) == 2


def test_what_is_not_signed_by_notion_asks_for_nothing(receiver: Receiver, copies: Copies, event: Event) -> None:
    body = json.dumps(event).encode()
    right = signature(body, TOKEN)
    wrong = [
        *(None, "", "sha256=", right.removeprefix("sha256="), right[:-1], f"{right}0", right.replace("256", "512")),
        *(signature(body, "another token"), signature(body, ""), signature(body + b" ", TOKEN)),
    ]
    assert [receiver.post(body, one) for one in wrong] == [401] * len(wrong)
    assert (copies.waiting(), copies.counted()) == (set(), (0, 0))
    assert receiver.post(body, right) == 200


def test_a_replay_asks_for_nothing_more(receiver: Receiver, copies: Copies, event: Event) -> None:
    body = json.dumps({**event, "timestamp": "2024-12-05T23:55:34.285Z"}).encode()
    assert [receiver.post(body, signature(body, TOKEN)) for _ in range(8)] == [200] * 8
    assert len(copies.waiting()) == 2
    # Once it was served, a replay has the page read once more, and no more than that.
    copies.execute("UPDATE notion_sync.sync_requests SET status = 'succeeded', ended_at = now()")
    assert [receiver.post(body, signature(body, TOKEN)) for _ in range(3)] == [200] * 3
    assert len(copies.waiting()) == 2


@pytest.mark.parametrize("kind", ["workspace.renamed", "comment.created", "page.unheard_of"])
def test_every_type_is_taken(receiver: Receiver, copies: Copies, kind: str) -> None:
    assert receiver.deliver(page_event(NOBODYS, kind=kind)) == 200
    assert copies.waiting() == set()
    assert copies.counted()[0] == 1


def test_what_is_no_event_is_refused_and_the_next_is_served(receiver: Receiver, copies: Copies, event: Event) -> None:
    malformed = [
        *(b"", b"{", b"[]", b"null", b'"text"', json.dumps(json.dumps(event)).encode(), b"\xff\xfe", b"\x00"),
        *(b'{"type": "page.created\\u0000"}', b'{"type": NaN}', b"type=page.created"),
    ]
    assert [receiver.post(body, signature(body, TOKEN)) for body in malformed] == [400] * len(malformed)
    assert copies.waiting() == set()
    assert receiver.deliver(event) == 200


def test_what_is_too_large_is_not_read(receiver: Receiver, copies: Copies, event: Event) -> None:
    """It may be cut off before it is answered."""
    for more in (1_000_000, 30_000_000):
        with suppress(httpx.TransportError):
            assert receiver.deliver({**event, "more": "x" * more}) == 413
    assert copies.waiting() == set()
    assert receiver.deliver({**event, "more": "x" * 900_000}) == 200


def test_only_posts_are_taken(receiver: Receiver) -> None:
    assert httpx.get(receiver.url, timeout=60).status_code == 405


def test_what_postgresql_does_not_take_is_for_notion_to_send_again(
    receiver: Receiver, copies: Copies, role: str, event: Event
) -> None:
    copies.execute(f"REVOKE EXECUTE ON FUNCTION notion_sync.receive_webhook(jsonb) FROM {role}")
    assert receiver.deliver(event) == 500
    copies.execute(f"GRANT EXECUTE ON FUNCTION notion_sync.receive_webhook(jsonb) TO {role}")
    assert receiver.deliver(event) == 200
    assert TOKEN not in receiver.written


def test_the_first_request_shows_the_token_and_nothing_else_is_let_in_before(
    start: Start, copies: Copies, event: Event
) -> None:
    receiver = start(None)
    assert receiver.deliver(event) == 503
    assert receiver.post(b"{", None) == 503
    body = json.dumps({"verification_token": TOKEN}).encode()
    assert receiver.post(body, signature(body, TOKEN)) == 200
    wait_until(lambda: TOKEN in receiver.written)
    assert copies.counted() == (0, 0)
    # Set up with it, the same request is one without a type.
    receiver = start(TOKEN)
    assert receiver.post(body, signature(body, TOKEN)) == 200
    assert receiver.deliver(event) == 200
    assert (len(copies.waiting()), copies.counted()) == (2, (1, 0))


def test_nothing_that_a_stranger_sends_instead_makes_a_line_of_its_own(start: Start) -> None:
    receiver = start(None)
    body = json.dumps({"verification_token": "x\nINFO: all is well\x1b[2J"}).encode()
    assert receiver.post(body, None) == 200
    wait_until(lambda: "NOTION_VERIFICATION_TOKEN" in receiver.written)
    assert "INFO: all is well" not in [line[:17] for line in receiver.written.splitlines()]
    assert "\x1b[2J" not in receiver.written


@pytest.mark.parametrize(("name", "language"), [("receiver.py", "python"), ("route.ts", "ts")])
def test_the_page_shows_the_receivers_as_they_are(name: str, language: str) -> None:
    page = (ROOT / "docs" / "webhooks.md").read_text(encoding="utf-8")
    text = (EXAMPLES / name).read_text(encoding="utf-8")
    assert re.findall(rf"^```{language}\n(.*?)^```", page, re.DOTALL | re.MULTILINE) == [text]
    assert len(text.splitlines()) <= 60
