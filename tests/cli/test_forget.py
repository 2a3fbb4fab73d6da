"""`forget`: no trace stays, nothing of others goes, and it refuses where that could not be."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from notion_workspace import SmallWorkspace, WorkspaceServer, small_workspace

from notion_pg_sync.notion.column_names import RESERVED_NAMES
from tests.cli.conftest import BARE, Command, Site
from tests.cli.terminal import Terminal
from tests.conftest import DatabaseMaker, initialise
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

# What stands for the user and all that is theirs, wherever it may have got to.
CANARY = "canary"
USER = "canary-user"


def traces(site: Site, words: str = CANARY) -> list[tuple[str, object]]:
    """Where `words` stand: in rows of any table but the application's, and in the catalog, as a dump would show it."""
    tables = site.execute(
        "SELECT nspname, relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace"
        " WHERE relkind IN ('r', 'p', 'm') AND nspname IN ('public', 'notion', 'notion_sync')"
        " AND relname <> 'user_settings'"
    )
    found = [
        (str(name), row)
        for schema, name in tables
        for (row,) in site.execute(f'SELECT whole::text FROM "{schema}"."{name}" AS whole')
        if words in str(row).lower()
    ]
    catalog = (
        "SELECT 'relation', relname::text FROM pg_class UNION SELECT 'column', attname::text FROM pg_attribute"
        " UNION SELECT 'comment', description FROM pg_description"
        " UNION SELECT 'view', pg_get_viewdef(oid) FROM pg_class WHERE relkind = 'v'"
    )
    return found + [(str(kind), name) for kind, name in site.execute(catalog) if words in str(name).lower()]


@pytest.fixture
def mirrored(database_maker: DatabaseMaker, small: SmallWorkspace) -> Iterator[Site]:
    """A user with views, removed pages, failures and commands that name them, beside another user."""
    write(small)
    trash(small)
    with database_maker.filled(mirror_both) as url, WorkspaceServer(small.workspace) as server:
        yield Site(Command({"DATABASE_URL": url, "NOTION_BASE_URL": server.url}), small, url)


def write(small: SmallWorkspace) -> None:
    """What the user's databases hold at first."""
    workspace = small.workspace
    workspace.rename_property("Characters", "Age", "Canary Age")
    pages = workspace.page_ids("Characters")
    workspace.edit_page(pages[1], {"Description": "a canary value"})
    workspace.edit_page(pages[0], {"Description": "a canary value of a page that goes"})


def trash(small: SmallWorkspace) -> None:
    """What happens after the first sync."""
    small.workspace.clock.advance(3600)
    small.workspace.trash_page(small.workspace.page_ids("Characters")[0])


def mirror_both(database_url: str) -> None:
    """Makes the database that `mirrored` tells of."""
    initialise(database_url)
    small = small_workspace()
    with WorkspaceServer(small.workspace) as server:
        mirror(Site(Command({"DATABASE_URL": database_url, "NOTION_BASE_URL": server.url}), small, database_url))


def mirror(site: Site) -> None:
    databases = site.small.databases
    write(site.small)
    wanted = {"Canary Cast": databases["Characters"], "Worlds": databases["Stories"], "Three": databases["Three"]}
    site.connect(USER, site.small.tokens["anna"], json.dumps(wanted))
    site.connect("ben", site.small.tokens["ben"], json.dumps({"Worlds": databases["Worlds"]}))
    site.execute("INSERT INTO notion_sync.accounts (user_id, views) VALUES (%s, true), ('ben', true)", USER)
    site.execute("SELECT notion_sync.sync_notion_database(%s, %s, 'Canary Cast')", USER, databases["Characters"])
    assert site.command("sync-all").code == 0
    trash(site.small)
    assert site.command("sync", USER, "Canary Cast", "--full").code == 0
    site.execute(
        "UPDATE user_settings SET notion_databases = notion_databases || %s WHERE user_id = %s",
        json.dumps({"Canary Broken": databases["Private"]}),
        USER,
    )
    assert site.command("sync-all", "--user", USER).code == 1
    site.execute(
        "INSERT INTO notion_characters_sync (notion_database_id, user_id, name) VALUES ('x', %s, 'a draft of the app')",
        USER,
    )


def rows_of(site: Site, user_id: str) -> int:
    tables = ("notion_pages_sync", "notion_worlds_sync", "notion_characters_sync")
    counted = " UNION ALL ".join(f"SELECT user_id, notion_page_id FROM {table}" for table in tables)
    ((count,),) = site.execute(
        f"SELECT count(*) FROM ({counted}) AS rows WHERE user_id = %s AND notion_page_id IS NOT NULL", user_id
    )
    assert isinstance(count, int)
    return count


def test_no_trace_of_a_user_stays_and_the_other_keeps_everything(mirrored: Site) -> None:
    kinds = {kind for kind, _ in traces(mirrored)}
    assert kinds >= {
        *("accounts", "databases", "data_sources", "columns", "database_runs", "removed_pages", "views"),
        *("sync_requests", "job_run_details", "notion_pages_sync", "relation", "column", "view"),
    }
    others = rows_of(mirrored, "ben")
    ended = mirrored.command("forget", USER, "--disconnect", "--yes")
    assert ended.code == 0, ended.err
    assert ended.out.startswith(f"Forgotten: user '{USER}'. Rows: ")
    assert traces(mirrored) == [("notion_characters_sync", row) for _, row in traces(mirrored, "a draft of the app")]
    assert mirrored.execute("SELECT name FROM notion_characters_sync") == [("a draft of the app",)]
    assert rows_of(mirrored, "ben") == others > 0
    assert mirrored.execute("SELECT notion_token, notion_databases FROM user_settings WHERE user_id = %s", USER) == [
        (None, {})
    ]
    # The view that both had shows the other's columns, and no more.
    columns = mirrored.execute("SELECT attname FROM pg_attribute WHERE attrelid = 'notion.worlds'::regclass")
    assert sorted({str(name) for (name,) in columns} - RESERVED_NAMES) == ["concept_premise", "name"]
    assert mirrored.execute("SELECT count(*) FROM notion.worlds") == [(12,)]
    assert mirrored.command("sync-all").code == 0
    assert traces(mirrored, "a draft of the app") != []
    assert len(traces(mirrored)) == 1


def test_what_is_forgotten_twice_was_nothing_the_second_time(mirrored: Site) -> None:
    assert mirrored.command("forget", USER, "--disconnect", "--yes").code == 0
    ended = mirrored.command("forget", USER, "--yes")
    assert (ended.code, ended.out) == (0, f"Nothing was stored for user '{USER}'.\n")
    assert mirrored.command("forget", "nobody", "--yes").out == "Nothing was stored for user 'nobody'.\n"


@pytest.mark.parametrize("by", ["name", "id", "link"])
def test_one_database_goes_and_the_others_of_the_user_stay(mirrored: Site, by: str) -> None:
    database_id = mirrored.small.databases["Characters"]
    written = {
        "name": "Canary Cast",
        "id": database_id.upper(),
        "link": f"https://www.notion.so/Cast-{database_id.replace('-', '')}?v=0123456789abcdef0123456789abcdef",
    }[by]
    kept = mirrored.execute("SELECT * FROM notion_worlds_sync ORDER BY id")
    three = mirrored.execute("SELECT * FROM notion_pages_sync WHERE database_name = 'Three' ORDER BY id")
    ended = mirrored.command("forget", USER, written, "--disconnect", "--yes")
    assert ended.code == 0, ended.err
    assert traces(mirrored, "canary cast") == traces(mirrored, "canary_cast") == []
    assert traces(mirrored, "canary value") == traces(mirrored, "canary_age") == []
    # The schema of Stories, which is still mirrored, has a relation to it, and a rollup of a property of its.
    assert {table for table, _ in traces(mirrored, database_id)} == {"data_sources"}
    assert len(traces(mirrored, database_id)) == 1
    assert mirrored.execute("SELECT * FROM notion_worlds_sync ORDER BY id") == kept
    assert mirrored.execute("SELECT * FROM notion_pages_sync ORDER BY id") == three != []
    ((databases,),) = mirrored.execute("SELECT notion_databases FROM user_settings WHERE user_id = %s", USER)
    assert isinstance(databases, dict)
    assert databases.keys() == {"Worlds", "Three", "Canary Broken"}
    assert len(mirrored.execute("SELECT 1 FROM notion_sync.database_runs WHERE user_id = %s", USER)) >= 4


def test_it_refuses_while_the_next_run_would_bring_it_back(mirrored: Site) -> None:
    before = rows_of(mirrored, USER)
    mirrored.execute("UPDATE user_settings SET auto_sync_enabled = false")
    ended = mirrored.command("forget", USER, "--yes")
    assert ended.code == 2
    assert "still connected" in ended.sentence
    assert "--disconnect" in ended.sentence
    ended = mirrored.command("forget", USER, "Canary Cast", "--yes")
    assert ended.code == 2
    assert "still among notion_databases" in ended.sentence
    mirrored.execute('UPDATE user_settings SET notion_databases = \'{"*": "*"}\'')
    ended = mirrored.command("forget", USER, "Canary Cast", "--yes", "--disconnect")
    assert ended.code == 2
    assert "everything that is shared" in ended.sentence
    assert rows_of(mirrored, USER) == before
    for harmless in ("notion_databases = NULL", "notion_databases = '{}'", "notion_token = ''"):
        mirrored.execute(f"UPDATE user_settings SET {harmless}")
        assert mirrored.command("forget", USER, "--yes").code == 0, harmless


@pytest.mark.parametrize("options", [{}, {"exclude": ["Age"]}, {"exclude": "Age"}])
def test_a_database_under_two_names_is_taken_out_under_both(mirrored: Site, options: dict[str, object]) -> None:
    link = f"https://www.notion.so/{mirrored.small.databases['Characters'].replace('-', '')}"
    again = {"Again": {"id": link, **options} if options else link}
    mirrored.execute("UPDATE user_settings SET notion_databases = notion_databases || %s", json.dumps(again))
    assert mirrored.command("forget", USER, "Again", "--yes", "--disconnect").code == 0
    ((databases,),) = mirrored.execute("SELECT notion_databases FROM user_settings WHERE user_id = %s", USER)
    assert isinstance(databases, dict)
    assert databases.keys() == {"Worlds", "Three", "Canary Broken"}


@pytest.mark.parametrize("called", ["name", "title"])
def test_of_two_databases_that_may_be_meant_neither_is_forgotten(mirrored: Site, called: str) -> None:
    before = rows_of(mirrored, USER)
    mirrored.execute(
        f"UPDATE notion_sync.databases SET {called} = 'Worlds' WHERE user_id = %s AND name = 'Three'", USER
    )
    mirrored.execute("UPDATE user_settings SET notion_databases = '{}'")
    ended = mirrored.command("forget", USER, "Worlds", "--yes")
    assert ended.code == 2
    assert "2 databases 'Worlds': give the id of the one that is meant" in ended.sentence
    assert all(mirrored.small.databases[name] in ended.sentence for name in ("Stories", "Three"))
    assert rows_of(mirrored, USER) == before


def test_a_database_that_there_is_not_is_told_with_those_that_there_are(mirrored: Site) -> None:
    ended = mirrored.command("forget", USER, "Charakters", "--yes")
    assert ended.code == 2
    assert "Canary Cast" in ended.sentence


def test_without_a_terminal_it_wants_a_yes(mirrored: Site) -> None:
    before = rows_of(mirrored, USER)
    ended = mirrored.command("forget", USER, "--disconnect")
    assert ended.code == 2
    assert "--yes" in ended.sentence
    assert rows_of(mirrored, USER) == before


def test_a_person_is_asked(mirrored: Site) -> None:
    before = rows_of(mirrored, USER)
    terminal = Terminal("forget", USER, "--disconnect", **mirrored.command.environment)
    terminal.waits_with(f"Forget user '{USER}' for good")
    terminal.types("n")
    terminal.waits_with("Nothing was changed.")
    assert terminal.ends() == 2
    assert rows_of(mirrored, USER) == before
    terminal = Terminal("forget", USER, "--disconnect", **mirrored.command.environment)
    terminal.waits_with("[y/N]: ")
    terminal.types("y")
    terminal.waits_with(f"Forgotten: user '{USER}'")
    assert terminal.ends() == 0
    assert rows_of(mirrored, USER) == 0


@pytest.mark.parametrize("columns", [80, 100])
def test_a_terminal_shows_the_question_and_what_went_without_a_broken_word(mirrored: Site, columns: int) -> None:
    terminal = Terminal("forget", USER, "--disconnect", **mirrored.command.environment, COLUMNS=str(columns))
    terminal.waits_with("[y/N]: ")
    terminal.types("y")
    assert terminal.ends() == 0
    assert terminal.widest <= columns


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((USER,), "is still connected"),
        ((USER, "Canary Cast"), "is still among notion_databases"),
        (("nobody",), "user 'nobody' is neither in user_settings nor known from before"),
        (("nobody", "Canary Cast"), "user 'nobody' is neither in user_settings nor known from before"),
    ],
)
def test_what_cannot_be_is_refused_before_anybody_is_asked(mirrored: Site, words: tuple[str, ...], told: str) -> None:
    before = rows_of(mirrored, USER)
    terminal = Terminal("forget", *words, COLUMNS="500", **mirrored.command.environment)
    assert terminal.ends() == 2
    assert told in terminal.shown
    assert "[y/N]" not in terminal.shown
    assert told in mirrored.command("forget", *words).sentence
    assert rows_of(mirrored, USER) == before


def test_a_database_of_who_mirrors_everything_is_refused_first_even_with_disconnect(mirrored: Site) -> None:
    mirrored.execute('UPDATE user_settings SET notion_databases = \'{"*": "*"}\'')
    terminal = Terminal("forget", USER, "Canary Cast", "--disconnect", COLUMNS="500", **mirrored.command.environment)
    assert terminal.ends() == 2
    assert "mirrors everything that is shared with the token" in terminal.shown
    assert "[y/N]" not in terminal.shown
    assert mirrored.execute("SELECT count(*) FROM user_settings WHERE notion_databases ->> '*' = '*'") == [(2,)]


@pytest.mark.parametrize("deferred", ["", "DEFERRABLE INITIALLY DEFERRED", "ON DELETE RESTRICT"])
def test_what_the_application_refers_to_is_told_and_nothing_is_half_done(mirrored: Site, deferred: str) -> None:
    mirrored.execute(
        f"CREATE TABLE favourites (page uuid CONSTRAINT liked REFERENCES notion_worlds_sync (id) {deferred})"
    )
    mirrored.execute("INSERT INTO favourites SELECT id FROM notion_worlds_sync WHERE user_id = %s LIMIT 1", USER)
    before = traces(mirrored)
    ended = mirrored.command("forget", USER, "--disconnect", "--yes")
    assert ended.code == 3
    assert ended.sentence.startswith("the table public.favourites refers to rows that would go (its foreign key liked)")
    assert traces(mirrored) == before
    assert mirrored.execute("SELECT notion_token FROM user_settings WHERE user_id = %s AND notion_token <> ''", USER)
    mirrored.execute("DELETE FROM favourites")
    assert mirrored.command("forget", USER, "--disconnect", "--yes").code == 0


def test_a_view_of_somebodys_own_keeps_ours_and_is_told(mirrored: Site) -> None:
    mirrored.execute("CREATE VIEW public.mine AS SELECT name FROM notion.canary_cast")
    ended = mirrored.command("forget", USER, "--disconnect", "--yes")
    assert ended.code == 0
    assert "view public.mine depends on the view notion.canary_cast, so it stays" in ended.out
    assert mirrored.execute("SELECT count(*) FROM mine") == [(0,)]
    mirrored.execute("DROP VIEW mine")
    assert mirrored.command("forget", USER, "--yes").code == 0
    assert len(traces(mirrored)) == 1  # the application's draft


def test_it_waits_for_a_run_that_works_for_the_user(mirrored: Site) -> None:
    """Notion does not answer the run, so that it holds its lease for as long as is needed."""
    answering = threading.Event()

    def hold(_: object) -> None:
        answering.wait(100)

    mirrored.small.workspace.on_request(hold)
    run = subprocess.Popen(
        [sys.executable, "-m", "notion_pg_sync", "sync", USER, "Three", "--full"],
        env={**BARE, **mirrored.command.environment},
        cwd=Path(__file__).parents[2],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    leased = "SELECT lease_runid FROM notion_sync.accounts WHERE user_id = %s AND lease_runid IS NOT NULL"
    wait_until(lambda: mirrored.execute(leased, USER))
    forget = subprocess.Popen(
        [sys.executable, "-m", "notion_pg_sync", "forget", USER, "--disconnect", "--yes"],
        env={**BARE, **mirrored.command.environment},
        cwd=Path(__file__).parents[2],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with pytest.raises(subprocess.TimeoutExpired):
        forget.communicate(timeout=5)
    assert rows_of(mirrored, USER) > 0
    run.send_signal(signal.SIGTERM)
    assert run.wait() == 128 + signal.SIGTERM
    answering.set()
    out, err = forget.communicate(timeout=60)
    assert (forget.returncode, err) == (0, "")
    assert out.startswith("Forgotten")
    assert len(traces(mirrored)) == 1
