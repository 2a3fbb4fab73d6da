"""`notion_sync.forget`, as applications call it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import uuid4

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from notion_workspace import SmallWorkspace
from psycopg import errors

from tests.installation import Installation

pytestmark = pytest.mark.slow

# Tables of ours without anything by which a row belongs to a database: they go with the user alone.
OF_THE_USER_ALONE = {"accounts", "files", "readers", "users"}
BELONGS_TO_A_DATABASE = {
    *("database_id", "notion_database_id", "data_source_id", "notion_data_source_id", "page_id", "notion_page_id"),
}


@pytest.fixture
async def anna(installation: Installation, small: SmallWorkspace) -> Installation:
    """A user with two databases and views, both in the copy."""
    databases = {name: small.databases[name] for name in ("Characters", "Three")}
    await installation.connect("anna", small.tokens["anna"], databases)
    await installation.execute("INSERT INTO notion_sync.accounts (user_id, views) VALUES ('anna', true)")
    assert (await installation.sync_all()).failures == []
    return installation


@pytest.fixture
async def role(anna: Installation) -> AsyncIterator[str]:
    """Another role, with every right on every table, and its connection's name for itself."""
    name = f"tenant_{uuid4().hex[:8]}"
    await anna.execute(f"CREATE ROLE {name}")
    for schema in ("public", "notion_sync"):
        await anna.execute(f"GRANT USAGE ON SCHEMA {schema} TO {name}")
        await anna.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA {schema} TO {name}")
    yield name
    await anna.execute(f"DROP OWNED BY {name}")
    await anna.execute(f"DROP ROLE {name}")


async def counts(installation: Installation) -> tuple[int, int, int, int]:
    (row,) = await installation.execute(
        "SELECT (SELECT count(*) FROM notion_characters_sync) AS characters,"
        " (SELECT count(*) FROM notion_pages_sync) AS pages,"
        " (SELECT count(*) FROM notion_sync.databases) AS databases, (SELECT count(*) FROM notion_sync.views) AS views"
    )
    return row["characters"], row["pages"], row["databases"], row["views"]


async def tables_with_users(installation: Installation) -> dict[str, set[str]]:
    """The tables of ours that have a `user_id`, with their columns."""
    found = await installation.execute(
        "SELECT relname, array_agg(attname::text) AS columns FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid"
        " WHERE relnamespace = 'notion_sync'::regnamespace AND relkind IN ('r', 'p') AND attnum > 0"
        " GROUP BY relname HAVING bool_or(attname = 'user_id')"
    )
    return {row["relname"]: set(row["columns"]) for row in found}


async def test_an_application_forgets_in_the_transaction_that_deletes_the_account(anna: Installation) -> None:
    with psycopg.connect(anna.settings.database_url or "") as connection:
        connection.execute("DELETE FROM user_settings WHERE user_id = 'anna'")
        gone = connection.execute("SELECT * FROM notion_sync.forget('anna')").fetchall()
        connection.rollback()
        assert ("public.notion_characters_sync", 40) in gone
        assert ("notion_sync.accounts", 1) in gone
        before = await counts(anna)
        assert before == (40, 3, 2, 4)
        connection.execute("DELETE FROM user_settings WHERE user_id = 'anna'")
        connection.execute("SELECT * FROM notion_sync.forget('anna')")
        connection.commit()
    assert await counts(anna) == (0, 0, 0, 0)
    assert await anna.execute("SELECT 1 FROM pg_class WHERE relnamespace = 'notion'::regnamespace") == []


async def test_an_application_forgets_one_database(anna: Installation, small: SmallWorkspace) -> None:
    database_id = small.databases["Characters"]
    with pytest.raises(errors.ObjectNotInPrerequisiteState):
        await anna.execute("SELECT * FROM notion_sync.forget('anna', %s)", database_id)
    await anna.execute("UPDATE user_settings SET notion_databases = notion_databases - 'Characters'")
    await anna.execute("SELECT * FROM notion_sync.forget('anna', %s)", database_id.replace("-", "").upper())
    assert await counts(anna) == (0, 3, 1, 1)
    assert (await anna.sync_all()).failures == []


@pytest.mark.parametrize(
    "entry",
    ['{"id": "%s", "exclude": ["Age"]}', '{"id": "https://www.notion.so/C-%s?v=1"}', '[{"id": "%s"}]', '"{%s}"'],
)
async def test_a_database_is_not_forgotten_while_an_entry_of_any_form_has_its_id(
    anna: Installation, small: SmallWorkspace, entry: str
) -> None:
    hex_of = small.databases["Characters"].replace("-", "").upper()
    await anna.execute(
        "UPDATE user_settings SET notion_databases = jsonb_build_object('Heroes', %s::jsonb)", entry % hex_of
    )
    with pytest.raises(errors.ObjectNotInPrerequisiteState, match="still among notion_databases"):
        await anna.execute("SELECT * FROM notion_sync.forget('anna', %s)", small.databases["Characters"])
    await anna.execute("SELECT * FROM notion_sync.forget('anna', %s)", small.databases["Three"])
    assert await counts(anna) == (40, 0, 1, 3)


@pytest.mark.parametrize(
    "call", ["forget(NULL)", "forget('anna', NULL)", "forget('anna', '')", "forget('anna', 'Characters')"]
)
async def test_what_names_nobody_or_no_database_is_refused(anna: Installation, call: str) -> None:
    """Above all no null that an application passes by mistake forgets more than was meant."""
    await anna.execute("DELETE FROM user_settings")
    before = await counts(anna)
    with pytest.raises(errors.InvalidParameterValue):
        await anna.execute(f"SELECT * FROM notion_sync.{call}")
    assert await counts(anna) == before


async def test_triggers_of_the_application_find_what_they_find_in_its_own_sessions(anna: Installation) -> None:
    await anna.execute(
        """
        CREATE SCHEMA extensions;
        CREATE TABLE extensions.audit_log (page text);
        CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN INSERT INTO audit_log VALUES (OLD.notion_page_id); RETURN NULL; END $$;
        CREATE TRIGGER audit AFTER DELETE ON notion_characters_sync FOR EACH ROW EXECUTE FUNCTION audit();
        """
    )
    with psycopg.connect(anna.settings.database_url or "") as connection:
        connection.execute("CREATE TEMPORARY TABLE audit_log (page text)")
        connection.execute("SET search_path = public, extensions")
        connection.execute("DELETE FROM user_settings WHERE user_id = 'anna'")
        connection.execute("SELECT * FROM notion_sync.forget('anna')")
        assert connection.execute("SELECT current_setting('search_path')").fetchall() == [("public, extensions",)]
        assert connection.execute("SELECT count(*) FROM extensions.audit_log").fetchall() == [(40,)]


async def test_triggers_of_a_stranger_do_not_run(anna: Installation, role: str) -> None:
    await anna.execute(
        """
        CREATE TABLE notion_strange_sync (user_id text, notion_page_id text, notion_database_id text);
        INSERT INTO notion_strange_sync VALUES ('anna', 'p', 'd');
        CREATE FUNCTION strange() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN RAISE EXCEPTION 'ran'; END $$;
        CREATE TRIGGER strange BEFORE DELETE ON notion_strange_sync EXECUTE FUNCTION strange();
        """
    )
    await anna.execute(f"ALTER TABLE notion_strange_sync OWNER TO {role}")
    await anna.execute("DELETE FROM user_settings WHERE user_id = 'anna'")
    await anna.execute("SELECT * FROM notion_sync.forget('anna')")
    assert await counts(anna) == (0, 0, 0, 0)


async def test_tenants_may_not_forget(anna: Installation, role: str) -> None:
    """Neither by themselves, nor where somebody granted them the function: they do not see every row."""
    await anna.execute("DELETE FROM user_settings")
    await anna.execute(f"GRANT {role} TO CURRENT_USER")

    async def forget() -> None:
        async with await psycopg.AsyncConnection.connect(anna.settings.database_url or "") as connection:
            await connection.execute(f"SET LOCAL ROLE {role}".encode())
            await connection.execute("SELECT * FROM notion_sync.forget('anna')")

    with pytest.raises(errors.InsufficientPrivilege, match="permission denied for function forget"):
        await forget()
    await anna.execute(f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA notion_sync TO {role}")
    with pytest.raises(errors.InsufficientPrivilege, match="does not see every row"):
        await forget()
    assert await counts(anna) == (40, 3, 2, 4)


async def test_every_table_of_ours_that_knows_users_is_covered(anna: Installation) -> None:
    """A table that comes later needs a column by which forget finds the rows of one database."""
    tables = await tables_with_users(anna)
    assert tables.keys() >= {"accounts", "databases", "data_sources", "columns", "database_runs", "removed_pages"}
    unknown = [name for name, columns in tables.items() if not columns & BELONGS_TO_A_DATABASE]
    assert set(unknown) <= OF_THE_USER_ALONE
    await anna.execute("DELETE FROM user_settings")
    rows = await anna.execute("SELECT relation FROM notion_sync.forget('anna')")
    assert {f"notion_sync.{name}" for name in tables} <= {row["relation"] for row in rows}


async def test_tables_of_later_versions_are_covered(anna: Installation, small: SmallWorkspace) -> None:
    await anna.execute("CREATE TABLE notion_sync.bodies (user_id text, page_id text, markdown text)")
    await anna.execute("CREATE TABLE notion_sync.people (user_id text, name text)")
    await anna.execute("CREATE TABLE notion_sync.requests (user_id text, database_id text, message text)")
    await anna.execute(
        "INSERT INTO notion_sync.bodies SELECT user_id, notion_page_id, 'of Characters' FROM notion_characters_sync"
        " UNION ALL SELECT user_id, notion_page_id, 'of Three' FROM notion_pages_sync"
        " UNION ALL VALUES ('ben', 'x', 'y')"
    )
    await anna.execute("INSERT INTO notion_sync.people VALUES ('anna', 'Dora'), ('ben', 'Emil')")
    link = f"https://www.notion.so/{small.databases['Characters'].replace('-', '')}"
    await anna.execute("INSERT INTO notion_sync.requests VALUES ('anna', %s, 'queued'), ('anna', 'x', 'y')", link)
    await anna.execute("UPDATE user_settings SET notion_databases = notion_databases - 'Characters'")

    async def left() -> list[int]:
        tables = ("bodies", "people", "requests")
        rows = [await anna.execute(f"SELECT count(*) FROM notion_sync.{table}") for table in tables]
        return [row["count"] for (row,) in rows]

    await anna.execute("SELECT * FROM notion_sync.forget('anna', %s)", small.databases["Characters"])
    assert await left() == [4, 2, 1]
    await anna.execute("DELETE FROM user_settings")
    await anna.execute("SELECT * FROM notion_sync.forget('anna')")
    assert await left() == [1, 1, 0]


async def test_a_lease_that_expired_is_not_renewed_after_one_database_was_forgotten(
    anna: Installation, small: SmallWorkspace
) -> None:
    await anna.execute(
        "UPDATE notion_sync.accounts SET lease_expires_at = clock_timestamp() - interval '1 second',"
        " lease_runid = (SELECT max(runid) FROM notion_sync.job_run_details)"
    )
    await anna.execute("UPDATE user_settings SET notion_databases = NULL")
    await anna.execute("SELECT * FROM notion_sync.forget('anna', %s)", small.databases["Characters"])
    assert await anna.execute("SELECT lease_runid FROM notion_sync.accounts") == [{"lease_runid": None}]


@pytest.mark.parametrize("state", ["holds the lease", "is done with the user, but not at its end"])
async def test_a_run_that_works_for_the_user_is_named(anna: Installation, state: str) -> None:
    await anna.execute("DELETE FROM user_settings")
    await anna.execute("UPDATE notion_sync.job_run_details SET status = 'running', end_time = NULL")
    await anna.execute("UPDATE notion_sync.run_processes SET pid = 4711, heartbeat_at = clock_timestamp()")
    if state == "holds the lease":
        await anna.execute(
            "UPDATE notion_sync.accounts SET lease_expires_at = clock_timestamp() + interval '1 minute',"
            " lease_runid = (SELECT max(runid) FROM notion_sync.job_run_details)"
        )
    with pytest.raises(errors.ObjectInUse, match=r"user 'anna' is being synced by run \d+ \(pid 4711 on "):
        await anna.execute("SELECT * FROM notion_sync.forget('anna')")
    # A host that went away ends no run any more.
    await anna.execute("UPDATE notion_sync.run_processes SET heartbeat_at = clock_timestamp() - interval '3 minutes'")
    await anna.execute("UPDATE notion_sync.accounts SET lease_runid = NULL, lease_expires_at = NULL")
    await anna.execute("SELECT * FROM notion_sync.forget('anna')")
    assert await counts(anna) == (0, 0, 0, 0)


async def test_a_view_that_somebody_made_in_its_place_is_left_alone(anna: Installation) -> None:
    await anna.execute("DELETE FROM user_settings")
    await anna.execute("DROP VIEW notion.characters")
    await anna.execute("CREATE VIEW notion.characters AS SELECT 'mine' AS whose")
    await anna.execute("SELECT * FROM notion_sync.forget('anna')")
    assert await anna.execute("SELECT whose FROM notion.characters") == [{"whose": "mine"}]
    assert await anna.execute("SELECT * FROM notion_sync.views") == []


async def test_a_view_with_dependents_is_told_as_a_warning(anna: Installation) -> None:
    await anna.execute("DELETE FROM user_settings")
    await anna.execute("CREATE VIEW mine AS SELECT name FROM notion.characters")
    told: list[str] = []
    with psycopg.connect(anna.settings.database_url or "", autocommit=True) as connection:
        connection.add_notice_handler(lambda notice: told.append(str(notice.message_primary)))
        connection.execute("SELECT * FROM notion_sync.forget('anna')")
    (warning,) = told
    assert warning.startswith("the view notion.characters stays, and with it names of properties")
    assert await counts(anna) == (0, 0, 0, 1)


async def test_a_page_has_a_row_however_its_id_is_spelled(installation: Installation) -> None:
    pages = ["13c28ba9-d103-438a-b309-bf9309bb52e7", "300beecd-f712-4898-920c-ec9825ab1c06"]
    await installation.execute("CREATE TABLE spelled (user_id text, notion_page_id text)")
    await installation.execute(
        "INSERT INTO spelled VALUES ('anna', %s), ('ben', %s), ('anna', NULL)",
        pages[0].replace("-", "").upper(),
        pages[1],
    )
    (row,) = await installation.execute(
        "SELECT notion_sync.pages_without_row('public.spelled', 'anna', %s, 'public') AS pages", pages
    )
    assert row["pages"] == pages[1:]


words = st.text(st.characters(categories=["L", "N", "P", "S", "Zs"], exclude_characters="'\"\\"), min_size=1)


@pytest.mark.parametrize(
    ("said", "whose", "names"),
    [
        ("anna/Characters: it failed", "anna", True),
        ("anna: search for databases: x", "anna", True),
        ("another run has taken over user anna; this one", "anna", True),
        ("notion-pg-sync sync anna Characters", "anna", True),
        ("user 'anna' has no Notion token", "anna", True),
        ("hannah/Characters: it failed", "anna", False),
        ("anna-2/Characters: it failed", "anna", False),
        ("anna/Characters: it failed", "anna-2", False),
        ("a.b@example.com/X: failed", "a.b@example.com", True),
        ("axb@example.com/X: failed", "a.b@example.com", False),
        ("notion-pg-sync sync 'o'\"'\"'neil (x)' Characters", "o'neil (x)", True),
        ("2 of 2 databases of 1 user synced", "anna", False),
        (None, "anna", False),
    ],
)
async def test_a_sentence_names_a_user_as_a_word_of_its_own(
    installation: Installation, said: str | None, whose: str, names: bool
) -> None:
    (row,) = await installation.execute("SELECT notion_sync.names_user(%s, %s) AS names", said, whose)
    assert row["names"] is names


async def test_any_id_is_found_where_it_stands(installation: Installation) -> None:
    """No id is a pattern to the function, whatever characters it has."""
    with psycopg.connect(installation.settings.database_url or "", autocommit=True) as connection:

        @given(words, words)
        def holds(whose: str, other: str) -> None:
            def names(said: str) -> object:
                row = connection.execute("SELECT notion_sync.names_user(%s, %s)", (said, whose)).fetchone()
                return row and row[0]

            assert names(f"{whose}/{other}: it failed") is True
            assert names(f"user {whose!r} has no token") is True or not whose.isprintable()
            if whose not in f"{other}: it failed":
                assert names(f"{other}: it failed") is False

        holds()


@pytest.fixture
async def with_files(anna: Installation) -> Installation:
    """Each page names a file of its own and one that all name; one was a page's that left; all are kept."""
    await anna.execute(
        "INSERT INTO notion_sync.files (user_id, path, stored_as)"
        " SELECT 'anna', path, 'anna/' || path FROM (SELECT page_id::text FROM notion_sync.pages"
        " UNION ALL VALUES ('shared'), ('gone')) AS every (path)"
    )
    await anna.execute(
        "INSERT INTO notion_sync.page_files (user_id, page_id, data_source_id, place, position, name, path)"
        " SELECT user_id, page_id, data_source_id, place, 1, 'a', CASE place WHEN 'icon' THEN 'shared'"
        " ELSE page_id::text END FROM notion_sync.pages, unnest(ARRAY['icon', 'cover']) AS place"
    )
    await anna.execute("UPDATE notion_sync.files SET stored_as = NULL, begun_as = 'anna/begun' WHERE path = 'gone'")
    return anna


async def discarded(installation: Installation) -> set[str]:
    return {row["stored_as"] for row in await installation.execute("SELECT stored_as FROM notion_sync.discarded_files")}


async def test_the_bytes_of_a_forgotten_users_files_are_to_be_removed(with_files: Installation) -> None:
    keys = await with_files.execute("SELECT stored_as FROM notion_sync.files WHERE stored_as IS NOT NULL")
    await with_files.execute("DELETE FROM user_settings")
    gone = {
        row["relation"]: row["row_count"]
        for row in await with_files.execute("SELECT relation, row_count FROM notion_sync.forget('anna')")
    }
    assert (gone["notion_sync.files"], gone["notion_sync.page_files"]) == (45, 86)
    assert await discarded(with_files) == {"anna/begun", *(row["stored_as"] for row in keys)}
    assert len(keys) == 44


async def test_files_that_another_database_names_stay_when_one_is_forgotten(
    with_files: Installation, small: SmallWorkspace
) -> None:
    await with_files.execute("UPDATE user_settings SET notion_databases = notion_databases - 'Characters'")
    await with_files.execute("SELECT * FROM notion_sync.forget('anna', %s)", small.databases["Characters"])
    left = await with_files.execute("SELECT path, unused_since FROM notion_sync.files")
    named = await with_files.execute("SELECT DISTINCT path FROM notion_sync.page_files")
    assert len(left) == 4
    assert {row["path"] for row in left} == {row["path"] for row in named}
    assert {row["unused_since"] for row in left} == {None}
    keys = await discarded(with_files)
    assert len(keys) == 41
    assert {"anna/begun"} <= keys
    assert "anna/shared" not in keys
