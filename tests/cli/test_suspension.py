"""A token or a database that is not let in any more is tried less often, and does not mail operators for ever; but only
where somebody else's success shows that it is not Notion, nor a key of ours.
"""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Ended, Site

pytestmark = pytest.mark.slow

REFUSED = "anna: Notion does not accept the token"


def connect(site: Site, user_id: str, *names: str, token: str | None = None) -> None:
    databases = {name: site.small.databases[name] for name in names}
    site.connect(user_id, token or site.small.tokens[user_id], json.dumps(databases))


@pytest.fixture
def revoked(site: Site) -> Site:
    """anna's token was revoked; three runs have said so, in which ben's database was read."""
    connect(site, "anna", "Worlds", "Characters")
    connect(site, "ben", "Tasks")
    assert site.command("sync-all") == Ended(0, "", "")
    revoke(site, "anna")
    for run in range(3):
        ended = site.command("sync-all")
        # The third suspends it, which is degraded.
        assert ended.code == (run < 2)
        # Told once when it begins, and not again within the hour.
        assert ended.err.startswith(f"notion-pg-sync: {REFUSED}") is (run == 0)
    site.small.workspace.requests.clear()
    return site


def revoke(site: Site, *users: str, revoked: bool = True) -> None:
    for user_id in users:
        site.small.workspace.state.tokens[site.small.tokens[user_id]].revoked = revoked


def requests_of(site: Site, user_id: str) -> int:
    return sum(request.token == user_id for request in site.small.workspace.requests.all())


def an_hour_passes(site: Site) -> None:
    for table in ("accounts", "databases"):
        site.execute(
            f"UPDATE notion_sync.{table} SET next_try_at = next_try_at - interval '61 minutes',"
            " told_at = told_at - interval '61 minutes'"
        )


def suspended(site: Site) -> list[str]:
    """Who is suspended, user or database."""
    found = site.execute(
        "SELECT user_id FROM notion_sync.accounts WHERE suspended_since IS NOT NULL"
        " UNION ALL SELECT name FROM notion_sync.databases WHERE suspended_since IS NOT NULL ORDER BY 1"
    )
    return [str(name) for (name,) in found]


def exits(site: Site, *arguments: str, runs: int) -> list[int]:
    return [site.command("sync-all", *arguments).code for _ in range(runs)]


def test_after_three_refusals_a_token_is_left_alone_and_the_rest_is_degraded(revoked: Site) -> None:
    assert revoked.command("sync-all") == Ended(0, "", "")
    assert requests_of(revoked, "anna") == 0
    status, message = revoked.last_run()
    assert status == "succeeded"
    assert str(message).startswith("degraded: 2 databases suspended - 1 of 1 database of 2 users synced")
    told = revoked.command("status")
    assert (told.code, told.out.splitlines()[0]) == (0, "Degraded: 1 of 3 databases is fresh; 2 suspended.")
    assert revoked.command("status", "--strict").code == 1


def test_strict_tells_of_it_every_time(revoked: Site) -> None:
    for _ in range(2):
        ended = revoked.command("sync-all", "--strict")
        assert ended.code == 1
        assert ended.sentence.startswith("anna/")
        assert "anna/Worlds" in ended.sentence
        assert ": suspended, Notion does not accept the token" in ended.sentence


def test_an_hour_later_one_request_tries_the_token_and_a_refusal_is_no_news(revoked: Site) -> None:
    an_hour_passes(revoked)
    assert revoked.command("sync-all") == Ended(0, "", "")
    assert requests_of(revoked, "anna") == 1
    assert suspended(revoked) == ["anna"]
    assert revoked.command("sync-all") == Ended(0, "", "")
    assert requests_of(revoked, "anna") == 1


def test_the_first_good_answer_lifts_it_for_all_databases(revoked: Site) -> None:
    revoke(revoked, "anna", revoked=False)
    an_hour_passes(revoked)
    assert revoked.command("sync-all") == Ended(0, "", "")
    assert suspended(revoked) == []
    assert {*revoked.execute("SELECT last_status FROM notion_sync.databases")} == {("succeeded",)}


def test_a_new_token_lifts_it_at_once(revoked: Site) -> None:
    revoked.execute("UPDATE user_settings SET notion_token = %s WHERE user_id = 'anna'", revoked.small.tokens["ben"])
    revoked.small.workspace.share(revoked.small.tokens["ben"], revoked.small.databases["Worlds"])
    revoked.small.workspace.share(revoked.small.tokens["ben"], revoked.small.databases["Characters"])
    assert revoked.command("sync-all") == Ended(0, "", "")
    assert suspended(revoked) == []


def test_another_new_token_that_is_no_good_is_told_again(revoked: Site) -> None:
    revoked.execute("UPDATE user_settings SET notion_token = 'ntn_no_good_either' WHERE user_id = 'anna'")
    ended = revoked.command("sync-all")
    assert (ended.code, ended.sentence.startswith(REFUSED)) == (1, True)


def test_who_asks_for_the_database_by_name_is_told_every_time(revoked: Site) -> None:
    for _ in range(2):
        ended = revoked.command("sync", "anna", "Worlds")
        assert (ended.code, "does not accept the token" in ended.sentence) == (1, True)


def test_without_a_witness_nothing_is_suspended_and_it_is_told_now_and_then(site: Site) -> None:
    """All tokens are dead: every run fails, status too, and cron mails when it begins, and hourly."""
    connect(site, "anna", "Worlds", token="ntn_bad")
    connect(site, "ben", "Tasks", token="ntn_as_bad")
    first = site.command("sync-all")
    assert first.code == 1
    assert first.sentence.startswith("anna, ben: Notion does not accept the token")
    for _ in range(4):
        assert site.command("sync-all") == Ended(1, "", "")
        assert site.command("status").code == 1
    assert suspended(site) == []
    an_hour_passes(site)
    assert site.command("sync-all").sentence.startswith("anna, ben: Notion does not accept the token")
    assert site.command("sync-all").err == ""


def test_a_lone_user_is_never_suspended(site: Site) -> None:
    connect(site, "anna", "Worlds")
    assert site.command("sync-all").code == 0
    revoke(site, "anna")
    assert exits(site, runs=5) == [1] * 5
    ended = site.command("status")
    assert (ended.code, ended.out.splitlines()[0]) == (1, "Failing: 1 of 1 database is not well: 1 failing.")


def test_an_outage_that_refuses_everybody_suspends_nobody(site: Site) -> None:
    connect(site, "anna", "Worlds", "Characters")
    connect(site, "ben", "Tasks")
    assert site.command("sync-all").code == 0
    revoke(site, "anna", "ben")
    assert exits(site, runs=4) == [1] * 4
    revoke(site, "anna", "ben", revoked=False)
    site.small.workspace.edit_page(site.small.workspace.page_ids("Tasks")[0], {})
    assert site.command("sync-all") == Ended(0, "", "")
    assert {*site.execute("SELECT last_status, failures_in_a_row FROM notion_sync.databases")} == {("succeeded", 0)}
    assert site.command("status").code == 0


def test_an_interval_in_which_all_were_refused_lifts_what_was_suspended(revoked: Site) -> None:
    """ben's refusal alone says nothing of anna's; once hers comes due within it, it was Notion or our key."""
    revoke(revoked, "ben")
    assert exits(revoked, runs=2) == [1, 1]
    assert suspended(revoked) == ["anna"]
    an_hour_passes(revoked)
    assert revoked.command("sync-all").code == 1
    assert suspended(revoked) == []
    revoke(revoked, "anna", "ben", revoked=False)
    assert revoked.command("sync-all") == Ended(0, "", "")


def test_a_suspension_ends_with_its_witness(revoked: Site) -> None:
    """ben has gone, so that nobody shows any more that Notion is well: nothing is fresh, and that is a failure."""
    revoked.execute("DELETE FROM user_settings WHERE user_id = 'ben'")
    an_hour_passes(revoked)
    assert revoked.command("sync-all").code == 1
    an_hour_passes(revoked)
    ended = revoked.command("sync-all")
    assert (ended.code, ended.sentence.startswith(REFUSED)) == (1, True)
    assert suspended(revoked) == []
    assert revoked.command("status").code == 1


def test_a_run_in_which_everything_is_suspended_fails(revoked: Site) -> None:
    revoked.execute("DELETE FROM user_settings WHERE user_id = 'ben'")
    an_hour_passes(revoked)
    revoked.execute("UPDATE notion_sync.accounts SET next_try_at = clock_timestamp() + interval '9 minutes'")
    ended = revoked.command("sync-all")
    assert ended.code == 1
    assert ended.sentence.startswith("nothing was synced, since all 2 databases are suspended; anna/")
    assert revoked.command("sync-all") == Ended(1, "", "")
    told = revoked.command("status")
    assert told.code == 1
    assert told.out.startswith("Failing: ")


def test_one_token_of_several_users_is_asked_once(revoked: Site) -> None:
    revoked.connect("carl", revoked.small.tokens["anna"], json.dumps({"Worlds": revoked.small.databases["Worlds"]}))
    assert revoked.command("sync-all") == Ended(0, "", "")
    assert requests_of(revoked, "anna") == 0
    an_hour_passes(revoked)
    assert revoked.command("sync-all") == Ended(0, "", "")
    assert 1 <= requests_of(revoked, "anna") <= 2
    assert suspended(revoked) == ["anna", "carl"]


def test_a_refused_token_is_asked_once_and_not_once_a_database(site: Site) -> None:
    connect(site, "anna", "Worlds", "Characters", "Stories", "Three")
    connect(site, "ben", "Tasks")
    assert site.command("sync-all").code == 0
    revoke(site, "anna")
    assert site.command("sync-all").code == 1
    site.small.workspace.requests.clear()
    assert site.command("sync-all").code == 1
    assert requests_of(site, "anna") == 1
    status, message = site.last_run()
    assert (status, str(message).startswith(REFUSED)) == ("failed", True)
    assert "1 of 5 databases of 2 users synced" in str(message)


@pytest.mark.parametrize("lack", ["unshared", "in the trash"])
def test_a_database_that_is_lost_is_suspended_with_a_witness_and_comes_back(site: Site, lack: str) -> None:
    anna, worlds, workspace = site.small.tokens["anna"], site.small.databases["Worlds"], site.small.workspace
    connect(site, "anna", "Worlds", "Characters")
    assert site.command("sync-all").code == 0
    workspace.unshare(anna, worlds) if lack == "unshared" else workspace.trash_database(worlds)
    assert exits(site, runs=3) == [1, 1, 0]
    assert site.command("sync-all") == Ended(0, "", "")
    assert suspended(site) == ["Worlds"]
    workspace.share(anna, worlds) if lack == "unshared" else workspace.restore_database(worlds)
    an_hour_passes(site)
    assert site.command("sync-all") == Ended(0, "", "")
    assert suspended(site) == []


def test_a_database_that_is_lost_alone_fails_for_ever(site: Site) -> None:
    connect(site, "anna", "Worlds")
    assert site.command("sync-all").code == 0
    site.small.workspace.unshare(site.small.tokens["anna"], site.small.databases["Worlds"])
    assert site.command("sync-all").sentence.startswith("anna/Worlds: ")
    assert [site.command("sync-all") for _ in range(4)] == [Ended(1, "", "")] * 4
    assert site.command("status").code == 1


def test_another_failure_meanwhile_is_news(site: Site) -> None:
    connect(site, "anna", "Worlds", "Characters")
    assert site.command("sync-all").code == 0
    site.small.workspace.unshare(site.small.tokens["anna"], site.small.databases["Worlds"])
    assert exits(site, runs=4) == [1, 1, 0, 0]
    an_hour_passes(site)
    site.small.workspace.faults.add("403_html", path=site.small.databases["Worlds"])
    assert site.command("sync-all").sentence.startswith("anna/Worlds: a network rule")
    assert suspended(site) == []


def test_a_user_who_wants_everything_is_left_alone_too(site: Site) -> None:
    site.connect("anna", site.small.tokens["anna"], '{"*": "*"}')
    connect(site, "ben", "Tasks")
    assert site.command("sync-all").code == 0
    revoke(site, "anna")
    assert exits(site, runs=4) == [1, 1, 0, 0]
    site.small.workspace.requests.clear()
    assert site.command("sync-all") == Ended(0, "", "")
    assert requests_of(site, "anna") == 0


def test_a_dry_run_settles_nothing(site: Site) -> None:
    connect(site, "anna", "Worlds", token="ntn_revoked")
    connect(site, "ben", "Tasks")
    assert exits(site, "--dry-run", runs=4) == [1] * 4
    assert suspended(site) == []
