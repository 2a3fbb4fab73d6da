"""The cases: what is read, under which latency and rate limit. Each gives its lines of the table."""

from __future__ import annotations

import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import psycopg

from bench import files
from bench.accounts import many_accounts
from bench.history import add_history
from bench.past import rows_as_of, writes
from bench.stand import Case, Line, Measured, Stand, memory_of
from bench.views import answers
from bench.windows import ROWS, reads

NO_LIMIT = ("--requests-per-minute", "1000000")


def _one_database(stand: Stand, rows: int, **arguments: object) -> tuple[str, str]:
    token = stand.add_token("bench")
    database_id, data_source_id = stand.add_database("Rows", "bench", rows=rows, **arguments)
    stand.connect("bench", token, {"Rows": database_id})
    return token, data_source_id


def first_read(rows: int) -> Case:
    """A first read at latency 0 without a rate limit, held against the bare loop."""

    def case(stand: Stand) -> Iterator[Line]:
        token, data_source_id = _one_database(stand, rows)
        stand.render(token, data_source_id, rows)
        bare = stand.measure([sys.executable, "-m", "bench.bare_loop", stand.url, token, data_source_id])
        yield Line(f"bare loop, {rows:,} rows", rows, bare)
        measured = stand.sync_all(*NO_LIMIT)
        share = bare.seconds / measured.seconds
        yield Line(f"first read, {rows:,} rows", rows, measured, f"{share:.0%} of the bare loop's rows a second")

    return case


def million(stand: Stand) -> Iterator[Line]:
    """A first read of a million rows: the memory in each tenth of the time, and what is left of it in PostgreSQL."""
    rows = 1_000_000
    _one_database(stand, rows)
    with memory_of("sync-all") as sampled:
        measured = stand.sync_all(*NO_LIMIT)
    tenths = [max(sampled[len(sampled) * tenth // 10 : len(sampled) * (tenth + 1) // 10]) for tenth in range(10)]
    with psycopg.connect(stand.database_url) as connection:
        found = connection.execute(
            "SELECT (SELECT count(*) FROM notion_pages_sync), (SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid())"
        ).fetchone()
    assert found is not None
    note = f"MB by tenth of the time: {' '.join(f'{most:.0f}' for most in tenths)}; {found[0]:,} rows are there, "
    yield Line(f"first read, {rows:,} rows", rows, measured, f"{note}{found[1]} connections left")


def within_the_limit(rows: int, history: str, target_seconds: float) -> Case:
    """A first read with 400 ms latency and Notion's own rate limit."""

    def case(stand: Stand) -> Iterator[Line]:
        _one_database(stand, rows, history=history)
        stand.steer("configure", latency=0.4, rate_limit=180)
        measured = stand.sync_all()
        budget = 1.1 * rows / 100 + 8
        note = f"target {target_seconds:.0f} s; {measured.requests} requests of {budget:.0f}"
        yield Line(f"first read, {rows:,} rows, {history}, 400 ms, 180 a minute", rows, measured, note)

    return case


def windows(stand: Stand) -> Iterator[Line]:
    """A first read of two minutes' budgets, where Notion's minutes begin at another time in each."""
    for phase, measured, note in reads(stand):
        what = f"first read, {ROWS:,} rows, even, 400 ms, 180 a minute, {phase:.0f} s of it over"
        yield Line(what, ROWS, measured, note)


def later_runs(rows: int) -> Case:
    """Nothing changed, ten rows changed, and a full read, of a copy that is there."""

    def case(stand: Stand) -> Iterator[Line]:
        _one_database(stand, rows)
        stand.sync_all(*NO_LIMIT)
        stand.steer("clock.advance", seconds=3600)
        unchanged = stand.sync_all(*NO_LIMIT)
        yield Line(f"nothing changed, {rows:,} rows", rows, unchanged, f"{unchanged.requests} requests")
        pages = stand.steer("page_ids", data_source="Rows")
        assert isinstance(pages, list)
        for page in pages[:: rows // 10][:10]:
            stand.steer("edit_page", page_id=page, values={"Amount": 1})
        stand.steer("clock.advance", seconds=3600)
        changed = stand.sync_all(*NO_LIMIT)
        yield Line(f"10 rows changed, {rows:,} rows", rows, changed, f"{changed.requests} requests")
        yield Line(f"daily full read, {rows:,} rows", rows, stand.sync_all("--full", *NO_LIMIT))

    return case


def many_users(stand: Stand) -> Iterator[Line]:
    """200 users of 5 databases each, at 300 ms latency: one process, then with ten jobs in one and in four."""
    databases: dict[str, str] = {}
    token = stand.add_token("user000")
    for number in range(5):
        databases[f"Base {number}"], _ = stand.add_database(f"Base {number}", "user000", rows=20, seed=number)
    for number in range(200):
        label = f"user{number:03}"
        token = token if number == 0 else stand.add_token(label)
        for database_id in databases.values():
            stand.steer("share", token=label, database=database_id)
        stand.connect(label, token, databases)
    stand.steer("configure", latency=0.3)
    rows = 200 * 5 * 20
    yield Line("200 users of 5 databases, 300 ms, default jobs", rows, stand.sync_all())
    one = stand.sync_all("--jobs", "10")
    yield Line("the same, --jobs 10, one process", rows, one)
    four = stand.sync_all("--jobs", "10", processes=4)
    note = f"{one.seconds / four.seconds:.1f} times as fast; {_synced_twice(stand)} databases synced twice"
    yield Line("the same, --jobs 10, four processes", rows, four, note)


def _synced_twice(stand: Stand) -> int:
    """How many of a token's data sources were synced more than once since the count was reset."""
    requests = stand.steer("requests.listed")
    assert isinstance(requests, list)
    asked = Counter((one["token"], one["path"]) for one in requests if one["kind"] == "data_source")
    assert asked
    return sum(times > 1 for times in asked.values())


def completions(stand: Stand) -> Iterator[Line]:
    """2,000 rows, of which 100 have relations of 40 pages."""
    _one_database(stand, 2000, properties=60, long_relations=0.05)
    yield Line("first read, 2,000 rows, 100 with relations of 40", 2000, stand.sync_all(*NO_LIMIT))


def shapes(stand: Stand) -> Iterator[Line]:
    """Pages of 60 properties, and of 200."""
    token = stand.add_token("bench")
    for name, properties in (("60", 60), ("200", "wide")):
        database_id, _ = stand.add_database(name, "bench", rows=2000, properties=properties)
        stand.connect(name, token, {name: database_id})
        measured = stand.sync_all("--user", name, *NO_LIMIT)
        yield Line(f"first read, 2,000 rows, properties: {name}", 2000, measured)


_SEARCHES = {
    "one page": "word99999",
    "100 pages": "some7",
    "every page": "page",
    "a phrase, a word without": '"page of" -some7',
    "the beginning of a word, 111 pages": "word123*",
}
_FILL = """
    INSERT INTO notion_sync.accounts (user_id) VALUES ('bench');
    INSERT INTO notion_sync.databases (user_id, database_id, name)
    VALUES ('bench', '11111111-1111-4111-8111-111111111111', 'Rows');
    INSERT INTO notion_sync.data_sources
        (user_id, data_source_id, database_id, database_name, view_name, name, sync_table, schema, schema_fingerprint)
    VALUES ('bench', '11111111-1111-4111-8111-111111111111',
        '11111111-1111-4111-8111-111111111111', 'Rows', 'rows', 'Rows', 'public.notion_pages_sync', '{}', '');
    INSERT INTO notion_sync.search_documents (user_id, page_id, data_source_id, title, text, tsv, is_cut)
    SELECT 'bench', md5(number::text)::uuid, '11111111-1111-4111-8111-111111111111', title, text, vector.tsv,
           vector.is_cut
    FROM generate_series(1, 100000) AS number,
         format('Page %s', number) AS title,
         format('A page of some%s and word%s, %s', number % 1000, number, repeat(md5(number::text) || ' ', 20)) AS text,
         notion_sync.search_vector('simple', title, text, '') AS vector;
    ANALYZE notion_sync.search_documents;
"""


def search(stand: Stand) -> Iterator[Line]:
    """Search over 100,000 pages, as the owner and behind row level security; prints the plan within the function."""
    with psycopg.connect(stand.database_url, autocommit=True) as connection:
        connection.execute(_FILL.encode())
        role = f"tenant_{connection.info.dbname}"
        connection.execute(
            f"CREATE ROLE {role}; GRANT USAGE ON SCHEMA notion_sync TO {role};"
            f" GRANT SELECT ON ALL TABLES IN SCHEMA notion_sync TO {role};"
            f" GRANT EXECUTE ON FUNCTION notion_sync.own_search_matches TO {role}".encode()
        )
        try:
            for as_whom, session in {
                "owner": "SET app.user_id = 'bench'",
                "tenant": f"SET app.user_id = 'bench'; SET ROLE {role}",
                "owner over all users": "RESET app.user_id; RESET ROLE",
            }.items():
                connection.execute(session.encode())
                for what, query in _SEARCHES.items():
                    seconds = statistics.median(_seconds_of_search(connection, query) for _ in range(7))
                    measured = Measured(seconds, 0.0, 0.0, 0.0, 0)
                    yield Line(f"search, 100,000 pages, {what}, as {as_whom}", 0, measured, f"{seconds * 1000:.1f} ms")
            connection.execute(b"LOAD 'auto_explain'")
            connection.execute(
                b"SET auto_explain.log_min_duration = 0; SET auto_explain.log_nested_statements = on;"
                b"SET auto_explain.log_level = notice; SET auto_explain.log_analyze = on"
            )
            connection.add_notice_handler(lambda notice: print(notice.message_primary))
            _seconds_of_search(connection, "some7")
        finally:
            connection.execute(f"RESET ROLE; DROP OWNED BY {role}; DROP ROLE {role}".encode())


def _seconds_of_search(connection: psycopg.Connection, query: str) -> float:
    began = time.monotonic()
    connection.execute("SELECT * FROM notion_sync.search(%s)", (query,)).fetchall()
    return time.monotonic() - began


def views(stand: Stand) -> Iterator[Line]:
    """Typed views over 100,000 rows of 40 properties, with `fields` of about 1 kB and of about 3 kB."""
    for text_length in (25, 215):
        for what, seconds, cpu_seconds in answers(stand.database_url, text_length):
            note = f"{seconds * 1000:.0f} ms, of the processor {cpu_seconds * 1000:.0f} ms"
            yield Line(what, 0, Measured(seconds, 0.0, 0.0, 0.0, 0), note)


def start_up(stand: Stand) -> Iterator[Line]:
    """`--help`, `status`, a look for requests, and a `sync-all` in which nothing changed.

    Beside importing what any such tool needs; the look, which is taken every minute, is to take at most 1.5 times that.
    In turns, so that all meet the same machine; each line has the medians.
    """
    _one_database(stand, 100)
    stand.sync_all(*NO_LIMIT)
    imports = "import typer, psycopg"
    commands = {imports: ["-c", imports]}
    for typed in ("--help", "status", "sync-all --requested", "sync-all"):
        commands[typed] = ["-m", "notion_pg_sync", *typed.split()]
    turns = [{what: stand.measure([stand.program[0], *words]) for what, words in commands.items()} for _ in range(15)]
    medians = {
        what: replace(
            turns[0][what],
            seconds=statistics.median(turn[what].seconds for turn in turns),
            cpu_seconds=statistics.median(turn[what].cpu_seconds for turn in turns),
        )
        for what in commands
    }
    bare = medians.pop(imports)
    yield Line(imports, 0, bare)
    for what, measured in medians.items():
        by_cpu, by_time = measured.cpu_seconds / bare.cpu_seconds, measured.seconds / bare.seconds
        yield Line(what, 0, measured, f"{by_cpu:.2f} times '{imports}' by CPU, {by_time:.2f} times by elapsed time")


def long_history(stand: Stand) -> Iterator[Line]:
    """`status` with 2,000 databases and 1,000,000 rows of `database_runs`."""
    _one_database(stand, 100)
    stand.sync_all(*NO_LIMIT)
    add_history(stand.database_url, users=200, databases=10, runs=10_000, each=100)
    for options in ((), ("--json",), ("--prometheus",)):
        measured = stand.measure([*stand.program, "status", *options])
        yield Line(" ".join(["status", *options, "of 2,000 databases, 1,000,000 records"]), 0, measured)


CASES: dict[str, Case] = {
    "first-1000": first_read(1_000),
    "first-20000": first_read(20_000),
    "first-50000": first_read(50_000),
    "first-200000": first_read(200_000),
    "million": million,
    "burst": within_the_limit(15_000, "even", 12),
    "burst-uneven": within_the_limit(15_000, "uneven", 20),
    "two-windows": within_the_limit(34_000, "even", 68),
    "windows": windows,
    "later-20000": later_runs(20_000),
    "later-200000": later_runs(200_000),
    "users": many_users,
    "accounts-100": many_accounts(100),
    "accounts-200": many_accounts(200),
    "accounts-400": many_accounts(400),
    "accounts-2000": many_accounts(2000),
    "completions": completions,
    "shapes": shapes,
    "search": search,
    "views": views,
    "start-up": start_up,
    "history": writes,
    "past": rows_as_of,
    "status": long_history,
    "files": files.small,
    "files-large": files.large,
    "files-rows": files.rows,
    "files-unchanged": files.unchanged,
}
