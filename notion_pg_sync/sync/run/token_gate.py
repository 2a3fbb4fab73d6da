"""Whether Notion accepts an account's token: asked once for all its databases, and only where something speaks against
it.
"""

from __future__ import annotations

import asyncio
import logging

from notion_pg_sync.core.errors import ErrorCode
from notion_pg_sync.mirror import leases, suspensions
from notion_pg_sync.mirror.connection import Connection, retried, transaction
from notion_pg_sync.mirror.suspensions import TokenRecord
from notion_pg_sync.notion.client import NotionClient
from notion_pg_sync.notion.errors import NotionError
from notion_pg_sync.sync.run.context import RunContext
from notion_pg_sync.sync.run.suspension import after_refusals

log = logging.getLogger(__name__)


class TokenGate:
    """What is known of an account's token while the account is synced.

    `is_resting`: it is suspended, and nothing is to be asked with it. `refusal` is Notion's, as a sentence, None while
    there is none.
    """

    def __init__(self, client: NotionClient, record: TokenRecord, *, is_resting: bool = False) -> None:
        self.client = client
        self.record = record
        self.is_resting = is_resting
        self.refusal = record.problem if record.is_refused_in_run else None
        self._is_asked = record.is_refused_in_run
        self._is_accepted = False
        self._asking = asyncio.Lock()

    @property
    def is_open(self) -> bool:
        """Whether anything may be asked with the token."""
        return not self.is_resting and self.refusal is None

    async def try_refused(self) -> None:
        """Asks Notion whether it accepts a token that could not be used the last time."""
        if self.record.problem is not None and not self.is_resting:
            await self.ask()

    async def ask(self) -> None:
        """Asks Notion whether it accepts the token, unless that was asked already."""
        async with self._asking:
            if self._is_asked:
                return
            self._is_asked = True
            try:
                await self.client.me()
                self._is_accepted = True
            except NotionError as error:
                if error.code == ErrorCode.UNAUTHORIZED:
                    self.refusal = str(error)
                else:
                    # Each database finds that out for itself.
                    log.info("whether Notion accepts the token is not known: %s", error)

    @retried
    async def settle(self, work: RunContext, user_id: str, *, is_read: bool) -> bool:
        """Records what became known, under the account's lease, and suspends the token or lifts that.

        `is_read`: a database was read with it. Returns whether it is suspended now.
        """
        if work.settings.dry_run or (self.refusal is None and self.record.problem is None):
            return False
        async with transaction(work.pool) as connection:
            await suspensions.lock_token(connection, user_id)
            if not await leases.is_held(connection, work.runid, user_id):
                return False
            if self.refusal is None:
                if self._is_accepted or is_read:
                    await suspensions.accept_token(connection, user_id)
                return False
            known = await suspensions.token_record(connection, work.runid, user_id)
            if known.is_refused_in_run:
                # By another user of the token: a run counts once.
                return known.suspended_since is not None
            return await _settle_refusal(connection, user_id, self.refusal, known)


async def _settle_refusal(connection: Connection, user_id: str, refusal: str, known: TokenRecord) -> bool:
    await suspensions.refuse_token(connection, user_id, known.now, refusal)
    suspension = after_refusals(
        known.refusals + 1,
        known.suspended_since,
        known.now,
        has_witness=await suspensions.is_another_token_accepted(connection, user_id, known.refused_at, known.now),
    )
    since, next_try_at = (suspension.since, suspension.next_try_at) if suspension else (None, None)
    await suspensions.suspend_token(connection, user_id, since, next_try_at)
    return suspension is not None
