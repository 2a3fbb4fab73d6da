"""The tables of the schema `notion_sync`, version by version: `migrations/0001_….sql` and on, in order."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import cast

from psycopg import sql

from notion_pg_sync.mirror.connection import Connection, PostgresError, fetch_value

# Any number, the same for every copy of the tool: two that migrate at once take turns.
_ADVISORY_LOCK = 7_263_548_190

INIT = "notion-pg-sync init"
UPGRADE = "pip install --upgrade notion-pg-sync"


@dataclass(frozen=True)
class Migration:
    """One step; `name` is its file's, without the ending."""

    version: int
    name: str
    statements: str


@cache
def migrations() -> tuple[Migration, ...]:
    """All steps that this version of the tool knows, in order."""
    files = [file for file in (resources.files(__package__) / "migrations").iterdir() if file.name.endswith(".sql")]
    return tuple(
        Migration(int(file.name[:4]), file.name.removesuffix(".sql"), file.read_text(encoding="utf-8"))
        for file in sorted(files, key=lambda file: file.name)
    )


async def applied_version(connection: Connection) -> int:
    """The version that the database is at; 0 before the first `init`."""
    # Asked of the catalog's rows, not of to_regclass(), whose cache may be older than the lock of `take_turns`.
    found = await fetch_value(
        connection,
        "SELECT 1 FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace"
        " WHERE nspname = 'notion_sync' AND relname = 'migrations'",
    )
    if found is None:
        return 0
    version = await fetch_value(connection, "SELECT coalesce(max(version), 0) FROM notion_sync.migrations")
    return cast(int, version)


async def check_version(connection: Connection) -> None:
    """Raises `PostgresError` unless the database is at this tool's version."""
    applied, newest = await applied_version(connection), migrations()[-1].version
    if applied == 0:
        raise PostgresError("this PostgreSQL is not set up for notion-pg-sync: run 'notion-pg-sync init'.", INIT)
    if applied < newest:
        raise PostgresError("the tables of notion-pg-sync are of an older version: run 'notion-pg-sync init'.", INIT)
    if applied > newest:
        raise PostgresError(_newer(applied, newest), UPGRADE)


async def pending(connection: Connection) -> tuple[Migration, ...]:
    """The steps still to be applied. Raises `PostgresError` when the database is newer than the tool."""
    applied, newest = await applied_version(connection), migrations()[-1].version
    if applied > newest:
        raise PostgresError(_newer(applied, newest), UPGRADE)
    return tuple(step for step in migrations() if step.version > applied)


async def take_turns(connection: Connection) -> None:
    """Waits until no other `init` is in a transaction of this kind; holds until the caller's transaction ends."""
    await connection.execute("SELECT pg_advisory_xact_lock(%s)", (_ADVISORY_LOCK,))


def statements_of(step: Migration) -> sql.Composed:
    """The step's SQL, and the record that it was applied."""
    record = sql.SQL("\nINSERT INTO notion_sync.migrations (version, name) VALUES ({}, {});\n")
    return sql.SQL(step.statements) + record.format(step.version, step.name)


def _newer(applied: int, newest: int) -> str:
    return (
        f"this PostgreSQL was set up by a newer notion-pg-sync (version {applied} of its tables, this one knows "
        f"{newest}): upgrade notion-pg-sync on this host."
    )
