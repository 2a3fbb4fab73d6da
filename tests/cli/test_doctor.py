"""`doctor`, as a person, a pipe and a program see it."""

from __future__ import annotations

import json

from tests.cli.conftest import Command, Site


def test_without_postgresql_the_first_line_says_so_and_the_rest_is_skipped() -> None:
    ended = Command({})("doctor", "--no-cron-check")
    assert ended.code == 1
    assert "BROKEN" in ended.out
    assert "DATABASE_URL is not set" in ended.out
    assert "not tried, since it needs: reachable" in ended.out


def test_a_database_that_was_not_initialised_is_told_with_the_command(database_url: str) -> None:
    ended = Command({"DATABASE_URL": database_url})("doctor", "--no-cron-check")
    assert ended.code == 1
    assert "notion-pg-sync init" in ended.out


def test_json_holds_every_finding(site: Site) -> None:
    ended = site.command("doctor", "--json", "--no-cron-check")
    findings = json.loads(ended.out)["findings"]
    assert {"section", "check", "verdict", "seen", "mend"} == set(findings[0])
    assert ("reachable", "well") in {(finding["check"], finding["verdict"]) for finding in findings}
