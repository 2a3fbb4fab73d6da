"""What stops a database's sync, as a code and a sentence for its record."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path

import psycopg
from msgspec import Struct
from psycopg import errors
from psycopg_pool import PoolTimeout

import notion_pg_sync
from notion_pg_sync.core.errors import ErrorCode, ToolError
from notion_pg_sync.mirror.lock_holders import HeldLockError

# An administrator, a restart or a time limit ended the session.
_ENDED_SESSIONS = ("57P01", "57P02", "57P03", "57P05", "25P03", "25P04", "08003", "08006")

_PACKAGE = Path(notion_pg_sync.__file__).parent

log = logging.getLogger(__name__)


class Failure(Struct, frozen=True):
    """`code` for programs, `sentence` for people; neither holds a token or content of a row.

    `is_internal`: it is a fault of the tool's own.
    """

    code: str
    sentence: str
    is_internal: bool = False


def logged_failure(error: Exception) -> Failure:
    """The same as `failure_of`, where the error goes no further: a fault of the tool's own is logged, with its trace.

    The log is on stderr whatever was asked for (`commands.output.logs`), or nobody could fix what fails under cron.
    """
    failure = failure_of(error)
    if failure.is_internal:
        log.error("%s", failure.sentence, exc_info=error)
    return failure


def failure_of(error: Exception) -> Failure:
    """What `error` means to whoever reads the record."""
    match error:
        case ToolError():
            return Failure(error.code, str(error))
        case PoolTimeout() | errors.QueryCanceled() | errors.LockNotAvailable() if isinstance(
            error.__cause__, HeldLockError
        ):
            return Failure(error.sqlstate or ErrorCode.POSTGRESQL, str(error.__cause__))
        case PoolTimeout():
            return Failure(
                ErrorCode.POSTGRESQL, "no connection to PostgreSQL in time: check that it is up and has one free."
            )
        case psycopg.Error() if is_lost(error):
            return Failure(
                ErrorCode.POSTGRESQL,
                "the connection to PostgreSQL was lost: check that it is up; the next run tries again.",
            )
        case errors.DeadlockDetected() | errors.SerializationFailure():
            return Failure(
                error.sqlstate or ErrorCode.POSTGRESQL,
                f"other sessions kept changing the same rows ({_said(error)}): look in pg_stat_activity which "
                "write so much; the next run tries again.",
            )
        case errors.QueryCanceled() | errors.LockNotAvailable():
            return Failure(
                error.sqlstate or ErrorCode.POSTGRESQL,
                f"PostgreSQL cancelled a statement ({_said(error)}): look in pg_stat_activity which session holds a "
                "lock for long, and end it; the next run tries again.",
            )
        case errors.DiskFull():
            return Failure(
                error.sqlstate or ErrorCode.POSTGRESQL,
                f"PostgreSQL's disk is full ({_said(error)}): free some space there; the next run tries again.",
            )
        case errors.StringDataRightTruncation():
            return Failure(
                error.sqlstate or ErrorCode.POSTGRESQL,
                f"a column of the sync table is too narrow ({_said(error)}): 'notion-pg-sync init' names it.",
            )
        case errors.UndefinedTable() | errors.UndefinedColumn() | errors.InvalidSchemaName() if not error.diag.context:
            return Failure(
                error.sqlstate or ErrorCode.POSTGRESQL,
                f"something that the tool needs was dropped or renamed ({_said(error)}): run 'notion-pg-sync init', "
                "which brings back what is missing.",
            )
        case psycopg.Error():
            return Failure(error.sqlstate or ErrorCode.POSTGRESQL, f"PostgreSQL refused a statement: {_said(error)}.")
        case _:
            return Failure(
                ErrorCode.INTERNAL,
                f"internal error ({_place_of(error)}): report it, with the traceback that is on stderr.",
                is_internal=True,
            )


def is_lost(error: psycopg.Error) -> bool:
    """Whether the session ended in the midst of it. What a time limit ends so is no OperationalError to psycopg."""
    is_unanswered = isinstance(error, psycopg.OperationalError) and error.sqlstate is None
    return is_unanswered or error.sqlstate in _ENDED_SESSIONS


def _place_of(error: BaseException) -> str:
    """What the error is, and the innermost line of the tool's own code that it came through."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    name = type(error).__name__
    for frame, line in reversed([*traceback.walk_tb(error.__traceback__)]):
        file = Path(frame.f_code.co_filename)
        if file.is_relative_to(_PACKAGE):
            return f"{name} at {file.relative_to(_PACKAGE.parent)}:{line} in {frame.f_code.co_name}"
    return name


def _said(error: psycopg.Error) -> str:
    return (error.diag.message_primary or type(error).__name__).rstrip(".")
