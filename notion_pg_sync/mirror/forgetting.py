"""Forgetting a user, or one of their databases: what `notion_sync.forget` does (50_forget.sql), for the command."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from msgspec import Struct
from psycopg import errors, sql

from notion_pg_sync.core.errors import ToolError
from notion_pg_sync.mirror.connection import Connection
from notion_pg_sync.mirror.views import refresh_views


class ForgetError(ToolError):
    """Nothing was forgotten; the message says why and what to do."""


class StillConnectedError(ForgetError):
    """The next run would bring back what is to be forgotten."""


class BeingSyncedError(ForgetError):
    """A run works for the user."""


class Forgotten(Struct, frozen=True):
    """How many rows of which tables went, and what a person should know of typed views, a sentence each."""

    row_counts: Mapping[str, int]
    says: list[str]


async def check_that_it_stays_away(connection: Connection, user_id: str, database_id: str | None) -> None:
    """Raises `ForgetError` where the next run would bring back what is to be forgotten; changes nothing."""
    with _as_sentences(), connection.as_application():
        await connection.execute(
            "SELECT notion_sync.check_that_it_stays_away(%s, %s, pg_catalog.current_setting('search_path'))",
            (user_id, None if database_id is None else database_id.replace("-", "")),
        )


async def forget(connection: Connection, user_id: str, database_id: str | None) -> Forgotten:
    """Forgets a user (`database_id`: one database of theirs), in the caller's transaction. Raises `ForgetError`."""
    call, parameters = sql.SQL("notion_sync.forget(%s)"), [user_id]
    if database_id is not None:
        call, parameters = sql.SQL("notion_sync.forget(%s, %s)"), [user_id, database_id]
    with _as_sentences(), connection.as_application():
        found = await connection.execute(sql.SQL("SELECT relation, row_count FROM {}").format(call), parameters)
        row_counts = {relation: row_count async for relation, row_count in found}
        # Foreign keys that are deferred would refuse only at the transaction's end.
        await connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
    # Views that others share lose the columns that were the user's alone.
    return Forgotten(row_counts, await refresh_views(connection))


@contextmanager
def _as_sentences() -> Iterator[None]:
    """What PostgreSQL refuses is a `ForgetError`."""
    try:
        yield
    except errors.InsufficientPrivilege as error:
        said = str(error.diag.message_primary).partition(":")[0]
        raise ForgetError(
            f"{said}: forget as the role that owns the schema notion_sync, or see docs/forgetting.md for what to grant."
        ) from error
    except errors.ObjectInUse as error:
        raise BeingSyncedError(str(error.diag.message_primary)) from error
    except errors.ObjectNotInPrerequisiteState as error:
        raise StillConnectedError(str(error.diag.message_primary)) from error
    except (errors.ForeignKeyViolation, errors.RestrictViolation) as error:
        where = ".".join(filter(None, (error.diag.schema_name, error.diag.table_name)))
        raise ForgetError(
            f"the table {where} refers to rows that would go (its foreign key {error.diag.constraint_name}), so "
            "nothing was removed: delete its rows first, or give the key ON DELETE CASCADE or SET NULL."
        ) from error
