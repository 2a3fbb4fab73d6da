"""Waiting for what another process or thread does."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest


def wait_until(holds: Callable[[], object], *, seconds: float = 60) -> None:
    """Waits until something holds; fails after a time that no machine needs."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            pytest.fail(f"it did not come within {seconds:g} seconds")
        time.sleep(0.02)
