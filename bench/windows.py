"""A first read of more than a minute's budget, for several phases of Notion's minute.

What counts is how long after a minute of Notion's began the read ended, of the last that began while it went on.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from bench.stand import Measured, Stand

ROWS = 34_000
TARGET_SECONDS = 6.0
MINUTE = 60.0
# Seconds of Notion's minute that are over when the first request comes; with the last it ends within the first burst.
PHASES = (7.0, 24.0, 41.0, 58.0)
START = "2026-11-02T09:30:27+00:00"


def reads(stand: Stand) -> Iterator[tuple[float, Measured, str]]:
    """At 400 ms, 180 a minute: of each read the phase, how it went, and how late it was, last on average too."""
    stand.steer("configure", latency=0.4, rate_limit=180)
    late = []
    for phase in PHASES:
        user_id = f"phase {phase:.0f}"
        token = stand.add_token(user_id)
        database_id, _ = stand.add_database(user_id, user_id, rows=ROWS)
        stand.connect(user_id, token, {"Rows": database_id})
        stand.steer("configure", rate_phase=phase)
        # It runs from the moment in which the command begins.
        stand.steer("clock.set", moment=START)
        stand.steer("clock.run")
        measured = stand.sync_all("--user", user_id)
        stand.steer("clock.freeze")
        first, minutes, refused = _requests(stand, phase)
        late.append((measured.seconds - first + phase) % MINUTE)
        counts = " + ".join(str(minutes[minute]) for minute in sorted(minutes))
        note = f"ends {late[-1]:.1f} s after a minute began; {counts} requests a minute, {refused} refused"
        if phase == PHASES[-1]:
            note += f"; on average {statistics.mean(late):.1f} s, target {TARGET_SECONDS:.0f} s"
        yield phase, measured, note


def _requests(stand: Stand, phase: float) -> tuple[float, Counter[int], int]:
    """After how many seconds of the clock the first request was answered, how many were in each of Notion's minutes,
    and how many were refused.
    """
    requests = stand.steer("requests.listed")
    assert isinstance(requests, list)
    start = datetime.fromisoformat(START).timestamp()
    answered = [one["time"] / 1000 - start for one in requests if one["status"] != 429]
    first = min(answered)
    minutes = Counter(int((moment - first + phase) // MINUTE) for moment in answered)
    return first, minutes, len(requests) - len(answered)
