"""docs/environment.md has every variable that the tool reads, and no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from notion_pg_sync.commands.doctor.scheduling.found import look_for_schedule
from notion_pg_sync.settings import read_settings
from tests.fences import ROOT

PAGE = ROOT / "docs" / "environment.md"
SOURCES = sorted((ROOT / "notion_pg_sync").rglob("*.py"))
# Read by rich, which draws, whether or not the tool looks at them too.
OF_LIBRARIES = {"COLUMNS", "NO_COLOR"}


class Watched(Mapping[str, str]):
    """An environment that notes which variables are asked for."""

    def __init__(self, **variables: str) -> None:
        self._variables = variables
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return self._variables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._variables)

    def __len__(self) -> int:
        return len(self._variables)


def is_environment(node: ast.expr) -> bool:
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return name in ("environ", "environment")


def named(node: ast.AST) -> list[ast.expr]:
    """What a look at the environment names: `environment.get(…)`, `environment[…]`, `… in environment`."""
    match node:
        case ast.Call(func=ast.Attribute(value=value, attr="get"), args=[name, *_]) if is_environment(value):
            return [name]
        case ast.Subscript(value=value, slice=name) if is_environment(value):
            return [name]
        case ast.Compare(left=name, ops=[ast.In() | ast.NotIn()], comparators=[value]) if is_environment(value):
            return [name]
    return []


def read_by(source: Path) -> set[str]:
    """The variables that a module reads and names where it does so."""
    names = [name for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))) for name in named(node)]
    return {name.value for name in names if isinstance(name, ast.Constant) and isinstance(name.value, str)}


def rows() -> list[list[str]]:
    """The tables' rows, of each the cells, without headers."""
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def variables(text: str) -> list[str]:
    return re.findall(r"`(\w+)`", text)


def test_the_page_has_every_variable_that_is_read_and_no_other(tmp_path: Path) -> None:
    of_settings, of_hosts = Watched(ALL_PROXY="http://127.0.0.1:3128"), Watched()
    read_settings(of_settings)
    look_for_schedule(of_hosts, tmp_path)
    read = {name for source in SOURCES for name in read_by(source)} | of_settings.asked | of_hosts.asked
    assert {"DATABASE_URL", "PGHOST", "all_proxy", "GITHUB_ACTIONS"} <= read
    assert {name for row in rows() for name in variables(row[0])} == read | OF_LIBRARIES


def test_every_example_is_one_of_its_row_that_the_tool_takes() -> None:
    for row in rows():
        (example,) = [found for cell in row[1:] if (found := re.search(r"`(\w+)=([^`]+)`", cell))]
        name, value = example.groups()
        assert name in variables(row[0])
        if name != "SSL_CERT_FILE" or Path(value).exists():
            read_settings({name: value})
