"""One account: its token, its databases, side by side within the limits of the run and of the token."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from notion_pg_sync.mirror import accounts, leases, runs
from notion_pg_sync.mirror.accounts import ConnectedAccount
from notion_pg_sync.mirror.connection import transaction
from notion_pg_sync.mirror.runs import DatabaseRun
from notion_pg_sync.mirror.views import refresh_views
from notion_pg_sync.notion.client import NotionClient
from notion_pg_sync.notion.errors import NotionError
from notion_pg_sync.settings import Settings
from notion_pg_sync.sync.configuration import Configuration, ConfiguredDatabase, read_configuration
from notion_pg_sync.sync.database import sync_database
from notion_pg_sync.sync.discovery import find_databases
from notion_pg_sync.sync.failures import failure_of
from notion_pg_sync.sync.listener import Watched
from notion_pg_sync.sync.side_by_side import side_by_side
from notion_pg_sync.sync.work import Work

log = logging.getLogger(__name__)


@dataclass
class AccountOutcome:
    """What syncing an account came to; `problems` are failures that belong to none of its databases."""

    user_id: str
    databases: dict[str, DatabaseRun] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def add(self, database: ConfiguredDatabase, run: DatabaseRun) -> None:
        """Takes in what a database came to, under its name; where search found two of one name, with its id."""
        name = database.name
        self.databases[f"{name} ({database.database_id})" if name in self.databases else name] = run


async def sync_account(work: Work, account: ConnectedAccount, slots: asyncio.Semaphore) -> AccountOutcome:
    """Syncs every database of an account whose lease this run holds, and gives the lease back.

    `slots` bounds how many databases the whole run syncs at once.
    """
    outcome = AccountOutcome(account.user_id)
    configuration = read_configuration(account.databases)
    outcome.problems.extend(configuration.problems)
    async with keeping_lease(work, account.user_id), open_client(work.settings, account.token) as client:
        databases = await _databases(work, client, account, configuration, outcome)

        async def sync(database: ConfiguredDatabase) -> None:
            async with slots:
                outcome.add(database, await sync_and_record(work, client, account.user_id, database))

        await side_by_side(sync(database) for database in databases)
    return outcome


async def sync_and_record(work: Work, client: NotionClient, user_id: str, database: ConfiguredDatabase) -> DatabaseRun:
    """Syncs one database of an account whose lease this run holds, with its row in `database_runs`.

    A dry run leaves no other trace: it counts neither as a sync nor as a failure of the database.
    """
    watched = Watched(user_id, database.name, database.database_id)
    counts = not work.settings.dry_run
    async with transaction(work.pool) as connection:
        await runs.start_database(
            connection, work.runid, user_id, database.database_id, name=database.name, counts=counts
        )
    work.listener.started(watched)
    run = await sync_database(work, client, user_id, database)
    if counts:
        await _refresh_view(work, database, run)
    async with transaction(work.pool) as connection:
        await runs.end_database(connection, work.runid, user_id, database.database_id, run=run, counts=counts)
    work.listener.ended(watched, run)
    log.info("%s / %s %s: %s", user_id, database.name, run.status, run.message)
    return run


async def _refresh_view(work: Work, database: ConfiguredDatabase, run: DatabaseRun) -> None:
    """Brings the view of the database's name up to date, for users who want views; what it says goes into `run`."""
    try:
        async with work.pool.connection() as connection:
            notes = await refresh_views(connection, [database.name])
    except Exception as error:  # noqa: BLE001 - recorded; the rows are there without the view
        failure = failure_of(error)
        run.error_code = run.error_code or failure.code
        notes = [f"its typed view could not be made: {failure.sentence}"]
    run.message = " ".join([run.message or "", *notes]).strip()


def open_client(settings: Settings, token: str) -> NotionClient:
    """A client for one token, with the run's pace; to be used as an async context manager."""
    return NotionClient(
        token,
        base_url=settings.notion_base_url,
        requests_per_minute=settings.requests_per_minute,
        concurrency=settings.concurrency,
    )


@asynccontextmanager
async def keeping_lease(work: Work, user_id: str) -> AsyncIterator[None]:
    """Renews the lease that this run holds on a user while the block works, and gives it back at its end.

    A dry run writes nothing for the user, and so needs and has no lease.
    """
    if work.settings.dry_run:
        yield
        return
    keeper = asyncio.create_task(_keep(work, user_id))
    try:
        yield
    finally:
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)
        async with transaction(work.pool) as connection:
            await leases.release(connection, work.runid, user_id)


async def remember(work: Work, user_id: str, databases: Iterable[ConfiguredDatabase], *, found_by_search: bool) -> None:
    """Records which databases a user has; a dry run does not."""
    if work.settings.dry_run:
        return
    named = [(database.database_id, database.name) for database in databases]
    async with transaction(work.pool) as connection:
        await accounts.register_accounts(connection, [user_id])
        await accounts.register_databases(connection, user_id, named, found_by_search=found_by_search)


async def _keep(work: Work, user_id: str) -> None:
    while True:
        await asyncio.sleep(work.settings.lease_seconds / 4)
        async with work.writing_for(user_id) as connection:
            await runs.beat(connection, work.runid)


async def _databases(
    work: Work, client: NotionClient, account: ConnectedAccount, configuration: Configuration, outcome: AccountOutcome
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
        found.update({database.database_id: database for database in await find_databases(client)})
    except NotionError as error:
        outcome.problems.append(f"search for databases: {failure_of(error).sentence}")
    new = [database for database_id, database in found.items() if database_id not in configured]
    await remember(work, account.user_id, new, found_by_search=True)
    return databases + new
