"""Pure: what was judged alike, and for how long it has been so, in the words of both `status` and `doctor`."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import datetime

from notion_pg_sync.commands.status.judgement import DatabaseHealth
from notion_pg_sync.commands.status.words import ago, since, until
from notion_pg_sync.core.health import Condition
from notion_pg_sync.core.wording import times


def judged_alike(
    findings: Iterable[DatabaseHealth], alike: Callable[[DatabaseHealth], Hashable] = lambda _: None
) -> list[list[DatabaseHealth]]:
    """Those of one condition and reason together, in their order; `alike`: what else they have to share."""
    together: dict[Hashable, list[DatabaseHealth]] = {}
    for one in findings:
        together.setdefault((one.condition, one.reason, alike(one)), []).append(one)
    return list(together.values())


def of_one_cause(findings: Iterable[DatabaseHealth]) -> list[list[DatabaseHealth]]:
    """Those that one thing is the matter with together, whatever their reasons name, in their order."""
    together: dict[Hashable, list[DatabaseHealth]] = {}
    for one in findings:
        together.setdefault((one.condition, one.cause or one.reason), []).append(one)
    return list(together.values())


def how_long(together: Sequence[DatabaseHealth], now: datetime) -> str:
    """For how long it has been so, and how often in a row, as it follows the condition; empty where it is not known."""
    earliest = min((one.since for one in together if one.since), default=None)
    if earliest is None:
        return ""
    if together[0].condition is Condition.STALE:
        return f", {'the oldest ' if len(together) > 1 else ''}as of {ago(earliest, now)}"
    often = max(one.failures for one in together)
    next_try = min((one.next_try_at for one in together if one.next_try_at), default=None)
    return "".join(
        [
            f", for {since(earliest, now)}",
            f", {times(often)}" if often > 1 else "",
            f", next try in {until(next_try, now)}" if next_try else "",
        ]
    )
