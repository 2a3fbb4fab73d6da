"""The comparison with peers runs from end to end, and says what did not run."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial

import pytest

from bench.environments import NotMadeError, at_commit
from bench.peers.contenders import Contender, bare_loop, tool
from bench.peers.side_by_side import BARE_LOOP, Makers, compare
from bench.stand import HERE

pytestmark = pytest.mark.slow


def test_a_comparison_counts_what_came_whole_and_says_what_did_not_run(postgres_server: str) -> None:
    def missing() -> Contender:
        raise NotMadeError("no such version")

    def failing() -> Contender:
        command = [sys.executable, "-c", "import sys; sys.exit('it broke')"]
        return replace(bare_loop(), read=lambda stand, _source: stand.measure(command))

    def losing() -> Contender:
        return replace(bare_loop(), relations=lambda _stand: {})

    makers: Makers = {
        "notion-pg-sync": partial(tool, HERE),
        BARE_LOOP: bare_loop,
        "gone": missing,
        "broken": failing,
        "losing": losing,
    }
    told: list[str] = []
    found = compare(postgres_server, told.append, makers, rows=300, turns=2)
    by_name = {one.name: one for one in found.results}
    assert found.long > 0
    assert by_name["notion-pg-sync"].whole == found.long
    assert by_name[BARE_LOOP].whole == 0
    for name in ("notion-pg-sync", BARE_LOOP):
        measured = by_name[name].measured
        assert measured is not None
        assert measured.requests >= 3
        assert measured.cpu_seconds > 0
        assert measured.peak_megabytes > 10
        assert measured.postgres_cpu_seconds is not None
        assert measured.postgres_cpu_seconds > 0
    reasons = {name: by_name[name].reason for name in ("gone", "broken", "losing")}
    assert reasons == {
        "gone": "no such version",
        "broken": "exit code 1: it broke",
        "losing": "0 of 300 rows came",
    }
    # Once each: what does not run is not asked again.
    assert sum(line.startswith("broken") for line in told) == 1


def test_a_commit_that_is_not_there_is_told() -> None:
    with pytest.raises(NotMadeError, match="0123456789"):
        at_commit("0123456789")
