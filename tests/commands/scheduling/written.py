"""Crontabs as people may write them, for hypothesis."""

from __future__ import annotations

import string

from hypothesis import strategies as st

from notion_pg_sync.commands.doctor.scheduling.crontab import AT_START, NICKNAMES

_DAYS = ("sun", "Mon", "TUE", "wed", "thu", "fri", "sat")


@st.composite
def fields(draw: st.DrawFn, first: int, last: int) -> str:
    """A field of a schedule: `*`, numbers and ranges, maybe with a step."""
    if draw(st.booleans()):
        return "*" + draw(st.sampled_from(["", "/1", "/2", "/15"]))
    return ",".join(draw(st.lists(_items(first, last), min_size=1, max_size=3)))


@st.composite
def _items(draw: st.DrawFn, first: int, last: int) -> str:
    low = draw(st.integers(first, last))
    if draw(st.booleans()):
        return str(low)
    return f"{low}-{draw(st.integers(low, last))}" + draw(st.sampled_from(["", "/2", "/7"]))


@st.composite
def schedules(draw: st.DrawFn) -> str:
    """A schedule that cron knows."""
    if draw(st.integers(0, 5)) == 0:
        return draw(st.sampled_from([AT_START, *NICKNAMES]))
    days = st.sampled_from(_DAYS) | fields(0, 7)
    return " ".join(draw(part) for part in (fields(0, 59), fields(0, 23), fields(1, 31), fields(1, 12), days))


@st.composite
def crontab_lines(draw: st.DrawFn) -> tuple[str, str, str]:
    """A schedule, and the name and value of a variable that stands as it is."""
    name = draw(st.text(string.ascii_uppercase + "_", min_size=1, max_size=8))
    value = draw(st.text(string.ascii_letters + string.digits + " :/@%.-=", min_size=1, max_size=20).map(str.strip))
    return draw(schedules()), name, value or "x"
