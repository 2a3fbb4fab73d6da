"""The cost of accounts in which nothing changed is held against what it was, in one run."""

from __future__ import annotations

import re

import pytest

from bench.accounts import unchanged
from bench.peers.contenders import tool
from bench.stand import HERE, stand

pytestmark = pytest.mark.slow


def test_both_sides_are_measured_at_the_same_work(postgres_server: str) -> None:
    with stand(postgres_server) as made:
        was, is_ = list(unchanged(tool(HERE), tool(HERE), users=2, turns=1)(made))
    # The tool against itself: a schema and a query of each of 8 databases.
    assert was.measured.requests == is_.measured.requests == 16
    assert was.measured.cpu_seconds > 0 < is_.measured.cpu_seconds
    share = re.search(r"(\d+)% of the transactions", is_.note)
    assert share
    # Not quite the same: how often a run looks whether others are done hangs on how long it takes.
    assert 50 <= int(share[1]) <= 200
