"""Why PostgreSQL lets a session only read: somebody's will, which is told and never overridden."""

from __future__ import annotations

from msgspec import Struct
from psycopg import AsyncCursor
from psycopg.rows import TupleRow

from notion_pg_sync.mirror.kept_settings import kept_at

# How pg_settings calls the options of a connection.
_OF_THE_SESSION = "client"

SETTING = "default_transaction_read_only"


class ReadOnly(Struct, frozen=True):
    """A sentence that says why, and what to type to change that, where something can be typed.

    `is_everywhere`: it holds for other sessions too, and not only for what this one was started with.
    """

    sentence: str
    fix: str = ""
    is_everywhere: bool = True


async def why_read_only(cursor: AsyncCursor[TupleRow]) -> ReadOnly | None:
    """Why the session may only read; None where it may write."""
    await cursor.execute(
        """
        SELECT pg_is_in_recovery(), setting::boolean, source, current_database(), session_user
        FROM pg_settings WHERE name = %s
        """,
        (SETTING,),
    )
    (found,) = await cursor.fetchall()
    return explained(*found)


def explained(is_standby: bool, is_on: bool, source: str, database: str, role: str) -> ReadOnly | None:
    """Pure: the same by what PostgreSQL says of itself and of the setting `default_transaction_read_only`."""
    if is_standby:
        return ReadOnly(
            "this PostgreSQL is a standby, which takes no changes: name the primary server in DATABASE_URL "
            "(target_session_attrs=read-write chooses it of several hosts)."
        )
    if not is_on:
        return None
    kept = kept_at(SETTING, source, database=database, role=role)
    said = f"PostgreSQL lets this session only read, since {SETTING} is on {kept.where}"
    if not kept.reset:
        return ReadOnly(f"{said}.", is_everywhere=source != _OF_THE_SESSION)
    # It holds for the session that changes it, too.
    lines = [f"SET {SETTING} = off;", *kept.reset.splitlines()]
    return ReadOnly(f"{said}: if it is to be written, type {' '.join(lines)}", "\n".join(lines))
