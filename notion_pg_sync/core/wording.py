"""Pure: counts and lists of names in words."""

from __future__ import annotations

from collections.abc import Sequence

_MOST_NAMED = 5


def plural(count: int, one: str, many: str = "") -> str:
    """A number and what it counts, such as `1 database` or `1,200 databases`; `many`: where an s is not enough."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"


def some(names: Sequence[str]) -> str:
    """The first few of the names, and how many more there are."""
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def times(count: int) -> str:
    """How often, such as `once` or `3 times in a row`."""
    return "once" if count == 1 else f"{count:,} times in a row"


def ended(sentence: str) -> str:
    """A sentence with its full stop, unless it ends with SQL, which has its semicolon."""
    return sentence if sentence.endswith((".", ";")) else f"{sentence}."
