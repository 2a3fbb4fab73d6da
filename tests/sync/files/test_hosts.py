"""From where files are fetched: Notion's storage alone, whatever an answer of Notion says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notion_pg_sync.settings import FILE_HOSTS
from notion_pg_sync.sync.files.hosts import FileHosts

STORAGE = FILE_HOSTS[0]
NOTIONS = FileHosts(FILE_HOSTS)
AT_8080 = FileHosts(FILE_HOSTS, loopback_port=8080)


@pytest.mark.parametrize(
    "url",
    [
        f"https://{STORAGE}/a/b/c.png?X-Amz-Signature=1",
        f"HTTPS://{STORAGE.upper()}/a/b/c%20d.png",
        f"https://{STORAGE}:443/a/b/c.png",
        "https://s3.us-west-2.amazonaws.com/secure.notion-static.com/b/c.png?X-Amz-Signature=1",
    ],
)
def test_notions_storage_is_allowed(url: str) -> None:
    assert NOTIONS.allow(url)


@pytest.mark.parametrize(
    "url",
    [
        f"http://{STORAGE}/a/b/c.png",
        f"https://{STORAGE}:8443/a/b/c.png",
        f"https://{STORAGE}.example.com/a/b/c.png",
        f"https://evil.example.com/{STORAGE}/c.png",
        f"https://{STORAGE}@evil.example.com/c.png",
        f"https://evil.example.com\\@{STORAGE}/c.png",
        f"https://evil.example.com#@{STORAGE}/c.png",
        f"https://{STORAGE}\n.example.com/c.png",
        f"https://{STORAGE}./c.png",
        f"https://{STORAGE}",
        f"//{STORAGE}/c.png",
        f"ftp://{STORAGE}/c.png",
        "file:///etc/passwd",
        "https://169.254.169.254/latest/meta-data",
        "https://127.0.0.1/a",
        "http://localhost:8080/a",
        "https://s3.us-west-2.amazonaws.com/another.bucket/b/c.png",
        "https://s3.us-west-2.amazonaws.com/secure.notion-static.com",
        "https://s3.us-west-2.amazonaws.com/secure.notion-static.com.evil/c.png",
        "https://s3.us-west-2.amazonaws.com/secure.notion-static.com/../another.bucket/c.png",
        "https://s3.us-west-2.amazonaws.com/secure.notion-static.com/%2E%2e/another.bucket/c.png",
        "",
    ],
)
def test_nothing_else_is(url: str) -> None:
    assert not NOTIONS.allow(url)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "127.9.9.9"])
def test_this_machine_is_allowed_where_notion_is_this_machine(host: str) -> None:
    for scheme in ("http", "https"):
        url = f"{scheme}://{host}:8080/a/b"
        assert AT_8080.allow(url)
        assert not NOTIONS.allow(url)


@pytest.mark.parametrize("url", ["http://127.0.0.1/a", "http://127.0.0.1:5432/a", "https://localhost/a"])
def test_what_else_this_machine_serves_is_not(url: str) -> None:
    assert not AT_8080.allow(url)


@pytest.mark.parametrize("host", ["10.0.0.1", "127.0.0.1.example.com", "example.com", "0.0.0.0", "[::]"])
def test_no_other_machine_of_the_network_is_then(host: str) -> None:
    assert not AT_8080.allow(f"http://{host}:8080/a/b")


@given(st.text(max_size=60), st.sampled_from(["", "https://", f"https://{STORAGE}", f"https://{STORAGE}/"]))
def test_whatever_it_says_an_address_is_allowed_or_not(rest: str, beginning: str) -> None:
    url = beginning + rest
    assert not NOTIONS.allow(url) or url.lower().startswith((f"https://{STORAGE}/", f"https://{STORAGE}:443/"))
