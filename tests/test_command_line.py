"""The command line as a person meets it: help in 80 columns, the reference made from it, shell completion."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields
from datetime import timedelta
from pathlib import Path

import pytest
from typer.main import get_command

from docs.made.commands import PAGE, command_reference, help_of, names_of_commands
from notion_pg_sync.cli import app
from notion_pg_sync.core.variables import VARIABLES
from notion_pg_sync.settings import (
    BODIES_FOR_OF_SYNC_ALL,
    DEFAULTS,
    FILES_FOR_OF_SYNC_ALL,
    read_settings,
    written_duration,
    written_size,
)

COMPLETE = """
eval "$(_NOTION_PG_SYNC_COMPLETE=source_bash notion-pg-sync)"
COMP_WORDS=(notion-pg-sync "$@")
COMP_CWORD=$#
$(complete -p notion-pg-sync | sed 's/.*-F \\([^ ]*\\) .*/\\1/') notion-pg-sync
printf '%s\\n' "${COMPREPLY[@]}"
"""


def test_the_command_reference_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == command_reference(), "run: python -m docs.made.commands"


@pytest.mark.parametrize("name", names_of_commands())
def test_the_help_of_every_command_fits_80_columns_and_gives_an_example(name: str) -> None:
    lines = help_of(name).splitlines()
    assert max(len(line) for line in lines) <= 80
    assert any(line.startswith("  Example") and "notion-pg-sync" in line for line in lines)


def test_the_list_of_commands_cuts_no_description() -> None:
    assert "..." not in help_of().replace("[ARGS]...", "")


def test_the_commands_are_listed_in_the_order_in_which_a_person_needs_them() -> None:
    assert names_of_commands()[:6] == ["init", "connect", "sync-all", "sync", "status", "doctor"]
    assert names_of_commands()[-1] == "demo"


class Asked(dict[str, str]):
    """An environment that notes what is looked up in it."""

    def __init__(self) -> None:
        super().__init__({"https_proxy": "http://127.0.0.1:3128"})
        self.names: set[str] = set()

    def get(self, key: str, default: str | None = None) -> str | None:  # type: ignore[override]
        self.names.add(key)
        return super().get(key, default)


def test_the_help_names_the_environment_variables_that_count_and_they_are_read() -> None:
    asked = Asked()
    read_settings(asked)
    named = {name for one in VARIABLES for name in one.names}
    assert named <= asked.names
    assert all(name in help_of() for name in named)
    assert not {name for name in asked.names if name.startswith("NOTION_")} - named


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        (["sync-all", "me"], "type 'notion-pg-sync sync-all --user me'"),
        (["sync-all", "me", "My tasks"], "type 'notion-pg-sync sync me 'My tasks''"),
        (["status", "me"], "type 'notion-pg-sync status --user me'"),
        (["doctor", "me"], "type 'notion-pg-sync doctor --user me'"),
        (["sync-all", "--timeout", "5"], "'5' has no unit: write 5s, 5m, 5h or 5d"),
        (["status", "--max-age", "30"], "'30' has no unit: write 30s, 30m, 30h or 30d"),
    ],
)
def test_what_is_typed_almost_right_is_told_how(typed: list[str], hint: str) -> None:
    command = [sys.executable, "-m", "notion_pg_sync", *typed]
    ended = subprocess.run(command, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert hint in ended.stderr


@pytest.mark.parametrize("name", names_of_commands())
def test_an_option_has_the_default_of_its_setting(name: str) -> None:
    settings = {field.name: getattr(DEFAULTS, field.name) for field in fields(DEFAULTS)}
    if name == "sync-all":
        settings |= {"bodies_for": BODIES_FOR_OF_SYNC_ALL, "files_for": FILES_FOR_OF_SYNC_ALL}
    options = {one.name: one.default for one in get_command(app).commands[name].params if one.name in settings}  # type: ignore[attr-defined]
    written = {
        option: written_duration(settings[option]) if isinstance(settings[option], timedelta) else settings[option]
        for option in options
    }
    if "largest_file" in options:
        written["largest_file"] = written_size(DEFAULTS.largest_file)
    assert options == written
    assert len(options) >= {"sync": 13, "sync-all": 13, "status": 2}.get(name, 0)


@pytest.mark.parametrize(
    ("typed", "offered"), [(["sync-"], {"sync-all"}), (["doctor", "--no"], {"--no-cron-check"}), (["de"], {"demo"})]
)
def test_bash_completes_commands_and_options(typed: list[str], offered: set[str]) -> None:
    bash = subprocess.run(
        ["bash", "-c", COMPLETE, "bash", *typed],
        env={"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(bash.stdout.split()) == offered
