"""Pure: the cron expression that starts of runs fit, as evidence of what starts them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec import Struct

# What stands where no cron expression does.
ON_DEMAND, ON_REQUEST = "on demand", "on request"
NOT_KNOWN_YET, IRREGULAR = "not known yet", "irregular"

_MINUTES_OF_HOUR, _MINUTES_OF_DAY, _MINUTES_OF_WEEK = 60, 24 * 60, 7 * 24 * 60
# Those that cron can say by */n: an hour, or a day, has a whole number of them.
_PERIODS = (
    *(minutes for minutes in range(1, _MINUTES_OF_HOUR) if _MINUTES_OF_HOUR % minutes == 0),
    *(_MINUTES_OF_HOUR * hours for hours in range(1, 25) if 24 % hours == 0),
    _MINUTES_OF_WEEK,
)
# A Sunday, which is cron's day 0.
_BEGIN = datetime(2000, 1, 2)
# The latest starts alone, since a schedule may change; few must fit all the better.
_WINDOWS = (12, 6, 4)
_LEAST_STARTS = _WINDOWS[-1]
# Of the starts, so many are when they are due, and of what was due, so much was started.
_LEAST_SHARE = 0.8
# Clocks of two machines are not quite the same; a timer of systemd may be late by a minute and more.
_EARLY_MINUTES, _LATE_MINUTES = 1 / 6, 2.0


class _Schedule(Struct, frozen=True):
    """Due every `period` minutes, at `phase` minutes past the begin of one."""

    period: int
    phase: int

    @property
    def expression(self) -> str:
        """The same as cron writes it."""
        hour, minute = divmod(self.phase, _MINUTES_OF_HOUR)
        if self.period < _MINUTES_OF_HOUR:
            return f"{_every(self.period, self.phase, _MINUTES_OF_HOUR)} * * * *"
        if self.period < _MINUTES_OF_DAY:
            return f"{minute} {_every(self.period // _MINUTES_OF_HOUR, hour, 24)} * * *"
        if self.period == _MINUTES_OF_DAY:
            return f"{minute} {hour} * * *"
        day, hour = divmod(hour, 24)
        return f"{minute} {hour} * * {day}"

    def fit(self, starts: Sequence[float]) -> float:
        """How well `starts`, in minutes, are when this is due: at most 1, and 0 where they are not enough so."""
        late = min(_LATE_MINUTES, max(self.period / 2, 1))
        placed = [divmod(start - self.phase + _EARLY_MINUTES, self.period) for start in starts]
        met = {int(number) for number, after in placed if after < late + _EARLY_MINUTES}
        if len(met) < _LEAST_STARTS:
            return 0.0
        when_due, of_due = len(met) / len(starts), len(met) / (max(met) - min(met) + 1)
        return when_due * of_due if min(when_due, of_due) >= _LEAST_SHARE else 0.0


def _every(step: int, first: int, most: int) -> str:
    if step == 1:
        return "*"
    return f"*/{step}" if first == 0 else f"{first}-{most - 1}/{step}"


def schedule_of(starts: Iterable[datetime]) -> str:
    """The schedule that scheduled starts fit, as a cron expression, else a word: `NOT_KNOWN_YET`, `IRREGULAR`.

    `starts` are in any order, by the clock of the host whose cron it is. One may be missed or be late, and hosts that
    start at one time count as one. `ON_DEMAND` where there are none.
    """
    minutes = _distinct(starts)
    if not minutes:
        return ON_DEMAND
    if len(minutes) < _LEAST_STARTS:
        return NOT_KNOWN_YET
    for most in _WINDOWS:
        latest = minutes[-most:]
        found = max(_candidates(latest), key=lambda one: one.fit(latest))
        if found.fit(latest):
            return found.expression
    return IRREGULAR


def _distinct(starts: Iterable[datetime]) -> list[float]:
    """The starts in minutes, in order, the first of each minute."""
    found: dict[int, float] = {}
    for minutes in sorted((start.replace(tzinfo=None) - _BEGIN).total_seconds() / 60 for start in starts):
        found.setdefault(int(minutes + _EARLY_MINUTES), minutes)
    return list(found.values())


def _candidates(starts: Sequence[float]) -> Iterable[_Schedule]:
    """What may be due at one of the starts."""
    for period in _PERIODS:
        yield from (
            _Schedule(period, phase) for phase in sorted({int(start + _EARLY_MINUTES) % period for start in starts})
        )
