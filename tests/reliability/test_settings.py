"""Whatever the database, the role or the server are set to: the result is the same.

Each setting is kept for the database, as an operator or a hosting platform does; then everything is done from `init`
on, and what is in the tables afterwards is held against what is there without it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from notion_workspace import SmallWorkspace, WorkspaceServer, small_workspace
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from tests.cli.conftest import Command, Ended
from tests.conftest import DatabaseMaker
from tests.pgbouncer import PgBouncer

WELL = Ended(0, "", "")

ODD = [
    "DateStyle = 'SQL, DMY'",
    "DateStyle = 'German'",
    "DateStyle = 'Postgres, MDY'",
    "IntervalStyle = 'iso_8601'",
    "IntervalStyle = 'sql_standard'",
    "IntervalStyle = 'postgres_verbose'",
    "default_transaction_isolation = 'repeatable read'",
    "default_transaction_isolation = 'serializable'; default_transaction_deferrable = on",
    "bytea_output = escape",
    "standard_conforming_strings = off; escape_string_warning = on",
    "backslash_quote = off",
    "timezone = 'Asia/Kathmandu'",
    "timezone = '<+0330>-03:30'",
    "extra_float_digits = -15",
    "xmloption = document",
    "client_encoding = SQL_ASCII",
    "client_encoding = LATIN1",
    "search_path = ''",
    "search_path = pg_temp, public",
    "row_security = off",
    "quote_all_identifiers = on",
    "array_nulls = off",
    "transform_null_equals = on",
    "check_function_bodies = off",
    "lc_messages = 'C'; lc_numeric = 'C'",
    "jit = on; jit_above_cost = 0",
    "work_mem = '64kB'; enable_hashagg = off; enable_hashjoin = off; enable_indexscan = off",
    "debug_parallel_query = on",
    "plpgsql.variable_conflict = use_column",
    "plpgsql.extra_errors = 'shadowed_variables'",
    "idle_session_timeout = '1s'",
    "exit_on_error = on",
]

CONTENT = """
    SELECT row - '{id,last_synced_at,created_at,updated_at}'::text[] FROM (
        SELECT to_jsonb(rows) FROM notion_characters_sync AS rows
        UNION ALL SELECT to_jsonb(rows) FROM notion_pages_sync AS rows
        UNION ALL SELECT to_jsonb(rows) FROM notion_worlds_sync AS rows) AS rows (row)
    UNION ALL SELECT jsonb_build_object('page', page_id, 'reason', reason) FROM notion_sync.removed_pages
    UNION ALL SELECT to_jsonb(rows) FROM notion_sync.columns AS rows
    UNION ALL SELECT to_jsonb(rows) - '{asked_at,written_in}'::text[] FROM notion_sync.users AS rows
    UNION ALL SELECT to_jsonb(rows) - '{fetched_at,read_at,written_in}'::text[] FROM notion_sync.page_bodies AS rows
    UNION ALL SELECT to_jsonb(rows) - 'written_in' FROM notion_sync.search_documents AS rows
    UNION ALL SELECT to_jsonb(rows) - '{row_id,row_xmin,written_in}'::text[] FROM notion_sync.pages AS rows
    UNION ALL SELECT to_jsonb(pg_get_viewdef(oid)) FROM pg_class
              WHERE relkind = 'v' AND relnamespace = to_regnamespace('notion')
    UNION ALL SELECT jsonb_build_object('mode', mode, 'status', status, 'read', rows_read, 'inserted', inserted,
                                        'updated', updated, 'removed', removed, 'message', message)
              FROM notion_sync.database_runs
"""


def execute(url: str, statement: str) -> list[tuple[object, ...]]:
    """As an application of usual habits does."""
    usual = (
        "-cclient_encoding=utf8 -cdatestyle=ISO -ctimezone=UTC -csearch_path=public -cstandard_conforming_strings=on"
        " -cquote_all_identifiers=off -cbytea_output=hex"
    )
    with psycopg.connect(url, autocommit=True, options=usual) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def outcome_at(command: Command, small: SmallWorkspace, url: str) -> set[str]:
    """Every command, one after the other, and what is in the tables then, and what status says, a line each."""

    def run(*arguments: str, given: str = "") -> str:
        ended = command(*arguments, given=given)
        assert (arguments, ended.code, ended.err) == (arguments, 0, ""), ended.out
        return ended.out

    workspace = small.workspace
    run("init")
    names = ("Characters", "Everything", "Worlds", "Notes")
    picked = [word for name in names for word in ("--database", name) if name in small.shared["anna"]]
    run("connect", "anna", *picked, "--yes", given=small.tokens["anna"])
    assert command("sync-all", "--bodies") == WELL
    workspace.clock.advance(3600)
    gone, edited, *_ = workspace.page_ids("Worlds")
    workspace.trash_page(gone)
    workspace.edit_page(edited, {"Name": "Ä \\ 'edited' 🙂"})
    assert command("sync-all") == WELL
    assert "the copy is exact." in run("sync", "anna", "Worlds", "--verify")
    doctor = json.loads(command("doctor", "--json", "--no-cron-check").out)
    assert [one for one in doctor["findings"] if one["verdict"] in ("broken", "skipped")] == []
    databases = json.loads(run("status", "--json"))["databases"]
    rows = {json.dumps(row, sort_keys=True) for (row,) in execute(url, CONTENT)}
    assert len(rows) > 50
    return rows | {f"{one['database']} is {one['condition']}" for one in databases}


@contextmanager
def place(maker: DatabaseMaker) -> Iterator[tuple[SmallWorkspace, str, str]]:
    small = small_workspace()
    with maker.empty() as url, WorkspaceServer(small.workspace) as notion:
        yield small, url, notion.url


@pytest.fixture(scope="module")
def usual(database_maker: DatabaseMaker) -> set[str]:
    """What comes of it without any setting."""
    with place(database_maker) as (small, url, notion):
        return outcome_at(Command({"DATABASE_URL": url, "NOTION_BASE_URL": notion}), small, url)


def keep(url: str, settings: str) -> None:
    """Keeps settings for the database."""
    name = sql.Identifier(str(conninfo_to_dict(url)["dbname"])).as_string()
    for setting in settings.split("; "):
        execute(url, f"ALTER DATABASE {name} SET {setting}")


# Three at a time: a setting that spoils the result does so beside others too, and a run takes seconds.
@pytest.mark.parametrize("settings", ["; ".join(ODD[start::11]) for start in range(11)])
def test_the_result_is_the_same(usual: set[str], database_maker: DatabaseMaker, settings: str) -> None:
    with place(database_maker) as (small, url, notion):
        keep(url, settings)
        command = Command({"DATABASE_URL": url, "NOTION_BASE_URL": notion})
        assert outcome_at(command, small, url) ^ usual == set()


ALL_AT_ONCE = (
    "DateStyle = 'German'; IntervalStyle = 'sql_standard'; default_transaction_isolation = 'serializable'; "
    "bytea_output = escape; standard_conforming_strings = off; timezone = 'Asia/Kathmandu'; extra_float_digits = -15; "
    "client_encoding = LATIN1; search_path = ''; array_nulls = off; quote_all_identifiers = on"
)


def test_so_is_it_through_a_pooler(usual: set[str], database_maker: DatabaseMaker) -> None:
    with place(database_maker) as (small, url, notion):
        keep(url, ALL_AT_ONCE)
        with PgBouncer(url) as pooler:
            command = Command({"DATABASE_URL": pooler.url, "NOTION_BASE_URL": notion})
            assert outcome_at(command, small, url) ^ usual == set()


def test_limits_of_a_role_do_not_end_what_the_tool_waits_for(usual: set[str], database_maker: DatabaseMaker) -> None:
    """A slow trigger of the application, and limits that are for people."""
    with place(database_maker) as (small, url, notion):
        command = Command({"DATABASE_URL": url, "NOTION_BASE_URL": notion})
        assert command("init", "--preset", "story-app").code == 0
        keep(url, "statement_timeout = '1s'; lock_timeout = '1s'; transaction_timeout = '1s'")
        execute(
            url,
            """
            SET statement_timeout = 0;
            CREATE FUNCTION public.slow() RETURNS trigger LANGUAGE plpgsql AS
                'BEGIN PERFORM pg_sleep(1.5); RETURN NULL; END';
            CREATE TRIGGER slow BEFORE INSERT ON public.notion_worlds_sync EXECUTE FUNCTION public.slow()
            """,
        )
        assert outcome_at(command, small, url) ^ usual == set()


def test_a_database_that_is_to_be_read_only_stays_so_and_the_run_says_why(database_maker: DatabaseMaker) -> None:
    with place(database_maker) as (small, url, notion):
        command = Command({"DATABASE_URL": url, "NOTION_BASE_URL": notion})
        assert command("init").code == 0
        name = conninfo_to_dict(url)["dbname"]
        keep(url, "default_transaction_read_only = on")
        for arguments in (("sync-all",), ("connect", "anna", "--all", "--yes")):
            ended = command(*arguments, given=small.tokens["anna"])
            assert ended.code == 3
            assert ended.err.splitlines()[-1] == (
                "notion-pg-sync: PostgreSQL lets this session only read, since default_transaction_read_only is on for "
                f"the database {name}: if it is to be written, type SET default_transaction_read_only = off; ALTER "
                f'DATABASE "{name}" RESET "default_transaction_read_only";'
            )
        assert "no user has connected Notion" in command("status").sentence
        ended = command("init")
        assert ended.code == 3
        assert "nothing was checked or changed: PostgreSQL lets this session only read" in ended.sentence
