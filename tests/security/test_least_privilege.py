"""Everything works as the role that docs/least-privilege.md makes, and that role may do no more."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4

import psycopg
import pytest
from notion_workspace import SmallWorkspace, WorkspaceServer
from psycopg.conninfo import make_conninfo

from notion_pg_sync.settings import Settings
from tests.cli.conftest import Command
from tests.installation import TABLES, Installation
from tests.security.conftest import statements_shown

SETTINGS = """
    CREATE TABLE user_settings (
        user_id text PRIMARY KEY, notion_access_token text, notion_token text, notion_databases jsonb,
        auto_sync_enabled boolean, stripe_customer text
    );
    CREATE TABLE invoices (amount numeric)
"""


@dataclass(frozen=True)
class Server:
    """A database of an application, and the role for the tool, which the page makes."""

    url: str
    role: str
    small: SmallWorkspace
    notion_url: str

    def execute(self, statement: str) -> list[tuple[object, ...]]:
        """As the owner; `app` and `notion_pg_sync` stand for this test's database and role."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            there = statement.replace("DATABASE app", f"DATABASE {connection.info.dbname}")
            cursor = connection.execute(there.replace("notion_pg_sync", self.role).encode())
            return cursor.fetchall() if cursor.description else []

    def type(self, *kinds: str) -> None:
        for kind in kinds:
            for block in statements_shown("least-privilege.md", kind):
                self.execute(block)

    @property
    def command(self) -> Command:
        """The command as the role."""
        return Command({"DATABASE_URL": make_conninfo(self.url, user=self.role), "NOTION_BASE_URL": self.notion_url})

    def connect_anna(self) -> None:
        databases = {name: self.small.databases[name] for name in self.small.shared["anna"]}
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(
                "INSERT INTO user_settings (user_id, notion_token, notion_databases, auto_sync_enabled)"
                " VALUES ('anna', %s, %s, true)",
                (self.small.tokens["anna"], json.dumps(databases)),
            )
            connection.execute(
                "INSERT INTO notion_sync.accounts (user_id, views) VALUES ('anna', true)"
                " ON CONFLICT (user_id) DO UPDATE SET views = true"
            )


@pytest.fixture
def server(database_url: str, small: SmallWorkspace) -> Iterator[Server]:
    with WorkspaceServer(small.workspace) as notion:
        made = Server(database_url, f"tool_{uuid4().hex}", small, notion.url)
        yield made
        if made.execute("SELECT FROM pg_roles WHERE rolname = 'notion_pg_sync'"):
            made.execute("REASSIGN OWNED BY notion_pg_sync TO CURRENT_USER; DROP OWNED BY notion_pg_sync")
            made.execute("DROP ROLE notion_pg_sync")


@pytest.fixture
def own(server: Server) -> Server:
    """The tables are the tool's own."""
    server.execute(SETTINGS)
    server.type("role", "role settings")
    ended = server.command("init")
    assert (ended.code, ended.err) == (0, "")
    server.type("role after")
    return server


@pytest.fixture
def new(server: Server) -> Server:
    """A new database, of which the tool makes everything."""
    server.type("role")
    ended = server.command("init")
    assert (ended.code, ended.err) == (0, "")
    server.type("role after")
    return server


@pytest.fixture
def adopted(server: Server, app_schema: str) -> Server:
    """The tables are the application's, all with row level security."""
    server.execute(app_schema)
    server.execute("DELETE FROM user_settings; CREATE TABLE IF NOT EXISTS invoices (amount numeric)")
    server.execute("ALTER TABLE user_settings ENABLE ROW LEVEL SECURITY, ADD stripe_customer text")
    asyncio.run(Installation(Settings(database_url=server.url), server.small.workspace).init())
    for table in TABLES:
        server.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    server.type("adopted")
    for again in statements_shown("least-privilege.md", "adopted")[1:]:
        server.execute(again)
    return server


@pytest.fixture(params=["own", "adopted"])
def limited(request: pytest.FixtureRequest) -> Server:
    """Both ways, one after the other."""
    server: Server = request.getfixturevalue(request.param)
    return server


def test_every_command_works_as_that_role(limited: Server) -> None:
    limited.connect_anna()
    for command in (
        ("sync-all",),
        ("sync-all", "--full"),
        ("sync", "anna", "Characters", "--verify"),
        ("sync-all", "--dry-run"),
    ):
        ended = limited.command(*command)
        assert (command, ended.code, ended.err) == (command, 0, "")
    limited.small.workspace.trash_page(limited.small.workspace.page_ids(data_source="Worlds")[0])
    limited.execute("SELECT notion_sync.sync_all_notion_databases('anna')")
    assert limited.command("sync-all", "--full").code == 0
    assert limited.execute("SELECT count(*) FROM notion_sync.removed_pages") == [(1,)]
    assert limited.execute("SELECT status FROM notion_sync.sync_requests") == [("succeeded",)]
    assert limited.execute("SELECT count(*) > 0 FROM notion.characters") == [(True,)]


def test_people_connect_and_disconnect_as_that_role(limited: Server) -> None:
    limited.type("role after")
    limited.execute("ALTER ROLE notion_pg_sync BYPASSRLS")
    token = limited.small.tokens["ben"]
    picked = ("--database", "Worlds", "--database", "Tasks", "--sync")
    for command in (("connect", "ben", *picked), ("forget", "ben", "Worlds", "--disconnect", "--yes")):
        ended = limited.command(*command, given=token)
        assert ended.code == 0, (command, ended.err)
    assert limited.command("forget", "ben", "--disconnect", "--yes").code == 0
    assert limited.execute("SELECT user_id, notion_token FROM user_settings") == [("ben", None)]


def test_in_a_new_database_the_application_adds_users_and_the_role_syncs_them(new: Server) -> None:
    application = f"server_{uuid4().hex}"
    new.execute(f"CREATE ROLE {application} LOGIN")
    for block in statements_shown("least-privilege.md", "role application"):
        new.execute(block.replace("app_server", application))
    databases = json.dumps({"Characters": new.small.databases["Characters"]})
    with psycopg.connect(make_conninfo(new.url, user=application), autocommit=True) as connection:
        connection.execute(
            "INSERT INTO user_settings (user_id, notion_token, notion_databases) VALUES ('anna', %s, %s)",
            (new.small.tokens["anna"], databases),
        )
    connected = new.command("connect", "ben", "--database", "Tasks", "--no-sync", given=new.small.tokens["ben"])
    ended = new.command("sync-all")
    assert (connected.code, ended.code, ended.err) == (0, 0, "")
    assert new.execute("SELECT count(DISTINCT user_id) FROM notion_pages_sync") == [(2,)]
    assert new.execute("SELECT count(*) > 0 FROM notion.tasks") == [(True,)]
    new.execute(f"DROP OWNED BY {application}; DROP ROLE {application}")


@pytest.mark.parametrize("rights", [(), ("role after",)])
def test_forgetting_needs_sight_of_every_row(adopted: Server, rights: tuple[str, ...]) -> None:
    adopted.connect_anna()
    # Who is still connected is refused before anybody's rights are looked at.
    adopted.execute("DELETE FROM user_settings")
    adopted.type(*rights)
    ended = adopted.command("forget", "anna", "--yes")
    assert ended.code == 3
    assert "forget as the role that owns the schema notion_sync" in ended.sentence


def test_doctor_misses_no_right(limited: Server) -> None:
    limited.connect_anna()
    assert limited.command("sync-all").code == 0
    findings = json.loads(limited.command("doctor", "--json", "--no-cron-check").out)["findings"]
    rights = {finding["check"]: finding for finding in findings if finding["check"] in ("rights", "visible rows")}
    assert {name: finding["verdict"] for name, finding in rights.items()} == {"rights": "ok", "visible rows": "ok"}


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT stripe_customer FROM user_settings",
        "DELETE FROM user_settings",
        "SELECT * FROM invoices",
        "CREATE TABLE public.mine (a int)",
        "CREATE SCHEMA mine",
        "CREATE ROLE mine",
        "SELECT pg_read_file('/etc/passwd')",
    ],
)
def test_the_role_may_do_no_more(limited: Server, statement: str) -> None:
    with (
        psycopg.connect(make_conninfo(limited.url, user=limited.role), autocommit=True) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement.encode())


def test_the_role_has_no_attribute_that_widens_its_rights(limited: Server) -> None:
    attributes = "rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication"
    assert limited.execute(f"SELECT {attributes} FROM pg_roles WHERE rolname = 'notion_pg_sync'") == [(False,)]
