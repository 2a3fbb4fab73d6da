"""What a check of `doctor` is, and what it finds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from notion_pg_sync.mirror.connection import Pool
from notion_pg_sync.settings import Settings


class Verdict(StrEnum):
    """How a link between cron and the rows is, the best first."""

    WELL = "well"
    SKIPPED = "skipped"
    WARNING = "warning"
    BROKEN = "broken"


@dataclass(frozen=True)
class Finding:
    """What a check saw, in a sentence, and how to mend it: the command or SQL to type, empty when nothing is to do."""

    verdict: Verdict
    seen: str
    mend: str = ""


@dataclass
class Examination:
    """What the checks work with. A check that finds out what later ones need puts it here.

    `environment` is that of the process; `user_id` limits the examination to one user; `schema` is where
    `user_settings` lies.
    """

    settings: Settings
    environment: Mapping[str, str] = field(repr=False)
    user_id: str | None = None
    pool: Pool | None = None
    schema: str | None = None


@dataclass(frozen=True)
class Check:
    """One link: `needs` names the checks without which it cannot be tried."""

    name: str
    section: str
    run: Callable[[Examination], Awaitable[list[Finding]]]
    needs: tuple[str, ...] = ()
