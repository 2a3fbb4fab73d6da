"""What a transaction sets for itself, and by which names its statements go."""

from __future__ import annotations

from collections.abc import AsyncIterator

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from psycopg import errors, sql
from psycopg.conninfo import make_conninfo

from notion_pg_sync.mirror.connection import Connection, Pool, PostgresError, fetch_value, open_pool, transaction
from notion_pg_sync.mirror.reliance import with_temporary_last

RELIED_ON = {
    "search_path": "pg_catalog, pg_temp",
    "client_encoding": "UTF8",
    "IntervalStyle": "postgres",
    "standard_conforming_strings": "on",
    "array_nulls": "on",
    "extra_float_digits": "1",
    "quote_all_identifiers": "off",
    "row_security": "on",
    "plan_cache_mode": "force_generic_plan",
    "lock_timeout": "1min",
    "statement_timeout": "5min",
    "transaction_isolation": "read committed",
}


def execute(url: str, statement: str, *parameters: object) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement.encode(), parameters)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    """On a database whose own path leads to an application's tables."""
    execute(
        database_url,
        f"ALTER DATABASE {psycopg.conninfo.conninfo_to_dict(database_url)['dbname']}"
        " SET search_path = application, public",
    )
    execute(database_url, "CREATE SCHEMA application; CREATE TABLE application.things (name text)")
    async with open_pool(database_url, 1) as opened:
        yield opened


async def setting(connection: Connection, name: str) -> object:
    return await fetch_value(connection, "SELECT current_setting(%s)", name)


async def test_every_transaction_sets_what_it_relies_on_and_leaves_nothing_behind(pool: Pool) -> None:
    async with transaction(pool) as connection:
        found = {name: await setting(connection, name) for name in RELIED_ON}
        assert str(await setting(connection, "DateStyle")).startswith("ISO")
    assert found == RELIED_ON
    async with pool.connection() as connection:
        plain = psycopg.AsyncCursor(connection)
        await plain.execute("SHOW search_path")
        assert await plain.fetchone() == ("application, public",)


async def test_the_applications_names_are_found_as_it_has_them_and_temporary_ones_last(pool: Pool) -> None:
    async with transaction(pool) as connection:
        with connection.as_application():
            assert await fetch_value(connection, "SELECT pg_catalog.current_setting('search_path')") == (
                "application, public, pg_temp"
            )
        assert await setting(connection, "search_path") == "pg_catalog, pg_temp"


async def test_a_block_that_failed_leaves_the_names_as_they_were_before_it(pool: Pool) -> None:
    async with transaction(pool) as connection:
        for within in (True, False):
            with pytest.raises(errors.UndefinedTable):
                async with connection.transaction():
                    if within:
                        with connection.as_application():
                            await connection.execute("SELECT FROM nothing")
                    await connection.execute("SELECT FROM nothing")
            assert await setting(connection, "search_path") == "pg_catalog, pg_temp"
        with connection.as_application():
            with pytest.raises(errors.UndefinedTable):
                async with connection.transaction():
                    await connection.execute("SELECT FROM nothing")
            assert str(await setting(connection, "search_path")).startswith("application")


async def test_a_statement_by_itself_is_a_transaction_too(pool: Pool) -> None:
    async with pool.connection() as connection:
        assert await setting(connection, "search_path") == "pg_catalog, pg_temp"
        assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE


async def test_a_constraint_trigger_that_the_application_deferred_finds_its_tables(
    pool: Pool, database_url: str
) -> None:
    execute(
        database_url,
        """
        CREATE TABLE application.log (name text);
        CREATE FUNCTION application.note() RETURNS trigger LANGUAGE plpgsql AS
            'BEGIN INSERT INTO log VALUES (NEW.name); RETURN NULL; END';
        CREATE CONSTRAINT TRIGGER note AFTER INSERT ON application.things DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION application.note()
        """,
    )
    async with transaction(pool) as connection:
        with connection.as_application():
            await connection.execute("INSERT INTO application.things VALUES ('one')")
        await setting(connection, "search_path")
    assert execute(database_url, "SELECT name FROM application.log") == [("one",)]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1, max_size=20), max_size=4))
@example(["$user", 'a"b', "a, b", "Ä ", "pg_temp", "UPPER", " "])
def test_a_path_is_read_as_postgresql_reads_it(administrator: psycopg.Connection, names: list[str]) -> None:
    names = [name for name in names if len(name.encode()) < 64]
    path = sql.SQL(", ").join(map(sql.Literal, names or [""]))
    with administrator.transaction(force_rollback=True):
        administrator.execute(sql.SQL("SET LOCAL search_path = {}").format(path))
        ((written,),) = administrator.execute("SHOW search_path")
    assert with_temporary_last(written) == [*(name for name in names if not name.startswith("pg_temp")), "pg_temp"]


@pytest.mark.parametrize(
    ("written", "schemas"),
    [
        ("", ["pg_temp"]),
        ('""', ["pg_temp"]),
        ("App,public", ["app", "public", "pg_temp"]),
        (' "$user" , PUBLIC ', ["$user", "public", "pg_temp"]),
        ("pg_temp, app", ["app", "pg_temp"]),
        ("my-schema, a.b", ["my-schema", "a.b", "pg_temp"]),
    ],
)
def test_a_path_as_people_write_it_in_a_configuration(written: str, schemas: list[str]) -> None:
    assert with_temporary_last(written) == schemas


async def told(url: str) -> PostgresError:
    async with open_pool(url, 1) as pool:
        with pytest.raises(PostgresError) as caught:
            async with transaction(pool) as connection:
                await connection.execute("CREATE TABLE public.mine ()")
        return caught.value


@pytest.mark.parametrize(
    ("statement", "where"),
    [
        ("ALTER DATABASE {database} SET default_transaction_read_only = on", "for the database {database}"),
        ("ALTER ROLE {role} SET default_transaction_read_only = on", "for the role {role}"),
        (
            "ALTER ROLE {role} IN DATABASE {database} SET default_transaction_read_only = on",
            "for the role {role} in the database {database}",
        ),
    ],
)
async def test_a_read_only_setting_is_told_with_its_place_and_what_takes_it_away(
    database_url: str, login: str, statement: str, where: str
) -> None:
    names = {"database": psycopg.conninfo.conninfo_to_dict(database_url)["dbname"], "role": login}
    url = make_conninfo(database_url, user=login)
    execute(database_url, f"GRANT CREATE ON SCHEMA public TO {login}")
    execute(database_url, statement.format(**names))
    error = await told(url)
    assert f"default_transaction_read_only is on {where.format(**names)}: if it is to be written, type" in str(error)
    with psycopg.connect(database_url, autocommit=True) as connection:
        for line in error.fix.splitlines():
            connection.execute(line.encode())
    async with open_pool(url, 1) as pool, transaction(pool) as connection:
        await connection.execute("CREATE TABLE public.mine ()")


async def test_a_read_only_option_of_the_address_is_told(database_url: str) -> None:
    error = await told(make_conninfo(database_url, options="-cdefault_transaction_read_only=on"))
    assert "is on by the options of DATABASE_URL, or by PGOPTIONS." in str(error)
