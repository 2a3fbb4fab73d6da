"""The broken states: what breaks each, what doctor calls its cause, and what a person does where nothing can be typed."""

from __future__ import annotations

import base64
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable

from notion_workspace import Request
from psycopg.conninfo import make_conninfo

from tests.commands.sick import Sick, State
from tests.commands.test_doctor_older_setup import JOB, OLDER_FUNCTIONS, PG_CRON
from tests.pgbouncer import PgBouncer
from tests.waiting import wait_until

Change = Callable[[Sick], object]


def environment(**variables: str | None) -> Change:
    """Changes the command's environment; `None` takes a variable away."""

    def change(sick: Sick) -> None:
        sick.left.update(sick.environment)
        for name, value in variables.items():
            sick.environment.pop(name, None)
            if value is not None:
                sick.environment[name] = value

    return change


def with_parameter(**parameters: str) -> Change:
    def change(sick: Sick) -> None:
        url = sick.environment["DATABASE_URL"]
        environment(DATABASE_URL=make_conninfo(url, **parameters))(sick)

    return change


def environment_of_before(sick: Sick) -> None:
    sick.environment.clear()
    sick.environment.update(sick.left)


def token(written: str, user: str = "anna") -> Change:
    """Stores a token: `{}` is the one that was there."""

    def change(sick: Sick) -> None:
        new = written.format(sick.small.tokens[user])
        sick.execute("UPDATE user_settings SET notion_token = %s WHERE user_id = %s", new, user)

    return change


def good_tokens(sick: Sick) -> None:
    for user in ("anna", "ben"):
        token("{}", user)(sick)


def databases(shape: Callable[[dict[str, str]], object], user: str = "anna") -> Change:
    """Stores `notion_databases` in another shape."""

    def change(sick: Sick) -> None:
        ((wanted,),) = sick.execute("SELECT notion_databases FROM user_settings WHERE user_id = %s", user)
        sick.left["databases"] = wanted
        new = json.dumps(shape(wanted))
        sick.execute("UPDATE user_settings SET notion_databases = %s WHERE user_id = %s", new, user)

    return change


def databases_of_before(sick: Sick) -> None:
    new = json.dumps(sick.left["databases"])
    sick.execute("UPDATE user_settings SET notion_databases = %s WHERE user_id = 'anna'", new)


def forgets_to_commit(statement: str, seconds: int = 0) -> Change:
    def change(sick: Sick) -> None:
        sick.forget_to_commit(statement)
        wait_until(lambda: sick.execute(IDLE_FOR, seconds) == [(1,)], seconds=seconds + 20)

    return change


def locks_a_catalog(sick: Sick) -> None:
    """Nobody can connect then, so that this is not waited for."""
    with_parameter(connect_timeout="3")(sick)
    sick.forget_to_commit("LOCK TABLE pg_catalog.pg_class")


def pooler_without_server(sick: Sick) -> None:
    nothing = make_conninfo(sick.url, host="127.0.0.1", port="1")
    environment(DATABASE_URL=sick.stack.enter_context(PgBouncer(nothing)).url)(sick)


def thirty(user_token: str) -> Change:
    """Thirty users more, with tokens by their number."""

    def change(sick: Sick) -> None:
        notes = json.dumps({"Notes": sick.small.databases["Notes"]})
        for number in range(30):
            statement = "INSERT INTO user_settings (user_id, notion_token, notion_databases) VALUES (%s, %s, %s)"
            sick.execute(statement, f"user {number:02}", user_token.format(number), notes)

    return change


IDLE_FOR = """
    SELECT count(*) FROM pg_stat_activity
    WHERE application_name = 'forgotten' AND state_change < clock_timestamp() - make_interval(secs => %s)
"""


def notion(*changes: str) -> Change:
    """Changes the workspace: a method and its arguments, by words."""

    def change(sick: Sick) -> None:
        for one in changes:
            method, *arguments = one.split(" ")
            getattr(sick.small.workspace, method)(*arguments)

    return change


def reads_no_content(allowed: bool) -> Change:
    return lambda sick: sick.small.workspace.set_capabilities("anna", read_content=allowed)


def fault(kind: str) -> Change:
    return lambda sick: sick.small.workspace.faults.add(kind)


def a_new_token(sick: Sick) -> None:
    new = sick.small.workspace.add_token("anna anew").secret
    for name in ("Worlds", "Characters", "Three"):
        sick.small.workspace.share("anna anew", sick.small.databases[name])
    sick.execute("UPDATE user_settings SET notion_token = %s WHERE user_id = 'anna'", new)


def no_faults(sick: Sick) -> None:
    sick.small.workspace.faults.clear()


def most_rows_gone(sick: Sick) -> None:
    pages = sick.small.workspace.page_ids(data_source="Tasks")
    for page in pages[: len(pages) * 3 // 4]:
        sick.small.workspace.delete_page(page)


def removal_is_allowed(sick: Sick) -> None:
    """Somebody has looked in Notion, and types what the line names."""
    (line,) = [one["message"] for one in sick.findings() if one["check"] == "failing databases"]
    sick.type(line[line.index("notion-pg-sync sync") :], "shell")


def a_run_is_killed(sick: Sick) -> None:
    asked = threading.Event()

    def notice(request: Request) -> None:
        if request.path.endswith("/query"):
            asked.set()

    sick.small.workspace.on_request(notice)
    sick.small.workspace.faults.add("slow", path="/query$", seconds=60)
    process = subprocess.Popen(
        [sys.executable, "-m", "notion_pg_sync", "sync-all"], env={"PATH": "/usr/bin:/bin", **sick.environment}
    )
    assert asked.wait(60)
    process.send_signal(signal.SIGKILL)
    process.wait()
    sick.small.workspace.faults.clear()


def a_run_elsewhere_is_killed(sick: Sick) -> None:
    a_run_is_killed(sick)
    sick.execute(
        "UPDATE notion_sync.run_processes SET machine = 'elsewhere since 1', heartbeat_at = now() - '1h'::interval"
    )
    sick.execute("UPDATE notion_sync.accounts SET lease_expires_at = now() - interval '1 hour'")


def suspended(sick: Sick) -> None:
    sick.small.workspace.unshare("anna", "Worlds")
    for _ in range(3):
        sick.command("sync-all")
    sick.small.workspace.share("anna", "Worlds")


def failed_and_was_mended(sick: Sick) -> None:
    sick.small.workspace.trash_database("Worlds")
    sick.command("sync-all")
    sick.small.workspace.restore_database("Worlds")


def pg_cron(job: str, before: str = "") -> Change:
    def change(sick: Sick) -> None:
        sick.execute(PG_CRON + before)
        sick.execute(
            "INSERT INTO cron.job (schedule, command, nodeport, jobname) VALUES ('0 3 * * 0', %s, 5432, 'clean-up')",
            job,
        )

    return change


ENCRYPTED = base64.b64encode(bytes(range(60))).decode()
NEW_TOKEN = "a new Notion token"
ROLE = '"{role}"'

REACHING = [
    State(
        "DATABASE_URL not set",
        "reachable",
        "DATABASE_URL is not set",
        environment(DATABASE_URL=None),
        environment_of_before,
    ),
    State(
        "nothing listens at the port",
        "reachable",
        "nothing takes connections",
        with_parameter(host="127.0.0.1", port="1"),
        environment_of_before,
        is_sampled=True,
    ),
    State(
        "a host that nobody knows",
        "reachable",
        "is not known",
        with_parameter(host="nowhere.invalid"),
        environment_of_before,
    ),
    State(
        "a socket that is not there",
        "reachable",
        "there is no PostgreSQL on the socket",
        with_parameter(host="/nowhere"),
        environment_of_before,
    ),
    State(
        "a pooler whose server is down",
        "reachable",
        "and then does not answer",
        pooler_without_server,
        environment_of_before,
    ),
    State(
        "a password with @ and / in the URL",
        "reachable",
        "cannot be read",
        environment(DATABASE_URL="postgresql://u:p@ss/w@h/d"),
        environment_of_before,
    ),
    State(
        "another library's driver in the URL",
        "reachable",
        "cannot be read",
        environment(DATABASE_URL="postgresql+asyncpg://u@h/d"),
        environment_of_before,
    ),
    State(
        "a service that nobody defined",
        "reachable",
        "the service that the connection names",
        environment(DATABASE_URL="service=nowhere"),
        environment_of_before,
    ),
    State("a role that may not log in", "reachable", "may not log in", f"ALTER ROLE {ROLE} NOLOGIN", as_role=True),
    State(
        "a role's CONNECTION LIMIT",
        "reachable",
        "CONNECTION LIMIT of the role",
        f"ALTER ROLE {ROLE} CONNECTION LIMIT 0",
        as_role=True,
    ),
    State(
        "a database's CONNECTION LIMIT",
        "reachable",
        "its CONNECTION LIMIT",
        'ALTER DATABASE "{database}" CONNECTION LIMIT 0',
        as_role=True,
    ),
    State(
        "no right to connect",
        "reachable",
        "does not let user",
        'REVOKE CONNECT ON DATABASE "{database}" FROM PUBLIC',
        as_role=True,
    ),
    State(
        "a database that is read-only",
        "settings",
        "lets this session only read",
        'ALTER DATABASE "{database}" SET default_transaction_read_only = on',
        is_sampled=True,
    ),
    State(
        "a database that is read-only, after a run",
        "settings",
        "lets this session only read",
        'ALTER DATABASE "{database}" SET default_transaction_read_only = on',
        after_a_run=True,
        is_one_cause=True,
    ),
    State(
        "a role that is read-only",
        "settings",
        "lets this session only read",
        f"ALTER ROLE {ROLE} SET default_transaction_read_only = on",
        as_role=True,
    ),
    State(
        "a URL that asks to be read-only",
        "settings",
        "lets this session only read",
        with_parameter(options="-c default_transaction_read_only=on"),
        environment_of_before,
    ),
    State(
        "session_replication_role",
        "settings",
        "foreign keys are not enforced",
        'ALTER DATABASE "{database}" SET session_replication_role = replica',
    ),
    State(
        "a lock on a sync table",
        "visible rows",
        "application_name forgotten",
        forgets_to_commit("LOCK TABLE notion_pages_sync"),
        is_one_cause=True,
    ),
    State(
        "a lock on a catalog",
        "reachable",
        "and then does not answer",
        locks_a_catalog,
        lambda sick: sick.stack.close(),
    ),
    State(
        "a lock on the bookkeeping",
        "initialised",
        "application_name forgotten",
        forgets_to_commit("LOCK TABLE notion_sync.accounts"),
    ),
    State(
        "a lock on user_settings",
        "connected users",
        "application_name forgotten",
        forgets_to_commit("LOCK TABLE user_settings"),
    ),
    State(
        "accounts FOR UPDATE, never committed",
        "locks",
        "application_name forgotten",
        forgets_to_commit("SELECT FROM notion_sync.accounts FOR UPDATE", 10),
    ),
    State(
        "rows changed, never committed",
        "locks",
        "application_name forgotten",
        forgets_to_commit("UPDATE notion_pages_sync SET title = 'x'", 10),
    ),
    State(
        "user_settings renamed",
        "initialised",
        "is not there any more",
        "ALTER TABLE user_settings RENAME TO settings_of_users",
        "ALTER TABLE settings_of_users RENAME TO user_settings",
    ),
    State(
        "user_settings off the path",
        "initialised",
        "is not on its search_path",
        "CREATE SCHEMA app; ALTER TABLE user_settings SET SCHEMA app; GRANT USAGE ON SCHEMA app TO {role}; ALTER TABLE notion_pages_sync SET SCHEMA app; ALTER TABLE notion_worlds_sync SET SCHEMA app; ALTER TABLE notion_characters_sync SET SCHEMA app; ALTER TABLE notion_stories_sync SET SCHEMA app; ALTER TABLE notion_chat_sessions_sync SET SCHEMA app",
        as_role=True,
    ),
]

RIGHTS = [
    State(
        "no right on user_settings",
        "rights",
        "may not: read",
        f"ALTER TABLE user_settings OWNER TO postgres; REVOKE ALL ON user_settings FROM {ROLE}; DROP POLICY IF EXISTS x ON user_settings",
        as_role=True,
    ),
    State(
        "no right to write a sync table",
        "rights",
        "INSERT",
        f"ALTER TABLE notion_pages_sync OWNER TO postgres; GRANT SELECT ON notion_pages_sync TO {ROLE}; ALTER TABLE notion_pages_sync DISABLE ROW LEVEL SECURITY",
        as_role=True,
    ),
    State(
        "no right on the schema of views",
        "rights",
        "typed views",
        f"ALTER SCHEMA notion OWNER TO postgres; REVOKE ALL ON SCHEMA notion FROM {ROLE}",
        as_role=True,
    ),
    State(
        "users hidden by a policy",
        "visible rows",
        "may hide users",
        "ALTER TABLE user_settings ENABLE ROW LEVEL SECURITY; ALTER TABLE user_settings FORCE ROW LEVEL SECURITY",
        as_role=True,
    ),
    State(
        "rows hidden by a policy that restricts",
        "visible rows",
        "may hide rows",
        "ALTER TABLE notion_pages_sync FORCE ROW LEVEL SECURITY; CREATE POLICY narrow ON notion_pages_sync AS RESTRICTIVE USING (false)",
        as_role=True,
    ),
    State(
        "a view of its owner's rights",
        "open to everybody",
        "no security_invoker",
        "ALTER VIEW notion.worlds RESET (security_invoker)",
    ),
    State(
        "tokens open to everybody",
        "open to everybody",
        "can read every user's token",
        "ALTER TABLE user_settings DISABLE ROW LEVEL SECURITY; GRANT SELECT ON user_settings TO PUBLIC",
    ),
    State(
        "a policy that lets everybody read tokens",
        "open to everybody",
        "can read every user's token",
        "GRANT SELECT ON user_settings TO PUBLIC; ALTER TABLE user_settings ENABLE ROW LEVEL SECURITY; CREATE POLICY open ON user_settings USING (true)",
    ),
    State(
        "row level security switched off",
        "row level security",
        "is off on",
        "ALTER TABLE notion_worlds_sync DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE notion_worlds_sync ENABLE ROW LEVEL SECURITY",
    ),
    State(
        "a policy that raises in pooled sessions",
        "row level security",
        "raises an error",
        "CREATE POLICY fragile ON notion_pages_sync USING (user_id = current_setting('app.user_id', true)::uuid::text)",
    ),
    State(
        "everybody may create in the schema",
        "creating in schemas",
        "may create in the schema",
        "GRANT CREATE ON SCHEMA public TO PUBLIC",
    ),
    State(
        "everybody may make triggers", "triggers", "may create triggers", "GRANT TRIGGER ON notion_pages_sync TO PUBLIC"
    ),
]

TABLES = [
    State(
        "a unique key dropped",
        "unique keys",
        "add the unique key",
        "ALTER TABLE notion_worlds_sync DROP CONSTRAINT notion_worlds_sync_page_key",
        is_sampled=True,
    ),
    State(
        "a column dropped",
        "unique keys",
        "add the columns content_hash",
        "ALTER TABLE notion_worlds_sync DROP COLUMN content_hash",
    ),
    State(
        "a trigger dropped",
        "unique keys",
        "writes every page id",
        "DROP TRIGGER notion_sync_page_id ON notion_worlds_sync",
    ),
    State(
        "a trigger switched off",
        "unique keys",
        "writes every page id",
        "ALTER TABLE notion_worlds_sync DISABLE TRIGGER notion_sync_page_id",
    ),
    State(
        "a key too narrow for two users",
        "unique keys",
        "drop the unique key narrow",
        "CREATE UNIQUE INDEX narrow ON notion_characters_sync (notion_page_id)",
    ),
    State("a preset's table dropped", "tables there", "is no longer there", "DROP TABLE notion_worlds_sync CASCADE"),
    State("the general table dropped", "unique keys", "create the table", "DROP TABLE notion_pages_sync CASCADE"),
    State(
        "rows deleted",
        "row counts",
        "something else removed rows",
        "DELETE FROM notion_pages_sync WHERE database_name = 'Tasks'",
    ),
    State(
        "a table truncated",
        "row counts",
        "anna/Three has 0 instead of 3, ben/Tasks has 0 instead of 90",
        "TRUNCATE notion_pages_sync",
        is_one_cause=True,
    ),
    State(
        "a preset's table renamed, after a run",
        "tables there",
        "looks like it",
        "ALTER TABLE notion_worlds_sync RENAME TO worlds",
        after_a_run=True,
        is_one_cause=True,
    ),
    State(
        "the general table renamed",
        "unique keys",
        "looks like it",
        "ALTER TABLE notion_pages_sync RENAME TO pages",
        is_one_cause=True,
    ),
    State(
        "a trigger that swallows rows",
        "failing databases",
        "12 rows are missing: the trigger swallow",
        "CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; CREATE TRIGGER swallow BEFORE INSERT OR UPDATE ON notion_worlds_sync FOR EACH ROW EXECUTE FUNCTION swallow(); DELETE FROM notion_worlds_sync",
        lambda sick: (sick.execute("DROP TRIGGER swallow ON notion_worlds_sync"), sick.command("sync-all")),
        after_a_run=True,
        is_one_cause=True,
    ),
    State(
        "rows added",
        "row counts",
        "something else added rows",
        "INSERT INTO notion_pages_sync (user_id, notion_page_id, notion_database_id, notion_data_source_id, database_name) SELECT user_id, gen_random_uuid(), notion_database_id, notion_data_source_id, database_name FROM notion_pages_sync LIMIT 1",
    ),
    State(
        "a foreign key that cascades",
        "foreign keys",
        "are deleted too",
        "CREATE TABLE favourites (world uuid REFERENCES notion_worlds_sync ON DELETE CASCADE); ALTER TABLE favourites ENABLE ROW LEVEL SECURITY",
    ),
    State(
        "a foreign key that cannot be null",
        "foreign keys",
        "cannot be",
        "CREATE TABLE favourites (world uuid NOT NULL REFERENCES notion_worlds_sync ON DELETE SET NULL)",
    ),
    State("a typed view dropped", "typed views", "worlds", "DROP VIEW notion.worlds"),
    State(
        "the bookkeeping dropped",
        "initialised",
        "missing: everything; lost with it: who wants typed views",
        "DROP SCHEMA notion_sync CASCADE",
        is_one_cause=True,
    ),
    State(
        "the bookkeeping and the views dropped",
        "initialised",
        "missing: everything; lost with it: who wants typed views",
        "DROP SCHEMA notion_sync, notion CASCADE",
    ),
    State(
        "a table of the bookkeeping dropped",
        "initialised",
        "table data_sources",
        "DROP TABLE notion_sync.data_sources CASCADE",
    ),
    State("the record of migrations dropped", "initialised", "table migrations", "DROP TABLE notion_sync.migrations"),
]

ACCOUNTS = [
    State(
        "nobody is there",
        "connected users",
        "has no rows",
        "CREATE TABLE kept AS TABLE user_settings; DELETE FROM user_settings",
        "INSERT INTO user_settings SELECT * FROM kept",
    ),
    State("one user's token is empty", "connected users", "there is no Notion token, for anna", token(""), good_tokens),
    State(
        "nobody has a token",
        "connected users",
        "no user in user_settings has a Notion token",
        "UPDATE user_settings SET notion_token = NULL",
        good_tokens,
    ),
    State("a newline behind a token", "tokens", "whitespace", token("{}\n"), is_sampled=True),
    State("a no-break space behind a token", "tokens", "whitespace", token("{}\u00a0")),
    State("a character without width before a token", "tokens", "invisible", token("\ufeff{}\u200b")),
    State(
        "a newline behind all tokens, after a run",
        "tokens",
        "whitespace",
        token("\t{}\r\n"),
        after_a_run=True,
        is_one_cause=True,
    ),
    State(
        "thirty tokens that are none",
        "tokens",
        "stand in 30 tokens in notion_token (user 00, user 01, user 02, user 03, user 04 and 25 more)",
        thirty("ntn_{} x"),
        "DELETE FROM user_settings WHERE user_id LIKE 'user %'",
        is_one_cause=True,
    ),
    State(
        "thirty tokens that are refused",
        "tokens accepted",
        "user 00, user 01, user 02, user 03, user 04 and 25 more",
        thirty("ntn_{}"),
        "DELETE FROM user_settings WHERE user_id LIKE 'user %'",
        is_one_cause=True,
    ),
    State(
        "a blank within a token",
        "tokens",
        "not allowed in a token",
        token("ntn_a b"),
        good_tokens,
    ),
    State(
        "a token that is encrypted, and no key",
        "tokens",
        "there is no key",
        token(ENCRYPTED),
        good_tokens,
        after_a_run=True,
    ),
    State(
        "notion_databases as text within JSON",
        "notion_databases",
        "not a JSON object",
        databases(json.dumps),
        is_sampled=True,
    ),
    State(
        "notion_databases as a list of objects",
        "notion_databases",
        "not a JSON object",
        databases(lambda wanted: [{"name": name, "id": one} for name, one in wanted.items()]),
    ),
    State(
        "notion_databases as a list of pairs",
        "notion_databases",
        "not a JSON object",
        databases(lambda wanted: [[name, one] for name, one in wanted.items()]),
    ),
    State(
        "notion_databases as a list of ids",
        "notion_databases",
        "not a JSON object",
        databases(lambda wanted: [*wanted.values()]),
        databases_of_before,
    ),
    State("notion_databases emptied", "notion_databases", "is empty", databases(lambda _: {}), databases_of_before),
    State(
        "an id that is none",
        "notion_databases",
        "'Worlds'",
        databases(lambda wanted: {**wanted, "Worlds": "worlds"}),
        databases_of_before,
    ),
    State(
        "notion_databases renamed",
        "settings columns",
        "has no column notion_databases",
        "ALTER TABLE user_settings RENAME notion_databases TO wanted",
    ),
    State(
        "notion_databases renamed by an application that needs the new name",
        "settings columns",
        "the column wanted holds them",
        "ALTER TABLE user_settings RENAME notion_databases TO wanted; CREATE FUNCTION choose() RETURNS void LANGUAGE plpgsql"
        " AS 'BEGIN UPDATE user_settings SET wanted = NULL; END'",
        "ALTER TABLE user_settings RENAME wanted TO notion_databases; DROP FUNCTION choose()",
    ),
    State(
        "notion_databases of text",
        "settings columns",
        "is text, not jsonb",
        "ALTER TABLE user_settings ALTER notion_databases DROP DEFAULT, ALTER notion_databases TYPE text USING notion_databases::text",
    ),
    State(
        "auto_sync_enabled of text",
        "settings columns",
        "is text, not boolean",
        "ALTER TABLE user_settings ADD COLUMN IF NOT EXISTS auto_sync_enabled text; ALTER TABLE user_settings ALTER auto_sync_enabled DROP DEFAULT, ALTER auto_sync_enabled TYPE text USING 'true'; UPDATE user_settings SET auto_sync_enabled = 'true'",
    ),
    State(
        "auto_sync_enabled off for everybody",
        "connected users",
        "syncs nobody",
        "ALTER TABLE user_settings ADD COLUMN IF NOT EXISTS auto_sync_enabled boolean; UPDATE user_settings SET auto_sync_enabled = false",
        "UPDATE user_settings SET auto_sync_enabled = true",
    ),
    State(
        "a database under two names",
        "notion_databases",
        "are one database",
        databases(lambda wanted: {**wanted, "Zorlds": wanted["Worlds"]}),
    ),
]

NOTION = [
    State(
        "Notion cannot be reached",
        "Notion answers",
        "nothing takes connections",
        environment(NOTION_BASE_URL="http://127.0.0.1:9"),
        environment_of_before,
        after_a_run=True,
    ),
    State(
        "a token revoked",
        "tokens accepted",
        "does not accept the token",
        notion("revoke_token anna"),
        a_new_token,
        after_a_run=True,
    ),
    State(
        "every token wrong",
        "tokens accepted",
        "does not accept the token",
        "UPDATE user_settings SET notion_token = 'ntn_bad'",
        good_tokens,
        after_a_run=True,
    ),
    State(
        "a database no longer shared",
        "databases shared",
        "access was removed",
        notion("unshare anna Worlds"),
        notion("share anna Worlds"),
        after_a_run=True,
    ),
    State(
        "a database in the trash",
        "databases shared",
        "in Notion's trash",
        notion("trash_database Worlds"),
        notion("restore_database Worlds"),
        after_a_run=True,
    ),
    State(
        "a page's id for a database's",
        "databases shared",
        "is a page, not a database",
        lambda sick: databases(lambda wanted: {**wanted, "Worlds": sick.small.workspace.page_ids("Worlds")[0]})(sick),
        databases_of_before,
        after_a_run=True,
    ),
    State(
        "a connection that may read no content",
        "databases shared",
        "may not read this",
        reads_no_content(False),
        reads_no_content(True),
        after_a_run=True,
    ),
    State("Notion in trouble", "Notion answers", "Notion answered 503", fault("503"), no_faults, after_a_run=True),
    State("the network's own 403", "Notion answers", "a network rule", fault("403_html"), no_faults, after_a_run=True),
]

RUNS = [
    State("a run that was killed", "unended runs", "went away", a_run_is_killed),
    State("a run of another machine that died", "unended runs", "went away", a_run_elsewhere_is_killed),
    State(
        "a copy too old",
        "stale databases",
        "stale",
        "UPDATE notion_sync.data_sources SET fresh_as_of = fresh_as_of - interval '3 hours'",
    ),
    State(
        "sync-all paused",
        "paused",
        "sync-all: paused",
        "UPDATE notion_sync.job SET active = false WHERE jobname = 'sync-notion-databases'",
        is_one_cause=True,
    ),
    State(
        "sync-all paused until copies are too old",
        "paused",
        "sync-all: paused",
        "UPDATE notion_sync.job SET active = false WHERE jobname = 'sync-notion-databases';"
        " UPDATE notion_sync.data_sources SET fresh_as_of = fresh_as_of - interval '3 hours'",
        is_one_cause=True,
    ),
    State(
        "a user whom no run has reached",
        "never synced",
        "no run has reached it yet",
        lambda sick: sick.execute(
            "INSERT INTO user_settings (user_id, notion_token, notion_databases) VALUES ('cora', %s, %s)",
            sick.small.tokens["cora"],
            json.dumps({"Notes": sick.small.databases["Notes"]}),
        ),
    ),
    State(
        "a removal that was held back",
        "failing databases",
        "--allow-removal",
        most_rows_gone,
        removal_is_allowed,
        after_a_run=True,
    ),
    State("a database that was suspended and is shared again", "suspended databases", "suspended", suspended),
    State("a failure that was mended since", "failing databases", "failing", failed_and_was_mended),
]

OLDER = [
    State(
        "pg_cron syncs too",
        "pg_cron",
        "two schedulers",
        lambda sick: (sick.execute(PG_CRON), sick.execute(JOB, None, True, "sync-notion-databases")),
    ),
    State(
        "pg_cron's clean-up deletes rows",
        "pg_cron",
        "writes to notion_pages_sync",
        pg_cron("DELETE FROM notion_pages_sync WHERE updated_at < now() - interval '90 days'"),
        is_sampled=True,
    ),
    State(
        "pg_cron's clean-up deletes rows by a function",
        "pg_cron",
        "writes to notion_pages_sync",
        pg_cron(
            "SELECT tidy()",
            "CREATE FUNCTION tidy() RETURNS void LANGUAGE plpgsql AS 'BEGIN DELETE FROM notion_pages_sync; END'",
        ),
    ),
    State(
        "pg_cron's clean-up has run",
        "pg_cron",
        "writes to notion_pages_sync",
        lambda sick: (
            pg_cron("DELETE FROM notion_pages_sync WHERE database_name = 'Tasks'")(sick),
            sick.execute("DELETE FROM notion_pages_sync WHERE database_name = 'Tasks'"),
        ),
    ),
    State(
        "app.api_url is still set",
        "app.api_url",
        "the older set-up called that address",
        "ALTER DATABASE \"{database}\" SET app.api_url = 'https://app.example'",
    ),
    State("the older set-up's functions", "sync functions", "an older set-up", OLDER_FUNCTIONS),
]

STATES = [*REACHING, *RIGHTS, *TABLES, *ACCOUNTS, *NOTION, *RUNS, *OLDER]
