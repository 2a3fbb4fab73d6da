"""The tables of one application, the whole way: who has its databases gets them, and nobody else sees them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import psycopg
import pytest
from notion_workspace import SmallWorkspace, WorkspaceServer
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests.cli.conftest import Command, Ended, Site

pytestmark = pytest.mark.slow

WELL = Ended(0, "", "")


@pytest.fixture
def bare(database_url: str, small: SmallWorkspace) -> Iterator[Site]:
    """Nothing is initialised yet."""
    with WorkspaceServer(small.workspace) as server:
        yield Site(Command({"DATABASE_URL": database_url, "NOTION_BASE_URL": server.url}), small, database_url)


@pytest.fixture
def stranger(bare: Site) -> Site:
    """Somebody who never heard of the application, after `init`."""
    ended = bare.command("init")
    assert ended.code == 0, ended.err
    assert [line for line in ended.out.splitlines() if "create public." in line] == [
        "• create public.user_settings",
        "• create public.notion_pages_sync",
    ]
    return bare


@pytest.fixture
def limited(stranger: Site, login: str) -> Site:
    """The tool's role may write, and create nothing in public."""
    database = sql.Identifier(str(conninfo_to_dict(stranger.database_url)["dbname"]))
    role = sql.Identifier(login)
    with psycopg.connect(stranger.database_url, autocommit=True) as connection:
        connection.execute(sql.SQL("GRANT USAGE ON SCHEMA public, notion_sync TO {}").format(role))
        connection.execute(sql.SQL("GRANT USAGE, CREATE ON SCHEMA notion TO {}").format(role))
        connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, role))
    give_rights(stranger, login)
    command = Command(
        {**stranger.command.environment, "DATABASE_URL": make_conninfo(stranger.database_url, user=login)}
    )
    return Site(command, stranger.small, stranger.database_url)


def give_rights(site: Site, login: str) -> None:
    """As an owner does who keeps to docs/least-privilege.md."""
    site.execute(
        f"""
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public, notion_sync TO {login};
        GRANT USAGE ON ALL SEQUENCES IN SCHEMA notion_sync TO {login};
        DO $$
        DECLARE hidden regclass;
        BEGIN
            FOR hidden IN
                SELECT pg_class.oid FROM pg_class
                WHERE relrowsecurity AND relnamespace IN ('notion_sync'::regnamespace, 'public'::regnamespace)
                  AND NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = pg_class.oid AND polname = 'tool')
            LOOP
                EXECUTE 'CREATE POLICY tool ON ' || hidden || ' TO {login} USING (true) WITH CHECK (true)';
            END LOOP;
        END
        $$
        """
    )


def sync_tables(site: Site) -> list[object]:
    found = site.execute("SELECT tablename FROM pg_tables WHERE tablename ~ '^notion_.*_sync$' ORDER BY 1")
    return [name for (name,) in found]


def databases(site: Site, *names: str) -> str:
    return json.dumps({name: site.small.databases[name] for name in names})


def rows_of(site: Site, table: str, user_id: str = "anna") -> object:
    return site.execute(f"SELECT count(*) FROM {table} WHERE user_id = %s", user_id)[0][0]


def messages(site: Site) -> list[str]:
    """Of the databases of the latest run, what each says of tables."""
    found = site.execute(
        "SELECT message FROM notion_sync.database_runs"
        " WHERE runid = (SELECT max(runid) FROM notion_sync.job_run_details)"
    )
    return [str(message) for (message,) in found if "create" in str(message)]


def rehearsed(site: Site) -> list[str]:
    """The same of a dry run, which leaves no record of databases."""
    ended = site.command("sync-all", "--dry-run", "--json")
    assert ended.code == 0
    runs = [run for account in json.loads(ended.out)["accounts"] for run in account["databases"]]
    return [run["message"] for run in runs if "create" in run["message"]]


def findings(site: Site, word: str) -> list[str]:
    return [line for line in site.command("doctor").out.splitlines() if word in line]


def test_a_stranger_without_such_databases_never_sees_one(stranger: Site) -> None:
    stranger.connect("anna", stranger.small.tokens["anna"], databases(stranger, "Three"))
    assert stranger.command("sync-all") == WELL
    assert sync_tables(stranger) == ["notion_pages_sync"]
    assert rows_of(stranger, "notion_pages_sync") == 3
    for command in (("doctor",), ("status",), ("status", "--json"), ("init",)):
        ended = stranger.command(*command)
        for table in ("characters", "worlds", "stories", "chat_sessions"):
            assert f"notion_{table}_sync" not in ended.out + ended.err
    assert stranger.command("init").out == "Everything is in place; nothing to do.\n"


def test_a_strangers_database_of_that_name_makes_its_table_and_no_other(stranger: Site) -> None:
    stranger.connect("anna", stranger.small.tokens["anna"], databases(stranger, "Chat Sessions", "Three"))
    assert stranger.command("sync-all") == WELL
    assert sync_tables(stranger) == ["notion_chat_sessions_sync", "notion_pages_sync"]
    assert messages(stranger) == []
    ended = stranger.command("sync", "anna", "Chat Sessions", "--verify")
    assert (ended.code, ended.err) == (0, "")
    assert stranger.execute("SELECT count(message_count) > 0 FROM notion_chat_sessions_sync") == [(True,)]
    assert findings(stranger, "notion_worlds_sync") == []


def test_connect_makes_it_before_the_first_sync(stranger: Site) -> None:
    token = stranger.small.tokens["anna"]
    ended = stranger.command("connect", "anna", "--database", "Worlds", "--no-sync", given=token)
    assert (ended.code, ended.err) == (0, "")
    assert sync_tables(stranger) == ["notion_pages_sync", "notion_worlds_sync"]


def test_what_search_finds_makes_them_too(stranger: Site) -> None:
    token = stranger.small.tokens["anna"]
    assert stranger.command("connect", "anna", "--all", "--no-sync", given=token).code == 0
    assert sync_tables(stranger) == ["notion_pages_sync"]
    assert stranger.command("sync-all") == WELL
    assert len(sync_tables(stranger)) == 5
    assert rows_of(stranger, "notion_worlds_sync") == 12


def test_a_dry_run_makes_none_and_says_which_it_would(stranger: Site) -> None:
    stranger.connect("anna", stranger.small.tokens["anna"], databases(stranger, "Worlds"))
    (message,) = rehearsed(stranger)
    assert sync_tables(stranger) == ["notion_pages_sync"]
    assert "a real run would have 12 inserted to write" in message
    assert "It would create the table public.notion_worlds_sync." in message
    assert stranger.command("sync-all") == WELL
    assert rehearsed(stranger) == []


def test_a_role_that_may_not_create_puts_the_rows_into_the_general_table_until_there_is_one(
    limited: Site, stranger: Site, login: str
) -> None:
    limited.connect("anna", limited.small.tokens["anna"], databases(limited, "Worlds", "Characters"))
    assert limited.command("sync-all") == WELL
    assert sync_tables(limited) == ["notion_pages_sync"]
    assert rows_of(limited, "notion_pages_sync") == 12 + 40
    (message,) = messages(limited)
    assert "so its rows go to public.notion_pages_sync: let the owner of the schema run" in message
    assert "This role may not create the table public.notion_" in message
    assert "'notion-pg-sync init --preset story-app'" in message
    assert limited.command("sync", "anna", "Worlds", "--verify").code == 0
    assert len(rehearsed(limited)) == 1
    (finding,) = findings(limited, "this role may not create the table public.notion_worlds_sync, so its rows go to")
    assert "warning" in finding
    assert findings(limited, "notion-pg-sync init --preset story-app") != []
    assert stranger.command("init", "--preset", "story-app").code == 0
    give_rights(limited, login)
    ids = limited.execute("SELECT id FROM notion_pages_sync WHERE database_name = 'Worlds' ORDER BY id")
    assert limited.command("sync-all") == WELL
    assert messages(limited) == []
    assert rows_of(limited, "notion_pages_sync") == 0
    assert limited.execute("SELECT id FROM notion_worlds_sync ORDER BY id") == ids
    for name in ("Worlds", "Characters"):
        assert limited.command("sync", "anna", name, "--verify").code == 0
    assert findings(limited, "may not create") == []


def test_two_processes_at_once_make_it_once(stranger: Site) -> None:
    for user in ("anna", "ben"):
        stranger.connect(user, stranger.small.tokens[user], databases(stranger, "Worlds"))
    with ThreadPoolExecutor() as threads:
        runs = [threads.submit(stranger.command, "sync", user, "Worlds") for user in ("anna", "ben")]
    assert [run.result() for run in runs] == [WELL, WELL]
    assert [rows_of(stranger, "notion_worlds_sync", user) for user in ("anna", "ben")] == [12, 12]
    assert stranger.command("init").out == "Everything is in place; nothing to do.\n"


def test_no_tenant_sees_the_rows_of_another_in_it(stranger: Site, login: str) -> None:
    stranger.execute(f"ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO {login}")
    for user in ("anna", "ben"):
        stranger.connect(user, stranger.small.tokens[user], databases(stranger, "Worlds"))
    assert stranger.command("sync-all") == WELL
    with psycopg.connect(make_conninfo(stranger.database_url, user=login), autocommit=True) as tenant:
        query = "SELECT user_id, count(*) FROM notion_worlds_sync GROUP BY 1"
        assert tenant.execute(query).fetchall() == []
        tenant.execute("SET app.user_id = 'ben'")
        assert tenant.execute(query).fetchall() == [("ben", 12)]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            tenant.execute("TRUNCATE notion_worlds_sync")
    stranger.execute(f"ALTER DEFAULT PRIVILEGES REVOKE ALL ON TABLES FROM {login}")


def test_a_strangers_table_of_that_name_gets_no_row_and_stops_nobody(stranger: Site, login: str) -> None:
    stranger.execute(
        f"GRANT CREATE ON SCHEMA public TO {login}; GRANT SELECT ON notion_pages_sync TO {login}; SET ROLE {login};"
        " CREATE TABLE notion_worlds_sync (LIKE notion_pages_sync INCLUDING ALL)"
    )
    stranger.connect("anna", stranger.small.tokens["anna"], databases(stranger, "Worlds"))
    assert rehearsed(stranger) == []
    assert stranger.command("sync-all") == WELL
    assert rows_of(stranger, "notion_worlds_sync") == 0
    assert rows_of(stranger, "notion_pages_sync") == 12
    assert findings(stranger, f"public.notion_worlds_sync gets no rows, since it belongs to {login}") != []
    assert stranger.command("init").out == "Everything is in place; nothing to do.\n"
    assert stranger.command("init", "--preset", "story-app").code == 2
    said = stranger.command("init", "--yes", "--trust", login).out
    assert "public.notion_worlds_sync.database_name is NOT NULL without a default" in said


def test_the_application_finds_all_of_its_own_and_gets_no_other(bare: Site, app_schema: str) -> None:
    bare.execute(app_schema)
    bare.execute("DROP TABLE notion_stories_sync; DELETE FROM user_settings")
    query = "SELECT oid FROM pg_class WHERE relkind = 'r' AND relname ~ '^notion_.*_sync$' ORDER BY 1"
    numbers = bare.execute(query)
    assert bare.command("init", "--yes").code == 0
    bare.connect("anna", bare.small.tokens["anna"], databases(bare, "Worlds", "Characters", "Chat Sessions"))
    bare.execute("UPDATE user_settings SET auto_sync_enabled = true")
    assert bare.command("sync-all") == WELL
    assert messages(bare) == []
    assert bare.execute(query) == numbers
    for name in ("Worlds", "Characters", "Chat Sessions"):
        assert bare.command("sync", "anna", name, "--verify").code == 0
    assert bare.command("init", "--yes").out.splitlines()[-1] == "Everything is in place; nothing to do."


def test_the_printed_sql_makes_them(bare: Site) -> None:
    printed = bare.command("init", "--sql", "--preset", "story-app").out
    with psycopg.connect(bare.database_url, autocommit=True) as connection:
        connection.execute(printed.encode())
    assert len(sync_tables(bare)) == 5


def test_there_is_no_other_preset(bare: Site) -> None:
    name = f"x{uuid4().hex}"
    ended = bare.command("init", "--preset", name)
    assert (ended.code, ended.sentence) == (2, f"there is no preset {name!r}: choose story-app.")
