"""What is said of crontabs is what Debian's cron and its command crontab really do."""

from __future__ import annotations

import shutil
from collections.abc import Mapping

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notion_pg_sync.commands.doctor.scheduling.command_line import Invocation
from notion_pg_sync.commands.doctor.scheduling.crontab import read_crontab
from notion_pg_sync.commands.doctor.scheduling.faults import faults_of
from notion_pg_sync.commands.doctor.scheduling.found import look_for_schedule
from notion_pg_sync.commands.doctor.scheduling.jobs import environment_of_cron_job
from tests.commands.scheduling.written import schedules
from tests.private_host import PrivateHost
from tests.waiting import wait_until

ODD_LINES = [
    *(
        "MAILTO=",
        "A =b",
        "A= b",
        "'A B'=c",
        "'A'='b' x",
        "A='b",
        "A=b'",
        "A=\"b'",
        "=b",
        "A",
        "A==b",
        'A="a"b"',
        'A=""',
    ),
    *("\rA=b", "5/10 * * * * x", "jan/2 * * * * x", "* * * jan/2 * x", "*/0 * * * * x"),
    *("60 * * * * x", "* * 0 * * x", "* * * 0 * x", "* * * * 8 x", "* * * * 7 x", "* * * jan-mar mon-fri x"),
    *("* * * January * x", "* * * * Monday x", "*/100 * * * * x", "1,2, * * * * x", ",1 * * * * x", "1,,2 * * * * x"),
    *("*/a * * * * x", "1- * * * * x", "-5 * * * * x"),
    *("* * * * *", "* *", "@Daily x", "@daily", "@nope x", "@reboot x", "  * * * * * x"),
    *("* * L * * x", "0 0 * * * * x", "? * * * * x", "~ * * * * x", "007 * * * * x"),
    *("* * * * * %", "*/15 * * * * \\", "* * 31 2 * x", "@hourly=x", "x y", "\t"),
]


def test_cron_leaves_out_a_users_crontab_by_its_owner_and_mode(private_host: PrivateHost) -> None:
    users = ("nobody", "daemon", "bin", "sys", "games", "mail", "news")
    rights = ((0o600, ""), (0o600, "root"), (0o600, "lp"), (0o644, ""), (0o640, ""), (0o400, ""), (0o700, ""))
    private_host.path("/run/ran").mkdir()
    private_host.path("/run/ran").chmod(0o777)
    for user, (mode, owner) in zip(users, rights, strict=True):
        private_host.run("usermod", "--shell", "/bin/sh", user)
        private_host.install_crontab(f"@reboot touch /run/ran/{user}    # notion-pg-sync sync-all\n", user)
        spooled = private_host.path(f"/var/spool/cron/crontabs/{user}")
        spooled.chmod(mode)
        if owner:
            shutil.chown(spooled, owner)
    schedule = look_for_schedule({}, private_host.path("/"))
    faults = {file.owner: faults_of(file.facts, file.crontab, "cron") for file in schedule.files}
    private_host.write("/etc/crontab", "@reboot root sleep 2; touch /run/ran/last\n")
    private_host.start_cron()
    wait_until(lambda: private_host.path("/run/ran/last").exists(), seconds=20)
    assert {user: private_host.path(f"/run/ran/{user}").exists() for user in users} == {
        user: not faults[user] for user in users
    }
    assert sum(not one for one in faults.values()) == 2
    for found in faults.values():
        for fault in found:
            private_host.shell(fault.fix)
    healed = look_for_schedule({}, private_host.path("/"))
    assert [faults_of(file.facts, file.crontab, "cron") for file in healed.files] == [[]] * len(users)


@pytest.mark.parametrize("lines", [ODD_LINES], ids=["odd lines"])
def test_crontab_refuses_what_is_said_to_be_refused(private_host: PrivateHost, lines: list[str]) -> None:
    accepted = {line: private_host.run("crontab", "-", given=f"{line}\n").returncode == 0 for line in lines}
    assert accepted == {line: not read_crontab(f"{line}\n", with_user=False).errors for line in lines}


def test_crontab_accepts_every_schedule_that_is_known_and_what_is_installed_is_read_back(
    private_host: PrivateHost,
) -> None:
    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(schedules(), min_size=1, max_size=6))
    def tried(written: list[str]) -> None:
        private_host.install_crontab("".join(f"{schedule} echo {n}\n" for n, schedule in enumerate(written)))
        entries = read_crontab(private_host.run("crontab", "-l").stdout, with_user=False).entries
        assert [(entry.schedule, entry.command) for entry in entries] == [
            (schedule, f"echo {n}") for n, schedule in enumerate(written)
        ]

    tried()


def job(name: str) -> str:
    """A line that leaves a file behind when cron starts; it names the tool, so that the file is looked at."""
    return f"@reboot root touch /run/ran-{name}    # notion-pg-sync sync-all\n"


def test_cron_leaves_out_the_files_that_are_said_to_be_left_out(private_host: PrivateHost) -> None:
    files: Mapping[str, tuple[str, int, str]] = {
        "sound": (job("sound"), 0o644, "root"),
        "closed": (job("closed"), 0o600, "root"),
        "dotted.cron": (job("dotted.cron"), 0o644, "root"),
        "group-writes": (job("group-writes"), 0o664, "root"),
        "all-write": (job("all-write"), 0o777, "root"),
        "of-another": (job("of-another"), 0o644, "nobody"),
        "no-newline": (job("no-newline").rstrip(), 0o644, "root"),
        "unknown-user": (job("unknown-user") + "@daily nosuchuser true\n", 0o644, "root"),
        "no-user": (job("no-user") + "*/15 * * * * notion-pg-sync sync-all\n", 0o644, "root"),
        "bad-line": (job("bad-line") + "*/15 * * * notion-pg-sync sync-all\n", 0o644, "root"),
        "comment-last": (job("comment-last") + "# no newline", 0o644, "root"),
        "variable-last": (job("variable-last") + "A=b", 0o644, "root"),
        "variables": ("MAILTO=\"\"\nA = 'b'\n" + job("variables"), 0o644, "root"),
    }
    for name, (text, mode, owner) in files.items():
        private_host.write(f"/etc/cron.d/{name}", text, mode=mode, owner=owner)
    schedule = look_for_schedule({}, private_host.path("/"))
    said = {
        file.place.removeprefix("/etc/cron.d/"): not faults_of(file.facts, file.crontab, "cron")
        for file in schedule.files
    }
    assert said.keys() == files.keys()
    # Cron starts them in the order of the folder, which is nobody's.
    private_host.write("/etc/crontab", "@reboot root sleep 1; touch /run/ran-last\n")
    private_host.start_cron()
    sound = [name for name, is_sound in said.items() if is_sound]
    wait_until(lambda: all(private_host.path(f"/run/ran-{name}").exists() for name in [*sound, "last"]), seconds=20)
    assert {name: private_host.path(f"/run/ran-{name}").exists() for name in files} == said


def test_a_job_has_the_variables_the_command_and_the_input_that_are_said(private_host: PrivateHost) -> None:
    private_host.write("/etc/environment", 'EVERYWHERE="of all"\nPATH=/from/environment\n')
    private_host.install_crontab(
        "A = two words  \nB='  kept  '\nC=$HOME/x\nD=a%40b\\%c\n"
        "@reboot env > /run/env; cat > /run/input; printf '\\%s' done > /run/told%one%two\\%three\n"
        "A=later\n"
    )
    (entry,) = read_crontab(private_host.run("crontab", "-l").stdout, with_user=False).entries
    private_host.start_cron()
    wait_until(lambda: private_host.path("/run/told").exists(), seconds=20)
    told = dict(line.split("=", 1) for line in private_host.path("/run/env").read_text().splitlines())
    said = environment_of_cron_job(entry.variables, Invocation(), "root", private_host.path("/")).variables
    assert {name: told[name] for name in said} == said
    assert {"A", "B", "C", "D", "EVERYWHERE", "PATH", "HOME"} <= said.keys()
    assert private_host.path("/run/input").read_text() == f"{entry.standard_input}\n"
    assert private_host.path("/run/told").read_text() == "done"


def test_cron_mails_what_a_job_says_to_whom_mailto_names(private_host: PrivateHost) -> None:
    private_host.install_crontab("MAILTO=oncall@example.com\n@reboot echo told >&2; exit 1\n@reboot true\n")
    private_host.start_cron()
    wait_until(lambda: bool(private_host.mails()), seconds=20)
    (mail,) = private_host.mails()
    assert "To: oncall@example.com" in mail
    assert mail.endswith("\n\ntold\n")
