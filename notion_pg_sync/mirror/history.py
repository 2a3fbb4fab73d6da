"""What the history of a database says, for people: read from `notion_sync.field_changes`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import LiteralString, cast

from msgspec import Struct
from msgspec.structs import asdict
from psycopg.rows import class_row

from notion_pg_sync.mirror.connection import Connection, fetch_value


class FieldChange(Struct, frozen=True):
    """A column of a page that a person changed, or that the page came or went with; values as people read them."""

    change_id: int
    page_id: str
    page_title: str | None
    kind: str
    reason: str | None
    column_name: str
    old: str | None
    new: str | None
    seen_at: datetime
    edited_at: datetime | None
    edited_by: str | None
    edited_by_name: str | None


class Beginning(Struct, frozen=True):
    """Since when the history of a database is known, None where it has not begun, and PostgreSQL's time now."""

    since: datetime | None
    now: datetime


async def beginning_of(connection: Connection, user_id: str, database_id: str) -> Beginning:
    """Since when the history of a user's database is known."""
    async with connection.cursor(row_factory=class_row(Beginning)) as cursor:
        await cursor.execute(
            "SELECT notion_sync.history_begins(%s, %s) AS since, clock_timestamp() AS now",
            (user_id, database_id),
        )
        found = await cursor.fetchone()
    assert found is not None
    return found


class HistorySize(Struct, frozen=True):
    """How many changes are kept, of all users (an estimate where they are many), and how much room they take."""

    changes: int
    bytes: int


async def history_size(connection: Connection) -> HistorySize:
    """How large the history is."""
    async with connection.cursor(row_factory=class_row(HistorySize)) as cursor:
        await cursor.execute(
            """
            SELECT CASE WHEN reltuples >= 100000 THEN reltuples::bigint
                        ELSE (SELECT count(*) FROM notion_sync.page_changes) END AS changes,
                   pg_total_relation_size(oid) AS bytes
            FROM pg_class WHERE oid = 'notion_sync.page_changes'::regclass
            """
        )
        found = await cursor.fetchone()
    assert found is not None
    return found


async def count_without_history(connection: Connection) -> int:
    """For how many data sources of all users the history is switched off."""
    query: LiteralString = """
        SELECT count(*) FROM notion_sync.data_sources LEFT JOIN notion_sync.accounts USING (user_id)
        WHERE NOT coalesce(data_sources.history, accounts.history, true)
    """
    return cast(int, await fetch_value(connection, query))


class ChangedIn(Struct, frozen=True):
    """A user's database, or the pages of it that have this id, or this title in whatever capitals."""

    user_id: str
    database_id: str
    page_id: str | None = None
    title: str | None = None


async def field_changes(connection: Connection, place: ChangedIn, within: timedelta) -> list[FieldChange]:
    """What changed there `within` the last time, newest first."""
    async with connection.cursor(row_factory=class_row(FieldChange)) as cursor:
        await cursor.execute(
            """
            SELECT change_id, page_id, page_title, kind, reason, column_name, old, new, seen_at, edited_at, edited_by,
                   edited_by_name
            FROM notion_sync.field_changes
            WHERE user_id = %(user_id)s AND database_id = %(database_id)s
              AND seen_at > clock_timestamp() - %(within)s
              AND page_id = coalesce(%(page_id)s::uuid, page_id)
              AND (%(title)s::text IS NULL OR lower(page_title) = lower(%(title)s))
            ORDER BY change_id DESC, column_name
            """,
            {**asdict(place), "within": within},
        )
        return await cursor.fetchall()
