"""`init` as a person types it where something was dropped, and where nothing may be changed."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

from notion_pg_sync.embedded.server import EmbeddedPostgres
from tests.cli.conftest import Command, Site
from tests.conftest import FAST_SETTINGS

IN_PLACE = "Everything is in place; nothing to do.\n"


def test_init_names_what_it_brings_back(site: Site) -> None:
    site.execute("DROP TABLE notion_sync.pages")
    site.execute("ALTER TABLE notion_sync.databases DROP COLUMN last_message")
    site.execute("DELETE FROM notion_sync.migrations WHERE version = 16")
    ended = site.command("init", "--yes")
    assert ended.code == 0
    assert ended.out.splitlines()[:2] == [
        "• bring back what was dropped: table pages, column databases.last_message, the record of migration "
        "0016_ids_are_uuid",
        "• functions, policies, triggers, grants and comments of notion_sync",
    ]
    assert site.command("init").out == IN_PLACE


def test_init_says_what_is_lost_with_the_schema(site: Site) -> None:
    site.execute("DROP SCHEMA notion_sync CASCADE")
    assert "run 'notion-pg-sync init'" in site.command("sync-all").sentence
    ended = site.command("init", "--yes")
    assert ended.code == 0
    assert "• bring back what was dropped: everything\n" in ended.out
    assert "! what was set there is lost; set it again: who wants typed views (for each user who does, " in ended.out
    (statement,) = re.findall("INSERT INTO notion_sync.accounts .*? SET views = true", ended.out)
    site.execute(statement.replace("USER_ID", "anna"))
    assert site.execute("SELECT user_id, views FROM notion_sync.accounts") == [("anna", True)]
    assert site.command("init").out == IN_PLACE


def test_a_run_that_lacks_a_table_or_column_says_who_brings_it_back(site: Site) -> None:
    site.connect("anna", site.small.tokens["anna"], f'{{"Worlds": "{site.small.databases["Worlds"]}"}}')
    for damage in (
        "DROP TABLE notion_sync.run_processes",
        "ALTER TABLE notion_sync.accounts DROP COLUMN lease_expires_at",
    ):
        site.execute(damage)
        ended = site.command("sync-all")
        assert ended.code == 1, damage
        assert "run 'notion-pg-sync init', which brings back what is missing" in ended.err
        assert site.command("init").code == 0
        assert site.command("sync-all").code == 0


def test_on_a_standby_nothing_is_called_in_place(tmp_path: Path) -> None:
    folder = Path(tempfile.mkdtemp(prefix="notion-pg-sync-standby."))
    try:
        with EmbeddedPostgres(folder, FAST_SETTINGS) as server:
            assert Command({"DATABASE_URL": server.url})("init").code == 0
        (folder / "data" / "standby.signal").touch()
        with EmbeddedPostgres(folder, FAST_SETTINGS) as server:
            command = Command({"DATABASE_URL": server.url})
            for arguments in (("init",), ("init", "--yes"), ("sync-all",)):
                ended = command(*arguments)
                assert ended.code == 3
                assert "this PostgreSQL is a standby, which takes no changes: name the primary server" in ended.sentence
            assert "nothing was checked or changed" in command("init").sentence
    finally:
        shutil.rmtree(folder)
