"""README.md is true: its questions have answers in the demo, and who types what it shows has rows of their own."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from notion_workspace import SmallWorkspace, WorkspaceServer
from notion_workspace.showcase import build_showcase
from psycopg.conninfo import conninfo_to_dict

from notion_pg_sync.settings import Settings
from tests.cli.conftest import BARE
from tests.cli.terminal import Terminal
from tests.fences import ROOT, blocks, fences, section
from tests.installation import Installation
from tests.reliability.proxy import PostgresProxy
from tests.wanting import lacks

README = ROOT / "README.md"
USERS_PATH = "/usr/local/bin:/usr/bin:/bin"
NOBODY = 65534
# What the page has in the place of a person's own.
PLACE = "postgresql://user@host:5432/name"
SOME_ID = "13c28ba9d103438ab309bf9309bb52e7"


def statements(block: str) -> list[str]:
    return [statement for statement in block.split(";\n") if statement.strip()]


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def rows_shown(table: list[str]) -> list[list[str]]:
    """The cells of a table as Markdown or psql writes it: of its header, and of what stands below the rule."""
    header, _, *rows = table
    return [cells(row) for row in (header, *rows)]


@pytest.fixture(scope="module")
def demo() -> Iterator[psycopg.Connection]:
    """The PostgreSQL of `demo --keep`."""
    with subprocess.Popen(
        [sys.executable, "-m", "notion_pg_sync", "demo", "--keep"],
        env={"PATH": USERS_PATH, "HOME": "/nonexistent"},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        url = next(found[0] for line in process.stdout if (found := re.search(r"postgresql://[^'\"\s]+", line)))
        with psycopg.connect(url, autocommit=True) as connection:
            yield connection
        process.send_signal(signal.SIGTERM)
        process.stdout.read()


def test_every_question_is_one_statement_as_the_command_sql_takes_it() -> None:
    assert [block for block in blocks(README, "sql answered") if len(statements(block)) != 1] == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "question", [statement for block in blocks(README, "sql answered") for statement in statements(block)]
)
def test_every_question_has_an_answer_in_the_demo(demo: psycopg.Connection, question: str) -> None:
    answer = demo.execute(question.encode()).fetchall()
    assert answer
    assert [row for row in answer if None in row] == []


@pytest.mark.slow
def test_the_first_answer_is_the_one_that_is_shown(demo: psycopg.Connection) -> None:
    question, answer = blocks(README, "sql answered")[0], blocks(README, "text")[0]
    cursor = demo.execute(question.encode())
    result = cursor.pgresult
    assert result is not None
    names = [column.name for column in cursor.description or []]
    values = [
        [(result.get_value(row, column) or b"").decode() for column in range(result.nfields)]
        for row in range(result.ntuples)
    ]
    assert rows_shown(answer.splitlines()) == [names, *values]


def test_the_row_of_notion_is_the_one_that_is_shown() -> None:
    """As Notion's app writes its values."""
    workspace, ids = build_showcase().workspace, build_showcase().databases["ada"]
    before = README.read_text(encoding="utf-8").partition("```")[0]
    header, shown = rows_shown([line for line in before.splitlines() if line.startswith("|")])
    (row,) = [
        page["properties"]
        for page in workspace.truth(ids["Stories"]).values()
        if page["properties"]["Title"] == shown[header.index("Title")]
    ]
    worlds = {page: one["properties"]["Name"] for page, one in workspace.truth(ids["Worlds"]).items()}
    written = {
        **{name: f"{row[name]:,}" for name in ("Words", "Goal", "Progress")},
        "Deadline": f"{date.fromisoformat(row['Deadline']['start']):%B %-d, %Y}",
        "World": ", ".join(worlds[page] for page in row["World"]),
    }
    assert shown == [written.get(name, row[name]) for name in header]


@dataclass
class Newcomer:
    """Somebody without rights, with an empty home and a fresh clone, who types what the page shows."""

    home: Path
    environment: dict[str, str]
    exports: list[str] = field(default_factory=list)

    @property
    def clone(self) -> Path:
        return self.home / "notion-pg-sync"

    @property
    def shell(self) -> list[str]:
        nobody = f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"
        return [*(["setpriv", *nobody] if os.geteuid() == 0 else []), "sh", "-c"]

    def types(self, line: str) -> str:
        """Types a line in the clone, in the same shell as the lines before; returns what it showed."""
        if line.startswith("export "):
            self.exports.append(line)
            return ""
        ended = subprocess.run(
            [*self.shell, self._script(line)], env=self.environment, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, f"{line}\n{ended.stdout}{ended.stderr}"
        return ended.stdout

    def sits_at(self, line: str) -> Terminal:
        """Types a line that asks back."""
        return Terminal(self._script(line), program=self.shell, **self.environment)

    def _script(self, line: str) -> str:
        return "\n".join([f"cd '{self.clone}'", *self.exports, line])


@pytest.fixture
def newcomer() -> Iterator[Newcomer]:
    looks = "import ensurepip, sys; sys.exit(sys.version_info < (3, 11))"
    probe = [*Newcomer(Path(), {}).shell, f'python3 -c "{looks}"']
    if not shutil.which("git") or subprocess.run(probe, env={"PATH": USERS_PATH}, check=False).returncode != 0:
        lacks(
            "this test installs the tool as an ordinary user does, with git, setpriv and a python3 of 3.11 or newer "
            f"with venv in {USERS_PATH} (apt-get install git util-linux python3-venv)."
        )
    home = Path(tempfile.mkdtemp(prefix="notion-pg-sync-newcomer."))
    # Where packages come from is the machine's affair.
    pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    # The way to the tests' PostgreSQL knows no encryption.
    plain = {"PGSSLMODE": "disable", "PGGSSENCMODE": "disable"}
    newcomer = Newcomer(home, {**BARE, **pip, **plain, "PATH": USERS_PATH, "HOME": str(home)})
    subprocess.run(["git", "clone", "--quiet", ROOT, newcomer.clone], check=True)
    if os.geteuid() == 0:
        subprocess.run(["chown", "-R", f"{NOBODY}:{NOBODY}", home], check=True)
    yield newcomer
    shutil.rmtree(home)


@pytest.fixture
def reachable_url(database_url: str) -> Iterator[str]:
    """The same database by an address, as the page writes it: the server's own socket is closed to others."""
    with PostgresProxy(database_url) as proxy:
        parts = {name: quote(str(value), safe="") for name, value in conninfo_to_dict(proxy.url).items()}
        yield "postgresql://{user}@{host}:{port}/{dbname}".format_map(parts)


@pytest.mark.slow
@pytest.mark.first
@pytest.mark.timeout(900)
def test_an_ordinary_user_who_types_the_page_has_rows_of_their_own(
    newcomer: Newcomer, reachable_url: str, small: SmallWorkspace
) -> None:
    page = newcomer.clone / "README.md"
    demo = next(block for block in blocks(page, "sh") if "demo" in block)
    assert "The next run writes only those" in newcomer.types(demo)

    (ways,) = [line for line in section(page, "## Install").splitlines() if line.startswith("| venv |")]
    _, install, command = cells(ways)
    newcomer.types(install.strip("`"))
    for fence in fences(section(page, "## Install")):
        newcomer.types(fence.text.strip())
    assert newcomer.types("command -v notion-pg-sync").strip() == command.strip("`").replace("~", str(newcomer.home))

    with WorkspaceServer(small.workspace) as notion:
        newcomer.environment["NOTION_BASE_URL"] = notion.url
        for fence in fences(section(page, "## From Notion to your own rows")):
            for line in fence.text.replace(PLACE, reachable_url).splitlines():
                if "connect" not in line:
                    shown = newcomer.types(line)
                    if "SELECT" in line:
                        assert len(shown.splitlines()) > len(small.workspace.truth(small.data_sources["Tasks"])) > 0
                    continue
                terminal = newcomer.sits_at(line)
                terminal.waits_with("Notion token")
                terminal.types(small.tokens["ben"])
                terminal.waits_with("Tasks")
                terminal.waits_with("Which databases to mirror?")
                terminal.types("")
                terminal.waits_with("Sync now?")
                terminal.types("")
                assert terminal.ends() == 0, terminal.shown
    folder = re.search(r"`(dirname .*?)` prints", section(page, "## Keep it fresh"))
    assert folder
    assert newcomer.types(folder[1]).strip() == str(newcomer.home / ".notion-pg-sync" / "bin")


async def test_what_an_application_inserts_is_synced_also_where_it_is_told_again(
    database_url: str, small: SmallWorkspace, app_schema: str
) -> None:
    """On a table that says of nobody that they are to be synced, unless it is told so."""
    with psycopg.connect(database_url, autocommit=True) as connection, WorkspaceServer(small.workspace) as notion:
        connection.execute(app_schema.encode())
        connection.execute("DELETE FROM user_settings")
        installation = Installation(Settings(database_url=database_url, notion_base_url=notion.url), small.workspace)
        await installation.init()
        users, views = [fence.text for fence in fences(section(README, "## From an application"))]
        for _ in range(2):
            connection.execute(users.encode())
            connection.execute(views.encode())
        theirs = users.replace("ntn_…", small.tokens["ben"]).replace(SOME_ID, small.databases["Tasks"])
        assert theirs != users
        connection.execute(theirs.encode())
        assert (await installation.sync_all()).failures == []
        assert connection.execute("SELECT count(*) > 0 FROM notion.tasks").fetchone() == (True,)


@pytest.mark.parametrize("picture", sorted((ROOT / "docs" / "screens").glob("*.svg")), ids=lambda path: path.stem)
def test_every_picture_is_shown(picture: Path) -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    assert any(f"screens/{picture.name})" in page.read_text(encoding="utf-8") for page in pages)


def test_who_is_on_call_finds_the_dashboard() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    on_call = text.partition("**For people on call.**")[2].partition("\n\n")[0]
    assert "(examples/grafana/dashboard.json)" in on_call
