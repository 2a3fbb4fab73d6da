"""One account: its token, its databases, side by side within the limits of the run and of the token."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import psycopg

from notion_pg_sync.core.databases import ConfiguredDatabase
from notion_pg_sync.core.errors import ErrorCode
from notion_pg_sync.core.health import SUSPENDED_AFTER_FAILURES, Health
from notion_pg_sync.core.wording import plural
from notion_pg_sync.mirror import accounts, leases, runs, suspensions, sync_requests
from notion_pg_sync.mirror.accounts import Account, ConnectedAccount
from notion_pg_sync.mirror.connection import Connection, retried, transaction
from notion_pg_sync.mirror.data_sources import databases_of, wanting_bodies
from notion_pg_sync.mirror.emails import load_emails, note_emails, purge_emails
from notion_pg_sync.mirror.leases import LeaseLostError
from notion_pg_sync.mirror.row_counts import RowCounts, count_unlocked_rows
from notion_pg_sync.mirror.rows import names_in_rows
from notion_pg_sync.mirror.runs import DatabaseRun
from notion_pg_sync.mirror.suspensions import TokenRecord
from notion_pg_sync.mirror.sync_requests import PendingRequests
from notion_pg_sync.mirror.views import refresh_views
from notion_pg_sync.notion.client import NotionClient
from notion_pg_sync.notion.errors import NotionError
from notion_pg_sync.notion.pacer import Pacer
from notion_pg_sync.settings import Settings
from notion_pg_sync.sync.bodies.bodies import BodiesSync
from notion_pg_sync.sync.gathering import gather_or_cancel
from notion_pg_sync.sync.rows.database import DatabaseSync
from notion_pg_sync.sync.rows.excluding import record_configured
from notion_pg_sync.sync.run.configuration import Configuration, read_configuration
from notion_pg_sync.sync.run.context import RunContext
from notion_pg_sync.sync.run.discovery import INCOMPLETE_SEARCH, find_databases, name_nameless
from notion_pg_sync.sync.run.failures import failure_of, logged_failure
from notion_pg_sync.sync.run.listener import ProgressKey
from notion_pg_sync.sync.run.people_lookup import ask_for_people
from notion_pg_sync.sync.run.suspension import after_failures, fingerprint, is_lack_of_access
from notion_pg_sync.sync.run.token_encryption import open_token
from notion_pg_sync.sync.run.token_gate import TokenGate
from notion_pg_sync.sync.verify.verification import Verification
from notion_pg_sync.sync.verify.verify import verify_database

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Synced:
    """What a database came to; `is_suspended`: it is suspended by now."""

    run: DatabaseRun
    is_suspended: bool = False


@dataclass
class AccountOutcome:
    """What syncing an account came to, so far; `problems` are failures that belong to none of its databases.

    `due`: how many databases are to be synced. `token_problem`: why the token cannot be used, so that the databases of
    `unread` were not asked for. `suspended` names the databases that are suspended, tried or not, with the reason.
    `ids` has the ids of all these databases. `verified`: how the copy of databases compares with Notion, where that was
    asked for; `unverified`: why others could not be compared.
    """

    user_id: str
    due: int = 0
    databases: dict[str, DatabaseRun] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    token_problem: str | None = None
    unread: list[str] = field(default_factory=list)
    suspended: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    verified: dict[str, Verification] = field(default_factory=dict)
    unverified: dict[str, str] = field(default_factory=dict)

    @property
    def is_anything_read(self) -> bool:
        """Whether a database was synced well."""
        return any(run.error_code is None for run in self.databases.values())

    @property
    def incomplete(self) -> list[str]:
        """The databases that were synced well but for values that Notion does not give."""
        return [name for name, run in self.databases.items() if run.is_incomplete and run.error_code is None]

    def add(self, database: ConfiguredDatabase, synced: Synced) -> str:
        """Takes in what a database came to, and returns under which name."""
        name = self.name_of(database)
        self.databases[name] = synced.run
        if synced.is_suspended and synced.run.error_code:
            self.suspended[name] = synced.run.message or ""
        return name

    def leave_suspended(self, reasons: Mapping[ConfiguredDatabase, str]) -> None:
        """Takes in that these databases were not tried, being suspended."""
        for database, reason in reasons.items():
            self.suspended[self.name_of(database)] = reason

    def refuse(self, refusal: str, unread: Iterable[ConfiguredDatabase], *, is_suspended: bool) -> None:
        """Takes in that Notion does not accept the token; `is_suspended`: it is suspended by now."""
        names = [self.name_of(database) for database in unread]
        if is_suspended:
            refused = [name for name, run in self.databases.items() if run.error_code == ErrorCode.UNAUTHORIZED]
            self.suspended.update(dict.fromkeys([*refused, *names], refusal))
        else:
            self.token_problem, self.unread = refusal, names

    def name_of(self, database: ConfiguredDatabase) -> str:
        """A database's own name; where search found two of one name, with its id."""
        name = database.name
        if self.ids.setdefault(name, database.database_id) != database.database_id:
            name = f"{name} ({database.database_id})"
            self.ids[name] = database.database_id
        return name


def connected_account(settings: Settings, account: Account) -> ConnectedAccount | None:
    """The account with its token opened, None where it has no token. Raises `TokenError`."""
    if account.integration_token and not account.access_token:
        account = replace(account, integration_token=open_token(account.integration_token, settings.token_key))
    return account.connected()


async def current_account(work: RunContext, user_id: str) -> ConnectedAccount | None:
    """The account as `user_settings` has it now; None where it has no token any more. Raises `TokenError`."""
    async with transaction(work.pool) as connection:
        found = await accounts.read_accounts(connection, work.schema, user_id)
    return connected_account(work.settings, found[0]) if found else None


def open_client_of(work: RunContext, account: ConnectedAccount) -> NotionClient:
    """A client for the account's token, and for the one that is stored by then where Notion refuses it."""

    async def stored() -> str | None:
        current = await current_account(work, account.user_id)
        return current.token if current else None

    return work.open_client(account.token, stored)


async def sync_account(
    work: RunContext,
    account: ConnectedAccount,
    outcome: AccountOutcome,
    slots: asyncio.Semaphore,
    *,
    only_requested: bool,
) -> None:
    """Syncs the databases of an account whose lease this run holds, and gives the lease back.

    Every one, or those alone that requests ask for, which come first in any case. `outcome` is told what they come to;
    `slots` bounds how many databases the whole run syncs at once.
    """
    # Time has gone by since the run began.
    account = await current_account(work, account.user_id) or account
    configuration = read_configuration(account.databases)
    outcome.problems.extend(problem.message for problem in configuration.problems)
    outcome.due = len(configuration.databases)
    async with open_client_of(work, account) as opened, keeping_lease(work, account.user_id, opened.pacer):
        asked = await _requests(work, account.user_id)
        known = await begin_account(work, account)
        client = await with_emails_settled(work, opened, account.user_id)
        gate = TokenGate(client, known.token, is_resting=known.token.is_resting and not asked.is_any)
        await gate.try_refused()
        databases = await _databases(work, gate, account, configuration, outcome)
        due = [one for one in databases if not only_requested or asked.includes(one.database_id)]
        due.sort(key=lambda database: not asked.includes(database.database_id))
        if gate.is_resting:
            outcome.due = 0
            outcome.leave_suspended(dict.fromkeys(due, known.token.problem or ""))
            return
        resting = {
            one: known.resting[one.database_id]
            for one in due
            if one.database_id in known.resting and one.database_id not in asked.database_ids
        }
        unread: list[ConfiguredDatabase] = []
        to_sync = [database for database in due if database not in resting]
        outcome.due = len(to_sync)

        async def sync(database: ConfiguredDatabase) -> tuple[ConfiguredDatabase, str] | None:
            async with slots:
                if not gate.is_open:
                    unread.append(database)
                    return None
                name = await sync_and_record(
                    work, client, outcome, database, known.row_counts, configuration=configuration
                )
            if outcome.databases[name].error_code == ErrorCode.UNAUTHORIZED:
                await gate.ask()
            return database, name

        try:
            synced = [one for one in await gather_or_cancel(map(sync, to_sync)) if one]
        except LeaseLostError as error:
            outcome.problems.append(str(error))
        else:
            is_suspended = await gate.settle(work, account.user_id, is_read=outcome.is_anything_read)
            if gate.refusal is None:
                outcome.leave_suspended(resting)
            else:
                outcome.refuse(gate.refusal, [*unread, *resting], is_suspended=is_suspended)
            await _answer_requests(work, outcome, gate.refusal)
            if gate.is_open:
                await ask_for_people(work, client, account.user_id)
                await sync_bodies(work, client, outcome, synced, slots)
                await verify_databases(work, client, outcome, synced, slots)


async def verify_databases(
    work: RunContext,
    client: NotionClient,
    outcome: AccountOutcome,
    synced: Iterable[tuple[ConfiguredDatabase, str]],
    slots: asyncio.Semaphore,
) -> None:
    """Compares an account's databases with Notion, where that is asked for and their rows came; after all else.

    `synced`: the databases, each with the name under which `outcome` has what its rows came to.
    """
    if not work.settings.verify:
        return
    for database, name in synced:
        if outcome.databases[name].error_code:
            continue
        async with slots:
            try:
                outcome.verified[name] = await verify_database(work, client, outcome.user_id, database)
            except Exception as error:  # noqa: BLE001 - recorded; what was synced stays, and the others are compared
                outcome.unverified[name] = f"it could not be verified: {logged_failure(error).sentence}"


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
    readers: dict[str, BodiesSync] = {}
    for database, name in synced:
        run = outcome.databases[name]
        data_sources = None if work.settings.bodies else wanting.get(database.database_id, ())
        is_readable = not is_lack_of_access(run.error_code) and run.error_code != ErrorCode.LEASE_LOST
        if is_readable and (data_sources is None or data_sources):
            readers[name] = BodiesSync(
                work, client, outcome.user_id, database, run, data_sources=data_sources, deadline=deadline
            )
    # What is behind in any database comes before what is old in another.
    for read in (BodiesSync.sync, BodiesSync.refresh):
        for name, bodies in readers.items():
            async with slots:
                try:
                    await read(bodies)
                finally:
                    outcome.databases[name] = bodies.run


@retried
async def _requests(work: RunContext, user_id: str) -> PendingRequests:
    if work.settings.dry_run:
        return PendingRequests()
    async with transaction(work.pool) as connection:
        return await sync_requests.begin_requests(connection, work.runid, user_id)


@retried
async def _answer_requests(work: RunContext, outcome: AccountOutcome, refusal: str | None) -> None:
    """Tells the outcome to whoever asked for everything, and Notion's refusal of the token to whoever asked at all."""
    if work.settings.dry_run:
        return
    well = sum(not run.error_code for run in outcome.databases.values())
    missing = len(outcome.databases) - well + len(outcome.unread)
    suspended = len(outcome.suspended.keys() - outcome.databases.keys())
    health = Health.FAILING if missing or outcome.problems or (not well and suspended) else Health.OK
    health = max(health, Health.DEGRADED if outcome.suspended or outcome.incomplete else Health.OK)
    every = plural(well + missing + suspended, "database")
    message = f"{well} of {every} synced; notion_sync.database_runs has each."
    if outcome.suspended:
        message = f"{plural(len(outcome.suspended), 'database is', 'databases are')} suspended. {message}"
    async with transaction(work.pool) as connection:
        await sync_requests.end_other_requests(
            connection, work.runid, outcome.user_id, health, message, refusal=refusal
        )


@dataclass(frozen=True)
class AccountState:
    """What there is before anything of an account is synced.

    `resting`: its suspended databases that are not to be tried now, by id, with the reason. `row_counts`: None where
    each database has to count its own, since somebody has locked a table.
    """

    token: TokenRecord
    resting: dict[str, str]
    row_counts: RowCounts | None


@retried
async def begin_account(work: RunContext, account: ConnectedAccount) -> AccountState:
    """Takes note of the account's token; returns what there is before anything is synced."""
    async with transaction(work.pool) as connection:
        if not work.settings.dry_run:
            await suspensions.note_token(connection, account.user_id, fingerprint(account.token))
        return AccountState(
            await suspensions.token_record(connection, work.runid, account.user_id),
            await suspensions.resting(connection, account.user_id),
            await count_unlocked_rows(connection, work.tables.values(), account.user_id),
        )


@retried
async def with_emails_settled(work: RunContext, client: NotionClient, user_id: str) -> NotionClient:
    """The client for a user; one who wants no e-mail addresses of people has none in the copy then, but in a dry run.

    Raises `PurgeBlockedError`.
    """
    async with transaction(work.pool) as connection:
        emails = await load_emails(connection, user_id)
    if emails.are_wanted != emails.are_kept and not work.settings.dry_run:
        async with work.writing_for(user_id) as connection:
            if emails.are_wanted:
                await note_emails(connection, user_id, are_kept=True)
            else:
                rows = await purge_emails(connection, list(work.tables.values()), user_id)
                log.info("%s: e-mail addresses of people are removed from %s", user_id, plural(rows, "row"))
    return client if emails.are_wanted else client.without_emails()


async def sync_and_record(
    work: RunContext,
    client: NotionClient,
    outcome: AccountOutcome,
    database: ConfiguredDatabase,
    row_counts: RowCounts | None,
    *,
    configuration: Configuration,
) -> str:
    """Syncs one database of an account whose lease this run holds, with its row in `database_runs`.

    Returns the name under which `outcome` has what it came to, also where it is cut off. A dry run leaves no record: it
    is neither a sync nor a failure of the database. A sync that lost the lease counts as neither. Raises
    `LeaseLostError` where it is lost before the database begins.
    """
    user_id, is_dry = outcome.user_id, work.settings.dry_run
    watched = ProgressKey(user_id, database.name, database.database_id)
    if not is_dry:
        await _start(work, user_id, database)
    work.listener.started(watched)
    sync = DatabaseSync(work, client, user_id, database, row_counts, configuration=configuration)
    try:
        await sync.sync()
        run, is_suspended = sync.run, False
        if not is_dry:
            # A view would hold on to a column whose type is wrong.
            if run.error_code not in (ErrorCode.LEASE_LOST, ErrorCode.UNFIT_TABLE):
                run = await _refresh_view(work, database, run)
            is_suspended = await _end(work, user_id, database, run)
    except asyncio.CancelledError:
        outcome.add(database, Synced(sync.run))
        if not is_dry:
            await _end_cut_off(work, user_id, database, sync.run)
        raise
    work.listener.ended(watched, run)
    log.info("%s / %s %s: %s", user_id, database.name, run.status, run.message)
    return outcome.add(database, Synced(run, is_suspended))


@retried
async def _start(work: RunContext, user_id: str, database: ConfiguredDatabase) -> None:
    async with work.writing_for(user_id) as connection:
        await runs.start_database(connection, work.runid, user_id, database.database_id, name=database.name)


@retried
async def _end(work: RunContext, user_id: str, database: ConfiguredDatabase, run: DatabaseRun) -> bool:
    """Records what a database came to; returns whether it is suspended now."""
    async with transaction(work.pool) as connection:
        counts = await leases.is_held(connection, work.runid, user_id)
        await runs.end_database(connection, work.runid, user_id, database.database_id, run=run, counts=counts)
        if counts:
            await sync_requests.end_request(connection, work.runid, user_id, database.database_id, run=run)
        return counts and await _settle_suspension(connection, user_id, database.database_id)


@retried
async def _end_cut_off(work: RunContext, user_id: str, database: ConfiguredDatabase, run: DatabaseRun) -> None:
    """Records what a database came to until its run was given up; who asked for it waits for the next."""
    async with transaction(work.pool) as connection:
        counts = await leases.is_held(connection, work.runid, user_id)
        await runs.end_database(connection, work.runid, user_id, database.database_id, run=run, counts=counts)


async def _settle_suspension(connection: Connection, user_id: str, database_id: str) -> bool:
    """Suspends the database, or lifts that, by its latest results; returns whether it is suspended now."""
    latest = await suspensions.latest_results(connection, user_id, database_id, SUSPENDED_AFTER_FAILURES)
    suspension = after_failures(latest.codes, latest.suspended_since, latest.now, has_witness=latest.has_witness)
    since, next_try_at = (suspension.since, suspension.next_try_at) if suspension else (None, None)
    await suspensions.suspend(connection, user_id, database_id, since, next_try_at)
    return suspension is not None


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
    work: RunContext,
    user_id: str,
    databases: Sequence[ConfiguredDatabase],
    *,
    found_by_search: bool,
    known: Sequence[ConfiguredDatabase] = (),
) -> None:
    """Records which databases a user has, and what is excluded of them and of the `known`; a dry run does not."""
    if work.settings.dry_run:
        return
    async with transaction(work.pool) as connection:
        await accounts.register_accounts(connection, [user_id])
        await accounts.register_databases(connection, user_id, databases, found_by_search=found_by_search)
        await record_configured(connection, user_id, [*databases, *known])


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
        await leases.note_rate_limit(connection, user_id, rate_limited_for)


async def _databases(
    work: RunContext,
    gate: TokenGate,
    account: ConnectedAccount,
    configuration: Configuration,
    outcome: AccountOutcome,
) -> list[ConfiguredDatabase]:
    """What is to be synced: what is configured and, where everything is wanted, what search finds or has found.

    A database that has no name of the user's gets one once, and keeps it.
    """
    async with transaction(work.pool) as connection:
        stored = await accounts.known_databases(connection, account.user_id)
        in_entries = {*configuration.held, *(one.database_id for one in configuration.databases)}
        # An entry with the id of a data source means the database that search found, which is not to come beside it.
        meant = await databases_of(connection, account.user_id, in_entries) if configuration.everything else set()
        known = [database.as_found for database in stored]
        if not known and configuration.everything:
            # The bookkeeping is new, or was lost and made again: what the rows are called stays.
            known = await names_in_rows(connection, work.tables.values(), account.user_id)
    databases = await name_nameless(gate.client, configuration.databases, known)
    named_otherwise = [one.as_found for one in stored if one.found_by_search and one.database_id in meant - in_entries]
    await remember(work, account.user_id, [*databases, *named_otherwise], found_by_search=False)
    if not configuration.everything:
        return databases
    configured = {database.database_id for database in databases}
    found = {one.database_id: one.as_found for one in stored if one.found_by_search and one.database_id not in meant}
    if gate.is_open:
        try:
            held = [ConfiguredDatabase(one, one) for one in configuration.held]
            shared = await find_databases(gate.client, [*known, *databases, *held])
            found.update({database.database_id: database for database in shared.found})
            if not shared.is_complete:
                outcome.problems.append(f"search for databases: {INCOMPLETE_SEARCH}")
        except NotionError as error:
            if error.code == ErrorCode.UNAUTHORIZED:
                await gate.ask()
            if gate.refusal is None:
                outcome.problems.append(f"search for databases: {failure_of(error).sentence}")
    new = [
        database
        for database_id, database in found.items()
        if database_id not in configured and configuration.takes_found(database_id)
    ]
    await remember(work, account.user_id, new, found_by_search=True)
    return databases + new
