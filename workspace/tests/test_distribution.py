"""It stands alone: imports nothing of the tool that it was made for, and keeps to the same rules."""

import ast
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import notion_workspace

PACKAGE = Path(notion_workspace.__file__).parent
ROOT = Path(__file__).parents[1]


def imports_of(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_it_imports_nothing_of_the_tool() -> None:
    """A misunderstanding that both shared would hide itself."""
    modules = [*PACKAGE.rglob("*.py"), *(ROOT / "tests").rglob("*.py")]
    assert len(modules) > 50
    used = {(file.name, name) for file in modules for name in imports_of(file)}
    assert {(file, name) for file, name in used if name.split(".")[0] == "notion_pg_sync"} == set()


def project(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture
def own() -> dict[str, Any]:
    return project(ROOT)


@pytest.fixture
def tools() -> dict[str, Any]:
    """The pyproject.toml of the repository that it lies in."""
    return project(ROOT.parent)


def test_the_rules_are_those_of_the_repository(own: dict[str, Any], tools: dict[str, Any]) -> None:
    for table, keys in {
        "ruff": ["line-length", "target-version"],
        "mypy": ["strict", "warn_unreachable"],
    }.items():
        assert {key: own["tool"][table][key] for key in keys} == {key: tools["tool"][table][key] for key in keys}
    lint = [{key: one["tool"]["ruff"]["lint"][key] for key in ("select", "ignore")} for one in (own, tools)]
    assert lint[0] == lint[1]
    here, there = (one["tool"]["pytest"]["ini_options"] for one in (own, tools))
    for key in ("asyncio_mode", "asyncio_default_fixture_loop_scope", "timeout", "filterwarnings"):
        assert here[key] == there[key], key
    # In the tool's repository, its tests/conftest.py leaves out what is slow.
    assert set(shlex.split(here["addopts"])) - {"-m", "not slow"} < set(shlex.split(there["addopts"]))
    assert (own["project"]["requires-python"], own["project"]["license"]) == (
        tools["project"]["requires-python"],
        tools["project"]["license"],
    )
    assert (ROOT / "LICENSE").read_bytes() == (ROOT.parent / "LICENSE").read_bytes()


def test_what_its_tests_need_is_installed_with_what_the_tools_tests_need(
    own: dict[str, Any], tools: dict[str, Any]
) -> None:
    """So one command installs both, and one runs both."""
    theirs = {*tools["project"]["dependencies"], *tools["project"]["optional-dependencies"]["test"]}
    assert set(own["project"]["optional-dependencies"]["test"]) <= theirs
