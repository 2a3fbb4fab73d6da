"""Where PostgreSQL and Notion are, as the environment says it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notion_pg_sync.settings import (
    FILE_HOSTS,
    Settings,
    SettingsError,
    read_duration,
    read_settings,
    read_size,
    written_duration,
    written_size,
)


def test_database_url_wins_over_libpqs_own_variables() -> None:
    assert read_settings({"DATABASE_URL": "postgresql://h/d", "PGHOST": "other"}).database_url == "postgresql://h/d"


def test_libpqs_own_variables_are_enough() -> None:
    assert read_settings({"PGSERVICE": "notion"}).database_url == ""


def test_nothing_says_where_postgresql_is() -> None:
    assert read_settings({"PGCONNECT_TIMEOUT": "3"}).database_url is None


def test_what_was_typed_stays_beside_what_the_environment_says() -> None:
    settings = read_settings(
        {"DATABASE_URL": "postgresql:///x"}, Settings(page_size=7, ping_url="https://ping.example/a")
    )
    assert (settings.page_size, settings.database_url) == (7, "postgresql:///x")
    assert settings.ping_url == "https://ping.example/a"


def test_an_address_to_ping_that_was_typed_wins_over_the_environments() -> None:
    environment = {"NOTION_PG_SYNC_PING_URL": "https://ping.example/b"}
    assert read_settings(environment).ping_url == "https://ping.example/b"
    assert read_settings(environment, Settings(ping_url="https://ping.example/a")).ping_url == "https://ping.example/a"


@given(st.timedeltas(min_value=timedelta(0)).map(lambda time: time - timedelta(microseconds=time.microseconds)))
def test_a_time_is_written_as_it_is_read(time: timedelta) -> None:
    assert read_duration(written_duration(time)) == time


@pytest.mark.parametrize("written", ["", "m", "1.5h", "-1m", "٣m", "1w", f"{10**12}d", f"{'9' * 5000}s"])
def test_what_is_no_time_is_refused(written: str) -> None:
    with pytest.raises(SettingsError, match="such as 45m"):
        read_duration(written)


def test_a_number_without_its_unit_is_asked_for_one() -> None:
    with pytest.raises(SettingsError, match="'15' has no unit: write 15s, 15m, 15h or 15d"):
        read_duration("15")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8000", "http://localhost:1", "http://[::1]:1", "https://proxy.example"]
)
def test_https_and_this_machine_are_allowed(url: str) -> None:
    assert read_settings({"NOTION_BASE_URL": f"{url}/v1/"}).notion_base_url == url


@pytest.mark.parametrize(
    "url", ["http://proxy.example", "ftp://localhost", "api.notion.com", "http://127.0.0.1.example"]
)
def test_tokens_never_go_over_a_network_unencrypted(url: str) -> None:
    with pytest.raises(SettingsError, match="NOTION_BASE_URL"):
        read_settings({"NOTION_BASE_URL": url})


def test_the_password_is_not_shown() -> None:
    assert "secret" not in repr(read_settings({"DATABASE_URL": "postgresql://u:secret@h/d"}))


def test_the_token_key_is_the_first_32_bytes_of_the_passphrase_and_is_not_shown() -> None:
    settings = read_settings({"NOTION_TOKEN_KEY": "ü" * 20}, Settings(token_key=b"of a flag"))
    assert settings.token_key == ("ü" * 16).encode()
    assert "token_key" not in repr(settings)
    assert read_settings({}, Settings(token_key=b"of a flag")).token_key is None
    assert read_settings({"NOTION_TOKEN_KEY": ""}).token_key is None


def test_a_short_token_key_is_refused_without_showing_it() -> None:
    with pytest.raises(SettingsError, match="32 bytes") as told:
        read_settings({"NOTION_TOKEN_KEY": "x" * 31})
    assert "xxx" not in str(told.value)


NOTION = {"DATABASE_URL": "postgresql:///x"}


@pytest.mark.parametrize(
    ("variables", "proxy"),
    [
        ({}, None),
        ({"HTTPS_PROXY": "http://proxy:3128"}, "http://proxy:3128"),
        ({"HTTPS_PROXY": "proxy:3128"}, "http://proxy:3128"),
        ({"HTTPS_PROXY": "http://one:1", "https_proxy": "http://two:2"}, "http://two:2"),
        ({"ALL_PROXY": "https://proxy"}, "https://proxy"),
        ({"HTTP_PROXY": "http://proxy:3128"}, None),
        ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "example.com, .Notion.com"}, None),
        ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "*"}, None),
        ({"HTTPS_PROXY": "http://proxy:3128", "no_proxy": "api.notion.com"}, None),
        ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "ion.com,,notion.com.example"}, "http://proxy:3128"),
    ],
)
def test_a_proxy_is_named_by_the_variables_that_curl_goes_by(variables: dict[str, str], proxy: str | None) -> None:
    settings = read_settings({**NOTION, **variables})
    assert settings.notion_proxy == proxy
    assert "proxy:" not in f"{settings}"


def test_what_does_not_leave_this_machine_goes_by_no_proxy() -> None:
    environment = {**NOTION, "HTTPS_PROXY": "http://proxy:3128", "NOTION_BASE_URL": "http://127.0.0.1:9"}
    assert read_settings(environment).notion_proxy is None


def test_a_folder_for_files_is_named_by_its_full_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A run of cron is in another folder than who tried it."""
    monkeypatch.chdir(tmp_path)
    assert read_settings({"NOTION_PG_SYNC_FILES": "kept/"}).files == str(tmp_path / "kept")
    assert read_settings({"NOTION_PG_SYNC_FILES": "/a"}, Settings(files="/b")).files == "/b"
    assert read_settings({"NOTION_PG_SYNC_FILES": ""}).files is None


def test_a_bucket_for_files_is_named_by_its_address() -> None:
    assert read_settings({"NOTION_PG_SYNC_FILES": "s3://bucket/a b/"}).files == "s3://bucket/a b"


@pytest.mark.parametrize("where", ["ftp://a/b", "https://bucket.s3.amazonaws.com/a", "s3://", "s3:///a", "s3://k:s@b"])
def test_what_keeps_no_files_is_refused_without_its_secrets(where: str) -> None:
    with pytest.raises(SettingsError, match="s3://bucket/prefix") as raised:
        read_settings({"NOTION_PG_SYNC_FILES": where})
    assert "k:s" not in str(raised.value)


@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"])
def test_a_store_is_spoken_to_unencrypted_on_this_machine_alone(name: str) -> None:
    assert read_settings({name: "http://127.0.0.1:8333"}).stores_in_clear
    assert not read_settings({name: "https://minio.example"}).stores_in_clear
    with pytest.raises(SettingsError, match=r"minio\.example would be spoken to unencrypted"):
        read_settings({name: "http://minio.example:9000"})
    assert read_settings({name: "http://minio.example:9000", "AWS_ALLOW_HTTP": "true"}).stores_in_clear


def test_hosts_of_files_are_those_that_are_named_or_notions() -> None:
    assert read_settings({"NOTION_PG_SYNC_FILE_HOSTS": "a.example, b.example/files,"}).file_hosts == (
        "a.example",
        "b.example/files",
    )
    assert read_settings({}).file_hosts == FILE_HOSTS


@pytest.mark.parametrize("written", ["https://a.example", "A.example", "a b", "*.example", "a.example:443"])
def test_what_is_no_host_is_refused(written: str) -> None:
    with pytest.raises(SettingsError, match="is not the name of a host"):
        read_settings({"NOTION_PG_SYNC_FILE_HOSTS": written})


@given(st.integers(min_value=0, max_value=10**9 - 1).map(lambda size: size * 1000))
def test_a_size_is_written_as_it_is_read(size: int) -> None:
    assert read_size(written_size(size)) == size


@pytest.mark.parametrize("written", ["", "GB", "5", "1.5GB", "-1MB", "٣MB", "1TB", f"{10**12}GB", f"{'9' * 5000}kB"])
def test_what_is_no_size_is_refused(written: str) -> None:
    with pytest.raises(SettingsError, match="such as"):
        read_size(written)
