"""Times in words."""

from __future__ import annotations

from datetime import datetime, timedelta

import humanize


def ago(moment: datetime, now: datetime) -> str:
    """How long ago, such as `12 minutes ago`; clocks that differ a little make no future of it."""
    return humanize.naturaltime(max(now - moment, timedelta()))


def since(moment: datetime, now: datetime) -> str:
    """For how long, such as `12 minutes`."""
    return until(now, moment)


def until(moment: datetime, now: datetime) -> str:
    """How long from now, such as `12 minutes`."""
    length = moment - now
    return "less than a second" if length < timedelta(seconds=1) else humanize.naturaldelta(length)


def lasting(seconds: float) -> str:
    """How long something took, such as `0.4 s` or `28 minutes`."""
    return f"{seconds:.1f} s" if seconds < 60 else humanize.naturaldelta(timedelta(seconds=seconds))


def local(moment: datetime) -> str:
    """A time as the clock on the wall shows it, to the second."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")
