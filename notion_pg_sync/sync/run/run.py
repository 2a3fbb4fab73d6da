"""A whole run: its record, its accounts, side by side."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import humanize

from notion_pg_sync.core.databases import ConfiguredDatabase, find_databases, resolve_database
from notion_pg_sync.core.errors import NothingAttemptedError, UsageError
from notion_pg_sync.core.wording import plural
from notion_pg_sync.mirror import accounts, migrations, retention, runs, sync_requests
from notion_pg_sync.mirror.accounts import Account, ConnectedAccount, KnownDatabase
from notion_pg_sync.mirror.connection import Connection, Pool, PostgresError, open_pool, retried, transaction
from notion_pg_sync.mirror.leases import Holder
from notion_pg_sync.mirror.runs import Counts, Ending, Job
from notion_pg_sync.mirror.tables import FoundTables, inspect_tables, settings_schema, strange_tables
from notion_pg_sync.mirror.trust import distrust
from notion_pg_sync.notion.client import NotionClient
from notion_pg_sync.settings import Settings
from notion_pg_sync.sync.run.account import (
    AccountOutcome,
    begin_account,
    connected_account,
    keeping_lease,
    remember,
    sync_account,
    sync_and_record,
    sync_bodies,
)
from notion_pg_sync.sync.run.claiming import Claims, claim_patiently, close_dead_runs, who
from notion_pg_sync.sync.run.configuration import read_configuration
from notion_pg_sync.sync.run.context import RunContext
from notion_pg_sync.sync.run.failures import failure_of, logged_failure
from notion_pg_sync.sync.run.listener import Listener
from notion_pg_sync.sync.run.people_lookup import ask_for_people
from notion_pg_sync.sync.run.process import this_process
from notion_pg_sync.sync.run.token_encryption import TokenError
from notion_pg_sync.sync.verify.verification import Verification
from notion_pg_sync.sync.verify.verify import verify_database

log = logging.getLogger(__name__)


@dataclass
class RunOutcome:
    """What a run came to, account by account; `problems` are failures that belong to none.

    `elsewhere`: the runs that are at work on accounts which were left to them, by user id; `done_elsewhere`: how many
    accounts others synced meanwhile. `verification`: how the copy compares with Notion, where that was asked for.
    `strict`: suspended databases count as failures, which they were told as before they were suspended.
    """

    accounts: list[AccountOutcome] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    elsewhere: dict[str, Holder] = field(default_factory=dict)
    done_elsewhere: int = 0
    verification: Verification | None = None
    strict: bool = False

    @property
    def failures(self) -> list[str]:
        """Everything that went wrong, a sentence each, with the user and the database."""
        return [
            *self.problems,
            *(f"{account.user_id}: {problem}" for account in self.accounts for problem in account.problems),
            *(
                f"{account.user_id}/{name}: {run.message}"
                for account in self.accounts
                for name, run in account.databases.items()
                if run.error_code and name not in account.suspended
            ),
            *(
                f"{account.user_id}/{name}: suspended, {reason}"
                for account in self.accounts
                for name, reason in account.suspended.items()
                if self.strict
            ),
        ]

    @property
    def status(self) -> Ending:
        """`failed` when anything went wrong."""
        return "failed" if self.failures else "succeeded"

    @property
    def totals(self) -> Counts:
        """The counts of all databases added up."""
        return sum((run for account in self.accounts for run in account.databases.values()), Counts())

    def message(self) -> str:
        """One line for the run's record, first the failure."""
        databases = [run for account in self.accounts for run in account.databases.values()]
        well = sum(not run.error_code for run in databases)
        totals = self.totals
        summary = (
            f"{well} of {plural(len(databases), 'database')} of {plural(len(self.accounts), 'user')} synced: "
            f"{plural(totals.inserted, 'row')} inserted, {totals.updated} updated, {totals.removed} removed, "
            f"{totals.unchanged} unchanged."
        )
        if suspended := sum(len(account.suspended) for account in self.accounts):
            summary += f" {suspended} suspended."
        if totals.bodies_read or totals.bodies_failed:
            summary += f" {plural(totals.bodies_read, 'page body', 'page bodies')} read, {totals.bodies_failed} failed."
        for holder, count in Counter(self.elsewhere.values()).items():
            summary += f" {plural(count, 'user')} left to {who(holder)}, which is syncing them."
        if self.done_elsewhere:
            summary += f" Other runs synced {plural(self.done_elsewhere, 'user')} meanwhile."
        failures = self.failures
        if not failures:
            return summary
        more = f" (and {plural(len(failures) - 1, 'more failure')})" if len(failures) > 1 else ""
        return f"{failures[0]}{more} - {summary}"


async def sync_all(settings: Settings, listener: Listener, command: str, user_id: str | None = None) -> RunOutcome:
    """Syncs every database of every connected user, or of `user_id`; hosts that do so at once share the work.

    `command` is what was typed, for the record. Raises `NothingAttemptedError` where there is nothing to try,
    `PostgresError` where PostgreSQL cannot be used.
    """
    async with _run(settings, listener, runs.SYNC_ALL, command) as (work, outcome):
        due, on_request = await _due_accounts(work, user_id, outcome)
        claims = Claims(work, due, on_request, is_asked_for=user_id is not None)
        slots = asyncio.Semaphore(settings.jobs)

        async def sync(account: ConnectedAccount) -> None:
            try:
                outcome.accounts.append(
                    await sync_account(work, account, slots, only_requested=account.user_id in on_request)
                )
            except Exception as error:  # noqa: BLE001 - recorded; the other accounts go on
                outcome.accounts.append(AccountOutcome(account.user_id, problems=[logged_failure(error).sentence]))

        try:
            async with asyncio.TaskGroup() as tasks:
                async for account in claims.accounts(slots):
                    tasks.create_task(sync(account))
                    # The task begins before the next account is claimed.
                    await asyncio.sleep(0)
        finally:
            outcome.elsewhere, outcome.done_elsewhere = claims.elsewhere, claims.done_elsewhere
            outcome.problems += claims.problems
        await _delete_old_records(work)
    return outcome


@retried
async def _delete_old_records(work: RunContext) -> None:
    async with transaction(work.pool) as connection:
        await retention.delete_old_records(connection)


async def sync_one(settings: Settings, listener: Listener, command: str, user_id: str, database: str) -> RunOutcome:
    """Syncs one database of a user now; `database` is a configured name, an id or a link.

    Waits for another run's lease on the user, for `settings.lease_wait_seconds`. Raises as `sync_all` does, and
    `UsageError` where there is no such database.
    """
    async with _run(settings, listener, runs.SYNC_ONE, command) as (work, outcome):
        account = await _the_account(work, user_id, outcome)
        if account is None:
            return outcome
        async with transaction(work.pool) as connection:
            known = await accounts.known_databases(connection, user_id)
        wanted = _the_database(account, known, database)
        if wanted.database_id not in {one.database_id for one in known if one.found_by_search}:
            await remember(work, user_id, [wanted], found_by_search=False)
        if not settings.dry_run:
            await claim_patiently(work, user_id)
        async with work.open_client(account.token) as client, keeping_lease(work, user_id, client.pacer):
            _, row_counts = await begin_account(work, account)
            run = (await sync_and_record(work, client, user_id, wanted, row_counts)).run
            of_account = AccountOutcome(user_id, {wanted.name: run})
            outcome.accounts.append(of_account)
            await ask_for_people(work, client, user_id)
            await sync_bodies(work, client, of_account, [(wanted, wanted.name)], asyncio.Semaphore())
            if settings.verify and run.error_code is None:
                await _verify(work, client, user_id, wanted, outcome)
    return outcome


async def _verify(
    work: RunContext, client: NotionClient, user_id: str, database: ConfiguredDatabase, outcome: RunOutcome
) -> None:
    try:
        outcome.verification = await verify_database(work, client, user_id, database)
    except Exception as error:  # noqa: BLE001 - recorded; what was synced stays
        outcome.problems.append(
            f"{user_id}/{database.name}: it could not be verified: {logged_failure(error).sentence}"
        )
        return
    if not outcome.verification.is_exact:
        outcome.problems.append(f"{user_id}/{database.name}: {outcome.verification.sentence}")


@asynccontextmanager
async def _run(
    settings: Settings, listener: Listener, job: Job, command: str
) -> AsyncIterator[tuple[RunContext, RunOutcome]]:
    """A run with its record, which is written before anything else happens and closed whatever happens.

    At the run's time limit its work is given up, which the outcome then says.
    """
    outcome = RunOutcome(strict=settings.strict)
    async with open_pool(settings.database_url or "", statement_seconds=settings.statement_seconds) as pool:
        async with transaction(pool) as connection:
            await migrations.check_version(connection)
            schema, tables = await _find_tables(connection)
        await close_dead_runs(pool)
        runid = await _start(pool, job, command)
        log.info("run %d of job %s has begun", runid, job.name)
        status: Ending = "failed"
        message = "the run was interrupted; what it had written is kept, and the next run carries on."
        try:
            async with _time_limit(settings.timeout, outcome):
                yield RunContext(settings, runid, pool, schema, tables.fit, listener, tables.unfit), outcome
            status, message = outcome.status, outcome.message()
        except (NothingAttemptedError, UsageError, PostgresError) as error:
            message = str(error)
            raise
        except Exception as error:
            message = failure_of(error).sentence
            raise
        finally:
            await _end(pool, runid, status, message)
            log.info("run %d %s: %s", runid, status, message)


@retried
async def _start(pool: Pool, job: Job, command: str) -> int:
    async with transaction(pool) as connection:
        return await runs.start_run(connection, job, command, this_process())


@retried
async def _end(pool: Pool, runid: int, status: Ending, message: str) -> None:
    async with transaction(pool) as connection:
        await runs.end_run(connection, runid, status, message)


@asynccontextmanager
async def _time_limit(limit: timedelta | None, outcome: RunOutcome) -> AsyncIterator[None]:
    """Gives up the block after `limit`, as a problem of `outcome`."""
    if limit is None:
        yield
        return
    clock = asyncio.timeout(limit.total_seconds())
    try:
        async with clock:
            yield
    except TimeoutError:
        if not clock.expired():
            raise
        outcome.problems.append(
            f"the run was stopped after {humanize.precisedelta(limit)}, the limit that --timeout sets: what it had "
            "written is kept, and the next run carries on."
        )


async def _find_tables(connection: Connection) -> tuple[str, FoundTables]:
    """Where the rows go. Raises `PostgresError` where a table that is needed does not count."""
    schema = await settings_schema(connection)
    for table in await strange_tables(connection, schema):
        if table.is_needed:
            raise distrust(table.relation)
    return schema, await inspect_tables(connection, schema)


async def _due_accounts(
    work: RunContext, user_id: str | None, outcome: RunOutcome
) -> tuple[dict[str, ConnectedAccount], set[str]]:
    """The accounts to sync by user id, and those of them that are synced only as far as requests ask for it."""
    on_request: set[str] = set()
    if user_id is not None:
        account = await _the_account(work, user_id, outcome)
        due = [account] if account else []
    else:
        async with transaction(work.pool) as connection:
            found = await accounts.read_accounts(connection, work.schema)
            asking = await sync_requests.asking_users(connection)
        switched_off = {one.user_id for one in found if one.auto_sync is False}
        on_request = switched_off & asking
        with_token = [one for one in found if one.connected()]
        wanted = [one for one in with_token if one.user_id not in switched_off - asking]
        due = [account for one in wanted if (account := _opened(work, one, outcome))]
        if not work.settings.dry_run:
            unusable = {one.user_id for one in wanted} - {account.user_id for account in due}
            usable = [one.user_id for one in with_token if one.user_id not in unusable]
            await _refuse_requests(work, usable)
        if not wanted:
            raise NothingAttemptedError(_why_nobody(found))
    if not work.settings.dry_run:
        await _register_accounts(work, [account.user_id for account in due])
    return {account.user_id: account for account in due}, on_request


@retried
async def _refuse_requests(work: RunContext, connected: Sequence[str]) -> None:
    async with transaction(work.pool) as connection:
        await sync_requests.refuse_requests(connection, work.runid, connected)


@retried
async def _register_accounts(work: RunContext, user_ids: Sequence[str]) -> None:
    async with transaction(work.pool) as connection:
        await accounts.register_accounts(connection, user_ids)


def _why_nobody(found: list[Account]) -> str:
    if not found:
        return "user_settings has no rows, so there is nobody to sync: connect a user first."
    if not any(account.connected() for account in found):
        return "no user in user_settings has a Notion token, so there is nobody to sync: connect a user first."
    return "auto_sync_enabled is false for every connected user, so there is nobody to sync: set it to true."


def _opened(work: RunContext, account: Account, outcome: RunOutcome) -> ConnectedAccount | None:
    """The account with its token; None where it has none, or it cannot be opened, which `outcome` then says."""
    try:
        return connected_account(work.settings, account)
    except TokenError as error:
        outcome.accounts.append(AccountOutcome(account.user_id, problems=[str(error)]))
        return None


async def _the_account(work: RunContext, user_id: str, outcome: RunOutcome) -> ConnectedAccount | None:
    """The account of a user; None where its token cannot be opened, which `outcome` then says."""
    async with transaction(work.pool) as connection:
        found = await accounts.read_accounts(connection, work.schema, user_id)
    if not found:
        raise UsageError(f"there is no user {user_id!r} in user_settings: check the spelling.")
    if found[0].connected() is None:
        raise NothingAttemptedError(f"user {user_id!r} has no Notion token in user_settings: let them connect Notion.")
    return _opened(work, found[0], outcome)


def _the_database(account: ConnectedAccount, known: list[KnownDatabase], written: str) -> ConfiguredDatabase:
    """The configured database of that name, id or link; where everything is wanted, one that search found before."""
    configuration = read_configuration(account.databases)
    candidates = list(configuration.databases)
    if configuration.everything:
        candidates += [ConfiguredDatabase(one.name, one.database_id) for one in known if one.found_by_search]
    if configuration.problems and not find_databases(written, candidates):
        raise NothingAttemptedError(f"user {account.user_id!r}: {configuration.problems[0]}")
    return resolve_database(written, candidates, whose=f"notion_databases of user {account.user_id!r} has")
