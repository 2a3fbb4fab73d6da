"""The first query of a read, made together with the request for the schema, before it is certain what is to be read."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from msgspec import Struct

from notion_pg_sync.notion.client import DataSourceAnswer, QueryAnswer
from notion_pg_sync.notion.errors import NotionError
from notion_pg_sync.notion.listing import Query
from notion_pg_sync.sync.rows.reading import Ask


class Ahead(Struct, frozen=True):
    """A query that was made ahead, and what came of it."""

    query: Query
    outcome: QueryAnswer | NotionError

    def is_for(self, query: Query) -> bool:
        """Whether `query` asks for the very same."""
        return query.most is None and query.body() == self.query.body()

    def answer(self) -> QueryAnswer:
        """The answer. Raises `NotionError` where there is none."""
        if isinstance(self.outcome, NotionError):
            raise self.outcome
        return self.outcome


async def beside(described: Awaitable[DataSourceAnswer], query: Query, ask: Ask) -> tuple[DataSourceAnswer, Ahead]:
    """Awaits `described`, and makes `query` meanwhile; gives that up where `described` raises.

    `described` begins first, so that when it was asked for is the earlier time of both.
    """
    asked = asyncio.ensure_future(_outcome(query, ask))
    try:
        return await described, Ahead(query, await asked)
    finally:
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)


async def _outcome(query: Query, ask: Ask) -> QueryAnswer | NotionError:
    try:
        return await ask(query)
    except NotionError as error:
        return error
