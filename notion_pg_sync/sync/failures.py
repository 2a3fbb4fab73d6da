"""What stops a database's sync, as a code and a sentence for its record."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import psycopg
from psycopg_pool import PoolTimeout

from notion_pg_sync.mirror.leases import LeaseLostError
from notion_pg_sync.notion.errors import NotionError
from notion_pg_sync.notion.listing import ListingError
from notion_pg_sync.sync.removing import HeldBackError

LEASE_LOST = "lease_lost"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Failure:
    """`code` for programs, `sentence` for people; neither holds a token or content of a row."""

    code: str
    sentence: str


def failure_of(error: Exception) -> Failure:
    """What `error` means to whoever reads the record."""
    match error:
        case NotionError():
            return Failure(error.code, str(error))
        case HeldBackError():
            return Failure("removal_held_back", str(error))
        case ListingError():
            return Failure("incomplete", str(error))
        case LeaseLostError():
            return Failure(LEASE_LOST, str(error))
        case PoolTimeout():
            return Failure("postgresql", "PostgreSQL gave no connection in time: see whether it is up and has room.")
        case psycopg.OperationalError() if error.sqlstate is None:
            return Failure(
                "postgresql", "the connection to PostgreSQL was lost: see whether it is up; the next run carries on."
            )
        case psycopg.Error():
            said = error.diag.message_primary or type(error).__name__
            return Failure(error.sqlstate or "postgresql", f"PostgreSQL refused a statement: {said}.")
        case _:
            log.debug("a fault of notion-pg-sync", exc_info=error)
            return Failure(
                "internal",
                f"notion-pg-sync met a fault of its own ({type(error).__name__}): run it with -vv, and report what "
                "it says.",
            )
