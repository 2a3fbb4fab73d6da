"""Whether something starts the sync, with what it needs, and when it should."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import humanize
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from notion_pg_sync.commands.doctor.checks.check import (
    SCHEDULE,
    Check,
    Examination,
    Finding,
    broken,
    of_error,
    ok,
    skipped,
    warning,
)
from notion_pg_sync.commands.doctor.checks.postgres import INITIALISED
from notion_pg_sync.commands.doctor.scheduling.command_line import TOOL, Invocation, names_the_tool
from notion_pg_sync.commands.doctor.scheduling.crontab import harmless
from notion_pg_sync.commands.doctor.scheduling.due import TOLERANCE, is_missed, next_due
from notion_pg_sync.commands.doctor.scheduling.faults import CRONIE, edit, faults_of, oddities_of
from notion_pg_sync.commands.doctor.scheduling.found import (
    CronLine,
    FoundTimer,
    Schedule,
    has_mail,
    is_in_container,
    look_for_schedule,
    next_calendar_time,
    span_of,
)
from notion_pg_sync.commands.doctor.scheduling.jobs import (
    JobEnvironment,
    absent_programs,
    environment_of_cron_job,
    environment_of_service,
)
from notion_pg_sync.commands.doctor.scheduling.line_to_add import (
    has_embedded,
    line_to_add,
    own_command,
    settings_to_add,
)
from notion_pg_sync.mirror.connection import current_time, transaction
from notion_pg_sync.mirror.overview import last_run
from notion_pg_sync.settings import SettingsError, read_settings

SECTION = "Scheduling"
_NO_CRON = "no crontab starts sync-all"


@dataclass(frozen=True)
class _Job:
    """One thing that starts the sync.

    `invocation` is None where a script does so; `edit` is how to change it; `is_cut`: a bare % ends its command.
    """

    place: str
    invocation: Invocation | None
    environment: JobEnvironment
    edit: str
    is_cut: bool = False


async def _scheduled(examination: Examination) -> list[Finding]:
    schedule = await asyncio.to_thread(look_for_schedule, examination.environment)
    examination.schedule = schedule
    now = datetime.now(schedule.zone)
    findings = [
        *(_line_found(line, now) for line in schedule.lines),
        *_lines_that_cron_cannot_read(schedule),
        *(_timer_found(timer) for timer in schedule.timers),
    ]
    if schedule.platform:
        findings.append(
            ok(f"this runs in {schedule.platform}, whose own schedule starts it; it cannot be seen from inside")
        )
    if findings:
        return findings
    if schedule.unreadable:
        return [
            warning(
                "no crontab that this user may read starts sync-all, and these, which may do so, cannot be read: "
                f"{', '.join(schedule.unreadable)}",
                needs="run doctor as root",
                look=f"sudo -E {own_command()} doctor",
            )
        ]
    outside = " (this is a container: where its host starts it, use --no-cron-check)" if is_in_container() else ""
    install = "" if shutil.which("crontab") else "sudo apt-get install cron\n"
    fix = install + line_to_add(examination.environment)
    return [broken(f"nothing on this host starts sync-all{outside}", fix, SCHEDULE)]


def _line_found(line: CronLine, now: datetime) -> Finding:
    schedule = line.entry.schedule
    if next_due([schedule], now) is None:
        seen = f"{line.place} never starts sync-all ({schedule})"
        return broken(seen, "", SCHEDULE, needs="give it other times", look=edit(line.file.facts))
    return ok(f"{line.place} starts sync-all ({schedule}), as {harmless(line.user)}")


def _lines_that_cron_cannot_read(schedule: Schedule) -> Iterable[Finding]:
    for file in schedule.files:
        for error in file.crontab.errors:
            if names_the_tool(error.content):
                yield broken(
                    f"line {error.line} of {file.place} should start sync-all, but cron cannot read it: "
                    f"{error.sentence}",
                    "",
                    SCHEDULE,
                    needs="correct the line",
                    look=edit(file.facts),
                )


def _timer_found(timer: FoundTimer) -> Finding:
    systemctl = "systemctl --user" if timer.of_user else "sudo systemctl"
    when = ", ".join((*timer.timer.on_calendar, *timer.timer.spans)) or "no time"
    if not timer.is_active:
        return broken(
            f"the timer {timer.name} starts sync-all ({when}), but is not active",
            f"{systemctl} enable --now {timer.name}",
            SCHEDULE,
        )
    return ok(f"the timer {timer.name} starts sync-all ({when})")


async def _crontab_valid(examination: Examination) -> list[Finding]:
    schedule = _schedule(examination)
    if not schedule.files:
        return [skipped(_NO_CRON)]
    findings: list[Finding] = []
    starting = {line.file.place for line in schedule.lines}
    for file in schedule.files:
        faults = faults_of(file.facts, file.crontab, schedule.daemon)
        # A file beside what starts the sync is a leftover rather than a broken link.
        is_left_over = file.place not in starting and (starting or schedule.timers)
        told = warning if is_left_over else broken
        findings += [
            told(
                f"cron ignores {file.place}: {fault.sentence}", fault.fix, SCHEDULE, needs=fault.needs, look=fault.look
            )
            for fault in faults
        ]
        findings += [
            warning(f"{file.place}: {oddity.sentence}", needs=oddity.needs, look=oddity.look)
            for oddity in oddities_of(file.facts, file.crontab, schedule.daemon)
        ]
        if not faults:
            findings.append(ok(f"cron can read {file.place}"))
    return findings


async def _cron_running(examination: Examination) -> list[Finding]:
    schedule = _schedule(examination)
    if not schedule.files:
        return [skipped(_NO_CRON)]
    if schedule.daemon:
        return [ok(f"the cron daemon runs ({schedule.daemon})")]
    if is_in_container():
        return [
            broken(
                "no cron daemon runs in this container, so nothing reads its crontabs: start one in it, or let the "
                "host or the platform start sync-all (and use --no-cron-check here)",
                "cron",
                SCHEDULE,
            )
        ]
    return [
        broken(
            "no cron daemon runs, so nothing reads the crontabs",
            "sudo service cron start || sudo service crond start",
            SCHEDULE,
        )
    ]


async def _command_found(examination: Examination) -> list[Finding]:
    return _for_each_job(examination, _command_of)


def _command_of(examination: Examination, job: _Job) -> list[Finding]:
    if job.is_cut:
        return [
            broken(
                f"{job.place}: cron ends the command at the first %, which it reads as a newline",
                "",
                SCHEDULE,
                needs="write \\% for each %",
                look=job.edit,
            )
        ]
    if job.invocation is None:
        return [_untold(job, "whether its command is found, since a script starts it")]
    absent = absent_programs(job.invocation, job.environment)
    if not absent:
        return [ok(f"{job.place}: the command is found")]
    *_, program = absent
    path = job.environment.variables["PATH"]
    if "/" in program:
        seen = f"{job.place}: {harmless(program)} is not a program"
        return [broken(seen, "", SCHEDULE, needs=f"write {own_command()}", look=job.edit)]
    return [
        broken(
            f"{job.place}: {harmless(program)} is not found in its PATH ({path}); a terminal's PATH does not count",
            "",
            SCHEDULE,
            needs=f"write its full path{f': {own_command()}' if program == TOOL else ''}",
            look=job.edit,
        )
    ]


async def _environment_complete(examination: Examination) -> list[Finding]:
    return _for_each_job(examination, _environment_of)


def _environment_of(examination: Examination, job: _Job) -> list[Finding]:
    environment = job.environment
    if job.is_cut:
        return [skipped(f"{job.place}: its command is cut at a %")]
    if environment.absent:
        seen = f"{job.place} reads {environment.absent[0]}, which does not exist"
        return [broken(seen, "", SCHEDULE, needs="name a file that is there", look=job.edit)]
    try:
        database_url = read_settings(environment.variables).database_url
    except SettingsError as error:
        return [of_error(error, SCHEDULE, whose=f"{job.place}: ", look=job.edit)]
    if database_url is None and not has_embedded(environment.variables):
        if job.invocation is None or environment.untold:
            why = environment.untold[0] if environment.untold else "a script starts it"
            return [_untold(job, f"whether it has DATABASE_URL, since {why}")]
        return [
            broken(
                f"{job.place} has no DATABASE_URL: jobs of cron and systemd have none of a terminal's variables",
                "",
                SCHEDULE,
                needs=f"write above the line: {', '.join(settings_to_add(examination.environment))}",
                look=job.edit,
            )
        ]
    if _is_another(database_url, examination.settings.database_url):
        return [
            warning(
                f"{job.place} has another DATABASE_URL than this terminal, so doctor looks at another database",
                needs="use the same in both",
                look=job.edit,
            )
        ]
    return [ok(f"{job.place} has what the tool needs")]


def _is_another(one: str | None, other: str | None) -> bool:
    """Whether both name a PostgreSQL, and not the same."""
    if not one or not other or "$" in one:
        return False
    try:
        places = [conninfo_to_dict(url) for url in (one, other)]
    except ProgrammingError:
        return False
    defaults = {"host": "localhost", "port": "5432", "dbname": None, "service": None}
    return any(len({str(place.get(name) or default) for place in places}) > 1 for name, default in defaults.items())


async def _failures_told(examination: Examination) -> list[Finding]:
    schedule = _schedule(examination)
    if not schedule.lines:
        return [skipped(_NO_CRON)]
    return [_told(line) for line in schedule.lines]


def _told(line: CronLine) -> Finding:
    settings = line.entry.variables
    # --ping-url, or a curl of its own to a service such as hc-ping.com.
    if "NOTION_PG_SYNC_PING_URL" in settings or "ping" in line.entry.written:
        return ok(f"{line.place}: a ping tells a service")
    if re.search(r"(&>+|2>+)\s*/dev/null|>\s*/dev/null\s+2>\s*&1", line.entry.command):
        return warning(
            f"{line.place}: what a failing run says goes to /dev/null, so nobody hears of it",
            needs="write it without 2>&1 and 2>/dev/null: it says nothing when all is well",
            look=edit(line.file.facts),
        )
    if re.search(r"2>|&>", line.entry.command):
        return ok(f"{line.place}: what a failing run says is kept by the line itself")
    if settings.get("MAILTO") == "":
        return warning(
            f"{line.place}: MAILTO is empty, so nobody hears of a failure",
            needs="an address to mail to (MAILTO=you@example.com), or sync-all --ping-url URL",
            look=edit(line.file.facts),
        )
    if not has_mail():
        return warning(
            f"{line.place}: cron mails what a failing run says, and this host has no program that sends mail "
            "(/usr/sbin/sendmail), so nobody hears of a failure",
            needs="add --ping-url URL to sync-all, or 2>&1 | logger -t notion-pg-sync behind it",
            look=edit(line.file.facts),
        )
    return ok(f"{line.place}: cron mails what a failing run says to {settings.get('MAILTO') or harmless(line.user)}")


async def _on_time(examination: Examination) -> list[Finding]:
    schedule = _schedule(examination)
    async with transaction(examination.pool) as connection:
        now_there, last = await current_time(connection), await last_run(connection)
    # Both by the clock of this host, which is cron's.
    now = datetime.now(schedule.zone)
    if last is None:
        due = _next_time(schedule, now)
        when = f" (next due {due.astimezone(schedule.zone):%Y-%m-%d %H:%M %Z})" if due else ""
        return [warning(f"sync-all has never run{when}", "notion-pg-sync sync-all", SCHEDULE)]
    started_at = last.started_at + (now - now_there)
    ago = humanize.naturaltime(now - started_at)
    where = f" on {last.host}" if last.host else ""
    due = _next_time(schedule, started_at + TOLERANCE)
    if due is not None and is_missed(due, now):
        return [
            broken(
                f"sync-all was due {due.astimezone(schedule.zone):%Y-%m-%d %H:%M %Z} and did not run: the last run "
                f"began {ago}{where}",
                "",
                SCHEDULE,
                needs="see in cron's log what became of it",
                look="grep CRON /var/log/syslog | tail; journalctl -u cron -u crond --since today",
            )
        ]
    if due is None:
        return [ok(f"sync-all ran {ago}{where}; when it is due is not known here")]
    return [ok(f"sync-all ran {ago}{where}, as the schedule says")]


def _next_time(schedule: Schedule, after: datetime) -> datetime | None:
    """When something next starts the sync after `after`, with what a timer may wait beyond its time."""
    lines = (next_due([line.entry.schedule], after.astimezone(_zone_of(line, schedule))) for line in schedule.lines)
    timers = (_timer_time(timer, after) for timer in schedule.timers if timer.is_active)
    return min((due for due in (*lines, *timers) if due is not None), default=None)


def _zone_of(line: CronLine, schedule: Schedule) -> tzinfo:
    name = line.entry.variables.get("CRON_TZ")
    if not name or schedule.daemon != CRONIE:
        return schedule.zone
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return schedule.zone


def _timer_time(timer: FoundTimer, after: datetime) -> datetime | None:
    times = [time for calendar in timer.timer.on_calendar if (time := next_calendar_time(calendar, after))]
    delay = sum((span_of(span) for span in timer.timer.delays), timedelta())
    return min(times) + delay if times else None


def _schedule(examination: Examination) -> Schedule:
    if examination.schedule is None:
        raise RuntimeError('a check of the schedule comes after "scheduled"')
    return examination.schedule


def _for_each_job(examination: Examination, check: Callable[[Examination, _Job], list[Finding]]) -> list[Finding]:
    jobs = _jobs(_schedule(examination))
    return [finding for job in jobs for finding in check(examination, job)] or [skipped("nothing here starts sync-all")]


def _jobs(schedule: Schedule) -> list[_Job]:
    return [
        *(
            _Job(
                line.place,
                line.invocation,
                environment_of_cron_job(line.entry.variables, line.invocation or Invocation(), line.user),
                edit(line.file.facts),
                is_cut=line.entry.standard_input is not None,
            )
            for line in schedule.lines
        ),
        *(
            _Job(
                f"the service {timer.timer.starts}",
                timer.service.invocation,
                environment_of_service(timer.service),
                f"{'systemctl --user' if timer.of_user else 'sudo systemctl'} edit --full {timer.timer.starts}",
            )
            for timer in schedule.timers
        ),
    ]


def _untold(job: _Job, what: str) -> Finding:
    return warning(f"{job.place}: doctor cannot tell {what}", needs="see for yourself", look=job.edit)


SCHEDULING_CHECKS = (
    Check("scheduled", SECTION, _scheduled),
    Check("crontab valid", SECTION, _crontab_valid),
    Check("cron running", SECTION, _cron_running),
    Check("command found", SECTION, _command_found),
    Check("environment complete", SECTION, _environment_complete),
    Check("failures told", SECTION, _failures_told),
    Check("on time", SECTION, _on_time, needs=(INITIALISED,), depth=2),
)
