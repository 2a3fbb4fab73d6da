"""`sync --verify` says whether the copy is exact, and where it is not."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from tests.cli.conftest import Ended, Site


@pytest.fixture
def connected(site: Site) -> Site:
    site.connect("anna", site.small.tokens["anna"], json.dumps({"Worlds": site.small.databases["Worlds"]}))
    return site


def test_an_exact_copy_is_silent_without_a_terminal(connected: Site) -> None:
    assert connected.command("sync", "anna", "Worlds", "--verify") == Ended(0, "", "")


def test_a_copy_that_somebody_changes_is_told_with_its_differences(connected: Site) -> None:
    connected.execute(
        """
        CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN NEW.name := NEW.name || '!'; RETURN NEW; END $$;
        CREATE TRIGGER spoil BEFORE INSERT ON notion_worlds_sync FOR EACH ROW EXECUTE FUNCTION spoil()
        """
    )
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
