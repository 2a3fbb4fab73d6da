"""What systemd says of timers that start the tool, and of what they start (`systemctl show`). Input alone."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from notion_pg_sync.commands.doctor.scheduling.command_line import Invocation, invocation_in

# What systemd gives a service beside its own Environment= (systemd.exec(5)).
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_SECONDS_TO_WAIT = 30
_OF_TIMERS = "Id,Unit,ActiveState,TimersCalendar,TimersMonotonic,LastTriggerUSec,NextElapseUSecRealtime"
_OF_SERVICES = "Id,ExecStart,Environment,EnvironmentFiles"


class Timer(Struct, frozen=True):
    """A timer whose service syncs everything, or what is asked for.

    `of_user`: of the user's own systemd, not of the host's. `last` is when it last started the `service`, `due` when it
    will next.
    """

    name: str
    service: str
    of_user: bool
    is_active: bool
    when: str
    last: datetime | None
    due: datetime | None
    invocation: Invocation
    variables: Mapping[str, str]
    files: tuple[str, ...]


def timers() -> Iterator[Timer]:
    """The timers that the host's systemd knows, and the user's own, that start the tool."""
    for of_user in (False, True):
        listed = _systemctl(of_user, "list-unit-files", "--type=timer", "--no-legend", "--plain") or ""
        names = [line.split()[0] for line in listed.splitlines() if line.split() and "@." not in line.split()[0]]
        for shown in _shown(of_user, names, _OF_TIMERS):
            for service in _shown(of_user, [shown.get("Unit", "")], _OF_SERVICES):
                if (timer := _timer(shown, service, of_user=of_user)) is not None:
                    yield timer


def _timer(shown: Mapping[str, str], service: Mapping[str, str], *, of_user: bool) -> Timer | None:
    commands = re.findall(r"argv\[\]=(.*?) ; ", service.get("ExecStart", ""))
    found = next((one for one in map(invocation_in, commands) if one and (one.syncs_all or one.serves_requests)), None)
    if found is None:
        return None
    files = (line for line in service.get("EnvironmentFiles", "").splitlines() if "ignore_errors=no" in line)
    given = (word.partition("=") for word in shlex.split(service.get("Environment", "")))
    return Timer(
        name=shown["Id"],
        service=service["Id"],
        of_user=of_user,
        is_active=shown.get("ActiveState") == "active",
        when=", ".join(re.findall(r"(On\w+=.*?) ; ", "\n".join(map(str, shown.values())))) or "no time",
        last=_time(shown.get("LastTriggerUSec", "")),
        due=_time(shown.get("NextElapseUSecRealtime", "")),
        invocation=found,
        variables={name: value for name, _, value in given},
        files=tuple(line.rpartition(" (")[0] for line in files),
    )


def _shown(of_user: bool, names: list[str], properties: str) -> Iterator[Mapping[str, str]]:
    """The properties of units, each unit's together."""
    said = _systemctl(of_user, "show", f"--property={properties}", "--", *names) if names else ""
    for block in (said or "").split("\n\n"):
        shown: dict[str, str] = {}
        for name, _, value in (line.partition("=") for line in block.splitlines()):
            shown[name] = f"{shown[name]}\n{value}" if name in shown else value
        if "Id" in shown:
            yield shown


def _systemctl(of_user: bool, *words: str) -> str | None:
    return output_of(["systemctl", *(["--user"] if of_user else []), "--no-pager", *words])


def _time(written: str) -> datetime | None:
    """A time as systemd gives it, in UTC."""
    found = re.fullmatch(r"\w+ (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC", written)
    return datetime.fromisoformat(found[1]).replace(tzinfo=UTC) if found else None


def output_of(command: list[str]) -> str | None:
    """What a program prints, in English and in UTC; None where there is none, or it says that it failed."""
    try:
        ended = run(["env", "LC_ALL=C", "TZ=UTC", *command])
    except OSError:
        return None
    return ended.stdout if ended and ended.returncode == 0 else None


def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[str] | None:
    """How a program ends that is given nothing to read; None where it takes too long.

    Raises `OSError` where it cannot be started.
    """
    try:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS_TO_WAIT,
            check=False,
            **options,
        )
    except subprocess.TimeoutExpired:
        return None
