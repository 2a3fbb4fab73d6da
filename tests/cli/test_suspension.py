"""A database whose token is not let in any more is tried less often, and does not mail operators for ever."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Ended, Site


@pytest.fixture
def revoked(site: Site) -> Site:
    """anna's token was revoked, and three runs have said so."""
    site.connect("anna", "ntn_revoked", json.dumps({"Worlds": site.small.databases["Worlds"]}))
    for _ in range(3):
        ended = site.command("sync-all")
        assert ended.code == 1
        assert "does not accept the token" in ended.sentence
    site.small.workspace.requests.clear()
    return site


def requests(site: Site) -> int:
    return len(site.small.workspace.requests.all())


def hours_pass(site: Site) -> None:
    site.execute("UPDATE notion_sync.databases SET next_try_at = clock_timestamp() - interval '1 second'")


def test_after_three_failures_it_is_left_alone_without_a_word(revoked: Site) -> None:
    assert revoked.command("sync-all") == Ended(0, "", "")
    assert requests(revoked) == 0
    status, message = revoked.last_run()
    assert status == "succeeded"
    assert "1 suspended" in str(message)


def test_strict_tells_of_it_every_time(revoked: Site) -> None:
    ended = revoked.command("sync-all", "--strict")
    assert ended.code == 1
    assert "anna/Worlds: suspended, " in ended.sentence


def test_an_hour_later_it_is_tried_and_a_failure_is_still_no_news(revoked: Site) -> None:
    hours_pass(revoked)
    assert revoked.command("sync-all") == Ended(0, "", "")
    assert requests(revoked) == 1
    assert revoked.execute("SELECT next_try_at > clock_timestamp() FROM notion_sync.databases") == [(True,)]


def test_a_new_token_lifts_it_at_once(revoked: Site) -> None:
    revoked.execute("UPDATE user_settings SET notion_token = %s", revoked.small.tokens["anna"])
    assert revoked.command("sync-all") == Ended(0, "", "")
    assert revoked.execute("SELECT last_status, suspended_since FROM notion_sync.databases") == [("succeeded", None)]


def test_another_new_token_that_is_no_good_is_told_again(revoked: Site) -> None:
    revoked.execute("UPDATE user_settings SET notion_token = 'ntn_no_good_either'")
    assert revoked.command("sync-all").code == 1


def test_access_that_comes_back_lifts_it(site: Site) -> None:
    anna, worlds = site.small.tokens["anna"], site.small.databases["Worlds"]
    site.connect("anna", anna, json.dumps({"Worlds": worlds}))
    site.small.workspace.unshare(anna, worlds)
    for _ in range(3):
        assert site.command("sync-all").code == 1
    assert site.command("sync-all") == Ended(0, "", "")
    site.small.workspace.share(anna, worlds)
    hours_pass(site)
    assert site.command("sync-all") == Ended(0, "", "")
    assert site.execute("SELECT last_status, suspended_since FROM notion_sync.databases") == [("succeeded", None)]


def test_another_failure_meanwhile_is_news(revoked: Site) -> None:
    hours_pass(revoked)
    revoked.small.workspace.faults.add("403_html")
    assert revoked.command("sync-all").code == 1
    assert revoked.execute("SELECT suspended_since FROM notion_sync.databases") == [(None,)]


def test_who_asks_for_the_database_by_name_is_told(revoked: Site) -> None:
    assert revoked.command("sync", "anna", "Worlds").code == 1


def test_a_user_who_wants_everything_is_left_alone_too(site: Site) -> None:
    site.connect("anna", site.small.tokens["anna"], '{"*": "*"}')
    assert site.command("sync-all").code == 0
    site.execute("UPDATE user_settings SET notion_token = 'ntn_revoked'")
    for _ in range(3):
        assert site.command("sync-all").code == 1
    assert site.command("sync-all") == Ended(0, "", "")


def test_a_dry_run_settles_nothing(site: Site) -> None:
    site.connect("anna", "ntn_revoked", json.dumps({"Worlds": site.small.databases["Worlds"]}))
    for _ in range(4):
        assert site.command("sync-all", "--dry-run").code == 1
