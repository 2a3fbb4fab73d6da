"""What an application has on its tables works while the tool writes to them, and finds its own by its search_path."""

from __future__ import annotations

import json
from collections.abc import Iterator

import psycopg
import pytest
from notion_workspace import SmallWorkspace, WorkspaceServer
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests.cli.conftest import Command, Ended, Site
from tests.installation import TABLES

WELL = Ended(0, "", "")

# Nothing in it says in which schema anything is: `audit_log` and `allowed` are in the schema of the application, and
# `digest` is where a hosting platform puts extensions.
APPLICATION = """
    CREATE SCHEMA app; CREATE SCHEMA extensions;
    CREATE FUNCTION extensions.digest(data text, kind text) RETURNS bytea LANGUAGE sql IMMUTABLE
        RETURN sha256(convert_to(data || kind, 'UTF8'));
    SET search_path = app, extensions;
    CREATE TABLE audit_log (said text, table_name text, mark bytea, zone text DEFAULT current_setting('TimeZone'));
    CREATE TABLE allowed (user_id text);
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO audit_log (said, table_name, mark)
        VALUES (TG_WHEN || ' ' || TG_LEVEL || ' ' || TG_OP, TG_TABLE_NAME, digest('x', 'sha256'));
        RETURN coalesce(NEW, OLD);
    END $$;
    CREATE FUNCTION is_allowed(who text) RETURNS boolean LANGUAGE sql STABLE AS
        'SELECT EXISTS (SELECT FROM allowed WHERE user_id = who)';
"""
TRIGGERS = """
    CREATE TRIGGER before_row BEFORE INSERT OR UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION note();
    CREATE TRIGGER before_statement BEFORE INSERT OR UPDATE OR DELETE ON {table} EXECUTE FUNCTION note();
    CREATE TRIGGER after_statement AFTER INSERT OR UPDATE OR DELETE ON {table} EXECUTE FUNCTION note();
    CREATE CONSTRAINT TRIGGER deferred AFTER INSERT OR UPDATE OR DELETE ON {table} DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION note();
    ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
    CREATE POLICY "a policy by a function" ON {table} FOR SELECT USING (is_allowed(user_id));
    CREATE POLICY open ON {table} USING (true);
    GRANT ALL ON {table} TO {role}
"""


@pytest.fixture
def site(database_url: str, login: str, small: SmallWorkspace, app_schema: str) -> Iterator[Site]:
    """An application's own tables, adopted, and a role of the tool's own that owns none of them."""
    role = sql.Identifier(login)
    database = sql.Identifier(str(conninfo_to_dict(database_url)["dbname"]))
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(APPLICATION.encode())
        connection.execute(app_schema.encode())
        connection.execute("DELETE FROM user_settings")
        connection.execute(sql.SQL("ALTER ROLE {} SET search_path = app, extensions").format(role))
        connection.execute(sql.SQL("ALTER DATABASE {} SET search_path = app, extensions").format(database))
        connection.execute(sql.SQL("ALTER ROLE {} SET timezone = 'Asia/Tokyo'").format(role))
    administrator = Command({"DATABASE_URL": database_url, "NOTION_BASE_URL": "http://127.0.0.1:9"})
    assert administrator("init", "--yes").code == 0
    with psycopg.connect(database_url, autocommit=True) as connection:
        for table in (*TABLES, "user_settings"):
            connection.execute(TRIGGERS.format(table=table, role=f'"{login}"').encode())
        for statement in (
            "GRANT USAGE ON SCHEMA app, extensions, notion_sync TO {role}",
            "GRANT USAGE, CREATE ON SCHEMA notion TO {role}",
            "GRANT ALL ON ALL TABLES IN SCHEMA app, notion_sync TO {role}",
            "GRANT USAGE ON ALL SEQUENCES IN SCHEMA notion_sync TO {role}",
            "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA notion_sync TO {role}",
        ):
            connection.execute(statement.format(role=f'"{login}"').encode())
        hidden = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'notion_sync'").fetchall()
        for (name,) in hidden:
            connection.execute(
                sql.SQL("CREATE POLICY tool ON {} TO {} USING (true) WITH CHECK (true)").format(
                    sql.Identifier("notion_sync", name), role
                )
            )
    with WorkspaceServer(small.workspace) as notion:
        command = Command({"DATABASE_URL": make_conninfo(database_url, user=login), "NOTION_BASE_URL": notion.url})
        yield Site(command, small, database_url)


def noted(site: Site) -> set[tuple[object, object]]:
    """What the application's triggers noted since it was asked last."""
    found = site.execute("DELETE FROM app.audit_log RETURNING table_name, said, zone, octet_length(mark)")
    assert {(zone, length) for _, _, zone, length in found} <= {("Asia/Tokyo", 32)}
    return {(table, said) for table, said, _, _ in found}


def whole(table: str, operation: str) -> set[tuple[object, object]]:
    kinds = ("BEFORE ROW", "BEFORE STATEMENT", "AFTER STATEMENT", "AFTER ROW")
    return {(table, f"{kind} {operation}") for kind in kinds}


@pytest.mark.slow
def test_triggers_and_policies_of_every_kind_find_what_they_name(site: Site) -> None:
    small, workspace = site.small, site.small.workspace
    databases = ("--database", "Characters", "--database", "Worlds")
    assert site.command("connect", "anna", *databases, "--yes", given=small.tokens["anna"]).code == 0
    assert noted(site) >= whole("user_settings", "INSERT")
    assert site.command("sync-all") == WELL
    assert noted(site) >= whole("notion_worlds_sync", "INSERT") | whole("notion_characters_sync", "INSERT")
    workspace.clock.advance(3600)
    gone, edited, *_ = workspace.page_ids("Worlds")
    workspace.trash_page(gone)
    workspace.edit_page(edited, {"Name": "edited"})
    assert site.command("sync-all", "--full") == WELL
    assert noted(site) >= whole("notion_worlds_sync", "UPDATE") | whole("notion_worlds_sync", "DELETE")
    renamed = json.dumps({"Chat Sessions": small.databases["Worlds"], "Characters": small.databases["Characters"]})
    site.execute("UPDATE user_settings SET notion_databases = %s", renamed)
    site.execute("DELETE FROM audit_log")
    assert site.command("sync-all") == WELL
    assert noted(site) >= whole("notion_worlds_sync", "DELETE") | whole("notion_chat_sessions_sync", "INSERT")
    ended = site.command("sync", "anna", "Characters", "--verify")
    assert (ended.code, ended.err) == (0, "")
    assert site.command("status").code == 0


def test_forget_and_disconnect_too(site: Site, login: str) -> None:
    assert site.command("connect", "anna", "--database", "Worlds", "--yes", given=site.small.tokens["anna"]).code == 0
    assert site.command("sync-all") == WELL
    site.execute(f'ALTER ROLE "{login}" BYPASSRLS')
    noted(site)
    ended = site.command("forget", "anna", "--disconnect", "--yes")
    assert ended.code == 0, ended.err
    assert noted(site) >= whole("notion_worlds_sync", "DELETE") | whole("user_settings", "UPDATE")


def test_what_init_changes_in_rows_runs_them_too(database_url: str, app_schema: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(APPLICATION.encode())
        connection.execute(app_schema.encode())
        connection.execute(f"ALTER DATABASE {name} SET search_path = app, extensions".encode())
        connection.execute(TRIGGERS.format(table="notion_characters_sync", role="CURRENT_USER").encode())
        # Written otherwise than most are, so that it is written anew.
        connection.execute("UPDATE notion_characters_sync SET notion_page_id = replace(notion_page_id, '-', '')")
        connection.execute(
            "INSERT INTO notion_characters_sync (notion_page_id, notion_database_id, user_id)"
            " SELECT gen_random_uuid()::text, notion_database_id, user_id"
            " FROM notion_characters_sync, generate_series(1, 3) WHERE notion_page_id IS NOT NULL"
        )
        connection.execute("DELETE FROM audit_log")
    assert Command({"DATABASE_URL": database_url})("init", "--yes").code == 0
    with psycopg.connect(database_url, autocommit=True) as connection:
        found = connection.execute("SELECT table_name, said FROM app.audit_log").fetchall()
    assert {*found} >= whole("notion_characters_sync", "UPDATE")
