"""The real command reads bodies, and carries on after it was killed."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.conftest import BARE, Site

PAGES = 300


@pytest.fixture
def site_with_bodies(site: Site) -> Site:
    workspace = site.small.workspace
    handle = workspace.add_database("Many", rows=[{"Name": f"Page {number}"} for number in range(PAGES)])
    workspace.share("anna", "Many")
    for page in workspace.page_ids("Many"):
        workspace.set_body(page, ["Text", {"type": "to_do", "text": "Do"}])
    workspace.clock.advance(3600)
    site.connect("anna", site.small.tokens["anna"], json.dumps({"Many": handle.id}))
    return site


def kept(site: Site) -> int:
    ((count,),) = site.execute("SELECT count(*) FROM notion_sync.page_bodies WHERE markdown = %s", "Text\n- [ ] Do")
    return int(str(count))


def test_bodies_are_read_on_request_and_again_only_where_that_is_asked_for(site_with_bodies: Site) -> None:
    site, requests = site_with_bodies, site_with_bodies.small.workspace.requests
    command = ["sync-all", "--requests-per-minute", "100000"]
    assert (site.command(*command).code, kept(site)) == (0, 0)
    ended = site.command(*command, "--bodies", "--json")
    assert (ended.code, kept(site)) == (0, PAGES)
    (database,) = json.loads(ended.out)["accounts"][0]["databases"]
    assert (database["bodies_read"], database["bodies_failed"]) == (PAGES, 0)
    assert requests.counts()["markdown"] == PAGES
    site.command(*command, "--bodies")
    assert requests.counts()["markdown"] == PAGES
    site.command("sync", "anna", "Many", "--requests-per-minute", "100000", "--full-bodies")
    assert requests.counts()["markdown"] == 2 * PAGES


@pytest.mark.slow
def test_a_killed_run_keeps_what_it_read_and_the_next_reads_the_rest(site_with_bodies: Site) -> None:
    site = site_with_bodies
    command = ["sync-all", "--bodies", "--requests-per-minute", "100000"]
    site.small.workspace.configure(latency=0.02)
    running = subprocess.Popen(
        [sys.executable, "-m", "notion_pg_sync", *command],
        env={**BARE, **site.command.environment},
        cwd=Path(__file__).parents[2],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not kept(site):
        assert running.poll() is None
        time.sleep(0.01)
    running.kill()
    running.wait()
    left = PAGES - kept(site)
    assert 0 < left < PAGES
    site.small.workspace.requests.clear()
    ended = site.command(*command)
    assert (ended.code, ended.err, kept(site)) == (0, "", PAGES)
    # What was under way when it was killed is read again.
    assert left <= site.small.workspace.requests.counts()["markdown"] <= left + 24


def test_what_could_not_be_read_is_told_without_failing(site_with_bodies: Site) -> None:
    site = site_with_bodies
    (page, *_) = site.small.workspace.page_ids("Many")
    site.small.workspace.faults.add("403_html", path=page)
    ended = site.command("sync-all", "--bodies", "--requests-per-minute", "100000")
    assert (ended.code, ended.err) == (0, "")
    assert "299 page bodies read, 1 failed" in str(site.last_run()[1])
