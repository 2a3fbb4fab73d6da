"""Everything that the screen shows, for programs: docs/json-output.md describes it."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import asdict

from notion_pg_sync.commands.status.facts import Facts
from notion_pg_sync.commands.status.judgement import DatabaseHealth, Judgement, headline
from notion_pg_sync.mirror.overview import Database, PastSync, Run
from notion_pg_sync.mirror.retyped_columns import RetypedColumn

# By the finding, and by what is running.
_SAID_OTHERWISE = ("user_id", "database_id", "name", "lease_runid", "rate_limited_until")


def status_as_json(facts: Facts, judgement: Judgement, *, max_age: timedelta, runs: int) -> dict[str, object]:
    """The status as JSON: times in ISO 8601 with their zone, durations in seconds; `runs`: how many of the latest."""
    return {
        "ok": judgement.exit_code == 0,
        "exit_code": judgement.exit_code,
        "health": judgement.health.word,
        "headline": headline(judgement, facts.now),
        "time": _iso(facts.now),
        "edits_as_of": _iso(judgement.edits_as_of),
        "deletions_as_of": _iso(judgement.deletions_as_of),
        "max_age_seconds": max_age.total_seconds(),
        "not_fresh": [_finding(one) for one in judgement.not_fresh],
        "databases": [_database(one) for one in judgement.databases],
        "runs": [_run(run, facts) for run in facts.runs[:runs]],
        "retyped": [_retyped(column) for column in facts.retyped],
        "syncs": [_sync(past) for past in facts.past_syncs],
        "history": asdict(facts.history) if facts.history else None,
        "files": asdict(facts.files) if facts.files else None,
    }


def _finding(one: DatabaseHealth) -> dict[str, object]:
    return {
        "condition": one.condition.value,
        "counts": one.counts,
        "user_id": one.user_id,
        "database": one.name,
        "database_id": one.database_id,
        "health": one.condition.health.word,
        "reason": one.told,
        "since": _iso(one.since),
    }


def _database(one: DatabaseHealth) -> dict[str, object]:
    known = asdict(one.database) if one.database else dict.fromkeys(Database.__struct_fields__)
    return {
        **_finding(one),
        **{name: _plain(value) for name, value in known.items() if name not in _SAID_OTHERWISE},
        "running": _running(one),
    }


def _retyped(column: RetypedColumn) -> dict[str, object]:
    return {
        "user_id": column.user_id,
        "database": column.database_name,
        "view": column.view_name,
        "column": column.name,
        "type": column.type,
        "property_type": column.property_type,
        "fix": column.fix,
    }


def _running(one: DatabaseHealth) -> dict[str, object] | None:
    if one.running is None or one.database is None:
        return None
    return {
        "runid": one.running.runid,
        "host": one.running.host,
        "pid": one.running.pid,
        "since": _iso(one.database.last_started_at),
        "rate_limited_until": _iso(one.database.rate_limited_until),
    }


def _run(run: Run, facts: Facts) -> dict[str, object]:
    return {
        "runid": run.runid,
        "job": run.job,
        "status": run.status,
        "went_away": run.runid in facts.gone,
        "start_time": _iso(run.started_at),
        "end_time": _iso(run.ended_at),
        "seconds": run.seconds,
        "return_message": run.message,
        "host": run.host,
        "pid": run.pid,
        "heartbeat_at": _iso(run.heartbeat_at),
    }


def _sync(past: PastSync) -> dict[str, object]:
    return {
        "runid": past.runid,
        "user_id": past.user_id,
        "database": past.database_name,
        "database_id": past.database_id,
        "mode": past.mode,
        "status": past.status,
        "rows_read": past.rows_read,
        "requests": past.requests,
        "start_time": _iso(past.started_at),
        "end_time": _iso(past.ended_at),
        "seconds": past.seconds,
        "message": past.message,
    }


def _plain(value: object) -> object:
    return _iso(value) if isinstance(value, datetime) else value


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
