"""A value that is excluded appears nowhere any more: not in the database, nor in what a run says, sends or asks."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from notion_workspace.literals import number, rich_text, select, status, title
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from tests.cli.conftest import Site
from tests.cli.test_canary_token import LOG, LOGS_EVERYTHING
from tests.mirror.freezing import PG_DUMP
from tests.security.sent import Log

pytestmark = pytest.mark.slow

# Words and numbers that stand nowhere else.
SECRETS = ("7392017392", "7392027392", "quince", "medlar", "sloe", "Ochre", "Viridian", "Pupating", "Larval")
STAFF = {
    "Name": title(),
    "Salary": number(),
    "Notes": rich_text(),
    "Grade": select("Ochre", "Viridian"),
    "Phase": status(Larval=["Pupating"], Grown=["Done"]),
}
ROWS = [
    {"Name": "Ada", "Salary": 7392017392, "Notes": "quince and medlar", "Grade": "Ochre", "Phase": "Pupating"},
    {"Name": "Bo", "Salary": 7392027392, "Notes": "medlar", "Grade": "Viridian"},
]


def dump(site: Site) -> str:
    """All that the database holds."""
    command = [str(PG_DUMP), "--inserts", site.database_url]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def staff(site: Site) -> str:
    """A database that was mirrored whole, with views, search, somebody's own view, and a page that left."""
    workspace = site.small.workspace
    handle = workspace.add_database("Staff", STAFF, ROWS)
    workspace.share("anna", handle.id)
    gone = workspace.add_page("Staff", {"Name": "Cy", "Notes": "sloe", "Grade": "Ochre"})
    site.connect("anna", site.small.tokens["anna"], json.dumps({"Staff": handle.id}))
    site.execute("INSERT INTO notion_sync.accounts (user_id, views) VALUES ('anna', true)")
    workspace.clock.advance(3600)
    assert site.command("sync-all").code == 0
    workspace.trash_page(gone)
    workspace.clock.advance(3600)
    assert site.command("sync-all").code == 0
    site.execute("CREATE VIEW public.reports AS SELECT name, salary, notes, grade, phase FROM notion.staff")
    return handle.id


def test_nothing_of_it_is_left_or_said(site: Site, staff: str) -> None:
    assert [secret for secret in SECRETS if secret not in dump(site)] == []
    server = conninfo_to_dict(site.database_url)
    for name, value in LOGS_EVERYTHING.items():
        statement = sql.SQL("ALTER DATABASE {} SET {} = {}").format(
            sql.Identifier(str(server["dbname"])), sql.Identifier(name), sql.Literal(value)
        )
        site.execute(statement.as_string())
    log = Log(Path(str(server["host"])).parent / LOG)
    exclude = {"id": staff, "exclude": ["Salary", "Notes", "Grade", "Phase"]}
    site.execute("UPDATE user_settings SET notion_databases = %s::jsonb", json.dumps({"Staff": exclude}))
    workspace = site.small.workspace
    workspace.clock.advance(3600)
    workspace.requests.clear()
    said = []
    for command in (
        ("sync-all", "-vv", "--log-json"),
        ("sync", "anna", "Staff", "--full", "--verify", "-vv"),
        ("status", "-vv"),
        ("status", "--json"),
        ("doctor", "-vv", "--no-cron-check"),
    ):
        ended = site.command(*command)
        assert ended.code == 0, ended.err
        said += [ended.out, ended.err]
    places = {
        "the database": dump(site),
        "output": "\n".join(said),
        "requests": json.dumps(workspace.requests.listed()),
        "PostgreSQL's log": log.text,
    }
    assert "UPDATE" in places["PostgreSQL's log"]
    found = {place: [secret for secret in SECRETS if secret in text] for place, text in places.items()}
    assert {place: secrets for place, secrets in found.items() if secrets} == {}
    runs = site.execute("SELECT message FROM notion_sync.database_runs ORDER BY runid DESC OFFSET 1 LIMIT 1")
    assert "Grade, Notes, Phase, Salary are excluded now: removed from 2 rows and 1 removed page" in str(runs)
