"""docs/bi.md: what an analyst asks, and what BI tools ask the catalog, as a role that grant-reader made a reader."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pandas
import psycopg
import pytest
import sqlalchemy
from notion_workspace import WorkspaceServer
from notion_workspace.showcase.team import USER, team_workspace
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from sqlalchemy import func, select

from notion_pg_sync.settings import Settings
from tests.cli.conftest import Command
from tests.conftest import DatabaseMaker
from tests.fences import ROOT, blocks
from tests.installation import Installation

pytestmark = pytest.mark.slow

PAGE = ROOT / "docs" / "bi.md"


def fill(database_url: str) -> None:
    team = team_workspace()
    with WorkspaceServer(team.workspace) as server:
        installation = Installation(Settings(database_url=database_url, notion_base_url=server.url), team.workspace)

        async def sync() -> None:
            await installation.init()
            await installation.connect(USER, team.token, dict(team.databases))
            await installation.execute("INSERT INTO notion_sync.accounts (user_id, views) VALUES (%s, true)", USER)
            outcome = await installation.sync_all(bodies=True)
            assert outcome.failures == []

        asyncio.run(sync())


def shown(language: str) -> list[str]:
    return blocks(PAGE, language)


def questions() -> list[tuple[str, str]]:
    """What the page shows: a question, its statement, and the answer below it."""
    text = PAGE.read_text(encoding="utf-8")
    found = re.findall(r"^```sql analyst\n(.*?)^```\n\n```text\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert len(found) == len(shown("sql analyst"))
    return found


@dataclass(frozen=True)
class Analyst:
    """A role that was made a reader as the page says, and the database."""

    url: str
    role: str

    @property
    def engine(self) -> sqlalchemy.Engine:
        parameters = conninfo_to_dict(self.url, user=self.role)
        query = {name: str(parameters[name]) for name in ("host", "port")}
        url = sqlalchemy.URL.create(
            "postgresql+psycopg", username=self.role, database=str(parameters["dbname"]), query=query
        )
        return sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool)

    def ask(self, query: str) -> list[tuple[object, ...]]:
        with psycopg.connect(make_conninfo(self.url, user=self.role)) as connection:
            return connection.execute(query.encode()).fetchall()


@pytest.fixture(params=["", "--user studio"])
def analyst(request: pytest.FixtureRequest, database_maker: DatabaseMaker) -> Iterator[Analyst]:
    role = f"analyst_{uuid4().hex[:8]}"
    with database_maker.filled(fill) as url, psycopg.connect(url, autocommit=True) as owner:
        create, path = shown("sql reader")
        owner.execute(create.replace("analyst", role).encode())
        command = f"notion-pg-sync grant-reader analyst {request.param}".strip()
        assert any(line.startswith(command) for line in "".join(shown("sh")).splitlines())
        ended = Command({"DATABASE_URL": url})("grant-reader", role, *request.param.split())
        assert (ended.code, ended.err) == (0, "")
        owner.execute(path.replace("analyst", role).encode())
        yield Analyst(url, role)
        owner.execute(f"DROP OWNED BY {role}; DROP ROLE {role}".encode())


def test_ten_questions_have_the_answers_that_are_shown(analyst: Analyst) -> None:
    assert len(questions()) == 10
    with analyst.engine.connect() as connection:
        for query, answer in questions():
            frame = pandas.read_sql(sqlalchemy.text(query), connection)
            assert (query, frame.to_string(index=False).strip()) == (query, answer.strip())


def test_sqlalchemy_reflects_the_views_and_asks_them(analyst: Analyst) -> None:
    engine = analyst.engine
    inspector = sqlalchemy.inspect(engine)
    assert {"projects", "tasks", "tasks__tags", "tasks__project"} < set(inspector.get_view_names("notion"))
    assert inspector.get_table_names("notion") == []
    metadata = sqlalchemy.MetaData()
    metadata.reflect(engine, schema="notion", views=True)
    tasks, tags = metadata.tables["notion.tasks"], metadata.tables["notion.tasks__tags"]
    assert isinstance(tasks.c.due.type, sqlalchemy.Date)
    assert isinstance(tasks.c.estimate.type, sqlalchemy.Numeric)
    assert isinstance(tasks.c.project.type, sqlalchemy.ARRAY)
    assert [column.name for column in tasks.columns if not column.comment] == []
    by_group = select(tasks.c.status_group, func.count().label("tasks")).group_by(tasks.c.status_group)
    frame = pandas.read_sql(by_group, engine, index_col="status_group")
    assert frame["tasks"].to_dict() == {"To-do": 3, "In progress": 3, "Complete": 4}
    urgent = select(tasks.c.title).join(tags, tags.c.page_id == tasks.c.page_id).where(tags.c.value == "urgent")
    assert sorted(pandas.read_sql(urgent, engine)["title"]) == [
        "Call the hall's manager",
        "Invoice the printer's discount",
    ]
    assert read_as_shown(engine).shape == (10, len(tasks.columns) - 1)


def read_as_shown(engine: sqlalchemy.Engine) -> pandas.DataFrame:
    """What the page's program for pandas reads, from this database."""
    (program,) = shown("python")
    url = '"postgresql+psycopg://analyst@db.example.com/app"'
    assert url in program
    names: dict[str, object] = {"where": engine.url}
    exec(program.replace(url, "where"), names)
    read, its_engine = names["tasks"], names["engine"]
    assert isinstance(its_engine, sqlalchemy.Engine)
    its_engine.dispose()
    assert isinstance(read, pandas.DataFrame)
    return read


# What Metabase asks (describe-syncable-tables and describe-fields of its driver), and Grafana's query builder.
METABASE_TABLES = """
    SELECT n.nspname AS "schema", c.relname AS "name", d.description
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON c.relnamespace = n.oid
    LEFT JOIN pg_catalog.pg_description d
        ON c.oid = d.objoid AND d.objsubid = 0 AND d.classoid = 'pg_class'::regclass
    WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND c.relkind IN ('r', 'p', 'v', 'f', 'm')
      AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
"""
METABASE_FIELDS = """
    SELECT c.table_schema, c.table_name, c.column_name, c.udt_name, col_description(
        CAST(CAST(format('%I.%I', CAST(c.table_schema AS text), CAST(c.table_name AS text)) AS regclass) AS oid),
        c.ordinal_position)
    FROM information_schema.columns AS c
    WHERE c.table_schema !~ '^information_schema|catalog_history|pg_' AND c.table_schema IN ('notion')
"""
METABASE_KEYS = """
    SELECT fk_ns.nspname, fk_table.relname FROM pg_constraint c
    JOIN pg_class fk_table ON c.conrelid = fk_table.oid JOIN pg_namespace fk_ns ON c.connamespace = fk_ns.oid
    WHERE c.contype = 'f' AND fk_ns.nspname = 'notion'
"""
GRAFANA_TABLES = """
    SELECT quote_ident(table_name) FROM information_schema.tables
    WHERE quote_ident(table_schema) IN (
        SELECT CASE WHEN trim(s[i]) = '"$user"' THEN user ELSE trim(s[i]) END
        FROM generate_series(array_lower(string_to_array(current_setting('search_path'), ','), 1),
                             array_upper(string_to_array(current_setting('search_path'), ','), 1)) AS i,
             string_to_array(current_setting('search_path'), ',') AS s)
"""
GRAFANA_COLUMNS = """
    SELECT quote_ident(column_name), data_type FROM information_schema.columns
    WHERE quote_ident(table_name) = 'tasks' AND quote_ident(table_schema) = 'notion'
"""
VIEWS = {
    *("projects", "projects__lead", "projects__tasks"),
    *("tasks", "tasks__assignee", "tasks__part_of", "tasks__project", "tasks__subtasks", "tasks__tags"),
}
READ_OF_OURS = {
    *("options", "page_bodies", "readers", "search_documents", "users", "view_sources"),
    *("field_changes", "files", "page_changes", "page_files"),
}


def test_metabase_finds_the_views_with_their_comments_and_nothing_else_of_ours(analyst: Analyst) -> None:
    found = analyst.ask(METABASE_TABLES)
    views = {str(name): str(comment) for schema, name, comment in found if schema == "notion"}
    assert views.keys() - {"projects__body", "tasks__body"} == VIEWS
    assert views["tasks"].startswith("Notion: Tasks")
    assert {str(name) for schema, name, _ in found if schema == "notion_sync"} == READ_OF_OURS
    others = {str(name) for schema, name, _ in found if schema not in ("notion", "notion_sync")}
    assert all(re.fullmatch(r"notion_\w+_sync", name) for name in others)
    fields = analyst.ask(METABASE_FIELDS)
    assert {str(name) for _, name, *_ in fields} == views.keys()
    assert [row for row in fields if not row[-1]] == []
    assert analyst.ask(METABASE_KEYS) == []


def test_grafana_finds_the_views_on_the_path_of_the_role(analyst: Analyst) -> None:
    assert {str(name) for (name,) in analyst.ask(GRAFANA_TABLES)} >= VIEWS
    assert ("notion_edited_at", "timestamp with time zone") in analyst.ask(GRAFANA_COLUMNS)


def test_pgcli_shows_the_views_their_comments_and_answers(analyst: Analyst, tmp_path: Path) -> None:
    def told(command: str) -> str:
        ended = subprocess.run(
            [
                sys.executable,
                "-m",
                "pgcli",
                "--no-password",
                "-c",
                command,
                make_conninfo(analyst.url, user=analyst.role),
            ],
            env={**os.environ, "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path), "PAGER": "cat"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
        )
        return ended.stdout

    assert set(re.findall(r"\bnotion *\| *(\w+)", told(r"\dv+ notion.*"))) - {"projects__body", "tasks__body"} == VIEWS
    assert re.search(r"due_at *\| timestamp with time zone.*Notion: Due", told(r"\d+ notion.tasks"))
    assert "Website relaunch" in told("SELECT name FROM notion.projects")
