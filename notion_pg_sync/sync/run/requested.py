"""A run for what applications ask for from SQL, and for nothing else: `sync-all --requested`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection

from notion_pg_sync.mirror import accounts, runs, sync_requests
from notion_pg_sync.mirror.accounts import ConnectedAccount
from notion_pg_sync.mirror.connection import Pool, retried, transaction
from notion_pg_sync.mirror.jobs import REQUESTED, register_job
from notion_pg_sync.mirror.looks import NOTHING_IS_ASKED, look_for_requests
from notion_pg_sync.settings import Settings
from notion_pg_sync.sync.run.claiming import Claims, close_dead_runs
from notion_pg_sync.sync.run.context import RunContext
from notion_pg_sync.sync.run.failures import logged_failure
from notion_pg_sync.sync.run.listener import Listener
from notion_pg_sync.sync.run.origin import this_origin
from notion_pg_sync.sync.run.process import this_process
from notion_pg_sync.sync.run.run import (
    RunOutcome,
    check_settings,
    installation,
    open_run,
    opened,
    refuse_requests,
    register_accounts,
    sync_into,
    untold_of,
)
from notion_pg_sync.sync.run.telling import lift_what_everybody_meets

log = logging.getLogger(__name__)

LEFT_TO_OTHERS = "what is asked for is left to the runs that are at work on its users."
ONE_IS_AT_WORK = "another run of sync-all --requested is at work, and serves what is asked for meanwhile."

# Who asks while a run serves others is not to wait until it has ended; who asks again waits as long as for the next run
# of a schedule of every minute. A run that never ended would never be one of an upgraded tool.
_LOOKS_AGAIN_AFTER_SECONDS = 5.0
_SERVED_AGAIN_AFTER_SECONDS = 60.0
_TAKES_UP_FOR_SECONDS = 3600.0


async def serve_requests(
    settings: Settings,
    listener: Listener,
    command: str,
    user_id: str | None = None,
    *,
    begins: Callable[[], None] | None = None,
) -> RunOutcome:
    """Syncs what is asked for, by anybody or for `user_id`, and what is asked for meanwhile.

    There is no run where nothing waits, or another of this job is at work: two that begin at once are one after the
    other, by the row of their job. An account that another run holds is left to that. Parameters and errors are those
    of `sync_all`.
    """
    async with installation(settings) as place:
        # One that died has requests which wait for the next, and does not count as at work.
        await close_dead_runs(place.pool)
        runid, why = await _start_alone(place.pool, command, user_id)
        if runid is None:
            log.info(why)
            return RunOutcome(not_begun=why)
        async with open_run(place, settings, listener, runid) as (work, outcome):
            if begins:
                await asyncio.to_thread(begins)
            await check_settings(work)
            await _Serving(work, outcome, user_id).serve()
            await lift_what_everybody_meets(work)
            if user_id is None and not settings.strict:
                outcome.untold = await untold_of(work, outcome)
    return outcome


@retried
async def _start_alone(pool: Pool, command: str, user_id: str | None) -> tuple[int | None, str]:
    """The number of the run whose record was written; None with the reason where there is none to be."""
    async with transaction(pool) as connection:
        await register_job(connection, REQUESTED)
        if await runs.is_under_way(connection, REQUESTED):
            return None, ONE_IS_AT_WORK
        look = await look_for_requests(connection, user_id)
        if not look.can_begin:
            return None, LEFT_TO_OTHERS if look.is_open else NOTHING_IS_ASKED
        return await runs.start_run(connection, REQUESTED, command, this_process(), this_origin()), ""


class _Serving:
    """What one run serves: `serve` looks for who asks until nobody does whom it could serve."""

    def __init__(self, work: RunContext, outcome: RunOutcome, user_id: str | None) -> None:
        self._work = work
        self._outcome = outcome
        self._user_id = user_id
        self._slots = asyncio.Semaphore(work.settings.jobs)
        self._at_work: set[asyncio.Task[None]] = set()
        self._served: dict[str, float] = {}

    async def serve(self) -> None:
        """Serves them; an account's failure is its outcome."""
        ends = self._now() + _TAKES_UP_FOR_SECONDS
        async with asyncio.TaskGroup() as tasks:
            while True:
                if self._now() < ends:
                    try:
                        await self._take_up(tasks)
                    except Exception as error:  # noqa: BLE001 - recorded; the accounts that were claimed go on
                        self._outcome.problems.append(logged_failure(error).sentence)
                        break
                if not self._at_work:
                    break
                await asyncio.wait(
                    self._at_work, timeout=_LOOKS_AGAIN_AFTER_SECONDS, return_when=asyncio.FIRST_COMPLETED
                )

    async def _take_up(self, tasks: asyncio.TaskGroup) -> None:
        due = await self._asking_accounts()
        if not due:
            return
        claims = Claims(self._work, due, due.keys(), is_asked_for=False, waits=False)
        async for account in claims.accounts(self._slots):
            self._outcome.elsewhere.pop(account.user_id, None)
            task = tasks.create_task(self._sync(account))
            self._at_work.add(task)
            task.add_done_callback(self._at_work.discard)
            # The task begins before the next account is claimed.
            await asyncio.sleep(0)
        self._outcome.elsewhere |= claims.elsewhere
        self._outcome.problems += claims.problems

    async def _sync(self, account: ConnectedAccount) -> None:
        await sync_into(self._outcome, self._work, account, self._slots, only_requested=True)
        self._served[account.user_id] = self._now()

    async def _asking_accounts(self) -> dict[str, ConnectedAccount]:
        """The accounts for which something waits, by user id, but for those that this run has just served.

        What waits for somebody who is not connected, or whose token cannot be used, is refused.
        """
        work = self._work
        async with transaction(work.pool) as connection:
            asking = await sync_requests.asking_users(connection)
            asking = {one for one in asking if self._user_id in (None, one) and not self._is_served(one)}
            # One is found as such; for several, all are read once.
            only = next(iter(asking)) if len(asking) == 1 else None
            found = await accounts.read_accounts(connection, work.schema, only) if asking else []
        self._served |= dict.fromkeys(asking, self._now())
        with_token = [one for one in found if one.user_id in asking and one.connected()]
        due = [account for one in with_token if (account := opened(work, one, self._outcome))]
        user_ids = [account.user_id for account in due]
        if unusable := asking.difference(user_ids):
            await self._refuse(unusable)
        if due:
            await register_accounts(work, user_ids)
        return {account.user_id: account for account in due}

    async def _refuse(self, unusable: Collection[str]) -> None:
        async with transaction(self._work.pool) as connection:
            everybody = await accounts.read_accounts(connection, self._work.schema)
        usable = [one.user_id for one in everybody if one.connected() and one.user_id not in unusable]
        await refuse_requests(self._work, usable)

    def _is_served(self, user_id: str) -> bool:
        return self._now() - self._served.get(user_id, -_SERVED_AGAIN_AFTER_SECONDS) < _SERVED_AGAIN_AFTER_SECONDS

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
