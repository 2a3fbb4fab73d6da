"""What the documentation shows works: commands exist, statements run, links lead somewhere."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
import yaml
from notion_workspace import SmallWorkspace

from notion_pg_sync import cli
from notion_pg_sync.commands.doctor.checks.all_checks import ALL_CHECKS
from notion_pg_sync.commands.doctor.scheduling.crontab import next_due
from notion_pg_sync.core.databases import ConfiguredDatabase, DatabaseOptions
from notion_pg_sync.sync.run.configuration import read_configuration
from tests.fences import PAGES, ROOT, blocks, fences
from tests.installation import Installation

# What this file runs, and what is output, or a command that needs a machine of its own.
RUN_ON_EVERY_PAGE = {"sql", "json", "yaml"}
NOT_TO_BE_RUN = {"", "text", "sh", "console"}
TESTS = [path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py") if path != Path(__file__)]
DECISIONS = ROOT / "docs" / "decisions"


def statements(language: str) -> Iterator[tuple[str, str]]:
    for page in PAGES:
        for block in blocks(page, language):
            for statement in block.split(";\n"):
                if statement.strip():
                    yield page.name, statement


@pytest.mark.parametrize(("page", "statement"), list(statements("sql")))
async def test_every_sql_statement_runs(
    installation: Installation, small: SmallWorkspace, page: str, statement: str
) -> None:
    await installation.connect("somebody", small.tokens["anna"], {"Characters": small.databases["Characters"]})
    await installation.sync_all()
    try:
        await installation.execute(statement.replace("%", "%%"))
    except psycopg.Error as error:
        pytest.fail(f"{page}: {error}")


async def test_the_older_routes_upsert_works_and_fails_when_the_page_says(
    installation: Installation, database_url: str
) -> None:
    """The key that `init` leaves: of user and page, in either order, and no longer of the page alone."""
    row = "INSERT INTO notion_characters_sync (notion_page_id, notion_database_id, user_id) VALUES ('p', 'd', 'u')"
    for _ in range(2):
        await installation.execute(f"{row} ON CONFLICT (notion_page_id, user_id) DO UPDATE SET name = 'again'")
    with pytest.raises(psycopg.errors.InvalidColumnReference):
        await installation.execute(f"{row} ON CONFLICT (notion_page_id) DO NOTHING")


async def test_the_bookkeeping_can_be_made_anew_as_the_page_on_upgrading_says(
    installation: Installation, small: SmallWorkspace
) -> None:
    tables = "SELECT id, notion_page_id FROM notion_characters_sync ORDER BY id"
    policies = "SELECT tablename, policyname FROM pg_policies WHERE schemaname = 'public' ORDER BY 1, 2"
    databases = {"Characters": small.databases["Characters"]}
    await installation.connect("me", small.tokens["anna"], databases)
    await installation.execute("INSERT INTO notion_sync.accounts (user_id, views) VALUES ('me', true)")
    assert (await installation.sync_all()).failures == []
    before = await installation.execute(tables), await installation.execute(policies)
    assert all(before)
    for statement in [statement for page, statement in statements("sql") if page == "upgrading.md"]:
        await installation.execute(statement)
    assert await installation.execute(policies) != before[1]
    await installation.init(row_security=True)
    assert (await installation.sync_all()).failures == []
    assert (await installation.execute(tables), await installation.execute(policies)) == before
    assert await installation.differences("me", small.tokens["anna"], databases) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_everything_shown_is_run_by_a_test(page: Path) -> None:
    """A test that names the page and the language; what this file runs, whatever the page, is named below."""
    shown = {fence.language for fence in fences(page.read_text(encoding="utf-8"))} - RUN_ON_EVERY_PAGE - NOT_TO_BE_RUN
    naming = [text for text in TESTS if re.search(rf"[\"/]{re.escape(page.name)}\"", text)]
    assert [language for language in shown if not any(is_named(language, text) for text in naming)] == []


def is_named(language: str, text: str) -> bool:
    """Whether a test's text names a language, or what makes a kind of SQL of it."""
    return f'"{language}"' in text or f'"{language.removeprefix("sql ")}"' in text


def test_everything_shown_in_yaml_and_json_can_be_read() -> None:
    shown = [yaml.safe_load(block) for page in PAGES for block in blocks(page, "yaml")]
    shown += [json.loads(block) for page in PAGES for block in blocks(page, "json")]
    assert shown
    assert all(isinstance(part, dict) for part in shown)


def test_the_entries_of_databases_that_are_shown_are_understood() -> None:
    shown = [json.loads(block) for block in blocks(ROOT / "docs" / "connecting-users.md", "json")]
    configurations = [read_configuration(one) for one in shown]
    assert [one.problems for one in configurations] == [(), ()]
    assert all(any(database.options.exclude for database in one.databases) for one in configurations)


async def test_options_are_added_to_a_database_as_the_page_on_connecting_says(
    installation: Installation, small: SmallWorkspace
) -> None:
    (adding,) = [one for one in blocks(ROOT / "docs" / "connecting-users.md", "sql") if "'exclude'" in one]
    await installation.connect("user-1", small.tokens["anna"], {"Characters": small.databases["Characters"]})
    for _ in range(2):
        await installation.execute(adding)
        (row,) = await installation.execute("SELECT notion_databases FROM user_settings")
        assert read_configuration(row["notion_databases"]).databases == (
            ConfiguredDatabase(
                "Characters",
                small.databases["Characters"],
                options=DatabaseOptions(("Salary", "Notes"), bodies=True, views=False),
            ),
        )


def test_the_schedules_shown_are_schedules_and_start_sync_all() -> None:
    page = ROOT / "docs" / "schedulers.md"
    cluster, workflow = (yaml.safe_load(block) for block in blocks(page, "yaml"))
    (container,) = cluster["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    assert container["args"] == ["sync-all"]
    # To YAML 1.1 the word `on` is true.
    ((schedule,), steps) = (workflow[True]["schedule"], workflow["jobs"]["sync"]["steps"])
    assert steps[-1]["run"] == "notion-pg-sync sync-all"
    crons = [one["crons"][0]["schedule"] for block in blocks(page, "json") if "crons" in (one := json.loads(block))]
    after = datetime(2026, 11, 25, 16, 3, tzinfo=UTC)
    assert next_due(cluster["spec"]["schedule"], after) == datetime(2026, 11, 25, 16, 15, tzinfo=UTC)
    assert next_due(schedule["cron"], after) == datetime(2026, 11, 25, 16, 7, tzinfo=UTC)
    assert min(due for cron in crons if (due := next_due(cron, after))) == datetime(2026, 11, 26, 6, tzinfo=UTC)


def test_ci_runs_the_test_command_of_the_readme() -> None:
    commands = [line for block in blocks(ROOT / "README.md", "sh") for line in block.splitlines()]
    command = next(line for line in commands if line.endswith(".venv/bin/pytest"))
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    slow = ".venv/bin/pytest -m slow"
    assert lines[lines.index(f"{command} || once_more") + 1] == f"{slow} || once_more -m slow"
    assert f"`{slow}`" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_command_shown_is_one_and_every_command_is_shown() -> None:
    known = {command.name or command.callback.__name__.replace("_", "-") for command in cli.app.registered_commands}  # type: ignore[union-attr]
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    shown = set(re.findall(r"(?<!of )notion-pg-sync ([a-z][a-z-]*)", text))
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


def test_every_decision_has_its_headings_and_is_in_the_list() -> None:
    records = sorted(DECISIONS.glob("0*.md"))
    listed = (DECISIONS / "README.md").read_text(encoding="utf-8")
    for number, record in enumerate(records, 1):
        text = record.read_text(encoding="utf-8")
        (title,) = re.findall(r"^# (.+)$", text, re.MULTILINE)
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences", "Alternatives"]
        assert f"| [{number}]({record.name}) | {title.removeprefix(f'{number}. ')} |" in listed
        assert title.startswith(f"{number}. ")
