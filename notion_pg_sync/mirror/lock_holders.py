"""Who holds a lock that a session of ours waits for: a transaction that somebody forgot, and the SQL that ends it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

import psycopg
from msgspec import Struct
from psycopg import AsyncCursor, sql
from psycopg.rows import TupleRow, class_row

from notion_pg_sync.core.wording import some
from notion_pg_sync.mirror.typed_sql import typed

# The first look comes before the shortest limit on a wait is over (locks.py), and the looks go on within the longest.
_FIRST_LOOK_SECONDS, _LONGEST_PAUSE_SECONDS = 2.0, 10.0

# The tool itself never leaves a transaction open for so long between two statements.
FORGOTTEN_AFTER_SECONDS = 10

log = logging.getLogger(__name__)


class LockHolder(Struct, frozen=True):
    """A transaction that holds up others: a session's (`pid`), or a prepared one by its name (`prepared_as`).

    `since`: when the transaction began, None where this role may not see that. `is_own_role`: it is of our role.
    """

    pid: int | None
    prepared_as: str | None
    role: str
    application: str
    since: datetime | None
    is_own_role: bool

    @property
    def described(self) -> str:
        """The transaction as people find it in `pg_stat_activity` or `pg_prepared_xacts`."""
        what = f"session {self.pid}" if self.pid else f"the prepared transaction {self.prepared_as}"
        details = [f"role {self.role}"]
        if self.application:
            details.append(f"application_name {self.application}")
        if self.since:
            details.append(f"in a transaction since {self.since.astimezone():%Y-%m-%d %H:%M:%S}")
        return f"{what} ({', '.join(details)})"

    @property
    def fix(self) -> str:
        """The statement that ends it."""
        if self.pid:
            return typed(sql.SQL("SELECT pg_terminate_backend({})").format(sql.Literal(self.pid)))
        return typed(sql.SQL("ROLLBACK PREPARED {}").format(sql.Literal(self.prepared_as)))


class HeldLockError(Exception):
    """Why a statement waited for a lock until it was given up: the cause of the error that PostgreSQL gave."""

    def __init__(self, holders: Sequence[LockHolder]) -> None:
        super().__init__(said_of(holders))
        self.holders = tuple(holders)

    @property
    def fix(self) -> str:
        """The statements that end whoever holds it."""
        return "\n".join(holder.fix for holder in self.holders)


def said_of(holders: Sequence[LockHolder]) -> str:
    """Who holds a lock that is waited for, and what ends that, in a sentence."""
    verb = "holds a lock" if len(holders) == 1 else "hold locks"
    roles = sorted({holder.role for holder in holders if not holder.is_own_role})
    with_rights = f" as {some(roles)} or a superuser" if roles else ""
    return (
        f"{some([holder.described for holder in holders])} {verb} that this waits for: commit there, or type"
        f"{with_rights} {some([holder.fix for holder in holders])}"
    )


async def lock_holders(cursor: AsyncCursor[TupleRow], pid: int) -> list[LockHolder]:
    """Who holds up the session of a `pid`, the oldest first; none where it waits for no lock.

    Who waits behind somebody else is left out: whoever is first in the queue holds up all of it. A pooler gives its
    clients pids that are none: then it is told of every session of our role that waits.
    """
    async with cursor.connection.cursor(row_factory=class_row(LockHolder)) as own:
        await own.execute(
            """
            WITH RECURSIVE ours AS (
                SELECT pid, wait_event_type FROM pg_stat_activity
                WHERE datname = current_database() AND usename = current_user
            ), waiting AS (
                SELECT pid FROM ours
                WHERE wait_event_type = 'Lock' AND (pid = %(pid)s OR %(pid)s NOT IN (SELECT pid FROM ours))
            ), queue (pid) AS (
                SELECT pid FROM waiting
                UNION
                SELECT unnest(pg_blocking_pids(queue.pid)) FROM queue WHERE queue.pid <> 0
            ), prepared AS (
                SELECT DISTINCT own.transactionid AS transaction
                FROM queue
                JOIN pg_locks AS awaited ON awaited.pid = queue.pid AND NOT awaited.granted
                JOIN pg_locks AS held ON held.pid IS NULL AND held.granted
                    AND (held.locktype, held.database, held.relation, held.page, held.tuple, held.transactionid)
                        IS NOT DISTINCT FROM (awaited.locktype, awaited.database, awaited.relation, awaited.page,
                                              awaited.tuple, awaited.transactionid)
                JOIN pg_locks AS own ON own.pid IS NULL AND own.virtualtransaction = held.virtualtransaction
                    AND own.locktype = 'transactionid'
            )
            SELECT pid, NULL AS prepared_as, coalesce(usename, 'unknown') AS role, application_name AS application,
                   xact_start AS since, coalesce(usename = current_user, false) AS is_own_role
            FROM queue JOIN pg_stat_activity USING (pid)
            WHERE pid NOT IN (SELECT pid FROM waiting) AND pg_blocking_pids(pid) = '{}'
            UNION ALL
            SELECT NULL, gid, owner, '', pg_prepared_xacts.prepared, owner = current_user
            FROM prepared JOIN pg_prepared_xacts USING (transaction)
            ORDER BY since, pid
            """,
            {"pid": pid},
        )
        return await own.fetchall()


async def forgotten_transactions(cursor: AsyncCursor[TupleRow]) -> list[LockHolder]:
    """Sessions that left a transaction open in which they locked rows or tables that the tool works with.

    Not those that are at work, and not those whose state this role may not see.
    """
    async with cursor.connection.cursor(row_factory=class_row(LockHolder)) as own:
        await own.execute(
            """
            SELECT DISTINCT pid, NULL AS prepared_as, coalesce(usename, 'unknown') AS role,
                   application_name AS application, xact_start AS since, usename = current_user AS is_own_role
            FROM pg_locks JOIN pg_stat_activity USING (pid)
            JOIN pg_class ON pg_class.oid = relation JOIN pg_namespace ON pg_namespace.oid = relnamespace
            WHERE granted AND mode NOT IN ('AccessShareLock', 'SIReadLock') AND datname = current_database()
              AND (nspname = 'notion_sync' OR relname = 'user_settings' OR relname ~ '^notion_.*_sync$')
              AND state ~ 'idle in transaction' AND state_change < clock_timestamp() - make_interval(secs => %s)
            ORDER BY since, pid
            """,
            (FORGOTTEN_AFTER_SECONDS,),
        )
        return await own.fetchall()


class LockWatch:
    """Looks now and then, while a transaction lasts, whether it is held up, and by whom.

    It has to be seen while it waits: once PostgreSQL gave up the wait, nothing tells any more whom it was for. `look`
    asks that in a session of its own. Most transactions are over before the first look.
    """

    def __init__(self, look: Callable[[], Awaitable[Sequence[LockHolder]]], most_seconds: float) -> None:
        self.holders: Sequence[LockHolder] = ()
        self._look = look
        self._pause = min(_FIRST_LOOK_SECONDS, most_seconds / 2) if most_seconds else _FIRST_LOOK_SECONDS
        self._timer = asyncio.get_running_loop().call_later(self._pause, self._begin)
        self._task: asyncio.Task[None] | None = None

    async def end(self) -> None:
        """Looks no more."""
        self._timer.cancel()
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _begin(self) -> None:
        self._task = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while True:
            try:
                self.holders = await self._look()
            except psycopg.Error as error:
                # The statement that waits fails by itself; only who holds it up is then not known.
                log.info("who holds a lock could not be seen: %s", error)
            await asyncio.sleep(self._pause)
            self._pause = min(self._pause * 2, _LONGEST_PAUSE_SECONDS)
