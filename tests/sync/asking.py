"""An application that asks for syncs of one user's databases, and looks what came of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from notion_workspace import SampleWorkspace

from notion_pg_sync.sync.run.run import RunOutcome
from tests.installation import Installation, Row


@dataclass
class Asking:
    """Asks for `user_id`, whose token in the workspace has the same name; `databases`: ids by the configured names."""

    installation: Installation
    user_id: str
    databases: Mapping[str, str]

    @property
    def workspace(self) -> SampleWorkspace:
        return self.installation.workspace

    async def execute(self, statement: str, *parameters: object) -> list[Row]:
        return await self.installation.execute(statement, *parameters)

    async def configure(self, databases: Mapping[str, Any]) -> None:
        """Changes entries of notion_databases."""
        await self.execute(
            "UPDATE user_settings SET notion_databases = %s", json.dumps({**self.databases, **databases})
        )

    async def ask_page(self, name: str, page_id: str) -> int:
        """Asks for a page that is said to be of this database; returns the request's number."""
        return self._number(await self.execute(*self.page_request(name, page_id)))

    async def ask_database(self, name: str) -> int:
        return self._number(await self.execute(*self.database_request(name)))

    async def ask_name(self, name: str) -> int:
        statement = (
            "INSERT INTO notion_sync.sync_requests (user_id, database_name) VALUES (%s, %s) RETURNING request_id"
        )
        return self._number(await self.execute(statement, self.user_id, name))

    async def ask_everything(self) -> int:
        statement = "INSERT INTO notion_sync.sync_requests (user_id) VALUES (%s) RETURNING request_id"
        return self._number(await self.execute(statement, self.user_id))

    def page_request(self, name: str, page_id: str) -> tuple[str, str, str, str]:
        statement = (
            "INSERT INTO notion_sync.sync_requests (user_id, database_id, page_id) VALUES (%s, %s, %s)"
            " RETURNING request_id"
        )
        return statement, self.user_id, self.databases[name], page_id

    def database_request(self, name: str) -> tuple[str, str, str]:
        statement = "INSERT INTO notion_sync.sync_requests (user_id, database_id) VALUES (%s, %s) RETURNING request_id"
        return statement, self.user_id, self.databases[name]

    @staticmethod
    def _number(answer: list[Row]) -> int:
        return int(answer[0]["request_id"])

    async def sync(self, **settings: Any) -> RunOutcome:
        return await self.installation.sync_all(**settings)

    async def answers(self) -> dict[int, tuple[str, str | None, str]]:
        """By number, the status, health and message of every request."""
        rows = await self.execute(
            "SELECT request_id, status, health, message FROM notion_sync.sync_requests ORDER BY request_id"
        )
        return {row["request_id"]: (row["status"], row["health"], row["message"]) for row in rows}

    def asked(self) -> dict[str, int]:
        """What the workspace was asked for, by kind."""
        return self.workspace.requests.counts()

    def source(self, name: str) -> str:
        (source,) = self.installation.data_sources_of(self.databases[name])
        return source

    def pages(self, name: str) -> list[str]:
        return self.workspace.page_ids(self.source(name))

    async def rows(self, name: str) -> dict[str, Row]:
        return await self.installation.mirrored(self.user_id, self.source(name))

    async def removed(self) -> dict[str, str]:
        rows = await self.execute("SELECT page_id, reason FROM notion_sync.removed_pages")
        return {row["page_id"]: row["reason"] for row in rows}

    async def differences(self, *names: str) -> list[str]:
        """What of these databases, or of all, is not as Notion has it."""
        databases = {name: self.databases[name] for name in names or self.databases}
        return await self.installation.differences(self.user_id, self.user_id, databases)

    async def are_rows_counted(self) -> bool:
        """Whether there are as many rows of each data source as there should be."""
        noted = await self.execute("SELECT data_source_id, row_count FROM notion_sync.data_sources")
        there = {row["data_source_id"]: 0 for row in noted}
        for source in there:
            there[source] = len(await self.installation.mirrored(self.user_id, source))
        return {row["data_source_id"]: row["row_count"] for row in noted} == there
