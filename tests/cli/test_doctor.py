"""`doctor`, as a person, a pipe and a program see it."""

from __future__ import annotations

import json
import re

import pytest

from tests.cli.conftest import Command, Site

pytestmark = pytest.mark.slow


def test_without_postgresql_the_first_line_says_so_and_the_rest_is_skipped() -> None:
    ended = Command({})("doctor", "--no-cron-check")
    assert ended.code == 1
    first, second, *_, last = ended.out.splitlines()
    assert first.startswith("2 broken links: fix the first one first")
    assert second.startswith("  BROKEN   reachable: DATABASE_URL is not set")
    assert re.fullmatch(r"0 checks are well, \d+ skipped; -v shows every check\.", last)
    assert len(ended.out.splitlines()) < 12
    in_full = Command({})("doctor", "--no-cron-check", "-v").out
    assert "  skipped  rights: not checked, since it depends on: initialised" in in_full


def test_a_database_that_was_not_initialised_is_told_with_the_command(database_url: str) -> None:
    ended = Command({"DATABASE_URL": database_url})("doctor", "--no-cron-check")
    assert ended.code == 1
    assert "notion-pg-sync init" in ended.out


def test_json_holds_every_finding(site: Site) -> None:
    ended = site.command("doctor", "--json", "--no-cron-check")
    findings = json.loads(ended.out)["findings"]
    keys = {"section", "check", "verdict", "message", "fix", "fix_language", "needs", "look", "follows_from"}
    assert keys == set(findings[0])
    assert ("reachable", "ok") in {(finding["check"], finding["verdict"]) for finding in findings}


def test_a_healthy_set_up_is_all_well_and_an_ill_one_shows_no_token_and_no_content(site: Site) -> None:
    for user in ("anna", "ben", "cora"):
        databases = {name: site.small.databases[name] for name in site.small.shared[user]}
        site.connect(user, site.small.tokens[user], json.dumps(databases))
    assert site.command("sync-all").code == 0
    healthy = site.command("doctor", "--no-cron-check")
    assert (healthy.code, healthy.out.splitlines()[0]) == (0, "All is well."), healthy.out
    assert len(healthy.out.splitlines()) == 2
    site.small.workspace.revoke_token("cora")
    site.small.workspace.trash_database("Tasks")
    site.execute("DELETE FROM notion_characters_sync WHERE name LIKE %s", "%1%")
    site.connect("dora", "ntn_secret of\nmine", json.dumps({"Worlds": site.small.tokens["anna"]}))
    assert site.command("sync-all").code == 1
    site.execute("DELETE FROM notion_worlds_sync")
    ill = [site.command("doctor", "--no-cron-check", *options) for options in ((), ("--json",), ("-vv",))]
    for ended in ill:
        assert ended.code == 1
        said = ended.out + ended.err
        secrets = (*site.small.tokens.values(), "secret of", "mine")
        content = ("Premise of world", "World 1", "Character 1", "Task 1")
        assert [word for word in (*secrets, *content) if word in said] == []
    findings = json.loads(ill[1].out)["findings"]
    broken = [finding["check"] for finding in findings if finding["verdict"] == "broken"]
    assert set(broken) == {
        "tokens",
        "notion_databases",
        "tokens accepted",
        "databases shared",
        "stale databases",
        "row counts",
        "last run",
        "failing databases",
    }


def test_one_user_alone(site: Site) -> None:
    site.connect("anna", "ntn_revoked", json.dumps({"Worlds": site.small.databases["Worlds"]}))
    site.connect("ben", site.small.tokens["ben"], json.dumps({"Tasks": site.small.databases["Tasks"]}))
    assert site.command("sync-all", "--user", "ben").code == 0
    assert site.command("doctor", "--no-cron-check", "--user", "ben").code == 0
    assert site.command("doctor", "--no-cron-check", "--user", "anna").code == 1
    nobody = site.command("doctor", "--no-cron-check", "--user", "nobody")
    assert nobody.code == 1
    assert "there is no user 'nobody' in user_settings" in nobody.out
