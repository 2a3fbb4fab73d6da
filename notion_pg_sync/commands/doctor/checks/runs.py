"""How the copy is kept, as `status` judges it, with what fixes it; and what became of the runs themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from notion_pg_sync.commands.doctor.checks.accounts import CONNECTED_USERS
from notion_pg_sync.commands.doctor.checks.check import (
    EVERYTHING,
    SCHEDULE,
    Check,
    Examination,
    Finding,
    Subject,
    Verdict,
    ok,
    warning,
)
from notion_pg_sync.commands.doctor.checks.postgres import INITIALISED, RIGHTS
from notion_pg_sync.commands.doctor.checks.wording import sentence, sync_all_command, sync_command
from notion_pg_sync.commands.status.asking import Question, read_facts
from notion_pg_sync.commands.status.facts import Facts
from notion_pg_sync.commands.status.findings import how_long, judged_alike
from notion_pg_sync.commands.status.judgement import DatabaseHealth, Judgement, assess, is_paused, of_user
from notion_pg_sync.commands.status.words import ago, since
from notion_pg_sync.core.errors import ErrorCode
from notion_pg_sync.core.health import Condition, Health
from notion_pg_sync.core.wording import some
from notion_pg_sync.mirror.connection import transaction
from notion_pg_sync.mirror.jobs import SYNC_ALL
from notion_pg_sync.mirror.overview import Run, begin_snapshot

SECTION = "Runs"

# PostgreSQL's own codes for a row that a constraint, a type or a trigger refuses.
_REFUSED = re.compile("(2[23]|P0)...")


async def status_of(examination: Examination) -> tuple[Facts, Judgement]:
    """What `status` knows and says, of all users or of the one that was asked for; asked once in an examination."""
    if examination.facts is None:
        async with transaction(examination.pool) as connection:
            await begin_snapshot(connection)
            examination.facts = await read_facts(connection, examination.schema, Question(examination.user_id))
    judgement = assess(examination.facts, max_age=examination.settings.max_age)
    return examination.facts, of_user(judgement, examination.user_id)


_VERDICTS = {Health.OK: Verdict.OK, Health.DEGRADED: Verdict.WARNING, Health.FAILING: Verdict.BROKEN}


def verdict_on(condition: Condition) -> Verdict:
    """What `doctor` calls what `status` calls so."""
    return _VERDICTS[condition.health]


async def as_judged(examination: Examination, findings: Sequence[Finding]) -> list[Finding]:
    """The findings about what is suspended alone as warnings: it is known, and the rest is kept fresh."""
    _, judgement = await status_of(examination)
    suspended = [one for one in judgement.databases if one.condition is Condition.SUSPENDED]
    kept_fresh = {one.user_id for one in judgement.databases if one.condition.is_kept_fresh and one not in suspended}
    aside = _subjects(suspended) | {
        (one.user_id,) for one in suspended if one.user_id and one.user_id not in kept_fresh
    }
    return [
        replace(one, verdict=Verdict.WARNING)
        if one.verdict is Verdict.BROKEN and one.concerns and one.concerns <= aside
        else one
        for one in findings
    ]


def worst_verdict(judgement: Judgement) -> Verdict:
    """What `doctor` calls the whole."""
    verdicts = (verdict_on(one.condition) for one in judgement.judged)
    return max(verdicts, key=list(Verdict).index, default=Verdict.OK)


async def _last_run(examination: Examination) -> list[Finding]:
    return [last_run(*await status_of(examination))]


def last_run(facts: Facts, judgement: Judgement) -> Finding:
    """How the latest run of `sync-all` went; that it failed is as bad as what is left of it."""
    worst = worst_verdict(judgement)
    concerns = _subjects(judgement.not_fresh)
    if facts.last_run is None:
        return _finding(worst, "sync-all has never run", _next_run(facts), concerns | {SCHEDULE})
    run = facts.last_run
    began = f"the last run of sync-all (run {run.runid}) began {ago(run.started_at, facts.now)}"
    match run.status:
        case "failed":
            healed = ", and all is well now" if worst is Verdict.OK else ""
            said = f"{began} and failed{healed}: {sentence(run.message)}"
            return _finding(worst, said, _next_run(facts), concerns | {EVERYTHING})
        case "succeeded":
            return ok(f"{began} and succeeded: {sentence(run.message)}")
        case _:
            return ok(f"{began} and has not ended yet")


def _databases(name: str, *conditions: Condition, depth: int, well: str) -> Check:
    """The check that tells what is in one of these conditions; `well` says that nothing is.

    What a run failed of beside the databases stands in its line, and settings have a check.
    """

    async def run(examination: Examination) -> list[Finding]:
        status = await status_of(examination)
        return [finding for condition in conditions for finding in judged_as(condition, *status)] or [ok(well)]

    return Check(name, SECTION, run, needs=(CONNECTED_USERS,), depth=depth)


def judged_as(condition: Condition, facts: Facts, judgement: Judgement) -> list[Finding]:
    """All users and databases that `status` finds in this condition.

    Those of one user that are so for one reason share a line, since one command fixes them.
    """
    judged = [one for one in judgement.judged if one.condition is condition and _is_told_here(one)]
    groups = judged_alike(judged, lambda one: one.user_id)
    verdict = verdict_on(condition)
    fixes = {kind: _fix(alike, facts) for kind, alike in _by_kind(judged).items()}
    return [
        _finding(verdict, _said(group, facts), fixes[kind], _concerns(group), kind, needs=_needs(group[0]))
        for group in groups
        for kind in [_kind(group[0])]
    ]


def _needs(one: DatabaseHealth) -> str:
    """What a person has to do or to decide first, where no sync heals it by itself."""
    code = _kind(one)
    if code == ErrorCode.REMOVAL_HELD_BACK:
        command = sync_command(one.user_id or "", one.name or "", "--full", "--allow-removal")
        return f"look in Notion whether these rows really went; if so, {command!r} deletes them here"
    if one.condition is Condition.INCOMPLETE:
        return "each run tries again; if Notion gives nothing for days, write to its support"
    if code == ErrorCode.ROWS_BLOCKED or _REFUSED.fullmatch(code):
        return "change the trigger, the constraint or the page, as the line says; the next run tries again"
    return ""


def _is_told_here(one: DatabaseHealth) -> bool:
    return not (one.is_of_settings or one.is_of_last_run)


def _said(group: Sequence[DatabaseHealth], facts: Facts) -> str:
    names = some([_name(one) for one in group])
    return f"{names}: {group[0].condition.words}{how_long(group, facts.now)}: {sentence(group[0].reason)}"


def _kind(one: DatabaseHealth) -> str:
    """What fails of one and the same is fixed by one command, whosever it is."""
    return one.database.last_error_code or "" if one.database and one.condition is Condition.FAILING else one.reason


def _by_kind(judged: Iterable[DatabaseHealth]) -> dict[str, list[DatabaseHealth]]:
    kinds: dict[str, list[DatabaseHealth]] = {}
    for one in judged:
        kinds.setdefault(_kind(one), []).append(one)
    return kinds


def _fix(group: Sequence[DatabaseHealth], facts: Facts) -> str:
    """What brings databases, or a user's databases as such, up to date."""
    first = group[0]
    if first.condition is Condition.PAUSED:
        return SYNC_ALL.activation
    if first.condition is Condition.SUSPENDED:
        return "\n".join(sync_command(one.user_id or "", one.name or "") for one in group)
    if first.user_id is None or any(one.user_id != first.user_id for one in group):
        return _next_run(facts)
    if first.condition is Condition.FAILING and len(group) == 1:
        return sync_command(first.user_id, first.name or "")
    return sync_all_command(first.user_id)


def _next_run(facts: Facts) -> str:
    """What makes the next run of everything come."""
    return SYNC_ALL.activation if is_paused(facts) else SYNC_ALL.command


def _concerns(judged: Iterable[DatabaseHealth]) -> frozenset[Subject]:
    """What a group is about: that nobody starts the sync explains what no run has reached, too.

    A pause explains that, and not what failed before it.
    """
    group = list(judged)
    if all(one.condition is Condition.PAUSED for one in group):
        return frozenset({SCHEDULE})
    unreached = any(one.condition in (Condition.STALE, Condition.NEVER_SYNCED) for one in group)
    return _subjects(group) | ({SCHEDULE} if unreached else set())


def _subjects(judged: Iterable[DatabaseHealth]) -> frozenset[Subject]:
    return frozenset(tuple(part for part in (one.user_id, one.name) if part) for one in judged)


def _name(one: DatabaseHealth) -> str:
    return "/".join(part for part in (one.user_id, one.name) if part is not None) or "sync-all"


async def _unended_runs(examination: Examination) -> list[Finding]:
    return unended_runs(*await status_of(examination)) or [ok("every run that began has ended")]


def unended_runs(facts: Facts, judgement: Judgement) -> list[Finding]:
    """What the runs are about whose record is not closed: the next run closes those of runs that went away."""
    judged = judged_alike(one for one in judgement.judged if one.condition is Condition.WENT_AWAY)
    verdict = verdict_on(Condition.WENT_AWAY)
    findings = [_finding(verdict, _said(group, facts), _next_run(facts), _concerns(group)) for group in judged]
    findings += [_hangs(run, facts) for run in facts.silent]
    at_work = [run for run in facts.open_runs if run.runid not in facts.gone and run not in facts.silent]
    return findings + [
        ok(f"run {run.runid} (pid {run.pid} on {run.host}) has been running for {since(run.started_at, facts.now)}")
        for run in at_work
    ]


def _hangs(run: Run, facts: Facts) -> Finding:
    return warning(
        f"run {run.runid} (pid {run.pid} on {run.host}) has given no sign of life for "
        f"{since(run.heartbeat_at or run.started_at, facts.now)}, but its process is still there",
        needs=f"see what it does, and end it where it hangs (kill {run.pid})",
        look=f"ps -fp {run.pid}",
    )


def _finding(
    verdict: Verdict, message: str, fix: str, concerns: frozenset[Subject], kind: str = "", *, needs: str = ""
) -> Finding:
    shown = "" if verdict is Verdict.OK or needs else fix
    return Finding(verdict, message, shown, needs, concerns=concerns, kind=kind)


RUN_CHECKS = (
    Check("last run", SECTION, _last_run, needs=(INITIALISED, RIGHTS), depth=4),
    _databases("failing databases", Condition.FAILING, depth=2, well="no database is failing"),
    Check("unended runs", SECTION, _unended_runs, needs=(INITIALISED, RIGHTS), depth=1),
    _databases("paused", Condition.PAUSED, depth=0, well="nobody has paused sync-all"),
    _databases("stale databases", Condition.LATE, Condition.STALE, depth=3, well="no copy is older than it should be"),
    _databases("never synced", Condition.NEVER_SYNCED, depth=3, well="every configured database was synced or tried"),
    _databases("suspended databases", Condition.SUSPENDED, depth=1, well="no database is suspended"),
    _databases("incomplete databases", Condition.INCOMPLETE, depth=1, well="no value is left out"),
)
