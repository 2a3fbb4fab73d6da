"""Imports all of the tool and builds its command line, as the start of a command does: see `tests.forked`."""

from importlib import import_module
from pkgutil import walk_packages

from typer.main import get_command

import notion_pg_sync

for module in walk_packages(notion_pg_sync.__path__, "notion_pg_sync."):
    if not module.name.endswith("__main__"):
        import_module(module.name)

get_command(import_module("notion_pg_sync.cli").app)
