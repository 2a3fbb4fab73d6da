"""Names in statements: none is read as a placeholder, and none means what a stranger put on the path.

A statement that touches a table of the application runs under the application's `search_path`, which its triggers and
policies need. Whoever may create something in a schema of that path could offer a better match for what such a
statement names: an exact match beats PostgreSQL's own polymorphic function, and a conversion of types. So all of its
names are qualified, operators too (`qualified`).
"""

from __future__ import annotations

from functools import cache
from typing import Any, LiteralString

from psycopg import sql

_OPERATORS: tuple[LiteralString, ...] = (
    "=",
    "<>",
    "<",
    "<=",
    ">",
    ">=",
    "+",
    "-",
    "/",
    "||",
    "->",
    "->>",
    "~",
    "@>",
    "?",
    "?|",
)


def qualified(statement: LiteralString, /, **parts: sql.Composable) -> sql.Composed:
    """A statement with `parts` in their places, in which `{=}` is PostgreSQL's own operator `=`, and so on.

    All these operators bind alike, from left to right, and more than AND, OR and NOT: `a {->>} 'b' {=} 'c'` needs no
    parentheses, `'c' {=} (a {->>} 'b')` does.

    What names no operator and yet looks for one by the path cannot be qualified, and has no place in such a statement:
    IN, NULLIF, IS DISTINCT FROM, LIKE, BETWEEN, JOIN … USING, CASE with a value behind it.
    """
    return _with_operators(statement).format(**parts)


# Put in once: for each execution they took longer than PostgreSQL takes to carry it out.
@cache
def _with_operators(statement: LiteralString) -> sql.SQL:
    for name in _OPERATORS:
        statement = statement.replace("{" + name + "}", "OPERATOR(pg_catalog." + name + ")")
    return sql.SQL(statement)


def written_out(statement: sql.Composed) -> sql.SQL:
    """A statement for execution with parameters, as it is sent: to compose it takes longer than to execute it.

    For what is kept, since the same is executed again and again.
    """
    return sql.SQL(with_names_kept(statement).as_string())


def with_names_kept(query: Any) -> Any:
    """The statement with every percent sign of a name or a literal doubled, for execution with parameters.

    psycopg looks for placeholders in the whole text of a composed statement, the names in it included.
    """
    if isinstance(query, sql.Composed):
        return sql.Composed([with_names_kept(part) for part in query])
    if isinstance(query, sql.Identifier | sql.Literal):
        return sql.SQL(query.as_string().replace("%", "%%"))
    return query
