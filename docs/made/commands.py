"""The command reference, from the help of the commands themselves: `python -m docs.made.commands` writes it."""

from __future__ import annotations

from pathlib import Path

from typer.main import get_command
from typer.testing import CliRunner

from notion_pg_sync.cli import app

PAGE = Path(__file__).parents[1] / "commands.md"

HEAD = """# Commands

What `--help` says of each command. This page is made from it, by `python -m docs.made.commands`.

Shell completion: `notion-pg-sync --install-completion` sets it up for the shell that it is typed in (bash, zsh, fish,
PowerShell); `--show-completion` prints what that would add.
"""


def command_reference() -> str:
    """The page, as Markdown."""
    return HEAD + "".join(
        f"\n## {' '.join(['notion-pg-sync', *name])}\n\n```text\n{help_of(*name)}\n```\n"
        for name in ([], *([name] for name in names_of_commands()))
    )


def names_of_commands() -> list[str]:
    """Every subcommand, in the order of the help."""
    return list(get_command(app).commands)  # type: ignore[attr-defined]


def help_of(*name: str) -> str:
    """What `--help` prints on a terminal of 80 columns: of the subcommand, of the whole without one."""
    shown = CliRunner().invoke(app, [*name, "--help"], prog_name="notion-pg-sync", terminal_width=80)
    return shown.output.strip()


if __name__ == "__main__":
    PAGE.write_text(command_reference(), encoding="utf-8")
