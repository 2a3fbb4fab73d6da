"""Words that the lines of `doctor` share."""

from __future__ import annotations

from collections.abc import Sequence

from notion_pg_sync.core.printable import shell_command

_MOST_NAMED = 5


def plural(count: int, one: str, many: str) -> str:
    """A number with the word for one or for many."""
    return f"{count:,} {one if count == 1 else many}"


def some(names: Sequence[str]) -> str:
    """The first few of the names, and how many more there are."""
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def sync_command(user_id: str, database: str, *options: str) -> str:
    """What to type to sync a database of a user now."""
    return shell_command("notion-pg-sync", "sync", user_id, database, *options)


def sync_all_command(user_id: str) -> str:
    """What to type to sync everything of a user now."""
    return shell_command("notion-pg-sync", "sync-all", "--user", user_id)


def sentence(said: object) -> str:
    """A sentence as it stands in a line: without its full stop."""
    return str(said).strip().rstrip(".")
