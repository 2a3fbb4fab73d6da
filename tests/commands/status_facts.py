"""Rows as `status` reads them, made by hand: healthy unless told otherwise."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from notion_pg_sync.commands.status.facts import Facts
from notion_pg_sync.mirror.jobs import SYNC_ALL
from notion_pg_sync.mirror.overview import Database, PastSync, Run, User

NOW = datetime(2026, 3, 11, 3, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def database_id(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012}"


def a_database(user_id: str = "anna", number: int = 1, **changes: Any) -> Database:
    healthy = Database(
        user_id=user_id,
        database_id=database_id(number),
        name=f"Database {number}",
        found_by_search=False,
        last_runid=7,
        last_mode="full",
        last_status="succeeded",
        last_rows_read=40,
        last_requests=3,
        last_seconds=0.4,
        last_error_code=None,
        last_message="40 rows read, nothing changed.",
        last_started_at=NOW - 5 * MINUTE,
        last_ended_at=NOW - 5 * MINUTE,
        last_succeeded_at=NOW - 5 * MINUTE,
        failing_since=None,
        failures_in_a_row=0,
        suspended_since=None,
        next_try_at=None,
        lease_runid=None,
        rate_limited_until=None,
        rows=40,
        fresh_as_of=NOW - 5 * MINUTE,
        full_as_of=NOW - 5 * MINUTE,
        held_back=0,
    )
    return replace(healthy, **changes)


def failing(**changes: Any) -> dict[str, Any]:
    """What a database that failed three times is like."""
    return {
        "last_status": "failed",
        "last_error_code": "unauthorized",
        "last_message": "Notion does not accept the token.",
        "failing_since": NOW - 2 * HOUR,
        "failures_in_a_row": 3,
        **changes,
    }


def a_run(runid: int = 7, **changes: Any) -> Run:
    ended = Run(
        runid=runid,
        job=SYNC_ALL.name,
        status="succeeded",
        message="1 of 1 database of 1 user synced.",
        started_at=NOW - 5 * MINUTE,
        ended_at=NOW - 4 * MINUTE,
        host="mill",
        machine="mill since 1",
        pid=4711,
        process_started_at=1.0,
        heartbeat_at=NOW - 4 * MINUTE,
    )
    return replace(ended, **changes)


def an_open_run(runid: int = 8, **changes: Any) -> Run:
    return a_run(runid, **{"status": "running", "message": None, "ended_at": None, "heartbeat_at": NOW, **changes})


def a_past_sync(runid: int, **changes: Any) -> PastSync:
    ended = PastSync(
        runid=runid,
        user_id="anna",
        database_id=database_id(1),
        database_name="Database 1",
        mode="full",
        status="succeeded",
        rows_read=40,
        requests=3,
        seconds=0.4,
        message="40 rows read, nothing changed.",
        started_at=NOW - 5 * MINUTE,
        ended_at=NOW - 5 * MINUTE,
    )
    return replace(ended, **changes)


def facts(*databases: Database, **changes: Any) -> Facts:
    """Facts in which every database is configured, unless `users` says otherwise."""
    configured: dict[str, dict[str, str]] = {}
    for one in databases:
        configured.setdefault(one.user_id, {})[one.name] = one.database_id
    users = tuple(User(user_id, True, named, True, NOW) for user_id, named in configured.items())
    return replace(Facts(NOW, users, databases, last_run=a_run(), runs=(a_run(),)), **changes)
