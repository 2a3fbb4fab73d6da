"""What starts the sync on this host: crontabs, systemd timers, the cron daemon, the platform. Input alone."""

from __future__ import annotations

import getpass
import os
import re
import shlex
import stat
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

import psutil
from msgspec import Struct

from notion_pg_sync.commands.doctor.scheduling.command_line import Invocation, invocation_in, names_the_tool
from notion_pg_sync.commands.doctor.scheduling.crontab import Crontab, Entry, read_crontab
from notion_pg_sync.commands.doctor.scheduling.faults import FileFacts, faults_of
from notion_pg_sync.commands.doctor.scheduling.jobs import home_of, text_of
from notion_pg_sync.commands.doctor.scheduling.systemd import Timer, output_of, timers

# Debian's cron is `cron`; cronie, busybox and dcron are `crond`.
_DAEMONS = ("cron", "crond", "fcron", "supercronic")
_SPOOLS = ("var/spool/cron/crontabs", "var/spool/cron")
_LONGEST_SCRIPT = 64_000

# What tells that the process runs where something else than this host's cron starts it.
_PLATFORMS = {
    "KUBERNETES_SERVICE_HOST": "Kubernetes",
    "ECS_CONTAINER_METADATA_URI_V4": "Amazon ECS",
    "CLOUD_RUN_JOB": "Cloud Run",
    "GITHUB_ACTIONS": "GitHub Actions",
}


class CronFile(Struct, frozen=True):
    """A crontab; `place` is how people call it; `owner` is the user whose own it is, None for those of the system.

    `changed` is when it was last changed, None where this user may not see that.
    """

    place: str
    owner: str | None
    crontab: Crontab
    facts: FileFacts
    changed: datetime | None


class CronLine(Struct, frozen=True):
    """A crontab's line that syncs everything, or, where it `serves_requests`, what applications ask for.

    `invocation` is None where a script does so, or nobody can read it.
    """

    file: CronFile
    entry: Entry
    invocation: Invocation | None
    serves_requests: bool = False

    @property
    def place(self) -> str:
        """Where it stands."""
        return f"line {self.entry.line} of {self.file.place}"

    @property
    def user(self) -> str:
        """Whom it runs as."""
        return self.entry.user or self.file.owner or ""


class Schedule(Struct, frozen=True):
    """All that starts the sync here; apart from that, `looking`, what serves requests alone.

    `files` are the crontabs that have something to do with it; `lines` are what of them starts it: of files that cron
    reads or, where it reads none of them, of those that it leaves out. `unreadable` are crontabs that this user may not
    read; `daemon` is the name of the cron daemon that runs, `zone` its time zone; `platform` is one of those that start
    containers by their own schedule.
    """

    files: tuple[CronFile, ...]
    lines: tuple[CronLine, ...]
    timers: tuple[Timer, ...]
    looking: tuple[CronLine | Timer, ...]
    unreadable: tuple[str, ...]
    daemon: str | None
    platform: str | None
    zone: tzinfo


def look_for_schedule(environment: Mapping[str, str], root: Path = Path("/")) -> Schedule:
    """Reads what this user may read. `root` is the folder that stands for `/`."""
    unreadable: list[str] = []
    files = [*_own_crontabs(root), *_system_crontabs(root, unreadable)]
    daemon = running_daemon()
    lines = [line for file in files for line in _lines(file, root)]
    concerned = {line.file.place for line in lines}
    heeded = [line for line in lines if not faults_of(line.file.facts, line.file.crontab, daemon)]
    looking = [line for line in heeded or lines if line.serves_requests]
    starting = [line for line in heeded if not line.serves_requests]
    known_timers = list(timers()) if root == Path("/") else []
    return Schedule(
        files=tuple(file for file in files if file.place in concerned or _tries_to_name_the_tool(file.crontab)),
        lines=tuple(starting or [line for line in lines if not line.serves_requests]),
        timers=tuple(timer for timer in known_timers if not timer.invocation.serves_requests),
        looking=(*looking, *(timer for timer in known_timers if timer.invocation.serves_requests)),
        unreadable=tuple(unreadable),
        daemon=daemon,
        platform=next((name for variable, name in _PLATFORMS.items() if environment.get(variable)), None),
        zone=_zone(root),
    )


def running_daemon() -> str | None:
    """The name of the cron daemon that runs here, None where there is none."""
    names = {process.info["name"] for process in psutil.process_iter(["name"])}
    return next((name for name in _DAEMONS if name in names), None)


def is_in_container(root: Path = Path("/")) -> bool:
    """Whether Docker or Podman says that this is one of their containers."""
    return (root / ".dockerenv").exists() or (root / "run/.containerenv").exists()


def has_mail(root: Path = Path("/")) -> bool:
    """Whether cron could mail anything: this is the program that it calls."""
    return (root / "usr/sbin/sendmail").exists()


def _own_crontabs(root: Path) -> Iterator[CronFile]:
    """The crontab of this user; those of every user where this one may read them."""
    user = getpass.getuser()
    written = output_of(["crontab", "-l"]) if root == Path("/") else None
    seen = set()
    for folder in _SPOOLS:
        try:
            paths = sorted((root / folder).iterdir())
        except OSError:
            continue
        for path in paths:
            if path.is_file() and path.name not in seen and (text := text_of(path)) is not None:
                seen.add(path.name)
                mode, kept_by = stat.S_IMODE(path.stat().st_mode), _owner_of(path)
                yield _own_crontab(FileFacts("", path.name, mode, kept_by=kept_by), text, _changed(path))
    if written is not None and user not in seen:
        yield _own_crontab(FileFacts("", user, 0o600, kept_by=user), written, None)


def _own_crontab(facts: FileFacts, text: str, changed: datetime | None) -> CronFile:
    place = f"the crontab of {facts.owner}"
    return CronFile(place, facts.owner, read_crontab(text, with_user=False), facts, changed)


def _system_crontabs(root: Path, unreadable: list[str]) -> Iterator[CronFile]:
    folder = root / "etc/cron.d"
    drop_ins = sorted(path for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []
    for path in (root / "etc/crontab", *drop_ins):
        if not path.exists():
            continue
        place = f"/{path.relative_to(root)}"
        text = text_of(path)
        if text is None:
            unreadable.append(place)
            continue
        crontab = read_crontab(text, with_user=True)
        yield CronFile(place, None, crontab, _facts(path, place, crontab), _changed(path))


def _facts(path: Path, place: str, crontab: Crontab) -> FileFacts:
    users = {entry.user for entry in crontab.entries if entry.user}
    unknown = sorted(user for user in users if home_of(user) is None)
    return FileFacts(place, _owner_of(path), stat.S_IMODE(path.stat().st_mode), tuple(unknown))


def _changed(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _owner_of(path: Path) -> str:
    try:
        return path.owner()
    except KeyError:
        return f"user {path.stat().st_uid}"


def _lines(file: CronFile, root: Path) -> Iterator[CronLine]:
    for entry in file.crontab.entries:
        whole = f"{entry.user or ''} {entry.written}"
        if names_the_tool(whole):
            # As written: a % that ends the command too early is a fault of this line, not another line.
            if "sync-all" in whole:
                yield CronLine(file, entry, invocation_in(entry.command), serves_requests="--requested" in whole)
            continue
        texts = [text for script in _scripts(entry.command, root) if (text := _text_that_syncs(script))]
        if texts:
            syncing = [line for text in texts for line in text.splitlines() if "sync-all" in line]
            yield CronLine(file, entry, None, serves_requests=all("--requested" in line for line in syncing))


def _tries_to_name_the_tool(crontab: Crontab) -> bool:
    return any(names_the_tool(error.content) for error in crontab.errors)


def _scripts(command: str, root: Path) -> Iterator[Path]:
    """The files that a command names by their whole path; of a folder of run-parts those that it starts."""
    try:
        words = shlex.split(command)
    except ValueError:
        return
    for path in (root / word.rstrip(";").lstrip("/") for word in words if word.startswith("/")):
        if "run-parts" in words and path.is_dir():
            # run-parts(8): other names are left out without a word.
            yield from (file for file in sorted(path.iterdir()) if re.fullmatch(r"[A-Za-z0-9_-]+", file.name))
        else:
            yield path


def _text_that_syncs(script: Path) -> str | None:
    """The text of a script that starts the tool; None where it does not."""
    try:
        if not script.is_file() or not os.access(script, os.X_OK) or script.stat().st_size > _LONGEST_SCRIPT:
            return None
        text = script.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return text if text.startswith("#!") and names_the_tool(text) and "sync-all" in text else None


def _zone(root: Path) -> tzinfo:
    """The host's time zone, which is cron's, whatever TZ says here."""
    try:
        with (root / "etc/localtime").open("rb") as file:
            return ZoneInfo.from_file(file)
    except (OSError, ValueError):
        return UTC
