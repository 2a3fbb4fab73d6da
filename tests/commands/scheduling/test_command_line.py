"""What a shell command's words show of how it starts the tool is seen through what people put around it."""

from __future__ import annotations

import shlex
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notion_pg_sync.commands.doctor.scheduling.command_line import Invocation, invocation_in
from notion_pg_sync.commands.doctor.scheduling.jobs import (
    JobEnvironment,
    absent_folders,
    answer_of,
    environment_of_cron_job,
    program_of,
)

TOOL = "notion-pg-sync"


@pytest.mark.parametrize(
    ("command", "programs"),
    [
        ("notion-pg-sync sync-all", (TOOL,)),
        ("/opt/sync/bin/notion-pg-sync sync-all --full >> /var/log/sync.log 2>&1", ("/opt/sync/bin/notion-pg-sync",)),
        ("flock -n /tmp/sync.lock notion-pg-sync sync-all", ("flock", TOOL)),
        ("flock -w 5 /tmp/lock -c 'notion-pg-sync sync-all'", ("flock", TOOL)),
        ("chronic nice -n 10 timeout -k 5 14m notion-pg-sync sync-all", ("chronic", TOOL)),
        ("bash -lc 'exec notion-pg-sync sync-all'", ("bash", TOOL)),
        ("(cd /srv && notion-pg-sync sync-all) 2>&1 | logger -t sync", (TOOL,)),
        ("sleep 5; notion-pg-sync sync-all || echo failed", (TOOL,)),
        ("/opt/venv/bin/python -m notion_pg_sync sync-all", ("/opt/venv/bin/python",)),
        ("root notion-pg-sync sync-all", ("root", TOOL)),
    ],
)
def test_the_tool_is_found_behind_what_stands_before_it(command: str, programs: tuple[str, ...]) -> None:
    found = invocation_in(command)
    assert found is not None
    assert found.programs == programs
    assert found.syncs_all


@pytest.mark.parametrize(
    "command", ["", "true", "echo 'unclosed", "/opt/backup.sh", "sh -c 'echo hello'", "cd /opt && make"]
)
def test_other_commands_are_none_of_ours(command: str) -> None:
    assert invocation_in(command) is None


@pytest.mark.parametrize(
    "command", ["notion-pg-sync sync-all --requested", "sh -c 'notion-pg-sync sync-all --requested'"]
)
def test_what_serves_requests_syncs_not_all(command: str) -> None:
    found = invocation_in(command)
    assert found is not None
    assert (found.serves_requests, found.syncs_all) == (True, False)


def test_other_commands_of_the_tool_sync_nothing() -> None:
    found = invocation_in("notion-pg-sync status --max-age 45m")
    assert found is not None
    assert not found.syncs_all


@pytest.mark.parametrize(
    ("command", "variables"),
    [
        ("A=1 notion-pg-sync sync-all", {"A": "1"}),
        ("env -i A='two words' notion-pg-sync sync-all", {"A": "two words"}),
        ("export A=1 B=2; notion-pg-sync sync-all", {"A": "1", "B": "2"}),
        ("A=1 sh -c 'B=2 notion-pg-sync sync-all C=3'", {"A": "1", "B": "2"}),
    ],
)
def test_variables_that_the_command_sets_are_seen(command: str, variables: dict[str, str]) -> None:
    found = invocation_in(command)
    assert found is not None
    assert found.variables == variables


@pytest.mark.parametrize(
    ("command", "seconds"),
    [
        ("timeout 1 notion-pg-sync sync-all", 1),
        ("nice timeout -k 5m 14m notion-pg-sync sync-all", 300),
        ("timeout 0.5h notion-pg-sync sync-all", 1800),
        ("nice -n 10 notion-pg-sync sync-all --timeout 1s", 1),
        ("timeout 14m notion-pg-sync sync-all --timeout=2m", 120),
        ("nice -n 10 notion-pg-sync sync-all", None),
    ],
)
def test_what_timeout_gives_it_is_seen(command: str, seconds: float | None) -> None:
    found = invocation_in(command)
    assert found is not None
    assert found.seconds == seconds


@pytest.mark.parametrize(
    ("arguments", "value"),
    [("--user anna", "anna"), ("--user=anna -v", "anna"), ("-v --user 'a b'", "a b"), ("--full", None), ("", None)],
)
def test_what_the_tool_is_given_is_seen(arguments: str, value: str | None) -> None:
    found = invocation_in(f"notion-pg-sync sync-all {arguments}")
    assert found is not None
    assert found.option("--user") == value


def test_folders_that_are_not_there_are_told(tmp_path: Path) -> None:
    environment = JobEnvironment({"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)})
    command = f"cd {tmp_path} && . ./env && notion-pg-sync sync-all >> logs/sync.log 2>&1 < in/nowhere"
    found = invocation_in(command)
    assert found is not None
    assert (found.folder, found.files, found.targets) == (str(tmp_path), ("./env",), ("logs/sync.log",))
    assert absent_folders(found, environment) == [f"{tmp_path}/logs"]
    (tmp_path / "logs").mkdir()
    assert absent_folders(found, environment) == []


@pytest.mark.parametrize("command", ["docker compose exec -T app", "ssh host", "sudo -u app"])
def test_what_may_run_elsewhere_is_said_to_be_hidden(command: str) -> None:
    found = invocation_in(f"{command} notion-pg-sync sync-all")
    assert found is not None
    program = command.split(maxsplit=1)[0]
    assert (found.programs, found.hidden, found.syncs_all) == ((program, TOOL), program, True)


def test_the_environment_of_a_job_is_all_that_it_is_given(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/environment").write_text('EVERYWHERE="yes"\nPATH=/somewhere\n')
    (tmp_path / "env").write_text(
        "export PATH=$PATH:/opt/sync/bin\nexport A=file B=file C=a#b # and so on\necho 'unclosed\n"
    )
    invocation = invocation_in(f"cd {tmp_path} && . ./env && . /nowhere/else && B=own notion-pg-sync sync-all")
    assert invocation is not None
    environment = environment_of_cron_job({"A": "crontab"}, invocation, "root", tmp_path)
    assert {name: environment.variables[name] for name in ("EVERYWHERE", "PATH", "A", "B", "C")} == {
        "EVERYWHERE": "yes",
        "PATH": "/usr/bin:/bin:/opt/sync/bin",
        "A": "file",
        "B": "own",
        "C": "a#b",
    }
    assert environment.absent == ("/nowhere/else",)


def test_programs_are_looked_up_with_the_jobs_path(tmp_path: Path) -> None:
    program = tmp_path / "bin" / TOOL
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    bare = JobEnvironment({"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)})
    assert program_of(TOOL, Invocation(), bare) is None
    assert program_of(TOOL, Invocation(), JobEnvironment({"PATH": f"/bin:{tmp_path}/bin"})) == str(program)
    for written in (str(program), f"~/bin/{TOOL}", f"$HOME/bin/{TOOL}", f"bin/{TOOL}"):
        assert program_of(written, Invocation(), bare) == str(program), written
    assert program_of(f"./{TOOL}", Invocation(folder="bin"), bare) == str(program)
    program.chmod(0o644)
    assert program_of(str(program), Invocation(), bare) is None


def test_a_program_is_asked_with_no_more_than_path_and_home(tmp_path: Path) -> None:
    program = tmp_path / TOOL
    program.write_text('#!/bin/sh\necho "PATH=$PATH HOME=$HOME SECRET=$SECRET" >&2\nexit 2\n')
    program.chmod(0o755)
    environment = JobEnvironment({"PATH": "/usr/bin:/bin", "HOME": "/home/x", "SECRET": "s3cr3t"})
    assert answer_of([str(program)], environment, "") == (2, "PATH=/usr/bin:/bin HOME=/home/x SECRET=")
    program.write_text("#!/gone/python\n")
    assert answer_of([str(program)], environment, "")[0] == 127
    assert answer_of([str(program)], environment, "nobody-at-all") == (None, "")


@given(st.text(string.printable))
def test_no_command_stops_the_reading(command: str) -> None:
    invocation_in(command)


@given(st.lists(st.text(string.ascii_letters + " '\"${}#", max_size=8), max_size=5))
def test_arguments_are_those_that_a_shell_would_give(arguments: list[str]) -> None:
    found = invocation_in(shlex.join([TOOL, *arguments]))
    assert found is not None
    assert found.arguments == tuple(arguments)
