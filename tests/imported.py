"""Does once what the start of every command does: imports the tool, builds the command line. See `tests.forked`."""

from importlib import import_module
from pkgutil import walk_packages

from typer.core import TyperGroup
from typer.main import get_command

import notion_pg_sync

# What libraries import when they are first used.
for name in ("httpcore", "sniffio", "certifi"):
    import_module(name)
for module in walk_packages(notion_pg_sync.__path__, "notion_pg_sync."):
    if not module.name.endswith("__main__"):
        import_module(module.name)

commands = get_command(import_module("notion_pg_sync.cli").app)
assert isinstance(commands, TyperGroup)
# Typer imports more when it takes a command's words apart.
commands.commands["sync-all"].make_context("sync-all", [])
