"""When a file that could not be fetched is tried again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from notion_pg_sync.sync.files.obstacles import Obstacle
from notion_pg_sync.sync.files.plan import next_try_at

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("tries", [0, 1, 50])
def test_what_the_way_was_at_fault_for_is_tried_by_the_next_run(tries: int) -> None:
    assert next_try_at(Obstacle.WAY, tries, NOW) == NOW


@pytest.mark.parametrize("obstacle", [Obstacle.REFUSED, Obstacle.GONE, Obstacle.ODD])
def test_the_rest_is_tried_after_an_hour_and_then_once_a_day(obstacle: Obstacle) -> None:
    assert next_try_at(obstacle, 0, NOW) == NOW + timedelta(hours=1)
    assert next_try_at(obstacle, 1, NOW) == NOW + timedelta(days=1)
    assert next_try_at(obstacle, 9, NOW) == NOW + timedelta(days=1)


def test_what_is_too_large_is_not_tried_by_itself() -> None:
    assert next_try_at(Obstacle.TOO_LARGE, 0, NOW) is None
