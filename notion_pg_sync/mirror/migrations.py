"""The tables of the schema `notion_sync`, version by version: `migrations/0001_….sql` and on, in order."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from typing import cast

from msgspec import Struct
from psycopg import sql

from notion_pg_sync.mirror.connection import Connection, NotSetUpError, PostgresError, fetch_value

# Any number, the same for every copy of the tool: two that migrate at once take turns.
_ADVISORY_LOCK = 7_263_548_190

# The migration that notes, for itself and all later ones, which tools may go on without knowing it.
_NOTED_FROM = 17
_ADDITIVE = re.compile(r"^-- additive$", re.MULTILINE)

INIT = "notion-pg-sync init --yes"
UPGRADE = "pip install --upgrade notion-pg-sync"


class Migration(Struct, frozen=True):
    """One step; `name` is its file's, without the ending."""

    version: int
    name: str
    statements: str

    @property
    def is_additive(self) -> bool:
        """Whether a tool that does not know it works with the tables all the same; a line of the file says so."""
        return _ADDITIVE.search(self.statements) is not None


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
        " JOIN pg_attribute ON attrelid = pg_class.oid"
        " WHERE nspname = 'notion_sync' AND relname = 'migrations' AND attname = 'version' AND NOT attisdropped",
    )
    if found is None:
        return 0
    version = await fetch_value(connection, "SELECT coalesce(max(version), 0) FROM notion_sync.migrations")
    return cast(int, version)


async def check_version(connection: Connection) -> None:
    """Raises `PostgresError` unless the database is at this tool's version, or at a newer one that only adds to it."""
    applied, newest = await applied_version(connection), migrations()[-1].version
    if applied == 0:
        raise NotSetUpError("this PostgreSQL is not set up for notion-pg-sync: run 'notion-pg-sync init'.", INIT)
    if applied < newest:
        raise PostgresError("the tables of notion-pg-sync are of an older version: run 'notion-pg-sync init'.", INIT)
    await is_ahead(connection)


async def is_ahead(connection: Connection) -> bool:
    """Whether the database has migrations that this tool does not know, and can go on without.

    Raises `PostgresError` where it cannot.
    """
    applied, newest = await applied_version(connection), migrations()[-1].version
    if applied <= newest:
        return False
    must_know = cast(int, await fetch_value(connection, "SELECT max(must_know) FROM notion_sync.migrations"))
    if must_know > newest:
        raise PostgresError(
            f"this PostgreSQL was set up by a newer notion-pg-sync (its tables need version {must_know}, this one "
            f"knows {newest}): upgrade notion-pg-sync on this host.",
            UPGRADE,
        )
    return True


async def take_turns(connection: Connection) -> None:
    """Waits until no other `init` is in a transaction of this kind; holds until the caller's transaction ends."""
    await connection.execute("SELECT pg_advisory_xact_lock(%s)", (_ADVISORY_LOCK,))


def statements_of(step: Migration) -> sql.Composed:
    """The step's SQL, and the record that it was applied."""
    return sql.SQL(step.statements) + record_of(step, step.version)


def record_of(step: Migration, version: int) -> sql.Composed:
    """The SQL that records that the step was applied, in tables of this version."""
    noted = {"version": step.version, "name": step.name}
    if version >= _NOTED_FROM:
        noted["must_know"] = _must_know(step)
    return sql.SQL("\nINSERT INTO notion_sync.migrations ({}) VALUES ({});\n").format(
        sql.SQL(", ").join(map(sql.Identifier, noted)), sql.SQL(", ").join(map(sql.Literal, noted.values()))
    )


def _must_know(step: Migration) -> int:
    """The version of the tables that a tool must know to work with them once `step` is applied."""
    if not step.is_additive:
        return step.version
    return max(one.version for one in migrations() if one.version < step.version and not one.is_additive)
