"""Which accounts a run works on: it claims them, waits for those that others hold, or leaves them to who is at work."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from notion_pg_sync.core.errors import NothingAttemptedError
from notion_pg_sync.core.wording import plural, some
from notion_pg_sync.mirror import leases, runs
from notion_pg_sync.mirror.accounts import ConnectedAccount
from notion_pg_sync.mirror.connection import WAITED_IN_VAIN, Pool, current_time, retried, transaction
from notion_pg_sync.mirror.leases import Errand, Holder, OpenAccount
from notion_pg_sync.mirror.overview import Run, open_runs
from notion_pg_sync.mirror.runs import Counts, DatabaseRun
from notion_pg_sync.mirror.sync_requests import asking_users
from notion_pg_sync.settings import Settings
from notion_pg_sync.sync.run.context import RunContext
from notion_pg_sync.sync.run.failures import failure_of
from notion_pg_sync.sync.run.patience import Patience
from notion_pg_sync.sync.run.process import is_alive, this_process
from notion_pg_sync.sync.run.silence import is_gone

Result = TypeVar("Result")

# So many accounts are found at once, in the order in which they are claimed: looking through all of them for each is
# work that grows with the square of how many there are. Who is asked for meanwhile comes before them.
_FOUND_AT_ONCE = 20

# What every sync of a whole account brings, and what some bring beside it.
ROWS, FULL, BODIES, FULL_BODIES, FILES, VERIFIED = "rows", "full read", "bodies", "full bodies", "files", "verification"


def brought_by(settings: Settings) -> frozenset[str]:
    """What a run with these settings brings of each account."""
    asked = {
        FULL: settings.full,
        BODIES: settings.bodies,
        FULL_BODIES: settings.full_bodies,
        FILES: settings.files is not None,
        VERIFIED: settings.verify,
    }
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
    others began before does not count. Unless it `waits`, an account that another run holds is left to that. In the
    end `elsewhere` has who is at work on accounts that were left to them, by user id, `missed` those that could not be
    had, as they were seen last, `done_elsewhere` those that others had synced meanwhile, so that there was nothing to
    do, and `left` those that the run did not come to.
    """

    def __init__(
        self,
        work: RunContext,
        due: Mapping[str, ConnectedAccount],
        on_request: Collection[str],
        *,
        is_asked_for: bool,
        waits: bool = True,
    ) -> None:
        self.elsewhere: dict[str, Holder] = {}
        self.missed: dict[str, OpenAccount] = {}
        self.done_elsewhere: set[str] = set()
        self._locked: dict[str, str] = {}
        self._work = work
        self._unclaimed = dict(due)
        self._on_request = on_request
        self._is_asked_for = is_asked_for
        self._waits = waits
        self._brings = sorted(brought_by(work.settings))
        self._is_special = is_asked_for or self._brings != [ROWS]
        self._patience: dict[str, Patience] = {}
        self._first_seen_lease: dict[tuple[str, int], datetime | None] = {}
        self._next: Sequence[str] = ()

    @property
    def problems(self) -> list[str]:
        """What was missed, a sentence each."""
        locked: dict[str, list[str]] = {}
        for user_id in self.missed.keys() & self._locked.keys():
            locked.setdefault(self._locked[user_id], []).append(user_id)
        leased = (account for user_id, account in self.missed.items() if user_id not in self._locked)
        return [
            *(f"{some(sorted(users))}: {sentence}" for sentence, users in locked.items()),
            *(self._says(account) for account in leased),
        ]

    @property
    def left(self) -> int:
        """How many accounts the run did not come to, before it was given up."""
        return len(self._unclaimed.keys() - self.elsewhere.keys() - self.missed.keys() - self.done_elsewhere)

    async def accounts(self, slots: asyncio.Semaphore) -> AsyncIterator[ConnectedAccount]:
        """Claims one account after the other, once a database of it could begin; a dry run takes them unclaimed."""
        if self._work.settings.dry_run:
            while self._unclaimed:
                yield self._unclaimed.popitem()[1]
            return
        since = await self._since()
        between_looks = Patience(math.inf)
        while True:
            errand = Errand(list(self._unclaimed), list(self._on_request), self._brings, since)
            async with slots:
                claimed, self._next = await self._claim_next(errand, self._next)
            if claimed is not None:
                self.missed.pop(claimed, None)
                yield self._unclaimed.pop(claimed)
                between_looks = Patience(math.inf)
                continue
            await self._look(errand)
            if free := [user_id for user_id, account in self.missed.items() if self._is_locked(account)]:
                await self._wait_for_rows(free)
                continue
            if all(user_id in self._locked or self._patience[user_id].is_over for user_id in self.missed):
                self.done_elsewhere = self._unclaimed.keys() - self.elsewhere.keys() - self.missed.keys()
                return
            await between_looks.pause()

    def _is_locked(self, account: OpenAccount) -> bool:
        """Whether an account could not be claimed though no run holds it, and it is not known yet why."""
        return account.holder is None and account.user_id not in self._locked

    async def _wait_for_rows(self, user_ids: Sequence[str]) -> None:
        """Waits until nobody else has the rows of accounts locked, and takes down who does not let go of them."""
        try:
            await self._lock_rows(user_ids)
        except WAITED_IN_VAIN as error:
            self._locked.update(dict.fromkeys(user_ids, failure_of(error).sentence))

    @retried
    async def _lock_rows(self, user_ids: Sequence[str]) -> None:
        async with transaction(self._work.pool) as connection:
            await leases.lock_rows(connection, user_ids)

    async def _look(self, errand: Errand) -> None:
        """Sees who holds what is still open."""
        await close_dead_runs(self._work.pool)
        async with transaction(self._work.pool) as connection:
            found = await leases.open_accounts(connection, errand)
        self.elsewhere, self.missed = {}, {}
        for account in found:
            is_left = is_left_to_holder(account, errand, must_be_new=self._is_special)
            is_at_work = is_left and account.holder is not None and self._is_at_work(account, account.holder)
            if account.holder and (is_at_work or not self._waits):
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
    async def _claim_next(self, errand: Errand, found: Sequence[str]) -> tuple[str | None, Sequence[str]]:
        """The account that was claimed, of those `found` before where there is one; and those that come next."""
        runid, seconds = self._work.runid, self._work.settings.lease_seconds
        async with transaction(self._work.pool) as connection:
            asking = (await asking_users(connection)).intersection(errand.user_ids) if found else set()
            first = errand.only([*found, *asking])
            if found and (claimed := await leases.claim_next(connection, runid, first, seconds)):
                return claimed, [user_id for user_id in found if user_id != claimed]
            claimed = await leases.claim_next(connection, runid, errand, seconds)
            return claimed, await leases.next_free(connection, errand, _FOUND_AT_ONCE) if claimed else ()


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


async def close_dead_runs(pool: Pool) -> None:
    """Closes the records of runs whose processes are gone, on any machine, and frees their leases.

    What they were asked for waits for the next run again.
    """
    for runid in await _closed(pool):
        await clear_up(pool, runid)


@retried
async def _closed(pool: Pool) -> list[int]:
    """The runs that left something open, once their records are closed."""
    async with transaction(pool) as connection:
        now, machine = await current_time(connection), this_process().machine
        for run in await open_runs(connection):
            if is_gone(run, now, machine, is_alive):
                done = summary(await runs.databases_of(connection, run.runid))
                await runs.end_run(connection, run.runid, "failed", f"{_how_it_went(run, machine)} - {done}")
        return await runs.left_open(connection)


@retried
async def clear_up(pool: Pool, runid: int) -> None:
    """Ends what a run left open whose record is closed."""
    async with transaction(pool) as connection:
        await runs.clear_up(connection, runid)


def _how_it_went(run: Run, machine: str) -> str:
    if run.machine == machine:
        return f"the process went away (pid {run.pid}); what it had written is kept"
    heard_of = f"{(run.heartbeat_at or run.started_at).astimezone():%Y-%m-%d %H:%M:%S}"
    return (
        f"the process went away (pid {run.pid or 'unknown'} on {run.host or 'an unknown host'}, last heard of at "
        f"{heard_of}); what it had written is kept"
    )


def summary(synced: Sequence[tuple[str, DatabaseRun]], *, users: int = 0, due: int = 0) -> str:
    """What a run came to in a sentence: users, and what syncing a database of theirs came to.

    `users` and `due`: how many users and databases it was about, where it did not come to all of them.
    """
    totals = sum((run for _, run in synced), Counts())
    well = sum(not run.error_code for _, run in synced)
    users = max(users, len({user_id for user_id, _ in synced}))
    return (
        f"{well} of {plural(max(due, len(synced)), 'database')} of {plural(users, 'user')} synced: "
        f"{plural(totals.inserted, 'row')} inserted, {totals.updated:,} updated, {totals.removed:,} removed, "
        f"{totals.unchanged:,} unchanged."
    )


def who(holder: Holder | None) -> str:
    """A run as people find it."""
    if holder is None:
        return "another run"
    began = f"{holder.began_at.astimezone():%Y-%m-%d %H:%M:%S}"
    return f"run {holder.runid} (pid {holder.pid} on {holder.host}, since {began})"
