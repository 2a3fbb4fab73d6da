"""Notion when it is in trouble: every sync ends, exact or with a sentence, and nothing is lost.

`pytest tests/reliability/test_notion_at_its_worst.py --rounds 60 -n 0` is the long form (some minutes).
"""

from __future__ import annotations

import json
import random
import re

import pytest
from notion_workspace import Request, SampleWorkspace

from tests.reliability.conftest import UNPACED, WELL, Place

TROUBLE = (
    "409", "429", "500", "502_html", "503", "503_database", "504", "529",
    "cut", "cut_body", "truncated_json", "not_json", "stall",
)  # fmt: skip
SHARE = 0.2
# Quick to try again, so that the test is; how often is as it always is.
BACK_OFF = 0.02


def trouble(workspace: SampleWorkspace, chance: random.Random) -> None:
    """Has a fifth of all answers meet one of them, each as often."""
    each = 1 - (1 - SHARE) ** (1 / len(TROUBLE))
    for kind in TROUBLE:
        workspace.faults.add(kind, probability=each, seed=chance.randrange(2**32), seconds=0.3)


@pytest.mark.timeout(3600)
def test_with_a_fifth_of_all_answers_spoiled_every_sync_ends_exact(
    place: Place, chance: random.Random, rounds: int
) -> None:
    workspace = place.small.workspace
    everybody = place.connect_everybody()
    trouble(workspace, chance)
    syncs = max(2, rounds // 3)
    for number in range(syncs):
        workspace.clock.advance(3600)
        if number:
            for name in ("One Hundred and One", "Worlds", "Characters"):
                for page in chance.sample(workspace.page_ids(name), 5):
                    workspace.edit_page(page, {"Name": f"edit {number}"})
        process = place.start_tuned(first_back_off=BACK_OFF)
        assert process.communicate(timeout=300) == ("", "")
        for user, databases in everybody.items():
            assert place.differences(user, user, databases) == []
    ((requests, retries),) = place.execute("SELECT sum(requests), sum(retries) FROM notion_sync.database_runs")
    print(f"{syncs} syncs of {len(everybody)} users: {requests} requests, {retries} of them spoiled")
    assert float(str(retries)) > SHARE / 2 * float(str(requests))
    modes = place.execute("SELECT DISTINCT mode FROM notion_sync.database_runs ORDER BY mode")
    assert modes == [("full",), ("incremental",)]


@pytest.mark.parametrize("kind", ["503", "cut", "502_html", "truncated_json"])
def test_down_for_a_whole_run(place: Place, kind: str) -> None:
    """What keeps all of them from Notion is told once."""
    databases = {name: place.small.databases[name] for name in ("Worlds", "Characters")}
    place.connect("anna", place.small.tokens["anna"], json.dumps(databases))
    assert place.command("sync-all", *UNPACED) == WELL
    query = "SELECT xmin::text, id FROM notion_worlds_sync UNION ALL SELECT xmin::text, id FROM notion_characters_sync"
    before = sorted(place.execute(query))
    place.small.workspace.faults.add(kind)
    place.small.workspace.requests.clear()
    process = place.start_tuned(first_back_off=BACK_OFF)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    (line,) = said.splitlines()
    assert line.partition(": ")[2].partition(":")[0] == "anna/Characters, anna/Worlds"
    assert "Notion" in line
    # Bounded: so many attempts for each request, of which two are made at once, and no more.
    assert 7 * len(databases) <= len(place.small.workspace.requests.all()) <= 2 * 7 * len(databases)
    assert sorted(place.execute(query)) == before
    assert place.leases() == place.unfinished() == []
    place.small.workspace.faults.clear()
    assert place.command("sync-all", *UNPACED) == WELL
    assert place.differences("anna", "anna", databases) == []


def test_nothing_listens_where_notion_is_to_be(place: Place) -> None:
    databases = {"Worlds": place.small.databases["Worlds"]}
    place.connect("anna", place.small.tokens["anna"], json.dumps(databases))
    process = place.start_tuned(first_back_off=BACK_OFF, environment={"NOTION_BASE_URL": "http://127.0.0.1:9"})
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert said.startswith("notion-pg-sync: anna/Worlds: Notion cannot be reached: nothing takes connections at ")
    assert place.command("sync-all", *UNPACED) == WELL
    assert place.differences("anna", "anna", databases) == []


def test_a_token_that_is_revoked_in_the_midst_fails_its_user_alone(place: Place) -> None:
    workspace = place.small.workspace
    everybody = place.connect_everybody()
    queries = 0

    def revoke(request: Request) -> None:
        nonlocal queries
        queries += place.small.tokens["cora"] in request.headers["authorization"] and request.path.endswith("/query")
        if queries == 3:
            workspace.revoke_token("cora")

    workspace.on_request(revoke)
    ran = place.command("sync-all", "--page-size", "25", *UNPACED)
    assert ran.code == 1
    assert {re.split("[/:]", line)[1].strip() for line in ran.err.splitlines()} == {"cora"}
    assert "Notion does not accept the token" in ran.err
    assert place.small.tokens["cora"] not in ran.err
    for user in ("anna", "ben"):
        assert place.differences(user, user, everybody[user]) == []
    assert place.execute("SELECT 1 FROM notion_sync.removed_pages") == []
    queries = 4
    secret = workspace.add_token("cora again", "personal", workspace.owner_id).secret
    for name in everybody["cora"]:
        workspace.share("cora again", name)
    place.execute("UPDATE user_settings SET notion_token = %s WHERE user_id = 'cora'", secret)
    assert place.command("sync-all", *UNPACED) == WELL
    assert place.differences("cora", "cora again", everybody["cora"]) == []
