"""A command imports what it needs: libraries take longer to import than `status` takes to ask."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import BARE, Site

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
ASKS_NOTION = {"anyio", "certifi", "h11", "httpcore", "httpx", "notion_client", "orjson", "sniffio", "tenacity"}
DRAWS = {"markdown_it", "pygments", "rich"}
ASKS_POSTGRESQL = {"psycopg", "psycopg_pool"}
# What typer imports since version 0.29 wherever a command has an option.
READS_OPTIONS = {"pydantic"}


@pytest.fixture
def mirrored(site: Site) -> Site:
    site.connect("anna", site.small.tokens["anna"], json.dumps({"Worlds": site.small.databases["Worlds"]}))
    site.command("sync-all")
    return site


def imported_by(site: Site, *arguments: str, code: int = 0) -> set[str]:
    """What a process of the command imports: packages, and what they consist of on two levels."""
    ended = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "notion_pg_sync", *arguments],
        env={**BARE, **site.command.environment},
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert ended.returncode == code, ended.stderr
    modules = {line.rsplit("|", 1)[1].strip() for line in ended.stderr.splitlines() if line.startswith("import time:")}
    names = [module.split(".") for module in modules]
    return {name[0] for name in names} | {".".join(name[:3]) for name in names} | {".".join(name[:2]) for name in names}


def test_help_needs_no_library_but_the_one_that_reads_what_is_typed(site: Site) -> None:
    imported = imported_by(site, "--help")
    assert "typer" in imported
    unwanted = ASKS_NOTION | DRAWS | ASKS_POSTGRESQL | READS_OPTIONS | {"asyncio", "psutil", "notion_pg_sync.mirror"}
    assert imported & unwanted == set()


@pytest.mark.parametrize("options", [(), ("--json",), ("--prometheus",), ("--max-age", "1d", "--strict")])
def test_status_needs_what_asks_postgresql_alone(mirrored: Site, options: tuple[str, ...]) -> None:
    imported = imported_by(mirrored, "status", *options)
    assert "psycopg" in imported
    unwanted = ASKS_NOTION | DRAWS | READS_OPTIONS | {"psycopg_pool", "psutil", "notion_pg_sync.notion"}
    assert imported & unwanted == set()


@pytest.mark.parametrize("form", ["--verbose", "--runs=1"])
def test_status_in_full_draws_tables(mirrored: Site, form: str) -> None:
    assert "rich" in imported_by(mirrored, "status", form)


def test_a_sync_of_nothing_needs_nothing_that_asks_notion(site: Site) -> None:
    imported = imported_by(site, "sync-all", "--jobs", "3", code=3)
    assert "psycopg" in imported
    unwanted = ASKS_NOTION | DRAWS | READS_OPTIONS | {"notion_pg_sync.sync.rows"}
    assert imported & unwanted == set()


def test_a_sync_imports_nothing_that_only_some_syncs_do(mirrored: Site) -> None:
    imported = imported_by(mirrored, "sync-all", "--json")
    assert "httpx" in imported
    # httpx has a command of its own, which imports rich where click is installed.
    unwanted = READS_OPTIONS | {"markdown_it", "notion_pg_sync.sync.verify", "notion_pg_sync.mirror.initialise"}
    assert imported & unwanted == set()


def test_a_look_for_requests_needs_what_asks_postgresql_alone(mirrored: Site) -> None:
    """It is taken every minute. The second writes no time of a look any more; neither imports more than the other."""
    first, second = (imported_by(mirrored, "sync-all", "--requested") for _ in range(2))
    assert "psycopg" in first
    unwanted = ASKS_NOTION | DRAWS | READS_OPTIONS | {"psycopg_pool", "psutil", "notion_pg_sync.notion"}
    unwanted |= {"notion_pg_sync.mirror.migrations", "notion_pg_sync.mirror.overview"}
    assert first & unwanted == set()
    assert first == second


def test_a_look_that_finds_a_request_imports_the_rest(mirrored: Site) -> None:
    mirrored.execute("SELECT notion_sync.sync_notion_database('anna', NULL, 'Worlds')")
    assert "httpx" in imported_by(mirrored, "sync-all", "--requested")
