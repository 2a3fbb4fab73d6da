"""What docs/files.md shows, of asking for files and of serving them, works."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from notion_workspace import File
from notion_workspace.literals import files, title

from notion_pg_sync.sync.files.refusals import why_unusable
from tests.fences import ROOT, blocks
from tests.files.conftest import WELL, BucketPart, FileSite, Store
from tests.s3_server import Bucket
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

PAGE = ROOT / "docs" / "files.md"
STORED_AS = "anna/0d5f6f0e/Angebot für 5 %.html"
HTML = b"<script>alert(1)</script>"


class _Application(BaseHTTPRequestHandler):
    """An application that lets everybody see the one file, and leaves sending it to nginx."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("X-Accel-Redirect", f"/kept/{quote(STORED_AS if self.path == '/file' else 'link')}")
        self.send_header("Content-Type", "text/html")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Says nothing."""


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def answers(port: int) -> bool:
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def application() -> Iterator[int]:
    """The port of the application."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Application) as server:
        threading.Thread(target=server.serve_forever).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture
def files_of_nginx(tmp_path: Path, application: int) -> Iterator[str]:
    """The address of a real nginx with the configuration that the page shows, and a folder with a file."""
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if nginx is None:
        pytest.skip("there is no nginx here: apt-get install nginx")
    folder, port = tmp_path / "files", free_port()
    (folder / STORED_AS).parent.mkdir(parents=True)
    (folder / STORED_AS).write_bytes(HTML)
    (folder / "link").symlink_to("/etc/passwd")
    (shown,) = blocks(PAGE, "nginx")
    for written, here in (
        ("listen 8080", f"listen 127.0.0.1:{port}"),
        ("http://127.0.0.1:3000", f"http://127.0.0.1:{application}"),
        ("/srv/notion-files/", f"{folder}/"),
    ):
        assert written in shown
        shown = shown.replace(written, here)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {tmp_path}/{kind};" for kind in kinds)
    configuration = tmp_path / "nginx.conf"
    # Of root's folders of the tests nobody else reads any.
    user = "user root;" if os.geteuid() == 0 else ""
    configuration.write_text(
        f"daemon off; {user} pid {tmp_path}/pid; events {{}} http {{ access_log off; {temporary}\n{shown} }}",
        encoding="utf-8",
    )
    command = [nginx, "-p", str(tmp_path), "-e", str(tmp_path / "error.log"), "-c", str(configuration)]
    tested = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert tested.returncode == 0, tested.stderr
    running = subprocess.Popen(command)
    try:
        wait_until(lambda: answers(port))
        yield f"http://127.0.0.1:{port}"
    finally:
        running.terminate()
        running.wait()


def test_nginx_sends_what_the_application_lets_be_seen_and_nothing_else(files_of_nginx: str) -> None:
    with httpx.Client(base_url=files_of_nginx) as client:
        answer = client.get("/file")
        assert (answer.status_code, answer.content) == (200, HTML)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"].startswith("sandbox")
        assert client.get(f"/kept/{quote(STORED_AS)}").status_code == 404
        assert client.get("/link").status_code == 403


CONTRACT = File("Contract.pdf", "5d1f7c2e-0001/Contract.pdf")
COVER = File("cover", "5d1f7c2e-0002/cover.jpg")
LARGE = File("Film.mp4", "5d1f7c2e-0003/Film.mp4")


def with_contracts(site: FileSite) -> None:
    """A user with a contract: of two documents one is kept, and so is the cover."""
    rows = [{"Name": "Ferry", "Documents": [CONTRACT, LARGE]}]
    handle = site.workspace.add_database("Contracts", {"Name": title(), "Documents": files()}, rows)
    site.workspace.share("anna", "Contracts")
    site.workspace.set_pictures(site.workspace.page_ids("Contracts")[0], None, COVER)
    site.workspace.files.describe(LARGE.url, size=2_000_000)
    site.connect("somebody", site.small.tokens["anna"], json.dumps({"Contracts": handle.id}))
    site.execute("INSERT INTO notion_sync.accounts (user_id, views) VALUES ('somebody', true)")
    assert site.sync("--largest-file", "1MB") == WELL


def test_what_is_asked_of_files_is_answered(site: FileSite) -> None:
    with_contracts(site)
    contract, cover = (site.kept("somebody")[site.path(file)][0] for file in (CONTRACT, COVER))
    in_rows, by_file, elsewhere, not_kept = (site.execute(statement) for statement in blocks(PAGE, "sql files"))
    ((name, urls, kept),) = in_rows
    assert (name, isinstance(urls, list) and len(urls), kept) == ("Ferry", 2, [contract, None])
    assert [(row[0], row[2]) for row in by_file] == [("Ferry", contract), ("Ferry", None)]
    assert [row[1:4] for row in elsewhere] == [("cover", "cover.jpg", cover)]
    ((path, failure, *_),) = not_kept
    assert path == site.path(LARGE)
    assert "--largest-file" in str(failure)


def test_the_application_signs_addresses_of_a_bucket(
    site_with: Callable[[Store], FileSite], bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = site_with(BucketPart(bucket, "prefix"))
    with_contracts(site)
    key = site.kept("somebody")[site.path(CONTRACT)][0]
    for name, value in bucket.environment.items():
        monkeypatch.setenv(name, value)
    (shown,) = blocks(PAGE, "python")
    assert "s3://notion-files/prefix" in shown
    names: dict[str, Any] = {}
    exec(shown.replace("s3://notion-files/prefix", site.store.where), names)
    address = names["address_of"](key)
    answer = httpx.get(address)
    assert (answer.status_code, answer.content) == (200, site.store.content(key))
    assert httpx.get(address.partition("?")[0]).status_code == 403


def test_the_rights_that_are_shown_are_those_that_a_refusal_asks_for() -> None:
    policy, rule = (json.loads(one) for one in blocks(PAGE, "json"))
    on_objects, on_bucket = policy["Statement"]
    assert all(action in why_unusable("s3://b", "403 Forbidden") for action in on_objects["Action"])
    assert on_objects["Resource"] == f"{on_bucket['Resource']}/prefix/*"
    assert rule["Rules"][0]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
