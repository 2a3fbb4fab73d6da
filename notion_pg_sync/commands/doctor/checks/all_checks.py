"""Every check of `doctor`, PostgreSQL first, on which the others stand."""

from __future__ import annotations

from notion_pg_sync.commands.doctor.checks.accounts import ACCOUNT_CHECKS
from notion_pg_sync.commands.doctor.checks.check import Check
from notion_pg_sync.commands.doctor.checks.exclusions import EXCLUSION_CHECKS
from notion_pg_sync.commands.doctor.checks.files import FILE_CHECKS
from notion_pg_sync.commands.doctor.checks.history import HISTORY_CHECKS
from notion_pg_sync.commands.doctor.checks.mirrored_tables import MIRRORED_TABLE_CHECKS
from notion_pg_sync.commands.doctor.checks.notion import NOTION_CHECKS
from notion_pg_sync.commands.doctor.checks.older_setup import OLDER_SETUP_CHECKS
from notion_pg_sync.commands.doctor.checks.openings import OPENING_CHECKS
from notion_pg_sync.commands.doctor.checks.postgres import POSTGRES_CHECKS
from notion_pg_sync.commands.doctor.checks.readers import READER_CHECKS
from notion_pg_sync.commands.doctor.checks.row_security import ROW_SECURITY_CHECKS
from notion_pg_sync.commands.doctor.checks.runs import RUN_CHECKS
from notion_pg_sync.commands.doctor.checks.scheduling import SCHEDULING_CHECKS
from notion_pg_sync.commands.doctor.checks.sync_tables import SYNC_TABLE_CHECKS
from notion_pg_sync.commands.doctor.checks.webhooks import WEBHOOK_CHECKS

ALL_CHECKS: tuple[Check, ...] = (
    *POSTGRES_CHECKS,
    *ROW_SECURITY_CHECKS,
    *READER_CHECKS,
    *SYNC_TABLE_CHECKS,
    *OPENING_CHECKS,
    *ACCOUNT_CHECKS,
    *NOTION_CHECKS,
    *MIRRORED_TABLE_CHECKS,
    *EXCLUSION_CHECKS,
    *HISTORY_CHECKS,
    *FILE_CHECKS,
    *RUN_CHECKS,
    *WEBHOOK_CHECKS,
    *OLDER_SETUP_CHECKS,
    *SCHEDULING_CHECKS,
)
