"""One account: its token, its databases, side by side within the limits of the run and of the token."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import psycopg
from msgspec import Struct
from msgspec.structs import replace

from notion_pg_sync.core.databases import ConfiguredDatabase
from notion_pg_sync.core.errors import ErrorCode
from notion_pg_sync.core.health import SUSPENDED_AFTER_FAILURES, Health
from notion_pg_sync.core.wording import plural
from notion_pg_sync.mirror import accounts, leases, runs, suspensions, sync_requests
from notion_pg_sync.mirror.accounts import ConnectedAccount, KnownDatabase
from notion_pg_sync.mirror.connection import Connection, retried, transaction
from notion_pg_sync.mirror.data_sources import KnownListing, databases_of, known_listing, wanting_bodies
from notion_pg_sync.mirror.emails import Emails, load_emails, note_emails, purge_emails
from notion_pg_sync.mirror.exclusions import is_anything_excluded
from notion_pg_sync.mirror.leases import LeaseLostError
from notion_pg_sync.mirror.row_counts import RowCounts, count_unlocked_rows
from notion_pg_sync.mirror.rows import names_in_rows
from notion_pg_sync.mirror.runs import DatabaseRun
from notion_pg_sync.mirror.suspensions import TokenRecord
from notion_pg_sync.mirror.sync_requests import PendingRequests
from notion_pg_sync.mirror.view_catalog import is_any_concerned
from notion_pg_sync.notion.client import NotionClient
from notion_pg_sync.notion.errors import NotionError
from notion_pg_sync.notion.pacer import Pacer
from notion_pg_sync.sync.bodies.bodies import BodiesSync
from notion_pg_sync.sync.files.outcome import FileCounts
from notion_pg_sync.sync.gathering import gather_or_cancel
from notion_pg_sync.sync.rows.database import DatabaseSync
from notion_pg_sync.sync.rows.excluding import record_configured
from notion_pg_sync.sync.run.account_outcome import AccountOutcome, Synced
from notion_pg_sync.sync.run.configuration import Configuration, Recorded, read_configuration
from notion_pg_sync.sync.run.context import RunContext
from notion_pg_sync.sync.run.discovery import INCOMPLETE_SEARCH, find_databases, name_nameless
from notion_pg_sync.sync.run.failures import failure_of, logged_failure
from notion_pg_sync.sync.run.listener import ProgressKey
from notion_pg_sync.sync.run.people_lookup import ask_for_people
from notion_pg_sync.sync.run.serving import Serving
from notion_pg_sync.sync.run.suspension import after_failures, fingerprint, is_lack_of_access
from notion_pg_sync.sync.run.token_encryption import connected_account
from notion_pg_sync.sync.run.token_gate import TokenGate
from notion_pg_sync.sync.run.views_refresh import refresh_view

# How often a run looks, once it is through with an account, what was asked for meanwhile. It ends there though somebody
# asks without end: the next run goes on.
MOST_LOOKS = 3

log = logging.getLogger(__name__)


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
    outcome.note_unkept(work.settings, configuration.databases)
    outcome.due = len(configuration.databases)
    async with open_client_of(work, account) as opened, keeping_lease(work, account.user_id, opened.pacer) as lease:
        known = await begin_account(work, account, takes_requests=True)
        asked = known.requests
        client = await with_emails_settled(work, opened, account.user_id, known.emails)
        gate = TokenGate(client, known.token, is_resting=known.token.is_resting and not asked.is_any)
        await gate.try_refused()
        databases = await _databases(work, gate, account, configuration, outcome)
        recorded, row_counts = await _looked_up(work, account.user_id)
        configuration = replace(configuration, recorded=recorded)
        if gate.is_resting:
            due = [] if only_requested else databases
            outcome.due = 0
            outcome.leave_suspended(dict.fromkeys(due, known.token.problem or ""))
            return
        serving = Serving(
            work, gate, account, outcome, databases=databases, row_counts=row_counts, configuration=configuration
        )
        if asked.is_any:
            async with slots:
                await serving.begin(asked)
        turn = AccountTurn(work, serving, slots)
        if not only_requested or asked.everything:
            turn.add(databases, resting=known.resting)
        outcome.due = len(serving.queue.waiting)
        while await turn.take():
            # Nothing that is asked for goes by unseen: the lease is given back while nothing waits, or what waits is
            # taken up, or left to the next run, which can have the account from then on.
            if await lease.give_back(unless_asked=True) or not await turn.goes_on():
                return


class AccountTurn:
    """What a run does with an account: databases side by side, then what comes after all of them; again where it goes
    on.
    """

    def __init__(self, work: RunContext, serving: Serving, slots: asyncio.Semaphore) -> None:
        self._work = work
        self._serving = serving
        self._gate = serving.gate
        self._client = serving.gate.client
        self._outcome = serving.outcome
        self._slots = slots
        self._resting: dict[ConfiguredDatabase, str] = {}
        self._unread: list[ConfiguredDatabase] = []
        self._looks_left = MOST_LOOKS

    def add(self, databases: Iterable[ConfiguredDatabase], *, resting: Mapping[str, str]) -> None:
        """Lets databases come after those that are asked for; but not those `resting` (ids, with the reason)."""
        queue = self._serving.queue
        waiting = set(queue.waiting)
        others = [one for one in databases if one not in waiting]
        self._resting = {one: resting[one.database_id] for one in others if one.database_id in resting}
        queue.waiting += [one for one in others if one not in self._resting]

    async def take(self) -> bool:
        """Syncs what waits, answers who asked, and sees to people and bodies; False where the lease was lost."""
        work, outcome, gate, user_id = self._work, self._outcome, self._gate, self._outcome.user_id
        try:
            turns = [self._sync_next() for _ in self._serving.queue.waiting]
            synced = [one for some in await gather_or_cancel(turns) for one in some]
        except LeaseLostError as error:
            outcome.problems.append(str(error))
            return False
        is_suspended = await gate.settle(work, user_id, is_read=outcome.is_anything_read)
        if gate.refusal is None:
            outcome.leave_suspended(self._resting)
        else:
            outcome.refuse(gate.refusal, [*self._unread, *self._resting], is_suspended=is_suspended)
        if outcome.served:
            await _answer_requests(work, outcome, self._serving.database_ids, gate.refusal)
        if gate.is_open:
            await ask_for_people(work, self._client, user_id)
            await sync_bodies(work, self._client, outcome, synced, self._slots)
            await sync_files(work, self._client, outcome)
            await verify_databases(work, self._client, outcome, synced, self._slots)
        return True

    async def goes_on(self) -> bool:
        """Takes up what was asked for meanwhile; whether there is more to be done for it.

        An application that asks in a loop is left to the next run in the end.
        """
        if not self._looks_left:
            return False
        self._looks_left -= 1
        served_before = self._outcome.served
        async with self._slots:
            await self._serving.take_up()
        return self._outcome.served > served_before

    async def _sync_next(self) -> list[tuple[ConfiguredDatabase, str]]:
        """Syncs the next database, and one more for each that it was found to be asked for meanwhile.

        Returns them, each with the name under which the outcome has it.
        """
        synced, turns = [], 1
        while turns:
            turns -= 1
            async with self._slots:
                database = self._serving.queue.next()
                if database is None:
                    break
                if not self._gate.is_open:
                    self._unread.append(database)
                    continue
                synced.append((database, await self._sync(database)))
                if self._outcome.is_asked_for_more and self._gate.is_open:
                    turns += await self._serving.take_up()
        return synced

    async def _sync(self, database: ConfiguredDatabase) -> str:
        queue = self._serving.queue
        async with queue.at_work(database.database_id):
            name = await sync_and_record(
                self._work,
                self._client,
                self._outcome,
                database,
                self._serving.row_counts_for(database),
                configuration=self._serving.configuration,
                is_requested=database.database_id in queue.asked,
            )
        if self._outcome.databases[name].error_code == ErrorCode.UNAUTHORIZED:
            await self._gate.ask()
        return name


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
    from notion_pg_sync.sync.verify.verify import verify_database  # noqa: PLC0415 - only where needed

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
    deadline = _deadline(work.settings.bodies_for)
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


def _deadline(limit: timedelta | None) -> float | None:
    """When that time is over, by the event loop's clock; None where there is no limit, which a time of 0 says too."""
    return asyncio.get_running_loop().time() + limit.total_seconds() if limit else None


async def sync_files(work: RunContext, client: NotionClient, outcome: AccountOutcome) -> None:
    """Fetches the files that an account's pages name, where they are to be kept; after all rows and bodies."""
    problem: str | None = None
    try:
        problem = await _sync_files(work, client, outcome)
    except Exception as error:  # noqa: BLE001 - recorded; the rows are there without files
        problem = logged_failure(error).sentence
    if problem is not None and problem not in outcome.problems:
        outcome.problems.append(problem)


async def _sync_files(work: RunContext, client: NotionClient, outcome: AccountOutcome) -> str | None:
    if work.settings.files and work.settings.dry_run:
        from notion_pg_sync.sync.files.rehearsing import files_due  # noqa: PLC0415 - only where needed

        outcome.files_due += await files_due(work, outcome.user_id)
    if work.keeping is None:
        return None
    from notion_pg_sync.sync.files.fetching import AccountFiles  # noqa: PLC0415 - only where needed

    files = AccountFiles(work, work.keeping, client, outcome.user_id, deadline=_deadline(work.settings.files_for))
    try:
        return await files.sync()
    finally:
        outcome.files = (outcome.files or FileCounts()) + files.counts


@retried
async def _answer_requests(
    work: RunContext, outcome: AccountOutcome, database_ids: Sequence[str], refusal: str | None
) -> None:
    """Tells the outcome to whoever asked for everything, and Notion's refusal of the token to whoever asked at all.

    `database_ids`: those that the account has.
    """
    well = sum(not run.error_code for run in outcome.databases.values())
    missing = len(outcome.databases) - well + len(outcome.unread)
    suspended = len(outcome.suspended.keys() - outcome.databases.keys())
    health = Health.FAILING if missing or outcome.problems or (not well and suspended) else Health.OK
    health = max(health, Health.DEGRADED if outcome.suspended or outcome.incomplete else Health.OK)
    every = plural(well + missing + suspended, "database")
    message = f"{well} of {every} synced; notion_sync.database_runs has each."
    if outcome.suspended:
        message = f"{plural(len(outcome.suspended), 'database is', 'databases are')} suspended. {message}"
    message = " ".join([*outcome.problems, message])
    async with transaction(work.pool) as connection:
        if refusal is None:
            await sync_requests.hand_back(connection, work.runid, outcome.user_id, database_ids)
        await sync_requests.end_other_requests(
            connection, work.runid, outcome.user_id, health, message, refusal=refusal
        )


class AccountState(Struct, frozen=True):
    """What there is before anything of an account is synced.

    `requests`: those that the run has taken up. `resting`: its suspended databases that are not to be tried now, by id,
    with the reason.
    """

    requests: PendingRequests
    token: TokenRecord
    resting: dict[str, str]
    emails: Emails


@retried
async def begin_account(work: RunContext, account: ConnectedAccount, *, takes_requests: bool) -> AccountState:
    """Takes note of the account's token; returns what there is before anything is synced.

    `takes_requests`: what applications ask for the account is taken up by this run. Nothing here takes long, since who
    asks for the same meanwhile waits for it.
    """
    requests, is_dry = PendingRequests(), work.settings.dry_run
    async with transaction(work.pool) as connection:
        if not is_dry:
            await suspensions.note_token(connection, account.user_id, fingerprint(account.token))
        state = AccountState(
            requests,
            await suspensions.token_record(connection, work.runid, account.user_id),
            await suspensions.resting(connection, account.user_id),
            await load_emails(connection, account.user_id),
        )
        if takes_requests and not is_dry:
            requests = await sync_requests.begin_requests(connection, work.runid, account.user_id)
    return replace(state, requests=requests)


@retried
async def row_counts_of(work: RunContext, user_id: str) -> RowCounts | None:
    """How many rows a user has; None where each database has to count its own, since somebody has locked a table."""
    async with transaction(work.pool) as connection:
        return await count_unlocked_rows(connection, work.tables.values(), user_id)


async def _looked_up(work: RunContext, user_id: str) -> tuple[Recorded, RowCounts | None]:
    """What is recorded of a user's databases, and how many rows they have (see `row_counts_of`)."""
    async with transaction(work.pool) as connection:
        recorded = Recorded(
            has_exclusions=await is_anything_excluded(connection, user_id),
            has_views=await is_any_concerned(connection, user_id),
        )
        return recorded, await count_unlocked_rows(connection, work.tables.values(), user_id)


@retried
async def with_emails_settled(work: RunContext, client: NotionClient, user_id: str, emails: Emails) -> NotionClient:
    """The client for a user; one who wants no e-mail addresses of people has none in the copy then, but in a dry run.

    `emails`: as they are until then. Raises `PurgeBlockedError`.
    """
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
    is_requested: bool,
) -> str:
    """Syncs one database of an account whose lease this run holds, with its row in `database_runs`.

    Returns the name under which `outcome` has what it came to, also where it is cut off. A dry run leaves no record: it
    is neither a sync nor a failure of the database. A sync that lost the lease counts as neither. Raises
    `LeaseLostError` where it is lost before the database begins.
    """
    user_id, is_dry = outcome.user_id, work.settings.dry_run
    watched = ProgressKey(user_id, database.name, database.database_id)
    known = None
    if not is_dry:
        is_asked, known = await _start(work, user_id, database)
        is_requested |= is_asked
    work.listener.started(watched)
    sync = DatabaseSync(
        work,
        client,
        user_id,
        database,
        row_counts,
        known=known,
        configuration=configuration,
        is_requested=is_requested,
    )
    try:
        await sync.sync()
        run, is_suspended = sync.run, False
        if not is_dry:
            # A view would hold on to a column whose type is wrong.
            has_views = configuration.recorded.has_views
            if has_views and run.error_code not in (ErrorCode.LEASE_LOST, ErrorCode.UNFIT_TABLE):
                run = await refresh_view(work, database, run)
            is_suspended, outcome.is_asked_for_more = await _end(work, user_id, database, run)
    except asyncio.CancelledError:
        outcome.add(database, Synced(sync.run))
        if not is_dry:
            await _end_cut_off(work, user_id, database, sync.run)
        raise
    work.listener.ended(watched, run)
    log.info("%s / %s %s: %s", user_id, database.name, run.status, run.message)
    return outcome.add(database, Synced(run, is_suspended))


@retried
async def _start(work: RunContext, user_id: str, database: ConfiguredDatabase) -> tuple[bool, KnownListing]:
    """Records that a database begins, and takes up what is asked of it.

    Returns whether all of it is asked for, and what is known of it.
    """
    async with work.writing_for(user_id) as connection:
        is_asked = await runs.start_database(connection, work.runid, user_id, database.database_id, name=database.name)
        return is_asked, await known_listing(connection, user_id, database.database_id)


@retried
async def _end(work: RunContext, user_id: str, database: ConfiguredDatabase, run: DatabaseRun) -> tuple[bool, bool]:
    """Records what a database came to; returns whether it is suspended now, and whether requests of the user wait."""
    async with transaction(work.pool) as connection:
        counts, is_asked = await leases.holds_and_is_asked(connection, work.runid, user_id)
        lacks_access = is_lack_of_access(run.error_code)
        await runs.end_database(
            connection,
            work.runid,
            user_id,
            database.database_id,
            run=run,
            counts=counts,
            lifts_suspension=not lacks_access,
        )
        if counts:
            await sync_requests.end_request(connection, work.runid, user_id, database.database_id, run=run)
        is_suspended = counts and lacks_access and await _settle_suspension(connection, user_id, database.database_id)
        return is_suspended, is_asked


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


class Lease(Struct):
    """The lease on a user that this run holds; `is_given_back`: not any more."""

    work: RunContext
    user_id: str
    is_given_back: bool = False

    async def give_back(self, *, unless_asked: bool = False) -> bool:
        """Gives it back, and returns whether; `unless_asked`: not where requests wait that this run could take up."""
        self.is_given_back = self.is_given_back or await _release(
            self.work, self.user_id, unless_asked=unless_asked and not self.work.settings.dry_run
        )
        return self.is_given_back


@asynccontextmanager
async def keeping_lease(work: RunContext, user_id: str, pacer: Pacer) -> AsyncIterator[Lease]:
    """Renews the lease that this run holds on a user while the block works, and gives it back at its end.

    Says meanwhile how long the rate limit holds the user's token back.

    A dry run writes nothing for the user, and so needs and has no lease.
    """
    lease = Lease(work, user_id, is_given_back=work.settings.dry_run)
    if lease.is_given_back:
        yield lease
        return
    keeper = asyncio.create_task(_keep(work, user_id, pacer))
    try:
        yield lease
    finally:
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)
        await lease.give_back()


@retried
async def _release(work: RunContext, user_id: str, *, unless_asked: bool) -> bool:
    async with transaction(work.pool) as connection:
        return await leases.release(connection, work.runid, user_id, unless_asked=unless_asked)


@retried
async def remember(
    work: RunContext,
    user_id: str,
    databases: Sequence[ConfiguredDatabase],
    *,
    found_by_search: bool,
    known: Sequence[ConfiguredDatabase] = (),
    stored: Sequence[KnownDatabase] = (),
) -> None:
    """Records which databases a user has, and what is excluded of them and of the `known`; a dry run does not.

    `stored`: what is recorded of them, as far as somebody has looked; where that is all of it, nothing is written.
    """
    if work.settings.dry_run or _is_recorded([*databases, *known], stored, found_by_search=found_by_search):
        return
    async with transaction(work.pool) as connection:
        await accounts.register_accounts(connection, [user_id])
        await accounts.register_databases(connection, user_id, databases, found_by_search=found_by_search)
        await record_configured(connection, user_id, [*databases, *known])


def _is_recorded(
    databases: Iterable[ConfiguredDatabase], stored: Iterable[KnownDatabase], *, found_by_search: bool
) -> bool:
    by_id = {one.database_id: one for one in stored}
    return all(
        not one.options.exclude
        and one.database_id in by_id
        and by_id[one.database_id].is_recorded_as(one, found_by_search=found_by_search)
        for one in databases
    )


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
    await remember(work, account.user_id, [*databases, *named_otherwise], found_by_search=False, stored=stored)
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
    await remember(work, account.user_id, new, found_by_search=True, stored=stored)
    return databases + new
