"""A way to Notion for one token, as the settings want it."""

from __future__ import annotations

from notion_pg_sync.notion.client import NotionClient, Retries
from notion_pg_sync.notion.connections import Connections
from notion_pg_sync.notion.pacer import Pacer
from notion_pg_sync.notion.token_in_use import Stored
from notion_pg_sync.settings import Settings


def open_client(
    settings: Settings,
    token: str,
    retries: Retries | None = None,
    pacer: Pacer | None = None,
    stored: Stored | None = None,
    *,
    connections: Connections | None = None,
) -> NotionClient:
    """A client for one token; to be used as an async context manager.

    `retries`: how patient it is; None: as a sync is. `pacer`: that of the token's other clients; None: it has
    none. `stored`: what the token is by now, where Notion refuses it; None: nobody renews it. `connections`: what
    requests with these settings go over; None: it has its own.
    """
    return NotionClient(
        token,
        base_url=settings.notion_base_url,
        proxy=settings.notion_proxy,
        pacer=pacer or Pacer(settings.requests_per_minute),
        concurrency=settings.concurrency,
        retries=retries or Retries(first_back_off=settings.first_back_off),
        stored=stored,
        connections=connections,
    )
