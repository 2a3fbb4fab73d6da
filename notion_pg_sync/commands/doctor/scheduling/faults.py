"""Why cron would leave a crontab out, and how to fix it. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import PurePosixPath

from msgspec import Struct

from notion_pg_sync.commands.doctor.scheduling.crontab import Crontab, harmless

CRONIE = "crond"


class FileFacts(Struct, frozen=True):
    """What cron looks at before it reads a crontab, and the users that the crontab names and nobody knows.

    `path` is empty for a user's own crontab; `owner` is the user's name whose it is, `kept_by` whose its file is.
    """

    path: str
    owner: str
    mode: int = 0o644
    unknown_users: tuple[str, ...] = ()
    kept_by: str = "root"


class Fault(Struct, frozen=True):
    """What is wrong with a crontab, and the command that fixes it; else what to do."""

    sentence: str
    fix: str = ""
    needs: str = ""


def faults_of(facts: FileFacts, crontab: Crontab, daemon: str | None) -> list[Fault]:
    """Everything for which the cron daemon leaves the whole crontab out; `daemon` is its process's name."""
    return [*_faults_of_file(facts, daemon), *_faults_of_text(facts, crontab)]


def edit(facts: FileFacts) -> str:
    """How to edit the crontab."""
    return f"sudoedit {shlex.quote(facts.path)}" if facts.path else f"sudo crontab -u {shlex.quote(facts.owner)} -e"


def _faults_of_file(facts: FileFacts, daemon: str | None) -> Iterator[Fault]:
    if not facts.path:
        if facts.kept_by not in (facts.owner, "root") or facts.mode != 0o600:
            seen = (
                f"its file belongs to {facts.kept_by} and has the mode {facts.mode:o}: cron wants {facts.owner} and 600"
            )
            yield Fault(seen, _written_again(facts.owner))
        return
    path = PurePosixPath(facts.path)
    quoted = shlex.quote(facts.path)
    if path.parent.name == "cron.d" and daemon != CRONIE and not re.fullmatch(r"[A-Za-z0-9_-]+", path.name):
        plain = path.with_name(re.sub(r"[^A-Za-z0-9_-]", "-", path.name))
        yield Fault(
            "Debian's cron reads only files whose names are letters, digits, - and _",
            f"sudo mv {quoted} {shlex.quote(str(plain))}",
        )
    if facts.owner != "root":
        yield Fault(f"it belongs to {facts.owner}, but must belong to root", f"sudo chown root: {quoted}")
    if facts.mode & 0o022:
        yield Fault(f"users other than its owner may write to it (mode {facts.mode:o})", f"sudo chmod 644 {quoted}")


def _written_again(owner: str, more: str = "") -> str:
    """Lets cron's own program write a user's crontab once more, with the right owner and mode."""
    whose = f"crontab -u {shlex.quote(owner)}"
    return f"sudo sh -c {shlex.quote(f'({whose} -l{more}) | {whose} -')}"


def _to_edit(facts: FileFacts, sentence: str) -> Fault:
    return Fault(sentence, needs=f"correct it there ({edit(facts)})")


def _faults_of_text(facts: FileFacts, crontab: Crontab) -> Iterator[Fault]:
    for error in crontab.errors:
        yield _to_edit(facts, f"line {error.line}: {error.sentence}")
    if crontab.ends_within_a_line:
        append = f"sudo sh -c {shlex.quote(f'echo >> {shlex.quote(facts.path)}')}"
        again = _written_again(facts.owner, "; echo")
        yield Fault("its last line does not end in a newline", append if facts.path else again)
    for user in facts.unknown_users:
        yield _to_edit(
            facts,
            f"{harmless(user)} is not a user of this host (the field before the command is the user to run it as)",
        )
