"""The house holds: imports point one way, and what is kept apart stays apart (docs/architecture.md)."""

from __future__ import annotations

import ast
import itertools
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import notion_pg_sync
from docs.made import modules

PACKAGE = Path(notion_pg_sync.__file__).parent
ROOT = Path(__file__).parent.parent
WORKSPACE = ROOT / "workspace" / "notion_workspace"
# Where something speaks of modules.
TEXTS = ["bench", "docs", "notion_pg_sync", "tests", "workspace"]
# Names that look like a module's.
LOGGERS = {"notion_pg_sync.notion.sdk"}
INPUT_AND_OUTPUT = {
    "asyncio", "httpx", "notion_client", "os", "psutil", "psycopg", "psycopg_pool", "random", "socket", "subprocess",
    "time",
}  # fmt: skip
# What is decided without input and output, and says so.
DECISIONS = {
    "notion": [
        "listing",
        "properties",
        "schema",
        "completion",
        "rollup_parts",
        "shares",
        "splits",
        "blocks",
        "markdown",
        "pace",
    ],
    "sync/rows": ["plan", "conversion"],
    "sync/bodies": ["plan"],
    "sync/files": ["hosts", "keys", "outcome", "plan", "refusals"],
    "sync/run": ["suspension", "configuration"],
    "sync/verify": ["comparing", "expectation", "expected_fields", "parted_rollups"],
    "mirror": ["view_definition"],
    "commands/status": ["judgement"],
    "commands/doctor/scheduling": ["crontab", "command_line", "faults"],
}

# The floors, from the ground up: each uses those below it, and beside itself nothing else. The two sides, `notion` and
# `mirror`, share one.
FLOORS = [{"core"}, {"notion", "mirror"}, {"sync"}, {"commands"}, {"cli"}, {"__main__"}]
BELOW = {part: set().union(*FLOORS[:number]) for number, floor in enumerate(FLOORS) for part in floor}
# Beside the house: used by whoever is not on the lowest two floors, and using `core` alone.
BESIDE = {"embedded", "settings"}
MAY_USE = {
    **{part: below | (BESIDE if part not in {"core", "notion", "mirror"} else set()) for part, below in BELOW.items()},
    "embedded": {"core", "settings"},
    "settings": {"core"},
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
    allowed = MAY_USE[part] | {part}
    used = {(file.name, found) for file in files for module in imports_of(file) if (found := part_of(module))}
    assert {(name, found) for name, found in used if found not in allowed} == set()


def test_every_part_is_in_the_plan() -> None:
    parts = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or any(path.rglob("*.py"))}
    assert parts - {"__init__"} == set(MAY_USE)


def test_tests_lie_by_the_same_folders() -> None:
    """Those of one part. `cli`, `files`, `reliability` and `security` go the whole way; `bench` is of what measures."""
    folders = {path.name for path in (ROOT / "tests").iterdir() if any(path.glob("test_*.py"))}
    assert folders - {"bench", "cli", "files", "reliability", "security"} <= {path.name for path in PACKAGE.iterdir()}


def test_nothing_speaks_of_modules_that_are_none() -> None:
    """In code, tests and pages: folders that had other names, and modules that moved."""
    named = re.compile(r"\b(notion_pg_sync|notion_workspace)((?:\.\w+)+)")
    roots = {"notion_pg_sync": PACKAGE, "notion_workspace": WORKSPACE}
    files = [file for ending in ("py", "md") for folder in TEXTS for file in (ROOT / folder).rglob(f"*.{ending}")]
    assert len(files) > 200
    wrong = {
        (str(file.relative_to(ROOT)), match[0])
        for file in files
        for match in named.finditer(file.read_text(encoding="utf-8"))
        if match[0] not in LOGGERS and not is_there(roots[match[1]], match[2].split(".")[1:])
    }
    assert wrong == set()


def test_the_list_of_modules_is_up_to_date_and_names_all() -> None:
    written = modules.PAGE.read_text(encoding="utf-8")
    assert written == modules.page(), "run: python -m docs.made.modules"
    named = re.findall(r"^- `(\w+\.py)`: \S", written, re.MULTILINE)
    files = [file.name for package in (PACKAGE, WORKSPACE) for file in package.rglob("*.py")]
    assert sorted(named) == sorted(name for name in files if name != "__init__.py")


def test_the_page_on_architecture_speaks_of_files_that_are_there() -> None:
    written = modules.PAGE.read_text(encoding="utf-8").partition(modules.BEGIN)[0]
    named = set(re.findall(r"`([\w/]+/(?:[\w.]+\.(?:py|sql))?)`", written))
    assert len(named) > 12
    places = [PACKAGE, PACKAGE / "sync", ROOT, ROOT / "tests"]
    assert {name for name in named if not any((place / name).exists() for place in places)} == set()


def is_there(package: Path, names: list[str]) -> bool:
    """Whether these names lead to a module, or to something in one."""
    first, *rest = names
    if re.fullmatch("__.*__", first):
        return True
    if (package / first / "__init__.py").is_file():
        return not rest or is_there(package / first, rest)
    module = package / f"{first}.py"
    if module.is_file():
        return True
    return re.search(rf"\b{first}\b", (package / "__init__.py").read_text(encoding="utf-8")) is not None


@pytest.mark.parametrize(("part", "foreign"), [("notion", "psycopg"), ("mirror", "httpx"), ("mirror", "notion_client")])
def test_the_two_sides_do_not_know_each_others_libraries(part: str, foreign: str) -> None:
    used = {module.split(".")[0] for file in (PACKAGE / part).rglob("*.py") for module in imports_of(file)}
    assert foreign not in used


def test_the_sample_workspace_imports_nothing_of_the_tool() -> None:
    """Nor do its tests: it is a distribution of its own, and a mistake that both shared would hide itself."""
    files = [*WORKSPACE.rglob("*.py"), *(ROOT / "workspace" / "tests").rglob("*.py")]
    assert len(files) > 40
    for file in files:
        assert {module for module in imports_of(file) if module.split(".")[0] == "notion_pg_sync"} == set(), file


def test_only_the_demo_imports_the_sample_workspace() -> None:
    users = {
        str(file.parent.relative_to(PACKAGE))
        for file in PACKAGE.rglob("*.py")
        for module in imports_of(file)
        if module.split(".")[0] == "notion_workspace"
    }
    assert users == {"commands/demo"}


def test_nothing_of_the_tool_requires_the_sample_workspace() -> None:
    """Its name is not registered: pip would install whatever somebody publishes under it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"].values()
    required = [*project["build-system"]["requires"], *project["project"]["dependencies"], *itertools.chain(*extras)]
    assert [one for one in required if re.match(r"notion[-_.]workspace\b", one, re.IGNORECASE)] == []


def claims_to_be_pure(file: Path) -> bool:
    """By the first paragraph of its docstring."""
    says = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return re.search(r"\bPure\b", says.split("\n\n")[0]) is not None


PURE = [str(file.relative_to(PACKAGE)) for file in sorted(PACKAGE.rglob("*.py")) if claims_to_be_pure(file)]


@pytest.mark.parametrize("module", PURE)
def test_what_is_called_pure_is(module: str) -> None:
    used = set(imports_of(PACKAGE / module)) - {"psycopg", "psycopg.sql"}
    assert {name for name in used if name.split(".")[0] in INPUT_AND_OUTPUT} == set()


def test_decisions_are_pure() -> None:
    core = [str(file.relative_to(PACKAGE)) for file in (PACKAGE / "core").glob("[!_]*.py")]
    assert {name for module in core for name in imports_of(PACKAGE / module)} & INPUT_AND_OUTPUT == set()
    for folder, names in DECISIONS.items():
        assert {f"{folder}/{module}.py" for module in names} <= set(PURE), folder


def test_the_version_is_one() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == notion_pg_sync.__version__
    assert f"## {notion_pg_sync.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_only_a_transaction_itself_sets_by_which_path_names_are_found() -> None:
    """Whoever set it for one statement of theirs would leave it to the next (mirror/reliance.py).

    The script of `init`, which an owner may run in a session of their own, names the path that is ours anyway; the one
    for a migration tool puts back the path that there was.
    """
    sets = re.compile(r"""["']\s*SET (LOCAL |SESSION )?search_path|set_config\(""")
    files = PACKAGE.rglob("*.py")
    found = {str(file.relative_to(PACKAGE)) for file in files if sets.search(file.read_text(encoding="utf-8"))}
    assert found == {"mirror/initialise.py", "mirror/printed_plan.py"}


# What is printed past these could steer a terminal (docs/reliability.md, "Names").
@pytest.mark.parametrize(
    ("call", "modules"),
    [
        (r"\bConsole\(", {"commands/output/terminal.py"}),
        (r"\btyper\.(prompt|confirm)\(", {"commands/output/streams.py"}),
        (r"\bsys\.__std|\.buffer\b|\bos\.write\(|\bprint_exc", set()),
        (r"\becho\(", {"cli.py", "commands/output/streams.py"}),
    ],
)
def test_only_a_few_print_in_other_ways_than_to_the_protected_streams(call: str, modules: set[str]) -> None:
    files = PACKAGE.rglob("*.py")
    found = {str(file.relative_to(PACKAGE)) for file in files if re.search(call, file.read_text(encoding="utf-8"))}
    assert found - modules == set()
