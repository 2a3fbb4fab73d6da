"""A standby of PostgreSQL can be read, and nothing can be synced into it: status is no evidence that all is well."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from notion_workspace import SmallWorkspace, WorkspaceServer

from notion_pg_sync.embedded.server import EmbeddedPostgres
from tests.cli.conftest import Command, Site
from tests.conftest import FAST_SETTINGS

pytestmark = pytest.mark.slow


@pytest.fixture
def folder() -> Iterator[Path]:
    # tmp_path is closed to the account that root uses.
    made = Path(tempfile.mkdtemp(prefix="notion-pg-sync-standby."))
    yield made
    shutil.rmtree(made)


def test_status_of_a_standby_is_failing_however_fresh_the_copy_is(folder: Path, small: SmallWorkspace) -> None:
    with WorkspaceServer(small.workspace) as notion:
        with EmbeddedPostgres(folder, FAST_SETTINGS) as server:
            command = Command({"DATABASE_URL": server.url, "NOTION_BASE_URL": notion.url})
            assert command("init", "--yes").code == 0
            site = Site(command, small, server.url)
            site.connect("anna", small.tokens["anna"], json.dumps({"Worlds": small.databases["Worlds"]}))
            assert command("sync-all").code == 0
            assert command("status").code == 0
        (data,) = (path.parent for path in folder.rglob("postgresql.conf"))
        (data / "standby.signal").touch()
        with EmbeddedPostgres(folder, FAST_SETTINGS) as server:
            command = Command({"DATABASE_URL": server.url, "NOTION_BASE_URL": notion.url})
            ended = command("status")
            assert ended.code == 1
            assert ended.out.startswith("Failing: no copy can be kept fresh or judged.")
            assert "nothing can be synced: this PostgreSQL is a standby, which takes no changes" in ended.out
            assert json.loads(command("status", "--json").out)["health"] == "failing"
            assert "notion_pg_sync_health 2.0" in command("status", "--prometheus").out
            assert command("sync-all").code == 3
            doctor = command("doctor", "--no-cron-check")
            assert doctor.code == 1
            assert doctor.out.startswith(
                "1 broken link: fix it, then run doctor again.\n"
                "  BROKEN   settings: this PostgreSQL is a standby, which takes no changes\n"
                "           To do: name the primary server in DATABASE_URL"
            )
