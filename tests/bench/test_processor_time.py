"""What PostgreSQL's processes used of the processor, and the most memory of a process."""

from __future__ import annotations

import subprocess
import sys

import psutil
import psycopg

from bench.peak_memory import peak_in, peaks_of
from bench.processor_time import cpu_seconds_of, postmaster_of
from tests.waiting import wait_until


def test_a_server_elsewhere_has_no_process_here() -> None:
    assert postmaster_of("host=192.0.2.1 dbname=test") is None
    assert cpu_seconds_of(None) is None


def test_what_a_backend_used_counts_while_it_is_there_and_when_it_has_ended(database_url: str) -> None:
    postmaster = postmaster_of(database_url)
    before = cpu_seconds_of(postmaster)
    with psycopg.connect(database_url) as connection:
        backend = psutil.Process(connection.info.backend_pid)
        connection.execute("SELECT sum(n * n) FROM generate_series(1::numeric, 600000) AS n")
        used = sum(backend.cpu_times()[:2])
        there = cpu_seconds_of(postmaster)
    wait_until(lambda: not backend.is_running())
    ended = cpu_seconds_of(postmaster)
    assert before is not None
    assert there is not None
    assert ended is not None
    assert used > 0
    # The kernel counts in hundredths of a second.
    assert there - before > used - 0.02
    assert ended - before > used - 0.02


def test_the_peak_is_read_in_megabytes() -> None:
    assert peak_in("Name:\tpython\nVmPeak:\t  999999 kB\nVmHWM:\t    2048 kB\nVmRSS:\t 1024 kB\n") == 2.0
    assert peak_in("Name:\tpython\nState:\tZ (zombie)\n") is None
    assert peak_in("") is None


def test_the_peak_is_the_processs_own_and_not_that_of_who_started_it() -> None:
    ballast = bytearray(200 * 1024**2)
    small = [sys.executable, "-c", "input()"]
    large = [sys.executable, "-c", f"held = bytearray({80 * 1024**2}); del held; input()"]
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE) for command in (small, large)]
    with peaks_of([one.pid for one in processes]) as peaks:
        wait_until(lambda: peaks.get(processes[1].pid, 0) > 80)
        wait_until(lambda: peaks.get(processes[0].pid, 0) > 5)
        for one in processes:
            one.communicate(b"\n")
    assert peaks[processes[0].pid] < 60
    assert peaks[processes[1].pid] > 80
    assert len(ballast) == 200 * 1024**2
