"""Pure: what the facts mean: which databases are fresh, what is wrong with the others, and the exit code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from notion_pg_sync.commands.status.facts import Facts, Key
from notion_pg_sync.commands.status.words import ago
from notion_pg_sync.core.databases import ConfiguredDatabase, find_databases
from notion_pg_sync.core.errors import UsageError, unknown_user
from notion_pg_sync.core.health import (
    CLOCKS_DIFFER_MINUTES,
    INTERVALS_UNTIL_STALE,
    LOOK_IS_OLD_AFTER_MINUTES,
    MISSED_AFTER_MINUTES,
    Condition,
    Health,
)
from notion_pg_sync.core.wording import plural
from notion_pg_sync.mirror.jobs import REQUESTED, SYNC_ALL, Job
from notion_pg_sync.mirror.overview import Database, Run, User
from notion_pg_sync.sync.run.configuration import Configuration, read_configuration

_SEE_DOCTOR = "'notion-pg-sync doctor' checks what should start one."
_HELD = "what notion_databases says of it cannot be used: it is not synced until that is right, its rows stay."
_LOOK_IS_OLD_AFTER = timedelta(minutes=LOOK_IS_OLD_AFTER_MINUTES)
_RUN_IS_LATE_BY = timedelta(minutes=MISSED_AFTER_MINUTES)
_CLOCKS_DIFFER_BY = timedelta(minutes=CLOCKS_DIFFER_MINUTES)


class DatabaseHealth(Struct, frozen=True):
    """One database, one user (`name` is None), or the runs as such (`user_id` is None too), and how it is.

    `counts`: it makes the exit code 1. `reason` is a sentence, empty for what is fresh; `cause` is the same for all of
    which one thing is the matter, whatever their reasons name. `advice` is for whoever has not asked `doctor` yet.
    `failures`: how often in a row it failed. `next_try_at`: when it is tried again, where that is not the next run.
    `database` is None before the first sync; `running` is the run that is at it right now. `is_of_settings`: it is what
    the user's `notion_databases` says that cannot be used; `is_of_last_run`: what the last run failed of;
    `is_everybodys`: no database can be kept fresh for it. `job` is the command that is meant where it is no user's.
    """

    user_id: str | None
    name: str | None
    database_id: str | None
    condition: Condition
    reason: str = ""
    since: datetime | None = None
    advice: str = ""
    counts: bool = False
    cause: str = ""
    failures: int = 0
    next_try_at: datetime | None = None
    database: Database | None = None
    running: Run | None = None
    is_of_settings: bool = False
    is_of_last_run: bool = False
    is_everybodys: bool = False
    job: str = "sync-all"

    @property
    def title(self) -> str:
        """What it is, for people."""
        return " / ".join(part for part in (self.user_id, self.name) if part is not None) or self.job

    @property
    def told(self) -> str:
        """Why, and what to do about it; empty for what is fresh."""
        return f"{self.reason} {self.advice}".strip()

    @property
    def is_database(self) -> bool:
        """Whether it is a database."""
        return self.database_id is not None


class Judgement(Struct, frozen=True):
    """Everything judged: databases and what else there is to say, the worst first."""

    judged: tuple[DatabaseHealth, ...]

    @property
    def databases(self) -> list[DatabaseHealth]:
        """The databases alone."""
        return [one for one in self.judged if one.is_database]

    @property
    def not_fresh(self) -> list[DatabaseHealth]:
        """All that is not simply fresh."""
        return [one for one in self.judged if one.condition is not Condition.FRESH]

    @property
    def health(self) -> Health:
        """What it all comes to: the worst of it."""
        return max((one.condition.health for one in self.judged), default=Health.OK)

    @property
    def fresh(self) -> list[DatabaseHealth]:
        """The databases that are fresh."""
        return [one for one in self.databases if one.condition is Condition.FRESH]

    @property
    def edits_as_of(self) -> datetime | None:
        """Before this time every edit is in the copies that are kept fresh; None where there is none or one is not."""
        return _oldest(one.database.fresh_as_of if one.database else None for one in self._kept_fresh)

    @property
    def deletions_as_of(self) -> datetime | None:
        """The same of what was deleted in Notion, which a full read tells."""
        return _oldest(one.database.full_as_of if one.database else None for one in self._kept_fresh)

    @property
    def _kept_fresh(self) -> list[DatabaseHealth]:
        return [one for one in self.databases if one.condition.is_kept_fresh]

    @property
    def exit_code(self) -> int:
        """1 when something counts, else 0."""
        return 1 if any(one.counts for one in self.judged) else 0


def assess(facts: Facts, *, max_age: timedelta, strict: bool = False) -> Judgement:
    """Judges everything. Older than `max_age` is stale; `strict`: what is suspended counts."""
    users = {user.user_id: user for user in facts.users}
    known: dict[str, list[Database]] = {}
    for database in facts.databases:
        known.setdefault(database.user_id, []).append(database)
    judged = list(_runs(facts, max_age))
    if not facts.is_partial:
        for user_id in sorted(users.keys() | known.keys()):
            judged += _user(facts, user_id, users.get(user_id), known.get(user_id, []), max_age)
        judged += _nothing_fresh(judged)
    counts_from = Health.DEGRADED if strict else Health.FAILING
    return Judgement(
        tuple(
            sorted(
                (replace(one, counts=one.condition.health >= counts_from) for one in judged),
                key=lambda one: (one.condition.severity, one.user_id or "", one.name or "", one.database_id or ""),
            )
        )
    )


def _oldest(moments: Iterable[datetime | None]) -> datetime | None:
    every = list(moments)
    known = [moment for moment in every if moment is not None]
    return min(known) if known and len(known) == len(every) else None


def _nothing_fresh(judged: Sequence[DatabaseHealth]) -> Iterator[DatabaseHealth]:
    """That no database at all is fresh, though each may be left aside with a reason of its own, is a failure."""
    of_users = [one for one in judged if one.is_database or (one.user_id and one.condition.health is not Health.OK)]
    is_told = any(one.condition.health is Health.FAILING for one in judged)
    if not of_users or is_told or any(one.condition.is_up_to_date for one in of_users):
        return
    reason = f"no database is kept fresh ({_by_condition(of_users)})."
    yield DatabaseHealth(None, None, None, Condition.FAILING, reason, advice="'notion-pg-sync doctor' checks why.")


def of_user(judgement: Judgement, user_id: str | None) -> Judgement:
    """What of it is about a user, or about everybody; None: all of it."""
    return Judgement(
        tuple(one for one in judgement.judged if user_id is None or one.user_id == user_id or one.is_everybodys)
    )


def filter_health(judgement: Judgement, user_id: str | None, database: str | None) -> Judgement:
    """What of it is about a user, or about the databases of this name, id or link.

    Raises `UsageError` where there is no such user or database.
    """
    judged = of_user(judgement, user_id).judged
    if user_id is not None and not judged:
        raise unknown_user(user_id)
    if database is None:
        return Judgement(judged)
    meant = meant_by(
        database,
        [
            ConfiguredDatabase(one.name or "", one.database_id, title=one.database.title if one.database else None)
            for one in judged
            if one.database_id
        ],
    )
    matching = [one for one in judged if one.database_id in meant or one.is_everybodys]
    if not matching:
        raise UsageError(_no_such_database(judged, user_id, database))
    return Judgement(tuple(matching))


def meant_by(written: str | None, candidates: Sequence[ConfiguredDatabase]) -> set[str]:
    """The ids of the `candidates` that `written`, a name, an id or a link, means; None: of all."""
    found = candidates if written is None else find_databases(written, candidates)
    return {one.database_id for one in found}


def headline(judgement: Judgement, now: datetime) -> str:
    """What it all comes to, in a sentence or two."""
    troubles = [one for one in judgement.judged if one.counts]
    aside = [one for one in judgement.not_fresh if not one.counts]
    degraded = [one for one in aside if one.condition.health is Health.DEGRADED]
    resting = [one for one in aside if one.condition.health is Health.OK]
    if troubles:
        parts = [f"Failing: {_trouble(judgement, troubles)}."]
        parts += [f"Degraded: {_by_condition(degraded)}."] if degraded else []
    elif degraded:
        parts = [f"Degraded: {_how_many_fresh(judgement)}; {_by_condition(degraded)}."]
    else:
        parts = [_all_is_well(judgement, now)]
    parts += [f"Not counted: {_by_condition(resting)}."] if resting else []
    return " ".join(parts)


def ages(judgement: Judgement, now: datetime) -> str:
    """How old the copies that are fresh are at most, in a sentence; empty where there is none."""
    fresh = Judgement(tuple(judgement.fresh))
    if fresh.edits_as_of is None:
        return ""
    deletions = ago(fresh.deletions_as_of, now) if fresh.deletions_as_of else "never"
    return f"edits as of {ago(fresh.edits_as_of, now)}, deletions as of {deletions}"


def _trouble(judgement: Judgement, troubles: Sequence[DatabaseHealth]) -> str:
    kept_fresh = sum(one.condition.is_kept_fresh for one in judgement.databases)
    databases = sum(one.is_database for one in troubles)
    users = len({one.user_id for one in troubles if one.user_id is not None and not one.is_database})
    parts = [f"{databases:,} of {plural(kept_fresh, 'database')}"] if databases else []
    parts += [plural(users, "user")] if users else []
    of_runs = [one for one in troubles if one.user_id is None]
    if not parts:
        return _trouble_of_runs(of_runs[0])
    parts += ["sync-all itself"] if of_runs else []
    verb = "is" if len(parts) == 1 and databases + users <= 1 else "are"
    return f"{' and '.join(parts)} {verb} not well: {_by_condition(troubles)}"


def _trouble_of_runs(worst: DatabaseHealth) -> str:
    if worst.condition is Condition.PAUSED:
        return f"{worst.job} is paused"
    if worst.is_everybodys:
        return "no copy can be kept fresh or judged"
    if worst.condition is Condition.WENT_AWAY:
        return "a run of sync-all went away"
    return "the last run of sync-all failed" if worst.is_of_last_run else "no database is kept fresh"


def _how_many_fresh(judgement: Judgement) -> str:
    kept_fresh = sum(one.condition.is_kept_fresh for one in judgement.databases)
    number = len(judgement.fresh)
    return f"{number:,} of {plural(kept_fresh, 'database')} {'is' if number == 1 else 'are'} fresh"


def _all_is_well(judgement: Judgement, now: datetime) -> str:
    if not (number := len(judgement.fresh)):
        return (
            "Nobody has asked for a database yet, so there is nothing to keep fresh: "
            "pick some for a user ('notion-pg-sync connect')."
        )
    which = {1: "The one database is fresh", 2: "Both databases are fresh"}.get(
        number, f"All {number:,} databases are fresh"
    )
    return f"{which}: {ages(judgement, now)}."


def _by_condition(judged: Sequence[DatabaseHealth]) -> str:
    paused = [f"{one.job} is paused" for one in judged if one.condition is Condition.PAUSED]
    numbers = {
        condition: sum(one.condition is condition for one in judged)
        for condition in Condition
        if condition is not Condition.PAUSED
    }
    return ", ".join([*(_counted(condition, number) for condition, number in numbers.items() if number), *paused])


def _counted(condition: Condition, number: int) -> str:
    # It is never a database that has nothing to sync.
    return (
        f"{plural(number, 'user')} with {condition.words}"
        if condition is Condition.NOTHING_TO_SYNC
        else (f"{number:,} {condition.words}")
    )


def _no_such_database(judged: Iterable[DatabaseHealth], user_id: str | None, database: str) -> str:
    whose = "" if user_id is None else f" of user {user_id!r}"
    unreadable = next((one.reason for one in judged if not one.is_database and repr(database) in one.reason), None)
    if unreadable:
        return unreadable
    names = sorted({one.name for one in judged if one.is_database and one.name})
    more = f" and {len(names) - 20:,} more" if len(names) > 20 else ""
    there_are = ", ".join(names[:20]) or "none"
    return f"there is no database {database!r}{whose} (there are: {there_are}{more}): give a name, an id or a link."


def _runs(facts: Facts, max_age: timedelta) -> Iterator[DatabaseHealth]:
    """What is wrong with runs and shows in no database; a run of `sync-all` that began later has seen to it."""
    for obstacle in facts.obstacles:
        yield DatabaseHealth(None, None, None, Condition.FAILING, obstacle, is_everybodys=True)
    latest = facts.last_run.runid if facts.last_run else 0
    of_databases = {one.last_runid for one in facts.databases if one.last_status == "running"}
    for run in facts.open_runs:
        if run.runid in facts.gone and run.runid >= latest and run.runid not in of_databases:
            yield DatabaseHealth(None, None, None, Condition.WENT_AWAY, went_away(run, facts.now), run.started_at)
    if facts.own_failure:
        message, ended_at = facts.own_failure
        causes = [*(user.token_problem for user in facts.users), *map(_cause_of, facts.obstacles)]
        if not any(cause and cause in message for cause in causes):
            reason = f"its last run failed: {message}"
            yield DatabaseHealth(None, None, None, Condition.FAILING, reason, ended_at, is_of_last_run=True)
    yield from _schedules(facts, max_age)


def _schedules(facts: Facts, max_age: timedelta) -> Iterator[DatabaseHealth]:
    """What is not started as it should be: paused jobs, a late run, a look for requests that nobody takes any more."""
    longest = max_age / INTERVALS_UNTIL_STALE + _RUN_IS_LATE_BY
    last, demand = facts.last_run, facts.demand
    if is_paused(facts):
        began = f"; its last run began {ago(last.started_at, facts.now)}" if last else ""
        reason = f"notion_sync.job.active is false, so nothing is synced by itself{began}."
        yield DatabaseHealth(None, None, None, Condition.PAUSED, reason, advice=_to_go_on(SYNC_ALL))
    elif last and last.ended_at and facts.now - last.started_at > longest:
        reason = f"the last run began {ago(last.started_at, facts.now)}, so the next is overdue."
        yield DatabaseHealth(None, None, None, Condition.LATE, reason, last.started_at, _SEE_DOCTOR)
    if demand.waiting and REQUESTED.name not in facts.paused and is_look_old(facts):
        waits = plural(demand.waiting, "request waits", "requests wait")
        looked = f"it last looked {ago(demand.last_look, facts.now)}" if demand.last_look else "it has never looked"
        reason = f"{looked}, and {waits} for sync-all."
        yield DatabaseHealth(
            None, None, None, Condition.LATE, reason, demand.last_look, _SEE_DOCTOR, job=REQUESTED.typed
        )
    elif demand.waiting_since and facts.now - demand.waiting_since > max_age:
        # Whoever looks, and however often: a run that is at work on a user serves it late, and one that fails never.
        waits = plural(demand.waiting, "request waits", "requests wait")
        reason = f"{waits}, the oldest since {ago(demand.waiting_since, facts.now)}, and no run has come to it."
        yield DatabaseHealth(
            None, None, None, Condition.LATE, reason, demand.waiting_since, _SEE_DOCTOR, job=REQUESTED.typed
        )


def is_paused(facts: Facts) -> bool:
    """Whether somebody has paused `sync-all`."""
    return SYNC_ALL.name in facts.paused


def is_look_old(facts: Facts) -> bool:
    """Whether something looked for requests every few minutes, and does so no more."""
    looked = facts.demand.last_look
    return looked is not None and facts.now - looked > _LOOK_IS_OLD_AFTER


def _to_go_on(job: Job) -> str:
    return f"To go on: {job.activation}"


def _cause_of(obstacle: str) -> str:
    """What is behind an obstacle, without what it is in the way of."""
    return obstacle.partition(": ")[2].rstrip(".")


def _user(
    facts: Facts, user_id: str, user: User | None, known: Sequence[Database], max_age: timedelta
) -> Iterator[DatabaseHealth]:
    configuration = read_configuration(user.databases) if user else Configuration()
    for problem in configuration.problems:
        yield DatabaseHealth(
            user_id, None, None, Condition.FAILING, problem.message, cause="notion_databases", is_of_settings=True
        )
    names = {one.database_id: one.name for one in known}
    wanted = {
        one.database_id: _name_in_sql(one, names.get(one.database_id, one.name)) for one in configuration.databases
    }
    found = {one.database_id: one.name for one in known if one.found_by_search and configuration.everything}
    wanted = {**{one: name for one, name in found.items() if configuration.takes_found(one)}, **wanted}
    held = {*configuration.held, *found} - wanted.keys()
    resting = _why_user_rests(user)
    for database in known:
        if database.database_id in held:
            condition, reason = resting or (Condition.FAILING, _HELD)
            judged = _resting(facts, database, condition, reason)
            yield replace(judged, cause="notion_databases", is_of_settings=True)
        elif database.database_id not in wanted:
            yield _resting(facts, database, Condition.NOT_CONFIGURED, _why_not_configured(user))
    by_id = {database.database_id: database for database in known}
    if user and not wanted and not configuration.problems:
        condition, reason = _why_nothing_to_sync(configuration, user)
        if resting and (configuration.everything or user.auto_sync is False):
            condition, reason = resting
        yield DatabaseHealth(user_id, None, None, condition, reason)
    for database_id, name in wanted.items():
        before = by_id.get(database_id)
        if resting:
            condition, reason = resting
            yield DatabaseHealth(
                user_id, name, database_id, condition, reason, database=before, running=_running(facts, before)
            )
        else:
            judged = _database(facts, before, max_age) if before else _new(user_id, name, database_id)
            yield replace(_of_token(judged, user), name=name)


def _name_in_sql(configured: ConfiguredDatabase, known: str) -> str:
    """What a database is called, or will be from the next sync on; blanks around its name are no news."""
    return known if not configured.is_named or known.strip() == configured.name else configured.name


def _why_user_rests(user: User | None) -> tuple[Condition, str] | None:
    if user is None:
        return None
    if user.auto_sync is False:
        return Condition.SWITCHED_OFF, "auto_sync_enabled is not true: sync-all skips this user, the rows stay."
    if not user.has_token:
        return Condition.NOT_CONNECTED, "there is no Notion token in user_settings: nothing is synced, the rows stay."
    return None


def _why_nothing_to_sync(configuration: Configuration, user: User) -> tuple[Condition, str]:
    if configuration.everything and user.token_problem:
        return Condition.FAILING, user.token_problem
    if configuration.everything and user.last_sync_ended_at is None:
        return Condition.NEVER_SYNCED, "all databases are configured, and no run has searched for them yet."
    if configuration.everything:
        return Condition.NOTHING_TO_SYNC, "no database is shared with the token: share one with it in Notion."
    return Condition.NOTHING_TO_SYNC, "notion_databases names no database, so there is nothing to sync."


def _why_not_configured(user: User | None) -> str:
    if user is None:
        return "the user is not in user_settings any more, or without token and databases: the rows stay as they are."
    return "it is not in notion_databases any more: it is not synced, its rows stay as they are."


def _resting(facts: Facts, database: Database, condition: Condition, reason: str) -> DatabaseHealth:
    return DatabaseHealth(
        database.user_id,
        database.name,
        database.database_id,
        condition,
        reason,
        cause=(database.last_error_code or "") if condition.health is not Health.OK else "",
        failures=database.failures_in_a_row,
        database=database,
        running=_running(facts, database),
    )


def _of_token(judged: DatabaseHealth, user: User | None) -> DatabaseHealth:
    """How a database is whose user's token could not be used the last time: nothing else is known of it since then."""
    if user is None or user.token_problem is None or judged.condition is Condition.WENT_AWAY:
        return judged
    failures = max(user.token_refusals, 1)
    told = replace(judged, reason=user.token_problem, cause="token", failures=failures, advice="")
    if judged.condition is Condition.SUSPENDED:
        return told
    return replace(told, condition=Condition.FAILING, since=user.token_problem_since)


def _new(user_id: str, name: str, database_id: str) -> DatabaseHealth:
    return DatabaseHealth(user_id, name, database_id, Condition.NEVER_SYNCED, "no run has reached it yet.")


def _database(facts: Facts, database: Database, max_age: timedelta) -> DatabaseHealth:
    running = _running(facts, database)

    def judged(
        condition: Condition, reason: str = "", since: datetime | None = None, advice: str = ""
    ) -> DatabaseHealth:
        return replace(_resting(facts, database, condition, reason), since=since, advice=advice)

    if database.last_status == "running" and running is None:
        gone = next((run for run in facts.open_runs if run.runid == database.last_runid), None)
        reason = (
            went_away(gone, facts.now) if gone else "the run that synced it left no record; the next one does the work."
        )
        return judged(Condition.WENT_AWAY, reason, database.last_started_at)
    if database.suspended_since:
        suspended = judged(Condition.SUSPENDED, _last_failure(facts, database), database.suspended_since)
        return replace(suspended, next_try_at=database.next_try_at)
    if database.failures_in_a_row:
        return judged(Condition.FAILING, _last_failure(facts, database), database.failing_since)
    if database.fresh_as_of is None:
        return judged(Condition.NEVER_SYNCED, _why_never(facts, database, running))
    if database.fresh_as_of - facts.now > _CLOCKS_DIFFER_BY:
        return judged(Condition.STALE, "its last sync lies in the future, so a clock was wrong: sync it again.")
    if facts.now - database.fresh_as_of > max_age:
        if busy := _what_keeps_it(facts, database, running):
            return judged(Condition.STALE, busy, database.fresh_as_of)
        advice = _to_go_on(SYNC_ALL) if is_paused(facts) else _SEE_DOCTOR
        left = judged(Condition.STALE, _left_alone(facts, database), database.fresh_as_of, advice)
        return replace(left, cause="left alone")
    if database.rows_gone and not _what_keeps_it(facts, database, running):
        return judged(Condition.STALE, _rows_gone(database))
    if database.left_out:
        return judged(Condition.INCOMPLETE, _left_out(database), database.left_out_since)
    return judged(Condition.FRESH)


def _left_out(database: Database) -> str:
    count = plural(database.left_out, "value or page is", "values or pages are")
    return f"{count} left out, and tried again at each run: {database.left_out_reason}"


def _rows_gone(database: Database) -> str:
    of = plural(database.rows_gone + (database.rows or 0), "row")
    verb = "was" if database.rows_gone == 1 else "were"
    return f"{database.rows_gone:,} of {of} {verb} deleted by something else: the next sync brings them back."


def _why_never(facts: Facts, database: Database, running: Run | None) -> str:
    if running:
        return "its first sync is under way."
    if database.last_started_at is None:
        return _waits_for(facts, database) or "no run has reached it yet."
    return "part of it has not been read yet."


def _what_keeps_it(facts: Facts, database: Database, running: Run | None) -> str | None:
    """The run that will bring it up to date."""
    return "a sync is under way." if running else _waits_for(facts, database)


def _left_alone(facts: Facts, database: Database) -> str:
    since = f" since {ago(database.last_started_at, facts.now)}" if database.last_started_at else ""
    why = ": sync-all is paused" if is_paused(facts) else ""
    return f"no run has reached it{since}{why}."


def _waits_for(facts: Facts, database: Database) -> str | None:
    """The run that is at the user's other databases."""
    for run in facts.open_runs:
        if run.runid == database.lease_runid and run.runid not in facts.gone:
            return f"run {run.runid} (pid {run.pid} on {run.host}) is syncing this user's databases now."
    return None


def _last_failure(facts: Facts, database: Database) -> str:
    if database.last_status != "running":
        return database.last_message or "no reason was recorded."
    key: Key = (database.user_id, database.database_id)
    before = (one.message for one in facts.last_failures if (one.user_id, one.database_id) == key)
    return next(before, None) or "no reason was recorded."


def _running(facts: Facts, database: Database | None) -> Run | None:
    if database is None or database.last_status != "running":
        return None
    at_it = (run for run in facts.open_runs if run.runid == database.last_runid and run.runid not in facts.gone)
    return next(at_it, None)


def went_away(run: Run, now: datetime) -> str:
    """What a run is about whose process is no more, in a sentence."""
    silent = f", last heard of {ago(run.heartbeat_at, now)}" if run.heartbeat_at else ""
    return (
        f"run {run.runid} went away (pid {run.pid or 'unknown'} on {run.host or 'an unknown host'}, began "
        f"{ago(run.started_at, now)}{silent}); what it had written is kept, and the next run does the rest."
    )
