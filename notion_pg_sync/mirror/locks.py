"""Locks that others hold: what waits for one holds up everybody behind it, so it waits briefly, and tries again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from psycopg import errors, sql
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random

from notion_pg_sync.mirror.connection import Connection

LOCK_TIMEOUT = "3s"
# What a lock of somebody else's ends in.
LOCKED = (errors.LockNotAvailable, errors.DeadlockDetected)

Result = TypeVar("Result")


async def in_attempts(
    connection: Connection,
    work: Callable[[], Awaitable[Result]],
    *,
    attempts: int,
    passing: tuple[type[errors.Error], ...] = LOCKED,
) -> Result:
    """What `work` gives, done in one transaction; all of it is done once more where it meets what is `passing`.

    What is to be done has to be found out within: somebody else may have been there first. Raises the last error.
    """
    retrying = AsyncRetrying(
        retry=retry_if_exception_type(passing),
        stop=stop_after_attempt(attempts),
        wait=wait_random(0.1, 1),
        reraise=True,
    )

    async def attempt() -> Result:
        async with connection.transaction():
            return await work()

    return await retrying(attempt)


async def limit_lock_waits(connection: Connection) -> None:
    """Lets no statement of the transaction wait for a lock for long."""
    await connection.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(LOCK_TIMEOUT))
