"""How large the history is, as doctor says it."""

from __future__ import annotations

import pytest

from notion_pg_sync.commands.doctor.checks.history import history_told
from notion_pg_sync.mirror.history import HistorySize


@pytest.mark.parametrize(
    ("size", "without", "said"),
    [
        (HistorySize(0, 40_960), 0, "0 changes are kept (41.0 kB)"),
        (HistorySize(1, 40_960), 0, "1 change is kept (41.0 kB)"),
        (HistorySize(1_000_000, 3_000_000), 2, "; it is switched off for 2 data sources"),
    ],
)
def test_it_says_how_large_it_is_and_for_how_many_it_is_off(size: HistorySize, without: int, said: str) -> None:
    assert said in history_told(size, without)
