"""How this process was started: evidence for whoever asks later whether a schedule works."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Mapping

import psutil

from notion_pg_sync.core.printable import to_storable
from notion_pg_sync.mirror.runs import Origin, StartedBy

_CRON_DAEMONS = frozenset({"cron", "crond", "fcron", "supercronic", "anacron"})
_MOST_VARIABLES = 500


def this_origin(environment: Mapping[str, str] = os.environ) -> Origin:
    """How the process that runs this code was started. Of its variables, the names alone."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container whose user has no name
        user = str(os.getuid())
    return Origin(
        started_by=_started_by([process.name() for process in _ancestors()], environment, at_terminal=_at_terminal()),
        os_user=user,
        executable=to_storable(os.path.realpath(sys.argv[0]) if sys.argv[0] else sys.executable),
        folder=to_storable(_folder()),
        path=to_storable(environment.get("PATH", "")),
        variables=tuple(to_storable(name) for name in sorted(environment)[:_MOST_VARIABLES]),
    )


def _started_by(ancestors: list[str], environment: Mapping[str, str], *, at_terminal: bool) -> StartedBy:
    """Pure: what started a process, by the names of its ancestors, the nearest first, and its variables."""
    if any(name.lower() in _CRON_DAEMONS for name in ancestors):
        return "cron"
    if at_terminal:
        return "terminal"
    return "systemd" if environment.get("INVOCATION_ID") and ancestors[:1] == ["systemd"] else "other"


def _ancestors() -> list[psutil.Process]:
    try:
        return psutil.Process().parents()
    except psutil.Error:
        return []


def _at_terminal() -> bool:
    return any(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))


def _folder() -> str:
    try:
        return os.getcwd()  # noqa: PTH109 - as text, whatever it is
    except OSError:  # it was removed meanwhile
        return ""
