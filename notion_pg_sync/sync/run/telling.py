"""Which failures of a run are told now: those that only a user can fix are told when they begin, hourly, then daily."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from notion_pg_sync.mirror import runs, suspensions
from notion_pg_sync.mirror.connection import retried, transaction
from notion_pg_sync.sync.run.context import RunContext
from notion_pg_sync.sync.run.suspension import is_everybody_refused, is_told

# What failed: a database of a user by name, a user's account (the name is None), or the run as such.
Subject = tuple[str, str | None] | None


@retried
async def told_lately(
    work: RunContext, accounts: Collection[str], databases: Mapping[tuple[str, str], str]
) -> set[Subject]:
    """Those of the failed accounts, and databases (ids by user and name), whose failure is not to be told again yet.

    The others are recorded as told.
    """
    if not accounts and not databases:
        return set()
    names: dict[tuple[str, str | None], Subject] = {(user_id, None): (user_id, None) for user_id in accounts}
    names |= {(user_id, database_id): (user_id, name) for (user_id, name), database_id in databases.items()}
    async with transaction(work.pool) as connection:
        ids = [(user_id, database_id) for (user_id, _), database_id in databases.items()]
        known = await suspensions.last_told(connection, accounts, ids)
        due = [one for one in known if is_told(one.told_at, one.since, one.now)]
        await suspensions.note_told(
            connection,
            [one.user_id for one in due if one.database_id is None],
            [(one.user_id, one.database_id) for one in due if one.database_id is not None],
        )
    told = {(one.user_id, one.database_id) for one in due}
    return {names[one.user_id, one.database_id] for one in known if (one.user_id, one.database_id) not in told}


@retried
async def lift_what_everybody_meets(work: RunContext) -> None:
    """Ends the suspension of every token where all that were asked since the run began were refused."""
    async with transaction(work.pool) as connection:
        since = await runs.shared_since(connection, work.runid)
        refused, is_any_accepted = await suspensions.tokens_asked_since(connection, since)
        if is_everybody_refused(refused, is_any_accepted=is_any_accepted):
            await suspensions.lift_all_of_tokens(connection)
