"""Where the windows of rate limits begin, by a clock that is told the time."""

from collections.abc import Iterable
from typing import Any

import pytest

from notion_workspace.errors import ApiError
from notion_workspace.limits import Limits
from notion_workspace.state import Settings


def refusals(times: Iterable[float], seed: int = 0, label: str = "anna", **settings: Any) -> list[int | None]:
    """Makes a request at each time: what it is told to wait, None where it is let in."""
    now = 0.0
    limits = Limits(Settings(**settings), seed, clock=lambda: now)
    told: list[int | None] = []
    for now in times:  # noqa: B007 - the clock tells it
        try:
            limits.check(label)
        except ApiError as error:
            assert error.additional_data is not None
            assert error.additional_data["rate_limit_reason"] == "public_api_request_rate_limit"
            told.append(int(error.additional_data["retry_after"]))
        else:
            told.append(None)
    return told


def test_fixed_windows_follow_each_other_from_the_first_request_on() -> None:
    assert refusals([100, 159, 159.5, 160, 279, 280], rate_limit=1) == [None, 1, 1, None, None, None]


def test_fixed_windows_have_the_phase_that_is_set() -> None:
    times = [100, 101, 119.9, 120, 121.5, 179, 300]
    assert refusals(times, rate_limit=1, rate_phase=40.0) == [None, 19, 1, None, 59, 1, None]


def test_random_phases_differ_by_token_and_seed_and_are_reproducible() -> None:
    def told(seed: int, label: str) -> int | None:
        return refusals([0, 0], seed, label, rate_limit=1, rate_phase="random")[1]

    assert told(1, "anna") == told(1, "anna")
    waits = {told(seed, label) for seed in range(20) for label in ("anna", "ben")}
    assert len(waits) > 20
    assert all(wait is not None and 1 <= wait <= 60 for wait in waits)


def test_a_window_by_request_begins_with_the_next_request() -> None:
    times = [100, 130, 175, 176, 234, 235, 236]
    assert refusals(times, rate_limit=1, rate_windows="by_request") == [None, 30, None, 59, 1, None, 59]


def test_a_sliding_window_lets_in_what_the_last_minute_leaves_room_for() -> None:
    times = [100, 110.5, 120, 159.9, 160, 161, 170.5, 171]
    assert refusals(times, rate_limit=2, rate_windows="sliding") == [None, None, 40, 1, None, 10, None, 49]


@pytest.mark.parametrize("kind", ["fixed", "by_request", "sliding"])
def test_who_waits_as_told_is_let_in(kind: str) -> None:
    times = [100.3, 100.9, 101.1]
    told = refusals(times, rate_limit=2, rate_windows=kind, rate_phase=17.3)[-1]
    assert told is not None
    assert refusals([*times, times[-1] + told], rate_limit=2, rate_windows=kind, rate_phase=17.3)[-1] is None
