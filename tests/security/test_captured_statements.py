"""Whoever may create in the schema public gains nothing of it: no statement of the tool runs what they put there.

The database is as it comes from PostgreSQL 14 or older: everybody may create in public.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from notion_workspace import SmallWorkspace, WorkspaceServer
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests.cli.conftest import Command, Ended
from tests.cli.test_canary_token import LOG
from tests.security.decoys import CAPTURED, plant
from tests.security.sent import Log, capturable, statements_in

WELL = Ended(0, "", "")


@dataclass(frozen=True)
class Site:
    """A database, the role of the tool in it, a stranger's role, and what the server's log says from now on."""

    url: str
    tool: str
    stranger: str
    small: SmallWorkspace
    notion_url: str
    log: Log

    @property
    def command(self) -> Command:
        """The command as the tool's role."""
        return Command({"DATABASE_URL": make_conninfo(self.url, user=self.tool), "NOTION_BASE_URL": self.notion_url})

    def execute(self, statement: str, role: str | None = None) -> list[tuple[object, ...]]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            # The administrator's own statements are not what is tried.
            connection.execute("SET search_path = pg_catalog")
            if role:
                connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def plant(self, whose: str = "pg_catalog") -> int:
        with psycopg.connect(self.url, autocommit=True) as connection:
            return plant(connection, self.stranger, whose)


@pytest.fixture
def site(database_url: str, small: SmallWorkspace) -> Iterator[Site]:
    tool, stranger = f"tool_{uuid4().hex}", f"stranger_{uuid4().hex}"
    server = conninfo_to_dict(database_url)
    database = sql.Identifier(str(server["dbname"]))
    log = Log(Path(str(server["host"])).parent / LOG)
    with WorkspaceServer(small.workspace) as notion, psycopg.connect(database_url, autocommit=True) as connection:
        for role in (tool, stranger):
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
        connection.execute("GRANT CREATE ON SCHEMA public TO PUBLIC")
        connection.execute(sql.SQL("GRANT CREATE ON DATABASE {} TO {}").format(database, sql.Identifier(tool)))
        connection.execute(sql.SQL("ALTER ROLE {} SET log_statement = 'all'").format(sql.Identifier(tool)))
        yield Site(database_url, tool, stranger, small, notion.url, log)
        for role in (tool, stranger):
            connection.execute(sql.SQL("DROP OWNED BY {0} CASCADE; DROP ROLE {0}").format(sql.Identifier(role)))


def broken(site: Site) -> list[dict[str, str]]:
    """What doctor says is broken; a check that fails is."""
    findings = json.loads(site.command("doctor", "--json", "--no-cron-check").out)["findings"]
    return [finding for finding in findings if finding["verdict"] == "broken"]


def everything(site: Site) -> None:
    """Every command, with and without something to do; each has to end well."""

    def run(*arguments: str, given: str = "", code: int = 0) -> str:
        ended = site.command(*arguments, given=given)
        assert (arguments, ended.code, ended.err) == (arguments, code, ""), ended.out
        return ended.out

    small, workspace = site.small, site.small.workspace
    databases = {name: small.databases[name] for name in small.shared["anna"]}
    picked = [option for name in databases for option in ("--database", name)]
    run("connect", "anna", *picked, "--yes", given=small.tokens["anna"])
    run("connect", "ben", "--database", "Worlds", "--yes", "--no-views", given=small.tokens["ben"])
    run("sync-all", "--bodies")
    site.execute("SELECT notion_sync.sync_notion_database('anna', NULL, 'Worlds')", site.tool)
    workspace.clock.advance(3600)
    workspace.trash_page(workspace.page_ids("Worlds")[0])
    for page in workspace.page_ids("One Hundred and One")[:5]:
        workspace.edit_page(page, {"Name": "edited"})
    # A database of another name, whose rows go to a table of their own and take the old ones along.
    site.execute(
        "CREATE TABLE public.notion_worlds_of_ours_sync (LIKE public.notion_pages_sync INCLUDING ALL)", site.tool
    )
    renamed = {("Worlds of Ours" if name == "Worlds" else name): one for name, one in databases.items()}
    excluding = {**renamed, "Characters": {"id": databases["Characters"], "exclude": ["Role", "Description"]}}
    setting = "UPDATE public.user_settings SET notion_databases = '{}' WHERE user_id = 'anna'"
    site.execute(setting.format(json.dumps(excluding)))
    site.execute("UPDATE notion_sync.accounts SET emails = false", site.tool)
    run("sync-all")
    site.execute(setting.format(json.dumps(renamed)))
    run("sync", "anna", "Characters", "--include", "Role")
    run("sync-all", "--full", "--bodies")
    run("sync", "anna", "Characters", "--verify")
    run("sync-all", "--dry-run")
    run("connect", "ben", "--all", "--yes", given=small.tokens["ben"])
    run("status", "--json")
    assert [finding["check"] for finding in broken(site)] == ["unique keys"]
    site.execute(broken(site)[0]["fix"], site.tool)
    assert broken(site) == []
    run("init", "--yes")
    run("forget", "anna", "Characters", "--disconnect", "--yes")
    run("forget", "ben", "--disconnect", "--yes")


@pytest.fixture(params=['"$user", public', "public, pg_catalog"])
def own(request: pytest.FixtureRequest, site: Site) -> Site:
    """The tables are the tool's own; by the second path even a name that PostgreSQL has means the stranger's."""
    site.execute(f"ALTER ROLE {site.tool} SET search_path = {request.param}")
    assert site.plant() > 5000
    ended = site.command("init")
    assert (ended.code, ended.err) == (0, "")
    site.plant("notion_sync")
    return site


@pytest.mark.first
@pytest.mark.timeout(600)
def test_nothing_of_a_stranger_is_run_and_nothing_could_be(own: Site) -> None:
    everything(own)
    log = own.log.text
    assert CAPTURED not in log
    sent = statements_in(log)
    assert len(sent) > 500
    # Every statement ran in a transaction that had set its path, those of the application's tables with names in full.
    assert [one.text for one in sent if one.first_schema is None] == []
    assert {
        one.text: found for one in sent if one.first_schema != "pg_catalog" and (found := capturable(one.text))
    } == {}
