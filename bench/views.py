"""Typed views of 100,000 rows of 40 properties: what an analyst asks, as the owner and behind row level security."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Iterator

import psutil
import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from notion_pg_sync.mirror.connection import open_pool
from notion_pg_sync.mirror.views import refresh_views

ROWS = 100_000
SOURCE = "22222222-2222-4222-8222-222222222222"
_GROUPS = {"To-do": "Open", "In progress": "Doing", "Complete": "Done"}
_OTHERS = ("number", "checkbox", "date", "multi_select", "people", "created_time")

# Of the properties beside title, status, relations and texts: the column's type, and a value of row `n`.
_VALUES = {
    "number": ("numeric", "n * 1.5"),
    "checkbox": ("boolean", "n % 2 = 0"),
    "date": ("date", "date '2026-01-01' + n % 300"),
    "multi_select": ("text[]", "ARRAY['home', 'b' || n % 7]"),
    "people": ("uuid[]", "ARRAY[md5('p' || n % 50)::uuid]"),
    "created_time": ("timestamptz", "'2026-01-02T03:04:05+00:00'::text"),
    "relation": ("uuid[]", "ARRAY[md5((n % 997)::text)::uuid, md5((n % 991)::text)::uuid]"),
}


def properties_of(text_length: int) -> list[tuple[str, str, str, str]]:
    """40 properties: name, Notion's type, the column's type, and an SQL expression for the value of row `n`."""
    text = f"left(repeat(md5(n::text) || ' ', 20), {text_length})"
    return [
        ("name", "title", "text", "'Task ' || n"),
        ("status", "status", "text", "(ARRAY['Open', 'Doing', 'Done'])[n % 3 + 1]"),
        *((f"related{number}", "relation", *_VALUES["relation"]) for number in range(3)),
        *((f"text{number}", "rich_text", "text", text) for number in range(8)),
        *(
            (f"other{number}", kind, *_VALUES[kind])
            for number in range(27)
            for kind in [_OTHERS[number % len(_OTHERS)]]
        ),
    ]


def fill(connection: psycopg.Connection, text_length: int) -> None:
    """A user's data source with its rows, documents and people, in place of what there was."""
    properties = properties_of(text_length)
    options = [{"id": name, "name": name} for name in _GROUPS.values()]
    groups = [{"name": group, "option_ids": [name]} for group, name in _GROUPS.items()]
    schema = {
        "status": {"id": "status", "name": "status", "type": "status", "status": {"options": options, "groups": groups}}
    }
    connection.execute("DELETE FROM notion_sync.accounts; TRUNCATE notion_pages_sync")
    connection.execute("INSERT INTO notion_sync.accounts (user_id, views) VALUES ('bench', true)")
    connection.execute(
        "INSERT INTO notion_sync.databases (user_id, database_id, name) VALUES ('bench', %s, 'Tasks')", (SOURCE,)
    )
    connection.execute(
        """
        INSERT INTO notion_sync.data_sources
            (user_id, data_source_id, database_id, database_name, view_name, name, sync_table, schema,
             schema_fingerprint)
        VALUES ('bench', %s, %s, 'Tasks', 'tasks', 'Tasks', 'public.notion_pages_sync', %s, '')
        """,
        (SOURCE, SOURCE, Jsonb(schema)),
    )
    for name, kind, type_, _ in properties:
        connection.execute(
            "INSERT INTO notion_sync.columns VALUES ('bench', %s, %s, 'value', %s, %s, %s, %s)",
            (SOURCE, name, name, kind, name, type_),
        )
    plain = sql.SQL(", ").join(
        sql.SQL("{}, {}").format(sql.Literal(name), sql.SQL(value)) for name, _, _, value in properties
    )
    connection.execute(
        sql.SQL(
            """
            INSERT INTO notion_pages_sync
                (notion_page_id, page_id, notion_database_id, notion_data_source_id, database_name, user_id, title,
                 properties, fields, url, notion_created_at, notion_edited_at)
            SELECT md5(n::text)::uuid, md5(n::text)::uuid, {source}, {source}, 'Tasks', 'bench', 'Task ' || n,
                   (SELECT jsonb_object_agg(key, jsonb_build_object('id', key, 'type', 'any', 'any', value,
                        'annotations', '{{"bold": false, "italic": false, "color": "default"}}'::jsonb))
                    FROM jsonb_each(fields)),
                   fields, 'https://www.notion.so/' || md5(n::text), '2026-01-01',
                   timestamptz '2026-01-01' + n % 50000 * interval '1 minute'
            FROM generate_series(1, {rows}) AS n, LATERAL jsonb_build_object({plain}) AS fields;
            INSERT INTO notion_sync.search_documents (user_id, page_id, data_source_id, title, text, tsv, is_cut)
            SELECT 'bench', md5(n::text)::uuid, {source}, 'Task ' || n, '', to_tsvector('simple', 'Task ' || n), false
            FROM generate_series(1, {rows}) AS n;
            INSERT INTO notion_sync.users (user_id, id, kind, name)
            SELECT 'bench', md5('p' || n)::uuid, 'person', 'Person ' || n FROM generate_series(0, 49) AS n
            """
        ).format(source=SOURCE, rows=ROWS, plain=plain)
    )
    connection.execute("VACUUM ANALYZE")


def make_views(url: str) -> None:
    """Makes the views, as a sync does."""

    async def made() -> list[str]:
        async with open_pool(url) as pool, pool.connection() as connection:
            return await refresh_views(connection)

    assert asyncio.run(made()) == []


def questions(connection: psycopg.Connection) -> dict[str, str]:
    """What is asked, by what it is."""
    found = connection.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'notion.tasks'::regclass AND attnum > 0"
    ).fetchall()
    untitled = sql.SQL(", ").join(sql.Identifier(name) for (name,) in found if not name.endswith("_titles"))
    return {
        "count": "SELECT count(*) FROM notion.tasks",
        "a third, by status": "SELECT page_id, name FROM notion.tasks WHERE status = 'Done'",
        "one, by page id": "SELECT * FROM notion.tasks WHERE page_id = md5('4711')::uuid",
        "one, by title": "SELECT * FROM notion.tasks WHERE name = 'Task 4711'",
        "ten latest edits": "SELECT * FROM notion.tasks ORDER BY notion_edited_at DESC LIMIT 10",
        "group by tag": "SELECT value, count(*) FROM notion.tasks__other3 GROUP BY value",
        "all, without titles": sql.SQL("SELECT {} FROM notion.tasks").format(untitled).as_string(),
        "all": "SELECT * FROM notion.tasks",
    }


def seconds_of(connection: psycopg.Connection, query: str, times: int) -> tuple[float, float]:
    """How long PostgreSQL takes to give an answer as text, and of that its processor: the median, and the mean.

    Without parallel workers, so that it is one process.
    """
    backend = psutil.Process(connection.info.backend_pid)
    taken = []
    before = sum(backend.cpu_times()[:2])
    for _ in range(times):
        began = time.monotonic()
        with connection.cursor().copy(sql.SQL("COPY ({}) TO STDOUT").format(sql.SQL(query))) as answer:
            for _ in answer:
                pass
        taken.append(time.monotonic() - began)
    return statistics.median(taken), (sum(backend.cpu_times()[:2]) - before) / times


def answers(url: str, text_length: int) -> Iterator[tuple[str, float, float]]:
    """What was asked, of rows of what size and as whom, and how long the answer took, see `seconds_of`."""
    with psycopg.connect(url, autocommit=True) as connection:
        fill(connection, text_length)
        make_views(url)
        size = connection.execute("SELECT avg(pg_column_size(fields))::integer FROM notion_pages_sync").fetchone()
        asked = questions(connection)
        role = f"tenant_{connection.info.dbname}"
        connection.execute(
            f"CREATE ROLE {role}; GRANT USAGE ON SCHEMA notion, notion_sync TO {role};"
            f" GRANT SELECT ON ALL TABLES IN SCHEMA notion, notion_sync TO {role};"
            f" GRANT SELECT ON notion_pages_sync TO {role};"
            " SET app.user_id = 'bench'; SET max_parallel_workers_per_gather = 0".encode()
        )
        try:
            for who in ("owner", "tenant"):
                connection.execute(f"SET ROLE {role if who == 'tenant' else 'NONE'}".encode())
                for what, query in asked.items():
                    case = f"view, {ROWS:,} rows, fields of {size[0] if size else 0} bytes, {what}, as {who}"
                    yield case, *seconds_of(connection, query, 1 if what.startswith("all") else 5)
        finally:
            connection.execute(f"RESET ROLE; DROP OWNED BY {role}; DROP ROLE {role}".encode())
