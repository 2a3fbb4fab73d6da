"""A whole run: its record, its accounts, side by side."""

from __future__ import annotations

import asyncio
import logging
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import humanize
import psycopg
from msgspec import Struct, field

from notion_pg_sync.core.errors import ErrorCode, NothingAttemptedError, UsageError
from notion_pg_sync.core.health import LEASE_SECONDS, Health
from notion_pg_sync.core.ids import names_view
from notion_pg_sync.core.wording import plural, some
from notion_pg_sync.mirror import accounts, migrations, retention, runs, suspensions, sync_requests
from notion_pg_sync.mirror.accounts import Account, ConnectedAccount
from notion_pg_sync.mirror.connection import (
    WAITED_IN_VAIN,
    Connection,
    Pool,
    PostgresError,
    open_pool,
    retried,
    transaction,
)
from notion_pg_sync.mirror.jobs import DRY_RUN, SYNC_ALL, SYNC_ONE, Job, paused_jobs
from notion_pg_sync.mirror.leases import Holder
from notion_pg_sync.mirror.runs import Counts, Ending, FailedDatabase
from notion_pg_sync.mirror.tables import FoundTables, inspect_tables, settings_schema, strange_tables
from notion_pg_sync.mirror.trust import distrust
from notion_pg_sync.notion.connections import Connections
from notion_pg_sync.settings import Settings
from notion_pg_sync.sync.files.outcome import FileCounts, FilesDue
from notion_pg_sync.sync.run.account_outcome import AccountOutcome
from notion_pg_sync.sync.run.claiming import Claims, claim_patiently, clear_up, close_dead_runs, summary, who
from notion_pg_sync.sync.run.configuration import LINK_OF_VIEW, no_place_for, read_configuration
from notion_pg_sync.sync.run.context import RunContext
from notion_pg_sync.sync.run.failures import failure_of, logged_failure
from notion_pg_sync.sync.run.listener import Listener
from notion_pg_sync.sync.run.origin import this_origin
from notion_pg_sync.sync.run.process import this_process
from notion_pg_sync.sync.run.suspension import is_lack_of_access
from notion_pg_sync.sync.run.telling import Subject, lift_what_everybody_meets, told_lately
from notion_pg_sync.sync.run.token_encryption import TokenError, connected_account

if TYPE_CHECKING:
    from notion_pg_sync.sync.files.keeping import FileKeeping
    from notion_pg_sync.sync.verify.verification import Verification

log = logging.getLogger(__name__)

_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SCHEDULERS = ("cron", "systemd")


class Failed(Struct, frozen=True):
    """What went wrong: `who` or what met it, in words, empty where that is the run itself; and `why`."""

    subject: Subject
    who: str
    why: str

    @classmethod
    def of(cls, user_id: str, name: str | None, why: str) -> Failed:
        """Of a user's database, or of the user as such."""
        return cls((user_id, name), user_id if name is None else f"{user_id}/{name}", why)

    @property
    def sentence(self) -> str:
        """Both of it."""
        return f"{self.who}: {self.why}" if self.who else self.why


def sentences_by_cause(failed: Iterable[Failed]) -> list[str]:
    """Pure: a sentence for each cause, in the order of their first, with the first few that met it.

    What differs in an id alone, such as that of the database, has one cause, and is told without the id.
    """
    causes: dict[str, list[Failed]] = {}
    for one in failed:
        causes.setdefault(_ID.sub("…", one.why), []).append(one)
    return [_of_one_cause(cause, ones) for cause, ones in causes.items()]


def _of_one_cause(cause: str, ones: Sequence[Failed]) -> str:
    why = ones[0].why if all(one.why == ones[0].why for one in ones) else cause
    who = some([one.who for one in ones if one.who])
    return f"{who}: {why}" if who else why


class RunOutcome(Struct):
    """What a run came to, account by account, so far; `problems` are failures that belong to none.

    `elsewhere`: the runs that are at work on accounts which were left to them, by user id; `done_elsewhere`: how many
    accounts others synced meanwhile, and `failed_elsewhere` what they failed at. `strict`: suspended databases count as
    failures, which they were told as before they were suspended, and so do incomplete ones, and users who are
    `unconnected`: they ask for databases and have no token. `untold`: what failed and was told lately. `is_dry`: it
    wrote nothing. `notes`: what a person should know of what they typed, a sentence each. `not_begun`: why there is no
    run, which is no failure, though `is_paused` copies grow older; None where there is one.
    """

    accounts: list[AccountOutcome] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    elsewhere: dict[str, Holder] = field(default_factory=dict)
    done_elsewhere: int = 0
    failed_elsewhere: list[FailedDatabase] = field(default_factory=list)
    strict: bool = False
    unconnected: list[str] = field(default_factory=list)
    untold: set[Subject] = field(default_factory=set)
    is_dry: bool = False
    notes: list[str] = field(default_factory=list)
    not_begun: str | None = None
    is_paused: bool = False

    @property
    def failures(self) -> list[str]:
        """Everything that went wrong, a sentence each, with the user and the database."""
        return [one.sentence for one in self.failed]

    @property
    def causes(self) -> list[str]:
        """The same with one sentence for what is the same of many."""
        return sentences_by_cause(self.failed)

    @property
    def told(self) -> list[str]:
        """What of that is to be told where nobody waits for it."""
        return sentences_by_cause([one for one in self.failed if one.subject not in self.untold])

    @property
    def failed(self) -> list[Failed]:
        """The same with what it is about."""
        return [
            *(Failed(None, "", problem) for problem in self.problems),
            *(Failed(None, some(having), problem) for problem, having in self._problems_of_accounts().items()),
            *(Failed.of(one.user_id, one.name, one.why) for one in self.failed_elsewhere),
            *(failure for account in self.accounts for failure in _failed(account)),
            *self._kept_from_notion(),
            *(self._degraded() if self.strict else self._all_suspended()),
            *(
                Failed(None, f"{user_id}/{name}", verification.sentence)
                for user_id, name, verification in self.verified
                if not verification.is_exact
            ),
            *(
                Failed(None, f"{account.user_id}/{name}", sentence)
                for account in self.accounts
                for name, sentence in account.unverified.items()
            ),
        ]

    def _problems_of_accounts(self) -> dict[str, list[str]]:
        """What failed that belongs to no database, with the users that it is the same for."""
        users: dict[str, list[str]] = {}
        for account in self.accounts:
            for problem in account.problems:
                users.setdefault(problem, []).append(account.user_id)
        return users

    def _kept_from_notion(self) -> Iterator[Failed]:
        """What lies between this host and Notion: told once, with the databases that it keeps from it."""
        kept: dict[str, list[tuple[str, str]]] = {}
        for account in self.accounts:
            for name, run in account.databases.items():
                if run.error_code == ErrorCode.NETWORK and name not in account.suspended:
                    kept.setdefault(run.message or "", []).append((account.user_id, name))
        for sentence, databases in kept.items():
            subject = databases[0] if len(databases) == 1 else None
            yield Failed(subject, some(sorted("/".join(one) for one in databases)), sentence)

    @property
    def verified(self) -> list[tuple[str, str, Verification]]:
        """How the copy compares with Notion, where that was asked for: user id, the database's name, and what came."""
        return [
            (account.user_id, name, verification)
            for account in sorted(self.accounts, key=lambda account: account.user_id)
            for name, verification in sorted(account.verified.items())
        ]

    def _degraded(self) -> Iterator[Failed]:
        for account in self.accounts:
            for name, reason in account.suspended.items():
                yield Failed.of(account.user_id, name, f"suspended, {reason}")
            for name in account.incomplete:
                yield Failed.of(account.user_id, name, f"incomplete, {account.databases[name].message}")
        for user_id in self.unconnected:
            yield Failed.of(user_id, None, "databases are configured, but there is no Notion token.")

    def _all_suspended(self) -> list[Failed]:
        """That no database is kept fresh, since every one is suspended: then nobody knows that Notion is well."""
        resting = [account for account in self.accounts if account.suspended]
        is_any_well = any(account.is_anything_read for account in self.accounts)
        if not resting or is_any_well or self.elsewhere or self.done_elsewhere:
            return []
        count = sum(len(account.suspended) for account in resting)
        name, reason = next(iter(resting[0].suspended.items()))
        which = "the one database is" if count == 1 else f"all {count:,} databases are"
        return [
            Failed(
                (resting[0].user_id, None),
                "",
                f"nothing was synced, since {which} suspended; {resting[0].user_id}/{name}: {reason}",
            )
        ]

    @property
    def health(self) -> Health:
        """What it all comes to: failing where anything went wrong, degraded where something was left aside."""
        if self.failures:
            return Health.FAILING
        is_degraded = (
            self.is_paused
            or self.unconnected
            or any(account.suspended or account.incomplete for account in self.accounts)
        )
        return Health.DEGRADED if is_degraded else Health.OK

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
        if self.not_begun is not None:
            return self.not_begun
        failures, said = self.failures, self.summary()
        if aside := self._aside():
            said = f"{', '.join(aside)} - {said}"
        if not failures:
            return f"degraded: {said}" if aside else said
        more = f" (and {plural(len(failures) - 1, 'more failure')})" if len(failures) > 1 else ""
        return f"{failures[0]}{more} - {said}"

    def _aside(self) -> list[str]:
        suspended = sum(len(account.suspended) for account in self.accounts)
        incomplete = sum(len(account.incomplete) for account in self.accounts)
        aside = [f"{plural(suspended, 'database')} suspended"] if suspended else []
        aside += [f"{plural(incomplete, 'database')} incomplete"] if incomplete else []
        if self.unconnected:
            aside.append(f"{plural(len(self.unconnected), 'user')} without a Notion token ({some(self.unconnected)})")
        return aside

    def summary(self) -> str:
        """What was done, in a sentence or more."""
        totals = self.totals
        due = sum(max(account.due, len(account.databases)) for account in self.accounts)
        read = _of_pages(sum((account.pages for account in self.accounts), Counts()))
        # A run for pages alone has no databases to count.
        said = "" if read and not due else self._of_databases(due)
        if self.is_dry:
            said = f"dry run, nothing was written: {said}"
        if totals.bodies_read or totals.bodies_failed:
            said += f" {plural(totals.bodies_read, 'page body', 'page bodies')} read, {totals.bodies_failed} failed."
        files = sum((account.files for account in self.accounts if account.files), FileCounts()).sentence
        files_due = sum((account.files_due for account in self.accounts), FilesDue()).sentence
        said = " ".join(filter(None, (said, read, files, files_due)))
        for holder, count in Counter(self.elsewhere.values()).items():
            said += f" {plural(count, 'user')} left to {who(holder)}, which is syncing them."
        if self.done_elsewhere:
            said += f" Other runs synced {plural(self.done_elsewhere, 'user')} meanwhile."
        return " ".join([said, *self.notes, *self._unkept()])

    def _unkept(self) -> list[str]:
        names = [f"{account.user_id}/{name}" for account in self.accounts for name in account.unkept]
        return [f"{remark.message}: {remark.needs}." for remark in ([no_place_for(names)] if names else [])]

    def _of_databases(self, due: int) -> str:
        synced = [(account.user_id, run) for account in self.accounts for run in account.databases.values()]
        return summary(synced, users=len(self.accounts), due=due)


def _of_pages(counts: Counts) -> str:
    """What became of the pages that were read by their ids, in a sentence; empty where none was."""
    if not counts.rows_read and not counts.removed:
        return ""
    return (
        f"{plural(counts.rows_read, 'page')} read by id: {counts.inserted:,} inserted, {counts.updated:,} updated, "
        f"{counts.removed:,} removed, {counts.unchanged:,} unchanged."
    )


def _failed(account: AccountOutcome) -> Iterator[Failed]:
    """What went wrong with an account's token, which is told once, or else with its databases."""
    if account.token_problem is not None:
        yield Failed.of(account.user_id, None, account.token_problem)
    for name, run in account.databases.items():
        # Where the run was given up, that alone is what went wrong; what all are kept from Notion by is told once.
        is_told = run.error_code in (ErrorCode.INTERRUPTED, ErrorCode.NETWORK) or (
            account.token_problem is not None and run.error_code == ErrorCode.UNAUTHORIZED
        )
        if run.error_code and name not in account.suspended and not is_told:
            yield Failed.of(account.user_id, name, run.message or "")


def _only_users_can_fix(outcome: RunOutcome) -> tuple[set[str], dict[tuple[str, str], str]]:
    """The accounts, and the databases (ids by user and name), that failed for lack of access."""
    of_users = {account.user_id: account for account in outcome.accounts}
    subjects = [one.subject for one in outcome.failed if one.subject is not None and one.subject[0] in of_users]
    databases = {
        (user_id, name): of_users[user_id].ids[name]
        for user_id, name in subjects
        if name is not None and is_lack_of_access(of_users[user_id].databases[name].error_code)
    }
    return {user_id for user_id, name in subjects if name is None}, databases


def _is_told_there(failed: FailedDatabase) -> bool:
    """Whether the run that failed at a database has told it, as often as is due."""
    return is_lack_of_access(failed.error_code)


async def _nothing_configured(work: RunContext, outcome: RunOutcome) -> list[str]:
    """That nobody asks for a database any more is a failure where there were some: what they hold only grows older."""
    if outcome.failures or outcome.elsewhere or outcome.done_elsewhere:
        return []
    if any(account.is_anything_done for account in outcome.accounts):
        return []
    async with transaction(work.pool) as connection:
        before = await accounts.count_databases(connection)
    were = plural(before, "database was", "databases were")
    return [f"nothing was synced: {were} synced before, and now notion_databases names none."] if before else []


async def sync_all(
    settings: Settings,
    listener: Listener,
    command: str,
    user_id: str | None = None,
    *,
    begins: Callable[[], None] | None = None,
) -> RunOutcome:
    """Syncs every database of every connected user, or of `user_id`; hosts that do so at once share the work.

    Where the job is paused, there is no run, which the outcome says; who names a user is served all the same, other
    than by cron or systemd. `command` is what was typed, for the record; `begins` is called before the run begins.
    Raises `NothingAttemptedError` where there is nothing to try, `PostgresError` where PostgreSQL cannot be used.
    """
    async with installation(settings) as place:
        if SYNC_ALL.name in place.paused and not settings.dry_run and _is_paused_for(user_id):
            log.info(SYNC_ALL.pause)
            return RunOutcome(not_begun=SYNC_ALL.pause, is_paused=True)
        runid = await _begin(place, SYNC_ALL, settings, command, begins)
        async with open_run(place, settings, listener, runid) as (work, outcome):
            await _sync_all(work, outcome, user_id)
    return outcome


def _is_paused_for(user_id: str | None) -> bool:
    return user_id is None or this_origin().started_by in _SCHEDULERS


async def _sync_all(work: RunContext, outcome: RunOutcome, user_id: str | None) -> None:
    settings = work.settings
    due, on_request = await _due_accounts(work, user_id, outcome)
    claims = Claims(work, due, on_request, is_asked_for=user_id is not None)
    slots = asyncio.Semaphore(settings.jobs)

    try:
        async with asyncio.TaskGroup() as tasks:
            try:
                async for account in claims.accounts(slots):
                    only_requested = account.user_id in on_request
                    tasks.create_task(sync_into(outcome, work, account, slots, only_requested=only_requested))
                    # The task begins before the next account is claimed.
                    await asyncio.sleep(0)
            except Exception as error:  # noqa: BLE001 - recorded; the accounts that were claimed go on
                outcome.problems.append(logged_failure(error).sentence)
    finally:
        outcome.elsewhere, outcome.done_elsewhere = claims.elsewhere, len(claims.done_elsewhere)
        outcome.problems += claims.problems
        if claims.left:
            outcome.problems.append(f"the run did not come to {plural(claims.left, 'user')}.")
    outcome.failed_elsewhere = await _failed_elsewhere(work, claims.done_elsewhere)
    outcome.problems += _nothing_synced(outcome, [due[user_id] for user_id in due.keys() - on_request])
    if not settings.dry_run:
        await lift_what_everybody_meets(work)
        if user_id is None:
            outcome.problems += await _nothing_configured(work, outcome)
        if user_id is None and not settings.strict:
            outcome.untold = await untold_of(work, outcome)
            outcome.untold |= {(one.user_id, one.name) for one in outcome.failed_elsewhere if _is_told_there(one)}
    await _tidy_up(work)


async def sync_into(
    outcome: RunOutcome, work: RunContext, account: ConnectedAccount, slots: asyncio.Semaphore, *, only_requested: bool
) -> None:
    """Syncs an account that the run has claimed, or what is asked for of it; `outcome` is told what it comes to."""
    from notion_pg_sync.sync.run.account import sync_account  # noqa: PLC0415 - only where there is something to do

    of_account = AccountOutcome(account.user_id)
    outcome.accounts.append(of_account)
    try:
        await sync_account(work, account, of_account, slots, only_requested=only_requested)
    except Exception as error:  # noqa: BLE001 - recorded; the other accounts go on
        of_account.problems.append(logged_failure(error).sentence)


async def untold_of(work: RunContext, outcome: RunOutcome) -> set[Subject]:
    """What failed that only a user can fix, and was told lately."""
    return await told_lately(work, *_only_users_can_fix(outcome))


async def _tidy_up(work: RunContext) -> None:
    """Deletes records that are too old; what others have locked is for the next run."""
    try:
        await _delete_old_records(work)
    except WAITED_IN_VAIN as error:
        log.warning("run %d could not delete old records: %s", work.runid, failure_of(error).sentence)


async def _failed_elsewhere(work: RunContext, user_ids: Collection[str]) -> list[FailedDatabase]:
    """What other runs failed at, for users whom they synced meanwhile, so that this one did not."""
    if not user_ids:
        return []
    async with transaction(work.pool) as connection:
        return await runs.failed_databases(connection, user_ids)


def _nothing_synced(outcome: RunOutcome, due: Iterable[ConnectedAccount]) -> list[str]:
    """Whether the run came to nothing though something is configured, as a problem; pure."""
    if outcome.failures or outcome.elsewhere or outcome.done_elsewhere:
        return []
    if any(account.is_anything_done for account in outcome.accounts):
        return []
    configured = (read_configuration(account.databases) for account in due)
    if not any(one.everything or one.databases for one in configured):
        return []
    return ["nothing was synced: no database is shared with the connection in Notion, so share one with it."]


@retried
async def _delete_old_records(work: RunContext) -> None:
    async with transaction(work.pool) as connection:
        await retention.delete_old_records(connection)


async def sync_one(
    settings: Settings,
    listener: Listener,
    command: str,
    user_id: str,
    database: str,
    *,
    begins: Callable[[], None] | None = None,
) -> RunOutcome:
    """Syncs one database of a user now; `database` is a configured name, an id or a link.

    Waits for another run's lease on the user, for `settings.lease_wait_seconds`. Raises as `sync_all` does, and
    `UsageError` where there is no such database.
    """
    # Only where there is something to do.
    from notion_pg_sync.sync.rows.excluding import include_again  # noqa: PLC0415
    from notion_pg_sync.sync.run.account import (  # noqa: PLC0415
        begin_account,
        keeping_lease,
        open_client_of,
        remember,
        row_counts_of,
        sync_and_record,
        sync_bodies,
        sync_files,
        verify_databases,
        with_emails_settled,
    )
    from notion_pg_sync.sync.run.people_lookup import ask_for_people  # noqa: PLC0415
    from notion_pg_sync.sync.run.serving import Serving  # noqa: PLC0415
    from notion_pg_sync.sync.run.token_gate import TokenGate  # noqa: PLC0415
    from notion_pg_sync.sync.run.wanted_database import is_of_search, wanted_database  # noqa: PLC0415

    async with (
        installation(settings) as place,
        open_run(place, settings, listener, await _begin(place, SYNC_ONE, settings, command, begins)) as (
            work,
            outcome,
        ),
    ):
        if names_view(database):
            outcome.notes.append(f"{LINK_OF_VIEW}.")
        await check_settings(work)
        account = await _the_account(work, user_id, outcome)
        if account is None:
            return outcome
        async with transaction(work.pool) as connection:
            known = await accounts.known_databases(connection, user_id)
        wanted = await wanted_database(work, account, known, database)
        configuration = read_configuration(account.databases)
        registered = {one.database_id for one in known}
        await remember(
            work,
            user_id,
            [wanted],
            found_by_search=is_of_search(account, known, wanted),
            known=[one for one in configuration.databases if one.database_id in registered],
        )
        if not settings.dry_run:
            await claim_patiently(work, user_id)
        async with open_client_of(work, account) as opened, keeping_lease(work, user_id, opened.pacer):
            outcome.notes += await include_again(work, user_id, configuration, wanted, settings.include or ())
            known_before = await begin_account(work, account, takes_requests=False)
            client = await with_emails_settled(work, opened, user_id, known_before.emails)
            of_account = AccountOutcome(user_id, due=1)
            of_account.note_unkept(settings, [wanted])
            outcome.accounts.append(of_account)
            name = await sync_and_record(
                work,
                client,
                of_account,
                wanted,
                await row_counts_of(work, user_id),
                configuration=configuration,
                is_requested=True,
            )
            gate = TokenGate(client, known_before.token)
            if of_account.databases[name].error_code == ErrorCode.UNAUTHORIZED:
                await gate.ask()
            await gate.settle(work, user_id, is_read=of_account.is_anything_read)
            serving = Serving(
                work,
                gate,
                account,
                of_account,
                databases=[wanted],
                # A page that moved to one of these is to be read there, by a run that syncs it.
                others=registered.union(one.database_id for one in configuration.databases),
                row_counts=None,
                configuration=configuration,
            )
            await serving.read_pages_asked_for()
            # Who asks for it by its name is told why it failed.
            of_account.suspended.clear()
            await ask_for_people(work, client, user_id)
            await sync_bodies(work, client, of_account, [(wanted, name)], asyncio.Semaphore())
            await sync_files(work, client, of_account)
            await verify_databases(work, client, of_account, [(wanted, name)], asyncio.Semaphore())
    return outcome


class Installation(Struct, frozen=True):
    """Where a run works: its connections, the schema and the tables that it writes, and the jobs that are paused."""

    pool: Pool
    schema: str
    tables: FoundTables
    paused: frozenset[str]


@asynccontextmanager
async def installation(settings: Settings) -> AsyncIterator[Installation]:
    """Connects. Raises `PostgresError` where that, or to write there, is not possible."""
    async with open_pool(
        settings.database_url or "", statement_seconds=settings.statement_seconds, lock_seconds=settings.lock_seconds
    ) as pool:
        async with transaction(pool) as connection:
            await migrations.check_version(connection)
            schema, tables = await _find_tables(connection)
            paused = await paused_jobs(connection)
        yield Installation(pool, schema, tables, paused)


async def _begin(
    place: Installation, job: Job, settings: Settings, command: str, begins: Callable[[], None] | None
) -> int:
    """Writes the record of a run, before anything else happens; returns its number."""
    if begins:
        await asyncio.to_thread(begins)
    return await _start(place.pool, DRY_RUN if settings.dry_run else job, command)


@asynccontextmanager
async def open_run(
    place: Installation, settings: Settings, listener: Listener, runid: int
) -> AsyncIterator[tuple[RunContext, RunOutcome]]:
    """A run whose record was written, and which is closed whatever happens.

    At the run's time limit its work is given up, and when its record was closed by another run, which the outcome then
    says.
    """
    outcome = RunOutcome(strict=settings.strict, is_dry=settings.dry_run)
    pool, tables = place.pool, place.tables
    log.info("run %d has begun", runid)
    status: Ending = "failed"
    message = ""
    try:
        async with (
            _given_up_in_time(pool, runid, settings, outcome),
            Connections() as connections,
            _keeping_files(settings) as keeping,
        ):
            await close_dead_runs(pool)
            work = RunContext(
                settings,
                runid,
                pool,
                place.schema,
                tables.fit,
                listener,
                tables.unfit,
                connections=connections,
                keeping=keeping,
            )
            yield work, outcome
        status, message = outcome.status, outcome.message()
    except asyncio.CancelledError:
        message = f"the run was interrupted; what it had written is kept - {outcome.summary()}"
        raise
    except (NothingAttemptedError, UsageError, PostgresError) as error:
        message = str(error)
        raise
    except Exception as error:
        message = failure_of(error).sentence
        raise
    finally:
        await _end(pool, runid, status, message)
        await _clear_up(pool, runid)
        log.info("run %d %s: %s", runid, status, message)


@asynccontextmanager
async def _keeping_files(settings: Settings) -> AsyncIterator[FileKeeping | None]:
    """What the run keeps files with; None where it keeps none."""
    if settings.files is None or settings.dry_run:
        yield None
        return
    from notion_pg_sync.sync.files.keeping import open_keeping  # noqa: PLC0415 - only where needed

    async with open_keeping(settings) as keeping:
        yield keeping


@asynccontextmanager
async def _given_up_in_time(pool: Pool, runid: int, settings: Settings, outcome: RunOutcome) -> AsyncIterator[None]:
    """Says while the block works that the run lives, also where it only waits for others.

    Gives the block up, as a problem of `outcome`, at the run's time limit, or where another run took this one for dead.
    """
    limit = settings.timeout
    why = (
        f"the run was stopped after {humanize.precisedelta(limit)}, the limit that --timeout sets: what it had written "
        "is kept."
        if limit
        else ""
    )
    clock = asyncio.timeout(limit.total_seconds() if limit else None)

    async def beat() -> None:
        nonlocal why
        is_open = True
        while is_open:
            await asyncio.sleep(min(settings.lease_seconds, LEASE_SECONDS) / 4)
            is_open = await _beat(pool, runid)
        why = "nothing was heard of the run for so long that another closed its record: what it had written is kept."
        clock.reschedule(asyncio.get_running_loop().time())

    beating: asyncio.Task[None] | None = None
    try:
        async with clock:
            beating = asyncio.create_task(beat())
            yield
    except TimeoutError:
        if not clock.expired():
            raise
        outcome.problems.append(why)
    finally:
        if beating:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)


async def _beat(pool: Pool, runid: int) -> bool:
    try:
        async with transaction(pool) as connection:
            return await runs.beat(connection, runid)
    except psycopg.OperationalError as error:
        # What works fails by itself; PostgreSQL may be back before the next beat.
        log.info("run %d could not say that it lives: %s", runid, failure_of(error).sentence)
        return True


@retried
async def _start(pool: Pool, job: Job, command: str) -> int:
    async with transaction(pool) as connection:
        return await runs.start_run(connection, job, command, this_process(), this_origin())


@retried
async def _end(pool: Pool, runid: int, status: Ending, message: str) -> None:
    async with transaction(pool) as connection:
        await runs.end_run(connection, runid, status, message)


async def _clear_up(pool: Pool, runid: int) -> None:
    """Ends what the run left open; what others have locked is for the next run."""
    try:
        await clear_up(pool, runid)
    except WAITED_IN_VAIN as error:
        log.warning("run %d could not clear up: %s", runid, failure_of(error).sentence)


async def _find_tables(connection: Connection) -> tuple[str, FoundTables]:
    """Where the rows go. Raises `PostgresError` where a table that is needed does not count."""
    schema = await settings_schema(connection)
    for table in await strange_tables(connection, schema):
        if table.is_needed:
            raise distrust(table.relation)
    return schema, await inspect_tables(connection, schema)


async def check_settings(work: RunContext) -> None:
    """Raises `NothingAttemptedError` where nothing can be configured, which must not look like nothing to do."""
    async with transaction(work.pool) as connection:
        if not await accounts.names_databases(connection, work.schema):
            raise NothingAttemptedError(
                f"{work.schema}.user_settings has no column notion_databases, which names the databases to sync: add "
                "it as jsonb, or give it that name again."
            )


async def _due_accounts(
    work: RunContext, user_id: str | None, outcome: RunOutcome
) -> tuple[dict[str, ConnectedAccount], set[str]]:
    """The accounts to sync by user id, and those of them that are synced only as far as requests ask for it."""
    on_request: set[str] = set()
    await check_settings(work)
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
        due = [account for one in wanted if (account := opened(work, one, outcome))]
        outcome.unconnected = [
            one.user_id for one in found if one.databases and one.auto_sync is not False and not one.connected()
        ]
        if not work.settings.dry_run:
            await _note_unusable(work, outcome)
            unusable = {one.user_id for one in wanted} - {account.user_id for account in due}
            usable = [one.user_id for one in with_token if one.user_id not in unusable]
            await refuse_requests(work, usable)
        if not wanted:
            raise NothingAttemptedError(_why_nobody(found))
    if not work.settings.dry_run:
        await register_accounts(work, [account.user_id for account in due])
    return {account.user_id: account for account in due}, on_request


@retried
async def _note_unusable(work: RunContext, outcome: RunOutcome) -> None:
    async with transaction(work.pool) as connection:
        for account in outcome.accounts:
            await suspensions.note_unusable_token(connection, account.user_id, account.token_problem or "")


@retried
async def refuse_requests(work: RunContext, connected: Sequence[str]) -> None:
    """Ends what was asked for users who are not `connected` by a usable token."""
    async with transaction(work.pool) as connection:
        await sync_requests.refuse_requests(connection, work.runid, connected)


@retried
async def register_accounts(work: RunContext, user_ids: Sequence[str]) -> None:
    """Sees to it that the users can be claimed."""
    async with transaction(work.pool) as connection:
        await accounts.register_accounts(connection, user_ids)


_CONNECT_FIRST = "so there is nobody to sync: connect a user first ('notion-pg-sync connect')."


def _why_nobody(found: list[Account]) -> str:
    if not found:
        return f"user_settings has no rows, {_CONNECT_FIRST}"
    if not any(account.connected() for account in found):
        return f"no user in user_settings has a Notion token, {_CONNECT_FIRST}"
    return "auto_sync_enabled is false for every connected user, so there is nobody to sync: set it to true."


def opened(work: RunContext, account: Account, outcome: RunOutcome) -> ConnectedAccount | None:
    """The account with its token; None where it has none, or it cannot be opened, which `outcome` then says."""
    try:
        return connected_account(work.settings, account)
    except TokenError as error:
        outcome.accounts.append(AccountOutcome(account.user_id, token_problem=str(error)))
        return None


async def _the_account(work: RunContext, user_id: str, outcome: RunOutcome) -> ConnectedAccount | None:
    """The account of a user; None where its token cannot be opened, which `outcome` then says."""
    async with transaction(work.pool) as connection:
        found = await accounts.read_accounts(connection, work.schema, user_id)
    if not found:
        raise UsageError(f"there is no user {user_id!r} in user_settings: check the spelling.")
    if found[0].connected() is None:
        raise NothingAttemptedError(f"user {user_id!r} has no Notion token in user_settings: let them connect Notion.")
    return opened(work, found[0], outcome)
