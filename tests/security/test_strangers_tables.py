"""A table that a stranger made receives nobody's rows, and no trigger of it runs with the tool's rights."""

from __future__ import annotations

import json
from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest
from notion_workspace import SmallWorkspace, WorkspaceServer
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests.cli.conftest import Command, Ended, Site

WELL = Ended(0, "", "")

# Whoever runs it, the stranger learns of; what it does could be anything that the role may do.
TRIGGER = """
    CREATE TABLE {schema}.seized (role text, what jsonb);
    GRANT INSERT ON {schema}.seized TO PUBLIC;
    CREATE FUNCTION {schema}.seize() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN INSERT INTO {schema}.seized VALUES (current_user, to_jsonb(coalesce(NEW, OLD))); RETURN NEW; END'
"""
SEIZES = (
    "CREATE TRIGGER seize BEFORE INSERT OR UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {schema}.seize()"
)


@pytest.fixture
def stranger(database_url: str) -> Iterator[str]:
    """A role that may create in public, and no more."""
    name = f"stranger_{uuid4().hex}"
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(name)))
        connection.execute("GRANT CREATE ON SCHEMA public TO PUBLIC")
        yield name
        connection.execute(sql.SQL("DROP OWNED BY {0} CASCADE; DROP ROLE {0}").format(sql.Identifier(name)))


@pytest.fixture
def own(database_url: str, login: str, small: SmallWorkspace, stranger: str) -> Iterator[Site]:
    """The tool's role is no superuser; nothing is initialised yet."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        database = sql.Identifier(str(conninfo_to_dict(database_url)["dbname"]))
        connection.execute(sql.SQL("GRANT CREATE ON DATABASE {} TO {}").format(database, sql.Identifier(login)))
    with WorkspaceServer(small.workspace) as notion:
        url = make_conninfo(database_url, user=login)
        yield Site(Command({"DATABASE_URL": url, "NOTION_BASE_URL": notion.url}), small, database_url)


def as_role(site: Site, role: str, *statements: str) -> None:
    with psycopg.connect(make_conninfo(site.database_url, user=role), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def make_a_trap(site: Site, role: str, table: str, definition: str) -> None:
    """A table with a trigger, both of the role's, open to everybody."""
    as_role(
        site,
        role,
        f"CREATE TABLE {table} {definition}; GRANT ALL ON {table} TO PUBLIC",
        TRIGGER.format(schema="public"),
        SEIZES.format(schema="public", table=table),
    )


def connect_anna(site: Site) -> None:
    databases = json.dumps({"Worlds": site.small.databases["Worlds"]})
    site.connect("anna", site.small.tokens["anna"], databases)


COLUMNS = "(LIKE notion_pages_sync INCLUDING ALL)"
SETTINGS = (
    "(user_id text PRIMARY KEY, notion_token text, notion_access_token text, notion_databases jsonb,"
    " auto_sync_enabled boolean)"
)


def test_a_table_named_after_a_database_gets_its_rows_only_once_its_owner_is_trusted(own: Site, stranger: str) -> None:
    assert own.command("init").code == 0
    own.execute("GRANT SELECT ON notion_pages_sync TO PUBLIC")
    make_a_trap(own, stranger, "notion_tasks_sync", COLUMNS)
    databases = json.dumps({"Tasks": own.small.databases["Tasks"]})
    own.connect("ben", own.small.tokens["ben"], databases)
    assert own.command("sync-all") == WELL
    assert own.execute("SELECT count(*) FROM seized") == [(0,)]
    assert own.execute("SELECT count(*) > 0 FROM notion_pages_sync WHERE user_id = 'ben'") == [(True,)]
    assert own.command("forget", "ben", "--disconnect", "--yes").code == 0
    assert own.execute("SELECT count(*) FROM seized") == [(0,)]
    assert own.command("init", "--trust", stranger).code == 0
    own.execute("UPDATE user_settings SET notion_token = %s, notion_databases = %s", own.small.tokens["ben"], databases)
    assert own.command("sync-all") == WELL
    assert own.execute("SELECT count(*) > 0 FROM seized") == [(True,)]


def test_a_table_that_was_the_tools_and_is_somebody_elses_now_stops_the_sync(own: Site, stranger: str) -> None:
    assert own.command("init").code == 0
    connect_anna(own)
    assert own.command("sync-all") == WELL
    own.execute(f"ALTER TABLE notion_worlds_sync OWNER TO {stranger}")
    as_role(own, stranger, TRIGGER.format(schema="public"), SEIZES.format(schema="public", table="notion_worlds_sync"))
    for command in (("sync-all",), ("forget", "anna", "--disconnect", "--yes")):
        ended = own.command(*command)
        assert ended.code in (2, 3)
        assert "notion_worlds_sync" in ended.sentence
        assert "init --trust" in ended.sentence
    assert own.execute("SELECT count(*) FROM seized") == [(0,)]


@pytest.mark.parametrize("table", ["notion_worlds_sync", "user_settings"])
def test_init_takes_no_strangers_table_without_a_word_for_its_owner(own: Site, stranger: str, table: str) -> None:
    make_a_trap(own, stranger, table, SETTINGS)
    for options in ((), ("--yes",), ("--sql",)):
        ended = own.command("init", *options)
        assert ended.code == 2
        assert ended.sentence == (
            f"public.{table} belongs to {stranger}, whose triggers would run with the rights of this role: if they "
            f"may, run 'notion-pg-sync init --trust {stranger}'; else drop the table."
        )
    assert own.execute("SELECT to_regclass('notion_sync.migrations')") == [(None,)]


@pytest.mark.parametrize(
    "definition",
    [
        "CREATE VIEW {table} AS SELECT seize_it() AS user_id, seize_it() AS notion_page_id",
        "CREATE TABLE {table} (user_id text, notion_page_id text); INSERT INTO {table} VALUES ('u', 'p');"
        " ALTER TABLE {table} ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON {table} USING (seize_it() = 'u')",
    ],
)
@pytest.mark.parametrize("table", ["notion_worlds_sync", "notion_pages_sync"])
def test_nothing_of_a_strangers_runs_while_init_looks(own: Site, stranger: str, table: str, definition: str) -> None:
    as_role(
        own,
        stranger,
        "CREATE TABLE seized (role text); GRANT INSERT, SELECT ON seized TO PUBLIC",
        "CREATE FUNCTION seize_it() RETURNS text LANGUAGE sql AS"
        " 'INSERT INTO public.seized VALUES (current_user) RETURNING role'",
        definition.format(table=table),
        f"GRANT ALL ON {table} TO PUBLIC",
    )
    for options in ((), ("--yes",), ("--sql",), ("--preset", "story-app")):
        own.command("init", *options)
    assert own.execute("SELECT * FROM seized") == []


def test_a_user_settings_that_a_stranger_put_before_the_applications_gets_no_token(
    own: Site, stranger: str, login: str
) -> None:
    """The path leads through public first, where everybody may create."""
    own.execute(f"CREATE SCHEMA app; CREATE TABLE app.user_settings {SETTINGS}")
    own.execute(f"GRANT USAGE, CREATE ON SCHEMA app TO {login}; GRANT ALL ON app.user_settings TO {login}")
    own.execute(f"ALTER ROLE {login} SET search_path = public, app")
    assert own.command("init").code == 0
    make_a_trap(own, stranger, "public.user_settings", SETTINGS)
    ended = own.command("connect", "anna", "--all", "--yes", given=own.small.tokens["anna"])
    assert ended.code == 0, ended.err
    assert own.execute("SELECT user_id FROM app.user_settings") == [("anna",)]
    assert own.command("sync-all") == WELL
    assert own.command("status").code == 0
    assert own.command("forget", "anna", "--disconnect", "--yes").code == 0
    assert own.execute("SELECT count(*) FROM public.seized") == [(0,)]
    assert own.execute("SELECT count(*) FROM public.user_settings") == [(0,)]


def test_a_role_that_does_not_exist_is_not_trusted(own: Site) -> None:
    ended = own.command("init", "--trust", "nobody at all")
    assert ended.code == 1
    assert "there is no role nobody at all: check the spelling." in ended.out
