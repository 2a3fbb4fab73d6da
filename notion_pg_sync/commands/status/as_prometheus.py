"""The status as metrics, in Prometheus' text format, for the textfile collector of node_exporter.

The format: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from msgspec import Struct

from notion_pg_sync.commands.status.judgement import DatabaseHealth, Judgement
from notion_pg_sync.core.health import Condition
from notion_pg_sync.core.printable import printable
from notion_pg_sync.mirror.files import FileTotals
from notion_pg_sync.mirror.overview import Database

_LABEL_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"'})
_HELP_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n"})


class _Metric(Struct, frozen=True):
    """A gauge of each database; `value` gives None where a database has none."""

    name: str
    says: str
    value: Callable[[DatabaseHealth], float | None]


def _of_database(value: Callable[[Database], float | None]) -> Callable[[DatabaseHealth], float | None]:
    return lambda one: value(one.database) if one.database else None


def _epoch(moment: datetime | None) -> float | None:
    return moment.timestamp() if moment else None


def _up(one: DatabaseHealth) -> float | None:
    return float(one.condition.is_up_to_date) if one.condition.is_kept_fresh else None


_METRICS = (
    _Metric("up", "1 when it is fresh and its last sync succeeded, else 0; absent where it is not to be synced.", _up),
    _Metric("suspended", "1 while it is tried only now and then.", lambda one: one.condition is Condition.SUSPENDED),
    _Metric("running", "1 while a sync of it is under way.", lambda one: one.running is not None),
    _Metric(
        "fresh_as_of_timestamp_seconds",
        "Every edit in Notion before this time is in the copy.",
        _of_database(lambda database: _epoch(database.fresh_as_of)),
    ),
    _Metric(
        "full_as_of_timestamp_seconds",
        "Everything deleted in Notion before this time is gone from the copy.",
        _of_database(lambda database: _epoch(database.full_as_of)),
    ),
    _Metric(
        "last_success_timestamp_seconds",
        "When its last successful sync ended.",
        _of_database(lambda database: _epoch(database.last_succeeded_at)),
    ),
    _Metric(
        "last_start_timestamp_seconds",
        "When its last sync began.",
        _of_database(lambda database: _epoch(database.last_started_at)),
    ),
    _Metric("rows", "Rows in the copy.", _of_database(lambda database: database.rows)),
    _Metric(
        "last_duration_seconds", "How long its last sync took.", _of_database(lambda database: database.last_seconds)
    ),
    _Metric(
        "consecutive_failures",
        "How many syncs failed since the last success.",
        _of_database(lambda database: database.failures_in_a_row),
    ),
    _Metric("held_back_rows", "Rows that wait for --allow-removal.", _of_database(lambda database: database.held_back)),
)


def status_as_prometheus(judgement: Judgement, files: FileTotals | None = None) -> str:
    """The metrics of every database, and of the whole; those of `files` where these are known."""
    conditions = dict.fromkeys(Condition, 0)
    for one in judgement.databases:
        conditions[one.condition] += 1
    lines = [
        *_described("notion_pg_sync_well", "1 when nothing is failing, nor with --strict degraded, else 0."),
        _sample("notion_pg_sync_well", {}, float(judgement.exit_code == 0)),
        *_described("notion_pg_sync_health", "0 ok, 1 degraded, 2 failing."),
        _sample("notion_pg_sync_health", {}, float(judgement.health)),
        *_age("edits", judgement.edits_as_of, "Every edit in Notion before this time is in the copies."),
        *_age("deletions", judgement.deletions_as_of, "What was deleted before this time is gone from the copies."),
        *_described("notion_pg_sync_databases", "How many databases there are in each condition."),
        *(
            _sample("notion_pg_sync_databases", {"condition": condition.value}, number)
            for condition, number in conditions.items()
        ),
    ]
    for metric in _METRICS:
        name = f"notion_pg_sync_database_{metric.name}"
        lines += _described(name, metric.says)
        lines += [
            _sample(name, _labels(one), value)
            for one in judgement.databases
            if (value := metric.value(one)) is not None
        ]
    lines += _files(files) if files else []
    return "\n".join(lines) + "\n"


def _age(what: str, moment: datetime | None, says: str) -> list[str]:
    """The oldest of all that is kept fresh; nothing where one of it has no such time."""
    if moment is None:
        return []
    name = f"notion_pg_sync_{what}_as_of_timestamp_seconds"
    return [*_described(name, says), _sample(name, {}, moment.timestamp())]


def _files(files: FileTotals) -> list[str]:
    name, of_bytes = "notion_pg_sync_files", "notion_pg_sync_files_bytes"
    states = {"wanted": files.wanted, "kept": files.kept, "failed": files.failed}
    return [
        *_described(name, "Files that pages name (wanted), and of these the kept and the failed."),
        *(_sample(name, {"state": state}, number) for state, number in states.items()),
        *_described(of_bytes, "Bytes of the files that are kept."),
        _sample(of_bytes, {}, files.bytes),
    ]


def _labels(one: DatabaseHealth) -> dict[str, str]:
    return {"user": one.user_id or "", "database": one.name or "", "database_id": one.database_id or ""}


def _described(name: str, says: str) -> list[str]:
    return [f"# HELP {name} {says.translate(_HELP_ESCAPES)}", f"# TYPE {name} gauge"]


def _sample(name: str, labels: Mapping[str, str], value: float) -> str:
    pairs = ",".join(f'{label}="{printable(text).translate(_LABEL_ESCAPES)}"' for label, text in labels.items())
    return f"{name}{{{pairs}}} {float(value)!r}" if pairs else f"{name} {float(value)!r}"
