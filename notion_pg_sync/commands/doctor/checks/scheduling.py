"""Whether something starts the sync, with what it needs, and when it should."""

from __future__ import annotations

import asyncio
import re
import shutil
import socket
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta, tzinfo
from functools import partial
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import humanize
import psutil
from msgspec import Struct
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from notion_pg_sync.commands.doctor.checks.check import (
    SCHEDULE,
    Check,
    Examination,
    Finding,
    Subject,
    broken,
    of_error,
    ok,
    skipped,
    warning,
)
from notion_pg_sync.commands.doctor.checks.postgres import INITIALISED
from notion_pg_sync.commands.doctor.scheduling.command_line import TOOL, Invocation
from notion_pg_sync.commands.doctor.scheduling.crontab import harmless, last_due, next_due
from notion_pg_sync.commands.doctor.scheduling.faults import CRONIE, edit, faults_of
from notion_pg_sync.commands.doctor.scheduling.found import (
    CronLine,
    Schedule,
    has_mail,
    is_in_container,
    look_for_schedule,
)
from notion_pg_sync.commands.doctor.scheduling.jobs import (
    JobEnvironment,
    absent_folders,
    answer_of,
    environment_of_cron_job,
    environment_of_service,
    program_of,
)
from notion_pg_sync.commands.doctor.scheduling.line_to_add import (
    has_embedded,
    has_password,
    line_to_add,
    own_command,
    settings_to_add,
)
from notion_pg_sync.commands.doctor.scheduling.systemd import Timer
from notion_pg_sync.core.errors import ExitCode
from notion_pg_sync.core.health import LOOK_IS_OLD_AFTER_MINUTES, MISSED_AFTER_MINUTES
from notion_pg_sync.core.printable import shell_command
from notion_pg_sync.core.wording import plural, some
from notion_pg_sync.embedded.server import DEMO_PREFIX
from notion_pg_sync.mirror.connection import current_time
from notion_pg_sync.mirror.diagnosis.server import data_folder
from notion_pg_sync.mirror.jobs import REQUESTED, SYNC_ALL, paused_jobs
from notion_pg_sync.mirror.looks import Demand, read_demand
from notion_pg_sync.mirror.runs import ScheduledRun, scheduled_runs
from notion_pg_sync.settings import SettingsError, read_settings, written_duration

SECTION = "Scheduling"
_NO_CRON = "no crontab starts sync-all"
_LOOK_AT_LOG = "grep CRON /var/log/syslog | tail; journalctl -u cron -u crond --since today"
_TIMES_LOOKED_AHEAD = 100
# How late a run may begin that was due.
TOLERANCE = timedelta(minutes=MISSED_AFTER_MINUTES)
# What a start and a look at every database take at the least, with plenty to spare.
_LEAST_SECONDS = 30
_LOOK_IS_OLD_AFTER = timedelta(minutes=LOOK_IS_OLD_AFTER_MINUTES)
_LATELY = timedelta(days=1)
# Clocks of two machines are not quite the same.
_EARLY = timedelta(seconds=10)


_OF_A_DEMO = skipped("this PostgreSQL is the demo's, and goes when that ends: there is nothing to schedule")


class _Job(Struct, frozen=True):
    """One thing that starts the sync.

    `invocation` is None where a script does so; `edit` is how to change it; `user` is whom it runs as, empty for the
    present one; `is_cut`: a bare % ends its command; `unexpanded` are variables with a $, which cron leaves as it is;
    `since`: it may be another than before; `starters` are what a run of it says that started it.
    """

    place: str
    invocation: Invocation | None
    environment: JobEnvironment
    edit: str
    user: str = ""
    is_cut: bool = False
    unexpanded: tuple[str, ...] = ()
    since: datetime | None = None
    starters: tuple[str | None, ...] = (None, "cron")
    serves_requests: bool = False

    @property
    def concerns(self) -> tuple[Subject, ...]:
        """What depends on it: what is asked for is served by what syncs everything too."""
        return () if self.serves_requests else (SCHEDULE,)

    def runs_in(self, runs: Sequence[ScheduledRun] | None) -> list[ScheduledRun]:
        """Those of `runs` that may be its own, the newest first."""
        # Behind another program, or in a script, it may work as somebody else.
        user = self.user if self.invocation and not self.invocation.hidden else ""
        mine = [run for run in runs or () if run.is_here and run.started_by in self.starters]
        return [run for run in mine if user in ("", run.os_user or user)]

    def faulty(self, seen: str, needs: str) -> Finding:
        """What keeps it from starting the sync, and what a person has to change."""
        return broken(f"{self.place}: {seen}", "", *self.concerns, needs=f"{needs} ({self.edit})")


async def _scheduled(examination: Examination) -> list[Finding]:
    schedule = await asyncio.to_thread(look_for_schedule, examination.environment)
    examination.schedule = schedule
    now = datetime.now(schedule.zone)
    findings = [
        *(_line_found(line, now) for line in schedule.lines),
        *(_timer_found(timer) for timer in schedule.timers),
    ]
    if schedule.platform:
        findings.append(ok(f"the schedule of {schedule.platform} starts it, which cannot be seen from inside"))
    if findings:
        return findings
    of_requests = {line.file.place for line in _lines_in(schedule.looking)}
    if any(file.place not in of_requests for file in schedule.files):
        return [skipped("a crontab names the tool in a line that cron cannot read")]
    if schedule.unreadable:
        seen = f"nothing that this user may read starts sync-all, and {', '.join(schedule.unreadable)} cannot be read"
        return [warning(seen, needs="run doctor as root", look=f"sudo -E {own_command()} doctor")]
    if await _is_of_a_demo(examination):
        return [_OF_A_DEMO]
    outside = " (this is a container: where its host starts it, use --no-cron-check)" if is_in_container() else ""
    install = "" if shutil.which("crontab") else "sudo apt-get install cron\n"
    fix = install + line_to_add(examination.environment)
    of_password = "; the line has no password: put it into ~/.pgpass" if has_password(examination.environment) else ""
    return [broken(f"nothing on this host starts sync-all{outside}{of_password}", fix, SCHEDULE)]


async def _is_of_a_demo(examination: Examination) -> bool:
    """Whether PostgreSQL is the one of a demo: a line for it would fail once that has ended."""
    folder = await examination.ask(data_folder) if examination.schema else None
    return folder is not None and Path(folder).parent.name.startswith(DEMO_PREFIX)


def _line_found(line: CronLine, now: datetime) -> Finding:
    schedule = line.entry.schedule
    if next_due(schedule, now) is None:
        seen = f"{line.place} never starts sync-all ({schedule})"
        return broken(seen, "", SCHEDULE, needs=f"give it other times ({edit(line.file.facts)})")
    return ok(f"{line.place} starts sync-all ({schedule}), as {harmless(line.user)}")


def _timer_found(timer: Timer) -> Finding:
    seen = f"the timer {timer.name} starts sync-all ({timer.when})"
    if not timer.is_active:
        return broken(f"{seen}, but is not active", _activation(timer), SCHEDULE)
    return ok(seen)


def _activation(timer: Timer) -> str:
    systemctl = "systemctl --user" if timer.of_user else "sudo systemctl"
    return f"{systemctl} enable --now {timer.name}"


async def _often_enough(examination: Examination) -> list[Finding]:
    schedule = _schedule(examination)
    users = [one.user_id for one in examination.accounts if one.connected() and one.auto_sync is not False]
    if schedule.timers or not schedule.lines:
        return [skipped("when sync-all is due is not known here")]
    edited, for_one = edit(schedule.lines[0].file.facts), {_only_user(line) for line in schedule.lines}
    left_out = [] if None in for_one else [user for user in users if user not in for_one]
    if left_out:
        seen = f"no crontab line syncs {some(left_out)}: each is for one other user (--user)"
        return [broken(seen, "", SCHEDULE, needs=f"take --user out, or add a line without it ({edited})")]
    of_everybody = [line for line in schedule.lines if _only_user(line) is None]
    gap = longest_gap(of_everybody or schedule.lines, schedule, datetime.now(schedule.zone))
    if gap is None:
        return [skipped("when sync-all is due is not known here")]
    most = examination.settings.max_age
    if gap <= most:
        return [ok(f"sync-all is due at least every {humanize.precisedelta(gap)}")]
    seen = f"sync-all is due only after {humanize.precisedelta(gap)}; a copy is stale after {written_duration(most)}"
    needs = f"start it more often: */15 * * * * is every quarter of an hour ({edited}); or give --max-age"
    return [broken(seen, "", SCHEDULE, needs=needs)]


def _only_user(line: CronLine) -> str | None:
    return line.invocation.option("--user") if line.invocation else None


def longest_gap(lines: Sequence[CronLine], schedule: Schedule, now: datetime) -> timedelta | None:
    """How long none of these lines is due, of the next hundred times; None where none ever is."""
    times = [now]
    while len(times) < _TIMES_LOOKED_AHEAD and (due := _next_line(lines, schedule, times[-1])):
        times.append(due)
    return max((later - earlier for earlier, later in pairwise(times[1:])), default=None)


async def _crontab_valid(examination: Examination) -> list[Finding]:
    schedule = _schedule(examination)
    findings: list[Finding] = []
    starting = {line.file.place for line in (*schedule.lines, *_lines_in(schedule.looking))}
    for file in schedule.files:
        faults = faults_of(file.facts, file.crontab, schedule.daemon)
        # A file beside what starts the sync is a leftover rather than a broken link.
        is_left_over = file.place not in starting and (starting or schedule.timers)
        told = warning if is_left_over else broken
        findings += [
            told(f"cron ignores {file.place}: {fault.sentence}", fault.fix, SCHEDULE, needs=fault.needs)
            for fault in faults
        ]
        if not faults:
            findings.append(ok(f"cron can read {file.place}"))
    return findings or [skipped(_NO_CRON)]


async def _cron_running(examination: Examination) -> list[Finding]:
    schedule = _schedule(examination)
    if not schedule.files:
        return [skipped(_NO_CRON)]
    if schedule.daemon:
        return [ok(f"the cron daemon runs ({schedule.daemon})")]
    if is_in_container():
        seen = "no cron daemon runs in this container (where its host starts sync-all, use --no-cron-check)"
        return [broken(seen, "cron", SCHEDULE)]
    seen = "no cron daemon runs, so nothing reads the crontabs"
    return [broken(seen, "sudo service cron start || sudo service crond start", SCHEDULE)]


async def _command_found(examination: Examination) -> list[Finding]:
    await _look_for_runs(examination)
    return await asyncio.to_thread(_for_each_job, examination, _command_of)


def _command_of(examination: Examination, job: _Job) -> list[Finding]:
    if job.is_cut:
        return [job.faulty("cron ends the command at the first %, which it reads as a newline", "write \\% for each %")]
    invocation, environment = job.invocation or Invocation(), job.environment
    shell = environment.variables.get("SHELL", "/bin/sh")
    if "cron" in job.starters and not (shell.startswith("/") and shutil.which(shell)):
        return [job.faulty(f"its SHELL is {harmless(shell)}, which is not a program here", "write SHELL=/bin/sh")]
    for written in invocation.programs[: 1 if invocation.hidden else None]:
        if program_of(written, invocation, environment) is None:
            return [_absent(job, written)]
    if folders := absent_folders(invocation, environment):
        seen = f"{job.place}: the folder {folders[0]} is not there, so the shell does not start the command"
        return [broken(seen, shell_command("sudo", "mkdir", "-p", folders[0]), *job.concerns)]
    if job.invocation is None or invocation.hidden:
        return [_unseen(examination, job, "whether its command works")]
    found = [*_what_it_says(job, invocation), *_what_it_is_given(job, invocation, examination)]
    return found or [ok(f"{job.place}: its programs are there, and the tool takes its options")]


def _absent(job: _Job, written: str) -> Finding:
    if "/" in written:
        return job.faulty(f"{harmless(written)} is not a program", f"write {own_command()}")
    path = job.environment.variables["PATH"]
    full = f": {own_command()}" if written == TOOL else ""
    seen = f"{harmless(written)} is not found in its PATH ({path}); a terminal's PATH does not count"
    return job.faulty(seen, f"write its full path{full}")


def _what_it_says(job: _Job, invocation: Invocation) -> list[Finding]:
    """What the tool of that place says of its options, asked for its help, which starts nothing."""
    first = program_of(invocation.tool[0], invocation, job.environment) or ""
    code, said = answer_of([first, *invocation.tool[1:], *invocation.arguments, "--help"], job.environment, job.user)
    if not code:
        return []
    if code == ExitCode.WRONG_USAGE:
        return [job.faulty(f"the tool does not take these options ({said})", "see 'notion-pg-sync sync-all --help'")]
    seen = f"{harmless(first)} cannot be started ({said or code})"
    return [job.faulty(seen, f"install it anew, or write {own_command()}")]


def _what_it_is_given(job: _Job, invocation: Invocation, examination: Examination) -> list[Finding]:
    findings = []
    if "--dry-run" in invocation.arguments:
        findings.append(job.faulty("it has --dry-run, so it writes nothing", "take --dry-run out"))
    if invocation.seconds is not None and invocation.seconds < _LEAST_SECONDS:
        limit = humanize.precisedelta(invocation.seconds)
        seen = f"its time limit of {limit} ends it before it can have synced"
        findings.append(job.faulty(seen, "give it minutes, such as 14m"))
    user, known = invocation.option("--user"), {account.user_id for account in examination.accounts}
    if user and known and user not in known:
        seen = f"it is for the user {harmless(user)} alone, who is not in user_settings"
        findings.append(job.faulty(seen, "correct --user, or take it out"))
    return findings


async def _environment_complete(examination: Examination) -> list[Finding]:
    await _look_for_runs(examination)
    return _for_each_job(examination, _environment_of)


def _environment_of(examination: Examination, job: _Job) -> list[Finding]:
    environment = job.environment
    if job.is_cut:
        return [skipped(f"{job.place}: its command is cut at a %")]
    if job.unexpanded:
        seen = f"{', '.join(job.unexpanded)} has a $, and cron expands no variables"
        return [job.faulty(seen, "write what is meant in full")]
    if environment.absent:
        return [job.faulty(f"it reads {environment.absent[0]}, which does not exist", "name a file that is there")]
    try:
        database_url = read_settings(environment.variables).database_url
    except SettingsError as error:
        return [of_error(error, *job.concerns, whose=f"{job.place} ({job.edit}): ")]
    if database_url is None and not has_embedded(environment.variables):
        if job.invocation is None or job.invocation.hidden or _proof(examination, job):
            return [_unseen(examination, job, "whether it has DATABASE_URL")]
        needs = f"write above the line: {', '.join(settings_to_add(examination.environment))}"
        seen = "it has no DATABASE_URL: jobs of cron and systemd have none of a terminal's variables"
        return [job.faulty(seen, needs)]
    if _is_another(database_url, examination.settings.database_url):
        seen = f"{job.place} has another DATABASE_URL than this terminal, so doctor looks at another database"
        return [warning(seen, needs=f"use the same in both ({job.edit})")]
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
    return [_told(line) for line in _schedule(examination).lines] or [skipped(_NO_CRON)]


def _told(line: CronLine) -> Finding:
    settings = line.entry.variables
    # --ping-url, or a curl of its own to a service such as hc-ping.com.
    if "NOTION_PG_SYNC_PING_URL" in settings or "ping" in line.entry.written:
        return ok(f"{line.place}: a ping tells a service")
    if re.search(r"(&>+|2>+)\s*/dev/null|>\s*/dev/null\s+2>\s*&1", line.entry.command):
        lost = "what a failing run says goes to /dev/null"
    elif re.search(r"2>|&>", line.entry.command):
        return ok(f"{line.place}: what a failing run says is kept by the line itself")
    elif settings.get("MAILTO") == "":
        lost = "MAILTO is empty"
    elif has_mail():
        to = settings.get("MAILTO") or harmless(line.user)
        return ok(f"{line.place}: cron mails what a failing run says to {to}")
    else:
        lost = "this host has no program that sends mail (/usr/sbin/sendmail)"
    needs = "let cron mail it, or add --ping-url URL to sync-all, or 2>&1 | logger -t notion-pg-sync behind it"
    return warning(f"{line.place}: {lost}, so nobody hears of a failure", needs=f"{needs} ({edit(line.file.facts)})")


async def _look_for_runs(examination: Examination) -> None:
    """Takes note of the last runs that nobody started by hand, where there is a PostgreSQL to ask."""
    if examination.schema and examination.scheduled_runs is None:
        examination.scheduled_runs = await examination.ask(partial(scheduled_runs, host=socket.gethostname()))


async def _on_time(examination: Examination) -> list[Finding]:
    schedule = _schedule(examination)
    if SYNC_ALL.name in await examination.ask(paused_jobs):
        seen = "sync-all is paused (notion_sync.job.active is false): where it is started, it does nothing"
        return [warning(seen, SYNC_ALL.activation, SCHEDULE)]
    await _look_for_runs(examination)
    now_there = await examination.ask(current_time)
    now = datetime.now(schedule.zone)
    # Cron and its crontabs go by the clock of this host, runs by the server's.
    ahead = now_there - now
    runs = examination.scheduled_runs or ()
    jobs = _due_before(schedule, now - TOLERANCE)
    if missed := [finding for job, due in jobs for finding in _missed(job, due, job.runs_in(runs), ahead)]:
        return missed
    last = next(iter(runs), None)
    by = f", started by {last.started_by} as {last.os_user}" if last and last.started_by else ""
    due = _next_time(schedule, now)
    ago = humanize.naturaltime(now_there - last.started_at) if last else ""
    began = f"the last run began {ago}" if ago else "no scheduled run was seen yet"
    ends = f"it is next due {due.astimezone(schedule.zone):%H:%M %Z}" if due else "when it is due is not known here"
    return [ok(f"{began}{by}; {ends}")]


async def _requests_looked_for(examination: Examination) -> list[Finding]:
    schedule = _schedule(examination)
    demand, now = await examination.ask(read_demand), await examination.ask(current_time)
    paused = await examination.ask(paused_jobs)
    if REQUESTED.name in paused:
        if not demand.waiting:
            return [ok("sync-all --requested is paused, and nothing waits")]
        if SYNC_ALL.name in paused:
            seen = f"sync-all --requested is paused, and sync-all too, so {_waiting(demand)} and nothing serves it"
        else:
            seen = f"sync-all --requested is paused, so {_waiting(demand)} until sync-all comes to it"
        return [warning(seen, REQUESTED.activation)]
    looked = f"it last looked {humanize.naturaltime(now - demand.last_look)}" if demand.last_look else "it never looked"
    if demand.last_look and now - demand.last_look <= _LOOK_IS_OLD_AFTER:
        return [ok(f"sync-all --requested is started: {looked}")]
    if schedule.looking:
        return [_not_looking(schedule.looking[0], looked, now)]
    if demand.last_look is None and not _is_anybody_waiting(demand, now):
        return [ok("nobody waits for what is asked for from SQL, so that sync-all --requested is not needed")]
    if await _is_of_a_demo(examination):
        return [_OF_A_DEMO]
    waits = f"{_waiting(demand)} for sync-all" if demand.waiting else "what is asked for waits for sync-all"
    seen = f"nothing here starts sync-all --requested ({looked}), so {waits}"
    return [warning(seen, line_to_add(examination.environment, for_requests=True))]


def _not_looking(started: CronLine | Timer, looked: str, now: datetime) -> Finding:
    """What it means that a line or a timer is there, and nobody looks."""
    if isinstance(started, Timer) and not started.is_active:
        return warning(f"the timer {started.name} starts sync-all --requested, but is not active", _activation(started))
    place = started.place if isinstance(started, CronLine) else f"the timer {started.name}"
    changed = started.file.changed if isinstance(started, CronLine) else None
    if changed and now - changed <= _LOOK_IS_OLD_AFTER:
        return ok(f"{place} starts sync-all --requested, and is new ({looked})")
    needs = "see in cron's log, or its mail, what becomes of it"
    return warning(f"{place} starts sync-all --requested, but {looked}", needs=needs, look=_LOOK_AT_LOG)


def _is_anybody_waiting(demand: Demand, now: datetime) -> bool:
    """Whether somebody is to be served sooner than sync-all does: one waits, or a webhook tells of edits at once."""
    has_waited = demand.waiting_since is not None and now - demand.waiting_since > TOLERANCE
    return has_waited or (demand.last_event is not None and now - demand.last_event <= _LATELY)


def _waiting(demand: Demand) -> str:
    return plural(demand.waiting, "request waits", "requests wait")


def _due_before(schedule: Schedule, time: datetime) -> Iterator[tuple[_Job, datetime]]:
    """Each job that was due before this time as it is now, and since the host was started; with when it last was."""
    booted = datetime.fromtimestamp(psutil.boot_time(), schedule.zone)
    for job, line in zip(_jobs_of_lines(schedule.lines), schedule.lines, strict=True):
        due = last_due(line.entry.schedule, time.astimezone(_zone_of(line, schedule)))
        # When a crontab was written is not for every user to see: then it may be new.
        if due and job.since and due > max(job.since, booted):
            yield job, due
    for job, timer in zip(_jobs_of_timers(schedule.timers), schedule.timers, strict=True):
        if timer.is_active and timer.last and timer.last < time:
            yield job, timer.last


def _missed(job: _Job, due: datetime, runs: Sequence[ScheduledRun], ahead: timedelta) -> list[Finding]:
    """What it means that no run of a job was seen that began, or was at work, when it was due; none where one was."""
    if any(run.seen_until - ahead >= due - _EARLY for run in runs):
        return []
    since = f"since {runs[0].started_at - ahead:%Y-%m-%d %H:%M %Z}" if runs else "yet"
    seen = f"{job.place} was due at {due:%Y-%m-%d %H:%M %Z}, and no run that it started was seen {since}"
    return [broken(seen, "", SCHEDULE, needs="see in cron's log, or its mail, what became of it", look=_LOOK_AT_LOG)]


def _next_time(schedule: Schedule, after: datetime) -> datetime | None:
    """When something next starts the sync after `after`."""
    times = (_next_line(schedule.lines, schedule, after), *(timer.due for timer in schedule.timers if timer.is_active))
    return min((due for due in times if due is not None and due > after), default=None)


def _next_line(lines: Sequence[CronLine], schedule: Schedule, after: datetime) -> datetime | None:
    times = (next_due(line.entry.schedule, after.astimezone(_zone_of(line, schedule))) for line in lines)
    return min((due for due in times if due is not None), default=None)


def _zone_of(line: CronLine, schedule: Schedule) -> tzinfo:
    name = line.entry.variables.get("CRON_TZ")
    if not name or schedule.daemon != CRONIE:
        return schedule.zone
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return schedule.zone


def _schedule(examination: Examination) -> Schedule:
    if examination.schedule is None:
        raise RuntimeError('a check of the schedule comes after "scheduled"')
    return examination.schedule


def _for_each_job(examination: Examination, check: Callable[[Examination, _Job], list[Finding]]) -> list[Finding]:
    schedule = _schedule(examination)
    lines, timers = [*schedule.lines, *_lines_in(schedule.looking)], [*schedule.timers, *_timers_in(schedule.looking)]
    jobs = [*_jobs_of_lines(lines), *_jobs_of_timers(timers)]
    return [finding for job in jobs for finding in check(examination, job)] or [skipped("nothing here starts sync-all")]


def _lines_in(looking: Iterable[CronLine | Timer]) -> list[CronLine]:
    return [one for one in looking if isinstance(one, CronLine)]


def _timers_in(looking: Iterable[CronLine | Timer]) -> list[Timer]:
    return [one for one in looking if isinstance(one, Timer)]


def _jobs_of_lines(lines: Iterable[CronLine]) -> list[_Job]:
    return [
        _Job(
            line.place,
            line.invocation,
            environment_of_cron_job(line.entry.variables, line.invocation or Invocation(), line.user),
            edit(line.file.facts),
            line.user,
            is_cut=line.entry.standard_input is not None,
            unexpanded=tuple(name for name, value in line.entry.variables.items() if re.search(r"\$[\w{(]", value)),
            since=line.file.changed,
            serves_requests=line.serves_requests,
        )
        for line in lines
    ]


def _jobs_of_timers(timers: Iterable[Timer]) -> list[_Job]:
    """Behind a shell, a run of a service cannot tell that systemd started it."""
    return [
        _Job(
            f"the service {timer.service}",
            timer.invocation,
            environment_of_service(timer),
            f"{'systemctl --user' if timer.of_user else 'sudo systemctl'} edit --full {timer.service}",
            starters=(None, "systemd", "other"),
            serves_requests=timer.invocation.serves_requests,
        )
        for timer in timers
    ]


def _proof(examination: Examination, job: _Job) -> ScheduledRun | None:
    """A run that shows that cron or systemd can start the job as it is now."""
    known = (run for run in job.runs_in(examination.scheduled_runs) if run.started_by in ("cron", "systemd"))
    return next((run for run in known if job.since is None or run.started_at > job.since), None)


def _unseen(examination: Examination, job: _Job, what: str) -> Finding:
    """What cannot be read from outside: a run that cron or systemd started since shows it."""
    if job.serves_requests:
        return skipped(f"{job.place}: doctor cannot tell {what}; when it last looked shows it")
    if run := _proof(examination, job):
        return ok(f"{job.place}: {run.started_by} started run {run.runid} here as {run.os_user}, with what it needs")
    seen = f"{job.place}: doctor cannot tell {what}, and no run of it was seen yet"
    return warning(seen, needs=f"wait for its next run, or see for yourself ({job.edit})")


SCHEDULING_CHECKS = (
    Check("scheduled", SECTION, _scheduled),
    Check("crontab valid", SECTION, _crontab_valid),
    Check("cron running", SECTION, _cron_running),
    Check("command found", SECTION, _command_found),
    Check("environment complete", SECTION, _environment_complete),
    Check("failures told", SECTION, _failures_told),
    Check("often enough", SECTION, _often_enough),
    Check("on time", SECTION, _on_time, needs=(INITIALISED,), depth=2),
    Check("requests looked for", SECTION, _requests_looked_for, needs=(INITIALISED,), depth=2),
)
