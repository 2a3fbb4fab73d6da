"""Asks PostgreSQL for the facts, all of one moment, and this machine for its processes; writes nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace

import psycopg

from notion_pg_sync.commands.status.facts import Facts, Key, gone_runs
from notion_pg_sync.commands.status.judgement import meant_by
from notion_pg_sync.core.errors import NothingAttemptedError
from notion_pg_sync.mirror import overview
from notion_pg_sync.mirror.connection import Connection, current_time, open_pool, transaction
from notion_pg_sync.mirror.migrations import check_version
from notion_pg_sync.mirror.overview import Database
from notion_pg_sync.mirror.row_counts import stored_rows_of_databases
from notion_pg_sync.mirror.tables import find_schema, find_tables
from notion_pg_sync.settings import SHOWN_RUNS
from notion_pg_sync.sync.run.process import is_alive, this_process

# How far back a trend goes, and for how many databases at once there is one.
TREND = 20
_MOST_TRENDS = 50
# `status` is to answer within a second.
_COUNTED_WITHIN_MS = 300


@dataclass(frozen=True)
class Question:
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
        async with open_pool(database_url, most_connections=1) as pool, transaction(pool) as connection:
            return await _told(connection, question)
    except psycopg.Error as error:
        said = error.diag.message_primary or "the connection was lost"
        raise NothingAttemptedError(
            f"the state could not be read from PostgreSQL ({said}): run 'notion-pg-sync doctor'."
        ) from error


async def _told(connection: Connection, question: Question) -> Facts:
    await overview.begin_snapshot(connection)
    await check_version(connection)
    schema = await find_schema(connection)
    if schema is None:
        raise NothingAttemptedError("there is no table user_settings: run 'notion-pg-sync init'.")
    facts = await read_facts(connection, schema, question)
    if not facts.users and not facts.databases and question.user_id is None:
        raise NothingAttemptedError("no user has connected Notion, so there is nothing to show: connect a user first.")
    return facts


async def read_facts(connection: Connection, schema: str, question: Question) -> Facts:
    """The facts, in a transaction that `begin_snapshot` began; `user_settings` lies in `schema`."""
    now = await current_time(connection)
    databases = await _with_rows_counted(connection, schema, question.user_id)
    open_runs = await overview.open_runs(connection)
    asked_for = _with_trend(databases, question)
    return Facts(
        now=now,
        users=tuple(await overview.read_users(connection, schema, question.user_id)),
        databases=tuple(databases),
        last_run=await overview.last_run(connection),
        runs=tuple(await overview.latest_runs(connection, max(question.runs, TREND))),
        open_runs=tuple(open_runs),
        gone=gone_runs(open_runs, now, this_process().machine, is_alive),
        own_failure=await overview.own_failure(connection),
        last_failures=tuple(await overview.past_syncs(connection, _retried(databases), most=1, only_failed=True)),
        past_syncs=tuple(await overview.past_syncs(connection, asked_for, max(question.runs, TREND))),
    )


async def _with_rows_counted(connection: Connection, schema: str, user_id: str | None) -> list[Database]:
    """The databases with as many rows as there are now, where that is soon counted; else as the last sync left them."""
    databases = await overview.read_databases(connection, user_id)
    tables = (await find_tables(connection, schema)).values()
    stored = await stored_rows_of_databases(connection, tables, user_id, within_ms=_COUNTED_WITHIN_MS)
    return [
        replace(one, rows=counted.there, rows_gone=counted.gone)
        if one.rows is not None and (counted := stored.get((one.user_id, one.database_id)))
        else one
        for one in databases
    ]


def _with_trend(databases: list[Database], question: Question) -> list[Key]:
    if not question.is_about_some:
        return []
    meant = meant_by(question.database, {one.database_id: one.name for one in databases})
    return [(one.user_id, one.database_id) for one in databases if one.database_id in meant][:_MOST_TRENDS]


def _retried(databases: list[Database]) -> list[Key]:
    """Databases that failed before and are being synced: their latest result says nothing yet."""
    return [
        (one.user_id, one.database_id) for one in databases if one.last_status == "running" and one.failures_in_a_row
    ]
