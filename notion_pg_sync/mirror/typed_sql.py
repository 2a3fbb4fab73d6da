"""SQL to be typed by a person, as text."""

from __future__ import annotations

import re

from psycopg import sql

from notion_pg_sync.core.printable import printable

# A name or a value in quotes; within E'...' a backslash escapes.
_QUOTED = re.compile(r"""(?<![\w$])E'(?:[^'\\]|''|\\.)*'|'(?:[^']|'')*'|"(?:[^"]|"")*\"""", re.DOTALL)
_ODD_BLANK = re.compile("[^\\S\0- ]|[\u200c\u200d]")


def typed(*statements: sql.Composable) -> str:
    """The statements, one a line, each with its semicolon."""
    return "\n".join(re.sub(r"\s*\n\s*", " ", f"{harmless(statement.as_string())};") for statement in statements)


def harmless(statement: str) -> str:
    """The same statement, with what cannot be seen in its names and values escaped as SQL does, line ends too."""
    return _QUOTED.sub(lambda quoted: _escaped(quoted[0]), statement)


def _escaped(quoted: str) -> str:
    if _shown(quoted) == quoted:
        return quoted
    if quoted.startswith("E"):
        return _shown(quoted)
    doubled = quoted.replace("\\", r"\\")
    if quoted.startswith("'"):
        return f"E{_shown(doubled)}"
    return "U&" + "".join(one if one == _shown(one) else f"\\+{ord(one):06x}" for one in doubled)


def _shown(text: str) -> str:
    """A terminal makes a common blank of any other, and shows none without width."""
    return _ODD_BLANK.sub(lambda one: f"\\u{ord(one[0]):04x}", printable(text))
