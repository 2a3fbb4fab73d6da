"""The figures of docs/performance.md are those of the results file, and tell them as they are."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import page, results
from bench.results import Case, Peers, Result, Results, Taken, Target, Targets, best
from bench.stand import Line, Measured
from bench.targets import of_first_read

TAKEN = Taken("2026-11-30", "0.2.0", "abc1234", 2, "3.11.7", "18.6")
OURS = Measured(2.0, 1.5, 0.1, 90.0, 170, 1.0)
BEFORE = Measured(4.0, 4.0, 0.1, 190.0, 170, 1.0)
BARE = Measured(1.2, 0.5, 0.1, 40.0, 50, 0.5)
PEERS = Peers(
    TAKEN,
    5_000,
    111,
    [
        Result("notion-pg-sync", OURS, 111),
        Result("the tool at 1234567", BEFORE, 111),
        Result("bare loop, pipelined", BARE, 0),
        Result("other 1.0", reason="no version | of it\nis to be had"),
    ],
)
TARGETS = Targets(TAKEN, [Target("wide", "under 150 MB", "160 MB", False)], 20_000, OURS, BEFORE)
MEASURED = st.builds(
    Measured,
    *[st.floats(0.01, 1e4)] * 4,
    st.integers(0, 10_000),
    st.none() | st.floats(0.01, 1e4),
)


def test_the_page_is_what_the_results_make() -> None:
    written = page.PAGE.read_text(encoding="utf-8")
    assert page.page(written, results.load()) == written, "run `python -m bench table`"


def test_results_are_read_as_they_were_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "RESULTS", tmp_path / "results.json")
    written = Results(PEERS, TARGETS, {"first": Case(TAKEN, [Line("first read", 10, OURS, "a note")])})
    written.save()
    assert asdict(results.load()) == asdict(written)
    assert isinstance(results.load().peers, Peers)


def test_a_page_made_twice_is_the_same() -> None:
    made = page.page(page.PAGE.read_text(encoding="utf-8"), Results(PEERS, TARGETS, {}))
    assert page.page(made, Results(PEERS, TARGETS, {})) == made
    assert page.page(made, Results()) != made


def test_a_page_without_a_part_is_refused() -> None:
    with pytest.raises(ValueError, match="no part 'savings'"):
        page.page("# Performance\n", Results())


def test_the_peers_are_told_by_row_and_one_that_did_not_run_with_its_reason() -> None:
    told = page.peers(PEERS).splitlines()
    assert "| notion-pg-sync | 2,500 | 0.30 | 0.20 | 90 | 170 | 111 of 111 |" in told
    assert "| bare loop, pipelined | 4,167 | 0.10 | 0.10 | 40 | 50 | 0 of 111 |" in told
    assert "| other 1.0 | not run: no version \\| of it is to be had | | | | | |" in told


def test_a_first_read_is_held_against_the_baseline_and_the_bare_loop_of_its_run() -> None:
    found = {
        one.what.removeprefix("first read, 27 properties: "): (one.got, one.is_met) for one in of_first_read(PEERS)
    }
    assert found == {
        "rows per second, of those at the baseline": ("2.0 times", True),
        "CPU per 1,000 rows": ("0.30 s", True),
        "peak memory": ("90 MB", True),
        "PostgreSQL's CPU": ("1.00 s, before 1.00 s", True),
        "rows per second, of the bare loop's": ("60%", True),
    }


def test_a_first_read_that_misses_its_targets_says_so() -> None:
    slow = replace(OURS, seconds=4.0, cpu_seconds=4.0, peak_megabytes=150.0, postgres_cpu_seconds=1.2)
    missed = of_first_read(replace(PEERS, results=[Result("notion-pg-sync", slow), *PEERS.results[1:]]))
    assert len(missed) == 5
    assert not any(one.is_met for one in missed)


def test_a_first_read_that_fails_is_a_target_missed() -> None:
    (failed,) = of_first_read(replace(PEERS, results=[Result("notion-pg-sync", reason="exit code 1: it broke")]))
    assert (failed.got, failed.is_met) == ("exit code 1: it broke", False)


def test_without_a_baseline_only_the_bounds_are_told() -> None:
    alone = of_first_read(replace(PEERS, results=PEERS.results[:1]))
    assert [one.goal for one in alone] == ["at most 0.4 s", "under 120 MB"]


def test_a_target_that_is_missed_stands_out() -> None:
    assert "| wide | under 150 MB | 160 MB | **no** |" in page.goals(TARGETS.targets, TAKEN)


def test_a_month_is_every_run_for_the_others_and_a_full_read_a_day_for_the_tool() -> None:
    told = page.savings(PEERS, TARGETS).splitlines()
    # 2,880 runs of 170 requests, and 30 full reads of a quarter of the rows: 42 requests.
    assert any(line.startswith("| notion-pg-sync: a run each, and a full read a day | 490,860 |") for line in told)
    # 2,880 runs of 50 requests, and of 0.5 + 0.5 s.
    assert "| bare loop, pipelined: everything each time | 144,000 | 13.3 | 0.8 | 0.04 |" in told
    assert not any("other 1.0" in line or "at 1234567" in line for line in told)


def test_each_case_says_when_it_was_measured() -> None:
    later = replace(TAKEN, day="2026-12-01")
    line = Line("status", 0, Measured(0.5, 0.0, 0.0, 0.0, 0))
    told = page.cases({"a": Case(TAKEN, [line]), "b": Case(later, [line])})
    assert "| status | 0.50 |  |  |  |  |  |  |  |" in told
    assert "2026-11-30, version 0.2.0 at abc1234, 2 processors, Python 3.11.7, PostgreSQL 18.6: `a`." in told
    assert "2026-12-01, version 0.2.0 at abc1234, 2 processors, Python 3.11.7, PostgreSQL 18.6: `b`." in told


@given(st.lists(MEASURED, min_size=1, max_size=5))
def test_the_best_of_several_runs_is_no_worse_than_any_but_takes_the_most_memory(runs: list[Measured]) -> None:
    found = best(runs)
    for one in runs:
        assert found.seconds <= one.seconds
        assert found.cpu_seconds <= one.cpu_seconds
        assert found.peak_megabytes >= one.peak_megabytes
        if one.postgres_cpu_seconds is not None:
            assert found.postgres_cpu_seconds is not None
            assert found.postgres_cpu_seconds <= one.postgres_cpu_seconds
    if all(one.postgres_cpu_seconds is None for one in runs):
        assert found.postgres_cpu_seconds is None
