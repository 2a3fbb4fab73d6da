"""SQL to be typed by a person, as text."""

from __future__ import annotations

import re

from psycopg import sql

from notion_pg_sync.core.printable import printable

# A name or a value in quotes; within E'...' a backslash escapes.
_QUOTED = re.compile(r"""(?<![\w$])E'(?:[^'\\]|''|\\.)*'|'(?:[^']|'')*'|"(?:[^"]|"")*\"""", re.DOTALL)


def typed(*statements: sql.Composable) -> str:
    """The statements, one a line, each with its semicolon."""
    return "\n".join(re.sub(r"\s*\n\s*", " ", f"{harmless(statement.as_string())};") for statement in statements)


def harmless(statement: str) -> str:
    """The same statement, with line ends and control characters of its names and values escaped as SQL does."""
    return _QUOTED.sub(lambda quoted: _escaped(quoted[0]), statement)


def _escaped(quoted: str) -> str:
    if printable(quoted) == quoted:
        return quoted
    if quoted.startswith("E"):
        return printable(quoted)
    doubled = quoted.replace("\\", r"\\")
    if quoted.startswith("'"):
        return f"E{printable(doubled)}"
    return "U&" + "".join(one if one == printable(one) else f"\\+{ord(one):06x}" for one in doubled)
