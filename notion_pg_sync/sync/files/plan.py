"""Pure: when a file that could not be fetched is tried again."""

from __future__ import annotations

from datetime import datetime, timedelta

from notion_pg_sync.sync.files.obstacles import Obstacle

_FIRST_WAIT = timedelta(hours=1)
_WAIT = timedelta(days=1)


def next_try_at(obstacle: Obstacle, tries: int, now: datetime) -> datetime | None:
    """When to try again, `tries` having failed before this one; None: once a larger file may be kept.

    What the way to it is at fault for may be there for the next run. Of the rest little is mended by itself, and each
    try may cost a request for its page.
    """
    match obstacle:
        case Obstacle.WAY:
            return now
        case Obstacle.TOO_LARGE:
            return None
        case _:
            return now + (_WAIT if tries else _FIRST_WAIT)
