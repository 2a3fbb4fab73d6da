"""Text that cannot steer a terminal: names and values come from Notion, from whoever writes there."""

from __future__ import annotations


def printable(line: str) -> str:
    """`line` with control characters and the like written out."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in line)
