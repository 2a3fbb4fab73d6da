"""Where PostgreSQL and Notion are, as the environment says it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notion_pg_sync.settings import Settings, SettingsError, read_duration, read_settings, written_duration


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


@pytest.mark.parametrize("written", ["", "m", "15", "1.5h", "-1m", "٣m", "1w", f"{10**12}d", f"{'9' * 5000}s"])
def test_what_is_no_time_is_refused(written: str) -> None:
    with pytest.raises(SettingsError, match="such as 45m"):
        read_duration(written)


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
