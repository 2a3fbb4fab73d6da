"""What the documentation shows works: commands exist, statements run, links lead somewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from notion_pg_sync import cli
from notion_pg_sync.demo.workspace import SmallWorkspace
from notion_pg_sync.report.checks.all_checks import ALL_CHECKS
from tests.installation import Installation

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return [re.sub(rf"^{indent}", "", block, flags=re.MULTILINE) for indent, block in found]


def statements() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        for block in blocks(page, "sql"):
            for statement in block.split(";\n"):
                if statement.strip():
                    yield page.name, statement


@pytest.mark.parametrize(("page", "statement"), list(statements()))
async def test_every_sql_statement_runs(
    installation: Installation, small: SmallWorkspace, page: str, statement: str
) -> None:
    await installation.connect("somebody", small.tokens["anna"], {"Characters": small.databases["Characters"]})
    await installation.sync_all()
    try:
        await installation.execute(statement.replace("%", "%%"))
    except psycopg.Error as error:
        pytest.fail(f"{page}: {error}")


def test_ci_runs_the_test_command_of_the_readme() -> None:
    commands = [line for block in blocks(ROOT / "README.md", "sh") for line in block.splitlines()]
    command = next(line for line in commands if line.endswith(".venv/bin/pytest"))
    assert command in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()


def test_every_command_shown_is_one_and_every_command_is_shown() -> None:
    known = {command.name or command.callback.__name__.replace("_", "-") for command in cli.app.registered_commands}  # type: ignore[union-attr]
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    shown = set(re.findall(r"notion-pg-sync ([a-z][a-z-]*)", text))
    assert shown <= known
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert {name for name in known if f"`notion-pg-sync {name}" in readme} == known


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_within_the_repository_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_the_crontab_is_one() -> None:
    lines = (ROOT / "examples" / "crontab.txt").read_text(encoding="utf-8").splitlines()
    kinds = (r"#.*", r"", r"[A-Z_]+=\S.*", r"(\S+ ){5}notion-pg-sync sync-all.*")
    assert [line for line in lines if not any(re.fullmatch(kind, line) for kind in kinds)] == []


def test_every_check_of_doctor_has_its_section() -> None:
    text = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    sections = {
        part.splitlines()[0]: re.findall(r"^### (.+)$", part, re.MULTILINE)
        for part in re.split(r"^## ", text, flags=re.M)[1:]
    }
    checks: dict[str, list[str]] = {}
    for check in ALL_CHECKS:
        checks.setdefault(check.section, []).append(check.name)
    assert {section: sections.get(section) for section in checks} == checks
