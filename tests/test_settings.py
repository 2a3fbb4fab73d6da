"""Where PostgreSQL and Notion are, as the environment says it."""

from __future__ import annotations

import pytest

from notion_pg_sync.settings import SettingsError, read_settings


def test_database_url_wins_over_libpqs_own_variables() -> None:
    assert read_settings({"DATABASE_URL": "postgresql://h/d", "PGHOST": "other"}).database_url == "postgresql://h/d"


def test_libpqs_own_variables_are_enough() -> None:
    assert read_settings({"PGSERVICE": "notion"}).database_url == ""


def test_nothing_says_where_postgresql_is() -> None:
    assert read_settings({"PGCONNECT_TIMEOUT": "3"}).database_url is None


def test_a_flag_that_was_not_given_leaves_the_default() -> None:
    assert read_settings({}, page_size=None).page_size == 100


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
    settings = read_settings({"NOTION_TOKEN_KEY": "ü" * 20}, token_key="of a flag")
    assert settings.token_key == ("ü" * 16).encode()
    assert "token_key" not in repr(settings)
    assert read_settings({}, token_key="of a flag").token_key is None
    assert read_settings({"NOTION_TOKEN_KEY": ""}).token_key is None


def test_a_short_token_key_is_refused_without_showing_it() -> None:
    with pytest.raises(SettingsError, match="32 bytes") as told:
        read_settings({"NOTION_TOKEN_KEY": "x" * 31})
    assert "xxx" not in str(told.value)
