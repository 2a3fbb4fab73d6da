"""One account: its token, its databases, side by side within the limits of the run and of the token."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import psycopg

from notion_pg_sync.core.databases import ConfiguredDatabase
from notion_pg_sync.core.errors import ErrorCode
from notion_pg_sync.core.health import SUSPENDED_AFTER_FAILURES
from notion_pg_sync.core.wording import plural
from notion_pg_sync.mirror import accounts, leases, runs, suspensions, sync_requests
from notion_pg_sync.mirror.accounts import Account, ConnectedAccount
from notion_pg_sync.mirror.connection import Connection, retried, transaction
from notion_pg_sync.mirror.data_sources import wanting_bodies
from notion_pg_sync.mirror.leases import LeaseLostError
from notion_pg_sync.mirror.row_counts import RowCounts, count_rows_of
from notion_pg_sync.mirror.runs import DatabaseRun, Ending
from notion_pg_sync.mirror.sync_requests import PendingRequests
from notion_pg_sync.mirror.views import refresh_views
from notion_pg_sync.notion.client import NotionClient
from notion_pg_sync.notion.errors import NotionError
from notion_pg_sync.notion.pacer import Pacer
from notion_pg_sync.settings import Settings
from notion_pg_sync.sync.bodies.bodies import BodiesSync
from notion_pg_sync.sync.gathering import gather_or_cancel
from notion_pg_sync.sync.rows.database import sync_database
from notion_pg_sync.sync.run.configuration import Configuration, read_configuration
from notion_pg_sync.sync.run.context import RunContext
from notion_pg_sync.sync.run.discovery import INCOMPLETE_SEARCH, find_databases
from notion_pg_sync.sync.run.failures import failure_of, logged_failure
from notion_pg_sync.sync.run.listener import ProgressKey
from notion_pg_sync.sync.run.people_lookup import ask_for_people
from notion_pg_sync.sync.run.suspension import after_failures, fingerprint, is_lack_of_access
from notion_pg_sync.sync.run.token_encryption import open_token

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Synced:
    """What a database came to; `was_suspended`: it had been suspended before, and still is."""

    run: DatabaseRun
    was_suspended: bool = False


@dataclass
class AccountOutcome:
    """What syncing an account came to; `problems` are failures that belong to none of its databases.

    `suspended` names the databases that were suspended before, tried or not, with the reason.
    """

    user_id: str
    databases: dict[str, DatabaseRun] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    suspended: dict[str, str] = field(default_factory=dict)

    def add(self, database: ConfiguredDatabase, synced: Synced) -> str:
        """Takes in what a database came to, and returns under which name.

        It is the database's own; where search found two of one name, with its id.
        """
        name = database.name
        name = f"{name} ({database.database_id})" if name in self.databases else name
        self.databases[name] = synced.run
        if synced.was_suspended and synced.run.error_code:
            self.suspended[name] = synced.run.message or ""
        return name


def connected_account(settings: Settings, account: Account) -> ConnectedAccount | None:
    """The account with its token opened, None where it has no token. Raises `TokenError`."""
    if account.integration_token and not account.access_token:
        account = replace(account, integration_token=open_token(account.integration_token, settings.token_key))
    return account.connected()


async def sync_account(
    work: RunContext, account: ConnectedAccount, slots: asyncio.Semaphore, *, only_requested: bool
) -> AccountOutcome:
    """Syncs the databases of an account whose lease this run holds, and gives the lease back.

    Every one, or those alone that requests ask for, which come first in any case. `slots` bounds how many databases
    the whole run syncs at once.
    """
    outcome = AccountOutcome(account.user_id)
    configuration = read_configuration(account.databases)
    outcome.problems.extend(configuration.problems)
    async with work.open_client(account.token) as client, keeping_lease(work, account.user_id, client.pacer):
        asked = await _requests(work, account.user_id)
        resting, row_counts = await begin_account(work, account)
        due = [
            database
            for database in await _databases(work, client, account, configuration, outcome)
            if not only_requested or asked.includes(database.database_id)
        ]
        due.sort(key=lambda database: not asked.includes(database.database_id))
        suspended = {
            database.name: resting[database.database_id]
            for database in due
            if database.database_id in resting and database.database_id not in asked.database_ids
        }
        outcome.suspended.update(suspended)

        async def sync(database: ConfiguredDatabase) -> tuple[ConfiguredDatabase, str]:
            async with slots:
                synced = await sync_and_record(work, client, account.user_id, database, row_counts)
            return database, outcome.add(database, synced)

        try:
            synced = await gather_or_cancel(sync(database) for database in due if database.name not in suspended)
        except LeaseLostError as error:
            outcome.problems.append(str(error))
        else:
            await _answer_requests(work, outcome)
            await ask_for_people(work, client, account.user_id)
            await sync_bodies(work, client, outcome, synced, slots)
    return outcome


async def sync_bodies(
    work: RunContext,
    client: NotionClient,
    outcome: AccountOutcome,
    synced: Iterable[tuple[ConfiguredDatabase, str]],
    slots: asyncio.Semaphore,
) -> None:
    """Reads the bodies of an account's databases, where they are wanted; one database at a time, after all rows.

    `synced`: the databases, each with the name under which `outcome` has what its rows came to, and later its bodies.
    """
    if work.settings.dry_run:
        return
    async with transaction(work.pool) as connection:
        wanting = await wanting_bodies(connection, outcome.user_id)
    limit = work.settings.bodies_for
    deadline = asyncio.get_running_loop().time() + limit.total_seconds() if limit else None
    for database, name in synced:
        run = outcome.databases[name]
        data_sources = None if work.settings.bodies else wanting.get(database.database_id, ())
        is_readable = not is_lack_of_access(run.error_code) and run.error_code != ErrorCode.LEASE_LOST
        if is_readable and (data_sources is None or data_sources):
            bodies = BodiesSync(
                work, client, outcome.user_id, database, run, data_sources=data_sources, deadline=deadline
            )
            async with slots:
                try:
                    await bodies.sync()
                finally:
                    outcome.databases[name] = bodies.run


@retried
async def _requests(work: RunContext, user_id: str) -> PendingRequests:
    if work.settings.dry_run:
        return PendingRequests()
    async with transaction(work.pool) as connection:
        return await sync_requests.begin_requests(connection, work.runid, user_id)


@retried
async def _answer_requests(work: RunContext, outcome: AccountOutcome) -> None:
    """Tells the outcome to whoever asked for everything."""
    if work.settings.dry_run:
        return
    failed = sum(run.error_code is not None for run in outcome.databases.values())
    status: Ending = "failed" if failed or outcome.problems or outcome.suspended else "succeeded"
    every = plural(len(outcome.databases) + len(outcome.suspended), "database")
    message = f"{len(outcome.databases) - failed} of {every} synced; notion_sync.database_runs has each."
    async with transaction(work.pool) as connection:
        await sync_requests.end_other_requests(connection, work.runid, outcome.user_id, status, message)


@retried
async def begin_account(work: RunContext, account: ConnectedAccount) -> tuple[dict[str, str], RowCounts]:
    """Takes note of the account's token; returns what there is before anything is synced.

    That is the suspended databases that are not to be tried now, with reasons, and how many rows there are.
    """
    async with transaction(work.pool) as connection:
        if not work.settings.dry_run:
            await suspensions.note_token(connection, account.user_id, fingerprint(account.token))
        resting = await suspensions.resting(connection, account.user_id)
        return resting, await count_rows_of(connection, work.tables.values(), account.user_id)


async def sync_and_record(
    work: RunContext, client: NotionClient, user_id: str, database: ConfiguredDatabase, row_counts: RowCounts
) -> Synced:
    """Syncs one database of an account whose lease this run holds, with its row in `database_runs`.

    A dry run leaves no other trace: it counts neither as a sync nor as a failure of the database. Nor does a sync that
    lost the lease. Raises `LeaseLostError` where it is lost before the database begins.
    """
    watched = ProgressKey(user_id, database.name, database.database_id)
    counts = not work.settings.dry_run
    await _start(work, user_id, database, counts=counts)
    work.listener.started(watched)
    run = await sync_database(work, client, user_id, database, row_counts)
    # A view would hold on to a column whose type is wrong.
    if counts and run.error_code not in (ErrorCode.LEASE_LOST, ErrorCode.UNFIT_TABLE):
        run = await _refresh_view(work, database, run)
    was_suspended = await _end(work, user_id, database, run, counts=counts)
    work.listener.ended(watched, run)
    log.info("%s / %s %s: %s", user_id, database.name, run.status, run.message)
    return Synced(run, was_suspended)


@retried
async def _start(work: RunContext, user_id: str, database: ConfiguredDatabase, *, counts: bool) -> None:
    async with work.writing_for(user_id) if counts else transaction(work.pool) as connection:
        await runs.start_database(
            connection, work.runid, user_id, database.database_id, name=database.name, counts=counts
        )


@retried
async def _end(work: RunContext, user_id: str, database: ConfiguredDatabase, run: DatabaseRun, *, counts: bool) -> bool:
    """Records what a database came to; returns whether it was suspended before and still is."""
    async with transaction(work.pool) as connection:
        counts = counts and await leases.is_held(connection, work.runid, user_id)
        await runs.end_database(connection, work.runid, user_id, database.database_id, run=run, counts=counts)
        if counts:
            await sync_requests.end_request(connection, work.runid, user_id, database.database_id, run=run)
        return counts and await _settle_suspension(connection, user_id, database.database_id)


async def _settle_suspension(connection: Connection, user_id: str, database_id: str) -> bool:
    """Suspends the database, or lifts that, by its latest results; returns whether it was suspended and still is."""
    latest = await suspensions.latest_results(connection, user_id, database_id, SUSPENDED_AFTER_FAILURES)
    suspension = after_failures(latest.codes, latest.suspended_since, latest.now)
    since, next_try_at = (suspension.since, suspension.next_try_at) if suspension else (None, None)
    await suspensions.suspend(connection, user_id, database_id, since, next_try_at)
    return suspension is not None and latest.suspended_since is not None


async def _refresh_view(work: RunContext, database: ConfiguredDatabase, run: DatabaseRun) -> DatabaseRun:
    """Brings the view of the database's name up to date, for users who want views.

    Returns `run` with what that says.
    """
    try:
        # Not `retried`: these are transactions one after the other, and each is tried again there.
        async with work.pool.connection() as connection:
            return run.with_sentences(*await refresh_views(connection, [database.name]))
    except Exception as error:  # noqa: BLE001 - recorded; the rows are there without the view
        failure = logged_failure(error)
        failed = replace(run, error_code=run.error_code or failure.code)
        return failed.with_sentences(f"its typed view could not be created: {failure.sentence}")


@asynccontextmanager
async def keeping_lease(work: RunContext, user_id: str, pacer: Pacer) -> AsyncIterator[None]:
    """Renews the lease that this run holds on a user while the block works, and gives it back at its end.

    Says meanwhile how long the rate limit holds the user's token back.

    A dry run writes nothing for the user, and so needs and has no lease.
    """
    if work.settings.dry_run:
        yield
        return
    keeper = asyncio.create_task(_keep(work, user_id, pacer))
    try:
        yield
    finally:
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)
        await _release(work, user_id)


@retried
async def _release(work: RunContext, user_id: str) -> None:
    async with transaction(work.pool) as connection:
        await leases.release(connection, work.runid, user_id)


@retried
async def remember(
    work: RunContext, user_id: str, databases: Sequence[ConfiguredDatabase], *, found_by_search: bool
) -> None:
    """Records which databases a user has; a dry run does not."""
    if work.settings.dry_run:
        return
    named = [(database.database_id, database.name) for database in databases]
    async with transaction(work.pool) as connection:
        await accounts.register_accounts(connection, [user_id])
        await accounts.register_databases(connection, user_id, named, found_by_search=found_by_search)


async def _keep(work: RunContext, user_id: str, pacer: Pacer) -> None:
    while True:
        await asyncio.sleep(work.settings.lease_seconds / 4)
        try:
            await _renew(work, user_id, pacer.delay() if pacer.is_waiting else None)
        except psycopg.OperationalError as error:
            # Those who write fail by themselves; PostgreSQL may be back before the lease expires.
            log.info("the lease on user %s could not be renewed: %s", user_id, failure_of(error).sentence)


@retried
async def _renew(work: RunContext, user_id: str, rate_limited_for: float | None) -> None:
    async with work.writing_for(user_id) as connection:
        await runs.beat(connection, work.runid)
        await leases.note_rate_limit(connection, user_id, rate_limited_for)


async def _databases(
    work: RunContext,
    client: NotionClient,
    account: ConnectedAccount,
    configuration: Configuration,
    outcome: AccountOutcome,
) -> list[ConfiguredDatabase]:
    """What is to be synced: what is configured and, where everything is wanted, what search finds or has found."""
    databases = list(configuration.databases)
    await remember(work, account.user_id, databases, found_by_search=False)
    if not configuration.everything:
        return databases
    async with transaction(work.pool) as connection:
        known = await accounts.known_databases(connection, account.user_id)
    configured = {database.database_id for database in databases}
    found = {
        database.database_id: ConfiguredDatabase(database.name, database.database_id)
        for database in known
        if database.found_by_search
    }
    try:
        shared = await find_databases(client)
        found.update({database.database_id: database for database in shared.found})
        if not shared.is_complete:
            outcome.problems.append(f"search for databases: {INCOMPLETE_SEARCH}")
    except NotionError as error:
        # Each database that is known says so itself, and is suspended for it.
        if not (is_lack_of_access(error.code) and found):
            outcome.problems.append(f"search for databases: {failure_of(error).sentence}")
    new = [database for database_id, database in found.items() if database_id not in configured]
    await remember(work, account.user_id, new, found_by_search=True)
    return databases + new
