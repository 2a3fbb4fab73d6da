"""`init` is killed while it adopts a table with many rows; the next one goes on, and nothing is lost."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.cli.conftest import BARE, Command
from tests.cli.test_init_sql import IN_PLACE, execute
from tests.waiting import wait_until

TABLE = "notion_pages_sync"
ROWS = 9000
LAST = "abcdef00-0000-4000-8000-00000000000f"
INSERT = f"INSERT INTO {TABLE} (notion_database_id, database_name, user_id) VALUES ('d', 'n', 'not in Notion')"
CHANGE_LAST = f"UPDATE {TABLE} SET title = 'x' WHERE notion_page_id = '{LAST}'"

COLUMNS = f"SELECT 1 FROM pg_attribute WHERE attrelid = '{TABLE}'::regclass AND attname = 'page_id'"
KEY_BEGUN = f"SELECT 1 FROM pg_index WHERE indexrelid = to_regclass('{TABLE}_page_key') AND NOT indisvalid"
KEY = f"SELECT 1 FROM pg_index WHERE indexrelid = to_regclass('{TABLE}_page_key') AND indisvalid"
PARTLY_FILLED = f"SELECT 1 FROM {TABLE} HAVING count(page_id) > 0 AND count(page_id) < {ROWS}"
INDEX_BEGUN = f"SELECT 1 FROM pg_index WHERE indexrelid = to_regclass('{TABLE}_by_data_source') AND NOT indisvalid"

# What an application does, from when on, and when `init` is then killed: it gets no further than that.
STAGES = {
    "after the short changes": (INSERT, COLUMNS, COLUMNS),
    "while it builds the key": (INSERT, COLUMNS, KEY_BEGUN),
    "while it fills": (CHANGE_LAST, KEY, PARTLY_FILLED),
    "while it builds an index": (INSERT, KEY, INDEX_BEGUN),
}


@pytest.fixture
def application_url(database_url: str, app_schema: str) -> str:
    """Rows in several batches, written without dashes, but for one in five."""
    columns = "notion_page_id, notion_database_id, database_name, user_id, content"
    execute(
        database_url,
        app_schema,
        f"INSERT INTO {TABLE} ({columns})"
        " SELECT CASE n % 5 WHEN 0 THEN page ELSE replace(page, '-', '') END, 'd', 'n', 'u', repeat(n::text, 200)"
        f" FROM (SELECT n, gen_random_uuid()::text AS page FROM generate_series(2, {ROWS}) AS n) AS pages",
        f"INSERT INTO {TABLE} ({columns}) VALUES ('{LAST}', 'd', 'n', 'u', 'last')",
    )
    return database_url


@contextmanager
def started(database_url: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "notion_pg_sync", "init", "--yes"]
    environment = {**BARE, "DATABASE_URL": database_url}
    with subprocess.Popen(command, env=environment, cwd=Path(__file__).parents[2]) as process:
        yield process
        process.kill()


@pytest.mark.parametrize("its_sessions", ["go on", "end"])
@pytest.mark.parametrize("stage", STAGES)
def test_the_next_init_goes_on_where_it_was_killed(application_url: str, stage: str, its_sessions: str) -> None:
    statement, since, until = STAGES[stage]
    before = execute(application_url, f"SELECT id, content FROM {TABLE} ORDER BY id")
    with started(application_url) as process:
        wait_until(lambda: execute(application_url, since) or process.poll() is not None)
        with psycopg.connect(application_url) as application:
            application.execute(statement.encode())
            wait_until(lambda: execute(application_url, until) or process.poll() is not None)
            assert process.poll() is None
            process.send_signal(signal.SIGKILL)
            process.wait()
            if its_sessions == "end":
                execute(
                    application_url,
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                    f" AND pid NOT IN (pg_backend_pid(), {application.info.backend_pid})",
                )
            application.commit()
    command = Command({"DATABASE_URL": application_url})
    assert command("init", "--yes").code == 0
    assert command("init").out.endswith(IN_PLACE)
    query = f"SELECT id, content FROM {TABLE} WHERE user_id = 'u' ORDER BY id"
    assert execute(application_url, query) == before
    wrong = f"SELECT count(*) FROM {TABLE} WHERE replace(page_id::text, '-', '') IS DISTINCT FROM notion_page_id"
    assert execute(application_url, f"{wrong} AND user_id = 'u'") == [(0,)]
    assert execute(application_url, "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid") == []
