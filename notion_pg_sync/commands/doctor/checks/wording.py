"""Words that the lines of `doctor` share."""

from __future__ import annotations

from notion_pg_sync.core.printable import shell_command


def sync_command(user_id: str, database: str, *options: str) -> str:
    """What to type to sync a database of a user now."""
    return shell_command("notion-pg-sync", "sync", user_id, database, *options)


def sync_all_command(user_id: str) -> str:
    """What to type to sync everything of a user now."""
    return shell_command("notion-pg-sync", "sync-all", "--user", user_id)


def connect_command(*user_ids: str) -> str:
    """What asks for a user's token and databases."""
    return shell_command("notion-pg-sync", "connect", *user_ids)


def new_token(user_id: str, column: str) -> str:
    """What a person has to supply whose token is of no use."""
    return f"a new Notion token for {user_id}, in {column} of user_settings ({connect_command(user_id)!r} asks for it)"


def sentence(said: object) -> str:
    """A sentence as it stands in a line: without its full stop."""
    return str(said).strip().rstrip(".")
