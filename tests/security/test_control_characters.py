"""No name, title or message of others steers the terminal that shows it, or forges a line, in whatever form."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from notion_workspace import Answer, Request, SampleWorkspace, WorkspaceServer
from notion_workspace.clock import to_datetime
from psycopg import sql

from notion_pg_sync.mirror.typed_sql import typed
from tests.cli.conftest import Command, Ended, Monitoring, monitoring  # noqa: F401 - a fixture
from tests.cli.terminal import Terminal
from tests.test_printable import steers

# Everything that is acted on by something: a terminal, a mail, rich, or who reads lines.
FORGED = "notion-pg-sync: All is well"
STORED = (
    "\x1b[1337m \x1b]0;pwned\x07 \x9b2J \x9d0;x\x9c \r \b \x7f \x0b \x0c \x85 \u2028 \u202e \u2066 \u200f \u061c "
    f"[red]markup[/red] [link=https://x.example]x[/] :warning: \n{FORGED}"
)
# Of PostgreSQL's texts neither can be a part.
TOLD = f"{STORED} \0 \ud800"
MARK = "MARK-OF-WHAT-IS-HOSTILE"

# What rich writes to a terminal: colours, and where the lines of the progress stand.
OURS = re.compile(r"\x1b\[(?:[0-9;]{0,8}m|\?25[lh]|[0-9]?[AK])|\r(?=\x1b)")


class HostileWorkspace(SampleWorkspace):
    """Whose every name and title has `TOLD` in it, and whose every other kind of answer about `broken` is an error."""

    broken: frozenset[str] = frozenset()

    def answer(self, request: Request) -> Answer:
        answer = super().answer(request)
        if any(database in request.path for database in self.broken):
            error = {"object": "error", "status": 400, "code": f"x{MARK}", "message": f"Said {MARK}", "request_id": "x"}
            answer = replace(answer, status=400, payload=json.dumps(error).encode())
        return replace(answer, payload=answer.payload.replace(MARK.encode(), json.dumps(TOLD)[1:-1].encode()))


@dataclass(frozen=True)
class Hostile:
    """A place where whatever can be called something is called so by somebody hostile."""

    command: Command
    url: str
    workspace: HostileWorkspace
    user: str
    token: str
    databases: dict[str, str]

    def execute(self, statement: str, *parameters: object) -> list[tuple[object, ...]]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), parameters or None)
            return cursor.fetchall() if cursor.description else []

    def terminal(self, *arguments: str) -> Terminal:
        return Terminal(*arguments, **{**self.command.environment, "NO_COLOR": ""})


@pytest.fixture
def hostile(initialised_url: str) -> Iterator[Hostile]:
    workspace = HostileWorkspace()
    present = workspace.clock.now
    workspace.clock.set("2026-06-01T08:00:11Z")
    workspace.state.name = f"Space {MARK}"
    token = workspace.add_token(f"bot {MARK}").secret
    person = workspace.add_user(f"Person {MARK}")
    properties: dict[str, dict[str, Any]] = {
        "Name": {"type": "title"},
        f"Text {MARK}": {"type": "rich_text"},
        f"Choice {MARK}": {"type": "select", "options": [f"option {MARK}"]},
        f"Who {MARK}": {"type": "people"},
    }
    row = {"Name": f"Page {MARK}", f"Text {MARK}": MARK, f"Choice {MARK}": f"option {MARK}", f"Who {MARK}": [person]}
    made = {
        name: workspace.add_database(f"{name} {MARK}", properties, [row, row]).id for name in ("Good", "Bad", "Broken")
    }
    workspace.clock.set(to_datetime(present))
    for database in made.values():
        workspace.share(f"bot {MARK}", database)
    workspace.broken = frozenset({made["Broken"]})
    user = f"user {STORED}"
    databases = {f"{name} {STORED}": database for name, database in made.items()}
    with WorkspaceServer(workspace) as server, psycopg.connect(initialised_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO user_settings (user_id, notion_token, notion_databases) VALUES (%s, %s, %s)",
            (user, token, json.dumps({**databases, f"No id {STORED}": f"x {STORED}"})),
        )
        connection.execute("INSERT INTO notion_sync.accounts (user_id, views) VALUES (%s, true)", (user,))
        command = Command({"DATABASE_URL": initialised_url, "NOTION_BASE_URL": server.url})
        yield Hostile(command, initialised_url, workspace, user, token, databases)


def offences(said: str) -> list[str]:
    """What of an output could steer a terminal, or begin a line that is not the tool's own."""
    found = [f"{match[0]!r} in {said[max(match.start() - 40, 0) : match.end() + 40]!r}" for match in _steering(said)]
    forged = re.findall(rf".*(?<!\\n){FORGED}.*", said)
    return [*found, *(f"forged: {line!r}" for line in forged)]


def _steering(said: str) -> Iterator[re.Match[str]]:
    return (match for match in re.finditer(r"[^\n]", said) if steers(match[0]))


def harmless(ended: Ended) -> str:
    assert offences(ended.out) == []
    assert offences(ended.err) == []
    return ended.out + ended.err


def harmless_on_terminal(terminal: Terminal) -> str:
    """What it wrote, where nothing but colours of ours steers it."""
    said = terminal.written.replace("\r\n", "\n")
    assert "\x1b[1337m" not in said
    # Lines of the terminal's width are folded, so that lines may begin with anything.
    assert [one for one in offences(OURS.sub("", said)) if not one.startswith("forged")] == []
    assert "\x1b[31m" in said or "\x1b[1" in said or "\x1b[32m" in said, "nothing has a colour"
    return said


RUNS: dict[str, tuple[str, ...]] = {
    "sync-all": ("sync-all",),
    "sync-all --json": ("sync-all", "--json"),
    "sync-all -v": ("sync-all", "-v"),
    "sync-all -vv": ("sync-all", "-vv"),
    "sync-all --log-json": ("sync-all", "--log-json"),
    "sync-all --dry-run -v": ("sync-all", "--dry-run", "-v"),
    "sync-all --bodies -v": ("sync-all", "--bodies", "-v"),
}


@pytest.mark.parametrize("form", RUNS)
def test_a_run(hostile: Hostile, form: str) -> None:
    ended = hostile.command(*RUNS[form])
    assert ended.code == 1
    said = harmless(ended)
    assert r"\u202e" in said
    if "--log-json" in RUNS[form]:
        lines = [json.loads(line) for line in ended.err.splitlines() if line.startswith("{")]
        assert any(STORED in line["message"] for line in lines)
    if "--json" in RUNS[form]:
        assert json.loads(ended.out)["accounts"][0]["user_id"] == hostile.user


@pytest.mark.parametrize("options", [(), ("--json",), ("-vv",), ("--dry-run",), ("--verify",)], ids=" ".join)
@pytest.mark.parametrize("kind", ["Good", "Broken"])
def test_one_database(hostile: Hostile, kind: str, options: tuple[str, ...]) -> None:
    ended = hostile.command("sync", hostile.user, f"{kind} {STORED}", *options)
    assert ended.code == (kind == "Broken")
    tells_names = options in [("--json",), ("-vv",), ("--dry-run",)]
    assert (r"\u202e" in harmless(ended)) == (kind == "Broken" or tells_names)


def test_differences_that_verifying_finds(hostile: Hostile) -> None:
    name = f"Good {STORED}"
    hostile.execute(
        "CREATE FUNCTION altered() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN NEW.properties := ''{}''; NEW.title := ''x''; RETURN NEW; END'"
    )
    hostile.execute(
        "CREATE TRIGGER altered BEFORE INSERT OR UPDATE ON notion_pages_sync FOR EACH ROW EXECUTE FUNCTION altered()"
    )
    ended = hostile.command("sync", hostile.user, name, "--verify")
    assert ended.code == 1
    assert "Text " in harmless(ended)
    terminal = hostile.terminal("sync", hostile.user, name, "--verify")
    assert terminal.ends() == 1
    harmless_on_terminal(terminal)


def test_a_run_on_a_terminal(hostile: Hostile) -> None:
    hostile.workspace.configure(latency=0.3)
    for options in ((), ("-v", "--full")):
        terminal = hostile.terminal("sync-all", *options)
        assert terminal.ends() == 1
        assert "\x1b[31m" in harmless_on_terminal(terminal)


def test_what_postgresql_says(hostile: Hostile) -> None:
    """Of a row that somebody's trigger refuses, and where no run can begin: Python's own traceback, with -vv."""
    text = psycopg.sql.Literal(STORED).as_string()
    hostile.execute(
        f"CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION '%',{text}; END$$"
    )
    refusing = "CREATE TRIGGER refuse BEFORE INSERT ON {} FOR EACH ROW EXECUTE FUNCTION refuse()"
    hostile.execute(refusing.format("notion_pages_sync"))
    said = harmless(hostile.command("sync", hostile.user, f"Good {STORED}", "-vv"))
    assert "PostgreSQL refuses the page" in said
    hostile.execute(refusing.format("notion_sync.job_run_details"))
    ended = hostile.command("sync-all", "-vv")
    lines = ended.err.splitlines()
    assert "Traceback" in lines[0]
    assert [character for character in ended.err if character != "\n" and steers(character)] == []
    # No line within it can be taken for one of the tool's.
    assert all(line.startswith("    ") for line in lines[:-1])
    assert offences(lines[-1]) == []


STATUS: dict[str, Callable[[Hostile], tuple[str, ...]]] = {
    "status": lambda _: (),
    "status of a user": lambda hostile: ("--user", hostile.user),
    "status of a database": lambda _: ("--database", f"Broken {STORED}"),
    "status --json": lambda _: ("--json",),
    "status --prometheus": lambda _: ("--prometheus",),
}


@pytest.mark.parametrize("form", STATUS)
def test_status(hostile: Hostile, form: str) -> None:
    hostile.command("sync-all")
    ended = hostile.command("status", *STATUS[form](hostile))
    assert ended.code == 1
    assert "Broken" in harmless(ended)
    if "--prometheus" not in ended.out:
        terminal = hostile.terminal("status", *STATUS[form](hostile))
        assert terminal.ends() == 1
        if form.startswith("status of") or form == "status":
            harmless_on_terminal(terminal)


@pytest.mark.parametrize("options", [(), ("--json",), ("-vv",)], ids=" ".join)
def test_doctor(hostile: Hostile, options: tuple[str, ...]) -> None:
    hostile.command("sync-all")
    hostile.execute("INSERT INTO user_settings (user_id, notion_token) VALUES (%s, 'ntn_x')", f"b {STORED}")
    hostile.execute("DELETE FROM notion_pages_sync")
    ended = hostile.command("doctor", "--no-cron-check", *options)
    assert ended.code == 1
    assert "Broken" in harmless(ended)
    assert re.search(r"notion-pg-sync (sync|connect) \$'(user|b) ", ended.out)


def test_doctor_on_a_terminal(hostile: Hostile) -> None:
    hostile.command("sync-all")
    terminal = hostile.terminal("doctor", "--no-cron-check")
    assert terminal.ends() == 1
    assert "Broken" in harmless_on_terminal(terminal)


def test_connect(hostile: Hostile) -> None:
    new = ("connect", f"new {STORED}")
    ended = hostile.command(*new, given=hostile.token)
    assert ended.code == 2
    assert "the token sees" in harmless(ended)
    assert "the token sees no" in harmless(hostile.command(*new, "--database", STORED, given=hostile.token))
    ended = hostile.command(*new, "--all", "--yes", "--sync", "-vv", given=hostile.token)
    assert "Connected: user" in harmless(ended)
    assert "is already connected" in harmless(hostile.command("connect", hostile.user, "--all", given=hostile.token))


def test_connect_on_a_terminal(hostile: Hostile) -> None:
    terminal = hostile.terminal("connect", hostile.user)
    terminal.waits_with("Notion token")
    terminal.types(hostile.token)
    terminal.waits_with("is already connected. Replace their token? [y/N]: ")
    terminal.types("y")
    terminal.waits_with("Enter to keep the current ones")
    terminal.types("Nothing")
    terminal.waits_with("sees no database")
    terminal.types("1-2")
    terminal.waits_with("Sync now? [Y/n]: ")
    terminal.types("y")
    terminal.ends()
    assert "Connected: user" in harmless_on_terminal(terminal)


def test_forget(hostile: Hostile) -> None:
    hostile.command("sync-all")
    name = f"Good {STORED}"
    for arguments in ((hostile.user, "Other"), (hostile.user, name), (hostile.user,)):
        assert hostile.command("forget", *arguments).code == 2
        assert offences(hostile.command("forget", *arguments).err) == []
    assert "is still connected" in harmless(hostile.command("forget", hostile.user, "--yes"))
    terminal = hostile.terminal("forget", hostile.user, name, "--disconnect")
    terminal.waits_with("for good, with every mirrored row, removed page and record? [y/N]: ")
    terminal.types("y")
    assert terminal.ends() == 0
    said = terminal.written.replace("\r\n", "\n")
    assert [one for one in offences(said) if not one.startswith("forged")] == []
    assert "Forgotten: database" in said
    assert "Forgotten: user" in harmless(hostile.command("forget", hostile.user, "--disconnect", "--yes"))


def test_init(database_url: str) -> None:
    """Of an application's table, whose owner calls a constraint what they like, and which `init` replaces."""
    command = Command({"DATABASE_URL": database_url})
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE user_settings (user_id text PRIMARY KEY, notion_token text)")
        connection.execute(
            sql.SQL(
                "CREATE TABLE notion_pages_sync (id uuid PRIMARY KEY, notion_page_id text, notion_database_id text,"
                " user_id text, database_name text, title text, content text, properties jsonb,"
                " last_synced_at timestamptz, created_at timestamptz, updated_at timestamptz,"
                " CONSTRAINT {} UNIQUE (notion_page_id))"
            ).format(sql.Identifier("\x1b[1337m\x9b2J\u202e\n; DROP TABLE x"))
        )
    assert "DROP TABLE x" in harmless(command("init"))
    printed = harmless(command("init", "--sql"))
    # The name's line end neither ends a comment nor anything else.
    assert [line for line in printed.splitlines() if line.startswith("; DROP TABLE x")] == []
    assert command("init", "--yes").code == 0


def test_a_user_or_a_command_that_there_is_not(hostile: Hostile) -> None:
    for arguments in (
        ("sync", STORED, STORED),
        ("sync", hostile.user, STORED),
        ("sync-all", "--user", STORED),
        ("status", "--database", STORED),
        ("forget", STORED, STORED, "--yes"),
        ("sync-all", f"--{STORED}"),
        ("sync-all", "--full-every", STORED),
        ("connect", "x", "--token-file", f"/nowhere/{STORED}"),
    ):
        ended = hostile.command(*arguments)
        assert ended.code in (1, 2, 3), arguments
        found = offences(ended.out + ended.err)
        # A line end in an option's own name is the typist's, and click's.
        assert [one for one in found if not one.startswith("forged")] == [], arguments


def test_pings(hostile: Hostile, monitoring: Monitoring) -> None:  # noqa: F811
    hostile.command("sync-all", "--ping-url", monitoring.url)
    start, end = monitoring.pings
    assert (start.path, end.path) == ("/check/start", "/check/fail")
    assert offences(end.body) == []
    assert r"\u202e" in end.body


def test_the_records_hold_what_was_said(hostile: Hostile) -> None:
    """As data, but for what PostgreSQL cannot hold."""
    hostile.command("sync-all")
    ((message,),) = hostile.execute(
        "SELECT message FROM notion_sync.database_runs WHERE error_code LIKE 'x%' AND status = 'failed'"
    )
    assert STORED[:100] in str(message)
    ((said,),) = hostile.execute("SELECT return_message FROM notion_sync.job_run_details")
    assert STORED in str(said)


def test_statements_that_doctor_prints_are_lines_that_mean_what_they_say(initialised_url: str) -> None:
    with psycopg.connect(initialised_url) as connection:

        @given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=15))
        def holds(name: str) -> None:
            text = typed(sql.SQL("SELECT {} AS {}\n  , 1").format(sql.Literal(name), sql.Identifier(name)))
            assert offences(text.replace(FORGED, "")) == []
            assert "\n" not in text
            cursor = connection.execute(text.encode())
            assert cursor.description
            assert cursor.description[0].name == name
            assert cursor.fetchone() == (name, 1)

        holds()
