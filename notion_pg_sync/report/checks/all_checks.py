"""Every check of `doctor`, in the order in which a row's way goes: from PostgreSQL to cron."""

from __future__ import annotations

from notion_pg_sync.report.checks.check import Check
from notion_pg_sync.report.checks.postgres import POSTGRES_CHECKS
from notion_pg_sync.report.checks.scheduling import SCHEDULING_CHECKS

ALL_CHECKS: tuple[Check, ...] = (
    *POSTGRES_CHECKS,
    *SCHEDULING_CHECKS,
)
