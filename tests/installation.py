"""The tool set up against a real PostgreSQL and a sample workspace, for tests to use as an operator does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import psycopg
from notion_workspace import SampleWorkspace
from psycopg.rows import dict_row

from notion_pg_sync.mirror.connection import Connection, open_pool
from notion_pg_sync.mirror.initialise import carry_out, plan_init
from notion_pg_sync.mirror.sent_rows import RowOwner
from notion_pg_sync.settings import Settings
from notion_pg_sync.sync.run.listener import SilentListener
from notion_pg_sync.sync.run.run import RunOutcome, sync_all, sync_one

TABLES = (
    "notion_characters_sync",
    "notion_worlds_sync",
    "notion_stories_sync",
    "notion_chat_sessions_sync",
    "notion_pages_sync",
)

Row = dict[str, Any]


@dataclass
class Installation:
    """A database, a workspace, and the settings that bring them together."""

    settings: Settings
    workspace: SampleWorkspace

    async def init(self, *, row_security: bool = False) -> None:
        async with open_pool(self.settings.database_url or "") as pool, pool.connection() as connection:
            await carry_out(connection, await plan_init(connection, row_security=row_security, presets=["story-app"]))

    async def connect(self, user_id: str, token: str, databases: object, **columns: object) -> None:
        """Adds a user to `user_settings`, as the application would."""
        names = ["user_id", "notion_token", "notion_databases", *columns]
        await self.execute(
            f"INSERT INTO user_settings ({', '.join(names)}) VALUES ({', '.join(['%s'] * len(names))})",
            user_id,
            token,
            json.dumps(databases),
            *columns.values(),
        )

    async def sync_all(self, user_id: str | None = None, **settings: Any) -> RunOutcome:
        return await sync_all(replace(self.settings, **settings), SilentListener(), "notion-pg-sync sync-all", user_id)

    async def sync_one(self, user_id: str, database: str, **settings: Any) -> RunOutcome:
        return await sync_one(
            replace(self.settings, **settings), SilentListener(), "notion-pg-sync sync", user_id, database
        )

    async def let_an_hour_go_by(self) -> None:
        """For Notion's clock, and for what is believed of the databases."""
        self.workspace.clock.advance(3600)
        await self.execute("UPDATE notion_sync.databases SET listed_at = listed_at - interval '1 hour'")

    async def execute(self, statement: str, *parameters: object) -> list[Row]:
        async with (
            await psycopg.AsyncConnection.connect(
                self.settings.database_url or "", autocommit=True, row_factory=dict_row
            ) as connection,
            connection.cursor() as cursor,
        ):
            await cursor.execute(statement, parameters)
            return await cursor.fetchall() if cursor.description else []

    def execute_at_once(self, statement: str, *parameters: object) -> list[Row]:
        """The same for callbacks of the workspace, which cannot await."""
        with psycopg.connect(self.settings.database_url or "", autocommit=True, row_factory=dict_row) as connection:
            cursor = connection.execute(statement.encode(), parameters)
            return cursor.fetchall() if cursor.description else []

    async def mirrored(self, user_id: str, data_source_id: str) -> dict[str, Row]:
        """The rows of a data source for a user, by page id, wherever they are."""
        rows: dict[str, Row] = {}
        there = await self.execute("SELECT tablename FROM pg_tables WHERE tablename = ANY (%s)", list(TABLES))
        for table in [row["tablename"] for row in there]:
            found = await self.execute(
                f"SELECT * FROM {table} WHERE user_id = %s AND notion_data_source_id = %s", user_id, data_source_id
            )
            rows.update({row["notion_page_id"]: row for row in found})
        return rows

    def data_sources_of(self, database_id: str) -> list[str]:
        sources = self.workspace.state.data_sources.values()
        return [source.id for source in sources if source.database_id == database_id]

    async def differences(self, user_id: str, token: str, database_ids: Mapping[str, str]) -> list[str]:
        """What of a user's copy is not as Notion has it, a line each; none when the copy is exact."""
        return [
            line
            for name, database_id in database_ids.items()
            for source in self.data_sources_of(database_id)
            for line in self._differences(name, token, source, await self.mirrored(user_id, source))
        ]

    def _differences(self, name: str, token: str, source: str, rows: Mapping[str, Row]) -> list[str]:
        truth = self.workspace.truth(source, token)
        lines = [f"{name}: row {page_id} is missing" for page_id in truth.keys() - rows.keys()]
        lines += [f"{name}: row {page_id} is one too many" for page_id in rows.keys() - truth.keys()]
        for page_id in truth.keys() & rows.keys():
            whole = self.workspace.complete_page(page_id, token)["properties"]
            mirrored = rows[page_id]["properties"]
            lines += [
                f"{name}: {key!r} of {page_id} is {mirrored.get(key)!r}, not {whole.get(key)!r}"
                for key in whole.keys() | mirrored.keys()
                if mirrored.get(key) != whole.get(key)
            ]
            if rows[page_id]["url"] != truth[page_id]["url"]:
                lines.append(f"{name}: url of {page_id}")
        return lines


async def register(connection: Connection, owner: RowOwner) -> None:
    """Records the data source of rows that a test writes by itself, as a sync does before its first row."""
    await connection.execute(
        "INSERT INTO notion_sync.accounts (user_id) VALUES (%s) ON CONFLICT DO NOTHING", (owner.user_id,)
    )
    await connection.execute(
        "INSERT INTO notion_sync.databases (user_id, database_id, name) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
        (owner.user_id, owner.database_id, owner.database_name),
    )
    await connection.execute(
        "INSERT INTO notion_sync.data_sources (user_id, data_source_id, database_id, database_name, view_name, name,"
        " sync_table, schema, schema_fingerprint) VALUES (%s, %s, %s, %s, '', '', '', '{}', '') ON CONFLICT DO NOTHING",
        (owner.user_id, owner.data_source_id, owner.database_id, owner.database_name),
    )
