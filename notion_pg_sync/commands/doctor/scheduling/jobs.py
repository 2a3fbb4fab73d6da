"""What a scheduled command finds when it starts: its variables, and the programs it names. Reads files alone."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from notion_pg_sync.commands.doctor.scheduling.command_line import Invocation, read_environment_file
from notion_pg_sync.commands.doctor.scheduling.crontab import DEFAULT_PATH
from notion_pg_sync.commands.doctor.scheduling.systemd import DEFAULT_PATH as DEFAULT_PATH_OF_SYSTEMD
from notion_pg_sync.commands.doctor.scheduling.systemd import Service


@dataclass(frozen=True)
class JobEnvironment:
    """The variables that a job has, as far as can be told.

    `absent` are files that it reads and that are not there; `untold` says why it may have more variables than these.
    """

    variables: Mapping[str, str] = field(repr=False)
    absent: tuple[str, ...] = ()
    untold: tuple[str, ...] = ()


def environment_of_cron_job(
    settings: Mapping[str, str], invocation: Invocation, user: str, root: Path = Path("/")
) -> JobEnvironment:
    """What a job of cron has: /etc/environment, the crontab's `settings`, files that its shell reads, its own."""
    of_all = read_environment_file(text_of(root / "etc/environment") or "", exports_all=True)
    # By PAM; the PATH of /etc/environment gives way to cron's own.
    start = {**of_all, "PATH": DEFAULT_PATH, "HOME": home_of(user) or "/", **settings}
    files = [_absolute(file, invocation.folder, start["HOME"]) for file in invocation.files]
    return _with(start, files, invocation, exports_all=invocation.exports_all)


def environment_of_service(service: Service) -> JobEnvironment:
    """What a service of systemd has: its Environment= and the files of its EnvironmentFile=, which win."""
    invocation = service.invocation or Invocation()
    start = {"PATH": DEFAULT_PATH_OF_SYSTEMD, **service.variables}
    needed = [file for file in service.files if not (file.startswith("-") and not Path(file[1:]).exists())]
    return _with(start, [file.removeprefix("-") for file in needed], invocation, exports_all=True)


def absent_programs(invocation: Invocation, environment: JobEnvironment) -> list[str]:
    """The programs that a command names and that are not found with its `PATH`, in the order of the command."""
    search_path = environment.variables["PATH"]
    home = environment.variables.get("HOME", "/")
    return [
        program
        for program in invocation.programs
        if not shutil.which(
            _absolute(program, invocation.folder, home) if "/" in program else program, path=search_path
        )
    ]


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


def _with(start: dict[str, str], files: Iterable[str], invocation: Invocation, *, exports_all: bool) -> JobEnvironment:
    absent: list[str] = []
    untold: list[str] = [f"it runs through {invocation.hidden}"] if invocation.hidden else []
    variables = dict(start)
    for file in files:
        try:
            text = Path(file).read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            absent.append(file)
        except OSError:
            untold.append(f"this user may not read {file}")
        else:
            variables |= _expanded(read_environment_file(text, exports_all=exports_all), variables)
    variables |= _expanded(invocation.variables, variables)
    return JobEnvironment(variables, tuple(absent), tuple(untold))


def _expanded(given: Mapping[str, str], known: Mapping[str, str]) -> dict[str, str]:
    """Values with the variables that a shell knows put in; those that it does not know stay as they are."""
    return {
        name: re.sub(r"\$\{?(\w+)\}?", lambda found: known.get(found[1], found[0]), value)
        for name, value in given.items()
    }


def _absolute(written: str, folder: str | None, home: str) -> str:
    """A path as the shell takes it."""
    path = re.sub(r"^(~|\$HOME|\$\{HOME\})(?=/)", lambda _: home, written)
    return str(Path(home, re.sub(r"^(~|\$HOME|\$\{HOME\})(?=/|$)", lambda _: home, folder or ""), path))
