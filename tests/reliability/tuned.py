"""The command `notion-pg-sync sync-all` as a process, with settings that have no flag: `NAME=NUMBER …`."""

from __future__ import annotations

import os
import sys
from dataclasses import replace

from notion_pg_sync.commands.output.console import show_run
from notion_pg_sync.commands.output.ending import ending_process
from notion_pg_sync.settings import Settings, read_settings
from notion_pg_sync.sync.run.run import sync_all

TUNED = {
    "first_back_off", "lease_seconds", "lease_wait_seconds", "account_wait_seconds", "statement_seconds",
    "lock_seconds",
}  # fmt: skip


def main() -> None:
    """Works as the command does, and ends the process with its exit code."""
    given = dict(word.split("=", 1) for word in sys.argv[1:])
    assert given.keys() <= TUNED
    with ending_process(verbose=0) as ending:
        typed = Settings(requests_per_minute=100_000, jobs=1, page_size=25)
        numbers = {name: float(number) for name, number in given.items()}
        settings = read_settings(os.environ, replace(typed, **numbers))  # type: ignore[arg-type]
        ending.code = show_run(
            lambda listener: sync_all(settings, listener, "notion-pg-sync sync-all"), as_json=False, report=[]
        )


if __name__ == "__main__":
    main()
