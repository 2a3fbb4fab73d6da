"""Every sample of the README runs as it stands; its tables name all that there is."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from notion_workspace import SampleWorkspace
from notion_workspace.faults import KINDS
from notion_workspace.hosted_files import FILE_KINDS
from notion_workspace.sample import SCENARIOS
from notion_workspace.state import Settings

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
ADDRESS = "http://127.0.0.1:8045"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)


SCRIPTS = [block for block in blocks("python") if "import pytest" not in block]
(TEST_FILE,) = [block for block in blocks("python") if "import pytest" in block]
REQUESTS = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("curl ")]


def named_in(heading: str, column: int = 1) -> set[str]:
    """What stands in backquotes in a column of the table whose first heading this is."""
    (table,) = re.findall(rf"^\| {re.escape(heading)} \|.*?\n\n", TEXT, re.DOTALL | re.MULTILINE)
    return {name for row in table.strip().splitlines()[2:] for name in re.findall(r"`([^`]+)`", row.split("|")[column])}


def steering_methods(owner: object, prefix: str = "") -> set[str]:
    return {prefix + name for name in dir(type(owner)) if getattr(getattr(owner, name), "__steering__", False)}


def test_the_tables_name_all_that_there_is() -> None:
    workspace = SampleWorkspace()
    parts = {
        "clock": workspace.clock,
        "faults": workspace.faults,
        "requests": workspace.requests,
        "files": workspace.files,
        "files.faults": workspace.files.faults,
    }
    methods = steering_methods(workspace).union(*(steering_methods(one, f"{name}.") for name, one in parts.items()))
    assert named_in("what", column=2) == methods
    assert named_in("`--scenario`") == set(SCENARIOS)
    assert named_in("setting") == {field.name for field in fields(Settings)}
    assert named_in("kind") == KINDS
    assert named_in("file fault") == FILE_KINDS


def test_every_sample_is_of_a_kind_that_is_run() -> None:
    assert set(re.findall(r"^```(\w+)", TEXT, re.MULTILINE)) == {"python", "sh", "console"}
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    assert {line.split()[0] for line in lines} == {"pip", "cd", "curl"}


def test_the_python_samples_run_one_after_the_other() -> None:
    assert len(SCRIPTS) > 2
    known: dict[str, Any] = {}
    for script in SCRIPTS:
        exec(compile(script, "README.md", "exec"), known)


def test_the_fixture_serves_a_test(tmp_path: Path) -> None:
    (tmp_path / "test_sample.py").write_text(TEST_FILE, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_sample.py"]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (ended.returncode, "1 passed" in ended.stdout) == (0, True), ended.stdout


@pytest.fixture
def served() -> Iterator[list[str]]:
    """What the command that is shown prints, on a port that is free; it runs until the end of the test."""
    (shown,) = blocks("console")
    command = shown.splitlines()[0].removeprefix("$ ").split()
    assert command[0] == "python"
    assert command[-1] == ADDRESS.rpartition(":")[2]
    with subprocess.Popen([sys.executable, *command[1:-1], "0"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield [process.stdout.readline().rstrip("\n") for _ in shown.splitlines()[1:]]
        finally:
            process.terminate()


def test_the_command_prints_what_is_shown(served: list[str]) -> None:
    (shown,) = blocks("console")
    for line, told in zip(shown.splitlines()[1:], served, strict=True):
        pattern = (
            re.escape(line.replace(ADDRESS, "URL")).replace("URL", r"http://127\.0\.0\.1:\d+").replace("…", r"\w+")
        )
        assert re.fullmatch(pattern, told), told


def test_the_requests_are_answered(served: list[str]) -> None:
    if shutil.which("curl") is None:
        lacks = pytest.fail if os.geteuid() == 0 else pytest.skip
        lacks("curl is not installed: apt-get install curl")
    environment = {**os.environ, "TOKEN": served[1].split()[1]}
    answers = []
    for request in REQUESTS:
        ended = subprocess.run(
            ["sh", "-c", request.replace(ADDRESS, served[0])],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, f"{request}: {ended.stderr or ended.stdout}"
        answers.append([json.loads(line) for line in ended.stdout.splitlines()])
    me, page, _, truth, *_, counts = answers
    assert me[0]["object"] == "user"
    assert {row["id"]: row["properties"]["Name"] for row in truth}[page[0]] == "Aragorn"
    assert counts == [{"users_me": 1}]


@pytest.mark.slow
def test_it_is_installed_whole_by_the_command_that_is_shown(tmp_path: Path) -> None:
    """Without the network: what it depends on is there already."""
    assert blocks("sh")[0] == "pip install ./workspace\n"
    target = tmp_path / "installed"
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--target", str(target)]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, str(ROOT)], check=True, capture_output=True)
    script = "import notion_workspace.showcase as s; s.build_showcase(); print(s.__file__)"
    ended = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(target)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(ended.stdout.strip()).is_relative_to(target)
    assert (target / "notion_workspace" / "py.typed").is_file()
    assert not (target / "tests").exists()


@pytest.mark.slow
def test_its_tests_are_found_where_it_says() -> None:
    editable, run = blocks("sh")[-1].splitlines()
    assert (editable, run) == ("pip install --editable './workspace[test]'", "cd workspace && pytest")
    command = [sys.executable, "-m", "pytest", "--collect-only", "--quiet", "-p", "no:cacheprovider"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ended.returncode, "tests/test_readme.py::" in ended.stdout) == (0, True), ended.stdout
