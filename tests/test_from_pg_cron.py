"""docs/from-pg-cron.md is followed as it is printed, away from a real pg_cron and back."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid5

import psycopg
import pytest
from notion_workspace import SmallWorkspace, WorkspaceServer

from tests.cli.conftest import BARE
from tests.cli.terminal import Terminal
from tests.fences import ROOT, Fence, fences, section
from tests.older_setup import CLEANS, OTHER, SUPERUSER, SYNCS, OlderSetup, Row
from tests.waiting import wait_until

# pg_cron starts a job once a minute.
pytestmark = [pytest.mark.slow, pytest.mark.first, pytest.mark.timeout(900)]

PAGE = ROOT / "docs" / "from-pg-cron.md"
MINUTES = 150.0
# By table: the column of the title, and who has which database there.
TABLES = {
    "notion_characters_sync": ("name", "anna", "Characters"),
    "notion_worlds_sync": ("name", "anna", "Worlds"),
    "notion_stories_sync": ("title", "anna", "Stories"),
    "notion_chat_sessions_sync": ("title", "anna", "Chat Sessions"),
    "notion_pages_sync": ("title", "ben", "Tasks"),
}
# As the old route wrote, whose two oldest tables have a key that leaves out rows without a page.
OLD_CONFLICT = "(notion_page_id) WHERE notion_page_id IS NOT NULL"
NEW_CONFLICT = "(user_id, notion_page_id)"
OLDER_FUNCTIONS = {
    "set_sync_api_url",
    "sync_all_notion_databases",
    "sync_notion_database",
    "sync_notion_database_via_api",
}


@dataclass
class Guide:
    """Somebody at a terminal of the tool's host who types what the page shows; `typed` is what they typed so far."""

    setup: OlderSetup
    environment: dict[str, str]
    folder: Path
    typed: list[Fence] = field(default_factory=list)

    def follow(self, heading: str) -> Iterator[str]:
        """Types the blocks of a section, in order, one whenever the next is asked for; gives what each showed."""
        for fence in fences(section(PAGE, heading)):
            yield self._type(fence)
            self.typed.append(fence)

    def command(self, line: str) -> str:
        """Types a command of the shell; returns what it printed."""
        ended = subprocess.run(
            ["sh", "-c", line], env=self.environment, cwd=self.folder, capture_output=True, text=True, check=False
        )
        # doctor says by its exit code too that there is something to do.
        is_well = ended.returncode == 0 or line.startswith("notion-pg-sync doctor")
        assert is_well, f"{line}\n{ended.stdout}{ended.stderr}"
        return ended.stdout

    def _type(self, fence: Fence) -> str:
        match fence.language:
            case "sql" | "sql pg_cron":
                return self.psql(fence.text, self.setup.url)
            case "sql pg_cron superuser":
                return self.psql(fence.text, self.setup.socket_url(user=SUPERUSER))
            case "sh":
                return "".join(self._line(line) for line in fence.text.splitlines())
        raise AssertionError(f"nobody knows how to type {fence.language!r}")

    def psql(self, script: str, url: str) -> str:
        ended = subprocess.run(
            [self.setup.psql, "--no-psqlrc", "--quiet", "--csv", "--tuples-only", "--set=ON_ERROR_STOP=1", url],
            input=script,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, f"{script}\n{ended.stderr}"
        return ended.stdout

    def _line(self, line: str) -> str:
        if line.startswith("export DATABASE_URL="):
            return ""
        return self._init() if line == "notion-pg-sync init" else self.command(line)

    def _init(self) -> str:
        terminal = Terminal("init", **self.environment)
        terminal.types("y")
        assert terminal.ends() == 0, terminal.shown
        return terminal.shown


@dataclass
class Application:
    """The application that reads and writes the tables, whoever syncs them; `ids` are those of its users, by label."""

    setup: OlderSetup
    small: SmallWorkspace
    ids: dict[str, str]

    def rows(self) -> dict[str, list[Row]]:
        """Each table's rows, as the application knows them."""
        query = "SELECT user_id, notion_page_id, id FROM {} WHERE user_id = ANY (%s) ORDER BY id"
        return {table: self.setup.ask(query.format(table), [*self.ids.values()]) for table in TABLES}

    def seen_by(self, label: str, table: str) -> int:
        """How many rows a person sees."""
        claims = json.dumps({"sub": self.ids[label]})
        ((count,),) = self.setup.ask(f"SELECT count(*) FROM {table}", role="authenticated", claims=claims)
        assert isinstance(count, int)
        return count

    def upserts(self, conflict: str) -> tuple[int, int]:
        """Writes every page as the route did; how many statements were accepted, and how many refused."""
        accepted = refused = 0
        with psycopg.connect(self.setup.url, autocommit=True) as connection:
            connection.execute("SET ROLE service_role")
            for table, (title, label, database) in TABLES.items():
                named = ", database_name" if table == "notion_pages_sync" else ""
                statement = (
                    f"INSERT INTO {table} (notion_page_id, notion_database_id, user_id, {title}{named})"
                    f" VALUES (%s, %s, %s, %s{', %s' if named else ''})"
                    f" ON CONFLICT {conflict} DO UPDATE SET {title} = EXCLUDED.{title}"
                )
                for page_id in self.small.workspace.truth(self.small.data_sources[database]):
                    values = [page_id, self.small.databases[database], self.ids[label], "upserted"]
                    try:
                        connection.execute(statement.encode(), [*values, *([database] if named else [])])
                        accepted += 1
                    except psycopg.errors.InvalidColumnReference:
                        refused += 1
        return accepted, refused

    def connect(self, label: str, *databases: str) -> None:
        """Adds a user, or gives them other databases; `auto_sync_enabled` is what the table's default says."""
        self.setup.ask(
            "INSERT INTO user_settings (user_id, notion_token, notion_databases) VALUES (%s, %s, %s)"
            " ON CONFLICT (user_id) DO UPDATE SET notion_databases = EXCLUDED.notion_databases",
            *(self.ids[label], self.small.tokens[label]),
            json.dumps({name: self.small.databases[name] for name in databases}),
        )


@pytest.fixture(params=["text", "uuid"])
def application(request: pytest.FixtureRequest, small: SmallWorkspace) -> Iterator[Application]:
    """Two users, whose databases the old set-up syncs; neither was ever asked about `auto_sync_enabled`."""
    uuids = request.param == "uuid"
    with OlderSetup(uuids=uuids) as setup:
        ids = {label: str(uuid5(UUID(int=0), label)) if uuids else label for label in ("anna", "ben")}
        application = Application(setup, small, ids)
        for label, user_id in ids.items():
            held = [database for _, owner, database in TABLES.values() if owner == label]
            application.connect(label, *held)
            setup.notion_has(small, user_id, label, *held)
        yield application


@pytest.fixture
def guide(application: Application, tmp_path: Path) -> Iterator[Guide]:
    with WorkspaceServer(application.small.workspace) as notion:
        environment = {
            **BARE,
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "DATABASE_URL": application.setup.url,
            "NOTION_BASE_URL": notion.url,
        }
        yield Guide(application.setup, environment, tmp_path)


def change_over(guide: Guide, application: Application) -> None:
    """Follows the page from its first step to its last, and looks at what it promises on the way."""
    setup = application.setup
    (looked,) = guide.follow("### 1. Install, and look")
    assert [
        found for found in (SYNCS, CLEANS, "app.api_url", "of an older set-up is still there") if found not in looked
    ] == []
    every = guide.command("notion-pg-sync doctor --no-cron-check -v")
    assert [function for function in OLDER_FUNCTIONS if f"public.{function}(" not in every] == []
    assert f"job {OTHER}" not in looked
    assert "older_sync" not in (guide.folder / "init.sql").read_text(encoding="utf-8")
    list(guide.follow("### 2. Decide who is synced"))
    assert setup.ask("SELECT DISTINCT auto_sync_enabled FROM user_settings") == [(True,)]
    (kept,) = guide.follow("### 3. Keep what the way back needs")
    assert {line.split(",")[1] for line in kept.splitlines()} == {SYNCS, CLEANS}
    wait_until(lambda: "".join(guide.follow("### 4. Pause the old jobs")).splitlines()[-2:] == ["0", "0"])
    assert_paused(setup)
    (initialised,) = guide.follow("### 5. `init`")
    assert "Change these tables?" in initialised
    assert initialised.endswith("Done: this PostgreSQL is ready for notion-pg-sync.\n")
    _, databases = guide.follow("### 6. Sync by hand")
    assert {line.split(",")[2] for line in databases.splitlines()} == {"succeeded"}
    list(guide.follow("### 7. Let the application's roles in"))
    asks(application, "notion_sync")
    list(guide.follow("### 8. Change the application"))
    guide.command("notion-pg-sync sync-all")
    assert setup.ask("SELECT DISTINCT status FROM notion_sync.sync_requests") == [("succeeded",)]


def assert_paused(setup: OlderSetup) -> None:
    """pg_cron goes on with what is none of ours, and starts nothing of what was paused."""
    ((paused_at,),) = setup.ask("SELECT now()")
    wait_until(lambda: setup.runs(OTHER, since=paused_at), seconds=MINUTES)
    assert setup.runs(SYNCS, since=paused_at) == []


def asks(application: Application, schema: str) -> None:
    """Tenants and the application's server ask for a sync, by the names of parameters as PostgREST does."""
    ask = f"SELECT {schema}.sync_notion_database(user_id => %s, database_id => %s, database_name => %s)"
    anna, ben = application.ids["anna"], application.ids["ben"]
    claims = json.dumps({"sub": anna})
    ((number,),) = application.setup.ask(ask, anna, "", "Characters", role="authenticated", claims=claims)
    tasks = application.small.databases["Tasks"]
    ((another,),) = application.setup.ask(ask, ben, tasks, "Tasks", role="service_role")
    assert number != another


def test_the_page_leads_away_from_pg_cron_and_back_and_away_for_good(guide: Guide, application: Application) -> None:
    setup = application.setup
    # A run that began earlier may have read the route before it knew everything.
    ((all_there_at,),) = setup.ask("SELECT now()")
    wait_until(lambda: setup.runs(SYNCS, since=all_there_at), seconds=MINUTES)
    before, seen = application.rows(), application.seen_by("anna", "notion_characters_sync")
    pages = sum(map(len, before.values()))
    assert seen == len(before["notion_characters_sync"]) > 0
    assert application.upserts(OLD_CONFLICT) == (pages, 0)

    change_over(guide, application)
    list(guide.follow("## Questions, before and now"))
    after = application.rows()
    assert [row for table, rows in before.items() for row in rows if row not in after[table]] == []
    assert application.seen_by("anna", "notion_characters_sync") == seen
    assert application.upserts(OLD_CONFLICT) == (0, pages)
    assert application.upserts(NEW_CONFLICT) == (pages, 0)
    assert application.rows() == after

    application.connect("ben", "Tasks", "Worlds")
    guide.command("notion-pg-sync sync-all")
    worlds = len(after["notion_worlds_sync"])
    assert len(application.rows()["notion_worlds_sync"]) == 2 * worlds
    setup.ask("UPDATE route.notion SET title = 'read by the route again'")
    ((back_at,),) = setup.ask("SELECT now()")
    list(guide.follow("## How to go back"))
    assert application.upserts(OLD_CONFLICT) == (pages, 0)
    wait_until(lambda: setup.runs(SYNCS, since=back_at), seconds=MINUTES)
    assert setup.ask("SELECT DISTINCT user_id, name FROM notion_worlds_sync") == [
        (application.ids["anna"], "read by the route again")
    ]
    assert {row[0] for row in setup.ask("SELECT jobname FROM cron.job WHERE active")} == {SYNCS, CLEANS, OTHER}

    change_over(guide, application)
    retiring = guide.follow("## How to retire the old set-up")
    next(retiring)
    assert setup.ask("SELECT jobname FROM cron.job") == [(OTHER,)]
    next(retiring)
    assert not left_of_it(setup)
    assert "is still there" not in next(retiring)
    assert list(retiring) == ["", ""]
    assert setup.ask("SELECT 1 FROM pg_db_role_setting WHERE setconfig::text LIKE '%app.api_url%'") == []
    assert setup.ask("SELECT nspname FROM pg_namespace WHERE nspname IN ('cron', 'older_sync')") == []
    asks(application, "public")
    guide.command("notion-pg-sync sync-all")
    assert setup.ask("SELECT DISTINCT status FROM notion_sync.sync_requests") == [("succeeded",)]
    assert {*fences(PAGE.read_text(encoding="utf-8"))} == {*guide.typed}
    for fence in fences(section(ROOT / "docs" / "least-privilege.md", "## The tables are the application's")):
        guide.psql(fence.text, setup.url)
    guide.environment["DATABASE_URL"] = setup.socket_url(user="notion_pg_sync")
    guide.command("notion-pg-sync sync-all --full")


def left_of_it(setup: OlderSetup) -> list[Row]:
    """The functions of the old set-up that are still there."""
    query = "SELECT proname FROM pg_proc WHERE proname = ANY (%s) AND prosrc !~ 'notion_sync\\.'"
    return setup.ask(query, [*OLDER_FUNCTIONS])
