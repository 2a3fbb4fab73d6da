"""What a scheduled command finds when it starts: its variables, programs and folders. Changes nothing."""

from __future__ import annotations

import getpass
import os
import pwd
import re
import shlex
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from notion_pg_sync.commands.doctor.scheduling.command_line import Invocation, variables_in
from notion_pg_sync.commands.doctor.scheduling.crontab import DEFAULT_PATH
from notion_pg_sync.commands.doctor.scheduling.systemd import DEFAULT_PATH as DEFAULT_PATH_OF_SYSTEMD
from notion_pg_sync.commands.doctor.scheduling.systemd import Timer, run


@dataclass(frozen=True)
class JobEnvironment:
    """The variables that a job has, as far as can be told; `absent` are files that it reads and that are not there."""

    variables: Mapping[str, str] = field(repr=False)
    absent: tuple[str, ...] = ()


def environment_of_cron_job(
    settings: Mapping[str, str], invocation: Invocation, user: str, root: Path = Path("/")
) -> JobEnvironment:
    """What a job of cron has: /etc/environment, the crontab's `settings`, files that its shell reads, its own.

    By PAM; the PATH of /etc/environment gives way to cron's own.
    """
    of_all = _variables_of(text_of(root / "etc/environment") or "")
    start = {**of_all, "PATH": DEFAULT_PATH, "HOME": home_of(user) or "/", **settings}
    files = [_absolute(file, invocation.folder, start) for file in invocation.files]
    return _with(start, files, invocation)


def environment_of_service(timer: Timer) -> JobEnvironment:
    """What a service of systemd has: its Environment= and the files of its EnvironmentFile=, which win."""
    return _with({"PATH": DEFAULT_PATH_OF_SYSTEMD, **timer.variables}, timer.files, timer.invocation)


def program_of(written: str, invocation: Invocation, environment: JobEnvironment) -> str | None:
    """The file that a command means by a program's name, by its `PATH`; None where there is none."""
    name = _absolute(written, invocation.folder, environment.variables) if "/" in written else written
    return shutil.which(name, path=environment.variables["PATH"])


def absent_folders(invocation: Invocation, environment: JobEnvironment) -> list[str]:
    """The folders that a command changes to, or writes its output into, and that are not there."""
    folder, variables = invocation.folder, environment.variables
    named = [_absolute(".", folder, variables)] if folder else []
    named += [str(Path(_absolute(target, folder, variables)).parent) for target in invocation.targets]
    return [folder for folder in named if "$" not in folder and not Path(folder).is_dir()]


def answer_of(command: list[str], environment: JobEnvironment, user: str) -> tuple[int | None, str]:
    """How a program ends that is run as `user`, and the last line of what it says; None where that cannot be tried."""
    as_user: dict[str, Any] = {}
    if user and user != getpass.getuser():
        if os.geteuid() != 0 or home_of(user) is None:
            return None, ""
        known = pwd.getpwnam(user)
        as_user = {"user": known.pw_uid, "group": known.pw_gid, "extra_groups": []}
    variables = {name: environment.variables[name] for name in ("PATH", "HOME") if name in environment.variables}
    try:
        ended = run(command, env=variables, **as_user)
    except OSError as error:
        return 127, error.strerror or ""
    if ended is None:
        return None, ""
    lines = [re.sub(r"[^ -~]", "", line).strip() for line in ended.stderr.splitlines()]
    return ended.returncode, next((line for line in reversed(lines) if re.search("[a-z]", line)), "")


def home_of(user: str) -> str | None:
    """The home folder of a user; None where there is no such user."""
    if not user or "/" in user:
        return None
    try:
        return str(Path(f"~{user}").expanduser())
    except RuntimeError:
        return None


def text_of(path: Path) -> str | None:
    """The text of a file; None where there is none that this user may read."""
    try:
        return path.read_bytes().decode(errors="replace")
    except OSError:
        return None


def _with(start: dict[str, str], files: Iterable[str], invocation: Invocation) -> JobEnvironment:
    absent = tuple(file for file in files if not Path(file).exists())
    given = [_variables_of(text_of(Path(file)) or "") for file in files]
    variables = dict(start)
    for one in (*given, invocation.variables):
        variables |= {name: value.replace("$PATH", variables["PATH"]) for name, value in one.items()}
    return JobEnvironment(variables, absent)


def _variables_of(text: str) -> dict[str, str]:
    """The variables that a file of `NAME=value` lines sets. Whether a shell hands them on, its runs show."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        try:
            # A # within a word, as passwords have it, begins no comment.
            found |= variables_in(shlex.split(re.split(r"(?:^|\s)#", line)[0]))
        except ValueError:
            continue
    return found


def _absolute(written: str, folder: str | None, variables: Mapping[str, str]) -> str:
    """A path as the shell takes it."""
    home = variables.get("HOME", "/")
    at_home = re.compile(r"^(~|\$HOME|\$\{HOME\})(?=/|$)")
    return str(Path(home, at_home.sub(lambda _: home, folder or ""), at_home.sub(lambda _: home, written)))
