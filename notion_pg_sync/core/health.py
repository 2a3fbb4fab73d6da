"""Pure: what well means: every limit of health, and the words for how a database is, for all commands alike."""

from __future__ import annotations

from enum import Enum, IntEnum

# Three times the interval of the usual schedule: one run that was missed, or took long, is a warning at most.
STALE_AFTER_MINUTES = 45
INTERVALS_UNTIL_STALE = 3

# Long enough for a process that is paused a moment, short enough for the next run of the usual schedule.
LEASE_SECONDS = 120
# A run renews its leases four times within their length, and says each time that it lives. Once one has run out,
# another run may have taken the user over, so that this one is as good as gone. keep_runs_off() in 50_forget.sql has
# the same figure.
GONE_AFTER_SILENT_SECONDS = LEASE_SECONDS
# A lease that ends later than any does is one that a wrong clock left.
LEASE_ENDS_WITHIN_DAYS = 1
# Between the minute that a schedule names and the run's record lie the start of the process and its way to
# PostgreSQL, whose clock may be another than cron's.
MISSED_AFTER_MINUTES = 2
# `sync-all --requested` writes the time of a look once in five minutes, and may be started as seldom as every ten.
LOOK_IS_OLD_AFTER_MINUTES = 15
# Notion refuses now and then what it allows a moment later; three runs in a row are no accident.
SUSPENDED_AFTER_FAILURES = 3
# Somebody may be fixing it just now: hourly at first, daily once a day went by.
SUSPENDED_TRIED_HOURLY_FOR_DAYS = 1
SUSPENDED_TRIED_FIRST_EVERY_HOURS = 1
SUSPENDED_TRIED_LATER_EVERY_DAYS = 1
# That one token is refused is its user's affair; that all of several are is Notion's, or that of a key of ours.
TOKENS_REFUSED_AT_LEAST = 2
# A next try that lies further off than any does is one that a wrong clock left.
SUSPENDED_TRIED_WITHIN_DAYS = 2

# How much later than now a sync may lie; beyond, a clock was wrong and nothing is known of its age.
CLOCKS_DIFFER_MINUTES = 5
# Synchronised clocks differ by less than a second. From a minute on, ages and leases are off by what people notice.
CLOCK_DIFFERENCE_WARNED_OF_SECONDS = 5
CLOCK_DIFFERENCE_BROKEN_SECONDS = 60


class Health(IntEnum):
    """What a condition comes to; the worst is the largest.

    `OK`: as it should be, or not to be synced. `DEGRADED`: old or left aside in a way that the tool knows of and deals
    with. `FAILING`: somebody has to look.
    """

    OK = 0
    DEGRADED = 1
    FAILING = 2

    @property
    def word(self) -> str:
        """What programs read."""
        return self.name.lower()


class Condition(Enum):
    """How a database, a user or a run is; the worst first. The values are what programs read."""

    WENT_AWAY = "went_away"
    FAILING = "failing"
    NEVER_SYNCED = "never_synced"
    STALE = "stale"
    LATE = "late"
    PAUSED = "paused"
    SUSPENDED = "suspended"
    INCOMPLETE = "incomplete"
    NOT_CONNECTED = "not_connected"
    NOT_CONFIGURED = "not_configured"
    SWITCHED_OFF = "switched_off"
    NOTHING_TO_SYNC = "nothing_to_sync"
    FRESH = "fresh"

    @property
    def words(self) -> str:
        """The same for people."""
        return self.value.replace("_", " ")

    @property
    def severity(self) -> int:
        """0 is the worst."""
        return list(Condition).index(self)

    @property
    def health(self) -> Health:
        """What it comes to."""
        return _HEALTH.get(self, Health.OK)

    @property
    def is_up_to_date(self) -> bool:
        """Whether every edit is in the copy that Notion gives."""
        return self in (Condition.FRESH, Condition.INCOMPLETE)

    @property
    def is_kept_fresh(self) -> bool:
        """Whether the tool means to keep a database in this condition fresh."""
        return self is Condition.FRESH or (self in _HEALTH and self is not Condition.NOT_CONNECTED)


_HEALTH = {
    Condition.WENT_AWAY: Health.FAILING,
    Condition.FAILING: Health.FAILING,
    Condition.NEVER_SYNCED: Health.FAILING,
    Condition.STALE: Health.FAILING,
    Condition.LATE: Health.DEGRADED,
    Condition.PAUSED: Health.DEGRADED,
    Condition.SUSPENDED: Health.DEGRADED,
    Condition.INCOMPLETE: Health.DEGRADED,
    Condition.NOT_CONNECTED: Health.DEGRADED,
}
