"""`init` on an empty database, on one that an application made, twice, at once, and where it must refuse."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from uuid import uuid4

import psycopg
import pytest
from psycopg.rows import dict_row

from notion_pg_sync.mirror.connection import PostgresError, open_pool
from notion_pg_sync.mirror.initialise import InitPlan, carry_out, plan_init
from notion_pg_sync.mirror.printed_plan import statements_of
from tests.conftest import with_database

Connection = psycopg.AsyncConnection[dict[str, object]]


async def init(database_url: str, *, row_security: bool = False) -> InitPlan:
    async with open_pool(database_url) as pool, pool.connection() as connection:
        plan = await plan_init(connection, row_security=row_security)
        await carry_out(connection, plan)
        return plan


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[Connection]:
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True, row_factory=dict_row) as opened:
        yield opened


@pytest.fixture
async def application(connection: Connection, app_schema: str) -> Connection:
    """A database as an application made it, with rows in it."""
    await connection.execute(app_schema.encode())
    return connection


async def rows(connection: Connection, query: str) -> list[dict[str, object]]:
    return await (await connection.execute(query)).fetchall()


async def run_printed(connection: Connection, printed: str) -> None:
    """Runs what `init --sql` prints as psql does, not all of it at once: a part commits by itself."""
    for part in re.split("^(?=-- )", printed, flags=re.MULTILINE):
        await connection.execute(part.encode())


async def test_an_empty_database_gets_everything_and_the_second_init_has_nothing_to_do(database_url: str) -> None:
    first = await init(database_url)
    assert not first.adopts
    assert (await init(database_url)).is_empty


async def test_keys_that_notion_does_not_know_are_told(database_url: str, application: Connection) -> None:
    await application.execute(
        "ALTER TABLE notion_characters_sync ADD CONSTRAINT one_name UNIQUE (user_id, name),"
        " ADD CONSTRAINT harmless UNIQUE (user_id, notion_page_id, name)"
    )
    await application.execute("CREATE UNIQUE INDEX by_title ON notion_stories_sync (lower(title))")
    told = [warning for warning in (await init(database_url)).warnings if "unknown to Notion" in warning]
    assert told == [
        "the unique key one_name (user_id, name) of public.notion_characters_sync is unknown to Notion: of pages that "
        "are the same there only one can be stored, and each run names the others.",
        "the unique key by_title of public.notion_stories_sync is unknown to Notion: of pages that are the same there "
        "only one can be stored, and each run names the others.",
    ]


async def test_an_applications_rows_are_all_kept(database_url: str, application: Connection) -> None:
    query = (
        "SELECT id, notion_page_id, user_id, name AS title FROM notion_characters_sync "
        "UNION ALL SELECT id, notion_page_id, user_id, title FROM notion_stories_sync ORDER BY id"
    )
    before = await rows(application, query)
    plan = await init(database_url)
    assert plan.adopts
    assert await rows(application, query) == before
    assert len(before) == 3
    assert (await init(database_url)).is_empty


async def test_two_users_may_share_a_page_afterwards(database_url: str, application: Connection) -> None:
    plan = await init(database_url)
    await application.execute(
        "INSERT INTO notion_stories_sync (notion_page_id, notion_database_id, user_id)"
        " SELECT notion_page_id, notion_database_id, 'somebody-else' FROM notion_stories_sync"
    )
    assert any("ON CONFLICT (notion_page_id)" in warning for warning in plan.warnings)


ID = "abcdef00-0000-4000-8000-00000000000"
IN_CHATS = (
    "INSERT INTO notion_chat_sessions_sync (notion_page_id, notion_database_id, user_id, title, updated_at) VALUES "
)


async def test_page_ids_are_written_as_most_are_and_of_double_rows_the_newest_stays(
    database_url: str, application: Connection
) -> None:
    await application.execute(
        IN_CHATS.encode()
        + b"""
            ('ABCDEF00-0000-4000-8000-000000000001', 'd', 'u', 'older', '2026-01-01'),
            ('abcdef00000040008000000000000001', 'd', 'u', 'newer', '2026-02-01'),
            ('abcdef00000040008000000000000002', 'd', 'u', 'alone', '2026-01-01'),
            ('abcdef00-0000-4000-8000-000000000003', 'd', 'u', 'dashed', '2026-01-01'),
            ('not a page id', 'd', 'u', 'strange', '2026-01-01'),
            (NULL, 'd', 'u', 'not in Notion', '2026-01-01')
        """
    )
    plan = await init(database_url)
    (chats,) = [relation for relation in plan.relations if relation.relation == "public.notion_chat_sessions_sync"]
    said = [change.says for change in chats.every]
    wanted = [
        "add a trigger that writes every page id without dashes, so that a page has one row however its id is written",
        "move 1 duplicate row to notion_sync.removed_pages (of each page the newest row stays)",
        "write 2 page ids without dashes, as the others are, and fill page_id in 4 rows, some thousand at a time",
    ]
    assert [one for one in said if one in wanted] == wanted
    found = await rows(application, "SELECT notion_page_id, title FROM notion_chat_sessions_sync ORDER BY title")
    assert [(row["notion_page_id"], row["title"]) for row in found] == [
        ("abcdef00000040008000000000000002", "alone"),
        ("abcdef00000040008000000000000003", "dashed"),
        ("abcdef00000040008000000000000001", "newer"),
        (None, "not in Notion"),
        ("not a page id", "strange"),
    ]
    removed = await rows(application, "SELECT reason, row ->> 'title' AS title FROM notion_sync.removed_pages")
    assert removed == [{"reason": "duplicate", "title": "older"}]
    assert (await init(database_url)).is_empty


async def test_a_table_that_an_earlier_init_wrote_with_dashes_keeps_them(
    database_url: str, application: Connection
) -> None:
    await application.execute(IN_CHATS.encode() + f"('{ID}1', 'd', 'u', 't', now())".encode())
    await init(database_url)
    await application.execute("DROP TRIGGER notion_sync_page_id ON notion_chat_sessions_sync")
    await init(database_url)
    await application.execute(
        IN_CHATS.encode()
        + f"('{ID.replace('-', '')}1', 'd', 'u', 'again', now())"
        " ON CONFLICT (user_id, notion_page_id) DO UPDATE SET title = EXCLUDED.title".encode()
    )
    assert await rows(application, "SELECT notion_page_id, title FROM notion_chat_sessions_sync") == [
        {"notion_page_id": f"{ID}1", "title": "again"}
    ]


async def test_a_row_that_is_written_while_init_looks_is_spelled_too(
    database_url: str, application: Connection
) -> None:
    for number in (1, 3, 4):
        await application.execute(IN_CHATS.encode() + f"('{ID}{number}', 'd', 'u', 't', now())".encode())
    async with await psycopg.AsyncConnection.connect(database_url) as writer:
        plain = ID.replace("-", "")
        await writer.execute(
            IN_CHATS.encode() + f"('{plain}2', 'd', 'u', 't', now()), ('{plain}1', 'd', 'u', 'newer', now())".encode()
        )
        at_work = asyncio.create_task(init(database_url))
        waiting = "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'notion_chat_sessions_sync'::regclass"
        while not await rows(application, waiting):
            assert not at_work.done()
            await asyncio.sleep(0.02)
        await writer.commit()
    await at_work
    found = await rows(application, "SELECT notion_page_id, title FROM notion_chat_sessions_sync ORDER BY 1")
    titles = {row["notion_page_id"]: row["title"] for row in found}
    assert titles == {f"{ID}1": "newer", f"{ID}2": "t", f"{ID}3": "t", f"{ID}4": "t"}
    assert (await init(database_url)).is_empty


async def test_row_security_of_an_adopted_table_is_switched_on_only_when_asked(
    database_url: str, application: Connection
) -> None:
    query = "SELECT relrowsecurity AS on FROM pg_class WHERE oid = 'notion_worlds_sync'::regclass"
    plan = await init(database_url)
    assert await rows(application, query) == [{"on": False}]
    assert any("row level security is off on public.notion_worlds_sync" in warning for warning in plan.warnings)
    await init(database_url, row_security=True)
    assert await rows(application, query) == [{"on": True}]


async def test_the_printed_sql_does_the_same(database_url: str, application: Connection) -> None:
    async with open_pool(database_url) as pool, pool.connection() as connection:
        printed = statements_of(await plan_init(connection), connection)
    await run_printed(application, printed)
    assert (await init(database_url)).is_empty
    query = "SELECT page_id = notion_page_id::uuid AS is_filled FROM notion_stories_sync"
    assert await rows(application, query) == [{"is_filled": True}]


async def test_two_at_once_both_succeed(database_url: str) -> None:
    await asyncio.gather(*(init(database_url) for _ in range(4)))
    assert (await init(database_url)).is_empty


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
async def test_a_database_that_cannot_hold_every_text_is_refused(
    postgres_server: str, administrator: psycopg.Connection, encoding: str
) -> None:
    name = f"test_{uuid4().hex}"
    administrator.execute(
        f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LOCALE_PROVIDER libc LOCALE 'C'".encode()
    )
    try:
        with pytest.raises(PostgresError, match=f"encoded in {encoding}.* make one in UTF8"):
            async with open_pool(with_database(postgres_server, name)):
                pass
    finally:
        administrator.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


async def test_a_database_of_a_newer_version_is_refused(database_url: str, connection: Connection) -> None:
    await init(database_url)
    await connection.execute(
        "INSERT INTO notion_sync.migrations (version, name, must_know) VALUES (9999, 'from the future', 9999)"
    )
    with pytest.raises(PostgresError, match=r"newer notion-pg-sync .*upgrade"):
        await init(database_url)


async def test_tables_of_another_owner_are_named_and_left(database_url: str, application: Connection) -> None:
    await application.execute("DROP ROLE IF EXISTS init_test_tool")
    await application.execute("CREATE ROLE init_test_tool LOGIN")
    try:
        await application.execute(f"GRANT CREATE ON DATABASE {application.info.dbname} TO init_test_tool")
        await application.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO init_test_tool")
        url = psycopg.conninfo.make_conninfo(database_url, user="init_test_tool")
        plan = await init(url)
        assert {relation.owner for relation in plan.for_others()} == {application.info.user}
        assert len(plan.for_others()) == 5
        columns = await rows(
            application, "SELECT 1 FROM pg_attribute WHERE attrelid = 'notion_pages_sync'::regclass AND attname = 'url'"
        )
        assert columns == []
    finally:
        await application.execute("DROP OWNED BY init_test_tool")
        await application.execute("DROP ROLE init_test_tool")


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("ALTER TABLE notion_worlds_sync ALTER content_hash TYPE bytea USING NULL", "content_hash is of type bytea"),
        ("ALTER TABLE notion_worlds_sync ADD mood text NOT NULL", "mood is NOT NULL without a default"),
        ("ALTER TABLE notion_worlds_sync DROP COLUMN user_id", "has no column user_id"),
        (
            "CREATE TABLE notes (page text REFERENCES notion_stories_sync (notion_page_id))",
            "foreign keys need it (public.notes.notes_page_fkey)",
        ),
    ],
)
async def test_what_stands_in_the_way_is_named(
    database_url: str, application: Connection, statement: str, problem: str
) -> None:
    await application.execute(statement)
    async with open_pool(database_url) as pool, pool.connection() as connection:
        plan = await plan_init(connection)
    assert any(problem in told for told in plan.problems)


async def test_double_rows_are_left_where_a_foreign_key_points_at_them(
    database_url: str, application: Connection
) -> None:
    await application.execute(
        """
        CREATE TABLE notes (chat uuid REFERENCES notion_chat_sessions_sync (id) ON DELETE CASCADE);
        INSERT INTO notion_chat_sessions_sync (notion_page_id, notion_database_id, user_id)
        VALUES ('abcdef00000040008000000000000001', 'd', 'u'), ('abcdef00-0000-4000-8000-000000000001', 'd', 'u')
        """
    )
    async with open_pool(database_url) as pool, pool.connection() as connection:
        plan = await plan_init(connection)
    assert any("holds 1 page twice" in told for told in plan.problems)
