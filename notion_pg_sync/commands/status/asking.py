"""Asks PostgreSQL for the facts, all of one moment, and this machine for its processes; writes nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

import psycopg
from msgspec import Struct
from msgspec.structs import replace
from psycopg import errors

from notion_pg_sync.commands.status.facts import Facts, Key, gone_runs
from notion_pg_sync.commands.status.judgement import meant_by
from notion_pg_sync.core.databases import ConfiguredDatabase
from notion_pg_sync.core.errors import NothingAttemptedError
from notion_pg_sync.core.wording import ended, some
from notion_pg_sync.mirror import overview
from notion_pg_sync.mirror.accounts import AccountError
from notion_pg_sync.mirror.connection import WAITED_IN_VAIN, Connection, current_time, open_connection
from notion_pg_sync.mirror.files import file_totals
from notion_pg_sync.mirror.history import history_size
from notion_pg_sync.mirror.jobs import paused_jobs
from notion_pg_sync.mirror.lock_holders import LockWatch, said_of
from notion_pg_sync.mirror.looks import NO_DEMAND, read_demand
from notion_pg_sync.mirror.migrations import check_version
from notion_pg_sync.mirror.overview import Database
from notion_pg_sync.mirror.read_only import why_read_only
from notion_pg_sync.mirror.retyped_columns import retyped_columns
from notion_pg_sync.mirror.row_counts import StoredRows, stored_rows_of_databases
from notion_pg_sync.mirror.tables import find_schema, find_tables
from notion_pg_sync.settings import SHOWN_RUNS

# How far back a trend goes, and for how many databases at once there is one.
TREND = 20
_MOST_TRENDS = 50
# Each takes milliseconds where nobody is in the way.
_LONGEST_STATEMENT_SECONDS = 10.0
# `status` is to answer within a second.
_COUNTED_WITHIN_MS = 300

Part = TypeVar("Part")


class Question(Struct, frozen=True):
    """What was asked for: everything, or a user's, or the databases of one name, id or link; and how many runs."""

    user_id: str | None = None
    database: str | None = None
    runs: int = SHOWN_RUNS

    @property
    def is_about_some(self) -> bool:
        """Whether it is not about everything."""
        return self.user_id is not None or self.database is not None


async def ask(database_url: str, question: Question) -> Facts:
    """The facts. Raises `PostgresError` and `NothingAttemptedError` where there are none to be had."""
    try:
        async with (
            open_connection(database_url, statement_seconds=_LONGEST_STATEMENT_SECONDS) as connection,
            connection.transaction(),
        ):
            return await _told(connection, question)
    except psycopg.Error as error:
        raise NothingAttemptedError(
            f"the state could not be read from PostgreSQL ({_said(error)}): run 'notion-pg-sync doctor'."
        ) from error


async def _told(connection: Connection, question: Question) -> Facts:
    await overview.begin_snapshot(connection)
    await check_version(connection)
    schema = await find_schema(connection)
    if schema is None:
        raise NothingAttemptedError("there is no table user_settings: run 'notion-pg-sync init'.")
    facts = await read_facts(connection, schema, question)
    is_empty = not (facts.users or facts.databases or facts.is_partial)
    if is_empty and question.user_id is None:
        raise NothingAttemptedError(
            "no user has connected Notion, so there is nothing to show: "
            "connect a user first ('notion-pg-sync connect')."
        )
    return facts


class _Reading:
    """Reads part after part; what cannot be read is an obstacle, and the next part is read all the same."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._unread: dict[str, list[str]] = {}

    @property
    def obstacles(self) -> tuple[str, ...]:
        """What is in the way, a sentence for each cause, with all that it is in the way of."""
        return tuple(
            f"{some(list(dict.fromkeys(what)))} could not be read{why}" if what else why
            for why, what in self._unread.items()
        )

    def add(self, obstacle: str) -> None:
        """Takes in a whole sentence."""
        self._unread.setdefault(obstacle, [])

    async def read(self, what: str, part: Awaitable[Part]) -> Part | None:
        """What `part` reads, in a savepoint; None where that cannot be. `what` it is, for the sentence."""
        watch = LockWatch(self._connection.lock_holders, overview.LOCKS_AWAITED_SECONDS)
        try:
            async with self._connection.transaction():
                return await part
        except WAITED_IN_VAIN as error:
            why = said_of(watch.holders) if watch.holders else f"{_said(error)}: run 'notion-pg-sync doctor'"
            self._unread.setdefault(f" in time: {ended(why)}", []).append(what)
        except (errors.SyntaxErrorOrAccessRuleViolation, errors.DataError) as error:
            self._unread.setdefault(f" ({_said(error)}): run 'notion-pg-sync doctor'.", []).append(what)
        except AccountError as error:
            self.add(str(error))
        finally:
            await watch.end()
        return None


async def read_facts(connection: Connection, schema: str, question: Question) -> Facts:
    """The facts, in a transaction that `begin_snapshot` began; `user_settings` lies in `schema`."""
    now = await current_time(connection)
    reading = _Reading(connection)
    read_only = await reading.read("the server's state", why_read_only(connection.cursor()))
    if read_only and read_only.is_everywhere:
        reading.add(f"nothing can be synced: {read_only.sentence}")
    users = await reading.read(f"{schema}.user_settings", overview.read_users(connection, schema, question.user_id))
    recorded = await reading.read("notion_sync", overview.read_databases(connection, question.user_id))
    stored = await reading.read("the sync tables", _stored_rows(connection, schema, question.user_id))
    databases = None if recorded is None else _with_rows_counted(recorded, stored or {})
    open_runs = await reading.read("the record of runs", overview.open_runs(connection)) or []
    most = max(question.runs, TREND)
    return Facts(
        now=now,
        users=tuple(users or ()),
        databases=tuple(databases or ()),
        last_run=await reading.read("the record of runs", overview.last_run(connection)),
        runs=tuple(await reading.read("the record of runs", overview.latest_runs(connection, most)) or ()),
        open_runs=tuple(open_runs),
        gone=_gone(open_runs, now),
        own_failure=await reading.read("the record of runs", overview.own_failure(connection)),
        last_failures=tuple(
            await reading.read(
                "the record of syncs",
                overview.past_syncs(connection, _retried(databases or []), most=1, only_failed=True),
            )
            or ()
        ),
        past_syncs=tuple(
            await reading.read(
                "the record of syncs", overview.past_syncs(connection, _with_trend(databases or [], question), most)
            )
            or ()
        ),
        retyped=tuple(
            column
            for column in await reading.read("the columns of typed views", retyped_columns(connection)) or ()
            if column.is_shown_as_text and question.user_id in (None, column.user_id)
        ),
        paused=await reading.read("the record of jobs", paused_jobs(connection)) or frozenset(),
        demand=await reading.read("what is asked for", read_demand(connection)) or NO_DEMAND,
        history=await reading.read("the history", history_size(connection)),
        files=await reading.read("the files", file_totals(connection, question.user_id)),
        obstacles=reading.obstacles,
        is_partial=users is None or databases is None,
    )


def _gone(open_runs: Sequence[overview.Run], now: datetime) -> frozenset[int]:
    if not open_runs:
        return frozenset()
    from notion_pg_sync.sync.run.process import is_alive, this_process  # noqa: PLC0415 - only where needed

    return gone_runs(open_runs, now, this_process().machine, is_alive)


def _said(error: psycopg.Error) -> str:
    return error.diag.message_primary or "the connection was lost"


async def _stored_rows(connection: Connection, schema: str, user_id: str | None) -> Mapping[Key, StoredRows]:
    tables = (await find_tables(connection, schema)).values()
    return await stored_rows_of_databases(connection, tables, user_id, within_ms=_COUNTED_WITHIN_MS)


def _with_rows_counted(databases: list[Database], stored: Mapping[Key, StoredRows]) -> list[Database]:
    """The databases with as many rows as there are now, where that was counted; else as the last sync left them."""
    return [
        replace(one, rows=counted.there, rows_gone=counted.gone)
        if one.rows is not None and (counted := stored.get((one.user_id, one.database_id)))
        else one
        for one in databases
    ]


def _with_trend(databases: list[Database], question: Question) -> list[Key]:
    if not question.is_about_some:
        return []
    candidates = [ConfiguredDatabase(one.name, one.database_id, title=one.title) for one in databases]
    meant = meant_by(question.database, candidates)
    return [(one.user_id, one.database_id) for one in databases if one.database_id in meant][:_MOST_TRENDS]


def _retried(databases: list[Database]) -> list[Key]:
    """Databases that failed before and are being synced: their latest result says nothing yet."""
    return [
        (one.user_id, one.database_id) for one in databases if one.last_status == "running" and one.failures_in_a_row
    ]
