"""What it costs to keep files: 2,000 small ones, 500 MB, rows beside them, and a run in which nothing changed."""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace

import psycopg

from bench.stand import Line, Measured, Stand

_UNPACED = ("--requests-per-minute", "1000000")
_TURNS = 5
_MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class _Files:
    """A user's pages with files, at a workspace that serves them."""

    stand: Stand
    token: str
    database_id: str
    data_source_id: str

    def kept(self) -> tuple[int, int]:
        """How many are kept, and of how many bytes."""
        with psycopg.connect(self.stand.database_url) as connection:
            found = connection.execute(
                "SELECT count(*), coalesce(sum(bytes), 0)::bigint FROM notion_sync.files WHERE fetched_at IS NOT NULL"
            ).fetchone()
        assert found is not None
        return int(found[0]), int(found[1])

    def fetched(self) -> int:
        """How many requests for files there were."""
        counts = self.stand.steer("files.counts")
        assert isinstance(counts, dict)
        return sum(counts.values())


def _with_files(stand: Stand, rows: int, files: int) -> _Files:
    """So many rows, of which the first have a file each."""
    listed = [
        {"Name": f"Row {row}", "Files": [{"name": f"{row}.bin", "url": f"{row:08x}/{row}.bin"}] if row < files else []}
        for row in range(rows)
    ]
    token = stand.add_token("bench")
    properties = {"Name": {"type": "title"}, "Files": {"type": "files"}}
    handle = stand.steer("add_database", name="Rows", properties=properties, rows=listed)
    assert isinstance(handle, dict)
    stand.steer("share", token="bench", database=handle["id"])
    stand.connect("bench", token, {"Rows": handle["id"]})
    # Signatures live by the workspace's clock.
    stand.steer("clock.run")
    stand.steer("configure", serve_files=True)
    return _Files(stand, token, str(handle["id"]), str(handle["data_source_id"]))


def small(stand: Stand) -> Iterator[Line]:
    """2,000 small files at 50 ms: one after the other by a bare loop, then by a run that has the rows already."""
    count = 2000
    files = _with_files(stand, count, count)
    with tempfile.TemporaryDirectory() as folder:
        stand.steer("configure", file_latency=0.05)
        loop = [sys.executable, "-m", "bench.bare_files", stand.url, files.token, files.data_source_id, folder]
        bare = stand.measure(loop)
    yield Line(f"bare loop, {count:,} files at 50 ms one after the other", count, bare)
    with tempfile.TemporaryDirectory() as folder:
        yield Line(f"first read, {count:,} rows without their files", count, stand.sync_all(*_UNPACED))
        measured = stand.sync_all(*_UNPACED, "--full", "--files", folder)
        times = bare.seconds / measured.seconds
        note = f"{times:.1f} times as fast; {files.kept()[0]:,} kept, {measured.requests} requests"
        yield Line(f"full read, {count:,} rows, and {count:,} files at 50 ms", count, measured, note)


def large(stand: Stand) -> Iterator[Line]:
    """Small files, then three of 500 MB: the memory."""
    files = _with_files(stand, 40, 40)
    with tempfile.TemporaryDirectory() as folder:
        yield Line("first read, 40 rows with small files", 40, stand.sync_all(*_UNPACED, "--files", folder))
        for number in range(3):
            name = f"large{number}"
            stand.steer("files.describe", file=f"{name}/{name}.bin", size=500 * _MEGABYTE)
            given = [{"name": name, "url": f"{name}/{name}.bin"}]
            stand.steer("add_page", data_source="Rows", values={"Name": name, "Files": given})
        stand.steer("clock.advance", seconds=3600)
        measured = stand.sync_all(*_UNPACED, "--files", folder)
        count, size = files.kept()
        speed = 3 * 500 / measured.seconds
        note = f"{speed:.0f} MB a second; {count} files of {size / _MEGABYTE:.0f} MB are kept"
        yield Line("3 files of 500 MB", 3, measured, note)


def rows(stand: Stand) -> Iterator[Line]:
    """The row part of a first read, with and without `--files`, in turns that start anew; each line has the medians."""
    count = 10_000
    files = _with_files(stand, count, count // 5)
    turns: dict[str, list[Measured]] = {"without": [], "with": []}
    for _ in range(_TURNS):
        for what, measured in turns.items():
            with stand.beside(stand.program) as beside, tempfile.TemporaryDirectory() as folder:
                beside.connect("bench", files.token, {"Rows": files.database_id})
                options = ("--files", folder) if what == "with" else ()
                run = beside.sync_all(*_UNPACED, *options)
                measured.append(replace(run, seconds=_seconds_of_rows(beside)))
    medians = {what: _median(measured) for what, measured in turns.items()}
    for what, median in medians.items():
        note = f"{median.seconds / medians['without'].seconds:.2f} times the time without"
        yield Line(f"first read, {count:,} rows, {count // 5:,} with a file, {what} --files", count, median, note)


def unchanged(stand: Stand) -> Iterator[Line]:
    """A run in which nothing changed, of a copy whose files are kept, with and without `--files`."""
    count = 2000
    files = _with_files(stand, count, count)
    with tempfile.TemporaryDirectory() as folder:
        stand.sync_all(*_UNPACED, "--files", folder)
        stand.steer("clock.advance", seconds=3600)
        stand.sync_all(*_UNPACED)
        stand.steer("files.clear")
        turns: dict[str, list[Measured]] = {"without": [], "with": []}
        for _ in range(_TURNS):
            turns["without"].append(stand.sync_all(*_UNPACED))
            turns["with"].append(stand.sync_all(*_UNPACED, "--files", folder))
    for what, measured in turns.items():
        note = f"{measured[0].requests} requests, {files.fetched()} for files"
        yield Line(f"nothing changed, {count:,} files are kept, {what} --files", count, _median(measured), note)


def _seconds_of_rows(stand: Stand) -> float:
    """How long the one run there was took to have the rows."""
    with psycopg.connect(stand.database_url) as connection:
        found = connection.execute("SELECT max(seconds) FROM notion_sync.database_runs").fetchone()
    assert found is not None
    return float(found[0])


def _median(turns: list[Measured]) -> Measured:
    return replace(
        turns[0],
        seconds=statistics.median(one.seconds for one in turns),
        cpu_seconds=statistics.median(one.cpu_seconds for one in turns),
    )
