"""Each function by which an application asks, called by every kind of role, directly and through a real PgBouncer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
import sqlalchemy
from sqlalchemy import func, select

from tests.cli.asking import role_shown, url_for_drivers
from tests.cli.conftest import Ended, Site
from tests.node import npm_project
from tests.pgbouncer import PgBouncer

pytestmark = pytest.mark.slow

ANNA = "0a1b2c3d-0000-4000-8000-000000000001"
EVERYTHING = "SELECT request_id FROM notion_sync.sync_all_notion_databases({})"
DATABASE = "SELECT notion_sync.sync_notion_database({}, {}, {})"
PAGE = "SELECT notion_sync.sync_notion_page({}, {})"

# Given a URL, and the ids of a database and of a page in it, what a driver is answered: everything, the database (by an
# id in either type and by its name), the page (by either type).
Driver = Callable[[str, str, str], list[str]]


def by_psycopg(url: str, database: str, page: str) -> list[str]:
    calls: list[tuple[str, list[object]]] = [
        (EVERYTHING.format("%s"), [ANNA]),
        (EVERYTHING.format("user_id => %s"), [UUID(ANNA)]),
        (DATABASE.format("%s", "%s", "%s"), [ANNA, UUID(database), None]),
        (DATABASE.format("%s", "%s", "%s"), [UUID(ANNA), database, None]),
        (DATABASE.format("%s", "%s", "%s"), [UUID(ANNA), None, "Worlds"]),
        (PAGE.format("%s", "%s"), [ANNA, page]),
        (PAGE.format("page_id => %s", "user_id => %s"), [UUID(page), UUID(ANNA)]),
    ]
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection, connection.transaction():
        connection.execute("SELECT set_config('app.user_id', %s, true)", (ANNA,))
        return [str(row[0]) for call, sent in calls for row in connection.execute(call.encode(), sent)]


def by_sqlalchemy(url: str, database: str, page: str) -> list[str]:
    ours = func.notion_sync
    calls = [
        *(select(ours.sync_all_notion_databases(user).table_valued("request_id")) for user in (ANNA, UUID(ANNA))),
        select(ours.sync_notion_database(ANNA, UUID(database))),
        select(ours.sync_notion_database(UUID(ANNA), database)),
        select(ours.sync_notion_database(UUID(ANNA), None, "Worlds")),
        select(ours.sync_notion_page(ANNA, page)),
        select(ours.sync_notion_page(UUID(ANNA), UUID(page))),
    ]
    engine = sqlalchemy.create_engine(
        url.replace("postgresql:", "postgresql+psycopg:"), connect_args={"prepare_threshold": None}
    )
    with engine.begin() as connection:
        connection.execute(select(func.set_config("app.user_id", ANNA, True)))
        answers = [str(connection.scalar(call)) for call in calls]
    engine.dispose()
    return answers


_PROGRAM = """
import pg from "pg";
const client = new pg.Client(process.env.DATABASE_URL);
await client.connect();
await client.query("BEGIN");
await client.query("SELECT set_config('app.user_id', $1, true)", [process.env.USER_ID]);
const answers = [];
for (const [text, values] of JSON.parse(process.env.CALLS)) {
  answers.push(...(await client.query({ text, values, rowMode: "array" })).rows.map(([first]) => first));
}
await client.query("COMMIT");
await client.end();
console.log(JSON.stringify(answers));
"""


def by_node(folder: Path) -> Driver:
    project = npm_project(folder, "pg@8.16.3")
    (project.folder / "asking.mjs").write_text(_PROGRAM, encoding="utf-8")

    def call(url: str, database: str, page: str) -> list[str]:
        calls: list[tuple[str, list[object]]] = [
            (EVERYTHING.format("$1"), [ANNA]),
            (EVERYTHING.format("user_id => $1::uuid"), [ANNA]),
            (DATABASE.format("$1", "$2::uuid", "$3"), [ANNA, database, None]),
            (DATABASE.format("$1::uuid", "$2", "$3"), [ANNA, database, None]),
            (DATABASE.format("$1", "$2", "$3"), [ANNA, None, "Worlds"]),
            (PAGE.format("$1", "$2"), [ANNA, page]),
            (PAGE.format("page_id => $2::uuid", "user_id => $1::uuid"), [ANNA, page]),
        ]
        environment = {"DATABASE_URL": url, "USER_ID": ANNA, "CALLS": json.dumps(calls)}
        ended = project.run("node", "asking.mjs", environment=environment)
        assert ended.returncode == 0, ended.stderr
        answers: list[str] = json.loads(ended.stdout)
        return answers

    return call


@contextmanager
def ways(site: Site) -> Iterator[dict[str, str]]:
    """The URL of each kind of role, directly and through the pooler."""
    with (
        role_shown(site.database_url, "role") as tenant,
        role_shown(site.database_url, "application") as application,
        PgBouncer(site.database_url, [tenant, application]) as pooler,
    ):
        roles = {"owner": None, "tenant": tenant, "application": application}
        yield {
            f"{kind} {way}": url_for_drivers(url, role)
            for kind, role in roles.items()
            for way, url in {"directly": site.database_url, "pooled": pooler.url}.items()
        }


@pytest.mark.parametrize("driver", ["psycopg", "sqlalchemy", "node"])
def test_every_role_asks_for_all_that_can_be_asked_for(site: Site, tmp_path: Path, driver: str) -> None:
    site.connect(ANNA, site.small.tokens["anna"], json.dumps({"Worlds": site.small.databases["Worlds"]}))
    assert site.command("sync-all") == Ended(0, "", "")
    page = site.small.workspace.page_ids("Worlds")[0]
    call = {"psycopg": by_psycopg, "sqlalchemy": by_sqlalchemy}.get(driver) or by_node(tmp_path / "npm")
    with ways(site) as urls:
        answers = {way: call(url, site.small.databases["Worlds"], page) for way, url in urls.items()}
    # Asked for once, whoever asks again is given its number.
    ((every,), (one,), (single,)) = site.execute("SELECT request_id FROM notion_sync.sync_requests ORDER BY request_id")
    expected = [str(number) for number in (every, every, one, one, one, single, single)]
    assert answers == dict.fromkeys(answers, expected)
    assert len(answers) == 6
