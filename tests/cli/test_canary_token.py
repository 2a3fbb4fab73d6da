"""A token appears nowhere: every command, every failure, at its most talkative; then everything is searched for it."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
from psycopg.conninfo import conninfo_to_dict

from tests.cli.conftest import BARE, Ended, Monitoring, Site

pytestmark = pytest.mark.slow

KEY = "a passphrase of more than thirty-two bytes"
# A server of the tests' own writes its log here, beside its data.
LOG = "server.log"


@dataclass
class Watched:
    """A site at which everything that a command says is kept; `logged_before`: by PostgreSQL, for other tests."""

    site: Site
    monitoring: Monitoring
    secrets: list[str]
    logged_before: str
    kept: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, given: str = "", **environment: str) -> Ended:
        ended = self.site.command(*arguments, given=given, **environment)
        self.kept[f"{len(self.kept)} {' '.join(arguments)}"] = f"{ended.out}\n{ended.err}"
        return ended

    def traces(self) -> list[str]:
        """Where a secret stands."""
        places = {**self.kept, "pings": "\n".join(f"{ping.path} {ping.body}" for ping in self.monitoring.pings)}
        tables = self.site.execute(
            "SELECT nspname, relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace"
            " WHERE relkind IN ('r', 'p', 'v') AND nspname IN ('public', 'notion', 'notion_sync')"
            " AND relname <> 'user_settings'"
        )
        for schema, name in tables:
            rows = self.site.execute(f'SELECT whole::text FROM "{schema}"."{name}" AS whole')
            places[f"table {name}"] = "\n".join(str(row) for (row,) in rows)
        places["PostgreSQL's log"] = log_of(self.site).removeprefix(self.logged_before)
        return [place for place, text in places.items() if any(secret in text for secret in self.secrets)]


def log_of(site: Site) -> str:
    """What the server of the tests has logged; empty where it is another's, or logs nothing."""
    log = Path(str(conninfo_to_dict(site.database_url).get("host"))).parent / LOG
    return log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""


@pytest.fixture
def watched(site: Site, monitoring: Monitoring) -> Iterator[Watched]:
    small = site.small
    # The log is of all tests that use the server, before this one too.
    made = Watched(site, monitoring, [*small.tokens.values(), "goldfinch", KEY], log_of(site))
    site.connect(
        "anna", small.tokens["anna"], json.dumps({name: small.databases[name] for name in small.shared["anna"]})
    )
    site.execute("INSERT INTO notion_sync.accounts (user_id, views) VALUES ('anna', true)")
    yield made
    assert made.traces() == []


TALKATIVE = [("-vv",), ("-vv", "--log-json"), ("--json",)]


def test_while_all_is_well(watched: Watched) -> None:
    url = f"--ping-url={watched.monitoring.url}"
    for options in TALKATIVE:
        assert watched.run("sync-all", *options, url).code == 0
        assert watched.run("sync", "anna", "Characters", "--verify", *options, url).code == 0
    for command in (("status", "-vv"), ("status", "--json"), ("status", "--prometheus"), ("init", "--yes", "-vv")):
        assert watched.run(*command).code == 0
    for command in (("doctor", "-vv", "--no-cron-check"), ("doctor", "--json", "--no-cron-check")):
        assert watched.run(*command).code == 0
    assert len(watched.monitoring.pings) > 4


def test_while_a_user_is_connected_and_forgotten(watched: Watched) -> None:
    token = watched.site.small.tokens["ben"]
    for key in ({}, {"NOTION_TOKEN_KEY": KEY}):
        with tempfile.NamedTemporaryFile("w", prefix="token.") as file:
            file.write(token)
            file.flush()
            ended = watched.run("connect", "ben", "--token-file", file.name, "--all", "--yes", "--sync", "-vv", **key)
            assert ended.code == 0, ended.err
        ended = watched.run("connect", "cora", "--all", "--yes", "-vv", given=watched.site.small.tokens["cora"], **key)
        assert ended.code == 0, ended.err
    assert watched.run("connect", "dora", "--all", "--yes", "-vv", given="ntn_goldfinch").code != 0
    assert watched.run("forget", "ben", "--disconnect", "--yes", "-vv").code == 0


# What a server may log of statements, at its most talkative; parameters are logged whole by default.
LOGS_EVERYTHING = {
    "log_statement": "all",
    "log_min_duration_statement": "0",
    "log_parameter_max_length": "-1",
    "log_parameter_max_length_on_error": "-1",
}


def test_while_postgresql_logs_every_statement(watched: Watched) -> None:
    settings = conninfo_to_dict(watched.site.database_url)
    for name, value in LOGS_EVERYTHING.items():
        watched.site.execute(f"ALTER DATABASE \"{settings['dbname']}\" SET {name} = '{value}'")
    for key in ({}, {"NOTION_TOKEN_KEY": KEY}):
        ended = watched.run("connect", "ben", "--all", "--yes", given=watched.site.small.tokens["ben"], **key)
        assert ended.code == 0, ended.err
    assert watched.run("sync-all", NOTION_TOKEN_KEY=KEY).code == 0
    assert watched.run("forget", "ben", "--disconnect", "--yes").code == 0
    log = Path(str(settings["host"])).parent / LOG
    assert "notion_sync.forget" in log.read_text(encoding="utf-8", errors="replace")


@pytest.mark.parametrize(
    ("refusal", "arguments"),
    [
        ("ADD plan text, ADD CHECK (user_id = 'anna' OR plan IS NOT NULL)", ("connect", "ben", "--all")),
        ("ADD CHECK (length(notion_token) < 10)", ("connect", "anna", "--all")),
        ("ADD CHECK (notion_databases ? 'Worlds')", ("forget", "anna", "Worlds", "--disconnect")),
    ],
)
def test_while_the_applications_table_refuses(watched: Watched, refusal: str, arguments: tuple[str, ...]) -> None:
    watched.site.execute("UPDATE user_settings SET notion_token = 'goldfinch'")
    watched.site.execute(f"ALTER TABLE user_settings {refusal}")
    ended = watched.run(*arguments, "--yes", "-vv", given=watched.site.small.tokens["ben"])
    assert ended.code == 3
    assert "user_settings rejects this" in ended.err
    assert watched.site.execute("SELECT user_id, notion_token FROM user_settings") == [("anna", "goldfinch")]


def test_in_the_process_list(watched: Watched) -> None:
    started: list[psutil.Process] = []
    listed: list[str] = []
    watched.site.small.workspace.on_request(lambda _: listed.extend(started[-1].cmdline()))
    for arguments in (("sync-all", "-vv"), ("connect", "ben", "--all", "--sync", "-vv")):
        process = psutil.Popen(
            [sys.executable, "-m", "notion_pg_sync", *arguments],
            env={**BARE, **watched.site.command.environment},
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        started.append(process)
        process.communicate(watched.site.small.tokens["ben"])
        assert process.returncode == 0
        assert arguments[0] in listed
    watched.kept["the process list"] = " ".join(listed)


FAULTS = ["429", "403_html", "502_html", "cut", "wrong_types"]


@pytest.mark.parametrize("fault", FAULTS)
def test_while_notion_fails(watched: Watched, fault: str) -> None:
    watched.site.small.workspace.faults.add(fault)
    limit = ("--timeout", "3s", f"--ping-url={watched.monitoring.url}")
    assert watched.run("sync-all", "-vv", "--log-json", *limit).code == 1
    assert watched.run("doctor", "--no-cron-check", "-vv").code in (0, 1)
    assert watched.run("status", "-vv").code == 1


@pytest.mark.parametrize(
    "token", ["ntn_goldfinch", "goldfinch\nwith a line end", "goldfinch \u00e9", "goldfinch" * 3000]
)
def test_while_a_token_is_no_good(watched: Watched, token: str) -> None:
    watched.site.execute("UPDATE user_settings SET notion_token = %s", token)
    for options in TALKATIVE[1:]:
        assert watched.run("sync-all", *options, f"--ping-url={watched.monitoring.url}").code == 1
    assert watched.run("sync", "anna", "Characters", "-vv").code == 1
    for command in (("doctor", "--no-cron-check", "-vv"), ("status", "--strict", "-vv")):
        assert watched.run(*command).code == 1


def test_while_a_token_stands_where_an_id_belongs(watched: Watched) -> None:
    databases = {"Characters": watched.secrets[0], "Worlds": "ntn_goldfinch"}
    watched.site.execute("UPDATE user_settings SET notion_databases = %s", json.dumps(databases))
    for command in (("sync-all", "-vv"), ("doctor", "--no-cron-check", "-vv"), ("status", "-vv")):
        assert watched.run(*command).code == 1


def test_while_an_encrypted_token_cannot_be_opened(watched: Watched) -> None:
    watched.secrets.append("Q0FOQVJZ")
    watched.site.execute("UPDATE user_settings SET notion_token = %s", "Q0FOQVJZ" * 8)
    for command in (("sync-all", "-vv"), ("doctor", "--no-cron-check", "-vv")):
        assert watched.run(*command, NOTION_TOKEN_KEY=KEY).code == 1


def test_while_the_tool_itself_is_at_fault(watched: Watched) -> None:
    assert watched.run("sync-all").code == 0
    watched.site.execute("UPDATE notion_sync.data_sources SET schema = '[]'")
    for options in ((), ("-v",), *TALKATIVE):
        ended = watched.run("sync-all", *options, f"--ping-url={watched.monitoring.url}")
        assert ended.code == 1
        assert "in by_id" in ended.err


def test_while_postgresql_fails(watched: Watched) -> None:
    for url in ("postgresql://u:goldfinch@127.0.0.1:1/x", "postgresql://u:goldfinch@/nowhere?host=/nonexistent"):
        for command in ("sync-all", "status", "doctor"):
            assert watched.run(command, "-vv", DATABASE_URL=url).code in (1, 3)
    watched.site.execute("ALTER TABLE notion_characters_sync ADD CONSTRAINT narrow CHECK (name IS NULL)")
    assert watched.run("sync-all", "-vv").code == 1
