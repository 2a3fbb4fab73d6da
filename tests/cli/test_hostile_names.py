"""Names that are SQL, markup, format strings or control characters go through every command unharmed."""

from __future__ import annotations

import json
from collections.abc import Iterator

import psycopg
import pytest
from notion_workspace import SmallWorkspace, WorkspaceServer
from psycopg import sql

from tests.cli.conftest import Command

pytestmark = pytest.mark.slow

HOSTILE = [
    "'; DROP TABLE user_settings; --",
    '"; DELETE FROM notion_sync.accounts; --',
    "%s %(name)s {} {0} $1 :name \\ \\x27",
    "[bold red]not markup[/] [link=x]",
    "x" * 200 + '"',
    "name\twith\u202e control \u0007characters",
]


class Place:
    """An application whose user_settings stand in a schema of a hostile name."""

    def __init__(self, url: str, small: SmallWorkspace, notion_url: str, name: str) -> None:
        self.url = url
        self.small = small
        self.name = name
        self.schema = name[:50]
        self.command = Command({"DATABASE_URL": url, "NOTION_BASE_URL": notion_url})
        with psycopg.connect(url, autocommit=True) as connection:
            names = {"schema": sql.Identifier(self.schema), "database": sql.Identifier(connection.info.dbname)}
            for statement in (
                "CREATE SCHEMA {schema}",
                "ALTER DATABASE {database} SET search_path = {schema}, public",
                "CREATE TABLE {schema}.user_settings"
                " (user_id text PRIMARY KEY, notion_token text, notion_databases jsonb)",
            ):
                connection.execute(sql.SQL(statement).format(**names))

    def execute(self, statement: str, *parameters: object) -> list[tuple[object, ...]]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), parameters or None)
            return cursor.fetchall() if cursor.description else []


@pytest.fixture(params=HOSTILE, ids=[str(number) for number in range(len(HOSTILE))])
def place(request: pytest.FixtureRequest, database_url: str, small: SmallWorkspace) -> Iterator[Place]:
    with WorkspaceServer(small.workspace) as server:
        yield Place(database_url, small, server.url, request.param)


def test_every_command_goes_through(place: Place) -> None:
    name, workspace = place.name, place.small.workspace
    assert place.command("init", "--yes").code == 0
    assert place.execute("SELECT count(*) FROM pg_tables WHERE schemaname = %s", place.schema) == [(2,)]
    hostile = workspace.add_database(
        name, {name: {"type": "title"}, f"{name} 2": {"type": "rich_text"}}, [{name: name}]
    )
    workspace.share("anna", hostile.id)
    for user in (name, "anna"):
        place.execute(
            "INSERT INTO user_settings (user_id, notion_token, notion_databases) VALUES (%s, %s, %s)",
            user,
            place.small.tokens["anna"],
            json.dumps({name: hostile.id, "Characters": place.small.databases["Characters"]}),
        )
        place.execute("INSERT INTO notion_sync.accounts (user_id, views) VALUES (%s, true)", user)
    ended = place.command("sync-all", "-vv")
    assert (ended.code, "Traceback" in ended.err) == (0, False), ended.err
    assert place.execute("SELECT title, user_id FROM notion_pages_sync ORDER BY user_id = 'anna'") == [
        (name, name),
        (name, "anna"),
    ]
    place.execute("SELECT notion_sync.sync_notion_database(%s, NULL, %s)", name, name)
    place.execute("SELECT * FROM notion_sync.sync_all_notion_databases(%s)", name)
    for command in (
        ("sync", name, name, "--verify", "-vv"),
        ("sync-all", "--user", name, "--json"),
        ("sync-all",),
        ("status",),
        ("status", "--user", name, "--database", name),
        ("status", "--json"),
        ("status", "--prometheus"),
        ("doctor", "--user", name, "--no-cron-check"),
        ("forget", name, name, "--disconnect", "--yes"),
        ("forget", name, "--disconnect", "--yes"),
    ):
        ended = place.command(*command)
        assert (command, ended.code, "Traceback" in ended.err) == (command, 0, False), ended.err + ended.out
    assert place.execute("SELECT DISTINCT user_id FROM notion_pages_sync") == [("anna",)]
    assert place.execute("SELECT count(*) FROM user_settings") == [(2,)]
