"""The history: how large it is, and whose is switched off."""

from __future__ import annotations

import humanize

from notion_pg_sync.commands.doctor.checks.check import Check, Examination, Finding, ok
from notion_pg_sync.commands.doctor.checks.postgres import INITIALISED
from notion_pg_sync.core.wording import plural
from notion_pg_sync.mirror.history import HistorySize, count_without_history, history_size


async def _history(examination: Examination) -> list[Finding]:
    size = await examination.ask(history_size)
    off = await examination.ask(count_without_history)
    return [ok(history_told(size, off))]


def history_told(size: HistorySize, without: int) -> str:
    """Pure: how large the history is, and how many data sources are `without`, in a sentence."""
    kept = f"{plural(size.changes, 'change is', 'changes are')} kept ({humanize.naturalsize(size.bytes)})"
    return f"{kept}; it is switched off for {plural(without, 'data source')}" if without else kept


HISTORY_CHECKS = (Check("history", "Sync tables", _history, needs=(INITIALISED,)),)
