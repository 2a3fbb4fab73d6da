"""What became of the syncs: the last run, what fails, what never ended, what never began."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import humanize

from notion_pg_sync.commands.doctor.checks.accounts import CONNECTED_USERS
from notion_pg_sync.commands.doctor.checks.check import Check, Examination, Finding, broken, ok, warning
from notion_pg_sync.commands.doctor.checks.postgres import INITIALISED
from notion_pg_sync.commands.doctor.checks.wording import plural, sentence, some, sync_all_command, sync_command
from notion_pg_sync.mirror.accounts import Account
from notion_pg_sync.mirror.connection import transaction
from notion_pg_sync.mirror.diagnosis.run_history import (
    DatabaseState,
    ExpiredLease,
    OpenRun,
    RunRecord,
    closing,
    database_states,
    ended_runs,
    expired_leases,
    failures_listed,
    latest_run,
    open_runs,
)
from notion_pg_sync.sync.run.configuration import read_configuration
from notion_pg_sync.sync.run.process import is_alive, this_process

SECTION = "Runs"

_SYNC_ALL = "notion-pg-sync sync-all"
_OF_LATE = timedelta(days=1)
# A run that works says so every half minute, for each of its users.
_LONG_SILENCE = timedelta(minutes=10)
# Of more databases that fail, only the names are told.
_MOST_LINES = 10


async def _last_run(examination: Examination) -> list[Finding]:
    async with transaction(examination.pool) as connection:
        latest, ended = await latest_run(connection), await ended_runs(connection, _OF_LATE)
    return [last_run(latest), *failures_of_late(latest, ended)]


def last_run(latest: RunRecord | None) -> Finding:
    """How the latest run of `sync-all` went."""
    if latest is None:
        return warning("sync-all has never run", _SYNC_ALL)
    began = f"the last run of sync-all (run {latest.runid}) began {humanize.naturaltime(latest.age)}"
    match latest.status:
        case "failed":
            return broken(f"{began} and failed: {sentence(latest.message)}", f"{_SYNC_ALL} -v")
        case "succeeded":
            return ok(f"{began} and succeeded: {sentence(latest.message)}")
        case _:
            return ok(f"{began} and has not ended yet")


def failures_of_late(latest: RunRecord | None, ended: Sequence[RunRecord]) -> list[Finding]:
    """The failed ones of the runs that ended of late, beside the latest, of which there is a line already."""
    failed = [run for run in ended if run.status == "failed" and (latest is None or run.runid != latest.runid)]
    if not failed:
        return []
    return [
        warning(
            f"{len(failed):,} of the {plural(len(ended), 'run', 'runs')} of the last day failed, one of them "
            f"{humanize.naturaltime(failed[0].age)}: {sentence(failed[0].message)}",
            failures_listed(),
        )
    ]


async def _states(examination: Examination) -> list[DatabaseState]:
    async with transaction(examination.pool) as connection:
        return await database_states(connection, [account.user_id for account in examination.accounts])


async def _failing_databases(examination: Examination) -> list[Finding]:
    return failing_databases(await _states(examination))


def failing_databases(states: Sequence[DatabaseState]) -> list[Finding]:
    """The databases whose latest sync failed; those that are suspended have a check of their own."""
    failing = [state for state in states if state.status == "failed" and state.suspended_for is None]
    findings = [
        broken(
            f"{_name(state)} has failed {_times(state.failures_in_a_row)}, {_for(state.failing_for)}: "
            f"{sentence(state.message)}",
            sync_command(state.user_id, state.name),
        )
        for state in failing[:_MOST_LINES]
    ]
    if rest := failing[_MOST_LINES:]:
        findings.append(
            broken(
                f"{plural(len(rest), 'more database fails', 'more databases fail')}: {some(list(map(_name, rest)))}",
                f"{_SYNC_ALL} -v",
            )
        )
    return findings or [ok(f"{plural(len(states), 'database is', 'databases are')} known, and none fails")]


async def _unended_runs(examination: Examination) -> list[Finding]:
    async with transaction(examination.pool) as connection:
        runs = await open_runs(connection)
    machine = this_process().machine
    findings = [
        unended_run(run, lives=is_alive(run.pid, run.process_started_at) if run.machine == machine else None)
        for run in runs
    ]
    return findings or [ok("every run that began has ended")]


def unended_run(run: OpenRun, *, lives: bool | None) -> Finding:
    """What a run is about whose record is not closed; `lives`: whether its process does, None where nobody here knows.

    What ran before this machine's last start counts as another machine's.
    """
    where = f"run {run.runid} (pid {run.pid} on {run.host})"
    if lives is False:
        return warning(
            f"{where} never ended: its process is gone; what it had written is kept", f"{_SYNC_ALL}    # closes it"
        )
    if run.silent_for > _LONG_SILENCE:
        silence = humanize.naturaldelta(run.silent_for)
        seen = f"{where} has given no sign of life for {silence}"
        if lives:
            return warning(f"{seen}, and its process is there", f"ps -fp {run.pid}    # what it does; kill {run.pid}")
        return warning(f"{seen}: if it no longer runs there, close its record", closing(run.runid))
    return ok(f"{where} has been at work for {humanize.naturaldelta(run.age)}")


async def _leases(examination: Examination) -> list[Finding]:
    async with transaction(examination.pool) as connection:
        expired = await expired_leases(connection)
    return leases(expired)


def leases(expired: Sequence[ExpiredLease]) -> list[Finding]:
    """Leases that ran out and that nobody took over: their runs died, and no run came since."""
    return [
        warning(
            f"run {lease.runid} did not give back its lease on {lease.user_id}, which expired "
            f"{humanize.naturaltime(lease.expired_for)}, and no run has synced {lease.user_id} since",
            f"{sync_all_command(lease.user_id)}    # takes the lease over",
        )
        for lease in expired
    ] or [ok("no lease was left behind")]


async def _never_synced(examination: Examination) -> list[Finding]:
    return never_synced(examination.accounts, await _states(examination))


def never_synced(accounts: Sequence[Account], states: Sequence[DatabaseState]) -> list[Finding]:
    """The databases that are wanted and that no sync has tried yet."""
    tried = {(state.user_id, state.database_id) for state in states if state.status is not None}
    users_tried = {user_id for user_id, _ in tried}
    connected = [account for account in accounts if account.connected()]
    findings = []
    for account in connected:
        configuration = read_configuration(account.databases)
        names = [
            database.name
            for database in configuration.databases
            if (account.user_id, database.database_id) not in tried
        ]
        if configuration.everything and account.user_id not in users_tried:
            names.append("everything that is shared")
        if names:
            findings.append(
                warning(f"{account.user_id}: never synced yet: {some(names)}", sync_all_command(account.user_id))
            )
    return findings or [ok("every database that is configured was synced or tried")]


async def _suspended_databases(examination: Examination) -> list[Finding]:
    return suspended_databases(await _states(examination))


def suspended_databases(states: Sequence[DatabaseState]) -> list[Finding]:
    """The databases that are tried only now and then, since Notion does not let their token read them.

    Those of a user that have the same reason share a line.
    """
    by_reason: dict[tuple[str, str | None], list[DatabaseState]] = {}
    for state in states:
        if state.suspended_for is not None:
            by_reason.setdefault((state.user_id, state.message), []).append(state)
    return [_suspended(group) for group in by_reason.values()] or [ok("no database is suspended")]


def _suspended(group: Sequence[DatabaseState]) -> Finding:
    longest = max(group, key=lambda state: state.suspended_for or timedelta())
    next_try = min(state.next_try_in or timedelta() for state in group)
    names = some(list(map(_name, group)))
    return warning(
        f"{names} {'has' if len(group) == 1 else 'have'} been suspended {_for(longest.suspended_for)}, next try "
        f"{_next_try(next_try)}: {sentence(group[0].message)}",
        f"{sync_command(group[0].user_id, group[0].name)}    # once it can be read again: tries it now",
    )


def _name(state: DatabaseState) -> str:
    return f"{state.user_id}/{state.name}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times in a row"


def _for(time: timedelta | None) -> str:
    return f"for {humanize.naturaldelta(time)}" if time else "just now"


def _next_try(time: timedelta) -> str:
    return f"in {humanize.naturaldelta(time)}" if time > timedelta() else "at the next run"


RUN_CHECKS = (
    Check("last run", SECTION, _last_run, needs=(INITIALISED,)),
    Check("failing databases", SECTION, _failing_databases, needs=(CONNECTED_USERS,)),
    Check("unended runs", SECTION, _unended_runs, needs=(INITIALISED,)),
    Check("leases", SECTION, _leases, needs=(INITIALISED,)),
    Check("never synced", SECTION, _never_synced, needs=(CONNECTED_USERS,)),
    Check("suspended databases", SECTION, _suspended_databases, needs=(CONNECTED_USERS,)),
)
