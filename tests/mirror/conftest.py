"""What the tests of webhooks have in common: copies of two users, and events on what they hold."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from notion_workspace import SmallWorkspace, WorkspaceServer, small_workspace
from psycopg.types.json import Jsonb

from notion_pg_sync.settings import Settings
from tests.conftest import DatabaseMaker
from tests.installation import Installation

Event = dict[str, Any]

NOBODYS = "0a1b2c3d-0000-4000-8000-00000000000a"
SHARED = {"anna": ("Worlds", "Characters"), "ben": ("Worlds", "Tasks")}


def fill(database_url: str) -> None:
    """Copies of two users, who share the database Worlds."""

    async def sync(installation: Installation, small: SmallWorkspace) -> None:
        await installation.init()
        for user_id, names in SHARED.items():
            databases = {name: small.databases[name] for name in names}
            await installation.connect(user_id, small.tokens[user_id], databases)
        assert (await installation.sync_all()).failures == []

    small = small_workspace()
    with WorkspaceServer(small.workspace) as server:
        place = Settings(database_url=database_url, notion_base_url=server.url)
        asyncio.run(sync(Installation(place, small.workspace), small))


@dataclass
class Copies:
    """The copies of anna and ben, and the Notion that they were made of, as it was then."""

    url: str
    small: SmallWorkspace

    def execute(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), parameters or None)
            return cursor.fetchall() if cursor.description else []

    def receive(self, *events: object) -> int:
        """What the last of these events asks for."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            call = "SELECT notion_sync.receive_webhook(%s)"
            answers = [connection.execute(call, (Jsonb(event),)).fetchall() for event in events]
        ((asked,),) = answers[-1]
        return int(asked)

    def waiting(self) -> set[tuple[str, str, str | None]]:
        """The requests that wait: whose, the name of the database, the page."""
        return {
            (user, name, page)
            for user, name, page in self.execute(
                "SELECT user_id, name, page_id FROM notion_sync.sync_requests JOIN notion_sync.databases"
                " USING (user_id, database_id) WHERE status = 'waiting'"
            )
        }

    def counted(self) -> tuple[int, int]:
        """How many events were counted, and how many of them found nothing."""
        ((events, vain),) = self.execute(
            "SELECT sum(events)::int, sum(found_nothing)::int FROM notion_sync.webhook_days"
        )
        return events or 0, vain or 0

    def page(self, database: str, number: int = 0) -> str:
        return self.small.workspace.page_ids(self.small.data_sources[database])[number]

    def event(self, kind: str, entity_id: str, **more: Any) -> Event:
        event: Event = self.small.workspace.webhook_event(kind, entity_id, **more)
        return event


@pytest.fixture
def copies(database_maker: DatabaseMaker) -> Iterator[Copies]:
    with database_maker.filled(fill) as url:
        yield Copies(url, small_workspace())


def page_event(page_id: str, *, kind: str = "page.created", **parent: object) -> Event:
    return {"type": kind, "entity": {"id": page_id, "type": "page"}, "data": {"parent": parent}}
