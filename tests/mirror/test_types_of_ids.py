"""The functions that applications call take ids as text and as uuid, whatever form of call and driver brings them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from itertools import product
from uuid import UUID

import psycopg
import pytest

from tests.mirror.test_sync_requests import init

ANNA = "0a1b2c3d-0000-4000-8000-000000000001"
WORLDS = "0a1b2c3d-0000-4000-8000-00000000000a"
SOURCE = "0a1b2c3d-0000-4000-8000-00000000000b"
ARRAKIS = "0a1b2c3d-0000-4000-8000-00000000000c"

Connection = psycopg.Connection[tuple[object, ...]]

# An id as an application may have it: how it is written, and what a driver sends for it.
Form = tuple[str, Sequence[object]]


def forms(written: str) -> dict[str, Form]:
    return {
        "a literal": (f"'{written}'", ()),
        "a text": (f"'{written}'::text", ()),
        "a varchar": (f"'{written}'::varchar(40)", ()),
        "a driver's string": ("%s", (written,)),
        "a uuid": (f"'{written}'::uuid", ()),
        "a driver's uuid": ("%s", (UUID(written),)),
        "a function of uuid": (f"auth.uid('{written}')", ()),
        "a domain": (f"'{written}'::auth.key", ()),
    }


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    """A copy with one page; `auth.uid` is a function like those that platforms have."""
    asyncio.run(init(database_url))
    with psycopg.connect(database_url, autocommit=True) as opened:
        opened.execute("CREATE SCHEMA auth")
        opened.execute("CREATE FUNCTION auth.uid(text) RETURNS uuid STABLE LANGUAGE sql AS 'SELECT $1::uuid'")
        opened.execute("CREATE DOMAIN auth.key AS uuid")
        opened.execute("INSERT INTO notion_sync.accounts (user_id) VALUES (%s)", (ANNA,))
        opened.execute(
            "INSERT INTO notion_sync.databases (user_id, database_id, name) VALUES (%s, %s, 'Worlds')", (ANNA, WORLDS)
        )
        opened.execute(
            "INSERT INTO notion_sync.data_sources (user_id, data_source_id, database_id, database_name, view_name,"
            " name, sync_table, schema, schema_fingerprint) VALUES (%s, %s, %s, 'Worlds', '', '', '', '{}', '')",
            (ANNA, SOURCE, WORLDS),
        )
        opened.execute(
            "INSERT INTO notion_sync.pages (user_id, page_id, data_source_id, source_hash) VALUES (%s, %s, %s, '')",
            (ANNA, ARRAKIS, SOURCE),
        )
        yield opened


def answers(connection: Connection, calls: dict[object, tuple[str, Sequence[object]]]) -> dict[object, list[object]]:
    """The first column of what each call answers, the same request for all as they ask for the same."""
    return {
        name: [row[0] for row in connection.execute(f"SELECT * FROM {call}".encode(), parameters)]
        for name, (call, parameters) in calls.items()
    }


def test_everything_of_a_user_is_asked_for_with_any_type_of_id(connection: Connection) -> None:
    for how in ("", "user_id => "):
        calls: dict[object, tuple[str, Sequence[object]]] = {
            name: (f"notion_sync.sync_all_notion_databases({how}{written})", parameters)
            for name, (written, parameters) in forms(ANNA).items()
        }
        found = answers(connection, calls)
        assert found == dict.fromkeys(calls, found["a literal"])
    assert len(found["a literal"]) == 1


@pytest.mark.parametrize(
    ("function", "second", "named"),
    [
        ("sync_notion_database", WORLDS, "database_id"),
        ("sync_notion_page", ARRAKIS, "page_id"),
    ],
)
def test_a_database_and_a_page_are_asked_for_with_any_types_of_ids(
    connection: Connection, function: str, second: str, named: str
) -> None:
    seen = set()
    for users, ids, reverse in (("{}", "{}", False), ("user_id => {}", f"{named} => {{}}", True)):
        for (user, (user_form, user_sent)), (thing, (id_form, id_sent)) in product(
            forms(ANNA).items(), forms(second).items()
        ):
            given = [(users.format(user_form), user_sent), (ids.format(id_form), id_sent)]
            if reverse:
                given.reverse()
            call = f"notion_sync.{function}({', '.join(written for written, _ in given)})"
            sent = [value for _, values in given for value in values]
            ((number,),) = connection.execute(f"SELECT {call}".encode(), sent).fetchall()
            seen.add(number)
            assert number is not None, (user, thing)
    assert len(seen) == 1


@pytest.mark.parametrize("nothing", ["NULL", "%s", "NULL::text", "NULL::uuid", "''"])
def test_a_name_is_asked_for_where_the_id_is_null_of_any_type(connection: Connection, nothing: str) -> None:
    sent = (None,) if nothing == "%s" else ()
    for user, user_sent in forms(ANNA).values():
        for call in (
            f"notion_sync.sync_notion_database({user}, {nothing}, 'Worlds')",
            f"notion_sync.sync_notion_database(user_id => {user}, database_id => {nothing}, database_name => 'Worlds')",
        ):
            connection.execute(f"SELECT {call}".encode(), (*user_sent, *sent))
    asked = connection.execute("SELECT user_id, database_id FROM notion_sync.sync_requests").fetchall()
    assert asked == [(ANNA, WORLDS)]


def test_a_user_who_is_null_of_any_type_is_a_row(connection: Connection) -> None:
    for nobody in ("NULL", "NULL::text", "NULL::uuid", "%s"):
        sent = (None,) if nobody == "%s" else ()
        call = f"SELECT problem FROM notion_sync.sync_all_notion_databases({nobody})"
        ((problem,),) = connection.execute(call.encode(), sent).fetchall()
        assert str(problem).startswith("no user is given")


def test_a_statement_that_is_prepared_without_types_takes_texts(connection: Connection) -> None:
    for call in (
        "notion_sync.sync_all_notion_databases($1)",
        "notion_sync.sync_notion_database($1, $2)",
        "notion_sync.sync_notion_page($1, $2)",
    ):
        connection.execute(f"PREPARE asking AS SELECT {call}".encode())
        types = connection.execute("SELECT DISTINCT unnest(parameter_types)::text FROM pg_prepared_statements")
        assert types.fetchall() == [("text",)]
        connection.execute("DEALLOCATE asking")


def test_what_reads_pages_takes_any_type_of_id_too(connection: Connection) -> None:
    for written, sent in forms(ANNA).values():
        connection.execute(f"SELECT * FROM notion_sync.get_notion_page({written}, NULL, 'Arrakis')".encode(), sent)
        connection.execute(f"SELECT * FROM notion_sync.search('Arrakis', {written})".encode(), sent)
        connection.execute(f"SELECT * FROM notion_sync.search(query => 'a', user_id => {written})".encode(), sent)
    connection.execute("SELECT * FROM notion_sync.search('Arrakis', NULL)")
    connection.execute("SELECT * FROM notion_sync.search('Arrakis', databases => '{Worlds}')")
