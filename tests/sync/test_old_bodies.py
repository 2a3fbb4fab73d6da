"""Bodies are read again within a bounded time: what they take from elsewhere changes without an edit of their page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from notion_workspace import SmallWorkspace
from notion_workspace.literals import mention_page

from tests.installation import Installation

pytestmark = pytest.mark.slow

BODIES: dict[str, Any] = {"bodies": True, "requests_per_minute": 100_000}
WEEK = timedelta(days=7)


@pytest.fixture
async def pages(installation: Installation, small: SmallWorkspace) -> list[str]:
    """Pages that each mention the first, with bodies that anna has."""
    workspace = installation.workspace
    handle = workspace.add_database("Pages", rows=[{"Name": f"Page {number}"} for number in range(30)])
    workspace.share("anna", "Pages")
    pages = workspace.page_ids("Pages")
    for page in pages:
        workspace.set_body(page, [{"type": "paragraph", "text": ["See ", mention_page(pages[0])]}])
    workspace.clock.advance(3600)
    await installation.connect("anna", small.tokens["anna"], {"Pages": handle.id})
    assert await read(installation) == 30
    return pages


async def read(installation: Installation, **settings: Any) -> int:
    """Syncs, and returns how many bodies were read."""
    outcome = await installation.sync_all(**{**BODIES, **settings})
    assert outcome.failures == []
    return outcome.totals.bodies_read


async def message(installation: Installation) -> str:
    (found,) = await installation.execute("SELECT message FROM notion_sync.database_runs ORDER BY runid DESC LIMIT 1")
    return str(found["message"])


async def let_pass(installation: Installation, time: timedelta) -> None:
    """Makes all bodies older by a time."""
    await installation.execute("UPDATE notion_sync.page_bodies SET read_at = read_at - %s", time)


async def is_exact(installation: Installation, pages: Sequence[str]) -> bool:
    rows = await installation.execute("SELECT page_id::text, markdown FROM notion_sync.page_bodies")
    return {row["page_id"]: row["markdown"] for row in rows} == {
        page: installation.workspace.complete_body(page) for page in pages
    }


async def test_a_mention_that_changed_elsewhere_is_there_within_the_week(
    installation: Installation, pages: list[str]
) -> None:
    installation.workspace.set_quietly(pages[0], {"Name": "Another name"})
    assert await read(installation) == 0
    assert not await is_exact(installation, pages)
    await let_pass(installation, WEEK)
    assert await read(installation) == 30
    assert await is_exact(installation, pages)
    assert "30 page bodies read." in await message(installation)
    assert await read(installation) == 0


async def test_the_reading_is_spread_over_the_week(installation: Installation, pages: list[str]) -> None:
    await let_pass(installation, WEEK / 2)
    half = await read(installation)
    assert 5 <= half <= 25
    await let_pass(installation, WEEK / 2)
    assert await read(installation) >= 30 - half


@pytest.mark.parametrize(("every", "expected"), [(timedelta(days=400), 0), (timedelta(hours=1), 30), (timedelta(), 30)])
async def test_how_old_bodies_become_is_an_option(
    installation: Installation, pages: list[str], every: timedelta, expected: int
) -> None:
    await let_pass(installation, timedelta(hours=1))
    assert await read(installation, full_bodies_every=every) in ((expected,) if expected else (0, 1, 2))


async def test_what_was_edited_comes_first_whatever_the_database(
    installation: Installation, small: SmallWorkspace, pages: list[str]
) -> None:
    workspace = installation.workspace
    other = workspace.add_database("Zebras", rows=[{"Name": "Zebra"}])
    workspace.share("anna", "Zebras")
    workspace.set_body(workspace.page_ids("Zebras")[0], ["Stripes"])
    workspace.clock.advance(3600)
    await installation.execute(
        "UPDATE user_settings SET notion_databases = notion_databases || jsonb_build_object('Zebras', %s::text)",
        other.id,
    )
    await let_pass(installation, WEEK)
    workspace.requests.clear()
    assert await read(installation) == 31
    asked = [request.path for request in workspace.requests.all() if "markdown" in request.path]
    assert workspace.page_ids("Zebras")[0] in asked[0]


async def test_old_bodies_that_are_not_read_in_time_are_left_to_the_next_run(
    installation: Installation, pages: list[str]
) -> None:
    await let_pass(installation, WEEK)
    assert await read(installation, bodies_for=timedelta(seconds=-60)) == 0
    assert "0 page bodies read, 30 left to the next run." in await message(installation)
    assert await read(installation) == 30


async def test_a_body_that_cannot_be_read_is_tried_once_a_run(installation: Installation, pages: list[str]) -> None:
    await let_pass(installation, WEEK)
    installation.workspace.set_body(pages[3], ["Another text"])
    installation.workspace.clock.advance(3600)
    installation.workspace.faults.add("403_html", path=f"{pages[3]}/markdown")
    installation.workspace.requests.clear()
    assert await read(installation) == 29
    assert "29 page bodies read, 1 failed" in await message(installation)
    assert installation.workspace.requests.counts()["markdown"] == 30


async def test_each_page_has_its_turn_in_every_span(installation: Installation) -> None:
    rows = await installation.execute(
        """
        SELECT width_bucket(extract(epoch FROM now() - turn), 0, extract(epoch FROM span), 10) AS tenth, count(*)
        FROM (VALUES (interval '1 hour'), ('7 days'), ('400 days')) AS spans (span),
             (SELECT md5(number::text)::uuid AS page_id FROM generate_series(1, 1000) AS number) AS pages,
             LATERAL notion_sync.turn_of(page_id, span) AS turn
        GROUP BY span, tenth
        """
    )
    assert {row["tenth"] for row in rows} == set(range(1, 11))
    assert all(50 < row["count"] < 150 for row in rows)
    (far,) = await installation.execute(
        "SELECT notion_sync.turn_of(gen_random_uuid(), interval '999999999 days') AS turn, now() AS now"
    )
    assert isinstance(far["turn"], datetime)
    assert far["turn"] < far["now"]
