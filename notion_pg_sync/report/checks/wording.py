"""Words that the lines of `doctor` share."""

from __future__ import annotations

from collections.abc import Sequence

_MOST_NAMED = 5


def plural(count: int, one: str, many: str) -> str:
    """A number with the word for one or for many."""
    return f"{count:,} {one if count == 1 else many}"


def some(names: Sequence[str]) -> str:
    """The first few of the names, and how many more there are."""
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")
