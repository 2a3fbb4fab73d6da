"""What a test wants of the machine, and the machine lacks."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def lacks(says: str) -> NoReturn:
    """Fails the test for root, who can give it what it wants, as CI does; skips it for everybody else."""
    if os.geteuid() == 0:
        pytest.fail(says)
    pytest.skip(says)
