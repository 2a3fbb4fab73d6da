"""The statements that a server was sent, by its log, and what in them a stranger could capture."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_ENTRY = re.compile(r"^\S+ \S+ \S+ \[(\d+)\] ([A-Z]+):  (.*?)(?=^\S+ \S+ \S+ \[\d+\] [A-Z]+:  |\Z)", re.M | re.S)
_PINNED = "pg_catalog"


@dataclass(frozen=True)
class Sent:
    """A statement, and the schema that came first in the path that its transaction had set; None where it had not."""

    text: str
    first_schema: str | None


def statements_in(log: str) -> list[Sent]:
    """The statements of all sessions in a log of all statements, but for those that begin and end transactions."""
    paths: dict[str, list[str | None]] = {}
    found = []
    for pid, level, said in _ENTRY.findall(log):
        kind, _, text = said.partition(": ")
        if level != "LOG" or not (kind == "statement" or kind.startswith("execute ")):
            continue
        text = text.strip()
        path = paths.setdefault(pid, [None])
        settings = re.findall(r"SET LOCAL \"search_path\" = '([^']*)'", text)
        if re.match(r"BEGIN|COMMIT|ROLLBACK$", text):
            path[:] = settings[-1:] or [None]
        elif text.startswith("SAVEPOINT"):
            path.append(path[-1])
        elif re.match(r"ROLLBACK TO", text):
            path[-1] = path[-2]
        elif text.startswith("RELEASE"):
            path[-2:] = path[-1:]
        elif settings:
            path[-1] = settings[-1]
        else:
            found.append(Sent(text, path[-1]))
    return found


class Log:
    """What a server writes to its log from now on."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._start = path.stat().st_size

    @property
    def text(self) -> str:
        """It, so far."""
        with self._path.open(encoding="utf-8", errors="replace") as file:
            file.seek(self._start)
            return file.read()


# Words of SQL itself behind which a parenthesis may stand; what they do looks for no name.
_WORDS = """
    all and any array as by case coalesce conflict delete distinct else end except exists extract filter first from full
    group in into is join key lateral limit materialized not null nulls of on or order over partition primary references
    returning row rows select set then union unique update using values view when where with check default
""".split()  # noqa: SIM905 - many words read better so
# The same of types that SQL has words for.
_TYPES_OF_SQL = {"boolean", "integer", "bigint", "smallint", "timestamp", "interval", "numeric"}
# They look for an operator without naming one.
_NAMELESS = re.compile(
    r"\b(?:in\s*\(|nullif\b|i?like\b|similar\b|between\b|distinct\s+from\b|overlaps\b|natural\b|case\b(?!\s+when\b))"
    r"|\bjoin\b[^()]*\busing\s*\(",
    re.I,
)
_TOKEN = re.compile(
    r"""(?P<string>E?'(?:[^']|'')*')
      | (?P<name>(?:"(?:[^"]|"")*"|[A-Za-z_]\w*)(?:\.(?:"(?:[^"]|"")*"|[A-Za-z_]\w*|\*))*)
      | (?P<cast>::) | (?P<parameter>\$\d+) | (?P<operator>[-+*/<>=~!@\#%^&|`?]+) | (?P<other>\d+|\S)""",
    re.X,
)


def capturable(statement: str) -> list[str]:
    """What a statement names that need not be PostgreSQL's own or the tool's own where a stranger has a schema.

    Operators, functions, types and relations without a schema, what looks for an operator without naming it, and
    backslashes in literals, whose meaning is a setting.
    """
    return [*_names(statement), *_nameless(statement)]


def _nameless(statement: str) -> Iterator[str]:
    without_literals = re.sub(r"'(?:[^']|'')*'", "''", statement)
    yield from (match.group().strip() for match in _NAMELESS.finditer(without_literals))


def _names(statement: str) -> Iterator[str]:
    text = re.sub(r"OPERATOR\(pg_catalog\.[^)]+\)", " ,", statement)
    tokens = [(match.lastgroup or "", match.group()) for match in _TOKEN.finditer(text)]
    known = {name.lower() for name in re.findall(r"(\w+) AS (?:MATERIALIZED )?\(", text)}
    assigning = False
    for number, (kind, token) in enumerate(tokens):
        before = tokens[number - 1][1].upper() if number else ""
        after = tokens[number + 1][1] if number + 1 < len(tokens) else ""
        word = token.lower()
        if kind == "name":
            assigning = word == "set" or (assigning and word not in ("where", "from", "returning"))
        is_odd = "\\" in token and not token.startswith("E") if kind == "string" else kind == "operator"
        if is_odd and not _is_of_the_grammar(token, before, assigning=assigning):
            yield token
        elif kind == "name" and before == "::" and "." not in token and word not in _TYPES_OF_SQL:
            yield f"::{token}"
        elif kind == "name" and before in ("FROM", "JOIN", "INTO", "UPDATE", "TABLE") and "." not in token:
            if word not in {*known, *_WORDS, "only"}:
                yield token
        elif kind == "name" and after == "(" and "." not in token and word not in _WORDS and before != "AS":
            yield f"{token}()"


def _is_of_the_grammar(operator: str, before: str, *, assigning: bool) -> bool:
    """Whether a sign is no operator: a star for all columns or rows, an assignment."""
    return (operator == "*" and before in ("SELECT", "(", ",", "RETURNING")) or (operator == "=" and assigning)
