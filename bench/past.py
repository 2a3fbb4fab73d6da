"""What the history costs: a first read and changed rows with it and without it, and the past at a time."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from dataclasses import replace

import psutil
import psycopg
from psycopg import sql

from bench.stand import Line, Measured, Stand

ROWS, CHANGED, TURNS = 20_000, 1_000, 9
PAGES, CHANGES_PER_PAGE = (1_000, 100_000), 10
NO_LIMIT = ("--requests-per-minute", "1000000")
# Whether changes are recorded, by whose rows they are.
USERS = {"with": True, "without": False}
_TARGETS = {"first": 1.0, "changed": 1.15}
_MOST_OF_PLAIN = 2


def writes(stand: Stand) -> Iterator[Line]:
    """A first read, and `CHANGED` changed rows, of users with and without history, in turns; the medians."""
    databases = {name: _connect(stand, name, has_history=has_history) for name, has_history in USERS.items()}
    first = {name: stand.sync_all("--user", name, *NO_LIMIT) for name in databases}
    yield from _compared(f"first read, {ROWS:,} rows", ROWS, first, _TARGETS["first"])
    turns = []
    for turn in range(TURNS):
        names = list(databases)[:: -1 if turn % 2 else 1]
        for name in names:
            pages = stand.steer("page_ids", data_source=databases[name])
            assert isinstance(pages, list)
            for page in pages[turn :: ROWS // CHANGED]:
                stand.steer("edit_page", page_id=page, values={"Amount": turn + 1})
        stand.steer("clock.advance", seconds=3600)
        turns.append({name: stand.sync_all("--user", name, *NO_LIMIT) for name in names})
    medians = {
        name: replace(
            turns[0][name],
            seconds=statistics.median(turn[name].seconds for turn in turns),
            cpu_seconds=statistics.median(turn[name].cpu_seconds for turn in turns),
            postgres_cpu_seconds=statistics.median(turn[name].postgres_cpu_seconds or 0.0 for turn in turns),
        )
        for name in databases
    }
    yield from _compared(f"{CHANGED:,} of {ROWS:,} rows changed", CHANGED, medians, _TARGETS["changed"])


def _connect(stand: Stand, user_id: str, *, has_history: bool) -> str:
    token = stand.add_token(user_id)
    name = f"Rows {user_id}"
    database_id, data_source_id = stand.add_database(name, user_id, rows=ROWS)
    stand.connect(user_id, token, {name: database_id})
    with psycopg.connect(stand.database_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO notion_sync.accounts (user_id, history) VALUES (%s, %s)", (user_id, has_history)
        )
    stand.render(token, data_source_id, ROWS)
    return name


def _compared(what: str, rows: int, measured: dict[str, Measured], most: float) -> Iterator[Line]:
    without, with_ = measured["without"], measured["with"]
    yield Line(f"{what}, without history", rows, without)
    ratio = with_.seconds / without.seconds
    cpu = _cpu_seconds(with_) / _cpu_seconds(without)
    note = f"{ratio:.2f} times as long, {cpu:.2f} times the CPU of the tool and PostgreSQL; target {most:.2f}"
    yield Line(f"{what}, with history", rows, with_, note)


def _cpu_seconds(measured: Measured) -> float:
    return measured.cpu_seconds + (measured.postgres_cpu_seconds or 0.0)


_FILL = (
    "INSERT INTO notion_sync.accounts (user_id) VALUES ('past')",
    """
    INSERT INTO notion_sync.databases (user_id, database_id, name)
    SELECT 'past', md5(pages::text)::uuid, pages::text FROM unnest(%(pages)s::integer[]) AS pages
    """,
    """
    INSERT INTO notion_sync.data_sources
        (user_id, data_source_id, database_id, database_name, view_name, name, sync_table, schema, schema_fingerprint,
         history_since)
    SELECT 'past', md5(pages::text)::uuid, md5(pages::text)::uuid, pages::text, 'past' || pages, pages::text,
           'public.notion_pages_sync', '{}', '', now() - interval '400 days'
    FROM unnest(%(pages)s::integer[]) AS pages
    """,
    """
    INSERT INTO notion_sync.columns
        (user_id, data_source_id, property_id, property_name, part, property_type, name, type)
    SELECT 'past', md5(pages::text)::uuid, 'p' || n, 'p' || n, 'value',
           CASE n WHEN 0 THEN 'title' WHEN 19 THEN 'last_edited_time' ELSE 'rich_text' END, 'p' || n, 'text'
    FROM unnest(%(pages)s::integer[]) AS pages, generate_series(0, 19) AS n
    """,
    """
    INSERT INTO notion_pages_sync
        (notion_page_id, page_id, notion_database_id, notion_data_source_id, database_name, user_id, title, properties,
         fields, url, notion_created_at, notion_edited_at)
    SELECT page, page, md5(pages::text)::uuid, md5(pages::text)::uuid, pages::text, 'past', 'Page ' || n, '{}',
           (SELECT jsonb_object_agg('p' || k, left(md5(n::text || k) || md5(k::text), 10 + k * 2))
            FROM generate_series(0, 19) AS k),
           'https://www.notion.so/' || page, now(), now()
    FROM unnest(%(pages)s::integer[]) AS pages, generate_series(0, pages - 1) AS n,
         CAST(md5(pages || '.' || n) AS uuid) AS page
    """,
    # As time goes by: whichever page, whichever column.
    """
    INSERT INTO notion_sync.page_changes
        (user_id, page_id, data_source_id, database_id, database_name, kind, seen_at, edited_at, old, new)
    SELECT 'past', md5(pages || '.' || n * 7919::bigint %% pages)::uuid, md5(pages::text)::uuid,
           md5(pages::text)::uuid, pages::text, 'updated',
           now() - interval '365 days' * (1 - n::float8 / (pages * %(each)s)), now(),
           jsonb_build_object('p' || n %% 18, md5(n::text)), jsonb_build_object('p' || n %% 18, md5((n + 1)::text))
    FROM unnest(%(pages)s::integer[]) AS pages, generate_series(1, pages * %(each)s) AS n
    ORDER BY n::float8 / pages
    """,
)
_PLAIN = {
    "the pages now": (
        "SELECT notion_page_id, title, url, fields FROM notion_pages_sync WHERE user_id = 'past' AND database_name = {}"
    ),
    "their changes": (
        "SELECT page_id, change_id, old FROM notion_sync.page_changes"
        " WHERE user_id = 'past' AND data_source_id = md5({})::uuid"
    ),
}


def rows_as_of(stand: Stand) -> Iterator[Line]:
    """What was there before all changes, a month ago and just now, held against a plain read of pages and changes."""
    with psycopg.connect(stand.database_url, autocommit=True) as connection:
        for statement in _FILL:
            parameters = {"pages": list(PAGES), "each": CHANGES_PER_PAGE}
            connection.execute(statement.encode(), parameters if "%(" in statement else None)
        connection.execute("VACUUM ANALYZE")
        for pages in PAGES:
            name = sql.Literal(str(pages))
            plain = 0.0
            of_how_many = f"{pages:,} pages, {pages * CHANGES_PER_PAGE:,} changes"
            for what, query in _PLAIN.items():
                measured = _read(connection, sql.SQL(query).format(name))
                plain += measured.seconds
                yield Line(f"plain read, {of_how_many}: {what}", 0, measured, f"{measured.seconds * 1000:.0f} ms")
            for days, when in {366: "before all changes", 30: "30 days ago", 0: "now"}.items():
                query = "SELECT * FROM notion_sync.rows_as_of('past', {}, now() - interval {})"
                measured = _read(connection, sql.SQL(query).format(name, sql.Literal(f"{days} days")))
                note = (
                    f"{measured.seconds * 1000:.0f} ms, {measured.seconds / plain:.1f} times a plain read of pages and "
                    f"changes; target {_MOST_OF_PLAIN}"
                )
                yield Line(f"rows_as_of, {of_how_many}: {when}", 0, measured, note)


def _read(connection: psycopg.Connection, query: sql.Composable, times: int = 3) -> Measured:
    """How long PostgreSQL takes to give an answer as text, and of that its processor: the median, and the mean."""
    backend = psutil.Process(connection.info.backend_pid)
    taken = []
    before = sum(backend.cpu_times()[:2])
    for _ in range(times):
        began = time.monotonic()
        with connection.cursor().copy(sql.SQL("COPY ({}) TO STDOUT").format(query)) as answer:
            for _ in answer:
                pass
        taken.append(time.monotonic() - began)
    cpu_seconds = (sum(backend.cpu_times()[:2]) - before) / times
    return Measured(statistics.median(taken), 0.0, 0.0, 0.0, 0, cpu_seconds)
