"""The house holds: imports point one way, and what is kept apart stays apart (docs/architecture.md)."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import notion_pg_sync

PACKAGE = Path(notion_pg_sync.__file__).parent
ROOT = Path(__file__).parent.parent

# Which parts of the house each part may use, beside itself and those that are everybody's.
EVERYBODYS = {"settings", "printable"}
MAY_USE = {
    "notion": set(),
    "mirror": set(),
    "sync": {"notion", "mirror"},
    "report": {"sync", "notion", "mirror", "demo"},
    "demo": set(),
    "cli": {"sync", "report", "demo"},
    "settings": set(),
    "printable": set(),
    "__main__": {"cli"},
}


def imports_of(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


def part_of(module: str) -> str | None:
    """The part of the house that a module of ours is in, None for modules of others and for the package itself."""
    names = module.split(".")
    return names[1] if names[0] == "notion_pg_sync" and len(names) > 1 and names[1] != "__version__" else None


@pytest.mark.parametrize("part", sorted(MAY_USE))
def test_a_part_uses_only_what_it_may(part: str) -> None:
    files = (PACKAGE / part).rglob("*.py") if (PACKAGE / part).is_dir() else [PACKAGE / f"{part}.py"]
    allowed = MAY_USE[part] | EVERYBODYS | {part}
    used = {(file.name, found) for file in files for module in imports_of(file) if (found := part_of(module))}
    assert {(name, found) for name, found in used if found not in allowed} == set()


def test_every_part_is_in_the_plan() -> None:
    parts = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    assert parts - {"__init__"} == set(MAY_USE)


@pytest.mark.parametrize(("part", "foreign"), [("notion", "psycopg"), ("mirror", "httpx"), ("mirror", "notion_client")])
def test_the_two_sides_do_not_know_each_others_libraries(part: str, foreign: str) -> None:
    used = {module.split(".")[0] for file in (PACKAGE / part).rglob("*.py") for module in imports_of(file)}
    assert foreign not in used


def test_the_sample_workspace_imports_nothing_of_the_tool() -> None:
    for file in (PACKAGE / "demo" / "workspace").rglob("*.py"):
        ours = {module for module in imports_of(file) if module.startswith("notion_pg_sync")}
        assert {module for module in ours if not module.startswith("notion_workspace")} == set(), file


@pytest.mark.parametrize(
    "module",
    [
        *("listing", "intervals", "properties", "schema", "completion", "rollup_parts", "shares", "ids", "splits"),
        *("blocks", "markdown", "expectation", "parted_rollups"),
    ],
)
def test_decisions_are_pure(module: str) -> None:
    used = {name.split(".")[0] for name in imports_of(PACKAGE / "notion" / f"{module}.py")}
    assert used & {"asyncio", "httpx", "notion_client", "psycopg", "os", "socket", "time"} == set()


@pytest.mark.parametrize("module", ["bodies_plan", "plan", "suspension", "configuration"])
def test_decisions_of_a_sync_are_pure(module: str) -> None:
    used = {name.split(".")[0] for name in imports_of(PACKAGE / "sync" / f"{module}.py")}
    assert used & {"asyncio", "httpx", "notion_client", "psycopg", "os", "socket", "time"} == set()


@pytest.mark.parametrize("module", ["crontab", "command_line", "due", "faults", "systemd"])
def test_what_a_schedule_says_is_read_purely(module: str) -> None:
    used = {name.split(".")[0] for name in imports_of(PACKAGE / "report" / "scheduling" / f"{module}.py")}
    assert used & {"asyncio", "os", "psutil", "psycopg", "subprocess", "time"} == set()


def test_the_version_is_one() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == notion_pg_sync.__version__
    assert f"## {notion_pg_sync.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


# What is printed past these could steer a terminal (docs/reliability.md, "Names").
@pytest.mark.parametrize(
    ("call", "modules"),
    [
        (r"\bConsole\(", {"report/terminal.py"}),
        (r"\btyper\.(prompt|confirm)\(", {"report/streams.py"}),
        (r"\bsys\.__std|\.buffer\b|\bos\.write\(|\bprint_exc", set()),
        (r"\becho\(", {"cli.py", "report/streams.py"}),
    ],
)
def test_only_a_few_print_in_other_ways_than_to_the_protected_streams(call: str, modules: set[str]) -> None:
    files = [file for file in PACKAGE.rglob("*.py") if file.relative_to(PACKAGE).parts[0] != "demo"]
    found = {str(file.relative_to(PACKAGE)) for file in files if re.search(call, file.read_text(encoding="utf-8"))}
    assert found - modules == set()
