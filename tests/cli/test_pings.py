"""A monitoring service is told of each run, and a run never fails for it."""

from __future__ import annotations

import json
import uuid
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notion_pg_sync.commands.output.ping import address
from tests.cli.conftest import Command, Ended, Monitoring, Site

pytestmark = pytest.mark.slow


@pytest.fixture
def connected(site: Site) -> Site:
    site.connect("anna", site.small.tokens["anna"], json.dumps({"Worlds": site.small.databases["Worlds"]}))
    return site


def test_a_run_that_ends_well_is_told_with_its_message(connected: Site, monitoring: Monitoring) -> None:
    assert connected.command("sync-all", "--ping-url", monitoring.url) == Ended(0, "", "")
    start, end = monitoring.pings
    assert (start.path, end.path) == ("/check/start", "/check")
    assert start.run == end.run
    assert "1 of 1 database of 1 user synced" in end.body


def test_a_dry_run_is_told_to_nobody(connected: Site, monitoring: Monitoring) -> None:
    """Somebody tries what a sync would do while cron's fail: all is not well for that."""
    ended = connected.command("sync-all", "--dry-run", NOTION_PG_SYNC_PING_URL=monitoring.url)
    assert (ended.code, monitoring.pings) == (0, [])


def test_a_run_that_fails_is_told_with_the_reason(connected: Site, monitoring: Monitoring) -> None:
    connected.execute("UPDATE user_settings SET notion_token = 'ntn_nobody'")
    assert connected.command("sync-all", NOTION_PG_SYNC_PING_URL=monitoring.url).code == 1
    assert [ping.path for ping in monitoring.pings] == ["/check/start", "/check/fail"]
    assert monitoring.pings[1].body.startswith("anna: Notion does not accept the token")
    # It stays so, though cron is told once an hour at most.
    assert connected.command("sync-all", NOTION_PG_SYNC_PING_URL=monitoring.url) == Ended(1, "", "")
    assert monitoring.pings[-1].path == "/check/fail"
    assert monitoring.pings[-1].body.startswith("anna: Notion does not accept the token")


def test_a_degraded_run_is_told_as_such(connected: Site, monitoring: Monitoring) -> None:
    three = {name: connected.small.databases[name] for name in ("Worlds", "Three")}
    connected.execute("UPDATE user_settings SET notion_databases = %s", json.dumps(three))
    connected.command("sync-all")
    connected.small.workspace.unshare(connected.small.tokens["anna"], connected.small.databases["Three"])
    for _ in range(4):
        connected.command("sync-all", "--ping-url", monitoring.url)
    assert [ping.path for ping in monitoring.pings[1::2]] == ["/check/fail"] * 2 + ["/check"] * 2
    assert monitoring.pings[-1].body.startswith("degraded: 1 database suspended - 1 of 1 database")


def test_a_run_that_cannot_begin_is_told_too(monitoring: Monitoring) -> None:
    ended = Command({})("sync-all", "--ping-url", monitoring.url)
    assert ended.code == 3
    assert [ping.path for ping in monitoring.pings] == ["/check/start", "/check/fail"]
    assert monitoring.pings[1].body == ended.sentence


def test_a_ping_that_fails_does_not_fail_the_run(connected: Site, monitoring: Monitoring) -> None:
    monitoring.status = 500
    assert connected.command("sync-all", "--ping-url", monitoring.url) == Ended(0, "", "")
    assert connected.command("sync-all", "--ping-url", "http://127.0.0.1:9/check") == Ended(0, "", "")
    told = connected.command("sync-all", "--ping-url", "http://127.0.0.1:9/secret-check", "-vv")
    assert told.code == 0
    assert "the ping could not be sent" in told.err
    assert "secret-check" not in told.err


def test_the_record_does_not_hold_the_address(connected: Site, monitoring: Monitoring) -> None:
    connected.command("sync-all", f"--ping-url={monitoring.url}")
    connected.command("sync-all", "--ping-url", monitoring.url)
    typed = connected.execute("SELECT DISTINCT command FROM notion_sync.job_run_details ORDER BY 1")
    assert typed == [("notion-pg-sync sync-all --ping-url URL",), ("notion-pg-sync sync-all --ping-url=URL",)]


def test_other_commands_do_not_ping(connected: Site, monitoring: Monitoring) -> None:
    connected.command("doctor", "--no-cron-check", NOTION_PG_SYNC_PING_URL=monitoring.url)
    assert monitoring.pings == []


def test_an_address_that_is_none_is_wrong_usage(connected: Site) -> None:
    ended = connected.command("sync-all", "--ping-url", "hc-ping.com/check")
    assert ended.code == 2
    assert "is not a web address" in ended.sentence


@given(st.sampled_from(["", "/", "/a/b", "/a/"]), st.sampled_from(["", "x=1", "x=1&y=%20"]))
def test_the_way_and_the_query_of_a_check_are_kept(path: str, query: str) -> None:
    run = uuid.uuid4()
    parts = urlsplit(address(f"https://host{path}?{query}", "/fail", run))
    assert parts.path == path.rstrip("/") + "/fail"
    assert parts.query == (f"{query}&" if query else "") + f"rid={run}"
