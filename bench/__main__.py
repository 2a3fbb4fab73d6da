"""`python -m bench [WHAT…]`: measures, prints, writes `bench/results.json` and the figures of `docs/performance.md`.

WHAT: names of cases (`bench/cases.py`), `unchanged-accounts`, `peers`, `targets`, or `table`, which measures nothing
and writes the page again. Without any, all of it. With `--rows` or `--turns` nothing is written: that is for trying
out.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.markdown import Markdown

from bench import page, targets
from bench.accounts import TURNS, USERS, unchanged
from bench.cases import CASES
from bench.environments import NotMadeError
from bench.peers import side_by_side
from bench.peers.contenders import baseline, installed, ours
from bench.results import Case, Results, load, taken_now
from bench.stand import Line, stand
from notion_pg_sync.embedded.server import EmbeddedPostgres

console = Console()

# The one case that is held against a commit.
UNCHANGED = "unchanged-accounts"

# Nothing is counted before a case asks for it (bench/accounts.py).
SERVER_SETTINGS = {
    "shared_buffers": "128MB",
    "shared_preload_libraries": "pg_stat_statements",
    "pg_stat_statements.track": "none",
}


def main(arguments: list[str] | None = None) -> None:
    """Measures what is named."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    known = [*CASES, UNCHANGED, "peers", "targets", "table"]
    parser.add_argument("what", nargs="*", metavar="WHAT", help=f"one of {', '.join(known)}")
    parser.add_argument(
        "--baseline", default=side_by_side.BASELINE, help=f"commit that peers, targets and {UNCHANGED} compare with"
    )
    parser.add_argument("--rows", type=int, help="rows that peers and targets read")
    parser.add_argument("--turns", type=int, help=f"how often each peer reads, and each side of {UNCHANGED}")
    given = parser.parse_args(arguments)
    if unknown := set(given.what) - set(known):
        parser.error(f"nothing to measure is called {', '.join(sorted(unknown))}; there are: {', '.join(known)}")
    is_trial = given.rows is not None or given.turns is not None
    results = load()
    chosen = [one for one in given.what or known if one != "table"]
    failed = []
    if chosen:
        with postgres() as url:
            for name in chosen:
                try:
                    measure(name, url, results, given)
                # One case that fails stops no other: all of them take an hour.
                except (NotMadeError, RuntimeError) as error:
                    failed.append(f"{name} was not measured: {error}\n")
                # Whatever stops a long run, what is measured is not lost.
                if not is_trial:
                    results.save()
    if not is_trial:
        page.PAGE.write_text(page.page(page.PAGE.read_text(encoding="utf-8"), results), encoding="utf-8")
    if failed:
        parser.exit(1, "".join(failed))


def measure(name: str, url: str, results: Results, given: argparse.Namespace) -> None:
    """Measures one thing into the results, and prints it."""
    if name == "peers":
        results.peers = side_by_side.compare(
            url,
            tell,
            side_by_side.everybody(given.baseline),
            rows=given.rows or side_by_side.ROWS,
            turns=given.turns or side_by_side.TURNS,
        )
        console.print(Markdown(page.peers(results.peers)))
        console.print(Markdown(page.goals(targets.of_first_read(results.peers), results.peers.taken)))
    elif name == "targets":
        results.targets = targets.measure(
            url,
            tell,
            rows=given.rows or targets.ROWS,
            many_rows=given.rows or targets.MANY_ROWS,
            wide_rows=given.rows or targets.WIDE_ROWS,
            commit=given.baseline,
        )
    else:
        if name == UNCHANGED:
            case = unchanged(baseline(given.baseline), ours(), users=USERS, turns=given.turns or TURNS)
        else:
            case = CASES[name]
        with stand(url, installed()) as made:
            lines = list(told(case(made)))
        results.cases[name] = Case(taken_now(url), lines)
        console.print(Markdown(page.cases({name: results.cases[name]})))


def told(lines: Iterator[Line]) -> Iterator[Line]:
    """The lines, each printed as soon as it is there."""
    for line in lines:
        tell(f"{line.case}: {line.measured.seconds:.1f} s {line.note}")
        yield line


def tell(text: str) -> None:
    """Prints a line."""
    console.print(text, highlight=False, markup=False, soft_wrap=True)


@contextmanager
def postgres() -> Iterator[str]:
    """`BENCH_DATABASE_URL`, else an embedded PostgreSQL with its ordinary settings."""
    if given := os.environ.get("BENCH_DATABASE_URL"):
        yield given
        return
    folder = Path(tempfile.mkdtemp(prefix="notion-pg-sync-bench."))
    with EmbeddedPostgres(folder, SERVER_SETTINGS) as server:
        yield server.url
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
