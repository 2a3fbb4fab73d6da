"""Who listens on the channel `notion_sync` is told the number of a run, once what the run did is there to be read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import psycopg
import pytest
from notion_workspace import SmallWorkspace

from tests.installation import Installation, Row
from tests.sync.asking import Asking

NAMES = ("Characters", "Three")


@pytest.fixture
async def anna(installation: Installation, small: SmallWorkspace) -> Asking:
    """A user whose databases were synced an hour ago."""
    asking = Asking(installation, "anna", {name: small.databases[name] for name in NAMES})
    await installation.connect("anna", small.tokens["anna"], asking.databases)
    installation.workspace.clock.advance(3600)
    assert (await installation.sync_all()).failures == []
    return asking


@dataclass
class Told:
    """What a listener was told, and what it saw when it looked at once."""

    payloads: list[str] = field(default_factory=list)
    seen: list[list[Row]] = field(default_factory=list)


@asynccontextmanager
async def listening(anna: Asking, look: str) -> AsyncIterator[Told]:
    """Listens while the block works; with each notification it looks, with the run's number."""
    told = Told()
    url = anna.installation.settings.database_url or ""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute("LISTEN notion_sync")

        async def listen() -> None:
            async for notification in connection.notifies():
                if notification.payload == "over":
                    return
                told.payloads.append(notification.payload)
                told.seen.append(await anna.execute(look, int(notification.payload)))

        listener = asyncio.create_task(listen())
        yield told
        # It comes after all that was sent before.
        await anna.execute("SELECT pg_notify('notion_sync', 'over')")
        await asyncio.wait_for(listener, 60)


async def run(anna: Asking) -> str:
    return str((await anna.execute("SELECT max(runid) AS runid FROM notion_sync.job_run_details"))[0]["runid"])


async def test_nothing_is_told_of_a_run_that_changed_nothing(anna: Asking) -> None:
    async with listening(anna, "SELECT %s") as told:
        assert (await anna.sync()).failures == []
    assert told.payloads == []


async def test_the_rows_that_changed_are_there_once_it_is_told(anna: Asking) -> None:
    page = anna.pages("Three")[0]
    anna.workspace.edit_page(page, {"Name": "Edited"})
    look = (
        "SELECT status, title FROM notion_sync.database_runs, notion_pages_sync"
        " WHERE runid = %s AND updated = 1 AND title = 'Edited'"
    )
    async with listening(anna, look) as told:
        await anna.sync()
    assert told.payloads == [await run(anna)]
    assert told.seen == [[{"status": "succeeded", "title": "Edited"}]]


@pytest.mark.parametrize("kind", ["page", "database", "name", "everything"])
async def test_the_outcome_of_a_request_is_there_once_it_is_told(anna: Asking, kind: str) -> None:
    match kind:
        case "page":
            await anna.ask_page("Three", anna.pages("Three")[0])
        case "database":
            await anna.ask_database("Three")
        case "name":
            await anna.ask_name("Three")
        case _:
            await anna.ask_everything()
    async with listening(anna, "SELECT status FROM notion_sync.sync_requests WHERE runid = %s") as told:
        await anna.sync()
    assert told.payloads == [await run(anna)]
    assert told.seen == [[{"status": "succeeded"}]]


async def test_a_request_that_is_refused_is_told_of_too(anna: Asking) -> None:
    await anna.execute("INSERT INTO notion_sync.sync_requests (user_id) VALUES ('nobody')")
    await anna.ask_name("Nothing")
    async with listening(anna, "SELECT status FROM notion_sync.sync_requests WHERE runid = %s") as told:
        await anna.sync()
    assert set(told.payloads) == {await run(anna)}
    assert len(told.payloads) == 2
    assert told.seen[-1] == [{"status": "failed"}] * 2


async def test_what_a_page_changed_is_there_once_it_is_told(anna: Asking) -> None:
    page = anna.pages("Three")[0]
    anna.workspace.edit_page(page, {"Name": "Edited"})
    await anna.execute("UPDATE user_settings SET auto_sync_enabled = false")
    await anna.ask_page("Three", page)
    look = (
        "SELECT status, title FROM notion_sync.sync_requests, notion_pages_sync WHERE runid = %s AND title = 'Edited'"
    )
    async with listening(anna, look) as told:
        await anna.sync()
    assert told.seen == [[{"status": "succeeded", "title": "Edited"}]]
