"""`doctor`, section Scheduling, on a host that is made faulty, and fixed by what doctor says."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.conftest import BARE, Site
from tests.private_host import PrivateHost
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

TOOL = str(Path(sys.executable).with_name("notion-pg-sync"))
URL = "DATABASE_URL=postgresql://sync@nowhere.invalid/app\n"
LINE = f"*/15 * * * * {TOOL} sync-all\n"
SYSTEM_LINE = f"*/15 * * * * root {TOOL} sync-all\n"


@dataclass(frozen=True)
class Told:
    """What doctor found: (verdict, what it saw, how to fix it) for each check of the section."""

    checks: Mapping[str, list[tuple[str, str, str]]]

    def verdicts(self, check: str) -> set[str]:
        return {verdict for verdict, _, _ in self.checks[check]}

    def broken(self, check: str) -> tuple[str, str]:
        """The one broken finding of a check."""
        ((seen, fix),) = [(seen, fix) for verdict, seen, fix in self.checks[check] if verdict == "broken"]
        return seen, fix

    def warned(self, check: str) -> tuple[str, str]:
        ((seen, fix),) = [(seen, fix) for verdict, seen, fix in self.checks[check] if verdict == "warning"]
        return seen, fix


@dataclass(frozen=True)
class Host:
    """A host of the test's own, and doctor on it."""

    host: PrivateHost

    def doctor(self, *before: str, **environment: str) -> Told:
        """What it finds; `before` are words before its command."""
        doctor = (*before, sys.executable, "-m", "notion_pg_sync", "doctor", "--json")
        ended = self.host.run(*doctor, environment={**BARE, **environment})
        checks: dict[str, list[tuple[str, str, str]]] = {}
        for finding in json.loads(ended.stdout)["findings"]:
            if finding["section"] == "Scheduling":
                advice = " ".join(filter(None, (finding["fix"], finding["needs"], finding["look"])))
                told = (finding["verdict"], finding["message"], finding["fix"] or advice)
                checks.setdefault(finding["check"], []).append(told)
        return Told(checks)


@pytest.fixture
def on_host(private_host: PrivateHost) -> Host:
    return Host(private_host)


def test_where_nothing_starts_it_what_to_type_is_told_and_works(on_host: Host) -> None:
    url = "postgresql://sync:pass%25word@nowhere.invalid:5432/app"
    told = on_host.doctor(DATABASE_URL=url)
    seen, fix = told.broken("scheduled")
    assert "nothing on this host starts sync-all" in seen
    assert "pass" not in fix
    on_host.host.shell(fix)
    on_host.host.start_cron()
    told = on_host.doctor(DATABASE_URL=url)
    for check in ("scheduled", "crontab valid", "cron running", "command found", "environment complete"):
        assert told.verdicts(check) == {"ok"}, told.checks[check]
    assert "*/15 * * * *" in told.checks["scheduled"][0][1]
    on_host.host.shell(fix)
    assert len(on_host.doctor(DATABASE_URL=url).checks["scheduled"]) == 2


def test_the_line_to_add_takes_up_libpqs_variables_without_the_password(on_host: Host) -> None:
    _, fix = on_host.doctor(PGHOST="nowhere.invalid", PGUSER="o'brien", PGPASSWORD="secret").broken("scheduled")
    assert "secret" not in fix
    on_host.host.shell(fix)
    crontab = on_host.host.run("crontab", "-l").stdout.splitlines()
    base_url = "NOTION_BASE_URL=http://127.0.0.1:9"
    assert crontab == ["PGHOST=nowhere.invalid", "PGUSER=o'brien", base_url, LINE.strip()]


def test_where_cron_is_not_installed_that_comes_first(on_host: Host) -> None:
    _, fix = on_host.doctor(PATH="/nowhere").broken("scheduled")
    assert fix.splitlines()[0] == "sudo apt-get install cron"


@pytest.mark.parametrize(
    ("name", "text", "rights", "says"),
    [
        ("notion.cron", URL + SYSTEM_LINE, (0o644, "root"), "letters, digits"),
        ("notion", URL + SYSTEM_LINE, (0o666, "root"), "mode 666"),
        ("notion", URL + SYSTEM_LINE, (0o644, "nobody"), "belongs to nobody"),
        ("notion", URL + SYSTEM_LINE.rstrip(), (0o644, "root"), "newline"),
    ],
    ids=["dot in the name", "writable by others", "another owner", "no newline at the end"],
)
def test_a_file_that_cron_leaves_out_is_told_and_mended(
    on_host: Host, name: str, text: str, rights: tuple[int, str], says: str
) -> None:
    on_host.host.write(f"/etc/cron.d/{name}", text, mode=rights[0], owner=rights[1])
    seen, fix = on_host.doctor().broken("crontab valid")
    assert says in seen
    on_host.host.shell(fix)
    told = on_host.doctor()
    assert told.verdicts("crontab valid") == {"ok"}
    assert told.verdicts("scheduled") == {"ok"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (LINE, "is not a user"),
        (URL + "*/15 * * * * nosuchuser notion-pg-sync sync-all\n", "'nosuchuser' is not a user"),
        (SYSTEM_LINE + "MAILTO=\n", 'MAILTO=""'),
    ],
    ids=["no user field", "unknown user", "another line that cron cannot read"],
)
def test_a_line_that_spoils_the_whole_file_is_told(on_host: Host, text: str, says: str) -> None:
    on_host.host.write("/etc/cron.d/notion", text)
    seen, fix = on_host.doctor().broken("crontab valid")
    assert says in seen
    assert fix.endswith("(sudoedit /etc/cron.d/notion)")


@pytest.mark.parametrize(
    "text",
    [
        'DATABASE_URL="postgresql://u:s3cr3t@h/d" # where the tables of the application are\n' + SYSTEM_LINE,
        "*/15 * * * * DATABASE_URL=postgresql://u:s3cr3t@h/d notion-pg-sync sync-all\n",
        "*/15 * * * * root postgresql://u:s3cr3t@h/d notion-pg-sync sync-all\n",
        "*/15 * * * root DATABASE_URL=postgresql://u:s3cr3t@h/d notion-pg-sync sync-all\n",
        "*/15 * * * * root DATABASE_URL=postgresql://u:s3cr3t%40@h/d notion-pg-sync sync-all\n",
        "@postgresql://u:s3cr3t@h/d root notion-pg-sync sync-all\n",
        "DATABASE_URL=postgresql://u:s3cr3t$@h/d\n" + SYSTEM_LINE,
    ],
)
def test_no_password_of_a_crontab_is_shown(on_host: Host, text: str) -> None:
    on_host.host.write("/etc/cron.d/notion", text)
    told = on_host.doctor()
    assert "s3cr3t" not in repr(told)
    assert "nothing on this host" not in repr(told)


def test_a_line_that_cron_cannot_read_is_told_as_the_line_that_was_meant(on_host: Host) -> None:
    on_host.host.write("/etc/cron.d/notion", "*/15 * * * root notion-pg-sync sync-all\n")
    told = on_host.doctor()
    assert told.verdicts("scheduled") == {"skipped"}
    seen, _ = told.broken("crontab valid")
    assert seen.startswith("cron ignores /etc/cron.d/notion: line 1: ")
    assert "day of week" in seen


def test_a_left_over_file_beside_a_sound_one_is_only_a_warning(on_host: Host) -> None:
    on_host.host.write("/etc/cron.d/notion", URL + SYSTEM_LINE)
    on_host.host.write("/etc/cron.d/notion.bak", URL + SYSTEM_LINE)
    told = on_host.doctor()
    seen, _ = told.warned("crontab valid")
    assert "notion.bak" in seen
    assert len(told.checks["scheduled"]) == 1


def test_crontabs_are_those_of_every_user_for_root(on_host: Host) -> None:
    on_host.host.install_crontab(URL + LINE, user="nobody")
    told = on_host.doctor()
    assert "the crontab of nobody" in told.checks["scheduled"][0][1]
    assert told.verdicts("environment complete") == {"ok"}


def test_a_crontab_that_may_not_be_read_is_told(on_host: Host) -> None:
    """Root without its right to read everything: what an ordinary user is."""
    on_host.host.write("/etc/cron.d/notion", URL + SYSTEM_LINE, mode=0o600, owner="nobody")
    seen, fix = on_host.doctor("setpriv", "--bounding-set=-dac_override,-dac_read_search").warned("scheduled")
    assert "cannot be read" in seen
    assert "/etc/cron.d/notion" in seen
    assert fix.endswith(f"sudo -E {TOOL} doctor")


def test_a_line_that_is_never_due_is_told(on_host: Host) -> None:
    on_host.host.install_crontab(f"{URL}@reboot {TOOL} sync-all\n0 0 31 2 * {TOOL} sync-all\n")
    assert on_host.doctor().verdicts("scheduled") == {"broken"}


def test_a_cron_daemon_that_does_not_run_is_told_until_it_does(on_host: Host) -> None:
    on_host.host.install_crontab(URL + LINE)
    seen, _ = on_host.doctor().broken("cron running")
    assert "no cron daemon runs" in seen
    on_host.host.start_cron()
    assert on_host.doctor().verdicts("cron running") == {"ok"}


def test_the_command_is_looked_up_with_crons_bare_path(on_host: Host) -> None:
    on_host.host.install_crontab(f"{URL}*/15 * * * * notion-pg-sync sync-all\n")
    seen, fix = on_host.doctor(PATH=f"{Path(TOOL).parent}:/usr/bin:/bin").broken("command found")
    assert "'notion-pg-sync' is not found in its PATH (/usr/bin:/bin)" in seen
    assert TOOL in fix
    on_host.host.install_crontab(f"{URL}PATH={Path(TOOL).parent}:/usr/bin\n*/15 * * * * notion-pg-sync sync-all\n")
    assert on_host.doctor().verdicts("command found") == {"ok"}


@pytest.mark.parametrize(
    "command", ["nosuchwrapper notion-pg-sync", "/opt/nowhere/notion-pg-sync", "root notion-pg-sync"]
)
def test_what_stands_before_the_command_must_be_there_too(on_host: Host, command: str) -> None:
    on_host.host.install_crontab(f"{URL}PATH={Path(TOOL).parent}\n*/15 * * * * {command} sync-all\n")
    seen, _ = on_host.doctor().broken("command found")
    assert command.removesuffix(" notion-pg-sync") in seen


def test_a_percent_without_a_backslash_is_told(on_host: Host) -> None:
    inline = f"*/15 * * * * DATABASE_URL=postgresql://sync:a%40b@nowhere.invalid/app {TOOL} sync-all\n"
    on_host.host.install_crontab(inline)
    seen, _ = on_host.doctor().broken("command found")
    assert "%" in seen
    assert "a%40b" not in seen
    on_host.host.install_crontab(inline.replace("%", "\\%"))
    told = on_host.doctor()
    assert told.verdicts("command found") == {"ok"}
    assert told.verdicts("environment complete") == {"ok"}


def test_a_line_without_database_url_is_told(on_host: Host) -> None:
    on_host.host.install_crontab(LINE + URL)
    seen, fix = on_host.doctor(DATABASE_URL="postgresql://sync@nowhere.invalid/app").broken("environment complete")
    assert "no DATABASE_URL" in seen
    assert URL.strip() in fix
    on_host.host.install_crontab(URL + LINE)
    assert on_host.doctor().verdicts("environment complete") == {"ok"}


@pytest.mark.parametrize(
    ("file", "before", "verdict"),
    [
        (URL, "set -a; . /etc/notion.env;", "ok"),
        (f"export {URL}", ". /etc/notion.env &&", "ok"),
        (URL, ". /etc/nothing.env &&", "broken"),
        ("PGSERVICE=app\n", "set -a; . /etc/notion.env;", "ok"),
    ],
    ids=["all are handed on", "exported", "not there", "a service of libpq"],
)
def test_variables_may_come_from_a_file(on_host: Host, file: str, before: str, verdict: str) -> None:
    on_host.host.write("/etc/notion.env", file)
    on_host.host.install_crontab(f"*/15 * * * * {before} {TOOL} sync-all\n")
    assert on_host.doctor().verdicts("environment complete") == {verdict}


def test_a_variable_that_cron_does_not_expand_is_told(on_host: Host) -> None:
    on_host.host.install_crontab(f"DATABASE_URL=postgresql://sync:${{PASSWORD}}@nowhere.invalid/app\n{LINE}")
    assert "DATABASE_URL has a $" in on_host.doctor().broken("environment complete")[0]


def test_etc_environment_counts(on_host: Host) -> None:
    on_host.host.write("/etc/environment", URL)
    on_host.host.install_crontab(LINE)
    assert on_host.doctor().verdicts("environment complete") == {"ok"}


def test_another_database_than_this_terminals_is_a_warning(on_host: Host) -> None:
    on_host.host.install_crontab(URL + LINE)
    seen, _ = on_host.doctor(DATABASE_URL="postgresql://me@localhost/other").warned("environment complete")
    assert "another DATABASE_URL" in seen


def test_what_cannot_be_told_is_a_warning(on_host: Host) -> None:
    on_host.host.write("/etc/sync.sh", f"#!/bin/sh\n. /etc/notion.env\nexec {TOOL} sync-all\n", mode=0o755)
    on_host.host.write("/usr/sbin/docker", "#!/bin/sh\n", mode=0o755)
    on_host.host.install_crontab(
        "*/15 * * * * /etc/sync.sh\n*/15 * * * * /usr/sbin/docker run app notion-pg-sync sync-all\n"
    )
    told = on_host.doctor()
    assert told.verdicts("scheduled") == {"ok"}
    assert told.verdicts("environment complete") == {"warning"}
    assert told.verdicts("command found") == {"warning"}


@pytest.mark.parametrize(
    ("name", "mode", "verdict"),
    [("notion", 0o755, "ok"), ("notion.sh", 0o755, "broken"), ("notion", 0o644, "broken")],
)
def test_a_script_of_run_parts_counts_where_run_parts_starts_it(
    on_host: Host, name: str, mode: int, verdict: str
) -> None:
    on_host.host.write("/etc/crontab", "17 * * * * root cd / && run-parts --report /etc/cron.hourly\n")
    on_host.host.write(f"/etc/cron.hourly/{name}", f"#!/bin/sh\nexec {TOOL} sync-all\n", mode=mode)
    assert on_host.doctor().verdicts("scheduled") == {verdict}
    started = on_host.host.run("run-parts", "--test", "/etc/cron.hourly").stdout
    assert (f"/etc/cron.hourly/{name}\n" in started) == (verdict == "ok")


def test_failures_that_nobody_hears_of_are_told(on_host: Host) -> None:
    on_host.host.install_crontab(f"MAILTO=oncall@example.com\n{LINE}")
    assert on_host.doctor().verdicts("failures told") == {"ok"}
    on_host.host.path("/usr/sbin/sendmail").unlink()
    seen, _ = on_host.doctor().warned("failures told")
    assert "no program that sends mail" in seen
    on_host.host.install_crontab(f"MAILTO=''\n{LINE}")
    seen, _ = on_host.doctor().warned("failures told")
    assert "MAILTO is empty" in seen
    on_host.host.install_crontab(LINE.replace("sync-all", "sync-all > /dev/null 2>&1"))
    seen, _ = on_host.doctor().warned("failures told")
    assert "/dev/null" in seen
    on_host.host.install_crontab(LINE.replace("sync-all", "sync-all 2>&1 | logger -t notion-pg-sync"))
    assert on_host.doctor().verdicts("failures told") == {"ok"}


def test_a_timer_that_is_not_active_is_told_until_it_is(on_host: Host) -> None:
    home = "/usr/sbin/home"
    environment = on_host.host.start_systemd(home)
    units = f"{home}/.config/systemd/user"
    on_host.host.write(f"{units}/sync.timer", "[Timer]\nOnCalendar=*:0/15\n[Install]\nWantedBy=timers.target\n")
    service = f"[Service]\nEnvironmentFile=/etc/notion.env\nExecStart={TOOL} sync-all\n"
    on_host.host.write(f"{units}/sync.service", service)
    told = on_host.doctor(**environment)
    seen, fix = told.broken("scheduled")
    assert "OnCalendar=*-*-* *:00/15:00" in seen
    assert told.verdicts("command found") == {"ok"}
    assert "/etc/notion.env" in told.broken("environment complete")[0]
    on_host.host.write("/etc/notion.env", URL)
    on_host.host.run("sh", "-c", fix, environment=environment)
    told = on_host.doctor(**environment)
    assert told.verdicts("scheduled") == told.verdicts("environment complete") == {"ok"}


def test_a_pod_is_started_by_its_cluster(on_host: Host) -> None:
    told = on_host.doctor(KUBERNETES_SERVICE_HOST="10.0.0.1")
    assert told.verdicts("scheduled") == {"ok"}
    assert "Kubernetes" in told.checks["scheduled"][0][1]


@pytest.fixture
def scheduled(on_host: Host, site: Site) -> Host:
    """A host with a sound line for a PostgreSQL that is there."""
    on_host.host.install_crontab(f"DATABASE_URL={site.database_url}\n{LINE}")
    return on_host


def long_ago(host: PrivateHost) -> None:
    """Lets the crontab be older than any run."""
    path = host.path("/var/spool/cron/crontabs/root")
    os.utime(path, (path.stat().st_atime, path.stat().st_mtime - 7200))


def started_by_cron(site: Site, *, minutes_ago: int = 0) -> None:
    """Lets every run be one that cron started here as root."""
    site.execute("UPDATE notion_sync.run_processes SET started_by = 'cron', os_user = 'root'")
    ago = f"interval '{minutes_ago} minutes'"
    site.execute(f"UPDATE notion_sync.run_processes SET heartbeat_at = heartbeat_at - {ago}")
    site.execute(f"UPDATE notion_sync.job_run_details SET start_time = start_time - {ago}, end_time = end_time - {ago}")


def test_only_a_run_that_cron_started_shows_that_it_does(scheduled: Host, site: Site) -> None:
    (told,) = scheduled.doctor(**site.command.environment).checks["on time"]
    assert told[0] == "ok"
    assert told[1].startswith("no scheduled run was seen yet; it is next due ")
    long_ago(scheduled.host)
    missed = "and no run that it started was seen"
    assert f"{missed} yet" in scheduled.doctor(**site.command.environment).broken("on time")[0]
    site.connect("anna", site.small.tokens["anna"], "{}")
    site.command("sync-all")
    assert f"{missed} yet" in scheduled.doctor(**site.command.environment).broken("on time")[0]
    started_by_cron(site)
    assert scheduled.doctor(**site.command.environment).verdicts("on time") == {"ok"}
    started_by_cron(site, minutes_ago=40)
    site.command("sync-all")
    site.command("sync-all", "--dry-run")
    assert f"{missed} since 20" in scheduled.doctor(**site.command.environment).broken("on time")[0]


def test_a_run_of_another_user_or_host_shows_nothing_of_a_line(scheduled: Host, site: Site) -> None:
    site.connect("anna", site.small.tokens["anna"], "{}")
    site.command("sync-all")
    long_ago(scheduled.host)
    for column, other in (("os_user", "nobody"), ("host", "elsewhere")):
        started_by_cron(site)
        assert scheduled.doctor(**site.command.environment).verdicts("on time") == {"ok"}
        site.execute(f"UPDATE notion_sync.run_processes SET {column} = %s", other)
        assert scheduled.doctor(**site.command.environment).verdicts("on time") == {"broken"}


def test_a_long_run_is_no_missed_one(scheduled: Host, site: Site) -> None:
    """Behind flock, a line starts nothing while its last run is at work."""
    site.connect("anna", site.small.tokens["anna"], "{}")
    site.command("sync-all")
    long_ago(scheduled.host)
    started_by_cron(site)
    site.execute("UPDATE notion_sync.job_run_details SET start_time = start_time - interval '70 minutes'")
    assert scheduled.doctor(**site.command.environment).verdicts("on time") == {"ok"}


# What nobody can see in a line, its runs show.
ODD_LINES = {
    "flock's folder is not there": f"flock -n /run/gone/lock {TOOL} sync-all",
    "a condition that is never met": f"false && {TOOL} sync-all",
    "a file that is not there": f"[ -f /run/gone ] && {TOOL} sync-all",
}


@pytest.mark.parametrize("command", ODD_LINES.values(), ids=ODD_LINES.keys())
def test_an_odd_line_is_well_as_soon_as_it_starts_runs(scheduled: Host, site: Site, command: str) -> None:
    site.connect("anna", site.small.tokens["anna"], "{}")
    scheduled.host.install_crontab(f"DATABASE_URL={site.database_url}\n*/15 * * * * {command}\n")
    assert scheduled.doctor(**site.command.environment).verdicts("on time") == {"ok"}
    long_ago(scheduled.host)
    site.command("sync-all")
    assert scheduled.doctor(**site.command.environment).verdicts("on time") == {"broken"}
    started_by_cron(site)
    assert scheduled.doctor(**site.command.environment).verdicts("on time") == {"ok"}


def test_every_user_has_a_line(scheduled: Host, site: Site) -> None:
    for user in ("anna", "ben"):
        site.connect(user, site.small.tokens[user], "{}")
    settings = scheduled.host.run("crontab", "-l").stdout.splitlines()[0]
    of_anna = f"{settings}\n*/15 * * * * {TOOL} sync-all --user anna\n"
    scheduled.host.install_crontab(of_anna)
    assert (
        scheduled.doctor(**site.command.environment).broken("often enough")[0].startswith("no crontab line syncs ben:")
    )
    scheduled.host.install_crontab(f"{of_anna}*/20 * * * * {TOOL} sync-all --user=ben\n")
    assert scheduled.doctor(**site.command.environment).verdicts("often enough") == {"ok"}
    scheduled.host.install_crontab(f"{of_anna}@daily {TOOL} sync-all\n")
    assert "only after 1 day" in scheduled.doctor(**site.command.environment).broken("often enough")[0]
    scheduled.host.install_crontab(of_anna.replace("anna", "zoe"))
    assert "the user 'zoe' alone" in scheduled.doctor(**site.command.environment).broken("command found")[0]


@pytest.mark.parametrize(("daemon", "due"), [("cron", "12:00"), ("crond", "22:00")])
def test_cron_tz_counts_where_the_daemon_heeds_it(scheduled: Host, site: Site, daemon: str, due: str) -> None:
    """Noon on Kiritimati is 22:00 by UTC. The daemon is told by its name alone, which a link gives it here."""
    scheduled.host.path("/etc/localtime").unlink(missing_ok=True)
    scheduled.host.path("/usr/sbin/crond").symlink_to("cron")
    scheduled.host.install_crontab(f"CRON_TZ=Pacific/Kiritimati\n{LINE.replace('*/15 *', '0 12')}")
    scheduled.host.start_cron(daemon)
    ((_, seen, _),) = scheduled.doctor(**site.command.environment).checks["on time"]
    assert f"{due} UTC" in seen


def test_a_run_of_another_job_does_not_count(scheduled: Host, site: Site) -> None:
    site.connect("anna", site.small.tokens["anna"], f'{{"Worlds": "{site.small.databases["Worlds"]}"}}')
    assert site.command("sync", "anna", "Worlds").code == 0
    ((_, seen, _),) = scheduled.doctor(**site.command.environment).checks["on time"]
    assert seen.startswith("no scheduled run was seen yet")


REQUESTED_LINE = f"* * * * * {TOOL} sync-all --requested\n"


def test_a_line_for_requests_alone_syncs_nobody(on_host: Host) -> None:
    on_host.host.install_crontab(f"{URL}{REQUESTED_LINE}")
    seen, fix = on_host.doctor(DATABASE_URL=URL.strip().removeprefix("DATABASE_URL=")).broken("scheduled")
    assert "nothing on this host starts sync-all" in seen
    assert "--requested" not in fix


def test_a_line_for_requests_does_not_count_as_the_other(scheduled: Host, site: Site) -> None:
    nightly = f"DATABASE_URL={site.database_url}\n@daily {TOOL} sync-all\n"
    scheduled.host.install_crontab(f"{nightly}{REQUESTED_LINE}")
    assert "only after 1 day" in scheduled.doctor(**site.command.environment).broken("often enough")[0]
    usual = f"DATABASE_URL={site.database_url}\n{LINE}MAILTO=''\n{REQUESTED_LINE}"
    scheduled.host.install_crontab(usual)
    long_ago(scheduled.host)
    site.connect("anna", site.small.tokens["anna"], "{}")
    site.command("sync-all")
    started_by_cron(site)
    told = scheduled.doctor(**site.command.environment)
    assert told.verdicts("on time") == told.verdicts("often enough") == {"ok"}
    assert [len(told.checks[check]) for check in ("scheduled", "failures told")] == [1, 1]


def test_what_is_wrong_with_a_line_for_requests_is_told(scheduled: Host, site: Site) -> None:
    odd = REQUESTED_LINE.replace(TOOL, "/run/gone/notion-pg-sync")
    scheduled.host.install_crontab(f"DATABASE_URL={site.database_url}\n{LINE}{odd}")
    assert "'/run/gone/notion-pg-sync' is not a program" in repr(
        scheduled.doctor(**site.command.environment).checks["command found"]
    ).replace("\\", "")


def test_where_requests_wait_and_nobody_looks_the_fix_makes_cron_look(scheduled: Host, site: Site) -> None:
    site.connect("anna", site.small.tokens["anna"], f'{{"Worlds": "{site.small.databases["Worlds"]}"}}')
    site.command("sync-all")
    doctor = "requests looked for"
    environment = {**site.command.environment}
    assert scheduled.doctor(**environment).verdicts(doctor) == {"ok"}
    site.execute("SELECT notion_sync.sync_all_notion_databases('anna')")
    assert scheduled.doctor(**environment).verdicts(doctor) == {"ok"}
    site.execute("UPDATE notion_sync.sync_requests SET requested_at = requested_at - interval '3 minutes'")
    seen, fix = scheduled.doctor(**environment).warned(doctor)
    assert seen == "nothing here starts sync-all --requested (it never looked), so 1 request waits for sync-all"
    scheduled.host.install_crontab(
        f"NOTION_BASE_URL={environment['NOTION_BASE_URL']}\nDATABASE_URL={site.database_url}\n{LINE}"
    )
    scheduled.host.shell(fix)
    assert "and is new (it never looked)" in repr(scheduled.doctor(**environment).checks[doctor])
    scheduled.host.start_cron()
    wait_until(lambda: site.execute("SELECT status FROM notion_sync.sync_requests") == [("succeeded",)], seconds=100)
    assert "sync-all --requested is started: it last looked" in repr(scheduled.doctor(**environment).checks[doctor])


def test_a_script_for_requests_is_known_as_one(scheduled: Host, site: Site) -> None:
    scheduled.host.write("/usr/local/bin/look", f"#!/bin/sh\nexec {TOOL} sync-all --requested\n", mode=0o755)
    scheduled.host.install_crontab(f"DATABASE_URL={site.database_url}\n{LINE}* * * * * /usr/local/bin/look\n")
    long_ago(scheduled.host)
    told = scheduled.doctor(**site.command.environment)
    assert len(told.checks["scheduled"]) == 1
    seen, _ = told.warned("requests looked for")
    assert "starts sync-all --requested, but it never looked" in seen


def test_a_timer_for_requests_that_is_not_active_is_told_until_it_is(scheduled: Host, site: Site) -> None:
    home = "/usr/sbin/home"
    environment = {**scheduled.host.start_systemd(home), **site.command.environment}
    units = f"{home}/.config/systemd/user"
    scheduled.host.write(f"{units}/look.timer", "[Timer]\nOnCalendar=minutely\n[Install]\nWantedBy=timers.target\n")
    settings = f"Environment=DATABASE_URL={site.database_url.replace('%', '%%')}"
    scheduled.host.write(f"{units}/look.service", f"[Service]\n{settings}\nExecStart={TOOL} sync-all --requested\n")
    seen, fix = scheduled.doctor(**environment).warned("requests looked for")
    assert seen == "the timer look.timer starts sync-all --requested, but is not active"
    scheduled.host.run("sh", "-c", fix, environment=environment)
    wait_until(lambda: site.execute("SELECT looked_at FROM notion_sync.last_looks"), seconds=100)
    told = scheduled.doctor(**environment)
    assert told.verdicts("requests looked for") == {"ok"}
    # It is no timer of sync-all, whose line is here too.
    assert len(told.checks["scheduled"]) == 1
    assert "sync-all is due at least every 15 minutes" in repr(told.checks["often enough"])


def test_a_look_that_is_old_is_told(scheduled: Host, site: Site) -> None:
    check = "requests looked for"
    site.connect("anna", site.small.tokens["anna"], "{}")
    site.command("sync-all", "--requested")
    assert scheduled.doctor(**site.command.environment).verdicts(check) == {"ok"}
    site.execute("UPDATE notion_sync.last_looks SET looked_at = looked_at - interval '20 minutes'")
    seen, _ = scheduled.doctor(**site.command.environment).warned(check)
    looked = "it last looked 20 minutes ago"
    assert seen == f"nothing here starts sync-all --requested ({looked}), so what is asked for waits for sync-all"
    scheduled.host.install_crontab(f"DATABASE_URL={site.database_url}\n{LINE}{REQUESTED_LINE}")
    long_ago(scheduled.host)
    seen, _ = scheduled.doctor(**site.command.environment).warned(check)
    assert seen.endswith(f" of the crontab of root starts sync-all --requested, but {looked}")
    site.execute("UPDATE notion_sync.job SET active = false WHERE jobname = 'sync-notion-requests'")
    assert scheduled.doctor(**site.command.environment).verdicts(check) == {"ok"}
    site.execute("SELECT notion_sync.sync_all_notion_databases('anna')")
    _, fix = scheduled.doctor(**site.command.environment).warned(check)
    site.execute(fix)
    assert site.execute("SELECT active FROM notion_sync.job WHERE jobname = 'sync-notion-requests'") == [(True,)]


def test_a_webhook_wants_somebody_to_look(scheduled: Host, site: Site) -> None:
    site.execute(
        "INSERT INTO notion_sync.webhook_days VALUES (current_date, 1, 0, clock_timestamp() - interval '1 hour')"
    )
    seen, _ = scheduled.doctor(**site.command.environment).warned("requests looked for")
    assert seen.endswith("so what is asked for waits for sync-all")


def test_a_pause_is_told_instead_of_a_missed_run(scheduled: Host, site: Site) -> None:
    site.connect("anna", site.small.tokens["anna"], "{}")
    site.command("sync-all")
    long_ago(scheduled.host)
    started_by_cron(site, minutes_ago=40)
    assert scheduled.doctor(**site.command.environment).verdicts("on time") == {"broken"}
    site.execute("UPDATE notion_sync.job SET active = false")
    seen, fix = scheduled.doctor(**site.command.environment).warned("on time")
    assert seen.startswith("sync-all is paused")
    site.execute(fix)
    assert scheduled.doctor(**site.command.environment).verdicts("on time") == {"broken"}


WRONG_LINES = {
    "options that do not exist": (
        f"*/15 * * * * {TOOL} sync-all --every 15m",
        "command found",
        "No such option: --every",
    ),
    "a command that does not exist": (f"*/15 * * * * {TOOL} sync-al --x sync-all", "command found", "sync-al"),
    "a carriage return": (f"*/15 * * * * {TOOL} sync-all\r", "command found", "sync-all"),
    "--dry-run left in": (f"*/15 * * * * {TOOL} sync-all --dry-run", "command found", "it has --dry-run"),
    "timeout 1": (f"*/15 * * * * timeout 1 {TOOL} sync-all", "command found", "its time limit of 1 second ends it"),
    "a limit of 2 seconds": (
        f"*/15 * * * * {TOOL} sync-all --timeout 2s",
        "command found",
        "its time limit of 2 seconds ends it",
    ),
    "a shell that is not there": (f"SHELL=/bin/zsh\n{LINE.strip()}", "command found", "SHELL is '/bin/zsh'"),
    "every 15 hours": (f"0 */15 * * * {TOOL} sync-all", "often enough", "is due only after 15 hours"),
    "once a day": (f"@daily {TOOL} sync-all", "often enough", "is due only after 1 day"),
    "a log folder that is not there": (
        f"*/15 * * * * {TOOL} sync-all >> /run/gone/x.log",
        "command found",
        "/run/gone",
    ),
    "a folder to change to": (f"*/15 * * * * cd /run/gone && {TOOL} sync-all", "command found", "/run/gone"),
    "the venv's python gone": ("*/15 * * * * /run/venv/notion-pg-sync sync-all", "command found", "cannot be started"),
    "the venv gone": ("*/15 * * * * /run/nothing/notion-pg-sync sync-all", "command found", "is not a program"),
    "a quote left open": (f"*/15 * * * * {TOOL} sync-all 'x", "command found", "doctor cannot tell"),
}


@pytest.mark.parametrize(("line", "check", "says"), WRONG_LINES.values(), ids=WRONG_LINES.keys())
def test_a_line_that_starts_nothing_is_told(on_host: Host, line: str, check: str, says: str) -> None:
    on_host.host.write("/run/venv/notion-pg-sync", "#!/run/venv/python\n", mode=0o755)
    on_host.host.install_crontab(f"{URL}{line}\n")
    told = on_host.doctor()
    assert told.verdicts(check) & {"broken", "warning"}, told.checks
    assert says in "".join(seen for _, seen, _ in told.checks[check])
    for verdict, _, fix in told.checks[check]:
        if verdict == "broken" and fix.startswith("sudo mkdir"):
            on_host.host.shell(fix)
            assert on_host.doctor().verdicts(check) == {"ok"}


@pytest.mark.parametrize(("mode", "owner"), [(0o644, "root"), (0o600, "nobody")])
def test_a_spooled_crontab_that_cron_refuses_is_told_and_written_again(on_host: Host, mode: int, owner: str) -> None:
    on_host.host.install_crontab(URL + LINE)
    spooled = on_host.host.path("/var/spool/cron/crontabs/root")
    spooled.chmod(mode)
    shutil.chown(spooled, owner)
    seen, fix = on_host.doctor().broken("crontab valid")
    assert f"its file belongs to {owner} and has the mode {mode:o}" in seen
    on_host.host.shell(fix)
    assert on_host.doctor().verdicts("crontab valid") == {"ok"}
    assert on_host.host.run("crontab", "-l").stdout == URL + LINE


def test_the_command_of_the_crontab_is_started_by_the_real_cron_with_what_it_needs(scheduled: Host, site: Site) -> None:
    """What doctor calls well is well: the same line, at the start of the daemon instead of every 15 minutes."""
    told = scheduled.doctor(**site.command.environment)
    assert told.verdicts("command found") == told.verdicts("environment complete") == {"ok"}
    settings = scheduled.host.run("crontab", "-l").stdout
    scheduled.host.install_crontab(settings.replace("*/15 * * * *", "@reboot"))
    scheduled.host.start_cron()
    wait_until(lambda: bool(scheduled.host.mails()), seconds=30)
    (mail,) = scheduled.host.mails()
    assert mail.endswith(
        "\n\nnotion-pg-sync: user_settings has no rows, so there is nobody to sync: "
        "connect a user first ('notion-pg-sync connect').\n"
    )


def test_a_run_that_cron_started_shows_what_nobody_can_read_from_outside(scheduled: Host, site: Site) -> None:
    site.connect("anna", site.small.tokens["anna"], f'{{"Worlds": "{site.small.databases["Worlds"]}"}}')
    settings = "".join(f"export {name}='{value}'\n" for name, value in site.command.environment.items())
    scheduled.host.write("/etc/sync.sh", f"#!/bin/sh\n{settings}exec {TOOL} sync-all\n", mode=0o755)
    scheduled.host.install_crontab("*/15 * * * * /etc/sync.sh\n")
    told = scheduled.doctor(**site.command.environment)
    assert told.verdicts("command found") == told.verdicts("environment complete") == {"warning"}
    scheduled.host.install_crontab("@reboot /etc/sync.sh\n*/15 * * * * /etc/sync.sh\n")
    scheduled.host.start_cron()
    ended = "SELECT count(*) FROM notion_sync.job_run_details WHERE end_time IS NOT NULL"
    wait_until(lambda: site.execute(ended) == [(1,)], seconds=60)
    told = scheduled.doctor(**site.command.environment)
    assert told.verdicts("command found") == told.verdicts("environment complete") == {"ok"}
    assert "cron started run 1 here as root" in told.checks["command found"][0][1]
    assert ", started by cron as root; " in told.checks["on time"][0][1]
    ((variables, folder),) = site.execute("SELECT variables, folder FROM notion_sync.run_processes")
    assert isinstance(variables, list)
    assert {"DATABASE_URL", "HOME", "NOTION_BASE_URL"} <= set(variables)
    assert folder == "/root"
