"""Which accounts a run works on: it claims them, waits for those that others hold, or leaves them to who is at work."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from datetime import datetime
from typing import TypeVar

from notion_pg_sync.core.errors import NothingAttemptedError
from notion_pg_sync.mirror import leases, runs
from notion_pg_sync.mirror.accounts import ConnectedAccount
from notion_pg_sync.mirror.connection import Pool, retried, transaction
from notion_pg_sync.mirror.leases import Errand, Holder, OpenAccount
from notion_pg_sync.settings import Settings
from notion_pg_sync.sync.run.context import RunContext
from notion_pg_sync.sync.run.patience import Patience
from notion_pg_sync.sync.run.process import is_alive, this_process

Result = TypeVar("Result")

# What every sync of a whole account brings, and what some bring beside it.
ROWS, FULL, BODIES, FULL_BODIES = "rows", "full read", "bodies", "full bodies"


def brought_by(settings: Settings) -> frozenset[str]:
    """What a run with these settings brings of each account."""
    asked = {FULL: settings.full, BODIES: settings.bodies, FULL_BODIES: settings.full_bodies}
    return frozenset({ROWS, *(name for name, is_asked in asked.items() if is_asked)})


def is_left_to_holder(account: OpenAccount, errand: Errand, *, must_be_new: bool) -> bool:
    """Whether the run that holds an open account makes of it what `errand` is to make; pure.

    `must_be_new`: only where that run came to the account since `errand.since`.
    """
    if account.holder is None or account.is_requested or not set(errand.brings) <= set(account.brings):
        return False
    return not must_be_new or (account.sync_began_at is not None and account.sync_began_at >= errand.since)


class Claims:
    """The accounts that are `due` in a run of `sync-all`, as the run comes to them.

    Those `on_request` are synced only as far as requests ask for it. With `is_asked_for` a person named the user: what
    others began before does not count. In the end `elsewhere` has who is at work on accounts that were left to them, by
    user id, `missed` those that could not be had, as they were seen last, and `done_elsewhere` how many others had
    synced meanwhile, so that there was nothing to do.
    """

    def __init__(
        self, work: RunContext, due: Mapping[str, ConnectedAccount], on_request: Collection[str], *, is_asked_for: bool
    ) -> None:
        self.elsewhere: dict[str, Holder] = {}
        self.missed: dict[str, OpenAccount] = {}
        self.done_elsewhere = 0
        self._work = work
        self._unclaimed = dict(due)
        self._on_request = on_request
        self._is_asked_for = is_asked_for
        self._brings = sorted(brought_by(work.settings))
        self._is_special = is_asked_for or self._brings != [ROWS]
        self._patience: dict[str, Patience] = {}
        self._first_seen_lease: dict[tuple[str, int], datetime | None] = {}

    @property
    def problems(self) -> list[str]:
        """What was missed, a sentence each."""
        return [self._says(account) for account in self.missed.values()]

    async def accounts(self, slots: asyncio.Semaphore) -> AsyncIterator[ConnectedAccount]:
        """Claims one account after the other, once a database of it could begin; a dry run takes them unclaimed."""
        if self._work.settings.dry_run:
            for account in self._unclaimed.values():
                yield account
            return
        since = await self._since()
        between_looks = Patience(math.inf)
        while True:
            errand = Errand(list(self._unclaimed), list(self._on_request), self._brings, since)
            async with slots:
                claimed = await self._claim_next(errand)
            if claimed is not None:
                self.missed.pop(claimed, None)
                yield self._unclaimed.pop(claimed)
                between_looks = Patience(math.inf)
                continue
            await self._look(errand)
            if all(self._patience[user_id].is_over for user_id in self.missed):
                self.done_elsewhere = len(self._unclaimed) - len(self.elsewhere) - len(self.missed)
                return
            await between_looks.pause()

    async def _look(self, errand: Errand) -> None:
        """Sees who holds what is still open."""
        await close_dead_runs(self._work.pool)
        async with transaction(self._work.pool) as connection:
            found = await leases.open_accounts(connection, errand)
        self.elsewhere, self.missed = {}, {}
        for account in found:
            is_left = is_left_to_holder(account, errand, must_be_new=self._is_special)
            if is_left and account.holder and self._is_at_work(account, account.holder):
                self.elsewhere[account.user_id] = account.holder
            else:
                self._wait_for(account)

    def _is_at_work(self, account: OpenAccount, holder: Holder) -> bool:
        """Whether there is a sign of the holder's life: its process, and on other machines that it renews its lease."""
        if holder.machine == this_process().machine:
            return True
        seen = self._first_seen_lease.setdefault((account.user_id, holder.runid), account.lease_expires_at)
        return account.lease_expires_at != seen

    def _wait_for(self, account: OpenAccount) -> None:
        self.missed[account.user_id] = account
        if account.user_id not in self._patience:
            settings = self._work.settings
            is_short = not self._is_special and not account.is_requested
            # By then the lease of a run that died has expired.
            shortly = settings.lease_seconds + settings.lease_wait_seconds
            seconds = shortly if is_short else settings.account_wait_seconds
            self._patience[account.user_id] = Patience(seconds)
            if account.holder:
                self._work.listener.waits(account.user_id, who(account.holder))

    def _says(self, account: OpenAccount) -> str:
        beside = [name for name in self._brings if name != ROWS]
        missed = "what applications ask for" if account.user_id in self._on_request else ", ".join(beside) or "a sync"
        return (
            f"{account.user_id}: {who(account.holder)} had this user's lease all the time, so this was not done: "
            f"{missed}. Run it again when that run has ended."
        )

    async def _since(self) -> datetime:
        async with transaction(self._work.pool) as connection:
            if self._is_asked_for:
                return await runs.started_at(connection, self._work.runid)
            return await runs.shared_since(connection, self._work.runid)

    @retried
    async def _claim_next(self, errand: Errand) -> str | None:
        async with transaction(self._work.pool) as connection:
            return await leases.claim_next(connection, self._work.runid, errand, self._work.settings.lease_seconds)


class HeldByAnotherError(NothingAttemptedError):
    """Another run holds a user's lease."""


async def once_free(
    pool: Pool, seconds: float, attempt: Callable[[], Awaitable[Result]], held: type[Exception]
) -> Result:
    """What `attempt` gives; it is tried again while it raises `held`, since a run holds a lease.

    That is raised after so many seconds. Runs that died hold nothing up.
    """
    patience = Patience(seconds)
    while True:
        await close_dead_runs(pool)
        try:
            return await attempt()
        except held:
            if patience.is_over:
                raise
        await patience.pause()


async def claim_patiently(work: RunContext, user_id: str) -> None:
    """Claims one account; waits for who has it, for `lease_wait_seconds`. Raises `HeldByAnotherError`."""
    told: list[Holder] = []

    async def attempt() -> None:
        claimed, holder = await _claim(work, user_id)
        if claimed:
            return
        if holder and not told:
            work.listener.waits(user_id, who(holder))
            told.append(holder)
        raise HeldByAnotherError(f"user {user_id!r} is being synced by {who(holder)}: try again when it has ended.")

    await once_free(work.pool, work.settings.lease_wait_seconds, attempt, HeldByAnotherError)


@retried
async def _claim(work: RunContext, user_id: str) -> tuple[bool, Holder | None]:
    """Whether the user's lease could be had, else who holds it."""
    async with transaction(work.pool) as connection:
        if await leases.claim(connection, work.runid, user_id, work.settings.lease_seconds):
            return True, None
        return False, await leases.holder(connection, user_id)


@retried
async def close_dead_runs(pool: Pool) -> None:
    """Closes the records of this machine's runs whose processes are gone, and frees their leases."""
    async with transaction(pool) as connection:
        for run in await runs.unfinished_runs(connection, this_process().machine):
            if not is_alive(run.pid, run.started_at):
                message = f"the process went away (pid {run.pid}); what it had written is kept."
                await runs.end_run(connection, run.runid, "failed", message)


def who(holder: Holder | None) -> str:
    """A run as people find it."""
    if holder is None:
        return "another run"
    began = f"{holder.began_at.astimezone():%Y-%m-%d %H:%M:%S}"
    return f"run {holder.runid} (pid {holder.pid} on {holder.host}, since {began})"
