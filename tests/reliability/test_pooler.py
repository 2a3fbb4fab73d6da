"""Everything works through a PgBouncer that gives every transaction another connection."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from notion_workspace import SmallWorkspace, WorkspaceServer
from psycopg import sql
from psycopg.conninfo import make_conninfo

from notion_pg_sync.settings import Settings
from tests.cli.conftest import Command, Ended
from tests.installation import TABLES, Installation
from tests.pgbouncer import PgBouncer
from tests.reliability.conftest import UNPACED, WELL, Place

# What an application says of its user, in each transaction.
SETTING, CLAIMS = "app.user_id", "request.jwt.claims"


@pytest.fixture
def tenant(database_url: str) -> Iterator[str]:
    """The role of an application that shows each of its users their own rows."""
    role = f"tenant_{uuid4().hex}"
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
        yield role
        connection.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(role)))
        connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


@pytest.fixture
def pooled(database_url: str, small: SmallWorkspace, tenant: str) -> Iterator[Place]:
    """As `place`, but nothing is initialised, and the command knows of the way through PgBouncer alone."""
    with WorkspaceServer(small.workspace) as server, PgBouncer(database_url, [tenant]) as pgbouncer:
        installation = Installation(Settings(database_url=database_url, notion_base_url=server.url), small.workspace)
        command = Command({"DATABASE_URL": pgbouncer.url, "NOTION_BASE_URL": server.url})
        yield Place(command, small, database_url, installation=installation)


def test_every_command_works_through_it(pooled: Place, tmp_path: Path) -> None:
    assert pooled.command("init", "--yes").code == 0
    assert pooled.command("init", "--yes").code == 0
    everybody = pooled.connect_everybody()
    assert pooled.command("sync-all", *UNPACED) == WELL
    workspace = pooled.small.workspace
    workspace.clock.advance(3600)
    for page in workspace.page_ids("One Hundred and One")[:7]:
        workspace.edit_page(page, {"Name": "edited"})
    assert pooled.command("sync-all", *UNPACED) == WELL
    modes = pooled.execute("SELECT DISTINCT mode FROM notion_sync.database_runs ORDER BY mode")
    assert modes == [("full",), ("incremental",)]
    for user, databases in everybody.items():
        assert pooled.differences(user, user, databases) == []
        rows = sum(
            len(workspace.truth(source, user))
            for database in databases.values()
            for source in pooled.installation.data_sources_of(database)
        )
        assert sum(pooled.view_rows(user).values()) == rows
    ended = pooled.command("sync", "cora", "Notes", "--verify", *UNPACED)
    assert (ended.code, ended.err) == (0, "")
    workspace.set_body(workspace.page_ids("Notes")[0], ["A word inside"])
    assert pooled.command("sync-all", "--full", "--bodies", *UNPACED) == WELL
    assert pooled.execute("SELECT user_id FROM notion_sync.search('inside', 'cora')") == [("cora",)]
    status = pooled.command("status", "--json")
    assert (status.code, status.err) == (0, ""), status
    assert all(f'"{user}"' in status.out for user in everybody)
    told = json.loads(pooled.command("doctor", "--json", "--no-cron-check").out)
    assert "behind a connection pooler" in json.dumps(told)
    assert pooled.command("forget", "cora", "--disconnect", "--yes").code == 0
    counted = " UNION ALL ".join(f"SELECT user_id FROM {table}" for table in TABLES)
    left = pooled.execute(f"SELECT DISTINCT user_id FROM ({counted}) AS rows ORDER BY 1")
    assert left == [(user,) for user in sorted(everybody) if user != "cora"]
    token = tmp_path / "token"
    token.write_text(workspace.add_token("dora").secret)
    workspace.share("dora", pooled.small.databases["Notes"])
    assert pooled.command("connect", "dora", "--token-file", str(token), "--database", "Notes").code == 0
    assert pooled.command("sync-all", "--user", "dora", *UNPACED) == WELL


def test_side_by_side_through_it(pooled: Place) -> None:
    assert pooled.command("init", "--yes").code == 0
    everybody = pooled.connect_everybody()

    async def three() -> list[Ended]:
        return await asyncio.gather(*(asyncio.to_thread(pooled.command, "sync-all", *UNPACED) for _ in range(3)))

    assert asyncio.run(three()) == [WELL] * 3
    for user, databases in everybody.items():
        assert pooled.differences(user, user, databases) == []


def test_tenants_see_their_own_rows_and_nothing_of_it_stays_behind(pooled: Place, tenant: str) -> None:
    assert pooled.command("init", "--yes").code == 0
    everybody = pooled.connect_everybody()
    assert pooled.command("sync-all", *UNPACED) == WELL
    pooled.execute(f"GRANT USAGE ON SCHEMA notion, notion_sync TO {tenant}")
    for table in (*TABLES, "notion.worlds"):
        pooled.execute(f"GRANT SELECT ON {table} TO {tenant}")
    counted = " UNION ALL ".join(f"SELECT user_id, notion_page_id FROM {table}" for table in TABLES)
    url = make_conninfo(pooled.command.environment["DATABASE_URL"], user=tenant)
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as session:

        def seen(user: str, setting: str, statement: str) -> list[tuple[object, ...]]:
            with session.transaction():
                session.execute(
                    "SELECT set_config(%s, %s, true)",
                    (setting, user if setting == SETTING else json.dumps({"sub": user})),
                )
                return session.execute(statement.encode()).fetchall()

        # More often than there are connections, so that each is used after each user and without any.
        for setting in (SETTING, CLAIMS):
            for user in [*everybody, *everybody]:
                rows = seen(user, setting, counted)
                assert {owner for owner, _ in rows} == {user}
                assert pooled.differences(user, user, everybody[user]) == []
                ((own,),) = pooled.execute(f"SELECT count(*) FROM ({counted}) AS rows WHERE user_id = %s", user)
                assert len(rows) == own
                assert session.execute(counted.encode()).fetchall() == []
                assert session.execute("SELECT 1 FROM notion.worlds").fetchall() == []
        assert len(seen("anna", SETTING, "SELECT 1 FROM notion.worlds")) == 12
        assert seen("cora", SETTING, "SELECT 1 FROM notion.worlds") == []
