"""Bodies of pages, the whole way: read after the rows, each once, and kept as Notion has them."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from notion_workspace import SmallWorkspace

from notion_pg_sync.mirror.bodies import Due, count_due, due_pages
from notion_pg_sync.mirror.connection import fetch_value, open_pool, transaction
from notion_pg_sync.mirror.data_sources import DataSourceKey
from notion_pg_sync.mirror.tables import GENERAL_TABLE, general_shape
from tests.bodies import deep, every_kind
from tests.installation import Installation, Row

BODIES: dict[str, Any] = {"bodies": True, "requests_per_minute": 100_000}


@pytest.fixture
async def notes(installation: Installation, small: SmallWorkspace) -> list[str]:
    """Three pages with bodies in a database that anna mirrors, an hour after they were written."""
    workspace = installation.workspace
    handle = workspace.add_database("Pages", rows=[{"Name": f"Page {number}"} for number in range(3)])
    workspace.share("anna", "Pages")
    pages = workspace.page_ids("Pages")
    workspace.add_user("Ada")
    for page in pages:
        workspace.set_body(page, every_kind(pages[0], "Ada"))
    workspace.clock.advance(3600)
    await installation.connect("anna", small.tokens["anna"], {"Pages": handle.id})
    return pages


async def kept(installation: Installation) -> dict[str, Row]:
    rows = await installation.execute("SELECT * FROM notion_sync.page_bodies WHERE user_id = 'anna'")
    return {row["page_id"]: row for row in rows}


async def record(installation: Installation) -> Row:
    """The latest run's record of the database."""
    return (await installation.execute("SELECT * FROM notion_sync.database_runs ORDER BY runid DESC LIMIT 1"))[0]


def requests(installation: Installation) -> Counter[str]:
    """What was asked for bodies since the last time, by kind."""
    counts = installation.workspace.requests.counts()
    installation.workspace.requests.clear()
    return Counter({kind: count for kind, count in counts.items() if kind in ("markdown", "block_children")})


async def test_bodies_are_kept_as_notion_has_them(installation: Installation, notes: list[str]) -> None:
    outcome = await installation.sync_all(**BODIES)
    assert outcome.failures == []
    bodies = await kept(installation)
    assert {page: row["markdown"] for page, row in bodies.items()} == {
        page: installation.workspace.complete_body(page) for page in notes
    }
    for row in bodies.values():
        assert (row["is_complete"], row["missing"], row["is_settled"]) == (True, [], True)
        assert "Level 5" in row["plain_text"].splitlines()
        assert "def f():" in row["plain_text"].splitlines()
        assert "X-Amz" not in row["markdown"]
    assert requests(installation) == {"markdown": 3}
    ran = await record(installation)
    assert (ran["status"], ran["bodies_read"], ran["bodies_failed"]) == ("succeeded", 3, 0)
    assert ran["message"] == "3 rows read, 3 inserted. 3 page bodies read."
    assert "3 page bodies read, 0 failed." in outcome.message()


async def test_without_the_option_no_body_is_read(installation: Installation, notes: list[str]) -> None:
    await installation.sync_all()
    assert (await kept(installation), requests(installation)) == ({}, {})


async def test_a_data_source_can_want_its_bodies_whatever_the_options(
    installation: Installation, small: SmallWorkspace, notes: list[str]
) -> None:
    workspace = installation.workspace
    other = workspace.add_database("Others", rows=[{"Name": "Another page"}])
    workspace.share("anna", "Others")
    await installation.execute(
        "UPDATE user_settings SET notion_databases = notion_databases || jsonb_build_object('Others', %s::text)",
        other.id,
    )
    await installation.sync_all()
    await installation.execute("UPDATE notion_sync.data_sources SET bodies = true WHERE database_name = 'Pages'")
    assert requests(installation) == {}
    await installation.sync_all()
    assert requests(installation) == {"markdown": 3}
    assert set(await kept(installation)) == set(notes)
    workspace.set_body(notes[0], ["Another text"])
    workspace.clock.advance(3600)
    await installation.sync_one("anna", "Others")
    assert requests(installation) == {}
    await installation.sync_one("anna", "Pages")
    assert requests(installation) == {"markdown": 1}


async def test_a_dry_run_reads_no_bodies(installation: Installation, notes: list[str]) -> None:
    await installation.sync_all(dry_run=True, **BODIES)
    assert (await kept(installation), requests(installation)) == ({}, {})


async def test_sync_reads_them_too(installation: Installation, notes: list[str]) -> None:
    outcome = await installation.sync_one("anna", "Pages", **BODIES)
    assert outcome.totals.bodies_read == 3
    assert set(await kept(installation)) == set(notes)


async def test_an_unchanged_run_asks_for_none_and_an_edited_page_is_asked_for_once(
    installation: Installation, notes: list[str]
) -> None:
    await installation.sync_all(**BODIES)
    requests(installation)
    await installation.sync_all(full=True, **BODIES)
    assert requests(installation) == {}
    installation.workspace.set_body(notes[1], ["Another text"])
    installation.workspace.clock.advance(3600)
    await installation.sync_all(**BODIES)
    assert requests(installation) == {"markdown": 1}
    assert (await kept(installation))[notes[1]]["markdown"] == "Another text"


async def test_a_body_is_read_again_until_the_minute_of_its_edit_is_past(
    installation: Installation, notes: list[str]
) -> None:
    workspace = installation.workspace
    await installation.sync_all(**BODIES)
    workspace.set_body(notes[0], ["First"])
    await installation.sync_all(**BODIES)
    # In the same minute: Notion's times say nothing of it.
    workspace.set_body(notes[0], ["Second"])
    workspace.clock.advance(60)
    requests(installation)
    await installation.sync_all(**BODIES)
    assert (requests(installation), (await kept(installation))[notes[0]]["markdown"]) == ({"markdown": 1}, "Second")
    workspace.clock.advance(300)
    await installation.sync_all(**BODIES)
    assert requests(installation) == {"markdown": 1}
    await installation.sync_all(**BODIES)
    assert requests(installation) == {}


async def test_all_are_read_where_that_is_asked_for(installation: Installation, notes: list[str]) -> None:
    await installation.sync_all(**BODIES)
    installation.workspace.set_body(notes[2], ["Without a trace"], bump=False)
    requests(installation)
    await installation.sync_all(full_bodies=True, **BODIES)
    assert requests(installation) == {"markdown": 3}
    assert (await kept(installation))[notes[2]]["markdown"] == "Without a trace"


async def test_blocks_give_the_same_where_there_is_no_markdown_to_be_had(
    installation: Installation, notes: list[str]
) -> None:
    workspace = installation.workspace
    workspace.configure(markdown_endpoint=False)
    workspace.set_body(notes[0], [deep(150), *(f"Paragraph {number}" for number in range(120))])
    (original,) = [block.id for home, block in workspace.state.blocks.values() if block.type == "synced_block"][:1]
    copy = {"type": "synced_block", "synced_from": {"type": "block_id", "block_id": original}}
    workspace.set_body(notes[2], ["Copied:", copy])
    workspace.clock.advance(3600)
    assert (await installation.sync_all(**BODIES)).failures == []
    bodies = await kept(installation)
    for page in notes:
        assert bodies[page]["markdown"] == workspace.complete_body(page)
        assert bodies[page]["is_complete"]
    assert workspace.requests.counts()["markdown"] <= 3
    requests(installation)
    workspace.edit_page(notes[0])
    await installation.sync_all(**BODIES)
    assert requests(installation)["markdown"] == 1


async def test_what_markdown_cannot_say_is_told_as_missing(installation: Installation, notes: list[str]) -> None:
    body = [
        {"type": "bookmark", "url": "https://example.com", "caption": []},
        {"type": "unsupported", "block_type": "holodeck"},
        {"type": "code", "text": '<unknown alt="nothing"/>', "language": "html"},
    ]
    installation.workspace.set_body(notes[0], body)
    installation.workspace.clock.advance(3600)
    await installation.sync_all(**BODIES)
    row = (await kept(installation))[notes[0]]
    assert (row["is_complete"], row["missing"]) == (False, ["bookmark", "holodeck"])
    installation.workspace.configure(markdown_endpoint=False)
    await installation.sync_all(full_bodies=True, **BODIES)
    row = (await kept(installation))[notes[0]]
    assert (row["is_complete"], row["missing"]) == (False, ["holodeck"])
    assert "[https://example.com](https://example.com)" in row["markdown"]


async def test_a_body_that_is_cut_is_put_together(installation: Installation, notes: list[str]) -> None:
    workspace = installation.workspace
    workspace.configure(markdown_blocks=20)
    assert (await installation.sync_all(**BODIES)).failures == []
    for page, row in (await kept(installation)).items():
        assert row["markdown"] == workspace.complete_body(page)
        assert row["is_complete"]


async def test_a_body_that_cannot_be_read_leaves_the_rows_alone_and_is_tried_again(
    installation: Installation, notes: list[str]
) -> None:
    installation.workspace.faults.add("403_html", path=notes[1])
    outcome = await installation.sync_all(**BODIES)
    assert outcome.failures == []
    assert set(await kept(installation)) == set(notes) - {notes[1]}
    ran = await record(installation)
    assert (ran["status"], ran["error_code"], ran["bodies_read"], ran["bodies_failed"]) == ("succeeded", None, 2, 1)
    assert "2 page bodies read, 1 failed: " in ran["message"]
    installation.workspace.faults.clear()
    requests(installation)
    await installation.sync_all(**BODIES)
    assert requests(installation) == {"markdown": 1}
    assert set(await kept(installation)) == set(notes)


async def test_a_token_that_is_revoked_meanwhile_ends_the_reading(installation: Installation, notes: list[str]) -> None:
    workspace = installation.workspace
    workspace.on_request(lambda request: workspace.revoke_token("anna") if "markdown" in request.path else None)
    outcome = await installation.sync_all(**BODIES)
    assert outcome.failures == []
    assert "Notion does not accept the token" in (await record(installation))["message"]


async def test_what_is_not_read_in_time_is_left_to_the_next_run(installation: Installation, notes: list[str]) -> None:
    outcome = await installation.sync_all(bodies_for=timedelta(seconds=-60), **BODIES)
    assert "0 page bodies read, 3 left to the next run." in (await record(installation))["message"]
    assert (outcome.failures, await kept(installation)) == ([], {})


async def test_removed_pages_lose_their_bodies(installation: Installation, notes: list[str]) -> None:
    await installation.sync_all(**BODIES)
    installation.workspace.trash_page(notes[0])
    await installation.sync_all(full=True, **BODIES)
    assert set(await kept(installation)) == set(notes[1:])


async def test_due_pages_are_found_by_their_keys_though_nothing_is_known_of_the_tables(
    installation: Installation, small: SmallWorkspace
) -> None:
    """As after a first sync: PostgreSQL, which has no statistics yet, would compare all documents with all pages."""
    count = 300
    rows = [{"Name": f"Page {number}"} for number in range(count)]
    handle = installation.workspace.add_database("Many", rows=rows)
    installation.workspace.share("anna", "Many")
    await installation.connect("anna", small.tokens["anna"], {"Many": handle.id})
    assert (await installation.sync_all()).failures == []
    key, table = DataSourceKey("anna", handle.data_source_id), general_shape("public", GENERAL_TABLE)
    async with open_pool(installation.settings.database_url or "") as pool, transaction(pool) as connection:
        every = timedelta(days=7)
        counts = await count_due(connection, table, key, [Due.BEHIND, Due.OLD], every)
        assert counts == {Due.BEHIND: count, Due.OLD: 0}
        assert len(await due_pages(connection, table, key, None, most=50, due=Due.BEHIND, every=every)) == 50
        read = await fetch_value(
            connection, "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_xact_user_tables"
        )
    assert count < int(str(read)) < count * 10


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_two_thousand_bodies_within_the_rate_limit_survive_a_kill(
    installation: Installation, small: SmallWorkspace
) -> None:
    workspace = installation.workspace
    count = 2000
    handle = workspace.add_database("Many", rows=[{"Name": f"Page {number}"} for number in range(count)])
    workspace.share("anna", "Many")
    pages = workspace.page_ids("Many")
    for number, page in enumerate(pages):
        workspace.set_body(page, [f"Text of {number}", deep(3)])
    workspace.clock.advance(3600)
    await installation.connect("anna", small.tokens["anna"], {"Many": handle.id})
    await installation.sync_all()
    requests(installation)

    # A limit that is met again and again: each refusal holds back every request of the token.
    workspace.configure(rate_limit=60, rate_window=3.0)
    task = asyncio.create_task(installation.sync_all(**BODIES))
    while len(await kept(installation)) < 300:
        assert not task.done()
        await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    first = len(await kept(installation))
    assert 300 <= first < count
    refused = [one for one in workspace.requests.all() if one.status == 429]
    assert 0 < len(refused) < first / 2

    workspace.configure(rate_limit=None)
    assert (await installation.sync_all(**BODIES)).failures == []
    bodies = await kept(installation)
    assert {page: row["markdown"] for page, row in bodies.items()} == {
        page: workspace.complete_body(page) for page in pages
    }
    answered = [one for one in workspace.requests.all() if one.kind == "markdown" and one.status == 200]
    assert count <= len(answered) <= count + 50
    workspace.requests.clear()
    # Of so many, some would have their turn to be read again in any minute.
    await installation.sync_all(full_bodies_every=timedelta(days=36500), **BODIES)
    assert requests(installation) == {}
    workspace.set_body(pages[7], ["Edited"])
    workspace.clock.advance(3600)
    await installation.sync_all(**BODIES)
    assert requests(installation) == {"markdown": 1}
