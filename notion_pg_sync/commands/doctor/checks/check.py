"""What a check of `doctor` is, and what it finds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from notion_pg_sync.commands.doctor.scheduling.found import Schedule
from notion_pg_sync.commands.status.facts import Facts
from notion_pg_sync.mirror.accounts import Account
from notion_pg_sync.mirror.connection import Pool
from notion_pg_sync.settings import Settings


class Verdict(StrEnum):
    """How a link between cron and the rows is, the best first."""

    OK = "ok"
    SKIPPED = "skipped"
    WARNING = "warning"
    BROKEN = "broken"


@dataclass(frozen=True)
class Finding:
    """What a check saw, in a sentence, and how to fix it: the command or SQL to type, empty when nothing is to do."""

    verdict: Verdict
    message: str
    fix: str = ""


def ok(message: str) -> Finding:
    """A link that holds."""
    return Finding(Verdict.OK, message)


def skipped(why: str) -> Finding:
    """A link that was not tried."""
    return Finding(Verdict.SKIPPED, why)


def warning(message: str, fix: str) -> Finding:
    """Something that works today and may not tomorrow, or works in a way that nobody wants."""
    return Finding(Verdict.WARNING, message, fix)


def broken(message: str, fix: str) -> Finding:
    """A link that does not hold."""
    return Finding(Verdict.BROKEN, message, fix)


@dataclass
class Examination:
    """What the checks work with. A check that finds out what later ones need puts it here.

    `environment` is that of the process; `user_id` limits the examination to one user; `schema` is where
    `user_settings` lies, and `accounts` its rows, as far as they are examined; `accepted` are the users whose tokens
    Notion accepts; `facts` are what `status` knows; `no_postgres` says why there is no PostgreSQL to connect to, where
    that is known before; `embedded_in` is the folder of the embedded PostgreSQL, where that is the one; what checks
    open goes to `resources`, and is closed when the examination ends.
    """

    settings: Settings
    environment: Mapping[str, str] = field(repr=False)
    resources: AsyncExitStack
    user_id: str | None = None
    no_postgres: str | None = None
    embedded_in: Path | None = None
    opened: Pool | None = None
    schema: str = ""
    accounts: Sequence[Account] = ()
    accepted: frozenset[str] = frozenset()
    facts: Facts | None = None
    schedule: Schedule | None = None

    @property
    def pool(self) -> Pool:
        """Connections to PostgreSQL; for checks that need `REACHABLE`."""
        if self.opened is None:
            raise RuntimeError("a check that uses PostgreSQL needs REACHABLE")
        return self.opened


@dataclass(frozen=True)
class Check:
    """One link; `needs` are the checks without which it cannot be tried."""

    name: str
    section: str
    run: Callable[[Examination], Awaitable[list[Finding]]]
    needs: tuple[Check, ...] = ()
