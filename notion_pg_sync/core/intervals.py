"""Pure: stretches of time, what a set of them leaves out, and how they add up."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from msgspec import Struct

MINUTE = timedelta(minutes=1)

# Stand-ins for "no bound", so that bounds always compare.
EARLIEST = datetime.min.replace(tzinfo=UTC)
LATEST = datetime.max.replace(tzinfo=UTC)


class Interval(Struct, frozen=True, order=True):
    """The times from `start` (included) to `end` (excluded), both UTC; `EARLIEST` and `LATEST` mean unbounded."""

    start: datetime = EARLIEST
    end: datetime = LATEST

    @property
    def is_empty(self) -> bool:
        """Whether no time lies in it."""
        return self.start >= self.end

    def is_within(self, other: Interval) -> bool:
        """Whether all of it lies in the other."""
        return other.start <= self.start and self.end <= other.end


EVERYTHING = Interval()


def union(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    """The same times as `intervals`, in order, apart from each other, none empty."""
    merged: list[Interval] = []
    for interval in sorted(intervals):
        if interval.is_empty:
            continue
        if merged and interval.start <= merged[-1].end:
            merged[-1] = Interval(merged[-1].start, max(merged[-1].end, interval.end))
        else:
            merged.append(interval)
    return tuple(merged)


def gaps(covered: Iterable[Interval]) -> tuple[Interval, ...]:
    """The times that `covered` leaves out, in order."""
    left_out: list[Interval] = []
    reached = EARLIEST
    for interval in union(covered):
        left_out.append(Interval(reached, interval.start))
        reached = interval.end
    left_out.append(Interval(reached, LATEST))
    return tuple(gap for gap in left_out if not gap.is_empty)


def minute_of(time: datetime) -> datetime:
    """`time` rounded down to its minute, in UTC, as Notion rounds (docs/notion-api.md#time)."""
    return time.astimezone(UTC).replace(second=0, microsecond=0)
