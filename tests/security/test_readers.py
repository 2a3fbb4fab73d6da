"""`grant-reader`: a role reads what BI tools need and no more, everybody's rows or one user's, whatever it sets."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from uuid import uuid4

import psycopg
import pytest
from psycopg import errors, sql
from psycopg.conninfo import make_conninfo

from tests.cli.conftest import Command, Ended
from tests.mirror.freezing import PG_DUMP
from tests.pgbouncer import PgBouncer
from tests.security.conftest import statements_shown
from tests.security.test_view_sources import refresh

Row = tuple[object, ...]

# What of notion_sync a reader reads, in whole or in part.
READ = {
    *("columns", "data_sources", "databases", "field_changes", "files", "options", "page_bodies", "page_changes"),
    *("page_files", "pages", "readers", "search_documents", "users", "view_sources"),
}
RELATIONS = """
    SELECT nspname, relname, relkind = 'v',
           CASE WHEN EXISTS (SELECT FROM pg_attribute WHERE attrelid = pg_class.oid AND attname = 'user_id')
                THEN 'user_id' ELSE 'NULL::text' END
    FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE relkind IN ('r', 'v', 'm') AND (nspname IN ('notion', 'notion_sync', 'public')) ORDER BY 1, 2
"""


@dataclass
class Place:
    """A database in which anna's and ben's pages are mirrored, and roles of this test's own."""

    url: str
    roles: list[str] = field(default_factory=list)

    @property
    def command(self) -> Command:
        return Command({"DATABASE_URL": self.url})

    def execute(self, statement: str | sql.Composed, *parameters: object) -> list[Row]:
        """As the owner."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            query = statement.encode() if isinstance(statement, str) else statement
            cursor = connection.execute(query, parameters or None)
            return cursor.fetchall() if cursor.description else []

    def new_role(self, name: str = "") -> str:
        role = name or f"reader_{uuid4().hex[:12]}"
        self.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
        self.roles.append(role)
        return role

    def reader(self, *options: str, name: str = "") -> str:
        """A role that is a reader."""
        role = self.new_role(name)
        ended = self.command("grant-reader", role, *options)
        assert (ended.code, ended.err) == (0, "")
        return role

    def as_role(self, role: str, statement: str, user_id: str = "", url: str = "") -> list[Row]:
        """What the role gets, in a session that says by both ways that it is `user_id`'s."""
        with psycopg.connect(make_conninfo(url or self.url, user=role), prepare_threshold=None) as session:
            claims = json.dumps({"sub": user_id}) if user_id else ""
            session.execute(
                "SELECT set_config('app.user_id', %s, true), set_config('request.jwt.claims', %s, true)",
                (user_id, claims),
            )
            return session.execute(statement.encode()).fetchall()

    def users_seen(self, role: str, user_id: str = "") -> dict[str, set[object]]:
        """Whose rows the role sees, in each relation that it may read."""
        seen = {}
        for schema, name, _, user in self.execute(RELATIONS):
            try:
                rows = self.as_role(role, f'SELECT DISTINCT {user} FROM "{schema}"."{name}"', user_id)
            except errors.InsufficientPrivilege:
                continue
            seen[f"{schema}.{name}"] = {user for (user,) in rows}
        return seen

    def users_in(self, relation: str) -> set[object]:
        """Whose rows there are."""
        return {user for (user,) in self.execute(f"SELECT DISTINCT user_id FROM {relation}")}


@pytest.fixture
def place(mirrored_url: str) -> Iterator[Place]:
    made = Place(mirrored_url)
    yield made
    for role in made.roles:
        made.execute(sql.SQL("DROP OWNED BY {0} CASCADE; DROP ROLE {0}").format(sql.Identifier(role)))


def sentence_of(ended: Ended, code: int = 2) -> str:
    assert ended.code == code, ended
    return ended.sentence


def test_it_reads_what_is_for_it_and_nothing_else_of_ours(place: Place) -> None:
    role = place.reader()
    readable = set(place.users_seen(role))
    of_ours = {name.partition(".")[2] for name in readable if name.startswith("notion_sync.")}
    assert of_ours == READ
    there = {f"{schema}.{name}" for schema, name, *_ in place.execute(RELATIONS) if schema != "notion_sync"}
    assert there - readable == {"public.user_settings"}
    assert place.as_role(role, "SELECT count(database_name) > 5 FROM notion_sync.data_sources") == [(True,)]
    for column in ("held_back", "schema"):
        with pytest.raises(errors.InsufficientPrivilege):
            place.as_role(role, f"SELECT {column} FROM notion_sync.data_sources")


def test_it_reads_every_column_of_every_view_with_what_that_needs(place: Place) -> None:
    role = place.reader()
    for schema, name, is_view, _ in place.execute(RELATIONS):
        if is_view and schema == "notion":
            query = f'SELECT * FROM notion."{name}" ORDER BY page_id'
            assert place.as_role(role, query) == place.execute(query)
    for query in (
        "SELECT page_id, snippet FROM notion_sync.search('a OR the', 'anna') ORDER BY 1",
        "SELECT page_id, url FROM notion_sync.get_notion_page('anna', NULL, (SELECT min(name) FROM notion.worlds))",
    ):
        assert place.execute(query)
        assert place.as_role(role, query) == place.execute(query)


def test_one_of_all_users_sees_every_row_whatever_the_session_sets(place: Place) -> None:
    role = place.reader()
    for user_id in ("", "ben"):
        for name, users in place.users_seen(role, user_id).items():
            if name != "notion_sync.readers":
                assert (name, users) == (name, place.users_in(name))


@pytest.mark.parametrize("user_id", ["", "anna", "ben"])
def test_one_of_a_user_sees_that_users_rows_and_no_others_whatever_the_session_sets(place: Place, user_id: str) -> None:
    role = place.reader("--user", "anna")
    seen = place.users_seen(role, user_id)
    assert {"notion.worlds", "notion.characters__world", "public.notion_worlds_sync"} < seen.keys()
    for name, users in seen.items():
        everybody = place.users_in(name)
        assert (name, users) == (name, everybody & {"anna"})
    for asked in ("anna", "ben"):
        (title,) = place.execute("SELECT min(title) FROM notion_sync.search_documents WHERE user_id = %s", asked)[0]
        query = f"SELECT DISTINCT user_id FROM notion_sync.search('{title}', '{asked}')"
        assert place.execute(query) == [(asked,)]
        assert place.as_role(role, query, user_id) == ([("anna",)] if asked == "anna" else [])
    page = "SELECT user_id FROM notion_sync.get_notion_page('ben', NULL, (SELECT min(name) FROM notion.worlds))"
    assert place.as_role(role, page, user_id) == []


def test_what_a_role_of_one_user_is_granted_beside_shows_no_other_user_either(place: Place) -> None:
    role = place.reader("--user", "anna")
    place.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA notion_sync TO {role}")
    seen = place.users_seen(role, "ben")
    assert "notion_sync.accounts" in seen
    assert set().union(*seen.values()) == {"anna"}


def test_the_limit_binds_who_is_a_member_of_the_reader_too(place: Place) -> None:
    role, member = place.reader("--user", "anna"), place.new_role()
    place.execute(f"GRANT {role} TO {member}")
    assert set().union(*place.users_seen(member, "ben").values()) == {"anna"}


def test_the_catalog_does_not_name_the_user(place: Place) -> None:
    place.reader("--user", "anna")
    assert place.execute("SELECT 1 FROM pg_policies WHERE concat(policyname, qual, with_check) ~ 'anna'") == []


def test_a_table_without_row_level_security_is_for_no_reader_of_one_user(place: Place) -> None:
    role = place.new_role()
    place.execute("ALTER TABLE notion_worlds_sync DISABLE ROW LEVEL SECURITY")
    said = sentence_of(place.command("grant-reader", role, "--user", "anna"))
    assert said.startswith("row level security is off on public.notion_worlds_sync, so the role would see every user's")
    assert "notion-pg-sync init --row-security" in said
    assert place.users_seen(role) == {}
    assert place.command("grant-reader", role).code == 0
    assert place.users_seen(role)["public.notion_worlds_sync"] == {"anna", "ben"}


def test_a_table_whose_row_level_security_is_switched_off_is_taken_from_it_by_the_next_run(place: Place) -> None:
    role = place.reader("--user", "anna")
    place.execute("ALTER TABLE notion_worlds_sync DISABLE ROW LEVEL SECURITY")
    assert refresh(place.url) == []
    assert "public.notion_worlds_sync" not in place.users_seen(role)
    place.execute("ALTER TABLE notion_worlds_sync ENABLE ROW LEVEL SECURITY")
    assert refresh(place.url) == []
    assert place.users_seen(role, "ben")["public.notion_worlds_sync"] == {"anna"}


def test_a_view_that_somebody_made_read_with_its_owners_rights_is_for_no_reader_of_one_user(place: Place) -> None:
    role = place.new_role()
    place.execute("ALTER VIEW notion.worlds RESET (security_invoker)")
    said = sentence_of(place.command("grant-reader", role, "--user", "anna"))
    assert said == (
        "the view notion.worlds reads with its owner's rights, so the role would see every user's rows there: run "
        "'notion-pg-sync sync-all'."
    )
    assert refresh(place.url) == []
    assert place.command("grant-reader", role, "--user", "anna").code == 0
    assert place.users_seen(role, "ben")["notion.worlds"] == {"anna"}


@pytest.mark.parametrize(
    ("made", "says", "options"),
    [
        ("ALTER ROLE {0} SUPERUSER", "is a superuser, so nothing limits it", ()),
        ("ALTER TABLE notion_worlds_sync OWNER TO {0}", "owns public.notion_worlds_sync, so nothing limits it", ()),
        ("GRANT SELECT (notion_token) ON user_settings TO {0}", "may read tokens in user_settings", ()),
        ("ALTER ROLE {0} BYPASSRLS", "has BYPASSRLS", ("--user", "anna")),
        (
            "GRANT EXECUTE ON FUNCTION notion_sync.own_search_matches TO PUBLIC",
            "may search by notion_sync.own_search_matches(tsquery, text[], integer), as PUBLIC may",
            ("--user", "anna"),
        ),
        ("ALTER ROLE {0} BYPASSRLS CREATEROLE", "has BYPASSRLS and CREATEROLE", ("--user", "anna")),
        ("GRANT pg_read_all_data TO {0}", "may read tokens in user_settings", ()),
        ("GRANT pg_monitor TO {0}", "may work as pg_monitor, whom its limit does not bind", ("--user", "anna")),
    ],
)
def test_a_role_that_nothing_limits_is_refused_with_what_mends_it(
    place: Place, made: str, says: str, options: tuple[str, ...]
) -> None:
    role = place.new_role()
    place.execute(made.format(role))
    ended = place.command("grant-reader", role, *options)
    said = sentence_of(ended)
    assert said.startswith(f"the role '{role}' {says}")
    if "take that from it (" in said:
        place.execute(said.partition("take that from it (")[2].partition(";)")[0])
        assert place.command("grant-reader", role, *options).code == 0
    place.execute("ALTER TABLE notion_worlds_sync OWNER TO CURRENT_USER")
    place.execute(f"ALTER ROLE {role} NOSUPERUSER")


def test_a_role_or_a_user_that_there_is_not_is_told(place: Place) -> None:
    said = sentence_of(place.command("grant-reader", 'no"body'))
    assert said == 'there is no role \'no"body\': create it (CREATE ROLE "no""body" LOGIN;), then run this again.'
    role = place.new_role()
    said = sentence_of(place.command("grant-reader", role, "--user", "anne"))
    assert said == "there is no user 'anne' in user_settings: check the spelling."
    assert place.users_seen(role) == {}


def test_it_is_safe_to_repeat_and_another_user_changes_it_visibly(place: Place) -> None:
    role = place.new_role()
    first = place.command("grant-reader", role)
    assert first.out.startswith(f"The role '{role}' reads everybody's rows from now on: ")
    again = place.command("grant-reader", role)
    assert again.out.startswith(f"The role '{role}' reads everybody's rows already: ")
    assert again.out.endswith("Nothing to do.\n")
    anna = place.command("grant-reader", role, "--user", "anna")
    assert "reads the rows of user 'anna' alone from now on; until now it read everybody's rows:" in anna.out
    assert set().union(*place.users_seen(role, "ben").values()) == {"anna"}
    ben = place.command("grant-reader", role, "--user", "ben")
    assert "reads the rows of user 'ben' alone from now on; until now it read the rows of user 'anna' alone:" in ben.out
    assert set().union(*place.users_seen(role, "anna").values()) == {"ben"}
    assert place.command("grant-reader", role).code == 0
    assert place.users_seen(role)["notion.worlds"] == {"anna", "ben"}


def test_the_way_back_takes_everything(place: Place) -> None:
    before = place.execute("SELECT count(*) FROM pg_policies")
    role = place.reader("--user", "anna")
    place.execute(f"GRANT SELECT ON notion_sync.accounts TO {role}")
    assert place.execute("SELECT count(*) FROM pg_policies") > before
    assert (
        place.command("grant-reader", role, "--revoke").out == f"The role '{role}' reads nothing of Notion any more.\n"
    )
    assert place.execute("SELECT count(*) FROM pg_policies") == before
    assert place.users_seen(role, "ben") == {}
    assert place.execute("SELECT * FROM notion_sync.readers") == []
    place.execute(f"DROP ROLE {place.roles.pop()}")
    assert place.command("grant-reader", role, "--revoke").out == f"The role '{role}' is no reader; nothing to do.\n"


def test_what_it_prints_does_the_same_typed_by_an_owner(place: Place) -> None:
    name = f"we\"ird '{uuid4().hex[:6]}\\ %s\x1b[31m"
    place.roles.append(name)
    printed = place.command("grant-reader", name, "--user", "anna", "--sql")
    assert (printed.code, printed.err) == (0, "")
    assert "\x1b" not in printed.out
    place.execute(printed.out)
    assert place.command("grant-reader", name, "--user", "anna", "--sql").out == "-- nothing to do\n"
    assert place.command("grant-reader", name, "--user", "anna").out.endswith("Nothing to do.\n")
    assert set().union(*place.users_seen(name, "ben").values()) == {"anna"}
    place.execute(place.command("grant-reader", name, "--revoke", "--sql").out)
    assert place.users_seen(name, "ben") == {}


@pytest.mark.parametrize("name", ['we"ird', "back\\slash '%s", "n" * 63, "two\nlines", "ünïcödé " * 5])
def test_names_that_need_quotes_are_names_like_others(place: Place, name: str) -> None:
    role = place.reader("--user", "anna", name=name)
    assert set().union(*place.users_seen(role, "ben").values()) == {"anna"}
    assert place.command("grant-reader", role, "--user", "anna").out.endswith("Nothing to do.\n")


def test_what_is_made_later_is_granted_and_guarded_in_the_run_that_makes_it(place: Place) -> None:
    everybodys, annas = place.reader(), place.reader("--user", "anna")
    place.execute("CREATE TABLE notion_tasks_sync (LIKE notion_pages_sync INCLUDING ALL)")
    place.execute("ALTER TABLE notion_tasks_sync ENABLE ROW LEVEL SECURITY")
    place.execute(
        "INSERT INTO notion_tasks_sync (user_id, notion_database_id, database_name)"
        " VALUES ('anna', 'd', 'T'), ('ben', 'd', 'T')"
    )
    place.execute("DROP VIEW notion.worlds CASCADE")
    place.execute("CREATE TABLE notion_sync.later (user_id text)")
    place.execute("ALTER TABLE notion_sync.later ENABLE ROW LEVEL SECURITY")
    place.execute("CREATE POLICY tenant ON notion_sync.later USING (user_id = notion_sync.current_user_id())")
    place.execute(f"GRANT SELECT ON notion_sync.later TO {annas}; INSERT INTO notion_sync.later VALUES ('ben')")
    assert refresh(place.url) == []
    assert place.users_seen(everybodys)["public.notion_tasks_sync"] == {"anna", "ben"}
    assert place.users_seen(everybodys)["notion.worlds"] == {"anna", "ben"}
    seen = place.users_seen(annas, "ben")
    assert (seen["public.notion_tasks_sync"], seen["notion.worlds"], seen["notion_sync.later"]) == (
        {"anna"},
        {"anna"},
        set(),
    )


def test_a_reader_whose_role_is_gone_holds_up_nobody(place: Place) -> None:
    role = place.reader()
    place.execute(f"DROP OWNED BY {role}; DROP ROLE {place.roles.pop()}")
    assert refresh(place.url) == []


def test_of_a_user_who_is_forgotten_the_reader_sees_nobody(place: Place) -> None:
    role = place.reader("--user", "ben")
    # Bytes of files are left, since nobody says where they are.
    assert place.command("forget", "ben", "--disconnect", "--yes").out.startswith("Forgotten: user 'ben'.")
    assert set().union(*place.users_seen(role, "anna").values()) == set()
    assert place.execute("SELECT * FROM notion_sync.readers") == []


def test_readers_do_not_make_init_due(place: Place) -> None:
    place.reader("--user", "anna")
    assert "Everything is in place; nothing to do." in place.command("init", "--sql").out


def test_a_role_that_owns_nothing_is_told_who_may(place: Place) -> None:
    role, tool = place.new_role(), place.new_role()
    place.execute(f"DROP ROLE {tool}")
    for block in statements_shown("least-privilege.md", "adopted"):
        place.execute(block.replace("notion_pg_sync", tool))
    command = Command({"DATABASE_URL": make_conninfo(place.url, user=tool)})
    said = sentence_of(command("grant-reader", role), 3)
    assert said.startswith("this role does not own ")
    assert f"run 'notion-pg-sync grant-reader {role}', or what that prints with --sql." in said
    assert place.users_seen(role) == {}


def test_it_works_through_a_pooler_of_transactions(place: Place) -> None:
    role = place.new_role()
    with PgBouncer(place.url, [role]) as pooler:
        assert Command({"DATABASE_URL": pooler.url})("grant-reader", role, "--user", "anna").code == 0
        query = "SELECT DISTINCT user_id FROM notion.worlds"
        for user_id in ("ben", "", "anna", "ben"):
            assert place.as_role(role, query, user_id, pooler.url) == [("anna",)]


def test_a_name_that_postgresql_would_cut_is_refused(place: Place) -> None:
    said = sentence_of(place.command("grant-reader", "n" * 64, "--sql"))
    assert said == "the name of a role has at most 63 bytes: check the spelling."


def test_of_several_at_once_each_succeeds(place: Place) -> None:
    roles = [place.new_role() for _ in range(2)]
    with ThreadPoolExecutor() as threads:
        ended = list(threads.map(lambda role: place.command("grant-reader", role, "--user", "anna"), [*roles, *roles]))
    assert [(one.code, one.err) for one in ended] == [(0, "")] * 4
    assert [set().union(*place.users_seen(role, "ben").values()) for role in roles] == [{"anna"}] * 2


def test_another_role_that_gets_the_name_of_one_that_is_gone_is_given_nothing(place: Place) -> None:
    role = place.reader()
    place.execute(f"DROP OWNED BY {role}; DROP ROLE {role}; CREATE ROLE {role} LOGIN")
    assert refresh(place.url) == []
    assert set().union(*place.users_seen(role, "ben").values()) == set()
    assert place.command("grant-reader", role).out.startswith(f"The role '{role}' reads everybody's rows from now on: ")
    assert place.users_seen(role)["notion.worlds"] == {"anna", "ben"}


@pytest.mark.parametrize("options", [(), ("--user", "anna")])
def test_another_role_that_gets_the_name_of_one_that_was_renamed_is_given_nothing(
    place: Place, options: tuple[str, ...]
) -> None:
    role = place.reader(*options)
    place.execute(f"ALTER ROLE {role} RENAME TO {role}_old; CREATE ROLE {role} LOGIN")
    place.roles.append(f"{role}_old")
    assert refresh(place.url) == []
    assert set().union(*place.users_seen(role, "ben").values()) == set()
    for words in ((role,), (role, "--revoke")):
        said = sentence_of(place.command("grant-reader", *words))
        assert said.startswith(f"the role that was the reader '{role}' is called '{role}_old' now: ")
        assert f"notion-pg-sync grant-reader {role}_old --revoke" in said
    assert set().union(*place.users_seen(role, "ben").values()) == set()
    assert place.command("grant-reader", f"{role}_old", "--revoke").code == 0
    assert place.users_seen(f"{role}_old", "ben") == {}
    assert place.execute("SELECT * FROM notion_sync.readers") == []
    assert place.command("grant-reader", role, "--user", "anna").code == 0
    assert set().union(*place.users_seen(role, "ben").values()) == {"anna"}


def test_a_reader_that_gets_the_name_of_one_that_is_gone_does_not_see_its_rows(place: Place) -> None:
    bens, annas = place.reader("--user", "ben"), place.reader("--user", "anna")
    place.execute(f"DROP OWNED BY {bens}; DROP ROLE {bens}; ALTER ROLE {annas} RENAME TO {bens}")
    place.roles.remove(annas)
    assert set().union(*place.users_seen(bens, "ben").values()) == set()
    place.execute(f"ALTER ROLE {bens} RENAME TO {annas}")
    place.roles[:] = [annas]
    assert set().union(*place.users_seen(annas, "ben").values()) == {"anna"}


@pytest.mark.parametrize("options", [(), ("--user", "anna")])
def test_what_a_dump_brings_into_another_cluster_opens_nothing(place: Place, options: tuple[str, ...]) -> None:
    role = place.reader(*options)
    dump = subprocess.run([str(PG_DUMP), "--inserts", place.url], check=True, capture_output=True, text=True).stdout
    restored = f"restored_{uuid4().hex[:12]}"
    place.execute(f"CREATE DATABASE {restored}")
    try:
        there = Place(make_conninfo(place.url, dbname=restored))
        # What psql alone knows, and what servers older than this pg_dump do not.
        there.execute(re.sub(r"^(\\(un)?restrict|SET transaction_timeout) .*$", "", dump, flags=re.MULTILINE))
        there.execute("UPDATE notion_sync.readers SET role_oid = 1")  # as in a cluster whose roles have other numbers
        assert refresh(there.url) == []
        assert there.users_seen(role).keys() >= {"notion.worlds", "public.notion_worlds_sync"}
        assert set().union(*there.users_seen(role, "ben").values()) == set()
        assert there.command("grant-reader", role, *options).code == 0
        seen = there.users_seen(role, "ben")
        assert seen["notion.worlds"] == seen["public.notion_worlds_sync"] == ({"anna"} if options else {"anna", "ben"})
    finally:
        place.execute(f"DROP DATABASE {restored} WITH (FORCE)")


@pytest.mark.parametrize("options", [(), ("--user", "anna")])
def test_the_way_back_takes_what_is_on_a_table_or_a_view_that_was_renamed(
    place: Place, options: tuple[str, ...]
) -> None:
    role = place.reader(*options)
    place.execute("ALTER TABLE notion_worlds_sync RENAME TO old_worlds; ALTER VIEW notion.worlds RENAME TO old_worlds")
    assert refresh(place.url) == []
    assert place.command("grant-reader", role, "--revoke").code == 0
    assert place.users_seen(role, "ben") == {}
    assert place.execute("SELECT 1 FROM pg_policies WHERE %s = ANY (roles)", role) == []


PARTED = """
    CREATE TABLE notion_parted_sync (LIKE notion_pages_sync INCLUDING DEFAULTS) PARTITION BY LIST (user_id);
    CREATE TABLE parted_ben PARTITION OF notion_parted_sync FOR VALUES IN ('ben');
    ALTER TABLE notion_parted_sync ENABLE ROW LEVEL SECURITY;
    INSERT INTO notion_parted_sync (user_id, notion_database_id, database_name) VALUES ('ben', 'd', 'T');
"""


def test_a_partition_that_default_privileges_open_to_a_reader_of_one_user_is_taken_by_the_next_run(
    place: Place,
) -> None:
    role = place.reader("--user", "anna")
    place.execute(f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO {role}")
    place.execute(PARTED)
    assert place.users_seen(role)["public.parted_ben"] == {"ben"}
    assert "row level security is off on public.parted_ben" in place.command("doctor").out
    assert refresh(place.url) == []
    assert "public.parted_ben" not in place.users_seen(role)
    assert place.command("grant-reader", role, "--user", "anna").out.endswith("Nothing to do.\n")


def test_a_partition_with_row_level_security_gets_the_limit(place: Place) -> None:
    role = place.reader("--user", "anna")
    place.execute(PARTED)
    place.execute(f"ALTER TABLE parted_ben ENABLE ROW LEVEL SECURITY; GRANT SELECT ON parted_ben TO {role}")
    place.execute("CREATE POLICY everybody ON parted_ben USING (true)")
    assert refresh(place.url) == []
    assert place.users_seen(role, "ben")["public.parted_ben"] == set()


def test_a_partition_that_everybody_may_read_is_for_no_reader_of_one_user(place: Place) -> None:
    role = place.new_role()
    place.execute(PARTED)
    place.execute("GRANT SELECT ON parted_ben TO PUBLIC")
    said = sentence_of(place.command("grant-reader", role, "--user", "anna"))
    assert said.startswith("row level security is off on public.parted_ben, a partition that the role may read by ")
    fix = f'REVOKE SELECT ON "public"."parted_ben" FROM PUBLIC, "{role}";'
    assert fix in said
    place.execute(fix)
    assert place.command("grant-reader", role, "--user", "anna").code == 0
    assert "ben" not in set().union(*place.users_seen(role, "ben").values())


OWNERS_SEARCH = "notion_sync.own_search_matches(to_tsquery('simple', 'a:*'), NULL, 100)"


def test_the_search_with_its_owners_rights_shows_a_reader_of_one_user_nothing_of_others(place: Place) -> None:
    role, application = place.reader("--user", "anna"), place.new_role()
    place.execute("UPDATE notion_sync.search_documents SET tsv = 'a'")
    place.execute(f"GRANT {application} TO {role}; GRANT USAGE ON SCHEMA notion_sync TO {application}")
    place.execute(f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA notion_sync TO {application}")
    found = f"SELECT count(*) > 0 FROM {OWNERS_SEARCH}"
    assert place.as_role(role, found, "ben") == [(False,)]
    assert place.as_role(application, found, "ben") == [(True,)]
    place.execute(f"ALTER ROLE {role} RENAME TO {role}_2")
    assert place.as_role(f"{role}_2", found, "ben") == [(False,)]
    place.execute(f"ALTER ROLE {role}_2 RENAME TO {role}; UPDATE notion_sync.readers SET role_oid = 1")
    assert place.as_role(role, found, "ben") == [(False,)]


def test_the_right_to_search_with_the_owners_rights_is_taken_from_a_reader_of_one_user(place: Place) -> None:
    role, everybodys = place.reader("--user", "anna"), place.reader()
    for one in (role, everybodys):
        place.execute(f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA notion_sync TO {one}")
    assert place.command("grant-reader", role, "--user", "anna").code == 0
    with pytest.raises(errors.InsufficientPrivilege):
        place.as_role(role, f"SELECT {OWNERS_SEARCH}", "ben")
    place.as_role(everybodys, f"SELECT {OWNERS_SEARCH}", "ben")
    assert place.command("grant-reader", everybodys, "--revoke").code == 0
    with pytest.raises(errors.InsufficientPrivilege):
        place.as_role(everybodys, f"SELECT {OWNERS_SEARCH}", "ben")


@pytest.mark.parametrize(("options", "by_index"), [((), True), (("--user", "anna"), False)])
def test_only_a_reader_of_everybodys_rows_searches_by_the_index(
    place: Place, options: tuple[str, ...], by_index: bool
) -> None:
    role = place.reader(*options)
    with psycopg.connect(make_conninfo(place.url, user=role)) as session:
        session.execute("SET enable_seqscan = off")
        plan = session.execute("EXPLAIN SELECT 1 FROM notion_sync.search_documents WHERE tsv @@ 'word'::tsquery")
        assert ("Index Cond: (tsv @@" in str(plan.fetchall())) is by_index
