"""`sync --verify` and `sync-all --verify` say whether the copy is exact, and where it is not."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from tests.cli.conftest import Site
from tests.cli.terminal import Terminal

pytestmark = pytest.mark.slow


@pytest.fixture
def connected(site: Site) -> Site:
    site.connect("anna", site.small.tokens["anna"], json.dumps({"Worlds": site.small.databases["Worlds"]}))
    return site


def test_that_a_copy_is_exact_is_told_without_a_terminal_too_since_it_was_asked_for(connected: Site) -> None:
    ended = connected.command("sync", "anna", "Worlds", "--verify")
    assert (ended.code, ended.err) == (0, "")
    (line,) = ended.out.splitlines()
    assert line.startswith("verified 12 rows with ")
    assert "exact" in line


@pytest.mark.parametrize(("columns", "lines"), [("80", "24"), ("100", "35")])
def test_and_on_a_terminal(connected: Site, columns: str, lines: str) -> None:
    size = {"COLUMNS": columns, "LINES": lines}
    terminal = Terminal("sync", "anna", "Worlds", "--verify", **connected.command.environment, **size)
    terminal.waits_with("verified 12 rows with ")
    assert terminal.ends() == 0


SPOILED = """
    CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN NEW.name := NEW.name || '!'; RETURN NEW; END $$;
    CREATE TRIGGER spoil BEFORE INSERT ON notion_worlds_sync FOR EACH ROW EXECUTE FUNCTION spoil()
"""


def test_a_copy_that_somebody_changes_is_told_with_its_differences(connected: Site) -> None:
    connected.execute(SPOILED)
    ended = connected.command("sync", "anna", "Worlds", "--verify")
    assert ended.code == 1
    assert "anna/Worlds: " in ended.sentence
    assert "World 3!" in ended.out
    status, message = connected.last_run()
    assert status == "failed"
    assert "World 3!" not in str(message), "run records hold no content"
    outcome = json.loads(connected.command("sync", "anna", "Worlds", "--verify", "--json").out)
    # The title itself, and the one that search reads.
    kinds = Counter(one["kind"] for one in outcome["verification"]["differences"])
    assert kinds == {"title_differs": 12, "search_differs": 12}


def test_verifying_a_dry_run_makes_no_sense(connected: Site) -> None:
    ended = connected.command("sync", "anna", "Worlds", "--verify", "--dry-run")
    assert ended.code == 2
    assert "use one of them" in ended.sentence


@pytest.fixture
def everybody(connected: Site) -> Site:
    """anna has two databases, bela one."""
    small = connected.small
    connected.execute(
        "UPDATE user_settings SET notion_databases = notion_databases || %s::jsonb",
        json.dumps({"Characters": small.databases["Characters"]}),
    )
    connected.connect("bela", small.tokens["anna"], json.dumps({"Three": small.databases["Three"]}))
    return connected


def test_all_copies_are_verified_by_one_command(everybody: Site) -> None:
    ended = everybody.command("sync-all", "--verify")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("verified 3 databases, ")
    outcome = json.loads(everybody.command("sync-all", "--verify", "--json").out)
    assert outcome["verification"]["exact"]
    assert (outcome["verification"]["databases"], outcome["verification"]["differences"]) == (3, [])
    exact = {run["name"]: run["exact"] for account in outcome["accounts"] for run in account["databases"]}
    assert exact == {"Worlds": True, "Characters": True, "Three": True}
    without = json.loads(everybody.command("sync-all", "--json").out)
    assert "verification" not in without
    assert without["accounts"][0]["databases"][0]["exact"] is None


@pytest.mark.parametrize("columns", [80, 100])
def test_a_terminal_shows_the_verdict_and_its_remarks_without_a_broken_word(connected: Site, columns: int) -> None:
    small = connected.small
    connected.execute(
        "UPDATE user_settings SET notion_databases = notion_databases || %s::jsonb",
        json.dumps({"Everything": small.databases["Everything"]}),
    )
    terminal = Terminal("sync-all", "--verify", **connected.command.environment, COLUMNS=str(columns))
    assert terminal.ends() == 0
    shown = terminal.shown.partition("verified 2 databases")[2]
    assert "note: Notion computes" in shown
    assert max(map(len, shown.splitlines())) <= columns


def test_one_difference_anywhere_fails_and_is_told_with_the_user_and_the_database(everybody: Site) -> None:
    everybody.execute(SPOILED)
    ended = everybody.command("sync-all", "--verify")
    assert ended.code == 1
    assert ended.sentence.startswith("anna/Worlds: verified 12 rows with ")
    assert ended.out.startswith("verified 3 databases, ")
    assert "against Notion: 24 differences in 1 database." in " ".join(ended.out.split())
    assert "World 3!" in ended.out
    status, message = everybody.last_run()
    assert status == "failed"
    assert "World 3!" not in str(message), "run records hold no content"
    only_bela = everybody.command("sync-all", "--verify", "--user", "bela")
    assert (only_bela.code, only_bela.err) == (0, "")


def test_what_cannot_be_read_is_not_called_exact_and_holds_up_no_other(everybody: Site) -> None:
    everybody.connect("carl", "ntn_revoked", json.dumps({"Worlds": everybody.small.databases["Worlds"]}))
    ended = everybody.command("sync-all", "--verify", "--json")
    assert ended.code == 1
    outcome = json.loads(ended.out)
    assert outcome["verification"]["databases"] == 3
    assert [run["exact"] for account in outcome["accounts"] for run in account["databases"]].count(None) == 1


def test_verifying_is_not_left_to_a_run_that_only_syncs(everybody: Site) -> None:
    """Nor to one that only reads everything: the comparison is what was asked for."""
    everybody.command("sync-all", "--verify")
    ((brings,),) = everybody.execute("SELECT last_sync_brings FROM notion_sync.accounts WHERE user_id = 'anna'")
    assert brings == ["full read", "rows", "verification"]
