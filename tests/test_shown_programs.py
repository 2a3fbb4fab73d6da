"""Programs that the documentation shows in other languages do what it says of them."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from notion_pg_sync.sync.run.token_encryption import open_token
from tests.fences import ROOT, blocks
from tests.node import NpmProject, npm_project

pytestmark = pytest.mark.slow

TYPESCRIPT = ("pg@8.16.3", "typescript@5.9.3", "@types/pg@8.15.5", "@types/node@22.18.0")
SETTINGS = ("--strict", "--target", "es2022", "--module", "nodenext", "--types", "node")
SECRET = "only Vercel knows"
CALL = """
import { GET } from "./route.js";
const headers = JSON.parse(process.argv[2]);
const answer = await GET(new Request("https://app.example.com/api/cron/notion", { headers }));
console.log(answer.status, await answer.text());
process.exit();
"""


@pytest.fixture
def route(tmp_path: Path) -> NpmProject:
    """The route of docs/schedulers.md, compiled."""
    (program,) = blocks(ROOT / "docs" / "schedulers.md", "ts")
    project = npm_project(tmp_path / "route", *TYPESCRIPT)
    (project.folder / "route.ts").write_text(program, encoding="utf-8")
    (project.folder / "call.mjs").write_text(CALL, encoding="utf-8")
    compiled = project.run("tsc", *SETTINGS, "route.ts")
    assert compiled.returncode == 0, compiled.stdout
    return project


@pytest.fixture
def waiting(initialised_url: str) -> Iterator[psycopg.Connection]:
    """A database with a user who is synced, and one who is not."""
    with psycopg.connect(initialised_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO user_settings (user_id, notion_token, notion_databases, auto_sync_enabled)"
            " VALUES ('anna', 'ntn_anna', '{\"*\": \"*\"}', true), ('ben', 'ntn_ben', '{\"*\": \"*\"}', false)"
        )
        yield connection


def test_the_route_that_vercels_cron_calls_asks_for_those_who_are_synced(
    route: NpmProject, waiting: psycopg.Connection, initialised_url: str
) -> None:
    parameters = {name: quote(str(value), safe="") for name, value in conninfo_to_dict(initialised_url).items()}
    url = "postgresql:///{dbname}?host={host}&port={port}&user={user}".format_map(parameters)

    def call(headers: str, **environment: str) -> str:
        ended = route.run("node", "call.mjs", headers, environment={"DATABASE_URL": url, **environment})
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    asked = "SELECT user_id, database_id FROM notion_sync.sync_requests WHERE status = 'waiting'"
    assert call("{}", CRON_SECRET=SECRET) == "401 Unauthorized\n"
    assert call('{"authorization": "Bearer undefined"}') == "401 Unauthorized\n"
    assert waiting.execute(asked.encode()).fetchall() == []
    assert call(f'{{"authorization": "Bearer {SECRET}"}}', CRON_SECRET=SECRET) == '200 {"queued":true}\n'
    assert waiting.execute(asked.encode()).fetchall() == [("anna", None)]


@pytest.mark.parametrize(
    "passphrase", ["thirty-two bytes, or more of them", "ein Schlüssel, der länger ist als 32 Bytes"]
)
def test_a_token_that_an_application_encrypts_as_shown_is_opened(tmp_path: Path, passphrase: str) -> None:
    page, token = ROOT / "docs" / "connecting-users.md", f"ntn_{secrets.token_hex(23)}"
    (in_python,) = blocks(page, "python")
    names: dict[str, object] = {"passphrase": passphrase, "token": token}
    exec(in_python, names)
    (in_node,) = blocks(page, "js")
    project = npm_project(tmp_path / "encrypting")
    given = "const [passphrase, token] = process.argv.slice(2)\n"
    (project.folder / "encrypt.mjs").write_text(f"{given}{in_node}\nconsole.log(stored)", encoding="utf-8")
    ended = project.run("node", "encrypt.mjs", passphrase, token)
    assert ended.returncode == 0, ended.stderr
    stored = [str(names["stored"]), ended.stdout.strip()]
    assert [open_token(one, passphrase.encode()[:32]) for one in stored] == [token, token]
    assert len({*stored}) == 2
