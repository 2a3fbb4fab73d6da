"""PostgreSQL restarted, full or locked in the midst of a run: one clear sentence, and the next run fixes it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from notion_workspace import Request, SmallWorkspace, WorkspaceServer
from notion_workspace.literals import rich_text, title
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from notion_pg_sync.embedded.programs import server_account
from notion_pg_sync.embedded.server import EmbeddedPostgres
from notion_pg_sync.settings import Settings
from tests.cli.conftest import Command
from tests.conftest import FAST_SETTINGS
from tests.installation import Installation
from tests.reliability.conftest import UNPACED, WELL, Place

LOST = "the connection to PostgreSQL was lost: check that it is up; the next run tries again."
ROWS = 400
# Short answers, so that a run has many transactions.
ARGUMENTS = ("sync-all", "--full", "--page-size", "10", *UNPACED)
MEGABYTE = 1024 * 1024


def connect(place: Place, note: int = 10) -> dict[str, str]:
    """One user with two databases; each row has `note` characters of text, of no use to a compressor."""
    databases = {}
    for name in ("Rows", "More rows"):
        rows = [{"Name": f"row {row}", "Text": os.urandom(note // 2).hex()} for row in range(ROWS)]
        handle = place.small.workspace.add_database(name, {"Name": title(), "Text": rich_text()}, rows, pace=30.0)
        place.small.workspace.share("anna", handle.id)
        databases[name] = handle.id
    place.connect("anna", place.small.tokens["anna"], json.dumps(databases))
    return databases


def in_the_midst(place: Place, happens: Callable[[], object], query: int = 20) -> None:
    """Has something happen before the `query`-th query from now on is answered."""
    asked = 0

    def count(request: Request) -> None:
        nonlocal asked
        asked += request.path.endswith("/query")
        if request.path.endswith("/query") and asked == query:
            happens()

    place.small.workspace.on_request(count)


def sentences(said: str) -> set[str]:
    """What is said of each database, which is to be the same of all."""
    lines = said.splitlines()
    assert all(line.startswith("notion-pg-sync: ") for line in lines), said
    return {line.removeprefix("notion-pg-sync: anna/").partition(": ")[2] for line in lines}


def assert_next_run_mends_it(place: Place, databases: dict[str, str]) -> None:
    assert place.command(*ARGUMENTS) == WELL
    assert place.differences("anna", "anna", databases) == []
    assert place.leases() == place.unfinished() == []


def assert_nothing_is_half_written(place: Place) -> None:
    """Whatever a full read has recorded as covered is there, and the other way round."""
    covered = "SELECT data_source_id::text, unnest(page_ids)::text FROM notion_sync.seen_pages"
    rows = """
        SELECT notion_data_source_id, notion_page_id FROM notion_pages_sync
        WHERE notion_data_source_id IN (SELECT data_source_id::text FROM notion_sync.seen_pages)
    """
    assert place.execute(f"({covered}) EXCEPT ({rows})") == []
    assert place.execute(f"({rows}) EXCEPT ({covered})") == []


def test_connections_that_an_administrator_ends_are_made_anew_or_told(place: Place, rounds: int) -> None:
    databases = connect(place)
    told = 0
    ended: list[int] = []
    for round_ in range(rounds // 2):
        place.small.workspace.clock.advance(3600)
        for name in databases:
            for page in place.small.workspace.page_ids(name):
                place.small.workspace.edit_page(page, {"Text": f"edited {round_}"})
        in_the_midst(place, lambda: ended.append(place.terminate_connections()), query=10 + 5 * (round_ % 10))
        ran = place.command(*ARGUMENTS)
        assert len(ended) == round_ + 1
        assert ended[-1] > 0
        assert (ran.code, sentences(ran.err)) in ((0, set()), (1, {LOST}))
        told += ran.code
        assert_next_run_mends_it(place, databases)
    print(f"{rounds // 2} times all connections were ended; {told} runs failed of it, the others did not notice")


@pytest.fixture
def own_server(small: SmallWorkspace) -> Iterator[tuple[Place, EmbeddedPostgres]]:
    """A place whose PostgreSQL nobody else uses."""
    folder = Path(tempfile.mkdtemp(prefix="notion-pg-sync-tests."))
    with EmbeddedPostgres(folder, FAST_SETTINGS) as postgres, WorkspaceServer(small.workspace) as server:
        installation = Installation(Settings(database_url=postgres.url, notion_base_url=server.url), small.workspace)
        asyncio.run(installation.init())
        command = Command({"DATABASE_URL": postgres.url, "NOTION_BASE_URL": server.url})
        yield Place(command, small, postgres.url, installation=installation), postgres
    shutil.rmtree(folder)


def test_a_restart_in_the_midst_of_a_run(own_server: tuple[Place, EmbeddedPostgres]) -> None:
    place, postgres = own_server
    databases = connect(place)

    def restart() -> None:
        postgres.stop()
        postgres.start()

    in_the_midst(place, restart)
    ran = place.command(*ARGUMENTS)
    assert (ran.code, sentences(ran.err)) in ((0, set()), (1, {LOST}))
    assert_nothing_is_half_written(place)
    assert_next_run_mends_it(place, databases)


@contextmanager
def held_lock(place: Place, statement: str) -> Iterator[int]:
    """Somebody's transaction that goes on, from the midst of the run until the block ends; gives its session's pid."""
    with psycopg.connect(place.database_url) as somebody:
        in_the_midst(place, lambda: somebody.execute(statement.encode()))
        yield somebody.info.backend_pid


@pytest.mark.parametrize(
    "statement", ["LOCK TABLE notion_pages_sync IN SHARE MODE", "SELECT 1 FROM notion_sync.data_sources FOR UPDATE"]
)
def test_somebodys_long_transaction_does_not_hold_a_run_up_for_ever(place: Place, statement: str) -> None:
    databases = connect(place)
    with held_lock(place, statement) as pid:
        ran = place.start_tuned(lock_seconds=1)
        _, said = ran.communicate(timeout=60)
        assert ran.returncode == 1
        (sentence,) = sentences(said)
        assert sentence.startswith(f"session {pid} (role ")
        assert sentence.endswith(f"holds a lock that this waits for: commit there, or type {ending(pid)}")
        assert place.leases() == place.unfinished() == []
    assert_nothing_is_half_written(place)
    assert_next_run_mends_it(place, databases)


def ending(pid: int) -> str:
    return f"SELECT pg_terminate_backend({pid});"


@pytest.fixture
def small_disk(initialised_url: str, administrator: psycopg.Connection) -> Iterator[Path]:
    """A file system of few megabytes, on which the test's database lies."""
    if os.geteuid() != 0 or "TEST_DATABASE_URL" in os.environ:
        pytest.skip("only root can make a small file system, for a PostgreSQL on this machine")
    folder = Path(tempfile.mkdtemp(prefix="notion-pg-sync-tests."))
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100m", "tmpfs", folder], check=True)
    shutil.chown(folder, server_account().uid)
    database = sql.Identifier(str(conninfo_to_dict(initialised_url)["dbname"]))
    tablespace = sql.Identifier(f"small_{uuid4().hex}")
    administrator.execute(sql.SQL("CREATE TABLESPACE {} LOCATION {}").format(tablespace, sql.Literal(str(folder))))
    administrator.execute(sql.SQL("ALTER DATABASE {} SET TABLESPACE {}").format(database, tablespace))
    yield folder
    administrator.execute(sql.SQL("ALTER DATABASE {} SET TABLESPACE pg_default").format(database))
    administrator.execute(sql.SQL("DROP TABLESPACE {}").format(tablespace))
    subprocess.run(["umount", folder], check=True)
    folder.rmdir()


def resize(folder: Path, megabytes: float) -> None:
    size = round(megabytes * MEGABYTE)
    subprocess.run(["mount", "-o", f"remount,size={size}", folder], check=True)


def test_a_disk_that_is_full_is_told_and_with_more_room_the_next_run_carries_on(small_disk: Path, place: Place) -> None:
    databases = connect(place, note=8000)
    used = shutil.disk_usage(small_disk).used / MEGABYTE
    # The rows need some 8 MB.
    resize(small_disk, used + 3)
    ran = place.command(*ARGUMENTS)
    assert ran.code == 1
    assert all(sentence.startswith("PostgreSQL's disk is full (could not extend") for sentence in sentences(ran.err))
    assert "free some space there; the next run tries again." in ran.err
    ((written,),) = place.execute("SELECT count(*) FROM notion_pages_sync")
    assert int(str(written)) > 0
    resize(small_disk, 100)
    assert_nothing_is_half_written(place)
    assert_next_run_mends_it(place, databases)
