"""`python -m bench [CASE…]`: runs the cases, prints a table, and writes `bench/results.json`."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.cases import CASES, Line
from bench.stand import stand
from notion_pg_sync.embedded.server import EmbeddedPostgres

RESULTS = Path(__file__).with_name("results.json")


def main(names: list[str]) -> None:
    """Runs the named cases, all without names."""
    unknown = set(names) - CASES.keys()
    if unknown:
        sys.exit(f"no case {', '.join(sorted(unknown))}; there are: {', '.join(CASES)}")
    lines: list[Line] = []
    console = Console()
    with postgres() as url:
        for name in names or CASES:
            with stand(url) as made:
                for line in CASES[name](made):
                    lines.append(line)
                    console.print(f"{line.case}: {line.measured.seconds:.1f} s {line.note}", highlight=False)
    console.print(table(lines))
    RESULTS.write_text(json.dumps([asdict(line) for line in lines], indent=2) + "\n", encoding="utf-8")


@contextmanager
def postgres() -> Iterator[str]:
    """`BENCH_DATABASE_URL`, else an embedded PostgreSQL with its ordinary settings."""
    if given := os.environ.get("BENCH_DATABASE_URL"):
        yield given
        return
    folder = Path(tempfile.mkdtemp(prefix="notion-pg-sync-bench."))
    with EmbeddedPostgres(folder, {"shared_buffers": "128MB"}) as server:
        yield server.url
    shutil.rmtree(folder)


def table(lines: list[Line]) -> Table:
    """The lines as a table."""
    made = Table(box=None, header_style="bold")
    made.add_column("case")
    for heading in (
        "seconds",
        "rows/s",
        "requests",
        "requests/s",
        "CPU s",
        "CPU s/1,000 rows",
        "server CPU s",
        "peak MB",
    ):
        made.add_column(heading, justify="right")
    made.add_column("note")
    for line in lines:
        got = line.measured
        made.add_row(
            line.case,
            f"{got.seconds:.2f}",
            f"{line.rows / got.seconds:,.0f}",
            f"{got.requests:,}",
            f"{got.requests / got.seconds:.1f}",
            f"{got.cpu_seconds:.2f}",
            f"{got.cpu_seconds / line.rows * 1000:.2f}" if line.rows else "",
            f"{got.server_cpu_seconds:.1f}",
            f"{got.peak_megabytes:.0f}",
            line.note,
        )
    return made


if __name__ == "__main__":
    main(sys.argv[1:])
