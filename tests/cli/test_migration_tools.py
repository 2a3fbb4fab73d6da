"""The migrations that docs/migrations.md shows: afterwards the database is as `init` would have left it."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote, urlencode

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from tests.cli.conftest import BARE, Command
from tests.conftest import DatabaseMaker
from tests.fences import ROOT, fences, section
from tests.node import npm_project

pytestmark = pytest.mark.slow

PAGE = ROOT / "docs" / "migrations.md"
IN_PLACE = "Everything is in place; nothing to do.\n"
PROGRAMS = Path(sys.executable).parent
# An application's tables, and the tables of an earlier version.
STATES = pytest.mark.parametrize("state", ["tests/mirror/app_schema.sql", "tests/mirror/upgrades/0.1.0.sql"])


def shown(heading: str, language: str) -> list[str]:
    """The blocks of a section of the page."""
    blocks = [one.text for one in fences(section(PAGE, f"## {heading}")) if one.language == language]
    assert blocks
    return blocks


def load(database_url: str, state: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute((ROOT / state).read_bytes())


def for_sqlalchemy(database_url: str, driver: str) -> str:
    given = conninfo_to_dict(database_url)
    query = urlencode({name: given[name] for name in ("host", "port", "user")}, quote_via=quote)
    return f"postgresql+{driver}:///{given['dbname']}?{query}"


def run_shown(block: str, folder: Path, database_url: str) -> None:
    """Runs the lines of a block in a shell, in which our command and Python's programs are found."""
    ended = subprocess.run(
        ["sh", "-e", "-c", block],
        cwd=folder,
        env={**BARE, "DATABASE_URL": database_url, "PATH": f"{PROGRAMS}:{BARE['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr


def findings(database_url: str) -> list[dict[str, object]]:
    """What doctor says of PostgreSQL and of what is in it."""
    told = Command({"DATABASE_URL": database_url})("doctor", "--json").out
    name = str(conninfo_to_dict(database_url)["dbname"])
    found = json.loads(told.replace(name, "DATABASE"))["findings"]
    return [finding for finding in found if finding["section"] == "PostgreSQL"]


def alembic_project(folder: Path, url: str, template: str = "generic") -> None:
    folder.mkdir()
    run_shown(f"alembic init --template {template} migrations", folder, "")
    ini = folder / "alembic.ini"
    escaped = url.replace("%", "%%")
    text = re.sub(r"(?m)^sqlalchemy\.url = .*$", lambda _: f"sqlalchemy.url = {escaped}", ini.read_text("utf-8"))
    ini.write_text(text, encoding="utf-8")


def assert_as_init_leaves_it(database_maker: DatabaseMaker, database_url: str, state: str) -> None:
    assert Command({"DATABASE_URL": database_url})("init").out.endswith(IN_PLACE)
    with database_maker.empty() as by_init:
        load(by_init, state)
        assert Command({"DATABASE_URL": by_init})("init", "--yes").code == 0
        assert findings(database_url) == findings(by_init) != []


@STATES
@pytest.mark.parametrize("driver", ["psycopg", pytest.param("asyncpg", marks=pytest.mark.slow)])
def test_alembic_runs_it_as_the_page_says(
    database_maker: DatabaseMaker, database_url: str, tmp_path: Path, state: str, driver: str
) -> None:
    load(database_url, state)
    folder = tmp_path / "application"
    url = for_sqlalchemy(database_url, driver)
    alembic_project(folder, url, "async" if driver == "asyncpg" else "generic")
    (revising,) = shown("Alembic", "sh")
    run_shown(revising, folder, database_url)
    (program,) = shown("Alembic", "python")
    if driver == "asyncpg":
        (line,) = shown("Alembic", "python asyncpg")
        program = re.sub(r"^    op\.get_bind.*\n", lambda _: line, program, flags=re.MULTILINE)
    (revision,) = (folder / "migrations" / "versions").glob("*.py")
    assert (revision.with_suffix(".sql")).exists()
    revision.write_text(program, encoding="utf-8")
    run_shown("alembic upgrade head", folder, database_url)
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("notion_1",)]
    assert_as_init_leaves_it(database_maker, database_url, state)


def test_alembic_leaves_nothing_of_a_migration_that_fails(database_url: str, tmp_path: Path) -> None:
    load(database_url, "tests/mirror/app_schema.sql")
    folder = tmp_path / "application"
    alembic_project(folder, for_sqlalchemy(database_url, "psycopg"))
    (revising,) = shown("Alembic", "sh")
    run_shown(revising, folder, database_url)
    (program,) = shown("Alembic", "python")
    (revision,) = (folder / "migrations" / "versions").glob("*.py")
    revision.write_text(program.replace("\n\n\ndef downgrade", "\n    op.execute('SELECT 1 / 0')\n\n\ndef downgrade"))
    with pytest.raises(AssertionError, match="division by zero"):
        run_shown("alembic upgrade head", folder, database_url)
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT to_regnamespace('notion_sync')").fetchone() == (None,)


@pytest.mark.slow
@STATES
def test_node_pg_migrate_runs_it_as_the_page_says(
    database_maker: DatabaseMaker, database_url: str, tmp_path: Path, state: str
) -> None:
    load(database_url, state)
    project = npm_project(tmp_path / "application", "pg@8", "node-pg-migrate@8")
    (project.folder / "migrations").mkdir()
    (block,) = shown("node-pg-migrate", "sh")
    printing, migrating = block.splitlines()
    run_shown(printing, project.folder, database_url)
    given = conninfo_to_dict(database_url)
    in_node = f"postgresql://{given['user']}@/{given['dbname']}?{urlencode({'host': str(given['host'])})}"
    ended = project.run(*shlex.split(migrating), environment={"DATABASE_URL": in_node, "PGPORT": str(given["port"])})
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert_as_init_leaves_it(database_maker, database_url, state)


def test_with_many_rows_psql_runs_the_other_form(database_url: str, tmp_path: Path) -> None:
    load(database_url, "tests/mirror/app_schema.sql")
    (block,) = shown("Tables with many rows", "sh")
    run_shown(block, tmp_path, database_url)
    assert Command({"DATABASE_URL": database_url})("init").out.endswith(IN_PLACE)
