"""Makes the parts of `docs/performance.md` that are figures, from the results: nothing here measures."""

from __future__ import annotations

from bench.environments import REPOSITORY
from bench.peers.side_by_side import EARLIER, OURS
from bench.results import Case, Peers, Result, Results, Taken, Target, Targets
from bench.stand import Line, Measured
from bench.targets import of_first_read

PAGE = REPOSITORY / "docs" / "performance.md"
# A month of runs every 15 minutes.
_RUNS, _DAYS = 2_880, 30
_EUROS_PER_CPU_HOUR = 0.05
_HOUR = 3_600


def page(text: str, results: Results) -> str:
    """The page with every part made anew. Raises ValueError when it lacks a part."""
    of_others = results.targets.targets if results.targets else []
    targets = [*(of_first_read(results.peers) if results.peers else []), *of_others]
    parts = {
        "savings": savings(results.peers, results.targets),
        "peers": peers(results.peers),
        "targets": goals(targets, results.targets.taken if results.targets else None),
        "cases": cases(results.cases),
    }
    for name, part in parts.items():
        begin, end = f"<!-- {name}: made by python -m bench -->", f"<!-- {name}: end -->"
        before, found_begin, rest = text.partition(begin)
        _, found_end, after = rest.partition(end)
        if not (found_begin and found_end):
            raise ValueError(f"docs/performance.md has no part {name!r}")
        text = f"{before}{begin}\n\n{part}\n\n{end}{after}"
    return text


def peers(found: Peers | None) -> str:
    """The comparison as a table."""
    if found is None:
        return _UNKNOWN
    rows = [
        "| | rows/s | CPU s/1,000 rows | PostgreSQL CPU s/1,000 rows | peak MB | requests | long relations whole |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
        *(_peer(one, found) for one in found.results),
    ]
    return "\n".join(
        [
            f"First read, {found.rows:,} rows of 27 properties, 5 kB a page, {found.long} relations longer than 25.",
            f"{_taken(found.taken)}.",
            "",
            *rows,
        ]
    )


def _peer(one: Result, found: Peers) -> str:
    if one.measured is None:
        return f"| {one.name} | not run: {_cell(one.reason)} | | | | | |"
    got = one.measured
    postgres = "" if got.postgres_cpu_seconds is None else f"{got.postgres_cpu_seconds / found.rows * 1000:.2f}"
    return (
        f"| {one.name} | {found.rows / got.seconds:,.0f} | {got.cpu_seconds / found.rows * 1000:.2f} | {postgres} "
        f"| {got.peak_megabytes:.0f} | {got.requests:,} | {one.whole} of {found.long} |"
    )


def savings(found: Peers | None, targets: Targets | None) -> str:
    """What a month of a database costs that is kept fresh every 15 minutes, with us and with the others."""
    if found is None or targets is None:
        return _UNKNOWN
    share = found.rows / targets.rows
    full = Measured(
        0,
        targets.full.cpu_seconds * share,
        0,
        0,
        round(targets.full.requests * share),
        (targets.full.postgres_cpu_seconds or 0) * share,
    )
    rows = [
        f"A month of a database of {found.rows:,} rows, kept fresh every 15 minutes ({_RUNS:,} runs), nothing changed:",
        "",
        "| | requests to Notion | hours of waiting at 180 requests a minute | CPU hours | euros |",
        "| --- | ---: | ---: | ---: | ---: |",
        _month("notion-pg-sync: a run each, and a full read a day", [(targets.unchanged, _RUNS), (full, _DAYS)]),
        *(
            _month(f"{one.name}: everything each time", [(one.measured, _RUNS)])
            for one in found.results
            if one.measured and not one.name.startswith((OURS, EARLIER))
        ),
        "",
        f"CPU is the tool's and PostgreSQL's together, at {_EUROS_PER_CPU_HOUR} euros an hour. "
        f"{_taken(targets.taken)}.",
    ]
    return "\n".join(rows)


def _month(name: str, runs: list[tuple[Measured, int]]) -> str:
    requests = sum(one.requests * times for one, times in runs)
    cpu = sum((one.cpu_seconds + (one.postgres_cpu_seconds or 0)) * times for one, times in runs) / _HOUR
    waiting = requests / 180 / 60
    return f"| {name} | {requests:,} | {waiting:.1f} | {cpu:.1f} | {cpu * _EUROS_PER_CPU_HOUR:.2f} |"


def goals(targets: list[Target], taken: Taken | None) -> str:
    """The targets, met or not, as a table."""
    if not targets or taken is None:
        return _UNKNOWN
    rows = [f"| {one.what} | {one.goal} | {one.got} | {'yes' if one.is_met else '**no**'} |" for one in targets]
    return "\n".join(
        [f"{_taken(taken)}.", "", "| what | target | measured | met |", "| --- | --- | --- | --- |", *rows]
    )


def cases(found: dict[str, Case]) -> str:
    """Every line of every case; below, what was measured when."""
    if not found:
        return _UNKNOWN
    rows = [
        "| case | seconds | rows/s | requests | CPU s | CPU s/1,000 rows | PostgreSQL CPU s | peak MB | note |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
        *(_line(line) for case in found.values() for line in case.lines),
    ]
    taken: dict[Taken, list[str]] = {}
    for name, case in found.items():
        taken.setdefault(case.taken, []).append(f"`{name}`")
    told = [f"{_taken(one)}: {', '.join(names)}." for one, names in taken.items()]
    return "\n".join([*rows, "", *told])


def _line(line: Line) -> str:
    got = line.measured
    postgres = "" if got.postgres_cpu_seconds is None else f"{got.postgres_cpu_seconds:.2f}"
    figures = [
        f"{got.seconds:.2f}",
        f"{line.rows / got.seconds:,.0f}" if line.rows else "",
        f"{got.requests:,}" if got.requests else "",
        f"{got.cpu_seconds:.2f}" if got.cpu_seconds else "",
        f"{got.cpu_seconds / line.rows * 1000:.2f}" if line.rows else "",
        postgres,
        f"{got.peak_megabytes:.0f}" if got.peak_megabytes else "",
    ]
    return f"| {' | '.join([_cell(line.case), *figures, _cell(line.note)])} |"


def _taken(taken: Taken) -> str:
    return (
        f"{taken.day}, version {taken.version} at {taken.commit}, {taken.processors} processors, "
        f"Python {taken.python}, PostgreSQL {taken.postgresql}"
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


_UNKNOWN = "Not measured yet."
