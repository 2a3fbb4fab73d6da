"""Whether the e-mail addresses of people are copied for a user, and taking them out of what is stored."""

from __future__ import annotations

from collections.abc import Collection
from typing import LiteralString

from msgspec import Struct

from notion_pg_sync.mirror.connection import Connection
from notion_pg_sync.mirror.purging import rewrite_rows
from notion_pg_sync.mirror.qualified_sql import qualified
from notion_pg_sync.mirror.tables import SyncTable


class Emails(Struct, frozen=True):
    """Whether addresses `are_wanted`, and whether the copy may hold some (`are_kept`)."""

    are_wanted: bool = True
    are_kept: bool = True


async def load_emails(connection: Connection, user_id: str) -> Emails:
    """As `notion_sync.accounts` says; a user who is not there yet has what the table gives by default."""
    found = await connection.execute(
        "SELECT emails, has_emails FROM notion_sync.accounts WHERE user_id = %s", (user_id,)
    )
    row = await found.fetchone()
    return Emails(*row) if row else Emails()


async def note_emails(connection: Connection, user_id: str, *, are_kept: bool) -> None:
    """Records whether the copy may hold addresses from now on."""
    await connection.execute("UPDATE notion_sync.accounts SET has_emails = %s WHERE user_id = %s", (are_kept, user_id))


async def purge_emails(connection: Connection, tables: Collection[SyncTable], user_id: str) -> int:
    """Takes them out of all that is stored for a user; returns of how many rows. Raises `PurgeBlockedError`.

    Within the caller's transaction.
    """
    rows = sum([await _purge_table(connection, table, user_id) for table in tables])
    statements: tuple[LiteralString, ...] = (
        """
        UPDATE notion_sync.removed_pages
        SET row = row || jsonb_build_object('properties', notion_sync.without_emails(row -> 'properties'))
        WHERE user_id = %s AND row ? 'properties'
        """,
        """
        UPDATE notion_sync.page_changes
        SET old = notion_sync.without_emails(old), new = notion_sync.without_emails(new)
        WHERE user_id = %s AND strpos(concat(old, new), '"email": "') > 0
        """,
        """
        UPDATE notion_sync.users SET email = NULL, written_in = pg_current_xact_id()::xid
        WHERE user_id = %s AND email IS NOT NULL
        """,
        # The hash of all that a page held would prove a guess of what is gone.
        r"UPDATE notion_sync.pages SET source_hash = '\x', answer_hash = NULL, stored_digest = NULL,"
        r" given = notion_sync.without_emails(given) WHERE user_id = %s",
    )
    for statement in statements:
        await connection.execute(statement, (user_id,))
    await note_emails(connection, user_id, are_kept=False)
    return rows


# Those that hold an address, quickly told from nearly all others.
_HOLDS: LiteralString = """
    user_id {=} %(user)s AND notion_data_source_id IS NOT NULL
    AND pg_catalog.strpos(properties::pg_catalog.text, '"email": "') {>} 0
    AND properties {<>} notion_sync.without_emails(properties)
"""


async def _purge_table(connection: Connection, table: SyncTable, user_id: str) -> int:
    return await rewrite_rows(
        connection,
        table,
        holds=qualified(_HOLDS),
        assignments=qualified("properties = notion_sync.without_emails(properties), content_hash = NULL"),
        parameters={"user": user_id},
        what="addresses of people",
    )
