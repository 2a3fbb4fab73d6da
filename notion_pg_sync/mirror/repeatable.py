"""Functions, policies, triggers, grants and comments of `notion_sync`: `repeatable/….sql`, all of which `init` applies
whenever the database does not have them as they stand there (docs/architecture.md, "The schema").
"""

from __future__ import annotations

import hashlib
import re
from functools import cache
from importlib import resources

from msgspec import Struct
from psycopg import sql

from notion_pg_sync import __version__
from notion_pg_sync.mirror.connection import Connection, fetch_value


class Repeatable(Struct, frozen=True):
    """All files, one after the other; `checksum` is the SHA-256 of them."""

    statements: str
    checksum: str


@cache
def repeatable() -> Repeatable:
    """What this version of the tool applies."""
    files = [file for file in (resources.files(__package__) / "repeatable").iterdir() if file.name.endswith(".sql")]
    statements = "\n".join(file.read_text(encoding="utf-8") for file in sorted(files, key=lambda file: file.name))
    return Repeatable(statements, hashlib.sha256(statements.encode()).hexdigest())


async def is_due(connection: Connection) -> bool:
    """Whether the files have to be applied to a database in which every migration is.

    They have not where a newer version of the tool applied its own, nor by a role that does not own the schema, which
    could not.
    """
    owns = await fetch_value(
        connection, "SELECT pg_has_role(nspowner, 'USAGE') FROM pg_namespace WHERE nspname = 'notion_sync'"
    )
    if not owns:
        return False
    can_tell = await fetch_value(
        connection,
        "SELECT 1 FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace"
        " WHERE nspname = 'notion_sync' AND proname = 'repeatable_state'",
    )
    if not can_tell:
        return True
    found = await connection.execute(
        "SELECT checksum, tool_version, state = notion_sync.repeatable_state() FROM notion_sync.repeatable"
    )
    row = await found.fetchone()
    if row is None:
        return True
    checksum, tool_version, is_unchanged = row
    return not is_unchanged or (checksum != repeatable().checksum and not _is_newer(tool_version))


def statements() -> sql.Composed:
    """The SQL of all files, and the record that they were applied."""
    record = sql.SQL(
        "\nINSERT INTO notion_sync.repeatable AS known (checksum, tool_version, state)\n"
        "VALUES ({}, {}, notion_sync.repeatable_state())\n"
        "ON CONFLICT (only_row) DO UPDATE SET checksum = EXCLUDED.checksum, tool_version = EXCLUDED.tool_version,\n"
        "    state = EXCLUDED.state, applied_at = EXCLUDED.applied_at;\n"
    )
    return sql.SQL(repeatable().statements) + record.format(repeatable().checksum, __version__)


def _is_newer(tool_version: str) -> bool:
    return _numbers(tool_version) > _numbers(__version__)


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)[:3]]
