"""Words that the lines of `doctor` share."""

from __future__ import annotations

from collections.abc import Mapping

from notion_pg_sync.core.printable import shell_command
from notion_pg_sync.core.wording import some


def sync_command(user_id: str, database: str, *options: str) -> str:
    """What to type to sync a database of a user now."""
    return shell_command("notion-pg-sync", "sync", user_id, database, *options)


def sync_all_command(user_id: str) -> str:
    """What to type to sync everything of a user now."""
    return shell_command("notion-pg-sync", "sync-all", "--user", user_id)


def connect_command(*user_ids: str) -> str:
    """What asks for a user's token and databases."""
    return shell_command("notion-pg-sync", "connect", *user_ids)


def new_tokens(columns: Mapping[str, str]) -> str:
    """What has to be supplied where tokens are of no use: for these users, each in the column of theirs."""
    where = f"{some(list(columns))}, in {' or '.join(sorted({*columns.values()}))} of user_settings"
    if len(columns) == 1:
        return f"a new Notion token for {where} ({connect_command(*columns)!r} asks for it)"
    return f"{len(columns):,} new Notion tokens, for {where} ({connect_command()!r} asks for one)"


def without_advice(said: str) -> str:
    """A sentence without what to type, which stands on a line of its own."""
    return sentence(said.partition(": run ")[0])


def sentence(said: object) -> str:
    """A sentence as it stands in a line: without its full stop."""
    return str(said).strip().rstrip(".")
