"""Pure: a row of numbers as a line of bars."""

from __future__ import annotations

from collections.abc import Sequence

_BARS = "▁▂▃▄▅▆▇█"

# With fewer there is nothing to see.
FEWEST = 3


def sparkline(values: Sequence[float]) -> str:
    """A bar for each number (none is negative), the longest for the greatest; empty where there are too few."""
    if len(values) < FEWEST:
        return ""
    greatest = max(values)
    return "".join(_BARS[round(value / greatest * (len(_BARS) - 1)) if greatest else 0] for value in values)
