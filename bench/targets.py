"""The targets: ratios within one run, against the tool as it was at a commit, and bounds."""

from __future__ import annotations

from collections.abc import Callable

import psycopg

from bench.peers.contenders import NO_LIMIT, Contender, Source, baseline, installed, ours
from bench.peers.side_by_side import BARE_LOOP, EARLIER, LONG_RELATIONS, OURS, generated
from bench.results import Peers, Target, Targets, best, taken_now
from bench.stand import Measured, Stand, stand

ROWS, MANY_ROWS, WIDE_ROWS = 20_000, 200_000, 2_000
# What repeated runs of the same differ by.
_NOISE = 1.05
# Long enough that a round trip shows beside what starting a process takes.
_ROUND_TRIP_SECONDS = 2.0
_TURNS = 2

Tell = Callable[[str], None]


def of_first_read(peers: Peers) -> list[Target]:
    """The targets of a first read, from what the peers' comparison measured; none that it did not measure."""
    results = {one.name: one for one in peers.results}
    own = results[OURS].measured
    if own is None:
        return [Target("first read, 27 properties", "succeeds", results[OURS].reason, is_met=False)]
    earlier = next((one for one in peers.results if one.name.startswith(EARLIER)), None)
    per_thousand = own.cpu_seconds / peers.rows * 1000
    found = [
        Target(
            "first read, 27 properties: CPU per 1,000 rows",
            "at most 0.4 s",
            f"{per_thousand:.2f} s",
            per_thousand <= 0.4,
        ),
        _memory("first read, 27 properties", own, 120),
    ]
    if earlier and earlier.measured:
        found = [
            _at_least(
                "first read, 27 properties: rows per second, of those at the baseline",
                earlier.measured.seconds / own.seconds,
                1.8,
            ),
            *found,
            *_postgres("first read, 27 properties", earlier.measured, own),
        ]
    bare = results.get(BARE_LOOP)
    if bare and bare.measured:
        share = bare.measured.seconds / own.seconds
        found.append(
            Target(
                "first read, 27 properties: rows per second, of the bare loop's",
                "at least 55 %",
                f"{share:.0%}",
                share >= 0.55,
            )
        )
    return found


def measure(postgres_url: str, tell: Tell, *, rows: int, many_rows: int, wide_rows: int, commit: str) -> Targets:
    """All other targets. Raises NotMadeError when there is no environment for the commit."""
    earlier = baseline(commit)
    found: list[Target] = []

    def told(targets: list[Target]) -> None:
        for one in targets:
            tell(f"{one.what}: {one.got} ({one.goal}): {'met' if one.is_met else 'not met'}")
        found.extend(targets)

    with stand(postgres_url, installed()) as made:
        source = generated(made, rows, LONG_RELATIONS)
        targets, full = daily(made, earlier, source, "daily full read, 27 properties", rows)
        told(targets)
    with stand(postgres_url, installed()) as made:
        source = generated(made, rows, 0.0)
        told(daily(made, earlier, source, "the same without long relations", rows)[0])
        with made.beside(ours().initialises) as own:
            ours().read(own, source)
            targets, unchanged = nothing_changed(own)
            told(targets)
    with stand(postgres_url, installed()) as made:
        told(many(made, many_rows))
    with stand(postgres_url, installed()) as made:
        told(wide(made, wide_rows))
    return Targets(taken_now(postgres_url), found, rows, unchanged, full)


def daily(stand: Stand, earlier: Contender, source: Source, what: str, rows: int) -> tuple[list[Target], Measured]:
    """Full reads of copies that are there already, in turns; also what one costs."""
    now = ours()
    with stand.beside(earlier.initialises) as old, stand.beside(now.initialises) as new:
        earlier.read(old, source)
        now.read(new, source)
        stand.steer("clock.advance", seconds=3600)
        pairs = [(old.sync_all("--full", *NO_LIMIT), new.sync_all("--full", *NO_LIMIT)) for _ in range(_TURNS)]
    was, is_ = (best(list(runs)) for runs in zip(*pairs, strict=True))
    what = f"{what}, {rows:,} rows"
    return [
        _at_least(f"{what}: rows per second of CPU, of those at the baseline", was.cpu_seconds / is_.cpu_seconds, 5.0),
        *_postgres(what, was, is_),
    ], is_


def nothing_changed(stand: Stand) -> tuple[list[Target], Measured]:
    """A run in which nothing changed; also what it costs."""
    stand.steer("clock.advance", seconds=3600)
    before = _rows_written(stand)
    quick = best([stand.sync_all(*NO_LIMIT) for _ in range(3)])
    stand.steer("configure", latency=_ROUND_TRIP_SECONDS)
    slow = stand.sync_all(*NO_LIMIT)
    written = _rows_written(stand) - before
    with psycopg.connect(stand.database_url) as connection:
        found = connection.execute("SELECT sum(last_rows_read) FROM notion_sync.databases").fetchone()
    read = found[0] if found else None
    trips = round((slow.seconds - quick.seconds) / _ROUND_TRIP_SECONDS)
    return [
        Target("nothing changed: requests", "2", str(quick.requests), quick.requests <= 2),
        Target("nothing changed: round trips", "1", str(trips), trips <= 1),
        Target("nothing changed: pages parsed", "0", str(read), read == 0),
        Target("nothing changed: rows written", "0", str(written), written == 0),
    ], quick


def many(stand: Stand, rows: int) -> list[Target]:
    """The memory of a full read of many rows of 8 properties."""
    token = stand.add_token("bench")
    database_id, _ = stand.add_database("Rows", "bench", rows=rows)
    stand.connect("bench", token, {"Rows": database_id})
    first = stand.sync_all(*NO_LIMIT)
    stand.steer("clock.advance", seconds=3600)
    full = stand.sync_all("--full", *NO_LIMIT)
    return [
        _memory(f"daily full read, {rows:,} rows", full, 100),
        _memory(f"first read, {rows:,} rows", first, 120),
    ]


def wide(stand: Stand, rows: int) -> list[Target]:
    """The memory of a first read of pages of 200 properties."""
    token = stand.add_token("bench")
    database_id, _ = stand.add_database("Rows", "bench", rows=rows, properties="wide")
    stand.connect("bench", token, {"Rows": database_id})
    return [_memory(f"first read, {rows:,} rows of 200 properties", stand.sync_all(*NO_LIMIT), 150)]


def _rows_written(stand: Stand) -> int:
    with psycopg.connect(stand.database_url) as connection:
        found = connection.execute(
            "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del)::bigint FROM pg_stat_user_tables"
            " WHERE relname = 'notion_pages_sync' OR (schemaname, relname) = ('notion_sync', 'pages')"
        ).fetchone()
    return int(found[0]) if found else 0


def _at_least(what: str, ratio: float, goal: float) -> Target:
    return Target(what, f"at least {goal:g} times", f"{ratio:.1f} times", ratio >= goal)


def _memory(what: str, measured: Measured, most: int) -> Target:
    peak = measured.peak_megabytes
    return Target(f"{what}: peak memory", f"under {most} MB", f"{peak:.0f} MB", peak < most)


def _postgres(what: str, was: Measured, is_: Measured) -> list[Target]:
    """Whether PostgreSQL's CPU grew; nothing where it is not known."""
    if was.postgres_cpu_seconds is None or is_.postgres_cpu_seconds is None:
        return []
    got = f"{is_.postgres_cpu_seconds:.2f} s, before {was.postgres_cpu_seconds:.2f} s"
    return [
        Target(
            f"{what}: PostgreSQL's CPU",
            "does not grow",
            got,
            is_.postgres_cpu_seconds <= was.postgres_cpu_seconds * _NOISE,
        )
    ]
