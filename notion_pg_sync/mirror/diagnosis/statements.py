"""SQL to be typed by a person, as text."""

from __future__ import annotations

from psycopg import sql


def typed(*statements: sql.Composable) -> str:
    """The statements, one a line, each with its semicolon."""
    return "\n".join(f"{statement.as_string()};" for statement in statements)
