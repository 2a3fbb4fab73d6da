"""What an older set-up left in the database, which would work beside this one or mislead people."""

from __future__ import annotations

from notion_pg_sync.commands.doctor.checks.check import (
    EVERYTHING,
    Check,
    Examination,
    Finding,
    broken,
    ok,
    skipped,
    warning,
)
from notion_pg_sync.commands.doctor.checks.postgres import REACHABLE
from notion_pg_sync.core.wording import some
from notion_pg_sync.mirror.diagnosis.older_setup import (
    API_SETTING,
    CronJob,
    OlderFunction,
    PgCron,
    api_settings,
    look_at_pg_cron,
    older_functions,
)

SECTION = "Older set-up"


async def _pg_cron(examination: Examination) -> list[Finding]:
    return pg_cron(await examination.ask(look_at_pg_cron))


def pg_cron(found: PgCron | None) -> list[Finding]:
    """Whether pg_cron starts syncs too, or something that writes to the tables."""
    if found is None:
        return [ok("pg_cron is not in this database")]
    if found.jobs is None:
        query = "SELECT jobname, command, active FROM cron.job"
        seen = "pg_cron is in this database, but this role may not see its jobs"
        return [skipped(f"{seen}: as a superuser, check that '{query}' has none that syncs Notion")]
    findings = [finding for job in found.jobs for finding in cron_job(job)]
    whose = "no active job" if found.all_visible else "no active job of this role"
    names = f" (there are {some([job.called for job in found.jobs])})" if found.jobs else ""
    return findings or [ok(f"{whose} of pg_cron syncs Notion, or writes to the tables{names}")]


def cron_job(job: CronJob) -> list[Finding]:
    """What a job of pg_cron does beside this tool."""
    if job.syncs_notion:
        seen = f"pg_cron still starts the job {job.called} ({job.schedule}): two schedulers sync side by side"
        return [warning(seen, job.unschedule)]
    if changed := job.changes:
        seen = f"pg_cron's job {job.called} ({job.schedule}) writes to {some(changed)}, or empties it"
        return [broken(f"{seen}: rows then differ from Notion", job.pause, EVERYTHING)]
    return []


async def _api_setting(examination: Examination) -> list[Finding]:
    return [
        warning(f"{API_SETTING} is set {setting.where}: the older set-up called that address", setting.reset)
        for setting in await examination.ask(api_settings)
    ] or [ok(f"{API_SETTING} is not set")]


async def _functions(examination: Examination) -> list[Finding]:
    return [older_function(function) for function in await examination.ask(older_functions)] or [
        ok("no function of an older set-up is there")
    ]


def older_function(function: OlderFunction) -> Finding:
    """What a function of the older set-up means: whoever calls it does not reach this tool."""
    seen = f"the function {function.signature} of an older set-up is still there (its owner is {function.owner})"
    then = "; once it is dropped, 'notion-pg-sync init' creates its successor" if function.has_successor else ""
    return warning(f"{seen}: a call of it does not reach notion-pg-sync{then}", function.drop)


OLDER_SETUP_CHECKS = (
    Check("pg_cron", SECTION, _pg_cron, needs=(REACHABLE,)),
    Check(API_SETTING, SECTION, _api_setting, needs=(REACHABLE,)),
    Check("sync functions", SECTION, _functions, needs=(REACHABLE,)),
)
