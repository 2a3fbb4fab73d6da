"""When a schedule is due. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from cronsim import CronSim, CronSimError

from notion_pg_sync.commands.doctor.scheduling.crontab import five_fields
from notion_pg_sync.core.health import MISSED_AFTER_MINUTES

TOLERANCE = timedelta(minutes=MISSED_AFTER_MINUTES)


def next_due(schedules: Iterable[str], after: datetime) -> datetime | None:
    """The first time after `after` at which one of the crontab schedules is due, in the time zone of `after`.

    `after` is a time with a zone, that of the cron daemon. None where there is no such time.
    """
    return min((due for schedule in schedules if (due := _next(schedule, after))), default=None)


def is_missed(due: datetime | None, now: datetime) -> bool:
    """Whether a run that was due should have begun by now; `due` is the first due time that no run has served."""
    return due is not None and now > due + TOLERANCE


def _next(schedule: str, after: datetime) -> datetime | None:
    fields = five_fields(schedule)
    if fields is None:
        return None
    # cronsim takes a step after a range of one number for a step to the end.
    without_empty_steps = re.sub(r"\b(\w+)-\1(?:/\d+)?", r"\1", fields)
    try:
        return next(CronSim(without_empty_steps, after))
    except (CronSimError, StopIteration):  # a day that no month has
        return None
