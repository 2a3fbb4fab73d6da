"""Units of systemd as text (systemd.syntax(7)): the timers that start the tool. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from notion_pg_sync.commands.doctor.scheduling.command_line import Invocation, invocation_in

Sections = Mapping[str, Mapping[str, tuple[str, ...]]]

# What systemd gives a service beside its own Environment= (systemd.exec(5)).
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

DEFAULT_ACCURACY = "1min"  # systemd.timer(5)


@dataclass(frozen=True)
class Timer:
    """A timer: which unit it starts, and when.

    `spans` are times counted from an event, such as OnUnitActiveSec=; `delays` are what it may wait beyond its times.
    """

    starts: str
    on_calendar: tuple[str, ...]
    spans: tuple[str, ...]
    delays: tuple[str, ...]


@dataclass(frozen=True)
class Service:
    """A service: what it runs, with which variables, and from which files it takes more."""

    invocation: Invocation | None
    variables: Mapping[str, str]
    files: tuple[str, ...]


def read_unit(text: str) -> Sections:
    """The sections of a unit file: the values of each setting in order. An empty value forgets those before it."""
    sections: dict[str, dict[str, tuple[str, ...]]] = {}
    section: dict[str, tuple[str, ...]] = {}
    for line in _logical_lines(text):
        if line.startswith("[") and line.endswith("]"):
            section = sections.setdefault(line[1:-1], {})
        elif "=" in line:
            name, value = (part.strip() for part in line.split("=", 1))
            section[name] = (*section.get(name, ()), value) if value else ()
    return sections


def read_timer(name: str, text: str) -> Timer:
    """The timer that `text` (the unit file, then its drop-ins) describes; `name` is the unit's, with `.timer`."""
    settings = read_unit(text).get("Timer", {})
    return Timer(
        starts=(settings.get("Unit") or (name.removesuffix(".timer") + ".service",))[-1],
        on_calendar=settings.get("OnCalendar", ()),
        spans=tuple(
            f"{event}={span}"
            for event in ("OnUnitActiveSec", "OnUnitInactiveSec", "OnBootSec", "OnStartupSec", "OnActiveSec")
            for span in settings.get(event, ())
        ),
        delays=(
            *settings.get("RandomizedDelaySec", ())[-1:],
            *(settings.get("AccuracySec") or (DEFAULT_ACCURACY,))[-1:],
        ),
    )


def read_service(text: str) -> Service:
    """The service that `text` (the unit file, then its drop-ins) describes."""
    settings = read_unit(text).get("Service", {})
    invocations = (invocation_in(command.lstrip("-@:+!")) for command in settings.get("ExecStart", ()))
    return Service(
        invocation=next((found for found in invocations if found), None),
        variables={
            name: value
            for line in settings.get("Environment", ())
            for name, _, value in (word.partition("=") for word in _words(line))
        },
        files=settings.get("EnvironmentFile", ()),
    )


def _logical_lines(text: str) -> list[str]:
    """Lines without comments; one that ends in a backslash goes on in the next."""
    lines: list[str] = []
    continued = False
    for line in text.splitlines():
        content = line.strip()
        if content.startswith(("#", ";")) or (not content and not continued):
            continue
        if continued:
            lines[-1] += " " + content.removesuffix("\\").strip()
        else:
            lines.append(content.removesuffix("\\").strip())
        continued = content.endswith("\\")
    return lines


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError:
        return []
