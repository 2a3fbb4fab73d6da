"""`connect`, by a person at a terminal and by a script."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from notion_workspace import literals

from notion_pg_sync.sync.run.token_encryption import open_token
from tests.cli.conftest import BARE, Command, Ended, Site
from tests.cli.terminal import Terminal

pytestmark = pytest.mark.slow

PASSPHRASE = "a passphrase of more than thirty-two bytes"


@pytest.fixture
def token_file(site: Site) -> Iterator[Path]:
    with tempfile.NamedTemporaryFile("w", prefix="token.") as file:
        file.write(site.small.tokens["anna"] + "\n")
        file.flush()
        yield Path(file.name)


def settings_of(site: Site, user_id: str) -> tuple[object, ...]:
    """Token, databases, auto sync, views."""
    ((token, databases, auto_sync),) = site.execute(
        "SELECT notion_token, notion_databases, auto_sync_enabled FROM user_settings WHERE user_id = %s", user_id
    )
    ((views,),) = site.execute("SELECT views FROM notion_sync.accounts WHERE user_id = %s", user_id)
    return token, databases, auto_sync, views


def test_a_person_is_led_from_the_token_to_the_first_rows(site: Site) -> None:
    token = site.small.tokens["anna"]
    terminal = Terminal("connect", **site.command.environment)
    terminal.waits_with("User, as in user_settings [me]: ")
    terminal.types("")
    terminal.waits_with("Notion token (it is not shown): ")
    terminal.types(token)
    terminal.waits_with("The token of 'anna integration' in the workspace 'Sample workspace' works.")
    terminal.waits_with("1  Characters")
    terminal.waits_with("Which databases to mirror?")
    terminal.types("1 99")
    terminal.waits_with("there is no 99 in the list")
    terminal.waits_with("[all]: ")
    terminal.types("nonsense")
    terminal.waits_with("the token sees no database 'nonsense'")
    terminal.waits_with("[all]: ")
    terminal.types("1, 6-7")
    terminal.waits_with("Connected: user 'me' mirrors Characters, Three, Worlds.")
    terminal.waits_with("Sync now? [Y/n]: ")
    terminal.types("y")
    terminal.waits_with("3 of 3 databases of 1 user synced")
    assert terminal.ends() == 0
    assert token not in terminal.shown
    databases = {name: site.small.databases[name] for name in ("Characters", "Three", "Worlds")}
    assert settings_of(site, "me") == (token, databases, True, True)
    assert site.execute("SELECT count(*) FROM notion.characters WHERE user_id = 'me'") == [(40,)]
    assert token not in str(site.execute("SELECT command, return_message FROM notion_sync.job_run_details"))


def test_enter_takes_everything_and_the_sync_may_wait(site: Site) -> None:
    terminal = Terminal("connect", "me", "--no-views", **site.command.environment)
    terminal.waits_with("Notion token")
    terminal.types(site.small.tokens["cora"])
    terminal.waits_with("The token of 'Cora' works.")
    terminal.waits_with("[all]: ")
    terminal.types("")
    terminal.waits_with("Connected: user 'me' mirrors every database that is shared with it.")
    terminal.waits_with("Sync now?")
    terminal.types("n")
    assert terminal.ends() == 0
    assert settings_of(site, "me") == (site.small.tokens["cora"], {"*": "*"}, True, False)
    assert site.execute("SELECT count(*) FROM notion_sync.job_run_details") == [(0,)]


def test_another_token_for_a_connected_user_is_asked_for_and_their_databases_may_stay(site: Site) -> None:
    databases = {"Mine": site.small.databases["Worlds"]}
    site.connect("me", "ntn_old", json.dumps(databases))
    site.execute("UPDATE user_settings SET notion_access_token = 'oauth', auto_sync_enabled = false")
    terminal = Terminal("connect", "me", "--no-sync", **site.command.environment)
    terminal.waits_with("Notion token")
    terminal.types(site.small.tokens["anna"])
    terminal.waits_with("Replace their token (including the OAuth token)? [y/N]: ")
    terminal.types("y")
    terminal.waits_with("Enter to keep the current ones: ")
    terminal.types("")
    terminal.waits_with("mirrors Mine.")
    terminal.waits_with("auto_sync_enabled is false for this user")
    assert terminal.ends() == 0
    assert settings_of(site, "me") == (site.small.tokens["anna"], databases, False, True)
    assert site.execute("SELECT notion_access_token FROM user_settings") == [(None,)]


@pytest.mark.parametrize("name", ["Characters", 'Größe\'s "50 %"', "order"])
def test_it_ends_with_what_to_type_to_see_the_rows(site: Site, name: str) -> None:
    site.connect("me", site.small.tokens["anna"], json.dumps({name: site.small.databases["Worlds"]}))
    ended = site.command("connect", "me", "--keep-token", "--sync")
    assert (ended.code, ended.err) == (0, "")
    *_, last = ended.out.splitlines()
    typed = last.removeprefix("Look at them: notion-pg-sync ")
    assert typed != last
    shown = subprocess.run(
        ["/bin/sh", "-c", f"{sys.executable} -m notion_pg_sync {typed}"],
        env={**BARE, **site.command.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "World 1" in shown.stdout


def test_without_a_view_there_is_nothing_to_look_at(site: Site) -> None:
    words = ("connect", "me", "--no-views", "--database", "Worlds", "--sync")
    ended = site.command(*words, given=site.small.tokens["anna"])
    assert ended.code == 0
    assert "Look at them" not in ended.out


SIZES = pytest.mark.parametrize(("columns", "lines"), [("80", "24"), ("100", "35")])


@SIZES
def test_where_a_token_comes_from_is_said_before_it_is_asked_for_and_a_wrong_one_is_asked_for_again(
    site: Site, columns: str, lines: str
) -> None:
    size = {"COLUMNS": columns, "LINES": lines}
    terminal = Terminal("connect", "me", "--all", "--no-sync", **site.command.environment, **size)
    terminal.waits_with("https://www.notion.so/profile/integrations")
    terminal.waits_with("Notion token (it is not shown): ")
    for wrong, said in (
        ("", "there is no token"),
        ("two words", "what was given is not a token"),
        ("ntn_wrong", "Notion does not accept this token"),
    ):
        terminal.types(wrong)
        terminal.waits_with(said)
        terminal.waits_with("Notion token (it is not shown): ")
    terminal.types(site.small.tokens["anna"])
    terminal.waits_with("Connected: user 'me'")
    assert terminal.ends() == 0
    assert "run connect again" not in terminal.shown
    assert terminal.widest <= int(columns)


@SIZES
def test_the_question_for_databases_has_no_broken_word(site: Site, columns: str, lines: str) -> None:
    size = {"COLUMNS": columns, "LINES": lines}
    terminal = Terminal("connect", "me", "--no-sync", **site.command.environment, **size)
    terminal.waits_with("Notion token")
    terminal.types(site.small.tokens["cora"])
    terminal.waits_with("[all]: ")
    terminal.types("")
    assert terminal.ends() == 0
    assert terminal.widest <= int(columns)


def test_the_picks_are_changed_without_the_token(site: Site) -> None:
    """By Enter at the question, and in a script by an option; a token of OAuth's stays too."""
    token, worlds = site.small.tokens["anna"], site.small.databases["Worlds"]
    site.connect("me", "ntn_other", json.dumps({"Worlds": worlds}))
    site.execute("UPDATE user_settings SET notion_access_token = %s", token)
    terminal = Terminal("connect", "me", "--no-sync", **site.command.environment)
    terminal.waits_with("Notion token (it is not shown; Enter keeps the stored one): ")
    terminal.types("")
    terminal.waits_with("The token of 'anna integration'")
    terminal.waits_with("Enter to keep the current ones: ")
    terminal.types("Three")
    terminal.waits_with("Connected: user 'me' mirrors Three.")
    assert terminal.ends() == 0
    assert "Replace" not in terminal.shown
    tokens = "SELECT notion_token, notion_access_token FROM user_settings"
    assert site.execute(tokens) == [("ntn_other", token)]
    ended = site.command("connect", "me", "--keep-token", "--database", "Worlds", "--database", "Three")
    assert (ended.code, ended.err) == (0, "")
    assert site.execute(tokens) == [("ntn_other", token)]
    assert settings_of(site, "me")[1] == {"Worlds": worlds, "Three": site.small.databases["Three"]}


def test_an_encrypted_token_is_kept_as_it_is_stored(site: Site, token_file: Path) -> None:
    connect = ["connect", "me", "--token-file", str(token_file), "--database", "Worlds"]
    assert site.command(*connect, NOTION_TOKEN_KEY=PASSPHRASE).code == 0
    (stored, *_) = settings_of(site, "me")
    keep = ["connect", "me", "--keep-token", "--database", "Three"]
    without_key = site.command(*keep)
    assert (without_key.code, "NOTION_TOKEN_KEY is not set" in without_key.sentence) == (2, True)
    assert site.command(*keep, NOTION_TOKEN_KEY=PASSPHRASE).code == 0
    assert settings_of(site, "me")[:2] == (stored, {"Three": site.small.databases["Three"]})


def test_there_has_to_be_a_token_to_keep(site: Site, token_file: Path) -> None:
    assert "connect the user first" in site.command("connect", "me", "--keep-token", "--all").sentence
    ended = site.command("connect", "me", "--keep-token", "--token-file", str(token_file))
    assert (ended.code, "use one of them" in ended.sentence) == (2, True)


@SIZES
def test_databases_of_one_name_are_told_apart_by_what_a_person_knows(site: Site, columns: str, lines: str) -> None:
    workspace = site.small.workspace
    home = workspace.page_ids("Worlds")[0]
    title = site.small.workspace.truth("Worlds")[home]["properties"]["Name"]
    tasks = [workspace.add_database("Tasks", {"Name": literals.title()}).id for _ in range(2)]
    workspace.state.databases[tasks[0]].parent = {"type": "page_id", "page_id": home}
    for one in tasks:
        workspace.share("anna", one)
    size = {"COLUMNS": columns, "LINES": lines}
    terminal = Terminal("connect", "me", "--no-sync", **site.command.environment, **size)
    terminal.waits_with("Notion token")
    terminal.types(site.small.tokens["anna"])
    terminal.waits_with("Which databases to mirror?")
    shown = " ".join(terminal.shown.split())
    assert shown.count(f"in {title!r}, edited 2026-") == 1
    assert all(one.replace("-", "") in shown.replace(" ", "") for one in tasks)
    terminal.types("Tasks")
    terminal.waits_with("the token sees 2 databases 'Tasks'")
    terminal.waits_with("[all]: ")
    terminal.types(tasks[0])
    assert terminal.ends() == 0
    ended = site.command("connect", "you", "--database", "Tasks", given=site.small.tokens["anna"])
    assert ended.code == 2
    assert f"{tasks[0]} is in {title!r}, edited 2026-" in ended.sentence


def test_no_means_that_nothing_changes(site: Site) -> None:
    site.connect("me", "ntn_old", None)
    terminal = Terminal("connect", "me", **site.command.environment)
    terminal.waits_with("Notion token")
    terminal.types(site.small.tokens["anna"])
    terminal.waits_with("is already connected. Replace their token? [y/N]: ")
    terminal.types("")
    terminal.waits_with("Nothing was changed.")
    assert terminal.ends() == 2
    assert site.execute("SELECT notion_token FROM user_settings") == [("ntn_old",)]


@pytest.mark.parametrize(("arguments", "question"), [((), "User"), (("me",), "Notion token")])
def test_ctrl_c_at_a_question_ends_it_in_a_sentence(site: Site, arguments: tuple[str, ...], question: str) -> None:
    terminal = Terminal("connect", *arguments, **site.command.environment)
    terminal.waits_with(question)
    terminal.interrupts()
    assert terminal.ends() == 130
    assert "cancelled; nothing was changed" in terminal.shown
    assert "Traceback" not in terminal.shown


def test_on_a_laptop_it_makes_the_embedded_postgresql_and_what_belongs_into_it(site: Site) -> None:
    folder = Path(tempfile.mkdtemp(prefix="notion-pg-sync-connect."))
    environment = {
        "NOTION_BASE_URL": site.command.environment["NOTION_BASE_URL"],
        "NOTION_PG_SYNC_DATA_DIR": str(folder),
    }
    try:
        terminal = Terminal("connect", "me", "--all", "--sync", **environment)
        terminal.waits_with("using the embedded PostgreSQL")
        terminal.waits_with("Notion token")
        terminal.types(site.small.tokens["cora"])
        terminal.waits_with("3 of 3 databases of 1 user synced")
        assert terminal.ends() == 0
    finally:
        shutil.rmtree(folder)


def test_a_script_gives_the_token_on_stdin(site: Site) -> None:
    token = site.small.tokens["anna"]
    ended = site.command("connect", "me", "--database", "Worlds", "--database", "three", given=token + "\n")
    assert ended == Ended(0, ended.out, "")
    assert ended.out.splitlines()[-1] == "Connected: user 'me' mirrors Worlds, Three."
    databases = {name: site.small.databases[name] for name in ("Worlds", "Three")}
    assert settings_of(site, "me") == (site.small.tokens["anna"], databases, True, True)


def test_a_script_gives_the_token_in_a_file_and_syncs_at_once(site: Site, token_file: Path) -> None:
    ended = site.command("connect", "me", "--token-file", str(token_file), "--database", "Worlds", "--sync")
    assert ended.code == 0, ended.err
    assert site.execute("SELECT count(*) FROM notion_worlds_sync WHERE user_id = 'me'") == [(12,)]


def test_the_token_is_stored_encrypted_where_a_key_is_set(site: Site, token_file: Path) -> None:
    file = str(token_file)
    ended = site.command("connect", "me", "--token-file", file, "--all", "--sync", NOTION_TOKEN_KEY=PASSPHRASE)
    assert ended.code == 0, ended.err
    (stored, *_) = settings_of(site, "me")
    assert site.small.tokens["anna"] not in str(stored)
    assert open_token(str(stored), PASSPHRASE.encode()[:32]) == site.small.tokens["anna"]


def test_databases_may_be_ids_and_links_and_such_as_search_leaves_out(site: Site, token_file: Path) -> None:
    worlds, characters = site.small.databases["Worlds"], site.small.databases["Characters"].replace("-", "")
    link = f"https://www.notion.so/team/Characters-{characters}?v=0123456789abcdef0123456789abcdef"
    chosen = ["--database", worlds, "--database", link]
    ended = site.command("connect", "me", "--token-file", str(token_file), *chosen)
    assert ended.code == 0
    assert "The link names a view, but all rows of the database are mirrored" in ended.out
    names = {name: site.small.databases[name] for name in ("Worlds", "Characters")}
    assert settings_of(site, "me")[1] == names


def test_a_database_keeps_its_name_when_its_user_connects_again(site: Site, token_file: Path) -> None:
    worlds, three = site.small.databases["Worlds"], site.small.databases["Three"]
    connect = ["connect", "me", "--token-file", str(token_file)]
    assert site.command(*connect, "--database", "Worlds").code == 0
    site.small.workspace.rename_database(worlds, "Planets")
    ended = site.command(*connect, "--yes", "--database", worlds, "--database", "Three")
    assert ended.out.splitlines()[-1] == "Connected: user 'me' mirrors Worlds, Three."
    assert settings_of(site, "me")[1] == {"Worlds": worlds, "Three": three}


def test_what_a_database_is_told_to_do_is_shown_and_stays(site: Site) -> None:
    worlds, characters = site.small.databases["Worlds"], site.small.databases["Characters"]
    entry = {"id": worlds.replace("-", ""), "exclude": ["Age", "Notes"], "views": False}
    site.connect("me", "ntn_old", json.dumps({"Lands": entry, "Heroes": {"id": characters, "bodies": True}}))
    terminal = Terminal("connect", "me", "--no-sync", **site.command.environment)
    terminal.waits_with("Notion token")
    terminal.types(site.small.tokens["anna"])
    terminal.waits_with("Replace their token? [y/N]: ")
    terminal.types("y")
    terminal.waits_with("Heroes (with bodies)")
    terminal.waits_with("Lands (without Age, Notes; without views)")
    terminal.waits_with("Enter to keep the current ones: ")
    terminal.types("Lands")
    terminal.waits_with("Connected: user 'me' mirrors Lands (without Age, Notes; without views).")
    assert terminal.ends() == 0
    assert settings_of(site, "me")[1] == {"Lands": entry}


def test_all_keeps_what_entries_say_beside_their_ids(site: Site, token_file: Path) -> None:
    worlds, three = site.small.databases["Worlds"], site.small.databases["Three"]
    unknown = {"id": three, "exclude": "Age"}
    site.connect("me", "ntn_old", json.dumps({"Lands": {"id": worlds, "exclude": ["Age"]}, "T": unknown, "C": worlds}))
    ended = site.command("connect", "me", "--token-file", str(token_file), "--all", "--yes")
    assert ended.code == 0
    assert ended.out.splitlines()[-2:] == [
        "Connected: user 'me' mirrors every database that is shared with it, and of these Lands (without Age).",
        "Not usable: database 'T' in notion_databases: \"exclude\" is not a list of properties: write it as "
        '["Salary"], each by its name or its id.',
    ]
    assert settings_of(site, "me")[1] == {"*": "*", "Lands": {"id": worlds, "exclude": ["Age"]}, "T": unknown}


def test_of_two_databases_of_one_title_the_id_is_asked_for(site: Site, token_file: Path) -> None:
    other = site.small.workspace.add_database("Worlds").id
    site.small.workspace.share("anna", other)
    connect = ["connect", "me", "--token-file", str(token_file)]
    ended = site.command(*connect, "--database", "Worlds")
    assert ended.code == 2
    assert "the token sees 2 databases 'Worlds': give the id of the one that is meant" in ended.err
    assert other in ended.err
    assert site.command(*connect, "--database", other, "--database", site.small.databases["Worlds"]).code == 0
    assert settings_of(site, "me")[1] == {"Worlds": other, "Worlds (2)": site.small.databases["Worlds"]}


def test_a_database_that_is_not_shared_is_told(site: Site, token_file: Path) -> None:
    private = site.small.databases["Private"]
    ended = site.command("connect", "me", "--token-file", str(token_file), "--database", private)
    assert ended.code == 3
    assert "••• > Connections" in ended.err
    ended = site.command("connect", "me", "--token-file", str(token_file), "--database", "Private")
    assert ended.code == 2
    assert "Characters" in ended.err
    assert site.execute("SELECT * FROM user_settings") == []


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--all"], "USER_ID"),
        (["me"], "--database"),
        (["me", "--all", "--database", "Worlds"], "use one of them"),
    ],
)
def test_without_a_terminal_what_is_missing_is_named(
    site: Site, token_file: Path, arguments: list[str], named: str
) -> None:
    ended = site.command("connect", *arguments, "--token-file", str(token_file))
    assert ended.code == 2
    assert named in ended.err


def test_a_missing_token_is_told(site: Site) -> None:
    ended = site.command("connect", "me", "--all")
    assert ended.code == 2
    assert "--token-file" in ended.sentence
    ended = site.command("connect", "me", "--all", "--token-file", "/nonexistent/token")
    assert ended.code == 2
    assert "No such file or directory" in ended.sentence
    ended = site.command("connect", "me", "--all", given="two words")
    assert ended.code == 2
    assert "two words" not in ended.sentence


def test_a_user_who_is_connected_is_replaced_only_on_request(site: Site, token_file: Path) -> None:
    databases = {"Mine": site.small.databases["Worlds"]}
    site.connect("me", "ntn_old", json.dumps(databases))
    site.execute("ALTER TABLE user_settings ADD theme text DEFAULT 'light'")
    site.execute("UPDATE user_settings SET theme = 'dark'")
    ended = site.command("connect", "me", "--token-file", str(token_file))
    assert ended.code == 2
    assert "--yes" in ended.err
    ended = site.command("connect", "me", "--token-file", str(token_file), "--yes")
    assert ended.code == 0
    assert settings_of(site, "me") == (site.small.tokens["anna"], databases, True, True)
    assert site.execute("SELECT theme FROM user_settings") == [("dark",)]


def test_a_wrong_token_is_told_and_not_stored(site: Site) -> None:
    ended = site.command("connect", "me", "--all", given="ntn_wrong")
    assert ended.code == 3
    assert "notion.so/profile/integrations" in ended.sentence
    assert "ntn_wrong" not in ended.sentence
    assert site.execute("SELECT * FROM user_settings") == []


def test_a_token_that_sees_nothing_is_told_what_to_do_in_notion(site: Site) -> None:
    token = site.small.workspace.add_token("New Connection")
    ended = site.command("connect", "me", "--all", given=token.secret)
    assert ended.code == 3
    assert ended.sentence.startswith(
        "the token works, but nothing is shared with 'New Connection integration': in Notion open"
    )


def test_doctor_reads_with_an_encrypted_token(site: Site, token_file: Path) -> None:
    arguments = ("connect", "me", "--token-file", str(token_file), "--database", "Worlds", "--sync")
    assert site.command(*arguments, NOTION_TOKEN_KEY=PASSPHRASE).code == 0
    checked = site.command("doctor", "--json", "--no-cron-check", NOTION_TOKEN_KEY=PASSPHRASE)
    assert "does not accept" not in checked.out + checked.err
    assert "Sample workspace" in checked.out


def test_what_the_applications_table_does_not_take_is_told(site: Site, token_file: Path) -> None:
    arguments = ("connect", "me", "--token-file", str(token_file), "--all")
    site.execute("ALTER TABLE user_settings ADD plan text NOT NULL")
    ended = site.command(*arguments)
    assert ended.code == 3
    assert "let the application write them" in ended.err
    assert site.small.tokens["anna"] not in ended.err
    site.execute("ALTER TABLE user_settings DROP plan, ALTER user_id TYPE uuid USING user_id::uuid")
    ended = site.command(*arguments)
    assert ended.code == 3
    assert 'invalid input syntax for type uuid: "me"' in ended.err
    site.execute("ALTER TABLE user_settings DROP notion_databases")
    assert "has no column notion_databases" in site.command(*arguments).err
    assert site.execute("SELECT * FROM notion_sync.accounts") == []


def test_an_applications_own_table_is_written_as_it_is(site: Site, token_file: Path) -> None:
    """With ids of its own type, and without what an older one lacks."""
    site.execute(
        "ALTER TABLE user_settings ALTER user_id TYPE uuid USING user_id::uuid, DROP notion_access_token,"
        " DROP auto_sync_enabled"
    )
    user = "0B7A2C31-5E1F-4B8A-9A55-1F0B6B6F3C11"
    ended = site.command("connect", user, "--token-file", str(token_file), "--database", "Worlds", "--sync")
    assert ended.code == 0, ended.err
    assert site.execute("SELECT DISTINCT user_id FROM notion_worlds_sync") == [(user.lower(),)]
    assert site.execute("SELECT user_id, views FROM notion_sync.accounts") == [(user.lower(), True)]


def test_not_initialised_is_told(database_url: str, token_file: Path) -> None:
    url = database_url.replace("dbname=test_", "dbname=template1&application_name=test_")
    ended = Command({"DATABASE_URL": url})("connect", "me", "--all", "--token-file", str(token_file))
    assert ended.code == 3
    assert "run 'notion-pg-sync init'" in ended.err
