"""Words that the lines of `doctor` share."""

from __future__ import annotations

from notion_pg_sync.core.printable import shell_command


def sync_command(user_id: str, database: str, *options: str) -> str:
    """What to type to sync a database of a user now."""
    return shell_command("notion-pg-sync", "sync", user_id, database, *options)


def sync_all_command(user_id: str) -> str:
    """What to type to sync everything of a user now."""
    return shell_command("notion-pg-sync", "sync-all", "--user", user_id)


def sentence(said: object) -> str:
    """A sentence as it stands in a line: without its full stop."""
    return str(said).strip().rstrip(".")
