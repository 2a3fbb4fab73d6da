"""The command `notion-pg-sync sync-all` as a process, with settings that have no flag: `NAME=NUMBER …`."""

from __future__ import annotations

import sys

from notion_pg_sync.cli import _exit_code_of
from notion_pg_sync.commands.output.console import show_run
from notion_pg_sync.settings import Settings
from notion_pg_sync.sync.run.run import sync_all


def main() -> int:
    """Works as the command does; returns its exit code."""
    given = dict(word.split("=", 1) for word in sys.argv[1:])
    flags: dict[str, bool | int | str | None] = {name: float(number) for name, number in given.items()}  # type: ignore[misc]
    flags |= {"requests_per_minute": 100_000, "jobs": 1, "page_size": 25}

    def work(settings: Settings) -> int:
        return show_run(
            lambda listener: sync_all(settings, listener, "notion-pg-sync sync-all"), as_json=False, report=[]
        )

    return _exit_code_of(work, verbose=0, flags=flags)


if __name__ == "__main__":
    sys.exit(main())
