"""What stops a database's sync, as a code and a sentence for its record."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import psycopg
from psycopg import errors
from psycopg_pool import PoolTimeout

from notion_pg_sync.mirror.connection import PostgresError
from notion_pg_sync.mirror.leases import LeaseLostError
from notion_pg_sync.notion.errors import NotionError
from notion_pg_sync.notion.listing import ListingError
from notion_pg_sync.sync.rows.removing import HeldBackError
from notion_pg_sync.sync.run.context import UnfitTableError

LEASE_LOST = "lease_lost"
UNFIT_TABLE = "unfit_table"

# An administrator, a restart or a time limit ended the session.
_ENDED_SESSIONS = ("57P01", "57P02", "57P03", "57P05", "25P03", "08003", "08006")

_CODES: dict[type[Exception], str] = {
    HeldBackError: "removal_held_back",
    ListingError: "incomplete",
    UnfitTableError: UNFIT_TABLE,
    LeaseLostError: LEASE_LOST,
    PostgresError: "postgresql",
}

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
        case HeldBackError() | ListingError() | UnfitTableError() | LeaseLostError() | PostgresError():
            return Failure(_CODES[type(error)], str(error))
        case PoolTimeout():
            return Failure("postgresql", "PostgreSQL gave no connection in time: see whether it is up and has room.")
        case psycopg.OperationalError() if error.sqlstate is None or error.sqlstate in _ENDED_SESSIONS:
            return Failure(
                "postgresql", "the connection to PostgreSQL was lost: see whether it is up; the next run carries on."
            )
        case errors.DeadlockDetected() | errors.SerializationFailure():
            return Failure(
                error.sqlstate or "postgresql",
                f"other sessions changed the same rows again and again ({_said(error)}): see in pg_stat_activity which "
                "write so much; the next run carries on.",
            )
        case errors.QueryCanceled() | errors.LockNotAvailable():
            return Failure(
                error.sqlstate or "postgresql",
                f"PostgreSQL gave up a statement ({_said(error)}): see in pg_stat_activity which session holds a lock "
                "for long, and end it; the next run carries on.",
            )
        case errors.DiskFull():
            return Failure(
                error.sqlstate or "postgresql",
                f"PostgreSQL's disk is full ({_said(error)}): make room there; the next run carries on.",
            )
        case errors.StringDataRightTruncation():
            return Failure(
                error.sqlstate or "postgresql",
                f"a column of the sync table is too narrow ({_said(error)}): 'notion-pg-sync init' names it.",
            )
        case psycopg.Error():
            return Failure(error.sqlstate or "postgresql", f"PostgreSQL refused a statement: {_said(error)}.")
        case _:
            log.debug("a fault of notion-pg-sync", exc_info=error)
            return Failure(
                "internal",
                f"notion-pg-sync met a fault of its own ({type(error).__name__}): run it with -vv, and report what "
                "it says.",
            )


def _said(error: psycopg.Error) -> str:
    return (error.diag.message_primary or type(error).__name__).rstrip(".")
