"""What a shell command comes to is seen through what people put around it."""

from __future__ import annotations

import shlex
import string
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notion_pg_sync.commands.doctor.scheduling.command_line import Invocation, invocation_in, read_environment_file
from notion_pg_sync.commands.doctor.scheduling.jobs import JobEnvironment, absent_programs, environment_of_cron_job

TOOL = "notion-pg-sync"


@pytest.mark.parametrize(
    ("command", "programs"),
    [
        ("notion-pg-sync sync-all", (TOOL,)),
        ("/opt/sync/bin/notion-pg-sync sync-all --full >> /var/log/sync.log 2>&1", ("/opt/sync/bin/notion-pg-sync",)),
        ("flock -n /tmp/sync.lock notion-pg-sync sync-all", ("flock", TOOL)),
        ("flock -w 5 /tmp/lock -c 'notion-pg-sync sync-all'", ("flock", TOOL)),
        ("chronic nice -n 10 timeout -k 5 14m notion-pg-sync sync-all", ("chronic", "nice", "timeout", TOOL)),
        ("bash -lc 'exec notion-pg-sync sync-all'", ("bash", TOOL)),
        ("(cd /srv && notion-pg-sync sync-all) 2>&1 | logger -t sync", (TOOL,)),
        ("sleep 5; notion-pg-sync sync-all || echo failed", (TOOL,)),
        ("/opt/venv/bin/python -m notion_pg_sync sync-all", ("/opt/venv/bin/python",)),
        ("root notion-pg-sync sync-all", ("root",)),
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


def test_other_commands_of_the_tool_sync_nothing() -> None:
    found = invocation_in("notion-pg-sync status --max-age 45m")
    assert found is not None
    assert not found.syncs_all


@pytest.mark.parametrize(
    ("command", "variables"),
    [
        ("A=1 notion-pg-sync sync-all", {"A": "1"}),
        ("env -i A='two words' notion-pg-sync sync-all", {"A": "two words"}),
        ("A=1 env -i B=2 notion-pg-sync sync-all", {"B": "2"}),
        ("export A=1 B=2; notion-pg-sync sync-all", {"A": "1", "B": "2"}),
        ("set -a; A=1; notion-pg-sync sync-all", {"A": "1"}),
        ("A=1; notion-pg-sync sync-all", {}),
        ("A=1 true && notion-pg-sync sync-all", {}),
        ("A=1 sh -c 'B=2 notion-pg-sync sync-all'", {"A": "1", "B": "2"}),
    ],
)
def test_variables_reach_the_tool_as_in_a_shell(command: str, variables: dict[str, str], tmp_path: Path) -> None:
    found = invocation_in(command)
    assert found is not None
    assert found.variables == variables
    # The shell itself says the same.
    stand_in = tmp_path / TOOL
    stand_in.write_text("#!/bin/sh\nexec /usr/bin/env\n")
    stand_in.chmod(0o755)
    said = subprocess.run(
        ["/bin/sh", "-c", command.replace(TOOL, shlex.quote(str(stand_in)))],
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    told = dict(line.split("=", 1) for line in said.stdout.splitlines())
    assert {name: value for name, value in told.items() if name in ("A", "B")} == variables


def test_what_runs_elsewhere_is_said_to_be_hidden() -> None:
    found = invocation_in("docker compose exec -T app notion-pg-sync sync-all")
    assert found is not None
    assert (found.programs, found.hidden, found.syncs_all) == (("docker",), "docker", True)


@pytest.mark.parametrize("exports_all", [True, False])
def test_a_file_hands_on_what_a_shell_hands_on(exports_all: bool, tmp_path: Path) -> None:
    text = "# a comment\nA=1 # one\nexport B='two words'\n\nC=\"3\"\nexport D\necho $(true) > /dev/null\n"
    file = tmp_path / "env"
    file.write_text(text)
    said = subprocess.run(
        ["/bin/sh", "-c", f"{'set -a;' if exports_all else ''} . {file}; exec /usr/bin/env"],
        env={},
        capture_output=True,
        text=True,
        check=True,
    )
    told = dict(line.split("=", 1) for line in said.stdout.splitlines())
    told.pop("PWD", None)
    assert read_environment_file(text, exports_all=exports_all) == told


def test_the_environment_of_a_job_is_all_that_it_is_given(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/environment").write_text('EVERYWHERE="yes"\nPATH=/somewhere\n')
    (tmp_path / "env").write_text("export PATH=$PATH:/opt/sync/bin\nexport A=file B=file\n")
    invocation = invocation_in(f"cd {tmp_path} && . ./env && . /nowhere/else && B=own notion-pg-sync sync-all")
    assert invocation is not None
    environment = environment_of_cron_job({"A": "crontab"}, invocation, "root", tmp_path)
    assert {name: environment.variables[name] for name in ("EVERYWHERE", "PATH", "A", "B")} == {
        "EVERYWHERE": "yes",
        "PATH": "/usr/bin:/bin:/opt/sync/bin",
        "A": "file",
        "B": "own",
    }
    assert environment.absent == ("/nowhere/else",)
    assert environment.untold == ()


def test_programs_are_looked_up_with_the_jobs_path(tmp_path: Path) -> None:
    program = tmp_path / "bin" / TOOL
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    bare = JobEnvironment({"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)})
    assert absent_programs(Invocation(("env", TOOL)), bare) == [TOOL]
    assert absent_programs(Invocation(("env", TOOL)), JobEnvironment({"PATH": f"/bin:{tmp_path}/bin"})) == []
    for written in (str(program), f"~/bin/{TOOL}", f"$HOME/bin/{TOOL}", f"bin/{TOOL}"):
        assert absent_programs(Invocation((written,)), bare) == [], written
    assert absent_programs(Invocation((f"./{TOOL}",), folder="bin"), bare) == []
    program.chmod(0o644)
    assert absent_programs(Invocation((str(program),)), bare) == [str(program)]


@given(st.text(string.printable))
def test_no_command_stops_the_reading(command: str) -> None:
    invocation_in(command)
    read_environment_file(command, exports_all=True)


@given(st.lists(st.text(string.ascii_letters + " '\"$;|&<>(){}#", max_size=8), max_size=5))
def test_arguments_are_those_that_a_shell_would_give(arguments: list[str]) -> None:
    found = invocation_in(shlex.join([TOOL, *arguments]))
    assert found is not None
    assert found.arguments == tuple(arguments)
