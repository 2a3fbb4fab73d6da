"""Hosts of neighbouring versions work on one database: one that is older goes on while newer tables only add."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

import notion_pg_sync
from notion_pg_sync.mirror.migrations import Migration, migrations, statements_of
from tests.cli.conftest import BARE, Site

NEXT = migrations()[-1].version + 1
ADDITIONS = """
-- What a later version adds.

-- additive
ALTER TABLE notion_sync.pages ADD COLUMN mood text;
ALTER TABLE notion_sync.databases ADD COLUMN mood text NOT NULL DEFAULT 'calm';
CREATE TABLE notion_sync.moods (user_id text PRIMARY KEY);
"""
LOSSES = """
-- not additive
ALTER TABLE notion_sync.databases RENAME COLUMN name TO called;
"""


def init_of_a_later_version(site: Site, *steps: str) -> None:
    with psycopg.connect(site.database_url) as connection:
        for number, statements in enumerate(steps, NEXT):
            connection.execute(statements_of(Migration(number, f"{number:04}_later", statements)))
        connection.execute(
            "CREATE OR REPLACE FUNCTION notion_sync.id_in(written text) RETURNS text LANGUAGE sql IMMUTABLE"
            " SET search_path = pg_catalog, pg_temp AS 'SELECT written /* later */'"
        )


def connect(site: Site) -> None:
    site.connect("anna", site.small.tokens["anna"], json.dumps({"Three": site.small.databases["Three"]}))


def test_a_tool_works_beside_a_later_version_whose_tables_only_add(site: Site) -> None:
    connect(site)
    init_of_a_later_version(site, ADDITIONS, ADDITIONS.replace("mood", "colour"))
    assert site.execute("SELECT DISTINCT must_know FROM notion_sync.migrations WHERE version >= %s", NEXT) == [
        (max(step.version for step in migrations() if not step.is_additive),)
    ]
    for arguments in (("sync-all",), ("sync-all", "--full"), ("status",)):
        ended = site.command(*arguments)
        assert (ended.code, ended.err) == (0, "")
    assert site.execute("SELECT count(*) FROM notion_pages_sync") == [(3,)]


def test_init_of_an_older_version_leaves_what_a_later_one_made(site: Site) -> None:
    init_of_a_later_version(site, ADDITIONS)
    assert site.command("init").code == 0
    assert site.execute("SELECT notion_sync.id_in('x')") == [("x",)]
    assert site.execute("SELECT max(version) FROM notion_sync.migrations") == [(NEXT,)]


def test_a_tool_refuses_tables_that_it_cannot_know_in_a_sentence(site: Site) -> None:
    connect(site)
    init_of_a_later_version(site, LOSSES, ADDITIONS)
    for command in ("sync-all", "status", "init"):
        ended = site.command(command)
        assert ended.code == 3
        assert ended.sentence.startswith("this PostgreSQL was set up by a newer notion-pg-sync")
        assert f"need version {NEXT}, this one knows {NEXT - 1}" in ended.sentence
    assert site.execute("SELECT count(*) FROM notion_pages_sync") == [(0,)]


@pytest.mark.slow
def test_the_version_before_the_latest_addition_syncs_beside_this_one(site: Site, tmp_path: Path) -> None:
    connect(site)
    *_, before, latest = migrations()
    assert latest.is_additive, "one that is not has no older version beside it: leave this test out until the next"
    shutil.copytree(Path(notion_pg_sync.__file__).parent, tmp_path / "notion_pg_sync")
    (tmp_path / "notion_pg_sync" / "mirror" / "migrations" / f"{latest.name}.sql").unlink()
    older = subprocess.run(
        [sys.executable, "-c", "import notion_pg_sync.mirror.migrations as m; print(m.migrations()[-1].version)"],
        cwd=tmp_path,
        env={**BARE, "PYTHONPATH": str(tmp_path)},
        check=True,
        capture_output=True,
        text=True,
    )
    assert int(older.stdout) == before.version
    for arguments in (("init",), ("sync-all",), ("status",)):
        ended = subprocess.run(
            [sys.executable, "-m", "notion_pg_sync", *arguments],
            cwd=tmp_path,
            env={**BARE, **site.command.environment, "PYTHONPATH": str(tmp_path)},
            check=False,
            capture_output=True,
            text=True,
        )
        assert (arguments, ended.returncode, ended.stderr) == (arguments, 0, "")
    assert site.execute("SELECT count(*) FROM notion_pages_sync") == [(3,)]
