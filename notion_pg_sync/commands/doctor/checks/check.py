"""What a check of `doctor` is, and what it finds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from msgspec import Struct

from notion_pg_sync.commands.doctor.scheduling.found import Schedule
from notion_pg_sync.commands.status.facts import Facts
from notion_pg_sync.core.errors import ToolError
from notion_pg_sync.mirror.accounts import Account
from notion_pg_sync.mirror.connection import Connection, Pool, transaction
from notion_pg_sync.mirror.runs import ScheduledRun
from notion_pg_sync.settings import Settings

Answer = TypeVar("Answer")


class Verdict(StrEnum):
    """How a link between cron and the rows is, the best first."""

    OK = "ok"
    SKIPPED = "skipped"
    WARNING = "warning"
    BROKEN = "broken"


# What a finding is about: a user, a database of theirs (with its name), the schedule; or, empty, everything.
Subject = tuple[str, ...]
EVERYTHING: Subject = ()
SCHEDULE: Subject = ("", "the schedule")


class Finding(Struct, frozen=True):
    """What a check saw, in a sentence, and what to do about it.

    `fix` is what heals it, typed as it stands: lines for a shell, or statements of SQL, each with its semicolon. Where
    a person has to decide, or to supply a value that only they know, `needs` says what, and there is no fix. `look` is
    what to type to find out more. `concerns` is what it is about, as far as other findings may follow from it;
    those of one check and one `kind` are one cause.
    """

    verdict: Verdict
    message: str
    fix: str = ""
    needs: str = ""
    look: str = ""
    concerns: frozenset[Subject] = frozenset()
    kind: str = ""

    @property
    def is_trouble(self) -> bool:
        """Whether something is to be done about it."""
        return self.verdict in (Verdict.WARNING, Verdict.BROKEN)


def ok(message: str) -> Finding:
    """A link that holds."""
    return Finding(Verdict.OK, message)


def skipped(why: str) -> Finding:
    """A link that was not tried."""
    return Finding(Verdict.SKIPPED, why)


def warning(message: str, fix: str = "", *concerns: Subject, needs: str = "", look: str = "") -> Finding:
    """Something that works today and may not tomorrow, or works in a way that nobody wants."""
    return Finding(Verdict.WARNING, message, fix, needs, look, frozenset(concerns))


def broken(message: str, fix: str = "", *concerns: Subject, needs: str = "", look: str = "") -> Finding:
    """A link that does not hold."""
    return Finding(Verdict.BROKEN, message, fix, needs, look, frozenset(concerns))


def of_error(error: ToolError, *concerns: Subject, whose: str = "", look: str = "") -> Finding:
    """A link that does not hold for an error, which says first what is wrong, then what to do."""
    message = str(error).strip().rstrip(".")
    needs = error.needs
    if not error.fix:
        message, needs = (message.removesuffix(f": {needs}"), needs) if needs else _halves(message)
    return broken(f"{whose}{message}", error.fix, *concerns, needs=needs, look=error.look or look)


def _halves(sentence: str) -> tuple[str, str]:
    seen, _, advice = sentence.rpartition(": ")
    return (seen, advice) if seen else (sentence, "see what is wrong there, then run doctor again")


@dataclass
class Examination:
    """What the checks work with. A check that finds out what later ones need puts it here.

    `environment` is that of the process; `user_id` limits the examination to one user; `schema` is where
    `user_settings` lies, and `accounts` its rows, as far as they are examined; `accepted` are the users whose tokens
    Notion accepts; `facts` are what `status` knows; `no_postgres` says why there is no PostgreSQL to connect to, where
    that is known before; what checks open goes to `resources`, and is closed when the examination ends.
    """

    settings: Settings
    environment: Mapping[str, str] = field(repr=False)
    resources: AsyncExitStack
    user_id: str | None = None
    no_postgres: str | None = None
    opened: Pool | None = None
    schema: str = ""
    accounts: Sequence[Account] = ()
    accepted: frozenset[str] = frozenset()
    facts: Facts | None = None
    schedule: Schedule | None = None
    scheduled_runs: Sequence[ScheduledRun] | None = None

    @property
    def pool(self) -> Pool:
        """Connections to PostgreSQL; for checks that need `REACHABLE`."""
        if self.opened is None:
            raise RuntimeError("a check that uses PostgreSQL needs REACHABLE")
        return self.opened

    async def ask(self, question: Callable[[Connection], Awaitable[Answer]]) -> Answer:
        """What PostgreSQL answers to one question, in a transaction of its own; for checks that need `REACHABLE`."""
        async with transaction(self.pool) as connection:
            return await question(connection)


class Check(Struct, frozen=True):
    """One link; `needs` are the checks without which it cannot be tried.

    `depth`: what it finds may follow from what checks of a smaller one find.
    """

    name: str
    section: str
    run: Callable[[Examination], Awaitable[list[Finding]]]
    needs: tuple[Check, ...] = ()
    depth: int = 0
